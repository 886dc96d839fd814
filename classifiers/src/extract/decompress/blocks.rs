//! How are formats unpacked that come in blocks with their size in front: zstd and lz4?

mod lz4;
mod zstd;

use super::{Codec, Metered};
use crate::Gap;
use crate::extract::fields::u32_at;
use crate::extract::malformed;

/// The magic number of frames that hold no content, in both formats: 0x184D2A50 to 0x184D2A5F.
const SKIPPABLE: u32 = 0x184D_2A50;

/// One format in blocks.
pub(super) trait Blocks {
    /// Unpacks one block or header from the front of `input`; how many bytes it took, none where it is not yet whole.
    fn block(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<usize, Gap>;

    /// Whether the bytes may end before the next block.
    fn is_between_frames(&self) -> bool;
}

/// Gathers whole blocks, of which no format allows larger than a few MiB.
pub(super) struct Gathered<B> {
    blocks: B,
    rest: Vec<u8>,
    /// Bytes of a skippable frame that are still to come.
    skip: u64,
}

impl Gathered<zstd::Zstd> {
    pub(super) fn zstd() -> Self {
        Self { blocks: zstd::Zstd::default(), rest: Vec::new(), skip: 0 }
    }
}

impl Gathered<lz4::Lz4> {
    pub(super) fn lz4() -> Self {
        Self { blocks: lz4::Lz4::default(), rest: Vec::new(), skip: 0 }
    }
}

impl<B: Blocks> Gathered<B> {
    /// Unpacks what is whole at the front of `input`; how many bytes that took.
    fn run(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<usize, Gap> {
        let mut taken = 0;
        loop {
            let rest = input.get(taken..).unwrap_or_default();
            let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(rest.len());
            self.skip -= skipped as u64;
            taken += skipped;
            let rest = rest.get(skipped..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(taken);
            }
            if self.blocks.is_between_frames() {
                let Some(magic) = u32_at(rest, 0) else { return Ok(taken) };
                if magic & 0xFFFF_FFF0 == SKIPPABLE {
                    let Some(size) = u32_at(rest, 4) else { return Ok(taken) };
                    self.skip = 8 + u64::from(size);
                    continue;
                }
            }
            match self.blocks.block(rest, out)? {
                0 => return Ok(taken),
                step => taken += step,
            }
        }
    }
}

impl<B: Blocks> Codec for Gathered<B> {
    fn push(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<(), Gap> {
        if self.rest.is_empty() {
            let taken = self.run(input, out)?;
            self.rest.extend_from_slice(input.get(taken..).unwrap_or_default());
            return Ok(());
        }
        let mut rest = std::mem::take(&mut self.rest);
        // In pieces, so that a long push is not copied behind a short rest.
        for piece in input.chunks(super::PIECE_BYTES) {
            rest.extend_from_slice(piece);
            let taken = self.run(&rest, out)?;
            rest.drain(..taken);
        }
        self.rest = rest;
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.blocks.is_between_frames() && self.rest.is_empty() && self.skip == 0
    }
}

fn bytes_follow() -> Gap {
    malformed("bytes follow the compressed stream")
}
