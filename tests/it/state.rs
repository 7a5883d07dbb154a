//! State at risk: what a replacement would lose is told of a host that is to be replaced, and nothing that it would not.

use crate::lab::{Answer, Options, Run, Scene, Tree, is_root, program, tool};
use serde_json::Value;
use std::fs;
use std::process::Command;

/// What a host holds, `kind path` with bytes and files.
#[track_caller]
fn held(run: &Run, host: &str) -> Vec<(String, u64, u64)> {
    let items = run.host(host)["state"]["items"].as_array().unwrap_or_else(|| panic!("nobody looked\n{run}"));
    let told = |item: &Value| format!("{} {}", item["kind"].as_str().unwrap(), item["path"].as_str().unwrap());
    items.iter().map(|item| (told(item), item["bytes"].as_u64().unwrap(), item["files"].as_u64().unwrap())).collect()
}

#[track_caller]
fn unseen<'a>(run: &'a Run, host: &str) -> Vec<&'a str> {
    let state = &run.host(host)["state"];
    assert!(state.is_object(), "nobody looked\n{run}");
    state["unseen"].as_array().into_iter().flatten().map(|path| path.as_str().unwrap()).collect()
}

/// Somebody edited it: a candidate.
fn drift(host: &Tree) {
    host.replace("/etc/ssh/sshd_config", "PermitRootLogin no", "PermitRootLogin yes");
}

fn what_a_replacement_would_lose_is_told() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    drift(&host);
    host.write("/var/lib/postgresql/16/main/base/5/16384", vec![1; 3_000_000]);
    host.write("/var/lib/postgresql/16/main/PG_VERSION", "16\n");
    host.write("/var/lib/mysql/shop/orders.ibd", vec![1; 2_000_000]);
    host.write("/var/lib/mysql/mysql/user.ibd", vec![1; 40_000]);
    host.write("/var/lib/mysql/ibdata1", vec![1; 1_000_000]);
    host.sparse("/home/anna/film.mkv", 150_000_000);
    host.write("/home/bert/thesis.tex", "chapter");
    host.write("/var/mail/root", "From cron");
    host.write("/var/spool/cron/crontabs/anna", "5 * * * * /home/anna/job\n");
    host.write("/var/lib/docker/volumes/pg/_data/base", vec![1; 500_000]);
    host.write("/var/lib/docker/volumes/metadata.db", vec![1; 32_768]);
    host.sparse("/var/tmp/dump.sql", 120_000_000);
    host.write("/opt/shop/upload.bin", vec![1; 11_000_000]);
    // What nobody would miss.
    host.write("/home/carl/.bashrc", "umask 022\n");
    host.write("/home/carl/.cache/motd.legal-displayed", "");
    host.write("/var/mail/anna", "");
    host.sparse("/var/log/huge.log", 200_000_000);
    host.sparse("/var/cache/apt/archives/linux.deb", 200_000_000);
    let run = scene.run().exits(2).says("web-01", "drifted");
    let wanted = [
        ("home /home/anna", 150_000_000, 1),
        ("large-file /var/tmp/dump.sql", 120_000_000, 1),
        ("recent-file /opt/shop/upload.bin", 11_000_000, 1),
        ("database /var/lib/postgresql", 3_000_003, 2),
        ("database /var/lib/mysql/shop", 2_000_000, 1),
        ("container-volume /var/lib/docker/volumes/pg", 500_000, 1),
        ("cron /var/spool/cron/crontabs", 25, 1),
        ("mail /var/mail", 9, 2),
        ("home /home/bert", 7, 1),
    ];
    let wanted: Vec<_> = wanted.map(|(told, bytes, files)| (told.to_owned(), bytes, files)).into();
    assert_eq!(held(&run, "web-01"), wanted, "{run}");
    assert!(unseen(&run, "web-01").is_empty(), "{run}");
    let newest = run.host("web-01")["state"]["items"][0]["newest"].as_str().unwrap();
    assert!(newest.starts_with("20") && newest.ends_with('Z'), "{newest}");
    let flat = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("at risk: /home/anna 150 MB, newest 20"), "{run}");
    assert!(flat.contains("and 6 more"), "{run}");
}

fn a_freshly_built_host_that_drifted_has_none() {
    let scene = Scene::with(&Options::default(), |golden| {
        golden.write("/srv/www/index.html", vec![1; 20_000]);
        golden.write("/var/www/html/index.html", vec![1; 20_000]);
        golden.write("/var/spool/cron/crontabs/root", "5 * * * * true\n");
        golden.write("/var/lib/postgresql/16/main/base/1/1259", vec![1; 3_000_000]);
        golden.write("/var/lib/mysql/mysql/user.ibd", vec![1; 3_000_000]);
        golden.write("/var/lib/redis/dump.rdb", vec![1; 92]);
        golden.write("/root/tool/notes", "of the image");
    });
    let host = scene.host("web-01");
    drift(&host);
    host.write("/root/.bash_history", "ls\n");
    host.write("/home/admin/.ssh/authorized_keys", "");
    scene.host("web-02");
    let run = scene.run().exits(2).says("web-01", "drifted").says("web-02", "clean");
    assert_eq!(held(&run, "web-01"), [], "{run}");
    assert!(unseen(&run, "web-01").is_empty() && !run.stdout.contains("at risk"), "{run}");
    // An undrifted host was not asked.
    assert!(run.host("web-02")["state"].is_null(), "{run}");
}

#[test]
fn an_outdated_host_is_asked_as_well() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.write("/home/anna/thesis.tex", "chapter");
    scene.golden.write("/etc/motd", "the next version\n");
    scene.lab.capture("web@2026.11.2", &scene.golden);
    let run = scene.run().exits(2).says("web-01", "outdated");
    assert_eq!(held(&run, "web-01"), [("home /home/anna".to_owned(), 7, 1)], "{run}");
}

#[test]
fn the_shell_says_nothing_of_it() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    drift(&host);
    host.write("/home/anna/thesis.tex", "chapter");
    let run = scene.scan(&["--probe", "sh"]).run();
    assert!(run.host("web-01")["state"].is_null(), "{run}");
}

fn what_the_account_can_not_look_into_is_named() {
    let options = if is_root() { Options::answering(Answer::as_nobody()) } else { Options::default() };
    let scene = Scene::with(&options, |golden| {
        tool("chmod", &["-R", "a+rX", golden.path().to_str().unwrap()]);
    });
    let host = scene.host("web-01");
    drift(&host);
    host.write("/home/anna/thesis.tex", "chapter");
    host.write("/home/bert/private/letter", "dear");
    host.write("/home/bert/open", "to all");
    host.chmod("/home/anna", 0o700);
    host.chmod("/home/bert/private", 0o700);
    if !is_root() {
        host.chmod("/home/anna", 0o000);
        host.chmod("/home/bert/private", 0o000);
    }
    let run = scene.run().exits(2);
    assert_eq!(unseen(&run, "web-01"), ["/home/anna", "/home/bert"], "{run}");
    assert_eq!(held(&run, "web-01"), [("home /home/bert".to_owned(), 6, 1)], "{run}");
    assert!(run.stdout.contains("not looked into: /home/anna, /home/bert"), "{run}");
}

#[test]
fn a_link_leads_nowhere() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    drift(&host);
    host.sparse("/usr/share/large", 500_000_000);
    host.link("/home/zoe", "/");
    host.link("/home/yan", host.path().to_str().unwrap());
    host.remove("/srv");
    host.link("/srv", "usr");
    host.write("/home/anna/work/notes", "x");
    host.link("/home/anna/work/all", "/usr");
    let run = scene.run().exits(2);
    let held = held(&run, "web-01");
    let homes: Vec<_> = held.iter().filter(|(told, ..)| !told.starts_with("large-file")).collect();
    assert_eq!(homes, [&("home /home/anna".to_owned(), 1, 1)], "{run}");
}

#[test]
fn a_folder_without_end_ends_at_the_limit() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    drift(&host);
    host.write("/home/anna/cache/0", "x");
    let script = "cd \"$1\" && seq 1 300000 | xargs -n 5000 touch";
    let made = Command::new("sh").args(["-c", script, "sh"]).arg(host.at("/home/anna/cache")).status().unwrap();
    assert!(made.success());
    host.write("/home/bert/thesis.tex", "chapter");
    host.write("/srv/www/upload", "x");
    let run = scene.run().exits(2).says("web-01", "drifted");
    let items = run.host("web-01")["state"]["items"].as_array().unwrap();
    let of = |path: &str| items.iter().find(|item| item["path"] == path).unwrap_or_else(|| panic!("no {path}\n{run}"));
    let anna = of("/home/anna");
    let files = anna["files"].as_u64().unwrap();
    assert!(anna["more"] == true && (10_000..300_000).contains(&files), "{anna}");
    // Nobody hides one place by filling another.
    for other in ["/home/bert", "/srv"] {
        assert!(of(other)["more"] != true, "{run}");
    }
}

#[test]
fn a_mount_is_not_crossed() {
    let scene = Scene::new();
    let golden = scene.golden.clone();
    let root = scene.lab.clone_root(&golden, "mounted");
    drift(&root);
    root.write("/home/anna/thesis.tex", "chapter");
    root.write("/home/anna/all/.keep", "");
    root.write("/home/all/.keep", "");
    let script = format!(
        "mount --bind {root} {root}/home/anna/all && mount --bind {root}/usr {root}/home/all || exit 111; exec \"$0\" \"$@\"",
        root = root.path().display()
    );
    let own: &[&str] = if is_root() { &["--mount"] } else { &["--user", "--map-root-user", "--mount"] };
    let run = scene.lab.driftscan(&["scan", &root.target(), "--baseline", "web"]).reported();
    let run = run.by(&program("unshare"), &[own, &["sh", "-c", &script]].concat()).run();
    assert_ne!(run.code(), Some(111), "mount namespaces need root or user namespaces\n{run}");
    assert_eq!(held(&run, run.only()), [("home /home/anna".to_owned(), 7, 1)], "{run}");
}

#[test]
fn a_hostile_name_is_escaped() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    drift(&host);
    let odd = "/home/\u{1b}]0;owned\u{7}\n\u{202e}";
    fs::create_dir(host.at(odd)).unwrap();
    host.write(format!("{odd}/x"), "x");
    let run = scene.run().exits(2);
    let (told, ..) = held(&run, "web-01").remove(0);
    assert_eq!(told, "home /home/\\x1b]0;owned\\x07\\n\\u{202e}", "{run}");
    assert!(!run.stdout.chars().any(|c| c.is_control() && c != '\n'), "{run}");
}

crate::lab::over_both!(
    what_a_replacement_would_lose_is_told,
    a_freshly_built_host_that_drifted_has_none,
    what_the_account_can_not_look_into_is_named,
);
