//! The lines that let a host run an installed probe and nothing else: for sudoers and for `authorized_keys`.
//!
//! *Invariant:* nothing that a person typed reaches a line without having passed a spelling that can't break out of it.

use super::bootstrap::INSTALLED;
use super::probe::PROBE;
use crate::model::text::hex;
use sha2::{Digest as _, Sha512};
use ssh_key::PublicKey;

/// The account that logs in, as sudoers takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account(String);

impl Account {
    /// Reads a name: lower-case, because sudoers takes a word of capitals for an alias, and `ALL` for everybody.
    ///
    /// # Errors
    /// What a name may look like.
    pub fn parse(name: &str) -> Result<Self, &'static str> {
        let first = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
        let rest = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.'));
        if first && rest && name.len() <= 32 {
            Ok(Self(name.to_owned()))
        } else {
            Err("lower-case letters, digits, `_`, `-` and `.`, a letter or `_` first, 32 at most")
        }
    }
}

/// From where a key may log in: the pattern list of `from=` in sshd(8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads addresses, networks and patterns with commas between.
    ///
    /// # Errors
    /// What a list may look like.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let plain = |c: char| c.is_ascii_alphanumeric() || ".:*?,/!-_".contains(c);
        if !text.is_empty() && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err("addresses, networks or patterns with commas between, as in from= of sshd(8)")
        }
    }
}

/// The file for `/etc/sudoers.d/driftscan`.
#[must_use]
pub fn sudoers(account: &Account) -> String {
    let Account(name) = account;
    let digest = hex(&Sha512::digest(PROBE));
    format!(
        "# {name} may run this very probe as root, without arguments, and nothing else.\n\
         # Goes to /etc/sudoers.d/driftscan (sudo ignores names with a dot), root:root, mode 0440.\n\
         Cmnd_Alias DRIFTSCAN = sha512:{digest} {INSTALLED} \"\"\n\
         Defaults!DRIFTSCAN !requiretty\n\
         {name} ALL=(root) NOPASSWD: NOSETENV: DRIFTSCAN\n"
    )
}

/// The line of `authorized_keys` that binds a key to the probe. Without a key it has a word in its place that sshd refuses.
#[must_use]
pub fn authorized_key(key: Option<&PublicKey>, origin: Option<&Origin>, sudo: bool) -> String {
    let from = origin.map(|Origin(list)| format!("from=\"{list}\",")).unwrap_or_default();
    let sudo = if sudo { "sudo -n " } else { "" };
    let key = key.and_then(|key| PublicKey::from(key.key_data().clone()).to_openssh().ok());
    let key = key.unwrap_or_else(|| "PUT-THE-PUBLIC-KEY-HERE".to_owned());
    format!("restrict,{from}command=\"{sudo}{INSTALLED}\" {key}\n")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn what_could_break_out_of_a_line_is_refused() {
        for bad in ["", "ALL", "Root", "%wheel", "#0", "a b", "a,b", "-a", "a=b", "a\nb", "a\\", "a!", "ä"] {
            assert!(Account::parse(bad).is_err(), "{bad}");
        }
        for bad in ["", "a\"b", "10.0.0.1 ", "a\\b", "a\nb"] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
        for good in ["driftscan", "_audit", "svc-drift.scan1"] {
            assert!(Account::parse(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_lines_bind_to_one_command() {
        let text = sudoers(&Account::parse("audit").unwrap());
        assert!(text.contains("/usr/libexec/driftscan-probe \"\"\n"), "{text}");
        assert!(text.contains("\naudit ALL=(root) NOPASSWD: NOSETENV: DRIFTSCAN\n"), "{text}");
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti";
        let typed = PublicKey::from_openssh(&format!("{key} a comment, which stays at home")).unwrap();
        let origin = Origin::parse("10.1.0.0/16,!10.1.9.9").unwrap();
        assert_eq!(
            authorized_key(Some(&typed), Some(&origin), true),
            format!("restrict,from=\"10.1.0.0/16,!10.1.9.9\",command=\"sudo -n /usr/libexec/driftscan-probe\" {key}\n")
        );
        assert_eq!(
            authorized_key(None, None, false),
            "restrict,command=\"/usr/libexec/driftscan-probe\" PUT-THE-PUBLIC-KEY-HERE\n"
        );
    }
}
