//! Why driftscan can't go on: said with the chain of causes and a hint that can be typed.
//!
//! *Invariant:* the status is 1; nothing that was scanned is lost by it.

use std::fmt::Display;

/// One or more problems.
#[derive(Debug)]
pub(super) struct Trouble {
    lines: Vec<String>,
    hint: Option<String>,
}

/// A result of a command.
pub(super) type Outcome<T> = Result<T, Trouble>;

impl Trouble {
    /// A problem without a hint.
    pub(super) fn new(text: impl Display) -> Self {
        Self { lines: vec![text.to_string()], hint: None }
    }

    /// A problem and what to do.
    pub(super) fn with(text: impl Display, hint: impl Display) -> Self {
        Self { lines: vec![text.to_string()], hint: Some(hint.to_string()) }
    }

    /// Several problems of what the user wrote, told at once.
    pub(super) fn all<T: Display>(problems: impl IntoIterator<Item = T>) -> Self {
        Self { lines: problems.into_iter().map(|problem| problem.to_string()).collect(), hint: None }
    }

    /// Says it on standard error.
    pub(super) fn print(&self) {
        const SHOWN: usize = 100;
        for line in self.lines.iter().take(SHOWN) {
            err!("driftscan: {line}");
        }
        if self.lines.len() > SHOWN {
            err!("driftscan: and {} more", self.lines.len() - SHOWN);
        }
        if let Some(hint) = &self.hint {
            err!("  help: {hint}");
        }
    }
}

/// Says something that does not stop the run.
pub(super) fn warn(text: impl Display) {
    err!("warning: {text}");
}
