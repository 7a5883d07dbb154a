//! Odd names and odd files: what ordinary users of a host can make.

use crate::lab::{Lab, Scene, Tree, is_root};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// Names as bytes, and as the report writes them.
const NAMES: [(&[u8], &str); 9] = [
    (b"new\nline", "/opt/new\\nline"),
    (b"\x1b]0;owned\x07", "/opt/\\x1b]0;owned\\x07"),
    (b"not\xff\xfeutf8", "/opt/not\\xff\\xfeutf8"),
    (b"-rf", "/opt/-rf"),
    (b"back\\slash", "/opt/back\\\\slash"),
    ("right\u{202e}left".as_bytes(), "/opt/right\\u{202e}left"),
    (b" spaces  ", "/opt/ spaces  "),
    (b"::error file=x::$(id)`id`'\"", "/opt/::error file=x::$(id)`id`'\""),
    ("gr\u{fc}n".as_bytes(), "/opt/gr\u{fc}n"),
];

fn inside(name: &[u8]) -> PathBuf {
    Path::new("/opt").join(OsStr::from_bytes(name))
}

/// No byte that a terminal obeys, but line breaks.
#[track_caller]
fn is_tame(text: &str) {
    let wild =
        |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
    assert!(!text.contains(wild), "{text:?}");
}

#[test]
fn f22_are_found_escaped_and_told_exactly() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    for (name, _) in NAMES {
        host.write(inside(name), "x");
    }
    let run = scene.run().exits(2);
    let expected: Vec<_> = NAMES.iter().map(|(_, path)| ("file-added", *path)).collect();
    is_tame(&run.stdout);
    is_tame(&run.stderr);
    let exact = &run.finding("web-01", "file-added", "/opt/not\\xff\\xfeutf8")["path_b64"];
    assert_eq!(exact, "L29wdC9ub3T//nV0Zjg=", "exact bytes of a path that is not UTF-8");
    assert!(run.finding("web-01", "file-added", "/opt/-rf").get("path_b64").is_none_or(Value::is_null));
    run.drifted("web-01", &expected);
}

#[test]
fn f22_are_equal_to_themselves() {
    let scene = Scene::with(&crate::lab::Options::default(), |golden| {
        for (name, path) in NAMES {
            golden.write(inside(name), path);
        }
        golden.write(inside(&[b'n'; 255]), "the longest name");
    });
    scene.host("web-01");
    scene.host("web-02").remove(inside(b"new\nline"));
    scene.run().exits(2).says("web-01", "clean").drifted("web-02", &[("file-removed", "/opt/new\\nline")]);
}

/// Replaces a configuration file by something that must never be opened.
fn replaced_by(make: impl FnOnce(&Tree)) {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.remove("/etc/nginx/nginx.conf");
    make(&host);
    scene.host("web-02");
    let run =
        scene.run().exits(2).says("web-02", "clean").drifted("web-01", &[("type-changed", "/etc/nginx/nginx.conf")]);
    assert!(run.elapsed.as_secs() < 30, "{run}");
}

#[test]
fn f24_a_named_pipe_is_never_opened() {
    replaced_by(|host| host.special("/etc/nginx/nginx.conf", &["mkfifo"]));
}

#[test]
fn f24_a_socket_is_never_opened() {
    replaced_by(|host| {
        // The name of a socket is short, so it is made next to its place.
        let here = tempfile::tempdir_in("/tmp").unwrap();
        let socket = std::os::unix::net::UnixListener::bind(here.path().join("s")).unwrap();
        crate::lab::tool(
            "cp",
            &["-a", here.path().join("s").to_str().unwrap(), host.at("/etc/nginx/nginx.conf").to_str().unwrap()],
        );
        drop(socket);
    });
}

#[test]
fn f24_a_device_is_never_opened() {
    if is_root() {
        replaced_by(|host| host.device("/etc/nginx/nginx.conf", 1, 5));
    } else {
        replaced_by(|host| host.link("/etc/nginx/nginx.conf", "/dev/zero"));
    }
}

#[test]
fn f24_another_device_number_is_drift() {
    if !is_root() {
        // Devices are made by root only; a link to one is what an ordinary user can do.
        return replaced_by(|host| host.link("/etc/nginx/nginx.conf", "/dev/mem"));
    }
    let scene = Scene::with(&crate::lab::Options::default(), |golden| golden.device("/opt/device", 1, 3));
    let host = scene.host("web-01");
    host.remove("/opt/device");
    host.device("/opt/device", 1, 1);
    scene.run().exits(2).drifted("web-01", &[("device-changed", "/opt/device")]);
}

#[test]
fn f25_a_link_loop_is_two_links() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.link("/opt/a", "b");
    host.link("/opt/b", "a");
    host.link("/opt/up", "..");
    scene
        .run()
        .exits(2)
        .drifted("web-01", &[("file-added", "/opt/a"), ("file-added", "/opt/b"), ("file-added", "/opt/up")]);
}

#[test]
fn a_link_out_of_the_root_is_not_followed() {
    let scene = Scene::new();
    let outside = scene.lab.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "x").unwrap();
    let host = scene.host("web-01");
    symlink(&outside, host.at("/opt/out")).unwrap();
    scene.run().exits(2).drifted("web-01", &[("file-added", "/opt/out")]);
}

#[test]
fn f24_a_sparse_file_above_the_cap_is_not_read_and_is_drift() {
    let scene = Scene::new();
    scene.host("web-01").sparse("/opt/huge", 1 << 42);
    scene.host("web-02").sparse("/usr/bin/tar", 1 << 40);
    let run = scene.run().exits(2).drifted("web-01", &[("file-added", "/opt/huge")]);
    assert!(
        run.findings("web-02").iter().any(|(code, path)| *code == "content-changed" && *path == "/usr/bin/tar"),
        "{run}"
    );
    assert!(run.elapsed.as_secs() < 30, "{run}");
}

#[test]
fn a_sparse_file_below_the_cap_is_read() {
    let scene = Scene::new();
    scene.host("web-01").sparse("/opt/hole", 64 << 20);
    let run = scene.run().exits(2).drifted("web-01", &[("file-added", "/opt/hole")]);
    let finding = run.finding("web-01", "file-added", "/opt/hole");
    assert_eq!(finding["after"]["content"], "sha256:3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351");
}

#[test]
fn f25_a_deep_tree_is_bounded() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    deep(&host, "opt", 1_000);
    scene.host("web-02").change_unseen("/usr/bin/ls");
    let run = scene.run();
    assert_ne!(run.verdict("web-01"), "clean", "{run}");
    run.exits(2).drifted("web-02", &[("content-changed", "/usr/bin/ls")]);
}

#[test]
fn f25_a_tree_deeper_than_a_path_may_be_long_is_bounded() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    deep(&host, "tmp", 6_000);
    let run = scene.run();
    // The folder is in /tmp, where nothing is compared: but that something was not walked is said, or its limit is.
    assert!(run.elapsed.as_secs() < 30, "{run}");
    assert!(matches!(run.code(), Some(0 | 2 | 3)), "{run}");
}

/// Makes folders inside each other, step by step: the whole path may be longer than the kernel takes.
fn deep(host: &Tree, at: &str, levels: u32) {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    let open = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, host.at(at), open, Mode::empty()).unwrap();
    for _ in 0..levels {
        mkdirat(&folder, "d", Mode::from_raw_mode(0o755)).unwrap();
        folder = openat(&folder, "d", open, Mode::empty()).unwrap();
    }
    let leaf = openat(&folder, "leaf", OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC, Mode::from_raw_mode(0o644));
    rustix::io::write(leaf.unwrap(), b"x\n").unwrap();
}

#[test]
fn a_tree_of_100_levels_is_read_whole() {
    let scene = Scene::with(&crate::lab::Options::default(), |golden| deep(golden, "opt", 100));
    let host = scene.host("web-01");
    let leaf = format!("/opt/{}leaf", "d/".repeat(100));
    host.write(&leaf, "y");
    scene.run().exits(2).drifted("web-01", &[("content-changed", leaf.as_str())]);
}

#[test]
fn f25_a_folder_of_many_names_is_read_whole() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    for number in 0..20_000 {
        fs::write(golden.at(format!("/srv/www/{number}")), "").unwrap();
    }
    lab.capture("web@1", &golden);
    fs::remove_file(golden.at("/srv/www/17321")).unwrap();
    let run = lab.driftscan(&["scan", &golden.target()]).reported().run().exits(2);
    let hosts = run.report.as_ref().unwrap()["hosts"].as_array().unwrap();
    let findings = hosts[0]["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{run}");
    assert_eq!(findings[0]["path"], "/srv/www/17321");
}
