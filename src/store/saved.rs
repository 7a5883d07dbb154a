//! An earlier run's report, host by host, as far as it is counted.
//!
//! Whole reports of large fleets take gigabytes in memory and seconds to read. What is only counted (since when a finding is
//! there, how many hosts have it) is read a line at a time by a few threads, in memory for a few hundred hosts.
//!
//! *Invariant:* hosts come in the order of the report; a report that is not whole, or not well-formed, is an error after
//! which nothing that was read before may be used.

use super::error::StoreError;
use super::files;
use super::runs::Runs;
use crate::model::RunId;
use crate::report::json::ReadError;
use crate::report::json::held::{self, Held, Opening};
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Threads that parse.
const THREADS: usize = 2;
/// Bytes of lines that one of them takes at a time.
const BATCH: usize = 1 << 20;
/// The longest line: a host with every finding that can be told of it.
const LONGEST: usize = 256 << 20;
/// Batches on their way to each side, so that memory stays bounded.
const UNDER_WAY: usize = 2;

type Parsed = Result<Vec<Held>, ReadError>;

impl Runs {
    /// Reads the report of a run host by host.
    ///
    /// # Errors
    /// When there is no report, when it can't be read, or is not what was written; hosts that `each` was given before then
    /// are not to be used.
    pub fn each_host(&self, run: &RunId, each: &mut dyn FnMut(Held)) -> Result<Opening, StoreError> {
        let path = self.report_path(run);
        let io = || StoreError::io(&path, "read");
        let corrupt = |source| StoreError::Report { path: path.clone(), source };
        let mut reader = BufReader::with_capacity(256 * 1024, open(&path).map_err(io())?);
        let Some(opening) = opening(&mut reader).map_err(io())? else {
            return self.each_of_a_whole(run, each);
        };
        let opening = opening.map_err(corrupt)?;
        let mut seen = 0;
        let parsed = parse(reader, &mut |hosts: Vec<Held>| {
            seen += hosts.len() as u64;
            hosts.into_iter().for_each(&mut *each);
        });
        parsed.map_err(io())?.map_err(corrupt)?;
        if seen != opening.finished {
            let what = "the hosts are not as many as its summary counts";
            return Err(corrupt(ReadError::Inconsistent { place: "hosts".to_owned(), what }));
        }
        Ok(opening)
    }

    /// A report of before hosts had lines, or without hosts.
    fn each_of_a_whole(&self, run: &RunId, each: &mut dyn FnMut(Held)) -> Result<Opening, StoreError> {
        let outcome = self.load(run)?;
        outcome.hosts.iter().map(Held::of).for_each(each);
        Ok(Opening::of(&outcome))
    }
}

fn open(path: &Path) -> io::Result<impl Read + Send + use<>> {
    let file = OpenOptions::new().read(true).custom_flags(files::flags(OFlags::NONBLOCK)).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok(file)
}

/// A line with its line feed; empty at the end.
fn line(reader: &mut dyn BufRead, into: &mut Vec<u8>) -> io::Result<usize> {
    let read = reader.take(LONGEST as u64).read_until(b'\n', into)?;
    if read == LONGEST { Err(io::Error::new(io::ErrorKind::InvalidData, "a line is too long")) } else { Ok(read) }
}

/// What stands before the hosts; `None` where the document is written in another way.
fn opening(reader: &mut dyn BufRead) -> io::Result<Option<Result<Opening, ReadError>>> {
    let mut head = Vec::new();
    while line(reader, &mut head)? > 0 {
        if let Some(opening) = held::opening(&head) {
            return Ok(Some(opening));
        }
    }
    Ok(None)
}

/// Parses lines by several threads and hands them on in order.
fn parse(reader: impl BufRead + Send, each: &mut dyn FnMut(Vec<Held>)) -> io::Result<Result<(), ReadError>> {
    let (to_parse, batches) = sync_channel::<(usize, Vec<u8>)>(UNDER_WAY);
    let (to_collect, parsed) = sync_channel::<(usize, Parsed)>(UNDER_WAY);
    let batches = Mutex::new(batches);
    thread::scope(|scope| {
        let reading = scope.spawn(move || cut(reader, &to_parse));
        for _ in 0..THREADS {
            let (batches, to_collect) = (&batches, to_collect.clone());
            scope.spawn(move || work(batches, &to_collect));
        }
        drop(to_collect);
        let parsed = collect(&parsed, each);
        // Threads that wait for somebody to take what they have must be let go.
        drop(batches.lock());
        let read = reading.join().unwrap_or_else(|_| Err(io::Error::other("the reader ended early")));
        read.map(|()| parsed)
    })
}

/// Cuts the rest of the file into batches of whole lines.
fn cut(mut reader: impl BufRead, to: &SyncSender<(usize, Vec<u8>)>) -> io::Result<()> {
    for number in 0.. {
        let mut batch = Vec::with_capacity(BATCH + BATCH / 8);
        while batch.len() < BATCH && line(&mut reader, &mut batch)? > 0 {}
        if batch.is_empty() || to.send((number, batch)).is_err() {
            break;
        }
    }
    Ok(())
}

fn work(batches: &Mutex<Receiver<(usize, Vec<u8>)>>, to: &SyncSender<(usize, Parsed)>) {
    loop {
        let next = batches.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((number, batch)) = next else { break };
        let lines = batch.split(|b| *b == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let hosts = lines.map(held::host).collect();
        if to.send((number, hosts)).is_err() {
            break;
        }
    }
}

/// Takes batches in their order, whichever comes first. It drains all of them, so that nobody waits for ever.
fn collect(parsed: &Receiver<(usize, Parsed)>, each: &mut dyn FnMut(Vec<Held>)) -> Result<(), ReadError> {
    let mut early = BTreeMap::new();
    let mut next = 0;
    let mut failed = None;
    for (number, hosts) in parsed {
        early.insert(number, hosts);
        while let Some(hosts) = early.remove(&next) {
            next += 1;
            match hosts {
                Ok(hosts) if failed.is_none() => each(hosts),
                Ok(_) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use crate::drift::fleet::ledger::Ledger;
    use crate::drift::fleet::shares::weigh;
    use crate::report::samples::{any_fleet, fleet, host, mixed_fleet};
    use crate::store::Kind;
    use proptest::prelude::*;
    use std::fs;

    fn saved(outcome: &crate::model::FleetOutcome) -> (tempfile::TempDir, Runs) {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::open(folder.path()).unwrap();
        runs.create(&outcome.run).unwrap().write_report(outcome).unwrap();
        (folder, runs)
    }

    fn all(runs: &Runs, run: &RunId) -> Result<(Opening, Vec<Held>), StoreError> {
        let mut hosts = Vec::new();
        let opening = runs.each_host(run, &mut |host| hosts.push(host))?;
        Ok((opening, hosts))
    }

    #[test]
    fn many_batches_come_in_order() {
        let hosts = (0..4_000).map(|n| host(&format!("web-{n:05}"), "web", "web@1")).collect();
        let outcome = fleet(hosts, &[("web", "web@1")]);
        let (_folder, runs) = saved(&outcome);
        let size = fs::metadata(runs.report_path(&outcome.run)).unwrap().len();
        assert!(size > 2 * BATCH as u64, "{size}");
        let (opening, hosts) = all(&runs, &outcome.run).unwrap();
        assert_eq!((opening, hosts), (Opening::of(&outcome), outcome.hosts.iter().map(Held::of).collect()));
    }

    #[test]
    fn a_report_in_one_line_is_read_as_well() {
        let outcome = mixed_fleet();
        let (_folder, runs) = saved(&outcome);
        let path = runs.report_path(&outcome.run);
        let value: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let by_lines = all(&runs, &outcome.run).unwrap();
        fs::write(&path, serde_json::to_vec(&value).unwrap()).unwrap();
        assert_eq!(all(&runs, &outcome.run).unwrap(), by_lines);
    }

    #[test]
    fn a_report_that_is_not_whole_is_an_error() {
        let outcome = mixed_fleet();
        let (_folder, runs) = saved(&outcome);
        let path = runs.report_path(&outcome.run);
        let bytes = fs::read(&path).unwrap();
        let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
        let without =
            |at: usize| lines.iter().enumerate().filter(|(n, _)| *n != at).flat_map(|(_, l)| *l).copied().collect();
        let cases: [Vec<u8>; 3] = [bytes[..bytes.len() - 400].to_vec(), without(lines.len() - 3), bytes[..40].to_vec()];
        for bytes in cases {
            fs::write(&path, bytes).unwrap();
            assert_eq!(all(&runs, &outcome.run).unwrap_err().kind(), Kind::Corrupt);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_is_counted_is_what_a_whole_report_gives(outcome in any_fleet()) {
            let (_folder, runs) = saved(&outcome);
            let mut ledger = Ledger::default();
            let opening = runs
                .each_host(&outcome.run, &mut |host| ledger.add(&host.name, &host.group, host.is_compared, host.entries()))
                .unwrap();
            prop_assert_eq!(&opening, &Opening::of(&outcome));
            let of = |ledger: &Ledger| weigh(ledger, opening.common_at, opening.drift_at);
            prop_assert_eq!(of(&ledger), of(&Ledger::of(&outcome)));
        }
    }
}
