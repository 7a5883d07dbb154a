//! JSON with one element of each list of the document on a line of its own.
//!
//! A report of ten thousand hosts is hundreds of megabytes: with a host a line it can be read host by host, and searched
//! by tools that know lines. It is the same document otherwise.
//!
//! *Invariant:* only white space between values differs from compact JSON.

use serde_json::ser::{CompactFormatter, Formatter};
use std::io::{self, Write};

/// Compact but for the lists that stand at the top of the document.
#[derive(Default)]
pub(super) struct Rows {
    depth: usize,
}

/// A list at the top is inside the document's object.
const TOP: usize = 2;

impl Formatter for Rows {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        CompactFormatter.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        CompactFormatter.end_object(writer)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        CompactFormatter.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        CompactFormatter.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        CompactFormatter.begin_array_value(writer, first)?;
        if self.depth == TOP { writer.write_all(b"\n") } else { Ok(()) }
    }
}
