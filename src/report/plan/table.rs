//! The plan as a person reads it: how many hosts go in how many waves, and why the others wait.
//!
//! *Invariant:* every candidate is counted in exactly one line of the decisions; colour only repeats what a word says.

use crate::plan::{Actuator, Deferred, Group, Plan, Surge, Why};
use crate::report::table::Options;
use crate::report::table::page::{Atom, BOLD, GREEN, Page, RED, YELLOW, atoms, list};
use crate::report::table::words::{count, grouped};
use anstyle::Style;
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

/// Columns before what belongs to a label.
const HANG: usize = 10;
/// Columns before the hosts of a decision.
const NAMES: usize = 22;
/// Waves, and reasons of one kind, that are shown without -v.
const SHOWN: usize = 12;
/// Lines of names that one line of the table may take.
const LINES: usize = 3;

/// Writes the table. `formats` are the names that `--format` takes, for the next steps.
///
/// # Errors
/// When the writer fails.
pub fn write(plan: &Plan, formats: &[&str], options: &Options<'_>, w: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(options);
    header(plan, &mut page);
    decisions(plan, &mut page);
    groups(plan, &mut page);
    waves(plan, &mut page);
    deferred(plan, &mut page);
    refused(plan, &mut page);
    change(plan, &mut page);
    footer(plan, &mut page);
    next(plan, formats, &mut page);
    w.write_all(page.text().as_bytes())
}

/// `Plan of run ...: 14 of 23 hosts in 7 waves`.
fn header(plan: &Plan, page: &mut Page<'_>) {
    let mut pieces = atoms(&format!("Plan of run {}:", plan.based_on.run));
    let candidates = plan.items.len() + plan.deferred.len() + refused_hosts(plan);
    let (text, style) = match (candidates, plan.items.len()) {
        (0, _) => ("NOTHING TO REPLACE".to_owned(), GREEN),
        (_, 0) => (format!("NOTHING PLANNED of {}", count(candidates as u64, "host", "hosts")), YELLOW),
        (all, planned) => {
            let waves = count(plan.waves.len() as u64, "wave", "waves");
            let all = count(all as u64, "host", "hosts");
            (format!("REPLACE {} of {all} in {waves}", grouped(planned as u64)), RED)
        }
    };
    pieces.push(Atom::new(&text).styled(style));
    page.flow(0, 2, pieces);
}

fn refused_hosts(plan: &Plan) -> usize {
    plan.refused.iter().map(|refused| refused.hosts.len()).sum()
}

/// One line for what is planned, one a reason to wait, one for what is refused and one for what is not known to serve.
fn decisions(plan: &Plan, page: &mut Page<'_>) {
    let mut lines: Vec<(String, Style, Vec<&str>)> = Vec::new();
    lines.push(("PLANNED".to_owned(), RED, plan.items.iter().map(|item| item.host.as_str()).collect()));
    for why in Why::ALL {
        let hosts = plan.deferred.iter().filter(|deferred| deferred.why == why.word());
        lines.push((title(why.word()), YELLOW, hosts.map(|deferred| deferred.host.as_str()).collect()));
    }
    let hosts = plan.refused.iter().flat_map(|refused| &refused.hosts);
    lines.push(("REFUSED".to_owned(), YELLOW, hosts.map(String::as_str).collect()));
    let unhealthy = plan.groups.iter().flat_map(|group| &group.unhealthy);
    let unhealthy: Vec<&str> = unhealthy.map(String::as_str).collect();
    lines.retain(|(_, _, hosts)| !hosts.is_empty());
    if lines.is_empty() && unhealthy.is_empty() {
        return;
    }
    page.blank();
    for (word, style, hosts) in lines {
        line(&word, style, &hosts, page);
    }
    if !unhealthy.is_empty() {
        line("UNVERIFIED", YELLOW, &unhealthy, page);
    }
}

fn line(word: &str, style: Style, hosts: &[&str], page: &mut Page<'_>) {
    let number = grouped(hosts.len() as u64);
    let mut pieces = vec![Atom::new(&format!("{number:>4}")), Atom::new(word).styled(style).after(2)];
    let gap = NAMES.saturating_sub(number.len().max(4) + 2 + word.len()).max(2);
    let names = names(hosts, page).into_iter().enumerate();
    pieces.extend(names.map(|(n, name)| if n == 0 { name.after(gap) } else { name }));
    page.flow(0, NAMES, pieces);
}

/// Names as node sets, cut after some lines.
fn names(hosts: &[&str], page: &Page<'_>) -> Vec<Atom> {
    let room = page.width().saturating_sub(NAMES).max(20) * LINES;
    let sets = page.folded(hosts);
    let mut used = 0;
    let mut shown: Vec<String> = Vec::new();
    for set in &sets {
        let set = if page.options.verbose { set.clone() } else { short(set, room / LINES) };
        used += set.chars().count() + 1;
        if used > room && !shown.is_empty() && !page.options.verbose {
            break;
        }
        shown.push(set);
    }
    if shown.len() < sets.len() {
        shown.push("...".to_owned());
    }
    list(&shown, "")
}

/// A node set that fits on a line: its first numbers.
fn short(set: &str, room: usize) -> String {
    const CUT: &str = ",...]";
    let end = set.char_indices().nth(room.saturating_sub(CUT.len())).map(|(at, _)| at);
    let head = end.filter(|_| set.chars().count() > room).and_then(|end| set.get(..end)?.rsplit_once(','));
    head.map_or_else(|| set.to_owned(), |(head, _)| format!("{head}{CUT}"))
}

/// `DRAIN FIRST` of `drain-first`.
fn title(word: &str) -> String {
    word.replace('-', " ").to_uppercase()
}

/// What holds in each group.
fn groups(plan: &Plan, page: &mut Page<'_>) {
    if plan.groups.is_empty() {
        return;
    }
    let heads = ["GROUP", "HOSTS", "SERVE", "FLOOR", "AT ONCE", "PLANNED", "WAVES", "BY"];
    let mut rows = vec![heads.map(str::to_owned)];
    for group in &plan.groups {
        let planned = plan.items.iter().filter(|item| item.group == group.name).count();
        let waves = plan.waves.iter().filter(|wave| wave.group == group.name).count();
        let number = |n: usize| if n == 0 { "-".to_owned() } else { grouped(n as u64) };
        rows.push([
            if group.name.is_empty() { "-".to_owned() } else { group.name.clone() },
            grouped(group.size as u64),
            number(group.healthy),
            grouped(group.floor as u64),
            grouped(group.max_unavailable as u64),
            number(planned),
            number(waves),
            group.actuator.map_or("-", Actuator::word).to_owned(),
        ]);
    }
    let widths: Vec<usize> = (0..heads.len())
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            // Names to the left, numbers to the right.
            let left = at == 0 || at + 1 == heads.len();
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            let parts = if left { [cell, gap.as_str(), "  "] } else { [gap.as_str(), cell, "  "] };
            text.extend(parts);
        }
        text.push('\n');
    }
    page.blank();
    page.block(&text);
}

fn waves(plan: &Plan, page: &mut Page<'_>) {
    if plan.waves.is_empty() {
        return;
    }
    page.title("WAVES, one after another, each only when the one before it is proven");
    let shown = if page.options.verbose { plan.waves.len() } else { SHOWN };
    let wide = plan.waves.iter().take(shown).map(|wave| wave.group.chars().count()).max().unwrap_or(0).min(20);
    for wave in plan.waves.iter().take(shown) {
        let hosts: Vec<&str> = wave.hosts.iter().map(String::as_str).collect();
        let mut pieces = vec![Atom::new(&format!("{:>4}", grouped(wave.number as u64)))];
        let group = if wave.group.is_empty() { "-" } else { &wave.group };
        pieces.push(Atom::new(&format!("{group:<wide$}")).styled(BOLD).after(2));
        pieces.extend(
            names(&hosts, page).into_iter().enumerate().map(|(n, set)| if n == 0 { set.after(2) } else { set }),
        );
        let mut notes = Vec::new();
        if wave.canary {
            notes.push("canary".to_owned());
        }
        notes.extend(wave.zone.iter().map(|zone| format!("zone {zone}")));
        if !notes.is_empty() {
            pieces.extend(atoms(&format!("({})", notes.join(", "))));
        }
        page.flow(0, 8, pieces);
    }
    let more = plan.waves.len().saturating_sub(shown);
    if more > 0 {
        page.flow(6, 8, atoms(&format!("... and {} more (driftscan plan -v)", grouped(more as u64))));
    }
}

/// Each reason to wait once, with the hosts that it is for.
fn deferred(plan: &Plan, page: &mut Page<'_>) {
    if plan.deferred.is_empty() {
        return;
    }
    page.title("DEFERRED: not now, and why");
    for why in Why::ALL {
        let mut reasons: Vec<(&Deferred, Vec<&str>)> = Vec::new();
        let mut places: HashMap<(&str, &[String]), usize> = HashMap::new();
        for deferred in plan.deferred.iter().filter(|deferred| deferred.why == why.word()) {
            let at = *places.entry((&deferred.reason, &deferred.at_risk)).or_insert(reasons.len());
            match reasons.get_mut(at) {
                Some((_, hosts)) => hosts.push(&deferred.host),
                None => reasons.push((deferred, vec![&deferred.host])),
            }
        }
        let shown = if page.options.verbose { reasons.len() } else { SHOWN };
        for (deferred, hosts) in reasons.iter().take(shown) {
            let mut pieces = names(hosts, page);
            pieces = pieces.into_iter().map(|name| name.styled(BOLD)).collect();
            pieces.push(Atom::new(&deferred.why).after(2));
            page.flow(0, 8, pieces);
            page.flow(8, 8, atoms(&deferred.reason));
            let lines = if page.options.verbose { deferred.at_risk.len() } else { 3 };
            for line in deferred.at_risk.iter().take(lines) {
                page.flow(8, 10, [vec![Atom::new("at risk:")], page.kept(line, 17)].concat());
            }
        }
        if reasons.len() > shown {
            page.flow(8, 8, atoms(&format!("... and others of {} (driftscan plan -v)", why.word())));
        }
    }
}

fn refused(plan: &Plan, page: &mut Page<'_>) {
    if plan.refused.is_empty() {
        return;
    }
    page.title("REFUSED: the hosts are not what is wrong");
    for refused in &plan.refused {
        let hosts: Vec<&str> = refused.hosts.iter().map(String::as_str).collect();
        let mut pieces: Vec<Atom> = names(&hosts, page).into_iter().map(|name| name.styled(BOLD)).collect();
        pieces.push(Atom::new(&refused.why).after(2));
        page.flow(0, 8, pieces);
        page.flow(8, 8, atoms(&refused.reason));
    }
}

fn change(plan: &Plan, page: &mut Page<'_>) {
    let Some(change) = &plan.change else { return };
    let short = change.previous.get(..15).unwrap_or(&change.previous);
    page.title(&format!("SINCE the plan {short}"));
    if change.added.is_empty() && change.removed.is_empty() && change.changed.is_empty() {
        page.flow(0, 8, atoms("the same hosts, for the same reasons, in the same order"));
        return;
    }
    if !change.added.is_empty() {
        let hosts: Vec<&str> = change.added.iter().map(String::as_str).collect();
        line("ADDED", Style::new(), &hosts, page);
    }
    for (word, pairs) in [("REMOVED", &change.removed), ("CHANGED", &change.changed)] {
        // Hosts of which the same is told share a line.
        let mut told: Vec<(&str, Vec<&str>)> = Vec::new();
        for (host, what) in pairs {
            match told.iter_mut().find(|(one, _)| one == what) {
                Some((_, hosts)) => hosts.push(host),
                None => told.push((what, vec![host])),
            }
        }
        for (what, hosts) in told {
            line(word, Style::new(), &hosts, page);
            page.flow(NAMES, NAMES, atoms(what));
        }
    }
}

fn footer(plan: &Plan, page: &mut Page<'_>) {
    page.blank();
    let bounds = plan.groups.iter().filter(|group| !group.declared).map(|group| group.name.as_str());
    let bounds: Vec<&str> = bounds.filter(|name| !name.is_empty()).collect();
    if !bounds.is_empty() {
        let text = format!("nothing is declared for {}: one tenth at once, one host at least", bounds.join(" "));
        page.labelled("Capacity", HANG, atoms(&text));
    }
    let surging: Vec<String> = plan.groups.iter().filter_map(surge).collect();
    if !surging.is_empty() {
        page.labelled("Surge", HANG, atoms(&surging.join(", ")));
    }
    page.labelled("Expires", HANG, atoms(&format!("{} (a later plan needs a later run)", plan.expires)));
    let path = page.options.report_path.clone().unwrap_or_default();
    let place = if path.is_empty() { Vec::new() } else { vec![Atom::new(&path), Atom::new("(mode 0600)").after(2)] };
    page.labelled("Plan", HANG, place);
    page.flow(HANG, HANG, vec![Atom::new(&plan.id)]);
}

fn surge(group: &Group) -> Option<String> {
    match group.surge {
        Surge::TerminateFirst => None,
        Surge::ReplaceFirst(machines) => {
            Some(format!("{}: {} come first", group.name, count(u64::from(machines), "new machine", "new machines")))
        }
    }
}

fn next(plan: &Plan, formats: &[&str], page: &mut Page<'_>) {
    let mut commands: Vec<(String, &str)> = Vec::new();
    if let Some(fingerprint) = plan.items.iter().find_map(|item| item.fingerprints.first()) {
        let prefix = fingerprint.get(..8).unwrap_or(fingerprint);
        let run = &plan.based_on.run;
        commands.push((format!("driftscan explain {prefix} --run {run}"), "why"));
    }
    let planned = |group: &&Group| plan.waves.iter().any(|wave| wave.group == group.name);
    let actuators = plan.groups.iter().filter(planned).filter_map(|group| group.actuator).map(Actuator::word);
    for name in actuators.filter(|name| formats.contains(name)).collect::<BTreeSet<_>>() {
        commands.push((format!("driftscan plan --fleet FILE --format {name}"), "a script to review"));
    }
    if formats.contains(&"markdown") && !plan.items.is_empty() {
        commands.push(("driftscan plan --fleet FILE --format markdown".to_owned(), "the change ticket"));
    }
    let column = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0).min(48) + 2;
    for (n, (command, what)) in commands.into_iter().enumerate() {
        let command = Atom::new(&command);
        let gap = column.saturating_sub(command.width()).max(2);
        let body = vec![command, Atom::new(what).after(gap)];
        if n == 0 {
            page.blank();
            page.labelled("Next", HANG, body);
        } else {
            page.flow(HANG, HANG, body);
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::inventory::fold;
    use crate::report::plan::json::seal;
    use crate::report::plan::samples::{FLEET, SETTINGS, of, report, sample};

    fn shown(plan: &Plan) -> String {
        let folded = |names: &[&str]| fold(names.iter().copied());
        let options = Options { report_path: Some("reports/RUN/plan.json".into()), ..Options::new(&folded) };
        let mut out = Vec::new();
        write(plan, &["table", "json", "terraform", "markdown"], &options, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().all(|line| line.chars().count() <= 80 || line.contains("sha256:")), "{text}");
        assert!(text.is_ascii(), "{text}");
        text
    }

    #[test]
    fn decision_first_then_waves_and_why_others_wait() {
        let mut before = sample(None);
        before.items[0].host = "web-01".into();
        before.items[1].target = "web@2026.10.1".into();
        seal(&mut before);
        let plan = sample(Some(&before));
        // Ids change with every field that a plan gains.
        let text = shown(&plan).replace(&plan.id, "sha256:ID").replace(&before.id[..15], "sha256:BEFORE");
        insta::assert_snapshot!(text, @r"
        Plan of run 20261121T023004Z-7c1f: REPLACE 11 of 19 hosts in 6 waves

          11  PLANNED         web-[02,07,09-12,22-24,31] db-02
           1  PINNED          edge-01
           1  DRAIN FIRST     web-04
           1  PUBLIC ADDRESS  edge-02
           1  CAPACITY        one-01
           4  REFUSED         batch-[01-04]
           1  UNVERIFIED      web-40

        GROUP  HOSTS  SERVE  FLOOR  AT ONCE  PLANNED  WAVES  BY
        web       40     39     36        4       10      5  terraform
        db         3      3      2        1        1      1  -
        edge       2      2      1        1        -      -  -
        batch      4      4      3        1        -      -  -
        one        1      1      1        1        -      -  -

        WAVES, one after another, each only when the one before it is proven
           1  web  web-09 (canary, zone eu-west-1a)
           2  web  web-[02,07] (zone eu-west-1a)
           3  web  web-[10-12] (zone eu-west-1a)
           4  web  web-[22-23,31] (zone eu-west-1b)
           5  web  web-24 (zone eu-west-1b)
           6  db   db-02 (canary)

        DEFERRED: not now, and why
        edge-01  pinned
                the fleet pins it: pin=licence
        web-04  drain-first
                it holds what a replacement would lose: /home/anna
                at risk: home /home/anna 2.1 GB, newest 2026-11-20
        edge-02  public-address
                it has an address of its own: eip=eipalloc-0a1
        one-01  capacity
                it is the only host of its group: [group.one] floor = 0 in the settings
                lets it go

        REFUSED: the hosts are not what is wrong
        batch-[01-04]  baseline-suspect
                4 of 4 known hosts drifted, 100%; at most 30% may. 4 of them share one
                difference, so the baseline is suspect: /etc/ssh/sshd_config: content
                changed, 1203 -> 1260 bytes

        SINCE the plan sha256:BEFORE
           1  ADDED           web-09
           1  REMOVED         web-01
                              clean
           1  CHANGED         web-02
                              to become web@2026.11.3, was web@2026.10.1

        Capacity  nothing is declared for db edge batch one: one tenth at once, one host
                  at least
        Expires   2026-11-22T02:30:08Z (a later plan needs a later run)
        Plan      reports/RUN/plan.json  (mode 0600)
                  sha256:ID

        Next      driftscan explain 1c63336e --run 20261121T023004Z-7c1f  why
                  driftscan plan --fleet FILE --format terraform    a script to review
                  driftscan plan --fleet FILE --format markdown     the change ticket
        ");
    }

    #[test]
    fn a_long_node_set_is_cut_between_numbers() {
        assert_eq!(short("web-[01,03,05,07,09]", 16), "web-[01,03,...]");
        assert_eq!(short("web-[01,03]", 16), "web-[01,03]");
        assert_eq!(short("a-very-long-name-of-a-host", 16), "a-very-long-name-of-a-host");
    }

    #[test]
    fn a_clean_fleet_has_nothing_to_replace() {
        let mut clean = report();
        for host in &mut clean.hosts {
            host.verdict = crate::model::Verdict::Clean;
            host.decision = host.verdict.decision();
            host.findings.clear();
        }
        let text = shown(&of(&clean, FLEET, SETTINGS, None));
        assert!(text.starts_with("Plan of run 20261121T023004Z-7c1f: NOTHING TO REPLACE\n\nExpires"), "{text}");
    }
}
