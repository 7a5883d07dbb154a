//! Packages, read from the tree's own dpkg database.

use crate::lab::{Run, Scene, Tree};

const STATUS: &str = "/var/lib/dpkg/status";

#[track_caller]
fn finds(change: impl FnOnce(&Tree), findings: &[(&str, &str)]) -> Run {
    let scene = Scene::new();
    scene.host("web-01");
    change(&scene.host("web-02"));
    scene.run().exits(2).says("web-01", "clean").drifted("web-02", findings)
}

/// Removes a package's paragraph.
fn purge(host: &Tree, package: &str) {
    let status = std::fs::read_to_string(host.at(STATUS)).unwrap();
    let head = format!("Package: {package}\n");
    let kept: String = status.split_inclusive("\n\n").filter(|paragraph| !paragraph.starts_with(&head)).collect();
    assert_ne!(kept, status);
    host.write(STATUS, kept);
}

#[test]
fn upgraded() {
    let run = finds(
        |host| host.replace(STATUS, "Version: 1.22.1-9\n", "Version: 1.22.1-10\n"),
        &[("package-version", "pkg:nginx:amd64")],
    );
    let finding = run.finding("web-02", "package-version", "pkg:nginx:amd64");
    assert_eq!(
        (&finding["before"]["version"], &finding["after"]["version"]),
        (&"1.22.1-9".into(), &"1.22.1-10".into())
    );
    assert_eq!(finding["kind"], "changed");
    assert!(finding["path"].is_null());
}

#[test]
fn put_on_hold() {
    let run = finds(
        |host| {
            host.replace(
                STATUS,
                "Package: openssl\nStatus: install ok installed",
                "Package: openssl\nStatus: hold ok installed",
            );
        },
        &[("package-state", "pkg:openssl:amd64")],
    );
    let finding = run.finding("web-02", "package-state", "pkg:openssl:amd64");
    assert!(finding["after"]["state"].as_str().unwrap().contains("hold"), "{finding}");
}

#[test]
fn removed() {
    finds(|host| purge(host, "rsyslog"), &[("package-removed", "pkg:rsyslog:amd64")]);
}

#[test]
fn added() {
    finds(
        |host| {
            host.append(
                STATUS,
                "Package: nmap\nStatus: install ok installed\nArchitecture: amd64\nVersion: 7.93+dfsg1-1\n\n",
            );
        },
        &[("package-added", "pkg:nmap:amd64")],
    );
}

#[test]
fn the_same_packages_in_another_order_are_no_drift() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    let status = std::fs::read_to_string(host.at(STATUS)).unwrap();
    let mut paragraphs: Vec<_> = status.split_inclusive("\n\n").collect();
    paragraphs.reverse();
    host.write(STATUS, paragraphs.concat());
    scene.run().succeeds().says("web-01", "clean");
}

#[test]
fn configuration_left_behind_is_a_state() {
    finds(
        |host| {
            host.replace(
                STATUS,
                "Package: curl\nStatus: install ok installed",
                "Package: curl\nStatus: deinstall ok config-files",
            );
        },
        &[("package-state", "pkg:curl:amd64")],
    );
}

#[test]
fn f29_a_corrupt_database_is_not_no_packages() {
    let scene = Scene::new();
    scene.host("web-01").write(STATUS, "this is\nno database at all\n\x00\x01\x02");
    scene.host("web-02");
    scene.run().exits(3).unverifiable("web-01", "packages").says("web-02", "clean");
}

#[test]
fn f29_an_interrupted_dpkg_is_unverifiable() {
    let scene = Scene::new();
    scene.host("web-01").write("/var/lib/dpkg/updates/0001", "Package: curl\nStatus: install ok unpacked\n");
    let run = scene.run();
    assert_ne!(run.verdict("web-01"), "clean", "{run}");
    assert!(run.reasons("web-01").contains("packages"), "{run}");
}

#[test]
fn f29_an_emptied_database_is_never_clean() {
    let scene = Scene::new();
    scene.host("web-01").write(STATUS, "");
    scene.host("web-02").remove("/var/lib/dpkg/status");
    let run = scene.run();
    assert_ne!(run.verdict("web-01"), "clean", "{run}");
    assert_ne!(run.verdict("web-02"), "clean", "{run}");
}

#[test]
fn a_file_list_that_was_edited_is_drift() {
    finds(
        |host| host.append("/var/lib/dpkg/info/nginx.list", "/usr/local/bin/fix.sh\n"),
        &[("content-changed", "/var/lib/dpkg/info/nginx.list")],
    );
}
