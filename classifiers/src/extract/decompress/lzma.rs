//! How are xz, LZMA and LZMA2 unpacked?

use lzma_rust2::{Action, FilterConfig, Lzma2Stream, LzmaStream, Status, StreamResult, XzStream};

use super::{Codec, Metered, PIECE_BYTES};
use crate::Gap;
use crate::extract::{limit_reached, malformed, truncated};

/// Memory of a decoder, in KiB: the dictionary of `xz -9` (64 MiB) and what comes with it. A dictionary grows with what is
/// unpacked, so small objects never take it.
pub(super) const MEMORY_KIB_MAX: u32 = (64 << 10) + 1024;

/// The three wrappings of one method.
enum Wrapping {
    Xz(Box<XzStream>),
    Lzma(Box<LzmaStream>),
    Lzma2(Box<Lzma2Stream>),
}

/// One stream of the LZMA family.
pub(super) struct Lzma {
    wrapping: Wrapping,
    piece: Vec<u8>,
    ended: bool,
    begun: bool,
}

impl Lzma {
    /// An xz file: streams in a row.
    pub(super) fn xz() -> Self {
        Self::with(Wrapping::Xz(Box::new(XzStream::new_mem_limit(true, MEMORY_KIB_MAX))))
    }

    /// A file of LZMA alone, the format before xz.
    pub(super) fn alone() -> Self {
        Self::with(Wrapping::Lzma(Box::new(LzmaStream::new_mem_limit(MEMORY_KIB_MAX, None))))
    }

    /// Raw LZMA, as archives hold it.
    pub(super) fn version_1(properties: u8, dictionary_bytes: u32, unpacked_bytes: u64) -> Result<Self, Gap> {
        if dictionary_bytes / 1024 > MEMORY_KIB_MAX {
            return Err(limit_reached("needs a dictionary larger than what is held in memory"));
        }
        let stream = LzmaStream::new_with_props(unpacked_bytes, properties, dictionary_bytes, None);
        let stream = stream.map_err(|_| malformed("the LZMA stream has impossible properties"))?;
        Ok(Self::with(Wrapping::Lzma(Box::new(stream))))
    }

    /// Raw LZMA2, as archives hold it.
    pub(super) fn version_2(dictionary_bytes: u32) -> Self {
        Self::with(Wrapping::Lzma2(Box::new(Lzma2Stream::new_mem_limit(dictionary_bytes, MEMORY_KIB_MAX))))
    }

    /// The same stream, with what a filter for machine code did to it undone.
    pub(super) fn filtered(mut self, filter: FilterConfig) -> Result<Self, Gap> {
        let set = match &mut self.wrapping {
            Wrapping::Xz(_) => Ok(()),
            Wrapping::Lzma(stream) => stream.set_filters(&[filter]),
            Wrapping::Lzma2(stream) => stream.set_filters(&[filter]),
        };
        set.map_err(|_| malformed("the LZMA stream has impossible filters"))?;
        Ok(self)
    }

    fn with(wrapping: Wrapping) -> Self {
        Self { wrapping, piece: vec![0; PIECE_BYTES], ended: false, begun: false }
    }

    fn process(&mut self, input: &[u8], action: Action) -> Result<StreamResult, Gap> {
        let result = match &mut self.wrapping {
            Wrapping::Xz(stream) => stream.process(input, &mut self.piece, action),
            Wrapping::Lzma(stream) => stream.process(input, &mut self.piece, action),
            Wrapping::Lzma2(stream) => stream.process(input, &mut self.piece, action),
        };
        result.map_err(|error| match error.kind() {
            std::io::ErrorKind::OutOfMemory => {
                limit_reached("needs a dictionary larger than what is held in memory")
            }
            std::io::ErrorKind::UnexpectedEof => truncated("the compressed stream is cut off"),
            _ => malformed("the LZMA stream breaks its own rules"),
        })
    }

    fn run(&mut self, mut input: &[u8], action: Action, out: &mut Metered<'_>) -> Result<(), Gap> {
        while !self.ended {
            let result = self.process(input, action)?;
            input = input.get(result.bytes_consumed..).unwrap_or_default();
            out.put(self.piece.get(..result.bytes_produced).unwrap_or_default())?;
            self.ended = result.status == Status::StreamEnd;
            if result.bytes_consumed == 0 && result.bytes_produced == 0 {
                break;
            }
        }
        if self.ended && !input.is_empty() {
            return Err(malformed("bytes follow the compressed stream"));
        }
        Ok(())
    }
}

impl Codec for Lzma {
    fn push(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<(), Gap> {
        self.begun |= !input.is_empty();
        self.run(input, Action::Run, out)
    }

    fn finish(&mut self, out: &mut Metered<'_>) -> Result<(), Gap> {
        // Whether another stream follows in an xz file is only known at its end.
        if self.begun { self.run(&[], Action::Finish, out) } else { Ok(()) }
    }

    fn is_complete(&self) -> bool {
        self.ended || !self.begun
    }
}
