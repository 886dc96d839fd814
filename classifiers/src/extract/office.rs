//! What do the documents say that are zips of XML: Office Open XML (ECMA-376) and OpenDocument (ISO 26300)?

mod docx;
mod opendocument;
mod pptx;
mod xlsx;

pub(super) use xlsx::Styles;

use super::markup::{Token, Tokenizer};
use super::zip::{Archive, Entry};
use super::{Work, limit_reached, unsupported, zip};
use crate::content_type::ContentType;

/// The kind that the `mimetype` member of an OpenDocument file names; templates are like what they make.
pub(super) fn open_document(media_type: &str) -> Option<ContentType> {
    match media_type.strip_prefix("application/vnd.oasis.opendocument.")?.trim_end_matches("-template") {
        "text" | "text-master" | "text-web" => Some(ContentType::Odt),
        "spreadsheet" => Some(ContentType::Ods),
        "presentation" => Some(ContentType::Odp),
        _ => None,
    }
}

/// Extracts the document; `false` where `kind` is none, so that the archive is one of files.
pub(super) fn extract(kind: ContentType, archive: &Archive<'_>, work: &mut Work<'_>) -> bool {
    match kind {
        ContentType::Docx => docx::extract(archive, work),
        ContentType::Xlsx => xlsx::extract(archive, work),
        ContentType::Pptx => pptx::extract(archive, work),
        ContentType::Odt | ContentType::Ods | ContentType::Odp => opendocument::extract(archive, work),
        ContentType::Xlsb => work.sink.gap(unsupported("binary workbooks (xlsb) are not read")),
        _ => return false,
    }
    embedded(archive, work);
    true
}

/// Files that were put into the document: workbooks, mails, whole other documents.
fn embedded(archive: &Archive<'_>, work: &mut Work<'_>) {
    for entry in &archive.entries {
        let is_embedded = entry.name.contains("/embeddings/") || entry.name.contains("/afchunk");
        if !is_embedded || entry.is_folder() || entry.encryption.is_some() {
            continue;
        }
        if work.budget.entry().is_err() {
            return work.sink.gap(limit_reached("holds more files than one object may"));
        }
        zip::file(entry, work);
    }
}

/// Gives the tokens of one part of the document, as it is unpacked.
fn read_part(entry: &Entry<'_>, work: &mut Work<'_>, on: &mut dyn FnMut(Token<'_>, &mut Work<'_>)) {
    let mut tokenizer = Tokenizer::xml();
    let (place, sink) = (work.place, &mut *work.sink);
    let mut first = true;
    let read = entry.read(work.budget, &mut |piece, budget| {
        // Written by no office program, allowed by the standard.
        if std::mem::take(&mut first) && (piece.starts_with(b"\xFF\xFE") || piece.starts_with(b"\xFE\xFF")) {
            return Err(unsupported("a part of the document is written in UTF-16"));
        }
        let mut part = Work { place, sink: &mut *sink, budget };
        tokenizer.push(piece, &mut |token| on(token, &mut part));
        Ok(())
    });
    tokenizer.finish(&mut |token| on(token, &mut work.at(place)));
    work.settle(read);
}

/// Everything that a part says, for parts of which only the words matter. `text` names the elements that hold words.
fn read_words(entry: &Entry<'_>, words: &[&str], paragraphs: &[&str], work: &mut Work<'_>) {
    let mut prose = super::prose::Prose::default();
    let mut open = false;
    read_part(entry, work, &mut |token, work| match token {
        Token::Open { name, empty: false, .. } if words.contains(&name) => open = true,
        Token::Close { name } if words.contains(&name) => open = false,
        Token::Close { name } if paragraphs.contains(&name) => prose.line(work),
        Token::Text(text) if open => prose.text(text, work),
        _ => {}
    });
    prose.finish(work);
}

#[cfg(test)]
mod tests;
