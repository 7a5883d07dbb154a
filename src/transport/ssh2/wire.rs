//! What a session's bytes go over: TCP, which the kernel counts, or a socket pair, which a pump counts.
//!
//! *Invariant:* shutting it down makes every call that waits on it return at once.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use rustix::net::sockopt::set_tcp_quickack;

use crate::sys::{self, TcpBytes};
use crate::transport::proxy::Meter;

/// One end of a connection.
#[derive(Debug)]
pub(super) enum Wire {
    /// To the host itself.
    Tcp(TcpStream),
    /// To a pump.
    Piped { near: UnixStream, meter: Arc<Meter> },
}

impl Wire {
    /// Another handle of the same.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(socket) => socket.try_clone().map(Self::Tcp),
            Self::Piped { near, meter } => near.try_clone().map(|near| Self::Piped { near, meter: Arc::clone(meter) }),
        }
    }

    /// What went over it so far.
    pub(super) fn bytes(&self) -> io::Result<TcpBytes> {
        match self {
            Self::Tcp(socket) => sys::tcp_bytes(socket.as_fd()),
            Self::Piped { meter, .. } => Ok(TcpBytes { sent: meter.sent(), received: meter.received() }),
        }
    }

    /// sshd leaves Nagle's algorithm on, which waits for an acknowledgement that the kernel delays by 40 ms. This sends it
    /// now; the kernel forgets the wish after a while, when something was sent, and it is only a wish.
    pub(super) fn hurry(&self) {
        if let Self::Tcp(socket) = self {
            let _ = set_tcp_quickack(socket.as_fd(), true);
        }
    }

    /// Ends it in both directions.
    pub(super) fn shut_down(&self) {
        // Not connected any more is as good.
        let _ = match self {
            Self::Tcp(socket) => socket.shutdown(Shutdown::Both),
            Self::Piped { near, .. } => near.shutdown(Shutdown::Both),
        };
    }

    /// To wait on.
    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Piped { near, .. } => near.as_fd(),
        }
    }
}

impl AsRawFd for Wire {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor().as_raw_fd()
    }
}
