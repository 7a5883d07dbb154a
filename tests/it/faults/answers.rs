//! F17 to F22, F30, F50 and F54: probes that lie, each with a true conversation before and after the lie.

use super::sweep::each;

#[test]
fn f17_answers_without_end() {
    each(|sweep| {
        // Records are asked for of a drifted host only.
        for name in ["entries-without-end", "long-names-without-end"] {
            sweep.must(&format!("{name}.drifted"), &["limit", "protocol"]);
        }
        for name in ["frames-without-end", "symbols-without-end"] {
            sweep.must_both(name, &["limit", "protocol"]);
        }
        for name in ["oversized-frame", "unknown-frame", "wrong-record-count"] {
            sweep.must_both(name, &["protocol"]);
        }
        sweep.must("wrong-count.drifted", &["protocol"]);
    });
}

#[test]
fn f18_a_path_twice_and_paths_out_of_order() {
    each(|sweep| {
        sweep.must("twice.drifted", &["protocol"]);
        sweep.must("unsorted.drifted", &["protocol"]);
    });
}

#[test]
fn f19_records_that_were_not_asked_for_and_those_that_are_missing() {
    each(|sweep| {
        sweep.must("not-asked.drifted", &["protocol"]);
        sweep.must("missing.drifted", &["protocol"]);
    });
}

#[test]
fn f20_the_answer_of_yesterday_and_of_another_host() {
    each(|sweep| {
        for name in ["old-nonce", "other-host", "forged-root"] {
            sweep.must_both(name, &["protocol"]);
        }
    });
}

#[test]
fn f21_integers_at_their_edges() {
    each(|sweep| {
        for name in ["huge-size", "huge-mode", "huge-integer"] {
            sweep.must(&format!("{name}.drifted"), &["protocol"]);
        }
        for name in ["huge-counts", "garbage-coverage", "many-texts"] {
            sweep.must_both(name, &["protocol"]);
        }
    });
}

#[test]
fn f22_odd_evidence_is_shown_escaped() {
    // That nothing of it reaches a terminal is seen where the whole output is looked at.
    each(|sweep| sweep.is_true_both("odd-texts"));
}

#[test]
fn f22_odd_state_at_risk_is_bounded_and_shown_escaped() {
    each(|sweep| {
        sweep.is_true_both("odd-usage");
        let host = sweep.run.host("odd-usage.drifted");
        let items = host["state"]["items"].as_array().unwrap_or_else(|| panic!("nobody looked: {host}"));
        assert_eq!(items.len(), 50, "{host}");
        for item in items {
            let path = item["path"].as_str().unwrap();
            assert!(path.chars().all(|c| !c.is_control() && c != '\u{202e}'), "{path:?}");
            assert!(item["newest"].is_null(), "{item}");
        }
        // A clean host was not asked, so that there was nothing to lie about.
        assert!(sweep.run.host("odd-usage.clean")["state"].is_null());
        sweep.must("garbage-usage.drifted", &["protocol"]);
    });
}

#[test]
fn f24_a_host_that_says_its_root_can_not_be_opened() {
    each(|sweep| sweep.must_both("refuses", &["io", "unreadable"]));
}

#[test]
fn f30_a_clock_ten_years_off_changes_no_verdict_and_is_reported() {
    each(|sweep| {
        for (name, years) in [("clock-ahead", 10.0), ("clock-behind", -10.0)] {
            sweep.is_true_both(name);
            for state in ["clean", "drifted"] {
                let host = sweep.run.host(&format!("{name}.{state}"));
                let skew = host["evidence"]["clock_skew"].as_f64().unwrap_or_else(|| panic!("no skew: {host}"));
                assert!((skew / 31_557_600.0 - years).abs() < 0.01, "{skew}: {host}");
            }
        }
    });
}

#[test]
fn f50_forged_symbols_cost_a_listing_and_change_nothing() {
    each(|sweep| {
        sweep.is_true("forged-symbols.drifted");
        sweep.must("forged-listing.drifted", &["protocol"]);
    });
}

#[test]
fn f54_a_host_that_says_it_is_another_system() {
    each(|sweep| sweep.must_both("other-system", &["wrong-baseline"]));
}
