//! apk: paths and digests stand in the one file of what is installed (apk-v2(5)): `F:` a folder, `R:` a file in it, `Z:` its
//! digest.
//!
//! *Invariant:* reads one file; what apk protects is what stands in `/etc`.

use super::Wanted;
use crate::protocol::{System, base64};
use alloc::vec::Vec;
use rustix::io::{Errno, Result};

const MOST: usize = 64 << 20;

/// Reads the lists.
pub fn claim(wanted: &mut Wanted<'_>) -> Result<()> {
    let place = wanted.host.place;
    let text = match place.read(b"/usr/lib/apk/db/installed", MOST) {
        Err(Errno::NOENT | Errno::NOTDIR) => match place.read(b"/lib/apk/db/installed", MOST) {
            Err(Errno::LOOP) => Err(Errno::NOENT),
            result => result,
        },
        result => result,
    }?;
    // The name stands before the architecture, and both before the files.
    let (mut name, mut arch): (&[u8], &[u8]) = (b"", b"");
    let (mut folder, mut path) = (Vec::new(), Vec::new());
    for line in text.split(|b| *b == b'\n') {
        let Some(value) = line.get(2..).filter(|_| line[1] == b':') else {
            (name, arch) = (b"", b"");
            continue;
        };
        match line[0] {
            b'P' => name = value,
            b'A' => arch = value,
            b'F' => {
                if !name.is_empty() {
                    wanted.begin(System::Apk, name, arch)?;
                    name = b"";
                }
                folder.clear();
                folder.push(b'/');
                folder.extend_from_slice(value);
                wanted.claim(&folder);
                if folder.len() > 1 {
                    folder.push(b'/');
                }
            }
            b'R' => {
                path.clear();
                path.extend_from_slice(&folder);
                path.extend_from_slice(value);
                if let Some(claim) = wanted.claim(&path) {
                    claim.is_config = path.starts_with(b"/etc/");
                }
            }
            b'Z' => {
                if let Some(claim) = wanted.claimed(&path) {
                    claim.digest = digest(value).unwrap_or_default();
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// `Q1` and the base64 of a SHA-1, `Q2` of a SHA-256.
fn digest(text: &[u8]) -> Option<Vec<u8>> {
    base64::bytes(text.strip_prefix(b"Q")?.get(1..)?)
}
