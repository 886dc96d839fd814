//! How is unpacked what only a reader unpacks that asks for its packed bytes itself: PPMd and brotli?

use std::io::Read;

use brotli_decompressor::Decompressor;
use ppmd_rust::{Ppmd7Decoder, Ppmd8Decoder, RestoreMethod};

use super::lzma::MEMORY_KIB_MAX;
use super::{Metered, PIECE_BYTES, Pieces};
use crate::Gap;
use crate::extract::fields::{u16_at, u32_at};
use crate::extract::{limit_reached, malformed, truncated};

/// Packed bytes that brotli's reader holds.
const BUFFER_BYTES: usize = 4 << 10;

/// PPMd variant H, as in a 7z, whose properties are the order and the bytes of memory; `unpacked` bytes, as it has no end.
pub(in crate::extract) fn ppmd_h(
    packed: &[u8],
    properties: &[u8],
    unpacked: u64,
    out: &mut Pieces<'_>,
) -> Result<(), Gap> {
    let (Some(&order), Some(memory)) = (properties.first(), u32_at(properties, 1)) else {
        return Err(broken());
    };
    check(memory)?;
    let mut reader = Ppmd7Decoder::new(packed, u32::from(order), memory).map_err(|_| broken())?;
    pull(&mut reader, packed.len(), Some(unpacked), out)
}

/// PPMd variant I, as in a zip (APPNOTE 6.3.10, 5.10): order, memory and method of restoration come first.
pub(in crate::extract) fn ppmd_i(
    packed: &[u8],
    unpacked: Option<u64>,
    out: &mut Pieces<'_>,
) -> Result<(), Gap> {
    let (Some(settings), Some(rest)) = (u16_at(packed, 0), packed.get(2..)) else { return Err(broken()) };
    let order = u32::from(settings & 15) + 1;
    let memory = (u32::from(settings >> 4 & 255) + 1) << 20;
    check(memory)?;
    let restoration = match settings >> 12 {
        0 => RestoreMethod::Restart,
        1 => RestoreMethod::CutOff,
        _ => return Err(broken()),
    };
    let mut reader = Ppmd8Decoder::new(rest, order, memory, restoration).map_err(|_| broken())?;
    pull(&mut reader, packed.len(), unpacked, out)
}

/// A brotli stream (RFC 7932).
pub(in crate::extract) fn brotli(packed: &[u8], out: &mut Pieces<'_>) -> Result<(), Gap> {
    pull(&mut Decompressor::new(packed, BUFFER_BYTES), packed.len(), None, out)
}

fn check(memory: u32) -> Result<(), Gap> {
    if memory / 1024 > MEMORY_KIB_MAX {
        return Err(limit_reached("needs more memory to be unpacked than one object may"));
    }
    Ok(())
}

fn broken() -> Gap {
    malformed("the compressed stream breaks its own rules")
}

/// Reads up to `unpacked` bytes, or to the end.
fn pull(
    reader: &mut dyn Read,
    packed_bytes: usize,
    unpacked: Option<u64>,
    out: &mut Pieces<'_>,
) -> Result<(), Gap> {
    let mut written = 0;
    let mut piece = vec![0; PIECE_BYTES];
    let mut left = unpacked.unwrap_or(u64::MAX);
    while left > 0 {
        let room = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        let read = reader.read(piece.get_mut(..room).unwrap_or_default()).map_err(|_| broken())?;
        if read == 0 {
            return if unpacked.is_some() {
                Err(truncated("the compressed stream is cut off"))
            } else {
                Ok(())
            };
        }
        left -= read as u64;
        Metered::new(packed_bytes as u64, &mut written, out).put(piece.get(..read).unwrap_or_default())?;
    }
    Ok(())
}
