//! Is a PDF or an Office document encrypted, as far as its first and last bytes tell?

use memchr::memmem;

use super::Verdict;
use super::cursor::Cursor;

const COMPOUND_FILE: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

/// `/Encrypt` in a trailer or in the dictionary of a cross-reference stream (ISO 32000-2, 7.6). Neither is ever
/// compressed; they stand at the end, or at the start of a linearised file.
pub(super) fn pdf(head: &[u8], tail: &[u8]) -> Option<Verdict> {
    // Readers take a header anywhere in the first kilobyte; one in the middle of a line is a quotation.
    let head_start = head.get(..1024).unwrap_or(head);
    let at = memmem::find(head_start, b"%PDF-")?;
    if at
        .checked_sub(1)
        .and_then(|before| head_start.get(before))
        .is_some_and(|b| !matches!(b, b'\n' | b'\r' | 0))
    {
        return None;
    }
    [tail, head]
        .into_iter()
        .any(names_encryption)
        .then(|| Verdict::certain("pdf", "the trailer names an encryption dictionary"))
}

/// `/Encrypt` with a reference or a dictionary, in the object that is a trailer: it has `/Root` or `/XRef` near it.
fn names_encryption(part: &[u8]) -> bool {
    const KEY: &[u8] = b"/Encrypt";
    memmem::find_iter(part, KEY).take(64).any(|at| {
        let value = part.get(at + KEY.len()..).unwrap_or_default().trim_ascii_start();
        let around = part.get(at.saturating_sub(2048)..part.len().min(at + 2048)).unwrap_or_default();
        let in_trailer = memmem::find(around, b"/Root").is_some() || memmem::find(around, b"/XRef").is_some();
        in_trailer && (value.starts_with(b"<<") || is_reference(value))
    })
}

/// `12 0 R`
fn is_reference(value: &[u8]) -> bool {
    let mut words =
        value.get(..24).unwrap_or(value).split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let number = |word: Option<&[u8]>| word.is_some_and(|word| word.iter().all(u8::is_ascii_digit));
    number(words.next()) && number(words.next()) && words.next().is_some_and(|word| word.starts_with(b"R"))
}

/// A compound file with the streams of encrypted Office documents ([MS-OFFCRYPTO] 2.3), where its directory can be seen.
pub(super) fn compound_file(head: &[u8], tail: &[u8], size: u64) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    bytes.literal(COMPOUND_FILE)?;
    bytes.take(22)?;
    let sector_shift = bytes.u16_le().filter(|shift| matches!(shift, 9 | 12))?;
    bytes.take(16)?;
    let sector_bytes = 1_u64 << sector_shift;
    // The header takes the place of one sector.
    let offset = (u64::from(bytes.u32_le()?) + 1) * sector_bytes;
    let tail_start = size.checked_sub(u64::try_from(tail.len()).ok()?)?;
    let directory = slice(head, offset, sector_bytes)
        .or_else(|| slice(tail, offset.checked_sub(tail_start)?, sector_bytes))?;
    let named = |name: &str| {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        directory.chunks(128).any(|entry| entry.starts_with(&wide))
    };
    (named("EncryptedPackage") || named("EncryptionInfo"))
        .then(|| Verdict::certain("office", "an Office document encrypted as a whole"))
}

fn slice(bytes: &[u8], offset: u64, length: u64) -> Option<&[u8]> {
    let start = usize::try_from(offset).ok()?;
    bytes.get(start..start.checked_add(usize::try_from(length).ok()?)?)
}

/// Word ([MS-DOC] 2.5.2, fEncrypted) and Excel ([MS-XLS] 2.4.117, FilePass) where their stream begins in the first sector
/// after the header, as the programs write it.
pub(super) fn legacy_office(head: &[u8]) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    bytes.literal(COMPOUND_FILE)?;
    let stream = head.get(512..)?;
    let mut bytes = Cursor::new(stream);
    match bytes.u16_le()? {
        0xa5ec => {
            bytes.take(8)?;
            (bytes.u16_le()? & 0x0100 != 0)
                .then(|| Verdict::certain("office_legacy", "a Word document that is encrypted"))
        }
        // BOF, then FilePass before anything that matters.
        0x0809 => {
            let length = usize::from(bytes.u16_le()?);
            bytes.take(length)?;
            for _ in 0..8 {
                let record = bytes.u16_le()?;
                let length = usize::from(bytes.u16_le()?);
                if record == 0x002f {
                    return Some(Verdict::certain("office_legacy", "an Excel workbook that is encrypted"));
                }
                bytes.take(length)?;
            }
            None
        }
        _ => None,
    }
}
