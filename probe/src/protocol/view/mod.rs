//! Views: a file's content read as typed fields, which are hashed instead of its bytes.
//!
//! A view gives a text of its own: one line a field, `KEY<TAB>VALUE<LF>`, in the order of the file where order means
//! something and sorted where it does not. Bytes below space, DEL, the backslash and the tab are written `\xNN`. Secrets
//! (password hashes, private keys) are never part of it, so that it may be shown.
//!
//! *Invariant:* equal meaning gives equal text on every host; what does not parse is never guessed at: it is
//! [`NotParsed`], and the bytes are compared.

mod adjtime;
mod alternatives;
mod assignments;
mod authorized_keys;
mod certificates;
mod cron;
mod facts;
mod fstab;
mod hosts;
mod identity;
mod ini;
mod lines;
mod modules;
mod pam;
mod passwd;
mod plain;
mod resolv;
mod scan;
mod shadow;
mod sources;
mod spaced;
mod sshd;
mod stanzas;
mod sudoers;
mod sysctl;
mod token;

pub use facts::{HostFacts, Own};
pub use identity::is_machine_id;
pub use lines::{Fields, MARK, Order, Part, escape_field};
pub use token::own_text;

use super::digest::Digest;
use alloc::vec::Vec;

/// A file that a view can't read, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotParsed(pub &'static str);

macro_rules! views {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $word:literal, $secret:literal;)*) => {
        /// A typed reading. The number is the wire's; the word is the policy's and the baseline's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum View { $($(#[$doc])* $name = $number,)* }

        impl View {
            /// Every view.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The view of a wire number.
            #[must_use]
            pub fn of(number: u16) -> Option<Self> {
                match number { $($number => Some(Self::$name),)* _ => None }
            }

            /// The word.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// The view of a word.
            #[must_use]
            pub fn of_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)* _ => None }
            }

            /// Whether its text leaves out what a secret-class file must not tell, so that it may leave the host even for
            /// such a file. Every other view is refused there.
            #[must_use]
            pub fn is_public(self) -> bool {
                match self { $(Self::$name => $secret,)* }
            }
        }
    };
}

views! {
    /// passwd(5): name, ids, home, shell; a password field that is no `x` is told as set, empty or locked.
    Passwd = 1, "passwd", true;
    /// group(5): members sorted.
    Group = 2, "group", true;
    /// shadow(5): locked, empty or set, algorithm, ageing; never hashes or days of change.
    Shadow = 3, "shadow", true;
    /// gshadow(5) without its passwords.
    Gshadow = 4, "gshadow", true;
    /// subuid(5), subgid(5).
    Subid = 5, "subid", true;
    /// sudoers(5).
    Sudoers = 6, "sudoers", false;
    /// `authorized_keys`(5): by fingerprint, with options and comment.
    AuthorizedKeys = 7, "authorized-keys", true;
    /// `sshd_config`(5), `ssh_config`(5): keywords folded, `Match` and `Host` blocks apart.
    Sshd = 8, "sshd", false;
    /// pam.d(5).
    Pam = 9, "pam", false;
    /// crontab(5), of users and of the system.
    Cron = 10, "cron", false;
    /// Sections of `key = value`: systemd units, `NetworkManager`, many others.
    Ini = 11, "ini", false;
    /// sysctl.d(5).
    Sysctl = 12, "sysctl", false;
    /// fstab(5), crypttab(5), with this host's disks put back.
    Fstab = 13, "fstab", false;
    /// hosts(5), with this host's names and addresses put back.
    Hosts = 14, "hosts", false;
    /// resolv.conf(5).
    Resolv = 15, "resolv", false;
    /// sources.list(5) in both its forms, and lists of repositories (yum, zypper, apk).
    Sources = 16, "sources", false;
    /// PEM certificates as a set, by fingerprint.
    Certificates = 17, "certificates", true;
    /// Lines in order, without comments, blank lines and spacing.
    Lines = 18, "lines", false;
    /// The same as a set.
    LineSet = 19, "line-set", false;
    /// dpkg's alternatives files.
    Alternatives = 20, "alternatives", false;
    /// Stanzas of `Field: value` as a set: `extended_states` of apt.
    Stanzas = 21, "stanzas", false;
    /// adjtime(5): whether the clock runs in UTC.
    Adjtime = 22, "adjtime", false;
    /// A machine id of 32 digits.
    MachineId = 23, "machine-id", true;
    /// A file that is this host's own name: hostname(5), mailname(5).
    Hostname = 24, "hostname", true;
    /// A host's SSH key, public or private: its type and form.
    HostKey = 25, "host-key", true;
    /// A file that holds an id made for each host: `iSCSI` initiator, `NVMe` host, hardware ids.
    OwnId = 26, "own-id", true;
    /// Any text, with whole tokens that are this host's own facts put back.
    HostText = 27, "host-text", false;
    /// The bytes, by a keyed digest: for secrets that could be guessed.
    Keyed = 28, "keyed", true;
    /// modprobe.d(5), modules-load.d(5).
    Modules = 29, "modules", false;
    /// Key and value with `=` or space: default(5) files, locale.conf, os settings.
    Assignments = 30, "assignments", false;
}

/// Raised with every change of what any view writes.
pub const VERSION: u8 = 1;
/// The largest file that a view reads; a larger one is compared by its bytes.
pub const MOST: usize = 4 << 20;

/// How a value was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// From the view's text.
    Parsed,
    /// From the bytes, because they did not parse.
    Bytes,
}

/// The value of [`super::Attr::View`]: view, version, form, digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Viewed {
    /// Which view.
    pub view: View,
    /// Which version of it.
    pub version: u8,
    /// What was hashed.
    pub form: Form,
    /// SHA-256, or for [`View::Keyed`] HMAC-SHA-256.
    pub digest: Digest,
}

impl Viewed {
    /// The value's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; 35] {
        let mut out = [0; 35];
        out[0] = self.view as u8;
        out[1] = self.version;
        out[2] = u8::from(self.form == Form::Bytes);
        out[3..].copy_from_slice(&self.digest);
        out
    }

    /// Reads the value's bytes.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, digest) = bytes.split_at_checked(3)?;
        let form = match head[2] {
            0 => Form::Parsed,
            1 => Form::Bytes,
            _ => return None,
        };
        let view = View::of(u16::from(head[0]))?;
        Some(Self { view, version: head[1], form, digest: digest.try_into().ok()? })
    }
}

/// The text of a view of these bytes, as this host sees it.
///
/// # Errors
/// [`NotParsed`], where they are not what the view reads, or where the text is far larger than they are.
pub fn text(view: View, bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    if bytes.len() > MOST {
        return Err(NotParsed("larger than a view reads"));
    }
    let text = read(view, bytes, facts)?;
    let room = (4 * bytes.len() + (64 << 10)).min(lines::LARGEST);
    if text.len() > room { Err(lines::TOO_LARGE) } else { Ok(text) }
}

fn read(view: View, bytes: &[u8], facts: &HostFacts) -> Result<Vec<u8>, NotParsed> {
    match view {
        View::Passwd => passwd::users(bytes),
        View::Group => passwd::groups(bytes),
        View::Shadow => shadow::users(bytes),
        View::Gshadow => shadow::groups(bytes),
        View::Subid => shadow::ranges(bytes),
        View::Sudoers => sudoers::text(bytes),
        View::AuthorizedKeys => authorized_keys::text(bytes),
        View::Sshd => sshd::text(bytes),
        View::Pam => pam::text(bytes),
        View::Cron => cron::text(bytes),
        View::Ini => ini::read(bytes),
        View::Sysctl => sysctl::read(bytes),
        View::Fstab => fstab::read(bytes, facts),
        View::Hosts => hosts::read(bytes, facts),
        View::Resolv => resolv::read(bytes),
        View::Sources => sources::read(bytes),
        View::Certificates => certificates::read(bytes),
        View::Lines => plain::read(Order::AsWritten, bytes),
        View::LineSet => plain::read(Order::Sorted, bytes),
        View::Alternatives => alternatives::read(bytes),
        View::Stanzas => stanzas::read(bytes),
        View::Adjtime => adjtime::read(bytes),
        View::MachineId => identity::machine_id(bytes, facts),
        View::Hostname => identity::hostname(bytes, facts),
        View::HostKey => identity::host_key(bytes, facts),
        View::OwnId => identity::own_id(bytes, facts),
        View::HostText => token::read(bytes, facts),
        View::Keyed => Err(NotParsed("a secret has no text")),
        View::Modules => modules::read(bytes),
        View::Assignments => assignments::read(bytes),
    }
}

/// The value of a view of these bytes. None for [`View::Keyed`]: a digest without its key would let a secret be guessed.
#[must_use]
pub fn value(view: View, bytes: &[u8], facts: &HostFacts) -> Option<Viewed> {
    use sha2::{Digest as _, Sha256};
    if view == View::Keyed {
        return None;
    }
    let (form, digest) = match text(view, bytes, facts) {
        Ok(text) => (Form::Parsed, Sha256::digest(text)),
        Err(NotParsed(_)) => (Form::Bytes, Sha256::digest(bytes)),
    };
    Some(Viewed { view, version: VERSION, form, digest: digest.into() })
}
