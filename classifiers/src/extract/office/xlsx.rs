//! Which rows does an Excel workbook hold?
//!
//! Sheets are read as they are unpacked; only the table of shared strings and one row at a time are held in memory.

mod cells;
mod styles;

use std::collections::HashMap;

use super::{read_part, read_words};
use crate::extract::markup::Token;
use crate::extract::zip::{Archive, Entry};
use crate::extract::{HELD_BYTES_MAX, Work, limit_reached, malformed};
use cells::Row;
pub(in crate::extract) use styles::Styles;

/// What sheets refer to.
struct Workbook {
    strings: Strings,
    styles: Styles,
}

/// The table of strings that cells share: one text, and where each string ends in it.
#[derive(Default)]
struct Strings {
    text: String,
    ends: Vec<u32>,
    cut: bool,
}

impl Strings {
    fn get(&self, index: usize) -> Option<&str> {
        let start = match index.checked_sub(1) {
            Some(before) => *self.ends.get(before)? as usize,
            None => 0,
        };
        self.text.get(start..*self.ends.get(index)? as usize)
    }

    fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<u32>()
    }

    fn read(entry: &Entry<'_>, work: &mut Work<'_>) -> Self {
        let mut strings = Self::default();
        // `t` holds text; within `rPh` it holds how the text is pronounced.
        let (mut words, mut phonetic) = (false, false);
        read_part(entry, work, &mut |token, _| {
            if strings.bytes() > HELD_BYTES_MAX {
                strings.cut = true;
                return;
            }
            match token {
                Token::Open { name: "t", empty, .. } => words = !empty,
                Token::Open { name: "rPh", empty, .. } => phonetic = !empty,
                Token::Open { name: "si", empty: true, .. } | Token::Close { name: "si" } => {
                    strings.ends.push(u32::try_from(strings.text.len()).unwrap_or(u32::MAX));
                }
                Token::Close { name: "t" } => words = false,
                Token::Close { name: "rPh" } => phonetic = false,
                Token::Text(text) if words && !phonetic => strings.text.push_str(text),
                _ => {}
            }
        });
        if strings.cut {
            work.sink
                .gap(limit_reached("the workbook's shared strings are more than what is held in memory"));
        }
        strings
    }
}

pub(super) fn extract(archive: &Archive<'_>, work: &mut Work<'_>) {
    let part = |name: &str| archive.entry(name).filter(|entry| entry.encryption.is_none());
    let strings = part("xl/sharedStrings.xml").map(|entry| Strings::read(entry, work)).unwrap_or_default();
    let styles = part("xl/styles.xml").map(|entry| Styles::read(entry, work)).unwrap_or_default();
    let mut workbook = Workbook { strings, styles };
    let names = sheet_names(archive, &mut workbook, work);
    let mut sheets = 0_u32;
    for entry in &archive.entries {
        if entry.encryption.is_some() {
            continue;
        }
        let Some(part) = entry.name.strip_prefix("xl/") else { continue };
        if part.starts_with("worksheets/") && part.ends_with(".xml") {
            sheets += 1;
            let name = names.get(entry.name.as_ref()).map_or(part, String::as_str);
            let place = work.place.part(format!("sheet {name}"));
            sheet(entry, &workbook, &mut work.at(&place));
        } else if has_words(part) {
            let place = work.place.part(part);
            read_words(entry, &["t", "text"], &["p", "comment", "threadedComment"], &mut work.at(&place));
        } else if part.starts_with("pivotCache/pivotCacheDefinition") && part.ends_with(".xml") {
            let place = work.place.part(part);
            pivot_items(entry, &mut work.at(&place));
        }
    }
    if sheets == 0 {
        work.sink.gap(malformed("the workbook has no sheets"));
    }
}

/// Parts in which people write beside the cells.
fn has_words(part: &str) -> bool {
    const FOLDERS: [&str; 5] =
        ["comments", "threadedComments/", "drawings/drawing", "diagrams/data", "charts/chart"];
    part.ends_with(".xml") && FOLDERS.iter().any(|folder| part.starts_with(folder))
}

/// The sheets' names by their parts: the workbook names relations, and its relations name parts.
fn sheet_names(
    archive: &Archive<'_>,
    workbook: &mut Workbook,
    work: &mut Work<'_>,
) -> HashMap<String, String> {
    let mut by_relation = HashMap::new();
    let styles = &mut workbook.styles;
    if let Some(entry) = archive.entry("xl/workbook.xml") {
        read_part(entry, work, &mut |token, _| match token {
            Token::Open { name: "sheet", attributes, .. } => {
                if let (Some(id), Some(name)) = (attributes.get("id"), attributes.get("name")) {
                    by_relation.insert(id.into_owned(), name.into_owned());
                }
            }
            Token::Open { name: "workbookPr", attributes, .. } => {
                let flag = attributes.get("date1904");
                styles.since_1904 = matches!(flag.as_deref(), Some("1" | "true" | "on"));
            }
            _ => {}
        });
    }
    let mut names = HashMap::new();
    if let Some(entry) = archive.entry("xl/_rels/workbook.xml.rels") {
        read_part(entry, work, &mut |token, _| {
            let Token::Open { name: "Relationship", attributes, .. } = token else { return };
            let (Some(id), Some(target)) = (attributes.get("Id"), attributes.get("Target")) else { return };
            if let Some(name) = by_relation.remove(id.as_ref()) {
                let part = match target.strip_prefix('/') {
                    Some(absolute) => absolute.to_owned(),
                    None => format!("xl/{target}"),
                };
                names.insert(part, name);
            }
        });
    }
    names
}

fn sheet(entry: &Entry<'_>, workbook: &Workbook, work: &mut Work<'_>) {
    let mut row = Row::default();
    read_part(entry, work, &mut |token, work| match token {
        Token::Open { name: "row", attributes, .. } => row.begin(attributes.get("r").as_deref()),
        Token::Open { name: "c", attributes, empty: false } => row.begin_cell(attributes),
        Token::Open { name: "v" | "t", empty, .. } => row.begin_value(!empty),
        Token::Open { name: "rPh", empty: false, .. } => row.begin_value(false),
        Token::Close { name: "v" | "t" } => row.begin_value(false),
        Token::Text(text) => row.text(text),
        Token::Close { name: "c" } => row.end_cell(&workbook.strings, &workbook.styles),
        Token::Close { name: "row" } => row.end(work),
        _ => {}
    });
    if row.unresolved > 0 {
        work.sink.gap(malformed("cells refer to shared strings that the workbook does not have"));
    }
    if row.cut {
        work.sink.gap(limit_reached("a row is longer than what is held in memory"));
    }
}

/// A pivot table keeps the values of the sheet it was made from, which may be gone.
fn pivot_items(entry: &Entry<'_>, work: &mut Work<'_>) {
    let mut number = 0;
    read_part(entry, work, &mut |token, work| {
        if let Token::Open { name: "s", attributes, .. } = token
            && let Some(value) = attributes.get("v")
        {
            number += 1;
            work.sink.row(work.place, number, &[&value]);
        }
    });
}
