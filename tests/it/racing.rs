//! Files that change while they are read: never clean, never a wrong digest.

use crate::lab::{Lab, Scene, Tree};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Writes to a file again and again.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn start(file: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = thread::spawn(move || {
            let file = File::options().write(true).open(file).unwrap();
            let mut number = 0u64;
            while !stopped.load(Ordering::Relaxed) {
                number += 1;
                file.write_all_at(&number.to_le_bytes(), 0).unwrap();
                thread::sleep(Duration::from_micros(500));
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// A file that takes a while to read.
fn large(tree: &Tree) {
    tree.sparse("/usr/lib/large.bin", 256 << 20);
}

#[test]
fn f23_a_file_that_changes_while_it_is_scanned_is_racing_or_drift() {
    let scene = Scene::with(&crate::lab::Options::default(), large);
    let host = scene.host("web-01");
    scene.host("web-02");
    let writer = Writer::start(host.at("/usr/lib/large.bin"));
    let run = scene.run();
    drop(writer);
    assert_eq!(run.verdict("web-02"), "clean", "{run}");
    let (verdict, reasons) = (run.verdict("web-01"), run.reasons("web-01"));
    assert!(verdict == "unverifiable" && reasons.contains("racing") || verdict == "drifted", "{run}");
}

#[test]
fn f23_a_file_that_changes_while_it_is_captured_is_named_and_refused() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    large(&golden);
    let writer = Writer::start(golden.at("/usr/lib/large.bin"));
    let run = lab.driftscan(&["baseline", "capture", "web@1", "--from", &golden.target()]).run();
    drop(writer);
    run.refused_with(&["/usr/lib/large.bin"]);
    assert!(!lab.baseline("web", "1").exists());
}

#[test]
fn a_log_that_grows_races_nobody() {
    let lab = Lab::new();
    let golden = lab.golden_root();
    golden.sparse("/var/log/large.log", 256 << 20);
    let writer = Writer::start(golden.at("/var/log/large.log"));
    lab.capture("web@1", &golden);
    lab.driftscan(&["scan", &golden.target()]).reported().run().succeeds();
    drop(writer);
}

#[test]
fn f23_a_file_swapped_for_a_link_again_and_again_leads_nowhere() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    let outside = scene.lab.path("outside");
    std::fs::write(&outside, "must not be read").unwrap();
    let (file, spare) = (host.at("/usr/bin/ls"), host.at("/usr/bin/.spare"));
    std::os::unix::fs::symlink(&outside, &spare).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let swapper = thread::spawn(move || {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        while !stopped.load(Ordering::Relaxed) {
            renameat_with(CWD, &file, CWD, &spare, RenameFlags::EXCHANGE).unwrap();
        }
    });
    for _ in 0..10 {
        let run = scene.run();
        assert_eq!(run.verdict("web-01"), "drifted", "{run}");
        let text = run.report.as_ref().unwrap().to_string();
        // SHA-256 of what stands outside.
        assert!(!text.contains("6f16ef45369389c3642af07d7586770e"), "{run}");
    }
    stop.store(true, Ordering::Relaxed);
    swapper.join().unwrap();
}

#[test]
fn folders_made_and_removed_meanwhile_do_not_end_the_scan() {
    let scene = Scene::new();
    let host = scene.host("web-01");
    let folder = host.at("/opt/churn");
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let churn = thread::spawn(move || {
        while !stopped.load(Ordering::Relaxed) {
            std::fs::create_dir_all(folder.join("a/b")).unwrap();
            std::fs::write(folder.join("a/b/c"), "x").unwrap();
            std::fs::remove_dir_all(&folder).unwrap();
        }
    });
    scene.host("web-02");
    for _ in 0..10 {
        let run = scene.run();
        assert_eq!(run.verdict("web-02"), "clean", "{run}");
        assert!(matches!(run.verdict("web-01"), "clean" | "drifted" | "unverifiable"), "{run}");
    }
    stop.store(true, Ordering::Relaxed);
    churn.join().unwrap();
}
