//! One run over every misbehaviour at once, with honest hosts among them.
//!
//! *Invariant:* each hostile host has a true root, clean or drifted, so that what it hides is known.

use super::peer::Peer;
use super::transport::Transport;
use crate::lab::{Answer, Options, Run, Scene, account, tool};
use std::cell::Cell;
use std::sync::LazyLock;
use std::time::Duration;

/// Deadline of a host, in seconds.
const TIMEOUT: u64 = 15;
/// The drift of the drifted root.
pub(super) const DRIFT: [(&str, &str); 2] = [("content-changed", "/usr/bin/ls"), ("file-added", "/opt/left-behind")];
/// Where connections are cut, in bytes after the login: the answers to channel and command, and the reply itself.
pub(super) const CUTS: [u64; 14] = [1, 24, 60, 100, 160, 220, 300, 400, 500, 650, 800, 1_000, 1_200, 1_400];
/// Honest hosts of each kind.
const HONEST: usize = 3;

/// The run, and what it was made of.
pub(super) struct Sweep {
    pub(super) transport: Transport,
    pub(super) run: Run,
    /// Name, fault, kind and what is right, of each misbehaviour.
    pub(super) list: Vec<[String; 4]>,
}

static SSH2: LazyLock<Sweep> = LazyLock::new(|| Sweep::make(Transport::Ssh2));
static OPENSSH: LazyLock<Sweep> = LazyLock::new(|| Sweep::make(Transport::Openssh));

/// Lets a test look at the run of every transport.
pub(super) fn each(look: impl Fn(&Sweep)) {
    for transport in Transport::ALL {
        look(match transport {
            Transport::Ssh2 => &SSH2,
            Transport::Openssh => &OPENSSH,
        });
    }
}

/// Whether a line of the hosts file is that of a misbehaviour.
fn named(line: &str, misbehaviour: &str) -> bool {
    let name = line.split(" name=").nth(1).and_then(|rest| rest.split(['.', ' ']).next());
    name == Some(misbehaviour)
}

impl Sweep {
    fn make(transport: Transport) -> Self {
        let scene = Scene::new();
        let clean = scene.lab.clone_root(&scene.golden, "shared-clean");
        let drifted = scene.lab.clone_root(&scene.golden, "shared-drifted");
        drifted.change_unseen("/usr/bin/ls");
        drifted.write("/opt/left-behind", "x\n");
        let (list, copies) = (Peer::list(), Cell::new(0));
        let of = |kind: &'static str| list.iter().filter(move |row| row[2] == kind).map(|row| row[0].as_str());

        let cuts: Vec<_> = CUTS.iter().map(|at| format!("reset-at:{at}")).collect();
        let plain = of("before-login").chain(of("after-login")).filter(|name| *name != "reset-at");
        let mut names: Vec<_> = plain.chain(cuts.iter().map(String::as_str)).collect();
        // Those that take their whole time come first, so that the others fill the time that is left.
        let takes_long = |name: &str| list.iter().any(|row| row[0] == name && row[3] == "timeout");
        names.sort_by_key(|name| !takes_long(name));
        let peer = Peer::start(&scene.lab, &names);
        let text = format!("exec {} --as-probe by-host-name", Peer::program().display());
        let liar = scene.lab.sshd("liar", &Options::answering(Answer::shell(&text)));

        let (clean, drifted) = (clean.path().display(), drifted.path().display());
        // Two hosts of one address and one root are one host; so each has a root of its own, of the same files.
        let own = |root: &str| {
            let copy = format!("{root}-{}", copies.replace(copies.get() + 1));
            tool("cp", &["-al", root, &copy]);
            copy
        };
        let mut lines: Vec<_> = peer
            .served
            .iter()
            .map(|(name, port)| format!("127.0.0.1:{port} name={} root={clean}", name.replace(':', ".")))
            .collect();
        let slow = lines.len();
        let mut liars: Vec<_> = of("probe").collect();
        liars.sort_by_key(|name| !takes_long(name));
        for name in liars {
            for (state, root) in [("clean", &clean), ("drifted", &drifted)] {
                lines.push(format!(
                    "{}@127.0.0.1:{} name={name}.{state} root={}",
                    account(),
                    liar.port,
                    own(&root.to_string())
                ));
            }
        }
        for number in 0..HONEST {
            for (state, root) in [("clean", &clean), ("drifted", &drifted)] {
                let (root, port) = (own(&root.to_string()), scene.sshd.port);
                let line = format!("{}@127.0.0.1:{port} name=honest-{number}.{state} root={root}", account());
                // At the beginning, among the others and at the end.
                lines.insert([0, slow, lines.len()][number % 3], line);
            }
        }
        for line in &lines {
            scene.line(line);
        }
        // Beside those that take their whole time, few at once: a host's time must not go by in others' floods.
        let slow =
            lines.iter().filter(|line| list.iter().any(|row| row[3] == "timeout" && named(line, &row[0]))).count();
        let (timeout, jobs) = (format!("{TIMEOUT}s"), (slow + 10).to_string());
        let scan = scene.scan(&["--connect-timeout", "5s", "--timeout", &timeout, "--jobs", &jobs, "--rate", "200"]);
        let run = scan.args(transport.args()).within(120).run();
        Self { transport, run, list }
    }

    /// Fails unless a hostile host is unverifiable, and for one of these reasons.
    #[track_caller]
    pub(super) fn must(&self, name: &str, right: &[&str]) {
        let (verdict, reasons) = (self.run.verdict(name), self.run.reasons(name));
        if verdict != "unverifiable" && self.transport.absorbs(name) {
            return self.is_true(name);
        }
        assert_eq!(verdict, "unverifiable", "{name} over {:?}: {}", self.transport, self.run.host(name));
        let fits = self.transport.fits(&reasons, right);
        assert!(fits, "{name} over {:?} is {reasons:?}, not {right:?}: {}", self.transport, self.run.host(name));
    }

    /// The same for a lie that is told whether the host is clean or drifted.
    #[track_caller]
    pub(super) fn must_both(&self, name: &str, right: &[&str]) {
        self.must(&format!("{name}.clean"), right);
        self.must(&format!("{name}.drifted"), right);
    }

    /// Fails unless what a host says is believed, and rightly.
    #[track_caller]
    pub(super) fn is_true(&self, name: &str) {
        let drifted = name.ends_with(".drifted");
        let host = self.run.host(name);
        assert_eq!(self.run.verdict(name), if drifted { "drifted" } else { "clean" }, "{name}: {host}");
        let drift = if drifted { DRIFT.into() } else { std::collections::BTreeSet::new() };
        assert_eq!(self.run.findings(name), drift, "{name}: {host}");
    }

    /// The same for a host that misbehaves whether it is clean or drifted.
    #[track_caller]
    pub(super) fn is_true_both(&self, name: &str) {
        self.is_true(&format!("{name}.clean"));
        self.is_true(&format!("{name}.drifted"));
    }
}

#[test]
fn i1_no_misbehaviour_gives_clean_and_each_gives_what_the_program_says() {
    each(|sweep| {
        for [name, _, kind, right] in &sweep.list {
            let right: Vec<_> = right.split(',').collect();
            let hosts = match (kind.as_str(), name.as_str()) {
                ("probe", _) => vec![format!("{name}.drifted")],
                (_, "reset-at") => CUTS.iter().map(|at| format!("reset-at.{at}")).collect(),
                _ => vec![name.clone()],
            };
            for host in hosts {
                match sweep.run.verdict(&host) {
                    "unverifiable" => sweep.must(&host, &right),
                    _ if right.contains(&"true") || sweep.transport.absorbs(&host) => sweep.is_true(&host),
                    verdict => panic!("{host} is {verdict}: {}", sweep.run.host(&host)),
                }
            }
        }
    });
}

#[test]
fn i2_no_misbehaviour_changes_the_verdict_of_another_host() {
    each(|sweep| {
        for number in 0..HONEST {
            sweep.is_true_both(&format!("honest-{number}"));
        }
        sweep.run.stdout.lines().chain(sweep.run.stderr.lines()).for_each(is_tame);
        assert_eq!(sweep.run.code(), Some(2), "drifted hosts beside unverifiable ones");
        assert!(!sweep.run.stderr.contains("panicked"), "{}", sweep.run.stderr);
    });
}

/// No byte that a terminal obeys.
#[track_caller]
fn is_tame(line: &str) {
    let wild = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert!(!line.contains(wild), "{line:?}");
}

/// Those that take their time alone, so that nobody waits for a thread.
#[test]
fn i3_the_run_ends_with_its_slowest_legal_host() {
    let scene = Scene::new();
    let list = Peer::list();
    let slow: Vec<_> = list.iter().filter(|row| row[3] == "timeout").map(|row| row[0].as_str()).collect();
    let peer = Peer::start(&scene.lab, &slow);
    for (name, port) in &peer.served {
        scene.line(&format!("127.0.0.1:{port} name={name} root={}", scene.golden.path().display()));
    }
    scene.host("good");
    for transport in Transport::ALL {
        let scan = scene.scan(&["--connect-timeout", "2s", "--timeout", "5s"]).args(transport.args());
        let run = scan.run().exits(3).says("good", "clean");
        assert!(run.elapsed < Duration::from_secs(5 + 2), "{:?}", run.elapsed);
        let fits = |name: &str| run.verdict(name) == "unverifiable" || transport.absorbs(name);
        assert!(peer.served.iter().all(|(name, _)| fits(name)), "{run}");
    }
    each(|sweep| assert!(sweep.run.elapsed < Duration::from_secs(4 * TIMEOUT), "{:?}", sweep.run.elapsed));
}

#[test]
fn i4_the_memory_of_the_run_is_bounded() {
    each(|sweep| {
        // Twenty floods at once; each alone is measured in `memory`.
        assert!(sweep.run.peak < 320 << 10, "{} kB", sweep.run.peak);
    });
}
