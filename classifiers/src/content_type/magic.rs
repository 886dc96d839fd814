//! Which kinds of content announce themselves in their first bytes?

use super::ContentType as T;

/// Signatures at the front that no text begins with, or that are long enough to be no accident.
const AT_FRONT: &[(&[u8], T)] = &[
    (b"PK\x03\x04", T::Zip),
    (b"PK\x05\x06", T::Zip),
    (b"PK\x07\x08", T::Zip),
    (b"PK00PK\x03\x04", T::Zip),
    (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", T::Compound),
    (b"%PDF-", T::Pdf),
    (b"PAR1", T::Parquet),
    (b"PARE", T::Parquet),
    (b"Obj\x01", T::Avro),
    (b"SQLite format 3\0", T::Sqlite),
    (b"7z\xBC\xAF\x27\x1C", T::SevenZip),
    (b"Rar!\x1A\x07", T::Rar),
    (b"\x1F\x8B\x08", T::Gzip),
    (b"\xFD7zXZ\0", T::Xz),
    (b"\x28\xB5\x2F\xFD", T::Zstd),
    (b"\x04\x22\x4D\x18", T::Lz4),
    (b"\x02\x21\x4C\x18", T::Lz4),
    (b"\xFF\xD8\xFF", T::Jpeg),
    (b"\x89PNG\r\n\x1A\n", T::Png),
    (b"GIF87a", T::Gif),
    (b"GIF89a", T::Gif),
    (b"II*\0", T::Tiff),
    (b"MM\0*", T::Tiff),
    (b"\x1A\x45\xDF\xA3", T::Matroska),
    (b"ID3\x02", T::Mp3),
    (b"ID3\x03", T::Mp3),
    (b"ID3\x04", T::Mp3),
    (b"OggS\0", T::Ogg),
    (b"fLaC\0", T::Flac),
    (b"wOFF", T::Font),
    (b"wOF2", T::Font),
    (b"\0\x01\0\0\0", T::Font),
    (b"OTTO\0", T::Font),
    (b"\x7FELF", T::Executable),
    (b"\xFE\xED\xFA\xCE", T::Executable),
    (b"\xFE\xED\xFA\xCF", T::Executable),
    (b"\xCE\xFA\xED\xFE", T::Executable),
    (b"\xCF\xFA\xED\xFE", T::Executable),
    (b"\xCA\xFE\xBA\xBE", T::Executable),
    (b"\0asm", T::Executable),
];

/// Signatures that are honoured only in bytes that are not text.
const AT_FRONT_WEAK: &[(&[u8], T)] =
    &[(b"ORC", T::Orc), (b"MZ", T::Executable), (b"\xFF\xFB", T::Mp3), (b"\xFF\xF3", T::Mp3)];

pub(super) fn detect(head: &[u8]) -> Option<T> {
    at_front(head, AT_FRONT)
        .or_else(|| riff(head))
        .or_else(|| base_media(head))
        .or_else(|| bzip2(head))
        .or_else(|| zstd_skippable(head))
        .or_else(|| tar(head))
        .or_else(|| pdf_after_junk(head))
}

pub(super) fn detect_weak(head: &[u8]) -> Option<T> {
    at_front(head, AT_FRONT_WEAK).or_else(|| zlib(head)).or_else(|| lzma_alone(head))
}

/// Deflate with a window of 32 KiB at one of the four levels (RFC 1950), and then a block with codes of its own whose
/// counts are possible, as only one in twelve of other bytes has.
fn zlib(head: &[u8]) -> Option<T> {
    let &[first, second, block, next, ..] = head else { return None };
    let levels = first == 0x78 && matches!(second, 0x01 | 0x5e | 0x9c | 0xda);
    // The type of the block, and how many codes it has for lengths and distances.
    let dynamic = block >> 1 & 3 == 2 && block >> 3 <= 29 && next & 0x1f <= 29;
    (levels && (dynamic || block >> 1 & 3 == 1)).then_some(T::Zlib)
}

/// LZMA without xz around it: the usual properties, a dictionary of a usual size, a length that is unknown or believable.
fn lzma_alone(head: &[u8]) -> Option<T> {
    let (&properties, rest) = head.split_first()?;
    let (dictionary, rest) = rest.split_first_chunk::<4>()?;
    let dictionary = u32::from_le_bytes(*dictionary);
    let (length, rest) = rest.split_first_chunk::<8>()?;
    let length = u64::from_le_bytes(*length);
    let usual = dictionary.is_power_of_two() && (1 << 12..=1 << 30).contains(&dictionary);
    // The range coder's first byte is always zero.
    let begins = rest.first() == Some(&0);
    (properties == 0x5d && usual && begins && (length == u64::MAX || length < 1 << 40)).then_some(T::Lzma)
}

fn at_front(head: &[u8], signatures: &[(&[u8], T)]) -> Option<T> {
    signatures.iter().find(|(magic, _)| head.starts_with(magic)).map(|&(_, found)| found)
}

fn riff(head: &[u8]) -> Option<T> {
    if !head.starts_with(b"RIFF") {
        return None;
    }
    match head.get(8..12)? {
        b"WEBP" => Some(T::Webp),
        b"WAVE" => Some(T::Wav),
        b"AVI " => Some(T::Avi),
        _ => None,
    }
}

/// ISO base media: a first box of type `ftyp`, whose brand tells pictures from films.
fn base_media(head: &[u8]) -> Option<T> {
    if head.get(4..8)? != b"ftyp" {
        return None;
    }
    Some(match head.get(8..12)? {
        b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" | b"avif" => T::Heif,
        _ => T::Mp4,
    })
}

/// `BZh` and a level, then the magic of a block or of the end of the stream.
fn bzip2(head: &[u8]) -> Option<T> {
    let level = head.strip_prefix(b"BZh")?;
    let (b'1'..=b'9', block) = level.split_first()? else { return None };
    let known =
        block.starts_with(b"\x31\x41\x59\x26\x53\x59") || block.starts_with(b"\x17\x72\x45\x38\x50\x90");
    known.then_some(T::Bzip2)
}

/// A frame of metadata that decoders skip may come before the first frame of content.
fn zstd_skippable(head: &[u8]) -> Option<T> {
    let (first, rest) = head.split_first()?;
    (first & 0xF0 == 0x50 && rest.starts_with(b"\x2A\x4D\x18")).then_some(T::Zstd)
}

/// A header block whose checksum holds: archives older than POSIX have no magic.
fn tar(head: &[u8]) -> Option<T> {
    crate::extract::tar_header_holds(head.first_chunk()?).then_some(T::Tar)
}

/// Readers accept a PDF whose header stands within the first 1024 bytes (ISO 32000-2, Annex I.3.4); at the start of a line, so
/// that prose about PDF stays prose.
fn pdf_after_junk(head: &[u8]) -> Option<T> {
    let window = head.get(..head.len().min(1024))?;
    let at = memchr::memmem::find(window, b"\n%PDF-")?;
    let version = window.get(at + 6..at + 9)?;
    matches!(version, [b'1'..=b'2', b'.', b'0'..=b'9']).then_some(T::Pdf)
}
