//! Does a Parquet file say that it is encrypted?
//!
//! Parquet modular encryption: `PARE` at both ends where the footer is encrypted too; otherwise the footer is plain and its
//! field 8, `encryption_algorithm`, says so. The footer is Thrift in the compact protocol, walked here without being built.

use super::Verdict;
use super::cursor::Cursor;

/// Structures within structures of a footer; real ones have four.
const DEPTH_MAX: u32 = 16;
/// `FileMetaData.encryption_algorithm`
const ENCRYPTION_ALGORITHM: i64 = 8;

pub(super) fn recognise(head: &[u8], tail: &[u8]) -> Option<Verdict> {
    if head.starts_with(b"PARE") && tail.ends_with(b"PARE") {
        return Some(Verdict::certain("parquet", "a Parquet file with an encrypted footer"));
    }
    if !head.starts_with(b"PAR1") {
        return None;
    }
    let (rest, length) = tail.strip_suffix(b"PAR1")?.split_last_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let footer = rest.get(rest.len().checked_sub(length)?..)?;
    names_algorithm(&mut Cursor::new(footer)).then(|| {
        Verdict::certain("parquet", "a Parquet file whose columns are encrypted under a plain footer")
    })
}

/// Whether the outermost structure has the field.
fn names_algorithm(bytes: &mut Cursor<'_>) -> bool {
    let mut id = 0;
    while let Some((field, kind)) = field(bytes, id) {
        if field == ENCRYPTION_ALGORITHM {
            return kind == 12;
        }
        if skip(bytes, kind, DEPTH_MAX).is_none() {
            return false;
        }
        id = field;
    }
    false
}

/// The next field's id and type; `None` at the end of the structure.
fn field(bytes: &mut Cursor<'_>, previous: i64) -> Option<(i64, u8)> {
    let header = bytes.u8().filter(|&header| header != 0)?;
    let id = match header >> 4 {
        0 => {
            let coded = varint(bytes)?;
            (coded >> 1).cast_signed() ^ -(coded & 1).cast_signed()
        }
        delta => previous.checked_add(i64::from(delta))?,
    };
    Some((id, header & 0x0f))
}

/// Passes over one value of a compact type.
fn skip(bytes: &mut Cursor<'_>, kind: u8, depth: u32) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    match kind {
        // True and false are their type.
        1 | 2 => {}
        3 => drop(bytes.u8()?),
        4..=6 => drop(varint(bytes)?),
        7 => drop(bytes.take(8)?),
        8 => {
            let length = usize::try_from(varint(bytes)?).ok()?;
            bytes.take(length)?;
        }
        9 | 10 => {
            let header = bytes.u8()?;
            let count = if header >> 4 == 15 { varint(bytes)? } else { u64::from(header >> 4) };
            for _ in 0..count {
                // Booleans in lists do take a byte.
                skip(bytes, if matches!(header & 0x0f, 1 | 2) { 3 } else { header & 0x0f }, depth)?;
            }
        }
        12 => {
            let mut id = 0;
            while let Some((next, kind)) = field(bytes, id) {
                skip(bytes, kind, depth)?;
                id = next;
            }
        }
        _ => return None,
    }
    Some(())
}

fn varint(bytes: &mut Cursor<'_>) -> Option<u64> {
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
