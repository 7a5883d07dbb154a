//! How a host is reached and what collects there: the words `jump=`, `transport=` and `probe=`, and the flags of these names.
//!
//! *Invariant:* every part of a jump host passed the spelling of an address, so that it can stand in a command.

use super::address::{Address, read_v6};
use super::host::Place;
use super::mistake::{Mistake, Refusal, quote};
use super::spelling::{HOST, JUMP, USER};

/// Jump hosts in a row are a chain, and a chain longer than this is a mistake.
const MOST_JUMPS: usize = 8;

/// What speaks SSH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TransportChoice {
    /// libssh2, in this process.
    #[default]
    Ssh2,
    /// The system's own `ssh`.
    OpenSsh,
}

impl TransportChoice {
    /// Each of them, the default first.
    pub const ALL: [Self; 2] = [Self::Ssh2, Self::OpenSsh];

    /// The word in hosts files, flags and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ssh2 => "ssh2",
            Self::OpenSsh => "openssh",
        }
    }
}

/// What collects on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ProbeChoice {
    /// The installed probe where there is one, else a streamed one, else the shell.
    #[default]
    Auto,
    /// A probe that is uploaded for the length of the scan.
    Stream,
    /// A probe that is part of the image.
    Installed,
    /// The POSIX shell fallback.
    Sh,
}

impl ProbeChoice {
    /// Each of them, the default first.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Stream, Self::Installed, Self::Sh];

    /// The word in hosts files, flags and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Stream => "stream",
            Self::Installed => "installed",
            Self::Sh => "sh",
        }
    }
}

/// One machine to go through.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JumpHost {
    /// As written; `None` leaves it to `ssh_config`, then the local user.
    pub user: Option<String>,
    /// Name or address, without brackets.
    pub host: String,
    /// As written; `None` leaves it to `ssh_config`, then 22.
    pub port: Option<u16>,
}

impl std::fmt::Display for JumpHost {
    /// `[user@]host[:port]`, as `ssh -J` reads it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl JumpHost {
    /// Reads what `ProxyJump` of `ssh_config` holds: as `jump=` has it, or each as `ssh://[user@]host[:port]`.
    ///
    /// # Errors
    /// A part that could not stand in a command.
    pub fn of_proxy_jump(value: &str, place: &Place) -> Result<Vec<Self>, Mistake> {
        // ssh -G puts IPv4 addresses in brackets too, where a port follows.
        let plain = |word: &str| {
            let word = word.trim().trim_start_matches("ssh://").trim_end_matches('/');
            match word.split_once('[').and_then(|(user, rest)| Some((user, rest.split_once(']')?))) {
                Some((user, (host, port))) if !host.contains(':') && (port.is_empty() || port.starts_with(':')) => {
                    format!("{user}{host}{port}")
                }
                _ => word.to_owned(),
            }
        };
        let words: Vec<String> = value.split(',').map(plain).collect();
        read_jump(&words.join(",")).map_err(|refusal| refusal.at(place))
    }
}

/// Whether a text is a host name or an address and nothing else, so that it can stand in a shell's command.
#[must_use]
pub fn is_plain_host(text: &str) -> bool {
    HOST.admit(text).is_ok() || read_v6(text).is_ok()
}

/// Whether a text is a login name and nothing else, so that it can stand in a shell's command.
#[must_use]
pub fn is_plain_user(text: &str) -> bool {
    USER.admit(text).is_ok()
}

/// Reads `none`, or `[user@]host[:port]` one or several times with commas between; the nearest first.
pub(super) fn read_jump(value: &str) -> Result<Vec<JumpHost>, Refusal> {
    JUMP.admit(value)?;
    if value == "none" {
        return Ok(Vec::new());
    }
    let hosts = value.split(',').map(|word| {
        if word.is_empty() {
            return Err(JUMP.refusal(format!("jump={} names a host that is empty", quote(value))));
        }
        let Address { user, host, port } = Address::read(word)?;
        Ok(JumpHost { user, host, port })
    });
    let hosts: Vec<JumpHost> = hosts.collect::<Result<_, _>>()?;
    if hosts.len() > MOST_JUMPS {
        return Err(JUMP.refusal(format!("jump={} goes through more than {MOST_JUMPS} hosts", quote(value))));
    }
    Ok(hosts)
}

/// Reads the word of a transport.
pub(super) fn read_transport(value: &str) -> Result<TransportChoice, Refusal> {
    one_of("transport", value, &TransportChoice::ALL, TransportChoice::word)
}

/// Reads the word of a collector.
pub(super) fn read_probe(value: &str) -> Result<ProbeChoice, Refusal> {
    one_of("probe", value, &ProbeChoice::ALL, ProbeChoice::word)
}

fn one_of<T: Copy>(key: &str, value: &str, all: &[T], word: fn(T) -> &'static str) -> Result<T, Refusal> {
    all.iter().copied().find(|choice| word(*choice) == value).ok_or_else(|| {
        let known: Vec<String> = all.iter().map(|choice| format!("{key}={}", word(*choice))).collect();
        Refusal::new(format!("{key}={} is unknown", quote(value)), format!("write {}", known.join(", ")))
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_jump_hosts_is_read_in_its_order() {
        let hosts = read_jump("ops@bastion.example.net:2222,[2001:db8::1]:22,inner").unwrap();
        let shown: Vec<String> = hosts.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["ops@bastion.example.net:2222", "[2001:db8::1]:22", "inner"]);
        assert_eq!(read_jump("none").unwrap(), []);
    }

    #[test]
    fn what_is_no_chain_is_refused() {
        for bad in ["", ",", "a,", "a,,b", "-oProxyCommand=id", "a;id", "a,-x", "a,none,", "a@-b", "a,b,c,d,e,f,g,h,i"]
        {
            assert!(read_jump(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_proxy_jump_as_ssh_writes_it() {
        let place = Place::command_line();
        let read = |text: &str| {
            let hosts = JumpHost::of_proxy_jump(text, &place).ok()?;
            Some(hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
        };
        assert_eq!(read("a@[127.0.0.1]:22,b").as_deref(), Some("a@127.0.0.1:22,b"));
        assert_eq!(read("ssh://a@b:23/").as_deref(), Some("a@b:23"));
        assert_eq!(read("[::1]:22").as_deref(), Some("[::1]:22"));
        for bad in ["", "a;id", "-oProxyCommand=x", "a,,b", "[a;b]:22", "[a]b", "a b", "ssh://-x"] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert!(
            is_plain_host("fe80::1%eth0") && is_plain_host("web-01") && !is_plain_host("-x") && !is_plain_host("a b")
        );
        assert!(is_plain_user("_a.b-1") && !is_plain_user("a;b") && !is_plain_user(""));
    }
}
