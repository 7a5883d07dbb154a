//! What to log in with, in which order: keys of files and of the agent, and the certificates that go with them.
//!
//! *Invariant:* makes no connection to a host; a certificate that no host would take is not offered, and that is told.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::Dialer;
use super::agent::Agent;
use super::certificate::{Certificate, is_certificate};
use super::key_file::{Key, certificate_beside, public_half};
use crate::inventory::host::Host;
use crate::transport::KeyFault;
use crate::transport::known_hosts::fingerprint;
use crate::transport::ssh_config::{AgentChoice, Resolved, expand_home};

/// Keys that are tried where nobody names one, the best first.
const USUAL_KEYS: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// Something to log in with.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    /// What is shown to the host: a public key, or a certificate of one.
    pub(super) blob: Vec<u8>,
    pub(super) signer: Signer,
    /// `SHA256:... (where it came from)`.
    pub(super) label: String,
    /// Where it is one.
    pub(super) certificate: Option<Arc<Certificate>>,
}

/// Who signs.
#[derive(Debug, Clone)]
pub(super) enum Signer {
    /// A key that the agent holds, by the name it has there: the plain key or the certificate.
    Agent { agent: Arc<Agent>, key: Vec<u8> },
    /// A key that was read.
    File(Arc<Key>),
}

/// What is offered so far, each once.
struct Offer<'a> {
    list: Vec<Credential>,
    agent: Option<Arc<Agent>>,
    held: Vec<Vec<u8>>,
    notes: &'a mut Vec<String>,
    /// Told before the scan too.
    worthless: &'a Mutex<Vec<String>>,
    now: SystemTime,
}

impl Offer<'_> {
    fn add(&mut self, credential: Credential) {
        if !self.list.iter().any(|other| other.blob == credential.blob) {
            self.list.push(credential);
        }
    }

    /// The agent as the signer for a key that it holds.
    fn by_agent(&self, key: &[u8]) -> Option<Signer> {
        let agent = Arc::clone(self.agent.as_ref()?);
        self.held.iter().any(|held| held == key).then(|| Signer::Agent { agent, key: key.to_vec() })
    }

    /// Adds a certificate, unless it is worth nothing.
    fn add_certificate(&mut self, certificate: &Arc<Certificate>, signer: Signer, place: &str) {
        if let Some(fault) = certificate.fault_for_users(self.now) {
            let whose = format!("the {} ({place}) ", certificate.name());
            let note = format!("{whose}{fault}; it is not offered");
            let mut told = self.worthless.lock().unwrap_or_else(PoisonError::into_inner);
            // Once, although the text has the time in it.
            if !told.iter().any(|other| other.starts_with(&whose)) {
                told.push(note.clone());
            }
            drop(told);
            self.note(note);
            return;
        }
        if let Some(command) = certificate.forced_command() {
            self.note(format!(
                "the {} ({place}) makes hosts run \"{command}\" in place of any command",
                certificate.name()
            ));
        }
        let label = format!("{} ({}, {place})", fingerprint(&certificate.key), certificate.name());
        let certificate = Some(Arc::clone(certificate));
        let blob = certificate.as_ref().map(|own| own.blob.clone()).unwrap_or_default();
        self.add(Credential { blob, signer, label, certificate });
    }

    /// Adds the certificates of a key that are held by the agent or lie beside its file; then the key itself.
    fn add_with_certificates(&mut self, key: &[u8], signer: &Signer, beside: Option<(&Path, Arc<Certificate>)>) {
        if let Some((path, certificate)) = beside {
            if certificate.key == key {
                self.add_certificate(&certificate, signer.clone(), &path.display().to_string());
            } else {
                self.note(format!("the certificate {} is of another key", path.display()));
            }
        }
        self.add_held_certificates(|certificate| certificate.key == key);
        let label = match signer {
            Signer::Agent { .. } => format!("{} (agent)", fingerprint(key)),
            Signer::File(file) => file.label(),
        };
        self.add(Credential { blob: key.to_vec(), signer: signer.clone(), label, certificate: None });
    }

    /// Adds the agent's certificates that are wanted.
    fn add_held_certificates(&mut self, wanted: impl Fn(&Certificate) -> bool) {
        for blob in self.held.clone() {
            let Some(signer) = self.by_agent(&blob).filter(|_| is_certificate(&blob)) else { continue };
            if let Some(certificate) = Certificate::parse(&blob).filter(&wanted) {
                self.add_certificate(&Arc::new(certificate), signer, "agent");
            }
        }
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }
}

impl Dialer {
    /// What to offer, in order: the certificates that are named, the named keys (by the agent where it holds them), the
    /// agent's others, the usual files; certificates before their keys.
    pub(super) fn credentials(
        &self,
        host: &Host,
        resolved: &Resolved,
        notes: &mut Vec<String>,
    ) -> Result<Vec<Credential>, KeyFault> {
        let agent = self.agent(&resolved.agent, notes);
        let held = agent.as_ref().and_then(|agent| agent.held().ok()).unwrap_or_default().to_vec();
        let worthless = &self.worthless;
        let mut offer = Offer { list: Vec::new(), agent, held, notes, worthless, now: SystemTime::now() };
        let written: Vec<PathBuf> = match &host.identity {
            Some(path) => vec![path.to_str().map_or_else(|| path.clone(), |text| expand_home(text, &self.home))],
            None => self.settings.identities.clone(),
        };
        for path in &written {
            self.add_file(&mut offer, path, true)?;
        }
        for path in resolved.identities.iter().filter(|_| written.is_empty()) {
            if let Err(fault) = self.add_file(&mut offer, path, true) {
                offer.note(fault.to_string());
            }
        }
        self.add_named_certificates(&mut offer, &resolved.certificates);
        if !resolved.identities_only {
            offer.add_held_certificates(|_| true);
            for blob in offer.held.clone() {
                if let Some(signer) = offer.by_agent(&blob).filter(|_| !is_certificate(&blob)) {
                    offer.add_with_certificates(&blob, &signer, None);
                }
            }
        }
        if written.is_empty() && resolved.identities.is_empty() {
            // A passphrase is worth a question only where nothing else could log in.
            let ask = offer.list.is_empty();
            for name in USUAL_KEYS {
                match self.add_file(&mut offer, &self.home.join(".ssh").join(name), ask) {
                    Ok(()) | Err(KeyFault::Absent { .. }) => {}
                    Err(fault) => offer.note(fault.to_string()),
                }
            }
        }
        Ok(offer.list)
    }

    /// Adds a key file with the certificate beside it.
    fn add_file(&self, offer: &mut Offer<'_>, path: &Path, ask: bool) -> Result<(), KeyFault> {
        // Without an agent no file needs to be read again for each host.
        let half = if offer.held.is_empty() { None } else { public_half(path) };
        let held = half.and_then(|blob| Some((offer.by_agent(&blob)?, blob)));
        let (signer, key) = if let Some(held) = held {
            held
        } else {
            let key = self.keys.key(path, ask.then_some(&self.passphrase))?;
            let blob = key.blob().to_vec();
            (Signer::File(key), blob)
        };
        let place = certificate_beside(path);
        let beside = self.keys.certificate(&place).and_then(|read| match read {
            Ok(certificate) => Some((place.as_path(), certificate)),
            Err(why) => {
                offer.note(why);
                None
            }
        });
        offer.add_with_certificates(&key, &signer, beside);
        Ok(())
    }

    /// Adds the certificates of `CertificateFile`, in front: their key is one of those that are offered, or in the agent.
    fn add_named_certificates(&self, offer: &mut Offer<'_>, files: &[PathBuf]) {
        let keys = std::mem::take(&mut offer.list);
        for path in files {
            let certificate = match self.keys.certificate(path) {
                Some(Ok(certificate)) => certificate,
                Some(Err(why)) => {
                    offer.note(why);
                    continue;
                }
                None => {
                    offer.note(format!("the certificate {} does not exist", path.display()));
                    continue;
                }
            };
            let own = keys.iter().find(|key| key.blob == certificate.key).map(|key| key.signer.clone());
            match own.or_else(|| offer.by_agent(&certificate.key)) {
                Some(signer) => offer.add_certificate(&certificate, signer, &path.display().to_string()),
                None => offer.note(format!(
                    "the certificate {} is of the key {}, which neither a named file nor the agent holds",
                    path.display(),
                    fingerprint(&certificate.key)
                )),
            }
        }
        for key in keys {
            offer.add(key);
        }
    }

    /// The agent, asked for its keys once a run and socket; an absent one is worth a note only.
    fn agent(&self, choice: &AgentChoice, notes: &mut Vec<String>) -> Option<Arc<Agent>> {
        let AgentChoice::At(socket) = choice else {
            notes.push("no SSH agent is set (SSH_AUTH_SOCK)".to_owned());
            return None;
        };
        let mut agents = self.agents.lock().unwrap_or_else(PoisonError::into_inner);
        let agent = Arc::clone(agents.entry(socket.clone()).or_insert_with(|| Arc::new(Agent::ask(socket))));
        match agent.held() {
            Ok(_) => Some(agent),
            Err(why) => {
                notes.push(why.to_owned());
                None
            }
        }
    }
}
