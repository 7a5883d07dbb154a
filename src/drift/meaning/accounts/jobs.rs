//! Jobs of cron.
//!
//! *Invariant:* a job is told by whose it is and what it runs.

use super::{file_name, from_to};
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// What jobs of attackers hold more often than others.
const SUSPECT: [&[u8]; 10] =
    [b"/tmp/", b"/dev/shm/", b"/var/tmp/", b"/dev/tcp/", b"base64", b"| sh", b"|sh", b"| bash", b"|bash", b"python -c"];

/// A record of a crontab.
pub(super) fn sentence(path: &[u8], pair: &Pair<'_>) -> Said {
    if let Some(name) = pair.key.strip_prefix(b"env ") {
        let touchy = matches!(name, b"PATH" | b"SHELL" | b"HOME") || name.starts_with(b"LD_");
        let severity = if touchy { Severity::High } else { Severity::Medium };
        let join = |values: &[&[u8]]| shown(&values.join(&b", "[..]), 36);
        let from_to = from_to(&join(&pair.before), &join(&pair.after), pair.change());
        let title = format!("cron {}: {} {from_to}", shown(file_name(path), 24), shown(name, 24));
        return Said::new(Code::JobChanged, severity, title);
    }
    let Some(job) = pair.key.strip_prefix(b"job ") else {
        let title = format!("cron {}: the last line does not end", shown(file_name(path), 40));
        let title = if pair.change() == Change::Removed { title.replace("does not end", "ends now") } else { title };
        return Said::new(Code::JobChanged, Severity::Medium, title).because("Some crons refuse such a table.");
    };
    let (user, command) = whose(path, job);
    let about = match user {
        Some(user) => format!("cron of {}", shown(user, 24)),
        None => format!("cron {}", shown(file_name(path), 24)),
    };
    let when = |values: &[&[u8]]| shown(&values.join(&b", "[..]), 30);
    let what = shown(command, 40);
    let suspect = SUSPECT.iter().any(|word| command.windows(word.len()).any(|window| window == *word))
        || (holds(command, b"curl") || holds(command, b"wget")) && command.contains(&b'|');
    let (severity, title) = match pair.change() {
        Change::Added => {
            let severity = if suspect { Severity::Critical } else { Severity::High };
            (severity, format!("{about}: job added: {what} ({})", when(&pair.after)))
        }
        Change::Removed => (Severity::Medium, format!("{about}: job removed: {what} ({})", when(&pair.before))),
        Change::Changed => {
            (Severity::Medium, format!("{about}: {what}: {} -> {}", when(&pair.before), when(&pair.after)))
        }
    };
    Said::new(Code::JobChanged, severity, title)
}

fn holds(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}

/// Whose job it is, and what it runs: a user's table is named after its user, a system's begins each command with one.
fn whose<'a>(path: &'a [u8], job: &'a [u8]) -> (Option<&'a [u8]>, &'a [u8]) {
    if path.starts_with(b"/var/spool/cron/") || path.starts_with(b"/etc/crontabs/") {
        return (Some(file_name(path)), job);
    }
    if file_name(path) == b"anacrontab" {
        return (Some(b"root"), job);
    }
    match job.iter().position(|byte| *byte == b' ') {
        Some(at) => (job.get(..at), job.get(at + 1..).unwrap_or_default()),
        None => (None, job),
    }
}
