//! Stanzas of `Key: value` lines with blank lines between, as dpkg (deb-control(5)) and apk (apk-v2(5)) keep them.
//!
//! *Invariant:* a text that is cut off, or two packages run together, is refused; what a key means is the caller's.

use super::MALFORMED;
use rustix::io::Result;

/// The values of the keys that were asked for, in their order; the first is the name.
pub type Values<'a> = [Option<&'a [u8]>; 5];

/// Gives the values of `keys` for every stanza.
pub fn each(text: &[u8], keys: [&[u8]; 5], take: &mut dyn FnMut(Values<'_>) -> Result<()>) -> Result<()> {
    // Both end the file with a newline; without one it was cut off.
    if !text.is_empty() && !text.ends_with(b"\n") {
        return Err(MALFORMED);
    }
    let mut values: Values<'_> = [None; 5];
    for line in text.split(|b| *b == b'\n') {
        match line.first() {
            None => {
                if values != [None; 5] {
                    take(core::mem::take(&mut values))?;
                }
                continue;
            }
            Some(b' ' | b'\t') => continue,
            Some(_) => {}
        }
        let colon = line.iter().position(|b| *b == b':').ok_or(MALFORMED)?;
        let (key, value) = line.split_at(colon);
        if let Some(at) = keys.iter().position(|wanted| *wanted == key) {
            // Two names in one stanza: the blank line between two packages is gone.
            if values[at].replace(value[1..].trim_ascii()).is_some() && at == 0 {
                return Err(MALFORMED);
            }
        }
    }
    Ok(())
}
