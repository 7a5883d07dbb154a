//! Closed lists of what can be said of a host.
//!
//! *Invariant:* the words are part of every format and never change their spelling.

use std::fmt;

/// One per host, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It differs from its template.
    Drifted,
    /// Not everything that was asked could be verified.
    Unverifiable,
    /// It equals an older version of its template exactly.
    Outdated,
    /// Everything asked was read and matches.
    Clean,
}

impl Verdict {
    /// Every verdict, the worst first.
    pub const ALL: [Self; 4] = [Self::Drifted, Self::Unverifiable, Self::Outdated, Self::Clean];

    /// The word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Drifted => "drifted",
            Self::Unverifiable => "unverifiable",
            Self::Outdated => "outdated",
            Self::Clean => "clean",
        }
    }

    /// The verdict of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.word() == word)
    }

    /// What to do with the host.
    #[must_use]
    pub fn decision(self) -> Decision {
        match self {
            Self::Drifted | Self::Outdated => Decision::Replace,
            Self::Unverifiable => Decision::Investigate,
            Self::Clean => Decision::Keep,
        }
    }
}

/// What to do with a host; never a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// A candidate for replacement.
    Replace,
    /// Most of its group shares the drift: mend the template.
    FixTemplate,
    /// A person must look.
    Investigate,
    /// It is the server that was built.
    Keep,
}

impl Decision {
    /// Every decision in the order of a report.
    pub const ALL: [Self; 4] = [Self::Replace, Self::FixTemplate, Self::Investigate, Self::Keep];

    /// The word of the JSON report.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Replace => "replace",
            Self::FixTemplate => "fix-template",
            Self::Investigate => "investigate",
            Self::Keep => "keep",
        }
    }

    /// The decision of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|decision| decision.word() == word)
    }
}

macro_rules! closed_words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $variant,)* }

        impl $name {
            /// Every one, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The one of a word.
            #[must_use]
            pub fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use closed_words;

closed_words! {
    /// Why a host is unverifiable.
    Reason {
        /// No address, refused, no route.
        Unreachable = "unreachable",
        /// The deadline passed.
        Timeout = "timeout",
        /// Unknown, changed or revoked host key.
        HostKey = "host-key",
        /// Login refused.
        Auth = "auth",
        /// sudo refused.
        Sudo = "sudo",
        /// The server turned connections away.
        Throttled = "throttled",
        /// The probe could not run or did not end well.
        ProbeUnavailable = "probe-unavailable",
        /// Bytes that are not the protocol's, or a proof that does not hold.
        Protocol = "protocol",
        /// The answer ended early.
        Truncated = "truncated",
        /// A limit of bytes, entries or time was reached.
        Limit = "limit",
        /// The package database could not be read.
        Packages = "packages",
        /// Files changed while they were read.
        Racing = "racing",
        /// Permission denied.
        Unreadable = "unreadable",
        /// The kernel reported an error.
        Io = "io",
        /// The baseline is of another system, or lacks what the policy compares.
        WrongBaseline = "wrong-baseline",
        /// The baseline's time is over.
        BaselineExpired = "baseline-expired",
        /// The host is still starting.
        Booting = "booting",
        /// A shard of the run is missing.
        MissingShard = "missing-shard",
        /// A fault of driftscan's own.
        Internal = "internal",
    }
}

closed_words! {
    /// How much a finding matters, the least first.
    Severity {
        /// Worth knowing.
        Info = "info",
        /// Low.
        Low = "low",
        /// Medium.
        Medium = "medium",
        /// High.
        High = "high",
        /// A way in, or a way to root.
        Critical = "critical",
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
