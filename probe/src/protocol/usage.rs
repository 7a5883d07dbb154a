//! How much stands below a folder: files, bytes and the newest time, for what a replacement of the host would lose.
//!
//! *Invariant:* sizes, times and names only; no content of a file is asked for or told.

use super::bytes::{Malformed, Reader, put_string, put_varint};
use super::request::absolute;
use alloc::vec::Vec;

/// The most places of one follow-up.
pub const PLACES_MAX: usize = 256;
/// The most names that are left out at one place.
pub const NAMES_MAX: usize = 128;
/// The most folders of one place that are told one by one.
pub const FOLDERS_MAX: usize = 256;
/// The most files of one place that are named.
pub const LARGEST_MAX: usize = 16;
/// From here on a file is large enough to be named.
pub const LARGE: u64 = 1 << 20;

/// A folder that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where; absolute.
    pub path: Vec<u8>,
    /// Whether each folder in it is told by itself.
    pub each: bool,
    /// Names that are not counted: of what is in the folder, and where each one is told by itself, of what is in those.
    pub leave_out: Vec<Vec<u8>>,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// Entries that all places together may cost; none may take more than half of what is left.
    pub entries: u64,
    /// The same in milliseconds.
    pub millis: u32,
    /// Where, ascending.
    pub places: Vec<Place>,
}

impl Survey {
    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.entries);
        put_varint(out, u64::from(self.millis));
        put_varint(out, self.places.len() as u64);
        for place in &self.places {
            put_string(out, &place.path);
            out.push(u8::from(place.each));
            put_varint(out, place.leave_out.len() as u64);
            for name in &place.leave_out {
                put_string(out, name);
            }
        }
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// Malformed bytes, or places that do not ascend.
    pub fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let entries = r.varint("entries")?;
        let millis = r.at_most(1 << 24, "millis")? as u32;
        let mut places: Vec<Place> = Vec::new();
        for _ in 0..r.at_most(PLACES_MAX, "places")? {
            let path = absolute(r.string(4096, "place")?, "place")?;
            if places.last().is_some_and(|last| last.path >= path) {
                return Err(Malformed("order of places"));
            }
            let each = flag(r.u8("place")?)?;
            let mut leave_out = Vec::new();
            for _ in 0..r.at_most(NAMES_MAX, "names")? {
                leave_out.push(r.string(255, "name")?.to_vec());
            }
            places.push(Place { path, each, leave_out });
        }
        Ok(Self { entries, millis, places })
    }
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Regular files.
    pub files: u64,
    /// Their sizes; that of a file with several names is shared among these.
    pub bytes: u64,
    /// Seconds since 1970: when the newest of them was written; nothing where there is no file.
    pub newest: i64,
    /// A limit ended the count.
    pub more: bool,
    /// Something could not be looked into.
    pub unread: bool,
}

impl Count {
    /// Counts a file.
    pub fn add(&mut self, bytes: u64, modified: i64) {
        self.newest = if self.files == 0 { modified } else { self.newest.max(modified) };
        self.files += 1;
        self.bytes = self.bytes.saturating_add(bytes);
    }

    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.files);
        put_varint(out, self.bytes);
        out.extend_from_slice(&self.newest.to_le_bytes());
        out.push(u8::from(self.more) | u8::from(self.unread) << 1);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (files, bytes) = (r.varint("files")?, r.varint("bytes")?);
        let newest = i64::from_le_bytes(r.array("newest")?);
        let flags = r.u8("count")?;
        if flags > 3 {
            return Err(Malformed("count"));
        }
        Ok(Self { files, bytes, newest, more: flags & 1 != 0, unread: flags & 2 != 0 })
    }
}

/// A large file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Large {
    /// Its path.
    pub path: Vec<u8>,
    /// Its size.
    pub bytes: u64,
    /// Seconds since 1970: when it was written.
    pub modified: i64,
}

/// What is at one place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Usage {
    /// Everything that is not told one by one.
    pub count: Count,
    /// Folders that are told one by one, by name.
    pub folders: Vec<(Vec<u8>, Count)>,
    /// The largest files, of [`LARGE`] at least.
    pub largest: Vec<Large>,
}

impl Usage {
    /// Appends the encoding; `None` is a place that is not there, or whose data is elsewhere.
    pub fn encode(usage: Option<&Self>, out: &mut Vec<u8>) {
        let Some(usage) = usage else { return out.push(0) };
        out.push(1);
        usage.count.encode(out);
        put_varint(out, usage.folders.len() as u64);
        for (name, count) in &usage.folders {
            put_string(out, name);
            count.encode(out);
        }
        put_varint(out, usage.largest.len() as u64);
        for file in &usage.largest {
            put_string(out, &file.path);
            put_varint(out, file.bytes);
            out.extend_from_slice(&file.modified.to_le_bytes());
        }
    }

    /// Reads the encoding of one answer.
    ///
    /// # Errors
    /// Malformed bytes.
    pub fn decode(payload: &[u8]) -> Result<Option<Self>, Malformed> {
        let mut r = Reader::new(payload);
        if !flag(r.u8("usage")?)? {
            return r.end("usage").map(|()| None);
        }
        let mut usage = Self { count: Count::decode(&mut r)?, ..Self::default() };
        for _ in 0..r.at_most(FOLDERS_MAX, "folders")? {
            let name = r.string(255, "name")?;
            if matches!(name, b"" | b"." | b"..") || name.iter().any(|b| matches!(b, 0 | b'/')) {
                return Err(Malformed("name"));
            }
            usage.folders.push((name.to_vec(), Count::decode(&mut r)?));
        }
        for _ in 0..r.at_most(LARGEST_MAX, "files")? {
            let path = absolute(r.string(4096, "path")?, "path")?;
            let bytes = r.varint("size")?;
            usage.largest.push(Large { path, bytes, modified: i64::from_le_bytes(r.array("time")?) });
        }
        r.end("usage")?;
        Ok(Some(usage))
    }
}

fn flag(byte: u8) -> Result<bool, Malformed> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("flag")),
    }
}
