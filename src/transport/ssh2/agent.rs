//! The SSH agent of this machine (draft-ietf-sshm-ssh-agent): which keys it holds, and its signatures.
//!
//! Asked for its keys once a run. libssh2's own agent code is not used: it signs RSA certificates with SHA-1, knows no
//! security keys, and waits for ever for an agent that is silent.
//!
//! *Invariant:* asks for the list and for signatures, nothing else; an agent that does not answer costs seconds once, and
//! never the run.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::encoding::{Reader, put_string};

/// `SSH_AGENTC_REQUEST_IDENTITIES` and `SSH_AGENT_IDENTITIES_ANSWER`.
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
/// `SSH_AGENTC_SIGN_REQUEST` and `SSH_AGENT_SIGN_RESPONSE`.
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// `SSH_AGENT_RSA_SHA2_256` and `SSH_AGENT_RSA_SHA2_512`; without one an agent signs over SHA-1.
const RSA_SHA2_256: u32 = 2;
const RSA_SHA2_512: u32 = 4;
/// OpenSSH's own agent sends no more.
const LARGEST_ANSWER: usize = 256 << 10;
/// For the list of keys.
const PATIENCE: Duration = Duration::from_secs(5);
/// For a signature: somebody may have to confirm it (`ssh-add -c`).
const PATIENCE_TO_SIGN: Duration = Duration::from_secs(10);
/// For a signature of a security key: somebody has to find it and touch it.
const PATIENCE_TO_TOUCH: Duration = Duration::from_secs(30);

/// One agent, and what it answered.
#[derive(Debug)]
pub(super) struct Agent {
    socket: PathBuf,
    held: Result<Vec<Vec<u8>>, String>,
    turn: Mutex<Turn>,
    over: Condvar,
}

#[derive(Debug, Default)]
struct Turn {
    /// Somebody is talking to it. Agents sign one thing at a time, so waiting for others must not count as its silence.
    taken: bool,
    /// It was silent once: nobody waits for it again in this run.
    silent: Option<String>,
}

impl Agent {
    /// Asks an agent for its keys.
    pub(super) fn ask(socket: &Path) -> Self {
        let held = identities(socket);
        Self { socket: socket.to_owned(), held, turn: Mutex::default(), over: Condvar::new() }
    }

    /// Its public keys and certificates, in its order; or why it can't be asked.
    pub(super) fn held(&self) -> Result<&[Vec<u8>], &str> {
        self.held.as_deref().map_err(String::as_str)
    }

    /// Lets it sign by an algorithm, until a deadline; the signature is in SSH's encoding.
    ///
    /// # Errors
    ///
    /// Why it did not, to follow the name of a key.
    pub(super) fn sign(
        &self,
        key: &[u8],
        message: &[u8],
        algorithm: &str,
        deadline: Instant,
    ) -> Result<Vec<u8>, String> {
        let touch = algorithm.starts_with("sk-");
        self.take_turn(deadline)?;
        let patience = if touch { PATIENCE_TO_TOUCH } else { PATIENCE_TO_SIGN };
        let until = deadline.min(Instant::now() + patience);
        let answer = exchange(&self.socket, &sign_request(key, message, algorithm), until);
        let mut turn = self.lock();
        turn.taken = false;
        let answer = answer.map_err(|error| {
            let slow = is_timeout(&error);
            let why = if touch && slow {
                "was not touched in time, or its agent hangs".to_owned()
            } else {
                format!("could not be used: {}", told(&self.socket, &error))
            };
            // A touch that did not come says nothing about the next; a deadline that came early says nothing of the agent.
            if slow && !touch && until < deadline {
                turn.silent = Some(format!("{why}, and is not asked again in this run"));
            }
            why
        });
        drop(turn);
        self.over.notify_all();
        let answer = answer?;
        let mut reader = Reader::new(&answer);
        match (reader.byte(), reader.string()) {
            (Some(SIGN_RESPONSE), Some(signature)) => Ok(signature.to_vec()),
            _ if touch => {
                Err("could not be used: the agent refused to sign (not touched, or not plugged in)".to_owned())
            }
            _ => {
                Err("could not be used: the agent refused to sign (not confirmed, locked, or the key is gone)"
                    .to_owned())
            }
        }
    }

    fn take_turn(&self, deadline: Instant) -> Result<(), String> {
        let mut turn = self.lock();
        while turn.taken && turn.silent.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("could not be used: the agent was still busy with other hosts".to_owned());
            }
            turn = self.over.wait_timeout(turn, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some(why) = &turn.silent {
            return Err(why.clone());
        }
        turn.taken = true;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Turn> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn sign_request(key: &[u8], message: &[u8], algorithm: &str) -> Vec<u8> {
    let flags = match algorithm {
        "rsa-sha2-256" => RSA_SHA2_256,
        "rsa-sha2-512" => RSA_SHA2_512,
        _ => 0,
    };
    let mut request = vec![SIGN_REQUEST];
    put_string(&mut request, key);
    put_string(&mut request, message);
    request.extend_from_slice(&flags.to_be_bytes());
    request
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

fn told(socket: &Path, error: &io::Error) -> String {
    if is_timeout(error) {
        format!("the agent at {} does not answer", socket.display())
    } else {
        format!("the agent at {} does not answer: {error}", socket.display())
    }
}

fn identities(socket: &Path) -> Result<Vec<Vec<u8>>, String> {
    let answer =
        exchange(socket, &[REQUEST_IDENTITIES], Instant::now() + PATIENCE).map_err(|error| told(socket, &error))?;
    parse(&answer).ok_or_else(|| format!("the agent at {} answers nothing that is understood", socket.display()))
}

/// One question and its answer, all of it before a deadline.
fn exchange(socket: &Path, request: &[u8], deadline: Instant) -> io::Result<Vec<u8>> {
    let mut stream = reach(socket)?;
    let left = || Some(deadline.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero());
    let mut framed = Vec::new();
    put_string(&mut framed, request);
    stream.set_write_timeout(Some(left().ok_or(io::ErrorKind::TimedOut)?))?;
    stream.write_all(&framed)?;
    let mut answer = Vec::new();
    let mut wanted = 4;
    let mut buffer = [0; 4_096];
    while answer.len() < wanted {
        // Set anew for each piece: a timeout of the socket alone would let an agent trickle.
        stream.set_read_timeout(Some(left().ok_or(io::ErrorKind::TimedOut)?))?;
        let room = buffer.len().min(wanted - answer.len());
        let count = stream.read(buffer.get_mut(..room).unwrap_or_default())?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it closed the connection"));
        }
        answer.extend(buffer.iter().take(count));
        if let (4, Some(length)) = (answer.len(), Reader::new(&answer).u32()) {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if length > LARGEST_ANSWER {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "it answers too much"));
            }
            wanted = 4 + length;
        }
    }
    answer.drain(..4);
    Ok(answer)
}

/// Connects. The standard library would wait for ever where nobody accepts and the queue is full.
fn reach(socket: &Path) -> io::Result<UnixStream> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let descriptor = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    connect(&descriptor, &SocketAddrUnix::new(socket)?)?;
    let stream = UnixStream::from(descriptor);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

fn parse(answer: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut reader = Reader::new(answer);
    if reader.byte()? != IDENTITIES_ANSWER {
        return None;
    }
    let count = reader.u32()?;
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(reader.string()?.to_vec());
        let _comment = reader.string()?;
    }
    Some(keys)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn an_answer_is_read() {
        let answer = b"\x0c\0\0\0\x02\0\0\0\x01a\0\0\0\x02me\0\0\0\x02bc\0\0\0\0";
        assert_eq!(parse(answer), Some(vec![b"a".to_vec(), b"bc".to_vec()]));
        assert_eq!(parse(&answer[..answer.len() - 1]), None);
        assert_eq!(parse(b"\x05"), None);
    }

    #[test]
    fn an_absent_agent_is_said_to_be_absent() {
        let why = identities(Path::new("/nonexistent/agent")).unwrap_err();
        assert!(why.starts_with("the agent at /nonexistent/agent does not answer"), "{why}");
    }

    #[test]
    fn an_agent_that_nobody_serves_is_not_waited_for_in_a_queue() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("agent");
        let _listener = UnixListener::bind(&socket).unwrap();
        let mut queue = Vec::new();
        let start = Instant::now();
        while let Ok(stream) = reach(&socket) {
            queue.push(stream);
            assert!(queue.len() < 100_000);
        }
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(answer: Vec<u8>) {
            let _ = parse(&answer);
        }
    }
}
