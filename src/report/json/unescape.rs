//! The way back from escaped text to bytes.
//!
//! *Invariant:* `unescape(escape(x)) == x`; what [`crate::model::text::escape`] never writes is refused or, where it
//! spells bytes in another way, found out by escaping again.

/// Reads escaped text; `None` where an escape is not one of ours.
pub(super) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escaped) = rest.split_at(at);
        out.extend_from_slice(before.as_bytes());
        let mut chars = escaped.chars();
        chars.next();
        match chars.next()? {
            '\\' => out.push(b'\\'),
            'n' => out.push(b'\n'),
            'r' => out.push(b'\r'),
            't' => out.push(b'\t'),
            'x' => {
                let digits = chars.as_str().get(..2)?;
                out.push(u8::from_str_radix(digits, 16).ok()?);
                chars = chars.as_str().get(2..)?.chars();
            }
            'u' => {
                let (digits, after) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                let c = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?;
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                chars = after.chars();
            }
            _ => return None,
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::escape;
    use proptest::prelude::*;

    #[test]
    fn what_the_escaper_never_writes_is_refused() {
        for text in ["\\", "\\q", "\\x", "\\xé", "\\xg0", "\\u{", "\\u{110000}", "\\u41}"] {
            assert_eq!(unescape(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn undoes_the_escaper(bytes: Vec<u8>, text: String) {
            prop_assert_eq!(unescape(&escape(&bytes)), Some(bytes));
            prop_assert_eq!(unescape(&escape(text.as_bytes())), Some(text.into_bytes()));
        }

        #[test]
        fn never_panics(text in r"[\\xu{}0-9aé]{0,20}") {
            let _ = unescape(&text);
        }
    }
}
