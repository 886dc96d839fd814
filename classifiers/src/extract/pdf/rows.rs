//! Which lines of a page are rows of a table? A page knows only where glyphs stand; columns show as gaps in its lines.

use crate::extract::{Place, Work};

/// Cells from which a line is a row: two are a heading with its page number as often.
const CELLS_MIN: usize = 3;
/// Lines in a row with as many cells, from which they are a table.
const LINES_MIN: usize = 3;

/// Hands the lines of pages on, and joins tables that go on from one page to the next.
#[derive(Debug, Default)]
pub(super) struct Rows {
    tables: u64,
    /// The cells of a row of the last table, and how many rows it had.
    columns: usize,
    rows: u64,
}

impl Rows {
    /// Hands on the lines of a page: rows as rows, all others as text.
    pub(super) fn page(&mut self, page: &Place, text: &str, work: &mut Work<'_>) {
        let lines: Vec<(usize, &str)> =
            text.split('\n').map(|line| (line.split('\t').count(), line)).collect();
        let mut running: Vec<&str> = Vec::new();
        for group in lines.chunk_by(|(one, _), (other, _)| one == other) {
            let cells = group.first().map_or(0, |(cells, _)| *cells);
            if cells >= CELLS_MIN && (group.len() >= LINES_MIN || cells == self.columns) {
                show(&mut running, page, work);
                self.table(cells, group, work);
            } else {
                running.extend(group.iter().map(|(_, line)| *line));
            }
        }
        show(&mut running, page, work);
    }

    fn table(&mut self, cells: usize, lines: &[(usize, &str)], work: &mut Work<'_>) {
        if cells != self.columns {
            self.tables += 1;
            (self.columns, self.rows) = (cells, 0);
        }
        let place = work.place.part(format!("table {}", self.tables));
        for (_, line) in lines {
            self.rows += 1;
            let cells: Vec<&str> = line.split('\t').map(str::trim).collect();
            work.sink.row(&place, self.rows, &cells);
        }
    }
}

/// Hands on lines that are no rows, together, as a value may stand below the word that names it.
fn show(lines: &mut Vec<&str>, page: &Place, work: &mut Work<'_>) {
    if lines.iter().any(|line| !line.trim().is_empty()) {
        work.sink.text(page, &lines.join("\n"));
    }
    lines.clear();
}
