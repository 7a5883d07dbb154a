//! The mount table, `/proc/self/mountinfo` (proc(5)): which mounts are entered, and how each is told.
//!
//! *Invariant:* whether a mount is entered is decided here, for the probe and for the shell fallback alike, from the table
//! alone.

use super::Attr;
use super::record::RecordWriter;
use alloc::vec::Vec;

/// Writable by everybody wherever they are, memory or disk.
pub const GUARD_ROOTS: [&[u8]; 3] = [b"/dev/shm", b"/tmp", b"/var/tmp"];

/// File systems on local storage, which are entered. Everything else is network, FUSE, automounter, kernel or memory.
const LOCAL: [&[u8]; 20] = [
    b"ext2",
    b"ext3",
    b"ext4",
    b"xfs",
    b"btrfs",
    b"zfs",
    b"f2fs",
    b"jfs",
    b"reiserfs",
    b"bcachefs",
    b"overlay",
    b"aufs",
    b"squashfs",
    b"erofs",
    b"vfat",
    b"msdos",
    b"exfat",
    b"iso9660",
    b"udf",
    b"ntfs3",
];

/// One mount point inside the scanned root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Its path inside the root.
    pub path: Vec<u8>,
    /// Type of the file system.
    pub fs_type: Vec<u8>,
    options: Vec<u8>,
}

impl Mount {
    /// Whether the walk goes in: local storage always, memory only where a guard root asks for it.
    #[must_use]
    pub fn is_local(&self) -> bool {
        LOCAL.contains(&self.fs_type.as_slice())
    }

    /// Whether the mount is in memory.
    #[must_use]
    pub fn is_memory(&self) -> bool {
        self.fs_type == b"tmpfs" || self.fs_type == b"ramfs"
    }

    /// Appends the pseudo-entry.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut subject = b"mount:".to_vec();
        subject.extend_from_slice(&self.path);
        let mut record = RecordWriter::new(out, &subject);
        record.present(Attr::FsType, &self.fs_type[..self.fs_type.len().min(255)]);
        record.present(Attr::MountOptions, &self.options);
    }
}

/// The mounts below the root in the order of mounting, the one on top where several share a path.
#[must_use]
pub fn parse(table: &[u8], root: &[u8]) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = Vec::new();
    for line in table.split(|b| *b == b'\n') {
        let mut fields = line.split(|b| *b == b' ');
        let (Some(point), Some(options)) = (fields.nth(4), fields.next()) else { continue };
        let Some(fs_type) = fields.skip_while(|field| *field != b"-").nth(1) else { continue };
        let Some(path) = inside(&unescape(point), root) else { continue };
        let mut kept = Vec::new();
        for option in options.split(|b| *b == b',') {
            if matches!(option, b"ro" | b"nosuid" | b"nodev" | b"noexec") {
                if !kept.is_empty() {
                    kept.push(b',');
                }
                kept.extend_from_slice(option);
            }
        }
        let mount = Mount { path, fs_type: fs_type.to_vec(), options: kept };
        match mounts.iter_mut().find(|other| other.path == mount.path) {
            // The table is in the order of mounting: the last one lies on top.
            Some(other) => *other = mount,
            None => mounts.push(mount),
        }
    }
    mounts
}

fn inside(point: &[u8], root: &[u8]) -> Option<Vec<u8>> {
    if root == b"/" {
        return Some(point.to_vec());
    }
    match point.strip_prefix(root)? {
        // The root itself may be a mount; it is entered because it was named.
        [] => None,
        rest if rest[0] == b'/' => Some(rest.to_vec()),
        _ => None,
    }
}

/// The kernel writes space, tab, newline and backslash as three octal digits.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, tail)) = rest.split_first() {
        if let (b'\\', Some([a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7'])) = (first, tail.first_chunk::<3>()) {
            out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
            rest = &tail[3..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}
