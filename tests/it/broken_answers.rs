//! Hosts that let driftscan in and then answer badly.

use crate::lab::{Answer, Options, Run, Scene};

/// One host behind a server that answers by this script, and a good one behind another.
fn answered(make: impl FnOnce(&Scene) -> Answer) -> (Scene, Run) {
    let scene = Scene::new();
    scene.host("good");
    let answer = make(&scene);
    let server = scene.lab.sshd("bad", &Options::answering(answer));
    scene.host_at(&server, "bad");
    let run = scene.scan(&["--timeout", "8s"]).run().exits(3).says("good", "clean");
    (scene, run)
}

fn f13_nothing_at_all() {
    let (_, run) = answered(|_| Answer::nothing());
    let reasons = run.reasons("bad");
    assert!(reasons.contains("probe-unavailable") || reasons.contains("truncated"), "{run}");
    run.says("bad", "unverifiable");
}

fn f15_silence() {
    let (_, run) = answered(|_| Answer::silence());
    assert!(run.elapsed.as_secs() < 20, "{run}");
    run.unverifiable("bad", "timeout");
}

fn f16_zeros_without_end() {
    let (_, run) = answered(|_| Answer::flood());
    assert!(run.elapsed.as_secs() < 20, "{run}");
    assert!(run.peak < 128 * 1024, "{} kB\n{run}", run.peak);
    let reasons = run.reasons("bad");
    assert!(reasons.contains("protocol") || reasons.contains("limit"), "{run}");
    run.says("bad", "unverifiable");
}

fn f16_noise_up_to_64_kib_is_skipped() {
    let scene = Scene::new();
    let noise = "i=0; while [ $i -lt 600 ]; do echo 'a profile that likes to talk about the weather, the news and the like, for a long time'; i=$((i+1)); done";
    let server = scene.lab.sshd("chatty", &Options::answering(Answer::after_noise(noise)));
    scene.host_at(&server, "web-01");
    scene.run().succeeds().says("web-01", "clean");
}

fn f16_noise_without_end_is_a_breach_of_protocol() {
    let (_, run) = answered(|_| Answer::after_noise("head -c 1000000 /dev/zero"));
    run.unverifiable("bad", "protocol");
}

fn f13_another_program_answers() {
    let (_, run) = answered(|_| Answer::shell("echo 'This account is currently not available.'; exit 1"));
    run.says("bad", "unverifiable");
}

fn f26_no_place_to_run() {
    let (_, run) = answered(|_| Answer::shell("echo driftscan-no-place; exit 95"));
    run.unverifiable("bad", "probe-unavailable");
}

fn f14_killed_after_a_whole_answer() {
    let (_, run) = answered(|_| Answer::then_exit(137));
    run.says("bad", "unverifiable");
}

fn f20_an_old_answer_again() {
    let scene = Scene::new();
    let record = scene.lab.path("record");
    let recorder = scene.lab.sshd("recorder", &Options::answering(Answer::recorded(&record)));
    scene.host_at(&recorder, "web-01");
    scene.run().succeeds();
    assert!(std::fs::metadata(&record).unwrap().len() > 100);
    // The same host, in the same state, says what it said before: word for word, and with a fresh question.
    let replayer = scene.lab.sshd("replayer", &Options::answering(Answer::replayed(&record)));
    let root = scene.lab.clone_root(&scene.golden, "again");
    scene.lab.hosts_file(&["[web] template=web".to_owned(), replayer.line("web-01", &root)]);
    scene.run().exits(3).unverifiable("web-01", "protocol");
}

fn f20_the_answer_of_another_host() {
    // Both sessions are asked in one run; the second answers with the first one's stream.
    let scene = Scene::new();
    let record = scene.lab.path("record");
    let first = scene.lab.sshd("honest", &Options::answering(Answer::recorded(&record)));
    scene.host_at(&first, "web-01");
    let text = format!("exec 5<&0; cat <&5 >/dev/null & sleep 3; cat {}", record.display());
    let second = scene.lab.sshd("liar", &Options::answering(Answer::shell(&text)));
    scene.host_at(&second, "web-02").remove("/usr/bin/tar");
    scene.run().exits(3).says("web-01", "clean").unverifiable("web-02", "protocol");
}

/// How long `driftscan-ready` is with its newline.
const READY: usize = 16;

/// Offsets that cover the hello, the preamble and the first frames closely, and the rest in steps. The answer begins behind
/// the bootstrap's own word: without that one nothing is sent, and a host waits for its deadline.
fn offsets() -> Vec<usize> {
    (READY..READY + 160).step_by(8).chain((READY + 160..1_500).step_by(56)).collect()
}

/// A scene of as many hosts as offsets, each of which loses what `change` takes.
fn spoilt(make: impl FnOnce(&Scene, &[usize]) -> Answer, change: impl Fn(&crate::lab::Tree)) -> Run {
    let scene = Scene::new();
    let offsets = offsets();
    let answer = make(&scene, &offsets);
    let server = scene.lab.sshd("spoiler", &Options::answering(answer));
    for at in &offsets {
        change(&scene.host_at(&server, &format!("at-{at}")));
    }
    scene.host("good");
    scene.scan(&["--timeout", "15s"]).within(120).run()
}

fn never_clean(run: &Run) {
    assert_eq!(run.verdict("good"), "clean", "{run}");
    for at in offsets() {
        let name = format!("at-{at}");
        assert_eq!(run.verdict(&name), "unverifiable", "{name}\n{run}");
        let reasons = run.reasons(&name);
        let known = ["truncated", "protocol", "probe-unavailable", "timeout", "limit"];
        assert!(known.iter().any(|reason| reasons.contains(reason)), "{name}\n{run}");
    }
}

fn f13_an_answer_cut_anywhere_is_no_answer() {
    never_clean(&spoilt(|scene, offsets| Answer::cut(&scene.lab.path("slots"), offsets), |_| ()));
}

fn f13_an_answer_with_a_byte_turned_anywhere_is_no_answer() {
    let run = spoilt(|scene, offsets| Answer::flipped(&scene.lab.path("slots"), offsets), |_| ());
    // Beyond its end an answer can't be spoilt; such a session is an honest one.
    for at in offsets() {
        let name = format!("at-{at}");
        if run.verdict(&name) == "clean" {
            assert!(run.host(&name)["wire"]["received"].as_u64().unwrap() > 0, "{run}");
            assert!(at > 600, "{name} was taken for an honest answer\n{run}");
        } else {
            assert_eq!(run.verdict(&name), "unverifiable", "{name}\n{run}");
        }
    }
}

fn a_drifted_host_does_not_escape_by_a_spoilt_answer() {
    let run = spoilt(
        |scene, offsets| Answer::flipped(&scene.lab.path("slots"), offsets),
        |root| {
            root.change_unseen("/usr/sbin/sshd");
            root.write("/usr/local/bin/fix.sh", "#!/bin/sh\n");
        },
    );
    for at in offsets() {
        assert_ne!(run.verdict(&format!("at-{at}")), "clean", "at-{at}\n{run}");
    }
}

crate::lab::over_both!(
    f13_nothing_at_all,
    f15_silence,
    f16_zeros_without_end;
    ssh2 only: f16_noise_up_to_64_kib_is_skipped,
    f16_noise_without_end_is_a_breach_of_protocol,
    f13_another_program_answers,
    f26_no_place_to_run,
    f14_killed_after_a_whole_answer,
    f20_an_old_answer_again,
    f20_the_answer_of_another_host,
    f13_an_answer_cut_anywhere_is_no_answer,
    f13_an_answer_with_a_byte_turned_anywhere_is_no_answer,
    a_drifted_host_does_not_escape_by_a_spoilt_answer,
);
