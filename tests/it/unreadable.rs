//! What the account may not read is unverifiable by name, never absent and never clean.

use crate::lab::{Answer, Options, Scene, is_root, tool};

/// A server whose sessions have no rights: as root by giving them up, else as the account itself.
fn powerless() -> Options {
    if is_root() { Options::answering(Answer::as_nobody()) } else { Options::default() }
}

/// The golden root without the files that no ordinary account may read, so that a test adds its own.
fn readable(golden: &crate::lab::Tree) {
    tool("chmod", &["-R", "a+rX", golden.path().to_str().unwrap()]);
}

fn f24_an_unreadable_file_is_named() {
    let scene = Scene::with(&powerless(), readable);
    scene.host("web-01").chmod("/etc/nginx/nginx.conf", 0o000);
    let run = scene.run();
    // The mode is drift; what could not be read is said beside it.
    let run = run.exits(2).drifted("web-01", &[("mode-changed", "/etc/nginx/nginx.conf")]);
    assert!(run.reasons("web-01").contains("unreadable"), "{run}");
    let troubles = run.host("web-01")["coverage"]["troubles"].as_array().unwrap();
    assert!(troubles.iter().any(|trouble| trouble["path"] == "/etc/nginx/nginx.conf"), "{run}");
}

fn unreadable_in_the_golden_root_too_is_unverifiable() {
    let secret = "/etc/nginx/tls.key";
    let scene = Scene::with(&powerless(), |golden| {
        readable(golden);
        if is_root() {
            golden.write(secret, "a key");
            golden.chmod(secret, 0o600);
        }
    });
    let host = scene.host("web-01");
    if is_root() {
        let run = scene.run().exits(3).unverifiable("web-01", "unreadable");
        assert!(run.stdout.contains("--sudo") || run.stderr.contains("--sudo"), "the way out is named\n{run}");
        assert!(run.stdout.contains("excuse_unreadable") || run.stderr.contains("excuse_unreadable"), "{run}");
    } else {
        // Root alone can capture what the account can't read; here the folder is shut afterwards.
        host.chmod("/etc/nginx", 0o311);
        let run = scene.run().exits(2).says("web-01", "drifted");
        assert!(run.reasons("web-01").contains("unreadable"), "{run}");
    }
}

fn f24_an_unreadable_folder_hides_nothing() {
    let scene = Scene::with(&powerless(), readable);
    let host = scene.host("web-01");
    host.change_unseen("/etc/ssh/sshd_config");
    host.chmod("/etc/ssh", 0o700);
    if !is_root() {
        host.chmod("/etc/ssh", 0o000);
    }
    let run = scene.run().exits(2).says("web-01", "drifted");
    assert!(run.reasons("web-01").contains("unreadable"), "{run}");
    let findings = run.findings("web-01");
    assert!(findings.contains(&("mode-changed", "/etc/ssh")), "{run}");
    assert!(!findings.iter().any(|(code, _)| *code == "file-removed"), "not read is not gone\n{run}");
}

fn a_policy_can_excuse_by_name() {
    if !is_root() {
        // The capture itself needs to read everything; an ordinary account can't make a root it can't read.
        let scene = Scene::new();
        scene.golden.chmod("/etc/nginx/nginx.conf", 0o000);
        let target = scene.golden.target();
        let capture = scene.lab.driftscan(&["baseline", "capture", "web@2", "--from", &target]).run();
        capture.refused_with(&["/etc/nginx/nginx.conf"]);
        return;
    }
    let scene = Scene::with(&powerless(), |golden| {
        readable(golden);
        golden.write("/etc/nginx/tls.key", "a key");
        golden.chmod("/etc/nginx/tls.key", 0o600);
    });
    scene.host("web-01");
    scene.run().exits(3).unverifiable("web-01", "unreadable");
    let policy = scene.lab.path("policy.toml");
    let text = "schema = \"driftscan.policy/v1\"\nextends = [\"auto\"]\nexcuse_unreadable = [\"/etc/nginx/tls.key\"]\n";
    std::fs::write(&policy, text).unwrap();
    let run = scene.scan(&["--policy", policy.to_str().unwrap()]).run().exits(0).says("web-01", "clean");
    let troubles = run.host("web-01")["coverage"]["troubles"].as_array().unwrap();
    assert!(
        troubles.iter().any(|trouble| trouble["path"] == "/etc/nginx/tls.key" && trouble["excused"] == true),
        "{run}"
    );
}

fn sudo_reads_what_the_account_cannot() {
    // As root sudo is allowed by its own default; elsewhere it is what this machine's sudoers say.
    let allowed = std::process::Command::new(crate::lab::program("sudo")).args(["-n", "true"]).output().unwrap();
    let scene = Scene::new();
    scene.host("web-01");
    let run = scene.scan(&["--sudo"]).run();
    if allowed.status.success() {
        run.exits(0).says("web-01", "clean");
    } else {
        run.exits(3).unverifiable("web-01", "sudo");
    }
}

fn sudo_that_is_refused_is_said() {
    let options = if is_root() {
        Options::answering(Answer::as_nobody())
    } else {
        // A sudo of the test's own that refuses as the real one does.
        Options::answering(Answer::shell(
            "case $SSH_ORIGINAL_COMMAND in *sudo*) echo 'sudo: a password is required' >&2; exit 1;; esac\n\
             exec sh -c \"$SSH_ORIGINAL_COMMAND\"",
        ))
    };
    let scene = Scene::with(&options, |_| ());
    scene.host("web-01");
    scene.scan(&["--sudo"]).run().exits(3).unverifiable("web-01", "sudo");
}

crate::lab::over_both!(
    f24_an_unreadable_file_is_named,
    sudo_reads_what_the_account_cannot,
    sudo_that_is_refused_is_said;
    ssh2 only: unreadable_in_the_golden_root_too_is_unverifiable,
    f24_an_unreadable_folder_hides_nothing,
    a_policy_can_excuse_by_name,
);
