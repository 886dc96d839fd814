//! What do the slides of a PowerPoint presentation say?

use super::read_part;
use crate::extract::markup::Token;
use crate::extract::prose::Prose;
use crate::extract::zip::Archive;
use crate::extract::{Work, malformed};

pub(super) fn extract(archive: &Archive<'_>, work: &mut Work<'_>) {
    let mut slides = 0_u32;
    for entry in &archive.entries {
        let Some(part) = entry.name.strip_prefix("ppt/").and_then(|name| name.strip_suffix(".xml")) else {
            continue;
        };
        let Some((folder, name)) = part.rsplit_once('/') else { continue };
        let beside = matches!(folder, "notesSlides" | "comments" | "diagrams" | "charts")
            || name.starts_with("comment");
        if (folder != "slides" && !beside) || entry.encryption.is_some() {
            continue;
        }
        slides += u32::from(folder == "slides");
        let place = work.place.part(name);
        let mut prose = Prose::default();
        let mut words = false;
        let mut work = work.at(&place);
        read_part(entry, &mut work, &mut |token, work| match token {
            Token::Open { name, empty: false, .. } => match name {
                "t" | "text" => words = true,
                "tbl" => prose.open_table(work),
                "tr" => prose.open_row(work),
                "tc" => prose.open_cell(),
                _ => {}
            },
            Token::Open { name: "br", .. } => prose.line(work),
            Token::Close { name } => match name {
                "t" | "text" => words = false,
                "p" | "cm" => prose.line(work),
                "tbl" => prose.close_table(work),
                "tr" => prose.close_row(work),
                "tc" => prose.close_cell(),
                _ => {}
            },
            Token::Text(text) if words => prose.text(text, work),
            _ => {}
        });
        prose.finish(&mut work);
    }
    if slides == 0 {
        work.sink.gap(malformed("the presentation has no slides"));
    }
}
