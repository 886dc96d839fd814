//! Which rows does a table have, in whatever order, format or company?
//!
//! A row is known by an address and a long number (a phone, an id) where it has both: who copies some columns hardly leaves those
//! out. Otherwise by its telling cells, which are addresses, numbers, names of two words: not all of them, but the [`TELLING`] with
//! the least hashes, as a set. So neither the order of rows and columns matters, nor the format, nor most columns that
//! were dropped or added.

use super::key::{HASHES, IndexKey, Kind};
use super::words::fold;

/// Cells that stand for a row.
pub(super) const TELLING: usize = 3;
/// Cells that a row must have to be told from others.
const TELLING_MIN: usize = 2;
/// Digits of a number that stands for somebody beside an address.
const NUMBER_DIGITS_MIN: u64 = 7;
/// Bytes of a telling cell.
const CELL_BYTES: std::ops::RangeInclusive<usize> = 6..=96;
/// A cell of running text has a clause that is longer, with as many blanks.
const PROSE_BYTES: usize = 40;
const PROSE_BLANKS: u64 = 8;

/// What stands for a row: the hashes of some of its cells, least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cells: [u64; TELLING],
}

impl Row {
    /// What its print is made of.
    pub(super) fn hashes(&self) -> [u64; HASHES] {
        let mut hashes = [0; HASHES];
        hashes.iter_mut().zip(self.cells).for_each(|(to, from)| *to = from);
        hashes
    }

    /// By what the filter knows it.
    pub(super) fn pick(&self, key: &IndexKey) -> u64 {
        let [first, second, third] = self.cells;
        key.pick(Kind::Row, first ^ second.rotate_left(21) ^ third.rotate_left(42))
    }
}

/// Chooses the cells that stand for a row as they come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cells {
    least: [u64; TELLING],
    telling: usize,
    address: Option<u64>,
    /// The longest number: how many digits it has, and its hash.
    number: Option<(u64, u64)>,
    is_prose: bool,
}

impl Default for Cells {
    fn default() -> Self {
        Self { least: [u64::MAX; TELLING], telling: 0, address: None, number: None, is_prose: false }
    }
}

impl Cells {
    /// Takes the cells of a line of a table in text, whatever it is written as: CSV, JSON, SQL or a log.
    pub(super) fn line(&mut self, key: &IndexKey, line: &[u8]) {
        let (mut begin, mut counts) = (0, 0_u64);
        for (at, byte) in line.iter().enumerate() {
            let class = CLASSES.get(usize::from(*byte)).copied().unwrap_or(0);
            if class & SEPARATES == 0 {
                counts = counts.wrapping_add(class);
                continue;
            }
            if at - begin >= *CELL_BYTES.start() {
                self.cell(key, line.get(begin..at).unwrap_or_default(), Counts(counts));
            }
            (begin, counts) = (at + 1, 0);
        }
        self.cell(key, line.get(begin..).unwrap_or_default(), Counts(counts));
    }

    fn cell(&mut self, key: &IndexKey, cell: &[u8], counts: Counts) {
        self.is_prose |= cell.len() > PROSE_BYTES && counts.of(BLANK) >= PROSE_BLANKS;
        let cell = trim(cell);
        if !CELL_BYTES.contains(&cell.len()) || !counts.is_telling(cell) {
            return;
        }
        let hash = if cell.is_ascii() {
            key.ascii_cell(cell)
        } else {
            key.word(fold(&String::from_utf8_lossy(cell)).as_bytes())
        };
        let digits = counts.of(DIGIT);
        if counts.of(AT) > 0 {
            self.address = self.address.max(Some(hash));
        } else if digits >= NUMBER_DIGITS_MIN && !is_moment(cell) {
            self.number = self.number.max(Some((digits, hash)));
        }
        // The same value in two cells is one.
        if self.least.contains(&hash) {
            return;
        }
        self.telling += 1;
        let mut hash = hash;
        for place in &mut self.least {
            if hash < *place {
                std::mem::swap(&mut hash, place);
            }
        }
    }

    /// Whether one of the cells is running text, or a part of one.
    pub(super) fn is_prose(&self) -> bool {
        self.is_prose
    }

    /// Ends the row; nothing where it has too little to be told from others.
    pub(super) fn end(self) -> Option<Row> {
        if let (Some(address), Some((_, number))) = (self.address, self.number) {
            return Some(Row { cells: [address, number, u64::MAX] });
        }
        (self.telling >= TELLING_MIN).then_some(Row { cells: self.least })
    }
}

fn trim(mut cell: &[u8]) -> &[u8] {
    while let [b' ' | b':' | b'\t', rest @ ..] | [rest @ .., b' ' | b':' | b'\t'] = cell {
        cell = rest;
    }
    cell
}

/// How many bytes of each class a cell has, twelve bits a class.
#[derive(Debug, Clone, Copy)]
struct Counts(u64);

const DIGIT: u64 = 1;
const LETTER: u64 = 1 << 12;
const BLANK: u64 = 1 << 24;
const AT: u64 = 1 << 36;
/// Ends a cell: what the formats write between values, never inside of names, addresses, numbers and times.
const SEPARATES: u64 = 1 << 63;

static CLASSES: [u64; 256] = {
    let mut classes = [0; 256];
    let (mut byte, separators) = (0_usize, b",;\t|\"'{}[]()<>=\r\n");
    while byte < classes.len() {
        let class = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => LETTER,
            b' ' => BLANK,
            b'@' => AT,
            _ => 0,
        };
        #[allow(clippy::indexing_slicing)] // Evaluated by the compiler.
        {
            classes[byte] = class;
        }
        byte += 1;
    }
    let mut at = 0;
    while at < separators.len() {
        #[allow(clippy::indexing_slicing)] // Evaluated by the compiler.
        {
            classes[separators[at] as usize] = SEPARATES;
        }
        at += 1;
    }
    classes
};

impl Counts {
    fn of(self, class: u64) -> u64 {
        (self.0 / class) & 0xfff
    }

    /// Whether few rows of the world have this cell: an address, a number of five digits, words with a blank between them.
    /// A date alone is not: everybody has one.
    fn is_telling(self, cell: &[u8]) -> bool {
        if self.of(AT) > 0 {
            return true;
        }
        if self.of(DIGIT) >= 5 {
            return cell.len() > 10 || self.of(LETTER) > 0 || !is_date(cell);
        }
        self.of(BLANK) >= 1 && self.of(LETTER) >= 6 && !is_statement(cell)
    }
}

/// What a dump writes before the values of each row.
fn is_statement(cell: &[u8]) -> bool {
    cell.get(..12).is_some_and(|start| start.eq_ignore_ascii_case(b"insert into "))
}

/// A date with or without a time, as records say when they were changed.
fn is_moment(cell: &[u8]) -> bool {
    matches!(cell, [a, b, c, d, b'-' | b'/' | b'.', ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()))
}

/// `2026-11-26`, `26.11.2026` and the like.
fn is_date(cell: &[u8]) -> bool {
    let separators = cell.iter().filter(|byte| matches!(byte, b'-' | b'/' | b'.')).count();
    separators == 2 && cell.len() <= 10
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> Option<Row> {
        let key = IndexKey::new(&[7; 32]);
        let mut cells = Cells::default();
        cells.line(&key, line.as_bytes());
        cells.end()
    }

    #[test]
    fn a_row_is_the_same_in_any_format_and_order() {
        let csv = row("Ada Lovelace,ada@acme.example,+44 20 7946 0011,Engineer,2019-03-04");
        assert!(csv.is_some());
        for same in [
            r#"{"id": 7, "name": "Ada Lovelace", "mail": "ada@acme.example", "phone": "+44 20 7946 0011", "since": "2019-03-04"}"#,
            "+44 20 7946 0011\tADA@acme.example\tAda Lovelace\r",
            "INSERT INTO staff VALUES (17, 'Ada Lovelace', 'ada@acme.example', '+44 20 7946 0011', NULL);",
        ] {
            assert_eq!(row(same), csv, "{same}");
        }
        assert_ne!(row("Ada Lovelace,ada@acme.example,+44 20 7946 0012"), csv);
        let some_columns = row("ada@acme.example;+44 20 7946 0011;2026-11-26T10:11:12Z");
        assert_eq!(some_columns, csv);
        assert_ne!(row("ada@acme.example;2026-11-26T10:11:12Z"), csv);
    }

    #[test]
    fn rows_of_few_words_and_dates_tell_nothing() {
        for poor in [
            "",
            "Engineer,London,2019-03-04",
            "yes,no,1,2,3",
            "2019-03-04;2020-05-06;12.04.2021",
            "Ada Lovelace,,",
        ] {
            assert_eq!(row(poor), None, "{poor}");
        }
    }
}
