//! Does what was packed come back, however it is cut, and do bombs end?

use std::io::Write as _;

use super::*;
use crate::GapReason;

/// Everything a stream unpacks to, given in pieces of `step` bytes, and how it ended.
fn unpack(kind: ContentType, packed: &[u8], step: usize) -> (Vec<u8>, Result<(), Gap>) {
    let mut unpacked = Vec::new();
    let mut decompressor = Decompressor::new(kind).expect("a compressed kind");
    for piece in packed.chunks(step) {
        let result = decompressor.push(piece, &mut |bytes| {
            unpacked.extend_from_slice(bytes);
            Ok(())
        });
        if result.is_err() {
            return (unpacked, result);
        }
    }
    let end = decompressor.finish(&mut |bytes| {
        unpacked.extend_from_slice(bytes);
        Ok(())
    });
    (unpacked, end)
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Content that packs, but not to nothing.
fn sample() -> Vec<u8> {
    (0..40_000_u32)
        .flat_map(|n| format!("{},{}\n", n, n.wrapping_mul(2_654_435_761) >> 7).into_bytes())
        .collect()
}

/// One packed sample of every kind.
fn packed() -> Vec<(ContentType, Vec<u8>)> {
    let mut bzip2 = ::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::fast());
    bzip2.write_all(&sample()).unwrap();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    xz.write_all(&sample()).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::with_frame_info(
        lz4_flex::frame::FrameInfo::new()
            .block_mode(lz4_flex::frame::BlockMode::Linked)
            .block_size(lz4_flex::frame::BlockSize::Max64KB)
            .block_checksums(true)
            .content_checksum(true),
        Vec::new(),
    );
    lz4.write_all(&sample()).unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    vec![
        (ContentType::Gzip, gzip(&sample())),
        (ContentType::Bzip2, bzip2.finish().unwrap()),
        (ContentType::Xz, xz.finish().unwrap()),
        (ContentType::Lz4, lz4.finish().unwrap()),
        (ContentType::Zstd, ruzstd::encoding::compress_to_vec(sample().as_slice(), level)),
    ]
}

#[test]
fn every_kind_unpacks_however_it_is_cut() {
    for (kind, packed) in packed() {
        for step in [1, 7, 4096, usize::MAX] {
            let (unpacked, end) = unpack(kind, &packed, step);
            assert_eq!(end, Ok(()), "{kind:?} in steps of {step}");
            assert!(unpacked == sample(), "{kind:?} in steps of {step}");
        }
    }
}

#[test]
fn streams_in_a_row_are_one() {
    for (kind, packed) in packed() {
        let (unpacked, end) = unpack(kind, &[packed.clone(), packed].concat(), 1000);
        assert_eq!(end, Ok(()), "{kind:?}");
        assert!(unpacked == [sample(), sample()].concat(), "{kind:?}");
    }
}

#[test]
fn a_cut_stream_is_truncated_after_what_it_holds() {
    for (kind, packed) in packed() {
        let (unpacked, end) = unpack(kind, &packed[..packed.len() / 2], 1000);
        assert_eq!(end.map_err(|gap| gap.reason), Err(GapReason::Truncated), "{kind:?}");
        assert!(sample().starts_with(&unpacked), "{kind:?}");
    }
}

#[test]
fn bytes_after_the_stream_are_malformed() {
    for (kind, packed) in packed() {
        let (unpacked, end) = unpack(kind, &[packed.as_slice(), b"not a stream at all"].concat(), 1000);
        assert_eq!(end.map_err(|gap| gap.reason), Err(GapReason::Malformed), "{kind:?}");
        // What was in the works when the error showed may be lost, and no more.
        assert!(sample().starts_with(&unpacked), "{kind:?}");
        assert!(unpacked.len() + PIECE_BYTES >= sample().len(), "{kind:?}");
    }
}

#[test]
fn broken_streams_give_the_same_however_they_are_cut() {
    for (kind, packed) in packed() {
        let small = packed.len().min(3000);
        for at in (0..small).step_by(7) {
            let mut broken = packed[..small].to_vec();
            broken[at] ^= 0x55;
            assert!(unpack(kind, &broken, 500) == unpack(kind, &broken, usize::MAX), "{kind:?} at {at}");
        }
    }
}

#[test]
fn a_bomb_ends_by_its_ratio() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![0; 80 << 20]).unwrap();
    let bomb = encoder.finish().unwrap();
    let (unpacked, end) = unpack(ContentType::Gzip, &bomb, 4096);
    assert_eq!(end.map_err(|gap| gap.reason), Err(GapReason::LimitReached));
    assert!(unpacked.len() as u64 <= FREE_BYTES);
}

#[test]
fn a_gzip_file_may_be_padded_with_zeros() {
    let (unpacked, end) = unpack(ContentType::Gzip, &[gzip(b"x"), vec![0; 600]].concat(), 5);
    assert_eq!((unpacked, end), (b"x".to_vec(), Ok(())));
}
