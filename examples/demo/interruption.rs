//! Ctrl-C during the demonstration: the scan under way ends by itself, and the folder is still removed.
//!
//! *Invariant:* a second Ctrl-C ends the process at once, whatever it is doing.

use std::io::{self, BufRead as _};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// Whether somebody wants the demonstration to end.
pub(crate) struct Interruption {
    wish: Sender<()>,
    wishes: Receiver<()>,
}

impl Interruption {
    /// Listens for Ctrl-C and SIGTERM from now on.
    pub(crate) fn watch() -> io::Result<Self> {
        let (wish, wishes) = mpsc::channel();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let first = wish.clone();
        thread::spawn(move || {
            let mut signals = signals.forever();
            if signals.next().is_some() {
                first.send(()).ok();
            }
            if let Some(second) = signals.next() {
                emulate_default_handler(second).ok();
            }
        });
        Ok(Self { wish, wishes })
    }

    /// Fails once somebody pressed Ctrl-C; asked between the steps.
    pub(crate) fn refuse(&self) -> io::Result<()> {
        match self.wishes.try_recv() {
            Ok(()) => Err(io::Error::other("interrupted; the folder is removed")),
            Err(_) => Ok(()),
        }
    }

    /// Waits for Enter, for the end of standard input, or for Ctrl-C.
    pub(crate) fn wait_for_enter(&self) {
        let entered = self.wish.clone();
        thread::spawn(move || {
            io::stdin().lock().read_line(&mut String::new()).ok();
            entered.send(()).ok();
        });
        self.wishes.recv().ok();
    }
}
