//! Plans as bytes.
//!
//! *Invariant:* what is read equals what was written, and whatever was changed is refused.

use super::*;
use crate::report::plan::samples::sample;
use proptest::prelude::*;
use serde_json::Value;

fn written(plan: &Plan) -> Vec<u8> {
    let mut out = Vec::new();
    write(plan, &mut out).unwrap();
    out
}

#[test]
fn the_promised_fields_are_there() {
    let first = sample(None);
    let mut before = first.clone();
    before.items.remove(0);
    seal(&mut before);
    let bytes = written(&sample(Some(&before)));
    assert_eq!(bytes.iter().position(|b| *b == b'\n'), Some(bytes.len() - 1));
    let plan: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!((&plan["schema"], &plan["version"]), (&"driftscan.plan/v1".into(), &1.into()));
    let keys: Vec<&String> = plan.as_object().unwrap().keys().collect();
    insta::assert_snapshot!(format!("{keys:?}"), @r#"["based_on", "change", "created", "deferred", "expires", "groups", "guards", "items", "plan_id", "refused", "schema", "version", "waves"]"#);
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan["items"][0]).unwrap(), @r#"
    {
      "address": "driftscan@web-09.example.net:22",
      "constraints": {
        "quorum": null,
        "zone": "eu-west-1a"
      },
      "group": "web",
      "handle": {},
      "host": "web-09",
      "host_key": "ED25519 SHA256:Jx2bVwq8bq0mZ5cE1uPpT7sYd4nHk3rLa9GfX6iWoQk",
      "jump": false,
      "machine_id": null,
      "reason": {
        "codes": [],
        "evidence": [],
        "fingerprints": [],
        "first_seen": null,
        "severity": null,
        "snowflake": null
      },
      "reference": "web@2026.11.1",
      "target": "web@2026.11.3",
      "verdict": "outdated"
    }
    "#);
    let mut group = plan["groups"][0].clone();
    group["members"].as_array_mut().unwrap().truncate(1);
    insta::assert_snapshot!(serde_json::to_string_pretty(&group).unwrap(), @r#"
    {
      "actuator": "terraform",
      "bake_seconds": 1800,
      "capacity": {
        "floor": 36,
        "max_unavailable": 4,
        "source": "declared"
      },
      "health": {
        "command": "curl -fsS \"http://$HOST/healthz\"",
        "ready_seconds": 900
      },
      "healthy": 39,
      "id": "web",
      "members": [
        {
          "handle": {},
          "host": "web-01",
          "host_key": "ED25519 SHA256:Jx2bVwq8bq0mZ5cE1uPpT7sYd4nHk3rLa9GfX6iWoQk",
          "machine_id": null
        }
      ],
      "ref": {
        "module": "web"
      },
      "size": 40,
      "surge": 0,
      "unhealthy": [
        "web-40"
      ],
      "windows": [
        {
          "cron": "0 2 * * 1-5",
          "duration": "3h",
          "tz": "UTC"
        }
      ]
    }
    "#);
    assert_eq!(plan["change"]["added"].as_array().unwrap().len(), 1);
}

#[test]
fn the_id_is_the_digest_of_the_rest() {
    let plan = sample(None);
    let text = String::from_utf8(written(&plan)).unwrap();
    let without = text.trim_end().replacen(&format!("\"plan_id\":\"{}\",", plan.id), "", 1);
    assert_eq!(plan.id, format!("sha256:{}", hex(&Sha256::digest(without))));
    assert_eq!(read(text.as_bytes()).unwrap(), plan);
    assert_eq!(written(&read(text.as_bytes()).unwrap()), text.as_bytes());
}

#[test]
fn a_changed_plan_is_refused() {
    let text = String::from_utf8(written(&sample(None))).unwrap();
    for (from, to) in [
        ("\"canary\":true", "\"canary\":false"),
        ("\"floor\":36", "\"floor\":1"),
        ("\"web-02\"", "\"web-01\""),
        ("\"guards\":", "\"extra\":1,\"guards\":"),
        ("\"plan_id\":\"sha256:", "\"plan_id\":\"sha256:0"),
    ] {
        assert!(text.contains(from), "{from}");
        assert!(read(text.replacen(from, to, 1).as_bytes()).is_err(), "{from} -> {to}");
    }
    assert_eq!(read(text.replacen("\"floor\":36", "\"floor\":1", 1).as_bytes()).unwrap_err(), ReadError::Id);
    let other = text.replacen("plan/v1", "report/v1", 1);
    assert_eq!(
        read(other.replacen("\"guards\":", "\"x\":", 1).as_bytes()).unwrap_err(),
        ReadError::Schema { found: "driftscan.report/v1".into() }
    );
}

/// The id proves nothing of who wrote it: a plan that is sealed anew must still hold together.
#[test]
fn a_forged_plan_that_contradicts_itself_is_refused() {
    let forge = |change: &dyn Fn(&mut Plan)| {
        let mut plan = sample(None);
        change(&mut plan);
        seal(&mut plan);
        read(&written(&plan)).unwrap_err()
    };
    let changes: [&dyn Fn(&mut Plan); 12] = [
        &|plan| plan.waves[0].number = 2,
        &|plan| plan.waves[1].hosts.clear(),
        &|plan| plan.waves[0].group = "nobody".into(),
        &|plan| plan.items[0].host = "web-01".into(),
        &|plan| plan.items[1].host = plan.items[0].host.clone(),
        &|plan| plan.deferred[0].host = plan.items[0].host.clone(),
        &|plan| plan.deferred[0].why = "mood".into(),
        &|plan| plan.refused[0].why = "mood".into(),
        &|plan| plan.items[0].verdict = crate::model::Verdict::Unverifiable,
        &|plan| plan.items[0].evidence.push("a\u{1b}[31m".into()),
        &|plan| plan.items[0].handle.0.push(("tf".into(), "a\nb".into())),
        &|plan| plan.created = "now".into(),
    ];
    for (at, change) in changes.iter().enumerate() {
        assert_ne!(forge(change), ReadError::Id, "{at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_damage_panics_and_no_cut_is_read(at: prop::sample::Index, byte: u8) {
        let mut bytes = written(&sample(None));
        let cut = at.index(bytes.len() - 1);
        prop_assert!(read(&bytes[..cut]).is_err());
        bytes[cut] = byte;
        let _ = read(&bytes);
    }

    #[test]
    fn noise_never_panics(bytes: Vec<u8>, text in r#"[\[\]{}":,0-9a-z\\]{0,200}"#) {
        prop_assert!(read(&bytes).is_err());
        prop_assert!(read(text.as_bytes()).is_err());
    }
}
