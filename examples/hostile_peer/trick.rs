//! Misbehaviours during and after login, of a server that completes the key exchange honestly.
//!
//! *Invariant:* names only; what each one does stands in `ssh` and `session`.

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trick {
    /// Nothing: it runs what it is asked to, as sshd does.
    None,
    /// It runs commands in the place of which this misbehaviour of the probe answers.
    Lies(&'static str),
    LoginStalls,
    LoginRefused,
    LongBanner,
    /// `SSH_MSG_DEBUG` as soon as the login is through.
    DebugAtLogin,
    /// `SSH_MSG_DEBUG` while a command runs.
    Debug,
    /// Global requests that want an answer.
    GlobalRequests,
    /// Requests on the channel that nobody knows.
    ChannelRequests,
    /// Channels that the client never asked for.
    ChannelOpens,
    /// Data of a stream that does not exist.
    StrayData,
    Stdout,
    Stderr,
    ChannelUnanswered,
    ChannelRefused,
    NoWindow,
    ExecUnanswered,
    ExecRefused,
    ExecSilent,
    Disconnects,
    /// After so many bytes that the client got since its login.
    ResetAt,
    Rekeys,
    EndsAtOnce,
    Signal,
    Status137,
    NoStatus,
    NeverCloses,
    NoEnd,
}

/// How a command's end is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// As it was.
    True,
    /// By a signal.
    Signal,
    /// As after the out-of-memory killer.
    Status137,
    /// By the end of its output and the close alone.
    NoStatus,
    /// By its status and the end of its output, without a close.
    NeverCloses,
    /// Not at all.
    NoEnd,
}

impl Trick {
    /// How a command's end is told.
    pub(crate) fn ending(self) -> Ending {
        match self {
            Self::Signal => Ending::Signal,
            Self::Status137 => Ending::Status137,
            Self::NoStatus => Ending::NoStatus,
            Self::NeverCloses => Ending::NeverCloses,
            Self::NoEnd => Ending::NoEnd,
            _ => Ending::True,
        }
    }
}
