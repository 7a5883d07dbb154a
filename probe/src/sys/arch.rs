//! What depends on the processor: entry point, memory functions, raw system calls.
//!
//! *Invariant:* a port to another architecture is a port of this file. The memory functions are the ones that the
//! compiler calls by name; there is no libc to provide them.
#![cfg(target_arch = "x86_64")]

use core::arch::{asm, global_asm};

global_asm!(".globl _start", "_start:", "xor %ebp, %ebp", "and $-16, %rsp", "call {main}", "hlt", main = sym start, options(att_syntax));

extern "C" fn start() -> ! {
    super::exit(crate::run())
}

/// Numbers of the system calls that rustix has no function for.
pub(super) const CLOSE: usize = 3;
pub(super) const RT_SIGACTION: usize = 13;
pub(super) const CLONE: usize = 56;
pub(super) const EXIT_GROUP: usize = 231;
pub(super) const IOPRIO_SET: usize = 251;
pub(super) const CLOCK_GETTIME: usize = 228;
pub(super) const CLOSE_RANGE: usize = 436;

/// A system call with four arguments.
///
/// # Safety
/// The caller vouches for what the kernel does with the arguments.
pub(super) unsafe fn syscall4(number: usize, a: usize, b: usize, c: usize, d: usize) -> isize {
    let result;
    // SAFETY: the register use is the kernel's calling convention; rcx and r11 are declared clobbered, memory is too.
    unsafe {
        asm!("syscall", inlateout("rax") number as isize => result, in("rdi") a, in("rsi") b, in("rdx") c, in("r10") d, in("r8") 0usize,
            out("rcx") _, out("r11") _, options(nostack));
    }
    result
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    // `rep movsb` takes long to start, and most copies here are names and fields.
    if n < 96 {
        let mut at = 0;
        while at + 8 <= n {
            // SAFETY: the C contract of memcpy; the moves need no alignment.
            unsafe { store8(to.add(at), load8(from.add(at))) };
            at += 8;
        }
        while at < n {
            // SAFETY: as above; volatile, or the optimizer would make this loop a call of memcpy.
            unsafe { core::ptr::write_volatile(to.add(at), core::ptr::read_volatile(from.add(at))) };
            at += 1;
        }
        return to;
    }
    // SAFETY: the C contract of memcpy: both ranges are valid for n bytes and do not overlap.
    unsafe { asm!("rep movsb", inout("rcx") n => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack, preserves_flags)) };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, n: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= n {
        // SAFETY: copying forwards never overtakes the source here.
        return unsafe { memcpy(to, from, n) };
    }
    // SAFETY: the C contract of memmove; backwards because `to` lies inside the source; the direction flag is restored.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") n => _, inout("rdi") to.wrapping_add(n).wrapping_sub(1) => _,
            inout("rsi") from.wrapping_add(n).wrapping_sub(1) => _, options(nostack));
    }
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, byte: i32, n: usize) -> *mut u8 {
    // SAFETY: the C contract of memset.
    unsafe { asm!("rep stosb", inout("rcx") n => _, inout("rdi") to => _, in("al") byte as u8, options(nostack, preserves_flags)) };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    let mut at = 0;
    // Eight bytes at a time: comparing paths is a good part of sorting a listing.
    while at + 8 <= n {
        // SAFETY: the C contract of memcmp: both ranges are readable for n bytes; the reads need no alignment. They are
        // volatile because the optimizer would otherwise turn this loop into a call of memcmp.
        let (x, y) = unsafe { (load8(a.add(at)), load8(b.add(at))) };
        if x != y {
            return if x.swap_bytes() < y.swap_bytes() { -1 } else { 1 };
        }
        at += 8;
    }
    while at < n {
        // SAFETY: as above.
        let (x, y) = unsafe { (core::ptr::read_volatile(a.add(at)), core::ptr::read_volatile(b.add(at))) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
        at += 1;
    }
    0
}

/// Loads eight bytes from anywhere.
///
/// # Safety
/// Eight bytes are readable at `from`.
unsafe fn load8(from: *const u8) -> u64 {
    let value;
    // SAFETY: the caller vouches for the eight bytes.
    unsafe { asm!("mov {}, qword ptr [{}]", out(reg) value, in(reg) from, options(nostack, readonly, preserves_flags)) };
    value
}

/// Stores eight bytes anywhere.
///
/// # Safety
/// Eight bytes are writable at `to`.
unsafe fn store8(to: *mut u8, value: u64) {
    // SAFETY: the caller vouches for the eight bytes.
    unsafe { asm!("mov qword ptr [{}], {}", in(reg) to, in(reg) value, options(nostack, preserves_flags)) };
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, n: usize) -> i32 {
    // SAFETY: the same contract.
    unsafe { memcmp(a, b, n) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn strlen(text: *const u8) -> usize {
    let mut n = 0;
    // SAFETY: the C contract of strlen: readable up to and with a NUL.
    while unsafe { core::ptr::read_volatile(text.add(n)) } != 0 {
        n += 1;
    }
    n
}
