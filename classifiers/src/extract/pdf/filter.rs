//! How are the streams of a PDF unpacked (ISO 32000-2, 7.4)?

use super::object::{Dict, Object, hex};
use crate::extract::{Budget, Decompressor, HELD_BYTES_MAX, limit_reached, malformed, unsupported};
use crate::{Gap, GapReason};

/// Filters in a row; real files have two.
const FILTERS_MAX: usize = 8;

/// The content of a stream; what its filters give within the budget. Damage at the end of a stream keeps what came before.
pub(super) fn unpack(dict: &Dict<'_>, raw: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    let list = |name: &str, short: &str| match dict.get(name).or_else(|| dict.get(short)) {
        Some(Object::Array(items)) => items.clone(),
        Some(object) => vec![object.clone()],
        None => Vec::new(),
    };
    let filters = list("Filter", "F");
    let parameters = list("DecodeParms", "DP");
    if filters.len() > FILTERS_MAX {
        return Err(malformed("a stream of the PDF is packed more often than any honest one"));
    }
    charge(raw.len(), budget)?;
    let mut content = raw.to_vec();
    for (at, filter) in filters.iter().enumerate() {
        let parameters = parameters.get(at).and_then(Object::as_dict);
        content = match filter.as_name() {
            Some(b"FlateDecode" | b"Fl") => predicted(flate(&content, budget)?, parameters),
            Some(b"LZWDecode" | b"LZW") => {
                let early = parameters.and_then(|dict| dict.number("EarlyChange")) != Some(0.0);
                predicted(lzw(&content, early, budget)?, parameters)
            }
            Some(b"ASCIIHexDecode" | b"AHx") => {
                let end = memchr::memchr(b'>', &content).unwrap_or(content.len());
                hex(content.get(..end).unwrap_or_default())
            }
            Some(b"ASCII85Decode" | b"A85") => ascii85(&content),
            Some(b"RunLengthDecode" | b"RL") => run_length(&content, budget)?,
            // What a crypt filter sealed is open by now.
            Some(b"Crypt") => content,
            _ => return Err(unsupported("a stream of the PDF is packed by a filter that is not read")),
        };
    }
    Ok(content)
}

pub(super) fn charge(bytes: usize, budget: &mut Budget) -> Result<(), Gap> {
    if bytes > HELD_BYTES_MAX {
        return Err(limit_reached("a stream of the PDF is more than what is held in memory"));
    }
    budget.unpack(bytes as u64)
}

fn flate(packed: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    let mut unpacked = Vec::new();
    // Two bytes of header; the checksum at the end is often wrong and is not looked at.
    let mut decompressor = Decompressor::deflate();
    let mut limit = Ok(());
    let mut take = |piece: &[u8]| {
        limit = charge(piece.len(), budget);
        limit.clone()?;
        if unpacked.len() + piece.len() > HELD_BYTES_MAX {
            limit = Err(limit_reached("a stream of the PDF is more than what is held in memory"));
            return limit.clone();
        }
        unpacked.extend_from_slice(piece);
        Ok(())
    };
    let damaged = match decompressor.push(packed.get(2..).unwrap_or_default(), &mut take) {
        Ok(()) => decompressor.finish(&mut take),
        broken => broken,
    };
    limit?;
    match damaged {
        Err(gap) if unpacked.is_empty() && gap.reason != GapReason::Truncated => Err(gap),
        _ => Ok(unpacked),
    }
}

/// LZW with codes of 9 to 12 bits; 256 clears the table, 257 ends.
fn lzw(packed: &[u8], early: bool, budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    let mut out: Vec<u8> = Vec::new();
    // Entries of the table as spans of what was unpacked.
    let mut table: Vec<(usize, usize)> = Vec::new();
    let (mut width, mut bits, mut held) = (9_u32, 0_u32, 0_u32);
    let mut last: Option<(usize, usize)> = None;
    for &byte in packed {
        bits = bits << 8 | u32::from(byte);
        held += 8;
        if held < width {
            continue;
        }
        held -= width;
        let code = bits >> held & ((1 << width) - 1);
        bits &= (1 << held) - 1;
        let start = out.len();
        match code {
            256 => {
                table.clear();
                width = 9;
                last = None;
                continue;
            }
            257 => break,
            0..=255 => out.push(code as u8),
            _ => {
                let known = table.get(code as usize - 258).copied();
                // A code that is defined by this very step: what came last, and its first byte again.
                let Some((from, to)) = known.or(last.map(|(from, to)| (from, to + 1))) else { break };
                for at in from..to {
                    let byte = out.get(at).copied().unwrap_or_default();
                    out.push(byte);
                }
            }
        }
        charge(out.len() - start, budget)?;
        if out.len() > HELD_BYTES_MAX {
            return Err(limit_reached("a stream of the PDF is more than what is held in memory"));
        }
        if let Some((from, to)) = last.filter(|_| table.len() < 4096 - 258) {
            table.push((from, to + 1));
        }
        last = Some((start, out.len()));
        width = match table.len() + 258 + usize::from(early) {
            0..=511 => 9,
            512..=1023 => 10,
            1024..=2047 => 11,
            _ => 12,
        };
    }
    Ok(out)
}

fn ascii85(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() / 5 * 4);
    let (mut group, mut count) = (0_u32, 0_u32);
    for &byte in text {
        match byte {
            b'z' if count == 0 => out.extend([0; 4]),
            b'!'..=b'u' => {
                group = group.wrapping_mul(85).wrapping_add(u32::from(byte - b'!'));
                count += 1;
                if count == 5 {
                    out.extend(group.to_be_bytes());
                    (group, count) = (0, 0);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if count > 1 {
        for _ in count..5 {
            group = group.wrapping_mul(85).wrapping_add(84);
        }
        out.extend(group.to_be_bytes().iter().take(count as usize - 1));
    }
    out
}

fn run_length(mut packed: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    let mut out = Vec::new();
    while let Some((&length, rest)) = packed.split_first() {
        let taken = match length {
            128 => break,
            0..=127 => {
                let literal = rest.get(..usize::from(length) + 1).unwrap_or(rest);
                out.extend_from_slice(literal);
                literal.len()
            }
            _ => {
                let Some(&byte) = rest.first() else { break };
                out.resize(out.len() + 257 - usize::from(length), byte);
                1
            }
        };
        charge(128, budget)?;
        packed = rest.get(taken..).unwrap_or_default();
    }
    Ok(out)
}

/// Undoes the differences between rows that PNG's filters make.
fn predicted(content: Vec<u8>, parameters: Option<&Dict<'_>>) -> Vec<u8> {
    let number = |name: &str, default: f64| parameters.and_then(|dict| dict.number(name)).unwrap_or(default);
    if number("Predictor", 1.0) < 10.0 {
        return content;
    }
    let (colors, bits) =
        (number("Colors", 1.0).clamp(1.0, 32.0), number("BitsPerComponent", 8.0).clamp(1.0, 16.0));
    let row_bytes = (colors * bits * number("Columns", 1.0).clamp(1.0, 1e6) / 8.0).ceil() as usize;
    let pixel_bytes = ((colors * bits / 8.0).ceil() as usize).max(1);
    let mut out: Vec<u8> = Vec::with_capacity(content.len());
    let mut above = vec![0_u8; row_bytes];
    for row in content.chunks(row_bytes + 1) {
        let Some((&kind, row)) = row.split_first() else { break };
        let mut current: Vec<u8> = Vec::with_capacity(row_bytes);
        for (at, &byte) in row.iter().enumerate() {
            let back =
                |from: &[u8]| at.checked_sub(pixel_bytes).and_then(|at| from.get(at).copied()).unwrap_or(0);
            let (left, up, corner) = (back(&current), above.get(at).copied().unwrap_or(0), back(&above));
            let guess = match kind {
                1 => left,
                2 => up,
                3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
                4 => paeth(left, up, corner),
                _ => 0,
            };
            current.push(byte.wrapping_add(guess));
        }
        current.resize(row_bytes, 0);
        out.extend_from_slice(current.get(..row.len()).unwrap_or_default());
        above = current;
    }
    out
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let (a, b, c) = (i16::from(left), i16::from(up), i16::from(corner));
    let (to_left, to_up, to_corner) = ((b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs());
    if to_left <= to_up && to_left <= to_corner {
        left
    } else if to_up <= to_corner {
        up
    } else {
        corner
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tests::allowance;

    #[test]
    fn ascii85_is_decoded() {
        assert_eq!(ascii85(b"9jqo^BlbD-BleB1DJ+*+F(f,q~>"), b"Man is distinguished");
        assert_eq!(ascii85(b"z5sb~>"), b"\0\0\0\0AB");
    }

    #[test]
    fn lzw_is_decoded() {
        // The example of ISO 32000-2, 7.4.4.2.
        let packed = [0x80, 0x0B, 0x60, 0x50, 0x22, 0x0C, 0x0C, 0x85, 0x01];
        assert_eq!(lzw(&packed, true, &mut allowance()).unwrap(), [45, 45, 45, 45, 45, 65, 45, 45, 45, 66]);
    }

    #[test]
    fn runs_are_decoded() {
        assert_eq!(run_length(&[2, 1, 2, 3, 254, 9, 128, 7], &mut allowance()).unwrap(), [1, 2, 3, 9, 9, 9]);
    }

    #[test]
    fn rows_are_put_back_together() {
        let mut lexer = super::super::object::Lexer::new(b"<</Predictor 12 /Columns 3>>", 0);
        let dict = lexer.object().unwrap();
        assert_eq!(predicted(vec![2, 1, 2, 3, 2, 1, 1, 1], dict.as_dict()), [1, 2, 3, 2, 3, 4]);
    }
}
