//! Which rows does a workbook of Excel 5 to 2003 hold ([MS-XLS])?

mod strings;

use std::collections::HashMap;

use super::storage::Storage;
use crate::extract::fields::{u16_at, u32_at, u64_at};
use crate::extract::office::Styles;
use crate::extract::{Place, Work, malformed};
use strings::{Strings, text};

const BOUND_SHEET: u16 = 0x85;
const CONTINUE: u16 = 0x3C;
const DATE_MODE: u16 = 0x22;
const FILE_PASS: u16 = 0x2F;
const FORMAT: u16 = 0x41E;
const SHARED_STRINGS: u16 = 0xFC;
const STYLE: u16 = 0xE0;
const BEGIN: u16 = 0x809;
const END: u16 = 0x0A;

/// Columns of a sheet.
const COLUMNS_MAX: usize = 256;

/// One record: its kind and its bytes.
type Record<'a> = (u16, &'a [u8]);

pub(super) fn extract(storage: &Storage<'_>, work: &mut Work<'_>) {
    let name = if storage.has("Workbook") { "Workbook" } else { "Book" };
    let stream = match storage.read(name, work.budget) {
        Some(Ok(stream)) => stream,
        Some(Err(gap)) => return work.sink.gap(gap),
        None => return,
    };
    let mut workbook = Workbook::default();
    if !workbook.globals(&stream, work) {
        return;
    }
    if workbook.sheets.is_empty() {
        return work.sink.gap(malformed("the workbook has no sheets"));
    }
    for (at, name) in std::mem::take(&mut workbook.sheets) {
        let place = work.place.part(format!("sheet {name}"));
        workbook.sheet(stream.get(at..).unwrap_or_default(), &place, work);
    }
    if workbook.unresolved > 0 {
        work.sink.gap(malformed("cells refer to shared strings that the workbook does not have"));
    }
}

/// Records one after the other, each with a kind, a size and that many bytes.
fn records(mut stream: &[u8]) -> impl Iterator<Item = Record<'_>> {
    std::iter::from_fn(move || {
        let (kind, size) = (u16_at(stream, 0)?, usize::from(u16_at(stream, 2)?));
        let (content, rest) = stream.get(4..)?.split_at_checked(size)?;
        stream = rest;
        Some((kind, content))
    })
}

#[derive(Default)]
struct Workbook {
    /// Where each sheet starts in the stream, and its name.
    sheets: Vec<(usize, String)>,
    strings: Strings,
    styles: Styles,
    /// Strings are of bytes, as before Excel 97.
    is_old: bool,
    unresolved: u64,
}

impl Workbook {
    /// Reads what all sheets share; `false` where the rest is encrypted.
    fn globals(&mut self, stream: &[u8], work: &mut Work<'_>) -> bool {
        let mut formats = HashMap::new();
        let mut styles: Vec<u32> = Vec::new();
        let mut records = records(stream).peekable();
        while let Some((kind, content)) = records.next() {
            match kind {
                BEGIN => self.is_old = u16_at(content, 0).unwrap_or(0) < 0x600,
                FILE_PASS => {
                    let scheme = if u16_at(content, 0) == Some(0) { "excel_xor" } else { "excel_rc4" };
                    work.sink.encrypted(work.place, scheme);
                    return false;
                }
                BOUND_SHEET => {
                    if let (Some(at), Some(name)) = (u32_at(content, 0), content.get(6..)) {
                        let name = text(name, 1, self.is_old).unwrap_or_default();
                        // One sheet takes at least a few bytes of the stream.
                        if self.sheets.len() < 4096
                            && !self.sheets.iter().any(|(known, _)| *known == at as usize)
                        {
                            self.sheets.push((at as usize, name));
                        }
                    }
                }
                DATE_MODE => self.styles.since_1904 = u16_at(content, 0) == Some(1),
                FORMAT => {
                    if let (Some(id), Some(code)) = (u16_at(content, 0), content.get(2..)) {
                        formats.insert(
                            u32::from(id),
                            text(code, if self.is_old { 1 } else { 2 }, self.is_old).unwrap_or_default(),
                        );
                    }
                }
                STYLE => styles.push(u16_at(content, 2).unwrap_or(0).into()),
                SHARED_STRINGS => {
                    let mut parts = vec![content];
                    while let Some((_, more)) = records.next_if(|(kind, _)| *kind == CONTINUE) {
                        parts.push(more);
                    }
                    self.strings = Strings::read(&parts, work);
                }
                END => break,
                _ => {}
            }
        }
        self.styles.set(&styles, &formats);
        true
    }

    fn sheet(&mut self, stream: &[u8], place: &Place, work: &mut Work<'_>) {
        let mut row = Row { number: 0, cells: Vec::new() };
        let mut depth = 0_u32;
        let mut formula: Option<(u16, u16)> = None;
        for (kind, content) in records(stream) {
            if let Err(gap) = work.budget.unpack(content.len() as u64) {
                return work.sink.gap(gap);
            }
            match kind {
                BEGIN => depth += 1,
                // A chart within a sheet begins and ends in between.
                END => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
            let (Some(number), Some(column)) = (u16_at(content, 0), u16_at(content, 2)) else { continue };
            let mut cell = |column: u16, value: String| row.cell(number, column, value, place, work);
            let style = usize::from(u16_at(content, 4).unwrap_or(0));
            match kind {
                // Text in the cell, by index or as it is.
                0xFD => match u32_at(content, 6).and_then(|index| self.strings.get(index as usize)) {
                    Some(text) => cell(column, text.to_owned()),
                    None => self.unresolved += 1,
                },
                0x204 | 0xD6 => {
                    cell(column, content.get(6..).and_then(|t| text(t, 2, self.is_old)).unwrap_or_default())
                }
                0x203 => cell(column, self.number(u64_at(content, 6), style)),
                0x27E => cell(column, self.small_number(u32_at(content, 6), style)),
                0xBD => {
                    for (at, pair) in
                        content.get(4..).unwrap_or_default().chunks_exact(6).enumerate().take(COLUMNS_MAX)
                    {
                        let style = usize::from(u16_at(pair, 0).unwrap_or(0));
                        cell(column.saturating_add(at as u16), self.small_number(u32_at(pair, 2), style));
                    }
                }
                0x06 => {
                    // The result: a number, or by its last bytes a text that follows in a record of its own.
                    if content.get(12..14) == Some(&[0xFF, 0xFF]) {
                        formula = (content.get(6) == Some(&0)).then_some((number, column));
                    } else {
                        cell(column, self.number(u64_at(content, 6), style));
                    }
                }
                0x207 => {
                    if let (Some((number, column)), Some(text)) =
                        (formula.take(), text(content, 2, self.is_old))
                    {
                        row.cell(number, column, text, place, work);
                    }
                }
                _ => {}
            }
        }
        row.end(place, work);
    }

    fn number(&self, bits: Option<u64>, style: usize) -> String {
        let mut written = String::new();
        if let Some(number) = bits.map(f64::from_bits).filter(|number| number.is_finite()) {
            self.styles.write(&number.to_string(), style, &mut written);
        }
        written
    }

    /// A number in 32 bits ([MS-XLS] 2.5.217): whole or the upper half of a float, perhaps in hundredths.
    fn small_number(&self, bits: Option<u32>, style: usize) -> String {
        let Some(bits) = bits else { return String::new() };
        let whole = bits & 2 != 0;
        let value = if whole {
            f64::from(bits.cast_signed() >> 2)
        } else {
            f64::from_bits(u64::from(bits & !3) << 32)
        };
        let value = if bits & 1 != 0 { value / 100.0 } else { value };
        self.number(Some(value.to_bits()), style)
    }
}

/// The row whose cells are coming.
struct Row {
    number: u16,
    cells: Vec<(usize, String)>,
}

impl Row {
    fn cell(&mut self, number: u16, column: u16, value: String, place: &Place, work: &mut Work<'_>) {
        if number != self.number {
            self.end(place, work);
            self.number = number;
        }
        if usize::from(column) < COLUMNS_MAX && self.cells.len() < COLUMNS_MAX {
            self.cells.push((usize::from(column), value));
        }
    }

    fn end(&mut self, place: &Place, work: &mut Work<'_>) {
        let columns = self.cells.iter().map(|(column, _)| column + 1).max().unwrap_or(0);
        let mut cells = vec![""; columns];
        for (column, value) in &self.cells {
            if let Some(cell) = cells.get_mut(*column) {
                *cell = value;
            }
        }
        if cells.iter().any(|cell| !cell.is_empty()) {
            work.sink.row(place, u64::from(self.number) + 1, &cells);
        }
        self.cells.clear();
    }
}
