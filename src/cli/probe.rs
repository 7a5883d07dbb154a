//! `driftscan probe show | export`: the probe as a file to bake into an image, and the lines that let a host run it.
//!
//! *Invariant:* what is exported is what is embedded; nothing is installed on this machine.

use super::args::{ProbeExportArgs, ProbeShowArgs, VersionFormat};
use super::trouble::{Outcome, Trouble};
use super::version::TOOL;
use crate::collect::{Account, INSTALLED, Origin, PROBE, authorized_key, probe_digest, sudoers};
use crate::model::text::hex;
use crate::protocol::request::VERSION;
use crate::store::{self, Export};
use sha2::{Digest as _, Sha512};
use ssh_key::PublicKey;
use std::fmt::Write as _;
use std::path::Path;

/// Shows what is embedded.
pub(super) fn show(args: &ProbeShowArgs) -> Outcome<u8> {
    let user = account("driftscan")?;
    let sha512 = hex(&Sha512::digest(PROBE));
    match args.format {
        VersionFormat::Text => {
            out!("{TOOL}");
            out!("protocol   {VERSION}");
            out!("size       {} bytes, x86-64 Linux, static", PROBE.len());
            out!("sha256     {}", probe_digest());
            out!("sha512     {sha512}");
            out!("installed  {INSTALLED}\n");
            out!("/etc/sudoers.d/driftscan:\n\n{}", sudoers(&user));
            out!("authorized_keys:\n\n{}", authorized_key(None, None, true));
            out!("driftscan probe export DIR writes them and the program.");
        }
        VersionFormat::Json => {
            let document = serde_json::json!({
                "schema": "driftscan.probe/v1",
                "version": 1,
                "driftscan": env!("CARGO_PKG_VERSION"),
                "protocol": VERSION,
                "bytes": PROBE.len(),
                "architecture": "x86_64",
                "sha256": probe_digest(),
                "sha512": sha512,
                "path": INSTALLED,
                "sudoers": sudoers(&user),
                "authorized_keys": authorized_key(None, None, true),
            });
            out!("{document}");
        }
    }
    Ok(0)
}

/// Writes it.
pub(super) fn export(args: &ProbeExportArgs) -> Outcome<u8> {
    let user = account(&args.user)?;
    let origin = args.from.as_deref().map(|text| {
        Origin::parse(text).map_err(|allowed| Trouble::with(format!("--from {text:?} is no list"), allowed))
    });
    let key = args.key.as_deref().map(public_key).transpose()?;
    let sudoers = sudoers(&user);
    let authorized = authorized_key(key.as_ref(), origin.transpose()?.as_ref(), !args.no_sudo);
    let sum = format!("{}  driftscan-probe\n", probe_digest());
    let file = |name, mode, bytes| Export { name, mode, bytes };
    let mut files = vec![
        file("driftscan-probe", 0o755, PROBE),
        file("driftscan-probe.sha256", 0o644, sum.as_bytes()),
        file("driftscan-probe.authorized_keys", 0o644, authorized.as_bytes()),
    ];
    if !args.no_sudo {
        files.push(file("driftscan-probe.sudoers", 0o440, sudoers.as_bytes()));
    }
    store::export(&args.dir, &files, args.force).map_err(Trouble::new)?;
    out!("{}:", args.dir.display());
    for file in &files {
        out!("  {:<32} {:>6} bytes, mode {:04o}", file.name, file.bytes.len(), file.mode);
    }
    out!("{}", how_to(args));
    Ok(0)
}

fn account(name: &str) -> Outcome<Account> {
    Account::parse(name).map_err(|allowed| Trouble::with(format!("--user {name:?} is no name of an account"), allowed))
}

fn public_key(file: &Path) -> Outcome<PublicKey> {
    let no = |why: &dyn std::fmt::Display| {
        Trouble::with(format!("--key {}: {why}", file.display()), "name the public half: ~/.ssh/id_ed25519.pub")
    };
    let text = std::fs::read_to_string(file).map_err(|error| no(&error))?;
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    match (lines.next(), lines.next()) {
        (Some(line), None) => PublicKey::from_openssh(line).map_err(|_| no(&"it is no public key of OpenSSH")),
        (None, _) => Err(no(&"it is empty")),
        (Some(_), Some(_)) => Err(no(&"it is not one public key alone")),
    }
}

/// What to do with the files.
fn how_to(args: &ProbeExportArgs) -> String {
    let user = &args.user;
    let mut text = format!(
        "\n\
         Into the image, x86-64 only:\n\
         \n\
         \x20 install -D -o root -g root -m 0755 driftscan-probe {INSTALLED}\n"
    );
    if !args.no_sudo {
        text.push_str("  install -o root -g root -m 0440 driftscan-probe.sudoers /etc/sudoers.d/driftscan\n");
        text.push_str("  visudo -cf /etc/sudoers.d/driftscan\n");
    }
    text.push_str(
        "\n\
         \x20 Dockerfile   COPY these files, RUN these lines\n\
         \x20 Packer       provisioner \"file\" for these files, provisioner \"shell\" for these lines\n\
         \x20 cloud-init   fetch these files from a store of yours, sha256sum -c, these lines in runcmd\n",
    );
    let sudo = if args.no_sudo { "" } else { "  sudo=yes" };
    let _ = write!(
        text,
        "\n\
         The key of {user}: the line of driftscan-probe.authorized_keys. It runs the probe, whatever it is\n\
         asked for. In the hosts file:\n\
         \n\
         \x20 [*]  user={user}{sudo}  probe=installed\n\
         \n\
         Another release of driftscan has another probe: export again, and build a new image."
    );
    text
}
