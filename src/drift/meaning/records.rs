//! Records of two texts of one view, and others that differ.
//!
//! *Invariant:* two texts that differ give at least one pair; equal texts give none. Total on any bytes.

use crate::model::Change;
use std::collections::{BTreeMap, BTreeSet};

/// The key of the pair that says that records only changed their places: no view writes it.
pub(in crate::drift) const ORDER: &[u8] = b"(order)";

/// A record that differs: its key and the values that each side has under it, in their order, none where the side lacks
/// it. Keys and values are as the file had them: the text's escapes are undone, nothing is fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::drift) struct Pair<'a> {
    /// What the record is about.
    pub(in crate::drift) key: &'a [u8],
    /// The golden values.
    pub(in crate::drift) before: Vec<&'a [u8]>,
    /// The host's values.
    pub(in crate::drift) after: Vec<&'a [u8]>,
}

impl<'a> Pair<'a> {
    /// On which side it is.
    pub(in crate::drift) fn change(&self) -> Change {
        match (self.before.is_empty(), self.after.is_empty()) {
            (true, _) => Change::Added,
            (false, true) => Change::Removed,
            (false, false) => Change::Changed,
        }
    }

    /// The values that only the baseline has, and others that only the host has, each as often as it has them more often.
    pub(in crate::drift) fn only(&self) -> (Vec<&'a [u8]>, Vec<&'a [u8]>) {
        (more(&self.before, &self.after), more(&self.after, &self.before))
    }
}

fn more<'a>(these: &[&'a [u8]], others: &[&'a [u8]]) -> Vec<&'a [u8]> {
    let mut left: BTreeMap<&[u8], usize> = BTreeMap::new();
    for value in others {
        *left.entry(value).or_default() += 1;
    }
    let mut more = these.to_vec();
    more.retain(|value| match left.get_mut(value) {
        Some(count) if *count > 0 => {
            *count -= 1;
            false
        }
        Some(_) | None => true,
    });
    more
}

/// The records of a text, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Records(Vec<(Vec<u8>, Vec<u8>)>);

impl Records {
    /// Reads a text; `None` where a view can't have written it.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        let Some(text) = text.strip_suffix(b"\n") else {
            return text.is_empty().then(Self::default);
        };
        let field = |line: &[u8]| {
            let tab = line.iter().position(|byte| *byte == b'\t')?;
            Some((raw(line.get(..tab)?)?, raw(line.get(tab + 1..)?)?))
        };
        text.split(|byte| *byte == b'\n').map(field).collect::<Option<_>>().map(Self)
    }

    fn by_key(&self) -> BTreeMap<&[u8], Vec<&[u8]>> {
        let mut by_key: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
        for (key, value) in &self.0 {
            by_key.entry(key).or_default().push(value);
        }
        by_key
    }

    /// Every record: its key and its value.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|(key, value)| (key.as_slice(), value.as_slice()))
    }

    fn keys(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|(key, _)| key.as_slice())
    }
}

/// What differs between two texts, by key. Where every record that both have is the same and only their order is not,
/// that is one pair under [`ORDER`] more, which tells the first that stands elsewhere.
pub(super) fn pairs<'a>(before: &'a Records, after: &'a Records) -> Vec<Pair<'a>> {
    let (old, new) = (before.by_key(), after.by_key());
    let mut keys: Vec<&[u8]> = old.keys().chain(new.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let side = |records: &BTreeMap<&[u8], Vec<&'a [u8]>>, key| records.get(key).cloned().unwrap_or_default();
    let (mut pairs, mut same) = (Vec::new(), BTreeSet::new());
    for key in keys {
        let (before, after) = (side(&old, key), side(&new, key));
        if before == after {
            same.insert(key);
        } else {
            pairs.push(Pair { key, before, after });
        }
    }
    let kept = |records: &'a Records| records.keys().filter(|key| same.contains(key));
    if let Some((before, after)) = kept(before).zip(kept(after)).find(|(before, after)| before != after) {
        pairs.push(Pair { key: ORDER, before: vec![before], after: vec![after] });
    }
    pairs
}

/// Undoes the escapes of a view's text.
fn raw(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first == b'\\' {
            let [b'x', high, low, tail @ ..] = rest else { return None };
            out.push(digit(*high)? << 4 | digit(*low)?);
            rest = tail;
        } else {
            out.push(*first);
        }
    }
    Some(out)
}
