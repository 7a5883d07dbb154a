//! What a difference means: files that are compared by a view are told record by record.
//!
//! Both sides are texts of one view (`KEY<TAB>VALUE` lines). Records that only one side has become findings of their
//! own, each with a sentence, in place of the one finding of the file. A key may stand several times: its values are
//! compared as a list, in the order of the text.
//!
//! *Invariant:* a file whose digests differ keeps at least one finding, whatever its texts say; texts that come from a
//! host only explain, and only those whose digest the host has proven.

mod accounts;
mod configs;
mod engine;
mod line;
mod places;
mod plain;
mod records;
mod said;

pub(super) use engine::expand;
pub(super) use line::{elide, shown};
pub(super) use places::name;
pub(super) use records::{ORDER, Pair};
pub(super) use said::Said;

use crate::protocol::View;

/// The sentence of one record that differs, or of an order that does (its key is [`ORDER`]); `path` is that of its file.
fn sentence(view: View, path: &[u8], pair: &Pair<'_>) -> Said {
    accounts::sentence(view, path, pair)
        .or_else(|| configs::sentence(view, path, pair))
        .unwrap_or_else(|| plain::sentence(path, pair))
}

/// Whether a record of this view means the same wherever it stands, so that the records of a whole new file can stand for
/// the file; else the file's own finding tells them.
fn stands_alone(view: View) -> bool {
    matches!(view, View::Sudoers | View::AuthorizedKeys | View::Cron | View::Passwd | View::Group)
        || matches!(view, View::Sources | View::Certificates | View::Sysctl | View::Modules)
}
