//! The command that runs the probe on a host and leaves nothing behind.
//!
//! In one line of POSIX sh: make a private folder in the first place where programs may run, open a file in it for
//! writing and for reading, remove file and folder **before one byte of the probe is sent**, read exactly as many bytes
//! as announced and prove it by dd's own report, then run the file through its descriptor. Anything else ends with 95.
//!
//! *Invariant:* the text is constant, so that it can be printed, logged and allowed literally; it holds no `'`, `!` or
//! backslash, so that every login shell passes it on unchanged; the one thing that varies is a decimal number.

/// The shell text; `$1` is the length of the probe in bytes.
///
/// A private folder by `mktemp -d` and not a name of ours: a name in the arguments could be pre-created by any local user.
/// `uname -m` is there for safety: a shell runs a program of another architecture as a script.
pub const BOOTSTRAP: &str = concat!(
    r#"umask 077; PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C; export PATH LC_ALL; exec 3>&- 4<&-; trap "" 1 2 15; "#,
    r"[ $(uname -m) = x86_64 ] && for d in /dev/shm /run/user/$(id -u) /run /var/tmp /tmp; do ",
    r"{ [ -k $d ] || [ -O $d ]; } && t=$(mktemp -d $d/.driftscan-XXXXXX) && ",
    r"{ cd $t && [ -O . ] && { (echo exit 77; dd if=/dev/zero bs=$1 count=1) >x && chmod 700 x && ",
    r"{ ./x; [ $? = 77 ]; } && exec 3<>x 4<x; rm -f x; }; cd /; rmdir $t; [ -x /proc/self/fd/4 ] && break; }; ",
    r"done </dev/null 2>/dev/null; trap - 1 2 15; [ -x /proc/self/fd/4 ] && ",
    r"case $(dd bs=$1 count=1 iflag=fullblock 2>&1 >&3) in 1+0*1+0*) exec 3>&-; exec /proc/self/fd/4;; esac; ",
    r"echo driftscan-no-place; exit 95",
);

/// The status of a bootstrap that found no place for the probe, or did not get it whole.
pub const NO_PLACE: i32 = 95;

/// What is executed on the host.
#[must_use]
pub fn command(sudo: bool, probe_bytes: usize) -> String {
    let sudo = if sudo { "sudo -n " } else { "" };
    format!("exec {sudo}/bin/sh -c '{BOOTSTRAP}' driftscan {probe_bytes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_passes_every_login_shell_unchanged() {
        assert!(!BOOTSTRAP.contains(['\'', '!', '\\', '\n']));
        assert!(BOOTSTRAP.is_ascii());
    }

    #[test]
    fn the_readme_shows_it_to_the_letter() {
        assert!(include_str!("../../README.md").contains(BOOTSTRAP));
    }
}
