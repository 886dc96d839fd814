//! What is in a compound file: a letter, workbook or presentation of the old Office, a mail of Outlook, an encrypted package?

mod doc;
mod msg;
mod ppt;
mod storage;
mod xls;

use super::fields::{latin, u16_at, u32_at};
use super::member::Member;
use super::{Work, unsupported};
use crate::content_type::ContentType;
use storage::Storage;

pub(super) fn extract(bytes: &[u8], work: &mut Work<'_>) -> ContentType {
    let storage = match Storage::open(bytes) {
        Ok(storage) => storage,
        Err(gap) => {
            work.sink.gap(gap);
            return ContentType::Compound;
        }
    };
    if let Some(gap) = storage.gap.clone() {
        work.sink.gap(gap);
    }
    if storage.has("EncryptedPackage") {
        let scheme = package_scheme(&storage, work);
        work.sink.encrypted(work.place, scheme);
        return ContentType::Compound;
    }
    if storage.has("WordDocument") {
        doc::extract(&storage, work);
        objects(&storage, work);
        return ContentType::Doc;
    }
    if storage.has("Workbook") || storage.has("Book") {
        xls::extract(&storage, work);
        objects(&storage, work);
        return ContentType::Xls;
    }
    if storage.has("PowerPoint Document") {
        ppt::extract(&storage, work);
        return ContentType::Ppt;
    }
    if storage.has("__properties_version1.0") {
        msg::extract(&storage, "", work);
        return ContentType::Msg;
    }
    if !objects(&storage, work) {
        work.sink.gap(unsupported("a compound file of a program that is not known"));
    }
    ContentType::Compound
}

/// Which encryption: by the version in front of its description ([MS-OFFCRYPTO] 2.3.4).
fn package_scheme(storage: &Storage<'_>, work: &mut Work<'_>) -> &'static str {
    let info = storage.read("EncryptionInfo", work.budget).and_then(Result::ok).unwrap_or_default();
    match (u16_at(&info, 0), u16_at(&info, 2)) {
        (Some(4), Some(4)) => "office_agile",
        (Some(_), Some(2)) => "office_standard",
        (Some(_), Some(3)) => "office_extensible",
        _ => "office",
    }
}

/// Files that were put into the document; whether there were any.
fn objects(storage: &Storage<'_>, work: &mut Work<'_>) -> bool {
    let mut found = false;
    for path in storage.paths() {
        let name = path.rsplit('/').next().unwrap_or_default();
        let native = name == "\u{1}Ole10Native";
        if !native && !matches!(name, "Package" | "CONTENTS") {
            continue;
        }
        let Some(content) = storage.read(path, work.budget) else { continue };
        match (content, work.budget.entry()) {
            (Ok(content), Ok(())) => {
                let file =
                    if native { native_file(&content) } else { Some((name.to_owned(), content.as_slice())) };
                let Some((name, content)) = file else { continue };
                found = true;
                give(name, content, work);
            }
            (Err(gap), _) | (_, Err(gap)) => {
                work.sink.gap(gap);
                return true;
            }
        }
    }
    found
}

/// A size, flags, a label, a file name, more names, then a size and the file itself ([MS-OLEDS] 2.3.6).
fn native_file(content: &[u8]) -> Option<(String, &[u8])> {
    let mut at = 6;
    let mut text = || {
        let rest = content.get(at..)?;
        let end = memchr::memchr(0, rest)?;
        at += end + 1;
        Some(latin(rest.get(..end)?))
    };
    let label = text()?;
    text()?;
    at += 4;
    let path_bytes = u32_at(content, at)? as usize;
    at = at.checked_add(4)?.checked_add(path_bytes)?;
    let size = u32_at(content, at)? as usize;
    let rest = content.get(at + 4..)?;
    Some((label, rest.get(..size).unwrap_or(rest)))
}

/// One file, as the sink takes it.
fn give(name: String, content: &[u8], work: &mut Work<'_>) {
    let mut member = Member::begin(work.place.part(name), work.sink, work.budget);
    member.push(content, work.sink, work.budget);
    member.end(work.sink, work.budget);
}

#[cfg(test)]
mod tests;
