//! What are the rows of a text with delimiters (CSV, TSV, semicolons, bars)?

use std::borrow::Cow;

use crate::extract::Place;
use crate::gather::Gather;
use crate::table::{Key, Table};

/// A row that is longer is not a row: a quote was opened and never closed.
const ROW_BYTES_MAX: usize = 64 << 10;
/// Lines of the head that must agree.
const LINES_COMPARED: usize = 20;

/// The parser of one text.
#[derive(Debug)]
pub(crate) struct Delimited {
    delimiter: u8,
    table: Table,
    /// Of the table's keys; found anew after each row that is typed, as they are chosen then.
    keys: Option<Keys>,
    /// Lines of a row whose quotes are still open.
    open: Vec<u8>,
    skipping: bool,
}

/// The delimiter that cuts the first lines into the same number of cells, two at least.
pub(super) fn delimiter(head: &[u8]) -> Option<u8> {
    let mut best: Option<(usize, u8)> = None;
    for delimiter in [b',', b'\t', b';', b'|'] {
        // Markdown's tables begin with a bar, and prose has commas in one line and not in the next.
        let mut counts = Vec::with_capacity(LINES_COMPARED);
        let mut rest = head;
        while counts.len() < LINES_COMPARED {
            let Some((row, tail)) = first_row(rest) else { break };
            if !row.trim_ascii().is_empty() {
                counts.push(Fields::new(row, delimiter).count());
            }
            rest = tail;
        }
        // The last row may be cut off by the block's end.
        if counts.len() > 2 && rest.is_empty() {
            counts.pop();
        }
        let Some(cells) = counts.last().copied() else { continue };
        let agreeing = counts.iter().filter(|count| **count == cells).count();
        let framed = delimiter == b'|'
            && super::lines(head).take(LINES_COMPARED).filter(|line| line.first() == Some(&b'|')).count() * 4
                > counts.len();
        let enough = counts.len() >= 2 && agreeing * 10 >= counts.len() * 8 && cells >= 2;
        if enough && !framed && best.is_none_or(|(most, _)| cells > most) {
            best = Some((cells, delimiter));
        }
    }
    let (cells, delimiter) = best?;
    // Two cells by comma are as likely two clauses.
    (cells > 2 || delimiter != b',' || is_terse(head)).then_some(delimiter)
}

/// Whether lines are short and hold few blanks, as rows of two cells do and prose does not.
fn is_terse(head: &[u8]) -> bool {
    let lines = super::lines(head).take(LINES_COMPARED).filter(|line| !line.is_empty());
    let (mut count, mut blanks) = (0usize, 0usize);
    for line in lines {
        count += 1;
        blanks += line.iter().filter(|b| **b == b' ').count();
    }
    count > 0 && blanks <= count * 3
}

/// The first row and what follows it, with quotes respected.
fn first_row(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    if bytes.is_empty() {
        return None;
    }
    let mut quoted = false;
    for at in memchr::memchr2_iter(b'"', b'\n', bytes.get(..ROW_BYTES_MAX).unwrap_or(bytes)) {
        if bytes.get(at) == Some(&b'"') {
            quoted = !quoted;
        } else if !quoted {
            return Some((bytes.get(..at)?, bytes.get(at + 1..)?));
        }
    }
    Some((bytes, b""))
}

impl Delimited {
    pub(super) fn new(place: &Place, delimiter: u8) -> Self {
        Self { delimiter, table: Table::new(place.clone()), keys: None, open: Vec::new(), skipping: false }
    }

    pub(super) fn is_tabbed(&self) -> bool {
        self.delimiter == b'\t'
    }

    pub(super) fn is_directory(&self) -> bool {
        self.table.is_directory()
    }

    pub(super) fn push(&mut self, gather: &mut Gather, bytes: &[u8]) {
        let quotes = memchr::memchr(b'"', bytes).is_some();
        for line in super::lines(bytes) {
            let odd = quotes && memchr::memchr_iter(b'"', line).count() % 2 == 1;
            if self.open.is_empty() && !odd {
                self.row(gather, line);
                continue;
            }
            let closes = odd && !self.open.is_empty();
            self.open.extend_from_slice(line);
            if closes {
                let row = std::mem::take(&mut self.open);
                if !std::mem::take(&mut self.skipping) {
                    self.row(gather, &row);
                }
                self.open = row;
                self.open.clear();
            } else if self.open.len() > ROW_BYTES_MAX {
                // The quote was none: what follows is taken line by line again.
                self.open.clear();
            } else {
                self.open.push(b'\n');
            }
        }
    }

    pub(super) fn finish(mut self, gather: &mut Gather) {
        if !self.open.is_empty() {
            let row = std::mem::take(&mut self.open);
            self.row(gather, &row);
        }
        gather.keep(self.table);
    }

    fn row(&mut self, gather: &Gather, line: &[u8]) {
        if self.table.takes_next(gather.key) {
            let cells: Vec<Cow<'_, str>> =
                Fields::new(line, self.delimiter).map(|cell| String::from_utf8_lossy(cell)).collect();
            let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
            self.table.row(&cells, gather.key);
            self.keys = None;
        } else if !line.is_empty() {
            let keys = *self.keys.get_or_insert_with(|| Keys::of(&self.table));
            let mut cells: [Option<&[u8]>; Keys::MAX] = [None; Keys::MAX];
            if let Some(last) = keys.last() {
                for (at, field) in Fields::new(line, self.delimiter).enumerate().take(last + 1) {
                    if let Some(cell) = keys.slot(at).and_then(|slot| cells.get_mut(slot)) {
                        *cell = Some(field);
                    }
                }
            }
            self.table
                .count(|at| keys.slot(at).and_then(|slot| cells.get(slot).copied().flatten()), gather.key);
        }
    }
}

/// The columns of a table's keys.
#[derive(Debug, Clone, Copy)]
struct Keys([usize; Keys::MAX], usize);

impl Keys {
    const MAX: usize = 4;

    fn of(table: &Table) -> Self {
        let mut keys = Self([usize::MAX; Self::MAX], 0);
        for key in table.keys() {
            let (first, second) = match key {
                Key::Column(at) => (at, None),
                Key::Pair(first, last) => (first, Some(last)),
            };
            for at in std::iter::once(first).chain(second) {
                if let Some(slot) = keys.0.get_mut(keys.1) {
                    *slot = at;
                    keys.1 += 1;
                }
            }
        }
        keys
    }

    fn last(&self) -> Option<usize> {
        self.0.iter().take(self.1).max().copied()
    }

    fn slot(&self, at: usize) -> Option<usize> {
        self.0.iter().take(self.1).position(|key| *key == at)
    }
}

/// The cells of a row, quotes taken off; doubled quotes inside stay doubled.
struct Fields<'a> {
    rest: Option<&'a [u8]>,
    delimiter: u8,
}

impl<'a> Fields<'a> {
    fn new(row: &'a [u8], delimiter: u8) -> Self {
        Self { rest: Some(row), delimiter }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            let mut from = 0;
            while let Some(at) = memchr::memchr(b'"', quoted.get(from..)?) {
                let end = from + at;
                match quoted.get(end + 1) {
                    Some(b'"') => from = end + 2,
                    Some(next) if *next == self.delimiter => {
                        self.rest = quoted.get(end + 2..);
                        return quoted.get(..end);
                    }
                    Some(_) => from = end + 1,
                    None => {
                        self.rest = None;
                        return quoted.get(..end);
                    }
                }
            }
        }
        match memchr::memchr(self.delimiter, rest) {
            Some(at) => {
                self.rest = rest.get(at + 1..);
                rest.get(..at)
            }
            None => {
                self.rest = None;
                Some(rest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(row: &str) -> Vec<String> {
        Fields::new(row.as_bytes(), b',').map(|f| String::from_utf8_lossy(f).into_owned()).collect()
    }

    #[test]
    fn quotes_hold_cells_together() {
        assert_eq!(fields(r#"a,"b, ""c""",d"#), ["a", r#"b, ""c"""#, "d"]);
        assert_eq!(fields("a,,"), ["a", "", ""]);
        assert_eq!(fields(r#""open, a"#), [r#""open"#, " a"]);
    }

    #[test]
    fn delimiters_are_found_by_agreement() {
        assert_eq!(delimiter(b"a;b;c\n1;2,5;3\n4;5,5;6\n"), Some(b';'));
        assert_eq!(delimiter(b"name\temail\nx\ty\nz\tw\n"), Some(b'\t'));
        assert_eq!(delimiter(b"Dear all,\nthis is prose, as it is written,\nby people.\nRegards\n"), None);
        assert_eq!(delimiter(b"| a | b |\n|---|---|\n| 1 | 2 |\n"), None);
    }
}
