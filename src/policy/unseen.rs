//! The attributes that a way of collecting may be blind for, and the words by which a policy accepts that.
//!
//! *Invariant:* each has a word of its own; there is no word for all of them, so that nobody excuses what he did not read.

use crate::protocol::{Attr, Mask};

/// The words of `excuse_unseen`, which are also what the coverage calls them.
pub const UNSEEN: [(&str, Attr); 7] = [
    ("capabilities", Attr::Capability),
    ("acls", Attr::Acl),
    ("xattrs", Attr::Xattr),
    ("flags", Attr::Flags),
    ("selinux", Attr::Selinux),
    ("views", Attr::View),
    (KERNEL_SETTINGS, Attr::Text),
];

/// The facts that are settings of a running kernel; the other facts are seen by every way.
pub const KERNEL_SETTINGS: &str = "kernel-settings";

/// All of them that are attributes of entries.
#[must_use]
pub fn unseen() -> Mask {
    let of_entries = UNSEEN.iter().filter(|(word, _)| *word != KERNEL_SETTINGS);
    of_entries.fold(Mask::NONE, |mask, (_, attr)| mask.with(*attr))
}
