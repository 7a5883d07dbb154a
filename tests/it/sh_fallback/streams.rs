//! Answers that end early or are spoilt: never clean, and never drift that is not there.

use super::{by_sh, excusing};
use crate::lab::{Answer, Options, Scene};

#[test]
fn f12_an_answer_that_ends_early_is_no_observation() {
    let scene = Scene::new();
    // Before the beginning, within each of the small frames, in the listing, in the digests, in the packages.
    let cuts = [0, 5, 60, 120, 170, 300, 1_500, 4_000, 9_000, 20_000, 30_000, 42_000];
    let server = scene.lab.sshd("cutting", &Options::answering(Answer::cut_off(&scene.lab.path("slots"), &cuts)));
    for number in 0..cuts.len() {
        let name = format!("web-{number:02}");
        by_sh(&scene, &server, &name, &scene.lab.clone_root(&scene.golden, &name));
    }
    let run = excusing(&scene).exits(3);
    for number in 0..cuts.len() {
        let name = format!("web-{number:02}");
        assert_eq!(run.verdict(&name), "unverifiable", "{run}");
        assert!(run.findings(&name).is_empty(), "{run}");
    }
}

#[test]
fn f16_noise_before_the_answer_is_skipped_and_too_much_of_it_is_not() {
    let scene = Scene::new();
    for (name, noise) in [("little", "echo welcome to this host"), ("much", "head -c 100000 /dev/zero")] {
        let server = scene.lab.sshd(name, &Options::answering(Answer::after_noise(noise)));
        by_sh(&scene, &server, name, &scene.lab.clone_root(&scene.golden, name));
        let run = excusing(&scene);
        match name {
            "little" => assert_eq!(run.verdict(name), "clean", "{run}"),
            _ => assert!(run.verdict(name) == "unverifiable" && run.reasons(name).contains("protocol"), "{run}"),
        }
    }
}

#[test]
fn f20_an_old_answer_is_none() {
    let scene = Scene::new();
    let tree = scene.lab.clone_root(&scene.golden, "web");
    let kept = scene.lab.path("kept");
    let first = scene.lab.sshd("recording", &Options::answering(Answer::recorded(&kept)));
    by_sh(&scene, &first, "web-01", &tree);
    excusing(&scene).exits(0);
    let second = scene.lab.sshd("replaying", &Options::answering(Answer::replayed(&kept)));
    by_sh(&scene, &second, "web-02", &scene.lab.clone_root(&scene.golden, "web-02"));
    let run = excusing(&scene).exits(3).says("web-01", "clean").says("web-02", "unverifiable");
    assert!(run.findings("web-02").is_empty(), "{run}");
}
