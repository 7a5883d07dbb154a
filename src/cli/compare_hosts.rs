//! `driftscan compare`: what differs between two hosts.
//!
//! *Invariant:* neither host is the right one: every difference is told with the side that it is on.

use super::args::{CompareArgs, OutputArgs};
use super::audit::run_id;
use super::capture::{failed, random};
use super::output::{self, named};
use super::pivot::Survey;
use super::stop::Stop;
use super::trouble::{Outcome, Trouble, warn};
use super::{connect, fleet, policy};
use crate::inventory::host::Host;
use crate::inventory::target;
use crate::model::Reason;
use crate::protocol::SecretKey;
use crate::report::census::Head;
use crate::report::pair::{self, Pair};
use crate::report::table;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Compares.
pub(super) fn run(args: &CompareArgs, output: &OutputArgs) -> Outcome<u8> {
    let formats = named(&args.format, &["table", "json"])?;
    let hosts = hosts(args)?;
    let file = policy::read(args.read.policy.as_deref())?;
    let dialer = Arc::new(connect::dialer(&args.read.connect)?);
    let ways = connect::ways(&dialer, &hosts)?;
    for warning in dialer.warnings() {
        warn(warning);
    }
    let stop = Stop::listen()?;
    let started = jiff::Timestamp::now();
    let clock = Instant::now();
    let survey = Survey {
        hosts: &hosts,
        ways: &ways,
        dialer: &dialer,
        file: &file,
        args: &args.read,
        jobs: 1,
        rate: 0,
        per_jump: 0,
        salt: random()?,
        key: SecretKey(random()?),
        stop: &stop,
        quiet: output.quiet,
    };
    let first = survey.pivot(0).map_err(|failure| failed(&hosts[0].name, &failure));
    let second = first.and_then(|first| Ok((survey.against(&first, &[1])?.pop(), first)));
    dialer.close();
    if let Some(signal) = stop.signal() {
        return Ok(128u8.wrapping_add(u8::try_from(signal).unwrap_or(0)));
    }
    let (second, first) = second?;
    let Some(second) = second else { return Err(Trouble::new("the second host was not read")) };
    let mut pair = Pair { first: first.outcome, second };
    for obstacle in &mut pair.second.reasons {
        if obstacle.reason == Reason::WrongBaseline {
            // In the words of two hosts: there is no template here.
            let theirs = obstacle.text.rsplit_once(", and ").map_or("", |(theirs, _)| theirs).to_owned();
            obstacle.text = format!("{theirs}, and {} is {}: nothing else was compared", pair.first.name, first.system);
            obstacle.remedy = None;
        }
    }
    let head = Head {
        run: run_id(started)?,
        started: jiff::Timestamp::from_second(started.as_second()).unwrap_or(started).to_string(),
        millis: u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let status = pair.status();
    output::print_each(
        &formats,
        output,
        output.quiet && status == 0,
        &mut |bytes| pair::write(&head, &pair, bytes),
        &mut |options, bytes| table::pair(&head, &pair, options, bytes),
    )?;
    Ok(status)
}

/// The two hosts: names of the fleet, or targets.
fn hosts(args: &CompareArgs) -> Outcome<[Host; 2]> {
    let file = args.fleet.clone().or_else(|| std::env::var_os("DRIFTSCAN_FLEET").map(PathBuf::from));
    let known = match file {
        Some(file) => fleet::read(&file)?.hosts,
        None => Vec::new(),
    };
    let find = |typed: &str| {
        if let Some(host) = known.iter().find(|host| host.name == *typed) {
            return fleet::absolute(host.clone());
        }
        let [host] = <[Host; 1]>::try_from(target::parse([typed]).map_err(Trouble::all)?)
            .map_err(|_| Trouble::with(format!("{typed:?} is more than one host"), "driftscan compare HOST1 HOST2"))?;
        fleet::absolute(host)
    };
    let (first, second) = (find(&args.first)?, find(&args.second)?);
    if first.name == second.name && first.root == second.root {
        return Err(Trouble::with(format!("{} is both hosts", first.name), "name two hosts"));
    }
    Ok([first, second])
}
