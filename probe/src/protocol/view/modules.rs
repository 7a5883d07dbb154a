//! modprobe.d(5), and modules-load.d(5) or modules(5), which list modules to load.
//!
//! A field is `options loop`, `blacklist usb_storage`, `load nf_conntrack`. The kernel takes `-` and `_` in a module's name
//! for the same.
//!
//! *Invariant:* what is said of one module stays in its order; a file that loads modules stays as it was written.

use super::NotParsed;
use super::spaced::{Pairs, goes_on, lines, squeeze, trim, word};
use alloc::vec::Vec;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut all = Pairs::default();
    let mut loads = false;
    let mut begun: Vec<u8> = Vec::new();
    for line in lines(bytes)? {
        let within = !begun.is_empty();
        if !within && (trim(line).is_empty() || matches!(trim(line).first(), Some(b'#' | b';'))) {
            continue;
        }
        begun.extend_from_slice(line);
        if goes_on(line) {
            begun.pop();
            begun.push(b' ');
            continue;
        }
        loads |= put(&mut all, &begun);
        begun.clear();
    }
    if !begun.is_empty() {
        loads |= put(&mut all, &begun);
    }
    if !loads {
        all.sort();
    }
    all.text()
}

/// Adds a line, and tells whether it names a module to load.
fn put(all: &mut Pairs, line: &[u8]) -> bool {
    let (command, rest) = word(line);
    let is_command = matches!(
        command,
        b"alias"
            | b"blacklist"
            | b"install"
            | b"options"
            | b"remove"
            | b"softdep"
            | b"weakdep"
            | b"config"
            | b"include"
    );
    let (name, rest, command) = if is_command && !rest.is_empty() {
        let (name, rest) = word(rest);
        (name, rest, command)
    } else {
        (command, rest, &b"load"[..])
    };
    let folded = |byte: &u8| if *byte == b'-' && command != b"alias" { b'_' } else { *byte };
    let name: Vec<u8> = name.iter().map(folded).collect();
    // A shell reads the commands, so blanks within them are not ours to fold.
    let value = if matches!(command, b"install" | b"remove") { rest.to_vec() } else { squeeze(rest) };
    all.put(&[command, b" ", &name].concat(), &value);
    command == b"load"
}
