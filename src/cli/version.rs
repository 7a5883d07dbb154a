//! `driftscan version`: what a security team pins.
//!
//! *Invariant:* the digest shown is of the bytes that are sent.

use super::args::{VersionArgs, VersionFormat};
use crate::collect::{BOOTSTRAP, PROBE, probe_digest};
use crate::model::text::hex;
use sha2::{Digest as _, Sha256};

/// The program's name and version.
pub(super) const TOOL: &str = concat!("driftscan ", env!("CARGO_PKG_VERSION"));

/// Prints it.
pub(super) fn run(args: &VersionArgs) {
    let bootstrap = hex(&Sha256::digest(BOOTSTRAP));
    match args.format {
        VersionFormat::Text => {
            out!("{TOOL}");
            out!("probe      sha256:{} ({} bytes, x86-64 Linux)", probe_digest(), PROBE.len());
            out!("bootstrap  sha256:{bootstrap}");
        }
        VersionFormat::Json => {
            let document = serde_json::json!({
                "schema": "driftscan.version/v1",
                "version": 1,
                "driftscan": env!("CARGO_PKG_VERSION"),
                "probe": { "sha256": probe_digest(), "bytes": PROBE.len(), "architecture": "x86_64" },
                "bootstrap": { "sha256": bootstrap },
            });
            out!("{document}");
        }
    }
}
