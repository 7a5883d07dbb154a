//! A command of a log, shown without what could be a secret.
//!
//! *Invariant:* only the program, plain paths and, for package managers, plain names are shown; every other word, whatever
//! it is, becomes an ellipsis.

use super::lines::words;
use crate::model::text::escape;

/// Programs whose words are names of packages.
const MANAGERS: [&str; 22] = [
    "apt",
    "apt-get",
    "aptitude",
    "dpkg",
    "dnf",
    "dnf5",
    "yum",
    "rpm",
    "zypper",
    "apk",
    "pacman",
    "snap",
    "flatpak",
    "unattended-upgrade",
    "unattended-upgrades",
    "systemctl",
    "service",
    "update-alternatives",
    "pip",
    "pip3",
    "npm",
    "gem",
];

/// The longest that is shown.
const SHOWN: usize = 160;

/// The program's name without its folder.
pub(super) fn program(command: &[u8]) -> &[u8] {
    let first = words(command).next().unwrap_or_default();
    first.rsplit(|b| *b == b'/').next().unwrap_or(first)
}

/// The command as it may be shown.
pub(super) fn shown(command: &[u8]) -> String {
    let name = program(command);
    let manager = MANAGERS.iter().any(|known| known.as_bytes() == name);
    let mut out = if is_plain(name) { escape(name) } else { "...".to_owned() };
    for word in words(command).skip(1) {
        let path = word.starts_with(b"/") && is_plain(word);
        let shown = path || manager && !word.starts_with(b"-") && is_plain(word);
        let text = if shown { escape(word) } else { "...".to_owned() };
        if text == "..." && out.ends_with("...") {
            continue;
        }
        if out.len() + text.len() > SHOWN {
            if !out.ends_with("...") {
                out.push_str(" ...");
            }
            break;
        }
        out.push(' ');
        out.push_str(&text);
    }
    out
}

/// A word as names and paths are, and no longer than they are.
fn is_plain(word: &[u8]) -> bool {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'-' | b'_' | b'+' | b'~');
    // A token in a path has no structure; names and paths have parts.
    let part = word.split(|b| !b.is_ascii_alphanumeric()).map(<[u8]>::len).max().unwrap_or(0);
    !word.is_empty() && word.len() <= 120 && part <= 24 && word.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn secrets_stay_where_they_are() {
        for (command, wanted) in [
            ("/usr/bin/vim /etc/nginx/nginx.conf", "vim /etc/nginx/nginx.conf"),
            ("apt install -y nginx", "apt install ... nginx"),
            ("/usr/bin/unattended-upgrade", "unattended-upgrade"),
            ("mysql -uroot -phunter2 shop", "mysql ..."),
            ("env TOKEN=abc curl https://u:p@example.net/x", "env ..."),
            ("/usr/bin/tee /etc/x --password secret", "tee /etc/x ..."),
            ("cat /run/ghp16C7e42F292c6912E7710c838347Ae178B4a", "cat ..."),
            ("", "..."),
        ] {
            assert_eq!(shown(command.as_bytes()), wanted, "{command}");
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_is_short(command: Vec<u8>) {
            prop_assert!(shown(&command).len() <= SHOWN + 200);
        }
    }
}
