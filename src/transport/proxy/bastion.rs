//! A jump host and the one connection to it that all hosts behind it share: a control master of ssh(1).
//!
//! A login at the bastion costs more than everything else on the way to a host, and its `MaxStartups` counts logins; a
//! channel of a connection that is there costs neither.
//!
//! *Invariant:* one master at a time; a bastion that failed is left alone for a while, and each host hears why.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::master::{Fate, Master, Orders};
use crate::model::Reason;
use crate::transport::{Phase, TransportError};

/// How long a failure is remembered: hosts that come meanwhile don't wait for the same again.
const FAILURE_KEPT: Duration = Duration::from_secs(30);
/// Logins in all, where the bastion turns the first away.
const MOST_ATTEMPTS: u32 = 4;
/// Doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// TCP, the handshake and the login get the connect timeout each.
const PATIENCES: u32 = 3;
/// How often a change is looked for that nobody tells.
const TICK: Duration = Duration::from_millis(100);

/// Why a bastion can't be used, for as many hosts as ask.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) reason: Reason,
    pub(super) detail: String,
}

#[derive(Debug)]
enum State {
    /// Nobody needed it yet, or the connection ended.
    Idle,
    /// Somebody logs in.
    Starting,
    Up(Master),
    Failed(Refusal, Instant),
    /// The run ends.
    Closed,
}

/// The last of a chain of jump hosts.
#[derive(Debug)]
pub(in crate::transport) struct Bastion {
    /// The chain, as `ssh -J` reads it.
    pub(super) label: String,
    /// The one that it is reached through.
    through: Option<Arc<Bastion>>,
    ssh: PathBuf,
    /// What ssh(1) is told, the destination last.
    arguments: Vec<OsString>,
    /// `[host]:port` as the bastion before it dials it.
    endpoint: String,
    socket: PathBuf,
    patience: Duration,
    state: Mutex<State>,
    changed: Condvar,
}

/// What makes one.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) label: String,
    pub(super) through: Option<Arc<Bastion>>,
    pub(super) ssh: PathBuf,
    pub(super) arguments: Vec<OsString>,
    pub(super) endpoint: String,
    pub(super) socket: PathBuf,
    pub(super) patience: Duration,
}

impl Bastion {
    pub(super) fn new(plan: Plan) -> Self {
        let Plan { label, through, ssh, arguments, endpoint, socket, patience } = plan;
        let (state, changed) = (Mutex::new(State::Idle), Condvar::new());
        Self { label, through, ssh, arguments, endpoint, socket, patience, state, changed }
    }

    /// The labels of every bastion on the way, the nearest first.
    pub(super) fn hops(&self) -> Vec<String> {
        let mut hops = self.through.as_ref().map_or_else(Vec::new, |through| through.hops());
        hops.push(self.label.clone());
        hops
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the connection to it is there; makes it where nobody does.
    pub(super) fn ready(&self, deadline: Instant) -> Result<(), TransportError> {
        let mut state = self.state();
        loop {
            let now = Instant::now();
            match &mut *state {
                State::Up(master) if !master.has_ended() => return Ok(()),
                State::Failed(refusal, since) if since.elapsed() < FAILURE_KEPT => return Err(self.refuse(refusal)),
                State::Closed => return Err(closing()),
                State::Starting if now >= deadline => {
                    let detail = format!("the jump host {} did not let anybody in yet", self.label);
                    return Err(TransportError::Timeout { phase: Phase::Connect, detail });
                }
                State::Starting => {
                    let left = deadline.saturating_duration_since(now).min(TICK);
                    state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                }
                State::Idle | State::Up(_) | State::Failed(..) => {
                    *state = State::Starting;
                    drop(state);
                    let is_short = deadline < now + self.patience * PATIENCES;
                    let begun = self.begin(deadline);
                    state = self.state();
                    let (next, result) = match begun {
                        Ok(master) => (State::Up(master), Ok(())),
                        // One host's time was over, which says nothing to the others.
                        Err(Obstacle::Own(refusal)) if is_short && Instant::now() >= deadline => {
                            (State::Idle, Err(self.refuse(&refusal)))
                        }
                        Err(Obstacle::Own(refusal)) => {
                            let error = self.refuse(&refusal);
                            (State::Failed(refusal, Instant::now()), Err(error))
                        }
                        // The bastion before it remembers its own.
                        Err(Obstacle::Before(error)) => (State::Idle, Err(error)),
                    };
                    // Dropping what comes too late ends it.
                    if !matches!(*state, State::Closed) {
                        *state = next;
                    }
                    self.changed.notify_all();
                    return result;
                }
            }
        }
    }

    fn begin(&self, deadline: Instant) -> Result<Master, Obstacle> {
        let deadline = deadline.min(Instant::now() + self.patience * PATIENCES);
        let mut attempt = 1;
        loop {
            let mut arguments = Vec::new();
            if let Some(through) = &self.through {
                through.ready(deadline).map_err(Obstacle::Before)?;
                arguments.push("-o".into());
                let text = format!("ProxyCommand={}", super::arguments::quoted(&through.forward(&self.endpoint)));
                arguments.push(text.into());
            }
            arguments.extend(self.arguments.iter().cloned());
            let orders = Orders { ssh: &self.ssh, socket: &self.socket, arguments: &arguments, deadline };
            let is_wanted = || !matches!(*self.state(), State::Closed);
            let refusal = match Master::start(&orders, &is_wanted) {
                Fate::Up(master) => return Ok(master),
                Fate::Unwanted => return Err(Obstacle::Before(closing())),
                Fate::Failed(refusal) => refusal,
            };
            let pause = FIRST_PAUSE.saturating_mul(1 << (attempt - 1).min(8));
            let is_over = attempt >= MOST_ATTEMPTS || Instant::now() + pause >= deadline || !is_wanted();
            if refusal.reason != Reason::Throttled || is_over {
                return Err(Obstacle::Own(refusal));
            }
            std::thread::sleep(pause);
            attempt += 1;
        }
    }

    fn refuse(&self, refusal: &Refusal) -> TransportError {
        let by = format!("the jump host {}", self.label);
        TransportError::Proxy { by, reason: refusal.reason, detail: refusal.detail.clone() }
    }

    /// The words of a client that asks the master for a connection from the bastion to an endpoint.
    fn forward(&self, endpoint: &str) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec![self.ssh.clone().into()];
        // Where the master is gone, it must not dial the bastion by itself: thus the proxy that fails.
        for word in
            ["-T", "-F", "none", "-o", "ControlMaster=no", "-o", "BatchMode=yes", "-o", "ProxyCommand=false", "-S"]
        {
            words.push(word.into());
        }
        words.push(super::arguments::escaped(self.socket.as_os_str()));
        words.extend(["-W".into(), endpoint.into(), "--".into(), "bastion".into()]);
        words
    }

    /// The same, to be run.
    pub(super) fn command(&self, endpoint: &str) -> Command {
        let mut words = self.forward(endpoint).into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words);
        command
    }

    /// Lines that the master said so far.
    pub(super) fn said(&self) -> usize {
        match &*self.state() {
            State::Up(master) => master.said(),
            State::Idle | State::Starting | State::Failed(..) | State::Closed => 0,
        }
    }

    /// Lines that it said since.
    pub(super) fn said_since(&self, count: usize) -> Vec<String> {
        match &*self.state() {
            State::Up(master) => master.said_since(count),
            State::Idle | State::Starting | State::Failed(..) | State::Closed => Vec::new(),
        }
    }

    /// Ends the connection, for good.
    pub(super) fn close(&self) {
        let mut state = self.state();
        let was = std::mem::replace(&mut *state, State::Closed);
        drop(state);
        self.changed.notify_all();
        drop(was);
    }
}

/// What kept a login from happening.
enum Obstacle {
    Own(Refusal),
    Before(TransportError),
}

fn closing() -> TransportError {
    TransportError::Closed { phase: Phase::Connect, detail: "the run is ending".to_owned() }
}
