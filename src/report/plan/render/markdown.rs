//! A change ticket: what is to be replaced, why, in which order, and what a person signs.
//!
//! *Invariant:* every text of the plan stands in a code span, where Markdown reads neither markup, HTML, links, mentions
//! nor references; a `|` is escaped in a table (GFM, 4.10 and 6.1).

use std::fmt::Write as _;
use std::io::Write;

use super::{Renderer, Unrenderable};
use crate::model::Verdict;
use crate::plan::{Group, Item, Plan, Surge};

/// The change ticket.
pub(super) struct Markdown;

impl Renderer for Markdown {
    fn name(&self) -> &'static str {
        "markdown"
    }

    fn what(&self) -> &'static str {
        "a change ticket: waves, evidence, what is deferred or refused, the way back, approvals"
    }

    fn render(&self, plan: &Plan, w: &mut dyn Write) -> Result<(), Unrenderable> {
        Ok(w.write_all(text(plan).as_bytes())?)
    }
}

fn text(plan: &Plan) -> String {
    let mut out = String::new();
    summary(plan, &mut out);
    waves(plan, &mut out);
    groups(plan, &mut out);
    evidence(plan, &mut out);
    left_out(plan, &mut out);
    changes(plan, &mut out);
    way_back(plan, &mut out);
    approvals(plan, &mut out);
    out
}

/// A text of the plan as a code span: its fence is longer than any run of backticks in it.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let runs = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(runs + 1);
    // A space inside is dropped where both ends have one, and keeps a backtick off the fence.
    let edge = text.is_empty() || text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']);
    let pad = if edge { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code span in a cell: the table is cut at every `|` that has no backslash before it, also inside of code.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn cells(texts: &[String]) -> String {
    texts.iter().map(|text| cell(text)).collect::<Vec<_>>().join(" ")
}

fn counted(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

fn summary(plan: &Plan, out: &mut String) {
    let hosts = counted(plan.items.len(), "host", "hosts");
    let waves = counted(plan.waves.len(), "wave", "waves");
    let _ = writeln!(out, "# Replacement of {hosts} in {waves}\n");
    out.push_str(
        "driftscan found these servers different from the template they were built from. They are replaced by new servers, \
         never repaired. The plan proposes; a person approves it by its digest.\n\n| | |\n|---|---|\n",
    );
    let mut row = |name: &str, value: String| {
        let _ = writeln!(out, "| {name} | {value} |");
    };
    row("Plan", cell(&plan.id));
    row("Created", cell(&plan.created));
    row("Expires", format!("{}; it is not run after that", cell(&plan.expires)));
    row("Run", cell(plan.based_on.run.as_str()));
    row("Report", cell(&format!("sha256:{}", plan.based_on.report)));
    for baseline in &plan.based_on.baselines {
        row("Baseline", format!("{} {}", cell(&baseline.label), cell(&format!("sha256:{}", baseline.digest))));
    }
    row("Made by", cell(&plan.based_on.tool));
    row("Planned", counted(plan.items.len(), "host", "hosts"));
    row("Deferred", counted(plan.deferred.len(), "host", "hosts"));
    row("Refused", counted(plan.refused.len(), "group", "groups"));
}

fn waves(plan: &Plan, out: &mut String) {
    out.push_str("\n## Waves\n\n");
    if plan.waves.is_empty() {
        out.push_str("Nothing is planned.\n");
        return;
    }
    out.push_str(
        "They run one after another. A wave begins where the one before it was proven: driftscan finds its new machines \
         clean, the health command succeeds, and they stood for the time given.\n\n\
         | Wave | Group | Zone | Hosts | Stands for |\n|---|---|---|---|---|\n",
    );
    for wave in &plan.waves {
        let group = plan.groups.iter().find(|group| group.name == wave.group);
        let stands = group.map_or("-".to_owned(), |group| time(group.bake_seconds));
        let zone = wave.zone.as_deref().map_or("-".to_owned(), cell);
        let canary = if wave.canary { " (canary)" } else { "" };
        let _ = writeln!(
            out,
            "| {}{canary} | {} | {zone} | {} | {stands} |",
            wave.number,
            cell(&wave.group),
            cells(&wave.hosts)
        );
    }
}

/// Groups of which something is replaced.
fn planned(plan: &Plan) -> impl Iterator<Item = &Group> {
    plan.groups.iter().filter(|group| plan.waves.iter().any(|wave| wave.group == group.name))
}

fn groups(plan: &Plan, out: &mut String) {
    for group in planned(plan) {
        let _ = writeln!(out, "\n## Group {}\n", code(&group.name));
        let actuator = group.actuator.map_or("whatever this plan is rendered for", |actuator| actuator.word());
        let _ = writeln!(out, "- Replaced by {actuator}; {}.", order(group));
        let declared = if group.declared { "declared" } else { "by default, since the settings do not say" };
        let _ = writeln!(
            out,
            "- {}, {} taken for serving; at least {} must serve, at most {} may be away ({declared}).",
            counted(group.size, "host", "hosts"),
            group.healthy,
            group.floor,
            group.max_unavailable
        );
        if !group.unhealthy.is_empty() {
            let names = group.unhealthy.iter().map(|name| code(name)).collect::<Vec<_>>().join(" ");
            let _ = writeln!(out, "- Not known to serve (unverifiable or not scanned), and never planned: {names}.");
        }
        for window in &group.windows {
            let _ = writeln!(
                out,
                "- May begin at {} for {} in {}.",
                code(&window.cron),
                code(&window.duration),
                code(&window.tz)
            );
        }
        if let Some(command) = &group.health_command {
            let _ = writeln!(
                out,
                "- Healthy is a machine for which this succeeds within {}: {}",
                time(group.ready_seconds),
                code(command)
            );
        }
        for (key, value) in &group.refs {
            let _ = writeln!(out, "- {}: {}", code(key), code(value));
        }
    }
}

fn order(group: &Group) -> String {
    match group.surge {
        Surge::TerminateFirst => "old machines go first, so the capacity is lower by a wave while it runs".to_owned(),
        Surge::ReplaceFirst(most) => {
            format!("new machines come before old ones go, {most} at once at the most")
        }
    }
}

fn evidence(plan: &Plan, out: &mut String) {
    if plan.items.is_empty() {
        return;
    }
    out.push_str("\n## Why\n");
    for item in &plan.items {
        let _ = writeln!(out, "\n### {}\n", code(&item.host));
        let severity = item.severity.map(|severity| format!(", {severity}")).unwrap_or_default();
        let link = if item.verdict == Verdict::Outdated { ": it equals" } else { " from" };
        let against = item.reference.as_deref().map(|label| format!("{link} {}", code(label))).unwrap_or_default();
        let _ =
            writeln!(out, "- {}{against}{severity}; its replacement must equal {}.", item.verdict, code(&item.target));
        known_as(item, out);
        if let Some(score) = item.snowflake {
            let _ = writeln!(out, "- Snowflake score {score} of 1000.");
        }
        if let Some(seen) = &item.first_seen {
            let _ = writeln!(out, "- First seen {}.", code(seen));
        }
        for line in &item.evidence {
            let _ = writeln!(out, "- {}", code(line));
        }
        if !item.fingerprints.is_empty() {
            let prints = item.fingerprints.iter().map(|print| code(print)).collect::<Vec<_>>().join(" ");
            let _ = writeln!(out, "- Findings: {prints}");
        }
    }
}

/// What tells the machine: who approves can compare it with the console.
fn known_as(item: &Item, out: &mut String) {
    let mut known = vec![format!("scanned at {}", code(&item.address))];
    known.extend(item.handle.0.iter().map(|(key, value)| code(&format!("{key}={value}"))));
    known.extend(item.zone.iter().map(|zone| format!("zone {}", code(zone))));
    known.extend(item.quorum.iter().map(|quorum| format!("quorum {}", code(quorum))));
    known.extend(item.host_key.iter().map(|key| format!("host key {}", code(key))));
    let _ = writeln!(out, "- {}.", known.join(", "));
}

fn left_out(plan: &Plan, out: &mut String) {
    if !plan.deferred.is_empty() {
        out.push_str("\n## Deferred\n\nThese hosts are not replaced by this plan.\n\n| Host | Group | Why | |\n|---|---|---|---|\n");
        for deferred in &plan.deferred {
            let mut reason = cell(&deferred.reason);
            if !deferred.at_risk.is_empty() {
                let _ = write!(reason, " At risk: {}", cells(&deferred.at_risk));
            }
            let _ = writeln!(
                out,
                "| {} | {} | {} | {reason} |",
                cell(&deferred.host),
                cell(&deferred.group),
                cell(&deferred.why)
            );
        }
    }
    if !plan.refused.is_empty() {
        out.push_str("\n## Refused\n\nNothing of these groups is replaced by this plan.\n\n| Group | Why | | Hosts |\n|---|---|---|---|\n");
        for refused in &plan.refused {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                cell(&refused.group),
                cell(&refused.why),
                cell(&refused.reason),
                cells(&refused.hosts)
            );
        }
    }
}

fn changes(plan: &Plan, out: &mut String) {
    let Some(change) = &plan.change else { return };
    let _ = writeln!(out, "\n## Since the plan before\n\nThat one was {}.\n", code(&change.previous));
    for host in &change.added {
        let _ = writeln!(out, "- Planned now: {}", code(host));
    }
    for (host, now) in &change.removed {
        let _ = writeln!(out, "- Planned no more: {}, now {}", code(host), code(now));
    }
    for (host, what) in &change.changed {
        let _ = writeln!(out, "- Changed: {}, {}", code(host), code(what));
    }
    if change.added.is_empty() && change.removed.is_empty() && change.changed.is_empty() {
        out.push_str("- Nothing is different.\n");
    }
}

fn way_back(plan: &Plan, out: &mut String) {
    out.push_str(
        "\n## The way back\n\nA machine that was replaced is gone with what was on it. Back means forward: point the platform at \
         the version before, build, and replace again. The waves stop at the first machine that is not proven.\n\n",
    );
    for group in planned(plan) {
        match group.refs.iter().find(|(key, _)| key == "rollback_to" || key == "rollback") {
            Some((_, value)) => {
                let _ = writeln!(out, "- {}: {}", code(&group.name), code(value));
            }
            None => {
                let _ =
                    writeln!(out, "- {}: the settings name no version or command to go back to.", code(&group.name));
            }
        }
    }
}

fn approvals(plan: &Plan, out: &mut String) {
    let _ = writeln!(out, "\n## Approval\n\nWhat is approved is the plan {} and no other.\n", code(&plan.id));
    for line in [
        "The evidence is drift, and not a template that is out of date",
        "Nothing that these hosts hold is needed, or it was moved",
        "The handles are those of these hosts",
        "The windows and the capacity suit the day",
    ] {
        let _ = writeln!(out, "- [ ] {line}");
    }
    out.push_str("\n| Role | Name | Time |\n|---|---|---|\n| Approved by | | |\n| Run by | | |\n");
}

/// `30 min`, `1 h 30 min`, `45 s`.
fn time(seconds: u64) -> String {
    let parts = [(seconds / 3_600, "h"), (seconds % 3_600 / 60, "min"), (seconds % 60, "s")];
    let shown: Vec<String> =
        parts.into_iter().filter(|(number, _)| *number > 0).map(|(number, unit)| format!("{number} {unit}")).collect();
    if shown.is_empty() { "0 s".to_owned() } else { shown.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_holds_what_it_is_given() {
        assert_eq!(code("web-03"), "`web-03`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("``x"), "``` ``x ```");
        assert_eq!(code(" x "), "`  x  `");
        assert_eq!(code("a\nb"), "`a\u{fffd}b`");
        assert_eq!(code(""), "`  `");
        assert_eq!(cell("a|b"), "`a\\|b`");
        assert_eq!(cell("a\\|b"), "`a\\\\|b`");
    }

    #[test]
    fn times() {
        assert_eq!(time(5_400), "1 h 30 min");
        assert_eq!(time(0), "0 s");
    }
}
