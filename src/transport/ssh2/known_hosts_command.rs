//! `KnownHostsCommand` of `ssh_config(5)`: a program that prints lines of `known_hosts` for one host.
//!
//! *Invariant:* run without a shell, as ssh(1) runs it; a command that fails makes the host unverifiable, never unknown.

use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::child;
use crate::transport::known_hosts::{HostName, KnownHostsFile, fingerprint, kind_of};

/// The command of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownHostsCommand {
    /// Program and arguments, tokens and all.
    words: Vec<String>,
    /// What `%` and a letter stand for, but for what is known only when it runs.
    tokens: Vec<(char, String)>,
}

impl KnownHostsCommand {
    /// Reads the option.
    ///
    /// # Errors
    ///
    /// Why it can't be run as it is written.
    pub(super) fn parse(text: &str, tokens: Vec<(char, String)>) -> Result<Self, String> {
        let words = split(text).ok_or("a quote in it has no end")?;
        match words.first() {
            Some(program) if program.starts_with('/') => Ok(Self { words, tokens }),
            Some(_) => Err("it must begin with an absolute path".to_owned()),
            None => Err("it is empty".to_owned()),
        }
    }

    /// Runs it: before a host is dialled, for the types of key to ask for, or for the key that the host showed.
    ///
    /// # Errors
    ///
    /// Why it gave no answer, for a person.
    pub(super) fn run(
        &self,
        name: &HostName,
        shown: Option<&[u8]>,
        deadline: Instant,
    ) -> Result<KnownHostsFile, String> {
        let none = || "NONE".to_owned();
        let mut tokens = self.tokens.clone();
        tokens.extend([
            ('H', name.as_str().to_owned()),
            ('I', if shown.is_some() { "HOSTNAME" } else { "ORDER" }.to_owned()),
            ('t', shown.and_then(kind_of).map_or_else(none, str::to_owned)),
            ('f', shown.map_or_else(none, fingerprint)),
            ('K', shown.map_or_else(none, |blob| STANDARD.encode(blob))),
        ]);
        let words: Vec<String> = self.words.iter().map(|word| expand(word, &tokens)).collect::<Result<_, _>>()?;
        let (program, arguments) = words.split_first().ok_or("it is empty")?;
        let answer = child::run(program, arguments, deadline)?;
        if !answer.status.success() {
            let said = if answer.complaint.is_empty() { String::new() } else { format!(": {}", answer.complaint) };
            return Err(format!("ended with {}{said}", answer.status));
        }
        Ok(KnownHostsFile::parse(Path::new("KnownHostsCommand"), &answer.output))
    }
}

/// Splits as ssh(1) does: at blanks, with quotes of both kinds and backslashes before quotes, backslashes and blanks.
fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, quote) {
            ('\\', _)
                if rest
                    .peek()
                    .is_some_and(|next| matches!(next, '\\' | '"' | '\'') || quote.is_none() && *next == ' ') =>
            {
                word.get_or_insert_default().extend(rest.next());
            }
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            (' ' | '\t', None) => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// Replaces tokens; one that is not known is an error, or a command would be asked about another host than is meant.
fn expand(word: &str, tokens: &[(char, String)]) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('%') => out.push('%'),
            Some(token) => match tokens.iter().find(|(name, _)| *name == token) {
                Some((_, value)) => out.push_str(value),
                None => return Err(format!("has the token %{token}, which is not known")),
            },
            None => return Err("ends with a percent sign".to_owned()),
        }
    }
    Ok(out)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_ssh_splits_them() {
        for (text, words) in [
            ("/bin/a  b\tc", Some(vec!["/bin/a", "b", "c"])),
            (r#"/bin/a "b c" 'd "e' f\ g"#, Some(vec!["/bin/a", "b c", "d \"e", "f g"])),
            (r#"a"b"c "" \"d"#, Some(vec!["abc", "", "\"d"])),
            (r"a \n \\", Some(vec!["a", r"\n", "\\"])),
            ("a 'b", None),
            ("", Some(vec![])),
        ] {
            assert_eq!(split(text), words.map(|words| words.into_iter().map(str::to_owned).collect()), "{text}");
        }
    }

    #[test]
    fn tokens_are_replaced_once_and_split_no_word() {
        let tokens = vec![('H', "a b %% %I".to_owned())];
        assert_eq!(expand("x%Hy%%", &tokens).unwrap(), "xa b %% %Iy%");
        assert!(expand("%q", &tokens).is_err() && expand("%", &tokens).is_err());
    }

    #[test]
    fn a_command_needs_an_absolute_path() {
        assert!(KnownHostsCommand::parse("known %H", Vec::new()).is_err());
        assert!(KnownHostsCommand::parse("", Vec::new()).is_err());
    }
}
