//! What a settings' file says, and what a person is told of its mistakes.
//!
//! *Invariant:* snapshots of whole messages.

#![expect(clippy::unwrap_used, reason = "a test may")]

use super::*;

fn parse(text: &str) -> Result<Settings, Mistakes> {
    Settings::parse("plan.toml", &format!("schema = \"{SCHEMA}\"\n{text}"), ["", "web", "db", "edge"])
}

fn refused(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn every_key_is_read() {
    let settings = parse(
        r#"
        expires = "12h"
        [guards]
        max_group_drift = "40%"
        require_two_runs = true
        [default]
        max_unavailable = "20%"
        bake = "0s"
        health = "true"
        [group.web]
        actuator = "aws-asg"
        ref = { region = "eu-west-1", asg = "web-prod" }
        floor = "90%"
        max_unavailable = 2
        surge = 0
        windows = [{ cron = "0 2 * * 1-5", duration = "3h", tz = "+02:00" }, { cron = "0 4 * * 6", duration = "1h" }]
        health = "curl -fsS http://$HOST/healthz"
        ready_timeout = "5m"
        [group.db]
        actuator = "terraform"
        surge = 1
        "#,
    )
    .unwrap();
    assert_eq!(settings.expires_seconds, 43_200);
    assert_eq!(settings.guards, Guards { max_group_drift_percent: 40, require_two_runs: true });
    let window =
        |cron: &str, duration: &str, tz: &str| Window { cron: cron.into(), duration: duration.into(), tz: tz.into() };
    assert_eq!(
        *settings.of("web"),
        Rules {
            actuator: Some(Actuator::AwsAsg),
            refs: vec![("asg".into(), "web-prod".into()), ("region".into(), "eu-west-1".into())],
            floor: Some(Budget::Percent(90)),
            max_unavailable: Some(Budget::Hosts(2)),
            surge: 0,
            windows: vec![window("0 2 * * 1-5", "3h", "+02:00"), window("0 4 * * 6", "1h", "UTC")],
            health: Some("curl -fsS http://$HOST/healthz".into()),
            ready_seconds: 300,
            bake_seconds: 0,
        }
    );
    let db = settings.of("db");
    assert_eq!((db.max_unavailable, db.surge, db.bake_seconds), (Some(Budget::Percent(20)), 1, 0));
    assert_eq!(settings.of("edge").health.as_deref(), Some("true"));
    assert_eq!(parse("").unwrap(), Settings::default());
}

#[test]
fn every_mistake_is_shown_in_its_place() {
    insta::assert_snapshot!(
        refused(
            "expires = \"1w\"\n[guards]\nmax_group_drift = 30\n[group.wbe]\nactuator = \"aws-asq\"\nfloor = -1\n\
             [group.web]\nactuator = \"kubectl\"\nsurge = 2\nhandover = true\n\
             windows = [{ cron = \"0 25 * * *\", duration = \"3\", tz = \"Vienna\" }]\n"
        ),
        @r#"
    plan.toml:2:11: this is no time
     2 | expires = "1w"
       |           ^^^^
       = write a number and s, m, h or d: "30m"
    plan.toml:4:19: `max_group_drift` holds an integer
     4 | max_group_drift = 30
       |                   ^^
       = it wants a string
    plan.toml:5:8: the fleet has no such group
     5 | [group.wbe]
       |        ^^^
       = did you mean [group.web]?
    plan.toml:6:12: no such actuator
     6 | actuator = "aws-asq"
       |            ^^^^^^^^^
       = did you mean "aws-asg"?
    plan.toml:7:9: this is no number of hosts and no share
     7 | floor = -1
       |         ^^
       = write 2, or "10%"
    plan.toml:10:9: kubectl ends the old machine first and makes the new one after
     10 | surge = 2
        |         ^
        = write surge = 0, and lower floor where the group has no machine to spare
    plan.toml:11:1: unknown key
     11 | handover = true
        | ^^^^^^^^
        = known here: actuator, ref, floor, max_unavailable, surge, windows, health, ready_timeout, bake
    plan.toml:12:21: not a cron line: the hour is none
     12 | windows = [{ cron = "0 25 * * *", duration = "3", tz = "Vienna" }]
        |                     ^^^^^^^^^^^^
        = cron = "0 2 * * 1-5"
    plan.toml:12:46: this is no time
     12 | windows = [{ cron = "0 25 * * *", duration = "3", tz = "Vienna" }]
        |                                              ^^^
        = write a number and s, m, h or d: "30m"
    plan.toml:12:56: no time zone has this shape
     12 | windows = [{ cron = "0 25 * * *", duration = "3", tz = "Vienna" }]
        |                                                        ^^^^^^^^
        = write UTC, +02:00 or Europe/Vienna
    "#
    );
}

#[test]
fn a_file_that_is_no_settings_is_told_so_at_once() {
    let parse = |text: &str| Settings::parse("plan.toml", text, ["web"]).unwrap_err().to_string();
    assert!(parse("[group.web]\n").contains("begin with: schema = \"driftscan.plan-settings/v1\""));
    assert!(parse("schema = \"driftscan.policy/v1\"\n").contains("no settings that this release reads"));
    assert!(parse("schema = \n").contains("not TOML"));
}

#[test]
fn values_that_plan_nothing_or_lie_are_mistakes() {
    for (text, said) in [
        ("[group.web]\nmax_unavailable = 0", "nothing could ever be replaced"),
        ("[group.web]\nmax_unavailable = \"0%\"", "nothing could ever be replaced"),
        ("[group.web]\nmax_unavailable = \"101%\"", "no share"),
        ("[group.web]\nmax_unavailable = 1.5", "a fraction"),
        ("[group.web]\nactuator = \"blue-green\"\nsurge = 1", "builds the whole group"),
        ("[group.web]\nactuator = \"aws-asg\"\nsurge = 1", "ends the old machine first"),
        ("[group.web]\nsurge = 1000000", "so many machines"),
        ("[group.web]\nhealth = \"a\\nb\"", "no command on one line"),
        ("[group.web]\nbake = \"31d\"", "write 30d at the most"),
        ("[group.web]\nref = { Asg = \"x\" }", "no key"),
        ("[group.web]\nref = { asg = \"\" }", "names nothing"),
        ("[group.web]\nref = { asg = 1 }", "an integer"),
        ("[group.web]\nref = \"web\"", "a string"),
        ("[group.web]\nwindows = [{ cron = \"0 2 * * *\" }]", "no duration"),
        ("[group.web]\nwindows = \"nights\"", "a string"),
        ("[default]\nactuator = \"terraform\"", "unknown key"),
        ("expires = \"0s\"", "write 1s at the least"),
        ("[default]\nwindows = [{ cron = \"0 2 * * *\", duration = \"30s\" }]", "write 1m at the least"),
        ("group = 1", "an integer"),
        ("[group]\nweb = 1", "an integer"),
        ("[guards]\nrequire_two_runs = \"yes\"", "a string"),
    ] {
        assert!(refused(text).contains(said), "{text}: {}", refused(text));
    }
    // A surge without an actuator, or with one that is told the order, is the group's own affair.
    assert_eq!(parse("[group.web]\nactuator = \"terraform\"\nsurge = 2").unwrap().of("web").surge, 2);
}

proptest::proptest! {
    #[test]
    fn no_text_panics(text in "[\\[\\]{}=\"a-z0-9_.,% \n-]{0,200}") {
        let _ = parse(&text);
        let _ = Settings::parse("plan.toml", &text, []);
    }
}
