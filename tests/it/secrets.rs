//! A corpus of secrets goes through a capture and a scan, and none of them comes out anywhere.
//!
//! *Invariant:* every file of the corpus differs on the host, is shown by the policy, and is found; only its secret is in
//! no file that driftscan wrote and in nothing that it said.

use crate::lab::{Lab, Options, Run, Tree, over_both};
use driftscan::collect::PROBE;
use driftscan::model::text::{escape, hex, unhex};
use driftscan::protocol::reply::{FrameKind, TextState};
use driftscan::protocol::request::{FollowUp, Limits, Mode, Request, Want};
use driftscan::protocol::{Mask, Pattern, Rule, RuleSet, Salt, SecretKey, View, When};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Files and their content; `{}` is where the secret stands, which is another one on each machine.
const CORPUS: &[(&str, &str)] = &[
    // The secret class, by where it is and what it is called.
    ("/etc/shadow", "root:$6$rounds$HASH{}:19000:0:99999:7:::\n"),
    ("/etc/gshadow", "root:HASH{}::\n"),
    ("/etc/security/opasswd", "root:0:1:HASH{}\n"),
    ("/etc/ssh/ssh_host_rsa_key", "plain {}\n"),
    ("/root/.ssh/id_ed25519", "plain {}\n"),
    ("/etc/ssl/private/site.crt", "plain {}\n"),
    ("/etc/nginx/site.key", "plain {}\n"),
    ("/etc/haproxy/site.pem", "plain {}\n"),
    ("/etc/krb5.keytab", "plain {}\n"),
    ("/root/.netrc", "machine a login b password {}\n"),
    ("/root/.pgpass", "a:5432:*:b:{}\n"),
    ("/root/.my.cnf", "plain {}\n"),
    ("/root/.aws/credentials", "plain {}\n"),
    ("/root/.docker/config.json", "{\"plain\": \"{}\"}\n"),
    ("/root/.kube/config", "plain {}\n"),
    ("/srv/app/.env", "PLAIN={}\n"),
    ("/srv/app/api-token", "{}\n"),
    ("/etc/NetworkManager/system-connections/wifi", "plain {}\n"),
    ("/etc/ipsec.secrets", "plain {}\n"),
    ("/etc/ppp/chap-secrets", "plain {}\n"),
    ("/etc/wireguard/wg0.conf", "plain {}\n"),
    ("/root/.vault-token", "{}\n"),
    // By what they hold.
    ("/etc/app/identity", "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n"),
    ("/etc/app/age", "AGE-SECRET-KEY-1{}\n"),
    ("/etc/app/tab", "\x05\x02 plain {}\n"),
    // Masked where they stand.
    ("/etc/app/a1.conf", "user = app\npassword = {}\n"),
    ("/etc/app/a2.yaml", "db:\n  passwd: {}\n"),
    ("/etc/app/a3.json", "{\"api_key\": \"{}\", \"b\": 1}\n"),
    ("/etc/app/a4.xml", "<a><clientSecret>{}</clientSecret></a>\n"),
    ("/etc/app/a5.conf", "url = postgres://app:{}@db:5432/app\n"),
    ("/etc/app/a6.sh", "curl -H 'Authorization: Bearer {}' http://a\n"),
    ("/etc/app/a7.sh", "backup --password={} --to b\n"),
    ("/etc/app/a8.sh", "backup --db-password {} --to b\n"),
    ("/etc/app/a9.sh", "mysqldump -u root -p{} app\n"),
    ("/etc/app/b1.sh", "curl -u admin:{} http://a\n"),
    ("/etc/app/b2.sh", "sshpass -p {} ssh a\n"),
    ("/etc/app/b3.sql", "CREATE USER a IDENTIFIED BY '{}';\n"),
    ("/etc/app/b4.conf", "requirepass {}\n"),
    ("/etc/snmp/snmpd.conf", "rocommunity {} 10.0.0.0/8\n"),
    ("/etc/app/b5.service", "[Service]\nEnvironment=\"DB_PASSWORD={}\"\n"),
    ("/etc/app/b6.conf", "aws = AKIA{}\n"),
    ("/etc/app/b7.conf", "ci = ghp_{}\n"),
    ("/etc/app/b8.conf", "ci = glpat-{}\n"),
    ("/etc/app/b9.conf", "hook = https://hooks.example/services/T0/B0/{}\n"),
    ("/etc/app/c1.conf", "jwt = eyJhbGciOiJIUzI1NiJ9.{}.x\n"),
    ("/etc/app/c2.conf", "some = {}\n"),
    ("/etc/app/c3.conf", "root:$y$j9T$salt${}:1\n"),
    ("/etc/app/c4.ldif", "userPassword: {SSHA}{}\n"),
    ("/etc/app/c5.yaml", "token: |\n  {}\nafter: 1\n"),
    ("/etc/app/c6.crt", "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"),
    ("/etc/app/c7.conf", "Server=a;Password={};Database=b\n"),
    ("/etc/app/c8.rb", "'secret_key_base' => '{}',\n"),
    ("/etc/app/d1.conf", "fastcgi_param DB_PASSWORD {};\nproxy_set_header X-Api-Key a;\n"),
    ("/etc/app/d2.sh", "echo root:{} | chpasswd\n"),
    ("/etc/app/d3.sh", "ldapsearch -w {} -b dc=a\n"),
    ("/etc/app/d4.sh", "smbclient -U u%{} //a/b\n"),
    ("/etc/app/d5.sh", "sqlplus u/{}@db\n"),
    ("/etc/app/d6.sh", "curl -H \"X-Auth: {}\" http://a\n"),
    ("/etc/app/d7.conf", "OPTS=\"-u a -P {}\"\n"),
    ("/etc/fstab", "//a/b /mnt cifs username=a,password={} 0 0\n"),
];

const POLICY: &str = "schema = \"driftscan.policy/v1\"\nextends = [\"auto\"]\n[content]\nshow = [\"/etc/**\", \"/root/**\", \
                      \"/srv/**\"]\n[[rule]]\npath = \"/etc/**\"\ntreatment = \"strict\"\n[[rule]]\npath = \
                      \"/root/**\"\ntreatment = \"strict\"\n[[rule]]\npath = \"/srv/**\"\ntreatment = \"strict\"\n";

/// The secret of one file on one machine: letters of both cases and digits, as a key would have, and nothing else has.
fn secret(machine: &str, number: usize) -> String {
    format!("Zq7{machine}x9Kw{number:02}Lp4Rt8Vn2Bd6Hy1Mc5")
}

/// Parts of every secret, which stand nowhere else.
const MARKS: [&str; 4] = ["Zq7", "x9Kw", "Lp4Rt8", "Hy1Mc5"];

fn plant(root: &Tree, machine: &str) {
    for (number, (path, content)) in CORPUS.iter().enumerate() {
        root.write(path, content.replacen("{}", &secret(machine, number), 1));
    }
}

/// Every file below a folder that driftscan may have written, with its bytes.
fn written(folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        // What the test itself made.
        if entry.file_type().unwrap().is_dir() {
            if !matches!(entry.file_name().to_str(), Some("roots" | "keys" | "sshd")) {
                written(&path, into);
            }
        } else if entry.file_type().unwrap().is_file() {
            into.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

fn scan(lab: &Lab, policy: &Path) -> Run {
    let run = lab.scan(&["--policy", policy.to_str().unwrap()]).run().exits(2);
    assert_eq!(run.verdict("web-01"), "drifted", "{run}");
    run
}

fn no_secret_comes_out() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    plant(&golden, "Gold");
    let server = lab.sshd("first", &Options::default());
    let policy = lab.path("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    lab.capture_from("web@1", &server, &golden).flag("--policy", &policy).run().succeeds();
    let host = lab.clone_root(&golden, "web-01");
    plant(&host, "Host");
    host.append("/etc/app/a1.conf", "mode = new\n");
    host.write("/etc/app/added.conf", format!("one = 1\ntoken = {}\n", secret("Host", 99)));
    lab.hosts_file(&["[web] template=web".to_owned(), server.line("web-01", &host)]);
    let run = scan(&lab, &policy);

    // Every one of them is found, and what may be told of it is.
    for (path, _) in CORPUS {
        assert!(run.findings("web-01").iter().any(|(_, found)| found == path), "{path} is not found\n{run}");
    }
    let shown = run.finding("web-01", "content-changed", "/etc/app/a1.conf");
    assert!(shown["diff"].as_str().unwrap().contains("+mode = new"), "{shown}");
    assert!(shown["diff"].as_str().unwrap().contains(" password = [masked]"), "{shown}");
    let added = run.finding("web-01", "file-added", "/etc/app/added.conf");
    assert_eq!(added["diff"], "@@ -0,0 +1,2 @@\n+one = 1\n+token = [masked]\n");
    let masked = run.finding("web-01", "content-changed", "/etc/app/a2.yaml").to_string();
    assert!(masked.contains("only masked values differ"), "{masked}");
    let hidden = run.finding("web-01", "content-changed", "/srv/app/.env").to_string();
    assert!(hidden.contains("secret class"), "{hidden}");
    let texts = fs::read_to_string(lab.path("baselines/web/1.texts.jsonl")).unwrap();
    assert!(texts.contains("/etc/app/a1.conf") && texts.contains("[masked]") && !texts.contains("/srv/app/.env"));

    // And nothing else.
    let mut files = Vec::new();
    written(lab.path("").as_path(), &mut files);
    assert!(files.iter().any(|(name, _)| name.ends_with("1.texts.jsonl")) && files.len() > 8, "{}", files.len());
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        for mark in MARKS {
            if let Some(at) = text.find(mark) {
                let around: String = text[at..].chars().take(60).collect();
                panic!("{name} holds a part of a secret: {around}");
            }
        }
    }
}

fn a_baseline_without_its_texts_is_refused() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    golden.write("/etc/app/a.conf", "one = 1\n");
    let server = lab.sshd("first", &Options::default());
    let policy = lab.path("policy.toml");
    fs::write(&policy, POLICY).unwrap();
    lab.capture_from("web@1", &server, &golden).flag("--policy", &policy).run().succeeds();
    lab.driftscan(&["baseline", "list"]).run().succeeds();
    lab.capture_from("web@1", &server, &golden).flag("--policy", &policy).run().succeeds();
    let texts = lab.path("baselines/web/1.texts.jsonl");
    let bytes = fs::read_to_string(&texts).unwrap();
    fs::write(&texts, bytes.replace("one = 1", "one = 2")).unwrap();
    lab.driftscan(&["baseline", "show", "web@1"]).run().refused_with(&["1.texts.jsonl", "not the one"]);
    fs::remove_file(&texts).unwrap();
    lab.driftscan(&["baseline", "list"]).run().refused_with(&["1.texts.jsonl", "is not there"]);
}

/// A request that walks nothing of this folder.
fn request(root: &Path) -> Request {
    Request {
        nonce: [7; 32],
        host: b"web-01".to_vec(),
        salt: Salt::default(),
        root: root.to_str().unwrap().as_bytes().to_vec(),
        live: false,
        gentle: true,
        mode: Mode::Sketch(0),
        limits: Limits::default(),
        scopes: Vec::new(),
        rules: RuleSet::default(),
        key: None,
    }
}

/// What a probe makes of these bytes.
fn told(lab: &Lab, bytes: &[u8]) -> Output {
    let probe = lab.path("probe");
    if !probe.exists() {
        fs::write(&probe, PROBE).unwrap();
        fs::set_permissions(&probe, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut child = Command::new(probe).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    child.wait_with_output().unwrap()
}

/// What a probe answers to these questions with this folder as its root: the state of each text, and all that it wrote.
fn asked(lab: &Lab, root: &Path, questions: &[(&str, Want)]) -> (Vec<u8>, Vec<u8>) {
    let mut questions: Vec<_> = questions.iter().map(|(path, want)| (path.as_bytes().to_vec(), *want)).collect();
    questions.sort();
    let messages = [request(root).encode(), FollowUp::Texts(questions).encode(), FollowUp::Bye.encode()];
    let output = told(lab, &messages.concat());
    assert!(output.status.success(), "{}", output.status);
    let hello = output.stdout.iter().position(|b| *b == b'\n').unwrap() + 1;
    let (mut at, mut states) = (hello + 16 + 32, Vec::new());
    while at < output.stdout.len() {
        let length = u32::from_le_bytes(output.stdout[at + 1..at + 5].try_into().unwrap()) as usize;
        if output.stdout[at] == FrameKind::Text as u8 {
            states.push(output.stdout[at + 5]);
        }
        at += 5 + length;
    }
    (states, output.stdout)
}

/// Rules that ask for a keyed digest and bring no key are not understood, and nothing is answered.
#[test]
fn a_probe_without_a_key_digests_no_secret() {
    let lab = Lab::new();
    let root = lab.golden_root();
    guessable(&root, "4711");
    let pattern = Pattern::new(b"/etc/app/pin").unwrap();
    let keyed = Rule { pattern, when: When::default(), mask: Mask::VIEWED, view: Some(View::Keyed) };
    let rules = RuleSet::new(vec![keyed]).unwrap();
    for (key, status) in [(None, 64), (Some(SecretKey([9; 32])), 0)] {
        let request = Request { scopes: vec![b"/etc".to_vec()], rules: rules.clone(), key, ..request(root.path()) };
        let output = told(&lab, &[request.encode(), FollowUp::Bye.encode()].concat());
        assert_eq!(output.status.code(), Some(status));
        // A line that greets, and where the request is understood an answer.
        let greeting = output.stdout.iter().position(|b| *b == b'\n').unwrap() + 1;
        assert_eq!(output.stdout.len() > greeting, status == 0);
    }
}

/// Whoever holds the controller holds no secret of a host by it.
#[test]
fn a_hostile_request_gets_no_secret() {
    let lab = Lab::new();
    let root = lab.golden_root();
    plant(&root, "Host");
    let secret = TextState::Secret as u8;
    let wants = [Want::Head(1 << 16), Want::Tail(1 << 16), Want::View(View::Lines), Want::View(View::HostText)];
    let wants = wants.into_iter().chain([Want::View(View::Keyed), Want::View(View::Ini)]);
    let questions: Vec<(&str, Want)> =
        wants.flat_map(|want| CORPUS[..25].iter().map(move |(path, _)| (*path, want))).collect();
    let check = |root: &Path, questions: &[(&str, Want)]| {
        let (states, said) = asked(&lab, root, questions);
        assert_eq!(states, vec![secret; questions.len()], "{}", root.display());
        let said = String::from_utf8_lossy(&said);
        assert!(MARKS.iter().all(|mark| !said.contains(mark)), "{said}");
    };
    check(root.path(), &questions);
    // A root inside a folder of secrets, and one that is reached through a link with a harmless name.
    check(&root.at("/etc/ssl/private"), &[("/site.crt", Want::Head(100)), ("/site.crt", Want::View(View::Lines))]);
    symlink(root.at("/etc/ssl/private"), lab.path("harmless")).unwrap();
    check(&lab.path("harmless"), &[("/site.crt", Want::Head(100)), ("/site.crt", Want::View(View::Lines))]);
    check(Path::new("/"), &[("/proc/self/environ", Want::Head(100)), ("/sys/kernel/notes", Want::Head(100))]);
    // What is no secret is told, a link is not followed, and an end is told of a log alone.
    symlink(root.at("/etc/shadow"), root.at("/etc/link")).unwrap();
    root.write("/var/log/dpkg.log", "one\ntwo\n");
    let plain = [
        ("/etc/hostname", Want::Tail(100)),
        ("/etc/link", Want::Head(100)),
        ("/etc/none", Want::Head(100)),
        ("/etc/passwd", Want::Head(100)),
        ("/etc/shadow", Want::Stat),
        ("/var/log/dpkg.log", Want::Tail(4)),
    ];
    let (states, said) = asked(&lab, root.path(), &plain);
    let (whole, cut, absent) = (TextState::Whole as u8, TextState::Cut as u8, TextState::Absent as u8);
    let said = String::from_utf8_lossy(&said);
    assert_eq!(states, [secret, absent, absent, cut, whole, cut], "{said}");
    assert!(said.contains("two\n") && !said.contains("one\n") && said.contains(" uid="), "{said}");
}

const KEYED: &str = "schema = \"driftscan.policy/v1\"\nextends = [\"auto\"]\n[content]\nshow = [\"/etc/**\"]\nsecret = \
                     [\"/etc/app/*.env\", \"/etc/app/pin\"]\n";

/// A PIN of four digits, and a file larger than any view reads: both are found by their plain digest in no time.
fn guessable(root: &Tree, pin: &str) {
    root.write("/etc/app/pin", format!("{pin}\n"));
    root.write("/etc/app/big.env", pin.repeat(1_200_000));
}

/// Holds everything that was written and said to what must not be there: the secrets, their plain digests, the key.
fn no_guess(lab: &Lab, key: &str, pins: &[&str]) {
    let mut secrets = vec![key.to_owned()];
    for content in pins.iter().flat_map(|pin| [format!("{pin}\n"), (*pin).to_owned(), pin.repeat(1_200_000)]) {
        let digest = Sha256::digest(content.as_bytes());
        secrets.push(hex(&digest));
        secrets.extend([escape(&digest), escape(&digest).replace('\\', "\\\\")]);
    }
    secrets.extend(pins.iter().map(|pin| format!("{pin}{pin}")));
    let mut files = Vec::new();
    written(lab.path("").as_path(), &mut files);
    files.retain(|(name, _)| !name.ends_with("secret.key"));
    assert!(files.iter().any(|(name, _)| name.ends_with("1.jsonl")) && files.len() > 8, "{}", files.len());
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        assert!(secrets.iter().all(|secret| !text.contains(secret.as_str())), "{name} tells of a secret");
    }
}

fn secrets_are_compared_by_a_keyed_digest() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    guessable(&golden, "4711");
    let server = lab.sshd("first", &Options::default());
    let policy = lab.path("policy.toml");
    fs::write(&policy, KEYED).unwrap();
    let scan = || lab.scan(&["--policy", policy.to_str().unwrap()]);

    // The first capture makes the key and says where; the next one reads it and gives the same baseline.
    let capture = || lab.capture_from("web@1", &server, &golden).flag("--policy", &policy);
    let file = lab.path("home/.config/driftscan/secret.key");
    let run = capture().run().succeeds();
    assert!(run.stdout.contains(file.to_str().unwrap()), "{run}");
    let key = fs::read_to_string(&file).unwrap().trim_end().to_owned();
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
    let run = capture().run().succeeds();
    assert!(run.stdout.contains("the same bytes") && !run.stdout.contains("new key"), "{run}");
    let baseline = fs::read_to_string(lab.baseline("web", "1")).unwrap();
    let secret = SecretKey(unhex(&key).unwrap());
    for content in ["4711\n".to_owned(), "4711".repeat(1_200_000)] {
        let digest = hex(&secret.end(secret.begin().chain_update(&content)));
        assert!(baseline.contains(&format!("\"view\":\"keyed/1:hmac-sha256:{digest}\"")), "{} bytes", content.len());
    }
    assert_eq!(baseline.matches("keyed/1:hmac-sha256:").count(), 2);
    let id = baseline.split("\"key\":\"").nth(1).unwrap()[..8].to_owned();

    let (same, other) = (lab.clone_root(&golden, "web-01"), lab.clone_root(&golden, "web-02"));
    guessable(&other, "4712");
    other.write("/etc/app/new.env", "4712");
    lab.hosts_file(&["[web] template=web".to_owned(), server.line("web-01", &same), server.line("web-02", &other)]);
    let run = scan().run().exits(2).says("web-01", "clean");
    let (content, added) = ("content-changed", "file-added");
    let found = [(content, "/etc/app/big.env"), (content, "/etc/app/pin"), (added, "/etc/app/new.env")];
    let run = run.drifted("web-02", &found);
    for (code, path) in found {
        let finding = run.finding("web-02", code, path);
        let text = finding.to_string();
        assert!(
            !["sha256", "size", "view", "diff"].iter().any(|word| text.contains(&format!("\"{word}\":"))),
            "{text}"
        );
        assert_eq!(text.contains(&format!("{path}: the secret differs")), code == content, "{text}");
    }

    // Another key, none, and one that others can read: refused before any host is reached.
    let another = lab.path("another-secret.key");
    fs::write(&another, format!("{}\n", "5a".repeat(32))).unwrap();
    fs::set_permissions(&another, fs::Permissions::from_mode(0o600)).unwrap();
    let logins = server.logins();
    let said = [&*id, "the key here is", "--secret-key"];
    scan().flag("--secret-key", &another).run().refused_with(&said);
    scan().env("DRIFTSCAN_SECRET_KEY", lab.path("none")).run().refused_with(&["there is no key in", "--secret-key"]);
    fs::set_permissions(&another, fs::Permissions::from_mode(0o644)).unwrap();
    scan().flag("--secret-key", &another).run().refused_with(&["0644", "chmod 600"]);
    assert_eq!(server.logins(), logins);
    no_guess(&lab, &key, &["4711", "4712"]);
}

over_both!(no_secret_comes_out, secrets_are_compared_by_a_keyed_digest; ssh2 only: a_baseline_without_its_texts_is_refused);
