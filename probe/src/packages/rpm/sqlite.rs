//! The table `Packages` of an SQLite database, with what its write-ahead log has on top (sqlite.org/fileformat2.html).
//!
//! *Invariant:* only transactions that were finished count; no lock is taken and no shared memory is opened, so that
//! whoever writes meanwhile is found out by the times of the files.

use super::Take;
use super::pages::{HEADER_MOST, Pages, be, le};
use alloc::vec::Vec;

/// Bytes of a log's own header, and of the one before each of its pages.
const LOG_HEAD: usize = 32;
const FRAME_HEAD: usize = 24;

struct Base<'a> {
    pages: &'a mut Pages,
    size: usize,
    /// Bytes of a page that hold content.
    usable: usize,
    log: Option<&'a mut Pages>,
    /// Pages in the log: number and place, sorted; the last one of a number is its newest.
    newer: Vec<(usize, usize)>,
    /// Pages that may still be looked at: in a sound database each belongs to one tree or chain.
    left: usize,
    /// Bytes that all rows may have.
    room: usize,
}

/// Reads the headers of all packages.
pub fn read(pages: &mut Pages, log: Option<&mut Pages>, take: Take<'_>) -> Option<()> {
    let head = pages.at(0, 100)?;
    let size = be(&head, 16, 2)?;
    let size = if size == 1 { 65536 } else { size };
    let usable = size.wrapping_sub(usize::from(head[20]));
    if !head.starts_with(b"SQLite format 3\0") || !(480..=65536).contains(&usable) {
        return None;
    }
    let mut base = Base { pages, size, usable, log, newer: Vec::new(), left: 0, room: 0 };
    // SQLite takes a log that does not begin as one for none.
    base.newer = base.log.as_mut().and_then(|log| newer(log, size)).unwrap_or_default();
    base.left = base.pages.count(size) + base.newer.len();
    base.room = base.left * size;
    let mut table = None;
    base.rows(1, &mut |row| {
        if column(row, 0)? == b"table" && column(row, 1)? == b"Packages" {
            let root = column(row, 3)?;
            table = be(root, 0, root.len());
        }
        Some(())
    })?;
    base.rows(table?, &mut |row| take(column(row, 1)?))
}

impl Base<'_> {
    #[inline(never)]
    fn page(&mut self, number: usize) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(1)?;
        let after = self.newer.partition_point(|(other, _)| *other <= number);
        match (&mut self.log, self.newer.get(after.wrapping_sub(1))) {
            (Some(log), Some((other, at))) if *other == number => log.at(*at, self.size),
            _ => self.pages.at(number.checked_sub(1)?.checked_mul(self.size)?, self.size),
        }
    }

    /// Gives the rows of a table's tree.
    fn rows(&mut self, root: usize, take: Take<'_>) -> Option<()> {
        let mut waiting = alloc::vec![root];
        while let Some(number) = waiting.pop() {
            let page = self.page(number)?;
            let head = if number == 1 { 100 } else { 0 };
            let inner = page[head] == 5;
            if inner {
                waiting.push(be(&page, head + 8, 4)?);
            } else if page[head] != 13 {
                return None;
            }
            for cell in 0..be(&page, head + 3, 2)? {
                let at = be(&page, head + if inner { 12 } else { 8 } + 2 * cell, 2)?;
                if inner {
                    waiting.push(be(&page, at, 4)?);
                } else {
                    take(&self.payload(&page, at)?)?;
                }
            }
            if waiting.len() > self.left {
                return None;
            }
        }
        Some(())
    }

    fn payload(&mut self, page: &[u8], mut at: usize) -> Option<Vec<u8>> {
        let len = varint(page, &mut at)?;
        varint(page, &mut at)?;
        // Cells may overlap, and a length is any number.
        self.room = self.room.checked_sub(len).filter(|_| len <= HEADER_MOST)?;
        let most = self.usable - 35;
        let mut here = len;
        if len > most {
            let least = (self.usable - 12) * 32 / 255 - 23;
            here = least + (len - least) % (self.usable - 4);
            if here > most {
                here = least;
            }
        }
        let mut payload = page.get(at..at + here)?.to_vec();
        let mut next = be(page, at + here, 4);
        while payload.len() < len {
            let more = self.page(next?)?;
            next = be(&more, 0, 4);
            payload.extend_from_slice(&more[4..4 + (len - payload.len()).min(self.usable - 4)]);
        }
        Some(payload)
    }
}

/// A field of a row.
#[inline(never)]
fn column(row: &[u8], mut wanted: usize) -> Option<&[u8]> {
    let mut at = 0;
    let mut value = varint(row, &mut at)?;
    loop {
        let code = varint(row, &mut at)?;
        let len = match code {
            0..=4 => code,
            5 => 6,
            6 | 7 => 8,
            8 | 9 => 0,
            _ => (code - 10) / 2 - 1,
        };
        let end = value.wrapping_add(len);
        if wanted == 0 {
            return row.get(value..end);
        }
        wanted -= 1;
        value = end;
    }
}

/// An integer of one to nine bytes; none that a length can have is longer than four.
#[inline(never)]
fn varint(bytes: &[u8], at: &mut usize) -> Option<usize> {
    let mut value = 0;
    loop {
        let byte = usize::from(*bytes.get(*at)?);
        *at += 1;
        value = value << 7 | byte & 0x7f;
        if byte < 0x80 {
            return Some(value);
        }
    }
}

/// The pages of finished transactions in a log. A log that does not go on as it must ends there, as it does for SQLite
/// itself: after a crash that is what was not finished.
fn newer(log: &mut Pages, size: usize) -> Option<Vec<(usize, usize)>> {
    let head = log.at(0, LOG_HEAD)?;
    let order = be(&head, 0, 4)? ^ 0x377f_0682;
    let mut sums = [0u32; 2];
    // Whether the sums over some bytes are those that a head tells.
    let mut agrees = |bytes: &[u8], told: &[u8], at: usize| {
        for at in (0..bytes.len()).step_by(4) {
            let word = if order == 1 { be(bytes, at, 4) } else { le(bytes, at) }.unwrap_or(0) as u32;
            sums = [sums[1], word.wrapping_add(sums[0]).wrapping_add(sums[1])];
        }
        [be(told, at, 4), be(told, at + 4, 4)] == sums.map(|sum| Some(sum as usize))
    };
    if order > 1 || be(&head, 8, 4)? != size || !agrees(&head[..24], &head, 24) {
        return None;
    }
    let mut found = Vec::new();
    let mut finished = 0;
    let mut at = LOG_HEAD;
    while let Some(frame) = log.at(at, FRAME_HEAD + size) {
        at += FRAME_HEAD;
        agrees(&frame[..8], &frame, 16);
        if frame[8..16] != head[16..24] || !agrees(&frame[FRAME_HEAD..], &frame, 16) {
            break;
        }
        found.push((be(&frame, 0, 4)?, at));
        if be(&frame, 4, 4)? != 0 {
            finished = found.len();
        }
        at += size;
    }
    found.truncate(finished);
    crate::order::sort(&mut found, |a, b| a.cmp(b));
    Some(found)
}
