//! A child process that leads a group of its own: `ssh`, or the shell of a `ProxyCommand`.
//!
//! *Invariant:* whoever drops it leaves neither a zombie nor a member of the group behind.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How often an end is looked for.
const TICK: Duration = Duration::from_millis(5);

/// The child.
#[derive(Debug)]
pub(super) struct Process {
    /// Its pipes are the caller's to take.
    pub(super) child: Child,
    status: Option<ExitStatus>,
}

impl Process {
    /// Starts it, out of reach of the terminal's Ctrl-C: when it ends is decided here.
    pub(super) fn start(command: &mut Command) -> io::Result<Self> {
        Ok(Self { child: command.process_group(0).spawn()?, status: None })
    }

    /// Whether the leader ended. It is not reaped yet, so that its number still names the group.
    pub(super) fn has_ended(&self) -> bool {
        let Some(id) = self.id().filter(|_| self.status.is_none()) else { return true };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(id), options), Ok(None))
    }

    /// Asks the group to end.
    pub(super) fn ask(&self) {
        self.signal(Signal::TERM);
    }

    /// Waits for the leader's end, no longer than this; `meanwhile` is called often and may cut the wait short.
    pub(super) fn wait(&self, longest: Duration, mut meanwhile: impl FnMut() -> bool) -> bool {
        let until = Instant::now() + longest;
        loop {
            if self.has_ended() {
                return true;
            }
            if !meanwhile() || Instant::now() >= until {
                return false;
            }
            std::thread::sleep(TICK);
        }
    }

    /// Kills what is left of the group and reaps the leader.
    pub(super) fn end(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.signal(Signal::KILL);
            self.status = self.child.wait().ok();
        }
        self.status
    }

    fn id(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn signal(&self, signal: Signal) {
        if let Some(id) = self.id().filter(|_| self.status.is_none()) {
            // A group that is gone already is what was wanted.
            let _ = kill_process_group(id, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}
