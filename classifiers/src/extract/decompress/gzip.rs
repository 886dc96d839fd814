//! How is deflate unpacked: raw as in a zip, or in gzip's wrapping, any number of members in a row?

use flate2::{Decompress, FlushDecompress, Status};

use super::{Codec, Metered, PIECE_BYTES};
use crate::Gap;
use crate::extract::malformed;

/// One deflate stream, raw or in zlib's wrapping.
pub(super) struct Deflate {
    inflate: Decompress,
    piece: Vec<u8>,
    ended: bool,
}

impl Deflate {
    pub(super) fn raw() -> Self {
        Self::with(Decompress::new(false))
    }

    pub(super) fn zlib() -> Self {
        Self::with(Decompress::new(true))
    }

    fn with(inflate: Decompress) -> Self {
        Self { inflate, piece: vec![0; PIECE_BYTES], ended: false }
    }

    /// Unpacks up to the end of the stream; how many bytes of `input` were taken.
    fn run(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<usize, Gap> {
        let mut taken = 0;
        while !self.ended {
            let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
            let rest = input.get(taken..).unwrap_or_default();
            let result = self.inflate.decompress(rest, &mut self.piece, FlushDecompress::None);
            let read = usize::try_from(self.inflate.total_in() - before_in).unwrap_or(usize::MAX);
            let wrote = usize::try_from(self.inflate.total_out() - before_out).unwrap_or(usize::MAX);
            taken += read;
            out.put(self.piece.get(..wrote).unwrap_or_default())?;
            // What came before a break is as good as the rest of the stream.
            let status = result.map_err(|_| malformed("the deflate stream breaks its own rules"))?;
            self.ended = status == Status::StreamEnd;
            if read == 0 && wrote == 0 {
                break;
            }
        }
        Ok(taken)
    }
}

impl Codec for Deflate {
    fn push(&mut self, input: &[u8], out: &mut Metered<'_>) -> Result<(), Gap> {
        self.run(input, out).map(|_| ())
    }

    fn is_complete(&self) -> bool {
        self.ended
    }
}

/// A gzip file: members in a row, each with a header and a checksum (RFC 1952).
pub(super) struct Gzip {
    member: Deflate,
    members: u64,
}

impl Default for Gzip {
    fn default() -> Self {
        // A window of 2^15 bytes, the largest that deflate has.
        Self { member: Deflate::with(Decompress::new_gzip(15)), members: 0 }
    }
}

impl Codec for Gzip {
    fn push(&mut self, mut input: &[u8], out: &mut Metered<'_>) -> Result<(), Gap> {
        loop {
            if self.member.ended {
                // Tapes and block devices pad with zeros.
                let padding = input.iter().take_while(|&&byte| byte == 0).count();
                input = input.get(padding..).unwrap_or_default();
                match input.first() {
                    None => return Ok(()),
                    Some(0x1F) => {
                        self.members += 1;
                        self.member.inflate.reset(true);
                        self.member.ended = false;
                    }
                    Some(_) => return Err(malformed("bytes follow the compressed stream")),
                }
            }
            let taken = self.member.run(input, out)?;
            input = input.get(taken..).unwrap_or_default();
            if !self.member.ended {
                return Ok(());
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.member.ended
    }
}
