//! Rules: the last that matches wins, and what a walk leaves out early is never what a rule asks for.

use super::pattern_tests::{any_path, any_pattern, below, slow};
use super::{bent, file, folder, lacking, mount, package, record, rule, rules, set};
use crate::protocol::rule::Facts;
use crate::protocol::{Attr, Kind, Mask, Reader, Rule, RuleSet, Value, When};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const MASKS: [Mask; 4] = [Mask::NONE, Mask::PRESENCE, Mask::METADATA, Mask::STRICT];

fn any_rule() -> impl Strategy<Value = Rule> {
    let when = prop_oneof![
        3 => Just(When::default()),
        1 => (0u8..0x80, 0u8..4).prop_map(|(kinds, conditions)| When { kinds, conditions }),
    ];
    (any_pattern(), when, select(MASKS.to_vec()))
        .prop_map(|(pattern, when, mask)| Rule { when, ..rule(&pattern, mask) })
}

fn any_rules() -> impl Strategy<Value = RuleSet> {
    vec(any_rule(), 0..7).prop_map(|rules| RuleSet::new(rules).unwrap())
}

/// Files of every kind that a rule tells apart.
const FACTS: [Facts; 5] = [
    Facts { kind: Kind::File, mode: 0o644 },
    Facts { kind: Kind::File, mode: 0o755 },
    Facts { kind: Kind::File, mode: 0o4644 },
    Facts { kind: Kind::Directory, mode: 0o2755 },
    Facts { kind: Kind::Symlink, mode: 0o777 },
];

/// What the rules say, read like the definition.
fn slow_mask(rules: &RuleSet, path: &str, facts: Facts, capable: bool) -> Mask {
    let holds = |when: When| {
        let file = facts.kind == Kind::File;
        let executable = file && facts.mode & 0o111 != 0;
        let privileged = file && facts.mode & 0o6000 != 0 || executable && capable;
        (when.kinds == 0 || when.kinds & facts.kind.bit() != 0)
            && (when.conditions & When::EXECUTABLE == 0 || executable)
            && (when.conditions & When::PRIVILEGED == 0 || privileged)
    };
    let mut last = rules.rules().iter().rev();
    let found = last.find(|rule| slow(rule.pattern.text(), path.as_bytes()) && holds(rule.when));
    found.map_or(Mask::NONE, |rule| rule.mask)
}

fn encoded(rules: &RuleSet) -> Vec<u8> {
    let mut out = Vec::new();
    rules.encode(&mut out);
    out
}

#[test]
fn an_ability_that_this_version_lacks_is_refused() {
    let lacks = "rule: it asks for an ability that this version lacks";
    let base = rule("/a", Mask::STRICT);
    for (strange, wrong) in [
        (Rule { when: When { kinds: 0x80, conditions: 0 }, ..base.clone() }, lacks),
        (Rule { when: When { kinds: 0, conditions: 4 }, ..base.clone() }, lacks),
        (Rule { mask: Mask(1), ..base.clone() }, lacks),
        (Rule { mask: Mask(1 << 22), ..base.clone() }, lacks),
        (Rule { mask: Mask::VIEWED, ..base.clone() }, lacks),
    ] {
        let bytes = encoded(&RuleSet::new(vec![strange]).unwrap());
        assert_eq!(RuleSet::decode(&mut Reader::new(&bytes)).unwrap_err().0, wrong);
    }
    assert!(RuleSet::new(vec![base; RuleSet::MOST + 1]).is_err());
}

#[test]
fn packages_and_facts_are_compared_whole_and_mounts_by_their_place() {
    let rules = rules(&[("/**", Mask::METADATA), ("/run/**", Mask::NONE)]);
    assert_eq!(rules.ruling(package("a", "1").view()), (u16::MAX, Mask::ALL));
    assert_eq!(rules.ruling(mount("/srv", "ext4", "").view()), (0, Mask::ALL));
    assert_eq!(rules.ruling(mount("/run/user", "tmpfs", "").view()), (1, Mask::NONE));
    assert_eq!(rules.ruling(file("/etc/a", 1).view()), (0, Mask::METADATA));
    assert_eq!(rules.ruling(file("/run/a", 1).view()), (1, Mask::NONE));
    assert_eq!(rules.ruling(lacking(&file("/etc/a", 1), Attr::Kind).view()), (u16::MAX, Mask::NONE));
    assert_eq!(RuleSet::default().mask_of(file("/a", 1).view()), Mask::NONE);
}

#[test]
fn capabilities_make_an_executable_privileged() {
    let privileged = When { kinds: 0, conditions: When::PRIVILEGED };
    let set_of =
        RuleSet::new(vec![rule("/**", Mask::METADATA), Rule { when: privileged, ..rule("/**", Mask::STRICT) }])
            .unwrap();
    let plain = file("/a", 1);
    let runs = set(&plain, Attr::Mode, &0o755u16.to_le_bytes());
    let suid = set(&plain, Attr::Mode, &0o4644u16.to_le_bytes());
    let capable = set(&runs, Attr::Capability, b"01");
    let masks: Vec<Mask> = [&plain, &runs, &suid, &capable, &set(&plain, Attr::Capability, b"01"), &folder("/d")]
        .map(|record| set_of.mask_of(record.view()))
        .into();
    assert_eq!(masks, [Mask::METADATA, Mask::METADATA, Mask::STRICT, Mask::STRICT, Mask::METADATA, Mask::METADATA]);
}

#[test]
fn a_look_at_capabilities_is_not_taken_where_it_changes_nothing() {
    let privileged = When { kinds: 0, conditions: When::PRIVILEGED };
    let same =
        RuleSet::new(vec![rule("/**", Mask::STRICT), Rule { when: privileged, ..rule("/**", Mask::STRICT) }]).unwrap();
    let facts = Facts { kind: Kind::File, mode: 0o755 };
    let (_, mask) = same.decide(&same.all(), b"/a", facts, &mut || panic!("asked"));
    assert_eq!(mask, Mask::STRICT);
}

#[test]
fn as_many_conditional_rules_as_there_may_be_fit_the_stack() {
    let privileged = When { kinds: 0, conditions: When::PRIVILEGED };
    let masks = [Mask::STRICT, Mask::METADATA];
    let many = (0..RuleSet::MOST).map(|n| Rule { when: privileged, ..rule("/**", masks[n % 2]) }).collect();
    let many = RuleSet::new(many).unwrap();
    let (number, _) = many.decide(&many.all(), b"/a", Facts { kind: Kind::File, mode: 0o755 }, &mut || false);
    assert_eq!(number, u16::MAX);
}

#[test]
fn folders_below_which_all_is_left_out_are_pruned_by_that_rule() {
    let rules = rules(&[("/**", Mask::STRICT), ("/var/cache/**", Mask::NONE), ("/var/cache/keep/a", Mask::STRICT)]);
    let prunes = |dir: &[u8]| rules.prunes(&rules.narrow(&rules.all(), dir));
    assert_eq!((prunes(b"/var"), prunes(b"/var/cache"), prunes(b"/var/cache/keep")), (None, None, None));
    assert_eq!(prunes(b"/var/cache/other"), Some(1));
    let few = super::rules(&[("/etc/**", Mask::STRICT)]);
    assert_eq!(few.prunes(&few.narrow(&few.all(), b"/usr")), Some(u16::MAX));
}

proptest! {
    #[test]
    fn rules_come_back_and_no_part_of_them_does(rules in any_rules()) {
        let bytes = encoded(&rules);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(RuleSet::decode(&mut reader), Ok(rules));
        prop_assert!(reader.is_empty());
        for cut in 0..bytes.len() {
            prop_assert!(RuleSet::decode(&mut Reader::new(&bytes[..cut])).is_err());
        }
    }

    #[test]
    fn bent_rules_never_panic(bytes in any_rules().prop_flat_map(|rules| bent(encoded(&rules)))) {
        if let Ok(rules) = RuleSet::decode(&mut Reader::new(&bytes)) {
            prop_assert_eq!(RuleSet::decode(&mut Reader::new(&encoded(&rules))), Ok(rules));
        }
    }

    #[test]
    fn the_last_rule_that_matches_wins(rules in any_rules(), path in any_path()) {
        for facts in FACTS {
            for capable in [false, true] {
                let (_, mask) = rules.decide(&rules.all(), path.as_bytes(), facts, &mut || capable);
                prop_assert_eq!(mask, slow_mask(&rules, &path, facts, capable), "{} {:?} {}", path, facts, capable);
            }
        }
    }

    #[test]
    fn narrowed_rules_decide_as_all_do(rules in any_rules(), dir in any_path()) {
        let all = rules.all();
        let direct = rules.narrow(&all, dir.as_bytes());
        // A walk may narrow from folder to folder as well.
        let mut stepwise = all.clone();
        for end in dir.match_indices('/').skip(1).map(|(at, _)| at).chain([dir.len()]) {
            stepwise = rules.narrow(&stepwise, &dir.as_bytes()[..end]);
        }
        for path in below(&dir, 2) {
            for facts in FACTS {
                for capable in [false, true] {
                    let decide = |some: &[u16]| rules.decide(some, path.as_bytes(), facts, &mut || capable);
                    let whole = decide(&all);
                    prop_assert_eq!(decide(&direct), whole, "{}", path);
                    prop_assert_eq!(decide(&stepwise), whole, "{}", path);
                }
            }
        }
    }

    #[test]
    fn a_cursor_decides_as_all_rules_do(rules in any_rules(), mut paths in vec(any_path(), 0..12)) {
        paths.sort();
        let mut cursor = rules.cursor();
        let records = paths.iter().map(|path| file(path, 1)).chain([mount("/a", "ext4", ""), package("a", "1")]);
        // Neighbours share a folder in order; out of order they must be right as well.
        let records: Vec<_> = records.collect();
        for record in records.iter().chain(records.iter().rev()) {
            prop_assert_eq!(cursor.ruling(record.view()), rules.ruling(record.view()));
        }
    }

    #[test]
    fn pruned_is_only_where_all_is_left_out(rules in any_rules(), dir in any_path()) {
        let all = rules.all();
        if rules.prunes(&rules.narrow(&all, dir.as_bytes())).is_some() {
            for path in below(&dir, 2) {
                for facts in FACTS {
                    let (_, mask) = rules.decide(&all, path.as_bytes(), facts, &mut || true);
                    prop_assert_eq!(mask, Mask::NONE, "{}", path);
                }
            }
        }
    }

    #[test]
    fn host_and_controller_decide_alike(rules in any_rules(), path in any_path(), mode in 0u16..0o10000, capable: bool) {
        // The host decides from a stat, the controller from the record: the answers must be one.
        let bytes = mode.to_le_bytes();
        let mut attrs = vec![(Attr::Kind, Value::Present(b"f")), (Attr::Mode, Value::Present(&bytes))];
        if capable {
            attrs.push((Attr::Capability, Value::Present(b"01")));
        }
        let record = record(&format!("fs:{path}"), &attrs);
        let facts = Facts { kind: Kind::File, mode };
        let there = rules.decide(&rules.all(), path.as_bytes(), facts, &mut || capable);
        prop_assert_eq!(rules.ruling(record.view()), there);
    }
}
