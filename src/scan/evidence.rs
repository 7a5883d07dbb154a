//! Evidence of a host in the words of a report.
//!
//! *Invariant:* shown, never compared; a host may say what it likes here.

use crate::model::text::escape;
use crate::model::{Evidence, Image};
use crate::protocol::reply::{Texts, evidence as name};

/// An identity: a short kind and the digest of the right form, or it is none.
fn identity((name, text): &(Vec<u8>, Vec<u8>)) -> Option<(String, String)> {
    let kind = name.strip_prefix(name::IDENTITY)?;
    let is_digest = text.len() == 64 && text.iter().all(u8::is_ascii_hexdigit);
    is_digest.then(|| (escape(kind), escape(text)))
}

/// Reads a host's texts; `now` is our clock, seconds since 1970.
#[must_use]
pub fn evidence(texts: &Texts, now: i64) -> Evidence {
    let number = |name| texts.text(name).and_then(|text| std::str::from_utf8(text).ok()?.parse::<i64>().ok());
    let text = |name| texts.text(name).map(|text| escape(&text[..text.len().min(256)]));
    Evidence {
        machine_id: text(name::MACHINE_ID),
        boot: number(name::BOOT)
            .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
            .map(|time| time.to_string()),
        clock_skew: number(name::CLOCK).map(|clock| clock.saturating_sub(now)),
        addresses: texts.texts(name::ADDRESS).map(|address| escape(&address[..address.len().min(64)])).collect(),
        hostname: text(name::HOSTNAME),
        uid: number(name::UID).and_then(|uid| u32::try_from(uid).ok()),
        identities: texts.0.iter().filter_map(identity).collect(),
        image: Image::of(texts),
    }
}
