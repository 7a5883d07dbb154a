//! Why a plan can't be laid out for a platform: all of it at once, with the word to add.
//!
//! *Invariant:* a fault names the host or the group and what to write; nothing is rendered in part.

use std::fmt::{self, Write as _};
use std::io;

use thiserror::Error;

/// Why nothing was rendered.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Unrenderable {
    /// The writer failed.
    #[error("the rendering could not be written")]
    Io(#[from] io::Error),
    /// The plan lacks something, or holds what the platform would misunderstand.
    #[error("{}", told(renderer, faults))]
    Plan {
        /// The word of `--format`.
        renderer: &'static str,
        /// All that is wrong, in the order of the plan.
        faults: Vec<Fault>,
    },
}

fn told(renderer: &str, faults: &[Fault]) -> String {
    let mut text = format!("the plan can not be rendered for {renderer}:");
    for fault in faults {
        text.push_str("\n  ");
        text.push_str(&fault.to_string());
    }
    text
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Hosts without what names them to the platform.
    Handle {
        /// The key of the hosts file.
        key: &'static str,
        /// A value.
        example: &'static str,
        /// The hosts, in the order of the plan.
        hosts: Vec<String>,
    },
    /// Hosts that one name of the platform's stands for.
    Shared {
        /// The key of the hosts file.
        key: &'static str,
        /// The value that all of them have.
        value: String,
        /// The hosts, in the order of the fleet.
        hosts: Vec<String>,
    },
    /// A group without what names it to the platform.
    Reference {
        /// The group.
        group: String,
        /// The key under `ref` of the settings.
        key: &'static str,
        /// A value.
        example: &'static str,
        /// Why it is needed.
        why: &'static str,
    },
    /// A key of a group that means nothing to what replaces it: a slip would change what is run.
    Unknown {
        /// The group.
        group: String,
        /// The key.
        key: String,
        /// The keys that mean something.
        known: Vec<&'static str>,
    },
    /// A value that the platform would refuse, or understand as something else.
    Unfit {
        /// The host or the group.
        of: String,
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// A value that would do.
        example: &'static str,
    },
    /// Hosts of which nothing tells whether the machine behind the handle is the one that was scanned.
    Unprovable {
        /// The hosts, in the order of the plan.
        hosts: Vec<String>,
        /// What would tell.
        remedy: &'static str,
    },
    /// A window that is none.
    Window {
        /// The group.
        group: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A time of the plan that is none.
    Time {
        /// `created` or `expires`.
        field: &'static str,
        /// The text.
        text: String,
    },
    /// No wave is this platform's.
    Elsewhere {
        /// Groups of the waves and what replaces them.
        groups: Vec<(String, &'static str)>,
    },
    /// A wave names what the plan does not hold.
    Broken {
        /// What is missing.
        detail: String,
    },
    /// A character that no script may hold.
    Control {
        /// Its code.
        code: u32,
    },
}

/// Some names, and how many more there are.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handle { key, example, hosts } => {
                write!(f, "no {key}= on {}: add the word in the hosts file, such as {key}={example}", some(hosts))
            }
            Self::Shared { key, value, hosts } => {
                write!(f, "{key}={value} names {} of one group: give each its own in the hosts file", some(hosts))
            }
            Self::Reference { group, key, example, why } => {
                write!(
                    f,
                    "group {group} has no {key}, {why}: add it in the settings, such as ref = {{ {key} = \"{example}\" }}"
                )
            }
            Self::Unknown { group, key, known } => {
                write!(f, "{key} under ref of group {group} means nothing here: it takes {}", known.join(" "))
            }
            Self::Unfit { of, key, value, example } => {
                write!(f, "{key} of {of} is `{value}`: it must be of the form {example}")
            }
            Self::Unprovable { hosts, remedy } => {
                write!(f, "nothing tells whether {} are still the machines that were scanned: {remedy}", some(hosts))
            }
            Self::Window { group, detail } => write!(f, "a window of group {group}: {detail}"),
            Self::Time { field, text } => write!(f, "{field} of the plan is `{text}`, which is no time"),
            Self::Elsewhere { groups } => {
                f.write_str("no wave is for it:")?;
                groups.iter().try_for_each(|(group, actuator)| write!(f, " {group} is for {actuator}"))
            }
            Self::Broken { detail } => write!(f, "the plan is broken: {detail}"),
            Self::Control { code } => write!(f, "a text of the plan holds the control character U+{code:04X}"),
        }
    }
}
