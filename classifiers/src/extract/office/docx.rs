//! What does a Word document say?

use super::read_part;
use crate::extract::markup::Token;
use crate::extract::prose::Prose;
use crate::extract::zip::Archive;
use crate::extract::{Work, malformed};

/// Parts with text besides the document itself: what people forget to remove.
const BESIDE: &[&str] = &["header", "footer", "footnotes", "endnotes", "comments"];

pub(super) fn extract(archive: &Archive<'_>, work: &mut Work<'_>) {
    let mut found = false;
    for entry in &archive.entries {
        let Some(part) = entry.name.strip_prefix("word/").and_then(|name| name.strip_suffix(".xml")) else {
            continue;
        };
        let main = part == "document" || part == "document2";
        found |= main;
        let beside = BESIDE.iter().any(|prefix| part.starts_with(prefix));
        if (!main && !beside) || entry.encryption.is_some() {
            continue;
        }
        let place = if main { work.place.clone() } else { work.place.part(part) };
        let mut prose = Prose::default();
        let mut words = false;
        let mut work = work.at(&place);
        read_part(entry, &mut work, &mut |token, work| match token {
            Token::Open { name, empty, .. } => match name {
                // Text, and text deleted under change tracking, which is still in the file.
                "t" | "delText" => words = !empty,
                "tab" => prose.text("\t", work),
                "br" | "cr" => prose.line(work),
                "tbl" if !empty => prose.open_table(work),
                "tr" if !empty => prose.open_row(work),
                "tc" if !empty => prose.open_cell(),
                _ => {}
            },
            Token::Close { name } => match name {
                "t" | "delText" => words = false,
                "p" => prose.line(work),
                "tbl" => prose.close_table(work),
                "tr" => prose.close_row(work),
                "tc" => prose.close_cell(),
                _ => {}
            },
            Token::Text(text) if words => prose.text(text, work),
            Token::Text(_) => {}
        });
        prose.finish(&mut work);
    }
    if !found {
        work.sink.gap(malformed("the Word document has no main part"));
    }
}
