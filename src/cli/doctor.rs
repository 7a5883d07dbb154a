//! `driftscan doctor HOST`: the way to one host step by step: what works, what does not, what to do.
//!
//! *Invariant:* the steps are those of a scan, taken with the same code; nothing is compared and nothing is kept.

use super::args::DoctorArgs;
use super::capture::random;
use super::trouble::{Outcome, Trouble};
use super::{connect, fleet, policy, secret_key};
use crate::collect::{self, Ask, Bounds, Captured, Failure, INSTALLED, PROBE, Ran, Way as Collecting, probe_digest};
use crate::drift::Versions;
use crate::drift::compare::reason;
use crate::inventory::host::{Host, ProbeChoice};
use crate::inventory::{limit, target};
use crate::model::text::escape;
use crate::model::{Collector, Reason};
use crate::policy::{Policy, PolicyFile, UNSEEN};
use crate::protocol::reply::evidence;
use crate::protocol::request::Limits;
use crate::protocol::{Coverage, RuleSet, Salt, System};
use crate::scan::{Way, ask_terms};
use crate::transport::{Connection, Dialer, LocalConnection, Step};
use std::path::Path;
use std::time::{Duration, Instant};

/// Takes the steps; 0 where all of them work, 3 where one does not.
pub(super) fn run(args: &DoctorArgs) -> Outcome<u8> {
    let host = find(args)?;
    let sudo = host.sudo.unwrap_or(args.connect.sudo);
    if args.show_remote {
        show_remote(sudo, host.probe.unwrap_or(args.connect.probe.0));
        return Ok(0);
    }
    let file = policy::read(args.policy.as_deref())?;
    let dialer = connect::dialer(&args.connect)?;
    let ways = connect::ways(&dialer, std::slice::from_ref(&host))?;
    let Some(way) = ways.first() else { return Err(Trouble::new("no host")) };
    out!("{}  {}", host.name, connect::address(&host, way));
    let deadline = Instant::now() + args.timeout;
    let mut connection = match dial(&dialer, way, deadline) {
        Ok(connection) => connection,
        Err(status) => return Ok(status),
    };
    for warning in dialer.warnings() {
        say("note", "files", &warning);
    }
    let salt = random()?;
    let probe = host.probe.unwrap_or(args.connect.probe.0);
    let secret = args.connect.secret_key.as_deref();
    let visit = Visit { host: &host, sudo, probe, timeout: args.timeout, deadline, salt: &salt, secret };
    visit.run(&mut *connection, &file)
}

fn find(args: &DoctorArgs) -> Outcome<Host> {
    let targets = match &args.fleet {
        Some(file) => limit::select(fleet::read(file)?.hosts, &args.host),
        None => target::parse([args.host.as_str()]),
    };
    match <[Host; 1]>::try_from(targets.map_err(Trouble::all)?) {
        Ok([host]) => fleet::absolute(host),
        Err(hosts) => Err(Trouble::with(format!("{} is {} hosts", args.host, hosts.len()), "name one host")),
    }
}

fn say(mark: &str, step: &str, text: &str) {
    let mut lines = text.lines();
    out!("  {mark:<4}  {step:<14} {}", lines.next().unwrap_or_default());
    for line in lines {
        out!("  {:<4}  {:<14} {line}", "", "");
    }
}

fn fail(step: &str, failure: &Failure) -> u8 {
    say("FAIL", step, &format!("{} ({})", failure.text, failure.reason));
    if let Some(remedy) = &failure.remedy {
        say("", "", &format!("to do: {remedy}"));
    }
    3
}

fn dial(dialer: &Dialer, way: &Way, deadline: Instant) -> Result<Box<dyn Connection>, u8> {
    let Way::Ssh(route) = way else {
        return Ok(Box::new(LocalConnection::new()));
    };
    let mut next = if route.shared_ways().is_empty() { "resolve" } else { "through" };
    let dialled = dialer.dial(route, deadline, &mut |step| match step {
        Step::Resolved { addresses } => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            say("ok", "resolve", &addresses.join(" "));
            next = "connect";
        }
        Step::Through { by } => {
            say("ok", "through", &by);
            next = "host key";
        }
        Step::Connected { address } => {
            say("ok", "connect", &address.to_string());
            next = "host key";
        }
        Step::HostKey { key, by } => {
            say("ok", "host key", &format!("{key}, vouched for by {by}"));
            next = "log in";
        }
        Step::LoggedIn { user, key } => {
            say("ok", "log in", &format!("as {user} with {key}"));
            next = "execute";
        }
        Step::Retrying { attempt, why, .. } => say("note", "connect", &format!("try {attempt}: {why}")),
    });
    dialled.map_err(|error| fail(next, &Failure::of_transport(&error)))
}

struct Visit<'a> {
    host: &'a Host,
    sudo: bool,
    probe: ProbeChoice,
    timeout: Duration,
    deadline: Instant,
    salt: &'a Salt,
    secret: Option<&'a Path>,
}

impl Visit<'_> {
    fn ask<'b>(&'b self, limits: Limits, scopes: &'b [Vec<u8>], rules: &'b RuleSet) -> Outcome<Ask<'b>> {
        Ok(Ask {
            policy: None,
            host: &self.host.name,
            root: self.host.root.as_deref().unwrap_or("/"),
            live: self.host.root.is_none(),
            sudo: self.sudo,
            probe: self.probe,
            gentle: false,
            limits: ask_terms(limits, self.timeout),
            bounds: Bounds::CAPTURE,
            deadline: self.deadline,
            scopes,
            rules,
            key: None,
            salt: self.salt,
            nonce: random()?,
        })
    }

    fn run(&self, connection: &mut dyn Connection, file: &PolicyFile) -> Outcome<u8> {
        let nothing = RuleSet::default();
        let mut ran = Ran::default();
        let first = collect::capture(connection, &self.ask(Limits::default(), &[], &nothing)?, &mut ran);
        tried(&ran);
        let first = match first {
            Ok(first) => first,
            // Whether sudo lets the account in shows in the one command that a scan runs: another one, refused where only
            // the probe is allowed, would end in root's mail.
            Err(failure) if failure.reason == Reason::Sudo => return Ok(fail("sudo", &failure)),
            Err(failure) => return Ok(fail("probe", &failure)),
        };
        if self.sudo {
            say("ok", "sudo", "sudo -n runs the probe");
        }
        say("ok", "probe", &format!("{}, {}", which(&ran), who(&first)));
        skew(&ran);
        let policy = policy::of_captured(file, &first);
        let rules = policy.compile();
        let key = policy.is_keyed().then(|| secret_key::read(self.secret)).transpose()?;
        let ask = Ask { key: key.as_ref(), ..self.ask(policy.limits(), policy.scopes(), &rules)? };
        let observed = match collect::observe(connection, &ask, &Versions::default(), &mut Ran::default()) {
            Ok(observed) => observed,
            Err(failure) => return Ok(fail("read", &failure)),
        };
        let mut status = read_rights(&observed.coverage, &policy);
        status = status.max(packages(&observed.coverage));
        let traffic = connection.traffic();
        let cost = format!(
            "{} ms on the host, {} bytes sent, {} received",
            observed.coverage.millis, traffic.sent, traffic.received
        );
        say("ok", "cost", &cost);
        out!("{}", if status == 0 { "All steps work." } else { "A scan would call this host unverifiable." });
        Ok(status)
    }
}

fn who(first: &Captured) -> String {
    let text = |name| first.evidence.text(name).map(escape).unwrap_or_default();
    let as_user = match text(evidence::UID).as_str() {
        "0" => "as root".to_owned(),
        uid => format!("as uid {uid}"),
    };
    format!("ran {as_user} on {}", escape(first.identity.to_string().as_bytes()))
}

/// The ways that did not do, before the one that did.
fn tried(ran: &Ran) {
    let Some((_, before)) = ran.attempts.split_last() else { return };
    for attempt in before {
        let failure = attempt.failure.as_deref().unwrap_or_default();
        say("note", "probe", &format!("tried {}: {failure}", attempt.way.word()));
    }
}

fn which(ran: &Ran) -> String {
    match ran.collector() {
        Some(Collector::Installed) => format!("the installed one, {INSTALLED}"),
        Some(Collector::Stream | Collector::Local) => "a streamed one".to_owned(),
        Some(Collector::Sh) => "the shell fallback".to_owned(),
        None => "nothing".to_owned(),
    }
}

fn skew(ran: &Ran) {
    if let Some(hello) = ran.skewed() {
        let text = format!(
            "the installed probe says that it is sha256:{}\nthis driftscan's is sha256:{}\nto do: driftscan probe export, for the next image",
            hello.digest,
            probe_digest()
        );
        say("note", "build", &text);
    }
}

fn read_rights(coverage: &Coverage, policy: &Policy) -> u8 {
    let excused = |path: &[u8]| policy.excuses(path) || policy.excuses_unseen(path);
    let unread: Vec<_> = coverage.troubles.iter().filter(|trouble| !excused(&trouble.path)).collect();
    if unread.is_empty() && coverage.troubles_total == coverage.troubles.len() as u64 {
        say("ok", "read", &format!("{} entries, {} compared, nothing unreadable", coverage.walked, coverage.compared));
        return 0;
    }
    let mut lines = vec![format!("{} things were not read:", coverage.troubles_total)];
    lines.extend(unread.iter().take(10).map(|trouble| format!("{} ({})", escape(&trouble.path), reason(trouble.why))));
    if unread.len() > 10 {
        lines.push(format!("and {} more", unread.len() - 10));
    }
    let blind: Vec<String> = unread
        .iter()
        .filter(|trouble| UNSEEN.iter().any(|(word, _)| word.as_bytes() == trouble.path))
        .map(|trouble| format!("\"{}\"", escape(&trouble.path)))
        .collect();
    if blind.len() < unread.len() {
        lines.push("to do: --sudo, or name them in the policy's excuse_unreadable".to_owned());
    }
    if !blind.is_empty() {
        let blind = blind.join(", ");
        lines.push(format!("to do: let a probe run there, or accept it in the policy: excuse_unseen = [{blind}]"));
    }
    say("FAIL", "read", &lines.join("\n"));
    3
}

fn packages(coverage: &Coverage) -> u8 {
    let systems: Vec<&str> = System::ALL.into_iter().filter(|s| coverage.has(*s)).map(System::word).collect();
    if systems.is_empty() {
        say("note", "packages", "no package database that driftscan reads; packages are not compared");
    } else {
        say("ok", "packages", &format!("{} ({})", coverage.packages, systems.join(", ")));
    }
    0
}

fn show_remote(sudo: bool, choice: ProbeChoice) {
    let show = |heading: &str, way: Collecting| {
        out!("{heading}\n\n{}\n", way.command(sudo));
    };
    match choice {
        ProbeChoice::Auto => {
            out!("One command runs on the host, once a scan (probe=auto):\n");
            show("The installed probe where there is one, else a streamed one:", Collecting::Either);
            show("Only where the installed one can't be used, a streamed one after it:", Collecting::Stream);
            show("Only where neither can run, the host's own programs:", Collecting::Sh);
        }
        ProbeChoice::Stream => show("One command runs on the host, once a scan (probe=stream):", Collecting::Stream),
        ProbeChoice::Installed => {
            show("One command runs on the host, once a scan (probe=installed):", Collecting::Installed);
        }
        ProbeChoice::Sh => show("One command runs on the host, once a scan (probe=sh):", Collecting::Sh),
    }
    if choice == ProbeChoice::Sh {
        out!("Its standard input is which folders are listed and which files are hashed, by their paths.");
        out!("It starts the host's own programs alone, opens files for reading only and leaves no file behind.");
        return;
    }
    for (other, way) in [(ProbeChoice::Stream, Collecting::Stream), (ProbeChoice::Installed, Collecting::Installed)] {
        if choice != other && (choice, other) != (ProbeChoice::Auto, ProbeChoice::Stream) {
            show(&format!("With probe={}:", other.word()), way);
        }
    }
    out!(
        "The host speaks first. An installed probe gets the request on its standard input; a bootstrap that has a place\nfor it gets the probe and then the request:\n"
    );
    out!("  probe    {} bytes, sha256:{}", PROBE.len(), probe_digest());
    out!("  request  which paths are compared by which attributes; no command, no content\n");
    out!("The probe opens files for reading only, starts no program and leaves no file behind.");
}
