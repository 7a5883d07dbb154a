//! What a server answers in place of the login shell: scripts for sshd's `ForceCommand`.
//!
//! The command that the client asked for stands in `SSH_ORIGINAL_COMMAND`, so that a script can run it and spoil what
//! it says.
//!
//! *Invariant:* a script says nothing of its own beyond what its constructor promises.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The command as the client asked for it.
const ASKED: &str = "sh -c \"$SSH_ORIGINAL_COMMAND\"";

/// A shell text.
#[derive(Debug, Clone)]
pub(crate) struct Answer(String);

impl Answer {
    /// Any text.
    pub(crate) fn shell(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The real thing under a prefix: `ulimit -n 256;` or a tool that takes a command.
    pub(crate) fn under(prefix: &str) -> Self {
        Self(format!("{prefix} {ASKED}"))
    }

    /// Says something first, then the real thing.
    pub(crate) fn after_noise(noise: &str) -> Self {
        Self(format!("{noise}\nexec {ASKED}"))
    }

    /// The real thing as an account without rights; needs root.
    pub(crate) fn as_nobody() -> Self {
        Self(format!("exec setpriv --reuid=65534 --regid=65534 --clear-groups {ASKED}"))
    }

    /// Takes everything that is sent and never says a word.
    pub(crate) fn silence() -> Self {
        Self("exec cat >/dev/null".to_owned())
    }

    /// Zeros without end.
    pub(crate) fn flood() -> Self {
        Self("cat >/dev/null & exec cat /dev/zero".to_owned())
    }

    /// Ends well without a word.
    pub(crate) fn nothing() -> Self {
        Self("exit 0".to_owned())
    }

    /// The real thing, kept in a file as well.
    pub(crate) fn recorded(file: &Path) -> Self {
        Self(format!("{ASKED} | tee {}", file.display()))
    }

    /// What was recorded, whatever is asked.
    pub(crate) fn replayed(file: &Path) -> Self {
        Self(format!("exec 5<&0; cat <&5 >/dev/null & cat {}", file.display()))
    }

    /// The real thing, each session cut after the next number of bytes; ends well.
    pub(crate) fn cut(slots: &Path, after: &[usize]) -> Self {
        Self(each(slots, after, &format!("{ASKED} | dd bs=1 count=$n status=none")))
    }

    /// The real thing, each session killed after the next number of bytes: for what waits for its next order.
    pub(crate) fn cut_off(slots: &Path, after: &[usize]) -> Self {
        let cut = format!("exec 5<&0; {ASKED} <&5 | {{ dd bs=1 count=$n status=none; kill -TERM 0; }}");
        Self(each(slots, after, &cut))
    }

    /// The real thing, each session with the bits of one byte turned, at the next offset.
    pub(crate) fn flipped(slots: &Path, at: &[usize]) -> Self {
        let spoil = "{ dd bs=1 count=$n status=none; dd bs=1 count=1 status=none | tr '\\000-\\377' '\\377\\000-\\376'; exec cat; }";
        Self(each(slots, at, &format!("{ASKED} | {spoil}")))
    }

    /// The real thing, and then another exit status.
    pub(crate) fn then_exit(status: i32) -> Self {
        Self(format!("{ASKED}\nexit {status}"))
    }

    /// Writes the script.
    pub(crate) fn write(&self, file: &Path) -> PathBuf {
        fs::write(file, format!("#!/bin/sh\n{}\n", self.0)).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        file.to_owned()
    }
}

/// Gives each session a number of its own; sessions beyond the list get the last one.
fn each(slots: &Path, numbers: &[usize], text: &str) -> String {
    fs::create_dir(slots).unwrap();
    let list: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    format!(
        "set -- {list}\ni=0\nfor n do i=$((i+1)); mkdir {slots}/$i 2>/dev/null && break; done\n{text}",
        list = list.join(" "),
        slots = slots.display()
    )
}
