//! The `key=value` words of a line: read, and laid over the words of its group and of `[*]`.
//!
//! *Invariant:* a word that this release can not honour is refused, never ignored: an ignored `jump=` would dial
//! another machine than the one meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use base64::Engine as _;

use super::address::Address;
use super::distance::distance;
use super::host::{Host, JumpHost, Place, ProbeChoice, Reach, TemplateRef, TransportChoice};
use super::mistake::{Refusal, Remarks, quote};
use super::spelling::{GROUP, IDENTITY, ROOT, USER, named};
use super::way::{read_jump, read_probe, read_transport};
use crate::model::text::escape;

/// The words that mean something now; every other is a tag.
const KNOWN: [&str; 11] =
    ["name", "template", "group", "root", "sudo", "jump", "transport", "probe", "identity", "host-key", "user"];

/// Longest key of a tag, in bytes.
const LONGEST_KEY: usize = 64;

/// Which kind of line the words stand on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// `[*]` or `[web]`: the words are defaults.
    Defaults,
    /// A host or a node set of hosts.
    Host,
}

/// The words of one line.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// Still a node set where the host is one.
    pub(super) name: Option<String>,
    pub(super) user: Option<String>,
    pub(super) group: Option<String>,
    template: Option<TemplateRef>,
    /// `/` is written to win over a group's `root=`; a host never carries it.
    root: Option<String>,
    sudo: Option<bool>,
    identity: Option<PathBuf>,
    host_key: Option<String>,
    /// Empty for `none`, which wins over a group's.
    jump: Option<Vec<JumpHost>>,
    transport: Option<TransportChoice>,
    probe: Option<ProbeChoice>,
    tags: BTreeMap<String, String>,
    /// Every key written.
    pub(super) keys: BTreeSet<String>,
}

impl Settings {
    /// Reads the words of a line; books every mistake and goes on.
    pub(super) fn read<'a>(
        words: impl Iterator<Item = &'a str>,
        scope: Scope,
        place: &Place,
        remarks: &mut Remarks,
    ) -> Self {
        let mut settings = Self::default();
        let mut bare: Vec<&str> = Vec::new();
        for word in words {
            let Some((key, value)) = word.split_once('=') else {
                bare.push(word);
                continue;
            };
            if let Err(refusal) = settings.word(key, value, scope) {
                remarks.refuse(place, refusal);
            } else if let Some(known) = meant(key) {
                let key = quote(key);
                remarks.warn(
                    place,
                    format!("{key} is kept as a tag and changes nothing; {known}= is the word of that sense"),
                );
            }
        }
        if !bare.is_empty() {
            let remedy = "write one host a line, then words such as template=web";
            remarks.refuse(place, Refusal::new(format!("{} is no key=value word", quote(&bare.join(" "))), remedy));
        }
        settings
    }

    fn word(&mut self, key: &str, value: &str, scope: Scope) -> Result<(), Refusal> {
        let shaped = key.starts_with(|c: char| c.is_ascii_lowercase())
            && key.len() <= LONGEST_KEY
            && key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        if !shaped {
            let remedy = "start a key with a lower-case letter; then lower-case letters, digits, _ and -, such as owner=web-team";
            return Err(Refusal::new(format!("{} is no key", quote(key)), remedy));
        }
        if value.is_empty() {
            return Err(Refusal::new(
                format!("{key}= has no value"),
                format!("write {key}=VALUE, or leave the word out"),
            ));
        }
        if !self.keys.insert(key.to_owned()) {
            return Err(Refusal::new(format!("{key}= is written twice on this line"), format!("keep one {key}=")));
        }
        match key {
            "name" => self.name = Some(own_word(key, value, scope)?.to_owned()),
            "group" => self.group = Some(GROUP.admit(own_word(key, value, scope)?)?.to_owned()),
            "user" => self.user = Some(USER.admit(value)?.to_owned()),
            "template" => self.template = Some(TemplateRef::read(value)?),
            "root" => self.root = Some(read_root(value)?),
            "sudo" => self.sudo = Some(read_yes_or_no(key, value)?),
            "identity" => self.identity = Some(read_identity(value)?),
            "host-key" => self.host_key = Some(read_host_key(value)?),
            "jump" => self.jump = Some(read_jump(value)?),
            "transport" => self.transport = Some(read_transport(value)?),
            "probe" => self.probe = Some(read_probe(value)?),
            "port" => {
                let text = format!("port= is no word; {} would be ignored", quote(value));
                return Err(Refusal::new(text, "write the port behind the host, such as web-01:2222"));
            }
            _ if key.starts_with("ansible_") => {
                let text = format!("{} is Ansible's word and means nothing here", quote(key));
                return Err(Refusal::new(
                    text,
                    "write deploy@10.0.0.5:2222 name=web-01 instead of ansible_user, _host and _port",
                ));
            }
            _ => {
                self.tags.insert(key.to_owned(), read_tag(key, value)?);
            }
        }
        Ok(())
    }

    /// Lays these words over defaults.
    pub(super) fn over(self, defaults: &Self) -> Self {
        let mut tags = defaults.tags.clone();
        tags.extend(self.tags);
        Self {
            name: self.name,
            user: self.user.or_else(|| defaults.user.clone()),
            group: self.group.or_else(|| defaults.group.clone()),
            template: self.template.or_else(|| defaults.template.clone()),
            root: self.root.or_else(|| defaults.root.clone()),
            sudo: self.sudo.or(defaults.sudo),
            identity: self.identity.or_else(|| defaults.identity.clone()),
            host_key: self.host_key.or_else(|| defaults.host_key.clone()),
            jump: self.jump.or_else(|| defaults.jump.clone()),
            transport: self.transport.or(defaults.transport),
            probe: self.probe.or(defaults.probe),
            tags,
            keys: self.keys,
        }
    }

    /// Makes a host of an address and these words.
    pub(super) fn host(&self, address: Address, name: String, place: Place) -> Host {
        let user = address.user.or_else(|| self.user.clone());
        Host {
            name,
            group: self.group.clone().unwrap_or_default(),
            reach: Reach::Ssh { host: address.host, port: address.port, user },
            template: self.template.clone(),
            root: self.root.clone().filter(|root| root != "/"),
            sudo: self.sudo,
            identity: self.identity.clone(),
            host_key: self.host_key.clone(),
            jump: self.jump.clone(),
            transport: self.transport,
            probe: self.probe,
            tags: self.tags.clone().into_iter().collect(),
            place,
        }
    }
}

/// The known word that was probably meant: another spelling of it, or one slip away.
fn meant(key: &str) -> Option<&'static str> {
    let plain = |word: &str| word.replace(['-', '_'], "");
    KNOWN.into_iter().filter(|known| *known != key).find(|known| {
        // A short word is one slip away from many a good tag: room, boot and node are none of ours.
        plain(known) == plain(key) || (known.len() > 4 && distance(known, key, 1) <= 1)
    })
}

/// Refuses a word that would give all hosts of a group the same.
fn own_word<'a>(key: &str, value: &'a str, scope: Scope) -> Result<&'a str, Refusal> {
    match scope {
        Scope::Host => Ok(value),
        Scope::Defaults => Err(Refusal::new(
            format!("{key}= belongs to a host, not to a group line"),
            format!("write web-01 {key}={}", escape(value.as_bytes())),
        )),
    }
}

fn read_root(value: &str) -> Result<String, Refusal> {
    ROOT.admit(value)?;
    let parts: Vec<&str> = value.split('/').filter(|part| !part.is_empty()).collect();
    if !value.starts_with('/') || parts.iter().any(|part| matches!(*part, "." | "..")) {
        return Err(ROOT.refusal(format!("root={} is not an absolute path without `.` and `..`", quote(value))));
    }
    Ok(format!("/{}", parts.join("/")))
}

fn read_identity(value: &str) -> Result<PathBuf, Refusal> {
    IDENTITY.admit(value)?;
    if value.starts_with('~') && !value.starts_with("~/") {
        return Err(IDENTITY.refusal(format!("identity={} is in another user's home", quote(value))));
    }
    Ok(PathBuf::from(value))
}

fn read_yes_or_no(key: &str, value: &str) -> Result<bool, Refusal> {
    match value {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(Refusal::new(
            format!("{key}={} is neither yes nor no", quote(value)),
            format!("write {key}=yes or {key}=no"),
        )),
    }
}

fn read_host_key(value: &str) -> Result<String, Refusal> {
    let digest = value
        .strip_prefix("SHA256:")
        .and_then(|text| base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).ok());
    match digest {
        Some(digest) if digest.len() == 32 => Ok(value.to_owned()),
        _ => Err(Refusal::new(
            format!("host-key={} is no SHA-256 fingerprint of a key", quote(value)),
            "on the host's console type `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`, then write host-key=SHA256:... in full",
        )),
    }
}

fn read_tag(key: &str, value: &str) -> Result<String, Refusal> {
    let odd =
        |c: &char| c.is_whitespace() || (*c != '\\' && escape(c.encode_utf8(&mut [0; 4]).as_bytes()) != c.to_string());
    match value.chars().find(odd) {
        None => Ok(value.to_owned()),
        Some(c) => Err(Refusal::new(
            format!("{key}= holds {}, which can not be seen", named(c)),
            format!("type {key}= and its value again"),
        )),
    }
}

/// Refuses a user written in both ways on one line.
pub(super) fn one_user(address: &Address, words: &Settings) -> Result<(), Refusal> {
    match (&address.user, &words.user) {
        (Some(before), Some(word)) => Err(Refusal::new(
            format!("the user is written twice, `{before}@` and `user={word}`"),
            format!("keep {before}@ or user={word}"),
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    const FINGERPRINT: &str = "SHA256:p4KdM9yTz1hRcU7vB0eXnS6wQj2gLf8aNi5oZt3mYrE";

    fn read(words: &str, scope: Scope) -> (Settings, Remarks) {
        let mut remarks = Remarks::default();
        let settings = Settings::read(words.split(' '), scope, &Place::command_line(), &mut remarks);
        (settings, remarks)
    }

    fn refused(words: &str) -> String {
        let (_, remarks) = read(words, Scope::Host);
        assert_eq!(remarks.mistakes.len(), 1, "{words}: {:?}", remarks.mistakes);
        remarks.mistakes.first().unwrap().to_string()
    }

    #[test]
    fn known_words_and_tags() {
        let words = format!(
            "template=web@2026.11.3 root=//mnt/a/ sudo=no user=deploy identity=~/.ssh/k host-key={FINGERPRINT} zone=z pin=s"
        );
        let (settings, remarks) = read(&words, Scope::Host);
        assert!(remarks.mistakes.is_empty() && remarks.warnings.is_empty(), "{remarks:?}");
        let host = settings.host(Address::read("web-01").unwrap(), "web-01".into(), Place::command_line());
        assert_eq!(host.template.unwrap().to_string(), "web@2026.11.3");
        assert_eq!(host.root.as_deref(), Some("/mnt/a"));
        assert_eq!(host.sudo, Some(false));
        assert_eq!(host.reach, Reach::Ssh { host: "web-01".into(), port: None, user: Some("deploy".into()) });
        assert_eq!(host.host_key.as_deref(), Some(FINGERPRINT));
        assert_eq!(host.tags, [("pin".into(), "s".into()), ("zone".into(), "z".into())]);
    }

    #[test]
    fn own_words_win_and_root_slash_is_the_running_system() {
        let (defaults, _) = read("root=/mnt sudo=yes zone=a owner=o", Scope::Defaults);
        let (own, _) = read("root=/ zone=b", Scope::Host);
        let host = own.over(&defaults).host(Address::read("a").unwrap(), "a".into(), Place::command_line());
        assert_eq!((host.root, host.sudo), (None, Some(true)));
        assert_eq!(host.tags, [("owner".into(), "o".into()), ("zone".into(), "b".into())]);
    }

    #[test]
    fn words_of_the_way() {
        let (settings, remarks) = read("jump=a,b:2222 transport=openssh probe=installed", Scope::Host);
        assert!(remarks.mistakes.is_empty(), "{remarks:?}");
        let host = settings.host(Address::read("web-01").unwrap(), "web-01".into(), Place::command_line());
        assert_eq!(host.jump.unwrap().len(), 2);
        assert_eq!(host.transport, Some(TransportChoice::OpenSsh));
        assert_eq!(host.probe, Some(ProbeChoice::Installed));
        assert!(refused("probe=magic").contains("unknown"));
        assert!(refused("transport=telnet").contains("unknown"));
    }

    #[test]
    fn jump_none_wins_over_the_groups() {
        let (defaults, _) = read("jump=bastion", Scope::Defaults);
        let (own, _) = read("jump=none", Scope::Host);
        let host = own.over(&defaults).host(Address::read("a").unwrap(), "a".into(), Place::command_line());
        assert_eq!(host.jump, Some(Vec::new()));
    }

    #[test]
    fn f55_nothing_is_injected_through_a_word() {
        for word in [
            "jump=-oProxyCommand=id",
            "jump=a;id",
            "identity=-oProxyCommand=id",
            "identity=$(id)",
            "identity=~root/k",
            "identity=a`id`",
            "root=mnt",
            "root=/mnt/../etc",
            "root=/a/./b",
            "root=/a;id",
            "root=-x",
            "user=-l",
            "user=a$b",
            "group=-x",
            "group=*",
            "template=../x",
            "template=a/b",
            "template=-a",
            "template=a@",
            "template=a@../b",
            "template=a@b@c",
        ] {
            refused(word);
        }
    }

    #[test]
    fn other_mistakes_in_words() {
        for word in [
            "web-02",
            "Owner=x",
            "=x",
            "9a=x",
            "sudo=",
            "sudo=true",
            "a=1 a=2",
            "host-key=SHA256:short",
            "port=22",
            "ansible_host=10.0.0.1",
            "host-key=MD5:p4KdM9yTz1hRcU7vB0eXnS6wQj2gLf8aNi5oZt3mYrE",
            "host-key=SHA256:p4KdM9yTz1hRcU7vB0eXnS6wQj2gLf8aNi5oZt3mYrF",
            "owner=a\u{202e}b",
            "owner=a\u{a0}b",
            "owner=\u{7}",
        ] {
            refused(word);
        }
        let (_, remarks) = read("name=a group=b", Scope::Defaults);
        assert_eq!(remarks.mistakes.len(), 2);
    }

    #[test]
    fn a_tag_that_looks_like_a_word_is_warned() {
        for (key, warned) in [
            ("host_key", true),
            ("tempalte", true),
            ("groups", true),
            ("room", false),
            ("node", false),
            ("zone", false),
        ] {
            let (_, remarks) = read(&format!("{key}=x"), Scope::Host);
            assert_eq!(remarks.warnings.len(), usize::from(warned), "{key}");
        }
    }
}
