//! Names of owners and groups as the scanned tree gives them, by the rule of the probe.
//!
//! *Invariant:* a name stands for exactly one id and never looks like one; everything else is written `#id`.

use std::collections::HashMap;

/// The names of one file.
#[derive(Debug, Default)]
pub(super) struct Names(HashMap<u32, Vec<u8>>);

impl Names {
    /// Reads passwd(5) or group(5).
    pub(super) fn parse(text: &[u8]) -> Self {
        let mut pairs: Vec<(u32, &[u8])> = text.split(|b| *b == b'\n').filter_map(pair).collect();
        pairs.sort_unstable();
        pairs.dedup();
        // A name with two ids says nothing, nor does an id with two names of its own.
        let mut ids: HashMap<&[u8], usize> = HashMap::new();
        for (_, name) in &pairs {
            *ids.entry(name).or_default() += 1;
        }
        pairs.retain(|(_, name)| ids.get(name) == Some(&1));
        let mut names: HashMap<u32, usize> = HashMap::new();
        for (id, _) in &pairs {
            *names.entry(*id).or_default() += 1;
        }
        // Root is what it is, whatever it is called.
        let lonely = pairs.into_iter().filter(|(id, _)| *id != 0 && names.get(id) == Some(&1));
        Self(lonely.map(|(id, name)| (id, name.to_vec())).collect())
    }

    /// The name of an id, else `#id`.
    pub(super) fn name(&self, id: u32) -> Vec<u8> {
        self.0.get(&id).cloned().unwrap_or_else(|| format!("#{id}").into_bytes())
    }
}

fn pair(line: &[u8]) -> Option<(u32, &[u8])> {
    let mut fields = line.split(|b| *b == b':');
    let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
    let digits = !id.is_empty() && id.iter().all(u8::is_ascii_digit);
    let id = std::str::from_utf8(id).ok().filter(|_| digits)?.parse().ok()?;
    let first = name.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    let plain = first && name.len() <= 64 && name.iter().all(|b| b.is_ascii_alphanumeric() || b"._-$+@".contains(b));
    plain.then_some((id, name))
}
