//! Host keys: nobody logs in to a server that `known_hosts` does not vouch for.

use crate::lab::{Lab, Options, Run, Scene, certify, fingerprint, generate, public_key};
use std::fs;

/// A scene with one host and the given lines in place of what the lab knows; `NAME` and `KEY` stand for the server's.
fn known_as(lines: &[&str]) -> (Scene, Run) {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.forget_hosts();
    for line in lines {
        let line = line.replace("NAME", &scene.sshd.known_name()).replace("KEY", &public_key(scene.sshd.host_key()));
        scene.lab.know(&line);
    }
    let run = scene.run();
    (scene, run)
}

/// Another key, of the lab.
fn other(lab: &Lab) -> String {
    public_key(&generate(&lab.path("keys/other"), "ed25519", None))
}

#[track_caller]
fn refused(scene: &Scene, run: Run) -> Run {
    let run = run.exits(3).unverifiable("web-01", "host-key");
    scene.sshd.assert_no_authentication();
    run
}

fn f09_unknown() {
    let (scene, run) = known_as(&[]);
    let run = refused(&scene, run);
    assert!(run.stdout.contains(&scene.sshd.host_fingerprint()), "the key it showed, in full\n{run}");
}

fn f09_changed() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.forget_hosts();
    scene.lab.know("# a comment");
    scene.lab.know(&format!("{} {}", scene.sshd.known_name(), other(&scene.lab)));
    let run = scene.run();
    let run = refused(&scene, run);
    let texts = run.host("web-01")["reasons"].to_string();
    for shown in [&scene.sshd.host_fingerprint(), &fingerprint(&scene.lab.path("keys/other"))] {
        assert!(run.stdout.contains(shown.as_str()), "both fingerprints in full\n{run}");
        assert!(texts.contains(shown.as_str()), "{texts}");
    }
    assert!(run.stdout.contains("known_hosts:2"), "file and line\n{run}");
}

fn f09_changed_and_of_another_type() {
    let scene = Scene::with(&Options { host_keys: vec!["ecdsa"], ..Options::default() }, |_| ());
    scene.host("web-01");
    scene.lab.forget_hosts();
    let old = public_key(&generate(&scene.lab.path("keys/old"), "ecdsa", None));
    scene.lab.know(&format!("{} {old}", scene.sshd.known_name()));
    // The server also has an ed25519 key, which nobody vouched for: it is not taken in the other's place.
    let run = scene.run();
    refused(&scene, run);
}

fn f09_revoked() {
    let (scene, run) = known_as(&["NAME KEY", "@revoked NAME KEY"]);
    refused(&scene, run);
}

fn f09_revoked_everywhere() {
    let (scene, run) = known_as(&["@revoked * KEY", "NAME KEY"]);
    refused(&scene, run);
}

fn f09_a_certificate_authority_alone_does_not_vouch_for_a_plain_key() {
    let (scene, run) = known_as(&["@cert-authority NAME KEY"]);
    refused(&scene, run);
}

fn a_marker_nobody_knows_vouches_for_nothing() {
    let (scene, run) = known_as(&["@maybe NAME KEY"]);
    refused(&scene, run);
}

fn negated() {
    let (scene, run) = known_as(&["[127.0.0.*]:*,!NAME KEY"]);
    refused(&scene, run);
}

fn of_another_port() {
    let (scene, run) = known_as(&["[127.0.0.1]:1 KEY"]);
    refused(&scene, run);
}

fn without_its_port() {
    // As OpenSSH does: a name without a port vouches where no line names the port.
    known_as(&["127.0.0.1 KEY"]).1.succeeds().says("web-01", "clean");
}

fn exact() {
    known_as(&["NAME KEY"]).1.succeeds().says("web-01", "clean");
}

fn among_others_and_after_garbage() {
    let (_, run) =
        known_as(&["this is garbage", "|1|not-base64|not-base64 ssh-ed25519 AAAA", "NAME", "a,NAME,b KEY comment"]);
    run.succeeds().says("web-01", "clean");
}

fn wildcard() {
    known_as(&["[127.0.0.?]:* KEY"]).1.succeeds().says("web-01", "clean");
}

fn hashed() {
    let scene = Scene::new();
    scene.host("web-01");
    crate::lab::tool("ssh-keygen", &["-q", "-H", "-f", scene.lab.known_hosts().to_str().unwrap()]);
    assert!(fs::read_to_string(scene.lab.known_hosts()).unwrap().starts_with("|1|"));
    scene.run().succeeds().says("web-01", "clean");
}

fn hashed_and_changed() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.forget_hosts();
    scene.lab.know(&format!("{} {}", scene.sshd.known_name(), other(&scene.lab)));
    crate::lab::tool("ssh-keygen", &["-q", "-H", "-f", scene.lab.known_hosts().to_str().unwrap()]);
    let run = scene.run();
    refused(&scene, run);
}

fn the_type_that_is_known_is_the_one_asked_for() {
    for kind in ["ecdsa", "rsa"] {
        let scene = Scene::with(&Options { host_keys: vec![kind], ..Options::default() }, |_| ());
        scene.host("web-01");
        scene.lab.forget_hosts();
        let line = scene.sshd.known_lines().into_iter().find(|line| line.contains(kind)).unwrap();
        scene.lab.know(&line);
        scene.run().succeeds().says("web-01", "clean");
    }
}

fn pinned_in_the_hosts_file() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    scene.lab.forget_hosts();
    let line = scene.sshd.line("web-01", &root);
    scene.line(&format!("{line} host-key={}", scene.sshd.host_fingerprint()));
    scene.run().succeeds().says("web-01", "clean");
}

fn pinned_to_another_key() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    other(&scene.lab);
    let line = scene.sshd.line("web-01", &root);
    // known_hosts vouches for the server, but the fleet wants another one.
    scene.line(&format!("{line} host-key={}", fingerprint(&scene.lab.path("keys/other"))));
    let run = scene.run();
    refused(&scene, run);
}

fn accepted_when_asked_for_and_known_from_then_on() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.forget_hosts();
    scene.scan(&["--accept-new-host-keys"]).run().succeeds().says("web-01", "clean");
    let known = fs::read_to_string(scene.lab.known_hosts()).unwrap();
    assert!(known.contains(&public_key(scene.sshd.host_key())), "{known}");
    scene.run().succeeds().says("web-01", "clean");
}

fn a_changed_key_is_not_accepted_even_when_asked() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.forget_hosts();
    scene.lab.know(&format!("{} {}", scene.sshd.known_name(), other(&scene.lab)));
    let run = scene.scan(&["--accept-new-host-keys"]).run();
    refused(&scene, run);
}

fn a_revoked_key_is_not_accepted_even_when_asked() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.forget_hosts();
    scene.lab.know(&format!("@revoked * {}", public_key(scene.sshd.host_key())));
    let run = scene.scan(&["--accept-new-host-keys"]).run();
    refused(&scene, run);
}

fn a_host_certificate_does_not_look_like_a_changed_key() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    // The key is made before the server, so that it can be certified; the server gets it as a second one.
    let authority = generate(&lab.path("keys/authority"), "ed25519", None);
    let certified = generate(&lab.path("keys/certified"), "ecdsa", None);
    let (authority, certified) = (authority.to_str().unwrap(), certified.to_str().unwrap());
    crate::lab::tool(
        "ssh-keygen",
        &["-q", "-s", authority, "-I", "host", "-h", "-n", "127.0.0.1", &format!("{certified}.pub")],
    );
    let server = lab.sshd(
        "first",
        &Options::configured(&[&format!("HostKey {certified}"), &format!("HostCertificate {certified}-cert.pub")]),
    );
    let root = lab.clone_root(&golden, "web-01");
    lab.hosts_file(&[server.line("web-01", &root)]);
    lab.scan(&[]).run().succeeds().says("web-01", "clean");
}

/// A lab, an authority, and a server whose host key that authority signed for a name.
fn certified(name: &str) -> (Lab, std::path::PathBuf, crate::lab::SshHost, crate::lab::Tree) {
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    let authority = generate(&lab.path("keys/authority"), "ed25519", None);
    let server = certified_server(&lab, &authority, "first", name);
    let root = lab.clone_root(&golden, "web-01");
    lab.hosts_file(&[server.line("web-01", &root)]);
    lab.forget_hosts();
    lab.know(&format!("@cert-authority 127.0.0.* {}", public_key(&authority)));
    (lab, authority, server, golden)
}

fn certified_server(lab: &Lab, authority: &std::path::Path, server: &str, name: &str) -> crate::lab::SshHost {
    let key = generate(&lab.path(format!("keys/{server}")), "ed25519", None);
    let certificate = certify(authority, &key, &["-h", "-n", name, "-V", "-1m:+1h"]);
    let lines = [format!("HostKey {}", key.display()), format!("HostCertificate {}", certificate.display())];
    lab.sshd(server, &Options::configured(&[&lines[0], &lines[1]]))
}

fn a_replaced_host_with_a_new_key_is_trusted_by_its_authority() {
    let (lab, authority, first, golden) = certified("127.0.0.1");
    lab.scan(&[]).run().succeeds().says("web-01", "clean");
    drop(first);
    let second = certified_server(&lab, &authority, "second", "127.0.0.1");
    let root = lab.clone_root(&golden, "web-01-again");
    lab.hosts_file(&[second.line("web-01", &root)]);
    // Starting a server makes its keys known to the lab; only the authority is meant to be.
    lab.forget_hosts();
    lab.know(&format!("@cert-authority 127.0.0.* {}", public_key(&authority)));
    lab.scan(&[]).run().succeeds().says("web-01", "clean");
    assert_eq!(second.logins(), 1);
}

fn f09_a_certificate_of_another_authority_or_for_another_host_is_no_key() {
    let (lab, _, server, _) = certified("127.0.0.1");
    let other = generate(&lab.path("keys/other"), "ed25519", None);
    lab.forget_hosts();
    lab.know(&format!("@cert-authority * {}", public_key(&other)));
    let run = lab.scan(&["--accept-new-host-keys"]).run().exits(3).unverifiable("web-01", "host-key");
    assert!(run.stdout.contains(&fingerprint(&other)), "{run}");
    server.assert_no_authentication();
    let (lab, _, server, _) = certified("web-02.example.net");
    let run = lab.scan(&[]).run().exits(3).unverifiable("web-01", "host-key");
    assert!(run.stdout.contains("web-02.example.net"), "{run}");
    server.assert_no_authentication();
}

fn f09_keys_that_ssh_config_revokes() {
    let (scene, run) = known_as(&["NAME KEY"]);
    run.succeeds();
    let list = scene.lab.path("revoked");
    fs::write(&list, format!("{}\n", public_key(scene.sshd.host_key()))).unwrap();
    fs::write(scene.lab.path("ssh_config"), format!("RevokedHostKeys {}\n", list.display())).unwrap();
    scene.run().exits(3).unverifiable("web-01", "host-key");
    assert_eq!(scene.sshd.logins(), 1, "the one before it was revoked");
}

fn known_by_a_command_of_ssh_config() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.lab.forget_hosts();
    let lines = scene.lab.path("lines");
    fs::write(&lines, scene.sshd.known_lines().join("\n") + "\n").unwrap();
    fs::write(scene.lab.path("ssh_config"), format!("KnownHostsCommand /bin/cat {}\n", lines.display())).unwrap();
    scene.run().succeeds().says("web-01", "clean");
    fs::remove_file(&lines).unwrap();
    let run = scene.run().exits(3).unverifiable("web-01", "host-key");
    assert!(run.stdout.contains("KnownHostsCommand"), "{run}");
}

fn f09_one_bad_key_harms_no_other_host() {
    let scene = Scene::new();
    scene.host("web-01");
    let second = scene.lab.sshd("second", &Options::default());
    scene.host_at(&second, "web-02");
    scene.lab.forget_hosts();
    scene.lab.know(&scene.sshd.known_lines()[0]);
    scene.lab.know(&format!("{} {}", second.known_name(), other(&scene.lab)));
    scene.run().exits(3).says("web-01", "clean").unverifiable("web-02", "host-key");
    second.assert_no_authentication();
}

crate::lab::over_both!(
    f09_unknown,
    f09_changed,
    f09_revoked,
    f09_a_certificate_authority_alone_does_not_vouch_for_a_plain_key,
    without_its_port,
    hashed_and_changed,
    the_type_that_is_known_is_the_one_asked_for,
    pinned_in_the_hosts_file,
    pinned_to_another_key,
    accepted_when_asked_for_and_known_from_then_on,
    a_changed_key_is_not_accepted_even_when_asked,
    a_host_certificate_does_not_look_like_a_changed_key,
    a_replaced_host_with_a_new_key_is_trusted_by_its_authority,
    f09_keys_that_ssh_config_revokes,
    known_by_a_command_of_ssh_config,
    f09_one_bad_key_harms_no_other_host;
    ssh2 only: f09_a_certificate_of_another_authority_or_for_another_host_is_no_key,
    among_others_and_after_garbage,
    wildcard,
    f09_changed_and_of_another_type,
    f09_revoked_everywhere,
    a_marker_nobody_knows_vouches_for_nothing,
    negated,
    of_another_port,
    exact,
    hashed,
    a_revoked_key_is_not_accepted_even_when_asked,
);
