//! What is true of this host alone, for the views that put it back: from the tree's own files, and from the kernel where
//! the tree is the running system.
//!
//! *Invariant:* a fact is well-formed or it is none, and loopback is never one; their number and length are bounded.

use crate::place::{Place, kernel_file, terminated};
use crate::protocol::view::{HostFacts, is_machine_id};
use alloc::vec::Vec;

/// The most facts of one sort.
const MOST: usize = 128;
/// The longest fact.
const LONGEST: usize = 253;
/// The longest file that facts are looked for in.
const FILE: usize = 256 * 1024;
/// The most ids of disks.
const DISKS: usize = 4096;
/// The shortest id of a file system is one of FAT: `1A2B-3C4D`.
const SHORTEST_ID: usize = 9;

/// Collects them.
pub fn read(place: &Place, live: bool) -> HostFacts {
    let mut own = HostFacts::default();
    let text = |path: &[u8]| place.read(path, FILE).unwrap_or_default();
    let hosts = text(b"/etc/hosts");
    let name = text(b"/etc/hostname");
    name_of(&mut own, words(&name).next().and_then(|mut line| line.next()).unwrap_or_default());
    if live && own.hostname.is_empty() {
        name_of(&mut own, rustix::system::uname().nodename().to_bytes());
    }
    if !own.hostname.is_empty() {
        domain_of(&mut own, &hosts, &text(b"/etc/mailname"));
    }
    let id = text(b"/etc/machine-id");
    if is_machine_id(id.trim_ascii()) {
        own.machine_id = id.trim_ascii().to_vec();
    }
    let instance = text(b"/var/lib/cloud/data/instance-id");
    let instance = instance.trim_ascii();
    if instance.len() >= 4 && is_plain(instance) {
        own.instance = instance.to_vec();
    }
    if live {
        running(&mut own, place);
    }
    // What a table names is the host's own only where the kernel has no disks to tell: in a tree, and in a container.
    if own.disks.is_empty() {
        for path in [&b"/etc/fstab"[..], b"/etc/crypttab"] {
            let table = text(path);
            own.disks.extend(words(&table).flatten().filter_map(disk).map(<[u8]>::to_ascii_lowercase));
        }
    }
    crate::order::sort(&mut own.disks, Ord::cmp);
    own.disks.dedup();
    own.disks.truncate(DISKS);
    if !live {
        // What a file says of itself, where there is no kernel to ask.
        for mut line in words(&hosts) {
            let address = line.next().unwrap_or_default();
            if line.any(|name| own.of_name(name).is_some()) && !is_loopback(address) {
                keep(&mut own.addresses, address, 2);
            }
        }
    }
    own
}

/// The lines of a text without comments, as words.
fn words(text: &[u8]) -> impl Iterator<Item = impl Iterator<Item = &[u8]>> {
    let lines = text.split(|b| *b == b'\n').map(|line| line.split(|b| *b == b'#').next().unwrap_or_default());
    lines
        .filter(|line| !line.trim_ascii().is_empty())
        .map(|line| line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()))
}

fn name_of(own: &mut HostFacts, name: &[u8]) {
    let (head, domain) = match name.iter().position(|b| *b == b'.') {
        Some(at) => (&name[..at], &name[at + 1..]),
        None => (name, &b""[..]),
    };
    if !head.is_empty() && is_plain(name) && !head.eq_ignore_ascii_case(b"localhost") {
        own.hostname = head.to_vec();
        own.domain = domain.to_vec();
    }
}

/// The domain is what stands behind the host's own name: in hosts(5), else in mailname.
fn domain_of(own: &mut HostFacts, hosts: &[u8], mailname: &[u8]) {
    if !own.domain.is_empty() {
        return;
    }
    let name = [own.hostname.as_slice(), b"."].concat();
    let found = words(hosts).flat_map(|line| line.skip(1)).chain(words(mailname).flatten()).find_map(|word| {
        let (head, domain) = word.split_at_checked(name.len())?;
        (head.eq_ignore_ascii_case(&name) && !domain.is_empty() && is_plain(domain)).then_some(domain)
    });
    own.domain = found.unwrap_or_default().to_vec();
}

/// The id of a disk in a field of fstab or crypttab, where it has the form of one that was made and not typed.
fn disk(field: &[u8]) -> Option<&[u8]> {
    const HEADS: [&[u8]; 4] = [b"UUID=", b"PARTUUID=", b"/dev/disk/by-uuid/", b"/dev/disk/by-partuuid/"];
    let id = HEADS.iter().find_map(|head| field.strip_prefix(*head))?;
    let id = id.strip_prefix(b"\"").and_then(|id| id.strip_suffix(b"\"")).unwrap_or(id);
    is_id(id).then_some(id)
}

/// A UUID, FAT's `1A2B-3C4D`, or the `6a0c5d4e-01` of a partition of an MBR.
fn is_id(id: &[u8]) -> bool {
    const FORMS: [&[usize]; 3] = [&[8, 4, 4, 4, 12], &[4, 4], &[8, 2]];
    let groups = id.split(|b| *b == b'-');
    let hex = id.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-');
    hex && FORMS.iter().any(|form| groups.clone().map(<[u8]>::len).eq(form.iter().copied()))
}

/// The names of a folder in an order of which chance is no part.
fn names(place: &Place, folder: &[u8]) -> Vec<Vec<u8>> {
    let mut names = place.names(folder).unwrap_or_default();
    crate::order::sort(&mut names, Ord::cmp);
    names
}

fn running(own: &mut HostFacts, place: &Place) {
    for address in crate::facts::addresses() {
        keep(&mut own.addresses, &address, 2);
    }
    for card in names(place, b"/sys/class/net") {
        let path = [b"/sys/class/net/", card.as_slice(), b"/address"].concat();
        let mac = terminated(&path).and_then(|path| kernel_file(&path, 256)).unwrap_or_default();
        let mac = mac.trim_ascii();
        if mac.iter().any(|b| !matches!(b, b'0' | b':')) {
            keep(&mut own.macs, mac, 17);
        }
    }
    for folder in [&b"/dev/disk/by-uuid"[..], b"/dev/disk/by-partuuid", b"/dev/disk/by-id"] {
        let ids = names(place, folder).into_iter().filter(|id| id.len() >= SHORTEST_ID && is_plain(id));
        own.disks.extend(ids.map(|id| id.to_ascii_lowercase()));
    }
}

fn keep(facts: &mut Vec<Vec<u8>>, fact: &[u8], shortest: usize) {
    if fact.len() >= shortest && is_plain(fact) && facts.len() < MOST && !facts.iter().any(|known| known == fact) {
        facts.push(fact.to_vec());
    }
}

fn is_loopback(address: &[u8]) -> bool {
    address.starts_with(b"127.") || address == b"::1"
}

/// What names, addresses and ids are made of.
fn is_plain(fact: &[u8]) -> bool {
    (1..=LONGEST).contains(&fact.len())
        && fact.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':'))
}
