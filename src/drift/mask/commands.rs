//! Secrets on command lines: options that take a password, headers, and what is piped to a command that reads one.
//!
//! *Invariant:* no span crosses a tab, which in the text of a view parts key and value; the work is linear in the line but
//! for the commands of a pipeline, which are looked at once for each option.

use super::{find, quoted_end, word_ranges};
use std::ops::Range;

/// Commands, by how their names begin, and the letters of their options that take a secret.
const TAKERS: [(&[u8], &[u8]); 22] = [
    (b"mysql", b"p"),
    (b"mariadb", b"p"),
    (b"mongo", b"p"),
    (b"sshpass", b"p"),
    (b"7z", b"p"),
    (b"useradd", b"p"),
    (b"usermod", b"p"),
    (b"groupadd", b"p"),
    (b"smbmap", b"p"),
    (b"cqlsh", b"p"),
    (b"clickhouse", b"p"),
    (b"ipmitool", b"P"),
    (b"mosquitto", b"P"),
    (b"sqlcmd", b"P"),
    (b"bcp", b"P"),
    (b"tsql", b"P"),
    (b"zip", b"P"),
    (b"unzip", b"P"),
    (b"redis-cli", b"a"),
    (b"ldap", b"wa"),
    (b"snmp", b"cCAX"),
    (b"check_snmp", b"CAX"),
];

/// Commands whose `-p`, `-P`, `-w` and `-a` take no secret.
const HARMLESS: [&[u8]; 66] = [
    b"mkdir",
    b"cp",
    b"tar",
    b"grep",
    b"egrep",
    b"fgrep",
    b"zgrep",
    b"ls",
    b"install",
    b"ps",
    b"df",
    b"du",
    b"iptables",
    b"ip6tables",
    b"ping",
    b"uname",
    b"apt",
    b"apt-get",
    b"dpkg",
    b"test",
    b"[",
    b"id",
    b"logger",
    b"systemd-run",
    b"systemd-cat",
    b"journalctl",
    b"systemctl",
    b"read",
    b"ss",
    b"netstat",
    b"sysctl",
    b"find",
    b"rsync",
    b"touch",
    b"wc",
    b"fold",
    b"run-parts",
    b"mount",
    b"umount",
    b"swapon",
    b"swapoff",
    b"fsck",
    b"renice",
    b"xargs",
    b"pgrep",
    b"pkill",
    b"nginx",
    b"depmod",
    b"ssh",
    b"scp",
    b"sftp",
    b"nc",
    b"lsof",
    b"diff",
    b"cat",
    b"sort",
    b"tee",
    b"date",
    b"auditctl",
    b"command",
    b"ionice",
    b"taskset",
    b"chrt",
    b"lsblk",
    b"hostname",
    b"export",
];

/// Words that are no secret after any option.
const PLAIN: [&[u8]; 16] = [
    b"tcp", b"udp", b"icmp", b"icmpv6", b"all", b"any", b"INPUT", b"OUTPUT", b"FORWARD", b"yes", b"no", b"on", b"off",
    b"true", b"false", b"=",
];

/// Headers that hold no secret, in lower case.
const HEADERS: [&[u8]; 22] = [
    b"accept",
    b"accept-encoding",
    b"accept-language",
    b"accept-charset",
    b"content-type",
    b"content-length",
    b"content-encoding",
    b"host",
    b"user-agent",
    b"cache-control",
    b"connection",
    b"origin",
    b"referer",
    b"expect",
    b"pragma",
    b"range",
    b"date",
    b"upgrade",
    b"te",
    b"transfer-encoding",
    b"x-forwarded-proto",
    b"x-forwarded-for",
];

/// Adds what the commands of a line take.
pub(super) fn spans(line: &[u8], spans: &mut Vec<Range<usize>>) {
    let words = word_ranges(line);
    let word = |number: usize| words.get(number).and_then(|range| line.get(range.clone())).unwrap_or_default();
    piped(line, spans);
    let mut from = 0;
    for number in 0..words.len() {
        let is_last = number + 1 == words.len();
        if is_last || parts(word(number)) {
            command(line, words.get(from..=number).unwrap_or_default(), spans);
            from = number + 1;
        }
    }
}

/// Whether a word ends a command.
fn parts(word: &[u8]) -> bool {
    matches!(word, b"|" | b"||" | b"&&" | b"&" | b"|&") || word.ends_with(b";")
}

/// The name of a command, without its folder, what it is assigned to and quotes.
fn name(word: &[u8]) -> &[u8] {
    let at = word.iter().rposition(|b| matches!(b, b'/' | b'"' | b'\'' | b'=' | b'(' | b'`' | b'@' | b'!' | b'+'));
    // A quote at the end is none before the name.
    match at {
        Some(at) if at + 1 == word.len() => name(word.get(..at).unwrap_or_default()),
        Some(at) => word.get(at + 1..).unwrap_or_default(),
        None => word,
    }
}

/// The secrets of one command.
fn command(line: &[u8], words: &[Range<usize>], spans: &mut Vec<Range<usize>>) {
    let word = |number: usize| words.get(number).and_then(|range| line.get(range.clone())).unwrap_or_default();
    let (mut taken, mut is_harmless) = (Vec::new(), false);
    let (mut oracle, mut htpasswd) = (None, None);
    for number in 0..words.len() {
        let name = name(word(number));
        for (begin, letters) in TAKERS {
            if name.starts_with(begin) {
                taken.extend_from_slice(letters);
            }
        }
        is_harmless |= HARMLESS.contains(&name);
        if name == b"htpasswd" {
            htpasswd = Some(number);
        }
        if matches!(name, b"sqlplus" | b"sqlldr" | b"expdp" | b"impdp" | b"rman") {
            oracle = oracle.or(Some(number));
        }
    }
    taken.truncate(64);
    for number in 0..words.len() {
        let Some(range) = words.get(number) else { continue };
        let this = word(number);
        let quotes = this.iter().take_while(|b| !matches!(b, b'-')).count();
        // `OPTS="-u`, `'-p`
        let option = match this.get(..quotes).unwrap_or_default() {
            b"" => this,
            before if before.ends_with(b"\"") || before.ends_with(b"'") || before.ends_with(b"=") => {
                this.get(quotes..).unwrap_or_default()
            }
            _ => continue,
        };
        let start = range.end - option.len();
        if let Some(value) = header(option).and_then(|skip| after(line, words, number, start + skip)) {
            headers(line, value, spans);
            continue;
        }
        if matches!(option, b"--user" | b"--proxy-user") {
            if let Some(value) = after(line, words, number, range.end) {
                account(line.get(value.clone()).unwrap_or_default(), value, spans);
            }
            continue;
        }
        let [b'-', letter, attached @ ..] = option else { continue };
        let is_taken = taken.contains(letter);
        let is_attached = !attached.is_empty();
        let value = if is_attached { Some(value_at(line, start + 2)) } else { after(line, words, number, range.end) };
        let Some(value) = value else { continue };
        let text = line.get(value.clone()).unwrap_or_default();
        match letter {
            _ if is_taken && !is_free(text) => spans.push(value),
            b'u' | b'U' => account(text, value, spans),
            b'p' | b'P' | b'w' | b'a' if !is_attached && !is_harmless => {
                let is_number = text.iter().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'));
                let is_mode = *letter == b'p' && text.iter().all(|b| matches!(b, b'r' | b'w' | b'x' | b'a'));
                let is_plain = is_number || is_mode || PLAIN.contains(&text) || is_filter(text);
                if !is_free(text) && !is_plain {
                    spans.push(value);
                }
            }
            _ => {}
        }
    }
    if let Some(oracle) = oracle {
        for range in words.get(oracle + 1..).unwrap_or_default() {
            // The command ends where the record's key does.
            if line.get(range.start - 1) == Some(&b'\t') {
                break;
            }
            let text = line.get(range.clone()).unwrap_or_default();
            let slash = text.iter().position(|b| *b == b'/').filter(|slash| *slash > 0);
            let Some(slash) = slash.filter(|_| !text.starts_with(b"@") && !text.starts_with(b"-")) else { continue };
            let sign = text.iter().rposition(|b| *b == b'@').filter(|sign| *sign > slash).unwrap_or(text.len());
            spans.push(range.start + slash + 1..range.start + sign);
        }
    }
    if let Some(htpasswd) = htpasswd {
        let is_inside = |range: &&Range<usize>| line.get(range.start.wrapping_sub(1)) != Some(&b'\t');
        let own =
            || words.iter().skip(htpasswd + 1).take_while(is_inside).map(|range| (range, line.get(range.clone())));
        let is_batch = |word: Option<&[u8]>| word.is_some_and(|word| word.starts_with(b"-") && word.contains(&b'b'));
        if own().any(|(_, word)| is_batch(word)) {
            let last = own().filter(|(_, word)| !word.is_some_and(parts)).last();
            spans.extend(last.map(|(range, _)| value_at(line, range.start)));
        }
    }
}

/// How many bytes of an option are before a header, where it takes one.
fn header(option: &[u8]) -> Option<usize> {
    match option {
        b"--header" | b"--proxy-header" => Some(option.len()),
        _ if option.starts_with(b"--header=") => Some(9),
        _ if option.starts_with(b"-H") => Some(2),
        _ => None,
    }
}

/// The value of an option that ends there: what is attached to it, else the next word, quoted or not.
fn after(line: &[u8], words: &[Range<usize>], number: usize, end: usize) -> Option<Range<usize>> {
    if words.get(number)?.end > end {
        return Some(value_at(line, end));
    }
    let next = words.get(number + 1)?;
    let gap = line.get(end..next.start)?;
    (!gap.contains(&b'\t')).then(|| value_at(line, next.start))
}

/// The value that begins there, without its quotes.
fn value_at(line: &[u8], from: usize) -> Range<usize> {
    // Quotes inside quotes are escaped.
    let from = from + line.iter().skip(from).take_while(|b| **b == b'\\').count();
    let (from, to) = if let Some(quote @ (b'"' | b'\'')) = line.get(from) {
        (from + 1, quoted_end(line, from + 1, *quote))
    } else {
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'`' | b';');
        (from, from + line.iter().skip(from).take_while(|b| !ends(b)).count())
    };
    let tab = line.get(from..to).and_then(|value| value.iter().position(|b| *b == b'\t'));
    from..tab.map_or(to, |tab| from + tab)
}

/// Whether a value is a list and an action of audit's rules.
fn is_filter(text: &[u8]) -> bool {
    let is_word = |word: &[u8]| {
        matches!(word, b"always" | b"never" | b"exit" | b"user" | b"task" | b"entry" | b"filesystem" | b"exclude")
    };
    text.contains(&b',') && text.split(|b| *b == b',').all(is_word)
}

/// Whether a value is an option, a variable, a path or nothing.
fn is_free(text: &[u8]) -> bool {
    let is_name = |b: &u8| b.is_ascii_uppercase() || matches!(b, b'_' | b'{' | b'}');
    let is_path = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'*');
    match text {
        []
        | [b'-' | b'>' | b'<' | b'|' | b'&' | b'#' | b')', ..]
        | [b'2', b'>', ..]
        | [b'.' | b'~', b'/', ..]
        | [b'.', b'.', b'/', ..]
        | b"[masked]" => true,
        [b'$', name @ ..] => !name.is_empty() && name.iter().all(is_name),
        [b'/', rest @ ..] => {
            text.iter().all(is_path)
                && (rest.contains(&b'/') || rest.len() <= 8 && rest.iter().all(u8::is_ascii_lowercase))
        }
        _ => false,
    }
}

/// A user and a password: `a:b`, `a%b`, `a,b`.
fn account(text: &[u8], value: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let Some(at) = text.iter().position(|b| matches!(b, b':' | b'%' | b',')) else { return };
    let (user, rest) = (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default());
    let digits = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    if !(text.starts_with(b"+") || is_free(rest) || digits(user) && digits(rest)) {
        spans.push(value.start + at + 1..value.end);
    }
}

/// `Name: value`, where the name is not known to be harmless.
fn headers(line: &[u8], value: Range<usize>, spans: &mut Vec<Range<usize>>) {
    let text = line.get(value.clone()).unwrap_or_default();
    let Some(colon) = text.iter().position(|b| *b == b':') else { return };
    let name = text.get(..colon).unwrap_or_default().to_ascii_lowercase();
    let rest = text.get(colon + 1..).unwrap_or_default();
    let blank = rest.iter().take_while(|b| **b == b' ').count();
    let rest = rest.get(blank..).unwrap_or_default();
    let is_plain =
        rest.starts_with(b"//") || blank == 0 && rest.iter().all(u8::is_ascii_digit) || rest == super::MASKED;
    if HEADERS.contains(&name.as_slice()) || is_plain {
        return;
    }
    // Without quotes the value is a word of its own.
    let span = value.start + colon + 1 + blank..value.end;
    if span.is_empty() {
        let from = value.end + line.iter().skip(value.end).take_while(|b| **b == b' ').count();
        spans.push(value_at(line, from));
    } else {
        spans.push(span);
    }
}

/// What is echoed to a command that reads a password: all of it, or what follows the user's name.
fn piped(line: &[u8], spans: &mut Vec<Range<usize>>) {
    let is_pair = find(line, b"chpasswd");
    let sudo = || {
        let sudo = find(line, b"sudo ")?;
        let rest = line.get(sudo..)?;
        let is_option = |word: &[u8]| word.first() == Some(&b'-') && word.get(1) != Some(&b'-') && word.contains(&b'S');
        (rest.split(u8::is_ascii_whitespace).any(is_option) || find(rest, b"--stdin").is_some()).then_some(sudo)
    };
    let whole = || {
        let readers = [&b"passwd --stdin"[..], b"-stdin", b"cryptsetup", b"smbpasswd", b"kinit", b"passwd"];
        sudo().or_else(|| readers.iter().find_map(|reader| find(line, reader)))
    };
    let Some(reader) = is_pair.or_else(whole) else { return };
    let before = line.get(..reader).unwrap_or_default();
    if let Some(pipe) = before.iter().rposition(|b| *b == b'|') {
        let before = line.get(..pipe).unwrap_or_default();
        let said = |word: &[u8]| find(before, word).map(|at| at + word.len());
        if let Some(from) = said(b"echo ").max(said(b"printf ")) {
            let text = before.get(from..).unwrap_or_default();
            let colon = text.iter().position(|b| *b == b':').filter(|_| is_pair.is_some());
            let from = from + colon.map_or(0, |colon| colon + 1);
            let end = from + before.get(from..).unwrap_or_default().trim_ascii_end().len();
            spans.push(from..end);
        }
    }
    if is_pair.is_some() {
        // `chpasswd <<< a:b`, and `%a:b` in a crontab.
        let rest = line.get(reader..).unwrap_or_default();
        let end = rest.iter().position(|b| matches!(b, b'\t' | b'|')).unwrap_or(rest.len());
        if let Some(colon) = rest.get(..end).unwrap_or_default().iter().position(|b| *b == b':') {
            spans.push(reader + colon + 1..reader + end);
        }
    }
}
