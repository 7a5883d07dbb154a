//! What every host must have for itself, as evidence: the controller looks for hosts that share one.
//!
//! *Invariant:* from the tree's own files alone, and only their digests leave the host; what is empty, not yet made or made
//! by hand in the same way everywhere is no identity.

use crate::place::Place;
use crate::protocol::digest;
use crate::protocol::reply::{Texts, evidence};
use crate::protocol::view::is_machine_id;
use alloc::vec::Vec;

/// Files that hold one: which kind it is, and the fewest bytes that make one.
const FILES: [(&[u8], &[u8], usize); 6] = [
    (b"/etc/machine-id", b"machine-id", 32),
    (b"/var/lib/systemd/random-seed", b"random-seed", 32),
    (b"/var/lib/urandom/random-seed", b"random-seed", 32),
    (b"/etc/iscsi/initiatorname.iscsi", b"initiator", 16),
    (b"/etc/nvme/hostnqn", b"hostnqn", 16),
    (b"/etc/nvme/hostid", b"hostid", 16),
];
/// The most SSH host keys.
const KEYS: usize = 16;

/// Adds them.
pub fn read(place: &Place, texts: &mut Texts) {
    for (path, kind, shortest) in FILES {
        let Ok(text) = place.read(path, 64 * 1024) else { continue };
        let text = match kind {
            b"random-seed" => text.as_slice(),
            _ => said(&text),
        };
        let is_one = text.len() >= shortest && (kind != b"machine-id" || is_machine_id(text));
        // A disk of zeros is nobody's.
        if is_one && text.iter().any(|b| *b != text[0]) {
            put(kind, text, texts);
        }
    }
    let mut names = place.names(b"/etc/ssh").unwrap_or_default();
    names.retain(|name| name.starts_with(b"ssh_host_") && name.ends_with(b"_key.pub"));
    crate::order::sort(&mut names, Ord::cmp);
    for name in names.iter().take(KEYS) {
        let text = place.read(&[b"/etc/ssh/", name.as_slice()].concat(), 64 * 1024).unwrap_or_default();
        // Type and key; the comment is anybody's.
        let mut words = said(&text).split(|b| *b == b' ');
        if let (Some(kind), Some(blob)) = (words.next(), words.next())
            && !kind.is_empty()
            && kind.len() <= 40
            && blob.len() >= 32
        {
            put(&[b"ssh-host-key.", kind].concat(), blob, texts);
        }
    }
}

/// The last line that says something: what stands above it are comments.
fn said(text: &[u8]) -> &[u8] {
    let mut lines = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii);
    lines.rfind(|line| !line.is_empty() && !line.starts_with(b"#")).unwrap_or_default()
}

fn put(kind: &[u8], text: &[u8], texts: &mut Texts) {
    let name: Vec<u8> = [evidence::IDENTITY, kind].concat();
    texts.put(&name, &crate::xattrs::hex(&digest::of_evidence(kind, text)));
}
