//! Node sets: `web-[01-20,25].example.net` stands for 21 hosts.
//!
//! A bracket holds numbers and ranges, comma-separated; a leading zero pads the whole range to the width of its first
//! number, as in `ClusterShell`. Several brackets multiply. A bracket that holds a colon is an IPv6 address and stays.
//!
//! *Invariant:* the count is known before anything is expanded, and expansion is lazy, so no text can ask for memory.

pub use super::fold::fold;

/// Longest number in a bracket, in digits: every one fits a `u64`.
pub(super) const DIGITS: usize = 18;

/// A text with its brackets read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeSet {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Numbers(Vec<Range>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: u64,
    last: u64,
    /// Fewest digits, filled with zeros; 1 is no padding.
    width: usize,
}

/// Why a text is no node set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeSetError {
    /// `web-[01-03`, also what is left of `web-[01, 03]`.
    #[error("a bracket is opened and not closed")]
    Unclosed,
    /// `web-01]`.
    #[error("a bracket is closed that was not opened")]
    Unopened,
    /// `web-[a-c]`, `web-[]`, `web-[1-]`.
    #[error("a bracket holds something that is no number and no range")]
    NotANumber,
    /// `web-[20-01]`.
    #[error("a range ends before it starts")]
    Backwards,
    /// `web-[1-05]`, `web-[001-10]`.
    #[error("the two ends of a range are padded differently")]
    Padding,
}

impl NodeSet {
    /// Reads a text; one without brackets is a set of one.
    ///
    /// # Errors
    ///
    /// A bracket that is not closed, not opened, or holds no numbers.
    pub fn parse(text: &str) -> Result<Self, NodeSetError> {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut literal = String::new();
        while let Some(at) = rest.find(['[', ']']) {
            let (before, from) = rest.split_at(at);
            literal.push_str(before);
            let Some(opened) = from.strip_prefix('[') else { return Err(NodeSetError::Unopened) };
            let (inner, after) = opened.split_once(']').ok_or(NodeSetError::Unclosed)?;
            if inner.contains('[') {
                return Err(NodeSetError::Unclosed);
            }
            if inner.contains(':') {
                literal.push('[');
                literal.push_str(inner);
                literal.push(']');
            } else {
                parts.push(Part::Text(std::mem::take(&mut literal)));
                parts.push(Part::Numbers(inner.split(',').map(Range::parse).collect::<Result<_, _>>()?));
            }
            rest = after;
        }
        literal.push_str(rest);
        parts.push(Part::Text(literal));
        Ok(Self { parts })
    }

    /// Counts the members, twice written ones twice; `u64::MAX` stands for that many or more.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.parts.iter().map(Part::count).fold(1, u64::saturating_mul)
    }

    /// Expands in the order written, the last bracket fastest.
    pub fn iter(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.count()).map(|index| self.member(index))
    }

    fn member(&self, mut index: u64) -> String {
        let mut picked = Vec::with_capacity(self.parts.len());
        for part in self.parts.iter().rev() {
            picked.push(index % part.count());
            index /= part.count();
        }
        let mut out = String::new();
        for (part, pick) in self.parts.iter().zip(picked.into_iter().rev()) {
            part.push(pick, &mut out);
        }
        out
    }
}

impl Part {
    /// At least 1: a bracket has at least one range, a range at least one number.
    fn count(&self) -> u64 {
        match self {
            Self::Text(_) => 1,
            Self::Numbers(ranges) => ranges.iter().map(Range::count).fold(0, u64::saturating_add),
        }
    }

    fn push(&self, mut pick: u64, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Numbers(ranges) => {
                for range in ranges {
                    if pick < range.count() {
                        out.push_str(&padded(range.first + pick, range.width));
                        return;
                    }
                    pick -= range.count();
                }
            }
        }
    }
}

impl Range {
    fn parse(text: &str) -> Result<Self, NodeSetError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (from, to) = (number(first)?, number(last)?);
        if from > to {
            return Err(NodeSetError::Backwards);
        }
        let zero = |digits: &str| digits.len() > 1 && digits.starts_with('0');
        if (zero(last) && last.len() != first.len()) || (zero(first) && last.len() < first.len()) {
            return Err(NodeSetError::Padding);
        }
        Ok(Self { first: from, last: to, width: if zero(first) { first.len() } else { 1 } })
    }

    fn count(&self) -> u64 {
        self.last - self.first + 1
    }
}

/// Reads at most [`DIGITS`] decimal digits.
fn number(digits: &str) -> Result<u64, NodeSetError> {
    if digits.is_empty() || digits.len() > DIGITS || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NodeSetError::NotANumber);
    }
    digits.parse().map_err(|_| NodeSetError::NotANumber)
}

/// Writes a number with at least `width` digits.
pub(super) fn padded(number: u64, width: usize) -> String {
    format!("{number:0width$}")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn expand(text: &str) -> Vec<String> {
        NodeSet::parse(text).unwrap().iter().collect()
    }

    #[test]
    fn ranges_lists_and_padding() {
        assert_eq!(expand("web-[01-03,25]"), ["web-01", "web-02", "web-03", "web-25"]);
        assert_eq!(expand("w[8-11]"), ["w8", "w9", "w10", "w11"]);
        assert_eq!(expand("w[099-101]"), ["w099", "w100", "w101"]);
        assert_eq!(expand("w[09-10,1].x:22"), ["w09.x:22", "w10.x:22", "w1.x:22"]);
        assert_eq!(expand("r[1-2]n[01-02]"), ["r1n01", "r1n02", "r2n01", "r2n02"]);
        assert_eq!(expand("plain"), ["plain"]);
    }

    #[test]
    fn a_bracket_with_a_colon_is_an_address() {
        assert_eq!(expand("root@[2001:db8::17]:22"), ["root@[2001:db8::17]:22"]);
        assert_eq!(expand("[2001:db8::17]:[22-23]"), ["[2001:db8::17]:22", "[2001:db8::17]:23"]);
    }

    #[test]
    fn what_is_no_node_set() {
        for (text, error) in [
            ("w[1-3", NodeSetError::Unclosed),
            ("w[1[2]]", NodeSetError::Unclosed),
            ("w1]", NodeSetError::Unopened),
            ("w[]", NodeSetError::NotANumber),
            ("w[1,]", NodeSetError::NotANumber),
            ("w[a-c]", NodeSetError::NotANumber),
            ("w[1-2-3]", NodeSetError::NotANumber),
            ("w[+1]", NodeSetError::NotANumber),
            ("w[1234567890123456789]", NodeSetError::NotANumber),
            ("w[3-1]", NodeSetError::Backwards),
            ("w[1-05]", NodeSetError::Padding),
            ("w[001-10]", NodeSetError::Padding),
        ] {
            assert_eq!(NodeSet::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_huge_set_is_counted_and_not_expanded() {
        assert_eq!(NodeSet::parse("web-[1-10000000]").unwrap().count(), 10_000_000);
        let huge = "[0-999999999999999999]".repeat(40);
        let set = NodeSet::parse(&huge).unwrap();
        assert_eq!(set.count(), u64::MAX);
        assert_eq!(set.iter().next().unwrap(), "0".repeat(40));
    }

    proptest! {
        #[test]
        fn never_panics(text in r"[\[\]0-9a-b,:-]{0,40}") {
            if let Ok(set) = NodeSet::parse(&text) {
                prop_assert_eq!(set.iter().take(500).count() as u64, set.count().min(500));
            }
        }

        #[test]
        fn expansion_equals_count(a in 0u64..50, n in 0u64..50, width in 1usize..4, b in 0u64..9, m in 0u64..9) {
            let text = format!("x[{}-{}]y[{b}-{}]", padded(a, width), padded(a + n, width), b + m);
            // A range from 7 to 12 of width 2 is padded, one from 10 to 12 is not; both ends agree by construction.
            let members = expand(&text);
            let mut unique = members.clone();
            unique.sort();
            unique.dedup();
            prop_assert_eq!(members.len() as u64, (n + 1) * (m + 1));
            prop_assert_eq!(unique.len(), members.len());
            prop_assert_eq!(members.len() as u64, NodeSet::parse(&text).unwrap().count());
        }
    }
}
