//! `driftscan waive`: a finding is accepted for a time.
//!
//! *Invariant:* every byte that was in the file stays; a file that a scan would refuse is neither written nor added to.

use super::args::WaiveArgs;
use super::report::stored;
use super::trouble::{Outcome, Trouble};
use super::waivers;
use crate::inventory::fold;
use crate::model::text::hex;
use crate::model::{Finding, FleetOutcome, Severity};
use crate::report::table::title;
use crate::store::Runs;
use crate::waivers::{Day, NewWaiver, Scope, Waivers, day};
use std::io::{self, Write as _};
use std::path::Path;

/// The most days that a waiver is written for.
const MOST_DAYS: i64 = 366;

/// Writes one.
pub(super) fn run(args: &WaiveArgs) -> Outcome<u8> {
    let today = waivers::day_of(jiff::Timestamp::now());
    let until = until(&args.until, today)?;
    let reason = said(&args.reason, "--reason", "say why it is accepted: --reason \"...\"")?;
    let owner = args.owner.as_deref().unwrap_or_default();
    let owner = said(owner, "--owner", "say who answers for it: --owner NAME")?;
    let runs = Runs::at(&args.reports);
    let id = runs.resolve(&args.run).map_err(|error| stored(&error))?;
    let outcome = runs.load(&id).map_err(|error| stored(&error))?;
    let finding = named(&outcome, &args.fingerprint)?;
    if finding.severity == Severity::Critical && args.fingerprint.len() < 64 {
        return Err(Trouble::with(
            format!("{}: it is critical, and is accepted by its whole fingerprint alone", title(finding)),
            format!("if you mean it: driftscan waive {}", hex(&finding.fingerprint)),
        ));
    }
    let hosts: Vec<&str> = outcome
        .hosts
        .iter()
        .filter(|host| host.findings.iter().any(|other| other.fingerprint == finding.fingerprint))
        .map(|host| host.name.as_str())
        .collect();
    let have = hosts.len() as u64;
    let max_hosts = args.max_hosts.unwrap_or(have);
    if max_hosts < have {
        return Err(Trouble::with(
            format!("{have} hosts have it, so a waiver for {max_hosts} would be void"),
            format!("--max-hosts {have}, or mend some of them first"),
        ));
    }
    let before = waivers::read(&args.waivers, true, false)?.unwrap_or_default();
    let name = args.waivers.display().to_string();
    let known =
        if before.is_empty() { Waivers::default() } else { Waivers::parse(&name, &before).map_err(Trouble::new)? };
    let whole = Scope::Fingerprint(finding.fingerprint);
    if let Some(same) = known.iter().find(|waiver| waiver.scope == whole && waiver.until >= today) {
        return Err(Trouble::with(
            format!("{name}:{}: it is waived already, until {}", same.line, same.until),
            "change that one where it should hold longer or for more hosts",
        ));
    }
    let (title, shown) = (title(finding), fold(hosts.iter().copied()).join(" "));
    let new =
        NewWaiver { fingerprint: &finding.fingerprint, title: &title, hosts: &shown, owner, reason, until, max_hosts };
    let after = new.appended_to(&before);
    // A file may end in a way that takes no more waivers, `waiver = []` say.
    Waivers::parse(&name, &after).map_err(Trouble::new)?;
    replace(&args.waivers, after.as_bytes()).map_err(|error| Trouble::new(format!("waivers {name}: {error}")))?;
    out!("waived until {until}: {title}");
    out!("  on        {shown}, and on {max_hosts} {} at most", if max_hosts == 1 { "host" } else { "hosts" });
    out!("  owner     {}", crate::model::text::escape(owner.as_bytes()));
    out!("  written   {name}");
    out!("  next      the next scan shows it as waived and no longer counts it as drift");
    Ok(0)
}

/// The finding whose fingerprint begins so, of one run.
pub(super) fn named<'a>(outcome: &'a FleetOutcome, prefix: &str) -> Outcome<&'a Finding> {
    const LEAST: usize = 4;
    let prefix = prefix.to_ascii_lowercase();
    if prefix.len() < LEAST || prefix.len() > 64 || !prefix.bytes().all(|b| b.is_ascii_hexdigit()) {
        let shown = crate::model::text::escape(prefix.as_bytes());
        return Err(Trouble::with(
            format!("`{shown}` is not the beginning of a fingerprint"),
            "a report shows them at the end of each line: driftscan report",
        ));
    }
    let all = outcome.hosts.iter().flat_map(|host| &host.findings);
    let mut found: Vec<&Finding> = all.filter(|finding| hex(&finding.fingerprint).starts_with(&prefix)).collect();
    // Of one difference on several hosts the gravest is shown.
    found.sort_by(|a, b| a.fingerprint.cmp(&b.fingerprint).then_with(|| b.severity.cmp(&a.severity)));
    found.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    match found.as_slice() {
        [] => Err(Trouble::with(
            format!("no finding of run {} begins with {prefix}", outcome.run),
            "driftscan report shows those of the latest run; --run names another",
        )),
        [one] => Ok(one),
        several => {
            let lines =
                several.iter().take(5).map(|finding| format!("{} {}", hex(&finding.fingerprint), title(finding)));
            let lines: Vec<String> = lines.collect();
            Err(Trouble::with(
                format!("{prefix} is the beginning of {} findings", several.len()),
                lines.join("\n        "),
            ))
        }
    }
}

fn until(text: &str, today: Day) -> Outcome<Day> {
    let shown = crate::model::text::escape(text.as_bytes());
    let until =
        day(text).ok_or_else(|| Trouble::with(format!("--until {shown}: this is no day"), "--until 2026-12-31"))?;
    let last = today.checked_add(jiff::Span::new().days(MOST_DAYS)).map_err(Trouble::new)?;
    if until < today {
        return Err(Trouble::with(format!("--until {until}: that day is over"), format!("today is {today}, UTC")));
    }
    if until > last {
        return Err(Trouble::with(
            format!("--until {until}: that is more than a year away"),
            "a difference that stays belongs into a new template; until then a waiver is renewed",
        ));
    }
    Ok(until)
}

fn said<'a>(text: &'a str, flag: &str, hint: &str) -> Outcome<&'a str> {
    let text = text.trim();
    if text.is_empty() { Err(Trouble::with(format!("{flag} is missing or empty"), hint)) } else { Ok(text) }
}

/// Writes the file whole or not at all, where it really is, with the permissions it has.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        found => found?,
    };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    let permissions = match path.metadata() {
        Ok(meta) => meta.permissions(),
        // Everybody of the team may read it; the reports are what is private.
        Err(_) => std::os::unix::fs::PermissionsExt::from_mode(0o644),
    };
    let mut file = builder.prefix(".waivers.").permissions(permissions).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    std::fs::File::open(folder)?.sync_all()
}
