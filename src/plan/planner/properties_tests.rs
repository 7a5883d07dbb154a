//! What holds of every plan, over 100,000 random fleets: waves in any order, hosts of a wave going one after another.
//!
//! *Invariant:* a failure names the seed of its fleet, from which it comes again.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;
use crate::inventory::{Place, Reach};
use crate::model::{Code, RunId, Severity, Snowflake, StateAtRisk, StateItem, StateKind, Verdict};
use crate::plan::document::{Actuator, Budget, Guards};
use crate::report::plan::json;
use crate::report::samples;
use std::collections::{BTreeMap, HashMap, HashSet};

const FLEETS: u64 = 100_000;

/// Numbers from a seed (xorshift64*), the same on every machine.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give neighbouring fleets.
        let mixed = (seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Self(mixed ^ mixed >> 31 | 1)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn of<T: Copy>(&mut self, list: &[T]) -> T {
        list[usize::try_from(self.below(list.len() as u64)).unwrap()]
    }
}

/// A fleet with what came of it and what is declared.
struct Case {
    fleet: Vec<Host>,
    report: FleetOutcome,
    settings: Settings,
}

fn case(seed: u64, like: &Like) -> Case {
    let mut dice = Dice::new(seed);
    let groups = 1 + dice.below(3);
    let mut fleet = Vec::new();
    let mut report = samples::fleet(Vec::new(), &[("g0", "t@2"), ("g1", "t@2"), ("g2", "t@2")]);
    report.run = RunId::new("20261121T023004Z", [0, 0]);
    let guards = Guards { max_group_drift_percent: dice.of(&[0, 30, 100, 100]), require_two_runs: dice.one_in(8) };
    let mut declared = BTreeMap::new();
    for number in 0..groups {
        let group = format!("g{number}");
        let (zoned, bad) = (dice.of(&[0, 0, 0, 1, 9]), dice.of(&[1, 1, 2, 4]));
        for _ in 0..=dice.of(&[0, 2, 4, 6, 8]) {
            let mut tags = Vec::new();
            let name = format!("h{}", fleet.len());
            if dice.one_in(16) {
                tags.push(("pin".to_owned(), "x".to_owned()));
            }
            if dice.one_in(6) {
                tags.push(("quorum".to_owned(), dice.of(&["p", "q"]).to_owned()));
            }
            if zoned > 0 && !dice.one_in(zoned * 3) {
                tags.push(("zone".to_owned(), dice.of(&["a", "b", "c"]).to_owned()));
            }
            // Some hosts are of another group by now, some were not scanned, and some are not in the fleet any more.
            if !dice.one_in(24) {
                let then = if dice.one_in(48) { "gone" } else { &group };
                report.hosts.push(outcome(&name, then, bad, like, &mut dice));
            }
            if dice.one_in(32) {
                report.hosts.push(outcome(&format!("{name}-old"), &group, bad, like, &mut dice));
            }
            fleet.push(host(&name, &group, tags));
        }
        if !dice.one_in(4) && fleet.iter().any(|host| host.group == group) {
            declared.insert(group, rules(&mut dice));
        }
    }
    report.selected = report.hosts.len();
    let settings = Settings::of_rules(guards, declared);
    Case { fleet, report, settings }
}

fn host(name: &str, group: &str, tags: Vec<(String, String)>) -> Host {
    Host {
        name: name.to_owned(),
        group: group.to_owned(),
        reach: Reach::Local,
        template: None,
        root: None,
        sudo: None,
        identity: None,
        host_key: None,
        jump: None,
        transport: None,
        probe: None,
        tags,
        place: Place::command_line(),
    }
}

fn outcome(name: &str, group: &str, bad: u64, like: &Like, dice: &mut Dice) -> HostOutcome {
    let mut host = HostOutcome { name: name.to_owned(), group: group.to_owned(), ..like.host.clone() };
    host.state = (!dice.one_in(16)).then(StateAtRisk::default);
    if dice.one_in(bad) {
        host.verdict = match dice.below(10) {
            0 => Verdict::Unverifiable,
            1..=5 => Verdict::Drifted,
            _ => Verdict::Outdated,
        };
    }
    host.decision = host.verdict.decision();
    if host.verdict == Verdict::Drifted {
        let mut own = like.finding.clone();
        own.severity = dice.of(Severity::ALL);
        own.fingerprint = [u8::try_from(dice.below(4)).unwrap(); 32];
        if dice.one_in(2) {
            own.told.first_seen = Some(dice.of(&["2026-11-21T02:00:00Z", "2026-11-20T02:00:00Z"]).to_owned());
        }
        host.findings.push(own);
        host.snowflake = Some(Snowflake { score: u16::try_from(dice.below(1001)).unwrap(), alone: 1, rare: 1 });
        if dice.one_in(8) {
            host.decision = dice.of(&[Decision::FixTemplate, Decision::Investigate]);
        }
    }
    if dice.one_in(16) {
        host.evidence.addresses.push(dice.of(&["10.0.0.1", "8.8.8.8"]).to_owned());
    }
    if dice.one_in(16) {
        let state = StateItem {
            kind: StateKind::Home,
            path: "/home/anna".to_owned(),
            bytes: 1,
            files: 1,
            newest: None,
            more: false,
        };
        host.state = Some(StateAtRisk { items: vec![state], unseen: Vec::new(), rest: 0 });
    }
    host
}

fn rules(dice: &mut Dice) -> Rules {
    let (hosts, share) = (Budget::Hosts, Budget::Percent);
    let mut rules = Rules {
        floor: dice.of(&[None, Some(hosts(0)), Some(hosts(2)), Some(share(25)), Some(share(60))]),
        max_unavailable: dice.of(&[None, Some(hosts(4)), Some(hosts(9)), Some(share(50))]),
        ..Rules::default()
    };
    match dice.below(5) {
        0 => rules.surge = 1,
        1 => rules.surge = 3,
        2 => rules.actuator = Some(Actuator::BlueGreen),
        3 => rules.actuator = Some(Actuator::AwsAsg),
        _ => {}
    }
    rules
}

fn plan_of(case: &Case, previous: Option<&Plan>) -> Plan {
    plan(&Input {
        report: &case.report,
        report_digest: "",
        fleet: &case.fleet,
        inventory: "",
        settings: &case.settings,
        settings_digest: "",
        tool: "",
        previous,
        title: &|finding| finding.code.word().to_owned(),
    })
    .unwrap()
}

/// Every drifted and outdated host is in exactly one place, and no other host is in any.
fn each_candidate_once(case: &Case, plan: &Plan) {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let refused = plan.refused.iter().flat_map(|refused| &refused.hosts);
    let all = plan.items.iter().map(|item| &item.host).chain(plan.deferred.iter().map(|deferred| &deferred.host));
    for host in all.chain(refused) {
        *places.entry(host.as_str()).or_default() += 1;
    }
    for host in &case.report.hosts {
        let due = matches!(host.verdict, Verdict::Drifted | Verdict::Outdated);
        assert_eq!(places.remove(host.name.as_str()), due.then_some(1), "{}", host.name);
    }
    assert!(places.is_empty(), "{places:?}");
    let waves: Vec<&String> = plan.waves.iter().flat_map(|wave| &wave.hosts).collect();
    assert_eq!(waves, plan.items.iter().map(|item| &item.host).collect::<Vec<_>>());
    assert!(plan.deferred.iter().all(|deferred| Why::of(&deferred.why).is_some() && !deferred.reason.is_empty()));
}

/// Runs the waves in a random order, the hosts of each in a random order, and looks at every point.
fn nothing_is_violated(case: &Case, plan: &Plan, dice: &mut Dice) {
    let outcomes: HashMap<&str, &HostOutcome> =
        case.report.hosts.iter().map(|outcome| (outcome.name.as_str(), outcome)).collect();
    let hosts: HashMap<&str, &Host> = case.fleet.iter().map(|host| (host.name.as_str(), host)).collect();
    let tag =
        |host: &str, key: &str| hosts[host].tags.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str());
    let serves = |host: &Host| {
        outcomes.get(host.name.as_str()).is_some_and(|o| o.group == host.group && o.verdict != Verdict::Unverifiable)
    };
    let mut order: Vec<&Wave> = plan.waves.iter().collect();
    for at in (1..order.len()).rev() {
        order.swap(at, usize::try_from(dice.below(at as u64 + 1)).unwrap());
    }
    for wave in order {
        let group = plan.groups.iter().find(|group| group.name == wave.group).unwrap();
        let members: Vec<&&Host> = hosts.values().filter(|host| host.group == wave.group).collect();
        let mut serving = members.iter().filter(|host| serves(host)).count();
        assert_eq!((group.size, group.healthy), (members.len(), serving));
        let surge = match group.surge {
            Surge::TerminateFirst => 0,
            Surge::ReplaceFirst(machines) => usize::try_from(machines).unwrap(),
        };
        serving += surge.min(wave.hosts.len());
        let mut down: Vec<&str> = Vec::new();
        let mut left: Vec<&str> = wave.hosts.iter().map(String::as_str).collect();
        while !left.is_empty() {
            down.push(left.swap_remove(usize::try_from(dice.below(left.len() as u64)).unwrap()));
            serving -= 1;
            assert!(serving >= group.floor, "the floor of {}", group.name);
            assert!(down.len() <= group.max_unavailable, "the budget of {}", group.name);
            let zones: HashSet<Option<&str>> = down.iter().map(|host| tag(host, "zone")).collect();
            assert!(zones.len() == 1, "two zones at once");
            let any = members.iter().any(|host| tag(&host.name, "zone").is_some());
            assert!(!any || !zones.contains(&None) || down.len() == 1, "a host of no zone beside another");
            for quorum in down.iter().filter_map(|host| tag(host, "quorum")) {
                let away = |host: &&&Host| {
                    tag(&host.name, "quorum") == Some(quorum) && (!serves(host) || down.contains(&host.name.as_str()))
                };
                assert_eq!(hosts.values().filter(away).count(), 1, "quorum {quorum}");
            }
        }
        assert_eq!(wave.canary, plan.waves.iter().find(|one| one.group == wave.group) == Some(wave));
        assert!(!wave.canary || wave.hosts.len() == 1);
    }
    for item in &plan.items {
        assert_ne!(item.verdict, Verdict::Unverifiable);
        let outcome = outcomes[item.host.as_str()];
        assert!(outcome.state.as_ref().is_some_and(|state| state.items.is_empty()), "state of {}", item.host);
        assert!(tag(&item.host, "pin").is_none() && !outcome.evidence.addresses.contains(&"8.8.8.8".to_owned()));
    }
}

/// What hosts and findings are copies of.
struct Like {
    host: HostOutcome,
    finding: Finding,
}

fn like() -> Like {
    let mut host = samples::host("", "", "t@2");
    host.coverage = None;
    host.address = String::new();
    let finding = samples::finding(Severity::Medium, Code::ContentChanged, "fs:/etc/x", &[], &[]);
    Like { host, finding }
}

#[test]
fn no_plan_of_100_000_fleets_violates_anything() {
    let workers = 2;
    let work = |worker: u64| {
        let like = like();
        let (mut waves, mut wide, mut deferred, mut refused) = (0, 0, 0, 0);
        for seed in (worker..FLEETS).step_by(usize::try_from(workers).unwrap()) {
            // Said only where the test fails, since its output is kept back otherwise.
            let _named = Named(seed);
            let case = case(seed, &like);
            let mut plan = plan_of(&case, None);
            each_candidate_once(&case, &plan);
            nothing_is_violated(&case, &plan, &mut Dice::new(!seed));
            waves += plan.waves.len();
            wide += plan.waves.iter().filter(|wave| wave.hosts.len() > 1).count();
            deferred += plan.deferred.len();
            refused += plan.refused.len();
            if seed % 64 == 0 {
                same_input_same_bytes(&case, &mut plan);
            }
        }
        [waves, wide, deferred, refused]
    };
    let sums = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    // The fleets are no fleets of nothing, and many a wave holds several hosts.
    for sum in sums {
        let [waves, wide, deferred, refused] = sum;
        assert!(waves > 50_000 && wide > 10_000 && deferred > 20_000 && refused > 2_000, "{sum:?}");
    }
}

/// Tells the seed when a test unwinds.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("the fleet of seed {}\n", self.0));
        }
    }
}

fn same_input_same_bytes(case: &Case, plan: &mut Plan) {
    let bytes = |plan: &Plan| {
        let mut out = Vec::new();
        json::write(plan, &mut out).unwrap();
        out
    };
    json::seal(plan);
    let mut again = plan_of(case, None);
    json::seal(&mut again);
    assert_eq!(bytes(plan), bytes(&again));
    // A plan beside itself is itself.
    assert_eq!(bytes(plan), bytes(&plan_of(case, Some(plan))));
    let mut other = plan.clone();
    other.items.clear();
    json::seal(&mut other);
    let mut beside = plan_of(case, Some(&other));
    json::seal(&mut beside);
    assert_eq!(
        beside.change.as_ref().map(|change| change.added.len()),
        (!plan.items.is_empty()).then_some(plan.items.len())
    );
    assert_eq!(bytes(&beside), bytes(&plan_of(case, Some(&beside))));
}

#[test]
fn guards_of_the_generator() {
    // The generator makes what the test is about.
    let like = like();
    let all: Vec<Case> = (0..200).map(|seed| case(seed, &like)).collect();
    let any = |what: &dyn Fn(&Case) -> bool| assert!(all.iter().any(what));
    any(&|case| case.settings.guards == Guards { max_group_drift_percent: 0, require_two_runs: false });
    any(&|case| case.report.hosts.iter().any(|host| host.decision == Decision::FixTemplate));
    any(&|case| case.fleet.iter().any(|host| host.tags.iter().any(|(key, _)| key == "quorum")));
}
