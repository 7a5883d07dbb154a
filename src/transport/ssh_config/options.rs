//! Options that hold for one host, and what they mean for dialling it.
//!
//! *Invariant:* touches no file; the first value of an option wins, identity and certificate files add up, as in `ssh_config(5)`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha1::{Digest as _, Sha1};

use super::Asked;
use super::surroundings::{Surroundings, expand_home};
use crate::model::text::hex;

/// Keys that `ssh -G` lists where no file names one.
const USUAL_KEYS: &[&str] = &["id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk", "id_rsa", "id_xmss"];

/// Raw options: keyword in lower case, values as written.
#[derive(Debug, Default)]
pub(super) struct Options {
    values: BTreeMap<String, Vec<String>>,
    identities: Vec<String>,
    certificates: Vec<String>,
}

impl Options {
    /// Adds a line; only the first of a keyword counts.
    pub(super) fn add(&mut self, keyword: &str, arguments: Vec<String>) {
        // Of these two the first is the way, whatever it says.
        let other = match keyword {
            "proxyjump" => Some("proxycommand"),
            "proxycommand" => Some("proxyjump"),
            _ => None,
        };
        if keyword == "identityfile" {
            self.identities.extend(arguments);
        } else if keyword == "certificatefile" {
            self.certificates.extend(arguments);
        } else if other.is_none_or(|other| !self.values.contains_key(other)) {
            self.values.entry(keyword.to_owned()).or_insert(arguments);
        }
    }

    /// Reads what `ssh -G` prints, one `keyword value` a line, unquoted, with `~` expanded to the home that ssh takes.
    pub(super) fn of_answer(text: &str, surroundings: &Surroundings) -> Self {
        let mut options = Self::default();
        for line in text.lines() {
            let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
            let arguments = match keyword {
                "userknownhostsfile" => value.split_whitespace().map(|file| surroundings.in_own_home(file)).collect(),
                "globalknownhostsfile" => value.split_whitespace().map(str::to_owned).collect(),
                "identityagent" | "revokedhostkeys" => vec![surroundings.in_own_home(value)],
                _ => vec![value.to_owned()],
            };
            options.add(keyword, arguments);
        }
        let usual = |file: &String| file.strip_prefix("~/.ssh/").is_some_and(|name| USUAL_KEYS.contains(&name));
        // Nobody names five of them by hand.
        if options.identities.len() >= 5 && options.identities.iter().all(usual) {
            options.identities.clear();
        }
        options
    }

    fn first(&self, keyword: &str) -> Option<&str> {
        self.values.get(keyword).and_then(|values| values.first()).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Where `none` says the same as nothing.
    fn set(&self, keyword: &str) -> Option<String> {
        let values = self.values.get(keyword)?;
        let value = values.join(" ");
        (!value.is_empty() && !value.eq_ignore_ascii_case("none")).then_some(value)
    }
}

/// Which agent to ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) enum AgentChoice {
    /// The one at this socket.
    At(PathBuf),
    /// None is set, or the files say `none`.
    Nobody,
}

/// What is used of `ssh_config` for one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::transport) struct Resolved {
    pub(in crate::transport) hostname: String,
    pub(in crate::transport) port: u16,
    pub(in crate::transport) user: Option<String>,
    /// Only those that a file names.
    pub(in crate::transport) identities: Vec<PathBuf>,
    pub(in crate::transport) identities_only: bool,
    /// `CertificateFile`, in their order.
    pub(in crate::transport) certificates: Vec<PathBuf>,
    pub(in crate::transport) agent: AgentChoice,
    /// Files of the user, the first takes new keys.
    pub(in crate::transport) user_known_hosts: Vec<PathBuf>,
    pub(in crate::transport) global_known_hosts: Vec<PathBuf>,
    pub(in crate::transport) alias: Option<String>,
    /// `ProxyJump` or `ProxyCommand`, and its value.
    pub(in crate::transport) proxy: Option<(&'static str, String)>,
    /// `ProxyUseFdpass yes`: the command hands a descriptor over in place of bytes.
    pub(in crate::transport) passes_descriptor: bool,
    /// `RevokedHostKeys`.
    pub(in crate::transport) revoked_keys: Option<PathBuf>,
    /// `KnownHostsCommand`, as it is written.
    pub(in crate::transport) known_hosts_command: Option<String>,
    /// `HashKnownHosts`.
    pub(in crate::transport) hash_known_hosts: bool,
    /// What `%` and a letter stand for in a command.
    pub(in crate::transport) tokens: Vec<(char, String)>,
}

impl Resolved {
    /// Puts defaults where no option is set.
    pub(super) fn of(options: &Options, asked: Asked<'_>, surroundings: &Surroundings) -> Self {
        let port = asked.port.or_else(|| options.first("port").and_then(|port| port.parse().ok())).unwrap_or(22);
        let user =
            asked.user.or_else(|| options.first("user")).map(str::to_owned).or_else(|| surroundings.user.clone());
        let hostname = options
            .first("hostname")
            .map_or_else(|| asked.host.to_owned(), |name| expand(name, &[('h', asked.host), ('n', asked.host)]));
        let home = surroundings.home.display().to_string();
        let port_text = port.to_string();
        let tokens = [
            ('h', hostname.as_str()),
            ('n', asked.host),
            ('p', port_text.as_str()),
            ('r', user.as_deref().unwrap_or_default()),
            ('u', surroundings.user.as_deref().unwrap_or_default()),
            ('d', home.as_str()),
        ];
        let path = |text: &str| expand_home(&expand(text, &tokens), &surroundings.home);
        let known = |keyword: &str, usual: Vec<PathBuf>| match options.values.get(keyword) {
            Some(files) => {
                files.iter().filter(|file| !file.eq_ignore_ascii_case("none")).map(|file| path(file)).collect()
            }
            None => usual,
        };
        let folder = surroundings.home.join(".ssh");
        let proxy = [("ProxyJump", "proxyjump"), ("ProxyCommand", "proxycommand")]
            .into_iter()
            .find_map(|(name, keyword)| options.set(keyword).map(|value| (name, value)));
        Self {
            identities: options
                .identities
                .iter()
                .filter(|file| !file.eq_ignore_ascii_case("none"))
                .map(|file| path(file))
                .collect(),
            certificates: options
                .certificates
                .iter()
                .filter(|file| !file.eq_ignore_ascii_case("none"))
                .map(|file| path(file))
                .collect(),
            identities_only: options.first("identitiesonly").is_some_and(|value| value.eq_ignore_ascii_case("yes")),
            agent: agent(options.first("identityagent"), surroundings, path),
            user_known_hosts: known(
                "userknownhostsfile",
                vec![folder.join("known_hosts"), folder.join("known_hosts2")],
            ),
            global_known_hosts: known(
                "globalknownhostsfile",
                vec![PathBuf::from("/etc/ssh/ssh_known_hosts"), PathBuf::from("/etc/ssh/ssh_known_hosts2")],
            ),
            alias: options.first("hostkeyalias").filter(|alias| !alias.eq_ignore_ascii_case("none")).map(str::to_owned),
            passes_descriptor: options.first("proxyusefdpass").is_some_and(|value| value.eq_ignore_ascii_case("yes")),
            revoked_keys: options.set("revokedhostkeys").map(|file| path(&file)),
            known_hosts_command: options.set("knownhostscommand"),
            hash_known_hosts: options.first("hashknownhosts").is_some_and(|value| value.eq_ignore_ascii_case("yes")),
            tokens: command_tokens(&tokens, options),
            proxy,
            hostname,
            port,
            user,
        }
    }
}

/// The tokens of `ssh_config(5)` that hold for a command: those of a path, and some of this machine.
fn command_tokens(of_path: &[(char, &str)], options: &Options) -> Vec<(char, String)> {
    let mut tokens: Vec<(char, String)> = of_path.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let value = |name: char| of_path.iter().find(|(own, _)| *own == name).map(|(_, value)| *value).unwrap_or_default();
    let local = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let jump = options.set("proxyjump").unwrap_or_default();
    let alias = options.first("hostkeyalias").filter(|alias| !alias.eq_ignore_ascii_case("none"));
    let connection = [local.as_str(), value('h'), value('p'), value('r'), jump.as_str()].concat();
    let own = [
        ('k', alias.unwrap_or_else(|| value('n')).to_owned()),
        ('i', rustix::process::getuid().as_raw().to_string()),
        ('L', local.split('.').next().unwrap_or_default().to_owned()),
        ('C', hex(&Sha1::digest(connection.as_bytes()))),
        ('j', jump),
        ('l', local),
    ];
    tokens.extend(own);
    tokens
}

fn agent(option: Option<&str>, surroundings: &Surroundings, path: impl Fn(&str) -> PathBuf) -> AgentChoice {
    let usual = || surroundings.agent.clone().map_or(AgentChoice::Nobody, AgentChoice::At);
    match option {
        None | Some("SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK") => usual(),
        Some(none) if none.eq_ignore_ascii_case("none") => AgentChoice::Nobody,
        Some(variable) if variable.starts_with('$') => {
            let name = variable.trim_start_matches('$').trim_start_matches('{').trim_end_matches('}');
            std::env::var_os(name).map_or(AgentChoice::Nobody, |value| AgentChoice::At(PathBuf::from(value)))
        }
        Some(socket) => AgentChoice::At(path(socket)),
    }
}

/// Replaces `%x` by its value; `%%` is a percent sign, and an unknown token stays as it is.
fn expand(text: &str, tokens: &[(char, &str)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match rest.next() {
            Some('%') | None => out.push('%'),
            Some(token) => match tokens.iter().find(|(name, _)| *name == token) {
                Some((_, value)) => out.push_str(value),
                None => out.extend(['%', token]),
            },
        }
    }
    out
}
