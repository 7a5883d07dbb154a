//! pacman: in the folder of each package `files` has its paths and its backup files, `mtree` their digests (mtree(5),
//! packed by gzip).
//!
//! *Invariant:* a package's paths are those of `files`; `mtree` only adds what they hold.

use super::inflate::gunzip;
use super::{Wanted, unhex};
use crate::protocol::System;
use alloc::vec::Vec;
use rustix::io::{Errno, Result};

const LOCAL: &[u8] = b"/var/lib/pacman/local/";
/// The longest list of one package, packed or not.
const MOST: usize = 32 << 20;

/// Reads the lists.
pub fn claim(wanted: &mut Wanted<'_>) -> Result<()> {
    let place = wanted.host.place;
    let mut names = place.names(LOCAL)?;
    crate::order::sort(&mut names, |a, b| a.cmp(b));
    let mut path = Vec::new();
    for folder in names {
        let file = |name: &[u8]| place.read(&[LOCAL, &folder, b"/", name].concat(), MOST);
        let desc = match file(b"desc") {
            Err(Errno::NOTDIR) => continue,
            result => result?,
        };
        let field = |key: &[u8]| {
            let mut lines = desc.split(|b| *b == b'\n');
            lines.find(|line| *line == key).and_then(|_| lines.next()).unwrap_or_default()
        };
        wanted.begin(System::Pacman, field(b"%NAME%"), field(b"%ARCH%"))?;
        let files = match file(b"files") {
            Err(Errno::NOENT) => continue,
            result => result?,
        };
        let mut section: &[u8] = b"";
        for line in files.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            if line.starts_with(b"%") {
                section = line;
                continue;
            }
            path.clear();
            path.push(b'/');
            path.extend_from_slice(line.split(|b| *b == b'\t').next().unwrap_or_default());
            match section {
                b"%FILES%" => {
                    wanted.claim(&path);
                }
                b"%BACKUP%" => {
                    if let Some(claim) = wanted.claimed(&path) {
                        claim.is_config = true;
                    }
                }
                _ => {}
            }
        }
        if wanted.prove && wanted.number.is_some() {
            let tree = match file(b"mtree") {
                Err(Errno::NOENT) => continue,
                result => gunzip(&result?, MOST).ok_or(Errno::BADMSG)?,
            };
            for line in tree.split(|b| *b == b'\n') {
                digests(line, wanted);
            }
        }
    }
    Ok(())
}

/// `./usr/bin/x time=1.0 size=3 sha256digest=...`, or `... type=link link=../y`.
fn digests(line: &[u8], wanted: &mut Wanted<'_>) {
    let mut words = line.split(|b| *b == b' ');
    let Some(path) = words.next().and_then(|path| path.strip_prefix(b".")) else { return };
    let path = plain(path);
    if let Some(claim) = wanted.claimed(&path) {
        for word in words {
            if let Some(sum) = word.strip_prefix(b"sha256digest=") {
                claim.digest = unhex(sum).unwrap_or_default();
            } else if let Some(target) = word.strip_prefix(b"link=") {
                claim.target = plain(target);
            }
        }
    }
}

/// Text without the escapes of mtree: a backslash and three octal digits.
fn plain(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                rest = after;
            }
            _ => out.push(*first),
        }
    }
    out
}
