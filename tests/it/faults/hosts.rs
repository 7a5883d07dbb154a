//! F10, F24, F27, F52 and F53: real objects and real hosts that are odd, each beside a host that is not.
//!
//! *Invariant:* what only root can set up is narrowed for others, never passed over.

use crate::lab::{Lab, Options, Scene, Tree, generate, is_root, probes, program, tool};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// An agent of the lab, killed with its value.
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn f10_an_agent_that_dies_in_mid_run_fails_those_alone_who_need_it() {
    let scene = Scene::new();
    let mut lines = vec!["[web] template=web".to_owned()];
    for number in 0..4 {
        let root = scene.lab.clone_root(&scene.golden, &format!("web-{number}"));
        lines.push(scene.sshd.line(&format!("web-{number}"), &root));
    }
    // The last one has a key file, whose key the agent does not have.
    let own = generate(&scene.lab.path("keys/own"), "ed25519", None);
    scene.lab.authorize(&own);
    let last = lines.pop().unwrap();
    lines.push(format!("{last} identity={}", own.display()));
    scene.lab.hosts_file(&lines);
    let socket = scene.lab.path("agent");
    let mut agent = Agent(Command::new(program("ssh-agent")).args(["-D", "-a"]).arg(&socket).spawn().unwrap());
    while !socket.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let added = Command::new(program("ssh-add")).arg("-q").arg(scene.lab.key()).env("SSH_AUTH_SOCK", &socket).status();
    assert!(added.unwrap().success());
    let scan = scene.lab.driftscan(&["scan", "--fleet", "hosts.txt", "--jobs", "1", "--rate", "1"]).reported();
    let scan = scan.flag("--known-hosts", scene.lab.known_hosts()).flag("--ssh-config", scene.lab.path("ssh_config"));
    let running = scan.env("SSH_AUTH_SOCK", &socket).spawn();
    let start = Instant::now();
    while scene.sshd.logins() == 0 {
        assert!(start.elapsed() < Duration::from_secs(20), "nobody logs in");
        std::thread::sleep(Duration::from_millis(2));
    }
    agent.0.kill().unwrap();
    let run = running.wait().exits(3).says("web-0", "clean").says("web-3", "clean");
    run.unverifiable("web-1", "auth").unverifiable("web-2", "auth");
}

/// A FUSE mount whose server never answers: whoever asks it waits until he is killed.
#[test]
fn f24_a_mount_that_hangs_is_never_asked() {
    let scene = Scene::new();
    let root = scene.lab.clone_root(&scene.golden, "hung");
    let _server = if is_root() {
        let path = root.path().display();
        // Somebody must hold the device open, or the mount answers that it is gone.
        let mounts = format!(
            "exec 9<>/dev/fuse && mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 hung {path}/mnt && \
             {{ sleep 600 >/dev/null 2>&1 & exec 9<&-; }}"
        );
        let server = scene.lab.sshd("hung", &Options { mounts: Some(mounts), ..Options::default() });
        scene.line(&server.line("hung", &root));
        Some(server)
    } else {
        // Others may not mount; what they have that nobody answers is a pipe.
        root.special("/mnt/hung", &["mkfifo"]);
        scene.line(&scene.sshd.line("hung", &root));
        None
    };
    scene.host("good");
    let run = scene.scan(&["--timeout", "10s"]).run().says("good", "clean");
    assert!(run.elapsed < Duration::from_secs(10), "{run}");
    assert!(!run.reasons("hung").contains("timeout"), "it was waited for\n{run}");
    if is_root() {
        let said = run.host("hung")["coverage"]["skipped_mounts"].to_string();
        assert!(said.contains("/mnt") && said.contains("fuse"), "{run}");
        assert_ne!(run.verdict("hung"), "clean", "a mount that the golden root lacks\n{run}");
    }
}

/// A folder in memory, where files may be as long as numbers go.
fn in_memory() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("driftscan-lab-root-").tempdir_in("/dev/shm").unwrap()
}

const LONGEST: u64 = i64::MAX as u64;

#[test]
fn f24_and_f52_a_sparse_file_of_8_eib_is_drift_or_passed_over_and_hides_nothing() {
    let scene = Scene::new();
    let memory = in_memory();
    let host = |name: &str| -> Tree {
        let tree = scene.golden.copy_to(&memory.path().join(name));
        scene.line(&scene.sshd.line(name, &tree));
        tree
    };
    host("added").sparse("/opt/huge", LONGEST);
    host("grown").sparse("/usr/bin/tar", LONGEST);
    let hiding = host("hiding");
    hiding.sparse("/tmp/huge", LONGEST);
    hiding.change_unseen("/usr/sbin/sshd");
    host("good");
    let run = scene.scan(&["--timeout", "20s"]).run().exits(2).says("good", "clean");
    let run = run.drifted("added", &[("file-added", "/opt/huge")]);
    assert!(run.findings("grown").contains(&("content-changed", "/usr/bin/tar")), "{run}");
    run.drifted("hiding", &[("content-changed", "/usr/sbin/sshd")]);
}

/// A host of busybox alone: its shell, its dd, its mktemp.
#[test]
fn f27_a_host_that_is_all_busybox() {
    let scene = Scene::new();
    let busybox = program("busybox");
    let tools = ["sh", "uname", "id", "mktemp", "dd", "chmod", "rm", "rmdir", "echo", "sleep"];
    if !is_root() {
        // Another root folder needs root; its tools do not.
        let bin = scene.lab.path("bin");
        std::fs::create_dir(&bin).unwrap();
        for name in tools {
            std::os::unix::fs::symlink(&busybox, bin.join(name)).unwrap();
        }
        let text = format!(
            "exec {} sh -c \"$(printf %s \"$SSH_ORIGINAL_COMMAND\" | sed 's|PATH=[^ ]*|PATH={}|')\"",
            busybox.display(),
            bin.display()
        );
        let server = scene.lab.sshd("busybox", &Options::answering(crate::lab::Answer::shell(&text)));
        scene.host_at(&server, "busybox");
        scene.run().succeeds();
        return;
    }
    let root = scene.lab.path("busybox");
    for folder in ["bin", "dev", "proc", "tmp", "hosts"] {
        std::fs::create_dir_all(root.join(folder)).unwrap();
    }
    tool("cp", &[busybox.to_str().unwrap(), root.join("bin/busybox").to_str().unwrap()]);
    // A busybox that is not static brings its libraries.
    let listed = Command::new(program("ldd")).arg(&busybox).output().unwrap();
    for word in String::from_utf8_lossy(&listed.stdout).split_whitespace().filter(|word| word.starts_with('/')) {
        let place = root.join(word.trim_start_matches('/'));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        tool("cp", &["-L", word, place.to_str().unwrap()]);
    }
    for name in tools {
        std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).unwrap();
    }
    let inside = root.display();
    let mounts = format!(
        "mount --bind /proc {inside}/proc && mount --bind /dev {inside}/dev && mount --bind /dev/shm {inside}/dev/shm"
    );
    let text = format!("exec {} {inside} /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"", program("chroot").display());
    let options = Options { mounts: Some(mounts), ..Options::answering(crate::lab::Answer::shell(&text)) };
    let server = scene.lab.sshd("busybox", &options);
    // As the host sees them.
    let drifted = scene.golden.copy_to(&root.join("hosts/drifted"));
    drifted.change_unseen("/usr/bin/ls");
    scene.golden.copy_to(&root.join("hosts/clean"));
    for name in ["clean", "drifted"] {
        let line = server.line(name, &drifted).replace(drifted.path().to_str().unwrap(), &format!("/hosts/{name}"));
        scene.line(&line);
    }
    scene.run().exits(2).says("clean", "clean").drifted("drifted", &[("content-changed", "/usr/bin/ls")]);
    assert!(probes(server.pid()).is_empty());
}

/// No text of a file stands for a host's own name yet, so nothing in it can: a name is not looked for in contents, and
/// what looks like a placeholder is content like any other.
#[test]
fn f53_a_short_host_name_and_a_placeholder_in_a_file_fool_nobody() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    lab.capture("web@1", &golden);
    let server = lab.sshd("first", &Options::default());
    let mut lines = vec!["[web] template=web".to_owned()];
    let host = |name: &str| {
        let tree = lab.clone_root(&golden, name);
        (server.line(name, &tree), tree)
    };
    for name in ["a", "web"] {
        lines.push(host(name).0);
    }
    let placeholders = ["{{hostname}}", "${HOSTNAME}", "@HOSTNAME@", "\0host-value:hostname\0", "golden"];
    for (number, text) in placeholders.iter().enumerate() {
        let (line, tree) = host(&format!("p{number}"));
        tree.replace("/etc/nginx/nginx.conf", "www-data", text);
        lines.push(line);
    }
    lab.hosts_file(&lines);
    let mut run = lab.scan(&[]).run().exits(2).says("a", "clean").says("web", "clean");
    for number in 0..placeholders.len() {
        run = run.drifted(&format!("p{number}"), &[("content-changed", "/etc/nginx/nginx.conf")]);
    }
}
