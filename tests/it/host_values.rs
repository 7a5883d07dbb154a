//! What each host has for itself: put back where a view says so, told where hosts share it; and the settings of the running
//! kernel. The real probe, by rules of these tests' own.

use crate::lab::{Lab, Options, Scene, Tree};
use driftscan::collect::{Ask, Bounds, Captured, Ran, capture};
use driftscan::inventory::ProbeChoice;
use driftscan::protocol::coverage::Part;
use driftscan::protocol::request::Limits;
use driftscan::protocol::view::{Form, View, Viewed};
use driftscan::protocol::{Attr, Mask, Pattern, Record, Rule, RuleSet, Value, When, Why};
use driftscan::transport::LocalConnection;
use std::time::{Duration, Instant};

const SALT: [u8; 16] = [7; 16];

fn rule(pattern: &str, mask: Mask, view: Option<View>) -> Rule {
    Rule { pattern: Pattern::new(pattern.as_bytes()).unwrap(), when: When::default(), mask, view }
}

/// Everything by its bytes, and what each host has for itself by its view.
fn rules() -> RuleSet {
    let viewed = [
        ("/etc/machine-id", View::MachineId),
        ("/etc/hostname", View::Hostname),
        ("/etc/hosts", View::Hosts),
        ("/etc/fstab", View::Fstab),
        ("/etc/agent.conf", View::HostText),
        ("/etc/ssh/ssh_host_*_key.pub", View::HostKey),
    ];
    let viewed = viewed.map(|(pattern, view)| rule(pattern, Mask::VIEWED, Some(view)));
    RuleSet::new(std::iter::once(rule("/**", Mask::STRICT, None)).chain(viewed).collect()).unwrap()
}

fn ask<'a>(root: &'a str, scopes: &'a [Vec<u8>], rules: &'a RuleSet) -> Ask<'a> {
    Ask {
        host: "web-1",
        root,
        live: root == "/",
        sudo: false,
        probe: ProbeChoice::Stream,
        gentle: false,
        limits: Limits::default(),
        bounds: Bounds::CAPTURE,
        deadline: Instant::now() + Duration::from_secs(60),
        scopes,
        rules,
        key: None,
        policy: None,
        salt: &SALT,
        nonce: [9; 32],
    }
}

fn captured(ask: &Ask<'_>) -> Captured {
    capture(&mut LocalConnection::new(), ask, &mut Ran::default()).map_err(|failure| failure.text).unwrap()
}

fn of_tree(tree: &Tree) -> Captured {
    captured(&ask(tree.path().to_str().unwrap(), &[b"/etc".to_vec()], &rules()))
}

fn record<'a>(records: &'a [Record], subject: &str) -> &'a Record {
    records.iter().find(|record| record.subject() == subject.as_bytes()).unwrap_or_else(|| panic!("no {subject}"))
}

/// The subjects of what differs.
fn differing(a: &Captured, b: &Captured) -> Vec<String> {
    let text = |record: &Record| String::from_utf8_lossy(record.subject()).into_owned();
    let mut only: Vec<String> = a.records.iter().filter(|record| !b.records.contains(record)).map(text).collect();
    only.extend(b.records.iter().filter(|record| !a.records.contains(record)).map(text));
    only.sort();
    only.dedup();
    only
}

/// Makes a host of a copy of the golden tree.
fn made(tree: &Tree, name: &str, number: u8) {
    let disk = format!("6a0c5d4e-0000-4000-8000-0000000000{number:02x}");
    tree.write("/etc/hostname", format!("{name}\n"));
    tree.write("/etc/machine-id", format!("{}\n", format!("{number:02x}").repeat(16)));
    tree.write(
        "/etc/hosts",
        format!("127.0.0.1 localhost\n127.0.1.1 {name}.example.org {name}\n10.0.0.{number} {name}\n10.9.9.9 db\n"),
    );
    tree.write("/etc/fstab", format!("# of {name}\nUUID={disk} / ext4 errors=remount-ro 0 1\n"));
    tree.write("/etc/agent.conf", format!("name = {name}.example.org\nlisten = 10.0.0.{number}:9100\ndisk = {disk}\n"));
    let mut blob = vec![0, 0, 0, 11];
    blob.extend(b"ssh-ed25519\0\0\0 ");
    blob.extend([number; 32]);
    tree.write("/etc/ssh/ssh_host_ed25519_key.pub", format!("ssh-ed25519 {} root@{name}\n", base64(&blob)));
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, b| bits << 8 | u32::from(*b)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            out.push(if at <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[test]
fn hosts_of_one_template_have_one_set_and_poison_is_seen() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    made(&golden, "golden", 3);
    let before = of_tree(&golden);
    for subject in ["fs:/etc/machine-id", "fs:/etc/agent.conf", "fs:/etc/ssh/ssh_host_ed25519_key.pub"] {
        let view = record(&before.records, subject).view();
        let viewed = view.present(Attr::View).and_then(Viewed::decode).unwrap();
        assert_eq!(viewed.form, Form::Parsed, "{subject}");
        // No digest of what is one host's own is in a baseline.
        assert_eq!((view.attr(Attr::Content), view.attr(Attr::Size)), (None, None), "{subject}");
    }
    let host = lab.clone_root(&golden, "web-frankfurt-12");
    made(&host, "web-frankfurt-12", 77);
    let none: [&str; 0] = [];
    assert_eq!(differing(&before, &of_tree(&host)), none);

    // A name for somebody else's address, a disk that is not named, a line that only looks like a placeholder.
    host.append("/etc/hosts", "10.6.6.6 db\n");
    host.replace("/etc/fstab", "errors=remount-ro", "errors=continue");
    host.replace("/etc/agent.conf", "web-frankfurt-12.example.org", "\u{1}fqdn\u{1}");
    assert_eq!(differing(&before, &of_tree(&host)), ["fs:/etc/agent.conf", "fs:/etc/fstab", "fs:/etc/hosts"]);

    // What has not the form of an id is no host's own, wherever it is written.
    for id in ["66666666-EVIL-EVIL", "6a0c5d4e-0000-4000-8000", "6a0c5d4e-0000-4000-8000-00000000000g"] {
        made(&host, "web-frankfurt-12", 77);
        host.write("/etc/fstab", format!("UUID={id} / ext4 errors=remount-ro 0 1\n"));
        // The disk that the agent names is then nobody's either.
        assert_eq!(differing(&before, &of_tree(&host)), ["fs:/etc/agent.conf", "fs:/etc/fstab"], "{id}");
    }
}

#[test]
fn f53_a_host_with_a_name_like_a_word_has_the_set_of_its_template() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    made(&golden, "golden", 3);
    golden.append("/etc/agent.conf", "# a web server of the db\n");
    let before = of_tree(&golden);
    for (number, name) in [(4, "a"), (5, "web"), (6, "db")] {
        let host = lab.clone_root(&golden, name);
        made(&host, name, number);
        host.write(
            "/etc/hosts",
            format!("127.0.0.1 localhost\n127.0.1.1 {name}.example.org {name}\n10.0.0.{number} {name}\n10.9.9.9 db\n"),
        );
        host.append("/etc/agent.conf", "# a web server of the db\n");
        let expected: &[&str] = if name == "db" { &["fs:/etc/hosts"] } else { &[] };
        assert_eq!(differing(&before, &of_tree(&host)), expected, "{name}");
    }
}

#[test]
fn what_is_too_large_for_a_view_is_compared_by_its_bytes() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    let seen = |byte: &str| {
        golden.write("/etc/agent.conf", byte.repeat((4 << 20) + 1));
        let records = of_tree(&golden).records;
        record(&records, "fs:/etc/agent.conf").view().present(Attr::View).and_then(Viewed::decode).unwrap()
    };
    let (x, y) = (seen("x"), seen("y"));
    assert_eq!((x.form, y.form), (Form::Bytes, Form::Bytes));
    assert_ne!(x.digest, y.digest);
}

#[test]
fn a_file_above_the_cap_that_is_read_by_a_view_is_never_golden() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    golden.write("/etc/agent.conf", "x".repeat(70_000));
    let limits = Limits { file_bytes: 65_536, ..Limits::default() };
    // Two such files are told apart by their size alone, which a view leaves out.
    let (rules, scopes) = (rules(), [b"/etc".to_vec()]);
    let seen = captured(&Ask { limits, ..ask(golden.path().to_str().unwrap(), &scopes, &rules) });
    assert_eq!(record(&seen.records, "fs:/etc/agent.conf").view().attr(Attr::View), Some(Value::Unread(Why::Limit)));
    let told = |trouble: &&driftscan::protocol::Trouble| trouble.path == b"/etc/agent.conf";
    let trouble = seen.coverage.troubles.iter().find(told).unwrap();
    assert_eq!((trouble.part, trouble.why), (Part::Content, Why::Limit));
}

#[test]
fn a_running_kernels_settings_are_facts_and_a_trees_are_not() {
    let (rules, scopes) = (rules(), [b"/etc/hostname".to_vec()]);
    let seen = captured(&ask("/", &scopes, &rules));
    let fact = |name: &str| record(&seen.records, name).view().present(Attr::Text).map(<[u8]>::to_vec);
    let file = |name: &str| std::fs::read(name).unwrap().trim_ascii().to_vec();
    assert_eq!(fact("fact:sysctl.vm.swappiness"), Some(file("/proc/sys/vm/swappiness")));
    assert_eq!(fact("fact:sysctl.kernel.core_pattern"), Some(file("/proc/sys/kernel/core_pattern")));
    if std::path::Path::new("/proc/sys/user/max_user_namespaces").exists() {
        let some: &[u8] = if file("/proc/sys/user/max_user_namespaces") == b"0" { b"0" } else { b"some" };
        assert_eq!(fact("fact:sysctl.user.max_user_namespaces").as_deref(), Some(some));
    }
    assert!(!seen.records.iter().any(|record| record.subject() == b"fact:sysctl.net.ipv4.ip_forward"));
    let words = fact("fact:cmdline").unwrap();
    assert!(!words.windows(11).any(|window| window == b"BOOT_IMAGE="));
    let lab = Lab::new();
    let tree = of_tree(&lab.golden_root());
    let of_kernel = |record: &&Record| {
        [&b"fact:sysctl."[..], b"fact:cmdline", b"fact:modules."].iter().any(|head| record.subject().starts_with(head))
    };
    assert_eq!(tree.records.iter().find(of_kernel), None);
}

#[test]
fn hosts_that_share_an_identity_are_told_and_drifted() {
    let scene = Scene::new();
    for (name, id) in [("web-01", "a1"), ("web-02", "b2"), ("web-03", "a1"), ("web-04", "c3")] {
        scene.host(name).write("/etc/machine-id", format!("{}\n", id.repeat(16)));
    }
    let run = scene.run().exits(2);
    let finding = run.finding("web-03", "cloned-identity", "fact:identity.machine-id");
    assert_eq!(finding["title"], "machine-id shared with web-01", "{run}");
    assert_eq!(finding["severity"], "high", "{run}");
    for (name, verdict) in [("web-01", "drifted"), ("web-02", "clean"), ("web-03", "drifted"), ("web-04", "clean")] {
        assert_eq!(run.verdict(name), verdict, "{run}");
    }
    assert!(run.stdout.contains("machine-id"), "{run}");
}

#[test]
fn hosts_with_names_and_disks_of_their_own_are_clean_and_a_poisoned_one_is_not() {
    let own = |tree: &Tree, name: &str, number: u8| {
        made(tree, name, number);
        // Whatever else speaks of the host is compared by its bytes until a policy says otherwise.
        tree.remove("/etc/agent.conf");
    };
    let scene = Scene::with(&Options::default(), |golden| own(golden, "golden", 3));
    own(&scene.host("web-frankfurt-12"), "web-frankfurt-12", 77);
    own(&scene.host("db"), "db-2", 12);
    let poisoned = scene.host("web-03");
    own(&poisoned, "web-03", 13);
    poisoned.append("/etc/hosts", "10.6.6.6 mirror.example.net\n");
    poisoned.replace("/etc/fstab", "errors=remount-ro", "errors=continue,user");
    let run = scene.run().exits(2);
    for (name, verdict) in [("web-frankfurt-12", "clean"), ("db", "clean"), ("web-03", "drifted")] {
        assert_eq!(run.verdict(name), verdict, "{run}");
    }
    let found = run.findings("web-03");
    assert!(found.iter().any(|(code, _)| *code == "resolver-changed"), "{run}");
    assert!(found.iter().any(|(code, _)| *code == "fstab-changed"), "{run}");
}
