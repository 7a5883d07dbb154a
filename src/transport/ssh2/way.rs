//! What a host is reached through: `jump=` of the hosts file, else `ProxyJump` or `ProxyCommand` of `ssh_config`.
//!
//! *Invariant:* `jump=` wins, `jump=none` included; nothing is started here, and what can't be taken is refused with its place.

use std::sync::Arc;

use super::Dialer;
use super::route::endpoint;
use crate::inventory::host::{Host, JumpHost, is_plain_host};
use crate::transport::RouteError;
use crate::transport::proxy::{Client, Hop, ProxyCommand, Through, Tokens};
use crate::transport::ssh_config::{Asked, Resolved};

/// Jump hosts in a row, those that `ssh_config` names for jump hosts included.
const LONGEST_CHAIN: usize = 8;

impl Dialer {
    /// The way to a host; `None` where it is dialled itself.
    pub(super) fn through(
        &self,
        host: &Host,
        typed: &str,
        resolved: &Resolved,
        user: &str,
    ) -> Result<Option<Through>, RouteError> {
        let refused = |keyword, value: &str, detail: String| RouteError::Proxy {
            place: host.place.clone(),
            name: host.name.clone(),
            keyword,
            value: value.to_owned(),
            detail,
        };
        let tokens = Tokens { host: &resolved.hostname, typed, port: resolved.port, user };
        let (keyword, written, jumps) = match (&host.jump, &resolved.proxy) {
            (Some(jumps), _) if jumps.is_empty() => return Ok(None),
            (Some(jumps), _) => {
                let words: Vec<String> = jumps.iter().map(ToString::to_string).collect();
                ("jump", words.join(","), jumps.clone())
            }
            (None, Some(("ProxyCommand", written))) => {
                if resolved.passes_descriptor {
                    let detail = "ProxyUseFdpass is not supported: its bytes could not be counted".to_owned();
                    return Err(refused("ProxyCommand", written, detail));
                }
                let command =
                    ProxyCommand::new(written, tokens).map_err(|detail| refused("ProxyCommand", written, detail))?;
                return Ok(Some(Through::Command(Arc::new(command))));
            }
            (None, Some((keyword, written))) => {
                let list = tokens.expand(written).and_then(|text| {
                    JumpHost::of_proxy_jump(&text, &host.place).map_err(|mistake| mistake.to_string())
                });
                (*keyword, written.clone(), list.map_err(|detail| refused(keyword, written, detail))?)
            }
            (None, None) => return Ok(None),
        };
        if !is_plain_host(&resolved.hostname) {
            let detail = format!("{:?} is no name or address that a jump host could dial", resolved.hostname);
            return Err(refused(keyword, &written, detail));
        }
        let chain = self.chain(jumps).map_err(|detail| refused(keyword, &written, detail))?;
        let Some((ssh, config)) = self.config.client() else {
            let detail = "the ssh client is needed for jump hosts and not in PATH; install openssh-client".to_owned();
            return Err(refused(keyword, &written, detail));
        };
        let client = Client {
            ssh: ssh.to_owned(),
            config: config.map(ToOwned::to_owned),
            identities: self.settings.identities.clone(),
            accept_new_host_keys: self.settings.accept_new_host_keys,
            patience: self.settings.connect_timeout,
        };
        let bastion = self.proxies.bastion(&chain, &client).map_err(|error| {
            refused(keyword, &written, format!("a private folder for its control socket can't be made: {error}"))
        })?;
        Ok(bastion.map(Through::Jump))
    }

    /// The hops, with those that `ssh_config` puts before the first one.
    fn chain(&self, jumps: Vec<JumpHost>) -> Result<Vec<Hop>, String> {
        let mut left: Vec<JumpHost> = jumps;
        let mut chain: Vec<Hop> = Vec::new();
        // Backwards from the last: what stands before a hop comes next, or what ssh_config says of the first.
        while let Some(jump) = left.pop() {
            if chain.len() >= LONGEST_CHAIN {
                return Err(format!("more than {LONGEST_CHAIN} jump hosts in a row: does ssh_config go in a circle?"));
            }
            let resolved = self.resolve_jump(&jump);
            if !is_plain_host(&resolved.hostname) {
                return Err(format!("{:?} (HostName of {jump}) is no name or address", resolved.hostname));
            }
            if left.is_empty()
                && let Some(("ProxyJump", written)) = &resolved.proxy
            {
                let user = resolved.user.as_deref().unwrap_or_default();
                let tokens = Tokens { host: &resolved.hostname, typed: &jump.host, port: resolved.port, user };
                let text = tokens.expand(written)?;
                let place = crate::inventory::host::Place { file: "ssh_config".to_owned(), line: 0 };
                left = JumpHost::of_proxy_jump(&text, &place).map_err(|mistake| mistake.to_string())?;
            }
            chain.push(Hop {
                label: jump.to_string(),
                endpoint: endpoint(&resolved.hostname, resolved.port),
                known_hosts: match &self.settings.known_hosts {
                    Some(file) => vec![file.clone()],
                    None => resolved.user_known_hosts,
                },
                host: jump.host,
                user: jump.user,
                port: jump.port,
            });
        }
        chain.reverse();
        Ok(chain)
    }

    /// What `ssh_config` says of a jump host, asked once a run: a fleet has few of them and many hosts behind each.
    fn resolve_jump(&self, jump: &JumpHost) -> Resolved {
        let mut known = self.jumps.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let ask = || self.config.resolve(Asked { host: &jump.host, port: jump.port, user: jump.user.as_deref() });
        known.entry(jump.to_string()).or_insert_with(ask).clone()
    }
}
