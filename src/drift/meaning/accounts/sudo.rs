//! Who may become whom.
//!
//! *Invariant:* what gives more rights weighs more than what takes them.

use super::from_to;
use crate::drift::meaning::{Pair, Said, shown};
use crate::model::{Change, Code, Severity};

/// Settings with which a rule is worth what it says, or is not.
const GRAVE: [&str; 4] = ["authenticate", "exempt_group", "rootpw", "runas_allow_unknown_id"];
/// Settings that attackers and careless people change.
const TOUCHY: [&str; 18] = [
    "env_reset",
    "env_keep",
    "env_check",
    "env_file",
    "setenv",
    "secure_path",
    "use_pty",
    "timestamp_timeout",
    "timestamp_type",
    "visiblepw",
    "targetpw",
    "runaspw",
    "requiretty",
    "log_output",
    "logfile",
    "syslog",
    "ignore_dot",
    "passwd_tries",
];

/// A record of sudoers.
pub(super) fn sentence(pair: &Pair<'_>) -> Said {
    let key = pair.key;
    if let Some(users) = key.strip_prefix(b"rule ") {
        return rule(users, pair);
    }
    let join = |values: &[&[u8]]| shown(&values.join(&b", "[..]), 45);
    let (before, after) = (join(&pair.before), join(&pair.after));
    if key == b"include" {
        let (gone, come) = pair.only();
        let title = match (come.is_empty(), gone.is_empty()) {
            (false, _) => format!("sudo: {} added", join(&come)),
            (true, false) => format!("sudo: {} removed", join(&gone)),
            (true, true) => "sudo: files are included in another order".to_owned(),
        };
        return Said::new(Code::SudoChanged, Severity::High, title);
    }
    let from_to = from_to(&before, &after, pair.change());
    if let Some(alias) = key.strip_prefix(b"alias ") {
        let severity = if pair.change() == Change::Removed { Severity::Medium } else { Severity::High };
        return Said::new(Code::SudoChanged, severity, format!("sudo: {}: {from_to}", shown(alias, 40)));
    }
    let name = key.rsplit(|byte| *byte == b' ').next().unwrap_or(key);
    let among = |names: &[&str]| std::str::from_utf8(name).is_ok_and(|name| names.contains(&name));
    let severity = match () {
        () if among(&GRAVE) => Severity::Critical,
        () if among(&TOUCHY) => Severity::High,
        () => Severity::Medium,
    };
    let about = shown(key.strip_prefix(b"defaults").unwrap_or(key).trim_ascii(), 40);
    Said::new(Code::SudoChanged, severity, format!("sudo: Defaults {about}: {from_to}"))
}

fn rule(users: &[u8], pair: &Pair<'_>) -> Said {
    let who = shown(users, 32);
    let (gone, come) = pair.only();
    if let Some(grant) = come.iter().map(|rule| Grant::read(rule)).max_by_key(|grant| grant.severity) {
        let more = if come.len() > 1 { format!(" (and {} more)", come.len() - 1) } else { String::new() };
        let said = Said::new(Code::SudoChanged, grant.severity, format!("sudo: {who} may run {}{more}", grant.text));
        return if gone.is_empty() { said } else { said.because("It had other rules before.") };
    }
    if let Some(grant) = gone.iter().map(|rule| Grant::read(rule)).max_by_key(|grant| grant.severity) {
        let severity = if grant.denies { Severity::High } else { Severity::Medium };
        let title = format!("sudo: {who} may no longer run {}", grant.text);
        return Said::new(Code::SudoChanged, severity, title);
    }
    Said::new(Code::SudoChanged, Severity::High, format!("sudo: rules of {who} stand in another order"))
        .because("The last rule that matches decides.")
}

/// A rule, as far as one sentence tells it.
struct Grant {
    severity: Severity,
    text: String,
    denies: bool,
}

impl Grant {
    /// Reads `HOSTS=(RUNAS) TAGS:COMMANDS`.
    fn read(rule: &[u8]) -> Self {
        let spec = rule.iter().position(|byte| *byte == b'=').and_then(|at| rule.get(at + 1..)).unwrap_or(rule);
        let (runas, spec) = match spec.strip_prefix(b"(") {
            Some(tail) => {
                let close = tail.iter().position(|byte| *byte == b')').unwrap_or(tail.len());
                (tail.get(..close), tail.get(close + 1..).unwrap_or_default().trim_ascii_start())
            }
            None => (None, spec),
        };
        let mut commands = spec;
        let mut free = false;
        while let Some(colon) = commands.iter().position(|byte| *byte == b':')
            && let Some(tag) = commands
                .get(..colon)
                .filter(|tag| !tag.is_empty() && tag.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_'))
        {
            free = if tag == b"PASSWD" { false } else { free || tag == b"NOPASSWD" };
            commands = commands.get(colon + 1..).unwrap_or_default().trim_ascii_start();
        }
        // A tag may stand before a later command too.
        free |= commands.windows(9).any(|window| window == b"NOPASSWD:");
        let each = || commands.split(|byte| *byte == b',');
        let all = each().any(|command| {
            let bare = command.rsplit(|byte| *byte == b':').next().unwrap_or(command);
            bare.trim_ascii() == b"ALL"
        });
        let denies = each().any(|command| command.trim_ascii().starts_with(b"!"));
        let (first, _) = runas.unwrap_or_default().split_at(
            runas.unwrap_or_default().iter().position(|byte| *byte == b':').unwrap_or(runas.map_or(0, <[u8]>::len)),
        );
        let as_whom = match first {
            b"ALL" | b"root" | b"" => String::new(),
            other => format!(" as {}", shown(other, 20)),
        };
        let password = if free { " without a password" } else { "" };
        let severity = if all || free { Severity::Critical } else { Severity::High };
        Self { severity, text: format!("{}{as_whom}{password}", shown(commands, 45)), denies }
    }
}
