//! A good answer, damaged at each of its bytes: never an observation.

use super::host_tests::{Host, Wire};
use super::{Reason, drifted, look, machine};
use crate::collect::bootstrap::READY;
use crate::drift::Found;
use crate::protocol::reply::HELLO;
use proptest::prelude::*;
use std::sync::LazyLock;

/// The base of these tests, a host that differs from it by two files, and all it said.
static SAID: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let host = Host::of(drifted(6, 2));
    assert!(matches!(look(&mut Wire::to(&host), &machine(6)).unwrap().found, Found::Different(_)));
    host.said.take()
});

#[test]
fn the_tape_itself_is_good() {
    for chunk in [1, 1000, usize::MAX] {
        assert!(matches!(look(&mut Wire::saying(&SAID, chunk), &machine(6)).unwrap().found, Found::Different(_)));
    }
}

#[test]
fn a_cut_at_any_byte_is_truncated() {
    for cut in 0..SAID.len() {
        let failure = look(&mut Wire::saying(&SAID[..cut], usize::MAX), &machine(6)).unwrap_err();
        assert_eq!(failure.reason, Reason::Truncated, "cut at {cut}: {failure}");
    }
}

#[test]
fn a_changed_bit_of_any_byte_is_noticed() {
    for at in 0..SAID.len() {
        let mut bent = SAID.clone();
        bent[at] ^= 1 << (at % 8);
        assert!(look(&mut Wire::saying(&bent, usize::MAX), &machine(6)).is_err(), "byte {at}");
    }
}

/// Also where all of it comes with the first read.
#[test]
fn a_byte_more_is_noticed() {
    let more = [&SAID[..], b"x"].concat();
    assert!(more.len() < 4_096);
    for chunk in [1, 1000, usize::MAX] {
        let failure = look(&mut Wire::saying(&more, chunk), &machine(6)).unwrap_err();
        assert_eq!(
            (failure.reason, failure.text.as_str()),
            (Reason::Protocol, "the answer breaks the protocol: bytes after the trailer")
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_are_an_observation(bytes: Vec<u8>, at in any::<proptest::sample::Index>(), chunk in 1usize..60) {
        prop_assert!(look(&mut Wire::saying(&bytes, chunk), &machine(6)).is_err());
        // Behind a good beginning.
        let at = at.index(SAID.len());
        let bent = [&SAID[..at], &bytes].concat();
        prop_assert!(bytes.is_empty() || bent == *SAID || look(&mut Wire::saying(&bent, chunk), &machine(6)).is_err());
        let spliced = [&SAID[..at], &bytes, &SAID[at..]].concat();
        // Noise may stand before the host's first word, before the hello, and before the preamble.
        let hello = READY.len() + HELLO.len() + 64 + 1;
        // A line feed beside a line feed is in both places.
        let is_noise = |place: usize| spliced.starts_with(&SAID[..place]) && spliced.ends_with(&SAID[place..]);
        prop_assert!([0, READY.len(), hello].into_iter().any(is_noise) || bytes.is_empty() || look(&mut Wire::saying(&spliced, chunk), &machine(6)).is_err());
    }
}
