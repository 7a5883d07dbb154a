//! Integers and byte strings: one value, one spelling, and nothing else is taken.

use crate::protocol::bytes::{put_string, put_varint};
use crate::protocol::{Malformed, Reader};
use proptest::prelude::*;

fn varint(bytes: &[u8]) -> Result<u64, Malformed> {
    Reader::new(bytes).varint("n")
}

#[test]
fn integers_at_the_edges_of_each_width() {
    for shift in 0..64 {
        for n in [(1u64 << shift) - 1, 1 << shift, (1 << shift) + 1, u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, n);
            assert_eq!(varint(&bytes), Ok(n));
            for cut in 0..bytes.len() {
                assert_eq!(varint(&bytes[..cut]), Err(Malformed("n")), "{n} cut at {cut}");
            }
        }
    }
}

#[test]
fn a_longer_spelling_of_an_integer_is_refused() {
    for bytes in [
        &[0x80, 0x00][..],
        &[0xff, 0x00],
        &[0x81, 0x80, 0x00],
        // 65 bits, and eleven bytes.
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
        &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
    ] {
        assert_eq!(varint(bytes), Err(Malformed("n")), "{bytes:x?}");
    }
}

#[test]
fn bounds_are_inclusive() {
    let mut bytes = Vec::new();
    put_string(&mut bytes, b"four");
    assert_eq!(Reader::new(&bytes).string(4, "s"), Ok(&b"four"[..]));
    assert_eq!(Reader::new(&bytes).string(3, "s"), Err(Malformed("s")));
    assert_eq!(Reader::new(&bytes).at_most(4, "s"), Ok(4));
    assert_eq!(Reader::new(&bytes).at_most(3, "s"), Err(Malformed("s")));
}

#[test]
fn a_length_past_the_end_takes_nothing() {
    let mut bytes = Vec::new();
    put_varint(&mut bytes, u64::MAX);
    bytes.extend_from_slice(b"short");
    assert_eq!(Reader::new(&bytes).string(usize::MAX, "s"), Err(Malformed("s")));
    let mut reader = Reader::new(b"abc");
    assert_eq!(reader.take(4, "t"), Err(Malformed("t")));
    assert_eq!(reader.array::<4>("a"), Err(Malformed("a")));
    assert_eq!((reader.rest(), reader.end("left")), (&b"abc"[..], Err(Malformed("left"))));
    assert_eq!((reader.take(3, "t"), reader.is_empty(), reader.end("left")), (Ok(&b"abc"[..]), true, Ok(())));
}

proptest! {
    #[test]
    fn integers_come_back(n: u64) {
        let mut bytes = Vec::new();
        put_varint(&mut bytes, n);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(reader.varint("n"), Ok(n));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn an_integer_that_is_taken_has_one_spelling(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
        let mut reader = Reader::new(&bytes);
        if let Ok(n) = reader.varint("n") {
            let mut again = Vec::new();
            put_varint(&mut again, n);
            prop_assert_eq!(&again, &bytes[..bytes.len() - reader.rest().len()]);
        }
    }

    #[test]
    fn strings_come_back(text: Vec<u8>, tail: Vec<u8>) {
        let mut bytes = Vec::new();
        put_string(&mut bytes, &text);
        let whole = bytes.len();
        bytes.extend_from_slice(&tail);
        let mut reader = Reader::new(&bytes);
        prop_assert_eq!(reader.string(text.len(), "s"), Ok(text.as_slice()));
        prop_assert_eq!(reader.rest(), tail.as_slice());
        for cut in 0..whole {
            prop_assert!(Reader::new(&bytes[..cut]).string(usize::MAX, "s").is_err());
        }
    }
}
