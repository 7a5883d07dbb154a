//! What the machine is: identity (to refuse a wrong baseline early), stable facts (part of the set), evidence (shown,
//! never compared).
//!
//! *Invariant:* facts of a root that is not the running system come from its files, never from the kernel that happens to
//! run.

use crate::owners::decimal;
use crate::place::{Place, kernel_file};
use crate::protocol::record::RecordWriter;
use crate::protocol::reply::{Texts, ability, evidence, identity};
use crate::protocol::{Attr, digest};
use alloc::vec::Vec;

/// Fields of os-release(5) that are facts.
const OS_RELEASE: [(&[u8], &[u8]); 4] = [
    (b"ID", b"fact:os.id"),
    (b"ID_LIKE", b"fact:os.like"),
    (b"VARIANT_ID", b"fact:os.variant"),
    (b"VERSION_ID", b"fact:os.version"),
];

/// Fields of os-release(5) that name the image. They are no facts of the set: baselines of before do not have them.
const IMAGE: [(&[u8], &[u8]); 2] = [(b"IMAGE_ID", evidence::IMAGE_ID), (b"IMAGE_VERSION", evidence::IMAGE_VERSION)];

/// What was learnt.
pub struct Facts {
    pub identity: Texts,
    pub evidence: Texts,
    /// Encoded pseudo-entries.
    pub records: Vec<Vec<u8>>,
}

/// Reads them.
pub fn read(place: &Place, live: bool) -> Facts {
    let mut facts = Facts { identity: Texts::default(), evidence: Texts::default(), records: Vec::new() };
    let text = place.read(b"/etc/os-release", 1 << 16).or_else(|_| place.read(b"/usr/lib/os-release", 1 << 16));
    let text = text.unwrap_or_default();
    for (field, subject) in OS_RELEASE {
        let Some(value) = os_release(&text, field) else { continue };
        match field {
            b"ID" => facts.identity.put(identity::OS_ID, &value),
            b"VERSION_ID" => facts.identity.put(identity::OS_VERSION, &value),
            _ => {}
        }
        facts.record(subject, &value);
    }
    for (field, name) in IMAGE {
        if let Some(value) = os_release(&text, field) {
            facts.evidence.put(name, &value);
        }
    }
    let dpkg_arch = place.read(b"/var/lib/dpkg/arch", 4096).ok();
    let uname = rustix::system::uname();
    if live {
        facts.identity.put(identity::ARCH, uname.machine().to_bytes());
        facts.record(b"fact:arch", uname.machine().to_bytes());
        facts.record(b"fact:kernel", uname.release().to_bytes());
        facts.running(uname.nodename().to_bytes());
    } else if let Some(arch) = dpkg_arch.as_ref().and_then(|text| text.split(|b| *b == b'\n').next()) {
        facts.identity.put(identity::ARCH, arch);
    }
    if let Ok(id) = place.read(b"/etc/machine-id", 4096) {
        let digest = digest::of_evidence(b"machine-id", id.trim_ascii());
        facts.evidence.put(evidence::MACHINE_ID, &crate::xattrs::hex(&digest));
    }
    facts.number(evidence::CLOCK, crate::clock::calendar().unsigned_abs());
    facts.evidence.put(evidence::ABILITY, ability::USAGE);
    facts.number(evidence::UID, u64::from(rustix::process::geteuid().as_raw()));
    facts
}

impl Facts {
    fn record(&mut self, subject: &[u8], value: &[u8]) {
        let mut record = Vec::new();
        RecordWriter::new(&mut record, subject).present(Attr::Text, &value[..value.len().min(4096)]);
        self.records.push(record);
    }

    fn number(&mut self, name: &[u8], number: u64) {
        let mut text = Vec::new();
        decimal(number, &mut text);
        self.evidence.put(name, &text);
    }

    fn running(&mut self, hostname: &[u8]) {
        self.evidence.put(evidence::HOSTNAME, hostname);
        if let Ok(stat) = kernel_file(c"/proc/stat", 1 << 20)
            && let Some(boot) = stat.split(|b| *b == b'\n').find_map(|line| line.strip_prefix(b"btime "))
        {
            self.evidence.put(evidence::BOOT, boot);
        }
        for address in addresses().iter().take(64) {
            self.evidence.put(evidence::ADDRESS, address);
        }
    }
}

/// The addresses of the running system, without loopback and those of one link.
pub fn addresses() -> Vec<Vec<u8>> {
    let mut addresses = kernel_file(c"/proc/net/fib_trie", 1 << 20).map(|text| v4(&text)).unwrap_or_default();
    addresses.extend(kernel_file(c"/proc/net/if_inet6", 1 << 16).map(|text| v6(&text)).unwrap_or_default());
    crate::order::sort(&mut addresses, Ord::cmp);
    addresses.dedup();
    addresses
}

/// The value of a field, unquoted as a shell would for the plain cases that os-release(5) allows.
fn os_release(text: &[u8], field: &[u8]) -> Option<Vec<u8>> {
    let value = text
        .split(|b| *b == b'\n')
        .find_map(|line| line.strip_prefix(field).and_then(|rest| rest.strip_prefix(b"=")))?
        .trim_ascii();
    let quoted = |quote: &[u8]| value.strip_prefix(quote).and_then(|v| v.strip_suffix(quote));
    let plain = quoted(b"\"").or_else(|| quoted(b"'")).unwrap_or(value);
    Some(plain.iter().copied().filter(|b| *b != b'\\').take(256).collect())
}

/// Local IPv4 addresses: in fib_trie each `/32 host LOCAL` stands under its address.
fn v4(text: &[u8]) -> Vec<Vec<u8>> {
    let mut last: &[u8] = b"";
    let mut found = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        let line = line.trim_ascii();
        if let Some(address) = line.strip_prefix(b"|-- ") {
            last = address;
        } else if line.starts_with(b"/32 host LOCAL") && !last.starts_with(b"127.") && last.len() <= 15 {
            found.push(last.to_vec());
        }
    }
    found
}

/// Global IPv6 addresses of if_inet6: 32 digits, index, prefix length, scope, flags, device; scope 00 is global.
fn v6(text: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        let mut fields = line.split(|b| *b == b' ').filter(|field| !field.is_empty());
        let (Some(digits), Some(scope)) = (fields.next(), fields.nth(2)) else { continue };
        if digits.len() == 32 && scope == b"00" {
            found.push(digits.chunks(4).collect::<Vec<_>>().join(&b':'));
        }
    }
    found
}
