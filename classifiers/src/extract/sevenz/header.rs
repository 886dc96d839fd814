//! What does the directory of a 7z archive say?
//!
//! Every list is read entry by entry from the bytes that are there, so that a count alone takes no memory.

use crate::extract::fields::{u64_at, utf16};

const END: u8 = 0;
const HEADER: u8 = 1;
const ARCHIVE_PROPERTIES: u8 = 2;
const ADDITIONAL_STREAMS: u8 = 3;
const MAIN_STREAMS: u8 = 4;
const FILES: u8 = 5;
const PACK_INFO: u8 = 6;
const UNPACK_INFO: u8 = 7;
const SUB_STREAMS: u8 = 8;
const SIZE: u8 = 9;
const CRC: u8 = 0x0A;
const FOLDER: u8 = 0x0B;
const UNPACK_SIZE: u8 = 0x0C;
const STREAM_COUNT: u8 = 0x0D;
const EMPTY_STREAM: u8 = 0x0E;
const NAMES: u8 = 0x11;
const PACKED_HEADER: u8 = 0x17;

/// 7-Zip's AES-256 with SHA-256.
const AES: [u8; 4] = [0x06, 0xF1, 0x07, 0x01];

/// Coders of one folder.
const CODERS_MAX: u64 = 16;

/// The directory.
pub(super) enum Header {
    /// Packed itself.
    Packed(Streams),
    /// The folders, and the name of each file; none where the file is empty.
    Plain { streams: Streams, names: Vec<Option<String>> },
}

/// The folders of an archive: what is packed together.
#[derive(Debug, Default)]
pub(super) struct Streams {
    pub(super) folders: Vec<Folder>,
}

/// Files that were packed as one stream.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// In the order in which they were applied to the content.
    pub(super) coders: Vec<Coder>,
    pub(super) packed_at: u64,
    pub(super) packed_bytes: u64,
    pub(super) unpacked_bytes: u64,
    /// Sizes of the files, in order.
    pub(super) files: Vec<u64>,
    packed_streams: usize,
}

/// A method and its settings.
#[derive(Debug)]
pub(super) struct Coder {
    pub(super) id: Vec<u8>,
    pub(super) properties: Vec<u8>,
}

impl Folder {
    pub(super) fn is_encrypted(&self) -> bool {
        self.coders.iter().any(|coder| coder.id == AES)
    }
}

/// Reads the directory; nothing where it breaks its own rules.
pub(super) fn read(bytes: &[u8]) -> Option<Header> {
    let mut reader = Reader(bytes);
    match reader.byte()? {
        PACKED_HEADER => Some(Header::Packed(reader.streams()?)),
        HEADER => {
            let mut streams = Streams::default();
            let mut names = Vec::new();
            loop {
                match reader.byte()? {
                    END => return Some(Header::Plain { streams, names }),
                    ARCHIVE_PROPERTIES => {
                        while reader.byte()? != END {
                            reader.block()?;
                        }
                    }
                    ADDITIONAL_STREAMS => drop(reader.streams()?),
                    MAIN_STREAMS => streams = reader.streams()?,
                    FILES => names = reader.files()?,
                    _ => return None,
                }
            }
        }
        _ => None,
    }
}

/// The bytes of a directory that are left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn bytes(&mut self, size: u64) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(size).ok()?)?;
        self.0 = rest;
        Some(bytes)
    }

    /// As many bytes more as there are high bits set in the first; the rest of that byte is the top of the number.
    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let mut low = [0; 8];
        for byte in low.iter_mut().take(more as usize) {
            *byte = self.byte()?;
        }
        let low = u64_at(&low, 0)?;
        if more >= 7 {
            return Some(low);
        }
        Some(low | u64::from(first & (0x7F >> more)) << (8 * more))
    }

    fn block(&mut self) -> Option<&'a [u8]> {
        let size = self.number()?;
        self.bytes(size)
    }

    /// A flag for each of `count` things, eight to a byte.
    fn flags(&mut self, count: usize) -> Option<impl Iterator<Item = bool> + use<'a>> {
        let bytes = self.bytes(count.div_ceil(8) as u64)?;
        Some(bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1)).take(count))
    }

    /// Checksums, which are not looked at.
    fn digests(&mut self, count: usize) -> Option<()> {
        let defined =
            if self.byte()? != 0 { count } else { self.flags(count)?.filter(|&defined| defined).count() };
        self.bytes(4_u64.checked_mul(defined as u64)?).map(|_| ())
    }

    fn streams(&mut self) -> Option<Streams> {
        let mut packed_at = 0;
        let mut packed: Vec<u64> = Vec::new();
        let mut streams = Streams::default();
        loop {
            match self.byte()? {
                END => break,
                PACK_INFO => {
                    packed_at = self.number()?;
                    packed = self.packed_sizes()?;
                }
                UNPACK_INFO => streams.folders = self.folders()?,
                SUB_STREAMS => self.sub_streams(&mut streams.folders)?,
                _ => return None,
            }
        }
        let mut packed = packed.into_iter();
        for folder in &mut streams.folders {
            folder.packed_at = packed_at;
            folder.packed_bytes = packed.next()?;
            packed_at = packed_at.checked_add(folder.packed_bytes)?;
            for _ in 1..folder.packed_streams {
                packed_at = packed_at.checked_add(packed.next()?)?;
            }
            if folder.files.is_empty() {
                folder.files.push(folder.unpacked_bytes);
            }
        }
        Some(streams)
    }

    fn packed_sizes(&mut self) -> Option<Vec<u64>> {
        let count = usize::try_from(self.number()?).ok()?;
        let mut sizes = Vec::new();
        loop {
            match self.byte()? {
                END => return Some(sizes),
                SIZE => {
                    for _ in 0..count {
                        sizes.push(self.number()?);
                    }
                }
                CRC => self.digests(count)?,
                _ => return None,
            }
        }
    }

    fn folders(&mut self) -> Option<Vec<Folder>> {
        (self.byte()? == FOLDER).then_some(())?;
        let count = usize::try_from(self.number()?).ok()?;
        // Folders in another place are written by no program.
        (self.byte()? == 0).then_some(())?;
        let mut folders = Vec::new();
        let mut outputs = Vec::new();
        for _ in 0..count {
            let (folder, out) = self.folder()?;
            folders.push(folder);
            outputs.push(out);
        }
        loop {
            match self.byte()? {
                END => return Some(folders),
                UNPACK_SIZE => {
                    for (folder, &(outputs, last)) in folders.iter_mut().zip(&outputs) {
                        for output in 0..outputs {
                            let size = self.number()?;
                            if output == last {
                                folder.unpacked_bytes = size;
                            }
                        }
                    }
                }
                CRC => self.digests(folders.len())?,
                _ => return None,
            }
        }
    }

    /// A folder, how many outputs its coders have, and which of them is that of the folder.
    fn folder(&mut self) -> Option<(Folder, (u64, u64))> {
        let count = self.number()?;
        (1..=CODERS_MAX).contains(&count).then_some(())?;
        let mut folder = Folder::default();
        let (mut inputs, mut outputs) = (0, 0);
        for _ in 0..count {
            let flags = self.byte()?;
            let id = self.bytes(u64::from(flags & 0xF))?.to_vec();
            let (coder_inputs, coder_outputs) =
                if flags & 0x10 != 0 { (self.number()?, self.number()?) } else { (1, 1) };
            (coder_inputs <= CODERS_MAX && coder_outputs <= CODERS_MAX).then_some(())?;
            inputs += coder_inputs;
            outputs += coder_outputs;
            let properties = if flags & 0x20 != 0 { self.block()?.to_vec() } else { Vec::new() };
            folder.coders.push(Coder { id, properties });
        }
        let bound = outputs.checked_sub(1)?;
        let mut bound_outputs = Vec::new();
        for _ in 0..bound {
            self.number()?;
            bound_outputs.push(self.number()?);
        }
        let packed = inputs.checked_sub(bound)?;
        if packed > 1 {
            for _ in 0..packed {
                self.number()?;
            }
        }
        folder.packed_streams = usize::try_from(packed).ok()?;
        let last = (0..outputs).find(|output| !bound_outputs.contains(output))?;
        Some((folder, (outputs, last)))
    }

    fn sub_streams(&mut self, folders: &mut [Folder]) -> Option<()> {
        let mut counts = vec![1; folders.len()];
        loop {
            match self.byte()? {
                END => break,
                STREAM_COUNT => {
                    for count in &mut counts {
                        *count = self.number()?;
                    }
                }
                SIZE => {
                    for (folder, &count) in folders.iter_mut().zip(&counts) {
                        let mut left = folder.unpacked_bytes;
                        // The size of the last file is what the others leave.
                        for _ in 1..count {
                            let size = self.number()?;
                            left = left.checked_sub(size)?;
                            folder.files.push(size);
                        }
                        if count > 0 {
                            folder.files.push(left);
                        }
                    }
                }
                CRC => {
                    let unknown = counts.iter().map(|&count| usize::try_from(count).unwrap_or(usize::MAX));
                    self.skip_digests(unknown.fold(0, usize::saturating_add))?;
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// Folders of one file whose checksum stands with the folder have none here: how many follow is told by what comes next.
    fn skip_digests(&mut self, most: usize) -> Option<()> {
        let before = self.0;
        for count in (0..=most.min(before.len())).rev() {
            self.0 = before;
            if self.digests(count).is_some() && self.0.first() == Some(&END) {
                return Some(());
            }
        }
        None
    }

    fn files(&mut self) -> Option<Vec<Option<String>>> {
        let count = usize::try_from(self.number()?).ok()?;
        let mut names: Vec<String> = Vec::new();
        let mut empty: Vec<bool> = Vec::new();
        loop {
            let kind = self.byte()?;
            if kind == END {
                break;
            }
            let mut block = Reader(self.block()?);
            match kind {
                EMPTY_STREAM => empty = block.flags(count)?.collect(),
                NAMES => {
                    block.byte()?;
                    for _ in 0..count {
                        let units = block.0.as_chunks::<2>().0;
                        let end = units.iter().position(|unit| *unit == [0, 0])?;
                        names.push(utf16(block.bytes(end as u64 * 2)?));
                        block.bytes(2)?;
                    }
                }
                _ => {}
            }
        }
        let empty = empty.into_iter().chain(std::iter::repeat(false));
        Some(names.into_iter().zip(empty).map(|(name, empty)| (!empty).then_some(name)).collect())
    }
}
