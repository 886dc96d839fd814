//! Does an archive say, at its start or its end, that what is inside is encrypted?

use memchr::memmem;

use super::Verdict;
use super::cursor::Cursor;

/// Entries or blocks walked in the head at most.
const ENTRIES_MAX: usize = 256;
/// Compression method of WinZip AES (WinZip, "AES encryption information").
const METHOD_AES: u16 = 99;

/// Walks ZIP local headers as far as the head reaches (APPNOTE 4.3.7, 4.4.4: flag bit 0 encrypted, 6 strong encryption).
pub(super) fn zip(head: &[u8]) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    for _ in 0..ENTRIES_MAX {
        bytes.literal(b"PK\x03\x04")?;
        let version = bytes.u16_le()?;
        let flags = bytes.u16_le()?;
        let method = bytes.u16_le()?;
        bytes.take(8)?;
        let packed_bytes = bytes.u32_le()?;
        bytes.u32_le()?;
        let name_bytes = usize::from(bytes.u16_le()?);
        let extra_bytes = usize::from(bytes.u16_le()?);
        if version & 0xff > 63 || name_bytes == 0 {
            return None;
        }
        bytes.take(name_bytes)?;
        bytes.take(extra_bytes)?;
        if flags & 1 != 0 {
            return Some(if method == METHOD_AES {
                Verdict::certain("zip_aes", "entries of the archive are encrypted with AES")
            } else if flags & 0x40 != 0 {
                Verdict::certain("zip_strong", "entries of the archive are encrypted (strong encryption)")
            } else {
                Verdict::certain("zip_crypto", "entries of the archive are encrypted (traditional, weak)")
            });
        }
        if flags & 8 != 0 && packed_bytes == 0 {
            // Its length follows its data: only the central directory knows.
            return None;
        }
        bytes.take(usize::try_from(packed_bytes).ok()?)?;
    }
    None
}

/// RAR 4 (main header flag 0x80, file header flag 0x04) and RAR 5 (header type 4, or extra record 1 of a file).
pub(super) fn rar(head: &[u8]) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    bytes.literal(b"Rar!\x1a\x07")?;
    match bytes.u8()? {
        0 => rar4(bytes),
        1 => {
            bytes.literal(&[0])?;
            rar5(bytes)
        }
        _ => None,
    }
}

fn rar4(mut bytes: Cursor<'_>) -> Option<Verdict> {
    for _ in 0..ENTRIES_MAX {
        let block = bytes;
        bytes.u16_le()?;
        let kind = bytes.u8()?;
        let flags = bytes.u16_le()?;
        let header_bytes = usize::from(bytes.u16_le()?);
        match kind {
            0x73 if flags & 0x80 != 0 => {
                return Some(Verdict::certain("rar4", "the archive and its list of files are encrypted"));
            }
            0x74 if flags & 0x04 != 0 => {
                return Some(Verdict::certain("rar4", "entries of the archive are encrypted"));
            }
            0x72..=0x7b => {}
            _ => return None,
        }
        // Blocks with flag 0x8000, and files always, carry data after their header.
        let data_bytes = if flags & 0x8000 != 0 || kind == 0x74 { bytes.u32_le()? } else { 0 };
        bytes = block;
        bytes.take(header_bytes.max(7))?;
        bytes.take(usize::try_from(data_bytes).ok()?)?;
    }
    None
}

fn rar5(mut bytes: Cursor<'_>) -> Option<Verdict> {
    for _ in 0..ENTRIES_MAX {
        bytes.take(4)?;
        let header_bytes = usize::try_from(vint(&mut bytes)?).ok()?;
        let mut header = Cursor::new(bytes.take(header_bytes.min(2 << 20))?);
        let kind = vint(&mut header)?;
        let flags = vint(&mut header)?;
        if kind == 4 {
            return Some(Verdict::certain("rar5", "the archive and its list of files are encrypted"));
        }
        let extra_bytes = if flags & 1 != 0 { usize::try_from(vint(&mut header)?).ok()? } else { 0 };
        let data_bytes = if flags & 2 != 0 { vint(&mut header)? } else { 0 };
        if kind == 2 && rar5_encryption_record(header.rest(), extra_bytes) {
            return Some(Verdict::certain("rar5", "entries of the archive are encrypted"));
        }
        bytes.take(usize::try_from(data_bytes).ok()?)?;
    }
    None
}

/// The extra area is the last `extra_bytes` of a header: records of size, type, data. Type 1 is file encryption.
fn rar5_encryption_record(header: &[u8], extra_bytes: usize) -> bool {
    let Some(start) = header.len().checked_sub(extra_bytes) else { return false };
    let mut extra = Cursor::new(header.get(start..).unwrap_or_default());
    while let Some(record_bytes) = vint(&mut extra).and_then(|bytes| usize::try_from(bytes).ok()) {
        let Some(record) = extra.take(record_bytes) else { return false };
        if vint(&mut Cursor::new(record)) == Some(1) {
            return true;
        }
    }
    false
}

/// RAR 5's integers: seven bits a byte, least significant first.
fn vint(bytes: &mut Cursor<'_>) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = bytes.u8()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// 7z: the coder `06 F1 07 01` (AES-256 + SHA-256) in the header that stands at the end, plain or describing how the
/// packed header is coded. A packed header that is not encrypted hides its coders; the archive's extractor sees them.
pub(super) fn seven_zip(head: &[u8], tail: &[u8], size: u64) -> Option<Verdict> {
    let mut bytes = Cursor::new(head);
    bytes.literal(b"7z\xbc\xaf\x27\x1c")?;
    bytes.take(6)?;
    let offset = bytes.u64_le()?.checked_add(32)?;
    let header_bytes = bytes.u64_le()?;
    let tail_start = size.checked_sub(u64::try_from(tail.len()).ok()?)?;
    let start = usize::try_from(offset.checked_sub(tail_start)?).ok()?;
    let header = tail.get(start..start.checked_add(usize::try_from(header_bytes).ok()?)?)?;
    // The identifier, with the byte before it that gives its length (4) and attributes.
    let at = memmem::find(header, &[0x06, 0xf1, 0x07, 0x01])?;
    let flags = header.get(at.checked_sub(1)?)?;
    (flags & 0x0f == 4).then(|| Verdict::certain("7z", "the archive is encrypted with AES-256"))
}
