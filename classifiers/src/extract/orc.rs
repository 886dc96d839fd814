//! Which rows does an ORC file hold (ORC Specification v1)?

mod column;
mod message;
mod runs;

use super::decompress::Decompressor;
use super::{HELD_BYTES_MAX, Work, limit_reached, malformed, snappy, truncated, unsupported};
use crate::Gap;
use crate::content_type::ContentType;
use crate::extract::Budget;
use column::{Column, Streams, Type};
use message::Message;

/// Bytes of all streams of one stripe that are held together.
const STRIPE_BYTES_MAX: usize = 40 << 20;

/// The largest block that may be packed as one; writers use 256 KiB.
const BLOCK_BYTES_MAX: usize = 16 << 20;

/// Columns, nested ones included.
const TYPES_MAX: usize = 20_000;

pub(super) fn extract(bytes: &[u8], work: &mut Work<'_>) {
    let result = rows(bytes, work);
    work.settle(result);
}

fn broken() -> Gap {
    malformed("the ORC file breaks the rules of its format")
}

/// How the parts of a file are packed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Codec {
    None,
    Deflate,
    Snappy,
    Lz4,
    Zstd,
}

fn rows(bytes: &[u8], work: &mut Work<'_>) -> Result<(), Gap> {
    let cut = || truncated("the ORC file is cut off");
    let (&size, before) = bytes.split_last().ok_or_else(cut)?;
    let at = before.len().checked_sub(usize::from(size)).ok_or_else(cut)?;
    let postscript =
        Message::read(before.get(at..).unwrap_or_default()).filter(|tail| tail.bytes(8000) == Some(b"ORC"));
    let postscript = postscript.ok_or_else(cut)?;
    let codec = match postscript.number(2).unwrap_or(0) {
        0 => Codec::None,
        1 => Codec::Deflate,
        2 => Codec::Snappy,
        4 => Codec::Lz4,
        5 => Codec::Zstd,
        _ => return Err(unsupported("the ORC file is packed by a method that is not read")),
    };
    let footer_at = at.checked_sub(postscript.size(1).ok_or_else(broken)?).ok_or_else(broken)?;
    let footer = unpack(codec, bytes.get(footer_at..at).ok_or_else(broken)?, work.budget)?;
    let footer = Message::read(&footer).ok_or_else(broken)?;
    if footer.bytes(10).is_some() {
        work.sink.encrypted(work.place, "orc");
    }
    let types: Vec<Type<'_>> = footer.messages(4).take(TYPES_MAX).map(Type::read).collect();
    let root = types.first().ok_or_else(broken)?;
    let names: Vec<String> =
        root.names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    work.sink.row(work.place, 0, &names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut number = 0;
    for stripe in footer.messages(3) {
        let result = read_stripe(bytes, codec, &stripe, &types, &mut number, work);
        match result {
            // Another stripe would end the same way.
            Err(gap) if gap.reason == crate::GapReason::LimitReached => return Err(gap),
            result => work.settle(result),
        }
    }
    Ok(())
}

fn read_stripe(
    bytes: &[u8],
    codec: Codec,
    stripe: &Message<'_>,
    types: &[Type<'_>],
    number: &mut u64,
    work: &mut Work<'_>,
) -> Result<(), Gap> {
    let part = |id| stripe.size(id).unwrap_or(0);
    let (start, index, data, footer, rows) = (part(1), part(2), part(3), part(4), part(5));
    let data_at = start.checked_add(index).ok_or_else(broken)?;
    let footer_at = data_at.checked_add(data).ok_or_else(broken)?;
    let cut = || truncated("a stripe of the ORC file is cut off");
    let footer = bytes.get(footer_at..).and_then(|rest| rest.get(..footer)).ok_or_else(cut)?;
    let footer = unpack(codec, footer, work.budget)?;
    let footer = Message::read(&footer).ok_or_else(broken)?;
    let mut streams = Streams::new();
    let (mut at, mut held) = (start, 0);
    for stream in footer.messages(1) {
        let (kind, column) = (stream.number(1).unwrap_or(0), stream.size(2).unwrap_or(0));
        let end = at.checked_add(stream.size(3).unwrap_or(0)).ok_or_else(broken)?;
        // Streams of other kinds are indexes, which come before the data.
        if (0..=5).contains(&kind) {
            let content = unpack(codec, bytes.get(at..end).ok_or_else(cut)?, work.budget)?;
            held += content.len();
            if held > STRIPE_BYTES_MAX {
                return Err(limit_reached("a stripe of the ORC file is more than what is held in memory"));
            }
            streams.insert((column, kind), content);
        }
        at = end;
    }
    let encodings: Vec<(u64, usize)> = footer
        .messages(2)
        .map(|encoding| (encoding.number(1).unwrap_or(0), encoding.size(2).unwrap_or(0)))
        .collect();
    let mut columns = Vec::new();
    for &child in types.first().map(|root| root.children.as_slice()).unwrap_or_default() {
        columns.push(Column::new(child, types, &encodings, &mut streams, 0).ok_or_else(broken)?);
    }
    give_rows(rows, &mut columns, number, work)
}

fn give_rows(rows: usize, columns: &mut [Column], number: &mut u64, work: &mut Work<'_>) -> Result<(), Gap> {
    let mut text = String::new();
    let mut ends: Vec<usize> = Vec::new();
    for _ in 0..rows {
        text.clear();
        ends.clear();
        for column in &mut *columns {
            column.write(&mut text, work.budget)?;
            ends.push(text.len());
        }
        work.budget.unpack((text.len() + ends.len() + 1) as u64)?;
        *number += 1;
        let mut start = 0;
        let cells: Vec<&str> = ends
            .iter()
            .map(|&end| {
                let cell = text.get(start..end).unwrap_or_default();
                start = end;
                cell
            })
            .collect();
        work.sink.row(work.place, *number, &cells);
    }
    Ok(())
}

/// Unpacks blocks, each with its size and whether it is packed in three bytes in front.
fn unpack(codec: Codec, mut packed: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    if codec == Codec::None {
        budget.unpack(packed.len() as u64)?;
        return Ok(packed.to_vec());
    }
    let mut unpacked = Vec::new();
    while let Some((&[a, b, c], rest)) = packed.split_first_chunk() {
        let header = u32::from_le_bytes([a, b, c, 0]) as usize;
        let (block, rest) = rest.split_at_checked(header >> 1).ok_or_else(broken)?;
        packed = rest;
        if unpacked.len() > HELD_BYTES_MAX {
            return Err(limit_reached("a stream of the ORC file is more than what is held in memory"));
        }
        if header & 1 == 1 {
            budget.unpack(block.len() as u64)?;
            unpacked.extend_from_slice(block);
        } else {
            unpacked.extend(unpack_block(codec, block, budget)?);
        }
    }
    Ok(unpacked)
}

fn unpack_block(codec: Codec, block: &[u8], budget: &mut Budget) -> Result<Vec<u8>, Gap> {
    let mut decompressor = match codec {
        Codec::Snappy => return snappy(block, budget),
        Codec::Lz4 => {
            // The size is not stated; a block of lz4 unpacks to at most 255 times its bytes.
            let most = block.len().saturating_mul(255).min(BLOCK_BYTES_MAX);
            let mut unpacked = vec![0; most];
            let written = lz4_flex::block::decompress_into(block, &mut unpacked).map_err(|_| broken())?;
            budget.unpack(written as u64)?;
            unpacked.truncate(written);
            return Ok(unpacked);
        }
        Codec::Zstd => Decompressor::new(ContentType::Zstd).ok_or_else(broken)?,
        Codec::Deflate | Codec::None => Decompressor::deflate(),
    };
    let mut unpacked = Vec::new();
    let mut take = |piece: &[u8]| {
        budget.unpack(piece.len() as u64)?;
        if unpacked.len() + piece.len() > BLOCK_BYTES_MAX {
            return Err(limit_reached("a block of the ORC file is larger than blocks are"));
        }
        unpacked.extend_from_slice(piece);
        Ok(())
    };
    decompressor.push(block, &mut take)?;
    decompressor.finish(&mut take)?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests;
