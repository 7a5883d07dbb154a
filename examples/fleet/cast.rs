//! Which simulated host plays what: shares of the fleet, spread evenly over it.
//!
//! *Invariant:* depends on the number of hosts and the shares alone, so that two runs have the same fleet.

/// What a host does when it is scanned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Equals the golden tree.
    Golden,
    /// One file has other content.
    Drifted,
    /// Closes every other connection before it says a word, as sshd's `MaxStartups` does, the first of them.
    Throttled,
    /// Accepts connections and never says a word.
    Tarpit,
    /// Lets the client log in and start the command, and never answers.
    Stalled,
}

impl Part {
    /// The verdict that a scan must reach, and why.
    pub(crate) fn verdict(self) -> &'static str {
        match self {
            Self::Golden | Self::Throttled => "clean",
            Self::Drifted => "drifted",
            Self::Tarpit | Self::Stalled => "unverifiable (timeout)",
        }
    }
}

/// Hosts of each part but the golden ones.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    pub(crate) drifted: f64,
    pub(crate) throttled: f64,
    pub(crate) tarpits: f64,
    pub(crate) stalled: f64,
}

/// The whole fleet, in the order of its addresses. The first host is golden unless none is.
pub(crate) fn cast(hosts: u32, shares: Shares) -> Vec<Part> {
    let Shares { drifted, throttled, tarpits, stalled } = shares;
    let parts =
        [(Part::Drifted, drifted), (Part::Throttled, throttled), (Part::Tarpit, tarpits), (Part::Stalled, stalled)];
    let mut seats = Vec::new();
    for (part, share) in parts {
        let many = (1..=hosts).take_while(|number| f64::from(*number) <= f64::from(hosts) * share + 0.5).count();
        seats.extend(std::iter::repeat_n(part, many));
    }
    seats.truncate(hosts as usize);
    let golden = hosts as usize - seats.len();
    let seats = [vec![Part::Golden; golden], seats].concat();
    // A stride that shares no divisor with the number of hosts meets every seat once.
    let total = seats.len();
    let stride = (1..=total / 8 * 5).rev().find(|stride| divisor(*stride, total) == 1).unwrap_or(1);
    (0..total).map(|host| seats[host * stride % total]).collect()
}

fn divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { divisor(b, a % b) }
}
