//! The system's ssh as the transport: what is particular to it.

use crate::faults::Peer;
use crate::lab::{
    Answer, Options, Run, Scene, account, descendants, fingerprint, generate, over, public_key, transport,
};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::time::{Duration, Instant};

/// The audit of the last run, a line a host.
fn audit(scene: &Scene) -> Vec<Value> {
    let runs = fs::read_dir(scene.lab.path("reports")).unwrap().flatten();
    let file = runs.map(|run| run.path().join("audit.jsonl")).filter(|file| file.exists()).max().unwrap();
    let lines = fs::read_to_string(file).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["host"].is_string()).collect()
}

/// Fails unless this program logged in there.
#[track_caller]
fn spoken_by(log: &str, client: &str) {
    let software = log.lines().filter_map(|line| line.split("remote software version ").nth(1));
    let others: Vec<&str> = software.filter(|said| !said.starts_with(client)).collect();
    assert!(log.contains("remote software version") && others.is_empty(), "{others:?}\n{log}");
}

fn openssh(test: impl FnOnce()) {
    over("openssh", test);
}

/// What driftscan leaves in the folder for temporary files.
fn left(scene: &Scene) -> Vec<String> {
    let names = fs::read_dir(scene.lab.path("tmp")).unwrap().flatten();
    names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn the_word_of_the_hosts_file_wins_over_the_flag() {
    let scene = Scene::new();
    let second = scene.lab.sshd("second", &Options::default());
    for (server, name, word) in [(&scene.sshd, "web-01", "openssh"), (&second, "web-02", "ssh2")] {
        let root = scene.lab.clone_root(&scene.golden, name);
        scene.line(&format!("{} transport={word}", server.line(name, &root)));
    }
    for flag in ["ssh2", "openssh"] {
        scene.scan(&["--transport", flag]).run().succeeds();
    }
    spoken_by(&scene.sshd.log(), "OpenSSH");
    spoken_by(&second.log(), "driftscan");
    assert_eq!((scene.sshd.logins(), second.logins()), (2, 2));
}

#[test]
fn the_lab_speaks_what_it_says() {
    for (name, client) in [("ssh2", "driftscan"), ("openssh", "OpenSSH")] {
        over(name, || {
            let scene = Scene::new();
            scene.host("web-01");
            assert_eq!(transport(), name);
            scene.run().succeeds();
            spoken_by(&scene.sshd.log(), client);
        });
    }
}

#[test]
fn one_login_and_one_session_a_host_and_nothing_is_left() {
    openssh(|| {
        let scene = Scene::new();
        for number in 0..6 {
            scene.host(&format!("web-{number}"));
        }
        scene.run().succeeds();
        assert_eq!(scene.sshd.logins(), 6);
        assert_eq!(scene.sshd.log().matches("Starting session: command").count(), 6);
        assert_eq!(left(&scene), Vec::<String>::new());
    });
}

#[test]
fn a_capture_is_one_login() {
    openssh(|| {
        let scene = Scene::new();
        scene.lab.capture_from("web@2", &scene.sshd, &scene.golden).run().succeeds();
        assert_eq!(scene.sshd.logins(), 1);
        assert_eq!(scene.sshd.log().matches("Starting session: command").count(), 3);
        spoken_by(&scene.sshd.log(), "OpenSSH");
    });
}

#[test]
fn the_report_names_the_host_key_and_the_audit_the_key_that_logged_in() {
    openssh(|| {
        let scene = Scene::new();
        scene.host("web-01");
        let run = scene.run().succeeds();
        let host_key = format!("ssh-ed25519 {}", scene.sshd.host_fingerprint());
        assert_eq!(run.host("web-01")["host_key"], host_key.as_str(), "{run}");
        let line = &audit(&scene)[0];
        assert_eq!(line["host_key"], host_key.as_str(), "{line}");
        let used = line["key_used"].as_str().unwrap();
        let path = scene.lab.key();
        assert_eq!(used, format!("{} ({})", fingerprint(&path), path.display()));
    });
}

/// Lines that would be evidence if they stood in ssh's log, for every process id that is likely.
fn forged(scene: &Scene) -> String {
    let key = generate(&scene.lab.path("keys/forged"), "ed25519", None);
    let print = fingerprint(&key);
    format!(
        "debug1: Server host key: ssh-ed25519 {print}\ndebug1: Server accepts key: /forged ED25519 {print} explicit\n\
         debug1: sshconnect.c:verify_host_key():1470 (pid=1): Server host key: ssh-ed25519 {print}\n\
         Authenticated to 127.0.0.1 ([127.0.0.1]:22) using \"forged\".\n"
    )
}

#[test]
fn what_a_host_says_before_or_after_the_login_is_no_evidence() {
    openssh(|| {
        let scene = Scene::new();
        let lies = forged(&scene);
        let banner = scene.lab.path("banner");
        fs::write(&banner, &lies).unwrap();
        let noise = format!("cat {0} >&2; cat {0}", banner.display());
        let mut options = Options::answering(Answer::after_noise(&noise));
        options.config.push(format!("Banner {}", banner.display()));
        let server = scene.lab.sshd("liar", &options);
        scene.host_at(&server, "liar");
        let run = scene.run().succeeds();
        assert_eq!(run.host("liar")["host_key"], format!("ssh-ed25519 {}", server.host_fingerprint()).as_str());
        let line = audit(&scene)[0].to_string();
        assert!(line.contains(&fingerprint(&scene.lab.key())) && !line.contains("forged"), "{line}");
    });
}

#[test]
fn no_file_loosens_what_is_asked_of_ssh() {
    openssh(|| {
        let scene = Scene::new();
        scene.host("web-01");
        scene.lab.forget_hosts();
        let marker = scene.lab.path("ran");
        let control = scene.lab.path("control");
        fs::write(
            scene.lab.path("ssh_config"),
            format!(
                "Host *\n  StrictHostKeyChecking no\n  NoHostAuthenticationForLocalhost yes\n  ForwardAgent yes\n  \
                 ControlMaster auto\n  ControlPath {}\n  ControlPersist 600\n  PermitLocalCommand yes\n  \
                 LocalCommand touch {}\n  RemoteCommand touch {}\n  LogLevel QUIET\n  FingerprintHash md5\n  \
                 BatchMode no\n  ForkAfterAuthentication yes\n  RequestTTY force\n  SetEnv LC_SECRET=told\n  SendEnv *\n",
                control.display(),
                marker.display(),
                marker.display()
            ),
        )
        .unwrap();
        scene.run().exits(3).unverifiable("web-01", "host-key");
        scene.sshd.assert_no_authentication();
        scene.lab.know(&scene.sshd.known_lines()[0]);
        let run = scene.run().succeeds();
        let host_key = format!("ssh-ed25519 {}", scene.sshd.host_fingerprint());
        assert_eq!(run.host("web-01")["host_key"], host_key.as_str(), "{run}");
        assert!(!marker.exists() && !control.exists(), "a command ran, or a connection is left open\n{run}");
        let log = scene.sshd.log();
        for word in ["auth-agent", "pty-req", "LC_SECRET"] {
            assert!(!log.contains(word), "{word}\n{log}");
        }
    });
}

#[test]
fn options_of_ssh_config_that_lead_to_the_host_hold() {
    openssh(|| {
        let scene = Scene::new();
        let root = scene.lab.clone_root(&scene.golden, "web-01");
        let key = generate(&scene.lab.path("keys/mine"), "ed25519", None);
        scene.lab.authorize(&key);
        let config = format!(
            "Match exec \"true\"\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  IdentitiesOnly yes\n",
            scene.sshd.port,
            account(),
            key.display()
        );
        fs::write(scene.lab.path("ssh_config"), config).unwrap();
        scene.line(&format!("web-01 root={}", root.path().display()));
        let run = scene
            .lab
            .driftscan(&["scan", "--fleet", "hosts.txt"])
            .flag("--known-hosts", scene.lab.known_hosts())
            .flag("--ssh-config", scene.lab.path("ssh_config"))
            .reported()
            .run();
        run.succeeds().says("web-01", "clean");
        assert!(audit(&scene)[0]["key_used"].as_str().unwrap().contains(&fingerprint(&key)));
    });
}

#[test]
fn a_pin_is_enforced_before_the_login_whatever_the_type() {
    openssh(|| {
        let scene = Scene::with(&Options { host_keys: vec!["ecdsa", "rsa"], ..Options::default() }, |_| ());
        scene.lab.forget_hosts();
        let prints: Vec<String> = ["ed25519", "ecdsa", "rsa"]
            .map(|kind| fingerprint(&scene.lab.path(format!("sshd/first/host_{kind}"))))
            .to_vec();
        for (number, print) in prints.iter().enumerate() {
            let name = format!("web-{number}");
            let root = scene.lab.clone_root(&scene.golden, &name);
            scene.line(&format!("{} host-key={print}", scene.sshd.line(&name, &root)));
        }
        let run = scene.run().succeeds();
        for (number, print) in prints.iter().enumerate() {
            let key = run.host(&format!("web-{number}"))["host_key"].as_str().unwrap().to_owned();
            assert!(key.ends_with(print), "{key}");
        }
        assert_eq!(scene.sshd.logins(), 3);
    });
}

#[test]
fn a_pinned_key_that_is_revoked_is_refused() {
    openssh(|| {
        let scene = Scene::new();
        let root = scene.lab.clone_root(&scene.golden, "web-01");
        scene.lab.know(&format!("@revoked * {}", public_key(scene.sshd.host_key())));
        scene.line(&format!("{} host-key={}", scene.sshd.line("web-01", &root), scene.sshd.host_fingerprint()));
        scene.run().exits(3).unverifiable("web-01", "host-key");
        assert_eq!(scene.sshd.logins(), 0);
    });
}

/// A scan of one host behind a jump host, by a word of its line and the configuration that the jump host needs.
fn behind(scene: &Scene, bastion: &crate::lab::SshHost, word: &str) -> Run {
    let config = format!(
        "Host bastion\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  UserKnownHostsFile {}\n",
        bastion.port,
        account(),
        scene.lab.key().display(),
        scene.lab.known_hosts().display()
    );
    fs::write(scene.lab.path("ssh_config"), config).unwrap();
    let root = scene.lab.clone_root(&scene.golden, "web-01");
    scene.line(&format!("{} {word}", scene.sshd.line("web-01", &root)));
    scene.run()
}

#[test]
fn a_jump_host() {
    openssh(|| {
        let scene = Scene::new();
        let bastion = scene.lab.sshd("bastion", &Options::default());
        behind(&scene, &bastion, "jump=bastion").succeeds().says("web-01", "clean");
        assert_eq!((bastion.logins(), scene.sshd.logins()), (1, 1));
        assert!(bastion.log().contains("direct-tcpip"), "{}", bastion.log());
    });
}

#[test]
fn a_jump_host_that_nobody_vouches_for_asks_nobody() {
    openssh(|| {
        let scene = Scene::new();
        let bastion = scene.lab.sshd("bastion", &Options::default());
        scene.lab.forget_hosts();
        scene.lab.know(&scene.sshd.known_lines()[0]);
        let run = behind(&scene, &bastion, "jump=bastion").exits(3).unverifiable("web-01", "unreachable");
        assert!(run.stdout.contains("bastion"), "{run}");
        assert_eq!((bastion.logins(), scene.sshd.logins()), (0, 0));
    });
}

#[test]
fn no_jump_means_none() {
    openssh(|| {
        let scene = Scene::new();
        let root = scene.lab.clone_root(&scene.golden, "web-01");
        fs::write(scene.lab.path("ssh_config"), "Host *\n  ProxyJump nowhere.invalid\n").unwrap();
        scene.line(&format!("{} jump=none", scene.sshd.line("web-01", &root)));
        scene.run().succeeds().says("web-01", "clean");
    });
}

#[test]
fn without_an_ssh_client_it_says_what_to_install() {
    openssh(|| {
        let scene = Scene::new();
        scene.host("web-01");
        let empty = scene.lab.path("home");
        scene.scan(&[]).env("PATH", &empty).run().refused_with(&["ssh client", "openssh-client", "--transport ssh2"]);
        // The other transport needs none.
        scene.scan(&["--transport", "ssh2"]).env("PATH", &empty).run().succeeds();
    });
}

#[test]
fn an_old_or_another_ssh_client_is_refused() {
    openssh(|| {
        let scene = Scene::new();
        scene.host("web-01");
        let folder = scene.lab.path("old");
        fs::create_dir(&folder).unwrap();
        for said in ["OpenSSH_8.0p1, OpenSSL 1.1.1", "Dropbear v2022.83"] {
            crate::lab::Answer::shell(&format!("echo '{said}' >&2")).write(&folder.join("ssh"));
            scene.scan(&[]).env("PATH", &folder).run().refused_with(&["8.7", said]);
        }
    });
}

#[test]
fn an_interrupt_leaves_no_ssh_and_no_folder() {
    openssh(|| {
        for signal in [Signal::INT, Signal::KILL] {
            let scene = Scene::new();
            let hostile = Peer::one(&scene.lab, "silence");
            scene.line(&hostile.line("stuck"));
            let running = scene.scan(&["--connect-timeout", "40s", "--timeout", "50s"]).spawn();
            let start = Instant::now();
            let pause = || {
                assert!(start.elapsed() < Duration::from_secs(30), "it did not come to that");
                std::thread::sleep(Duration::from_millis(10));
            };
            let own = u32::try_from(running.pid()).unwrap();
            while hostile.guests() == 0 {
                pause();
            }
            let children = descendants(own);
            assert!(!children.is_empty());
            running.signal(signal);
            if signal == Signal::INT {
                running.wait().exits(130);
                assert_eq!(left(&scene), Vec::<String>::new());
            } else {
                drop(running);
            }
            let alive = |id: &i32| {
                let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
                state.contains("(ssh)") && !state.contains(") Z ")
            };
            while children.iter().any(alive) {
                pause();
            }
        }
    });
}

#[test]
fn a_command_of_status_255_is_not_a_broken_connection() {
    openssh(|| {
        let scene = Scene::with(&Options::answering(Answer::shell("echo sorry >&2; exit 255")), |_| ());
        scene.host("web-01");
        // The status of a shell whose command a signal ended, and of ssh itself where it is no control connection that tells.
        let run = scene.run().exits(3).unverifiable("web-01", "probe-unavailable");
        assert!(run.host("web-01")["reasons"].to_string().contains("signal 127"), "{run}");
    });
}

#[test]
fn an_account_that_may_run_nothing_is_told_from_a_broken_connection() {
    openssh(|| {
        let scene = Scene::with(&Options::configured(&["MaxSessions 0"]), |_| ());
        scene.host("web-01");
        scene.run().exits(3).unverifiable("web-01", "probe-unavailable");
    });
}

#[test]
fn a_command_that_a_signal_ended_is_not_clean() {
    openssh(|| {
        // ssh tells no signal: what is left is a command without a status.
        let scene = Scene::with(&Options::answering(Answer::shell("kill -KILL $$")), |_| ());
        scene.host("web-01");
        scene.run().exits(3).unverifiable("web-01", "truncated");
    });
}
