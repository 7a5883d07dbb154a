//! Extended attributes: file capabilities, POSIX ACLs with names for ids, user attributes, SELinux labels.
//!
//! Never ima or evm, which differ on every host by design.
//!
//! *Invariant:* what the kernel refuses is `Unread`, never absent.

use crate::owners::{Names, Owners, decimal};
use crate::place::terminated;
use crate::protocol::record::{RecordWriter, VALUE_MAX};
use crate::protocol::{Attr, Mask, Value, Why};
use crate::walk::why;
use alloc::vec::Vec;
use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;
use sha2::{Digest as _, Sha256};

const CAPABILITY: &[u8] = b"security.capability";
const SELINUX: &[u8] = b"security.selinux";
const ACL_ACCESS: &[u8] = b"system.posix_acl_access";
const ACL_DEFAULT: &[u8] = b"system.posix_acl_default";
/// XATTR_SIZE_MAX and XATTR_LIST_MAX of xattr(7).
const MOST: usize = 64 * 1024;
/// The longest label that a record takes.
const LABEL_MAX: usize = 1024;

/// Where the attributes are read from.
#[derive(Clone, Copy)]
pub enum Source<'a> {
    /// An open file.
    Open(BorrowedFd<'a>),
    /// A path that is not followed at its end.
    Path(&'a [u8]),
}

impl Source<'_> {
    fn list(self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        match self {
            Self::Open(file) => rustix::fs::flistxattr(file, buffer),
            Self::Path(path) => rustix::fs::llistxattr(&*terminated(path)?, buffer),
        }
    }

    fn value(self, name: &[u8], buffer: &mut [u8]) -> rustix::io::Result<usize> {
        let name = &*terminated(name)?;
        match self {
            Self::Open(file) => rustix::fs::fgetxattr(file, name, buffer),
            Self::Path(path) => rustix::fs::lgetxattr(&*terminated(path)?, name, buffer),
        }
    }
}

/// A path to an entry through its directory's descriptor: there is no `lgetxattrat` before Linux 6.13.
pub fn through(dir: BorrowedFd<'_>, name: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"/proc/self/fd/");
    decimal(u64::from(dir.as_raw_fd().unsigned_abs()), out);
    out.push(b'/');
    out.extend_from_slice(name);
}

/// Whether a file carries capabilities; a refusal counts as yes, so that nothing privileged is overlooked.
pub fn has_capability(dir: BorrowedFd<'_>, name: &[u8]) -> bool {
    let mut path = Vec::new();
    through(dir, name, &mut path);
    let mut value = [0u8; 64];
    !matches!(Source::Path(&path).value(CAPABILITY, &mut value), Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOENT))
}

/// One attribute as it was read.
type Found = Option<Result<Vec<u8>, Why>>;

/// The extended attributes of one entry.
#[derive(Default)]
pub struct Xattrs {
    capability: Found,
    acl: Found,
    user: Found,
    selinux: Found,
}

impl Xattrs {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.capability.is_none() && self.acl.is_none() && self.user.is_none() && self.selinux.is_none()
    }

    /// The first reason why something was not read.
    pub fn trouble(&self) -> Option<Why> {
        [&self.capability, &self.acl, &self.user, &self.selinux]
            .into_iter()
            .find_map(|found| found.as_ref().and_then(|result| result.as_ref().err().copied()))
    }

    /// Reads those that the mask asks for.
    pub fn read(source: Source<'_>, mask: Mask, owners: &Owners, buffer: &mut Vec<u8>) -> Self {
        buffer.resize(2 * MOST, 0);
        let (list, value) = buffer.split_at_mut(MOST);
        let len = match source.list(list) {
            Ok(0) | Err(Errno::OPNOTSUPP) => return Self::default(),
            Ok(len) => len,
            Err(errno) => return Self::unread(mask, why(errno)),
        };
        let mut names: Vec<&[u8]> = list[..len].split(|b| *b == 0).filter(|name| !name.is_empty()).collect();
        crate::order::sort(&mut names, Ord::cmp);
        let mut found = Self::default();
        let mut acl: Found = None;
        for name in names {
            let wanted = match name {
                CAPABILITY => mask.has(Attr::Capability),
                SELINUX => mask.has(Attr::Selinux),
                ACL_ACCESS | ACL_DEFAULT => mask.has(Attr::Acl),
                _ => name.starts_with(b"user.") && mask.has(Attr::Xattr),
            };
            if !wanted {
                continue;
            }
            let bytes = match source.value(name, value) {
                Ok(len) => Ok(&value[..len]),
                // Removed since the list was read.
                Err(Errno::NODATA) => continue,
                Err(errno) => Err(why(errno)),
            };
            match name {
                CAPABILITY => found.capability = Some(bytes.map(hex)),
                SELINUX => found.selinux = Some(bytes.map(|b| b.strip_suffix(b"\0").unwrap_or(b).to_vec())),
                ACL_ACCESS => append(&mut acl, bytes.and_then(|b| acl_text(b"", b, owners))),
                ACL_DEFAULT => append(&mut acl, bytes.and_then(|b| acl_text(b"default:", b, owners))),
                _ => append(&mut found.user, bytes.map(|b| user_text(name, b))),
            }
        }
        found.acl = acl;
        found.fit();
        found
    }

    /// A list that is too long for a record was not read, and is told so.
    fn fit(&mut self) {
        for value in [&mut self.capability, &mut self.acl, &mut self.user] {
            if value.as_ref().is_some_and(|read| read.as_ref().is_ok_and(|bytes| bytes.len() > VALUE_MAX)) {
                *value = Some(Err(Why::Limit));
            }
        }
        if self.selinux.as_ref().is_some_and(|read| read.as_ref().is_ok_and(|label| label.len() > LABEL_MAX)) {
            self.selinux = Some(Err(Why::Limit));
        }
    }

    /// Every attribute that the mask asks for, unread.
    pub fn unread(mask: Mask, why: Why) -> Self {
        let of = |attr| mask.has(attr).then_some(Err(why));
        Self { capability: of(Attr::Capability), acl: of(Attr::Acl), user: of(Attr::Xattr), selinux: of(Attr::Selinux) }
    }

    /// Adds them to a record, in the order of the encoding.
    pub fn put(&self, record: &mut RecordWriter<'_>) {
        let found = [
            (Attr::Capability, &self.capability),
            (Attr::Acl, &self.acl),
            (Attr::Xattr, &self.user),
            (Attr::Selinux, &self.selinux),
        ];
        for (attr, value) in found {
            match value {
                Some(Ok(bytes)) => record.present(attr, bytes),
                Some(Err(why)) => record.put(attr, Value::Unread(*why)),
                None => {}
            }
        }
    }
}

fn append(to: &mut Found, more: Result<Vec<u8>, Why>) {
    *to = Some(match (to.take(), more) {
        (None, more) => more,
        (Some(Ok(mut bytes)), Ok(more)) => {
            bytes.push(b',');
            bytes.extend_from_slice(&more);
            Ok(bytes)
        }
        (Some(Err(why)), _) | (Some(Ok(_)), Err(why)) => Err(why),
    });
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            out.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
    out
}

/// A user attribute may hold anything: its name in hexadecimal where it is not plain, and a digest of its value.
fn user_text(name: &[u8], value: &[u8]) -> Vec<u8> {
    let plain = name.iter().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(b));
    let mut out = if plain { name.to_vec() } else { [&b"0x"[..], &hex(name)].concat() };
    out.extend_from_slice(b"=sha256:");
    out.extend_from_slice(&hex(&Sha256::digest(value)));
    out
}

/// The text form of acl(5) from the kernel's version 2: a u32 version, then tag u16, permissions u16, id u32.
fn acl_text(prefix: &[u8], bytes: &[u8], owners: &Owners) -> Result<Vec<u8>, Why> {
    let (version, entries) = bytes.split_first_chunk::<4>().ok_or(Why::Io)?;
    if u32::from_le_bytes(*version) != 2 || entries.len() % 8 != 0 {
        return Err(Why::Io);
    }
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for entry in entries.chunks_exact(8) {
        let [t0, t1, p0, p1, i0, i1, i2, i3] = *entry else { return Err(Why::Io) };
        let id = u32::from_le_bytes([i0, i1, i2, i3]);
        let (tag, names): (&[u8], Option<&Names>) = match u16::from_le_bytes([t0, t1]) {
            0x01 => (b"user:", None),
            0x02 => (b"user:", Some(&owners.users)),
            0x04 => (b"group:", None),
            0x08 => (b"group:", Some(&owners.groups)),
            0x10 => (b"mask:", None),
            0x20 => (b"other:", None),
            _ => return Err(Why::Io),
        };
        let mut line = [prefix, tag].concat();
        if let Some(names) = names {
            names.push(id, &mut line);
        }
        line.push(b':');
        let permissions = u16::from_le_bytes([p0, p1]);
        for (bit, letter) in [(4, b'r'), (2, b'w'), (1, b'x')] {
            line.push(if permissions & bit != 0 { letter } else { b'-' });
        }
        lines.push(line);
    }
    // By name and not by id: ids may differ between hosts where names agree.
    crate::order::sort(&mut lines, Ord::cmp);
    Ok(lines.join(&b','))
}
