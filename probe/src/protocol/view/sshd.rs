//! `sshd_config`(5), `ssh_config`(5): `KEYWORD` -> its arguments, and within a block `match CRITERIA: KEYWORD` or
//! `host PATTERNS: KEYWORD`.
//!
//! Of a keyword that is given several times the first counts, unless its values add up; `include` tells also which
//! keywords stand before it, because what they say can't be changed by what is included.
//!
//! *Invariant:* a keyword that this does not know counts every time it is given; blocks keep their order.

use super::scan::{Parts, is_blank, skip, trim};
use super::{Fields, MOST, NotParsed, Order};
use alloc::vec::Vec;

/// Keywords of which only the first value counts: OpenSSH says so of every one that is not a list.
const FIRST: &[&[u8]] = &[
    b"allowagentforwarding",
    b"allowstreamlocalforwarding",
    b"allowtcpforwarding",
    b"authorizedkeyscommand",
    b"authorizedkeyscommanduser",
    b"authorizedkeysfile",
    b"banner",
    b"ciphers",
    b"clientalivecountmax",
    b"clientaliveinterval",
    b"forcecommand",
    b"gatewayports",
    b"gssapiauthentication",
    b"hostbasedauthentication",
    b"hostkeyalgorithms",
    b"kbdinteractiveauthentication",
    b"kexalgorithms",
    b"logingracetime",
    b"loglevel",
    b"macs",
    b"maxauthtries",
    b"maxsessions",
    b"maxstartups",
    b"passwordauthentication",
    b"permitemptypasswords",
    b"permitrootlogin",
    b"permittty",
    b"permittunnel",
    b"permituserenvironment",
    b"printmotd",
    b"pubkeyauthentication",
    b"strictmodes",
    b"syslogfacility",
    b"usedns",
    b"usepam",
    b"x11forwarding",
];

/// Other names of the same keyword.
const ALSO: [(&[u8], &[u8]); 6] = [
    (b"challengeresponseauthentication", b"kbdinteractiveauthentication"),
    (b"skeyauthentication", b"kbdinteractiveauthentication"),
    (b"dsaauthentication", b"pubkeyauthentication"),
    (b"keepalive", b"tcpkeepalive"),
    (b"hostbasedacceptedkeytypes", b"hostbasedacceptedalgorithms"),
    (b"pubkeyacceptedkeytypes", b"pubkeyacceptedalgorithms"),
];

pub(super) fn text(bytes: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut out = Vec::new();
    let mut scope: Vec<u8> = Vec::new();
    let mut block = Fields::new(Order::ByKey);
    let mut before: Vec<Vec<u8>> = Vec::new();
    let mut room = 4 * MOST;
    for line in bytes.split(|b| *b == b'\n') {
        let line = trim(line);
        if line.is_empty() || line.first() == Some(&b'#') {
            continue;
        }
        let end = line.iter().position(|b| is_blank(*b) || *b == b'=').unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let rest = skip(rest);
        let rest = skip(rest.strip_prefix(b"=").unwrap_or(rest));
        let mut name = name.to_ascii_lowercase();
        // A keyword may stand in quotes.
        if let Some(inner) = name.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")) {
            name = inner.to_vec();
        }
        if let Some((_, same)) = ALSO.iter().find(|(other, _)| *other == name) {
            name = same.to_vec();
        }
        if name.len() > 100 {
            return Err(NotParsed("a keyword is too long"));
        }
        let value = arguments(rest)?;
        if matches!(&name[..], b"match" | b"host") {
            out.append(&mut core::mem::replace(&mut block, Fields::new(Order::ByKey)).finish()?);
            scope = [&name, &b" "[..], &value, b": "].concat();
            before.clear();
            // A block without a keyword is one all the same: it ends the one before.
            block.put(&scope, b"");
            continue;
        }
        let seen = before.binary_search(&name);
        // A scope is written with each of its keywords, and what stands before an include with it.
        let takes = scope.len() + if name == b"include" { 16 * before.len() } else { 0 };
        room =
            room.checked_sub(takes).filter(|_| before.len() < 1_000).ok_or(NotParsed("its keywords are too many"))?;
        let key = [&scope[..], &name].concat();
        if name == b"include" {
            let mut parts = Parts::default();
            parts.word(&value);
            if !before.is_empty() {
                parts.named(b"after", &before.join(&b","[..]));
            }
            block.put(&key, parts.text());
            continue;
        }
        match seen {
            Ok(_) if FIRST.binary_search(&&name[..]).is_ok() => {}
            Ok(_) => block.put(&key, &value),
            Err(at) => {
                block.put(&key, &value);
                before.insert(at, name);
            }
        }
    }
    out.append(&mut block.finish()?);
    Ok(out)
}

/// Arguments, without their quotes, one blank between two.
fn arguments(text: &[u8]) -> Result<Vec<u8>, NotParsed> {
    let mut parts = Parts::default();
    if text.iter().any(|b| matches!(b, b'\\' | b'\'')) {
        // Versions differ in what these mean: as written.
        parts.word(text);
        return Ok(parts.text().to_vec());
    }
    let mut rest = text;
    while !rest.is_empty() {
        let mut word: Vec<u8> = Vec::new();
        let mut quoted = false;
        while let Some((byte, tail)) = rest.split_first() {
            if is_blank(*byte) && !quoted {
                break;
            }
            rest = tail;
            if *byte == b'"' {
                quoted = !quoted;
            } else {
                word.push(*byte);
            }
        }
        if quoted {
            return Err(NotParsed("a quote is not closed"));
        }
        parts.word(&word);
        rest = skip(rest);
    }
    Ok(parts.text().to_vec())
}
