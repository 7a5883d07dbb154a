//! Version order, checked against each system's own comparator with random versions.

use crate::lab::{program, tool};
use driftscan::drift::version::compare;
use driftscan::protocol::System;
use std::cmp::Ordering;
use std::fmt::Write as _;
use std::process::Command;

/// Numbers that look random and are the same in every run (a linear congruential generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A version of a few pieces, with an epoch now and then and always with a release.
    fn version(&mut self, between: &[&str], releases: &[&str]) -> String {
        let mut version = self.pick(&["", "", "", "0:", "1:", "02:"]).to_owned();
        version += self.pick(&["0", "1", "1", "2", "10", "009"]);
        for _ in 0..self.below(4) {
            version += self.pick(between);
            version += self.pick(&["0", "1", "2", "9", "10", "01", "a", "b", "rc", "rc1", "git", "20260101"]);
        }
        format!("{version}-{}", self.pick(releases))
    }

    /// A neighbour: most of one version, so that what comes late is compared too.
    fn near(&mut self, version: &str, between: &[&str], releases: &[&str]) -> String {
        let (head, _) = version.rsplit_once('-').unwrap();
        match self.below(4) {
            0 => format!("{head}-{}", self.pick(releases)),
            1 => {
                format!("{head}{}{}-{}", self.pick(between), self.pick(&["", "0", "1", "rc", "a"]), self.pick(releases))
            }
            2 => format!("{}-{}", head.replace('1', "2"), self.pick(releases)),
            _ => self.version(between, releases),
        }
    }
}

fn pairs(count: usize, between: &[&str], releases: &[&str]) -> Vec<(String, String)> {
    let mut dice = Dice(20_261_122);
    let pair = |_| {
        let a = dice.version(between, releases);
        let b = dice.near(&a, between, releases);
        (a, b)
    };
    (0..count).map(pair).collect()
}

#[track_caller]
fn agree(system: System, pairs: &[(String, String)], answers: &str) {
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), pairs.len(), "one answer a pair");
    let mut seen = [0; 3];
    for ((a, b), answer) in pairs.iter().zip(answers) {
        let order = answer.parse::<i32>().unwrap_or_else(|_| panic!("{a} {b}: {answer}")).cmp(&0);
        assert_eq!(compare(system, a, b), Some(order), "{a} and {b}");
        assert_eq!(compare(system, b, a), Some(order.reverse()), "{b} and {a}");
        seen[usize::from(order != Ordering::Less) + usize::from(order == Ordering::Greater)] += 1;
    }
    assert!(seen.iter().all(|n| *n > 10), "every answer comes: {seen:?}");
}

/// The answers of a program that takes one pair: all in one shell.
fn one_by_one(pairs: &[(String, String)], line: impl Fn(&str, &str) -> String) -> String {
    let script = pairs.iter().fold(String::new(), |all, (a, b)| all + &line(a, b) + "\n");
    let output = Command::new("/bin/sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn as_dpkg_says() {
    let dpkg = program("dpkg");
    let pairs = pairs(250, &[".", ".", "~", "+", "-", "~~", ""], &["1", "2", "10", "1+b1", "1~deb12u1", "0", "01"]);
    let answers = one_by_one(&pairs, |a, b| {
        let ask = |how: &str| format!("{} --compare-versions '{a}' {how} '{b}'", dpkg.display());
        format!("if {}; then echo -1; elif {}; then echo 0; else echo 1; fi", ask("lt"), ask("eq"))
    });
    agree(System::Dpkg, &pairs, &answers);
}

#[test]
fn as_rpm_says() {
    let pairs = pairs(
        2_000,
        &[".", ".", "~", "^", "+", "_", "", "..", "~~", "^^"],
        &["1", "2", "10", "1.fc40", "1.el9_4", "01", "0.rc1"],
    );
    let mut script = "%{lua:".to_owned();
    for (a, b) in &pairs {
        write!(script, "print(rpm.vercmp('{a}','{b}')..'\\n')").unwrap();
    }
    script.push('}');
    let output = tool("rpm", &["--eval", &script]);
    agree(System::Rpm, &pairs, String::from_utf8(output.stdout).unwrap().trim_end());
}

#[test]
fn as_pacman_says() {
    let vercmp = program("vercmp");
    let pairs = pairs(400, &[".", ".", "+", "_", "", "..", "~"], &["1", "2", "10", "1.1", "01"]);
    let answers = one_by_one(&pairs, |a, b| format!("{} '{a}' '{b}'", vercmp.display()));
    agree(System::Pacman, &pairs, &answers);
}
