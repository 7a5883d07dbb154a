//! What stat tells of an entry, from statx(2) or, before Linux 4.11, newfstatat(2).
//!
//! *Invariant:* never follows a link and never triggers an automount.

use crate::protocol::Kind;
use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{AtFlags, FileType, Stat, Statx, StatxAttributes, StatxFlags, fstat, statat, statx};
use rustix::io::Errno;

/// The stat of one entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Meta {
    pub kind: Option<Kind>,
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    pub ino: u64,
    pub dev: u64,
    pub device: u64,
    pub links: u64,
    pub changed: (i64, u32),
    /// Seconds since 1970.
    pub modified: i64,
    /// Immutable and append-only, where the kernel tells.
    pub flags: Option<u8>,
}

impl Meta {
    /// The file can't be changed.
    pub const IMMUTABLE: u8 = 1;
    /// The file can only grow.
    pub const APPEND: u8 = 2;

    /// Stats an entry of a directory.
    pub fn of(dir: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<Self> {
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT;
        let name = &*crate::place::terminated(name)?;
        match statx(dir, name, flags, StatxFlags::BASIC_STATS) {
            Ok(stat) => Ok(Self::from_statx(&stat)),
            Err(Errno::NOSYS) => Ok(Self::from_stat(&statat(dir, name, flags)?)),
            Err(errno) => Err(errno),
        }
    }

    /// Stats an open file; flags are not asked for again.
    pub fn of_open(file: impl AsFd) -> rustix::io::Result<Self> {
        Ok(Self::from_stat(&fstat(file)?))
    }

    /// Whether the same inode has not been changed in between.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.ino, self.dev, self.size, self.changed) == (other.ino, other.dev, other.size, other.changed)
    }

    fn from_statx(stat: &Statx) -> Self {
        let told = stat.stx_attributes_mask.contains(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND);
        let bit = |attribute, bit| if stat.stx_attributes.contains(attribute) { bit } else { 0 };
        let flags = bit(StatxAttributes::IMMUTABLE, Self::IMMUTABLE) | bit(StatxAttributes::APPEND, Self::APPEND);
        Self {
            kind: kind(FileType::from_raw_mode(u32::from(stat.stx_mode))),
            mode: stat.stx_mode & 0o7777,
            uid: stat.stx_uid,
            gid: stat.stx_gid,
            size: stat.stx_size,
            ino: stat.stx_ino,
            dev: pair(stat.stx_dev_major, stat.stx_dev_minor),
            device: pair(stat.stx_rdev_major, stat.stx_rdev_minor),
            links: u64::from(stat.stx_nlink),
            changed: (stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
            modified: stat.stx_mtime.tv_sec,
            flags: told.then_some(flags),
        }
    }

    #[expect(clippy::unnecessary_cast, reason = "the widths of these fields depend on the architecture")]
    fn from_stat(stat: &Stat) -> Self {
        let split = |dev: u64| pair(rustix::fs::major(dev), rustix::fs::minor(dev));
        Self {
            kind: kind(FileType::from_raw_mode(stat.st_mode)),
            mode: (stat.st_mode & 0o7777) as u16,
            uid: stat.st_uid,
            gid: stat.st_gid,
            size: stat.st_size as u64,
            ino: stat.st_ino as u64,
            dev: split(stat.st_dev as u64),
            device: split(stat.st_rdev as u64),
            links: stat.st_nlink as u64,
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
            modified: stat.st_mtime as i64,
            flags: None,
        }
    }
}

fn pair(major: u32, minor: u32) -> u64 {
    u64::from(major) << 32 | u64::from(minor)
}

fn kind(file_type: FileType) -> Option<Kind> {
    match file_type {
        FileType::RegularFile => Some(Kind::File),
        FileType::Directory => Some(Kind::Directory),
        FileType::Symlink => Some(Kind::Symlink),
        FileType::Fifo => Some(Kind::Fifo),
        FileType::Socket => Some(Kind::Socket),
        FileType::BlockDevice => Some(Kind::Block),
        FileType::CharacterDevice => Some(Kind::Char),
        FileType::Unknown => None,
    }
}
