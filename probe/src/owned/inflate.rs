//! Reading what gzip packed (RFC 1951, RFC 1952).
//!
//! *Invariant:* what comes out is bounded, and every step takes a bit that is there: no input runs on.

use alloc::vec::Vec;

/// Extra bits and first values of lengths and distances follow one rule, but for the last length.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn bits(&mut self, count: usize) -> Option<usize> {
        let mut value = 0;
        for bit in 0..count {
            let byte = *self.bytes.get(self.at >> 3)?;
            value |= usize::from(byte >> (self.at & 7) & 1) << bit;
            self.at += 1;
        }
        Some(value)
    }

    /// Decodes one symbol of a canonical code, a bit after the other.
    #[inline(never)]
    fn symbol(&mut self, code: &Code) -> Option<usize> {
        let (mut value, mut first, mut index) = (0, 0, 0);
        for count in code.counts.iter().skip(1) {
            value |= self.bits(1)?;
            let count = usize::from(*count);
            if value < first + count {
                return code.symbols.get(index + value - first).map(|symbol| usize::from(*symbol));
            }
            index += count;
            first = (first + count) << 1;
            value <<= 1;
        }
        None
    }
}

/// A canonical code: how many symbols each length has, and the symbols in their order.
struct Code {
    counts: [u16; 16],
    symbols: Vec<u16>,
}

impl Code {
    fn of(lengths: &[u8]) -> Self {
        let mut code = Self { counts: [0; 16], symbols: Vec::new() };
        for length in 1..16u8 {
            for (symbol, its) in lengths.iter().enumerate() {
                if *its == length {
                    code.symbols.push(symbol as u16);
                    code.counts[usize::from(length)] += 1;
                }
            }
        }
        code
    }
}

/// What a gzip file holds, at most `most` bytes; none where it is broken or holds more.
pub fn gunzip(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    // Method 8, and of what may stand before the data only a name.
    if !bytes.starts_with(&[0x1f, 0x8b, 8]) || *bytes.get(3)? & !0x08 != 0 {
        return None;
    }
    let mut data = bytes.get(10..)?;
    if bytes[3] != 0 {
        data = data.get(data.iter().position(|b| *b == 0)? + 1..)?;
    }
    let mut bits = Bits { bytes: data, at: 0 };
    let mut out = Vec::new();
    loop {
        let last = bits.bits(1)? == 1;
        match bits.bits(2)? {
            0 => stored(&mut bits, &mut out, most)?,
            1 => {
                let mut lengths = [8u8; 288];
                lengths[144..256].fill(9);
                lengths[256..280].fill(7);
                block(&mut bits, &Code::of(&lengths), &Code::of(&[5; 30]), &mut out, most)?;
            }
            2 => {
                let (literals, distances) = codes(&mut bits)?;
                block(&mut bits, &literals, &distances, &mut out, most)?;
            }
            _ => return None,
        }
        if last {
            return Some(out);
        }
    }
}

fn stored(bits: &mut Bits<'_>, out: &mut Vec<u8>, most: usize) -> Option<()> {
    let at = bits.at.div_ceil(8);
    let head = bits.bytes.get(at..at + 4)?;
    let len = usize::from(head[0]) | usize::from(head[1]) << 8;
    out.extend_from_slice(bits.bytes.get(at + 4..at + 4 + len)?);
    bits.at = (at + 4 + len) * 8;
    (out.len() <= most).then_some(())
}

/// The codes of a block that brings its own.
fn codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    const ORDER: [u8; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances) = (bits.bits(5)? + 257, bits.bits(5)? + 1);
    let count = bits.bits(4)? + 4;
    let mut lengths = [0u8; 19];
    for place in ORDER.iter().take(count) {
        lengths[usize::from(*place)] = bits.bits(3)? as u8;
    }
    let code = Code::of(&lengths);
    let mut lengths: Vec<u8> = Vec::new();
    while lengths.len() < literals + distances {
        let (length, times) = match bits.symbol(&code)? {
            16 => (*lengths.last()?, bits.bits(2)? + 3),
            17 => (0, bits.bits(3)? + 3),
            18 => (0, bits.bits(7)? + 11),
            length => (length as u8, 1),
        };
        lengths.resize(lengths.len() + times, length);
    }
    Some((Code::of(lengths.get(..literals)?), Code::of(lengths.get(literals..literals + distances)?)))
}

fn block(bits: &mut Bits<'_>, literals: &Code, distances: &Code, out: &mut Vec<u8>, most: usize) -> Option<()> {
    loop {
        let symbol = bits.symbol(literals)?;
        if symbol == 256 {
            return Some(());
        }
        if symbol < 256 {
            out.push(symbol as u8);
        } else {
            let len = match symbol - 257 {
                short @ 0..8 => short + 3,
                28 => 258,
                long @ 8..28 => {
                    let extra = long / 4 - 1;
                    ((4 + long % 4) << extra) + 3 + bits.bits(extra)?
                }
                _ => return None,
            };
            let distance = match bits.symbol(distances)? {
                near @ 0..4 => near + 1,
                far @ 4..30 => {
                    let extra = far / 2 - 1;
                    ((2 + far % 2) << extra) + 1 + bits.bits(extra)?
                }
                _ => return None,
            };
            let from = out.len().checked_sub(distance)?;
            for at in from..from + len {
                out.push(*out.get(at)?);
            }
        }
        if out.len() > most {
            return None;
        }
    }
}
