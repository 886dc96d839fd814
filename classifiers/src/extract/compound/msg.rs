//! What does a mail say that Outlook saved ([MS-OXMSG])?

mod rtf;

use super::storage::Storage;
use crate::extract::fields::{latin, utf16};
use crate::extract::{HELD_BYTES_MAX, Reader, Work, html};

/// Mails within mails.
const NESTED_MAX: usize = 8;

/// Properties that say who wrote what to whom.
const TOLD: &[(&str, &str)] = &[
    ("0C1A", "from"),
    ("5D01", "from-address"),
    ("0C1F", "from-address"),
    ("0E04", "to"),
    ("0E03", "cc"),
    ("0E02", "bcc"),
    ("0037", "subject"),
];

pub(super) fn extract(storage: &Storage<'_>, prefix: &str, work: &mut Work<'_>) {
    let told: Vec<(&str, String)> =
        TOLD.iter().filter_map(|(tag, name)| Some((*name, text(storage, prefix, tag, work)?))).collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
    if !told.is_empty() {
        work.sink.record(work.place, 1, &told);
    }
    body(storage, prefix, work);
    let mut row = 1;
    for folder in folders(storage, prefix) {
        let inside = format!("{prefix}{folder}/");
        if folder.starts_with("__recip_version1.0_") {
            let name = text(storage, &inside, "3001", work).unwrap_or_default();
            let address = text(storage, &inside, "39FE", work)
                .or_else(|| text(storage, &inside, "3003", work))
                .unwrap_or_default();
            row += 1;
            work.sink.record(work.place, row, &[("recipient", &name), ("recipient-address", &address)]);
        } else if folder.starts_with("__attach_version1.0_") {
            attachment(storage, &inside, work);
        }
    }
}

fn body(storage: &Storage<'_>, prefix: &str, work: &mut Work<'_>) {
    let plain = text(storage, prefix, "1000", work);
    if let Some(plain) = &plain {
        work.sink.text(work.place, plain);
    }
    if let Some(page) = binary(storage, prefix, "1013", work) {
        let mut html = html::Html::default();
        html.push(&page, work);
        html.finish(work);
    } else if plain.is_none()
        && let Some(packed) = binary(storage, prefix, "1009", work)
    {
        rtf::extract(&packed, work);
    }
}

fn attachment(storage: &Storage<'_>, prefix: &str, work: &mut Work<'_>) {
    let name = text(storage, prefix, "3707", work).or_else(|| text(storage, prefix, "3704", work));
    let name = name.unwrap_or_else(|| "attachment".to_owned());
    let inner = format!("{prefix}__substg1.0_3701000D/");
    if storage.has(&format!("{inner}__properties_version1.0"))
        && inner.matches("3701000D").count() <= NESTED_MAX
    {
        let place = work.place.part(name);
        return extract(storage, &inner, &mut work.at(&place));
    }
    let Some(content) = binary(storage, prefix, "3701", work) else { return };
    match work.budget.entry() {
        Ok(()) => super::give(name, &content, work),
        Err(gap) => work.sink.gap(gap),
    }
}

/// The folders directly below `prefix`.
fn folders(storage: &Storage<'_>, prefix: &str) -> Vec<String> {
    let below = storage.paths().filter_map(|path| path.strip_prefix(prefix)?.split_once('/'));
    let mut folders: Vec<String> = below.map(|(folder, _)| folder.to_owned()).collect();
    folders.dedup();
    folders
}

/// A property that is text, in UTF-16 or in the code page of the sender.
fn text(storage: &Storage<'_>, prefix: &str, tag: &str, work: &mut Work<'_>) -> Option<String> {
    let wide = value(storage, &format!("{prefix}__substg1.0_{tag}001F"), work).map(|bytes| utf16(&bytes));
    let text = wide.or_else(|| {
        value(storage, &format!("{prefix}__substg1.0_{tag}001E"), work).map(|bytes| latin(&bytes))
    });
    text.filter(|text| !text.is_empty())
}

fn binary(storage: &Storage<'_>, prefix: &str, tag: &str, work: &mut Work<'_>) -> Option<Vec<u8>> {
    value(storage, &format!("{prefix}__substg1.0_{tag}0102"), work)
}

fn value(storage: &Storage<'_>, path: &str, work: &mut Work<'_>) -> Option<Vec<u8>> {
    match storage.read(path, work.budget)? {
        Ok(value) => Some(value).filter(|value| value.len() <= HELD_BYTES_MAX),
        Err(gap) => {
            work.sink.gap(gap);
            None
        }
    }
}
