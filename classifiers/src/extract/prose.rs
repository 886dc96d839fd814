//! How do paragraphs and tables of a document reach the sink, whatever format they were written in?

use super::{Place, Work};

/// Text that is gathered before it is handed on.
const TEXT_BYTES: usize = 16 << 10;

/// Bytes of one row; what a row holds beyond them is handed on as running text.
const ROW_BYTES_MAX: usize = 256 << 10;

/// Cells of one row, as many as a spreadsheet has columns.
const CELLS_MAX: usize = 16_384;

/// Tables within tables that are told apart; deeper ones are read as part of the cell they stand in.
const NESTED_MAX: usize = 8;

/// A table that is open.
#[derive(Debug)]
struct Table {
    place: Place,
    rows: u64,
    /// The text of all cells of the row, and where in it each ends.
    text: String,
    ends: Vec<usize>,
    in_row: bool,
    in_cell: bool,
}

/// A document's running text and tables, on their way to the sink.
#[derive(Debug, Default)]
pub(super) struct Prose {
    text: String,
    tables: Vec<Table>,
    tables_seen: u64,
    /// Tables that were opened beyond [`NESTED_MAX`].
    too_deep: usize,
}

impl Prose {
    /// Adds text to the cell or paragraph that is open.
    pub(super) fn text(&mut self, text: &str, work: &mut Work<'_>) {
        if let Some(table) = self.tables.last_mut().filter(|table| table.in_cell)
            && table.text.len() + text.len() <= ROW_BYTES_MAX
        {
            return table.text.push_str(text);
        }
        self.text.push_str(text);
        // A document of one endless line must not gather in memory.
        if self.text.len() >= 2 * TEXT_BYTES {
            self.flush(work);
        }
    }

    /// Adds HTML's kind of text, in which any run of white space is one blank.
    pub(super) fn flowing_text(&mut self, text: &str, work: &mut Work<'_>) {
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| !c.is_ascii_whitespace()) {
            if start > 0 && !self.ends_blank() {
                self.text(" ", work);
            }
            let word = rest.get(start..).unwrap_or_default();
            let end = word.find(|c: char| c.is_ascii_whitespace()).unwrap_or(word.len());
            self.text(word.get(..end).unwrap_or_default(), work);
            rest = word.get(end..).unwrap_or_default();
        }
        if !rest.is_empty() && !self.ends_blank() {
            self.text(" ", work);
        }
    }

    fn ends_blank(&self) -> bool {
        let open = match self.tables.last().filter(|table| table.in_cell) {
            Some(table) => table.text.get(table.ends.last().copied().unwrap_or(0)..).unwrap_or_default(),
            None => &self.text,
        };
        open.is_empty() || open.ends_with([' ', '\n'])
    }

    /// Ends a line: a paragraph's end, or a break in it.
    pub(super) fn line(&mut self, work: &mut Work<'_>) {
        if self.tables.last().is_some_and(|table| table.in_cell) {
            // Lines within a cell stay one value.
            if !self.ends_blank() {
                self.text(" ", work);
            }
            return;
        }
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        if self.text.len() >= TEXT_BYTES {
            self.flush(work);
        }
    }

    pub(super) fn open_table(&mut self, work: &mut Work<'_>) {
        if self.tables.len() >= NESTED_MAX {
            self.too_deep += 1;
            return;
        }
        self.tables_seen += 1;
        let place = work.place.part(format!("table {}", self.tables_seen));
        self.open_table_at(place);
    }

    pub(super) fn open_table_at(&mut self, place: Place) {
        self.tables.push(Table {
            place,
            rows: 0,
            text: String::new(),
            ends: Vec::new(),
            in_row: false,
            in_cell: false,
        });
    }

    pub(super) fn open_row(&mut self, work: &mut Work<'_>) {
        if self.too_deep == 0 {
            self.close_row(work);
            if let Some(table) = self.tables.last_mut() {
                table.in_row = true;
            }
        }
    }

    pub(super) fn open_cell(&mut self) {
        if self.too_deep == 0 {
            self.close_cell();
            if let Some(table) = self.tables.last_mut() {
                table.in_row = true;
                table.in_cell = true;
            }
        }
    }

    /// Opens a cell unless text would already go into one.
    pub(super) fn open_cell_if_none(&mut self) {
        if self.tables.last().is_some_and(|table| !table.in_cell) {
            self.open_cell();
        }
    }

    pub(super) fn close_cell(&mut self) {
        let Some(table) = self.tables.last_mut().filter(|table| table.in_cell && self.too_deep == 0) else {
            return;
        };
        table.in_cell = false;
        let start = table.ends.last().copied().unwrap_or(0);
        let cell = table.text.get(start..).unwrap_or_default();
        let length = cell.trim_end().len();
        table.text.truncate(start + length);
        if table.ends.len() < CELLS_MAX {
            table.ends.push(table.text.len());
        }
    }

    /// Adds a cell without text; `false` where the row is full.
    pub(super) fn empty_cell(&mut self) -> bool {
        self.open_cell();
        self.close_cell();
        self.tables.last().is_some_and(|table| table.ends.len() < CELLS_MAX)
    }

    /// Takes back the opening of a cell that turned out to be empty.
    pub(super) fn drop_cell(&mut self) {
        if let Some(table) = self.tables.last_mut().filter(|_| self.too_deep == 0) {
            table.in_cell = false;
            table.text.truncate(table.ends.last().copied().unwrap_or(0));
        }
    }

    /// Adds the last cell again.
    pub(super) fn repeat_cell(&mut self) {
        let Some(table) = self.tables.last_mut().filter(|_| self.too_deep == 0) else { return };
        let end = table.ends.last().copied().unwrap_or(0);
        let start = table.ends.iter().rev().nth(1).copied().unwrap_or(0);
        if table.ends.len() < CELLS_MAX && table.text.len() + end - start <= ROW_BYTES_MAX {
            table.text.extend_from_within(start..end);
            table.ends.push(table.text.len());
        }
    }

    pub(super) fn close_row(&mut self, work: &mut Work<'_>) {
        self.close_cell();
        let Some(table) = self.tables.last_mut().filter(|table| table.in_row && self.too_deep == 0) else {
            return;
        };
        table.in_row = false;
        table.rows += 1;
        let mut start = 0;
        let cells: Vec<&str> = table
            .ends
            .iter()
            .map(|&end| {
                let cell = table.text.get(start..end).unwrap_or_default();
                start = end;
                cell
            })
            .collect();
        if cells.iter().any(|cell| !cell.is_empty()) {
            work.sink.row(&table.place, table.rows, &cells);
        }
        table.ends.clear();
        table.text.clear();
    }

    pub(super) fn close_table(&mut self, work: &mut Work<'_>) {
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return;
        }
        self.close_row(work);
        self.tables.pop();
    }

    /// Hands on what was gathered of the running text.
    pub(super) fn flush(&mut self, work: &mut Work<'_>) {
        if !self.text.trim().is_empty() {
            work.sink.text(work.place, &self.text);
        }
        self.text.clear();
    }

    /// Ends the document, with whatever it left open.
    pub(super) fn finish(&mut self, work: &mut Work<'_>) {
        self.too_deep = 0;
        while !self.tables.is_empty() {
            self.close_table(work);
        }
        self.flush(work);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::tests::{Seen, see};

    fn prose(write: impl FnOnce(&mut Prose, &mut Work<'_>)) -> Seen {
        see(|work| {
            let mut prose = Prose::default();
            write(&mut prose, work);
            prose.finish(work);
        })
    }

    #[test]
    fn text_stays_text_and_tables_become_rows() {
        let seen = prose(|prose, work| {
            prose.text("Staff", work);
            prose.line(work);
            prose.open_table(work);
            for row in [["Name", "Title"], ["Ada Marsh", "Engineer"]] {
                prose.open_row(work);
                for cell in row {
                    prose.open_cell();
                    prose.text(cell, work);
                    prose.line(work);
                    prose.close_cell();
                }
                prose.close_row(work);
            }
            prose.close_table(work);
            prose.text("end", work);
        });
        assert_eq!(seen.text, "Staff\nend");
        assert_eq!(seen.rows, ["table 1#1: Name|Title", "table 1#2: Ada Marsh|Engineer"]);
    }

    #[test]
    fn a_table_in_a_cell_has_rows_of_its_own() {
        let seen = prose(|prose, work| {
            prose.open_table(work);
            prose.open_cell();
            prose.text("outer", work);
            prose.open_table(work);
            prose.open_cell();
            prose.text("inner", work);
            prose.close_table(work);
            prose.close_table(work);
        });
        assert_eq!(seen.rows, ["table 2#1: inner", "table 1#1: outer"]);
    }

    #[test]
    fn white_space_flows_together() {
        let seen = prose(|prose, work| {
            prose.flowing_text("  a \n\t b", work);
            prose.flowing_text(" c", work);
        });
        assert_eq!(seen.text, "a b c");
    }

    #[test]
    fn tables_nested_too_deep_lose_no_text() {
        let seen = prose(|prose, work| {
            for _ in 0..100 {
                prose.open_table(work);
                prose.open_cell();
            }
            prose.text("deep", work);
            for _ in 0..100 {
                prose.close_table(work);
            }
            prose.text("after", work);
        });
        assert!(seen.rows.iter().any(|row| row.ends_with("deep")), "{:?}", seen.rows);
        assert_eq!(seen.text, "after");
    }
}
