//! `driftscan baseline list` and `show`.
//!
//! *Invariant:* a baseline is proven before a word of it is shown.

use super::args::{ListArgs, ShowArgs};
use super::comparisons::stored;
use super::trouble::{Outcome, Trouble};
use crate::inventory::TemplateRef;
use crate::manifest::Baseline;
use crate::model::text::escape;
use crate::store::Baselines;

/// Lists every version of every template, the newest first.
pub(super) fn list(args: &ListArgs) -> Outcome<u8> {
    let store = Baselines::new(args.baselines.clone());
    let templates = store.templates().map_err(|error| stored(&error))?;
    if templates.is_empty() {
        return Err(Trouble::with(
            format!("no baseline in {}", store.folder().display()),
            "driftscan baseline capture web@2026.11.1 --from golden.example.net --sudo",
        ));
    }
    out!("{:<32} {:>6} {:>9} {:>9}  SYSTEM", "BASELINE", "SERIAL", "RECORDS", "PACKAGES");
    let mut refused = Vec::new();
    for template in templates {
        match store.load_all(&template) {
            Ok(versions) => {
                for baseline in versions {
                    out!(
                        "{:<32} {:>6} {:>9} {:>9}  {}",
                        baseline.header.label.to_string(),
                        baseline.header.serial,
                        baseline.records.len(),
                        baseline.packages(),
                        escape(baseline.header.identity.to_string().as_bytes()),
                    );
                }
            }
            Err(error) => refused.push(format!("{error}\n  help: {}", error.hint())),
        }
    }
    if refused.is_empty() { Ok(0) } else { Err(Trouble::all(refused)) }
}

/// Shows one baseline.
pub(super) fn show(args: &ShowArgs) -> Outcome<u8> {
    let store = Baselines::new(args.baselines.clone());
    let baseline = find(&store, &args.label)?;
    let header = &baseline.header;
    let count =
        |namespace: &[u8]| baseline.records.iter().filter(|record| record.subject().starts_with(namespace)).count();
    let scopes: Vec<String> = header.scopes.iter().map(|scope| escape(scope)).collect();
    out!("{}", header.label);
    out!("  serial    {}", header.serial);
    out!("  system    {}", escape(header.identity.to_string().as_bytes()));
    if !header.image.is_silent() {
        out!("  image     {}", header.image);
    }
    out!("  source    {}", if header.live { "a running system" } else { "a folder: kernel and mounts are not in it" });
    out!("  scope     {}", scopes.join(" "));
    out!(
        "  records   {} paths, {} packages, {} facts, {} mounts",
        count(b"fs:"),
        count(b"pkg:"),
        count(b"fact:"),
        count(b"mount:")
    );
    if !header.noise.is_empty() {
        let hint = if args.noise { "" } else { "; --noise shows them" };
        out!("  noise     {} rules learned from siblings{hint}", header.noise.len());
    }
    if let Some(key) = header.key {
        out!("  key       {}, of secrets that are compared by a keyed digest", crate::model::text::hex(&key));
    }
    out!("  digest    sha256:{}", baseline.digest);
    out!("  stored    {}", store.path(&header.label).display());
    if args.noise {
        super::lessons::show(&header.noise);
    }
    Ok(0)
}

/// The baseline of `NAME[@VERSION]`.
pub(super) fn find(store: &Baselines, label: &str) -> Outcome<Baseline> {
    let template: TemplateRef = label.parse().map_err(Trouble::new)?;
    let versions = store.load_all(&template.name).map_err(|error| stored(&error))?;
    let have: Vec<String> = versions.iter().map(|baseline| baseline.header.label.to_string()).collect();
    let wanted =
        |baseline: &Baseline| template.version.as_ref().is_none_or(|version| *version == baseline.header.label.version);
    versions.into_iter().find(wanted).ok_or_else(|| {
        let hint = if have.is_empty() {
            "driftscan baseline list".to_owned()
        } else {
            format!("there are: {}", have.join(", "))
        };
        Trouble::with(format!("no baseline {label} in {}", store.folder().display()), hint)
    })
}
