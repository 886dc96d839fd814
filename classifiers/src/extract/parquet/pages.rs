//! How are the pages of a Parquet column unpacked?

use crate::Gap;
use crate::content_type::ContentType;
use crate::extract::decompress::{Decompressor, pull};
use crate::extract::fields::u32_at;
use crate::extract::{Budget, HELD_BYTES_MAX, snappy, unsupported};

use super::{broken, too_large};

/// Unpacks `packed`, which states that it becomes `size` bytes; those are charged before they are taken.
pub(super) fn unpack(codec: i64, packed: &[u8], size: usize, budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    if size > HELD_BYTES_MAX {
        return Err(too_large());
    }
    let kind = match codec {
        0 => {
            budget.unpack(packed.len() as u64)?;
            return Ok(packed.to_vec());
        }
        1 => return snappy(packed, budget),
        2 => ContentType::Gzip,
        4 => return brotli(packed, budget),
        5 => return lz4_in_frames(packed, size, budget),
        6 => ContentType::Zstd,
        7 => return lz4(packed, size, budget),
        _ => return Err(unsupported("pages of the Parquet file are packed by a method that is not read")),
    };
    let mut unpacked = Vec::new();
    let mut decompressor = Decompressor::new(kind).ok_or_else(broken)?;
    let mut take = |piece: &[u8]| keep(piece, &mut unpacked, budget);
    decompressor.push(packed, &mut take)?;
    decompressor.finish(&mut take)?;
    Ok(unpacked)
}

fn keep(piece: &[u8], unpacked: &mut Vec<u8>, budget: &mut Budget) -> Result<(), Gap> {
    budget.unpack(piece.len() as u64)?;
    if unpacked.len() + piece.len() > HELD_BYTES_MAX {
        return Err(too_large());
    }
    unpacked.extend_from_slice(piece);
    Ok(())
}

/// Bytes that a page of brotli is charged as besides: its tables are made anew for each, however small it is.
const BROTLI_BYTES: u64 = 4 << 10;

fn brotli(packed: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    budget.unpack(BROTLI_BYTES)?;
    let mut unpacked = Vec::new();
    pull::brotli(packed, &mut |piece| keep(piece, &mut unpacked, budget))?;
    Ok(unpacked)
}

fn lz4(packed: &[u8], size: usize, budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    budget.unpack(size as u64)?;
    let mut unpacked = vec![0; size];
    let written = lz4_flex::block::decompress_into(packed, &mut unpacked).map_err(|_| broken())?;
    unpacked.truncate(written);
    Ok(unpacked)
}

/// Hadoop's framing (Compression.md, "LZ4"): sizes in front of each block. Some programs wrote blocks without.
fn lz4_in_frames(packed: &[u8], size: usize, budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    let big_endian = |at: usize| u32_at(packed, at).map(|word| word.swap_bytes() as usize);
    match (big_endian(0), big_endian(4)) {
        (Some(unpacked), Some(length)) if unpacked == size && length + 8 == packed.len() => {
            lz4(packed.get(8..).unwrap_or_default(), size, budget)
        }
        _ => lz4(packed, size, budget),
    }
}
