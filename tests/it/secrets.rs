//! A corpus of secrets goes through a capture and a scan, and none of them comes out anywhere.
//!
//! *Invariant:* every file of the corpus differs on the host, is shown by the policy, and is found; only its secret is in
//! no file that driftscan wrote and in nothing that it said.

use crate::lab::{Lab, Options, Run, Tree, over_both};
use std::fs;
use std::path::Path;

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

over_both!(no_secret_comes_out; ssh2 only: a_baseline_without_its_texts_is_refused);
