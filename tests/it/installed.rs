//! The installed probe: exported, baked in, allowed by sudo or bound to a key, and told apart from one of another release.

use crate::lab::{Answer, Lab, Options, Scene, SshHost, Tree, account, is_root, tool};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The path that the release is built for.
const PATH: &str = "/usr/libexec/driftscan-probe";

/// A machine with accounts, sudoers and `/usr/libexec` of its own, in a mount namespace: the files of the system that runs
/// the tests stay as they are.
struct Machine {
    lab: Lab,
    golden: Tree,
    sshd: SshHost,
}

impl Machine {
    /// The machine, with these words for `probe export`; needs root.
    fn new(export: &[&str]) -> Self {
        let lab = Lab::new();
        let golden = lab.golden_root();
        lab.capture("web@1", &golden);
        lab.driftscan(&["probe", "export", "export"]).args(export).run().succeeds();
        let etc = lab.path("etc");
        fs::create_dir_all(&etc).unwrap();
        fs::create_dir_all(lab.path("libexec")).unwrap();
        for (name, line) in [
            ("passwd", "driftscan:x:4242:4242::/nonexistent:/bin/sh"),
            ("group", "driftscan:x:4242:"),
            ("shadow", "driftscan:*:19000:0:99999:7:::"),
        ] {
            let text = fs::read_to_string(format!("/etc/{name}")).unwrap();
            fs::write(etc.join(name), format!("{text}{line}\n")).unwrap();
        }
        let (etc, libexec) = (etc.display(), lab.path("libexec").display().to_string());
        let text = format!(
            "for e in /usr/libexec/*; do n={libexec}/${{e##*/}}; if [ -d \"$e\" ]; then mkdir \"$n\"; else : >\"$n\"; fi; \
             mount --bind \"$e\" \"$n\"; done; mount --rbind {libexec} /usr/libexec; \
             for f in passwd group shadow sudoers; do mount --bind {etc}/$f /etc/$f; done"
        );
        let machine = Self { sshd: Self::start(&lab, text), lab, golden };
        machine.install(&machine.exported());
        machine
    }

    fn start(lab: &Lab, mounts: String) -> SshHost {
        let rules = lab.path("export/driftscan-probe.sudoers");
        let rules = fs::read_to_string(rules).unwrap_or_default();
        // What an account may do anyway is not what is tested; who was refused is.
        let log = format!("Defaults !syslog, logfile={}\n", lab.path("sudo.log").display());
        fs::write(lab.path("etc/sudoers"), format!("{log}{rules}")).unwrap();
        fs::set_permissions(lab.path("etc/sudoers"), fs::Permissions::from_mode(0o440)).unwrap();
        tool("visudo", &["-cf", lab.path("etc/sudoers").to_str().unwrap()]);
        lab.sshd("machine", &Options { mounts: Some(mounts), ..Options::default() })
    }

    /// The bytes that were exported.
    fn exported(&self) -> Vec<u8> {
        fs::read(self.lab.path("export/driftscan-probe")).unwrap()
    }

    fn installed(&self) -> PathBuf {
        self.lab.path("libexec/driftscan-probe")
    }

    /// Puts a program in the probe's place.
    fn install(&self, program: &[u8]) {
        // A running program can't be written to.
        let _ = fs::remove_file(self.installed());
        fs::write(self.installed(), program).unwrap();
        fs::set_permissions(self.installed(), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// One host with this root, and the words of its line.
    fn host(&self, root: &Tree, words: &str) {
        let port = self.sshd.port;
        let line =
            format!("driftscan@127.0.0.1:{port} name=web-01 template=web root={} {words}", root.path().display());
        self.lab.hosts_file(&[line]);
    }

    fn scan(&self, root: &Tree, words: &str) -> crate::lab::Run {
        self.host(root, words);
        self.lab.scan(&[]).run()
    }

    /// How often sudo ran something, and how often it refused.
    fn sudo(&self) -> (usize, usize) {
        let log = fs::read_to_string(self.lab.path("sudo.log")).unwrap_or_default();
        let entries = log.matches("COMMAND=").count();
        let refused = log.matches("not allowed").count() + log.matches("password is required").count();
        (entries - refused, refused)
    }
}

/// Fails unless a host is unverifiable for this reason with all these words, the cure included.
#[track_caller]
fn told(run: &crate::lab::Run, reason: &str, words: &[&str]) {
    let reasons = run.host("web-01")["reasons"].as_array().unwrap();
    let found = reasons.iter().find(|told| told["reason"] == reason);
    let text = found.unwrap_or_else(|| panic!("not {reason}\n{run}")).to_string();
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text}\n{run}");
    }
}

/// What the audit trail of the newest run says of the only host.
fn contact(lab: &Lab) -> serde_json::Value {
    let runs = fs::read_dir(lab.path("reports")).unwrap().map(|entry| entry.unwrap().path());
    let newest = runs.filter(|path| path.join("audit.jsonl").is_file()).max().unwrap();
    let text = fs::read_to_string(newest.join("audit.jsonl")).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.find(|line| line["event"] == "contact").unwrap()
}

/// A server whose every key is bound to this command, which anybody can set up.
fn bound_to(scene: &Scene, command: &str) -> SshHost {
    scene.lab.sshd("bound", &Options::answering(Answer::shell(command)))
}

#[test]
fn sudo_allows_the_baked_probe_and_nothing_else() {
    if !is_root() {
        // Accounts and sudoers need root. That the exported program answers by itself is left.
        let scene = Scene::new();
        scene.lab.driftscan(&["probe", "export", "export"]).run().succeeds();
        let server = bound_to(&scene, &format!("exec {}", scene.lab.path("export/driftscan-probe").display()));
        scene.host_at(&server, "web-01");
        let run = scene.run().succeeds();
        assert_eq!(run.host("web-01")["collector"], "installed");
        return;
    }
    let machine = Machine::new(&[]);
    let clean = machine.lab.clone_root(&machine.golden, "web-01");
    for words in ["sudo=yes probe=installed", "sudo=yes"] {
        let run = machine.scan(&clean, words).succeeds().says("web-01", "clean");
        assert_eq!(run.host("web-01")["collector"], "installed", "{words}\n{run}");
        assert_eq!(run.host("web-01")["evidence"]["uid"], 0, "{words}\n{run}");
        let wire = &run.host("web-01")["wire"];
        let bytes = wire["sent"].as_u64().unwrap() + wire["received"].as_u64().unwrap();
        assert!(bytes < 16 * 1024, "{bytes} bytes on the wire for an undrifted host\n{run}");
        let contact = contact(&machine.lab);
        assert_eq!(contact["probe_sha256"], serde_json::Value::Null, "nothing was sent: {contact}");
        assert_eq!(contact["installed_probe_says_sha256"].as_str().unwrap().len(), 64, "{contact}");
        assert!(!run.stdout.contains("another build"), "{run}");
    }
    // One sudo a scan, and none in vain.
    assert_eq!(machine.sudo(), (2, 0));
    let drifted = machine.lab.clone_root(&machine.golden, "drifted");
    drifted.change_unseen("/usr/bin/ls");
    machine
        .scan(&drifted, "sudo=yes probe=installed")
        .exits(2)
        .drifted("web-01", &[("content-changed", "/usr/bin/ls")]);

    let run = machine.scan(&clean, "sudo=yes probe=stream").exits(3);
    told(&run, "sudo", &["sudo refused"]);
    machine.host(&clean, "sudo=yes probe=installed");
    let doctor = machine.lab.connected(&["doctor", "web-01", "--fleet", "hosts.txt"]).run().succeeds();
    assert!(doctor.stdout.contains(PATH), "{doctor}");

    // The file is not the one whose digest sudoers has.
    machine.install(&[machine.exported(), b"x".to_vec()].concat());
    for words in ["sudo=yes probe=installed", "sudo=yes"] {
        let run = machine.scan(&clean, words).exits(3);
        told(&run, "sudo", &["probe export"]);
    }
    machine.host(&clean, "sudo=yes probe=installed");
    let doctor = machine.lab.connected(&["doctor", "web-01", "--fleet", "hosts.txt"]).run().exits(3);
    assert!(doctor.stdout.contains("FAIL  sudo"), "{doctor}");
}

#[test]
fn a_key_that_is_bound_to_the_baked_probe() {
    if !is_root() {
        let scene = Scene::new();
        scene.lab.driftscan(&["probe", "export", "export"]).run().succeeds();
        let server = bound_to(&scene, &format!("exec {}", scene.lab.path("export/driftscan-probe").display()));
        scene.host_at(&server, "web-01");
        scene.scan(&["--probe", "stream"]).run().exits(3).unverifiable("web-01", "probe-unavailable");
        return;
    }
    let machine = Machine::new(&["--key", "keys/login.pub", "--from", "127.0.0.1"]);
    let line = fs::read_to_string(machine.lab.path("export/driftscan-probe.authorized_keys")).unwrap();
    assert!(
        line.starts_with("restrict,from=\"127.0.0.1\",command=\"sudo -n /usr/libexec/driftscan-probe\" ssh-"),
        "{line}"
    );
    fs::write(machine.lab.path("authorized_keys"), line).unwrap();
    let root = machine.lab.clone_root(&machine.golden, "web-01");
    // Whatever is asked for, the probe runs; and under sudo, by the key's own command.
    for words in ["", "probe=installed", "sudo=yes", "sudo=yes probe=installed"] {
        let run = machine.scan(&root, words).succeeds().says("web-01", "clean");
        assert_eq!(run.host("web-01")["collector"], "installed", "{words}\n{run}");
        assert_eq!(run.host("web-01")["evidence"]["uid"], 0, "{words}\n{run}");
    }
    let run = machine.scan(&root, "probe=stream").exits(3);
    told(&run, "probe-unavailable", &["bound to a command", "probe=installed"]);
    assert!(run.host("web-01")["wire"]["sent"].as_u64().unwrap() < 16 * 1024, "nothing was uploaded\n{run}");
    assert_eq!(machine.sudo(), (5, 0));
    // A newer one, bound: there is no other way.
    machine.install(b"#!/bin/sh\nexit 0\n");
    let other = fs::read_to_string(machine.lab.path("authorized_keys")).unwrap().replace("sudo -n ", "");
    fs::write(machine.lab.path("authorized_keys"), other).unwrap();
    machine.install(newer().as_bytes());
    let run = machine.scan(&root, "").exits(3);
    told(&run, "probe-unavailable", &["protocol 7", "bound to a command"]);
}

/// A program that says hello as a probe of a later release does, and understands nothing.
fn newer() -> String {
    format!("#!/bin/sh\necho 'driftscan-probe 7 sha256:{}'\ncat >/dev/null\nexit 64\n", "ab".repeat(32))
}

#[test]
fn a_probe_of_another_release_is_told() {
    if !is_root() {
        let scene = Scene::new();
        let server = bound_to(&scene, newer().trim_start_matches("#!/bin/sh\n"));
        scene.host_at(&server, "web-01");
        let run = scene.scan(&["--probe", "installed"]).run().exits(3);
        told(&run, "probe-unavailable", &["protocol 7"]);
        return;
    }
    let machine = Machine::new(&["--no-sudo"]);
    assert!(!machine.lab.path("export/driftscan-probe.sudoers").exists());
    let root = machine.lab.clone_root(&machine.golden, "web-01");
    // Everything in it must be readable for an account that is not root.
    tool("chmod", &["-R", "a+rX", root.path().to_str().unwrap()]);
    machine.lab.capture("web@2", &root);

    // Another build of this release: it works, and the report says that it is another one.
    machine.install(&[machine.exported(), b"x".to_vec()].concat());
    let run = machine.scan(&root, "probe=installed").succeeds();
    assert_eq!(run.host("web-01")["collector"], "installed", "{run}");
    assert!(run.stdout.contains("another build") && run.stdout.contains("on web-01"), "{run}");
    let said = contact(&machine.lab)["installed_probe_says_sha256"].clone();
    assert!(run.stdout.contains(said.as_str().unwrap()), "{said}\n{run}");

    // Another release: installed is refused, auto goes on to a streamed one.
    machine.install(newer().as_bytes());
    let run = machine.scan(&root, "probe=installed").exits(3);
    told(&run, "probe-unavailable", &["protocol 7", "probe export"]);
    let run = machine.scan(&root, "").succeeds();
    assert_eq!(run.host("web-01")["collector"], "stream", "{run}");
    assert!(run.stdout.contains("another build"), "{run}");
    let doctor = machine.lab.connected(&["doctor", "web-01", "--fleet", "hosts.txt"]).run().succeeds();
    assert!(doctor.stdout.contains("tried installed or stream: the installed probe is of another release"), "{doctor}");

    // Not for this machine, not executable, not there.
    let mut foreign = machine.exported();
    foreign[18] = 0xb7;
    machine.install(&foreign);
    let run = machine.scan(&root, "probe=installed").exits(3);
    told(&run, "probe-unavailable", &["can't be executed"]);
    machine.scan(&root, "").succeeds();
    fs::set_permissions(machine.installed(), fs::Permissions::from_mode(0o644)).unwrap();
    let run = machine.scan(&root, "probe=installed").exits(3);
    told(&run, "probe-unavailable", &["0755"]);
    fs::remove_file(machine.installed()).unwrap();
    let run = machine.scan(&root, "probe=installed").exits(3);
    told(&run, "probe-unavailable", &["no probe is installed", "probe export"]);
    let run = machine.scan(&root, "").succeeds();
    assert_eq!(run.host("web-01")["collector"], "stream", "{run}");
}

#[test]
fn a_host_without_a_place_gets_no_upload() {
    let scene = Scene::new();
    let server = scene.lab.sshd("shut", &Options::answering(Answer::shell("echo driftscan-no-place; exit 95")));
    scene.host_at(&server, "web-01");
    let run = scene.run().exits(3).unverifiable("web-01", "probe-unavailable");
    assert!(run.host("web-01")["wire"]["sent"].as_u64().unwrap() < 16 * 1024, "{run}");
}

#[test]
fn the_exported_program_takes_nothing_but_a_request() {
    let lab = Lab::new();
    lab.driftscan(&["probe", "export", "export"]).run().succeeds();
    let program = lab.path("export/driftscan-probe");
    let bytes = fs::read(&program).unwrap();
    for input in [&b""[..], b"\n", b"DRIFTRQ1\xff\xff\xff\xff", &bytes] {
        let mut child = Command::new(&program)
            .args(["--help", "/etc/shadow", "-c", "id"])
            .env("LD_PRELOAD", "/nonexistent.so")
            .env("DRIFTSCAN", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may be gone before it has read all of it.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        let sum = String::from_utf8(tool("sha256sum", &[program.to_str().unwrap()]).stdout).unwrap();
        assert_eq!(said, format!("driftscan-probe 1 sha256:{}\n", sum.split(' ').next().unwrap()));
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn what_is_exported_is_what_is_shown_and_passes_the_tools() {
    let lab = Lab::new();
    let run = lab.driftscan(&["probe", "export", "out", "--user", "audit", "--key", "keys/login.pub"]).run().succeeds();
    assert!(run.stdout.contains("user=audit  sudo=yes  probe=installed"), "{run}");
    let check = Command::new("sha256sum").args(["-c", "driftscan-probe.sha256"]).current_dir(lab.path("out")).output();
    assert!(check.unwrap().status.success());
    tool("visudo", &["-cf", lab.path("out/driftscan-probe.sudoers").to_str().unwrap()]);
    tool("ssh-keygen", &["-l", "-f", lab.path("out/driftscan-probe.authorized_keys").to_str().unwrap()]);
    let mode = fs::metadata(lab.path("out/driftscan-probe")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o755);

    let shown = lab.driftscan(&["probe", "show", "--format", "json"]).run().succeeds();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let sum = fs::read_to_string(lab.path("out/driftscan-probe.sha256")).unwrap();
    assert_eq!(shown["sha256"], sum.split(' ').next().unwrap());
    assert_eq!(shown["path"], PATH);
    let text = lab.driftscan(&["probe", "show"]).run().succeeds().stdout;
    for words in ["protocol   1", shown["sudoers"].as_str().unwrap(), shown["authorized_keys"].as_str().unwrap()] {
        assert!(text.contains(words), "no {words} in\n{text}");
    }
    // The same again is no change; another file is not replaced unasked.
    lab.driftscan(&["probe", "export", "out", "--user", "audit", "--key", "keys/login.pub"]).run().succeeds();
    lab.driftscan(&["probe", "export", "out"]).run().refused_with(&["--force"]);
    lab.driftscan(&["probe", "export", "out", "--force"]).run().succeeds();
    for (flag, bad) in
        [("--user", "ALL"), ("--user", "a b"), ("--from", "\"x"), ("--key", "keys/login"), ("--key", "no")]
    {
        lab.driftscan(&["probe", "export", "other", flag, bad]).run().refused_with(&[flag]);
    }
    assert!(!lab.path("other").exists());
}

#[test]
fn probe_is_a_command_and_an_account_can_still_be_a_host_of_that_name() {
    let scene = Scene::new();
    let run = scene.lab.driftscan(&["probe"]).run();
    assert_eq!(run.code(), Some(1), "{run}");
    assert!(run.stderr.contains("show") && run.stderr.contains("export"), "{run}");
    let host = format!("{}@probe", account());
    scene
        .lab
        .connected(&["scan", &host, "--baseline", "web"])
        .reported()
        .run()
        .exits(3)
        .unverifiable("probe", "unreachable");
}
