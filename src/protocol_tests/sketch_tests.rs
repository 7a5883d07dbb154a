//! The sketch as a pure function: pinned values, windows that fit together, differences that cancel.

use crate::protocol::Reader;
use crate::protocol::sketch::{Indices, Symbol, WIDTH, check_word, symbols};
use proptest::collection::btree_set;
use proptest::prelude::*;

/// Both sides must compute these alike on every architecture: they may never change within a protocol version.
#[test]
fn the_mapping_is_pinned() {
    let head = |id: u64| format!("{:?} {:08x}", Indices::of(id).take(12).collect::<Vec<_>>(), check_word(id));
    insta::assert_snapshot!(head(0), @"[0, 1, 2, 20, 53, 67, 74, 103, 206, 253, 336, 438] 264304d1");
    insta::assert_snapshot!(head(1), @"[0, 1, 14, 38, 48, 53, 74, 148, 182, 242, 316, 644] 5cc80982");
    insta::assert_snapshot!(head(0xdead_beef_0bad_cafe), @"[0, 1, 3, 5, 11, 18, 31, 52, 125, 496, 535, 631] f838bf1b");
    insta::assert_snapshot!(head(u64::MAX), @"[0, 1, 2, 7, 8, 14, 21, 22, 28, 37, 40, 41] a57f7246");
    let mut bytes = Vec::new();
    for symbol in symbols([1, 2, 0xdead_beef_0bad_cafe], 0, 3) {
        symbol.encode(&mut bytes);
    }
    insta::assert_snapshot!(crate::model::text::hex(&bytes), @"fdcaad0befbeaddea66328b903000000fdcaad0befbeaddea66328b90300000000000000000000000000000000000000");
}

#[test]
fn no_window_and_no_ids_are_no_symbols() {
    assert!(symbols([1, 2], 5, 5).is_empty());
    assert!(symbols([1, 2], 6, 5).is_empty());
    assert_eq!(symbols([], 0, 2), [Symbol::default(); 2]);
}

#[test]
fn counts_wrap_and_never_panic() {
    let most = Symbol { sum: 1, check: 2, count: i32::MAX };
    let least = Symbol { sum: 1, check: 2, count: i32::MIN };
    assert_eq!(most.minus(least).count, -1);
    let mut symbol = most;
    symbol.apply(5, 1);
    assert_eq!(symbol.count, i32::MIN);
}

proptest! {
    #[test]
    fn indices_begin_at_nought_and_ascend(id: u64) {
        let indices: Vec<u64> = Indices::of(id).take(200).collect();
        prop_assert_eq!(indices[0], 0);
        prop_assert!(indices.is_sorted_by(|a, b| a < b || *a > 1 << 50));
    }

    #[test]
    fn the_density_falls(seed: u64) {
        // Of symbol i about 1 / (1 + i/2) of the ids are part; a walk to n costs about 2 ln n steps.
        let walks: usize = (0..64).map(|n| {
            Indices::of(seed.wrapping_add(n).wrapping_mul(0x9e37_79b9_7f4a_7c15)).take_while(|i| *i < 10_000).count()
        }).sum();
        prop_assert!((64 * 8..64 * 28).contains(&walks), "{} indices of 64 ids below 10,000", walks);
    }

    #[test]
    fn windows_fit_together(ids in btree_set(any::<u64>(), 0..40), cut in 0usize..80) {
        let whole = symbols(ids.iter().copied(), 0, 80);
        let parts = [symbols(ids.iter().copied(), 0, cut), symbols(ids.iter().copied(), cut, 80)].concat();
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn what_both_sides_have_cancels(both in btree_set(any::<u64>(), 0..40), ours in btree_set(any::<u64>(), 0..5)) {
        let alone: Vec<u64> = ours.difference(&both).copied().collect();
        let all = symbols(both.iter().chain(&alone).copied(), 0, 40);
        let shared = symbols(both.iter().copied(), 0, 40);
        let left: Vec<Symbol> = all.iter().zip(&shared).map(|(a, b)| a.minus(*b)).collect();
        prop_assert_eq!(left, symbols(alone, 0, 40));
    }

    #[test]
    fn symbols_come_back(sum: u64, check: u32, count: i32) {
        let symbol = Symbol { sum, check, count };
        let mut bytes = Vec::new();
        symbol.encode(&mut bytes);
        prop_assert_eq!(bytes.len(), WIDTH);
        prop_assert_eq!(Symbol::decode(&mut Reader::new(&bytes)), Ok(symbol));
        prop_assert!(Symbol::decode(&mut Reader::new(&bytes[1..])).is_err());
    }
}
