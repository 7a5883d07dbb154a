//! `driftscan explain`: one finding, one code, or one path of a host.
//!
//! *Invariant:* reads the report of a run and nothing else; no host is asked.

use super::args::{ExplainArgs, OutputArgs};
use super::output::page;
use super::report::stored;
use super::trouble::{Outcome, Trouble};
use super::waive::named;
use crate::model::Code;
use crate::model::text::escape;
use crate::report::table::story;
use crate::store::Runs;

/// Tells it.
pub(super) fn run(args: &ExplainArgs, output: &OutputArgs) -> Outcome<u8> {
    if let (Some(code), None) = (Code::of(&args.what), &args.path) {
        page(output, |options, to| story::code(code, options, to))?;
        return Ok(0);
    }
    let runs = Runs::at(&args.reports);
    let load = || runs.resolve(&args.run).and_then(|id| runs.load(&id)).map_err(|error| stored(&error));
    let Some(path) = &args.path else {
        let hex = args.what.bytes().all(|b| b.is_ascii_hexdigit());
        if !hex {
            return Err(unknown(&args.what));
        }
        let outcome = load()?;
        let finding = named(&outcome, &args.what)?;
        page(output, |options, to| story::finding(&outcome, finding, options, to))?;
        return Ok(0);
    };
    let outcome = load()?;
    let Some(host) = outcome.hosts.iter().find(|host| host.name == args.what) else {
        return Err(Trouble::with(
            format!("no host {} in run {}", escape(args.what.as_bytes()), outcome.run),
            "driftscan report names those of the latest run; --run names another",
        ));
    };
    if !path.starts_with('/') {
        return Err(Trouble::with(
            format!("{}: a path begins with /", escape(path.as_bytes())),
            format!("driftscan explain {} /etc/ssh/sshd_config", host.name),
        ));
    }
    page(output, |options, to| story::path(&outcome, host, path, options, to))?;
    Ok(0)
}

fn unknown(word: &str) -> Trouble {
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.word()).collect();
    let likely: Vec<&str> = codes
        .iter()
        .copied()
        .filter(|code| word.len() > 2 && (code.contains(word) || word.contains(code.split('-').next().unwrap_or(code))))
        .collect();
    let shown = if likely.is_empty() { codes } else { likely };
    Trouble::with(
        format!("`{}` is neither a fingerprint nor a code; for a host, name a path as well", escape(word.as_bytes())),
        format!("codes: {}", shown.join(", ")),
    )
}
