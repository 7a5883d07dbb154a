//! The watchdog: one thread that holds every connection to its deadline and its byte budget.
//!
//! libssh2's own timeout is one of a blocking call, which endless newlines before the banner never let end, and packets
//! of types nobody asked for are queued without limit. Shutting the socket down makes the blocked call return at once.
//!
//! *Invariant:* knows sockets and terms, nothing of SSH; a socket it can't count is cut, never trusted.

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use super::wire::Wire;
use crate::sys::TcpBytes;
use crate::transport::Traffic;
use crate::transport::proxy::Meter;

/// What may come before the login is through: the longest honest handshake is a hundredth of it.
pub(super) const BUDGET_BEFORE_LOGIN: u64 = 1 << 20;
/// How often connections are looked at that are not logged in, or that are receiving fast.
const TICK_SHORT: Duration = Duration::from_millis(5);
/// How often the others are.
const TICK_LONG: Duration = Duration::from_millis(20);
/// As much within a tick counts as fast.
const FAST: u64 = 128 << 10;
/// What may arrive without reaching the reader, beyond eight times what did: libssh2's window is 2 MiB, and one byte of
/// output costs up to 36 in its packet. More than that is packets that libssh2 queues or throws away.
const UNREAD: u64 = 4 << 20;

/// Reads of 16 KiB at most in which what a cut connection still holds is thrown away: the kernel queues 6 MiB or so.
const DISCARDED: u32 = 1_024;

/// Why a connection was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach {
    /// Its deadline passed.
    Deadline,
    /// It received more than its budget since its terms were set.
    Budget { received: u64, budget: u64 },
    /// It was given up on this side.
    GivenUp,
    /// Nobody counts its bytes.
    Uncounted,
}

#[derive(Debug)]
struct Terms {
    deadline: Instant,
    /// Absolute count of received bytes at which it is cut.
    limit: u64,
    budget: u64,
    logged_in: bool,
    breach: Option<Breach>,
    seen: TcpBytes,
}

#[derive(Debug)]
struct Watched {
    /// A duplicate of the connection's socket, and who counts its bytes.
    wire: Wire,
    terms: Mutex<Terms>,
    /// Bytes that reached the reader.
    delivered: AtomicU64,
}

impl Watched {
    /// Looks at the connection; returns whether it must be looked at again soon.
    fn inspect(&self, now: Instant) -> bool {
        let mut terms = lock(&self.terms);
        if terms.breach.is_some() {
            return false;
        }
        if now >= terms.deadline {
            self.cut(&mut terms, Breach::Deadline);
            return false;
        }
        let before = terms.seen;
        let Some(seen) = self.count(&mut terms) else { return false };
        let unread = UNREAD.saturating_add(self.delivered.load(Ordering::Relaxed).saturating_mul(8));
        if seen.received > terms.limit || terms.logged_in && seen.received > unread.saturating_add(BUDGET_BEFORE_LOGIN)
        {
            let received = seen.received.saturating_sub(terms.limit.saturating_sub(terms.budget));
            let budget = terms.budget.min(unread);
            self.cut(&mut terms, Breach::Budget { received, budget });
            return false;
        }
        let arrived = seen.received.saturating_sub(before.received);
        if arrived > 0 || !terms.logged_in && seen.sent != before.sent {
            self.wire.hurry();
        }
        !terms.logged_in || arrived > FAST
    }

    fn count(&self, terms: &mut Terms) -> Option<TcpBytes> {
        if let Ok(seen) = self.wire.bytes() {
            terms.seen = seen;
            Some(seen)
        } else {
            self.cut(terms, Breach::Uncounted);
            None
        }
    }

    fn cut(&self, terms: &mut Terms, breach: Breach) {
        terms.breach.get_or_insert(breach);
        self.wire.shut_down();
        // What has arrived can be read after that, and libssh2 reads a banner byte by byte: seconds of a busy processor.
        let mut sink = [0_u8; 16 << 10];
        for _ in 0..DISCARDED {
            if !matches!(recv(self.wire.descriptor(), &mut sink, RecvFlags::DONTWAIT), Ok((count, _)) if count > 0) {
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug, Default)]
struct Shared {
    list: Mutex<List>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct List {
    connections: Vec<Arc<Watched>>,
    /// One came that the thread has not looked at.
    fresh: bool,
    /// The thread looks again within the short time, and needs nobody to wake it for a new connection.
    soon: bool,
    /// The dialer is gone: the thread ends with the last connection.
    closing: bool,
}

/// The thread and its list.
#[derive(Debug)]
pub(super) struct Watchdog {
    shared: Arc<Shared>,
}

impl Watchdog {
    /// Starts the thread.
    pub(super) fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        std::thread::Builder::new().name("watchdog".to_owned()).stack_size(128 << 10).spawn(move || run(&own))?;
        Ok(Self { shared })
    }

    /// Watches a socket until the guard is dropped, first under the terms of a connection that is not logged in.
    pub(super) fn watch(&self, wire: Wire, deadline: Instant) -> Guard {
        let terms = Mutex::new(Terms {
            deadline,
            limit: BUDGET_BEFORE_LOGIN,
            budget: BUDGET_BEFORE_LOGIN,
            logged_in: false,
            breach: None,
            seen: TcpBytes::default(),
        });
        let watched = Arc::new(Watched { wire, terms, delivered: AtomicU64::new(0) });
        let soon = {
            let mut list = lock(&self.shared.list);
            list.connections.push(Arc::clone(&watched));
            list.fresh = true;
            list.soon
        };
        // Each wake-up looks at every connection: with hundreds of them, one for each that comes costs more than the ticks.
        if !soon {
            self.shared.wake.notify_one();
        }
        Guard { watched, shared: Arc::clone(&self.shared) }
    }

    /// Cuts every connection here and now.
    pub(super) fn give_up(&self) {
        for connection in &lock(&self.shared.list).connections {
            connection.cut(&mut lock(&connection.terms), Breach::GivenUp);
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        lock(&self.shared.list).closing = true;
        self.shared.wake.notify_one();
    }
}

fn run(shared: &Shared) {
    let mut list = lock(&shared.list);
    loop {
        if list.connections.is_empty() {
            if list.closing {
                return;
            }
            list.soon = false;
            list = shared.wake.wait(list).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        // Looked at without the lock, so that connections come and go meanwhile.
        let connections = list.connections.clone();
        list.fresh = false;
        drop(list);
        let now = Instant::now();
        let mut soon = false;
        for connection in &connections {
            soon |= connection.inspect(now);
        }
        drop(connections);
        list = lock(&shared.list);
        list.soon = soon || list.fresh;
        let tick = if list.soon { TICK_SHORT } else { TICK_LONG };
        list = shared.wake.wait_timeout(list, tick).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Holds a connection's place on the watchdog's list.
#[derive(Debug)]
pub(super) struct Guard {
    watched: Arc<Watched>,
    shared: Arc<Shared>,
}

impl Guard {
    /// Sets another deadline and keeps the budget.
    pub(super) fn until(&self, deadline: Instant) {
        lock(&self.watched.terms).deadline = deadline;
    }

    /// The login is through: from here unread bytes are bounded too.
    pub(super) fn logged_in(&self) {
        lock(&self.watched.terms).logged_in = true;
    }

    /// Allows so many bytes more, until a deadline.
    pub(super) fn allow(&self, budget: u64, deadline: Instant) {
        let mut terms = lock(&self.watched.terms);
        if self.watched.count(&mut terms).is_some() {
            terms.limit = terms.seen.received.saturating_add(budget);
            terms.budget = budget;
            terms.deadline = deadline;
        }
    }

    /// Counts bytes that reached the reader.
    pub(super) fn delivered(&self, count: usize) {
        self.watched.delivered.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Why it was cut, if it was.
    pub(super) fn breach(&self) -> Option<Breach> {
        let mut terms = lock(&self.watched.terms);
        // The reader may notice the shutdown's cause before the thread does, and a deadline that passed is one.
        if terms.breach.is_none() && Instant::now() >= terms.deadline {
            self.watched.cut(&mut terms, Breach::Deadline);
        }
        terms.breach
    }

    /// The watchdog's duplicate of the socket, to wait on.
    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.watched.wire.descriptor()
    }

    /// The pump's counts, where there is one.
    pub(super) fn meter(&self) -> Option<&Meter> {
        match &self.watched.wire {
            Wire::Tcp(_) => None,
            Wire::Piped { meter, .. } => Some(meter),
        }
    }

    /// Whether the host ended the connection, and nothing that it sent is left to be read.
    pub(super) fn has_ended(&self) -> bool {
        let mut byte = [0_u8];
        match recv(self.socket(), &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT) {
            Ok((count, _)) => count == 0,
            Err(error) => error != Errno::AGAIN,
        }
    }

    /// Cuts it here and now.
    pub(super) fn give_up(&self) {
        self.watched.cut(&mut lock(&self.watched.terms), Breach::GivenUp);
    }

    /// What went over it so far.
    pub(super) fn traffic(&self) -> Traffic {
        let mut terms = lock(&self.watched.terms);
        if let Ok(seen) = self.watched.wire.bytes() {
            terms.seen = seen;
        }
        Traffic { sent: terms.seen.sent, received: terms.seen.received }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        lock(&self.shared.list).connections.retain(|other| !Arc::ptr_eq(other, &self.watched));
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may")]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (near, listener.accept().unwrap().0)
    }

    #[test]
    fn a_deadline_ends_a_blocked_read() {
        let watchdog = Watchdog::start().unwrap();
        let (mut near, _far) = pair();
        let start = Instant::now();
        let guard = watchdog.watch(Wire::Tcp(near.try_clone().unwrap()), start + Duration::from_millis(100));
        assert_eq!(near.read(&mut [0; 8]).unwrap(), 0);
        assert!((100..600).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
        assert_eq!(guard.breach(), Some(Breach::Deadline));
    }

    #[test]
    fn a_budget_ends_a_flood_and_a_new_one_counts_from_where_it_was_set() {
        let watchdog = Watchdog::start().unwrap();
        let (mut near, mut far) = pair();
        let guard = watchdog.watch(Wire::Tcp(near.try_clone().unwrap()), Instant::now() + Duration::from_secs(30));
        far.write_all(&[0; 1_000]).unwrap();
        near.read_exact(&mut [0; 1_000]).unwrap();
        guard.logged_in();
        guard.allow(10_000, Instant::now() + Duration::from_secs(30));
        far.write_all(&[0; 9_000]).unwrap();
        near.read_exact(&mut [0; 9_000]).unwrap();
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(guard.breach(), None);
        far.write_all(&[0; 2_000]).unwrap();
        std::thread::sleep(Duration::from_millis(60));
        assert_eq!(guard.breach(), Some(Breach::Budget { received: 11_000, budget: 10_000 }));
    }

    #[test]
    fn bytes_that_nobody_reads_are_bounded_within_a_large_budget() {
        let watchdog = Watchdog::start().unwrap();
        let (mut near, mut far) = pair();
        let guard = watchdog.watch(Wire::Tcp(near.try_clone().unwrap()), Instant::now() + Duration::from_secs(30));
        guard.logged_in();
        guard.allow(1 << 30, Instant::now() + Duration::from_secs(30));
        std::thread::spawn(move || while far.write_all(&[0; 16_000]).is_ok() {});
        let mut sink = vec![0; 1 << 16];
        while near.read(&mut sink).unwrap_or(0) > 0 {}
        assert!(matches!(guard.breach(), Some(Breach::Budget { .. })));
        // Long before its budget; how long depends on who else uses the machine.
        assert!(guard.traffic().received < 1 << 29, "{:?}", guard.traffic());
    }

    #[test]
    fn a_guard_that_is_dropped_takes_its_connection_off_the_list() {
        let watchdog = Watchdog::start().unwrap();
        let (near, _far) = pair();
        let guard = watchdog.watch(Wire::Tcp(near), Instant::now() + Duration::from_secs(30));
        let shared = Arc::clone(&watchdog.shared);
        drop(watchdog);
        assert_eq!(lock(&shared.list).connections.len(), 1);
        drop(guard);
        assert!(lock(&shared.list).connections.is_empty());
    }
}
