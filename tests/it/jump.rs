//! Jump hosts and `ProxyCommand`: the way is kept to, its failures are told as what they are, and nothing stays behind.

use crate::lab::{Answer, Driftscan, Lab, Options, Run, Scene, SshHost, Tree, account, generate, public_key, slay};
use rustix::process::Signal;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A variable by which everything that a run started is known.
const MARK: &str = "DRIFTSCAN_TEST_RUN";

/// `jump=` for a server of the lab.
fn by(bastion: &SshHost) -> String {
    format!("{}@127.0.0.1:{}", account(), bastion.port)
}

/// A host of the scene's server behind jump hosts.
fn behind(scene: &Scene, name: &str, jump: &str) -> Tree {
    let tree = scene.lab.clone_root(&scene.golden, name);
    scene.line(&format!("{} jump={jump}", scene.sshd.line(name, &tree)));
    tree
}

/// A scan whose children are marked.
fn marked(lab: &Lab, args: &[&str]) -> Driftscan {
    fs::create_dir_all(lab.path("t")).unwrap();
    lab.scan(args).env(MARK, lab.path("")).env("SHELL", "/bin/sh").env("TMPDIR", lab.path("t"))
}

/// What a run left running, the run itself included.
fn left(lab: &Lab) -> Vec<(i32, String)> {
    let mark = format!("{MARK}={}", lab.path("").display());
    let ids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let read = |id: i32, file: &str| fs::read(format!("/proc/{id}/{file}")).unwrap_or_default();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).replace('\0', " ");
    ids.filter(|id| read(*id, "environ").split(|byte| *byte == 0).any(|var| var == mark.as_bytes()))
        .map(|id| (id, text(read(id, "cmdline"))))
        .collect()
}

/// Waits until nothing is left.
#[track_caller]
fn nothing_left(lab: &Lab, longest: Duration) {
    let start = Instant::now();
    // What was killed is gone when its parent had time to see it.
    let longest = longest.max(Duration::from_secs(2));
    loop {
        let found = left(lab);
        if found.is_empty() {
            let files: Vec<_> = fs::read_dir(lab.path("t")).into_iter().flatten().flatten().collect();
            assert!(files.is_empty(), "left behind: {files:?}");
            return;
        }
        if start.elapsed() > longest {
            for (id, _) in &found {
                slay(*id);
            }
            panic!("left running: {found:#?}");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[track_caller]
fn tells(run: &Run, name: &str, texts: &[&str]) {
    let reasons = run.host(name)["reasons"].to_string();
    for text in texts {
        assert!(reasons.contains(text), "no {text:?} in {reasons}\n{run}");
    }
}

/// An `ssh_config` of the lab.
fn config(scene: &Scene, text: &str) {
    fs::write(scene.lab.path("ssh_config"), text).unwrap();
}

/// A script in the lab that a `ProxyCommand` names.
fn script(lab: &Lab, text: &str) -> PathBuf {
    let file = lab.path("connect");
    write_script(&file, text);
    file
}

fn write_script(file: &Path, text: &str) {
    fs::write(file, format!("#!/bin/bash\n{text}\n")).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A `ProxyCommand` that connects, by a process in the background and its own.
const CONNECT: &str = "exec 3<>/dev/tcp/$1/$2; cat <&3 & cat >&3; kill $!";

#[test]
fn twenty_hosts_through_one_bastion_are_one_login_there() {
    let scene = Scene::new();
    // One login at a time, one session a connection: neither counts channels.
    let bastion = scene.lab.sshd("bastion", &Options::configured(&["MaxStartups 1", "MaxSessions 1"]));
    for number in 1..=20 {
        behind(&scene, &format!("web-{number:02}"), &by(&bastion));
    }
    let drifted = scene.lab.path("roots/web-07/usr/bin/new");
    fs::write(drifted, "x").unwrap();
    let run = marked(&scene.lab, &["--max-per-jump", "20"]).run().exits(2);
    for number in (1..=20).filter(|number| *number != 7) {
        assert_eq!(run.verdict(&format!("web-{number:02}")), "clean", "{run}");
    }
    let run = run.drifted("web-07", &[("file-added", "/usr/bin/new")]);
    assert_eq!(bastion.logins(), 1, "{run}");
    assert_eq!(scene.sshd.logins(), 20, "{run}");
    let address = format!("{}@127.0.0.1:{}", account(), scene.sshd.port);
    assert_eq!(run.host("web-01")["address"], address, "the address for people is the host's own\n{run}");
    nothing_left(&scene.lab, Duration::ZERO);
}

#[test]
fn two_bastions_in_a_row_share_the_first() {
    let scene = Scene::new();
    let first = scene.lab.sshd("outer", &Options::default());
    let second = scene.lab.sshd("inner", &Options::default());
    behind(&scene, "web-01", &format!("{},{}", by(&first), by(&second)));
    behind(&scene, "web-02", &format!("{},{}", by(&first), by(&second)));
    behind(&scene, "web-03", &by(&first));
    marked(&scene.lab, &[]).run().succeeds();
    assert_eq!((first.logins(), second.logins(), scene.sshd.logins()), (1, 1, 3));
    nothing_left(&scene.lab, Duration::ZERO);
}

#[test]
fn a_proxy_jump_of_ssh_config_and_the_words_that_win_over_it() {
    let scene = Scene::new();
    let (first, second) = (scene.lab.sshd("outer", &Options::default()), scene.lab.sshd("inner", &Options::default()));
    // The second bastion is itself behind the first, which only ssh_config knows.
    config(
        &scene,
        &format!(
            "Host inner\n HostName 127.0.0.1\n Port {}\n User {}\n HostKeyAlias {}\n ProxyJump {}\n\
             Host 127.0.0.1\n ProxyJump inner\n",
            second.port,
            account(),
            second.known_name(),
            by(&first)
        ),
    );
    let tree = scene.host("web-01");
    let other = scene.lab.clone_root(&scene.golden, "web-02");
    // A jump host that is 127.0.0.1 has the ProxyJump of that stanza, so the chain here would be a circle.
    scene.lab.hosts_file(&[
        "[web] template=web".to_owned(),
        scene.sshd.line("web-01", &tree),
        format!("{} jump=none", scene.sshd.line("web-02", &other)),
    ]);
    let circle = marked(&scene.lab, &[]).run().refused_with(&["web-01", "ProxyJump inner", "in a circle"]);
    assert_eq!((first.logins(), second.logins(), scene.sshd.logins()), (0, 0, 0), "{circle}");
    config(
        &scene,
        &format!(
            "Host outer\n HostName 127.0.0.1\n Port {}\n HostKeyAlias {}\n\
             Host inner\n HostName 127.0.0.1\n Port {}\n HostKeyAlias {}\n ProxyJump {}@outer\n\
             Host 127.0.0.1\n ProxyJump inner\n",
            first.port,
            first.known_name(),
            second.port,
            second.known_name(),
            account(),
        ),
    );
    marked(&scene.lab, &[]).run().succeeds();
    assert_eq!((first.logins(), second.logins(), scene.sshd.logins()), (1, 1, 2));
}

#[test]
fn a_bastion_with_another_key_is_not_logged_in_to() {
    let scene = Scene::new();
    let bastion = scene.lab.sshd("bastion", &Options::default());
    behind(&scene, "web-01", &by(&bastion));
    behind(&scene, "web-02", &by(&bastion));
    scene.host("web-03");
    scene.lab.forget_hosts();
    let other = generate(&scene.lab.path("keys/other"), "ed25519", None);
    scene.lab.know(&format!("{} {}", bastion.known_name(), public_key(&other)));
    scene.lab.know(&scene.sshd.known_lines()[0]);
    let run = marked(&scene.lab, &[]).run().exits(3);
    let run = run.unverifiable("web-01", "host-key").unverifiable("web-02", "host-key").says("web-03", "clean");
    tells(&run, "web-01", &["the jump host", &by(&bastion), &bastion.host_fingerprint()]);
    bastion.assert_no_authentication();
    assert_eq!(scene.sshd.logins(), 1);
    scene.lab.forget_hosts();
    scene.lab.know(&scene.sshd.known_lines()[0]);
    let run = marked(&scene.lab, &[]).run().exits(3).unverifiable("web-01", "host-key");
    tells(&run, "web-01", &["is known for"]);
    nothing_left(&scene.lab, Duration::ZERO);
}

#[test]
fn a_bastion_that_refuses_the_key() {
    let scene = Scene::new();
    let bastion = scene.lab.sshd("bastion", &Options::configured(&["AuthorizedKeysFile none"]));
    behind(&scene, "web-01", &by(&bastion));
    let run = marked(&scene.lab, &[]).run().exits(3).unverifiable("web-01", "auth");
    tells(&run, "web-01", &["the jump host", "Permission denied"]);
    nothing_left(&scene.lab, Duration::ZERO);
}

#[test]
fn a_bastion_that_is_down_costs_its_hosts_one_try() {
    let scene = Scene::new();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for number in 0..30 {
        scene.line(&format!("10.0.0.{number} name=web-{number} jump=127.0.0.1:{port}"));
    }
    scene.host("direct");
    let run = marked(&scene.lab, &["--rate", "0"]).run().exits(3).says("direct", "clean");
    for number in 0..30 {
        assert!(run.reasons(&format!("web-{number}")).contains("unreachable"), "{run}");
    }
    tells(&run, "web-7", &["the jump host", "refused"]);
    nothing_left(&scene.lab, Duration::ZERO);
}

#[test]
fn a_bastion_that_hangs_is_waited_for_once() {
    let scene = Scene::new();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    for number in 0..40 {
        scene.line(&format!("10.0.0.{number} name=web-{number} jump=127.0.0.1:{port}"));
    }
    scene.host("direct");
    let run = marked(&scene.lab, &["--rate", "0", "--connect-timeout", "1s"]).run().exits(3).says("direct", "clean");
    for number in 0..40 {
        assert!(run.reasons(&format!("web-{number}")).contains("timeout"), "{run}");
    }
    assert!(run.elapsed < Duration::from_secs(10), "{run}");
    nothing_left(&scene.lab, Duration::ZERO);
    drop(silent);
}

#[test]
fn a_host_that_the_bastion_can_not_reach() {
    let scene = Scene::new();
    let bastion = scene.lab.sshd("bastion", &Options::default());
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    scene.line(&format!("{}@127.0.0.1:{closed} name=web-01 jump={}", account(), by(&bastion)));
    scene.line(&format!("no-such-host.invalid name=web-02 jump={}", by(&bastion)));
    behind(&scene, "web-03", &by(&bastion));
    let run = marked(&scene.lab, &["-j", "1"]).run().exits(3).says("web-03", "clean");
    let run = run.unverifiable("web-01", "unreachable").unverifiable("web-02", "unreachable");
    tells(&run, "web-01", &["through the jump host", "connection refused"]);
    tells(&run, "web-02", &["through the jump host", "no-such-host.invalid"]);
    let strict = scene.lab.sshd("strict", &Options::configured(&["AllowTcpForwarding no"]));
    scene.lab.hosts_file(&["[web] template=web", &format!("10.0.0.1 name=web-01 jump={}", by(&strict))]);
    let run = marked(&scene.lab, &[]).run().exits(3).unverifiable("web-01", "unreachable");
    tells(&run, "web-01", &["the jump host", "prohibited"]);
}

#[test]
fn a_changed_key_behind_a_bastion_is_the_hosts_own() {
    let scene = Scene::new();
    let bastion = scene.lab.sshd("bastion", &Options::default());
    behind(&scene, "web-01", &by(&bastion));
    scene.lab.forget_hosts();
    let other = generate(&scene.lab.path("keys/other"), "ed25519", None);
    scene.lab.know(&format!("{} {}", scene.sshd.known_name(), public_key(&other)));
    scene.lab.know(&bastion.known_lines()[0]);
    let run = marked(&scene.lab, &[]).run().exits(3).unverifiable("web-01", "host-key");
    tells(&run, "web-01", &[&scene.sshd.host_fingerprint()]);
    scene.sshd.assert_no_authentication();
}

#[test]
fn a_proxy_command_with_its_tokens() {
    let scene = Scene::new();
    let file = script(&scene.lab, &format!("echo \"$@\" >>{}; {CONNECT}", scene.lab.path("asked").display()));
    config(
        &scene,
        &format!(
            "Host web\n HostName 127.0.0.1\n HostKeyAlias {}\nHost *\n ProxyCommand {} %h %p %r %n 'a b' 100%%\n",
            scene.sshd.known_name(),
            file.display()
        ),
    );
    let tree = scene.lab.clone_root(&scene.golden, "web");
    scene.line(&format!("{}@web:{} root={}", account(), scene.sshd.port, tree.path().display()));
    let run = marked(&scene.lab, &[]).run().succeeds();
    assert_eq!(run.verdict(run.only()), "clean");
    let asked = fs::read_to_string(scene.lab.path("asked")).unwrap();
    assert_eq!(asked.trim(), format!("127.0.0.1 {} {} web a b 100%", scene.sshd.port, account()));
    nothing_left(&scene.lab, Duration::ZERO);
}

#[test]
fn a_proxy_command_that_misbehaves() {
    // Each with what it does, the reason, and a word of the message.
    let table = [
        ("echo no route today >&2; exit 3", "unreachable", "status 3: no route today"),
        ("exit 0", "unreachable", "said nothing"),
        ("exec no-such-program-at-all", "unreachable", "no-such-program-at-all"),
        ("trap '' TERM HUP PIPE; yes spam; sleep 1000", "limit", "more than"),
        ("trap '' TERM HUP PIPE; while :; do sleep 1; done", "timeout", "through ProxyCommand"),
        ("printf '\\377\\376HTTP/1.1 400 no\\r\\n\\r\\n'; exec sleep 1000", "timeout", "not within"),
        ("head -c 300000000 /dev/zero >&2; exec sleep 1000", "timeout", "not within"),
        ("echo 'SSH-2.0-x'; exit 0", "throttled", "closed"),
    ];
    let scene = Scene::new();
    let mut text = String::new();
    for (number, (script, ..)) in table.iter().enumerate() {
        let file = scene.lab.path(format!("connect-{number}"));
        write_script(&file, script);
        write!(text, "Host bad-{number}\n ProxyCommand {} %h %p\n", file.display()).unwrap();
        scene.line(&format!("bad-{number}"));
    }
    config(&scene, &text);
    let run = marked(&scene.lab, &["--connect-timeout", "1s"]).run().exits(3);
    nothing_left(&scene.lab, Duration::ZERO);
    for (number, (script, reason, word)) in table.iter().enumerate() {
        let name = format!("bad-{number}");
        assert!(run.reasons(&name).contains(reason), "{script}: {run}");
        tells(&run, &name, &[word]);
    }
    assert!(run.elapsed < Duration::from_secs(15), "{run}");
    assert!(run.peak < 100 << 10, "{} kB", run.peak);
}

#[test]
fn one_jump_host_gets_no_more_than_max_per_jump_and_others_go_on() {
    let scene = Scene::new();
    let bastion = scene.lab.sshd("bastion", &Options::default());
    let slots = scene.lab.path("slots");
    fs::create_dir(&slots).unwrap();
    let count = format!(
        "cd {}; touch at-$$; ls at-* | wc -l >>../counts; sleep 0.3; sh -c \"$SSH_ORIGINAL_COMMAND\"; rm at-$$",
        slots.display()
    );
    let server = scene.lab.sshd("counting", &Options::answering(Answer::shell(&count)));
    for number in 0..6 {
        let name = format!("web-{number}");
        let tree = scene.lab.clone_root(&scene.golden, &name);
        scene.line(&format!("{} jump={}", server.line(&name, &tree), by(&bastion)));
    }
    scene.host("direct");
    // As many threads as hosts behind the bastion may be, and one: it serves the host that comes last.
    let run = marked(&scene.lab, &["--max-per-jump", "2", "-j", "3", "--timeout", "5s"]).run().succeeds();
    let counts = fs::read_to_string(scene.lab.path("counts")).unwrap();
    let most = counts.lines().map(|line| line.trim().parse::<usize>().unwrap()).max();
    assert_eq!((most, counts.lines().count()), (Some(2), 6), "{run}");
    let audit = fs::read_dir(scene.lab.path("reports"))
        .unwrap()
        .find_map(|entry| fs::read_to_string(entry.ok()?.path().join("audit.jsonl")).ok());
    let audit = audit.unwrap();
    let line = |name: &str| {
        audit.lines().position(|line| line.contains(&format!("\"{name}\"")) && line.contains("address")).unwrap()
    };
    assert!(line("direct") < line("web-5"), "{audit}");
    // No bound at all.
    fs::remove_file(scene.lab.path("counts")).unwrap();
    marked(&scene.lab, &["--max-per-jump", "0"]).run().succeeds();
    let counts = fs::read_to_string(scene.lab.path("counts")).unwrap();
    assert!(counts.lines().any(|line| line.trim().parse::<usize>().unwrap() > 2), "{counts}");
}

/// Hosts that never answer, one behind a bastion and one behind a command.
fn endless() -> (Scene, SshHost) {
    let scene = Scene::with(&Options::answering(Answer::silence()), |_| ());
    let bastion = scene.lab.sshd("bastion", &Options::default());
    let second = scene.lab.sshd("second", &Options::default());
    behind(&scene, "web-01", &format!("{},{}", by(&bastion), by(&second)));
    let file = script(&scene.lab, CONNECT);
    config(
        &scene,
        &format!(
            "Host localhost\n HostKeyAlias {}\n ProxyCommand {} 127.0.0.1 %p\n",
            scene.sshd.known_name(),
            file.display()
        ),
    );
    let tree = scene.lab.clone_root(&scene.golden, "web-02");
    scene.line(&scene.sshd.line("web-02", &tree).replace("127.0.0.1", "localhost"));
    // The second bastion lives as long as the scene: its port is all that is needed.
    std::mem::forget(second);
    (scene, bastion)
}

#[track_caller]
fn wait_for_logins(scene: &Scene, count: usize) {
    let start = Instant::now();
    while scene.sshd.logins() < count {
        assert!(start.elapsed() < Duration::from_secs(20), "nobody logs in:\n{}", scene.sshd.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn an_interrupted_run_leaves_no_child() {
    for signal in [Signal::INT, Signal::TERM] {
        let (scene, bastion) = endless();
        let running = marked(&scene.lab, &[]).spawn();
        wait_for_logins(&scene, 2);
        assert!(left(&scene.lab).len() >= 6, "{:#?}", left(&scene.lab));
        running.signal(signal);
        let run = running.wait();
        assert!(matches!(run.code(), Some(130 | 143)), "{run}");
        nothing_left(&scene.lab, Duration::ZERO);
        drop(bastion);
    }
}

#[test]
fn a_killed_run_leaves_no_child_for_long() {
    let (scene, bastion) = endless();
    let running = marked(&scene.lab, &[]).spawn();
    wait_for_logins(&scene, 2);
    running.signal(Signal::KILL);
    running.wait();
    nothing_left(&scene.lab, Duration::from_secs(5));
    drop(bastion);
}

#[test]
fn a_bastion_that_dies_takes_its_hosts_along_and_nobody_else() {
    let (scene, mut bastion) = endless();
    let running = marked(&scene.lab, &["--timeout", "8s"]).spawn();
    wait_for_logins(&scene, 2);
    bastion.kill();
    let run = running.wait().exits(3).unverifiable("web-02", "timeout").says("web-01", "unverifiable");
    // Its login may be under way still, and on a machine with much to do its deadline may come first.
    let reasons = run.reasons("web-01");
    assert!(["truncated", "auth", "timeout"].iter().any(|reason| reasons.contains(reason)), "{run}");
    assert!(run.elapsed < Duration::from_secs(25), "{run}");
    nothing_left(&scene.lab, Duration::from_secs(2));
}

#[test]
fn f55_nothing_is_injected_through_the_words_of_the_way() {
    let scene = Scene::new();
    let made = scene.lab.path("made");
    let touch = format!("touch${{IFS}}{}", made.display());
    for jump in [
        format!("-oProxyCommand={touch}"),
        format!("a,-oProxyCommand={touch}"),
        format!("$({touch})"),
        format!("a;{touch}"),
        format!("`{touch}`@b"),
        "a,,b".to_owned(),
        "a'b".to_owned(),
        "a%hb".to_owned(),
        "[::1%$(id)]".to_owned(),
    ] {
        scene.lab.hosts_file(&[format!("web-01 template=web jump={jump}")]);
        marked(&scene.lab, &[]).run().refused_with(&["hosts.txt:1"]);
    }
    // What ssh_config says of a name reaches no shell either.
    let file = script(&scene.lab, "exit 1");
    for (option, token) in [("HostName", "%h"), ("User", "%r")] {
        config(
            &scene,
            &format!(
                "Host web-01\n {option} a;touch${{IFS}}{}\n ProxyCommand {} {token}\n",
                made.display(),
                file.display()
            ),
        );
        scene.lab.hosts_file(&["web-01 template=web"]);
        let run = marked(&scene.lab, &[]).run();
        assert!(matches!(run.code(), Some(1 | 3)), "{run}");
        assert!(!made.exists(), "{run}");
    }
    config(
        &scene,
        &format!(
            "Host web-01\n HostName a;touch${{IFS}}{}\nHost b\n HostName $(touch {})\n",
            made.display(),
            made.display()
        ),
    );
    for line in ["web-01 template=web jump=127.0.0.1", "127.0.0.1 template=web jump=b"] {
        scene.lab.hosts_file(&[line]);
        let run = marked(&scene.lab, &[]).run();
        assert!(matches!(run.code(), Some(1 | 3)), "{run}");
    }
    assert!(!made.exists());
}

#[test]
fn without_the_ssh_client_jump_hosts_are_refused_by_name() {
    let scene = Scene::new();
    behind(&scene, "web-01", "127.0.0.1");
    marked(&scene.lab, &[]).env("PATH", "/nonexistent").run().refused_with(&["jump", "ssh client", "openssh-client"]);
}

#[test]
fn the_doctor_shows_the_way() {
    let scene = Scene::new();
    let bastion = scene.lab.sshd("bastion", &Options::default());
    behind(&scene, "web-01", &by(&bastion));
    let doctor = || scene.lab.connected(&["doctor", "web-01", "--fleet", "hosts.txt"]).run();
    let run = doctor().succeeds();
    assert!(run.stdout.contains(&format!("through        the jump host {}", by(&bastion))), "{run}");
    scene.lab.forget_hosts();
    let run = doctor().exits(3);
    assert!(run.stdout.contains("FAIL  through") && run.stdout.contains("known_hosts"), "{run}");
}

#[test]
fn a_capture_goes_through_a_proxy_too() {
    let scene = Scene::new();
    let file = script(&scene.lab, CONNECT);
    config(&scene, &format!("Host *\n ProxyCommand {} %h %p\n", file.display()));
    scene.lab.capture_from("web@2026.12.1", &scene.sshd, &scene.golden).env(MARK, scene.lab.path("")).run().succeeds();
    nothing_left(&scene.lab, Duration::from_millis(300));
}

#[test]
fn a_new_bastion_is_recorded_only_where_that_is_asked_for() {
    let scene = Scene::new();
    let bastion = scene.lab.sshd("bastion", &Options::default());
    behind(&scene, "web-01", &by(&bastion));
    scene.lab.forget_hosts();
    marked(&scene.lab, &[]).run().exits(3).unverifiable("web-01", "host-key");
    marked(&scene.lab, &["--accept-new-host-keys"]).run().succeeds().says("web-01", "clean");
    let mut known = String::new();
    fs::File::open(scene.lab.known_hosts()).unwrap().read_to_string(&mut known).unwrap();
    assert!(known.contains(&public_key(bastion.host_key())), "{known}");
}
