//! What a platform adds to the shared script: what it must be told, its shell functions, and the calls of a wave.
//!
//! *Invariant:* a platform hands over words, never shell text of the plan's: the script quotes them.

use std::io::Write;

use super::identity::Identity;
use super::word::{self, Word};
use super::{Renderer, Unrenderable, calendar, script};
use crate::plan::{Actuator, Group, Item, Plan, Wave};

/// A call of a shell function.
pub(super) struct Call {
    /// The function.
    pub(super) function: String,
    /// Its words, not quoted yet.
    pub(super) words: Vec<String>,
}

/// A call.
pub(super) fn call(function: &str, words: impl IntoIterator<Item = impl Into<String>>) -> Call {
    Call { function: function.to_owned(), words: words.into_iter().map(Into::into).collect() }
}

/// A wave with what it names.
pub(super) struct Part<'a> {
    /// The wave.
    pub(super) wave: &'a Wave,
    /// Its group.
    pub(super) group: &'a Group,
    /// Its items with what tells their machines, in its order.
    pub(super) items: Vec<(&'a Item, Identity<'a>)>,
    /// The number of the group's first wave.
    pub(super) first: usize,
}

impl Part<'_> {
    /// The call that verifies every machine of the wave.
    pub(super) fn verify(&self) -> Call {
        call(&format!("verify_{}", self.wave.number), [""; 0])
    }

    /// Verifies all before anything is done, then each once more right before its own steps, for the ones before it took
    /// their time.
    pub(super) fn each<P: Platform>(&self, platform: &P, steps: impl Fn(&Item) -> Vec<Call>) -> Vec<Call> {
        let mut calls = vec![self.verify()];
        for (at, (item, identity)) in self.items.iter().enumerate() {
            if at > 0 {
                calls.extend(platform.verify(item, identity));
            }
            calls.extend(steps(item));
        }
        calls
    }
}

/// A platform that replaces machines.
pub(super) trait Platform: Sync {
    /// Its word.
    fn actuator(&self) -> Actuator;

    /// What it is, in a line.
    fn about(&self) -> &'static str;

    /// Programs that its functions call.
    fn programs(&self) -> &'static [&'static str];

    /// Its shell functions.
    fn functions(&self) -> &'static [&'static str];

    /// What every host must be named by.
    fn handles(&self) -> &'static [Word];

    /// What every group must be named by.
    fn refs(&self) -> &'static [Word];

    /// Variables of a group that its functions read.
    fn settings(&self, group: &Group) -> Vec<(&'static str, String)>;

    /// What would prove a machine, where `provable` says that nothing does.
    fn remedy(&self) -> &'static str {
        "scan them directly, not through a jump host, or as live hosts, so that the plan has a host key or a machine id"
    }

    /// Whether something tells that the machine behind the handle is the one that was scanned.
    fn provable(&self, item: &Item, identity: &Identity<'_>) -> bool {
        let _ = item;
        identity.is_known()
    }

    /// What stops the script where the machine is another one; only reads.
    fn verify(&self, item: &Item, identity: &Identity<'_>) -> Vec<Call>;

    /// What replaces the machines of a wave.
    fn replace(&self, part: &Part<'_>) -> Vec<Call>;

    /// What must hold before the next wave.
    fn gate(&self, part: &Part<'_>) -> Vec<Call> {
        let number = part.wave.number.to_string();
        vec![call("gate", std::iter::once(&number).chain(&part.wave.hosts))]
    }

    /// What takes a wave back, where anything does.
    fn back(&self, part: &Part<'_>) -> Vec<Call> {
        let _ = part;
        Vec::new()
    }
}

impl<P: Platform> Renderer for P {
    fn name(&self) -> &'static str {
        self.actuator().word()
    }

    fn what(&self) -> &'static str {
        self.about()
    }

    fn render(&self, plan: &Plan, w: &mut dyn Write) -> Result<(), Unrenderable> {
        Ok(w.write_all(script::text(self, plan)?.as_bytes())?)
    }
}

/// The value of a group's `ref`, which the script saw to be there; empty where it may be left out.
pub(super) fn reference(group: &Group, key: &str) -> String {
    group.refs.iter().find(|(own, _)| own == key).map(|(_, value)| value.clone()).unwrap_or_default()
}

/// The value of a handle, which the script saw to be there; `-` where it may be left out.
pub(super) fn handle(item: &Item, key: &str) -> String {
    item.handle.get(key).unwrap_or("-").to_owned()
}

/// Seconds of a group's `drain_timeout`, or half an hour.
pub(super) fn drain(group: &Group) -> String {
    calendar::seconds(&reference(group, "drain_timeout")).unwrap_or(1_800).to_string()
}

/// How long a drain may take.
pub(super) const DRAIN: Word = Word { key: "drain_timeout", example: "30m", why: "", fits: word::duration };
