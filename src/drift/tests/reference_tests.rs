//! A salted baseline: what it finds, what it explains, and that nothing but the root proves an explanation.

use super::{SALT, reference};
use crate::drift::reference::FIRST;
use crate::protocol::{Digest, Record, digest, sketch};
use crate::protocol_tests::{file, folder};
use std::collections::HashSet;

const NONCE: [u8; 32] = [8; 32];
const HOST: &[u8] = b"web-1";

fn base() -> Vec<Record> {
    vec![folder("/"), file("/a", 1), file("/b", 1), file("/c", 1)]
}

/// The root of a host with these records.
fn root(records: &[Record]) -> Digest {
    let digests: Vec<Digest> = records.iter().map(|record| digest::of_record(record.view().encoded())).collect();
    digest::root(&NONCE, HOST, &crate::manifest::projected::set_of(&digests))
}

/// The numbers of these records in the baseline.
fn numbers(records: &[Record]) -> HashSet<u32> {
    let set = reference(1, &base()).set;
    records.iter().filter_map(|r| set.set.records.iter().position(|own| own == r)).map(|at| at as u32).collect()
}

#[test]
fn a_host_that_has_the_records_has_the_root() {
    let set = reference(1, &base()).set;
    assert_eq!(set.root(&NONCE, HOST), root(&base()));
    assert_ne!(set.root(&NONCE, b"web-2"), root(&base()));
    assert_ne!(set.root(&[9; 32], HOST), root(&base()));
    assert_ne!(set.root(&NONCE, HOST), root(&base()[1..]));
}

#[test]
fn an_explanation_is_proven_by_the_root() {
    let set = reference(1, &base()).set;
    let after = vec![folder("/"), file("/a", 2), file("/b", 1), file("/z", 1)];
    let lacks = numbers(&[file("/a", 1), file("/c", 1)]);
    let has = vec![file("/z", 1), file("/a", 2)];
    let explained = set.explain(&lacks, has.clone(), &NONCE, HOST, &root(&after)).unwrap();
    assert_eq!(explained.removed, [file("/a", 1), file("/c", 1)]);
    assert_eq!(explained.added, [file("/a", 2), file("/z", 1)]);
    // One record less, one more, or another one: no.
    assert_eq!(set.explain(&lacks, has[..1].to_vec(), &NONCE, HOST, &root(&after)), None);
    assert_eq!(set.explain(&lacks, [&has[..], &[file("/y", 1)]].concat(), &NONCE, HOST, &root(&after)), None);
    assert_eq!(set.explain(&lacks, vec![file("/z", 1), file("/a", 3)], &NONCE, HOST, &root(&after)), None);
    assert_eq!(set.explain(&numbers(&[file("/a", 1)]), has.clone(), &NONCE, HOST, &root(&after)), None);
    assert_eq!(set.explain(&lacks, has.clone(), &[0; 32], HOST, &root(&after)), None);
    assert_eq!(set.explain(&lacks, has, &NONCE, b"web-2", &root(&after)), None);
}

#[test]
fn numbers_that_no_record_has_are_not_followed() {
    let set = reference(1, &base()).set;
    let explained = set.explain(&HashSet::from([u32::MAX]), Vec::new(), &NONCE, HOST, &root(&base())).unwrap();
    assert_eq!(explained.removed, []);
}

#[test]
fn a_listing_splits_into_what_is_lacking_and_what_is_more() {
    let set = reference(1, &base()).set;
    let listing = vec![folder("/"), file("/a", 2), file("/b", 1)];
    let (lacks, has) = set.split(listing.clone());
    assert_eq!((lacks.clone(), has.clone()), (numbers(&[file("/a", 1), file("/c", 1)]), vec![file("/a", 2)]));
    assert!(set.explain(&lacks, has, &NONCE, HOST, &root(&listing)).is_some());
    assert_eq!(set.split(base()), (HashSet::new(), Vec::new()));
    assert_eq!(set.split(Vec::new()), ((0..4).collect(), Vec::new()));
}

#[test]
fn symbols_are_made_once_and_as_far_as_asked() {
    let set = reference(1, &base()).set;
    let ids: Vec<u64> = set.set.ids(&SALT).iter().map(|(id, _)| *id).collect();
    assert!(ids.iter().all(|id| set.find(*id).is_some()));
    assert_eq!(set.find(1), None);
    for count in [0, FIRST, FIRST + 1, 500, 7] {
        let have = set.symbols(count);
        assert!(have.len() >= count);
        assert_eq!(have[..], sketch::symbols(ids.iter().copied(), 0, have.len())[..]);
    }
    assert_eq!(set.symbols(1).len(), 500);
    assert_eq!(set.most_symbols(), 1024);
}
