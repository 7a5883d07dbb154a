//! The sentence of a record that no other module has words for.
//!
//! *Invariant:* total; it tells the key and both sides, whatever they are.

use super::{ORDER, Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// `PATH: KEY: before -> after`.
pub(super) fn sentence(path: &[u8], pair: &Pair<'_>) -> Said {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or(path);
    let (name, key) = (shown(name, 30), shown(pair.key, 40));
    let side = |values: &[&[u8]]| shown(&values.join(&b"; "[..]), 30);
    if pair.key == ORDER {
        let title =
            format!("{name}: the order changed: {} now stands before {}", side(&pair.after), side(&pair.before));
        return Said::new(Code::SettingChanged, Severity::Medium, title);
    }
    let title = match pair.change() {
        Change::Added => format!("{name}: {key} added: {}", side(&pair.after)),
        Change::Removed => format!("{name}: {key} removed: {}", side(&pair.before)),
        Change::Changed => format!("{name}: {key}: {} -> {}", side(&pair.before), side(&pair.after)),
    };
    Said::new(Code::SettingChanged, Severity::Medium, title)
}
