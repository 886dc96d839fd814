//! What does a letter of Word 97 to 2003 say ([MS-DOC])?

use super::storage::Storage;
use crate::extract::fields::{latin, u16_at, u32_at, utf16};
use crate::extract::prose::Prose;
use crate::extract::{Work, malformed, unsupported};

/// Where the description of the text's pieces is named in the header ([MS-DOC] 2.5.6, fcClx).
const PIECES_AT: usize = 0x1A2;

pub(super) fn extract(storage: &Storage<'_>, work: &mut Work<'_>) {
    let document = match storage.read("WordDocument", work.budget) {
        Some(Ok(document)) => document,
        Some(Err(gap)) => return work.sink.gap(gap),
        None => return,
    };
    let flags = u16_at(&document, 0x0A).unwrap_or(0);
    if flags & 0x0100 != 0 {
        let scheme = if flags & 0x8000 != 0 { "word_xor" } else { "word_rc4" };
        return work.sink.encrypted(work.place, scheme);
    }
    // Before Word 97 the text had no pieces and another header.
    if u16_at(&document, 2).unwrap_or(0) < 0xC1 {
        return work.sink.gap(unsupported("letters from before Word 97 are not read"));
    }
    let table = storage.read(if flags & 0x0200 != 0 { "1Table" } else { "0Table" }, work.budget);
    let Some(Ok(table)) = table else {
        return work.sink.gap(malformed("the letter has no table of its text"));
    };
    let mut text = Text::default();
    match pieces(&document, &table) {
        Some(pieces) => {
            for piece in pieces {
                if let Err(gap) = work.budget.unpack(piece.len() as u64) {
                    work.sink.gap(gap);
                    break;
                }
                text.push(&piece, work);
            }
        }
        None => work.sink.gap(malformed("the letter's table of its text is broken")),
    }
    text.paragraph(work);
    text.prose.finish(work);
}

/// The pieces of the text in order: as bytes in Windows' code page or as UTF-16 ([MS-DOC] 2.4.1).
fn pieces<'a>(document: &'a [u8], table: &'a [u8]) -> Option<impl Iterator<Item = String>> {
    let start = u32_at(document, PIECES_AT)? as usize;
    let mut rest = table.get(start..)?;
    // Changes of formatting come before the pieces.
    while let Some(after) = rest.strip_prefix(&[1]) {
        rest = after.get(2 + usize::from(u16_at(after, 0)?)..)?;
    }
    let after = rest.strip_prefix(&[2])?;
    let list = after.get(4..)?.get(..u32_at(after, 0)? as usize)?;
    let count = list.len().checked_sub(4)? / 12;
    let mut total = 0_usize;
    Some((0..count).map_while(move |at| {
        let first = u32_at(list, at * 4)?;
        let characters = u32_at(list, at * 4 + 4)?.checked_sub(first)? as usize;
        let position = u32_at(list, (count + 1) * 4 + at * 8 + 2)?;
        let offset = (position & 0x3FFF_FFFF) as usize;
        // Pieces may share bytes; all together they are no longer than what the budget has.
        total = total.checked_add(characters)?;
        if position & 0x4000_0000 != 0 {
            let rest = document.get(offset / 2..)?;
            Some(latin(rest.get(..characters).unwrap_or(rest)))
        } else {
            let rest = document.get(offset..)?;
            Some(utf16(rest.get(..characters.saturating_mul(2)).unwrap_or(rest)))
        }
    }))
}

/// The text with its marks: paragraphs, cells, fields.
#[derive(Default)]
struct Text {
    prose: Prose,
    /// Within a field, before the text that it shows.
    in_code: bool,
    in_table: bool,
    /// Text since the last mark, of which it is not yet known whether it is a cell.
    pending: String,
    cells: usize,
    /// Cells of the table's first row.
    columns: Option<usize>,
}

impl Text {
    fn push(&mut self, piece: &str, work: &mut Work<'_>) {
        for character in piece.chars() {
            match character {
                '\u{13}' => self.in_code = true,
                '\u{14}' | '\u{15}' => self.in_code = false,
                _ if self.in_code => {}
                '\u{7}' => self.cell(work),
                '\r' | '\u{B}' | '\u{C}' => {
                    self.pending.push('\n');
                    // A row does not begin with a paragraph of its own, as a rule.
                    if !self.in_table || self.cells == 0 || self.pending.len() > 8192 {
                        self.paragraph(work);
                    }
                }
                '\u{1}' | '\u{8}' | '\0' => {}
                _ => self.pending.push(character),
            }
        }
        if self.pending.len() > 64 << 10 {
            self.paragraph(work);
        }
    }

    /// Text that no cell mark followed: the table, if there was one, is over.
    fn paragraph(&mut self, work: &mut Work<'_>) {
        if std::mem::take(&mut self.in_table) {
            self.prose.close_table(work);
            (self.cells, self.columns) = (0, None);
        }
        self.prose.text(&std::mem::take(&mut self.pending), work);
    }

    /// A cell's end; a row's end looks the same, after the row's last cell.
    fn cell(&mut self, work: &mut Work<'_>) {
        if !self.in_table {
            // The last paragraph is the cell; what came before it was running text.
            self.prose.open_table(work);
            self.in_table = true;
        }
        let text = std::mem::take(&mut self.pending);
        let ends_row =
            text.is_empty() && self.cells > 0 && self.columns.is_none_or(|columns| self.cells >= columns);
        if ends_row {
            self.columns.get_or_insert(self.cells);
            self.cells = 0;
            return self.prose.close_row(work);
        }
        self.cells += 1;
        self.prose.open_cell();
        self.prose.text(text.trim_end(), work);
        self.prose.close_cell();
    }
}
