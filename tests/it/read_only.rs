//! The probe changes nothing: proven by the system calls that it makes on a host, over real SSH.

use crate::lab::{Answer, Options, Scene, Tree, program};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What the traced processes called, by process: the calls of the bootstrap shell and those of the probe.
struct Trace {
    shell: Vec<String>,
    probe: Vec<String>,
}

/// Scans one host whose sessions are traced.
fn traced(change: impl FnOnce(&Tree)) -> Trace {
    let scene = Scene::new();
    let log = scene.lab.path("trace");
    let strace = program("strace");
    let prefix = format!("exec {} -f -qq -s 300 -o {} --", strace.display(), log.display());
    let server = scene.lab.sshd("traced", &Options::answering(Answer::under(&prefix)));
    change(&scene.host_at(&server, "web-01"));
    let run = scene.run();
    assert!(matches!(run.code(), Some(0 | 2)), "{run}");
    split(&fs::read_to_string(&log).unwrap())
}

/// Tells the probe's calls from the shell's: the probe is what `/proc/self/fd/4` was executed as, and its children.
fn split(log: &str) -> Trace {
    let mut probes = BTreeSet::new();
    let mut unfinished: BTreeMap<&str, String> = BTreeMap::new();
    let mut trace = Trace { shell: Vec::new(), probe: Vec::new() };
    for line in log.lines() {
        let (id, rest) = line.split_once(' ').unwrap();
        let rest = rest.trim_start();
        // A call that others interrupt stands in two lines.
        let call = if let Some(begun) = rest.strip_suffix(" <unfinished ...>") {
            unfinished.insert(id, begun.to_owned());
            continue;
        } else if rest.starts_with("<... ") {
            unfinished.remove(id).unwrap_or_default() + rest.split_once("resumed>").map_or("", |(_, end)| end)
        } else {
            rest.to_owned()
        };
        if call.starts_with("execve(\"/proc/self/fd/4\"") && call.contains("= 0") {
            probes.insert(id.to_owned());
        }
        let is_probe = probes.contains(id);
        if is_probe && ["fork(", "vfork(", "clone(", "clone3("].iter().any(|name| call.starts_with(name)) {
            let child = call.rsplit_once("= ").map(|(_, child)| child.trim().to_owned());
            probes.extend(child);
        }
        if is_probe { trace.probe.push(call) } else { trace.shell.push(call) }
    }
    assert!(!trace.probe.is_empty(), "no probe in the trace:\n{log}");
    trace
}

/// Calls that read, ask or end; whatever is not here the probe must not make.
const HARMLESS: &[&str] = &[
    "access",
    "arch_prctl",
    "brk",
    "clone",
    "clone3",
    "close",
    "close_range",
    "dup",
    "dup2",
    "dup3",
    "execve",
    "exit",
    "exit_group",
    "faccessat",
    "faccessat2",
    "fcntl",
    "fadvise64",
    "fgetxattr",
    "flistxattr",
    "fork",
    "fstat",
    "fstatfs",
    "futex",
    "getcwd",
    "getdents64",
    "getegid",
    "geteuid",
    "getgid",
    "getgroups",
    "getpid",
    "getppid",
    "getpriority",
    "getrandom",
    "getrlimit",
    "gettid",
    "getuid",
    "getxattr",
    "ioprio_set",
    "kill",
    "lgetxattr",
    "listxattr",
    "llistxattr",
    "lseek",
    "lstat",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "newfstatat",
    "openat",
    "openat2",
    "pipe2",
    "poll",
    "ppoll",
    "prctl",
    "pread64",
    "prlimit64",
    "read",
    "readlink",
    "readlinkat",
    "readv",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "set_robust_list",
    "set_tid_address",
    "setpriority",
    "setrlimit",
    "sigaltstack",
    "stat",
    "statfs",
    "statx",
    "sysinfo",
    "tgkill",
    "uname",
    "vfork",
    "wait4",
    "waitid",
    "write",
    "writev",
    "clock_gettime",
    "rseq",
    "ioctl",
    "nanosleep",
    "open",
    "clock_nanosleep",
    "fchdir",
    "setsid",
    "restart_syscall",
];

#[test]
fn the_probe_makes_no_call_that_changes_anything() {
    let trace = traced(|host| {
        host.special("/opt/pipe", &["mkfifo"]);
        host.write("/opt/new", "x");
        host.change_unseen("/usr/bin/ls");
    });
    for call in &trace.probe {
        if call.starts_with("+++") || call.starts_with("---") {
            continue;
        }
        let name = call.split('(').next().unwrap();
        assert!(HARMLESS.contains(&name), "the probe calls {call}");
        if name.starts_with("open") {
            assert!(call.contains("O_RDONLY") || call.contains("O_PATH"), "{call}");
            for flag in ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_APPEND", "O_TMPFILE"] {
                assert!(!call.contains(flag), "{call}");
            }
            assert!(call.contains("O_CLOEXEC"), "{call}");
        }
        if matches!(name, "write" | "writev") {
            assert!(
                call.starts_with("write(1,") || call.starts_with("writev(1,"),
                "it writes to its answer alone: {call}"
            );
        }
        if name == "ioctl" {
            assert!(call.contains("FS_IOC_GETFLAGS") || call.contains("FS_IOC_FSGETXATTR"), "{call}");
        }
    }
}

#[test]
fn the_probe_follows_no_link_and_opens_nothing_that_blocks() {
    let trace = traced(|host| {
        host.special("/opt/pipe", &["mkfifo"]);
        host.link("/opt/link", "/etc/shadow");
    });
    let opens: Vec<_> = trace.probe.iter().filter(|call| call.starts_with("openat")).collect();
    assert!(opens.len() > 100, "{}", opens.len());
    for call in opens {
        assert!(!call.contains("\"pipe\"") && !call.contains("\"link\""), "{call}");
        // Its own root and what the kernel tells under /proc may be reached by name; every file of the tree by descriptor.
        if !call.contains("\"/") {
            assert!(call.contains("O_NOFOLLOW"), "{call}");
            assert!(call.contains("O_DIRECTORY") || call.contains("O_NONBLOCK") || call.contains("O_PATH"), "{call}");
        }
    }
}

#[test]
fn the_bootstrap_creates_one_folder_and_removes_it_before_the_upload() {
    let trace = traced(|_| ());
    let made: Vec<_> = trace.shell.iter().filter(|call| call.starts_with("mkdir") && call.ends_with("= 0")).collect();
    let gone: Vec<_> = trace.shell.iter().filter(|call| call.starts_with("rmdir") && call.ends_with("= 0")).collect();
    assert!(!made.is_empty() && made.len() == gone.len(), "{made:#?}\n{gone:#?}");
    assert!(made.iter().all(|call| call.contains("/.driftscan-") && call.contains("0700")), "{made:#?}");
    let upload = trace.shell.iter().rposition(|call| call.starts_with("read(0,") && !call.ends_with("= 0"));
    let removed = trace.shell.iter().rposition(|call| call.starts_with("rmdir") && call.ends_with("= 0"));
    assert!(removed < upload, "the folder was there while the probe arrived");
}

#[test]
fn reading_leaves_no_access_time() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    let files = ["/usr/bin/ls", "/etc/nginx/nginx.conf", "/etc/passwd"];
    for file in files {
        // Older than the modification: the kernel would renew it at the next read.
        crate::lab::tool("touch", &["-a", "-d", "@1000000000", host.at(file).to_str().unwrap()]);
    }
    scene.run().succeeds();
    for file in files {
        assert_eq!(fs::metadata(host.at(file)).unwrap().atime(), 1_000_000_000, "{file}");
    }
}

#[test]
fn a_tree_is_the_same_after_a_scan() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    host.write("/opt/new", "x");
    let before = state(host.path());
    scene.run().exits(2);
    assert_eq!(before, state(host.path()));
}

/// Every entry with its times of change, which nobody can put back.
fn state(root: &Path) -> String {
    let output = crate::lab::tool("find", &[root.to_str().unwrap(), "-printf", "%p %i %m %U %G %s %C@ %T@\\n"]);
    let mut lines: Vec<_> =
        output.stdout.split(|byte| *byte == b'\n').map(|line| line.escape_ascii().to_string()).collect();
    lines.sort();
    lines.join("\n")
}
