//! `driftscan doctor HOST`: the connection, step by step.

use crate::lab::{Answer, Options, Scene, generate, public_key};
use std::fs;

/// The doctor on the scene's one host.
fn doctor(scene: &Scene, args: &[&str]) -> crate::lab::Run {
    scene.lab.connected(&["doctor", "web-01", "--fleet", "hosts.txt"]).args(args).run()
}

fn a_healthy_host() {
    let scene = Scene::new();
    scene.host("web-01");
    let run = doctor(&scene, &[]).succeeds();
    for step in ["connect", "host key", "log in", "probe", "read", "packages"] {
        assert!(run.stdout.to_lowercase().contains(step), "no {step}\n{run}");
    }
    assert!(run.stdout.contains(&scene.sshd.host_fingerprint()), "{run}");
}

fn a_changed_host_key() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.forget_hosts();
    let other = generate(&scene.lab.path("keys/other"), "ed25519", None);
    scene.lab.know(&format!("{} {}", scene.sshd.known_name(), public_key(&other)));
    let run = doctor(&scene, &[]);
    assert_ne!(run.code(), Some(0), "{run}");
    assert!(run.stdout.contains(&scene.sshd.host_fingerprint()), "{run}");
    scene.sshd.assert_no_authentication();
}

fn a_login_that_is_refused() {
    let scene = Scene::new();
    scene.host("web-01");
    fs::write(scene.lab.path("authorized_keys"), "").unwrap();
    assert_ne!(doctor(&scene, &[]).code(), Some(0));
}

fn a_host_where_nothing_may_run() {
    let scene = Scene::with(&Options::answering(Answer::shell("echo driftscan-no-place; exit 95")), |_| ());
    scene.host("web-01");
    assert_ne!(doctor(&scene, &[]).code(), Some(0));
}

fn a_host_that_is_not_in_the_fleet() {
    let scene = Scene::new();
    scene.host("web-02");
    assert_eq!(doctor(&scene, &[]).code(), Some(1));
}

fn what_would_run_is_shown_and_not_run() {
    let scene = Scene::new();
    scene.host("web-01");
    let run = doctor(&scene, &["--show-remote"]).succeeds();
    for text in ["umask 077; PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C", "driftscan-no-place; exit 95", "/bin/sh -c"]
    {
        assert!(run.stdout.contains(text), "no {text}\n{run}");
    }
    assert_eq!(scene.sshd.logins(), 0);
}

crate::lab::over_both!(
    a_healthy_host,
    a_changed_host_key,
    a_login_that_is_refused,
    a_host_where_nothing_may_run;
    ssh2 only: a_host_that_is_not_in_the_fleet,
    what_would_run_is_shown_and_not_run,
);
