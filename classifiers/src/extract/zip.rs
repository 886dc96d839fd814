//! What is in a zip, and is it an archive of files or a document that is kept as one?
//!
//! The directory is read by us rather than by a crate because the questions asked of hostile archives (do entries share bytes,
//! how many are there, what is encrypted and how) are about its fields, and because entries are unpacked in pieces.

mod directory;

pub(super) use directory::{Archive, Entry};

use super::member::Member;
use super::{Work, office};
use crate::content_type::ContentType;

pub(super) fn extract(bytes: &[u8], work: &mut Work<'_>) -> ContentType {
    let archive = Archive::open(bytes, work.budget);
    for gap in archive.gaps.iter().cloned() {
        work.sink.gap(gap);
    }
    let mut schemes: Vec<&'static str> =
        archive.entries.iter().filter_map(|entry| entry.encryption).collect();
    schemes.sort_unstable();
    schemes.dedup();
    for scheme in schemes {
        work.sink.encrypted(work.place, scheme);
    }
    let kind = kind(&archive, work);
    if !office::extract(kind, &archive, work) {
        files(&archive, work);
    }
    kind
}

/// The kind of document by the names that its format prescribes.
fn kind(archive: &Archive<'_>, work: &mut Work<'_>) -> ContentType {
    let has = |name: &str| archive.entry(name).is_some();
    let begins = |prefix: &str| archive.entries.iter().any(|entry| entry.name.starts_with(prefix));
    if has("[Content_Types].xml") || has("_rels/.rels") {
        if has("xl/workbook.bin") {
            return ContentType::Xlsb;
        }
        for (folder, kind) in
            [("word/", ContentType::Docx), ("xl/", ContentType::Xlsx), ("ppt/", ContentType::Pptx)]
        {
            if begins(folder) {
                return kind;
            }
        }
    }
    if let Some(entry) = archive.entry("mimetype") {
        let mut media_type = Vec::new();
        // A part that cannot be read is reported when the files are.
        let read = entry.read(work.budget, &mut |piece, _| {
            media_type.extend_from_slice(piece.get(..piece.len().min(128)).unwrap_or_default());
            Ok(())
        });
        let media_type = String::from_utf8_lossy(&media_type);
        if let (Ok(()), Some(kind)) = (read, office::open_document(media_type.trim())) {
            return kind;
        }
    }
    if has("META-INF/MANIFEST.MF") { ContentType::Jar } else { ContentType::Zip }
}

/// Every file of an archive, as the sink takes them.
fn files(archive: &Archive<'_>, work: &mut Work<'_>) {
    for entry in &archive.entries {
        if entry.is_folder() || entry.encryption.is_some() {
            continue;
        }
        if let Err(gap) = work.budget.entry() {
            return work.sink.gap(gap);
        }
        file(entry, work);
    }
}

/// One file of an archive.
pub(super) fn file(entry: &Entry<'_>, work: &mut Work<'_>) {
    let place = work.place.part(entry.name.as_ref());
    let mut member = Member::begin(place, work.sink, work.budget);
    let sink = &mut *work.sink;
    let read = entry.read(work.budget, &mut |piece, budget| {
        member.push(piece, sink, budget);
        Ok(())
    });
    member.end(work.sink, work.budget);
    work.settle(read);
}

#[cfg(test)]
pub(super) mod tests;
