//! `driftscan baseline capture --siblings`: what differs among freshly built machines of one template.
//!
//! *Invariant:* every sibling is read whole or nothing is stored; what was not learned is told whatever `--quiet` says,
//! and stays drift on every host that has it.

use super::args::CaptureArgs;
use super::capture::{failed, random};
use super::connect;
use super::progress::Spinner;
use super::reading::refused;
use super::trouble::{Outcome, Trouble};
use super::{fleet, policy};
use crate::collect::{self, Ask, Failure, Ran};
use crate::drift::calibration::{self, Lessons, Sibling, Undecided};
use crate::drift::compare::reason;
use crate::drift::{Difference, Found};
use crate::inventory::host::{Host, Reach};
use crate::inventory::target;
use crate::manifest::Baseline;
use crate::model::Reason;
use crate::model::text::escape;
use crate::policy::{Origin, Policy, PolicyFile};
use crate::protocol::coverage::{Part, Trouble as Unread};
use crate::protocol::reply::{Text, TextState, Texts, evidence};
use crate::protocol::request::Want;
use crate::protocol::view::View;
use crate::protocol::{Kind, Record};
use crate::scan::{Comparison, Way};
use crate::transport::{Connection, Dialer, LocalConnection};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// The golden machine, captured and still connected.
pub(super) struct Golden<'a> {
    pub(super) baseline: &'a Baseline,
    pub(super) evidence: &'a Texts,
    pub(super) connection: &'a mut dyn Connection,
    pub(super) ask: &'a Ask<'a>,
    pub(super) file: &'a PolicyFile,
    pub(super) policy: &'a Policy,
}

/// A sibling under way.
pub(super) struct Reached {
    host: Host,
    address: String,
    connection: Box<dyn Connection>,
}

/// The siblings that were typed.
pub(super) fn read(args: &CaptureArgs, golden: &Host) -> Outcome<Vec<Host>> {
    let words: Vec<&str> = args.siblings.iter().flat_map(|typed| split(typed)).collect();
    let hosts = target::parse(words).map_err(Trouble::all)?;
    let mut names = BTreeSet::new();
    let mut siblings = Vec::new();
    for mut host in hosts {
        if let (Some(root), None, Reach::Ssh { .. }) = (&args.root, &host.root, &host.reach) {
            host.root = (root != "/").then(|| root.trim_end_matches('/').to_owned());
        }
        let host = fleet::absolute(host)?;
        let itself = host.name == golden.name && host.root == golden.root;
        if itself || !names.insert((host.name.clone(), host.root.clone())) {
            let what = if itself { "the golden machine itself" } else { "named twice" };
            return Err(Trouble::with(
                format!("--siblings: {} is {what}", host.name),
                "name machines that were built from the same template, each once",
            ));
        }
        siblings.push(host);
    }
    Ok(siblings)
}

/// Splits at commas that are not inside the brackets of a node set.
fn split(typed: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0usize;
    typed.split(move |c| {
        match c {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
}

/// Reads every sibling, and learns.
pub(super) fn calibrate<'a>(
    golden: Golden<'_>,
    args: &CaptureArgs,
    dialer: &Dialer,
    siblings: impl Iterator<Item = (&'a Host, &'a Way)>,
    spinner: &Spinner,
) -> Outcome<(Lessons, Vec<Reached>)> {
    let Golden { baseline, evidence: own, connection: golden, ask: base, file, policy } = golden;
    let mut comparisons: BTreeMap<bool, Comparison> = BTreeMap::new();
    let mut reached: Vec<Reached> = Vec::new();
    let mut seen: Vec<Sibling> = Vec::new();
    let mut notes = Vec::new();
    for (host, way) in siblings {
        let address = connect::address(host, way);
        spinner.say(format!("reading the sibling {address}"));
        let live = host.root.is_none();
        let comparison = comparison(&mut comparisons, live, baseline, policy, base)?;
        let mut connection = reach(way, dialer, &address, args)?;
        let ask = Ask {
            host: &host.name,
            root: host.root.as_deref().unwrap_or("/"),
            live: comparison.live && live,
            bounds: comparison.bounds,
            deadline: Instant::now() + args.timeout,
            nonce: random()?,
            policy: None,
            ..*base
        };
        let observed = collect::observe(&mut *connection, &ask, &comparison.references, &mut Ran::default());
        let observation = observed.map_err(|failure| failed(&address, &failure))?;
        let racing = unread(&address, &observation.coverage.troubles, observation.coverage.troubles_total, policy)?;
        let difference = match observation.found {
            Found::Equal(_) => Difference::default(),
            Found::Different(difference) => difference,
            Found::AnotherSystem => {
                let system = escape(observation.identity.to_string().as_bytes());
                return Err(Trouble::with(
                    format!("{address} is {system}, which the golden machine is not"),
                    "a sibling is built from the same template",
                ));
            }
        };
        let id = |texts: &Texts| texts.text(evidence::MACHINE_ID).map(<[u8]>::to_vec);
        if id(&observation.evidence).is_some_and(|theirs| id(own) == Some(theirs)) {
            notes.push(format!("{address} has the golden machine's machine id: is it a machine of its own?"));
        }
        seen.push(Sibling { name: host.name.clone(), difference, racing });
        reached.push(Reached { host: host.clone(), address, connection });
    }
    let same = same_texts(&seen, &mut reached, golden, base, args, spinner, policy)?;
    let mut lessons = calibration::learn(&seen, &baseline.records, policy, &same);
    notes.append(&mut lessons.notes);
    lessons.notes = notes;
    overruled(&mut lessons, baseline, file);
    Ok((lessons, reached))
}

/// Reads the siblings again by what was learned of them: what differs all the same was not learned, and is for a person.
/// `baseline` is what is about to be stored, which a scan could not use if this could not; `base` is what the golden machine
/// was asked.
pub(super) fn prove(
    lessons: &mut Lessons,
    reached: Vec<Reached>,
    (baseline, file): (&Baseline, &PolicyFile),
    base: &Ask<'_>,
    timeout: Duration,
    spinner: &Spinner,
) -> Outcome<()> {
    let mut comparisons: BTreeMap<bool, Comparison> = BTreeMap::new();
    let policy = policy::of_baseline(file, baseline);
    let mut left: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
    for Reached { host, address, mut connection } in reached {
        spinner.say(format!("reading the sibling {address} by what was learned"));
        let live = host.root.is_none();
        let comparison = comparison(&mut comparisons, live, baseline, &policy, base)?;
        let ask = Ask {
            host: &host.name,
            root: host.root.as_deref().unwrap_or("/"),
            live: comparison.live && live,
            bounds: comparison.bounds,
            rules: &comparison.rules,
            deadline: Instant::now() + timeout,
            nonce: random()?,
            policy: None,
            ..*base
        };
        let observed = collect::observe(&mut *connection, &ask, &comparison.references, &mut Ran::default());
        let observation = observed.map_err(|failure| failed(&address, &failure))?;
        let Found::Different(difference) = observation.found else { continue };
        let subjects: BTreeSet<&[u8]> =
            difference.added.iter().chain(&difference.removed).map(Record::subject).collect();
        for subject in subjects {
            left.entry(subject.to_vec()).or_default().push(host.name.clone());
        }
    }
    let told: BTreeSet<&[u8]> = lessons.undecided.iter().map(|one| &one.subject[..]).collect();
    left.retain(|subject, _| !told.contains(&subject[..]));
    for (subject, hosts) in left {
        let path = subject.strip_prefix(b"fs:").unwrap_or(&subject);
        let rule = lessons.rules.iter().find(|rule| rule.learned.iter().any(|lesson| lesson.path == path));
        let why = match rule.map(|rule| (rule.class.word(), rule.view)) {
            Some((class, Some(view))) => {
                format!("{class}, but read by the view {} it differs all the same", view.word())
            }
            Some((class, None)) => format!("{class}, but it differs in more than that"),
            None => "it changed while the siblings were read".to_owned(),
        };
        lessons.undecided.push(Undecided { subject, what: "content".to_owned(), hosts, why, treatment: None });
    }
    lessons.undecided.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(())
}

/// The comparison with the golden machine for siblings that run, or for those that are folders.
fn comparison<'a>(
    made: &'a mut BTreeMap<bool, Comparison>,
    live: bool,
    baseline: &Baseline,
    policy: &Policy,
    ask: &Ask<'_>,
) -> Outcome<&'a Comparison> {
    match made.entry(live) {
        Entry::Occupied(there) => Ok(there.into_mut()),
        Entry::Vacant(free) => {
            let new = Comparison::new(baseline, &[], policy.clone(), live, ask.salt, ask.key).map_err(refused)?;
            Ok(free.insert(new))
        }
    }
}

fn reach(way: &Way, dialer: &Dialer, address: &str, args: &CaptureArgs) -> Outcome<Box<dyn Connection>> {
    match way {
        Way::Local => Ok(Box::new(LocalConnection::new())),
        Way::Ssh(route) => dialer
            .dial(route, Instant::now() + args.timeout, &mut |_| {})
            .map_err(|error| failed(address, &Failure::of_transport(&error))),
    }
}

/// Refuses a sibling that was not read whole; gives the files that changed meanwhile, which is a difference like others.
fn unread(address: &str, troubles: &[Unread], total: u64, policy: &Policy) -> Outcome<Vec<Vec<u8>>> {
    let is_racing = |trouble: &&Unread| trouble.part == Part::Content && reason(trouble.why) == Reason::Racing;
    let (racing, other): (Vec<&Unread>, Vec<&Unread>) = troubles.iter().partition(is_racing);
    let excused = |trouble: &&&Unread| {
        reason(trouble.why) == Reason::Unreadable
            && (policy.excuses(&trouble.path) || policy.excuses_unseen(&trouble.path))
    };
    let open: Vec<String> = other
        .iter()
        .filter(|trouble| !excused(trouble))
        .map(|trouble| format!("  {} ({})", escape(&trouble.path), reason(trouble.why).word()))
        .collect();
    let lost = total.saturating_sub(troubles.len() as u64);
    if open.is_empty() && lost == 0 {
        return Ok(racing.into_iter().map(|trouble| trouble.path.clone()).collect());
    }
    let mut lines = vec![format!("the capture is refused: of the sibling {address}, {} things were not read", {
        open.len() as u64 + lost
    })];
    lines.extend(open.into_iter().take(20));
    Err(Trouble::with(lines.join("\n"), "read siblings with --sudo, when they are at rest"))
}

/// The paths that no class explains and whose texts are the same everywhere once each machine's own values are put back.
fn same_texts(
    seen: &[Sibling],
    reached: &mut [Reached],
    golden: &mut dyn Connection,
    ask: &Ask<'_>,
    args: &CaptureArgs,
    spinner: &Spinner,
    policy: &Policy,
) -> Outcome<BTreeSet<Vec<u8>>> {
    let want = Want::View(View::HostText);
    // A secret is not read here either.
    let paths = calibration::texts_to_compare(seen).into_iter().filter(|path| !policy.is_secret(path));
    let mut questions: Vec<(Vec<u8>, Want)> = paths.map(|path| (path, want)).collect();
    if questions.is_empty() {
        return Ok(BTreeSet::new());
    }
    questions.sort();
    let texts = |connection: &mut dyn Connection, host: &str, root: &str, address: &str| -> Outcome<Vec<Text>> {
        spinner.say(format!("reading {} texts of {address}", questions.len()));
        let nonce = random()?;
        let ask = Ask { host, root, deadline: Instant::now() + args.timeout, nonce, ..*ask };
        collect::texts(connection, &ask, &questions, &mut Ran::default()).map_err(|failure| failed(address, &failure))
    };
    let ours = texts(golden, ask.host, ask.root, "the golden machine")?;
    let mut same: Vec<bool> = ours.iter().map(|text| text.state == TextState::Whole).collect();
    for sibling in reached {
        let root = sibling.host.root.as_deref().unwrap_or("/");
        let theirs = texts(&mut *sibling.connection, &sibling.host.name, root, &sibling.address)?;
        for (same, (our, their)) in same.iter_mut().zip(ours.iter().zip(theirs)) {
            *same &= *our == their;
        }
    }
    let same = questions.into_iter().zip(same).filter_map(|((path, _), same)| same.then_some(path));
    Ok(same.collect())
}

/// Takes back what would have no effect, because a later rule of the user's decides there.
fn overruled(lessons: &mut Lessons, baseline: &Baseline, file: &PolicyFile) {
    let policy = policy::of_noise(file, baseline, &lessons.rules);
    let rules = policy.compile();
    let all = rules.all();
    let mut kept = Vec::new();
    for rule in std::mem::take(&mut lessons.rules) {
        let decider = rule.learned.first().and_then(|lesson| {
            let kind = Kind::ALL.into_iter().find(|kind| rule.kinds == kind.bit()).unwrap_or(Kind::File);
            let facts = crate::protocol::rule::Facts { kind, mode: 0o644 };
            let number = rules.decide(&all, &lesson.path, facts, &mut || false).0;
            policy.rule_of(number).filter(|rule| rule.origin == Origin::User).map(|rule| (lesson, rule.path()))
        });
        let Some((lesson, path)) = decider else {
            kept.push(rule);
            continue;
        };
        lessons.undecided.push(Undecided {
            subject: [b"fs:", &lesson.path[..]].concat(),
            what: "content".to_owned(),
            hosts: lesson.hosts.clone(),
            why: format!("{}, but the policy's own rule {path} decides there", rule.class.word()),
            treatment: Some(rule.treatment),
        });
    }
    lessons.rules = kept;
    lessons.undecided.sort_by(|a, b| a.subject.cmp(&b.subject));
}
