//! The attributes that a way of collecting may be blind for, and the words by which a policy accepts that.
//!
//! *Invariant:* each has a word of its own; there is no word for all of them, so that nobody excuses what he did not read.

use crate::protocol::{Attr, Mask};

/// The words of `excuse_unseen`, which are also what the coverage calls them.
pub const UNSEEN: [(&str, Attr); 6] = [
    ("capabilities", Attr::Capability),
    ("acls", Attr::Acl),
    ("xattrs", Attr::Xattr),
    ("flags", Attr::Flags),
    ("selinux", Attr::Selinux),
    ("views", Attr::View),
];

/// All of them.
#[must_use]
pub fn unseen() -> Mask {
    UNSEEN.iter().fold(Mask::NONE, |mask, (_, attr)| mask.with(*attr))
}
