//! Words of ssh(1)'s command line, as it must read them.
//!
//! *Invariant:* pure; a path with blanks, quotes or percent signs means itself.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// With percent signs doubled: ssh expands tokens in paths.
pub(super) fn escaped(path: &OsStr) -> OsString {
    let mut bytes = Vec::with_capacity(path.len());
    for byte in path.as_bytes() {
        bytes.push(*byte);
        if *byte == b'%' {
            bytes.push(b'%');
        }
    }
    OsString::from_vec(bytes)
}

/// As one argument of an option in a configuration line, which may hold several.
pub(super) fn option_path(path: &OsStr) -> OsString {
    let mut bytes = vec![b'"'];
    for byte in escaped(path).as_bytes() {
        if matches!(*byte, b'"' | b'\\') {
            bytes.push(b'\\');
        }
        bytes.push(*byte);
    }
    bytes.push(b'"');
    OsString::from_vec(bytes)
}

/// As one line for a shell inside a `ProxyCommand`: in single quotes, with percent signs doubled.
pub(super) fn quoted(words: &[OsString]) -> String {
    let quoted: Vec<String> =
        words.iter().map(|word| format!("'{}'", escaped(word).to_string_lossy().replace('\'', "'\\''"))).collect();
    quoted.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_mean_themselves() {
        assert_eq!(escaped(OsStr::new("/a%b")), "/a%%b");
        assert_eq!(option_path(OsStr::new("/a \"b\\%")), "\"/a \\\"b\\\\%%\"");
        assert_eq!(quoted(&["a b".into(), "it's".into(), "5%".into()]), "'a b' 'it'\\''s' '5%%'");
    }
}
