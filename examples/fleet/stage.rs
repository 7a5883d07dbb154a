//! What the fleet needs on disk: the golden tree, a host key, a login key, `known_hosts` and the hosts file.
//!
//! *Invariant:* everything lies in the one folder; the hosts file comes last, so that who sees it may begin.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::{LineEnding, Result as KeyResult};
use russh::keys::{Algorithm, PrivateKey};

use crate::breed::{Breed, OWN, PACKAGES};

/// Files of the fleet.
pub(crate) const HOSTS: &str = "hosts.txt";
pub(crate) const IDENTITY: &str = "id_ed25519";
pub(crate) const KNOWN_HOSTS: &str = "known_hosts";

/// Files of one folder of the golden tree.
const PER_FOLDER: u32 = 250;

/// Where a host is: 127.16.0.0 and on.
pub(crate) fn address(host: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 16, 0, 0).to_bits() + host)
}

/// The host of an address; `None` below the first.
pub(crate) fn host(address: Ipv4Addr) -> Option<usize> {
    address.to_bits().checked_sub(self::address(0).to_bits()).map(|host| host as usize)
}

/// A new key; its private half is for the fleet's own use.
pub(crate) fn new_key() -> io::Result<PrivateKey> {
    let key: KeyResult<PrivateKey> = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519);
    key.map_err(io::Error::other)
}

/// Writes the key that logs in.
pub(crate) fn write_identity(folder: &Path, key: &PrivateKey) -> io::Result<()> {
    let text = key.to_openssh(LineEnding::LF).map_err(io::Error::other)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(IDENTITY))?;
    file.write_all(text.as_bytes())
}

/// Writes a line for each host, in `known_hosts` and then in the hosts file. One key serves them all; real fleets have
/// one each, which costs a client the same.
pub(crate) fn write_hosts(
    folder: &Path,
    hosts: u32,
    port: u16,
    key: &PrivateKey,
    root: &Path,
    cast: &[Breed],
) -> io::Result<()> {
    let key = key.public_key().to_openssh().map_err(io::Error::other)?;
    let (mut known, mut lines) = (String::new(), "[sim]  template=sim\n".to_owned());
    for number in 0..hosts {
        let (address, root) = (address(number), root.display());
        writeln!(known, "[{address}]:{port} {key}").map_err(io::Error::other)?;
        let told = cast.get(number as usize).map_or_else(String::new, |breed| match breed.snowflake {
            Some(snowflake) => format!("  # kind {}, snowflake {snowflake}", breed.kind),
            None => format!("  # kind {}", breed.kind),
        });
        writeln!(lines, "{address}:{port}  name=sim-{number:05}  root={root}{told}").map_err(io::Error::other)?;
    }
    fs::write(folder.join(KNOWN_HOSTS), known)?;
    let new = folder.join(".hosts");
    fs::write(&new, lines)?;
    fs::rename(new, folder.join(HOSTS))
}

/// Makes the golden tree: a bare Debian with so many small files, and `bred` for a census with packages and files of its hosts'
/// own.
pub(crate) fn build_root(folder: &Path, files: u32, bred: bool) -> io::Result<PathBuf> {
    let root = folder.join("golden");
    for (path, content) in [
        ("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n"),
        ("etc/group", "root:x:0:\n"),
        ("etc/ssh/sshd_config", "PermitRootLogin no\n"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&root))?;
        fs::write(path, content)?;
    }
    if bred {
        let mut status = String::new();
        for number in 0..PACKAGES {
            let head = format!("Package: made-{number:02}\nStatus: install ok installed\nArchitecture: amd64\n");
            writeln!(status, "{head}Version: 1.{number}-1\n").map_err(io::Error::other)?;
        }
        for (path, text) in OWN.iter().map(|path| (*path, "golden\n")).chain([("var/lib/dpkg/status", status.as_str())])
        {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&root))?;
            fs::write(path, text)?;
        }
    }
    for first in (0..files).step_by(PER_FOLDER as usize) {
        let folder = root.join(format!("usr/lib/package-{:04}", first / PER_FOLDER));
        fs::create_dir(&folder)?;
        for number in first..files.min(first + PER_FOLDER) {
            fs::write(folder.join(format!("libsomething-{number:06}.so.1")), number.to_string())?;
        }
    }
    Ok(root)
}
