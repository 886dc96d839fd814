//! What does an OpenDocument text, spreadsheet or presentation say?

use super::read_part;
use crate::extract::markup::{Attributes, Token};
use crate::extract::prose::Prose;
use crate::extract::zip::{Archive, Entry};
use crate::extract::{Work, malformed};

/// Times that a repeated cell with a value is written out.
const REPEATED_MAX: u32 = 256;

pub(super) fn extract(archive: &Archive<'_>, work: &mut Work<'_>) {
    if is_encrypted(archive, work) {
        return work.sink.encrypted(work.place, "opendocument");
    }
    let mut found = false;
    for entry in &archive.entries {
        // Objects within the document are documents in folders of their own.
        let name = entry.name.rsplit('/').next().unwrap_or_default();
        if (name == "content.xml" || name == "styles.xml") && entry.encryption.is_none() {
            found |= name == "content.xml";
            content(entry, work);
        }
    }
    if !found {
        work.sink.gap(malformed("the document has no content"));
    }
}

/// The manifest says of each member whether it is encrypted; newer programs encrypt the package as one.
fn is_encrypted(archive: &Archive<'_>, work: &mut Work<'_>) -> bool {
    let mut encrypted = archive.entry("encrypted-package").is_some();
    if let Some(entry) = archive.entry("META-INF/manifest.xml") {
        read_part(entry, work, &mut |token, _| {
            encrypted |= matches!(token, Token::Open { name: "encryption-data", .. });
        });
    }
    encrypted
}

/// The cell that is open.
#[derive(Default)]
struct Cell {
    /// Its value where that says more than the text shown.
    value: Option<String>,
    repeated: u32,
    /// Whether the cell has shown text.
    has_text: bool,
}

/// A part being read.
#[derive(Default)]
struct Content {
    prose: Prose,
    cell: Cell,
    /// Empty cells that matter only if one with a value follows.
    blanks: u32,
    /// Paragraphs that are open: text outside them is white space between tags.
    paragraphs: u32,
    /// Tables that are open.
    tables: u32,
}

fn content(entry: &Entry<'_>, work: &mut Work<'_>) {
    let mut content = Content::default();
    read_part(entry, work, &mut |token, work| match token {
        Token::Open { name, attributes, empty } => content.open(name, attributes, empty, work),
        Token::Close { name } => content.close(name, work),
        Token::Text(text) if content.paragraphs > 0 => content.text(text, work),
        Token::Text(_) => {}
    });
    content.prose.finish(work);
}

impl Content {
    fn open(&mut self, name: &str, attributes: Attributes<'_>, empty: bool, work: &mut Work<'_>) {
        match name {
            "p" | "h" if !empty => self.paragraphs += 1,
            "tab" => self.text("\t", work),
            "s" => self.text(" ", work),
            "line-break" => self.prose.line(work),
            "table" if !empty => {
                self.tables += 1;
                match attributes.get("name") {
                    Some(name) if self.tables == 1 => {
                        self.prose.open_table_at(work.place.part(format!("sheet {name}")));
                    }
                    _ => self.prose.open_table(work),
                }
            }
            "table-row" => {
                self.blanks = 0;
                self.prose.open_row(work);
            }
            "table-cell" | "covered-table-cell" => {
                let repeated =
                    attributes.get("number-columns-repeated").and_then(|n| n.parse().ok()).unwrap_or(1);
                // What is shown of a date depends on the author's country.
                let value = attributes.get("date-value").map(std::borrow::Cow::into_owned);
                if empty && value.is_none() {
                    self.blanks = self.blanks.saturating_add(repeated);
                    return;
                }
                self.begin_cell(Cell { value, repeated, has_text: false }, work);
                if empty {
                    self.end_cell(work);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str, work: &mut Work<'_>) {
        match name {
            "p" | "h" => {
                self.paragraphs = self.paragraphs.saturating_sub(1);
                self.prose.line(work);
            }
            "table" => {
                self.tables = self.tables.saturating_sub(1);
                self.prose.close_table(work);
            }
            "table-row" => self.prose.close_row(work),
            "table-cell" | "covered-table-cell" => self.end_cell(work),
            _ => {}
        }
    }

    fn text(&mut self, text: &str, work: &mut Work<'_>) {
        self.cell.has_text = true;
        if self.cell.value.is_none() {
            self.prose.text(text, work);
        }
    }

    fn begin_cell(&mut self, cell: Cell, work: &mut Work<'_>) {
        for _ in 0..std::mem::take(&mut self.blanks) {
            // An empty cell costs nothing to write; a million of them must cost something to read.
            if work.budget.unpack(1).is_err() || !self.prose.empty_cell() {
                break;
            }
        }
        self.prose.open_cell();
        self.cell = cell;
    }

    fn end_cell(&mut self, work: &mut Work<'_>) {
        let cell = std::mem::take(&mut self.cell);
        if let Some(value) = &cell.value {
            self.prose.text(value, work);
        } else if !cell.has_text {
            self.prose.drop_cell();
            self.blanks = self.blanks.saturating_add(cell.repeated.max(1));
            return;
        }
        self.prose.close_cell();
        for _ in 1..cell.repeated.min(REPEATED_MAX) {
            self.prose.repeat_cell();
        }
    }
}
