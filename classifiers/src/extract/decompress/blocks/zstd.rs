//! Which blocks does a zstd file hold (RFC 8878), and what do they unpack to?

use std::io::Read;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder, errors::FrameDecoderError};

use super::{Blocks, bytes_follow};
use crate::Gap;
use crate::extract::decompress::{Metered, PIECE_BYTES};
use crate::extract::fields::u32_at;
use crate::extract::{limit_reached, malformed};

const MAGIC: u32 = 0xFD2F_B528;

/// The largest window that is held: four times what the RFC asks of decoders, and more than any level but `--ultra` needs.
const WINDOW_BYTES_MAX: u64 = 32 << 20;

/// The largest block that the format allows.
const BLOCK_BYTES_MAX: usize = 128 << 10;

/// A zstd file.
pub(in crate::extract::decompress) struct Zstd {
    decoder: FrameDecoder,
    in_frame: bool,
    has_checksum: bool,
    piece: Vec<u8>,
}

impl Default for Zstd {
    fn default() -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_BYTES_MAX);
        Self { decoder, in_frame: false, has_checksum: false, piece: vec![0; PIECE_BYTES] }
    }
}

impl Blocks for Zstd {
    fn block(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<usize, Gap> {
        if !self.in_frame {
            return self.header(input);
        }
        let Some(&[a, b, c]) = input.first_chunk() else { return Ok(0) };
        let header = u32::from_le_bytes([a, b, c, 0]);
        let is_last = header & 1 == 1;
        let size = (header >> 3) as usize;
        // A block of type 1 is one byte, repeated.
        let stored = if (header >> 1) & 3 == 1 { 1 } else { size };
        if size > BLOCK_BYTES_MAX {
            return Err(malformed("a zstd block is larger than the format allows"));
        }
        let whole = 3 + stored + if is_last && self.has_checksum { 4 } else { 0 };
        let Some(mut block) = input.get(..whole) else { return Ok(0) };
        let decoded = self.decoder.decode_blocks(&mut block, BlockDecodingStrategy::UptoBlocks(1));
        decoded.map_err(|_| malformed("the zstd stream breaks its own rules"))?;
        loop {
            let read = self.decoder.read(&mut self.piece);
            let read = read.map_err(|_| malformed("the zstd stream breaks its own rules"))?;
            if read == 0 {
                break;
            }
            out.put(self.piece.get(..read).unwrap_or_default())?;
        }
        self.in_frame = !is_last;
        Ok(whole)
    }

    fn is_between_frames(&self) -> bool {
        !self.in_frame
    }
}

impl Zstd {
    fn header(&mut self, input: &[u8]) -> Result<usize, Gap> {
        let (Some(magic), Some(&descriptor)) = (u32_at(input, 0), input.get(4)) else { return Ok(0) };
        if magic != MAGIC {
            return Err(bytes_follow());
        }
        let single_segment = descriptor & 0x20 != 0;
        let dictionary_id = [0, 1, 2, 4].get(usize::from(descriptor & 3)).copied().unwrap_or(0);
        let content_size = match descriptor >> 6 {
            0 => usize::from(single_segment),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        let whole = 5 + usize::from(!single_segment) + dictionary_id + content_size;
        let Some(mut header) = input.get(..whole) else { return Ok(0) };
        self.decoder.reset(&mut header).map_err(|error| match error {
            FrameDecoderError::WindowSizeTooBig { .. } => {
                limit_reached("needs a window larger than what is held in memory")
            }
            _ => malformed("the zstd frame has an impossible header"),
        })?;
        self.in_frame = true;
        self.has_checksum = descriptor & 4 != 0;
        Ok(whole)
    }
}
