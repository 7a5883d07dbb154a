//! `driftscan doctor HOST`: the way to one host step by step: what works, what does not, what to do.
//!
//! *Invariant:* the steps are those of a scan, taken with the same code; nothing is compared and nothing is kept.

use super::args::DoctorArgs;
use super::capture::random;
use super::trouble::{Outcome, Trouble};
use super::{connect, fleet, policy};
use crate::collect::{self, Ask, Captured, Failure, PROBE, command, probe_digest};
use crate::drift::compare::reason;
use crate::inventory::host::Host;
use crate::inventory::{limit, target};
use crate::model::text::escape;
use crate::policy::{Policy, PolicyFile};
use crate::protocol::reply::evidence;
use crate::protocol::request::Limits;
use crate::protocol::{Coverage, RuleSet, Salt};
use crate::scan::{Way, ask_terms};
use crate::transport::{Connection, Dialer, LocalConnection, Step};
use std::time::{Duration, Instant};

/// More than a listing of any host that this command is good for.
const BUDGET: u64 = 1 << 30;

/// Takes the steps; 0 where all of them work, 3 where one does not.
pub(super) fn run(args: &DoctorArgs) -> Outcome<u8> {
    let host = find(args)?;
    let sudo = host.sudo.unwrap_or(args.connect.sudo);
    if args.show_remote {
        show_remote(sudo);
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
    connection.allow(BUDGET, deadline);
    let salt = random()?;
    let visit = Visit { host: &host, sudo, timeout: args.timeout, salt: &salt };
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
    let mut next = "resolve";
    let dialled = dialer.dial(route, deadline, &mut |step| match step {
        Step::Resolved { addresses } => {
            let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            say("ok", "resolve", &addresses.join(" "));
            next = "connect";
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
    match dialled {
        Ok(connection) => Ok(Box::new(connection)),
        Err(error) => Err(fail(next, &Failure::of_transport(&error))),
    }
}

struct Visit<'a> {
    host: &'a Host,
    sudo: bool,
    timeout: Duration,
    salt: &'a Salt,
}

impl Visit<'_> {
    fn ask<'b>(&'b self, limits: Limits, scopes: &'b [Vec<u8>], rules: &'b RuleSet) -> Outcome<Ask<'b>> {
        Ok(Ask {
            host: &self.host.name,
            root: self.host.root.as_deref().unwrap_or("/"),
            live: self.host.root.is_none(),
            sudo: self.sudo,
            gentle: false,
            limits: ask_terms(limits, self.timeout),
            scopes,
            rules,
            salt: self.salt,
            nonce: random()?,
        })
    }

    fn run(&self, connection: &mut dyn Connection, file: &PolicyFile) -> Outcome<u8> {
        if self.sudo
            && let Err(failure) = sudo_alone(connection)
        {
            return Ok(fail("sudo", &failure));
        }
        if self.sudo {
            say("ok", "sudo", "sudo -n runs commands");
        }
        let nothing = RuleSet::default();
        let first = match collect::capture(connection, &self.ask(Limits::default(), &[], &nothing)?) {
            Ok(first) => first,
            Err(failure) => return Ok(fail("probe", &failure)),
        };
        say("ok", "probe", &who(&first));
        let policy = policy::of_captured(file, &first);
        let rules = policy.compile();
        let ask = self.ask(policy.limits(), policy.scopes(), &rules)?;
        let observed = match collect::observe(connection, &ask, &[]) {
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

/// Whether sudo lets the account run anything, apart from everything else that can fail.
fn sudo_alone(connection: &mut dyn Connection) -> Result<(), Failure> {
    let exchange = connection.exec("exec sudo -n /bin/sh -c true").map_err(|error| Failure::of_transport(&error))?;
    let exit = exchange.finish().map_err(|error| Failure::of_transport(&error))?;
    if exit.status == Some(0) { Ok(()) } else { Err(Failure::of_exit(&exit, true, b"")) }
}

fn read_rights(coverage: &Coverage, policy: &Policy) -> u8 {
    let unread: Vec<_> = coverage.troubles.iter().filter(|trouble| !policy.excuses(&trouble.path)).collect();
    if unread.is_empty() && coverage.troubles_total == coverage.troubles.len() as u64 {
        say("ok", "read", &format!("{} entries, {} compared, nothing unreadable", coverage.walked, coverage.compared));
        return 0;
    }
    let mut lines = vec![format!("{} things were not read:", coverage.troubles_total)];
    lines.extend(unread.iter().take(10).map(|trouble| format!("{} ({})", escape(&trouble.path), reason(trouble.why))));
    if unread.len() > 10 {
        lines.push(format!("and {} more", unread.len() - 10));
    }
    lines.push("to do: --sudo, or name them in the policy's excuse_unreadable".to_owned());
    say("FAIL", "read", &lines.join("\n"));
    3
}

fn packages(coverage: &Coverage) -> u8 {
    if coverage.has_packages {
        say("ok", "packages", &format!("{} in dpkg's database", coverage.packages));
    } else {
        say("note", "packages", "no package database that driftscan reads; packages are not compared");
    }
    0
}

fn show_remote(sudo: bool) {
    out!("One command runs on the host, once a scan:\n");
    out!("{}\n", command(sudo, PROBE.len()));
    out!("Its standard input is the probe and then the request:\n");
    out!("  probe    {} bytes, sha256:{}", PROBE.len(), probe_digest());
    out!("  request  which paths are compared by which attributes; no command, no content\n");
    out!("The probe opens files for reading only, starts no program and leaves no file behind.");
}
