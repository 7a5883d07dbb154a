//! `driftscan baseline capture`: read a golden machine twice, and store what both readings agree on, or nothing.
//!
//! *Invariant:* nothing incomplete is stored: every path that was not read and every file that changed meanwhile is named,
//! and the capture refused.

use super::args::{CaptureArgs, OutputArgs};
use super::comparisons::stored;
use super::connect;
use super::policy;
use super::progress::Spinner;
use super::secret_key;
use super::siblings::{self, Golden};
use super::trouble::{Outcome, Trouble};
use super::version::TOOL;
use crate::collect::{self, Ask, Bounds, Captured, Failure, Ran};
use crate::drift::compare::reason;
use crate::drift::golden;
use crate::inventory::host::Host;
use crate::inventory::target;
use crate::manifest::{Baseline, Header, Label};
use crate::model::text::{escape, hex};
use crate::protocol::coverage::Coverage;
use crate::protocol::request::Limits;
use crate::protocol::{Attr, Record, RuleSet, SecretKey, Value};
use crate::scan::{Way, ask_terms};
use crate::store::{Baselines, BaselinesError, capture_v1};
use crate::transport::{Connection, LocalConnection};
use sha2::{Digest as _, Sha256};
use std::time::Instant;

/// Captures.
#[expect(clippy::too_many_lines, reason = "the steps of a capture, one after another")]
pub(super) fn run(args: &CaptureArgs, output: &OutputArgs) -> Outcome<u8> {
    let label = Label::parse(&args.label).map_err(Trouble::new)?;
    let store = Baselines::new(args.baselines.clone());
    let serial = serial(&store, &label, args.serial)?;
    let file = policy::read(args.policy.as_deref())?;
    let host = source(args)?;
    let siblings = siblings::read(args, &host)?;
    let dialer = connect::dialer(&args.connect)?;
    let ways = connect::ways(&dialer, std::slice::from_ref(&host))?;
    let sibling_ways = connect::ways(&dialer, &siblings)?;
    let Some(way) = ways.first() else { return Err(Trouble::new("nothing to capture from")) };
    let address = connect::address(&host, way);
    let deadline = Instant::now() + args.timeout;
    let mut connection: Box<dyn Connection> = match way {
        Way::Local => Box::new(LocalConnection::new()),
        Way::Ssh(route) => {
            let dialled = dialer.dial(route, deadline, &mut |_| {});
            dialled.map_err(|error| failed(&address, &Failure::of_transport(&error)))?
        }
    };

    let salt = random()?;
    let live = host.root.is_none();
    let nothing = RuleSet::default();
    let mut ask = Ask {
        policy: None,
        host: &host.name,
        root: host.root.as_deref().unwrap_or("/"),
        live,
        sudo: args.connect.sudo,
        probe: args.connect.probe.0,
        gentle: args.gentle,
        limits: Limits::default(),
        bounds: Bounds::CAPTURE,
        deadline,
        scopes: &[],
        rules: &nothing,
        key: None,
        salt: &salt,
        nonce: random()?,
    };
    let spinner = Spinner::new(output.quiet);
    spinner.say(format!("asking {address} which system it is"));
    // Which system it is decides the profile, so that is asked first, with nothing to walk.
    let first =
        collect::capture(&mut *connection, &ask, &mut Ran::default()).map_err(|failure| failed(&address, &failure))?;
    let policy = policy::of_captured(&file, &first);
    let rules = policy.compile();
    let secret = args.connect.secret_key.as_deref();
    let key = policy.is_keyed().then(|| secret_key::read_or_create(secret)).transpose()?;
    if let Some((key, Some(path))) = &key {
        out!("Secrets are digested with a new key, {}: {}", hex(&key.id()), path.display());
        out!("Every scan with this baseline needs it; keep a copy in a safe place, and no copy beside the baselines.");
    }
    let key: Option<SecretKey> = key.map(|(key, _)| key);
    ask.limits = ask_terms(Limits { seconds: u32::MAX, ..policy.limits() }, args.timeout);
    ask.scopes = policy.scopes();
    ask.rules = &rules;
    ask.key = key.as_ref();
    ask.policy = Some(&policy);
    let mut readings = Vec::new();
    let mut ran = Ran::default();
    for reading in 1..=2 {
        spinner.say(format!("reading {address}, {reading} of 2"));
        ask.nonce = random()?;
        ran = Ran::default();
        let captured =
            collect::capture(&mut *connection, &ask, &mut ran).map_err(|failure| failed(&address, &failure))?;
        whole(&captured.coverage)?;
        readings.push(captured);
    }
    let (Some(second), Some(captured)) = (readings.pop(), readings.pop()) else {
        return Err(Trouble::new("nothing was captured"));
    };
    agree(&captured, &second)?;
    known(&captured)?;
    let kept = golden::keep(&captured.records, &policy, &captured.texts, &second.texts);
    let changed: Vec<String> = kept.changed.iter().map(|path| escape(path)).collect();
    refuse_changed(&changed)?;
    let header = Header {
        label: label.clone(),
        serial,
        identity: captured.identity.clone(),
        live,
        scopes: policy.scopes().to_vec(),
        rules: rules.clone(),
        texts: None,
        key: key.as_ref().map(SecretKey::id),
        noise: Vec::new(),
    };
    let refused = |error| Trouble::new(format!("refused: {error}"));
    let mut baseline = Baseline::new(header, captured.records)
        .and_then(|baseline| baseline.with_texts(kept.texts))
        .map_err(refused)?;
    let learned = if siblings.is_empty() {
        None
    } else {
        let golden = Golden {
            baseline: &baseline,
            evidence: &captured.evidence,
            connection: &mut *connection,
            ask: &ask,
            file: &file,
            policy: &policy,
        };
        let found = siblings::calibrate(golden, args, &dialer, siblings.iter().zip(&sibling_ways), &spinner)?;
        baseline = baseline.with_noise(found.rules.clone()).map_err(refused)?;
        Some(found)
    };
    drop(spinner);
    let provenance = capture_v1::write(&capture_v1::Story {
        label: label.to_string(),
        baseline: baseline.digest.clone(),
        tool: TOOL.to_owned(),
        collector: ran.collector(),
        probe: ran.sent_probe().map(ToOwned::to_owned),
        installed_probe: ran.said_digest().map(ToOwned::to_owned),
        policy: hex(&Sha256::digest(policy.canonical())),
        captured: jiff::Timestamp::now().to_string(),
        by: std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default(),
        source: address.clone(),
        host_key: connection.host_key().map(ToOwned::to_owned),
        evidence: crate::scan::evidence(&captured.evidence, jiff::Timestamp::now().as_second()),
        walked: captured.coverage.walked,
        hashed_bytes: captured.coverage.hashed_bytes,
    });
    let new = store.save(&baseline, &provenance).map_err(|error| stored(&error))?;
    if let Some(found) = &learned {
        siblings::tell(&label, found, siblings.len(), output.quiet);
    }
    if !output.quiet {
        out!(
            "{label}: {} records, {} packages, serial {serial}, from {address}",
            baseline.records.len(),
            baseline.packages()
        );
        out!("{}  sha256:{}", store.path(&label).display(), baseline.digest);
        if !kept.left_out.is_empty() {
            let named: Vec<String> = kept.left_out.iter().take(5).map(|path| escape(path)).collect();
            let more = kept.left_out.len().saturating_sub(named.len());
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            out!("Too long to be kept for diffs and sentences: {}{more}", named.join(", "));
        }
        if !new {
            out!("It was there already with the same bytes.");
        }
    }
    Ok(0)
}

fn source(args: &CaptureArgs) -> Outcome<Host> {
    let hosts = target::parse([args.from.as_str()]).map_err(Trouble::all)?;
    let [mut host] = <[Host; 1]>::try_from(hosts).map_err(|_| {
        Trouble::with(format!("--from {:?} is more than one machine", args.from), "name the one golden machine")
    })?;
    if let Some(root) = &args.root {
        if host.root.is_some() || !root.starts_with('/') {
            return Err(Trouble::with(
                "--root needs an absolute path, and no root: in --from",
                "--from HOST --root /mnt/golden",
            ));
        }
        host.root = (root != "/").then(|| root.trim_end_matches('/').to_owned());
    }
    super::fleet::absolute(host)
}

/// The serial of the new version: of the same version where it is there, else one more than the newest.
fn serial(store: &Baselines, label: &Label, wanted: Option<u64>) -> Outcome<u64> {
    let versions = store.load_all(&label.template).map_err(|error| stored(&error))?;
    if let Some(same) = versions.iter().find(|baseline| baseline.header.label == *label) {
        return match wanted {
            Some(serial) if serial != same.header.serial => {
                Err(stored(&BaselinesError::Exists { label: label.clone() }))
            }
            _ => Ok(same.header.serial),
        };
    }
    let newest = versions.first().map_or(0, |baseline| baseline.header.serial);
    let serial = wanted.unwrap_or(newest + 1);
    match versions.iter().find(|baseline| baseline.header.serial == serial) {
        None => Ok(serial),
        Some(other) => Err(Trouble::with(
            format!("serial {serial} is that of {}", other.header.label),
            format!("leave --serial out for {}", newest + 1),
        )),
    }
}

/// Refuses a reading with a gap.
fn whole(coverage: &Coverage) -> Outcome<()> {
    if coverage.troubles_total == 0 {
        return Ok(());
    }
    let mut lines = vec![format!("the capture is refused: {} things were not read", coverage.troubles_total)];
    for trouble in coverage.troubles.iter().take(20) {
        lines.push(format!("  {} ({})", escape(&trouble.path), reason(trouble.why)));
    }
    if coverage.troubles_total > 20 {
        lines.push(format!("  and {} more", coverage.troubles_total - 20));
    }
    Err(Trouble::with(
        lines.join("\n"),
        "capture with --sudo, from a machine that is at rest; leave out by policy what always changes",
    ))
}

/// Refuses two readings that differ, and names what differs.
fn agree(first: &Captured, second: &Captured) -> Outcome<()> {
    let mut changed: Vec<String> = Vec::new();
    let (mut a, mut b) = (first.records.iter().peekable(), second.records.iter().peekable());
    loop {
        let subject = match (a.peek(), b.peek()) {
            (None, None) => break,
            (Some(x), None) | (None, Some(x)) => x.subject().to_vec(),
            (Some(x), Some(y)) => x.subject().min(y.subject()).to_vec(),
        };
        let is = |record: &&Record| record.subject() == subject;
        if a.next_if(is) != b.next_if(is) {
            changed.push(escape(&subject));
        }
    }
    refuse_changed(&changed)
}

fn refuse_changed(changed: &[String]) -> Outcome<()> {
    if changed.is_empty() {
        return Ok(());
    }
    let mut lines = vec![format!("the capture is refused: {} things changed while it ran", changed.len())];
    lines.extend(changed.iter().take(20).map(|subject| format!("  {subject}")));
    if changed.len() > 20 {
        lines.push(format!("  and {} more", changed.len() - 20));
    }
    Err(Trouble::with(
        lines.join("\n"),
        "capture from a machine that is at rest, or compare these paths by metadata in the policy",
    ))
}

/// Refuses a file above the size cap: its content would be compared with nothing.
fn known(captured: &Captured) -> Outcome<()> {
    let oversize = |record: &&Record| {
        [Attr::Content, Attr::View].iter().any(|attr| record.view().attr(*attr) == Some(Value::Oversize))
    };
    let names: Vec<String> = captured
        .records
        .iter()
        .filter(oversize)
        .take(20)
        .map(|record| format!("  {}", escape(record.view().path().unwrap_or_default())))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    Err(Trouble::with(
        format!("the capture is refused: files above the size cap would not be compared\n{}", names.join("\n")),
        "compare them by metadata in the policy, or raise file_bytes in its [limits]",
    ))
}

pub(super) fn failed(address: &str, failure: &Failure) -> Trouble {
    let text = format!("{address}: {failure}");
    match &failure.remedy {
        Some(remedy) => Trouble::with(text, remedy),
        None => Trouble::new(text),
    }
}

/// Random bytes of the kernel.
pub(super) fn random<const N: usize>() -> Outcome<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Trouble::new(format!("no random numbers: {error}")))?;
    Ok(bytes)
}
