//! `driftscan baseline capture`: read a golden machine twice, and store what both readings agree on, or nothing.
//!
//! *Invariant:* nothing incomplete is stored: every path that was not read and every file that changed meanwhile is named,
//! and the capture refused.

use super::args::{CaptureArgs, OutputArgs};
use super::comparisons::stored;
use super::connect;
use super::lessons;
use super::policy;
use super::progress::Spinner;
use super::reading;
use super::secret_key;
use super::siblings::{self, Golden};
use super::trouble::{Outcome, Trouble, warn};
use super::version::TOOL;
use crate::collect::{self, Ask, Bounds, Failure, Ran};
use crate::inventory::host::Host;
use crate::inventory::target;
use crate::manifest::{Header, Label, NoiseRule};
use crate::model::Image;
use crate::model::text::{escape, hex};
use crate::protocol::request::Limits;
use crate::protocol::{RuleSet, SecretKey};
use crate::scan::{Way, ask_terms};
use crate::store::{Baselines, BaselinesError, capture_v1};
use crate::transport::{Connection, LocalConnection};
use sha2::{Digest as _, Sha256};
use std::time::Instant;

/// Captures.
pub(super) fn run(args: &CaptureArgs, output: &OutputArgs) -> Outcome<u8> {
    let told = store(args, &source(args)?, None, output)?;
    for line in told.iter().filter(|_| !output.quiet) {
        out!("{line}");
    }
    Ok(0)
}

/// Captures a machine and stores it, as a `draft` where that says of what; gives what to tell a person.
#[expect(clippy::too_many_lines, reason = "the steps of a capture, one after another")]
pub(super) fn store(args: &CaptureArgs, host: &Host, draft: Option<&str>, output: &OutputArgs) -> Outcome<Vec<String>> {
    let mut told = Vec::new();
    let label = Label::parse(&args.label).map_err(Trouble::new)?;
    let store = Baselines::new(args.baselines.clone());
    let serial = serial(&store, &label, args.serial)?;
    let file = policy::read(args.policy.as_deref())?;
    let siblings = siblings::read(args, host)?;
    let dialer = connect::dialer(&args.connect)?;
    let ways = connect::ways(&dialer, std::slice::from_ref(host))?;
    let sibling_ways = connect::ways(&dialer, &siblings)?;
    let Some(way) = ways.first() else { return Err(Trouble::new("nothing to capture from")) };
    let address = connect::address(host, way);
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
        sudo: host.sudo.unwrap_or(args.connect.sudo),
        probe: host.probe.unwrap_or(args.connect.probe.0),
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
        let lines = [
            format!("Secrets are digested with a new key, {}: {}", hex(&key.id()), path.display()),
            "Every scan with this baseline needs it; keep a copy in a safe place, and no copy beside the baselines."
                .to_owned(),
        ];
        // A new key is told even where the capture comes to nothing: it is there from now on. Before a draft stands a census,
        // which may be a document.
        for line in lines {
            if draft.is_some() {
                err!("{line}");
            } else {
                out!("{line}");
            }
        }
    }
    let key: Option<SecretKey> = key.map(|(key, _)| key);
    ask.limits = ask_terms(Limits { seconds: u32::MAX, ..policy.limits() }, args.timeout);
    ask.scopes = policy.scopes();
    ask.rules = &rules;
    ask.key = key.as_ref();
    ask.policy = Some(&policy);
    let mut reading = reading::twice(&mut *connection, &ask, &policy, &address, &spinner)?;
    let header = Header {
        label: label.clone(),
        serial,
        identity: reading.captured.identity.clone(),
        live,
        scopes: policy.scopes().to_vec(),
        rules: rules.clone(),
        texts: None,
        key: key.as_ref().map(SecretKey::id),
        noise: Vec::new(),
        image: Image::of(&reading.captured.evidence),
    };
    let mut baseline = reading.baseline(header)?;
    let (viewed, viewed_rules);
    let mut captured_by = &policy;
    let learned = if siblings.is_empty() {
        None
    } else {
        let golden = Golden {
            baseline: &baseline,
            evidence: &reading.captured.evidence,
            connection: &mut *connection,
            ask: &ask,
            file: &file,
            policy: &policy,
        };
        let (mut found, reached) =
            siblings::calibrate(golden, args, &dialer, siblings.iter().zip(&sibling_ways), &spinner)?;
        // What is compared by a view from now on has to be captured by it: what was read so far are bytes.
        let views: Vec<NoiseRule> = found.rules.iter().filter(|rule| rule.is_viewed()).cloned().collect();
        if !views.is_empty() {
            viewed = policy::of_noise(&file, &baseline, &views);
            viewed_rules = viewed.compile();
            ask = Ask { rules: &viewed_rules, policy: Some(&viewed), deadline: Instant::now() + args.timeout, ..ask };
            let mut again = reading::twice(&mut *connection, &ask, &viewed, &address, &spinner)?;
            let before = baseline;
            baseline = again.baseline(Header { rules: viewed_rules.clone(), texts: None, ..before.header })?;
            reading::agree_but_for_views(&before.records, &baseline.records)?;
            (reading, captured_by) = (again, &viewed);
        }
        baseline = baseline.with_noise(found.rules.clone()).map_err(reading::refused)?;
        siblings::prove(&mut found, reached, (&baseline, &file), &ask, args.timeout, &spinner)?;
        Some(found)
    };
    let reading::Reading { captured, left_out, ran, .. } = reading;
    drop(spinner);
    let provenance = capture_v1::write(&capture_v1::Story {
        label: label.to_string(),
        baseline: baseline.digest.clone(),
        tool: TOOL.to_owned(),
        collector: ran.collector(),
        probe: ran.sent_probe().map(ToOwned::to_owned),
        installed_probe: ran.said_digest().map(ToOwned::to_owned),
        policy: hex(&Sha256::digest(captured_by.canonical())),
        captured: jiff::Timestamp::now().to_string(),
        by: std::env::var("SUDO_USER").or_else(|_| std::env::var("USER")).unwrap_or_default(),
        draft: draft.map(ToOwned::to_owned),
        source: address.clone(),
        host_key: connection.host_key().map(ToOwned::to_owned),
        evidence: crate::scan::evidence(&captured.evidence, jiff::Timestamp::now().as_second()),
        walked: captured.coverage.walked,
        hashed_bytes: captured.coverage.hashed_bytes,
    });
    let image = &baseline.header.image;
    if let Some(version) = image.version.as_ref().filter(|version| **version != label.version) {
        warn(format!(
            "os-release of {address} says image version {version}, and the baseline is {label}: where the two are the same, a \
             host's own word is easier to follow"
        ));
    }
    let new = store.save(&baseline, &provenance).map_err(|error| stored(&error))?;
    if let Some(found) = &learned {
        lessons::tell(&label, found, siblings.len(), output.quiet);
    }
    told.push(format!(
        "{label}: {} records, {} packages, serial {serial}, from {address}",
        baseline.records.len(),
        baseline.packages()
    ));
    told.push(format!("{}  sha256:{}", store.path(&label).display(), baseline.digest));
    if !left_out.is_empty() {
        let named: Vec<String> = left_out.iter().take(5).map(|path| escape(path)).collect();
        let more = left_out.len().saturating_sub(named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        told.push(format!("Too long to be kept for diffs and sentences: {}{more}", named.join(", ")));
    }
    if !new {
        told.push("It was there already with the same bytes.".to_owned());
    }
    Ok(told)
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
