//! What does a row of a sheet say, when its cells refer to strings, styles and columns?

use super::{Strings, Styles};
use crate::extract::Work;
use crate::extract::markup::Attributes;

/// Columns of a sheet (A to XFD).
const COLUMNS_MAX: usize = 16_384;

/// Bytes of one row that are held.
const ROW_BYTES_MAX: usize = 1 << 20;

/// How a cell's value is to be read.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Kind {
    /// A number, and perhaps a date by its style.
    #[default]
    Number,
    /// An index into the shared strings.
    Shared,
    Boolean,
    /// The text itself.
    Text,
}

/// One row being read.
#[derive(Debug, Default)]
pub(super) struct Row {
    number: u64,
    /// Values of all cells, one after the other.
    text: String,
    /// Column of each cell and where its value ends in `text`.
    cells: Vec<(usize, usize)>,
    column: usize,
    kind: Kind,
    style: usize,
    value: String,
    in_value: bool,
    /// Cells whose shared string does not exist.
    pub(super) unresolved: u64,
    /// Whether a value was too long to hold.
    pub(super) cut: bool,
}

impl Row {
    pub(super) fn begin(&mut self, number: Option<&str>) {
        self.number = number.and_then(|number| number.parse().ok()).unwrap_or(self.number + 1);
        self.text.clear();
        self.cells.clear();
        self.column = 0;
    }

    pub(super) fn begin_cell(&mut self, attributes: Attributes<'_>) {
        self.value.clear();
        self.in_value = false;
        let after_last = self.cells.last().map_or(0, |&(column, _)| column + 1);
        self.column = attributes.get("r").and_then(|reference| column(&reference)).unwrap_or(after_last);
        self.style = attributes.get("s").and_then(|style| style.parse().ok()).unwrap_or(0);
        self.kind = match attributes.get("t").as_deref() {
            Some("s") => Kind::Shared,
            Some("b") => Kind::Boolean,
            Some("str" | "inlineStr" | "e" | "d") => Kind::Text,
            _ => Kind::Number,
        };
    }

    pub(super) fn begin_value(&mut self, is_value: bool) {
        self.in_value = is_value;
    }

    pub(super) fn text(&mut self, text: &str) {
        if !self.in_value {
            return;
        }
        if self.text.len() + self.value.len() + text.len() > ROW_BYTES_MAX {
            self.cut = true;
        } else {
            self.value.push_str(text);
        }
    }

    pub(super) fn end_cell(&mut self, strings: &Strings, styles: &Styles) {
        self.in_value = false;
        match self.kind {
            Kind::Text => self.text.push_str(&self.value),
            Kind::Boolean => self.text.push_str(if self.value.trim() == "1" { "true" } else { "false" }),
            Kind::Number => styles.write(self.value.trim(), self.style, &mut self.text),
            Kind::Shared => match self.value.trim().parse().ok().and_then(|index| strings.get(index)) {
                Some(text) if self.text.len() + text.len() <= ROW_BYTES_MAX => self.text.push_str(text),
                Some(_) => self.cut = true,
                None => self.unresolved += 1,
            },
        }
        // Columns come in order; a sheet that goes back has its cells appended.
        let least = self.cells.last().map_or(0, |&(column, _)| column + 1);
        if self.column.max(least) < COLUMNS_MAX {
            self.cells.push((self.column.max(least), self.text.len()));
        }
        self.value.clear();
    }

    pub(super) fn end(&mut self, work: &mut Work<'_>) {
        let columns = self.cells.last().map_or(0, |&(column, _)| column + 1);
        // A cell in the last column makes thousands of empty ones: they are work, if not bytes.
        if let Err(gap) = work.budget.unpack(columns as u64) {
            return work.sink.gap(gap);
        }
        let mut cells = vec![""; columns];
        let mut start = 0;
        for &(column, end) in &self.cells {
            if let (Some(cell), Some(value)) = (cells.get_mut(column), self.text.get(start..end)) {
                *cell = value;
            }
            start = end;
        }
        if cells.iter().any(|cell| !cell.is_empty()) {
            work.sink.row(work.place, self.number, &cells);
        }
        self.text.clear();
        self.cells.clear();
    }
}

/// The column of a reference such as `AB12`, from 0.
fn column(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic);
    let column = letters
        .take(4)
        .fold(0, |column, letter| column * 26 + usize::from(letter.to_ascii_uppercase() - b'A') + 1);
    column.checked_sub(1).filter(|&column| column < COLUMNS_MAX)
}

#[cfg(test)]
mod tests {
    use super::column;

    #[test]
    fn columns_are_counted_in_letters() {
        assert_eq!(column("A1"), Some(0));
        assert_eq!(column("Z9"), Some(25));
        assert_eq!(column("AA10"), Some(26));
        assert_eq!(column("XFD1048576"), Some(16_383));
        assert_eq!(column("XFE1"), None);
        assert_eq!(column("12"), None);
    }
}
