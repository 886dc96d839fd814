//! How does a compressed stream of any length unpack at constant memory?

mod blocks;
mod bzip2;
mod deflate64;
mod gzip;
mod lzma;
pub(super) mod pull;

pub(super) use lzma_rust2::FilterConfig;

use crate::Gap;
use crate::content_type::ContentType;

use super::{limit_reached, malformed, truncated};

/// Bytes unpacked before they are handed on.
const PIECE_BYTES: usize = 64 << 10;

/// Packed bytes that a codec is given at a time, however they come: what it made of a block before it found an error is
/// lost, and that must not depend on where the pieces were cut.
const BLOCK_BYTES: usize = 16 << 10;

/// Unpacked bytes per packed byte that are taken for honest. Repetitive logs reach a hundred, bombs a thousand.
const RATIO_MAX: u64 = 250;

/// Unpacked bytes that are allowed at any ratio: a file of zeros is no bomb while it is small.
const FREE_BYTES: u64 = 64 << 20;

/// Takes what was unpacked, piece by piece; its error ends the unpacking.
pub(crate) type Pieces<'a> = dyn FnMut(&[u8]) -> Result<(), Gap> + 'a;

/// A compressed stream being unpacked. After an error it takes no more.
pub(crate) struct Decompressor {
    codec: Box<dyn Codec + Send>,
    /// The beginning of a block.
    pending: Vec<u8>,
    read: u64,
    written: u64,
    failed: bool,
}

impl Decompressor {
    /// For one of the compressed kinds; nothing for any other.
    pub(crate) fn new(kind: ContentType) -> Option<Self> {
        let codec: Box<dyn Codec + Send> = match kind {
            ContentType::Gzip => Box::new(gzip::Gzip::default()),
            ContentType::Bzip2 => Box::new(bzip2::Bzip2::default()),
            ContentType::Xz => Box::new(lzma::Lzma::xz()),
            ContentType::Zstd => Box::new(blocks::Gathered::zstd()),
            ContentType::Lz4 => Box::new(blocks::Gathered::lz4()),
            ContentType::Zlib => Box::new(gzip::Deflate::zlib()),
            ContentType::Lzma => Box::new(lzma::Lzma::alone()),
            _ => return None,
        };
        Some(Self::with(codec))
    }

    /// For a raw deflate stream, as in a zip or behind a PDF's zlib header.
    pub(super) fn deflate() -> Self {
        Self::with(Box::new(gzip::Deflate::raw()))
    }

    /// For a method of a zip entry (APPNOTE 6.3.10, 4.4.5), with what of `packed` is for it; nothing for stored entries and
    /// methods that are not read. LZMA needs to know what it unpacks to, where that is known.
    pub(super) fn for_zip_method(
        method: u16,
        packed: &[u8],
        unpacked: Option<u64>,
    ) -> Result<Option<(Self, &[u8])>, Gap> {
        let decompressor = match method {
            8 => Some(Self::deflate()),
            9 => Some(Self::with(Box::new(deflate64::Deflate64::default()))),
            12 => Self::new(ContentType::Bzip2),
            14 => return Self::zip_lzma(packed, unpacked).map(Some),
            93 | 20 => Self::new(ContentType::Zstd),
            95 => Self::new(ContentType::Xz),
            _ => None,
        };
        Ok(decompressor.map(|decompressor| (decompressor, packed)))
    }

    /// The version of the program that packed, the length of the properties, and those (APPNOTE 6.3.10, 5.8.8).
    fn zip_lzma(packed: &[u8], unpacked: Option<u64>) -> Result<(Self, &[u8]), Gap> {
        let header = packed.split_first_chunk::<9>();
        let Some(([_, _, 5, 0, properties, dictionary @ ..], rest)) = header else {
            return Err(malformed("a file of the archive is packed with impossible properties"));
        };
        let dictionary_bytes = u32::from_le_bytes(*dictionary);
        let lzma = Self::lzma(*properties, dictionary_bytes, unpacked.unwrap_or(u64::MAX), None)?;
        Ok((lzma, rest))
    }

    /// For the raw LZMA of an archive, with a filter for machine code where one was applied.
    pub(super) fn lzma(
        properties: u8,
        dictionary_bytes: u32,
        unpacked_bytes: u64,
        filter: Option<FilterConfig>,
    ) -> Result<Self, Gap> {
        let lzma = lzma::Lzma::version_1(properties, dictionary_bytes, unpacked_bytes)?;
        Ok(Self::with(Box::new(match filter {
            Some(filter) => lzma.filtered(filter)?,
            None => lzma,
        })))
    }

    /// For the raw LZMA2 of an archive, with a filter for machine code where one was applied.
    pub(super) fn lzma2(dictionary_bytes: u32, filter: Option<FilterConfig>) -> Result<Self, Gap> {
        let lzma = lzma::Lzma::version_2(dictionary_bytes);
        Ok(Self::with(Box::new(match filter {
            Some(filter) => lzma.filtered(filter)?,
            None => lzma,
        })))
    }

    fn with(codec: Box<dyn Codec + Send>) -> Self {
        Self { codec, pending: Vec::new(), read: 0, written: 0, failed: false }
    }

    /// Takes the next packed bytes, of any length, and gives what they unpack to.
    ///
    /// # Errors
    ///
    /// Malformed bytes, a ratio that only a bomb has, or what `out` returned.
    pub(crate) fn push(&mut self, input: &[u8], out: &mut Pieces<'_>) -> Result<(), Gap> {
        let mut rest = input;
        if !self.pending.is_empty() {
            let room = (BLOCK_BYTES - self.pending.len()).min(rest.len());
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.pending.extend_from_slice(now);
            rest = later;
            if self.pending.len() == BLOCK_BYTES {
                let block = std::mem::take(&mut self.pending);
                self.block(&block, out)?;
                self.pending = block;
                self.pending.clear();
            }
        }
        while let Some((block, later)) = rest.split_at_checked(BLOCK_BYTES) {
            self.block(block, out)?;
            rest = later;
        }
        self.pending.extend_from_slice(rest);
        Ok(())
    }

    fn block(&mut self, block: &[u8], out: &mut Pieces<'_>) -> Result<(), Gap> {
        if self.failed {
            return Ok(());
        }
        self.read += block.len() as u64;
        let mut metered = Metered::new(self.read, &mut self.written, out);
        let result = self.codec.push(block, &mut metered);
        self.failed = result.is_err();
        result
    }

    /// Ends the stream.
    ///
    /// # Errors
    ///
    /// [`crate::GapReason::Truncated`] where the packed bytes ended before their format does, and as from
    /// [`Decompressor::push`], which may have held back the last bytes.
    pub(crate) fn finish(mut self, out: &mut Pieces<'_>) -> Result<(), Gap> {
        let last = std::mem::take(&mut self.pending);
        self.block(&last, out)?;
        if self.failed {
            return Ok(());
        }
        self.codec.finish(&mut Metered::new(self.read, &mut self.written, out))?;
        if self.codec.is_complete() { Ok(()) } else { Err(truncated("the compressed stream is cut off")) }
    }
}

/// One compression format as a machine that is fed.
trait Codec {
    /// Takes all of `input`.
    fn push(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<(), Gap>;

    /// Gives what was held back, once all packed bytes have come.
    fn finish(&mut self, out: &mut Metered<'_>) -> Result<(), Gap> {
        let _ = out;
        Ok(())
    }

    /// Whether the packed bytes may end here.
    fn is_complete(&self) -> bool;
}

/// Counts what is unpacked against what is allowed.
struct Metered<'a> {
    written: &'a mut u64,
    allowed: u64,
    out: &'a mut Pieces<'a>,
}

impl<'a> Metered<'a> {
    fn new(read: u64, written: &'a mut u64, out: &'a mut Pieces<'a>) -> Self {
        Self { written, allowed: FREE_BYTES.max(read.saturating_mul(RATIO_MAX)), out }
    }

    fn put(&mut self, piece: &[u8]) -> Result<(), Gap> {
        *self.written += piece.len() as u64;
        if *self.written > self.allowed {
            return Err(limit_reached("unpacks to far more bytes than honest content does"));
        }
        if piece.is_empty() { Ok(()) } else { (self.out)(piece) }
    }
}

#[cfg(test)]
mod tests;
