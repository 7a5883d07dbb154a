//! `ProxyCommand`: its tokens, and the shell that runs it.
//!
//! *Invariant:* the text is the user's own configuration; what is put into it holds nothing that a shell could act on.

use std::ffi::OsString;
use std::process::Command;

use crate::inventory::host::{is_plain_host, is_plain_user};

/// A command whose standard input and output are the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct ProxyCommand {
    /// As `ssh_config` has it: hosts that share it most likely share a bastion.
    pub(super) written: String,
    /// With its tokens replaced.
    text: String,
    shell: OsString,
}

/// What the tokens stand for.
#[derive(Debug, Clone, Copy)]
pub(in crate::transport) struct Tokens<'a> {
    /// `%h`: the name to dial.
    pub(in crate::transport) host: &'a str,
    /// `%n`: the name as it was typed.
    pub(in crate::transport) typed: &'a str,
    /// `%p`.
    pub(in crate::transport) port: u16,
    /// `%r`.
    pub(in crate::transport) user: &'a str,
}

impl Tokens<'_> {
    /// Replaces the tokens of `ProxyCommand` and `ProxyJump` (`ssh_config(5)`, TOKENS); says what can't be.
    ///
    /// A value is refused where a shell could see more in it than a word, as ssh(1) does since OpenSSH 9.6.
    pub(in crate::transport) fn expand(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            match rest.next() {
                Some('%') => out.push('%'),
                Some('h') if is_plain_host(self.host) => out.push_str(self.host),
                Some('n') if is_plain_host(self.typed) => out.push_str(self.typed),
                Some('p') => out.push_str(&self.port.to_string()),
                Some('r') if is_plain_user(self.user) => out.push_str(self.user),
                Some('h' | 'n') => {
                    return Err(format!("{:?} is no name or address that a command may hold", self.host));
                }
                Some('r') => return Err(format!("{:?} is no user that a command may hold", self.user)),
                Some(other) => return Err(format!("%{other} is not a token of it that driftscan knows")),
                None => return Err("it ends with a single percent sign".to_owned()),
            }
        }
        Ok(out)
    }
}

impl ProxyCommand {
    /// Puts it together; says what can't be.
    pub(in crate::transport) fn new(written: &str, tokens: Tokens<'_>) -> Result<Self, String> {
        let text = tokens.expand(written)?;
        if text.contains('\0') {
            return Err("it holds a NUL".to_owned());
        }
        let shell = std::env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into());
        Ok(Self { written: written.to_owned(), text, shell })
    }

    /// For people.
    pub(super) fn label(&self) -> String {
        crate::model::text::escape(format!("ProxyCommand {}", self.text).as_bytes())
    }

    /// As ssh(1) runs it.
    pub(super) fn command(&self) -> Command {
        let mut command = Command::new(&self.shell);
        command.arg("-c").arg(format!("exec {}", self.text));
        command
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    const TOKENS: Tokens<'static> = Tokens { host: "10.0.0.1", typed: "web-01", port: 2222, user: "audit" };

    #[test]
    fn tokens_are_replaced() {
        assert_eq!(
            TOKENS.expand("nc -X \"a b\" %h %p %r@%n 100%%").unwrap(),
            "nc -X \"a b\" 10.0.0.1 2222 audit@web-01 100%"
        );
    }

    #[test]
    fn unknown_tokens_are_refused_not_passed_on() {
        for text in ["%d", "a %", "%C", "% h"] {
            assert!(TOKENS.expand(text).is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_that_a_shell_acts_on_is_put_in() {
        for bad in ["a;id", "$(id)", "`id`", "a b", "-oProxyCommand=x", "a\nb", "a'b", "", "a|b", "DOM\\u"] {
            assert!(Tokens { host: bad, ..TOKENS }.expand("nc %h").is_err(), "{bad}");
            assert!(Tokens { typed: bad, ..TOKENS }.expand("nc %n").is_err(), "{bad}");
            assert!(Tokens { user: bad, ..TOKENS }.expand("nc %r").is_err(), "{bad}");
            // What is not used harms nobody.
            assert!(Tokens { user: bad, ..TOKENS }.expand("nc %h %p").is_ok(), "{bad}");
        }
        assert!(Tokens { host: "fe80::1%eth0", ..TOKENS }.expand("nc %h").is_ok());
    }
}
