//! The hosts file.
//!
//! One host a line: `[user@]host[:port] key=value ...`; a host may be a node set. A `[group]` line sets defaults for
//! the lines below it, up to the next; the same group may come again, with the words then written. `[*]` may stand once,
//! anywhere, and is the default of every host of the file, also of those above it; the hosts right below it are in no
//! group. A group's words win over those of `[*]`, a host's over both. `group=` moves a host to another group and leaves
//! it the defaults of the place where it stands. Brackets that hold a colon are an IPv6 address, brackets that something
//! other than a blank follows are a node set, all others a group.
//!
//! *Invariant:* a file is taken whole or not at all, and all its mistakes are said at once: nobody scans a part of a
//! fleet without knowing it.

use std::collections::HashSet;

use super::address::Address;
use super::fleet::{Fleet, MAX_HOSTS};
use super::host::{Host, Place};
use super::mistake::{Mistake, Refusal, Remarks, quote};
use super::settings::{Scope, Settings, one_user};
use super::spelling::GROUP;

/// Longest line in bytes. With [`MAX_HOSTS`] it bounds what a hostile file can make of memory.
const LONGEST_LINE: usize = 4096;

/// Reads a hosts file.
///
/// # Errors
///
/// All mistakes in the order of their lines; a file without hosts is one.
pub fn parse(file_name: &str, bytes: &[u8]) -> Result<Fleet, Vec<Mistake>> {
    let mut reader = Reader::new(file_name);
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let remedy = "convert it: iconv -f UTF-16 -t UTF-8 OLD > NEW";
        return Err(vec![Refusal::new("the file is UTF-16", remedy).at(&reader.place(1))]);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        reader.line(&reader.place(number), line.strip_suffix(b"\r").unwrap_or(line));
    }
    reader.finish()
}

/// The lines of one group, from its header to the next.
struct Section {
    group: String,
    place: Place,
    defaults: Settings,
}

/// One line of hosts.
struct Entry {
    section: usize,
    place: Place,
    words: Settings,
    addresses: Vec<(Address, String)>,
}

struct Reader<'a> {
    file_name: &'a str,
    everyone: Option<(Place, Settings)>,
    sections: Vec<Section>,
    entries: Vec<Entry>,
    hosts: usize,
    /// The cap was passed: the lines that follow are not expanded, which would cost time for nothing.
    full: bool,
    remarks: Remarks,
}

impl<'a> Reader<'a> {
    fn new(file_name: &'a str) -> Self {
        let mut reader = Self {
            file_name,
            everyone: None,
            sections: Vec::new(),
            entries: Vec::new(),
            hosts: 0,
            full: false,
            remarks: Remarks::default(),
        };
        reader.open(String::new(), reader.place(0), Settings::default());
        reader
    }

    fn place(&self, line: usize) -> Place {
        Place { file: self.file_name.to_owned(), line }
    }

    fn open(&mut self, group: String, place: Place, defaults: Settings) {
        self.sections.push(Section { group, place, defaults });
    }

    fn line(&mut self, place: &Place, line: &[u8]) {
        let Some(text) = self.remarks.keep(place, plain_text(line, place.line)) else { return };
        let text = without_comment(text).trim_matches([' ', '\t']);
        if text.is_empty() {
            return;
        }
        if let Some(quote) = stray_quote(text) {
            let remedy = "write values without quotes and without blanks, such as owner=web-team";
            return self.remarks.refuse(place, Refusal::new(format!("a quote ({quote}) quotes nothing here"), remedy));
        }
        match header(text) {
            Ok(Some((group, words))) => self.group(place, group, words),
            Ok(None) => self.entry(place, text),
            Err(refusal) => self.remarks.refuse(place, refusal),
        }
    }

    fn group(&mut self, place: &Place, group: &str, words: &str) {
        let defaults = Settings::read(blanks(words), Scope::Defaults, place, &mut self.remarks);
        if group == "*" {
            if let Some((first, _)) = &self.everyone {
                let text = format!("[*] stands already on line {}", first.line);
                self.remarks.refuse(place, Refusal::new(text, "write all its words on one line"));
            } else {
                self.everyone = Some((place.clone(), defaults));
            }
            return self.open(String::new(), place.clone(), Settings::default());
        }
        // A mistaken name still opens a group, so that the hosts below do not fall to the group above.
        let group = self.remarks.keep(place, GROUP.admit(group)).unwrap_or_default().to_owned();
        let first = self.sections.iter().find(|section| !group.is_empty() && section.group == group);
        if let Some(first) = first {
            let lost: Vec<&str> = first.defaults.keys.difference(&defaults.keys).map(String::as_str).collect();
            if !lost.is_empty() {
                let text = format!("[{group}] comes again without {}= of line {}", lost.join("=, "), first.place.line);
                self.remarks.warn(place, text + ", which does not count below");
            }
        }
        self.open(group, place.clone(), defaults);
    }

    fn entry(&mut self, place: &Place, text: &str) {
        let mut words = blanks(text);
        let target = words.next().unwrap_or_default();
        let mut later = Remarks::default();
        let words = Settings::read(words, Scope::Host, place, &mut later);
        if self.full {
            return;
        }
        let read = host_shape(target)
            .and_then(|()| Address::read_set(target, words.name.as_deref(), MAX_HOSTS))
            .and_then(|read| {
                read.first().map_or(Ok(()), |(address, _)| one_user(address, &words))?;
                Ok(read)
            });
        let read = self.remarks.keep(place, read);
        // The host stands before its words, so its mistake does too.
        self.remarks.mistakes.append(&mut later.mistakes);
        self.remarks.warnings.append(&mut later.warnings);
        let Some(addresses) = read else { return };
        self.hosts += addresses.len();
        if self.hosts > MAX_HOSTS {
            self.full = true;
            let text = format!("the file names more than {MAX_HOSTS} hosts from here on");
            return self
                .remarks
                .refuse(place, Refusal::new(text, "split the fleet into several files, one --fleet FILE a run"));
        }
        self.entries.push(Entry { section: self.sections.len() - 1, place: place.clone(), words, addresses });
    }

    fn finish(mut self) -> Result<Fleet, Vec<Mistake>> {
        if self.entries.is_empty() && self.remarks.mistakes.is_empty() {
            let remedy = "write one host a line, such as: web-01.example.net template=web";
            self.remarks.refuse(&self.place(0), Refusal::new("the file names no host", remedy));
        }
        let everyone = self.everyone.take().map(|(_, settings)| settings).unwrap_or_default();
        let defaults: Vec<Settings> = self
            .sections
            .iter()
            .map(|section| {
                let mut defaults = section.defaults.clone().over(&everyone);
                defaults.group = Some(section.group.clone());
                defaults
            })
            .collect();
        let mut hosts: Vec<Host> = Vec::with_capacity(self.hosts);
        for Entry { section, place, words, addresses } in self.entries {
            let settings = match defaults.get(section) {
                Some(defaults) => words.over(defaults),
                None => words,
            };
            hosts.extend(addresses.into_iter().map(|(address, name)| settings.host(address, name, place.clone())));
        }
        let used: HashSet<&str> = hosts.iter().map(|host| host.group.as_str()).collect();
        for section in self.sections.iter().filter(|section| !used.contains(section.group.as_str())) {
            if !section.group.is_empty() {
                self.remarks.warn(&section.place, format!("[{}] has no hosts", section.group));
            }
        }
        Fleet::with(hosts, self.remarks)
    }
}

/// Takes a line for text, or says at which byte it is none.
fn plain_text(line: &[u8], number: usize) -> Result<&str, Refusal> {
    let look = format!("look at it with: sed -n {number}p FILE | cat -A");
    if line.len() > LONGEST_LINE {
        let text = format!("the line has {} bytes, more than {LONGEST_LINE}", line.len());
        return Err(Refusal::new(text, "split it into several lines"));
    }
    if let Some(at) = line.iter().position(|byte| *byte == 0) {
        return Err(Refusal::new(format!("byte {} of the line is NUL", at + 1), look));
    }
    std::str::from_utf8(line)
        .map_err(|error| Refusal::new(format!("byte {} of the line is not UTF-8", error.valid_up_to() + 1), look))
}

/// Cuts a comment: `#` at the start or after a blank. `owner=a#b` has none.
fn without_comment(text: &str) -> &str {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == '#' && matches!(before, ' ' | '\t') {
            return text.get(..at).unwrap_or_default();
        }
        before = c;
    }
    text
}

/// A quote that stands for something else than itself. A key in an address of Terraform, `tf=aws_instance.web["a"]`, is none:
/// that is how the address is spelled.
fn stray_quote(text: &str) -> Option<char> {
    let is_quote = |c: char| matches!(c, '"' | '\'');
    text.split([' ', '\t']).find_map(|word| {
        let mut rest = if word.contains('=') { word } else { return word.chars().find(|c| is_quote(*c)) };
        while let Some((before, after)) = rest.split_once("[\"") {
            match after.split_once("\"]") {
                Some((key, behind)) if !before.contains(is_quote) && !key.contains(is_quote) => rest = behind,
                Some(_) | None => break,
            }
        }
        rest.chars().find(|c| is_quote(*c))
    })
}

fn blanks(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '\t']).filter(|word| !word.is_empty())
}

/// Tells a group's line from a host's, and splits it into name and words.
fn header(text: &str) -> Result<Option<(&str, &str)>, Refusal> {
    let Some(opened) = text.strip_prefix('[') else { return Ok(None) };
    let Some((inner, after)) = opened.split_once(']') else {
        return Err(Refusal::new(
            format!("{} has a bracket that is not closed", quote(text)),
            "write [web] template=web",
        ));
    };
    if [":children", ":vars", ":hosts"].iter().any(|ending| inner.ends_with(ending)) {
        let text = format!("[{}] is Ansible's; a group has no sections here", quote(inner).trim_matches('`'));
        return Err(Refusal::new(text, "write the defaults on the group's line, such as [web] template=web sudo=yes"));
    }
    let is_host = inner.contains(':') || !(after.is_empty() || after.starts_with([' ', '\t']));
    Ok((!is_host).then_some((inner, after)))
}

/// Refuses what is no host and is often written as one.
fn host_shape(word: &str) -> Result<(), Refusal> {
    if word.starts_with('!') {
        let remedy = "remove the line, or type --limit '!web-03'";
        return Err(Refusal::new(format!("{} excludes a host, which the file can not", quote(word)), remedy));
    }
    let is_word = |key: &str| {
        key.starts_with(|c: char| c.is_ascii_lowercase())
            && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
    };
    if word.split_once('=').is_some_and(|(key, _)| is_word(key)) {
        let remedy = "write the host first, or put the words on a group's line, such as [web] template=web";
        return Err(Refusal::new(format!("{} stands where the host should", quote(word)), remedy));
    }
    Ok(())
}

#[cfg(test)]
#[path = "hosts_file_tests.rs"]
mod tests;
