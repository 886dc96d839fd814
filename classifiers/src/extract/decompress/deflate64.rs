//! How is Deflate64 unpacked, which Windows packs large files of a zip with (APPNOTE 6.3.10, 4.4.5)?

use ::deflate64::InflaterManaged;

use super::{Codec, Metered, PIECE_BYTES};
use crate::Gap;
use crate::extract::malformed;

/// One raw stream.
pub(super) struct Deflate64 {
    inflater: Box<InflaterManaged>,
    piece: Vec<u8>,
}

impl Default for Deflate64 {
    fn default() -> Self {
        Self { inflater: Box::new(InflaterManaged::new()), piece: vec![0; PIECE_BYTES] }
    }
}

impl Codec for Deflate64 {
    fn push(&mut self, mut input: &[u8], out: &mut Metered<'_>) -> Result<(), Gap> {
        loop {
            let result = self.inflater.inflate(input, &mut self.piece);
            input = input.get(result.bytes_consumed..).unwrap_or_default();
            out.put(self.piece.get(..result.bytes_written).unwrap_or_default())?;
            if result.data_error {
                return Err(malformed("the Deflate64 stream breaks its own rules"));
            }
            if result.bytes_consumed == 0 && result.bytes_written == 0 {
                return Ok(());
            }
        }
    }

    fn is_complete(&self) -> bool {
        self.inflater.finished()
    }
}
