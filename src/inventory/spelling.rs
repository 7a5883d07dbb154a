//! Which characters a field may hold, so that none can be an option, a shell word or a control sequence.
//!
//! The lists are of what is allowed, never of what is forbidden: a list of metacharacters is always one short.
//!
//! *Invariant:* a text that passes is ASCII, holds none of the characters that a shell treats specially, and does not
//! start with a dash.

use super::mistake::{Refusal, quote};

/// What one field may look like.
pub(super) struct Spelling {
    /// The field, as a message names it.
    what: &'static str,
    /// Allowed as the first character, besides letters and digits.
    starts: &'static str,
    /// Allowed further on, besides letters and digits.
    inner: &'static str,
    /// Longest text in bytes.
    longest: usize,
    /// What to write instead.
    remedy: &'static str,
}

/// A name to resolve. 253 bytes is the longest domain name (RFC 1035).
pub(super) const HOST: Spelling = Spelling {
    what: "host",
    starts: "",
    inner: "._-",
    longest: 253,
    remedy: "write a name or an address, such as web-01.example.net or [2001:db8::17]:22",
};

/// The zone of a link-local address, an interface name.
pub(super) const ZONE: Spelling = Spelling {
    what: "address zone",
    starts: "",
    inner: "._-",
    longest: 32,
    remedy: "write the interface after the percent sign, such as [fe80::1%eth0]",
};

/// A login name. `DOMAIN\user` and `user@realm` are left to `ssh_config`, where no command line is built from them.
pub(super) const USER: Spelling = Spelling {
    what: "user",
    starts: "_",
    inner: "._-",
    longest: 64,
    remedy: "write a plain login, such as deploy@web-01, or set User for this host in ~/.ssh/config",
};

/// A host's name in reports.
pub(super) const NAME: Spelling = Spelling {
    what: "name",
    starts: "",
    inner: "._:@-",
    longest: 253,
    remedy: "write letters, digits and . _ : @ -, such as name=edge-01",
};

/// A group's name.
pub(super) const GROUP: Spelling = Spelling {
    what: "group",
    starts: "",
    inner: "._-",
    longest: 64,
    remedy: "write letters, digits and . _ -, such as web in [web] or group=web",
};

/// A template's name, a folder of the store.
pub(super) const TEMPLATE: Spelling = Spelling {
    what: "template",
    starts: "",
    inner: "._-",
    longest: 64,
    remedy: "write template=NAME or template=NAME@VERSION, such as template=web@2026.11.1",
};

/// A template's version, a file name of the store.
pub(super) const VERSION: Spelling = Spelling { what: "template version", inner: "._+-", ..TEMPLATE };

/// A private key file. No `%` and `$`: OpenSSH expands both in this place.
pub(super) const IDENTITY: Spelling = Spelling {
    what: "identity",
    starts: "/._~",
    inner: "/._@+,=-",
    longest: 1024,
    remedy: "write a path of letters, digits and / . _ @ + , = -, such as identity=~/.ssh/id_ed25519",
};

/// A folder to scan as if it were `/`.
pub(super) const ROOT: Spelling = Spelling {
    what: "root",
    starts: "/._",
    inner: "/._@+,:=-",
    longest: 1024,
    remedy: "write an absolute path of letters, digits and / . _ @ + , : = -, such as root=/mnt/image",
};

/// A machine to go through: `[user@]host[:port]`, one or several.
pub(super) const JUMP: Spelling = Spelling {
    what: "jump",
    starts: "[",
    inner: "._:@,[]%-",
    longest: 1024,
    remedy: "write jump=bastion.example.net, several with commas, or jump=none",
};

impl Spelling {
    /// Passes the text on, or says what is wrong with it.
    pub(super) fn admit<'a>(&self, text: &'a str) -> Result<&'a str, Refusal> {
        let what = self.what;
        let Some(first) = text.chars().next() else {
            return Err(self.refusal(format!("the {what} is empty")));
        };
        if text.len() > self.longest {
            return Err(self.refusal(format!("{what} {} is longer than {} bytes", quote(text), self.longest)));
        }
        if first == '-' {
            let text = quote(text);
            return Err(
                self.refusal(format!("{what} {text} starts with a dash, so a command could take it for an option"))
            );
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || self.inner.contains(c);
        // The first character may also be one of `starts`: a tilde is a home folder there and a mistake elsewhere.
        let fits = |(at, c): (usize, char)| allowed(c) || (at == 0 && self.starts.contains(c));
        if let Some((_, bad)) = text.chars().enumerate().find(|&spot| !fits(spot)) {
            return Err(self.refusal(format!(
                "{what} {} holds {}, which is not allowed there",
                quote(text),
                named(bad)
            )));
        }
        if !first.is_ascii_alphanumeric() && !self.starts.contains(first) {
            return Err(self.refusal(format!("{what} {} starts with {}", quote(text), named(first))));
        }
        Ok(text)
    }

    /// Refuses in this field's words.
    pub(super) fn refusal(&self, text: String) -> Refusal {
        Refusal::new(text, self.remedy)
    }
}

/// Names one character: itself where a terminal shows it, else its code point.
pub(super) fn named(c: char) -> String {
    match c {
        ' ' => "a blank".to_owned(),
        c if c.is_ascii_graphic() => format!("`{c}`"),
        c => format!("U+{:04X}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Spelling; 10] = [HOST, ZONE, USER, NAME, GROUP, TEMPLATE, VERSION, IDENTITY, ROOT, JUMP];

    #[test]
    fn options_and_shell_words_pass_nowhere() {
        for bad in [
            "",
            "-oProxyCommand=x",
            "-",
            "a;b",
            "a b",
            "a\tb",
            "a\nb",
            "$(id)",
            "a$b",
            "`id`",
            "a|b",
            "a&b",
            "a>b",
            "a<b",
            "a'b",
            "a\"b",
            "a\\b",
            "a*b",
            "a?b",
            "a{b",
            "a!b",
            "a(b",
            "a#b",
            "a\0b",
            "a\x1bb",
            "é",
            "a\u{a0}b",
            "a\u{202e}b",
        ] {
            for spelling in ALL {
                assert!(spelling.admit(bad).is_err(), "{} takes {bad:?}", spelling.what);
            }
        }
    }

    #[test]
    fn ordinary_texts_pass() {
        assert!(HOST.admit("web-01.example.net").is_ok());
        assert!(USER.admit("_deploy.x-1").is_ok());
        assert!(IDENTITY.admit("~/.ssh/id_ed25519").is_ok());
        assert!(IDENTITY.admit("keys/a~b").is_err());
        assert!(NAME.admit("edge-01:2222").is_ok());
        assert!(HOST.admit(".hidden").is_err());
    }

    proptest! {
        #[test]
        fn what_passes_is_plain(text: String) {
            for spelling in ALL {
                if spelling.admit(&text).is_ok() {
                    let special = |c: char| "\"'`$;&|<>(){}*?!#\\^".contains(c);
                    prop_assert!(text.chars().all(|c| c.is_ascii_graphic() && !special(c)));
                    prop_assert!(!text.starts_with('-') && !text.is_empty());
                }
            }
        }
    }
}
