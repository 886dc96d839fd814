//! Which values does a Parquet page hold, and how are they written as text?

use std::fmt::Write as _;

use super::broken;
use super::levels::{Hybrid, bits};
use super::schema::{Leaf, Meaning, Physical};
use crate::Gap;
use crate::extract::fields::{u32_at, u64_at};
use crate::extract::{Budget, HELD_BYTES_MAX, dates, unsupported};

/// The values of a page, in the encoding of the page.
#[derive(Debug)]
pub(super) enum Values {
    /// One after the other, from this byte on; of booleans, from this bit on.
    Plain(usize),
    /// Places in the column's dictionary.
    Indices(Hybrid),
    /// Booleans in runs.
    Runs(Hybrid),
    /// Numbers that were stored as differences.
    Numbers(std::vec::IntoIter<i64>),
    /// Texts that were stored by their lengths, with where each ends.
    Texts { bytes: Vec<u8>, ends: std::vec::IntoIter<usize>, start: usize },
}

/// The values that a column's pages refer to.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub(super) data: Vec<u8>,
    /// Where each value is, if they are of different sizes.
    spans: Vec<(u32, u32)>,
}

impl Dictionary {
    pub(super) fn new(data: Vec<u8>, leaf: &Leaf) -> Self {
        let mut spans = Vec::new();
        if leaf.physical == Physical::Bytes {
            let mut at = 0;
            while let Some(size) = u32_at(&data, at) {
                let Some(end) = (at + 4).checked_add(size as usize).filter(|&end| end <= data.len()) else {
                    break;
                };
                spans.push(((at + 4) as u32, end as u32));
                at = end;
            }
        }
        Self { data, spans }
    }

    /// Bytes that are held.
    pub(super) fn bytes(&self) -> usize {
        self.data.len() + self.spans.len() * 8
    }

    fn value(&self, index: usize, leaf: &Leaf) -> Option<&[u8]> {
        if leaf.physical == Physical::Bytes {
            let &(start, end) = self.spans.get(index)?;
            return self.data.get(start as usize..end as usize);
        }
        let width = leaf.physical.width()?;
        self.data.get(index.checked_mul(width)?..)?.get(..width)
    }
}

impl Physical {
    /// Bytes of each value, if that is a number.
    fn width(self) -> Option<usize> {
        match self {
            Self::Int32 | Self::Float => Some(4),
            Self::Int64 | Self::Double => Some(8),
            Self::Int96 => Some(12),
            Self::Fixed(width) => Some(width),
            Self::Boolean | Self::Bytes => None,
        }
    }
}

impl Values {
    /// The values from byte `at` of a page on, of which there are at most `count`.
    pub(super) fn new(
        encoding: i64,
        data: &[u8],
        at: usize,
        count: usize,
        budget: &mut Budget,
    ) -> Result<Self, Gap> {
        Ok(match encoding {
            0 => Self::Plain(at),
            2 | 8 => {
                let width = u32::from(data.get(at).copied().unwrap_or(0));
                Self::Indices(Hybrid::new(at + 1, data.len(), width))
            }
            3 => Self::Runs(Hybrid::new(at + 4, data.len(), 1)),
            5 => Self::Numbers(Differences::new(data, at).numbers(count, budget)?.0.into_iter()),
            6 => {
                let (lengths, at) = Differences::new(data, at).numbers(count, budget)?;
                let bytes = data.get(at..).ok_or_else(broken)?.to_vec();
                let mut end = 0_usize;
                let ends: Option<Vec<usize>> = lengths
                    .into_iter()
                    .map(|length| {
                        end = end.checked_add(usize::try_from(length).ok()?)?;
                        Some(end)
                    })
                    .collect();
                Self::Texts { bytes, ends: ends.ok_or_else(broken)?.into_iter(), start: 0 }
            }
            7 => shared_starts(data, at, count, budget)?,
            _ => return Err(unsupported("pages of the Parquet file are in an encoding that is not read")),
        })
    }

    /// Writes the next value.
    pub(super) fn write(
        &mut self,
        data: &[u8],
        dictionary: Option<&Dictionary>,
        leaf: &Leaf,
        out: &mut String,
    ) -> Result<(), Gap> {
        match self {
            Self::Plain(at) if leaf.physical == Physical::Boolean => {
                // Bits: the first is that of the byte the values begin at.
                let bit = bits(data, *at, 1).ok_or_else(broken)?;
                *at += 1;
                out.push_str(if bit == 1 { "true" } else { "false" });
            }
            Self::Plain(at) => {
                let width = match leaf.physical.width() {
                    Some(width) => width,
                    None => {
                        let size = u32_at(data, *at).ok_or_else(broken)? as usize;
                        *at += 4;
                        size
                    }
                };
                let value = data.get(*at..).and_then(|rest| rest.get(..width)).ok_or_else(broken)?;
                *at += width;
                write(value, leaf, out);
            }
            Self::Indices(indices) => {
                let index = indices.next(data).ok_or_else(broken)? as usize;
                let value =
                    dictionary.and_then(|dictionary| dictionary.value(index, leaf)).ok_or_else(broken)?;
                write(value, leaf, out);
            }
            Self::Runs(runs) => {
                let value = runs.next(data).ok_or_else(broken)?;
                out.push_str(if value == 1 { "true" } else { "false" });
            }
            Self::Numbers(numbers) => {
                let number = numbers.next().ok_or_else(broken)?;
                write_number(number, leaf.meaning, out);
            }
            Self::Texts { bytes, ends, start } => {
                let end = ends.next().ok_or_else(broken)?;
                let value = bytes.get(*start..end).ok_or_else(broken)?;
                *start = end;
                write(value, leaf, out);
            }
        }
        Ok(())
    }

    /// For booleans, positions are bits.
    pub(super) fn in_bits(self) -> Self {
        match self {
            Self::Plain(at) => Self::Plain(at * 8),
            other => other,
        }
    }
}

/// Writes a stored value.
fn write(value: &[u8], leaf: &Leaf, out: &mut String) {
    match leaf.physical {
        Physical::Int32 => {
            write_number(u32_at(value, 0).map_or(0, |bits| i64::from(bits.cast_signed())), leaf.meaning, out);
        }
        Physical::Int64 => write_number(u64_at(value, 0).map_or(0, u64::cast_signed), leaf.meaning, out),
        Physical::Int96 => {
            // Nanoseconds of the day, then the day of the Julian calendar's count; 2,440,588 is 1970-01-01.
            let nanoseconds = u64_at(value, 0).unwrap_or(0);
            let days = i64::from(u32_at(value, 8).unwrap_or(0)) - 2_440_588;
            out.push_str(&dates::time(days * 86_400 + (nanoseconds / 1_000_000_000 % 86_400).cast_signed()));
        }
        Physical::Float => {
            let _ = write!(out, "{}", f32::from_bits(u32_at(value, 0).unwrap_or(0)));
        }
        Physical::Double => {
            let _ = write!(out, "{}", f64::from_bits(u64_at(value, 0).unwrap_or(0)));
        }
        Physical::Boolean => {}
        Physical::Bytes | Physical::Fixed(_) => match leaf.meaning {
            Meaning::Decimal { scale } if value.len() <= 8 => {
                let negative = value.first().is_some_and(|&byte| byte & 0x80 != 0);
                let start = if negative { -1 } else { 0 };
                let number = value.iter().fold(start, |number: i64, &byte| number << 8 | i64::from(byte));
                write_number(number, Meaning::Decimal { scale }, out);
            }
            _ => out.push_str(&dates::readable(value)),
        },
    }
}

fn write_number(number: i64, meaning: Meaning, out: &mut String) {
    match meaning {
        Meaning::Plain | Meaning::Decimal { scale: 0 } => {
            let _ = write!(out, "{number}");
        }
        Meaning::Date => out.push_str(&dates::day(number)),
        Meaning::Time { per_second } => out.push_str(&dates::time(number.div_euclid(per_second))),
        Meaning::Decimal { scale } => out.push_str(&dates::decimal(number, scale)),
    }
}

/// Texts that begin as the one before them did (DELTA_BYTE_ARRAY).
fn shared_starts(data: &[u8], at: usize, count: usize, budget: &mut Budget) -> Result<Values, Gap> {
    let (shared, at) = Differences::new(data, at).numbers(count, budget)?;
    let (lengths, mut at) = Differences::new(data, at).numbers(count, budget)?;
    let mut bytes: Vec<u8> = Vec::new();
    let mut ends = Vec::new();
    let mut last = 0;
    for (shared, length) in shared.into_iter().zip(lengths) {
        let (Ok(shared), Ok(length)) = (usize::try_from(shared), usize::try_from(length)) else {
            return Err(broken());
        };
        let rest = data.get(at..).and_then(|rest| rest.get(..length)).ok_or_else(broken)?;
        at += length;
        let start = bytes.len();
        if shared > start - last || bytes.len() + shared + length > HELD_BYTES_MAX {
            return Err(broken());
        }
        budget.unpack((shared + length) as u64)?;
        bytes.extend_from_within(last..last + shared);
        bytes.extend_from_slice(rest);
        ends.push(bytes.len());
        last = start;
    }
    Ok(Values::Texts { bytes, ends: ends.into_iter(), start: 0 })
}

/// Numbers stored as differences in blocks (DELTA_BINARY_PACKED).
struct Differences<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Differences<'a> {
    fn new(data: &'a [u8], at: usize) -> Self {
        Self { data, at }
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.data.get(self.at)?;
            self.at += 1;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    /// The numbers, at most `most`, and where the bytes behind them begin.
    fn numbers(mut self, most: usize, budget: &mut Budget) -> Result<(Vec<i64>, usize), Gap> {
        let mut header = || Some((self.varint()?, self.varint()?, self.varint()?, self.zigzag()?));
        let (block, parts, total, first) = header().ok_or_else(broken)?;
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let per_part =
            block.checked_div(parts).filter(|&size| size > 0 && size <= 1 << 20).ok_or_else(broken)? as usize;
        if total > most || parts > 512 {
            return Err(broken());
        }
        // Differences of no bits take no bytes.
        budget.unpack(total as u64 * 8)?;
        if total * 8 > HELD_BYTES_MAX {
            return Err(super::too_large());
        }
        let mut numbers = Vec::new();
        if total > 0 {
            numbers.push(first);
        }
        let mut value = first;
        while numbers.len() < total {
            let least = self.zigzag().ok_or_else(broken)?;
            let widths =
                self.data.get(self.at..).and_then(|rest| rest.get(..parts as usize)).ok_or_else(broken)?;
            self.at += widths.len();
            for &width in widths {
                if numbers.len() >= total {
                    break;
                }
                let width = usize::from(width);
                for index in 0..per_part.min(total - numbers.len()) {
                    let difference =
                        wide_bits(self.data, self.at * 8 + index * width, width).ok_or_else(broken)?;
                    value = value.wrapping_add(least).wrapping_add(difference.cast_signed());
                    numbers.push(value);
                }
                self.at += (per_part * width).div_ceil(8);
            }
        }
        Ok((numbers, self.at))
    }
}

/// Up to 64 bits from `at` on, lowest first.
fn wide_bits(data: &[u8], at: usize, width: usize) -> Option<u64> {
    let low = width.min(32) as u32;
    let high = width.saturating_sub(32).min(32) as u32;
    Some(u64::from(bits(data, at, low)?) | u64::from(bits(data, at + 32, high)?) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tests::allowance;

    #[test]
    fn differences_are_added_up() {
        // The example of Encodings.md: 1, 2, 3, 4, 5 as a first value and differences of one.
        let data = [0x80, 0x01, 0x04, 0x05, 0x02, 0x02, 0, 0, 0, 0];
        assert_eq!(Differences::new(&data, 0).numbers(5, &mut allowance()).unwrap().0, [1, 2, 3, 4, 5]);
        // 7, 5, 3, 1, 2, 3, 4, 5: least difference -2, the rest in two bits.
        let data = [0x80, 0x01, 0x04, 0x08, 0x0E, 0x03, 2, 0, 0, 0, 0xC0, 0x3F, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            Differences::new(&data, 0).numbers(8, &mut allowance()).unwrap().0,
            [7, 5, 3, 1, 2, 3, 4, 5]
        );
    }
}
