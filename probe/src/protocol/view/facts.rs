//! What is true of one host alone and may stand in its files.
//!
//! *Invariant:* a fact is replaced as a whole token of a named field only, by a placeholder that says which fact and how
//! long it was; no text of a file can pass for one, because a placeholder holds bytes that the fields' escaping never
//! writes.

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
    /// Ids of its disks, partitions and file systems.
    pub disks: Vec<Vec<u8>>,
    /// Its network cards' addresses, lower case with colons.
    pub macs: Vec<Vec<u8>>,
    /// The id that its cloud gave it.
    pub instance: Vec<u8>,
}
