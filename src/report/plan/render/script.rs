//! The script that every platform shares: what it stands on, a function a wave, and how it is run.
//!
//! *Invariant:* what comes from the plan stands in it as a quoted word or a comment of one line; every fault of the plan
//! is told at once, and then no script is written.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::identity::{Identity, Machines};
use super::platform::{Call, Part, Platform};
use super::{Fault, Unrenderable, calendar, demand};
use crate::model::text::unhex;
use crate::plan::{Group, Item, Plan, Wave};
use crate::report::quote::{comment, forbidden, quote};

/// What every script shares.
const SHARED: &str = include_str!("sh/script.sh");

/// How a script is used; the same for every platform.
const USE: &str = "\
# Nothing runs unless it is asked for: DRY_RUN=1 is the default, and prints each command. DRY_RUN=0 runs it.
#
#   ./plan.sh             what there is to run
#   ./plan.sh verify 1    is each handle of wave 1 still the machine that was scanned? Only reads
#   ./plan.sh wave 1      one wave and its gate
#   ./plan.sh gate 1      the gate alone, after a wave whose gate stopped
#   ./plan.sh from 2      the waves from 2 on; ./plan.sh all is every wave
#   ./plan.sh rollback 1  takes a wave back, where the platform can
#
# It stops at the first failure. A wave that stopped half way is not repaired by running it again: scan, then plan anew.
# These are read from the environment:
#
#   PLAN, FLEET      the plan's JSON document, and the hosts file for the new machines (needed to run)
#   REFRESH          a command that brings FLEET up to date, run before each proof
#   DRIFTSCAN        the program, where it is not `driftscan`
#   HOST_KEYS=0      do not compare host keys (the platform's own answer alone tells the machine)
#   IGNORE_WINDOWS=1 run outside of the windows
#   POLL_SECONDS, BAKE_SECONDS  how often to look again, and how long a wave stands, where not as planned
";

/// A covered wave, or one of another platform.
enum Step<'a> {
    Own(Part<'a>),
    Elsewhere(&'a Wave, &'static str),
}

/// Writes the script of a plan.
pub(super) fn text(platform: &impl Platform, plan: &Plan) -> Result<String, Unrenderable> {
    let renderer = platform.actuator().word();
    let mut faults = Vec::new();
    let steps = steps(platform, plan, &mut faults);
    let times = [("created", &plan.created), ("expires", &plan.expires)].map(|(field, text)| {
        calendar::day_and_time(text).unwrap_or_else(|| {
            faults.push(Fault::Time { field, text: comment(text) });
            Default::default()
        })
    });
    let mut windows = Vec::new();
    for group in own_groups(plan, &steps) {
        windows.push(windows_of(group, &mut faults));
    }
    let items: Vec<_> = own_items(&steps).collect();
    demand::faults(platform, &own_groups(plan, &steps), &items, &mut faults);
    // The script is of one plan, and looks for its id in the document that it is run with.
    if plan.id.strip_prefix("sha256:").and_then(unhex::<32>).is_none() {
        faults.push(Fault::Broken { detail: "it has no id".to_owned() });
    }
    if !faults.is_empty() {
        return Err(Unrenderable::Plan { renderer, faults });
    }
    let mut out = String::new();
    header(platform, plan, &steps, &mut out);
    constants(platform, plan, &steps, &times, &mut out);
    out.push_str(SHARED);
    for functions in platform.functions() {
        out.push('\n');
        out.push_str(functions);
    }
    out.push_str("\n# --- The plan ---\n");
    for (group, windows) in own_groups(plan, &steps).into_iter().zip(&windows) {
        group_function(platform, plan, group, windows, &mut out);
    }
    for step in &steps {
        match step {
            Step::Own(part) => wave_functions(platform, plan, part, &mut out),
            Step::Elsewhere(wave, actuator) => {
                let words = format!("{} {} {}", wave.number, quote(&wave.group), quote(actuator));
                for name in ["verify", "wave", "gate"] {
                    let _ = write!(out, "\n{name}_{}() {{ elsewhere {words}; }}\n", wave.number);
                }
            }
        }
    }
    list(plan, &steps, &mut out);
    // The last line, so that a script that was cut off does nothing.
    out.push_str("\nmain \"$@\"\n");
    match forbidden(&out) {
        Some(c) => Err(Unrenderable::Plan { renderer, faults: vec![Fault::Control { code: u32::from(c) }] }),
        None => Ok(out),
    }
}

/// Waves with what they name, in their order.
fn steps<'a>(platform: &impl Platform, plan: &'a Plan, faults: &mut Vec<Fault>) -> Vec<Step<'a>> {
    let machines = Machines::of(plan);
    let named: HashMap<(&str, &str), &Item> =
        plan.items.iter().map(|item| ((item.group.as_str(), item.host.as_str()), item)).collect();
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut steps = Vec::new();
    for wave in &plan.waves {
        let first = *first.entry(&wave.group).or_insert(wave.number);
        let Some(group) = plan.groups.iter().find(|group| group.name == wave.group) else {
            faults.push(Fault::Broken {
                detail: format!("wave {} is of the group {}, which is not in it", wave.number, comment(&wave.group)),
            });
            continue;
        };
        if let Some(actuator) = group.actuator.filter(|actuator| *actuator != platform.actuator()) {
            steps.push(Step::Elsewhere(wave, actuator.word()));
            continue;
        }
        let mut items = Vec::new();
        for host in &wave.hosts {
            match named.get(&(wave.group.as_str(), host.as_str())) {
                Some(item) => items.push((*item, machines.identity(item))),
                None => faults.push(Fault::Broken {
                    detail: format!("wave {} names {}, which is not in it", wave.number, comment(host)),
                }),
            }
        }
        steps.push(Step::Own(Part { wave, group, items, first }));
    }
    let elsewhere: Vec<_> = steps
        .iter()
        .filter_map(|step| match step {
            Step::Own(_) => None,
            Step::Elsewhere(wave, actuator) => Some((comment(&wave.group), *actuator)),
        })
        .collect();
    if !elsewhere.is_empty() && elsewhere.len() == steps.len() {
        let mut groups = elsewhere;
        groups.dedup();
        faults.push(Fault::Elsewhere { groups });
    }
    steps
}

/// Groups of covered waves, in the order of the plan.
fn own_groups<'a>(plan: &'a Plan, steps: &[Step<'_>]) -> Vec<&'a Group> {
    let own = |group: &&Group| {
        steps.iter().any(|step| match step {
            Step::Own(part) => part.group.name == group.name,
            Step::Elsewhere(..) => false,
        })
    };
    plan.groups.iter().filter(own).collect()
}

fn own_items<'a>(steps: &'a [Step<'_>]) -> impl Iterator<Item = &'a (&'a Item, Identity<'a>)> {
    steps.iter().flat_map(|step| match step {
        Step::Own(part) => part.items.as_slice(),
        Step::Elsewhere(..) => &[],
    })
}

fn windows_of(group: &Group, faults: &mut Vec<Fault>) -> Vec<[String; 8]> {
    let mut windows = Vec::new();
    for window in &group.windows {
        match calendar::words(window) {
            Ok(words) => windows.push(words),
            Err(detail) => faults.push(Fault::Window { group: comment(&group.name), detail: comment(&detail) }),
        }
    }
    windows
}

fn header(platform: &impl Platform, plan: &Plan, steps: &[Step<'_>], out: &mut String) {
    let hosts = match own_items(steps).count() {
        1 => "1 host".to_owned(),
        hosts => format!("{hosts} hosts"),
    };
    let _ =
        writeln!(out, "#!/bin/sh\n# A plan of driftscan, for {}: {hosts} to replace.\n#", platform.actuator().word());
    let mut line = |text: &str| {
        let _ = writeln!(out, "#   {}", comment(text));
    };
    line(&format!("plan      {}", plan.id));
    line(&format!("run       {}", plan.based_on.run));
    line(&format!("report    sha256:{}", plan.based_on.report));
    for baseline in &plan.based_on.baselines {
        line(&format!("baseline  {} sha256:{}", baseline.label, baseline.digest));
    }
    line(&format!("created   {}", plan.created));
    line(&format!("expires   {}", plan.expires));
    line(&format!("by        {}", plan.based_on.tool));
    for step in steps {
        match step {
            Step::Own(_) => {}
            Step::Elsewhere(wave, actuator) => {
                line(&format!("not here  wave {}, group {}: {actuator} replaces it", wave.number, wave.group));
            }
        }
    }
    for deferred in &plan.deferred {
        line(&format!("deferred  {}: {}", deferred.host, deferred.why));
    }
    for refused in &plan.refused {
        line(&format!("refused   group {}: {}", refused.group, refused.why));
    }
    let _ = writeln!(out, "#\n{USE}");
    out.push_str(
        "# Functions are called by names that are put together (SC2317, SC2329); what the plan holds is never expanded (SC2016).\n\
         # shellcheck disable=SC2016,SC2317,SC2329\n",
    );
}

fn constants(
    platform: &impl Platform,
    plan: &Plan,
    steps: &[Step<'_>],
    times: &[(String, String); 2],
    out: &mut String,
) {
    let [(created_day, _), (expires_day, expires_time)] = times;
    // A pattern in an answer of the platform must not become names of files: set -f.
    out.push_str("set -euf\nLC_ALL=C\nexport LC_ALL\numask 077\n\n");
    for (name, value) in [
        ("PLAN_ID", quote(&plan.id)),
        ("CREATED", quote(&plan.created)),
        ("CREATED_DAY", quote(created_day)),
        ("EXPIRES", quote(&plan.expires)),
        ("EXPIRES_DAY", quote(expires_day)),
        ("EXPIRES_TIME", quote(expires_time)),
        ("NEEDS", quote(&platform.programs().join(" "))),
        ("WAVES", quote(&numbers(steps, |_| true))),
        (
            "BACK",
            quote(&numbers(steps, |step| match step {
                Step::Own(part) => !platform.back(part).is_empty(),
                Step::Elsewhere(..) => false,
            })),
        ),
    ] {
        let _ = writeln!(out, "{name}={value}");
    }
    out.push_str(
        "\n: \"${DRY_RUN:=1}\" \"${HOST_KEYS:=1}\" \"${IGNORE_WINDOWS:=0}\" \"${POLL_SECONDS:=30}\" \"${DRIFTSCAN:=driftscan}\"\n\
         : \"${PLAN:=}\" \"${FLEET:=}\" \"${REFRESH:=}\"\n\
         ALL=0 WAVE='' HINT='' TYPED=''\n\n",
    );
}

fn numbers(steps: &[Step<'_>], which: impl Fn(&Step<'_>) -> bool) -> String {
    let number = |step: &Step<'_>| match step {
        Step::Own(part) => part.wave.number.to_string(),
        Step::Elsewhere(wave, _) => wave.number.to_string(),
    };
    steps.iter().filter(|step| which(step)).map(number).collect::<Vec<_>>().join(" ")
}

/// The number of a group in the script.
fn group_number(plan: &Plan, group: &Group) -> usize {
    plan.groups.iter().take_while(|other| other.name != group.name).count() + 1
}

fn group_function(platform: &impl Platform, plan: &Plan, group: &Group, windows: &[[String; 8]], out: &mut String) {
    let number = group_number(plan, group);
    let opening = if windows.is_empty() { "any_time".to_owned() } else { format!("windows_{number}") };
    let _ = writeln!(out, "\ngroup_{number}() {{");
    let shared = [
        ("GROUP", group.name.clone()),
        ("WINDOWS", opening),
        ("READY", group.ready_seconds.to_string()),
        ("BAKE", group.bake_seconds.to_string()),
        ("HEALTH", group.health_command.clone().unwrap_or_default()),
    ];
    for (name, value) in shared.into_iter().chain(platform.settings(group)) {
        let _ = writeln!(out, "    {name}={}", quote(&value));
    }
    out.push_str("}\n");
    if windows.is_empty() {
        return;
    }
    let _ = writeln!(out, "\nwindows_{number}() {{");
    for (words, window) in windows.iter().zip(&group.windows) {
        let _ = writeln!(
            out,
            "    # {} for {} in {}",
            comment(&window.cron),
            comment(&window.duration),
            comment(&window.tz)
        );
        let words = words.each_ref().map(|word| quote(word)).join(" ");
        let _ = writeln!(out, "    if in_window {words}; then return 0; fi");
    }
    out.push_str("    return 1\n}\n");
}

fn wave_functions(platform: &impl Platform, plan: &Plan, part: &Part<'_>, out: &mut String) {
    let (number, group) = (part.wave.number, group_number(plan, part.group));
    let _ = writeln!(out, "\n# Wave {}", comment(&title(part.wave)));
    for (item, _) in &part.items {
        let severity = item.severity.map(|severity| format!(" ({severity})")).unwrap_or_default();
        let codes = if item.codes.is_empty() { String::new() } else { format!(": {}", item.codes.join(" ")) };
        let _ = writeln!(out, "#   {}", comment(&format!("{} is {}{severity}{codes}", item.host, item.verdict)));
        if item.jump {
            out.push_str("#     reached through a jump host, so its host key is not asked for from here\n");
        }
    }
    let mut verify = Vec::new();
    for (item, identity) in &part.items {
        verify.extend(platform.verify(item, identity));
    }
    function(&format!("verify_{number}"), group, None, &verify, out);
    function(&format!("gate_{number}"), group, None, &platform.gate(part), out);
    let mut wave = platform.replace(part);
    wave.push(super::platform::call(&format!("gate_{number}"), [""; 0]));
    function(&format!("wave_{number}"), group, Some(number), &wave, out);
    let back = platform.back(part);
    if !back.is_empty() {
        function(&format!("rollback_{number}"), group, None, &back, out);
    }
}

fn function(name: &str, group: usize, begins: Option<usize>, calls: &[Call], out: &mut String) {
    let _ = writeln!(out, "{name}() {{\n    group_{group}");
    if let Some(number) = begins {
        let _ = writeln!(out, "    begin {number}");
    }
    for call in calls {
        let _ = write!(out, "    {}", call.function);
        for word in &call.words {
            let _ = write!(out, " {}", quote(word));
        }
        out.push('\n');
    }
    out.push_str("}\n");
}

fn title(wave: &Wave) -> String {
    let zone = wave.zone.as_ref().map(|zone| format!(", zone {zone}")).unwrap_or_default();
    let canary = if wave.canary { ", the canary" } else { "" };
    format!("{}, group {}{zone}{canary}: {}", wave.number, wave.group, wave.hosts.join(" "))
}

fn list(plan: &Plan, steps: &[Step<'_>], out: &mut String) {
    out.push_str("\nlist() {\n");
    let mut say = |text: &str| {
        let _ = writeln!(out, "    say {}", quote(&comment(text)));
    };
    say(&format!("plan {}, expires {}", plan.id, plan.expires));
    for step in steps {
        match step {
            Step::Own(part) => say(&format!("wave {}", title(part.wave))),
            Step::Elsewhere(wave, actuator) => say(&format!("wave {} ({actuator} replaces it)", title(wave))),
        }
    }
    if steps.is_empty() {
        say("nothing is planned");
    }
    say("to run: verify N, wave N, gate N, from N, all, rollback N; DRY_RUN=0 does it, else it is printed");
    out.push_str("}\n");
}
