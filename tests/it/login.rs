//! Login: keys from files and the agent, and what is said when none will do.

use crate::lab::{Options, Scene, account, certify, encrypt, generate, program};
use std::fs;
use std::process::Command;

/// Scans one host with a key of this type.
fn logs_in_with(kind: &str) {
    let scene = Scene::new();
    scene.host("web-01");
    let key = generate(&scene.lab.path("keys/mine"), kind, None);
    scene.lab.authorize(&key);
    let run = scene
        .lab
        .driftscan(&["scan", "--fleet", "hosts.txt"])
        .flag("--identity", &key)
        .flag("--known-hosts", scene.lab.known_hosts())
        .flag("--ssh-config", scene.lab.path("ssh_config"))
        .reported()
        .run();
    run.succeeds().says("web-01", "clean");
    assert_eq!(scene.sshd.logins(), 1);
}

fn ed25519() {
    logs_in_with("ed25519");
}

fn ecdsa() {
    logs_in_with("ecdsa");
}

fn rsa() {
    logs_in_with("rsa");
}

/// A fleet whose one server trusts an authority and no key; its login key has a certificate of these words.
fn certified(more: &[&str]) -> (Scene, crate::lab::Run) {
    let lab_key = |scene: &Scene| generate(&scene.lab.path("keys/mine"), "rsa", None);
    let authority = tempfile::tempdir().unwrap();
    let authority_key = generate(&authority.path().join("ca"), "ed25519", None);
    let trust = format!("TrustedUserCAKeys {}", authority_key.with_extension("pub").display());
    let scene = Scene::with(&Options::configured(&[&trust]), |_| ());
    scene.host("web-01");
    fs::write(scene.lab.path("authorized_keys"), "").unwrap();
    let key = lab_key(&scene);
    certify(&authority_key, &key, more);
    let run = scene
        .lab
        .driftscan(&["scan", "--fleet", "hosts.txt"])
        .flag("--identity", &key)
        .flag("--known-hosts", scene.lab.known_hosts())
        .flag("--ssh-config", scene.lab.path("ssh_config"))
        .reported()
        .run();
    (scene, run)
}

fn a_short_lived_certificate_of_an_authority() {
    let (scene, run) = certified(&["-n", &account(), "-V", "-1m:+5m", "-z", "9"]);
    run.succeeds().says("web-01", "clean");
    assert!(scene.sshd.log().contains("RSA-CERT"), "{}", scene.sshd.log());
}

fn a_certificate_that_expired_is_said_before_the_scan() {
    let (scene, run) = certified(&["-n", &account(), "-V", "-2h:-1h"]);
    let run = run.exits(3).unverifiable("web-01", "auth");
    assert!(run.stderr.contains("expired at") && run.stdout.contains("expired at"), "{run}");
    assert!(!scene.sshd.log().contains("RSA-CERT"), "it was offered:\n{}", scene.sshd.log());
}

fn a_key_of_its_own_in_the_hosts_file() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    let key = generate(&scene.lab.path("keys/mine"), "ed25519", None);
    fs::copy(key.with_extension("pub"), scene.lab.path("authorized_keys")).unwrap();
    scene.line(&format!("{} identity={}", scene.sshd.line("web-01", &root), key.display()));
    scene.run().succeeds().says("web-01", "clean");
}

fn f10_a_key_that_the_server_does_not_know() {
    let scene = Scene::new();
    scene.host("web-01");
    fs::write(scene.lab.path("authorized_keys"), "").unwrap();
    let run = scene.run().exits(3).unverifiable("web-01", "auth");
    assert_eq!(scene.sshd.logins(), 0, "{run}");
}

fn f10_an_unknown_user() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    scene.line(&format!("no-such-user@127.0.0.1:{} name=web-01 root={}", scene.sshd.port, root.path().display()));
    scene.host("web-02");
    scene.run().exits(3).unverifiable("web-01", "auth").says("web-02", "clean");
}

fn an_encrypted_key_without_a_terminal_is_said() {
    let scene = Scene::new();
    scene.host("web-01");
    encrypt(&scene.lab.key(), "correct horse");
    let run = scene.run();
    assert!(matches!(run.code(), Some(1 | 3)), "{run}");
    assert!(run.stderr.contains("passphrase") || run.stdout.contains("passphrase"), "it is called what it is\n{run}");
    assert!(!run.stderr.contains("unsupported private key"), "{run}");
    assert_eq!(scene.sshd.logins(), 0);
}

fn a_missing_key_is_refused() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.scan(&["--identity", "/nonexistent/key"]).run().refused_with(&["/nonexistent/key"]);
}

fn a_file_that_is_no_key_is_refused() {
    let scene = Scene::new();
    scene.host("web-01");
    fs::write(scene.lab.key(), "this is no key\n").unwrap();
    let run = scene.run();
    assert_eq!(run.code(), Some(1), "{run}");
    assert!(run.stderr.contains("keys/login"), "{run}");
}

fn an_agent() {
    let scene = Scene::new();
    scene.host("web-01");
    let socket = scene.lab.path("agent");
    let mut agent = Command::new(program("ssh-agent")).args(["-D", "-a"]).arg(&socket).spawn().unwrap();
    while !socket.exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let added = Command::new(program("ssh-add")).arg("-q").arg(scene.lab.key()).env("SSH_AUTH_SOCK", &socket).status();
    assert!(added.unwrap().success());
    let run = scene
        .lab
        .driftscan(&["scan", "--fleet", "hosts.txt"])
        .flag("--known-hosts", scene.lab.known_hosts())
        .flag("--ssh-config", scene.lab.path("ssh_config"))
        .env("SSH_AUTH_SOCK", &socket)
        .reported()
        .run();
    let _ = agent.kill();
    let _ = agent.wait();
    run.succeeds().says("web-01", "clean");
}

fn no_key_and_no_agent_is_said() {
    let scene = Scene::new();
    scene.host("web-01");
    let run = scene
        .lab
        .driftscan(&["scan", "--fleet", "hosts.txt"])
        .flag("--known-hosts", scene.lab.known_hosts())
        .flag("--ssh-config", scene.lab.path("ssh_config"))
        .reported()
        .run();
    assert!(matches!(run.code(), Some(1 | 3)), "{run}");
    assert_eq!(scene.sshd.logins(), 0);
}

fn an_agent_that_is_gone_harms_nobody_who_has_a_key() {
    let scene = Scene::new();
    scene.host("web-01");
    scene.scan(&[]).env("SSH_AUTH_SOCK", scene.lab.path("gone")).run().succeeds().says("web-01", "clean");
}

fn f10_an_agent_that_dies_mid_run_harms_only_who_needs_it() {
    use std::os::unix::net::UnixListener;
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "needs");
    scene.line(&scene.sshd.line("needs", &root));
    let root = scene.lab.clone_root(&scene.golden, "has");
    scene.line(&format!("{} identity={}", scene.sshd.line("has", &root), scene.lab.key().display()));
    // An agent that tells of a key, and is gone when it is asked to sign.
    let socket = scene.lab.path("agent");
    let listener = UnixListener::bind(&socket).unwrap();
    let other = generate(&scene.lab.path("keys/other"), "ed25519", None);
    scene.lab.authorize(&other);
    let line = crate::lab::public_key(&other);
    let blob =
        crate::lab::tool("sh", &["-c", &format!("echo '{}' | base64 -d", line.split(' ').nth(1).unwrap())]).stdout;
    let agent = std::thread::spawn(move || {
        use std::io::{Read as _, Write as _};
        let (mut stream, _) = listener.accept().unwrap();
        stream.read_exact(&mut [0; 5]).unwrap();
        let mut answer = vec![12, 0, 0, 0, 1];
        answer.extend_from_slice(&u32::try_from(blob.len()).unwrap().to_be_bytes());
        answer.extend_from_slice(&blob);
        answer.extend_from_slice(&[0; 4]);
        stream.write_all(&u32::try_from(answer.len()).unwrap().to_be_bytes()).unwrap();
        stream.write_all(&answer).unwrap();
    });
    let run = scene
        .lab
        .driftscan(&["scan", "--fleet", "hosts.txt"])
        .flag("--known-hosts", scene.lab.known_hosts())
        .flag("--ssh-config", scene.lab.path("ssh_config"))
        .env("SSH_AUTH_SOCK", &socket)
        .reported()
        .run();
    agent.join().unwrap();
    let run = run.exits(3).says("has", "clean").unverifiable("needs", "auth");
    assert!(run.stdout.contains("the agent at"), "{run}");
}

fn user_port_and_key_of_ssh_config() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    let config = format!(
        "Host web-01\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  HostKeyAlias {}\n\
         Host other\n  ProxyJump nowhere.example.net\n",
        scene.sshd.port,
        crate::lab::account(),
        scene.lab.key().display(),
        "web-01",
    );
    fs::write(scene.lab.path("ssh_config"), config).unwrap();
    let key = crate::lab::public_key(scene.sshd.host_key());
    scene.lab.know(&format!("web-01 {key}"));
    scene.line(&format!("web-01 root={}", root.path().display()));
    let run = scene
        .lab
        .driftscan(&["scan", "--fleet", "hosts.txt"])
        .flag("--known-hosts", scene.lab.known_hosts())
        .flag("--ssh-config", scene.lab.path("ssh_config"))
        .reported()
        .run();
    run.succeeds().says("web-01", "clean");
}

fn a_proxy_of_ssh_config_is_not_ignored() {
    // There is no such way.
    for (proxy, word) in
        [("ProxyJump bastion.invalid", "bastion.invalid"), ("ProxyCommand /nonexistent/nc %h %p", "nc")]
    {
        let scene = Scene::new();
        let root = scene.lab.clone_root(&scene.golden, "web-01");
        fs::write(scene.lab.path("ssh_config"), format!("Host 127.0.0.1\n  {proxy}\n")).unwrap();
        scene.line(&scene.sshd.line("web-01", &root));
        let run = scene.run();
        assert_ne!(run.code(), Some(0), "{run}");
        let said = format!("{}{}", run.stdout, run.stderr);
        assert!(said.contains(word), "{run}");
        assert_eq!(scene.sshd.logins(), 0, "{run}");
    }
}

fn f16_a_login_shell_that_talks_is_skipped() {
    let scene = Scene::with(
        &Options::answering(crate::lab::Answer::after_noise(
            "echo 'Welcome to web-01'; echo; date; printf '\\026drift'",
        )),
        |_| (),
    );
    scene.host("web-01").change_unseen("/usr/bin/ls");
    scene.run().exits(2).drifted("web-01", &[("content-changed", "/usr/bin/ls")]);
}

fn f16_a_banner_before_login_is_skipped() {
    let lab = crate::lab::Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    fs::write(lab.path("banner"), "Authorised use only\n".repeat(50)).unwrap();
    let server = lab.sshd("first", &Options::configured(&[&format!("Banner {}", lab.path("banner").display())]));
    let root = lab.clone_root(&golden, "web-01");
    lab.hosts_file(&[server.line("web-01", &root)]);
    lab.scan(&[]).run().succeeds().says("web-01", "clean");
}

fn login_shells_of_every_kind() {
    // The shell of the account reads the command first; a strange one must pass it on as it is.
    for shell in ["dash", "bash", "busybox sh", "zsh", "tcsh", "fish", "ksh93", "mksh"] {
        let name = shell.split(' ').next().unwrap();
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
        if !found.status.success() {
            // dash or bash is on every system that has a Rust toolchain; the others are tried where they are.
            assert!(!matches!(shell, "bash"), "bash is missing");
            continue;
        }
        let scene = Scene::with(
            &Options::answering(crate::lab::Answer::shell(&format!("exec {shell} -c \"$SSH_ORIGINAL_COMMAND\""))),
            |_| (),
        );
        scene.host("web-01");
        scene.run().succeeds().says("web-01", "clean");
    }
}

crate::lab::over_both!(
    ed25519,
    rsa,
    f10_a_key_that_the_server_does_not_know,
    f10_an_unknown_user,
    an_encrypted_key_without_a_terminal_is_said,
    a_missing_key_is_refused,
    a_file_that_is_no_key_is_refused,
    an_agent,
    a_short_lived_certificate_of_an_authority,
    no_key_and_no_agent_is_said,
    user_port_and_key_of_ssh_config,
    a_proxy_of_ssh_config_is_not_ignored,
    f16_a_banner_before_login_is_skipped;
    ssh2 only: login_shells_of_every_kind,
    ecdsa,
    a_key_of_its_own_in_the_hosts_file,
    an_agent_that_is_gone_harms_nobody_who_has_a_key,
    a_certificate_that_expired_is_said_before_the_scan,
    f10_an_agent_that_dies_mid_run_harms_only_who_needs_it,
    f16_a_login_shell_that_talks_is_skipped,
);
