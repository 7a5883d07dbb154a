//! The mount table of the scanned root as the kernel has it now.
//!
//! *Invariant:* read before anything on a mount is touched: a stat on a dead network mount would hang.

use crate::place::kernel_file;
pub use crate::protocol::mount::Mount;
use crate::protocol::mount::parse;
use alloc::vec::Vec;

/// The mounts below the root, sorted by path.
pub fn below(root: &[u8]) -> rustix::io::Result<Vec<Mount>> {
    let table = kernel_file(c"/proc/self/mountinfo", 16 << 20)?;
    let mut mounts = parse(&table, root);
    crate::order::sort(&mut mounts, |a, b| a.path.cmp(&b.path));
    Ok(mounts)
}
