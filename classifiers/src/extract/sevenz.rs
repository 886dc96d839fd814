//! Which files does a 7z archive hold (7zFormat.txt of the LZMA SDK)?

mod header;

use super::decompress::{Decompressor, FilterConfig, pull};
use super::fields::{u32_at, u64_at};
use super::member::Member;
use super::{HELD_BYTES_MAX, Work, limit_reached, malformed, truncated, unsupported};
use crate::{Gap, content_type::ContentType};
use header::{Coder, Folder, Header, Streams};

/// Headers within headers: real archives pack theirs once.
const PACKED_HEADERS_MAX: usize = 4;

/// Packed bytes given to the decompressor at a time.
const FEED_BYTES: usize = 32 << 10;

pub(super) fn extract(bytes: &[u8], work: &mut Work<'_>) {
    let result = files(bytes, work);
    work.settle(result);
}

fn files(bytes: &[u8], work: &mut Work<'_>) -> Result<(), Gap> {
    let cut = || truncated("the archive ends before its directory");
    let offset = usize::try_from(u64_at(bytes, 12).ok_or_else(cut)?).map_err(|_| cut())?;
    let size = usize::try_from(u64_at(bytes, 20).ok_or_else(cut)?).map_err(|_| cut())?;
    let start = offset.checked_add(32).ok_or_else(cut)?;
    let mut directory = bytes.get(start..start.checked_add(size).ok_or_else(cut)?).ok_or_else(cut)?.to_vec();
    for _ in 0..PACKED_HEADERS_MAX {
        match header::read(&directory)
            .ok_or_else(|| malformed("the archive's directory breaks its own rules"))?
        {
            Header::Packed(streams) => {
                let folder = streams
                    .folders
                    .first()
                    .ok_or_else(|| malformed("the archive's packed directory is empty"))?;
                if folder.is_encrypted() {
                    // Not even the names can be seen.
                    work.sink.encrypted(work.place, "7z_aes");
                    return Ok(());
                }
                let mut unpacked = Vec::new();
                unpack(folder, bytes, work, &mut |piece, _| {
                    if unpacked.len() + piece.len() > HELD_BYTES_MAX {
                        return Err(limit_reached(
                            "the archive's directory is more than what is held in memory",
                        ));
                    }
                    unpacked.extend_from_slice(piece);
                    Ok(())
                })?;
                directory = unpacked;
            }
            Header::Plain { streams, names } => return contents(&streams, &names, bytes, work),
        }
    }
    Err(malformed("the archive's directory is packed without end"))
}

/// Every file: folders hold the files' bytes one after the other, the names are in the same order.
fn contents(
    streams: &Streams,
    names: &[Option<String>],
    bytes: &[u8],
    work: &mut Work<'_>,
) -> Result<(), Gap> {
    if streams.folders.iter().any(Folder::is_encrypted) {
        work.sink.encrypted(work.place, "7z_aes");
    }
    let mut names = names.iter().flatten();
    for folder in &streams.folders {
        let mut files = folder.files.iter().map(|&size| (size, names.next().cloned().unwrap_or_default()));
        if folder.is_encrypted() {
            // Keeps the names in step.
            files.for_each(drop);
            continue;
        }
        let mut open: Option<(u64, Member)> = None;
        let result = unpack(folder, bytes, work, &mut |mut piece, work| {
            while !piece.is_empty() {
                let (left, member) = match &mut open {
                    Some(open) => open,
                    None => {
                        let Some((size, name)) = files.next() else { return Ok(()) };
                        work.budget.entry()?;
                        open.insert((size, Member::begin(work.place.part(name), work.sink, work.budget)))
                    }
                };
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                member.push(piece.get(..taken).unwrap_or_default(), work.sink, work.budget);
                piece = piece.get(taken..).unwrap_or_default();
                *left -= taken as u64;
                if *left == 0
                    && let Some((_, member)) = open.take()
                {
                    member.end(work.sink, work.budget);
                }
            }
            Ok(())
        });
        if let Some((_, member)) = open {
            member.end(work.sink, work.budget);
        }
        files.for_each(drop);
        work.settle(result);
    }
    Ok(())
}

/// Takes what a folder unpacks to, piece by piece.
type Pieces<'a> = dyn FnMut(&[u8], &mut Work<'_>) -> Result<(), Gap> + 'a;

fn unpack(folder: &Folder, bytes: &[u8], work: &mut Work<'_>, out: &mut Pieces<'_>) -> Result<(), Gap> {
    let start = usize::try_from(folder.packed_at).ok().and_then(|at| at.checked_add(32));
    let rest = start.and_then(|start| bytes.get(start..)).unwrap_or_default();
    let size = usize::try_from(folder.packed_bytes).unwrap_or(usize::MAX);
    let packed = rest.get(..size.min(rest.len())).unwrap_or_default();
    let mut left = folder.unpacked_bytes;
    let (place, sink) = (work.place, &mut *work.sink);
    let budget = &mut *work.budget;
    let mut give = |piece: &[u8]| {
        budget.unpack(piece.len() as u64)?;
        // A filter or a lying size may give more than the folder states.
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        left -= taken as u64;
        out(piece.get(..taken).unwrap_or_default(), &mut Work { place, sink: &mut *sink, budget })
    };
    if let [coder] = folder.coders.as_slice()
        && coder.id.as_slice() == [3, 4, 1]
    {
        pull::ppmd_h(packed, &coder.properties, folder.unpacked_bytes, &mut give)?;
    } else if let Some(mut decompressor) = decompressor(folder)? {
        for feed in packed.chunks(FEED_BYTES) {
            decompressor.push(feed, &mut give)?;
        }
        decompressor.finish(&mut give)?;
    } else {
        packed.chunks(FEED_BYTES).try_for_each(&mut give)?;
    }
    if left > 0 || packed.len() < size {
        return Err(truncated("a file of the archive is cut off"));
    }
    Ok(())
}

/// What undoes the coders of a folder; nothing where the bytes are stored as they are.
fn decompressor(folder: &Folder) -> Result<Option<Decompressor>, Gap> {
    let unsupported = || unsupported("a file of the archive is packed by a method that is not read");
    let (method, filter) = match folder.coders.as_slice() {
        [method] => (method, None),
        // Programs differ in which of the two they name first; a filter is always undone last.
        [first, second] => match (filter_of(first), filter_of(second)) {
            (Some(filter), None) => (second, Some(filter)),
            (None, Some(filter)) => (first, Some(filter)),
            _ => return Err(unsupported()),
        },
        _ => return Err(unsupported()),
    };
    let properties = method.properties.as_slice();
    let broken = || malformed("a file of the archive is packed with impossible properties");
    let plain = |kind| Decompressor::new(kind).ok_or_else(unsupported);
    Ok(Some(match method.id.as_slice() {
        [3, 1, 1] => {
            let (Some(&first), Some(dictionary)) = (properties.first(), u32_at(properties, 1)) else {
                return Err(broken());
            };
            Decompressor::lzma(first, dictionary, folder.unpacked_bytes, filter)?
        }
        [0x21] => {
            let code = u32::from(*properties.first().ok_or_else(broken)?);
            let dictionary = if code < 40 { (2 | (code & 1)) << (code / 2 + 11) } else { u32::MAX };
            Decompressor::lzma2(dictionary, filter)?
        }
        _ if filter.is_some() => return Err(unsupported()),
        [0] => return Ok(None),
        [4, 1, 8] => Decompressor::deflate(),
        [4, 2, 2] => plain(ContentType::Bzip2)?,
        [4, 0xF7, 0x11, 1] => plain(ContentType::Zstd)?,
        [4, 0xF7, 0x11, 4] => plain(ContentType::Lz4)?,
        _ => return Err(unsupported()),
    }))
}

/// Filters that make machine code pack better.
fn filter_of(coder: &Coder) -> Option<FilterConfig> {
    Some(match coder.id.as_slice() {
        [3] => FilterConfig::new_delta(u32::from(*coder.properties.first()?) + 1),
        [4] | [3, 3, 1, 3] => FilterConfig::new_bcj_x86(0),
        [5] | [3, 3, 2, 5] => FilterConfig::new_bcj_ppc(0),
        [6] | [3, 3, 4, 1] => FilterConfig::new_bcj_ia64(0),
        [7] | [3, 3, 5, 1] => FilterConfig::new_bcj_arm(0),
        [8] | [3, 3, 7, 1] => FilterConfig::new_bcj_arm_thumb(0),
        [9] | [3, 3, 8, 5] => FilterConfig::new_bcj_sparc(0),
        [0xA] => FilterConfig::new_bcj_arm64(0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
