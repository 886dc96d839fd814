//! Which strings does an old workbook share, when they are cut wherever a record is full?

use crate::extract::fields::{latin, u16_at, u32_at, utf16};
use crate::extract::{HELD_BYTES_MAX, Work, limit_reached, truncated};

/// The strings that cells refer to.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<u32>,
}

/// A string with its length in one or two bytes in front; before Excel 97 the rest are plain bytes.
pub(super) fn text(bytes: &[u8], length_bytes: usize, is_old: bool) -> Option<String> {
    let length =
        if length_bytes == 1 { usize::from(*bytes.first()?) } else { usize::from(u16_at(bytes, 0)?) };
    let rest = bytes.get(length_bytes..)?;
    if is_old {
        return Some(latin(rest.get(..length).unwrap_or(rest)));
    }
    let (flags, rest) = rest.split_first()?;
    let size = if flags & 1 != 0 { length * 2 } else { length };
    let content = rest.get(..size).unwrap_or(rest);
    Some(if flags & 1 != 0 { utf16(content) } else { latin(content) })
}

impl Strings {
    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..*self.ends.get(index)? as usize)
    }

    /// Reads the table from the record that begins it and those that continue it.
    pub(super) fn read(parts: &[&[u8]], work: &mut Work<'_>) -> Self {
        let mut strings = Self::default();
        let count = parts.first().and_then(|part| u32_at(part, 4)).unwrap_or(0);
        let mut parts =
            Parts { rest: parts.first().and_then(|part| part.get(8..)).unwrap_or_default(), parts, next: 1 };
        for _ in 0..count {
            if strings.text.len() + strings.ends.len() * 4 > HELD_BYTES_MAX {
                work.sink
                    .gap(limit_reached("the workbook's shared strings are more than what is held in memory"));
                break;
            }
            let Some(string) = parts.string() else {
                work.sink.gap(truncated("the workbook's shared strings are cut off"));
                break;
            };
            strings.text.push_str(&string);
            strings.ends.push(u32::try_from(strings.text.len()).unwrap_or(u32::MAX));
        }
        strings
    }
}

/// The bytes of the table, over the records it is cut into.
struct Parts<'a> {
    parts: &'a [&'a [u8]],
    next: usize,
    rest: &'a [u8],
}

impl<'a> Parts<'a> {
    /// Goes to the next record where this one is used up.
    fn refill(&mut self) -> Option<()> {
        while self.rest.is_empty() {
            self.rest = self.parts.get(self.next)?;
            self.next += 1;
        }
        Some(())
    }

    /// The next bytes, at most `size` of them, from one record.
    fn some(&mut self, size: usize) -> Option<&'a [u8]> {
        self.refill()?;
        let (taken, rest) = self.rest.split_at_checked(size).unwrap_or((self.rest, &[]));
        self.rest = rest;
        Some(taken)
    }

    fn skip(&mut self, mut size: usize) -> Option<()> {
        while size > 0 {
            size -= self.some(size)?.len();
        }
        Some(())
    }

    fn header<const SIZE: usize>(&mut self) -> Option<[u8; SIZE]> {
        // Numbers are not cut.
        self.refill()?;
        let (head, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*head)
    }

    /// A string ([MS-XLS] 2.5.293). Where it goes on in the next record, that begins with flags of its own.
    fn string(&mut self) -> Option<String> {
        let mut left = usize::from(u16::from_le_bytes(self.header()?));
        let [mut flags] = self.header()?;
        let runs = if flags & 8 != 0 { usize::from(u16::from_le_bytes(self.header()?)) } else { 0 };
        let extended = if flags & 4 != 0 { u32::from_le_bytes(self.header()?) as usize } else { 0 };
        let mut text = String::new();
        while left > 0 {
            if self.rest.is_empty() {
                self.refill()?;
                [flags] = self.header()?;
            }
            let width = if flags & 1 != 0 { 2 } else { 1 };
            let piece = self.some(left * width)?;
            if piece.len() < width {
                return None;
            }
            left -= (piece.len() / width).min(left);
            text.push_str(&if width == 2 { utf16(piece) } else { latin(piece) });
        }
        self.skip(runs * 4)?;
        self.skip(extended)?;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tests::see;

    #[test]
    fn a_string_goes_on_in_the_next_record_with_flags_of_its_own() {
        let first = [&[2, 0, 0, 0, 2, 0, 0, 0][..], &[3, 0, 0], b"abc", &[4, 0, 0], b"de"].concat();
        let second = [&[1][..], &[0xFC, 0, b'g', 0]].concat();
        let seen = see(|work| {
            let strings = Strings::read(&[&first, &second], work);
            assert_eq!(strings.get(0), Some("abc"));
            assert_eq!(strings.get(1), Some("deüg"));
            assert_eq!(strings.get(2), None);
        });
        assert_eq!(seen.gaps, []);
    }

    #[test]
    fn a_table_that_counts_too_many_is_a_gap() {
        let seen = see(|work| {
            Strings::read(&[&[255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, b'x']], work);
        });
        assert_eq!(seen.reasons(), [crate::GapReason::Truncated]);
    }
}
