//! The heap of a process with one thread: free lists of powers of two, and mappings of their own for what is large, so
//! that a growing list moves pages instead of copying bytes.
//!
//! *Invariant:* never shared: after `fork` each process has its own copy.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;
use rustix::mm::{MapFlags, MremapFlags, ProtFlags, mmap_anonymous, mremap, munmap};

/// From here on an allocation is a mapping.
const LARGE: usize = 64 * 1024;
/// What the small ones are carved from.
const CHUNK: usize = 256 * 1024;

struct Lists {
    free: [*mut u8; 17],
    next: *mut u8,
    left: usize,
}

struct Heap(UnsafeCell<Lists>);

// SAFETY: the probe never has a second thread; processes made by fork have copies.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap(UnsafeCell::new(Lists { free: [null_mut(); 17], next: null_mut(), left: 0 }));

fn map(len: usize) -> *mut u8 {
    // SAFETY: a fresh anonymous mapping aliases nothing.
    unsafe {
        mmap_anonymous(null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE | MapFlags::NORESERVE)
    }
    .map_or(null_mut(), |at| at.cast())
}

/// The power of two that holds the layout; at least 16 bytes, so that a free block can hold a pointer.
fn class(layout: Layout) -> usize {
    layout.size().max(layout.align()).max(16).next_power_of_two()
}

fn pages(size: usize) -> usize {
    (size + 4095) & !4095
}

// SAFETY: blocks come from mappings, are aligned to their own size (or to a page), are handed out once until they are
// given back, and a failed mapping is reported as null.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let size = class(layout);
        if size >= LARGE {
            return map(pages(layout.size()));
        }
        // SAFETY: one thread, and no call from in here comes back to the allocator.
        let lists = unsafe { &mut *self.0.get() };
        let list = &mut lists.free[size.trailing_zeros() as usize];
        if !list.is_null() {
            let block = *list;
            // SAFETY: a block in a list was written by `dealloc` with the pointer to the next one.
            *list = unsafe { block.cast::<*mut u8>().read() };
            return block;
        }
        // Blocks of the smaller classes keep the carving pointer only 16-aligned: step up to the block's own size.
        let skip = (lists.next as usize).wrapping_neg() & (size - 1);
        if lists.left < size + skip {
            lists.next = map(CHUNK);
            lists.left = if lists.next.is_null() { 0 } else { CHUNK };
            if lists.left == 0 {
                return null_mut();
            }
        } else {
            lists.next = lists.next.wrapping_add(skip);
            lists.left -= skip;
        }
        let block = lists.next;
        lists.next = lists.next.wrapping_add(size);
        lists.left -= size;
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let size = class(layout);
        if size >= LARGE {
            // SAFETY: the block is a mapping of this length, made in `alloc` or `realloc`.
            let _ = unsafe { munmap(block.cast(), pages(layout.size())) };
            return;
        }
        // SAFETY: one thread; the block is at least 16 bytes, aligned, and no longer in use.
        unsafe {
            let lists = &mut *self.0.get();
            let list = &mut lists.free[size.trailing_zeros() as usize];
            block.cast::<*mut u8>().write(*list);
            *list = block;
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Ok(new) = Layout::from_size_align(new_size, layout.align()) else {
            return null_mut();
        };
        let (old_class, new_class) = (class(layout), class(new));
        if old_class == new_class && old_class < LARGE {
            return block;
        }
        if old_class >= LARGE && new_class >= LARGE {
            // SAFETY: the block is a mapping of the old length; the kernel moves its pages.
            return unsafe { mremap(block.cast(), pages(layout.size()), pages(new_size), MremapFlags::MAYMOVE) }
                .map_or(null_mut(), |at| at.cast());
        }
        // SAFETY: the new block is fresh and at least as long as what is copied.
        unsafe {
            let to = self.alloc(new);
            if !to.is_null() {
                core::ptr::copy_nonoverlapping(block, to, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            to
        }
    }
}
