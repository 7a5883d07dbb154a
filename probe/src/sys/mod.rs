//! Everything unsafe: the start of the process, memory, `fork`, shared memory and the system calls that rustix lacks.
//!
//! *Invariant:* no other file of the probe has `unsafe`; each block here names what makes it sound.
#![expect(unsafe_code, reason = "this module is the probe's only room for it")]

mod arch;
mod heap;

use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use rustix::fd::BorrowedFd;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use rustix::process::Pid;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Status 101 without a trailer: the controller takes it for no observation.
    exit(101)
}

/// Ends the process.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: exit_group(2) does not come back; the loop is for the type.
        unsafe { arch::syscall4(arch::EXIT_GROUP, status as usize, 0, 0, 0) };
    }
}

/// Forks; `Ok(None)` in the child.
pub fn fork() -> rustix::io::Result<Option<Pid>> {
    const SIGCHLD: usize = 17;
    // SAFETY: clone(2) without CLONE_VM is a fork; the probe has one thread, so the child's copy of the heap is consistent,
    // and there is no libc whose state a raw fork could corrupt.
    let result = unsafe { arch::syscall4(arch::CLONE, SIGCHLD, 0, 0, 0) };
    match i32::try_from(result) {
        Ok(0) => Ok(None),
        Ok(pid) if pid > 0 => Ok(Pid::from_raw(pid)),
        _ => Err(rustix::io::Errno::from_raw_os_error(result.unsigned_abs() as i32)),
    }
}

/// The calendar.
pub const REALTIME: usize = 0;
/// Time since the start of the kernel.
pub const MONOTONIC: usize = 1;

/// Seconds and nanoseconds of a clock. A system call, because finding the vDSO costs 3 kB of program.
pub fn clock(clock: usize) -> (i64, i64) {
    let mut time = [0i64; 2];
    // SAFETY: clock_gettime(2) writes a timespec of two longs to a live array of that size.
    unsafe { arch::syscall4(arch::CLOCK_GETTIME, clock, time.as_mut_ptr() as usize, 0, 0) };
    (time[0], time[1])
}

/// Standard input.
pub fn stdin() -> BorrowedFd<'static> {
    // SAFETY: descriptor 0 is never closed here; where the parent closed it, a read fails with EBADF.
    unsafe { rustix::stdio::stdin() }
}

/// Standard output.
pub fn stdout() -> BorrowedFd<'static> {
    // SAFETY: as for standard input.
    unsafe { rustix::stdio::stdout() }
}

/// Gives back the default action of every signal that a parent may have ignored (busybox ash leaves SIGQUIT ignored).
pub fn reset_signals() {
    for signal in 1..=31 {
        // SIGKILL and SIGSTOP refuse, which is what they are for.
        let action = [0usize; 4];
        // SAFETY: rt_sigaction(2) reads a kernel_sigaction of at most 32 bytes (handler SIG_DFL, no flags, empty mask)
        // from a live array and writes nothing, as the third argument is null.
        unsafe { arch::syscall4(arch::RT_SIGACTION, signal, action.as_ptr() as usize, 0, 8) };
    }
}

/// Closes every descriptor that was inherited beside the standard three.
pub fn close_inherited() {
    // SAFETY: close_range(2) and close(2) touch descriptors only; nothing in this process owns one above 2 yet.
    let all = unsafe { arch::syscall4(arch::CLOSE_RANGE, 3, u32::MAX as usize, 0, 0) };
    if all < 0 {
        for fd in 3..1024 {
            // SAFETY: as above.
            unsafe { arch::syscall4(arch::CLOSE, fd, 0, 0, 0) };
        }
    }
}

/// Asks for the idle class of the I/O scheduler; failing is harmless.
pub fn idle_io() {
    const WHO_PROCESS: usize = 1;
    const CLASS_IDLE: usize = 3 << 13;
    // SAFETY: ioprio_set(2) takes three integers.
    unsafe { arch::syscall4(arch::IOPRIO_SET, WHO_PROCESS, 0, CLASS_IDLE, 0) };
}

/// Memory that children share with their parent, zeroed at first.
#[derive(Debug)]
pub struct Shared {
    base: NonNull<u8>,
    len: usize,
}

/// Bytes of a [`Shared`] before its slots: two counters, each on a cache line of its own.
const HEAD: usize = 128;

impl Shared {
    /// Maps at least `len` bytes behind the two counters.
    pub fn new(len: usize) -> rustix::io::Result<Self> {
        let len = len + HEAD;
        // SAFETY: a fresh anonymous mapping aliases nothing; it lives until the process ends.
        let base = unsafe {
            mmap_anonymous(
                core::ptr::null_mut(),
                len,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED | MapFlags::NORESERVE,
            )
        }?;
        Ok(Self { base: NonNull::new(base.cast()).ok_or(rustix::io::Errno::NOMEM)?, len })
    }

    /// The next number of the first counter, which hands out work.
    pub fn take(&self, step: usize) -> usize {
        // SAFETY: the head of the mapping is aligned to a page, zeroed, and only ever used as these atomics.
        unsafe { self.base.cast::<AtomicUsize>().as_ref() }.fetch_add(step, Ordering::Relaxed)
    }

    /// Adds to the second counter and gives what it was before.
    pub fn add(&self, n: u64) -> u64 {
        // SAFETY: as in `take`, 64 bytes further.
        unsafe { self.base.add(64).cast::<AtomicU64>().as_ref() }.fetch_add(n, Ordering::Relaxed)
    }

    /// The second counter.
    pub fn sum(&self) -> u64 {
        // SAFETY: as in `add`.
        unsafe { self.base.add(64).cast::<AtomicU64>().as_ref() }.load(Ordering::Relaxed)
    }

    /// Copies bytes in; outside the mapping nothing happens and the answer is `false`.
    ///
    /// Each range is written by one process only (its number came from `take`), and read after that process was waited for.
    pub fn write(&self, at: usize, bytes: &[u8]) -> bool {
        if at.checked_add(bytes.len()).is_none_or(|end| end > self.len - HEAD) {
            return false;
        }
        // SAFETY: the range was checked against the mapping, and `bytes` cannot overlap it because no slice of the mapping
        // is handed out for writing.
        unsafe { core::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.add(HEAD + at).as_ptr(), bytes.len()) };
        true
    }

    /// Reads bytes; empty outside the mapping. Only after the children are gone, or for ranges this process wrote.
    pub fn read(&self, at: usize, len: usize) -> &[u8] {
        if at.checked_add(len).is_none_or(|end| end > self.len - HEAD) {
            return &[];
        }
        // SAFETY: the range was checked; nobody writes to it any more by the contract above, and u8 has no invalid values.
        unsafe { core::slice::from_raw_parts(self.base.add(HEAD + at).as_ptr(), len) }
    }
}
