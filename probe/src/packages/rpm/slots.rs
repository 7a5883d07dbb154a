//! rpm's own form of a database, `Packages.db`: slots of 16 bytes that say where each header is (rpm's
//! `lib/backend/ndb/rpmpkg.c`).
//!
//! *Invariant:* a slot or a header without its mark makes the database unreadable.

use super::Take;
use super::pages::{Pages, le};

const PAGE: usize = 4096;
const SLOT: usize = 16;

/// Reads the headers of all packages.
pub fn read(pages: &mut Pages, take: Take<'_>) -> Option<()> {
    let head = pages.at(0, SLOT)?;
    if !head.starts_with(b"RpmP\0\0\0\0") {
        return None;
    }
    // The first two slots are the file's own head.
    for slot in pages.at(0, le(&head, 12)? * PAGE)?.chunks_exact(SLOT).skip(2) {
        let number = le(slot, 4)?;
        if number != 0 {
            let at = le(slot, 8)? * SLOT;
            let head = pages.at(at, SLOT)?;
            if !head.starts_with(b"BlbS") || le(&head, 4)? != number {
                return None;
            }
            take(&pages.at(at + SLOT, le(&head, 12)?)?)?;
        }
        if !slot.starts_with(b"Slot") {
            return None;
        }
    }
    Some(())
}
