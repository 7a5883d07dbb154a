//! The waivers' file: which one, and what it says.
//!
//! *Invariant:* a file that can't be read, has a mistake, or that others can write stops the run; none is the same as an
//! empty one.

use super::trouble::{Outcome, Trouble};
use crate::model::text::hex;
use crate::waivers::{Day, Waivers};
use sha2::{Digest as _, Sha256};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The file that is taken from the working directory where none is named.
pub(super) const DEFAULT: &str = "waivers.toml";

/// The most bytes of a file.
const MOST: u64 = 8 << 20;

/// The waivers of a run.
#[derive(Debug, Default)]
pub(super) struct InForce {
    /// What they say.
    pub(super) waivers: Waivers,
    /// Of the file's bytes; empty where there is none.
    pub(super) digest: String,
    /// Which file it is, where nobody named it.
    pub(super) note: Option<String>,
}

/// Reads the waivers that were named, or those of the working directory.
pub(super) fn in_force(named: Option<&Path>) -> Outcome<InForce> {
    let path = named.unwrap_or_else(|| Path::new(DEFAULT));
    let Some(text) = read(path, named.is_some(), named.is_some())? else { return Ok(InForce::default()) };
    let waivers = Waivers::parse(&path.display().to_string(), &text).map_err(Trouble::new)?;
    let note = named.is_none().then(|| format!("Waivers are those of {DEFAULT} in the working directory."));
    Ok(InForce { waivers, digest: hex(&Sha256::digest(text)), note })
}

/// The text of a waivers' file; `None` where it is not there and need not be. One that was `named` may belong to another
/// account.
pub(super) fn read(path: &Path, named: bool, must: bool) -> Outcome<Option<String>> {
    let name = path.display();
    let trouble = |error: io::Error| Trouble::new(format!("waivers {name}: {error}"));
    let meta = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !must => return Ok(None),
        other => other.map_err(trouble)?,
    };
    if !meta.is_file() || meta.len() > MOST {
        return Err(Trouble::new(format!("waivers {name}: it is not a file of at most 8 MiB")));
    }
    // What excuses drift must not be for anybody to write.
    let stranger = ![0, rustix::process::geteuid().as_raw()].contains(&meta.uid()) && !named;
    if meta.mode() & 0o002 != 0 || stranger {
        let text = format!("waivers {name}: other accounts of this machine can write it");
        let hint =
            if stranger { format!("name it, if you mean it: --waivers {name}") } else { format!("chmod o-w {name}") };
        return Err(Trouble::with(text, hint));
    }
    let bytes = std::fs::read(path).map_err(trouble)?;
    String::from_utf8(bytes).map(Some).map_err(|_| Trouble::new(format!("waivers {name}: it is not UTF-8")))
}

/// The day of a time, UTC.
pub(super) fn day_of(time: jiff::Timestamp) -> Day {
    time.to_zoned(jiff::tz::TimeZone::UTC).date()
}
