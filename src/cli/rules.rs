//! `driftscan policy check` and `explain`.
//!
//! *Invariant:* reads the policy and baselines as a scan does, and reaches no host.

use super::args::{OutputArgs, PolicyCheckArgs, PolicyExplainArgs, PolicySource};
use super::comparisons::stored;
use super::trouble::{Outcome, Trouble};
use super::{list, policy};
use crate::manifest::Baseline;
use crate::model::text::escape;
use crate::policy::{Explanation, Origin, Policy, PolicyFile, RuleText, Treatment, idle};
use crate::protocol::rule::Facts;
use crate::protocol::{Attr, Kind, RecordRef};
use crate::store::Baselines;
use std::os::unix::ffi::OsStrExt as _;

/// The policy as it would hold in a scan.
struct Ready {
    file: PolicyFile,
    policy: Policy,
    baseline: Option<Baseline>,
}

impl Ready {
    fn new(source: &PolicySource) -> Outcome<Self> {
        let file = policy::read(source.policy.as_deref())?;
        let store = Baselines::new(source.baselines.clone());
        let baseline = match &source.baseline {
            Some(label) => Some(list::find(&store, label)?),
            None => match store.templates().map_err(|error| stored(&error))?.as_slice() {
                [only] => Some(list::find(&store, only)?),
                _ => None,
            },
        };
        let policy = match &baseline {
            Some(baseline) => policy::of_baseline(&file, baseline),
            None => file.for_system("", &[]),
        };
        Ok(Self { file, policy, baseline })
    }

    /// Which profiles, and what chose them.
    fn profiles(&self) -> String {
        let names: Vec<&str> = self.policy.profiles().iter().map(|profile| profile.name()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        match &self.baseline {
            Some(baseline) => {
                let system = escape(baseline.header.identity.to_string().as_bytes());
                format!("{names}, for {} ({system})", baseline.header.label)
            }
            None => format!("{names}; name a --baseline for those of its system"),
        }
    }
}

/// Reads a policy and tells what is the matter with it.
pub(super) fn check(args: &PolicyCheckArgs, output: &OutputArgs) -> Outcome<u8> {
    let ready = Ready::new(&args.source)?;
    let name = escape(ready.file.name().as_bytes());
    if output.quiet {
        return Ok(0);
    }
    out!("{}: ok", if name.is_empty() { "no policy file" } else { &name });
    out!("  profiles  {}", ready.profiles());
    let rules = ready.policy.rules();
    let count = |origin: Origin| rules.iter().filter(|rule| rule.origin == origin).count();
    for profile in ready.policy.profiles() {
        out!("  {:<8}  {} rules", profile.name(), count(Origin::Profile(*profile)));
    }
    let weaker = ready.policy.own().filter(|rule| rule.treatment.is_some_and(|t| t != Treatment::Strict)).count();
    out!("  yours     {} rules, {weaker} of them weaker than strict", count(Origin::User));
    out!("  drift at  {}", ready.policy.drift_at().word());
    if output.verbose {
        out!("");
        listed(rules.iter(), ready.file.name());
    }
    let Some(baseline) = &ready.baseline else { return Ok(0) };
    let records = baseline.records.iter().map(crate::protocol::Record::view);
    let idle = idle(rules, records, &baseline.header.rules);
    let (own, shipped): (Vec<&RuleText>, Vec<&RuleText>) = idle.iter().partition(|rule| rule.origin == Origin::User);
    if !own.is_empty() {
        out!("\nYour rules that match nothing in {}:\n", baseline.header.label);
        listed(own.iter().copied(), ready.file.name());
    }
    if output.verbose && !shipped.is_empty() {
        out!("\nRules of profiles that match nothing in {}:\n", baseline.header.label);
        listed(shipped.iter().copied(), "");
    } else if !shipped.is_empty() {
        out!("\n{} rules of profiles match nothing in {} (-v lists them).", shipped.len(), baseline.header.label);
    }
    Ok(0)
}

/// A line a rule, and one for its place and reason.
fn listed<'a>(rules: impl Iterator<Item = &'a RuleText>, file: &str) {
    for rule in rules {
        out!("  {:<27} {:<8}  {}", rule.treats(), rule.weight(), named(rule));
        let reason = rule.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", escape(reason.as_bytes())));
        out!("      {}{reason}", rule.place(file));
    }
}

/// A rule's path with its conditions.
fn named(rule: &RuleText) -> String {
    let conditions = rule.conditions();
    if conditions.is_empty() { rule.path() } else { format!("{} ({conditions})", rule.path()) }
}

/// Tells what becomes of a path.
pub(super) fn explain(args: &PolicyExplainArgs) -> Outcome<u8> {
    let path = args.path.as_bytes();
    let plain = path == b"/" || path.starts_with(b"/") && path[1..].split(|b| *b == b'/').all(is_name);
    if !plain {
        return Err(Trouble::with(
            format!("{} is no path that a scan meets", escape(path)),
            "write it absolute and in its shortest form, as it is on a host: /etc/ssh/sshd_config",
        ));
    }
    let ready = Ready::new(&args.source)?;
    let (name, policy) = (ready.file.name(), &ready.policy);
    let record = ready.baseline.as_ref().and_then(|baseline| baseline.record(&[&b"fs:"[..], path].concat()));
    let record = record.map(crate::protocol::Record::view);
    let kind = record.and_then(RecordRef::kind);
    let facts = Facts {
        kind: kind.unwrap_or(Kind::File),
        mode: record.and_then(RecordRef::mode).filter(|_| kind.is_some()).unwrap_or(0o644),
    };
    let capable = record.is_some_and(|record| record.attr(Attr::Capability).is_some());
    let told = policy.explain(path, facts, capable);

    out!("{}", escape(path));
    out!("  taken as   {}", taken(kind, facts, ready.baseline.as_ref()));
    out!("  profiles   {}", ready.profiles());
    outcome(&told, name);
    if !policy.scopes().iter().any(|scope| is_within(path, scope)) {
        out!("  but        it is outside the policy's [scope] roots: nothing of it is compared");
    }
    out!("\nRules that match, in order; the last one with a treatment decides:\n");
    listed(told.matching.iter().copied(), name);
    let others = others(policy, path, facts, &told);
    if !others.is_empty() {
        out!("\nWere it something else:\n");
        for (what, rule) in others {
            out!("  {what:<22} {} by {}, {}", rule.treats(), named(rule), rule.place(name));
        }
    }
    Ok(0)
}

fn is_name(part: &[u8]) -> bool {
    !matches!(part, b"" | b"." | b"..") && !part.contains(&0)
}

fn is_within(path: &[u8], scope: &[u8]) -> bool {
    scope == b"/" || path.strip_prefix(scope).is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
}

fn taken(kind: Option<Kind>, facts: Facts, baseline: Option<&Baseline>) -> String {
    let is = |kind| match kind {
        Kind::File => "a file",
        Kind::Directory => "a directory",
        Kind::Symlink => "a symbolic link",
        Kind::Fifo => "a FIFO",
        Kind::Socket => "a socket",
        Kind::Block => "a block device",
        Kind::Char => "a character device",
    };
    match (kind, baseline) {
        (Some(kind), Some(baseline)) => {
            format!("{}, mode {:04o}, as in {}", is(kind), facts.mode, baseline.header.label)
        }
        (None, Some(baseline)) => format!("a file, mode 0644: {} has no record of it", baseline.header.label),
        (Some(_) | None, None) => "a file, mode 0644".to_owned(),
    }
}

/// What the rules come to.
fn outcome(told: &Explanation<'_>, file: &str) {
    if let Some(rule) = told.decides {
        out!("  decides    {} by {}, {}", rule.treats(), named(rule), rule.place(file));
        if let Some(reason) = &rule.reason {
            out!("  because    {}", escape(reason.as_bytes()));
        }
        out!("  compared   {}", rule.compares());
    } else {
        out!("  decides    no rule: nothing of it is compared");
    }
    match (told.pruned, told.decides.filter(|rule| rule.treatment == Some(Treatment::Ignore))) {
        (Some(rule), _) => {
            out!("  coverage   a folder above it is left out whole by {}: named, not counted", rule.path());
        }
        (None, Some(rule)) => out!("  coverage   counted as ignored by {} in each host's coverage", rule.path()),
        (None, None) => {}
    }
    match told.weighs {
        Some(rule) if rule.origin == Origin::User => {
            out!("  severity   {} by {}, {}", rule.weight(), named(rule), rule.place(file));
        }
        Some(rule) => out!(
            "  severity   {} by {}, {}, where the kind of difference does not say another",
            rule.weight(),
            named(rule),
            rule.place(file)
        ),
        None => out!("  severity   by the kind of difference; no rule gives one for this place"),
    }
    let text = match (told.secret, told.shown) {
        (true, _) => "a secret: it never leaves the host",
        (false, true) => "may be shown, masked, in a diff; never where the probe holds it for a secret",
        (false, false) => "stays on the host: no [content] show names it",
    };
    out!("  content    {text}");
}

/// What would decide, were it another kind of entry; only where that is another treatment.
fn others<'p>(
    policy: &'p Policy,
    path: &[u8],
    facts: Facts,
    told: &Explanation<'_>,
) -> Vec<(&'static str, &'p RuleText)> {
    let file = |mode| Facts { kind: Kind::File, mode };
    let kind = |kind| Facts { kind, mode: 0o755 };
    let cases = [
        ("a plain file", file(0o644), false),
        ("an executable file", file(0o755), false),
        ("a setuid program", file(0o4755), false),
        ("one with capabilities", file(0o755), true),
        ("a directory", kind(Kind::Directory), false),
        ("a symbolic link", kind(Kind::Symlink), false),
    ];
    let mut others: Vec<(&'static str, &RuleText)> = Vec::new();
    for (what, case, capable) in cases {
        if case.kind == facts.kind && case.mode & 0o6111 == facts.mode & 0o6111 && !capable {
            continue;
        }
        let Some(rule) = policy.explain(path, case, capable).decides else { continue };
        if told.decides.map(|decides| (decides.treatment, decides.view)) != Some((rule.treatment, rule.view)) {
            others.push((what, rule));
        }
    }
    others
}
