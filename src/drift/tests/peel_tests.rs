//! The sketch's other half: a decoded difference is the true one, and forged symbols lead nowhere for little work.

use super::SALT;
use crate::drift::{Peeled, Salted, peel};
use crate::protocol::Id;
use crate::protocol::sketch::{Indices, Symbol, check_word, symbols};
use crate::protocol_tests::file;
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, LazyLock};

/// A baseline of 400 files.
static BASE: LazyLock<Arc<Salted>> = LazyLock::new(|| {
    let records: Vec<_> = (0..400).map(|n| file(&format!("/f{n}"), 1)).collect();
    super::reference(1, &records).set
});

/// The ids of the baseline with the numbers of their records.
static IDS: LazyLock<Vec<(Id, u32)>> = LazyLock::new(|| BASE.set.ids(&SALT));

/// What a host answers that lacks some of these and has others besides.
fn host(lacks: &HashSet<u32>, has: &BTreeSet<Id>, count: usize) -> Vec<Symbol> {
    let kept = IDS.iter().filter(|(_, number)| !lacks.contains(number)).map(|(id, _)| *id);
    symbols(kept.chain(has.iter().copied()), 0, count)
}

/// Numbers below a bound, from a seed: a repeatable crowd.
fn crowd(seed: u64) -> impl Iterator<Item = u64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    })
}

/// A difference of this size, half of it on each side.
fn apart(seed: u64, size: usize) -> (HashSet<u32>, BTreeSet<Id>) {
    let mut numbers = crowd(seed);
    let mut lacks = HashSet::new();
    while lacks.len() < size / 2 {
        lacks.insert((numbers.next().unwrap() % 400) as u32);
    }
    let has = numbers.take(size - size / 2).collect();
    (lacks, has)
}

fn done(lacks: &HashSet<u32>, has: &BTreeSet<Id>) -> Peeled {
    Peeled::Done { added: has.iter().copied().collect(), removed: lacks.clone() }
}

#[test]
fn equal_sets_need_one_symbol() {
    let nothing = (HashSet::new(), BTreeSet::new());
    assert_eq!(peel(&BASE, &host(&nothing.0, &nothing.1, 1)), done(&nothing.0, &nothing.1));
}

#[test]
fn no_symbols_prove_nothing_and_are_no_panic() {
    assert_eq!(peel(&BASE, &[]), done(&HashSet::new(), &BTreeSet::new()));
}

/// Mean and most of the symbols that 50 differences of one size needed.
fn needed(size: usize) -> (usize, usize) {
    let needed: Vec<usize> = (1..=50)
        .map(|seed| {
            let (lacks, has) = apart(seed, size);
            let all = host(&lacks, &has, size * 3 + 40);
            let step = (size / 20).max(1);
            let enough =
                (size.max(1)..=all.len()).step_by(step).find(|count| peel(&BASE, &all[..*count]) == done(&lacks, &has));
            enough.unwrap_or_else(|| {
                panic!("{size} differences of seed {seed} did not decode from {} symbols", all.len())
            })
        })
        .collect();
    (needed.iter().sum::<usize>() / needed.len(), needed.into_iter().max().unwrap())
}

#[test]
fn the_overhead_is_that_of_the_paper() {
    for (size, mean, most) in [(1, 1, 1), (2, 4, 12), (20, 40, 75), (40, 70, 110), (200, 320, 380)] {
        let (got_mean, got_most) = needed(size);
        assert!(got_mean <= mean && got_most <= most, "{size} differences: mean {got_mean}, most {got_most}");
    }
}

#[test]
fn the_first_answer_decodes_35_differences_mostly() {
    let decoded = (1..=50)
        .filter(|seed| {
            let (lacks, has) = apart(*seed, 35);
            peel(&BASE, &host(&lacks, &has, crate::drift::reference::FIRST)) == done(&lacks, &has)
        })
        .count();
    assert!(decoded >= 35, "{decoded} of 50");
}

#[test]
fn an_id_that_the_baseline_lacks_can_not_be_missing() {
    let mut symbols = host(&HashSet::new(), &BTreeSet::new(), 4);
    for index in Indices::of(77).take_while(|index| *index < 4) {
        symbols[index as usize].apply(77, -1);
    }
    assert_eq!(peel(&BASE, &symbols), Peeled::Forged);
}

#[test]
fn an_id_that_the_baseline_has_can_not_be_added() {
    let known = IDS[0].0;
    let twice = IDS.iter().map(|(id, _)| *id).chain([known]);
    assert_eq!(peel(&BASE, &symbols(twice, 0, 8)), Peeled::Forged);
}

#[test]
fn an_id_comes_back_never() {
    // The id 77 in a symbol that is not its own, so that taking it out leaves it standing there.
    let mut symbols = host(&HashSet::new(), &BTreeSet::from([77]), 8);
    symbols[0].apply(77, 1);
    assert!(matches!(peel(&BASE, &symbols), Peeled::More | Peeled::Forged));
    let mut symbols = host(&HashSet::new(), &BTreeSet::new(), 8);
    symbols[5].apply(77, 1);
    symbols[6].apply(77, -1);
    assert!(matches!(peel(&BASE, &symbols), Peeled::More | Peeled::Forged));
}

#[test]
fn many_differences_take_no_time() {
    let has: BTreeSet<Id> = crowd(9).take(5_000).collect();
    let symbols = host(&HashSet::new(), &has, 8_192);
    let start = std::time::Instant::now();
    assert_eq!(peel(&BASE, &symbols), done(&HashSet::new(), &has));
    // The same with one symbol forged: as much work at most.
    let mut forged = symbols;
    forged[0].sum ^= 1;
    assert!(!matches!(peel(&BASE, &forged), Peeled::Done { .. }));
    assert!(start.elapsed().as_secs() < 3, "{:?}", start.elapsed());
}

/// A symbol as a forger would make it: random, or one id where it may belong.
fn any_symbol() -> impl Strategy<Value = Symbol> {
    prop_oneof![
        (any::<u64>(), any::<u32>(), -2i32..3).prop_map(|(sum, check, count)| Symbol { sum, check, count }),
        (0u64..50, prop_oneof![Just(1), Just(-1)]).prop_map(|(id, count)| Symbol {
            sum: id,
            check: check_word(id),
            count
        }),
        (0usize..400).prop_map(|at| {
            let id = IDS[at].0;
            Symbol { sum: id, check: check_word(id), count: -1 }
        }),
    ]
}

proptest! {
    #[test]
    fn the_decoded_difference_is_the_true_one(seed: u64, size in 0usize..300) {
        let (lacks, has) = apart(seed, size);
        prop_assert_eq!(peel(&BASE, &host(&lacks, &has, 3 * size + 80)), done(&lacks, &has));
    }

    #[test]
    fn too_few_symbols_are_never_a_wrong_answer(seed: u64, size in 0usize..100, count in 1usize..120) {
        let (lacks, has) = apart(seed, size);
        let peeled = peel(&BASE, &host(&lacks, &has, count));
        prop_assert!(peeled == done(&lacks, &has) || peeled == Peeled::More, "{peeled:?}");
        prop_assert!(size <= count || peeled == Peeled::More);
    }

    #[test]
    fn whatever_decodes_explains_every_symbol(forged in vec((any::<proptest::sample::Index>(), any_symbol()), 0..6), own in btree_set(any::<u64>(), 0..3), count in 1usize..40) {
        // An honest answer with some symbols replaced or added to.
        let mut given = host(&HashSet::new(), &own, count);
        for (at, symbol) in forged {
            let at = at.index(count);
            let cell = given[at];
            given[at] = Symbol { sum: cell.sum ^ symbol.sum, check: cell.check ^ symbol.check, count: cell.count + symbol.count };
        }
        if let Peeled::Done { added, removed } = peel(&BASE, &given) {
            prop_assert!(added.is_sorted_by(|a, b| a < b));
            prop_assert!(added.len() + removed.len() <= count);
            prop_assert_eq!(host(&removed, &added.into_iter().collect(), count), given);
        }
    }

    #[test]
    fn noise_is_no_difference(given in vec(any_symbol(), 1..60)) {
        let is_done = matches!(peel(&BASE, &given), Peeled::Done { .. });
        prop_assert!(!is_done);
    }
}
