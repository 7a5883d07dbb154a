//! How much of each host is told, so that the candidates of a large fleet fit on a screen.
//!
//! *Invariant:* every host is told; what is left out of one is counted.

/// Lines that all candidates together may take before they are told more briefly.
const ROOM: usize = 16;
/// Lines of findings of one host.
const MOST: usize = 20;

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// A line for the host, and so many of its findings below it.
    Findings(usize),
    /// One line: the host with its gravest finding.
    One,
}

/// The lines that one entry takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Findings and causes.
    pub(super) lines: usize,
    /// Whatever else is said below the host.
    pub(super) others: usize,
}

impl Entry {
    fn takes(self, most: usize) -> usize {
        // What is left out takes a line that counts it and one that says where it is.
        1 + self.others + self.lines.min(most) + if self.lines > most { 2 } else { 0 }
    }
}

/// Chooses for all entries of a section.
pub(super) fn depth(entries: &[Entry], verbose: bool) -> Depth {
    if verbose {
        return Depth::Findings(usize::MAX);
    }
    if entries.len() < 2 {
        return Depth::Findings(MOST);
    }
    let fits = |most: &usize| entries.iter().map(|entry| entry.takes(*most)).sum::<usize>() <= ROOM;
    (1..=MOST).rev().find(fits).map_or(Depth::One, Depth::Findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_told_in_full_and_many_in_a_line_each() {
        let of = |lines: usize, others: usize, count: usize| depth(&vec![Entry { lines, others }; count], false);
        assert_eq!(of(400, 3, 1), Depth::Findings(20));
        assert_eq!(of(4, 1, 2), Depth::Findings(20));
        assert_eq!(of(8, 0, 2), Depth::Findings(5));
        assert_eq!(of(3, 0, 5), Depth::One);
        assert_eq!(of(1, 1, 6), Depth::One);
        assert_eq!(of(0, 0, 16), Depth::Findings(20));
        assert_eq!(depth(&[Entry { lines: 9, others: 9 }; 90], true), Depth::Findings(usize::MAX));
    }
}
