//! From the connection flags to a dialer, and from hosts to routes.
//!
//! *Invariant:* a passphrase is asked for on a terminal only; every route that can't be taken is told before the first
//! connection, all at once.

use super::args::ConnectArgs;
use super::trouble::{Outcome, Trouble};
use crate::inventory::host::{Host, Reach};
use crate::scan::Way;
use crate::transport::{AskPassphrase, Dialer, RouteError, SshSettings};
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

/// Makes the dialer of a run.
pub(super) fn dialer(args: &ConnectArgs) -> Outcome<Dialer> {
    let settings = SshSettings {
        transport: args.transport.into(),
        identities: args.identity.clone(),
        user: args.user.clone(),
        port: args.port,
        ssh_config: args.ssh_config.clone(),
        known_hosts: args.known_hosts.clone(),
        accept_new_host_keys: args.accept_new_host_keys,
        connect_timeout: args.connect_timeout,
    };
    let before: Mutex<Option<PathBuf>> = Mutex::default();
    let ask: AskPassphrase = Box::new(move |path| {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        // A key is asked for again only where the passphrase was wrong.
        let last = before.lock().unwrap_or_else(PoisonError::into_inner).replace(path.to_owned());
        let wrong = if last.as_deref() == Some(path) { "Wrong. " } else { "" };
        let prompt = format!("{wrong}Passphrase of {}: ", path.display());
        rpassword::prompt_password(prompt).ok().map(Zeroizing::new)
    });
    Dialer::new(settings, ask).map_err(Trouble::new)
}

/// The way to each host.
pub(super) fn ways(dialer: &Dialer, hosts: &[Host]) -> Outcome<Vec<Way>> {
    let way = |host: &Host| match &host.reach {
        Reach::Local => Ok(Way::Local),
        Reach::Ssh { .. } => dialer.route(host).map(|route| Way::Ssh(Box::new(route))),
    };
    let ways: Vec<Result<Way, RouteError>> = hosts.iter().map(way).collect();
    let mut taken = Vec::new();
    let mut problems = Vec::new();
    for way in ways {
        match way {
            Ok(way) => taken.push(way),
            Err(error) => problems.push(error.to_string()),
        }
    }
    if problems.is_empty() { Ok(taken) } else { Err(Trouble::all(problems)) }
}

/// A host's address for people.
pub(super) fn address(host: &Host, way: &Way) -> String {
    match (way, &host.root) {
        (Way::Ssh(route), _) => route.address(),
        (Way::Local, None) => "local".to_owned(),
        (Way::Local, Some(root)) => format!("root:{root}"),
    }
}
