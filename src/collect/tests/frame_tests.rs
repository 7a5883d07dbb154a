//! Frames: their order, their caps, and the trailer over all of them.

use super::host_tests::{Frame, Host, Stage, varint};
use super::{NONCE, Reason, drifted, machine, refused};
use crate::collect::probe_digest;
use crate::protocol::reply::{FRAME_MAX, FrameKind, HELLO, MAGIC, Trailer};
use sha2::{Digest as _, Sha256};

/// A host that bends its first answer.
fn first(bend: impl Fn(&mut Vec<Frame>) + 'static) -> Host {
    Host::bent(machine(5), move |stage, frames| {
        if *stage == Stage::First {
            bend(frames);
        }
    })
}

fn breaks(host: &Host, words: &str) {
    let (reason, text) = refused(host, &machine(5));
    assert_eq!(reason, Reason::Protocol, "{text}");
    assert!(text.contains(words), "{text} has no {words}");
}

#[test]
fn frames_come_in_one_order() {
    for swapped in 0..4 {
        breaks(&first(move |frames| frames.swap(swapped, swapped + 1)), "frames out of order");
    }
    for missing in 0..4 {
        breaks(&first(move |frames| drop(frames.remove(missing))), "frames out of order");
    }
    for twice in 0..4 {
        breaks(&first(move |frames| frames.insert(twice, frames[twice].clone())), "frames out of order");
    }
    for strange in [FrameKind::StatDigests, FrameKind::End, FrameKind::Batch] {
        breaks(&first(move |frames| frames.insert(2, (strange, varint(0)))), "frames out of order");
    }
}

#[test]
fn a_trailer_too_early_is_out_of_order_even_where_it_agrees() {
    breaks(&first(|frames| frames.insert(1, (FrameKind::Trailer, vec![0; 34]))), "the trailer does not agree");
    let agreeing = |frames: &mut Vec<Frame>| {
        let length = u32::try_from(frames[0].1.len()).unwrap().to_le_bytes();
        let hello = [HELLO, probe_digest().as_bytes(), b"\n"].concat();
        let before = [&hello, &MAGIC[..], &NONCE, &[FrameKind::Identity as u8], &length, &frames[0].1].concat();
        let mut payload = Vec::new();
        let digest = Sha256::digest(&before).into();
        Trailer { frames: 1, bytes: before.len() as u64, digest }.encode(&mut payload);
        frames.insert(1, (FrameKind::Trailer, payload));
    };
    breaks(&first(agreeing), "frames out of order");
}

#[test]
fn frames_that_make_no_sense_are_refused() {
    for at in 0..5 {
        breaks(&first(move |frames| frames[at].1.clear()), "");
        breaks(&first(move |frames| frames[at].1.push(0)), "");
        breaks(&first(move |frames| frames[at].1 = vec![0xff; 300]), "");
    }
}

#[test]
fn a_frame_above_its_cap_is_never_read() {
    breaks(&first(|frames| frames[1].1 = vec![0; FRAME_MAX + 1]), "a frame above its cap");
    // Just below it is read, and is no text.
    breaks(&first(|frames| frames[1].1 = vec![0xff; FRAME_MAX]), "malformed texts");
}

#[test]
fn the_trailer_counts_frames_and_bytes_and_holds_their_digest() {
    for at in [0, 1, 3, 30] {
        let host = Host::bent(machine(5), move |stage, frames| {
            if *stage == Stage::Last {
                frames[0].1[at] ^= 1;
            }
        });
        breaks(&host, "");
    }
}

#[test]
fn no_trailer_is_no_observation() {
    let host = Host::bent(machine(5), |stage, frames| {
        if *stage == Stage::Last {
            frames.clear();
        }
    });
    let (reason, text) = refused(&host, &machine(5));
    assert_eq!((reason, text.as_str()), (Reason::Truncated, "the answer ended early"));
}

#[test]
fn something_before_or_after_the_trailer_is_refused() {
    let host = Host { after: b"x".to_vec(), ..Host::of(machine(5)) };
    breaks(&host, "bytes after the trailer");
    let host = Host { after: b"x".to_vec(), chunk: 1, ..Host::of(machine(5)) };
    breaks(&host, "bytes after the trailer");
    let host = Host::bent(machine(5), |stage, frames| {
        if *stage == Stage::Last {
            frames.insert(0, (FrameKind::End, varint(0)));
        }
    });
    breaks(&host, "frames out of order");
    let host = Host::bent(machine(5), |stage, frames| {
        if *stage == Stage::Last {
            frames.push(frames[0].clone());
        }
    });
    breaks(&host, "bytes after the trailer");
}

#[test]
fn other_frames_among_records_are_refused() {
    for strange in [FrameKind::Symbols, FrameKind::Refused, FrameKind::Root, FrameKind::StatDigests] {
        let host = Host::bent(drifted(5, 1), move |stage, frames| {
            if matches!(stage, Stage::Follow(_)) {
                frames.insert(0, (strange, Vec::new()));
            }
        });
        breaks(&host, "frames out of order");
    }
}

#[test]
fn a_refusal_names_the_kernels_error() {
    for (errno, reason, words) in [
        (&b"13"[..], Reason::Unreadable, "Permission denied"),
        (b"2", Reason::Io, "No such file"),
        (b"x", Reason::Io, ""),
        (b"99999999999", Reason::Io, ""),
    ] {
        let host = first(move |frames| *frames = vec![(FrameKind::Refused, errno.to_vec())]);
        let (got, text) = refused(&host, &machine(5));
        assert_eq!(got, reason, "{text}");
        assert!(text.starts_with("the folder to scan can't be opened") && text.contains(words), "{text}");
    }
}
