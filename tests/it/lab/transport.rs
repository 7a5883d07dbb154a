//! What speaks SSH in a test.
//!
//! *Invariant:* it belongs to the thread of the test, so that both can run side by side.

use std::cell::Cell;

thread_local! {
    static CHOSEN: Cell<&'static str> = const { Cell::new("ssh2") };
}

/// The transport of this test.
pub(crate) fn transport() -> &'static str {
    CHOSEN.get()
}

/// Runs a test over a transport.
pub(crate) fn over(name: &'static str, test: impl FnOnce()) {
    CHOSEN.set(name);
    test();
    CHOSEN.set("ssh2");
}

/// Makes tests of functions, one for each transport; behind `ssh2 only` those that the transport can make no difference to, or
/// that are about libssh2 itself. A function that is in neither list is unused, which the lints refuse.
macro_rules! over_both {
    ($($both:ident),* $(,)? $(; ssh2 only: $($one:ident),* $(,)?)?) => {
        mod over_ssh2 {
            $(#[test] fn $both() { crate::lab::over("ssh2", super::$both); })*
            $($(#[test] fn $one() { crate::lab::over("ssh2", super::$one); })*)?
        }
        mod over_openssh {
            $(#[test] fn $both() { crate::lab::over("openssh", super::$both); })*
        }
    };
}
pub(crate) use over_both;
