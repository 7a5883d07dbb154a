//! The one escaper: bytes of hosts and file names become printable text here and nowhere else.
//!
//! Printable Unicode stays; control characters, line breaks, bidirectional and other invisible formatting, the
//! backslash and bytes that are not UTF-8 become `\n`, `\t`, `\\`, `\xNN` or `\u{N}`.
//!
//! *Invariant:* the output holds no C0 or C1 control, no DEL, no bidirectional override, and names its input uniquely.

use std::fmt::Write as _;

/// Escapes bytes for a person, a terminal or a JSON string.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push(&mut out, c);
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

fn push(out: &mut String, c: char) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c.is_ascii() && c.is_control() => {
            let _ = write!(out, "\\x{:02x}", c as u32);
        }
        c if invisible(c) => {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
        c => out.push(c),
    }
}

/// Characters that draw nothing of their own but change how others are drawn or read.
fn invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Reads hexadecimal of exactly `N` bytes.
#[must_use]
pub fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != N * 2 || !text.is_ascii() {
        return None;
    }
    for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn control_bidi_and_bytes_are_written_out() {
        assert_eq!(escape(b"a\x1b[31m\n\\\xff\x7f"), "a\\x1b[31m\\n\\\\\\xff\\x7f");
        assert_eq!(escape("\u{202e}txt\u{85}é".as_bytes()), "\\u{202e}txt\\u{85}é");
    }

    proptest! {
        #[test]
        fn output_is_printable_and_unique(a: Vec<u8>, b: Vec<u8>) {
            let text = escape(&a);
            prop_assert!(!text.chars().any(invisible));
            prop_assert_eq!(a == b, text == escape(&b));
        }
    }
}
