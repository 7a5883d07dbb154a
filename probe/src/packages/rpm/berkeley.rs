//! Berkeley DB's hash form, `Packages`: pages of keys and values, and chains of pages for values that are long (Berkeley
//! DB's `dbinc/db_page.h`).
//!
//! *Invariant:* every page is looked at in its order; the hash itself is of no interest.

use super::Take;
use super::pages::{Pages, le, le2};
use alloc::vec::Vec;

/// Bytes of a page's head; the places of its items follow.
const HEAD: usize = 26;

/// Reads the headers of all packages.
pub fn read(pages: &mut Pages, take: Take<'_>) -> Option<()> {
    let head = pages.at(0, 72)?;
    let size = le(&head, 20)?;
    if le(&head, 12)? != 0x0006_1561 || !(512..=65536).contains(&size) {
        return None;
    }
    for number in 1..=le(&head, 32)? {
        let page = pages.at(number * size, size)?;
        // A page of keys and values, unsorted (of old) or sorted.
        let items = if matches!(page[25], 2 | 13) { le2(&page, 20)? } else { 0 };
        for item in (1..items).step_by(2) {
            let place = HEAD + 2 * item;
            let at = le2(&page, place)?;
            let value = match page.get(at)? {
                // Here; it ends where its key begins.
                1 => {
                    let value = page.get(at + 1..le2(&page, place - 2)?)?;
                    // Any two may overlap.
                    pages.spend(value.len())?;
                    value.to_vec()
                }
                3 => chain(pages, size, le(&page, at + 4)?, le(&page, at + 8)?)?,
                _ => return None,
            };
            // Key 0 has the last number that was given away.
            if value.len() > 8 {
                take(&value)?;
            }
        }
    }
    Some(())
}

fn chain(pages: &mut Pages, size: usize, mut number: usize, len: usize) -> Option<Vec<u8>> {
    // Its pages may be one and the same, its length is any number.
    pages.spend(len)?;
    let mut value = Vec::new();
    while value.len() < len {
        let page = pages.at(number * size, size)?;
        let part = page.get(HEAD..HEAD + le2(&page, 22)?)?;
        if page[25] != 7 || part.is_empty() {
            return None;
        }
        value.extend_from_slice(part);
        number = le(&page, 16)?;
    }
    (value.len() == len).then_some(value)
}
