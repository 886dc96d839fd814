//! Which entries does a zip have, where are their bytes, and may they be believed?

use std::borrow::Cow;

use memchr::memmem;

use crate::Gap;
use crate::extract::decompress::pull;
use crate::extract::fields::{u16_at, u32_at, u64_at};
use crate::extract::{Budget, Decompressor, limit_reached, malformed, truncated, unsupported};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";

/// The extra field of WinZip's AES (APPNOTE 6.3.10, appendix E names it 0x9901).
const EXTRA_AES: u16 = 0x9901;
const EXTRA_ZIP64: u16 = 0x0001;

/// Packed bytes given to the decompressor at a time, so that the budget is asked often.
const FEED_BYTES: usize = 32 << 10;

/// Takes what an entry unpacks to, piece by piece; its error ends the reading.
pub(in crate::extract) type EntryPieces<'a> = dyn FnMut(&[u8], &mut Budget) -> Result<(), Gap> + 'a;

/// One file in an archive.
#[derive(Debug)]
pub(in crate::extract) struct Entry<'a> {
    pub(in crate::extract) name: Cow<'a, str>,
    /// The scheme, where the content is encrypted.
    pub(in crate::extract) encryption: Option<&'static str>,
    method: u16,
    packed: &'a [u8],
    /// How many bytes it unpacks to, where the archive says so.
    unpacked: Option<u64>,
    /// Whether the archive ends before the entry does.
    cut: bool,
}

/// The entries of an archive that can be told apart, and what could not.
#[derive(Debug, Default)]
pub(in crate::extract) struct Archive<'a> {
    pub(in crate::extract) entries: Vec<Entry<'a>>,
    pub(in crate::extract) gaps: Vec<Gap>,
}

impl<'a> Archive<'a> {
    /// Reads the directory; where there is none, the headers before each file.
    pub(in crate::extract) fn open(bytes: &'a [u8], budget: &Budget) -> Self {
        let mut archive = Self::default();
        let entries_max = budget.entries as usize;
        let result = match Directory::find(bytes) {
            Some(directory) => archive.read_directory(bytes, &directory, entries_max),
            None => archive.read_headers(bytes, entries_max),
        };
        if let Err(gap) = result {
            archive.gaps.push(gap);
        }
        archive
    }

    pub(in crate::extract) fn entry(&self, name: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    fn read_directory(
        &mut self,
        bytes: &'a [u8],
        directory: &Directory,
        entries_max: usize,
    ) -> Result<(), Gap> {
        let mut spans = Vec::new();
        let mut at = directory.start;
        while let Some(record) = Record::at(bytes, at) {
            if self.entries.len() >= entries_max {
                self.gaps.push(limit_reached("holds more files than one object may"));
                break;
            }
            at = record.end;
            if let Some((entry, start)) = record.entry(bytes, directory.shift) {
                spans.push((start, start + entry.packed.len(), self.entries.len()));
                self.entries.push(entry);
            } else {
                self.gaps.push(malformed("a directory entry of the archive points to no file"));
            }
        }
        let listed = spans.len() as u64;
        if listed < directory.entries.min(entries_max as u64) && self.gaps.is_empty() {
            self.gaps.push(truncated("the archive's directory lists fewer files than it counts"));
        }
        self.drop_overlaps(spans);
        Ok(())
    }

    /// Entries that share bytes are how a small archive holds an enormous one; of those, the first is kept.
    fn drop_overlaps(&mut self, mut spans: Vec<(usize, usize, usize)>) {
        spans.sort_unstable();
        let mut end = 0;
        let mut shared = vec![false; self.entries.len()];
        for (start, stop, index) in spans {
            if start < end && stop > start {
                if let Some(flag) = shared.get_mut(index) {
                    *flag = true;
                }
            } else {
                end = end.max(stop);
            }
        }
        if !shared.contains(&true) {
            return;
        }
        self.gaps.push(malformed("entries of the archive share bytes; only the first of them was read"));
        let mut shared = shared.into_iter();
        self.entries.retain(|_| !shared.next().unwrap_or(false));
    }

    /// Without a directory (the archive is cut off) the header before each file still tells of it.
    fn read_headers(&mut self, bytes: &'a [u8], entries_max: usize) -> Result<(), Gap> {
        let mut at = 0;
        while let Some(found) = memmem::find(bytes.get(at..).unwrap_or_default(), LOCAL) {
            if self.entries.len() >= entries_max {
                return Err(limit_reached("holds more files than one object may"));
            }
            let Some(header) = Local::at(bytes, at + found) else { break };
            let rest = bytes.get(header.data..).unwrap_or_default();
            // With bit 3 the sizes come after the content, so the next signature ends it.
            let length = match header.packed_size {
                0 if header.flags & 8 != 0 => {
                    memmem::find(rest, b"PK").map_or(rest.len(), |_| next_signature(rest))
                }
                size => size,
            };
            let cut = length > rest.len();
            let packed = rest.get(..length.min(rest.len())).unwrap_or_default();
            at = header.data + packed.len();
            self.entries.push(Entry {
                name: header.name,
                encryption: encryption(header.flags, header.method, header.extra),
                method: header.method,
                packed,
                unpacked: stated(header.flags, header.unpacked_size),
                cut,
            });
        }
        Err(truncated("the archive has no directory; files were found by their own headers"))
    }
}

/// Where in the bytes after a header the next header or descriptor begins.
fn next_signature(bytes: &[u8]) -> usize {
    memmem::find_iter(bytes, b"PK")
        .find(|&at| matches!(bytes.get(at + 2..at + 4), Some(b"\x03\x04" | b"\x07\x08" | b"\x01\x02")))
        .unwrap_or(bytes.len())
}

/// What an entry unpacks to: with bit 1 LZMA marks its end instead, with bit 3 the size comes after the content.
fn stated(flags: u16, unpacked_size: u64) -> Option<u64> {
    (flags & 0b1010 == 0).then_some(unpacked_size)
}

impl Entry<'_> {
    pub(in crate::extract) fn is_folder(&self) -> bool {
        self.name.ends_with('/')
    }

    /// Unpacks the entry in pieces, each charged to the budget before it is given.
    pub(in crate::extract) fn read(&self, budget: &mut Budget, out: &mut EntryPieces<'_>) -> Result<(), Gap> {
        let mut give = |piece: &[u8]| {
            budget.unpack(piece.len() as u64)?;
            out(piece, budget)
        };
        if self.method == 0 {
            self.packed.chunks(FEED_BYTES).try_for_each(give)?;
            return if self.cut { Err(truncated("a file of the archive is cut off")) } else { Ok(()) };
        }
        if self.method == 98 {
            return pull::ppmd_i(self.packed, self.unpacked, &mut give);
        }
        let Some((mut decompressor, packed)) =
            Decompressor::for_zip_method(self.method, self.packed, self.unpacked)?
        else {
            return Err(unsupported("a file of the archive is packed by a method that is not read"));
        };
        for feed in packed.chunks(FEED_BYTES) {
            decompressor.push(feed, &mut give)?;
        }
        decompressor.finish(&mut give)
    }
}

/// The end of central directory record, and its 64-bit successor.
struct Directory {
    start: usize,
    entries: u64,
    /// What to add to offsets: bytes that were put before the archive, such as a program that unpacks it.
    shift: usize,
}

impl Directory {
    fn find(bytes: &[u8]) -> Option<Self> {
        // The record is followed by a remark of at most 65,535 bytes.
        let tail = bytes.len().saturating_sub(22 + 0xFFFF);
        let end = tail + memmem::rfind(bytes.get(tail..)?, END)?;
        let mut entries = u64::from(u16_at(bytes, end + 10)?);
        let mut size = u64::from(u32_at(bytes, end + 12)?);
        let mut offset = u64::from(u32_at(bytes, end + 16)?);
        let mut directory_end = end;
        if (offset == 0xFFFF_FFFF || entries == 0xFFFF || size == 0xFFFF_FFFF)
            && let Some(record) = zip64_record(bytes, end)
        {
            entries = u64_at(bytes, record + 32)?;
            size = u64_at(bytes, record + 40)?;
            offset = u64_at(bytes, record + 48)?;
            directory_end = record;
        }
        let start = directory_end.checked_sub(usize::try_from(size).ok()?)?;
        let offset = usize::try_from(offset).ok()?;
        let at_offset = |at: usize| bytes.get(at..).is_some_and(|here| here.starts_with(CENTRAL));
        match start.checked_sub(offset) {
            Some(shift) if at_offset(start) || entries == 0 => Some(Self { start, entries, shift }),
            _ if at_offset(offset) => Some(Self { start: offset, entries, shift: 0 }),
            _ => None,
        }
    }
}

fn zip64_record(bytes: &[u8], end: usize) -> Option<usize> {
    let locator = end.checked_sub(20)?;
    if !bytes.get(locator..)?.starts_with(LOCATOR_64) {
        return None;
    }
    let stated = usize::try_from(u64_at(bytes, locator + 8)?).ok()?;
    [stated, locator.checked_sub(56)?]
        .into_iter()
        .find(|&at| bytes.get(at..).is_some_and(|here| here.starts_with(END_64)))
}

/// One record of the central directory.
struct Record<'a> {
    flags: u16,
    method: u16,
    packed_size: u64,
    unpacked_size: u64,
    offset: u64,
    name: &'a [u8],
    extra: &'a [u8],
    end: usize,
}

impl<'a> Record<'a> {
    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        if !bytes.get(at..)?.starts_with(CENTRAL) {
            return None;
        }
        let name_end = at + 46 + usize::from(u16_at(bytes, at + 28)?);
        let extra_end = name_end + usize::from(u16_at(bytes, at + 30)?);
        let end = extra_end + usize::from(u16_at(bytes, at + 32)?);
        let mut record = Self {
            flags: u16_at(bytes, at + 8)?,
            method: u16_at(bytes, at + 10)?,
            packed_size: u64::from(u32_at(bytes, at + 20)?),
            unpacked_size: u64::from(u32_at(bytes, at + 24)?),
            offset: u64::from(u32_at(bytes, at + 42)?),
            name: bytes.get(at + 46..name_end)?,
            extra: bytes.get(name_end..extra_end)?,
            end,
        };
        record.widen();
        Some(record)
    }

    /// Takes the 64-bit fields for those that are all ones, in the order that the format fixes.
    fn widen(&mut self) {
        let Some(field) = extra_field(self.extra, EXTRA_ZIP64) else { return };
        let mut at = 0;
        for value in [&mut self.unpacked_size, &mut self.packed_size, &mut self.offset] {
            if *value == u64::from(u32::MAX) {
                if let Some(wide) = u64_at(field, at) {
                    *value = wide;
                }
                at += 8;
            }
        }
    }

    /// The entry and where its packed bytes start.
    fn entry(&self, bytes: &'a [u8], shift: usize) -> Option<(Entry<'a>, usize)> {
        let at = usize::try_from(self.offset).ok()?.checked_add(shift)?;
        let header = Local::at(bytes, at)?;
        let rest = bytes.get(header.data..)?;
        let size = usize::try_from(self.packed_size).unwrap_or(usize::MAX);
        let entry = Entry {
            name: name(self.name, self.flags),
            encryption: encryption(self.flags, self.method, self.extra),
            method: self.method,
            packed: rest.get(..size.min(rest.len()))?,
            unpacked: stated(self.flags & !8, self.unpacked_size),
            cut: size > rest.len(),
        };
        Some((entry, header.data))
    }
}

/// The header before a file's packed bytes.
struct Local<'a> {
    flags: u16,
    method: u16,
    packed_size: usize,
    unpacked_size: u64,
    name: Cow<'a, str>,
    extra: &'a [u8],
    data: usize,
}

impl<'a> Local<'a> {
    fn at(bytes: &'a [u8], at: usize) -> Option<Self> {
        if !bytes.get(at..)?.starts_with(LOCAL) {
            return None;
        }
        let flags = u16_at(bytes, at + 6)?;
        let name_end = at + 30 + usize::from(u16_at(bytes, at + 26)?);
        let data = name_end + usize::from(u16_at(bytes, at + 28)?);
        Some(Self {
            flags,
            method: u16_at(bytes, at + 8)?,
            packed_size: u32_at(bytes, at + 18)? as usize,
            unpacked_size: u64::from(u32_at(bytes, at + 22)?),
            name: name(bytes.get(at + 30..name_end)?, flags),
            extra: bytes.get(name_end..data)?,
            data,
        })
    }
}

/// Bit 11 says UTF-8; without it names are in some code page, of which only ASCII is certain.
fn name(bytes: &[u8], flags: u16) -> Cow<'_, str> {
    if flags & 0x800 != 0 || bytes.is_ascii() {
        return String::from_utf8_lossy(bytes);
    }
    match std::str::from_utf8(bytes) {
        Ok(name) => Cow::Borrowed(name),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

fn encryption(flags: u16, method: u16, extra: &[u8]) -> Option<&'static str> {
    if flags & 1 == 0 && flags & 0x2000 == 0 {
        return None;
    }
    Some(if method == 99 || extra_field(extra, EXTRA_AES).is_some() {
        "zip_aes"
    } else if flags & 0x2040 != 0 {
        "zip_strong"
    } else {
        "zip_crypto"
    })
}

fn extra_field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (id, size) = (u16_at(extra, 0)?, usize::from(u16_at(extra, 2)?));
        let (field, rest) = extra.get(4..)?.split_at_checked(size)?;
        if id == wanted {
            return Some(field);
        }
        extra = rest;
    }
}
