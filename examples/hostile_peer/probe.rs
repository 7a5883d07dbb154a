//! A liar between a client and its probe: runs the real one, passes the conversation on, and bends it.
//!
//! *Invariant:* the trailer is made anew over what was sent, so that no lie is found by the digest alone, but where the
//! lie is about the trailer.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::process::{ChildStdin, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use driftscan::collect::{PACKED, PROBE, READY, READY_PACKED};
use driftscan::protocol::reply::{FRAME_MAX, FrameKind, HELLO, MAGIC, Trailer};
use driftscan::protocol::request::{FollowUp, MESSAGE_MAX, Request};
use sha2::{Digest as _, Sha256};

use crate::catalogue::{self, Play};
use crate::lie::Lie;

/// What the client asked: the lie, once its name is known, and what follows the request.
#[derive(Default)]
struct Asked {
    lie: Option<Lie>,
    nonce: [u8; 32],
    messages: VecDeque<FollowUp>,
    /// The client is gone.
    over: bool,
}

type Shared = Arc<Mutex<Asked>>;

/// Takes the place of the command in `SSH_ORIGINAL_COMMAND`.
pub(crate) fn play(name: &str) -> io::Result<ExitCode> {
    let command = std::env::var_os("SSH_ORIGINAL_COMMAND")
        .ok_or_else(|| io::Error::other("SSH_ORIGINAL_COMMAND is not set: this is for a ForceCommand of sshd"))?;
    let lie = if name == "by-host-name" { None } else { Some(named(name)?) };
    // Every command that starts a probe has this word before the lengths.
    let starts_probe = command.to_string_lossy().contains(" driftscan ");
    let mut child =
        Command::new("/bin/sh").arg("-c").arg(command).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let (Some(to_probe), Some(mut from_probe)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("the command has no streams"));
    };
    if !starts_probe {
        // Another command of the client's, such as that of a doctor: nothing to bend.
        std::thread::spawn(move || io::copy(&mut io::stdin().lock(), &mut { to_probe }));
        io::copy(&mut from_probe, &mut io::stdout().lock())?;
        return Ok(exit_code(child.wait()?.code()));
    }
    let asked = Shared::default();
    let listener = Arc::clone(&asked);
    let (word, lengths) = mpsc::channel();
    std::thread::spawn(move || {
        // That the client ended in mid-word is its good right.
        listen(to_probe, &lengths, lie, &listener).ok();
        listener.lock().unwrap_or_else(PoisonError::into_inner).over = true;
    });
    let told = Teller { out: io::stdout().lock(), asked, lie: Lie::None, hash: Sha256::new(), bytes: 0, frames: 0 }
        .tell(&mut from_probe, &word);
    let lie = match told {
        Ok(lie) => lie,
        Err(problem) => {
            child.kill().ok();
            return Err(problem);
        }
    };
    if matches!(lie, Lie::StopsHalfway | Lie::StallsHalfway | Lie::OldNonce) {
        child.kill().ok();
        return Ok(ExitCode::SUCCESS);
    }
    Ok(match lie {
        Lie::Status137 => ExitCode::from(137),
        Lie::Status1 => ExitCode::FAILURE,
        _ => exit_code(child.wait()?.code()),
    })
}

fn exit_code(code: Option<i32>) -> ExitCode {
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(255))
}

/// The lie of this name.
fn named(name: &str) -> io::Result<Lie> {
    match catalogue::find(name).map(|misbehaviour| misbehaviour.play) {
        Some(Play::Probe(lie)) => Ok(lie),
        _ => Err(io::Error::other(format!("{name} is no misbehaviour of a probe"))),
    }
}

/// The lie that a host is named after, up to a dot; every other name is that of an honest host.
fn by_host_name(host: &[u8]) -> Lie {
    let name = host.split(|byte| *byte == b'.').next().and_then(|name| std::str::from_utf8(name).ok());
    name.and_then(|name| named(name).ok()).unwrap_or(Lie::None)
}

/// Passes on what the client says, and notes it; a length is that of the probe which the host asks for.
fn listen(mut to_probe: ChildStdin, lengths: &Receiver<usize>, lie: Option<Lie>, asked: &Shared) -> io::Result<()> {
    let mut from = io::stdin().lock();
    let Ok(length) = lengths.recv() else { return Ok(()) };
    io::copy(&mut (&mut from).take(length as u64), &mut to_probe)?;
    let mut head = [0; 12];
    from.read_exact(&mut head)?;
    let body = message(&mut from, &head[8..])?;
    let mut request = Request::decode(&body).map_err(io::Error::other)?;
    let lie = match lie {
        Some(lie) => lie,
        None => by_host_name(&request.host),
    };
    {
        let mut asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
        (asked.lie, asked.nonce) = (Some(lie), request.nonce);
    }
    lie.bend_request(&mut request);
    to_probe.write_all(&request.encode())?;
    let mut head = [0; 5];
    while from.read_exact(&mut head).is_ok() {
        let body = message(&mut from, &head[1..])?;
        let follow = FollowUp::decode(head[0], &body).map_err(io::Error::other)?;
        let bytes = follow.encode();
        asked.lock().unwrap_or_else(PoisonError::into_inner).messages.push_back(follow);
        to_probe.write_all(&bytes)?;
    }
    Ok(())
}

/// The rest of a message whose length this is.
fn message(from: &mut impl Read, length: &[u8]) -> io::Result<Vec<u8>> {
    let length = length.try_into().map(u32::from_le_bytes).map_err(io::Error::other)? as usize;
    if length > MESSAGE_MAX {
        return Err(io::Error::other("a message above its cap"));
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(body)
}

/// What goes back to the client.
struct Teller<W: Write> {
    out: W,
    asked: Shared,
    lie: Lie,
    hash: Sha256,
    bytes: u64,
    frames: u64,
}

impl<W: Write> Teller<W> {
    /// Tells everything; returns the lie that was told.
    fn tell(mut self, from_probe: &mut impl Read, word: &Sender<usize>) -> io::Result<Lie> {
        let ready = line(from_probe)?;
        self.send(&ready)?;
        // Nobody listens any more where the client is gone.
        match ready.as_slice() {
            READY => drop(word.send(PROBE.len())),
            READY_PACKED => drop(word.send(PACKED.len())),
            // No probe will come to run: nothing to bend.
            _ => return io::copy(from_probe, &mut self.out).map(|_| Lie::None),
        }
        let hello = line(from_probe)?;
        self.send(&hello)?;
        let mut preamble = [0; MAGIC.len() + 32];
        if !hello.starts_with(HELLO) || from_probe.read_exact(&mut preamble).is_err() {
            return Ok(Lie::None);
        }
        let (lie, nonce) = {
            let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            (asked.lie.unwrap_or(Lie::None), asked.nonce)
        };
        self.lie = lie;
        if lie != Lie::OldNonce {
            preamble[MAGIC.len()..].copy_from_slice(&nonce);
        }
        self.out.write_all(&lie.noise(&preamble))?;
        self.hash.update(&hello);
        self.hash.update(preamble);
        self.bytes = (hello.len() + preamble.len()) as u64;
        self.send(&preamble)?;
        let mut answered = 0;
        while let Some((kind, payload)) = read_frame(from_probe)? {
            if kind == FrameKind::Trailer {
                self.trailer()?;
                continue;
            }
            let asked = self.following(answered);
            let ends = matches!(kind, FrameKind::Symbols | FrameKind::End);
            if lie == Lie::StopsHalfway && kind == FrameKind::Root {
                return Ok(lie);
            }
            if lie == Lie::StallsHalfway && kind == FrameKind::Root {
                while !self.asked.lock().unwrap_or_else(PoisonError::into_inner).over {
                    std::thread::sleep(Duration::from_millis(50));
                }
                return Ok(lie);
            }
            if lie == Lie::OversizedFrame && kind == FrameKind::Coverage {
                self.send(&[kind as u8, 0xff, 0xff, 0xff, 0xff])?;
                loop {
                    self.send(&vec![0; FRAME_MAX])?;
                }
            }
            if let Some(endless) = lie.endless(kind) {
                for (kind, payload) in endless {
                    self.frame(kind, &payload)?;
                }
            }
            for (kind, payload) in lie.bend(asked.as_ref(), kind, payload) {
                self.frame(kind, &payload)?;
            }
            answered += usize::from(ends);
            if lie == Lie::OldNonce && ends {
                // A recording has an end.
                self.trailer()?;
                return Ok(lie);
            }
        }
        Ok(lie)
    }

    /// The message that is being answered after so many answers, of which the first was the request's.
    fn following(&self, answered: usize) -> Option<FollowUp> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.messages.get(answered.checked_sub(1)?).cloned()
    }

    fn frame(&mut self, kind: FrameKind, payload: &[u8]) -> io::Result<()> {
        let length = u32::try_from(payload.len()).map_err(io::Error::other)?.to_le_bytes();
        let bytes = [&[kind as u8][..], &length, payload].concat();
        if kind != FrameKind::Trailer {
            self.hash.update(&bytes);
            self.bytes += bytes.len() as u64;
            self.frames += 1;
        }
        self.send(&bytes)
    }

    fn trailer(&mut self) -> io::Result<()> {
        let digest = self.hash.clone().finalize().into();
        let mut trailer = Trailer { frames: self.frames, bytes: self.bytes, digest };
        match self.lie {
            Lie::NoTrailer => return Ok(()),
            Lie::WrongTrailer => trailer.bytes += 1,
            _ => {}
        }
        let mut payload = Vec::new();
        trailer.encode(&mut payload);
        self.frame(FrameKind::Trailer, &payload)?;
        match self.lie {
            Lie::TrailerTwice => self.frame(FrameKind::Trailer, &payload),
            Lie::BytesAfter => self.send(b"logout\n"),
            _ => Ok(()),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.lie == Lie::Drips {
            for byte in bytes {
                self.out.write_all(&[*byte])?;
                self.out.flush()?;
                std::thread::sleep(Duration::from_millis(100));
            }
            return Ok(());
        }
        self.out.write_all(bytes)?;
        self.out.flush()
    }
}

/// What is said up to a newline, or to the end.
fn line(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let (mut said, mut byte) = (Vec::new(), [0]);
    while byte != *b"\n" && from.read(&mut byte)? > 0 {
        said.extend_from_slice(&byte);
    }
    Ok(said)
}

/// The real probe's next frame; `None` at its end.
fn read_frame(from: &mut impl Read) -> io::Result<Option<(FrameKind, Vec<u8>)>> {
    let mut head = [0; 5];
    if from.read_exact(&mut head).is_err() {
        return Ok(None);
    }
    let kind = FrameKind::of(head[0]).ok_or_else(|| io::Error::other("the real probe sent an unknown frame"))?;
    let mut payload = vec![0; u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize];
    from.read_exact(&mut payload)?;
    Ok(Some((kind, payload)))
}
