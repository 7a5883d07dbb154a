//! Opening things below the scanned root without ever following a symbolic link.
//!
//! *Invariant:* everything is opened read-only, never a terminal, never blocking, never inherited, and only relative to
//! the root's descriptor: a folder swapped for a link while the scan runs leads nowhere.

use crate::meta::Meta;
use crate::protocol::Kind;
use alloc::ffi::CString;
use alloc::vec::Vec;
use core::mem::MaybeUninit;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags, RawDir, ResolveFlags, open, openat, openat2, readlinkat};
use rustix::io::Errno;

const BASE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// A path as the kernel takes it. Done once here, and not by each call for itself, for the sake of the program's size.
#[inline(never)]
pub fn terminated(path: &[u8]) -> rustix::io::Result<CString> {
    CString::new(path).map_err(|_| Errno::INVAL)
}

/// The scanned root.
pub struct Place {
    root: OwnedFd,
    /// openat2(2) is there since Linux 5.6; without it paths are opened a component at a time.
    whole_paths: bool,
    user: u32,
}

impl Place {
    /// Opens the root, which may itself be reached through links: the person who asked named it.
    pub fn open(root: &[u8]) -> rustix::io::Result<Self> {
        let root = open(terminated(root)?, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        let whole_paths = openat2(root.as_fd(), c".", BASE | OFlags::DIRECTORY, Mode::empty(), resolve).is_ok();
        Ok(Self { root, whole_paths, user: rustix::process::geteuid().as_raw() })
    }

    /// Where the root really is, whatever links lead to it.
    pub fn real_path(&self) -> rustix::io::Result<Vec<u8>> {
        let mut link = b"/proc/self/fd/".to_vec();
        crate::owners::decimal(self.root.as_raw_fd() as u64, &mut link);
        Ok(readlinkat(CWD, &*terminated(&link)?, Vec::new())?.into_bytes())
    }

    /// The root's descriptor.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Opens a directory by its absolute path inside the root.
    pub fn directory(&self, path: &[u8]) -> rustix::io::Result<OwnedFd> {
        self.below(path, OFlags::DIRECTORY)
    }

    /// Opens what stat called a regular file, without touching its access time where the kernel allows that.
    pub fn file(&self, dir: BorrowedFd<'_>, name: &[u8], owner: u32) -> rustix::io::Result<OwnedFd> {
        let name = &*terminated(name)?;
        // O_NOATIME is for the owner and root; asking in vain would cost a system call on every file.
        if self.user == 0 || self.user == owner {
            match openat(dir, name, BASE | OFlags::NOATIME, Mode::empty()) {
                Err(Errno::PERM) => {}
                result => return result,
            }
        }
        openat(dir, name, BASE, Mode::empty())
    }

    /// Opens a regular file of the tree.
    pub fn regular(&self, path: &[u8]) -> rustix::io::Result<(OwnedFd, Meta)> {
        let file = self.below(path, OFlags::empty())?;
        let meta = Meta::of_open(&file)?;
        if meta.kind == Some(Kind::File) { Ok((file, meta)) } else { Err(Errno::INVAL) }
    }

    /// Reads a small regular file of the tree, at most `most` bytes; larger ones are an error.
    #[inline(never)]
    pub fn read(&self, path: &[u8], most: usize) -> rustix::io::Result<Vec<u8>> {
        drain(&self.regular(path)?.0, most)
    }

    /// The names in a directory, in no order.
    pub fn names(&self, path: &[u8]) -> rustix::io::Result<Vec<Vec<u8>>> {
        let dir = self.directory(path)?;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 4096];
        let mut entries = RawDir::new(dir, &mut buffer);
        let mut names = Vec::new();
        while let Some(entry) = entries.next() {
            let name = entry?.file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// Opens without touching the access time where the kernel allows that, which is for root and for owners.
    fn below(&self, path: &[u8], flags: OFlags) -> rustix::io::Result<OwnedFd> {
        match self.open_below(path, BASE | flags | OFlags::NOATIME) {
            Err(Errno::PERM) => self.open_below(path, BASE | flags),
            result => result,
        }
    }

    fn open_below(&self, path: &[u8], how: OFlags) -> rustix::io::Result<OwnedFd> {
        let relative = path.strip_prefix(b"/").unwrap_or(path);
        if relative.is_empty() {
            return openat(self.root(), c".", how, Mode::empty());
        }
        if self.whole_paths {
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
            let relative = &*terminated(relative)?;
            // EAGAIN: something was renamed meanwhile, and the kernel could not prove that we stayed below.
            for _ in 0..8 {
                match openat2(self.root(), relative, how, Mode::empty(), resolve) {
                    Err(Errno::AGAIN) => {}
                    result => return result,
                }
            }
            return Err(Errno::AGAIN);
        }
        let mut at: Option<OwnedFd> = None;
        let mut parts = relative.split(|b| *b == b'/').peekable();
        while let Some(part) = parts.next() {
            let dir = at.as_ref().map_or(self.root.as_fd(), AsFd::as_fd);
            let part = &*terminated(part)?;
            if parts.peek().is_none() {
                return openat(dir, part, how, Mode::empty());
            }
            let pass = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            at = Some(openat(dir, part, pass, Mode::empty())?);
        }
        Err(Errno::NOENT)
    }
}

/// Where a symbolic link points.
pub fn link(dir: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<CString> {
    readlinkat(dir, &*terminated(name)?, Vec::new())
}

/// Reads a file of the kernel (`/proc`) of this machine, whatever root is scanned.
pub fn kernel_file(path: &core::ffi::CStr, most: usize) -> rustix::io::Result<Vec<u8>> {
    drain(&openat(CWD, path, BASE, Mode::empty())?, most)
}

/// Reads the running program, whose name may be gone.
pub fn own_program() -> rustix::io::Result<Vec<u8>> {
    drain(&open(c"/proc/self/exe", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?, 1 << 20)
}

fn drain(file: &OwnedFd, most: usize) -> rustix::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut buffer = [0u8; 8192];
    loop {
        match rustix::io::read(file, &mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(n) if bytes.len() + n > most => return Err(Errno::FBIG),
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
}
