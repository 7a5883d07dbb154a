//! Sentences of accounts and access: who there is, who may log in, who may become whom, what runs for whom.
//!
//! *Invariant:* total on any record; no sentence holds more of a record than the view wrote.

use super::{Pair, Said, plain};
use crate::protocol::View;

/// The sentence of one record.
pub(super) fn sentence(view: View, path: &[u8], pair: &Pair<'_>) -> Said {
    let _ = view;
    plain::sentence(path, pair)
}
