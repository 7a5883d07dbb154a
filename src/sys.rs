//! The few calls that safe Rust has no name for: TCP's own byte counts, `poll`, what a child does first, and some of
//! libssh2's.
//!
//! *Invariant:* all `unsafe` of this crate stands here, each block with its reason, behind a safe signature.

#![expect(unsafe_code, reason = "the one module that may; every block says why it is sound")]

use std::ffi::{CStr, CString, c_char, c_int, c_uchar, c_uint, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

/// What the kernel counted on one TCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TcpBytes {
    /// Payload bytes the other side acknowledged.
    pub(crate) sent: u64,
    /// Payload bytes that arrived, read or not.
    pub(crate) received: u64,
}

/// `tcpi_bytes_acked` and `tcpi_bytes_received` of `struct tcp_info` (linux/tcp.h, since Linux 4.1). The `libc` crate's
/// struct ends before them.
const BYTES_ACKED: usize = 120;
const BYTES_RECEIVED: usize = 128;

/// Asks `TCP_INFO` how much went over a connection.
///
/// # Errors
///
/// Not a TCP socket, or a kernel that does not count (`Unsupported`).
pub(crate) fn tcp_bytes(socket: BorrowedFd<'_>) -> io::Result<TcpBytes> {
    let mut buffer = [0_u8; 256];
    let mut length = libc::socklen_t::try_from(buffer.len()).map_err(io::Error::other)?;
    // SAFETY: the kernel writes at most `length` bytes, which is the size of `buffer`, and both outlive the call; the
    // descriptor is borrowed, so it is open.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            buffer.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if status != 0 {
        return Err(io::Error::last_os_error());
    }
    let told = usize::try_from(length).unwrap_or(0).min(buffer.len());
    let field = |at: usize| {
        buffer
            .get(at..at + 8)
            .filter(|_| at + 8 <= told)
            .and_then(|bytes| bytes.try_into().ok())
            .map(u64::from_ne_bytes)
            .ok_or(io::ErrorKind::Unsupported)
    };
    Ok(TcpBytes { sent: field(BYTES_ACKED)?, received: field(BYTES_RECEIVED)? })
}

/// One descriptor to wait for.
#[derive(Debug)]
pub(crate) struct Wish<'fd> {
    descriptor: BorrowedFd<'fd>,
    events: i16,
    /// Whether a call on it would not block now (an error or a hang-up counts).
    pub(crate) ready: bool,
}

impl<'fd> Wish<'fd> {
    /// Waits until it can be read, written, or either.
    pub(crate) fn new(descriptor: BorrowedFd<'fd>, read: bool, write: bool) -> Self {
        let events = if read { libc::POLLIN } else { 0 } | if write { libc::POLLOUT } else { 0 };
        Self { descriptor, events, ready: false }
    }
}

/// Waits until a wish is ready or the time is over; a signal ends the wait with nothing ready.
///
/// # Errors
///
/// What `poll(2)` reports, but for `EINTR`.
pub(crate) fn poll(wishes: &mut [Wish<'_>], timeout: Duration) -> io::Result<()> {
    let mut table: Vec<libc::pollfd> = wishes
        .iter()
        .map(|wish| libc::pollfd { fd: wish.descriptor.as_raw_fd(), events: wish.events, revents: 0 })
        .collect();
    // Rounded up: a wait of less than a millisecond must not become a busy loop.
    let millis = c_int::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(c_int::MAX);
    let count = libc::nfds_t::try_from(table.len()).map_err(io::Error::other)?;
    // SAFETY: `table` holds `count` entries, is written only during the call, and every descriptor in it is borrowed and
    // so open.
    let status = unsafe { libc::poll(table.as_mut_ptr(), count, millis) };
    if status < 0 {
        let error = io::Error::last_os_error();
        return if error.kind() == io::ErrorKind::Interrupted { Ok(()) } else { Err(error) };
    }
    for (wish, entry) in wishes.iter_mut().zip(&table) {
        wish.ready = entry.revents != 0;
    }
    Ok(())
}

/// Makes a command run in a session of its own, without a terminal, and die with the thread that starts it.
///
/// Without a terminal nothing that it starts can ask a person; its session is also a process group.
pub(crate) fn set_apart(command: &mut Command) {
    let parent = rustix::process::getpid();
    // SAFETY: between fork and exec the closure makes three system calls, which take and change nothing but the new
    // process; it allocates nothing and takes no lock.
    unsafe {
        command.pre_exec(move || {
            rustix::process::setsid()?;
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
            // The parent may have died before it could be told.
            if rustix::process::getppid() == Some(parent) { Ok(()) } else { Err(rustix::io::Errno::SRCH.into()) }
        });
    }
}

/// `LIBSSH2_USERAUTH_PUBLICKEY_SIGN_FUNC` (`libssh2.h`).
type SignCallback = unsafe extern "C" fn(
    session: *mut libssh2_sys::LIBSSH2_SESSION,
    signature: *mut *mut c_uchar,
    signature_length: *mut libc::size_t,
    message: *const c_uchar,
    message_length: libc::size_t,
    context: *mut *mut c_void,
) -> c_int;

unsafe extern "C" {
    /// `libssh2_version(3)`; `libssh2-sys` does not declare it.
    fn libssh2_version(required: c_int) -> *const c_char;

    /// `libssh2_userauth_publickey(3)`; `libssh2-sys` does not declare it.
    fn libssh2_userauth_publickey(
        session: *mut libssh2_sys::LIBSSH2_SESSION,
        user: *const c_char,
        key: *const c_uchar,
        key_length: libc::size_t,
        sign: SignCallback,
        context: *mut *mut c_void,
    ) -> c_int;
}

/// libssh2's `libssh2_cb_generic`: a function whose real type its use says.
type AnyCallback = unsafe extern "C" fn();

unsafe extern "C" {
    /// `libssh2_session_callback_set2(3)`; `libssh2-sys` does not declare it.
    fn libssh2_session_callback_set2(
        session: *mut libssh2_sys::LIBSSH2_SESSION,
        kind: c_int,
        callback: AnyCallback,
    ) -> Option<AnyCallback>;
}

/// `LIBSSH2_CALLBACK_SEND` and `LIBSSH2_CALLBACK_RECV` of libssh2.h.
const CALLBACK_SEND: c_int = 5;
const CALLBACK_RECV: c_int = 6;

/// A `LIBSSH2_SEND_FUNC` that says everything is sent.
extern "C" fn send_nothing(_: c_int, _: *const c_void, length: usize, _: c_int, _: *mut *mut c_void) -> isize {
    isize::try_from(length).unwrap_or(isize::MAX)
}

/// A `LIBSSH2_RECV_FUNC` that says the other side ended.
extern "C" fn receive_nothing(_: c_int, _: *mut c_void, _: usize, _: c_int, _: *mut *mut c_void) -> isize {
    0
}

/// Takes a session off its socket: what it sends goes nowhere, and what it reads is the end.
///
/// A socket that is shut down is not enough. libssh2 frees a channel only after it has sent a close, and it sends nothing
/// while a packet of another call stands half-sent: `libssh2_channel_free` then turns in a circle for ever.
pub(crate) fn unplug(session: &ssh2::Session) {
    let mut raw = session.raw();
    for (kind, callback) in
        [(CALLBACK_SEND, send_nothing as *const () as usize), (CALLBACK_RECV, receive_nothing as *const () as usize)]
    {
        // SAFETY: a function pointer of any type may be held as another one (libssh2 calls it as the type of its kind,
        // which is the one it was declared with above); the guard keeps the session alive and locked for the call.
        unsafe {
            let callback = std::mem::transmute::<usize, AnyCallback>(callback);
            libssh2_session_callback_set2(&raw mut *raw, kind, callback);
        }
    }
}

/// The version of the libssh2 that is linked, as `1.11.2_DEV`.
#[must_use]
pub(crate) fn libssh2_linked_version() -> String {
    // SAFETY: with 0 it returns a pointer to a constant, NUL-terminated string; null is handled all the same.
    let text = unsafe {
        let pointer = libssh2_version(0);
        if pointer.is_null() { c"" } else { CStr::from_ptr(pointer) }
    };
    text.to_str().unwrap_or_default().to_owned()
}

/// The methods the server says it accepts, as it sent them. Costs one authentication attempt (`none`).
///
/// `ssh2::Session::auth_methods` panics where they are not UTF-8, and the server chooses them.
pub(crate) fn auth_methods(session: &ssh2::Session, user: &str) -> Option<Vec<u8>> {
    let name = CString::new(user).ok()?;
    let length = c_uint::try_from(name.as_bytes().len()).ok()?;
    let mut raw = session.raw();
    // SAFETY: the guard `raw` keeps the session alive and locked for the whole block; `name` outlives the call; the list is
    // NUL-terminated, belongs to the session and is copied before the lock is given back.
    unsafe {
        let list = libssh2_sys::libssh2_userauth_list(&raw mut *raw, name.as_ptr(), length);
        if list.is_null() { None } else { Some(CStr::from_ptr(list).to_bytes().to_vec()) }
    }
}

/// What signs a login, and is told nothing of sessions.
struct Signing<'a> {
    sign: &'a mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
}

/// Offers a public key or a certificate, and sends what `sign` makes of the message, once the host would take the key.
///
/// `sign` is given the whole signed message (RFC 4252, section 7), and returns what stands behind the algorithm's name in
/// the signature: its bytes, and of a security key as a string with flags and counter. It must not touch the session.
///
/// # Errors
///
/// libssh2's code.
pub(crate) fn log_in_signed(
    session: &ssh2::Session,
    user: &str,
    key: &[u8],
    sign: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>>,
) -> Result<(), c_int> {
    let name = CString::new(user).map_err(|_| libssh2_sys::LIBSSH2_ERROR_INVAL)?;
    let mut signing = Signing { sign };
    let mut context: *mut c_void = (&raw mut signing).cast();
    let mut raw = session.raw();
    // SAFETY: the guard `raw` keeps the session alive and locked for the whole call; `name` is NUL-terminated, and it, `key`
    // and `signing` outlive the call; libssh2 hands `context` to the callback unchanged and keeps none of them: the session
    // blocks, so the call returns only when it is done with them.
    let code = unsafe {
        libssh2_userauth_publickey(
            &raw mut *raw,
            name.as_ptr(),
            key.as_ptr(),
            key.len(),
            sign_for_libssh2,
            &raw mut context,
        )
    };
    if code == 0 { Ok(()) } else { Err(code) }
}

/// Calls [`Signing::sign`] for libssh2.
unsafe extern "C" fn sign_for_libssh2(
    _session: *mut libssh2_sys::LIBSSH2_SESSION,
    signature: *mut *mut c_uchar,
    signature_length: *mut libc::size_t,
    message: *const c_uchar,
    message_length: libc::size_t,
    context: *mut *mut c_void,
) -> c_int {
    // Neither "try again" nor "another algorithm", which would fall back to SHA-1.
    const REFUSED: c_int = libssh2_sys::LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED;
    // A panic must not cross C.
    let made = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        // SAFETY: `context` is the one of `log_in_signed`, which points at its `Signing` and is waiting for this call to
        // return; nobody else has a reference to it. libssh2 gives a message of that length, which lives until it is freed
        // after this call.
        let (signing, message) =
            unsafe { (&mut *(*context).cast::<Signing<'_>>(), std::slice::from_raw_parts(message, message_length)) };
        (signing.sign)(message)
    }));
    let Ok(Some(bytes)) = made else { return REFUSED };
    if bytes.is_empty() {
        return REFUSED;
    }
    // SAFETY: libssh2 frees the signature by the session's `free`, which is libc's: the ssh2 crate makes its sessions without
    // allocators of their own. The copy fits what was allocated, and both places to write to are libssh2's own.
    unsafe {
        let copy = libc::malloc(bytes.len()).cast::<c_uchar>();
        if copy.is_null() {
            return REFUSED;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), copy, bytes.len());
        *signature = copy;
        *signature_length = bytes.len();
    }
    0
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd as _;
    use std::os::unix::net::UnixStream;
    use std::time::Instant;

    #[test]
    fn tcp_info_counts_what_went_over_the_wire() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut far = listener.accept().unwrap().0;
        near.write_all(&[7; 1_000]).unwrap();
        let mut buffer = [0; 1_000];
        far.read_exact(&mut buffer).unwrap();
        assert_eq!(tcp_bytes(far.as_fd()).unwrap().received, 1_000);
        far.write_all(&[7; 300]).unwrap();
        near.read_exact(&mut buffer[..300]).unwrap();
        let counted = tcp_bytes(near.as_fd()).unwrap();
        assert_eq!(counted.received, 300);
        // The kernel counts the SYN as one.
        assert!((1_000..=1_001).contains(&counted.sent), "{counted:?}");
    }

    #[test]
    fn a_socket_pair_has_no_counts() {
        let (near, _far) = UnixStream::pair().unwrap();
        assert!(tcp_bytes(near.as_fd()).is_err());
    }

    #[test]
    fn poll_tells_what_is_ready_and_gives_up_in_time() {
        let (near, mut far) = UnixStream::pair().unwrap();
        let mut wishes = [Wish::new(near.as_fd(), true, false)];
        let start = Instant::now();
        poll(&mut wishes, Duration::from_millis(30)).unwrap();
        assert!(!wishes[0].ready && start.elapsed() >= Duration::from_millis(30));
        far.write_all(b"x").unwrap();
        poll(&mut wishes, Duration::from_secs(5)).unwrap();
        assert!(wishes[0].ready);
    }

    #[test]
    fn a_child_set_apart_has_no_terminal_and_a_group_of_its_own() {
        let mut command = Command::new("/bin/sh");
        command.args([
            "-c",
            "(: </dev/tty) 2>/dev/null && exit 9; read -r _ _ _ _ group rest </proc/self/stat; echo $$ $group",
        ]);
        set_apart(&mut command);
        let output = command.output().unwrap();
        assert!(output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        let mut numbers = said.split_whitespace();
        assert_eq!(numbers.next().unwrap(), numbers.next().unwrap());
    }

    #[test]
    fn libssh2_tells_its_version() {
        assert!(libssh2_linked_version().starts_with("1."));
    }
}
