//! The story of a finding, from logs that are really read on a host.

use crate::lab::{Lab, Options, Scene, Tree};
use crate::package_causes::{deb, dpkg};
use std::fs::{self, File, FileTimes};
use std::time::{Duration, UNIX_EPOCH};

#[test]
fn a_package_and_a_file_have_their_story() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.replace("/var/lib/dpkg/status", "Version: 1.22.1-9", "Version: 1.22.1-10");
    host.write(
        "/var/log/apt/history.log",
        "Start-Date: 2026-11-19  06:12:03\nCommandline: /usr/bin/unattended-upgrade\nUpgrade: nginx:amd64 (1.22.1-9, 1.22.1-10)\n",
    );
    host.append("/etc/nginx/nginx.conf", "# by hand\n");
    // Somebody sets the time of a file back; the kernel's own time of change is that of now.
    host.chmod("/usr/bin/ls", 0o777);
    let time = UNIX_EPOCH + Duration::from_secs(1_795_096_920);
    for path in ["/etc/nginx/nginx.conf", "/usr/bin/ls"] {
        let file = File::options().write(true).open(host.at(path)).unwrap();
        file.set_times(FileTimes::new().set_modified(time)).unwrap();
    }
    host.write(
        "/var/log/auth.log",
        "2026-11-19T14:01:10+00:00 w sudo: anna : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/vim /etc/nginx/nginx.conf\n",
    );
    host.write("/var/lib/puppet/state/last_run_summary.yaml", "x");
    let run = scene.run();
    let package = run.finding("web-01", "package-version", "pkg:nginx:amd64").to_string();
    assert!(package.contains("2026-11-19 06:12 apt: unattended-upgrade (nginx 1.22.1-9 -> 1.22.1-10)"), "{run}");
    let edited = run.finding("web-01", "content-changed", "/etc/nginx/nginx.conf").to_string();
    assert!(edited.contains("changed 2026-11-19 14:02 UTC"), "{run}");
    assert!(edited.contains("sudo by anna: vim /etc/nginx/nginx.conf"), "{run}");
    let mode = run.finding("web-01", "mode-changed", "/usr/bin/ls")["evidence"].to_string();
    assert!(mode.contains("changed 20") && !mode.contains("changed 2026-11-19 14:02"), "{mode}\n{run}");
    run.finding("web-01", "configuration-management", "fact:configuration-management.puppet");
}

/// An upgrade that dpkg itself made, its own log included, and apt's log of who asked for it.
#[test]
fn an_upgrade_is_explained_with_its_command_and_who_gave_it() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    let logged = |tree: &Tree, words: &[&str]| {
        let log = format!("--log={}", tree.at("/var/log/dpkg.log").display());
        dpkg(tree, &[&[log.as_str()], words].concat());
    };
    let install = |tree: &Tree, version: &str| {
        let files = [("/usr/bin/parts", 0o755), ("/usr/share/parts/a", 0o644), ("/etc/parts.conf", 0o644)];
        let files = files.map(|(path, mode)| (path.to_owned(), format!("{path} {version}\n"), mode));
        let deb = deb(&lab.path("tmp"), "parts", version, &files, &[]);
        logged(tree, &["-i", deb.to_str().unwrap()]);
    };
    install(&golden, "1.0");
    lab.capture("web@2026.11.1", &golden);
    let server = lab.sshd("first", &Options::default());
    let (upgraded, removed) = (lab.clone_root(&golden, "web-01"), lab.clone_root(&golden, "web-02"));
    lab.hosts_file(&[
        "[web] template=web".to_owned(),
        server.line("web-01", &upgraded),
        server.line("web-02", &removed),
    ]);
    install(&upgraded, "1.1");
    logged(&removed, &["--remove", "parts"]);
    for (tree, command, list) in [
        (&upgraded, "apt-get install parts", "Upgrade: parts:amd64 (1.0, 1.1)"),
        (&removed, "apt remove parts", "Remove: parts:amd64 (1.0)"),
    ] {
        let log = fs::read_to_string(tree.at("/var/log/dpkg.log")).unwrap();
        let line = log.lines().find(|line| line.contains(" upgrade parts") || line.contains(" remove parts")).unwrap();
        let (day, time) = (&line[..10], &line[11..19]);
        tree.write(
            "/var/log/apt/history.log",
            format!("Start-Date: {day}  {time}\nCommandline: {command}\nRequested-By: anna (1000)\n{list}\nEnd-Date: {day}  {time}\n"),
        );
    }
    let run = lab.scan(&[]).run().exits(2);
    for (host, code, wanted) in [
        ("web-01", "package-version", "apt, for anna: apt-get install parts (parts 1.0 -> 1.1)"),
        ("web-02", "package-state", "apt, for anna: apt remove parts (parts 1.0 removed)"),
    ] {
        let cause = run.host(host)["causes"][0].clone();
        assert!(cause["evidence"].to_string().contains(wanted), "{cause:#}\n{run}");
        let finding = run.finding(host, code, "pkg:parts:amd64");
        for fingerprint in [&cause["fingerprint"], &finding["fingerprint"]] {
            let told = lab.driftscan(&["explain", fingerprint.as_str().unwrap()]).run().succeeds();
            assert_eq!(told.stdout.matches(wanted).count(), 1, "{told}");
        }
    }
}
