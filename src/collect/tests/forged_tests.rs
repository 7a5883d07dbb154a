//! Forgers: whatever they bend, no lie becomes an observation.

use super::host_tests::{Host, Stage, Wire, batches, digest_of, symbols, varint};
use super::{NONCE, SALT, ask, difference, drifted, found, machine, reference, refused};
use crate::collect::{Ran, capture};
use crate::drift::{Found, Versions};
use crate::model::Reason;
use crate::protocol::reply::{FrameKind, Root};
use crate::protocol::request::FollowUp;
use crate::protocol::{Id, Record, digest};
use crate::protocol_tests::{file, folder};

/// A root frame of these records.
fn root_of(records: &[Record], count: u64) -> Vec<u8> {
    let set = crate::manifest::projected::set_of(&records.iter().map(digest_of).collect::<Vec<_>>());
    let mut payload = Vec::new();
    Root { root: digest::root(&NONCE, b"web-1", &set), records: count }.encode(&mut payload);
    payload
}

fn ids(records: &[Record]) -> Vec<Id> {
    records.iter().map(|record| digest::id(&SALT, &digest_of(record))).collect()
}

#[test]
fn the_root_of_another_nonce_or_host_proves_nothing() {
    let base = machine(20);
    let host = Host { name: Some(b"web-2"), ..Host::of(base.clone()) };
    assert_eq!(refused(&host, &base).0, Reason::Protocol);
    let host = Host { nonce: Some([1; 32]), ..Host::of(base.clone()) };
    assert!(found(&host, &base).is_err());
    // With our nonce before an old root.
    let host = Host::bent(base.clone(), |stage, frames| {
        if *stage == Stage::First {
            let set = [7; 32];
            let mut payload = Vec::new();
            Root { root: digest::root(&[1; 32], b"web-1", &set), records: 21 }.encode(&mut payload);
            frames[3].1 = payload;
        }
    });
    assert_eq!(refused(&host, &base).0, Reason::Protocol);
}

#[test]
fn a_forged_root_ends_in_a_listing_that_does_not_give_it() {
    let base = machine(20);
    let host = Host::bent(drifted(20, 2), |stage, frames| {
        if *stage == Stage::First {
            frames[3].1[0] ^= 1;
        }
    });
    let (reason, text) = refused(&host, &base);
    assert_eq!(reason, Reason::Protocol);
    assert!(text.contains("the listing does not give the root"), "{text}");
    assert_eq!(host.asked.borrow().last(), Some(&FollowUp::Listing));
}

#[test]
fn forged_symbols_cost_one_listing_and_change_nothing() {
    let base = machine(200);
    for bend in 0..4 {
        let host = Host::bent(drifted(200, 10), move |stage, frames| {
            for (kind, payload) in frames.iter_mut().filter(|(kind, _)| *kind == FrameKind::Symbols) {
                assert_eq!(*kind, FrameKind::Symbols);
                let (first, last) = (payload.len().min(2), payload.len() - 1);
                match (bend, stage) {
                    (0, _) => payload[first + 3] ^= 0x40,
                    (1, Stage::First) => payload[last] ^= 0xff,
                    (2, _) => payload[first..].fill(0xa5),
                    (3, _) => payload[first..].fill(0),
                    _ => {}
                }
            }
        });
        assert_eq!(found(&host, &base), Ok(Found::Different(difference(&base, &drifted(200, 10)))), "{bend}");
        assert_eq!(host.asked.borrow().iter().filter(|message| **message == FollowUp::Listing).count(), 1);
    }
}

#[test]
fn symbols_of_another_set_do_not_hide_drift() {
    // A drifted host that sends the symbols of a clean one: the root says otherwise.
    let base = machine(50);
    let clean = ids(&base);
    let host = Host::bent(drifted(50, 1), move |stage, frames| {
        if *stage == Stage::First {
            frames[4] = symbols(&clean, 0, 64);
        }
    });
    assert_eq!(found(&host, &base), Ok(Found::Different(difference(&base, &drifted(50, 1)))));
    // And one that also lists what a clean host has: it can't have that root.
    let clean = ids(&base);
    let host = Host::bent(drifted(50, 1), move |stage, frames| match stage {
        Stage::First => frames[4] = symbols(&clean, 0, 64),
        Stage::Follow(FollowUp::Listing) => *frames = batches(&machine(50)),
        Stage::Follow(_) | Stage::Last => {}
    });
    assert_eq!(refused(&host, &base).0, Reason::Protocol);
}

#[test]
fn records_that_were_not_asked_for_are_refused() {
    let base = machine(30);
    for other in [vec![], vec![file("/f0", 3)], vec![file("/f0", 2), file("/x", 1)], vec![file("/f1", 2)]] {
        let host = Host::bent(drifted(30, 1), move |stage, frames| {
            if matches!(stage, Stage::Follow(FollowUp::Records(_))) {
                *frames = batches(&other);
            }
        });
        assert_eq!(refused(&host, &base).0, Reason::Protocol);
    }
}

#[test]
fn two_records_of_one_subject_are_refused() {
    let base = machine(30);
    let (one, other) = (file("/f0", 2), file("/f0", 3));
    let host = Host::bent(drifted(30, 1), move |stage, frames| {
        if matches!(stage, Stage::Follow(_)) {
            // In order of their digests, behind a writer of their own each.
            let second = batches([&other]).remove(0).1;
            *frames = batches([&one]);
            frames.insert(1, (FrameKind::Batch, second));
        }
    });
    let (reason, text) = refused(&host, &base);
    assert_eq!(
        (reason, text.as_str()),
        (Reason::Protocol, "the answer breaks the protocol: malformed order of records")
    );
}

#[test]
fn counts_agree_or_the_answer_is_none() {
    let base = machine(10);
    // The end of the records, the root against the coverage, more records than the root announced.
    let end = Host::bent(drifted(10, 1), |stage, frames| {
        if matches!(stage, Stage::Follow(_)) {
            frames.last_mut().unwrap().1 = varint(2);
        }
    });
    let root = Host::bent(base.clone(), |stage, frames| {
        if *stage == Stage::First {
            frames[3].1 = root_of(&machine(10), 12);
        }
    });
    let listing = Host::bent(drifted(10, 1), |stage, frames| match stage {
        Stage::First => frames[3].1[0] ^= 1,
        Stage::Follow(FollowUp::Listing) => *frames = batches(&machine(12)),
        Stage::Follow(_) | Stage::Last => {}
    });
    for (host, words) in
        [(end, "records are missing"), (root, "two counts of records"), (listing, "more records than announced")]
    {
        let (reason, text) = refused(&host, &base);
        assert_eq!(reason, Reason::Protocol);
        assert!(text.contains(words), "{text}");
    }
}

/// Coverage tells people how much was compared: 2^64-1 records stood in the report of a clean host.
#[test]
fn a_count_that_the_root_disproves_is_refused() {
    for records in [machine(10), drifted(10, 1)] {
        let mut host = Host::bent(records.clone(), move |stage, frames| {
            if *stage == Stage::First {
                frames[2].1 = with_count(&frames[2].1, u64::MAX);
                frames[3].1 = root_of(&records, u64::MAX);
            }
        });
        host.chunk = 100;
        let (reason, text) = refused(&host, &machine(10));
        assert!(reason == Reason::Protocol && text.contains("a count that its root disproves"), "{text}");
    }
}

/// A coverage that compared so many.
fn with_count(payload: &[u8], compared: u64) -> Vec<u8> {
    let coverage = crate::protocol::Coverage { compared, ..crate::protocol::Coverage::decode(payload).unwrap() };
    let mut bent = Vec::new();
    coverage.encode(&mut bent);
    bent
}

#[test]
fn more_symbols_than_asked_for_and_symbols_from_elsewhere_are_refused() {
    let base = machine(10);
    let own = ids(&base);
    for (from, to, words) in
        [(1, 64, "out of order"), (0, 65, "more symbols than asked for"), (0, 0, "out of order"), (65, 70, "symbols")]
    {
        let own = own.clone();
        let host = Host::bent(base.clone(), move |stage, frames| {
            if *stage == Stage::First {
                frames[4] = symbols(&own, from, to);
            }
        });
        let (reason, text) = refused(&host, &base);
        assert!(reason == Reason::Protocol && text.contains(words), "{text}");
    }
    let host = Host::bent(base.clone(), |stage, frames| {
        if *stage == Stage::First {
            frames[4].1.pop();
        }
    });
    assert_eq!(refused(&host, &base).0, Reason::Protocol);
}

#[test]
fn symbols_in_pieces_are_put_together() {
    let base = machine(10);
    let own = ids(&base);
    let host = Host::bent(base.clone(), move |stage, frames| {
        if *stage == Stage::First {
            frames.pop();
            frames.extend([symbols(&own, 0, 10), symbols(&own, 10, 11), symbols(&own, 11, 64)]);
        }
    });
    assert_eq!(found(&host, &base), Ok(Found::Equal(0)));
}

#[test]
fn a_capture_is_proven_by_its_root() {
    let base = vec![folder("/"), file("/a", 1)];
    assert!(capture(&mut Wire::to(&Host::of(base.clone())), &ask(), &mut Ran::default()).is_ok());
    for other in [vec![folder("/")], vec![folder("/"), file("/a", 2)]] {
        let host = Host::bent(base.clone(), move |stage, frames| {
            if *stage == Stage::First {
                frames.truncate(4);
                frames.extend(batches(&other));
            }
        });
        assert_eq!(capture(&mut Wire::to(&host), &ask(), &mut Ran::default()).unwrap_err().reason, Reason::Protocol);
    }
}

/// Front coding lets a byte stand for a subject of 4 KiB, so that the budget of bytes on the wire bounds no memory.
#[test]
fn a_listing_that_unpacks_without_measure_is_a_limit() {
    let long = "a".repeat(4_000);
    let many: Vec<Record> = (10_000..15_000).map(|n| folder(&format!("/{long}{n}"))).collect();
    let host = Host::of(many);
    // Without the findings, which fill a screen.
    let failure = found(&host, &machine(5)).map(|_| "found").unwrap_err();
    assert_eq!(host.asked.borrow().as_slice(), [FollowUp::Listing]);
    assert_eq!((failure.reason, failure.text.as_str()), (Reason::Limit, "its records take more than 15 MiB"));
}

/// A hostile root account knows the golden digests and can answer with them: the limit that the README states.
#[test]
fn a_forger_that_knows_a_whole_set_can_claim_it() {
    let references = Versions::new(vec![reference(2, &machine(10)), reference(1, &machine(9))]);
    let host = Host::bent(drifted(9, 1), |stage, frames| {
        if *stage == Stage::First {
            frames[3].1 = root_of(&machine(9), 10);
        }
    });
    let seen = crate::collect::observe(&mut Wire::to(&host), &ask(), &references, &mut Ran::default());
    assert_eq!(seen.map(|observation| observation.found), Ok(Found::Equal(1)));
}
