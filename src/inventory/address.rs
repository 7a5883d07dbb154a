//! `[user@]host[:port]` and `[user@][v6][:port]`, one or a node set of them.
//!
//! *Invariant:* what is returned can stand in a command: every part passed its [`Spelling`](super::spelling::Spelling).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::mistake::{Refusal, quote};
use super::node_set::{NodeSet, NodeSetError};
use super::spelling::{HOST, NAME, USER, ZONE};

/// Where to dial and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) user: Option<String>,
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

impl Address {
    /// Reads a node set of addresses and the node set of their names, at most `room` of them.
    ///
    /// Expansion stops at the first member that is refused, so one mistake is said once.
    pub(super) fn read_set(text: &str, names: Option<&str>, room: usize) -> Result<Vec<(Self, String)>, Refusal> {
        let set = read_node_set(text)?;
        if set.count() > room as u64 {
            let text = format!("{} names {} hosts; {room} is the most", quote(text), counted(set.count()));
            return Err(Refusal::new(text, "narrow the range, such as web-[1-500]"));
        }
        let Some(names) = names else {
            return set.iter().map(|member| Self::read(&member).map(Self::with_name)).collect();
        };
        let called = read_node_set(names)?;
        if called.count() != set.count() {
            let (hosts, called) = (set.count(), counted(called.count()));
            let text = format!("name={} counts {called} where the hosts count {hosts}", quote(names));
            return Err(Refusal::new(text, "write as many names as hosts, such as 10.0.0.[1-3] name=web-[1-3]"));
        }
        set.iter()
            .zip(called.iter())
            .map(|(member, name)| Ok((Self::read(&member)?, NAME.admit(&name)?.to_owned())))
            .collect()
    }

    /// Reads one address.
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(USER.admit(user)?.to_owned()), rest),
            None => (None, text),
        };
        let (host, port) = match rest.strip_prefix('[') {
            Some(bracketed) => {
                let (inner, after) = bracketed
                    .split_once(']')
                    .ok_or_else(|| HOST.refusal(format!("{} has a bracket that is not closed", quote(rest))))?;
                let port = after.strip_prefix(':');
                if port.is_none() && !after.is_empty() {
                    let text = format!("{} goes on after the bracket without a colon", quote(rest));
                    return Err(HOST.refusal(text));
                }
                (read_v6(inner)?, port)
            }
            None => match rest.split_once(':') {
                Some((_, more)) if more.contains(':') => return Err(bare_v6(rest)),
                Some((host, port)) => (read_host(host)?, Some(port)),
                None => (read_host(rest)?, None),
            },
        };
        Ok(Self { user, host, port: port.map(read_port).transpose()? })
    }

    fn with_name(self) -> (Self, String) {
        let name = self.name();
        (self, name)
    }

    /// The host as written, with the port where one was written.
    fn name(&self) -> String {
        match self.port {
            Some(port) if self.host.contains(':') => format!("[{}]:{port}", self.host),
            Some(port) => format!("{}:{port}", self.host),
            None => self.host.clone(),
        }
    }
}

/// Two addresses of one machine have one key: case and the spelling of IPv6 do not count.
pub(super) fn key(host: &str) -> String {
    let (address, zone) = host.split_once('%').map_or((host, ""), |(address, zone)| (address, zone));
    match address.parse::<Ipv6Addr>() {
        Ok(v6) if zone.is_empty() => v6.to_string(),
        Ok(v6) => format!("{v6}%{zone}"),
        Err(_) => host.to_ascii_lowercase(),
    }
}

fn read_node_set(text: &str) -> Result<NodeSet, Refusal> {
    NodeSet::parse(text).map_err(|error| {
        let remedy = match error {
            NodeSetError::Unclosed => "close it, without spaces inside, such as web-[01-20,25]",
            NodeSetError::Unopened | NodeSetError::NotANumber => "write numbers and ranges, such as web-[01-20,25]",
            NodeSetError::Backwards => "write the smaller number first, such as web-[01-20]",
            NodeSetError::Padding => "write both ends with as many digits, such as web-[01-20]",
        };
        Refusal::new(format!("{}: {error}", quote(text)), remedy)
    })
}

fn counted(count: u64) -> String {
    if count == u64::MAX { "far too many".to_owned() } else { count.to_string() }
}

fn read_host(text: &str) -> Result<String, Refusal> {
    HOST.admit(text)?;
    if text.eq_ignore_ascii_case("local") {
        return Err(Refusal::new(
            "`local` is the target for this machine without SSH, not a host to dial",
            "type `driftscan local`, or write localhost to dial this machine",
        ));
    }
    // Resolvers read 10.1 as 10.0.0.1 and 010.0.0.1 as 8.0.0.1 (inet_aton(3)); what ends like a number must be IPv4 in full.
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<Ipv4Addr>().is_err() {
        return Err(HOST.refusal(format!("{} ends like an IPv4 address and is none", quote(text))));
    }
    Ok(text.to_owned())
}

pub(super) fn read_v6(text: &str) -> Result<String, Refusal> {
    let (address, zone) = match text.split_once('%') {
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    if address.parse::<Ipv6Addr>().is_err() {
        return Err(HOST.refusal(format!("{} is not an IPv6 address", quote(text))));
    }
    if let Some(zone) = zone {
        ZONE.admit(zone)?;
    }
    Ok(text.to_owned())
}

fn bare_v6(text: &str) -> Refusal {
    let text_shown = quote(text);
    match read_v6(text) {
        Ok(_) => Refusal::new(
            format!("{text_shown} does not say where an IPv6 address ends and a port starts"),
            format!("write [{text}] or [{text}]:22"),
        ),
        Err(_) => HOST.refusal(format!("{text_shown} has more than one colon and is no IPv6 address")),
    }
}

fn read_port(text: &str) -> Result<u16, Refusal> {
    let port = if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().unwrap_or(0) } else { 0 };
    if port == 0 {
        return Err(Refusal::new(
            format!("port {} is not a number from 1 to 65535", quote(text)),
            "write web-01:22 or [::1]:22",
        ));
    }
    Ok(port)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> (Option<String>, String, Option<u16>, String) {
        let address = Address::read(text).unwrap();
        let name = address.name();
        (address.user, address.host, address.port, name)
    }

    #[test]
    fn all_ways_to_write_one() {
        assert_eq!(read("web-01"), (None, "web-01".into(), None, "web-01".into()));
        assert_eq!(read("root@web-01:2222"), (Some("root".into()), "web-01".into(), Some(2222), "web-01:2222".into()));
        assert_eq!(read("[2001:db8::17]:22"), (None, "2001:db8::17".into(), Some(22), "[2001:db8::17]:22".into()));
        assert_eq!(read("a@[::1]"), (Some("a".into()), "::1".into(), None, "::1".into()));
        assert_eq!(read("[fe80::1%eth0]").1, "fe80::1%eth0");
        assert_eq!(read("10.0.0.1").1, "10.0.0.1");
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "",
            "@web",
            "-oProxyCommand=x",
            "a@-oProxyCommand=x",
            "-l@web",
            "web;id",
            "web:0",
            "web:65536",
            "web:+22",
            "web:",
            "web:22:23",
            "::1",
            "2001:db8::17",
            "[web]:22",
            "[::1",
            "[::1]22",
            "[::1]:",
            "[fe80::1%-x]",
            "[fe80::1%a;b]",
            "a@b@web",
            "DOM\\u@web",
            "10.1",
            "010.0.0.1",
            "10.0.0.256",
            "1",
            "web.1",
            "local",
            "Local:22",
            ".",
            "..",
            "$(id)@web",
        ] {
            assert!(Address::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_is_one_for_one_machine() {
        assert_eq!(key("2001:DB8:0::17"), key("2001:db8::17"));
        assert_eq!(key("WEB-01"), key("web-01"));
        assert_ne!(key("fe80::1%eth0"), key("fe80::1%eth1"));
    }

    #[test]
    fn names_pair_with_hosts() {
        let pairs = Address::read_set("10.0.0.[9-10]:22", Some("web-[01-02]"), 9).unwrap();
        let names: Vec<_> = pairs.iter().map(|(address, name)| format!("{} {name}", address.host)).collect();
        assert_eq!(names, ["10.0.0.9 web-01", "10.0.0.10 web-02"]);
        assert!(Address::read_set("10.0.0.[1-3]", Some("web"), 9).is_err());
        assert!(Address::read_set("10.0.0.1", Some("web-[1-2]"), 9).is_err());
        assert!(Address::read_set("web-[1-10]", None, 9).is_err());
    }

    proptest! {
        #[test]
        fn never_panics_and_returns_only_plain_parts(text in r"[-a-z0-9@:.\[\]%;$ ,é]{0,24}") {
            if let Ok(address) = Address::read(&text) {
                let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:%".contains(&b));
                prop_assert!(plain(&address.host) && !address.host.starts_with('-'));
                prop_assert!(address.user.is_none_or(|user| plain(&user) && !user.starts_with('-')));
            }
        }
    }
}
