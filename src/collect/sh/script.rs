//! The two texts of POSIX sh that list and hash where no program of ours may run.
//!
//! A first sh empties its environment, so that no exported function, variable or start-up file of the account reaches the
//! rest. The second reads verbs from its standard input, one a line, and answers each with a frame that ends in the nonce of
//! this scan. File names come and go framed by NUL and reach programs as arguments alone.
//!
//! *Invariant:* both texts are constant, so that they can be printed, logged and allowed literally, and hold no `'`, `!` or
//! backslash; whatever they are sent, they list, hash, and print the files that they name themselves.

/// The verbs. The arguments of `find` that leave folders out are its own positional parameters.
///
/// `m u t` the kernel's tables and words, `o p` which folders are not entered, `l` a tree, `s` paths, `h` digests, `f` one of
/// the seven files, `q` the end.
pub const MAIN: &str = concat!(
    r#"set -f; cd /; i=$1; k=0; read -r n; read -r z; read -r d; IFS= read -r r; echo "driftscan-sh 1 $n"; "#,
    "for t in cat date dd find head id sha256sum stat uname xargs; do command -v $t >/dev/null || ",
    r#"{ echo "driftscan-sh-lacks $n $t"; exit 96; }; done; renice -n 19 -p $$ >/dev/null 2>&1; "#,
    "case $(stat -c %.9Z / 2>/dev/null) in *.*) c=%.9Z;; *) c=%Z;; esac; ",
    r#"l="-exec readlink -n {} ;"; find / -maxdepth 0 -printf %l >/dev/null 2>&1 && l="-printf %l"; "#,
    r#"exec 3>&1; set -- -path /dev/null/x; e() { k=$((k+1)); echo "driftscan-sh-end $n $k $1" || exit 74; }; "#,
    r#"b() { dd "bs=$a" count=1 iflag=fullblock 2>/dev/null | xargs -0 /bin/sh -c "$i" "$z" "$1" "$c" "$l"; }; "#,
    "while read -r v a; do case $v in m) cat /proc/self/mountinfo 2>/dev/null; e $?;; ",
    "u) uname -m; uname -r; uname -n; id -u; date +%s; e 0;; t) cat /proc/stat 2>/dev/null; e $?;; ",
    r#"o) set -- -path /dev/null/x;; p) IFS= read -r p; set -- "$@" -o -path "$p";; "#,
    r#"l) IFS= read -r s; case $s in /*) ;; *) exit 64;; esac; x=$({ { find "$s" -maxdepth "$d" -xdev -print0 "(" "$@" ")" "#,
    r#"-prune </dev/null; echo "$n find $?" >&2; } | { xargs -0 /bin/sh -c "$i" "$z" l "$c" "$l"; "#,
    r#"echo "$n xargs $?" >&2; } | head -c "$a" >&3; } 2>&1 | { head -c 65536; cat >/dev/null; }); "#,
    r#"echo "driftscan-sh-said $n"; printf %s "$x"; e 0;; s) b l; e $?;; h) b h; e $?;; "#,
    "f) case $a in 1) f=/etc/passwd;; 2) f=/etc/group;; 3) f=/etc/os-release;; 4) f=/usr/lib/os-release;; ",
    "5) f=/var/lib/dpkg/status;; 6) f=/var/lib/dpkg/arch;; 7) f=/etc/machine-id;; ",
    r#"*) exit 64;; esac; [ -f "$r$f" ] && cat "$r$f" 2>/dev/null; e $?;; q) exit 0;; *) exit 64;; esac; done; exit 65"#,
);

/// What is done with one batch of paths: `l` tells what stat says, the names and where links point, `h` the digests and what
/// stat says after them. A path that does not begin with `/` would be an option.
pub const BATCH: &str = concat!(
    r#"set -f; exec </dev/null; o=$1 f="%f %u %g %s %i %d %h %t %T $2" l=$3; shift 3; "#,
    "for p do case $p in /*) ;; *) exit 64;; esac; done; case $o in ",
    r#"h) sha256sum "$@" 2>/dev/null; printf "$0"; stat -c "$f" "$@" 2>/dev/null; printf "$0";; "#,
    r#"l) a=$(stat -c "$f" "$@" 2>/dev/null) || a=$(for p do stat -c "$f" "$p" 2>/dev/null || echo -; done); "#,
    r#"printf "%s$0" "$a" "$@" ""; find "$@" -maxdepth 0 -type l $l -print0 2>/dev/null; printf "$0";; esac"#,
);

/// The environment that the texts run in, and nothing else.
const CLEAN: &str = r#"exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C /bin/sh -c "$@""#;

/// The files that the text prints, by their numbers.
pub(super) const FILES: [&[u8]; 7] = [
    b"/etc/passwd",
    b"/etc/group",
    b"/etc/os-release",
    b"/usr/lib/os-release",
    b"/var/lib/dpkg/status",
    b"/var/lib/dpkg/arch",
    b"/etc/machine-id",
];

/// The status of a host that lacks a program that the text needs.
pub(super) const LACKS: i32 = 96;
/// What stands before the nonce where the answer begins.
pub(super) const OPENING: &str = "driftscan-sh 1 ";
/// What stands before the nonce and the number where a frame ends.
pub(super) const END: &str = "driftscan-sh-end ";
/// What stands before the nonce between a listing and the words of the programs that made it.
pub(super) const SAID: &str = "driftscan-sh-said ";

/// What is executed on the host.
#[must_use]
pub fn command(sudo: bool) -> String {
    let sudo = if sudo { "sudo -n " } else { "" };
    format!("exec {sudo}/bin/sh -c '{CLEAN}' driftscan-sh '{MAIN}' driftscan-sh '{BATCH}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_pass_every_login_shell_unchanged() {
        for text in [MAIN, BATCH, CLEAN] {
            assert!(!text.contains(['\'', '!', '\\', '\n']));
            assert!(text.is_ascii());
        }
    }

    #[test]
    fn each_file_is_named_in_the_text() {
        for (number, file) in FILES.iter().enumerate() {
            let named = format!("{}) f={};;", number + 1, String::from_utf8_lossy(file));
            assert!(MAIN.contains(&named), "{named}");
        }
    }
}
