//! Every misbehaviour by its name: the fault it stands for, what it does, and what a correct client must say.
//!
//! *Invariant:* the one list; what is not here can't be played.

use crate::lie::Lie;
use crate::tcp::Abuse;
use crate::trick::Trick;

/// How a misbehaviour is played.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Play {
    /// By a server that never completes a key exchange.
    Tcp(Abuse),
    /// By a server that misbehaves during or after login.
    Ssh(Trick),
    /// By a probe that lies.
    Probe(Lie),
}

impl Play {
    /// When it is met.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Tcp(_) => "before-login",
            Self::Ssh(_) => "after-login",
            Self::Probe(_) => "probe",
        }
    }
}

/// One misbehaviour.
#[derive(Debug)]
pub(crate) struct Misbehaviour {
    pub(crate) name: &'static str,
    /// The fault's number in driftscan's catalogue of faults; `-` for what is odd but no fault.
    pub(crate) fault: &'static str,
    /// What it does.
    pub(crate) story: &'static str,
    /// What a correct client may say: reasons why it could not verify the host, or `true`: what it would say otherwise.
    pub(crate) right: &'static [&'static str],
    pub(crate) play: Play,
}

/// The misbehaviour of this name.
pub(crate) fn find(name: &str) -> Option<&'static Misbehaviour> {
    CATALOGUE.iter().find(|misbehaviour| misbehaviour.name == name)
}

const fn tcp(
    name: &'static str,
    fault: &'static str,
    right: &'static [&'static str],
    abuse: Abuse,
    story: &'static str,
) -> Misbehaviour {
    Misbehaviour { name, fault, story, right, play: Play::Tcp(abuse) }
}

const fn ssh(
    name: &'static str,
    fault: &'static str,
    right: &'static [&'static str],
    trick: Trick,
    story: &'static str,
) -> Misbehaviour {
    Misbehaviour { name, fault, story, right, play: Play::Ssh(trick) }
}

const fn probe(
    name: &'static str,
    fault: &'static str,
    right: &'static [&'static str],
    lie: Lie,
    story: &'static str,
) -> Misbehaviour {
    Misbehaviour { name, fault, story, right, play: Play::Probe(lie) }
}

const TIMEOUT: &[&str] = &["timeout"];
const PROTOCOL: &[&str] = &["protocol"];
const FLOOD: &[&str] = &["limit", "protocol"];
const THROTTLED: &[&str] = &["throttled"];
const TRUNCATED: &[&str] = &["truncated"];
const UNAVAILABLE: &[&str] = &["probe-unavailable"];
const TRUE: &[&str] = &["true"];

/// All of them.
pub(crate) const CATALOGUE: &[Misbehaviour] = &[
    tcp("silence", "F03", TIMEOUT, Abuse::Silence, "accepts and says nothing"),
    tcp("banner-then-silence", "F03", TIMEOUT, Abuse::BannerThenSilence, "a good banner, then nothing"),
    tcp("kex-then-silence", "F03", TIMEOUT, Abuse::KexThenSilence, "half a key exchange, then nothing"),
    tcp("trickle", "F04", TIMEOUT, Abuse::Trickle, "its banner, a byte every half second"),
    tcp("newlines", "F05", &["limit", "timeout"], Abuse::Newlines, "newlines without end in the banner's place"),
    tcp("lines", "F05", &["limit", "timeout"], Abuse::Lines, "lines before the banner without end"),
    tcp("endless-line", "F05", &["limit", "timeout"], Abuse::EndlessLine, "one line without end in the banner's place"),
    tcp(
        "unknown-packets",
        "F06",
        FLOOD,
        Abuse::UnknownPackets,
        "packets of a type that does not exist, 8 kB each, without end",
    ),
    tcp("small-packets", "F06", FLOOD, Abuse::SmallPackets, "the same packets, 3 bytes each"),
    tcp(
        "channel-packets",
        "F06",
        FLOOD,
        Abuse::ChannelPackets,
        "data of a channel before the key exchange, without end",
    ),
    tcp("ignore-packets", "F06", FLOOD, Abuse::IgnorePackets, "SSH_MSG_IGNORE before the key exchange, without end"),
    tcp("debug-packets", "F06", FLOOD, Abuse::DebugPackets, "SSH_MSG_DEBUG before the key exchange, without end"),
    tcp("kexinit-packets", "F06", FLOOD, Abuse::KexinitPackets, "SSH_MSG_KEXINIT without end"),
    tcp("huge-packet", "F08", FLOOD, Abuse::HugePacket, "a packet that says it is 4 GiB long, and bytes without end"),
    tcp("empty-packet", "F08", PROTOCOL, Abuse::EmptyPacket, "a packet of length 0"),
    tcp("long-padding", "F08", PROTOCOL, Abuse::LongPadding, "a packet with more padding than packet"),
    tcp(
        "extension-count",
        "F08",
        &["protocol", "timeout"],
        Abuse::ExtensionCount,
        "SSH_MSG_EXT_INFO that announces 4294967295 extensions and holds one",
    ),
    tcp(
        "compression-only",
        "F08",
        PROTOCOL,
        Abuse::CompressionOnly,
        "offers nothing without compression, the way to a bomb",
    ),
    tcp("old-algorithms", "F08", PROTOCOL, Abuse::OldAlgorithms, "offers only SHA-1, DSS and 3DES"),
    tcp(
        "kex-garbage",
        "F08",
        PROTOCOL,
        Abuse::KexGarbage,
        "a key exchange reply whose strings are longer than its packet",
    ),
    tcp("old-protocol", "F08", &["protocol", "timeout", "throttled"], Abuse::OldProtocol, "the banner of SSH 1.5"),
    tcp("http", "F08", PROTOCOL, Abuse::Http, "speaks HTTP"),
    tcp(
        "disconnect",
        "F08",
        &["protocol", "throttled"],
        Abuse::Disconnect,
        "SSH_MSG_DISCONNECT with escape sequences in its words",
    ),
    tcp("close", "F11", THROTTLED, Abuse::Close, "closes at once, as a throttled sshd does"),
    tcp("throttled", "F11", THROTTLED, Abuse::Throttled, "says that MaxStartups is exceeded, and closes"),
    tcp("reset", "F12", THROTTLED, Abuse::Reset, "a good banner, then a reset"),
    tcp(
        "reset-after-kexinit",
        "F12",
        &["throttled", "protocol"],
        Abuse::ResetAfterKex,
        "half a key exchange, then a reset",
    ),
    ssh("honest", "-", TRUE, Trick::None, "nothing: a server as it should be, for comparison"),
    ssh("rekeys", "-", TRUE, Trick::Rekeys, "legal: a new key exchange every 4 KiB"),
    ssh("login-stalls", "F03", TIMEOUT, Trick::LoginStalls, "never answers the login"),
    ssh("login-refused", "F10", &["auth"], Trick::LoginRefused, "refuses every key"),
    ssh(
        "long-banner",
        "F16",
        &["true", "auth", "protocol", "limit"],
        Trick::LongBanner,
        "a login banner of 270 kB with escape sequences",
    ),
    ssh("debug-at-login", "F07", FLOOD, Trick::DebugAtLogin, "12 MiB of SSH_MSG_DEBUG as soon as the login is through"),
    ssh("debug", "F07", FLOOD, Trick::Debug, "12 MiB of SSH_MSG_DEBUG for each packet of the client's"),
    ssh("global-requests", "F07", FLOOD, Trick::GlobalRequests, "keepalives by the 100,000 that all want an answer"),
    ssh("channel-requests", "F07", FLOOD, Trick::ChannelRequests, "requests on the channel by the 100,000"),
    ssh(
        "channel-opens",
        "F07",
        &["limit", "protocol", "timeout"],
        Trick::ChannelOpens,
        "opens agent channels by the 100,000 that nobody asked for",
    ),
    ssh(
        "stray-data",
        "F07",
        &["limit", "protocol", "timeout"],
        Trick::StrayData,
        "data of a stream that does not exist, to the end of the window and beyond",
    ),
    ssh("stderr", "F07", &["limit", "timeout"], Trick::Stderr, "standard error without end"),
    ssh("stdout", "F16", FLOOD, Trick::Stdout, "standard output without end, and never a reply"),
    ssh("channel-unanswered", "F03", TIMEOUT, Trick::ChannelUnanswered, "never answers the opening of a channel"),
    ssh(
        "channel-refused",
        "F13",
        &["probe-unavailable", "protocol", "truncated"],
        Trick::ChannelRefused,
        "refuses the opening of a channel",
    ),
    ssh(
        "no-window",
        "F15",
        TIMEOUT,
        Trick::NoWindow,
        "a channel whose window never opens, so that nothing can be sent",
    ),
    ssh("exec-unanswered", "F03", TIMEOUT, Trick::ExecUnanswered, "never answers the request to run a command"),
    ssh("exec-refused", "F13", UNAVAILABLE, Trick::ExecRefused, "refuses to run a command"),
    ssh("exec-silent", "F15", TIMEOUT, Trick::ExecSilent, "takes the command and its input, and never says a word"),
    ssh(
        "disconnects",
        "F12",
        &["truncated", "protocol"],
        Trick::Disconnects,
        "disconnects when a command is asked for",
    ),
    ssh(
        "reset-at",
        "F12",
        &["truncated", "auth"],
        Trick::ResetAt,
        "reset-at:N resets the connection N bytes after the login",
    ),
    ssh("ends-at-once", "F13", TRUNCATED, Trick::EndsAtOnce, "status 0, and not a byte of output"),
    ssh("signal", "F14", UNAVAILABLE, Trick::Signal, "a whole answer, then ended by a signal"),
    ssh(
        "status-137",
        "F14",
        UNAVAILABLE,
        Trick::Status137,
        "a whole answer, then the status of a program that was killed",
    ),
    ssh(
        "no-status",
        "F14",
        &["probe-unavailable", "true"],
        Trick::NoStatus,
        "a whole answer, then closed without a status",
    ),
    ssh("never-closes", "F15", TIMEOUT, Trick::NeverCloses, "a whole answer and a status, and the channel stays open"),
    ssh("no-end", "F15", TIMEOUT, Trick::NoEnd, "a whole answer, and nothing after it"),
    probe("old-nonce", "F20", PROTOCOL, Lie::OldNonce, "the answer to another nonce: yesterday's"),
    probe("other-host", "F20", PROTOCOL, Lie::OtherHost, "the answer of another host, with this one's nonce"),
    probe("forged-root", "F20", PROTOCOL, Lie::ForgedRoot, "a root that belongs to no set"),
    probe("twice", "F18", PROTOCOL, Lie::Twice, "one path twice, the second time looking good"),
    probe("unsorted", "F18", PROTOCOL, Lie::Unsorted, "records in descending order"),
    probe("not-asked", "F19", PROTOCOL, Lie::NotAsked, "a record that nobody asked for, beside those that were"),
    probe("missing", "F19", PROTOCOL, Lie::Missing, "a record less than was asked for"),
    probe("wrong-count", "F17", PROTOCOL, Lie::WrongCount, "a wrong number of records at their end"),
    probe("wrong-record-count", "F17", PROTOCOL, Lie::WrongRecordCount, "a root and a coverage that count differently"),
    probe(
        "entries-without-end",
        "F17",
        FLOOD,
        Lie::EntriesWithoutEnd,
        "records without end in place of those asked for",
    ),
    probe(
        "long-names-without-end",
        "F17",
        FLOOD,
        Lie::LongNamesWithoutEnd,
        "the same with names of 4,000 bytes that take few on the wire",
    ),
    probe(
        "frames-without-end",
        "F17",
        FLOOD,
        Lie::FramesWithoutEnd,
        "the longest frames, of the same kind, without end",
    ),
    probe("symbols-without-end", "F17", FLOOD, Lie::SymbolsWithoutEnd, "coded symbols without end"),
    probe(
        "oversized-frame",
        "F17",
        PROTOCOL,
        Lie::OversizedFrame,
        "a frame that says it is 4 GiB long, and bytes without end",
    ),
    probe("unknown-frame", "F17", PROTOCOL, Lie::UnknownFrame, "a frame of a kind that nobody sends"),
    probe("huge-size", "F21", PROTOCOL, Lie::HugeSize, "files of 2^63 bytes"),
    probe("huge-mode", "F21", PROTOCOL, Lie::HugeMode, "permission bits ffffffff"),
    probe("huge-integer", "F21", PROTOCOL, Lie::HugeInteger, "an integer of more than 64 bits"),
    probe("huge-counts", "F21", PROTOCOL, Lie::HugeCounts, "counts of 2^64-1 in coverage and root"),
    probe("garbage-coverage", "F21", PROTOCOL, Lie::GarbageCoverage, "a coverage that is none"),
    probe("odd-texts", "F22", TRUE, Lie::OddTexts, "escape sequences, bidi overrides and huge numbers as evidence"),
    probe("many-texts", "F21", PROTOCOL, Lie::ManyTexts, "a megabyte of evidence"),
    probe("odd-usage", "F22", TRUE, Lie::OddUsage, "numbers at their edges and escape sequences as state at risk"),
    probe("garbage-usage", "F21", PROTOCOL, Lie::GarbageUsage, "state at risk that is none"),
    probe("clock-ahead", "F30", TRUE, Lie::ClockAhead, "a clock that is ten years ahead"),
    probe("clock-behind", "F30", TRUE, Lie::ClockBehind, "a clock that is ten years behind"),
    probe("other-system", "F54", &["wrong-baseline"], Lie::OtherSystem, "says that it is another operating system"),
    probe("noise", "F16", TRUE, Lie::Noise, "62 kB of chatter before the reply"),
    probe("much-noise", "F16", PROTOCOL, Lie::MuchNoise, "more than 64 KiB of chatter before the reply"),
    probe("false-start", "F16", TRUE, Lie::FalseStart, "all but a byte of the reply's beginning, before the reply"),
    probe("no-trailer", "F13", TRUNCATED, Lie::NoTrailer, "status 0 and all of the answer but its trailer"),
    probe("wrong-trailer", "F13", PROTOCOL, Lie::WrongTrailer, "a trailer that does not agree with what went before"),
    probe("trailer-twice", "F13", PROTOCOL, Lie::TrailerTwice, "the trailer twice"),
    probe("bytes-after", "F16", PROTOCOL, Lie::BytesAfter, "a word after the trailer"),
    probe("stops-halfway", "F13", TRUNCATED, Lie::StopsHalfway, "half an answer, and status 0"),
    probe("stalls-halfway", "F15", TIMEOUT, Lie::StallsHalfway, "half an answer, and silence"),
    probe("drips", "F15", TIMEOUT, Lie::Drips, "a byte every tenth of a second"),
    probe(
        "killed-after",
        "F14",
        UNAVAILABLE,
        Lie::Status137,
        "a whole answer, and the status of a program that was killed",
    ),
    probe("fails-after", "F14", UNAVAILABLE, Lie::Status1, "a whole answer, and status 1"),
    probe(
        "refuses",
        "F24",
        &["io", "unreadable"],
        Lie::Refuses,
        "says that its root can't be opened, with escape sequences",
    ),
    probe(
        "forged-symbols",
        "F50",
        &["true", "protocol"],
        Lie::ForgedSymbols,
        "coded symbols of no set; its listing is true",
    ),
    probe(
        "forged-listing",
        "F50",
        PROTOCOL,
        Lie::ForgedSymbolsAndListing,
        "coded symbols of no set, and half a listing",
    ),
];
