//! Rules: which attributes of which path are compared. The last rule that matches wins.
//!
//! *Invariant:* the probe and the controller decide with this code alone, from a record's own attributes; an ability
//! that a side does not know is refused, never skipped.

use super::bytes::{Malformed, Reader, put_string, put_varint};
use super::pattern::Pattern;
use super::record::{Attr, Kind, Mask, RecordRef};
use super::view::View;
use alloc::vec::Vec;

/// Conditions beside the path, all of which must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct When {
    /// File types, as bits of [`Kind::bit`]; 0 is any.
    pub kinds: u8,
    /// Conditions, as bits of this type's constants; 0 is none.
    pub conditions: u8,
}

impl When {
    /// A regular file with an execute bit.
    pub const EXECUTABLE: u8 = 1;
    /// A regular file that gives whoever runs it more rights: setuid, setgid, or executable with file capabilities.
    pub const PRIVILEGED: u8 = 2;
    /// Everything this version knows.
    pub const KNOWN: u8 = Self::EXECUTABLE | Self::PRIVILEGED;
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Which paths.
    pub pattern: Pattern,
    /// Which of them.
    pub when: When,
    /// What is compared; nothing means ignored.
    pub mask: Mask,
    /// A reading of the content that is hashed instead of the bytes; it takes effect where the mask has
    /// [`super::Attr::View`].
    pub view: Option<View>,
}

/// What a path's fate depends on beside its name.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// File type.
    pub kind: Kind,
    /// Permission bits.
    pub mode: u16,
}

impl When {
    /// Whether the conditions hold; `capable` is asked only where the answer depends on it.
    #[must_use]
    pub fn holds(self, facts: Facts, capable: &mut dyn FnMut() -> bool) -> bool {
        let file = facts.kind == Kind::File;
        let executable = file && facts.mode & 0o111 != 0;
        (self.kinds == 0 || self.kinds & facts.kind.bit() != 0)
            && (self.conditions & Self::EXECUTABLE == 0 || executable)
            && (self.conditions & Self::PRIVILEGED == 0 || file && facts.mode & 0o6000 != 0 || executable && capable())
    }

    fn is_unconditional(self) -> bool {
        self.kinds == 0 && self.conditions == 0
    }
}

/// The compiled rules of a policy, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

/// Which rules can still matter in a directory: numbers in ascending order.
pub type Candidates = Vec<u16>;

/// Rules with the candidates of the folder met last: neighbours in a sorted list share it.
#[derive(Debug)]
pub struct Cursor<'a> {
    rules: &'a RuleSet,
    dir: Vec<u8>,
    candidates: Candidates,
}

impl Cursor<'_> {
    /// As [`RuleSet::ruling`].
    pub fn ruling(&mut self, record: RecordRef<'_>) -> (u16, Mask) {
        let Some(path) = record.path() else {
            return self.rules.ruling(record);
        };
        // The root is in no folder.
        let dir = match path.iter().rposition(|b| *b == b'/') {
            Some(0) if path.len() > 1 => &b"/"[..],
            Some(at) if at > 0 => &path[..at],
            _ => return self.rules.ruling(record),
        };
        if self.dir != dir {
            self.dir = dir.to_vec();
            self.candidates = self.rules.narrow(&self.rules.all(), dir);
        }
        self.rules.ruling_among(&self.candidates, record)
    }
}

impl RuleSet {
    /// The most rules of one policy.
    pub const MOST: usize = 4_096;

    /// Takes rules in the order of the policy.
    ///
    /// # Errors
    /// More rules than [`RuleSet::MOST`].
    pub fn new(rules: Vec<Rule>) -> Result<Self, Malformed> {
        if rules.len() > Self::MOST { Err(Malformed("more than 4,096 rules")) } else { Ok(Self { rules }) }
    }

    /// The rules in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Every rule, for the top.
    #[must_use]
    pub fn all(&self) -> Candidates {
        (0..self.rules.len() as u16).collect()
    }

    /// Those of `above` that can match something below `dir`, none before one that covers it whole.
    #[must_use]
    pub fn narrow(&self, above: &[u16], dir: &[u8]) -> Candidates {
        let mut below: Candidates = Vec::new();
        for number in above.iter().rev() {
            let rule = &self.rules[usize::from(*number)];
            if rule.pattern.reaches_below(dir) {
                below.push(*number);
                if rule.when.is_unconditional() && rule.pattern.covers_below(dir) {
                    break;
                }
            }
        }
        below.reverse();
        below
    }

    /// The rule that leaves out everything below a directory, where one does and no other can say otherwise.
    #[must_use]
    pub fn prunes(&self, below: &[u16]) -> Option<u16> {
        match below {
            [] => Some(u16::MAX),
            // `narrow` ends a list at a covering rule, so a list of one needs only to be unconditional and whole.
            [only] => {
                let rule = &self.rules[usize::from(*only)];
                (rule.mask == Mask::NONE && rule.when.is_unconditional() && rule.pattern.text().ends_with(b"/**"))
                    .then_some(*only)
            }
            _ => None,
        }
    }

    /// The view of a rule, by its number; none for `u16::MAX`.
    #[must_use]
    pub fn view_of(&self, number: u16) -> Option<View> {
        self.rules.get(usize::from(number)).and_then(|rule| rule.view)
    }

    /// Whether a rule compares by a keyed digest.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        self.rules.iter().any(|rule| rule.view == Some(View::Keyed))
    }

    /// The number and mask of the last rule that matches; a path that no rule names is not in the set.
    pub fn decide(
        &self,
        candidates: &[u16],
        path: &[u8],
        facts: Facts,
        capable: &mut dyn FnMut() -> bool,
    ) -> (u16, Mask) {
        for (at, number) in candidates.iter().enumerate().rev() {
            let rule = &self.rules[usize::from(*number)];
            if !rule.pattern.matches(path) {
                continue;
            }
            // A look at capabilities costs a system call: skip it where the answer would not change the outcome.
            let mut without = || false;
            let mut with = || true;
            let (no, yes) = (rule.when.holds(facts, &mut without), rule.when.holds(facts, &mut with));
            if no {
                return (*number, rule.mask);
            }
            if yes {
                let (other, mask) = self.decide(&candidates[..at], path, facts, capable);
                let same = mask == rule.mask && self.view_of(other) == rule.view;
                return if !same && capable() { (*number, rule.mask) } else { (other, mask) };
            }
        }
        (u16::MAX, Mask::NONE)
    }

    /// A cursor for records that come in the order of their subjects.
    #[must_use]
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor { rules: self, dir: Vec::new(), candidates: self.all() }
    }

    /// What of a record is compared: the one place where both sides project.
    ///
    /// Packages and facts are compared whole; a mount is, unless the rules leave its mount point out.
    #[must_use]
    pub fn mask_of(&self, record: RecordRef<'_>) -> Mask {
        self.ruling(record).1
    }

    /// The number of the deciding rule and its mask; `u16::MAX` where none matched or rules don't apply.
    #[must_use]
    pub fn ruling(&self, record: RecordRef<'_>) -> (u16, Mask) {
        self.ruling_among(&self.all(), record)
    }

    fn ruling_among(&self, candidates: &[u16], record: RecordRef<'_>) -> (u16, Mask) {
        let subject = record.subject();
        if let Some(path) = subject.strip_prefix(b"mount:") {
            let facts = Facts { kind: Kind::Directory, mode: 0 };
            let (number, mask) = self.decide(candidates, path, facts, &mut || false);
            return (number, if mask == Mask::NONE { Mask::NONE } else { Mask::ALL });
        }
        let Some(path) = record.path() else {
            return (u16::MAX, Mask::ALL);
        };
        let Some(kind) = record.kind() else {
            return (u16::MAX, Mask::NONE);
        };
        let facts = Facts { kind, mode: record.mode().unwrap_or(0) };
        let capable = record.attr(super::Attr::Capability).is_some();
        self.decide(candidates, path, facts, &mut || capable)
    }

    /// Appends the encoding: each pattern front-coded against the one before.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.rules.len() as u64);
        let mut before: &[u8] = b"";
        for rule in &self.rules {
            let text = rule.pattern.text();
            let shared = text.iter().zip(before).take_while(|(a, b)| a == b).count();
            put_varint(out, shared as u64);
            put_string(out, &text[shared..]);
            out.push(rule.when.kinds);
            out.push(rule.when.conditions);
            put_varint(out, u64::from(rule.mask.0));
            put_varint(out, rule.view.map_or(0, |view| u64::from(view as u8)));
            before = text;
        }
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// Malformed bytes, or an ability that this version does not know.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut rules: Vec<Rule> = Vec::new();
        for _ in 0..r.at_most(Self::MOST, "rules")? {
            let before = rules.last().map_or(&b""[..], |rule| rule.pattern.text());
            let shared = r.at_most(before.len(), "pattern")?;
            let mut text = before[..shared].to_vec();
            text.extend_from_slice(r.string(Pattern::MAX, "pattern")?);
            let pattern = Pattern::new(&text)?;
            let when = When { kinds: r.u8("kinds")?, conditions: r.u8("conditions")? };
            let mask = Mask(r.at_most(u32::MAX as usize, "mask")? as u32);
            let number = r.at_most(usize::from(u16::MAX), "view")? as u16;
            let view = View::of(number);
            let unknown = view.is_none() && (number != 0 || mask.has(Attr::View) && mask != Mask::ALL);
            if when.kinds > 0x7f || when.conditions & !When::KNOWN != 0 || mask.0 & !Mask::ALL.0 != 0 || unknown {
                return Err(Malformed("rule: it asks for an ability that this version lacks"));
            }
            rules.push(Rule { pattern, when, mask, view });
        }
        Ok(Self { rules })
    }
}
