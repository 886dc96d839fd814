//! How is bzip2 unpacked, any number of streams in a row?

use ::bzip2::{Decompress, Status};

use super::{Codec, Metered, PIECE_BYTES};
use crate::Gap;
use crate::extract::malformed;

/// A bzip2 file.
pub(super) struct Bzip2 {
    decompress: Decompress,
    piece: Vec<u8>,
    ended: bool,
    /// Whether bytes of the stream have come since it began.
    begun: bool,
}

impl Default for Bzip2 {
    fn default() -> Self {
        Self { decompress: Decompress::new(false), piece: vec![0; PIECE_BYTES], ended: false, begun: false }
    }
}

impl Codec for Bzip2 {
    fn push(&mut self, mut input: &[u8], out: &mut Metered<'_>) -> Result<(), Gap> {
        loop {
            if self.ended {
                match input.first() {
                    None => return Ok(()),
                    Some(b'B') => {
                        self.decompress = Decompress::new(false);
                        (self.ended, self.begun) = (false, false);
                    }
                    Some(_) => return Err(malformed("bytes follow the compressed stream")),
                }
            }
            self.begun |= !input.is_empty();
            let (before_in, before_out) = (self.decompress.total_in(), self.decompress.total_out());
            let status = self
                .decompress
                .decompress(input, &mut self.piece)
                .map_err(|_| malformed("the bzip2 stream breaks its own rules"))?;
            let read = usize::try_from(self.decompress.total_in() - before_in).unwrap_or(usize::MAX);
            let wrote = usize::try_from(self.decompress.total_out() - before_out).unwrap_or(usize::MAX);
            input = input.get(read..).unwrap_or_default();
            out.put(self.piece.get(..wrote).unwrap_or_default())?;
            self.ended = status == Status::StreamEnd;
            if read == 0 && wrote == 0 && !self.ended {
                return Ok(());
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.ended || !self.begun
    }
}
