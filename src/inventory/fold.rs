//! Folding: many names become few, `web-01 web-02 web-03 web-05` becomes `web-[01-03,05]`.
//!
//! *Invariant:* every text returned is a node set, and together they expand to exactly the names given.

use std::collections::HashMap;

use super::node_set::{DIGITS, padded};

/// Folds names that differ in one number, in the order in which each fold's first name was given.
///
/// Where a name could join several folds it joins the largest, on a tie the one whose number stands last. Names with
/// brackets and IPv6 addresses, whose numbers are not decimal, stay as they are. A name given twice counts once.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let names: Vec<&str> = names.into_iter().filter(|name| seen.insert(*name)).collect();
    let mut sizes: HashMap<(&str, &str), usize> = HashMap::new();
    for slot in names.iter().flat_map(|name| slots(name)) {
        *sizes.entry((slot.before, slot.after)).or_default() += 1;
    }
    let mut place_of: HashMap<(&str, &str), usize> = HashMap::new();
    let mut folds: Vec<Fold<'a>> = Vec::new();
    for name in names {
        // `max_by_key` keeps the last of equals, which is the tie rule.
        let best = slots(name).max_by_key(|slot| sizes.get(&(slot.before, slot.after)).copied().unwrap_or_default());
        let Some(slot) = best else {
            folds.push(Fold { before: name, after: "", numbers: Vec::new() });
            continue;
        };
        let place = *place_of.entry((slot.before, slot.after)).or_insert(folds.len());
        match folds.get_mut(place) {
            Some(fold) => fold.numbers.push(slot.number),
            None => folds.push(Fold { before: slot.before, after: slot.after, numbers: vec![slot.number] }),
        }
    }
    folds.into_iter().map(Fold::text).collect()
}

/// One number of a name and what stands around it.
struct Slot<'a> {
    before: &'a str,
    number: &'a str,
    after: &'a str,
}

/// The numbers of a name, from left to right.
fn slots(name: &str) -> impl Iterator<Item = Slot<'_>> {
    let foldable = !name.contains(['[', ']']) && name.matches(':').count() < 2;
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + name.get(from..)?.find(|c: char| c.is_ascii_digit())?;
            let rest = name.get(start..)?;
            let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            from = start + length;
            if length <= DIGITS {
                return Some(Slot {
                    before: name.get(..start)?,
                    number: name.get(start..from)?,
                    after: name.get(from..)?,
                });
            }
        }
    })
    .filter(move |_| foldable)
}

struct Fold<'a> {
    before: &'a str,
    after: &'a str,
    numbers: Vec<&'a str>,
}

impl Fold<'_> {
    fn text(mut self) -> String {
        let Self { before, after, .. } = self;
        if let [] | [_] = *self.numbers {
            return format!("{before}{}{after}", self.numbers.concat());
        }
        self.numbers.sort_by_key(|digits| (value(digits), digits.len()));
        let mut ranges: Vec<(&str, &str)> = Vec::new();
        for digits in self.numbers {
            match ranges.last_mut() {
                Some((first, last)) if follows(first, last, digits) => *last = digits,
                _ => ranges.push((digits, digits)),
            }
        }
        let inner: Vec<String> = ranges
            .into_iter()
            .map(|(first, last)| if first == last { first.to_owned() } else { format!("{first}-{last}") })
            .collect();
        format!("{before}[{}]{after}", inner.join(","))
    }
}

/// Whether a range that starts with `first` and reached `last` comes to `next` when it is expanded.
fn follows(first: &str, last: &str, next: &str) -> bool {
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 1 };
    padded(value(last) + 1, width) == next
}

/// The value of at most [`DIGITS`] digits, which always fit.
fn value(digits: &str) -> u64 {
    digits.bytes().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::inventory::node_set::NodeSet;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn folded(names: &str) -> String {
        fold(names.split_whitespace()).join(" ")
    }

    #[test]
    fn numbers_fold_where_the_rest_is_equal() {
        assert_eq!(folded("web-01 web-02 web-03 web-05 db-01"), "web-[01-03,05] db-01");
        assert_eq!(folded("api-03 edge-01 api-01"), "api-[01,03] edge-01");
        assert_eq!(folded("web-01.example.net web-03.example.net web-02.example.net"), "web-[01-03].example.net");
        assert_eq!(folded("w9 w10 w11"), "w[9-11]");
        assert_eq!(folded("w09 w10 w9"), "w[9,09-10]");
        assert_eq!(folded("10.0.0.9 10.0.0.10 10.0.1.1"), "10.0.0.[9-10] 10.0.1.1");
        assert_eq!(folded("a:2201 a:2202"), "a:[2201-2202]");
    }

    #[test]
    fn a_name_joins_the_largest_fold_and_on_a_tie_the_last_number() {
        assert_eq!(folded("r1n1 r1n2 r2n1 r2n2"), "r1n[1-2] r2n[1-2]");
        assert_eq!(folded("r1n1 r2n1 r3n1 r1n2"), "r[1-3]n1 r1n2");
    }

    #[test]
    fn brackets_addresses_and_long_numbers_stay() {
        assert_eq!(folded("[2001:db8::1]:22 [2001:db8::2]:22"), "[2001:db8::1]:22 [2001:db8::2]:22");
        assert_eq!(folded("2001:db8::1 2001:db8::2"), "2001:db8::1 2001:db8::2");
        assert_eq!(folded("a1234567890123456789 a1234567890123456790"), "a1234567890123456789 a1234567890123456790");
        assert_eq!(folded("a a"), "a");
        assert!(fold([]).is_empty());
    }

    proptest! {
        #[test]
        fn folding_then_expanding_gives_the_same_names(
            names in proptest::collection::vec(r"[ab]{0,1}[0-9]{1,3}[ab.-]{0,1}[0-9]{0,2}(:[0-9]{1,2})?", 0..60)
        ) {
            let given: BTreeSet<String> = names.iter().cloned().collect();
            let folds = fold(names.iter().map(String::as_str));
            let back: Vec<String> = folds.iter().flat_map(|fold| NodeSet::parse(fold).unwrap().iter().collect::<Vec<_>>()).collect();
            prop_assert_eq!(back.len(), given.len());
            prop_assert_eq!(back.into_iter().collect::<BTreeSet<_>>(), given);
        }

        #[test]
        fn a_range_folds_to_itself(first in 1u64..500, more in 1u64..500, width in 1usize..5) {
            let set = format!("n[{}-{}]", padded(first, width), padded(first + more, width));
            let names: Vec<String> = NodeSet::parse(&set).unwrap().iter().collect();
            prop_assert_eq!(fold(names.iter().map(String::as_str)), vec![set]);
        }
    }
}
