//! The program that runs on a host for the length of one scan: it reads one request from standard input, looks at the
//! tree, answers on standard output, and is gone.
//!
//! *Invariant:* it opens files for reading only, starts no program, opens no socket, and never returns
//! a secret: which contents it tells at all, `secrets.rs` bounds.
#![no_std]
#![no_main]

extern crate alloc;

mod answer;
mod clock;
mod facts;
mod hash;
mod hostfacts;
mod identities;
mod kernel;
mod malformed;
mod meta;
mod mounts;
mod owned;
mod owners;
mod packages;
mod place;
#[expect(dead_code, unused_imports, reason = "the controller's half of the shared language is not called here")]
mod protocol;
mod secrets;
mod slots;
mod stream;
mod sys;
mod texts;
mod tree;
mod usage;
mod walk;
mod xattrs;

use alloc::vec::Vec;
use protocol::coverage::{Coverage, Part, Why};
use protocol::reply::{FrameKind, Root};
use protocol::request::{FollowUp, Mode, Request};
use protocol::{digest, order};
use slots::{Content, Slot, Slots};
use stream::Output;

/// The request was not understood.
const NOT_UNDERSTOOD: i32 = 64;
/// The kernel refused what a scan needs at least.
const NO_RESOURCES: i32 = 71;

/// Runs one scan; the result is the process's status.
pub(crate) fn run() -> i32 {
    sys::reset_signals();
    sys::close_inherited();
    let _ = rustix::process::nice(19);
    sys::idle_io();
    let output = Output::hello();
    match stream::request() {
        Ok(request) => scan(&request, output),
        Err(_) => NOT_UNDERSTOOD,
    }
}

fn scan(request: &Request, mut output: Output) -> i32 {
    output.open(&request.nonce);
    let clock = clock::Clock::new(request.limits.seconds);
    let place = match place::Place::open(&request.root) {
        Ok(place) => place,
        Err(errno) => {
            let mut text = Vec::new();
            owners::decimal(u64::from(errno.raw_os_error().unsigned_abs()), &mut text);
            output.frame(FrameKind::Refused, &text);
            output.close();
            return 0;
        }
    };
    let mounts = mounts::below(&request.root);
    let owners = owners::Owners::of(&place);
    let packages = packages::read(&place);
    let walk = walk::Walk::new(&place, request, mounts.as_deref().unwrap_or_default(), &clock);
    let (tree, mut coverage) = walk.run();
    if let Err(errno) = &mounts {
        walk::note(&mut coverage, b"mountinfo", Part::Source, walk::why(*errno), errno.raw_os_error());
    }
    let Ok(slots) = Slots::new(tree.entries.len()) else {
        return NO_RESOURCES;
    };
    let own = hostfacts::read(&place, request.live);
    let lost = hash::Hashing::new(&place, &tree, &owners, &own, request, &clock, &slots).run(processes(request.gentle));
    if lost > 0 {
        walk::note(&mut coverage, b"hashing process", Part::Source, Why::NotRead, 0);
    }
    account(&tree, &owners, &slots, &mut coverage);

    let mut facts = facts::read(&place, request.live);
    identities::read(&place, &mut facts.evidence);
    let mut pseudo = core::mem::take(&mut facts.records);
    if request.live {
        kernel::read(&own, &mut coverage, &mut pseudo);
    }
    // What changed under the walk was seen half old and half new, and no set of packages explains it.
    let after = packages::read(&place);
    if after != packages {
        walk::note(&mut coverage, b"packages", Part::Source, Why::Packages, packages::CHANGED.raw_os_error());
    }
    for (system, errno) in after.troubles {
        let source = [b"packages:", system.word().as_bytes()].concat();
        walk::note(&mut coverage, &source, Part::Source, Why::Packages, errno.raw_os_error());
    }
    coverage.systems = after.systems;
    coverage.packages = after.records.len() as u64;
    pseudo.extend(after.records);
    if request.live {
        pseudo.extend(live_mounts(request, mounts.as_deref().unwrap_or_default()));
    }
    let set = answer::Set::new(&tree, &owners, &slots, &request.salt, pseudo);
    coverage.compared = set.len() as u64;
    coverage.hashed_bytes = slots.bytes();
    coverage.millis = clock.elapsed();

    let mut payload = Vec::new();
    facts.identity.encode(&mut payload);
    output.frame(FrameKind::Identity, &payload);
    payload.clear();
    facts.evidence.encode(&mut payload);
    output.frame(FrameKind::Evidence, &payload);
    send_coverage(coverage, &mut output);
    payload.clear();
    let root = digest::root(&request.nonce, &request.host, &set.of_set());
    Root { root, records: set.len() as u64 }.encode(&mut payload);
    output.frame(FrameKind::Root, &payload);
    let mut symbols = 0;
    match request.mode {
        Mode::Sketch(n) => {
            symbols = n as usize;
            set.send_symbols(0, symbols, &mut output);
        }
        Mode::Listing | Mode::Capture => set.send_all(&mut output),
    }
    output.flush();
    let host =
        owned::Host { place: &place, tree: &tree, slots: &slots, clock: &clock, file_bytes: request.limits.file_bytes };
    converse(host, &own, mounts.as_deref().unwrap_or_default(), &set, symbols, output)
}

fn converse(
    host: owned::Host<'_>,
    own: &protocol::HostFacts,
    mounts: &[mounts::Mount],
    set: &answer::Set<'_>,
    mut symbols: usize,
    mut output: Output,
) -> i32 {
    loop {
        match stream::follow_up() {
            Err(_) => return NOT_UNDERSTOOD,
            Ok(None | Some(FollowUp::Bye)) => {
                output.close();
                return 0;
            }
            Ok(Some(FollowUp::More(to))) => {
                set.send_symbols(symbols, to as usize, &mut output);
                symbols = symbols.max(to as usize);
            }
            Ok(Some(FollowUp::Records(ids))) => set.send_records(&ids, &mut output),
            Ok(Some(FollowUp::Listing)) => set.send_all(&mut output),
            Ok(Some(FollowUp::Texts(questions))) => texts::send(host.place, own, &questions, &mut output),
            Ok(Some(FollowUp::Owners { prove, paths })) => owned::send(host, prove, &paths, &mut output),
            Ok(Some(FollowUp::Usage(survey))) => usage::send(host.place, mounts, &survey, &mut output),
        }
        output.flush();
    }
}

/// Two a processor hide a cold disk; four at least, sixteen at most.
fn processes(gentle: bool) -> usize {
    if gentle {
        return 1;
    }
    let cores = rustix::thread::sched_getaffinity(None).map_or(2, |set| set.count() as usize);
    (2 * cores).clamp(4, 16)
}

/// Counts what the hashing could not read, and gives an unread record to every slot that was never filled.
fn account(tree: &tree::Tree, owners: &owners::Owners, slots: &Slots, coverage: &mut Coverage) {
    let (mut path, mut record) = (Vec::new(), Vec::new());
    let mut guard = (0, 0);
    for (number, entry) in tree.entries.iter().enumerate() {
        let slot = slots.slot(number).unwrap_or_else(|| {
            let content = if entry.is_read() { Content::Unread(Why::NotRead, 0) } else { Content::NotAsked };
            let mut slot = Slot { content, xattrs: Some(Why::NotRead), rest: 0, record: [0; 32] };
            hash::encode(tree, owners, slots, entry, &slot, &mut path, &mut record);
            slot.record = digest::of_record(&record);
            slots.put(number, &slot);
            slot
        });
        let content = match slot.content {
            Content::Unread(why, errno) if entry.flags & tree::Entry::OVER_BUDGET == 0 => {
                Some((Part::Content, why, errno))
            }
            _ => None,
        };
        for (part, why, errno) in content.into_iter().chain(slot.xattrs.map(|why| (Part::Xattrs, why, 0))) {
            tree.path(entry, &mut path);
            // As in the walk: a tree of ordinary users has room for a few troubles, then for one that stands for all.
            let tops = tree.guards.partition_point(|(first, _)| *first as usize <= number);
            if entry.flags & tree::Entry::GUARD == 0 || tops == 0 {
                walk::note(coverage, &path, part, why, i32::from(errno));
                continue;
            }
            guard = if guard.0 == tops { (tops, guard.1 + 1) } else { (tops, 1) };
            if guard.1 < walk::GUARD_TROUBLES {
                walk::note(coverage, &path, part, why, i32::from(errno));
            } else if guard.1 == walk::GUARD_TROUBLES {
                walk::note(coverage, &tree.guards[tops - 1].1, Part::Below, why, i32::from(errno));
            }
        }
    }
}

/// The mounts that the rules do not leave out.
fn live_mounts(request: &Request, mounts: &[mounts::Mount]) -> Vec<Vec<u8>> {
    let mut records = Vec::new();
    for mount in mounts {
        let in_scope = request.scopes.iter().any(|scope| {
            scope == b"/"
                || mount
                    .path
                    .strip_prefix(scope.as_slice())
                    .is_some_and(|rest| matches!(rest.first(), None | Some(b'/')))
        });
        let mut record = Vec::new();
        mount.encode(&mut record);
        let compared =
            protocol::RecordRef::parse(&record).is_ok_and(|r| request.rules.mask_of(r) != protocol::Mask::NONE);
        if in_scope && compared {
            records.push(record);
        }
    }
    records
}

/// A coverage that does not fit a frame gives up detail, never a count.
fn send_coverage(mut coverage: Coverage, output: &mut Output) {
    order::sort(&mut coverage.troubles, |a, b| a.path.cmp(&b.path).then((a.part as u8).cmp(&(b.part as u8))));
    order::sort(&mut coverage.pruned, |a, b| a.1.cmp(&b.1));
    order::sort(&mut coverage.skipped_mounts, |a, b| a.path.cmp(&b.path));
    let mut payload = Vec::new();
    coverage.encode(&mut payload);
    while payload.len() > protocol::reply::FRAME_MAX {
        coverage.troubles.truncate(coverage.troubles.len() / 2);
        coverage.pruned.truncate(coverage.pruned.len() / 2);
        // What a mount that is not named hides would pass for removed: it counts as a trouble without detail.
        let named = coverage.skipped_mounts.len() / 2;
        coverage.troubles_total += (coverage.skipped_mounts.len() - named) as u64;
        coverage.skipped_mounts.truncate(named);
        payload.clear();
        coverage.encode(&mut payload);
    }
    output.frame(FrameKind::Coverage, &payload);
}
