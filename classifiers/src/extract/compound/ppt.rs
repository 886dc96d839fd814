//! What do the slides of a presentation of PowerPoint 97 to 2003 say ([MS-PPT])?

use super::storage::Storage;
use crate::extract::Work;
use crate::extract::fields::{latin, u16_at, u32_at, utf16};
use crate::extract::prose::Prose;

const TEXT_CHARACTERS: u16 = 0x0FA0;
const TEXT_BYTES: u16 = 0x0FA8;
const STRING: u16 = 0x0FBA;
const CRYPT_SESSION: u16 = 0x2F14;

/// The mark of an encrypted file in `Current User`.
const ENCRYPTED: u32 = 0xF3D1_C4DF;

pub(super) fn extract(storage: &Storage<'_>, work: &mut Work<'_>) {
    let user = storage.read("Current User", work.budget).and_then(Result::ok).unwrap_or_default();
    let document = match storage.read("PowerPoint Document", work.budget) {
        Some(Ok(document)) => document,
        Some(Err(gap)) => return work.sink.gap(gap),
        None => return,
    };
    if u32_at(&user, 12) == Some(ENCRYPTED) {
        return work.sink.encrypted(work.place, "powerpoint_rc4");
    }
    let mut prose = Prose::default();
    let mut at = 0;
    while let (Some(version), Some(kind), Some(size)) =
        (u16_at(&document, at), u16_at(&document, at + 2), u32_at(&document, at + 4))
    {
        at += 8;
        if kind == CRYPT_SESSION {
            work.sink.encrypted(work.place, "powerpoint_rc4");
            break;
        }
        // A container's records follow its header: they are read in one flat walk.
        if version & 0xF == 0xF {
            continue;
        }
        let rest = document.get(at..).unwrap_or_default();
        let content = rest.get(..size as usize).unwrap_or(rest);
        let text = match kind {
            TEXT_CHARACTERS | STRING => utf16(content),
            TEXT_BYTES => latin(content),
            _ => String::new(),
        };
        for line in text.split(['\r', '\u{B}']).filter(|line| !line.is_empty()) {
            prose.text(line, work);
            prose.line(work);
        }
        at = at.saturating_add(size as usize);
    }
    prose.finish(work);
}
