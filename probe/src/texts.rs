//! Texts of files for the controller's sentences and diffs.
//!
//! *Invariant:* whatever the request says, no file of the secret class is told but through a view that leaves its secrets
//! out, and none is opened for it.

use crate::meta::Meta;
use crate::owners::decimal;
use crate::place::Place;
use crate::protocol::HostFacts;
use crate::protocol::reply::{FrameKind, Text, TextState};
use crate::protocol::request::{TEXT_MAX, Want, is_log};
use crate::protocol::view;
use crate::secrets::{holds_secret, is_secret, may_view};
use crate::stream::Output;
use alloc::vec::Vec;
use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;

/// Sends one text for each question.
pub fn send(place: &Place, own: &HostFacts, questions: &[(Vec<u8>, Want)], output: &mut Output) {
    // Where the root really is: whoever chooses a folder of secrets for the root gets no other answer.
    let root = place.real_path();
    let mut payload = Vec::new();
    for (path, want) in questions {
        let text = match &root {
            Ok(root) => {
                let real = [root.strip_suffix(b"/").unwrap_or(root), path].concat();
                answer(place, own, path, &real, *want)
            }
            Err(_) => Err(TextState::Unread),
        };
        let (state, bytes) = match text {
            Ok((state, bytes)) => (state, bytes),
            Err(state) => (state, Vec::new()),
        };
        payload.clear();
        Text { state, bytes }.encode(&mut payload);
        output.frame(FrameKind::Text, &payload);
    }
}

type Answer = Result<(TextState, Vec<u8>), TextState>;

/// The answer to one question; `real` is the path with that of the root before it.
fn answer(place: &Place, own: &HostFacts, path: &[u8], real: &[u8], want: Want) -> Answer {
    let is_hidden = is_secret(path) || is_secret(real);
    match want {
        Want::Stat => stat(place, path),
        Want::Tail(_) if !is_log(path) || is_hidden => Err(TextState::Secret),
        Want::Head(_) if is_hidden => Err(TextState::Secret),
        Want::View(view) if !may_view(path, view) || !may_view(real, view) => Err(TextState::Secret),
        Want::Head(most) => {
            let (bytes, size) = read(place, path, &|size| (0, size.min(u64::from(most))))?;
            if holds_secret(&bytes) { Err(TextState::Secret) } else { Ok((whole(&bytes, size), bytes)) }
        }
        Want::Tail(most) => {
            let (bytes, size) = read(place, path, &|size| (size.saturating_sub(u64::from(most)), u64::from(most)))?;
            if holds_secret(&bytes) { Err(TextState::Secret) } else { Ok((whole(&bytes, size), bytes)) }
        }
        Want::View(view) => {
            let (bytes, size) = read(place, path, &|size| (0, size.min(view::MOST as u64)))?;
            if bytes.len() as u64 != size {
                return Err(TextState::NotParsed);
            }
            if !view.is_public() && holds_secret(&bytes) {
                return Err(TextState::Secret);
            }
            let mut text = view::text(view, &bytes, own).map_err(|_| TextState::NotParsed)?;
            let is_long = text.len() > TEXT_MAX;
            text.truncate(TEXT_MAX);
            Ok((if is_long { TextState::Cut } else { TextState::Whole }, text))
        }
    }
}

fn whole(bytes: &[u8], size: u64) -> TextState {
    if bytes.len() as u64 == size { TextState::Whole } else { TextState::Cut }
}

fn lost(errno: Errno) -> TextState {
    match errno {
        // Not there, no regular file, or behind a link.
        Errno::NOENT | Errno::NOTDIR | Errno::INVAL | Errno::LOOP | Errno::ISDIR | Errno::NXIO => TextState::Absent,
        _ => TextState::Unread,
    }
}

/// A part of a regular file that did not change meanwhile, and its whole size; `part` gives offset and length.
fn read(place: &Place, path: &[u8], part: &dyn Fn(u64) -> (u64, u64)) -> Result<(Vec<u8>, u64), TextState> {
    for _ in 0..2 {
        let (file, before) = place.regular(path).map_err(lost)?;
        let (offset, length) = part(before.size);
        let bytes = read_at(&file, offset, length.min(before.size)).map_err(lost)?;
        if Meta::of_open(&file).is_ok_and(|after| after.is_same(&before)) {
            return Ok((bytes, before.size));
        }
    }
    Err(TextState::Unread)
}

fn read_at(file: &OwnedFd, offset: u64, length: u64) -> rustix::io::Result<Vec<u8>> {
    let mut bytes = alloc::vec![0; length as usize];
    let mut at = 0;
    while at < bytes.len() {
        match rustix::io::pread(file, &mut bytes[at..], offset + at as u64) {
            Ok(0) => return Err(Errno::AGAIN),
            Ok(n) => at += n,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(bytes)
}

/// Size, times of modification and change, and owner of anything: `size=120 mtime=1700000000 ctime=1700000000 uid=0`.
fn stat(place: &Place, path: &[u8]) -> Answer {
    let at = path.iter().rposition(|b| *b == b'/').unwrap_or(0);
    let (folder, name) = (&path[..at.max(1)], &path[at + 1..]);
    let folder = place.directory(folder).map_err(lost)?;
    let meta = Meta::of(folder.as_fd(), if name.is_empty() { b"." } else { name }).map_err(lost)?;
    let mut text = b"size=".to_vec();
    decimal(meta.size, &mut text);
    for (name, time) in [(b" mtime=", meta.modified), (b" ctime=", meta.changed.0)] {
        text.extend_from_slice(name);
        if time < 0 {
            text.push(b'-');
        }
        decimal(time.unsigned_abs(), &mut text);
    }
    text.extend_from_slice(b" uid=");
    decimal(u64::from(meta.uid), &mut text);
    Ok((TextState::Whole, text))
}
