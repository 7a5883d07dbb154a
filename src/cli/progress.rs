//! Progress on standard error, for a person who waits.
//!
//! *Invariant:* nothing is drawn without a terminal, nor with `--quiet`.

use crate::model::Verdict;
use crate::scan::Event;
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// A word on one long thing that tells nothing before its end.
pub(super) struct Spinner(ProgressBar);

impl Spinner {
    /// Begins.
    pub(super) fn new(quiet: bool) -> Self {
        let bar = ProgressBar::new_spinner();
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            let style = ProgressStyle::with_template("{elapsed} {spinner} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()).tick_chars("|/-\\ "));
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self(bar)
    }

    /// What is being done.
    pub(super) fn say(&self, text: String) {
        self.0.set_message(text);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A bar over the hosts, and the slowest of those under way.
pub(super) struct Progress {
    bar: ProgressBar,
    names: Vec<String>,
    under_way: BTreeMap<usize, Instant>,
    drifted: usize,
    unverifiable: usize,
    bytes: u64,
}

impl Progress {
    /// Begins; `names` are those of the fleet, in order.
    pub(super) fn new(names: Vec<String>, quiet: bool) -> Self {
        let bar = ProgressBar::new(names.len() as u64);
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            let style = ProgressStyle::with_template("{elapsed} [{bar:24}] {pos}/{len} hosts, {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, names, under_way: BTreeMap::new(), drifted: 0, unverifiable: 0, bytes: 0 }
    }

    /// Takes note of an event.
    pub(super) fn watch(&mut self, event: &Event) {
        match event {
            Event::Started { index } => {
                self.under_way.insert(*index, Instant::now());
            }
            Event::Retrying { index, why } => {
                if let Some(name) = self.names.get(*index) {
                    self.bar.println(format!("{name}: {why}; trying again"));
                }
            }
            Event::Finished { index, outcome, .. } => {
                self.under_way.remove(index);
                self.drifted += usize::from(outcome.verdict == Verdict::Drifted);
                self.unverifiable += usize::from(outcome.verdict == Verdict::Unverifiable);
                self.bytes += outcome.wire.sent + outcome.wire.received;
                self.bar.inc(1);
            }
        }
        if !self.bar.is_hidden() {
            self.bar.set_message(self.words());
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn words(&self) -> String {
        let mut slowest: Vec<(&usize, &Instant)> = self.under_way.iter().collect();
        slowest.sort_by_key(|(_, start)| **start);
        let names: Vec<&str> =
            slowest.iter().take(3).filter_map(|(index, _)| self.names.get(**index).map(String::as_str)).collect();
        let left = self.bar.eta().as_secs();
        let waiting = if names.is_empty() { String::new() } else { format!(", waiting for {}", names.join(" ")) };
        format!(
            "{} drifted, {} unverifiable, {}, about {left} s left{waiting}",
            self.drifted,
            self.unverifiable,
            HumanBytes(self.bytes)
        )
    }
}
