//! The local attacker: an ordinary user of a host who races the bootstrap's names. Nothing of his ever runs.
//!
//! As root the attacker is another account (`nobody`) in a process of its own. An ordinary account can't become another
//! one, and against itself there is nothing to defend; there he plants names beforehand and leaves it at that.

use crate::lab::{Scene, is_root};
use rustix::fs::inotify;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What the names begin with that he plants without having seen one.
pub(crate) const PLANTED: &str = ".driftscan-PLANT";

const FOLDERS: [&str; 3] = ["/dev/shm", "/var/tmp", "/tmp"];
/// Says to this binary that it is the attacker: the folder of his script and his marks.
const ROLE: &str = "DRIFTSCAN_LAB_ATTACKER";

/// The attacker's process.
struct Attacker(Child, PathBuf);

impl Attacker {
    /// Starts this test binary once more, as somebody else.
    fn start(folder: &Path) -> Self {
        // He must be able to read the program, wherever it was built.
        let program = folder.join("attacker");
        fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(&program);
        command.args(["--exact", "attacker::plays_the_attacker", "--nocapture"]).env(ROLE, folder).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if is_root() {
            command.uid(65_534).gid(65_534);
        }
        let child = command.spawn().unwrap();
        while !folder.join("ready").exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        Self(child, folder.to_owned())
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        // Names that he took over when they were free: he may have died before he gave them back.
        for taken in fs::read_to_string(self.1.join("taken")).unwrap_or_default().lines() {
            let _ = fs::remove_dir_all(taken);
        }
        for folder in FOLDERS {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(PLANTED) {
                    let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
                }
            }
        }
    }
}

/// The attacker's own part; in an ordinary run of the tests there is nothing to play.
#[test]
fn plays_the_attacker() {
    let Some(folder) = std::env::var_os(ROLE).map(PathBuf::from) else {
        return;
    };
    let script = folder.join("evil");
    for (number, place) in FOLDERS.iter().cycle().take(30).enumerate() {
        plant(&Path::new(place).join(format!("{PLANTED}{number}")), &script, number);
    }
    if !is_root() && folder.join("same-account").exists() {
        fs::write(folder.join("ready"), "").unwrap();
        loop {
            std::thread::park();
        }
    }
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC).unwrap();
    let created = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO | inotify::WatchFlags::ONLYDIR;
    let watched: Vec<_> =
        FOLDERS.iter().map(|place| (inotify::add_watch(&watch, *place, created).unwrap(), *place)).collect();
    fs::write(folder.join("ready"), "").unwrap();
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut events = inotify::Reader::new(&watch, &mut buffer);
    while let Ok(event) = events.next() {
        let Some((_, place)) = watched.iter().find(|(descriptor, _)| *descriptor == event.wd()) else { continue };
        let Some(name) = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()).to_owned()) else { continue };
        if name.as_bytes().starts_with(b".driftscan-") && !name.as_bytes().starts_with(PLANTED.as_bytes()) {
            let _ = fs::write(folder.join("seen"), "");
            attack(&Path::new(place).join(name), &script, &folder);
        }
    }
}

/// Something under a name: a folder, a link, a pipe or a program, in turn.
fn plant(path: &Path, script: &Path, number: usize) {
    let _ = match number % 4 {
        0 => fs::DirBuilder::new().mode(0o777).create(path).and_then(|()| fs::copy(script, path.join("x")).map(drop)),
        1 => symlink(script, path),
        2 => Command::new("mkfifo").arg(path).status().map(drop),
        _ => fs::copy(script, path).map(drop),
    };
}

/// Everything an account can try against a folder of another one; what works is marked.
fn attack(path: &Path, script: &Path, folder: &Path) {
    let mark = |done: bool, name: &str| {
        if done {
            let _ = fs::write(folder.join(format!("done-{name}")), path.as_os_str().as_bytes());
        }
    };
    for _ in 0..20 {
        mark(fs::rename(path, path.with_extension("stolen")).is_ok(), "rename");
        mark(fs::remove_dir(path).is_ok(), "rmdir");
        mark(fs::copy(script, path.join("x")).is_ok(), "insert");
        mark(symlink(script, path.join("y")).is_ok(), "link");
        mark(fs::remove_file(path.join("x")).is_ok(), "unlink");
        mark(fs::read_dir(path).is_ok_and(|_| !is_mine(path)), "list");
        // The moment it is gone, the name is free: taking it must lead nowhere.
        if !path.exists() {
            let mut taken = fs::File::options().create(true).append(true).open(folder.join("taken")).unwrap();
            let _ = writeln!(taken, "{}", path.display());
        }
        if let Ok(()) = fs::DirBuilder::new().mode(0o777).create(path) {
            let _ = fs::copy(script, path.join("x"));
            let _ = fs::remove_dir_all(path);
        }
    }
}

fn is_mine(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::symlink_metadata(path).is_ok_and(|entry| entry.uid() == rustix::process::geteuid().as_raw())
}

#[test]
fn f49_races_thirty_scans_and_gets_nothing_run() {
    let scene = Scene::new();
    let folder = scene.lab.path("attacker");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o1777)).unwrap();
    let script = folder.join("evil");
    fs::write(&script, format!("#!/bin/sh\nid >>{}/ran\nexit 77\n", folder.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    if !is_root() {
        fs::write(folder.join("same-account"), "").unwrap();
    }
    scene.host("web-01");
    scene.host("web-02").change_unseen("/usr/bin/ls");
    let attacker = Attacker::start(&folder);
    for _ in 0..15 {
        // Two hosts a scan.
        let run = scene.run().exits(2).says("web-01", "clean");
        run.drifted("web-02", &[("content-changed", "/usr/bin/ls")]);
    }
    drop(attacker);
    let marks: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!folder.join("ran").exists(), "his script ran: {}", fs::read_to_string(folder.join("ran")).unwrap());
    assert!(!marks.iter().any(|mark| mark.as_bytes().starts_with(b"done-")), "he got at the folder: {marks:?}");
    if is_root() {
        assert!(folder.join("seen").exists(), "he never saw a folder, so nothing was tried");
    }
}
