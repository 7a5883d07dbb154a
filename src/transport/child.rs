//! A child process that leads a process group of its own.
//!
//! *Invariant:* the group never outlives this value, and no zombie is left of its leader.

use std::io;
use std::process::{Child, ExitStatus};

use rustix::process::{Pid, Signal, kill_process_group};

/// A child and its group.
#[derive(Debug)]
pub(super) struct Group {
    leader: Child,
    /// The leader was waited for: its number may be another's by now.
    reaped: bool,
}

impl Group {
    /// Of a child that was started as the leader of a group.
    pub(super) fn new(leader: Child) -> Self {
        Self { leader, reaped: false }
    }

    /// The leader's process id.
    pub(super) fn id(&self) -> u32 {
        self.leader.id()
    }

    /// How the leader ended, where it did.
    pub(super) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        let status = self.leader.try_wait()?;
        self.reaped |= status.is_some();
        Ok(status)
    }

    /// Kills all of them.
    pub(super) fn kill(&mut self) {
        if self.reaped {
            return;
        }
        if let Some(group) = i32::try_from(self.leader.id()).ok().and_then(Pid::from_raw) {
            // They may have ended already.
            let _ = kill_process_group(group, Signal::KILL);
        }
        // A child that was killed ends at once: this leaves no zombie and does not wait.
        self.reaped = self.leader.wait().is_ok();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}
