//! What comes before a reply: chatter is skipped to a bound, and an old reply is chatter.

use super::host_tests::{Host, Wire};
use super::{Reason, found, look, machine, refused};
use crate::drift::{Found, Versions};
use crate::protocol::reply::MAGIC;

fn noisy(noise: Vec<u8>, chunk: usize) -> Host {
    Host { noise, chunk, ..Host::of(machine(5)) }
}

#[test]
fn chatter_is_skipped() {
    for noise in [
        &b"Welcome to Debian\r\n\x1b[31m"[..],
        b"\x16",
        b"\x16driftscan-repl",
        &MAGIC,
        &[&MAGIC[..], &MAGIC].concat(),
        &[&MAGIC[..], &[8; 31]].concat(),
        &[&MAGIC[..], &[9; 32]].concat(),
    ] {
        for chunk in [1, 7, usize::MAX] {
            assert_eq!(found(&noisy(noise.to_vec(), chunk), &machine(5)), Ok(Found::Equal(0)), "{noise:?}");
        }
    }
}

#[test]
fn noise_alone_is_no_reply() {
    let words = look(&mut Wire::saying(b"This account is currently not available.\n", 5), &machine(5)).unwrap_err();
    assert_eq!(words.reason, Reason::Truncated);
    assert_eq!(words.text, "the answer ended early: This account is currently not available.");
    assert_eq!(look(&mut Wire::saying(b"", 5), &machine(5)).unwrap_err().reason, Reason::Truncated);
}

#[test]
fn noise_without_end_is_refused() {
    let (reason, text) = refused(&noisy(vec![0; 1 << 20], usize::MAX), &machine(5));
    assert_eq!(reason, Reason::Protocol);
    assert!(text.contains("more than 64 KiB before the reply"), "{text}");
}

/// The bound was held to the bytes that had been read, so that it moved with the size of the reads: 64 KiB of chatter
/// could be refused, and up to 4 KiB more be skipped.
#[test]
fn the_bound_on_noise_is_exact_however_it_is_read() {
    for chunk in [1_000, 4_096, usize::MAX] {
        for noise in [65_500, 65_535, 65_536] {
            assert_eq!(found(&noisy(vec![b'n'; noise], chunk), &machine(5)), Ok(Found::Equal(0)), "{noise} by {chunk}");
        }
        for noise in [65_537, 65_600, 69_000] {
            assert_eq!(
                refused(&noisy(vec![b'n'; noise], chunk), &machine(5)).0,
                Reason::Protocol,
                "{noise} by {chunk}"
            );
        }
    }
}

/// It passed for an answer that ended early.
#[test]
fn an_answer_to_another_nonce_is_a_breach_of_protocol() {
    let old = Host { nonce: Some([1; 32]), ..Host::of(machine(5)) };
    let said = recorded(&old);
    let failure = look(&mut Wire::saying(&said, usize::MAX), &machine(5)).unwrap_err();
    assert_eq!(
        (failure.reason, failure.text.as_str()),
        (Reason::Protocol, "the answer breaks the protocol: it answers another request")
    );
    // One that ends within its nonce may have been ours.
    let cut = look(&mut Wire::saying(&said[..47], usize::MAX), &machine(5)).unwrap_err();
    assert_eq!(cut.reason, Reason::Truncated);
}

/// All that a host says to a request of its own nonce.
fn recorded(host: &Host) -> Vec<u8> {
    let ask = crate::collect::Ask { nonce: host.nonce.unwrap(), ..super::ask() };
    let references = Versions::new(vec![super::reference(1, &machine(5))]);
    crate::collect::observe(&mut Wire::to(host), &ask, &references, &mut crate::collect::Ran::default()).unwrap();
    host.said.take()
}
