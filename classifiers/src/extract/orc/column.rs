//! Which values does a column of an ORC stripe have, one row after the other?

use std::collections::HashMap;
use std::fmt::Write as _;

use super::broken;
use super::message::{Message, varint};
use super::runs::{Bytes, Numbers};
use crate::Gap;
use crate::extract::fields::{u32_at, u64_at};
use crate::extract::{Budget, dates};

/// Columns within columns.
const DEPTH_MAX: u32 = 32;

const PRESENT: u64 = 0;
const DATA: u64 = 1;
const LENGTH: u64 = 2;
const DICTIONARY: u64 = 3;
const SECONDARY: u64 = 5;

/// Seconds from 1970 to the first of January 2015, from which ORC counts.
const EPOCH: i64 = 1_420_070_400;

/// The unpacked streams of a stripe, by column and kind.
pub(super) type Streams = HashMap<(usize, u64), Vec<u8>>;

/// A column's type, from the footer.
#[derive(Debug)]
pub(super) struct Type<'a> {
    kind: u64,
    pub(super) children: Vec<usize>,
    pub(super) names: Vec<&'a [u8]>,
}

impl<'a> Type<'a> {
    pub(super) fn read(message: Message<'a>) -> Self {
        let children =
            message.numbers(2).into_iter().filter_map(|child| usize::try_from(child).ok()).collect();
        Self { kind: message.number(1).unwrap_or(0), children, names: message.all_bytes(3).collect() }
    }
}

/// A column being read.
#[derive(Debug)]
pub(super) struct Column {
    /// Which rows have a value; all, where there is none.
    present: Option<Bytes>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Boolean(Bytes),
    Byte(Bytes),
    Integer(Numbers),
    Date(Numbers),
    Time(Numbers),
    Float { data: Vec<u8>, at: usize },
    Double { data: Vec<u8>, at: usize },
    Text { data: Vec<u8>, at: usize, lengths: Numbers },
    Word { indices: Numbers, data: Vec<u8>, ends: Vec<usize> },
    Decimal { data: Vec<u8>, at: usize, scales: Numbers },
    Struct(Vec<Column>),
    List { lengths: Numbers, items: Vec<Column> },
    Union { tags: Bytes, options: Vec<Column> },
}

impl Column {
    /// Takes the streams of a column and of those within it; nothing where the types make no sense.
    pub(super) fn new(
        at: usize,
        types: &[Type<'_>],
        encodings: &[(u64, usize)],
        streams: &mut Streams,
        depth: u32,
    ) -> Option<Self> {
        if depth > DEPTH_MAX {
            return None;
        }
        let kind = types.get(at)?;
        let (encoding, words) = encodings.get(at).copied().unwrap_or((0, 0));
        let is_second_version = encoding >= 2;
        let present = streams.remove(&(at, PRESENT)).map(Bytes::new);
        let mut children = || -> Option<Vec<Column>> {
            // A child comes after its parent, so that types cannot go in circles.
            let children = kind.children.iter().filter(|&&child| child > at);
            children.map(|&child| Self::new(child, types, encodings, streams, depth + 1)).collect()
        };
        let inner = if matches!(kind.kind, 10..=13) { children()? } else { Vec::new() };
        let mut stream = |kind| streams.remove(&(at, kind)).unwrap_or_default();
        let numbers = |data, is_signed| Numbers::new(data, is_second_version, is_signed);
        let values = match kind.kind {
            0 => Values::Boolean(Bytes::new(stream(DATA))),
            1 => Values::Byte(Bytes::new(stream(DATA))),
            2..=4 => Values::Integer(numbers(stream(DATA), true)),
            5 => Values::Float { data: stream(DATA), at: 0 },
            6 => Values::Double { data: stream(DATA), at: 0 },
            7 | 8 | 16 | 17 if encoding % 2 == 1 => {
                let (data, mut lengths) = (stream(DICTIONARY), numbers(stream(LENGTH), false));
                let mut end = 0_usize;
                let mut ends = Vec::new();
                for _ in 0..words {
                    let Some(length) = lengths.next().and_then(|length| usize::try_from(length).ok()) else {
                        break;
                    };
                    end = end.checked_add(length).filter(|&end| end <= data.len())?;
                    // Words of nothing take no bytes.
                    if ends.len() > data.len() + 1024 {
                        return None;
                    }
                    ends.push(end);
                }
                Values::Word { indices: numbers(stream(DATA), false), data, ends }
            }
            7 | 8 | 16 | 17 => {
                Values::Text { data: stream(DATA), at: 0, lengths: numbers(stream(LENGTH), false) }
            }
            9 | 18 => Values::Time(numbers(stream(DATA), true)),
            10 | 11 => Values::List { lengths: numbers(stream(LENGTH), false), items: inner },
            12 => Values::Struct(inner),
            13 => Values::Union { tags: Bytes::new(stream(DATA)), options: inner },
            14 => Values::Decimal { data: stream(DATA), at: 0, scales: numbers(stream(SECONDARY), true) },
            15 => Values::Date(numbers(stream(DATA), true)),
            _ => return None,
        };
        Some(Self { present, values })
    }

    /// Writes the value of the next row; those within it with blanks between them.
    pub(super) fn write(&mut self, out: &mut String, budget: &mut Budget) -> Result<(), Gap> {
        budget.unpack(1)?;
        if let Some(present) = &mut self.present
            && !present.next_bit().ok_or_else(broken)?
        {
            return Ok(());
        }
        match &mut self.values {
            Values::Boolean(bits) => {
                out.push_str(if bits.next_bit().ok_or_else(broken)? { "true" } else { "false" })
            }
            Values::Byte(bytes) => {
                let _ = write!(out, "{}", bytes.next().ok_or_else(broken)?.cast_signed());
            }
            Values::Integer(numbers) => {
                let _ = write!(out, "{}", numbers.next().ok_or_else(broken)?);
            }
            Values::Date(numbers) => out.push_str(&dates::day(numbers.next().ok_or_else(broken)?)),
            Values::Time(numbers) => {
                out.push_str(&dates::time(numbers.next().ok_or_else(broken)?.saturating_add(EPOCH)));
            }
            Values::Float { data, at } => {
                let _ = write!(out, "{}", f32::from_bits(u32_at(data, *at).ok_or_else(broken)?));
                *at += 4;
            }
            Values::Double { data, at } => {
                let _ = write!(out, "{}", f64::from_bits(u64_at(data, *at).ok_or_else(broken)?));
                *at += 8;
            }
            Values::Text { data, at, lengths } => {
                let length =
                    lengths.next().and_then(|length| usize::try_from(length).ok()).ok_or_else(broken)?;
                let text = data.get(*at..).and_then(|rest| rest.get(..length)).ok_or_else(broken)?;
                *at += length;
                out.push_str(&dates::readable(text));
            }
            Values::Word { indices, data, ends } => {
                let index =
                    indices.next().and_then(|index| usize::try_from(index).ok()).ok_or_else(broken)?;
                let start = index.checked_sub(1).and_then(|before| ends.get(before).copied()).unwrap_or(0);
                let word = data.get(start..*ends.get(index).ok_or_else(broken)?).ok_or_else(broken)?;
                out.push_str(&dates::readable(word));
            }
            Values::Decimal { data, at, scales } => {
                let mut rest = data.get(*at..).unwrap_or_default();
                let before = rest.len();
                let value = varint(&mut rest).ok_or_else(broken)?;
                *at += before - rest.len();
                let value = (value >> 1).cast_signed() ^ -(value & 1).cast_signed();
                let scale = scales.next().and_then(|scale| u32::try_from(scale).ok()).ok_or_else(broken)?;
                out.push_str(&dates::decimal(value, scale));
            }
            Values::Struct(fields) => write_all(fields, out, budget)?,
            Values::List { lengths, items } => {
                let start = out.len();
                for _ in 0..lengths.next().ok_or_else(broken)? {
                    separate(out, start);
                    write_all(items, out, budget)?;
                }
            }
            Values::Union { tags, options } => {
                let tag = usize::from(tags.next().ok_or_else(broken)?);
                options.get_mut(tag).ok_or_else(broken)?.write(out, budget)?;
            }
        }
        Ok(())
    }
}

fn write_all(columns: &mut [Column], out: &mut String, budget: &mut Budget) -> Result<(), Gap> {
    let start = out.len();
    for column in columns {
        separate(out, start);
        column.write(out, budget)?;
    }
    Ok(())
}

/// A blank after what was written since `start`.
fn separate(out: &mut String, start: usize) {
    if out.len() > start && !out.ends_with(' ') {
        out.push(' ');
    }
}
