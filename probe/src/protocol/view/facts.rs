//! What is true of one host alone and may stand in its files.
//!
//! *Invariant:* a fact is replaced as a whole token of a named field only, by a placeholder that says which fact it is; no
//! text of a file can pass for one, because a placeholder holds bytes that the fields' escaping never writes.

use alloc::vec::Vec;

/// The facts of one host, from its own files where the tree is not the running system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostFacts {
    /// Its name, without a domain.
    pub hostname: Vec<u8>,
    /// Its domain, where a file tells one.
    pub domain: Vec<u8>,
    /// 32 digits.
    pub machine_id: Vec<u8>,
    /// Its addresses, in the spelling of the kernel or of its files.
    pub addresses: Vec<Vec<u8>>,
    /// Ids of its disks, partitions and file systems: lower case, sorted.
    pub disks: Vec<Vec<u8>>,
    /// Its network cards' addresses, lower case with colons.
    pub macs: Vec<Vec<u8>>,
    /// The id that its cloud gave it.
    pub instance: Vec<u8>,
}

/// Which fact a placeholder stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Own {
    /// The name without a domain.
    Hostname,
    /// The name with its domain.
    Fqdn,
    /// One of the addresses.
    Address,
    /// A network card's address.
    Mac,
    /// The id of a disk, a partition or a file system.
    Disk,
    /// The machine id.
    MachineId,
    /// The cloud's id.
    Instance,
    /// An id that was made for the host and is known by its form alone.
    Made,
}

impl Own {
    /// Its word in a placeholder.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Hostname => "hostname",
            Self::Fqdn => "fqdn",
            Self::Address => "address",
            Self::Mac => "mac",
            Self::Disk => "disk",
            Self::MachineId => "machine-id",
            Self::Instance => "instance-id",
            Self::Made => "made",
        }
    }
}

/// Names that stand in files for many other reasons than that a host is called so.
const WORDS: &[u8] = b" web www mail smtp imap dns ntp api app apps cache data default docker file files ftp git home host http \
https ldap local localhost log logs main master node server proxy redis mysql postgres nginx apache router gateway root admin \
user users test dev prod debian ubuntu linux backup storage system monitor worker vpn ssh sshd sudo none true false yes auto ";

impl HostFacts {
    /// The fact that a name is.
    #[must_use]
    pub fn of_name(&self, name: &[u8]) -> Option<Own> {
        let plain = name.strip_suffix(b".").unwrap_or(name);
        if is(&self.hostname, plain) {
            return Some(Own::Hostname);
        }
        let (head, tail) = plain.split_at_checked(self.hostname.len())?;
        let fqdn = is(&self.hostname, head) && tail.strip_prefix(b".").is_some_and(|domain| is(&self.domain, domain));
        fqdn.then_some(Own::Fqdn)
    }

    /// The fact that an address is, however it is spelled.
    #[must_use]
    pub fn of_address(&self, address: &[u8]) -> Option<Own> {
        let v6 = address.contains(&b':').then(|| v6(address)).flatten();
        let same = |own: &&Vec<u8>| is(own, address) || v6.is_some() && self::v6(own) == v6;
        self.addresses.iter().find(same).map(|_| Own::Address)
    }

    /// The fact that an id of a disk is.
    #[must_use]
    pub fn of_disk(&self, id: &[u8]) -> Option<Own> {
        // There may be thousands, and every token of a text is asked about.
        let order = |own: &Vec<u8>| own.iter().copied().cmp(id.iter().map(u8::to_ascii_lowercase));
        self.disks.binary_search_by(order).ok().map(|_| Own::Disk)
    }

    /// The fact that a token of any text is. A name that is short or a common word says nothing there.
    #[must_use]
    pub fn of_token(&self, token: &[u8]) -> Option<Own> {
        if is(&self.machine_id, token) {
            return Some(Own::MachineId);
        }
        if is(&self.instance, token) {
            return Some(Own::Instance);
        }
        if self.macs.iter().any(|own| is(own, token)) {
            return Some(Own::Mac);
        }
        let name = self.of_name(token).filter(|own| *own != Own::Hostname || self.is_distinct());
        name.or_else(|| self.of_disk(token)).or_else(|| self.of_address(token))
    }

    fn is_distinct(&self) -> bool {
        let name = self.hostname.to_ascii_lowercase();
        let word = [b" ", name.as_slice(), b" "].concat();
        name.len() >= 3 && !WORDS.windows(word.len()).any(|window| window == word)
    }
}

/// Whether a token is a fact that there is.
fn is(fact: &[u8], token: &[u8]) -> bool {
    !fact.is_empty() && fact.eq_ignore_ascii_case(token)
}

/// The eight groups of an IPv6 address in any of its spellings without an IPv4 tail.
pub(super) fn v6(text: &[u8]) -> Option<[u16; 8]> {
    let mut groups = [0u16; 8];
    let gap = text.windows(2).position(|pair| pair == b"::");
    let (head, tail) = match gap {
        Some(at) => (&text[..at], &text[at + 2..]),
        None => (text, &b""[..]),
    };
    let before = fill(head, &mut groups)?;
    let mut end = [0u16; 8];
    let after = fill(tail, &mut end)?;
    match gap {
        Some(_) if before + after < 8 => groups[8 - after..].copy_from_slice(&end[..after]),
        None if before == 8 => {}
        _ => return None,
    }
    Some(groups)
}

/// Reads groups up to the end of a text; gives how many.
fn fill(text: &[u8], groups: &mut [u16; 8]) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let mut count = 0;
    for group in text.split(|b| *b == b':') {
        if group.is_empty() || group.len() > 4 {
            return None;
        }
        let mut number = 0u16;
        for byte in group {
            let digit = char::from(*byte).to_digit(16)?;
            number = number << 4 | digit as u16;
        }
        *groups.get_mut(count)? = number;
        count += 1;
    }
    Some(count)
}
