//! The command that runs the probe on a host and leaves nothing behind.
//!
//! In one line of POSIX sh: make a private folder in the first place where programs may run, open a file in it for
//! writing and for reading, remove file and folder **before one byte of the probe is sent**, say so, read exactly as many
//! bytes as announced and prove them, by gzip's own check where the host has gzip and the probe comes packed, else by dd's
//! report; then run the file through its descriptor. Anything else ends with 95.
//!
//! *Invariant:* the text is constant, so that it can be printed, logged and allowed literally; it holds no `'`, `!` or
//! backslash, so that every login shell passes it on unchanged; all that varies is two decimal numbers.

/// The shell text; `$1` is the length of the probe in bytes, `$2` its length packed.
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
    r"if { command -v gzip && command -v gunzip; } >/dev/null; then echo driftscan-ready gzip; ",
    r"dd bs=$2 count=1 iflag=fullblock 2>/dev/null 3>&- 4<&- | gzip -dc 4<&- >&3 3>&- && exec 3>&- && exec /proc/self/fd/4; ",
    r"else echo driftscan-ready; ",
    r"case $(dd bs=$1 count=1 iflag=fullblock 2>&1 >&3) in 1+0*1+0*) exec 3>&-; exec /proc/self/fd/4;; esac; ",
    r"fi; echo driftscan-no-place; exit 95",
);

/// The status of a bootstrap that found no place for the probe, or did not get it whole.
pub const NO_PLACE: i32 = 95;

/// What the bootstrap says when it waits for the packed probe. Both gzip and gunzip are asked for, because a busybox may have a
/// gzip that packs alone.
pub const READY_PACKED: &[u8] = b"driftscan-ready gzip\n";

/// What it says when it waits for the probe as it is.
pub const READY: &[u8] = b"driftscan-ready\n";

/// Where a probe that is part of the image lies.
pub const INSTALLED: &str = "/usr/libexec/driftscan-probe";

/// The command of a streamed probe. sudo sees the same words whichever of the commands starts it.
pub(super) fn stream(sudo: bool, (plain, packed): (usize, usize)) -> String {
    format!("exec {}/bin/sh -c '{BOOTSTRAP}' driftscan {plain} {packed}", prefix(sudo))
}

/// The command of an installed probe.
pub(super) fn installed(sudo: bool) -> String {
    format!("exec {}{INSTALLED}", prefix(sudo))
}

/// The command of an installed probe where there is one, of a streamed one otherwise: one process, one sudo at most, and
/// sudo is asked for what the host has, so that a host that allows its installed probe alone notes no refusal.
pub(super) fn either(sudo: bool, (plain, packed): (usize, usize)) -> String {
    let sudo = prefix(sudo);
    format!("exec /bin/sh -c '{}' driftscan {plain} {packed} '{BOOTSTRAP}'", choice(sudo))
}

fn choice(sudo: &str) -> String {
    format!("[ -x {INSTALLED} ] && exec {sudo}{INSTALLED}; exec {sudo}/bin/sh -c \"$3\" driftscan $1 $2")
}

fn prefix(sudo: bool) -> &'static str {
    if sudo { "sudo -n " } else { "" }
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
    fn every_command_passes_every_login_shell_unchanged() {
        for sudo in [false, true] {
            for command in [stream(sudo, (2, 1)), installed(sudo), either(sudo, (2, 1))] {
                assert!(command.is_ascii() && !command.contains(['!', '\\', '\n']), "{command}");
                assert!(command.matches('\'').count() % 2 == 0, "{command}");
            }
        }
    }

    #[test]
    fn the_bootstrap_says_the_word_that_is_waited_for() {
        for word in [READY, READY_PACKED] {
            let word = std::str::from_utf8(word).map(str::trim_end);
            assert!(word.is_ok_and(|word| BOOTSTRAP.contains(&format!(" echo {word}; "))));
        }
    }

    #[test]
    fn the_readme_shows_it_to_the_letter() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(BOOTSTRAP));
        assert!(readme.contains(&choice("")));
        assert!(readme.contains(&installed(false)));
    }
}
