//! Mounts: what is mounted over paths of the baseline is a finding, never an exclusion.

use crate::lab::{Lab, Options, Run, Scene, Tree, is_root, program};

/// Scans a root over which something was mounted, in a mount namespace that ends with the run.
fn mounted(mount: impl Fn(&str) -> String) -> Run {
    let lab = Lab::new();
    let golden = lab.golden_root();
    let inside = |text: &str, args: &[&str]| {
        let own: &[&str] = if is_root() { &["--mount"] } else { &["--user", "--map-root-user", "--mount"] };
        let script = format!("{text}exec \"$0\" \"$@\"");
        let run = lab.driftscan(args);
        let run = if args[0] == "scan" { run.reported() } else { run };
        run.by(&program("unshare"), &[own, &["sh", "-c", &script]].concat())
    };
    // The capture has the same view of who owns what.
    inside("", &["baseline", "capture", "web@1", "--from", &golden.target()]).run().succeeds();
    let root: Tree = lab.clone_root(&golden, "mounted");
    let text = format!("{} || exit 111; ", mount(root.path().to_str().unwrap()));
    let run = inside(&text, &["scan", &root.target()]).run();
    assert_ne!(run.code(), Some(111), "mount namespaces need root or user namespaces\n{run}");
    run
}

#[test]
fn f51_over_paths_of_the_baseline() {
    let run = mounted(|root| format!("mount -t tmpfs none {root}/etc/nginx")).exits(2);
    let name = run.only();
    assert_eq!(run.verdict(name), "drifted", "{run}");
    assert!(run.findings(name).contains(&("mount-hides", "/etc/nginx")), "{run}");
    assert!(!run.findings(name).contains(&("file-removed", "/etc/nginx/nginx.conf")), "hidden is not removed\n{run}");
}

#[test]
fn f51_over_paths_of_the_baseline_on_a_host() {
    if !is_root() {
        // A server with a mount namespace needs root; the same mount is tried on this machine.
        return f51_over_paths_of_the_baseline();
    }
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "mounted");
    let mounts = format!("mount -t tmpfs none {}/etc/nginx", root.path().display());
    let server = scene.lab.sshd("mounting", &Options { mounts: Some(mounts), ..Options::default() });
    scene.line(&server.line("web-01", &root));
    scene.host("web-02");
    let run = scene.run().exits(2).says("web-01", "drifted").says("web-02", "clean");
    assert!(run.findings("web-01").contains(&("mount-hides", "/etc/nginx")), "{run}");
}

#[test]
fn f51_over_one_file_of_the_baseline() {
    let run = mounted(|root| {
        format!("echo evil >{root}/opt/evil && mount --bind {root}/opt/evil {root}/etc/nginx/nginx.conf")
    });
    let run = run.exits(2);
    let name = run.only();
    assert_eq!(run.verdict(name), "drifted", "{run}");
    assert!(run.findings(name).iter().any(|(_, path)| *path == "/etc/nginx/nginx.conf"), "{run}");
}

#[test]
fn f51_over_an_empty_folder_it_is_said() {
    let run = mounted(|root| format!("mount -t tmpfs none {root}/mnt"));
    let coverage = &run.host(run.only())["coverage"];
    let said = coverage["skipped_mounts"].to_string() + &run.host(run.only())["findings"].to_string();
    assert!(said.contains("/mnt"), "{run}");
}

#[test]
fn f25_a_bind_mount_of_a_folder_into_itself_is_bounded() {
    let run = mounted(|root| format!("mount --bind {root} {root}/mnt"));
    assert!(run.elapsed.as_secs() < 30, "{run}");
    assert!(matches!(run.verdict(run.only()), "clean" | "drifted" | "unverifiable"), "{run}");
}

#[test]
fn f51_over_an_empty_folder_where_no_mount_table_is_compared() {
    let run = mounted(|root| format!("rm -rf {root}/opt/* && mount -t tmpfs none {root}/opt")).exits(2);
    assert!(run.findings(run.only()).contains(&("mount-added", "/opt")), "{run}");
}
