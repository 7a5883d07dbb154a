//! A place where a script of a plan runs: stand-ins of the platform's commands that record what they are called with and
//! answer from a state that the commands before them changed.
//!
//! *Invariant:* nothing but stand-ins is found under the names of platforms; what they record is NUL-separated, so that no
//! word can pass for two.

use driftscan::plan::Plan;
use driftscan::report::plan::render::renderers;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// Every shell that a script has to run under.
pub(super) const SHELLS: [&[&str]; 3] = [&["dash"], &["bash", "--posix"], &["busybox", "sh"]];

/// Programs that are stood in for.
const NAMES: [&str; 10] = [
    "aws",
    "driftscan",
    "end-machine",
    "build-green",
    "healthy",
    "kubectl",
    "oc",
    "ssh-keyscan",
    "terraform",
    "traffic",
];

/// Records the call, fails where it is the call that is to fail, and answers.
const STAND_IN: &str = r#"#!/bin/sh
name=${0##*/}
{ printf '%s\0' "$name" "$@"; printf '\036'; } >>"$STATE/calls"
read -r count <"$STATE/count"
read -r fails <"$STATE/fails"
echo "$((count + 1))" >"$STATE/count"
[ "$((count + 1))" != "$fails" ] || exit 9
. "$STATE/answers/$name"
"#;

/// What came of a run.
pub(super) struct Ran {
    pub(super) ok: bool,
    pub(super) out: String,
    pub(super) err: String,
    /// Each call, its words joined by spaces.
    pub(super) calls: Vec<String>,
}

impl Ran {
    /// The calls that change something.
    pub(super) fn changes(&self) -> Vec<&str> {
        self.calls.iter().map(String::as_str).filter(|call| changes(call)).collect()
    }
}

/// Whether a call changes something.
pub(super) fn changes(call: &str) -> bool {
    let words: Vec<&str> = call.split(' ').collect();
    match words[0] {
        "aws" => !words[2].starts_with("describe-"),
        "kubectl" | "oc" => words.iter().any(|word| ["cordon", "drain", "delete", "annotate"].contains(word)),
        "terraform" => words.contains(&"apply"),
        "end-machine" | "build-green" | "traffic" => true,
        "driftscan" | "ssh-keyscan" | "healthy" => false,
        other => panic!("{other} is no stand-in"),
    }
}

/// A script, its plan, and the state of the world.
pub(super) struct Stage {
    folder: TempDir,
    shell: &'static [&'static str],
    environment: Vec<(String, String)>,
}

impl Stage {
    /// Renders a plan; the world is as the plan found it.
    pub(super) fn new(renderer: &str, plan: &Plan, shell: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        for name in ["bin", "state", "state/answers", "work"] {
            fs::create_dir(at.join(name)).unwrap();
        }
        for name in NAMES {
            let path = at.join("bin").join(name);
            fs::write(&path, STAND_IN).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        // No time passes but under a shell that has a sleep of its own.
        let sleep = at.join("bin/sleep");
        fs::write(&sleep, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&sleep, fs::Permissions::from_mode(0o755)).unwrap();
        for (name, answer) in super::world::ANSWERS {
            fs::write(at.join("state/answers").join(name), answer).unwrap();
        }
        let mut script = Vec::new();
        let of = renderers().iter().find(|own| own.name() == renderer).unwrap();
        of.render(plan, &mut script).unwrap();
        fs::write(at.join("work/plan.sh"), script).unwrap();
        fs::write(at.join("work/plan.json"), format!("{{\"plan_id\":\"{}\"}}\n", plan.id)).unwrap();
        fs::write(at.join("work/hosts.txt"), "web-01\n").unwrap();
        fs::write(at.join("state/fails"), "0\n").unwrap();
        let stage = Self { folder, shell, environment: Vec::new() };
        stage.env("POLL_SECONDS", "1").env("BAKE_SECONDS", "0")
    }

    /// Sets a variable for the script.
    pub(super) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(own, _)| own != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes it run what it prints otherwise.
    pub(super) fn real(self) -> Self {
        self.env("DRY_RUN", "0").env("PLAN", "plan.json").env("FLEET", "hosts.txt")
    }

    /// Puts shell text before the answers of a stand-in, with its words in `$*`.
    pub(super) fn answer(self, name: &str, text: &str) -> Self {
        let path = self.path("state/answers").join(name);
        let old = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{text}\n{old}")).unwrap();
        self
    }

    /// A path of the stage.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The script.
    pub(super) fn script(&self) -> String {
        fs::read_to_string(self.path("work/plan.sh")).unwrap()
    }

    /// Makes the call of this number fail, from 1; 0 is none.
    pub(super) fn fail_at(&self, call: usize) {
        fs::write(self.path("state/fails"), format!("{call}\n")).unwrap();
    }

    /// Forgets what was done to the world.
    pub(super) fn reset(&self) {
        for entry in fs::read_dir(self.path("state")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() && !path.ends_with("fails") {
                fs::remove_file(path).unwrap();
            }
        }
    }

    /// Runs the script.
    pub(super) fn run(&self, words: &[&str]) -> Ran {
        fs::write(self.path("state/calls"), "").unwrap();
        fs::write(self.path("state/count"), "0\n").unwrap();
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let out = Command::new(self.shell[0])
            .args(&self.shell[1..])
            .arg("./plan.sh")
            .args(words)
            .current_dir(self.path("work"))
            .env_clear()
            .env("PATH", path)
            .env("STATE", self.path("state"))
            .env("TMPDIR", self.path("work"))
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap();
        Ran {
            ok: out.status.success(),
            out: String::from_utf8(out.stdout).unwrap(),
            err: String::from_utf8(out.stderr).unwrap(),
            calls: calls(&self.path("state/calls"), &self.path("work")),
        }
    }
}

/// What was recorded. A folder that the script made in `work` is called `WORK`, whatever its name.
fn calls(path: &Path, work: &Path) -> Vec<String> {
    let made = format!("{}/tmp.", work.display());
    let record = |call: &str| {
        let call = call.trim_end_matches('\0').replace('\0', " ");
        match call.split_once(&made) {
            Some((before, after)) => format!("{before}WORK{}", after.trim_start_matches(|c| c != '/')),
            None => call,
        }
    };
    fs::read_to_string(path).unwrap().split_terminator('\u{1e}').map(record).collect()
}
