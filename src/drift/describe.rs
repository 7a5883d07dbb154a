//! Attributes as text, and the digests that name a finding.
//!
//! *Invariant:* every text is escaped here, once, by the one escaper.

use crate::manifest::v1::{kind_word, view_text};
use crate::model::text::{escape, hex};
use crate::model::{Attributes, Code};
use crate::protocol::bytes::put_string;
use crate::protocol::coverage::Why;
use crate::protocol::record::RecordWriter;
use crate::protocol::view::Viewed;
use crate::protocol::{Attr, Digest, RecordRef, Value};
use sha2::{Digest as _, Sha256};

/// The text of one attribute of a record.
#[must_use]
pub fn text(record: RecordRef<'_>, attr: Attr, value: Value<'_>) -> String {
    let bytes = match value {
        Value::Present(bytes) => bytes,
        Value::Oversize => return "oversize".to_owned(),
        Value::Unread(why) => return format!("unread ({})", why_word(why)),
    };
    match attr {
        Attr::Kind => record.kind().map_or_else(String::new, |kind| kind_word(kind).to_owned()),
        Attr::Mode => record.mode().map_or_else(String::new, |mode| format!("{mode:04o}")),
        Attr::Size => record.size().map_or_else(String::new, |size| size.to_string()),
        Attr::Content => format!("sha256:{}", hex(bytes)),
        Attr::View => Viewed::decode(bytes).map_or_else(|| escape(bytes), |viewed| view_text(&viewed)),
        // The wire keeps root by number, whatever a tree calls it; people know it by name.
        Attr::Owner | Attr::Group if bytes == b"#0" => "root".to_owned(),
        Attr::Owner
        | Attr::Group
        | Attr::Target
        | Attr::Device
        | Attr::Capability
        | Attr::Acl
        | Attr::Xattr
        | Attr::Selinux
        | Attr::Flags
        | Attr::Link
        | Attr::Version
        | Attr::State
        | Attr::Text
        | Attr::FsType
        | Attr::MountOptions
        | Attr::Build
        | Attr::Package => escape(bytes),
    }
}

fn why_word(why: Why) -> &'static str {
    match why {
        Why::NotRead => "not read",
        Why::Denied => "permission denied",
        Why::Io => "I/O error",
        Why::Racing => "changed while read",
        Why::Limit => "limit reached",
        Why::Packages => "packages",
    }
}

/// The texts of those attributes that a record has.
#[must_use]
pub fn attributes(record: Option<RecordRef<'_>>, wanted: &[Attr]) -> Attributes {
    let Some(record) = record else { return Attributes::default() };
    let of = |(attr, value)| wanted.contains(&attr).then(|| (attr, text(record, attr, value)));
    Attributes(record.attrs().filter_map(of).collect())
}

/// H(code, subject).
#[must_use]
pub fn key(code: Code, subject: &[u8]) -> Digest {
    let mut bytes = Vec::new();
    put_string(&mut bytes, code.word().as_bytes());
    put_string(&mut bytes, subject);
    Sha256::new().chain_update(b"driftscan.key.1\0").chain_update(bytes).finalize().into()
}

/// H(code, subject, before, after), over the attributes that differ.
#[must_use]
pub fn fingerprint(
    code: Code,
    subject: &[u8],
    before: Option<RecordRef<'_>>,
    after: Option<RecordRef<'_>>,
    wanted: &[Attr],
) -> Digest {
    let mut bytes = Vec::new();
    put_string(&mut bytes, code.word().as_bytes());
    put_string(&mut bytes, subject);
    for side in [before, after] {
        let mut encoded = Vec::new();
        if let Some(record) = side {
            let mut writer = RecordWriter::new(&mut encoded, subject);
            for (attr, value) in record.attrs().filter(|(attr, _)| wanted.contains(attr)) {
                writer.put(attr, value);
            }
        }
        put_string(&mut bytes, &encoded);
    }
    Sha256::new().chain_update(b"driftscan.fingerprint.1\0").chain_update(bytes).finalize().into()
}
