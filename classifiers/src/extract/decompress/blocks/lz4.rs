//! Which blocks does an lz4 file hold (LZ4 Frame Format 1.6), and what do they unpack to?

use lz4_flex::block::decompress_into_with_dict;

use super::{Blocks, bytes_follow};
use crate::Gap;
use crate::extract::decompress::Metered;
use crate::extract::fields::u32_at;
use crate::extract::malformed;

const MAGIC: u32 = 0x184D_2204;

/// The format before frames: blocks of 8 MiB, one after the other, to the end.
const MAGIC_LEGACY: u32 = 0x184C_2102;
const LEGACY_BLOCK_BYTES: usize = 8 << 20;

/// How far back linked blocks refer.
const WINDOW_BYTES: usize = 64 << 10;

/// What comes next.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Part {
    #[default]
    Header,
    Block,
    LegacyBlock,
}

/// An lz4 file.
#[derive(Debug, Default)]
pub(in crate::extract::decompress) struct Lz4 {
    part: Part,
    linked: bool,
    block_checksum: bool,
    content_checksum: bool,
    block_bytes_max: usize,
    /// Where blocks are unpacked, and the end of what was unpacked before, for linked blocks.
    block: Vec<u8>,
    window: Vec<u8>,
}

impl Blocks for Lz4 {
    fn block(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<usize, Gap> {
        match self.part {
            Part::Header => self.header(input),
            Part::Block => self.framed_block(input, out),
            Part::LegacyBlock => self.legacy_block(input, out),
        }
    }

    fn is_between_frames(&self) -> bool {
        self.part != Part::Block
    }
}

impl Lz4 {
    fn header(&mut self, input: &[u8]) -> Result<usize, Gap> {
        let Some(magic) = u32_at(input, 0) else { return Ok(0) };
        if magic == MAGIC_LEGACY {
            self.part = Part::LegacyBlock;
            self.block_bytes_max = LEGACY_BLOCK_BYTES;
            self.linked = false;
            return Ok(4);
        }
        if magic != MAGIC {
            return Err(bytes_follow());
        }
        let (Some(&flags), Some(&size)) = (input.get(4), input.get(5)) else { return Ok(0) };
        if flags >> 6 != 1 {
            return Err(malformed("the lz4 frame is of a version that does not exist"));
        }
        let whole = 7 + if flags & 8 != 0 { 8 } else { 0 } + if flags & 1 != 0 { 4 } else { 0 };
        if input.len() < whole {
            return Ok(0);
        }
        self.block_bytes_max = match (size >> 4) & 7 {
            4 => 64 << 10,
            5 => 256 << 10,
            6 => 1 << 20,
            7 => 4 << 20,
            _ => return Err(malformed("the lz4 frame has an impossible block size")),
        };
        self.linked = flags & 0x20 == 0;
        self.block_checksum = flags & 0x10 != 0;
        self.content_checksum = flags & 4 != 0;
        self.window.clear();
        self.part = Part::Block;
        Ok(whole)
    }

    fn framed_block(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<usize, Gap> {
        let Some(size) = u32_at(input, 0) else { return Ok(0) };
        if size == 0 {
            let end = 4 + if self.content_checksum { 4 } else { 0 };
            if input.len() < end {
                return Ok(0);
            }
            self.part = Part::Header;
            return Ok(end);
        }
        let stored = size & 0x8000_0000 != 0;
        let size = (size & 0x7FFF_FFFF) as usize;
        if size > self.block_bytes_max {
            return Err(malformed("an lz4 block is larger than its frame allows"));
        }
        let whole = 4 + size + if self.block_checksum { 4 } else { 0 };
        if input.len() < whole {
            return Ok(0);
        }
        self.unpack(input.get(4..4 + size).unwrap_or_default(), stored, out)?;
        Ok(whole)
    }

    fn legacy_block(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<usize, Gap> {
        let Some(size) = u32_at(input, 0) else { return Ok(0) };
        if size == MAGIC_LEGACY || size == MAGIC {
            self.part = Part::Header;
            return self.header(input);
        }
        let size = size as usize;
        if size > LEGACY_BLOCK_BYTES + LEGACY_BLOCK_BYTES / 255 + 16 {
            return Err(malformed("an lz4 block is larger than its frame allows"));
        }
        let Some(packed) = input.get(4..4 + size) else { return Ok(0) };
        self.unpack(packed, false, out)?;
        Ok(4 + size)
    }

    fn unpack(&mut self, packed: &[u8], stored: bool, out: &mut Metered<'_>) -> Result<(), Gap> {
        self.block.resize(self.block_bytes_max, 0);
        let unpacked = if stored {
            packed
        } else {
            let length = decompress_into_with_dict(packed, &mut self.block, &self.window)
                .map_err(|_| malformed("the lz4 stream breaks its own rules"))?;
            self.block.get(..length).unwrap_or_default()
        };
        if self.linked {
            self.window.extend_from_slice(unpacked);
            self.window.drain(..self.window.len().saturating_sub(WINDOW_BYTES));
        }
        out.put(unpacked)
    }
}
