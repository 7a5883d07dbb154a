//! The control connection of a running ssh: how a command is started over it, and how its end is told.
//!
//! It is the protocol that ssh speaks with itself for `ControlMaster` (PROTOCOL.mux in its sources, version 4 since 2010).
//! Against a second process a command it saves half of the processes, and it tells a command's status 255 from a connection
//! that broke, which ssh's own exit status does not.
//!
//! *Invariant:* every wait ends at a deadline, and no message is larger than it may be.

use std::io::{self, IoSlice, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use crate::model::text::escape;
use crate::sys::{self, Wish};

const VERSION: u32 = 4;
const HELLO: u32 = 0x0000_0001;
const NEW_SESSION: u32 = 0x1000_0002;
const PERMISSION_DENIED: u32 = 0x8000_0002;
const FAILURE: u32 = 0x8000_0003;
const EXIT_MESSAGE: u32 = 0x8000_0004;
const SESSION_OPENED: u32 = 0x8000_0006;
/// Messages are a few words long; ssh itself takes 256 KiB.
const LONGEST: usize = 64 << 10;
/// The only request of a control connection.
const REQUEST: u32 = 0;

/// What ssh says about the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// It runs, under this number.
    Opened(u32),
    /// It was refused, by ssh or by the server.
    Refused(String),
    /// A command ended with a status.
    Exit {
        /// Its number.
        session: u32,
        /// Its status.
        status: u32,
    },
    /// Anything else, which is of no use here.
    Other,
    /// ssh closed the connection.
    End,
}

/// One control connection, good for one command.
#[derive(Debug)]
pub(super) struct Control {
    socket: UnixStream,
    inbox: Vec<u8>,
    ended: bool,
}

impl Control {
    /// Connects and greets; `None` where nobody listens yet.
    ///
    /// # Errors
    ///
    /// What listens is no ssh of this protocol, or it does not answer in time.
    pub(super) fn open(path: &Path, deadline: Instant) -> io::Result<Option<Self>> {
        let socket = match UnixStream::connect(path) {
            Ok(socket) => socket,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // Whoever could make a name in the folder before ssh did would be given the commands.
        let peer = rustix::net::sockopt::socket_peercred(&socket)?;
        if peer.uid != rustix::process::geteuid() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "the control socket is another user's"));
        }
        socket.set_nonblocking(true)?;
        let mut control = Self { socket, inbox: Vec::new(), ended: false };
        control.send(&message(HELLO, &[VERSION]), deadline)?;
        let Some(hello) = control.next(deadline)? else {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "ssh closed its control connection"));
        };
        if words(&hello) == Some((HELLO, VERSION)) {
            Ok(Some(control))
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidData, "ssh speaks another control protocol"))
        }
    }

    /// Asks for a command with these three as its standard input, output and error.
    pub(super) fn start(&mut self, command: &str, ends: [BorrowedFd<'_>; 3], deadline: Instant) -> io::Result<()> {
        // Reserved, no terminal, no X11, no agent, no subsystem, no escape character, no kind of terminal.
        let mut request = message(NEW_SESSION, &[REQUEST, 0, 0, 0, 0, 0, u32::MAX, 0]);
        request.extend(u32::try_from(command.len()).unwrap_or(u32::MAX).to_be_bytes());
        request.extend(command.as_bytes());
        self.send(&request, deadline)?;
        for end in ends {
            self.send_descriptor(end, deadline)?;
        }
        Ok(())
    }

    /// The next word, waited for until a deadline.
    pub(super) fn word(&mut self, deadline: Instant) -> io::Result<Word> {
        Ok(self.next(deadline)?.map_or(Word::End, |message| read(&message)))
    }

    /// A word that is there already.
    pub(super) fn word_now(&mut self) -> io::Result<Option<Word>> {
        self.fill()?;
        match self.cut()? {
            Some(message) => Ok(Some(read(&message))),
            None if self.ended => Ok(Some(Word::End)),
            None => Ok(None),
        }
    }

    /// A whole message out of what came.
    fn cut(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some((length, rest)) = self.inbox.split_first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        if length > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a control message is too long"));
        }
        let Some(message) = rest.get(..length).map(<[u8]>::to_vec) else { return Ok(None) };
        self.inbox.drain(..4 + length);
        Ok(Some(message))
    }

    /// Takes in what there is.
    fn fill(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4_096];
        while !self.ended && self.inbox.len() <= LONGEST {
            match self.socket.read(&mut buffer) {
                Ok(0) => self.ended = true,
                Ok(count) => self.inbox.extend(buffer.iter().take(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Killed with bytes of ours unread.
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => self.ended = true,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn next(&mut self, deadline: Instant) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(message) = self.cut()? {
                return Ok(Some(message));
            }
            if self.ended {
                return Ok(None);
            }
            self.wait(true, deadline)?;
            self.fill()?;
        }
    }

    fn wait(&self, read: bool, deadline: Instant) -> io::Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        sys::poll(&mut [Wish::new(self.socket.as_fd(), read, !read)], left.min(Duration::from_secs(60)))
    }

    /// Sends a message with its length before it.
    fn send(&mut self, message: &[u8], deadline: Instant) -> io::Result<()> {
        let length = u32::try_from(message.len()).map_err(io::Error::other)?;
        let whole = [&length.to_be_bytes(), message].concat();
        let mut rest = whole.as_slice();
        while !rest.is_empty() {
            match self.socket.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(false, deadline)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Sends a descriptor, with the one byte that ssh reads it by.
    fn send_descriptor(&self, descriptor: BorrowedFd<'_>, deadline: Instant) -> io::Result<()> {
        let descriptors = [descriptor];
        loop {
            let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
                return Err(io::Error::other("no room for a descriptor"));
            }
            match sendmsg(&self.socket, &[IoSlice::new(&[0])], &mut ancillary, SendFlags::NOSIGNAL) {
                Ok(_) => return Ok(()),
                Err(rustix::io::Errno::AGAIN) => self.wait(false, deadline)?,
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl AsFd for Control {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn message(kind: u32, words: &[u32]) -> Vec<u8> {
    std::iter::once(&kind).chain(words).flat_map(|word| word.to_be_bytes()).collect()
}

fn words(message: &[u8]) -> Option<(u32, u32)> {
    let (first, rest) = message.split_first_chunk::<4>()?;
    let (second, _) = rest.split_first_chunk::<4>()?;
    Some((u32::from_be_bytes(*first), u32::from_be_bytes(*second)))
}

fn read(message: &[u8]) -> Word {
    let Some((kind, number)) = words(message) else { return Word::Other };
    let rest = message.get(8..).unwrap_or_default();
    let value = rest.split_first_chunk::<4>().map(|(value, _)| u32::from_be_bytes(*value));
    match (kind, value) {
        (SESSION_OPENED, Some(session)) if number == REQUEST => Word::Opened(session),
        (EXIT_MESSAGE, Some(status)) => Word::Exit { session: number, status },
        (FAILURE | PERMISSION_DENIED, Some(_)) => {
            Word::Refused(escape(rest.get(4..).unwrap_or_default()).chars().take(200).collect())
        }
        _ => Word::Other,
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn messages_are_read_as_protocol_mux_writes_them() {
        assert_eq!(read(&message(SESSION_OPENED, &[REQUEST, 7])), Word::Opened(7));
        assert_eq!(read(&message(EXIT_MESSAGE, &[7, 255])), Word::Exit { session: 7, status: 255 });
        let mut refused = message(FAILURE, &[REQUEST, 2]);
        refused.extend(b"no");
        assert_eq!(read(&refused), Word::Refused("no".to_owned()));
        for cut in 0..12 {
            assert_eq!(read(&message(SESSION_OPENED, &[REQUEST, 7])[..cut]), Word::Other);
        }
    }

    #[test]
    fn nobody_there_yet_is_no_error_and_silence_ends_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        assert!(Control::open(&path, Instant::now() + Duration::from_secs(1)).unwrap().is_none());
        let _listener = UnixListener::bind(&path).unwrap();
        let error = Control::open(&path, Instant::now() + Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_message_that_says_it_is_huge_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let server = std::thread::spawn(move || listener.accept().unwrap().0.write_all(&[0xff; 8]).unwrap());
        let error = Control::open(&path, Instant::now() + Duration::from_secs(5)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        server.join().unwrap();
    }
}
