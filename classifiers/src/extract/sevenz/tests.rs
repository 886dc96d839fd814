//! Are 7z archives read, whole and broken?

use std::io::Write as _;

use lzma_rust2::{Lzma2Options, Lzma2Writer};
use ppmd_rust::Ppmd7Encoder;
use proptest::prelude::*;

use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::seen;

fn lzma2(content: &[u8]) -> Vec<u8> {
    let mut writer = Lzma2Writer::new(Vec::new(), Lzma2Options::with_preset(1));
    writer.write_all(content).unwrap();
    writer.finish().unwrap()
}

fn names(names: &[&str]) -> Vec<u8> {
    let mut block = vec![0];
    for name in names {
        block.extend(name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    }
    [&[0x11, block.len() as u8][..], &block].concat()
}

fn archive(packed: &[u8], header: &[u8]) -> Vec<u8> {
    let mut bytes = b"7z\xBC\xAF\x27\x1C\0\x04".to_vec();
    bytes.extend([0; 4]);
    bytes.extend((packed.len() as u64).to_le_bytes());
    bytes.extend((header.len() as u64).to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(packed);
    bytes.extend(header);
    bytes
}

/// Streams of one folder with one coder; `files` are the sizes of all but the last file.
fn streams(packed: usize, coder: &[u8], unpacked: usize, count: u8, files: &[u8]) -> Vec<u8> {
    let size = |size: usize| [0xC0 | (size >> 16) as u8, size as u8, (size >> 8) as u8];
    [
        &[0x06, 0, 1, 0x09][..],
        &size(packed),
        &[0, 0x07, 0x0B, 1, 0, 1],
        coder,
        &[0x0C],
        &size(unpacked),
        &[0x0A, 1, 1, 2, 3, 4, 0],
        &[0x08, 0x0D, count, 0x09],
        files,
        &[0x0A, 1],
        &vec![9; 4 * usize::from(count)],
        &[0, 0],
    ]
    .concat()
}

const LZMA2: &[u8] = &[0x21, 0x21, 1, 16];

fn sample() -> Vec<u8> {
    let packed = lzma2(b"firstsecond");
    let header = [
        &[1, 4][..],
        &streams(packed.len(), LZMA2, 11, 2, &[5]),
        &[5, 3, 0x0E, 1, 0x40],
        &names(&["a.txt", "folder", "b/ü.txt"]),
        &[0, 0],
    ]
    .concat();
    archive(&packed, &header)
}

#[test]
fn files_of_a_folder_are_told_apart() {
    let (kind, seen) = seen(&sample());
    assert_eq!(kind, ContentType::SevenZip);
    assert_eq!(seen.file("a.txt"), b"first");
    assert_eq!(seen.file("b/ü.txt"), b"second");
    assert_eq!(seen.gaps, []);
}

#[test]
fn a_packed_directory_is_unpacked() {
    let packed = lzma2(b"content");
    let header =
        [&[1, 4][..], &streams(packed.len(), LZMA2, 7, 1, &[]), &[5, 1], &names(&["x"]), &[0, 0]].concat();
    let packed_header = lzma2(&header);
    let at = packed.len() as u8;
    let outer = [
        &[0x17, 0x06, at, 1, 0x09, packed_header.len() as u8, 0, 0x07, 0x0B, 1, 0, 1][..],
        LZMA2,
        &[0x0C, header.len() as u8, 0, 0],
    ]
    .concat();
    let (_, seen) = seen(&archive(&[packed, packed_header].concat(), &outer));
    assert_eq!(seen.file("x"), b"content");
}

#[test]
fn encrypted_archives_are_named_so() {
    let aes = [0x24, 0x06, 0xF1, 0x07, 0x01, 2, 0, 0];
    let header = [&[1, 4][..], &streams(16, &aes, 9, 1, &[]), &[5, 1], &names(&["secret"]), &[0, 0]].concat();
    let (_, seen) = seen(&archive(&[7; 16], &header));
    assert_eq!(seen.encrypted, ["7z_aes"]);
    assert_eq!(seen.files, []);
}

#[test]
fn stored_files_and_unknown_methods() {
    let stored = [&[1, 4][..], &streams(4, &[1, 0], 4, 1, &[]), &[5, 1], &names(&["x"]), &[0, 0]].concat();
    assert_eq!(seen(&archive(b"abcd", &stored)).1.file("x"), b"abcd");
    let unknown =
        [&[1, 4][..], &streams(4, &[3, 3, 9, 1], 4, 1, &[]), &[5, 1], &names(&["x"]), &[0, 0]].concat();
    assert_eq!(seen(&archive(b"abcd", &unknown)).1.reasons(), [GapReason::Unsupported]);
}

#[test]
fn files_packed_by_ppmd_are_read() {
    let mut writer = Ppmd7Encoder::new(Vec::new(), 6, 1 << 20).unwrap();
    writer.write_all(b"firstsecond").unwrap();
    let packed = writer.finish(false).unwrap();
    let header = |properties: [u8; 5]| {
        let coder = [&[0x23, 3, 4, 1, 5][..], &properties].concat();
        let streams = streams(packed.len(), &coder, 11, 2, &[5]);
        [&[1, 4][..], &streams, &[5, 2], &names(&["a", "b"]), &[0, 0]].concat()
    };
    let archived = seen(&archive(&packed, &header([6, 0, 0, 16, 0]))).1;
    assert_eq!((archived.file("a"), archived.file("b")), (&b"first"[..], &b"second"[..]));
    assert_eq!(archived.gaps, []);
    for (properties, reason) in
        [([6, 0, 0, 0, 0x7F], GapReason::LimitReached), ([0, 0, 0, 16, 0], GapReason::Malformed)]
    {
        assert_eq!(seen(&archive(&packed, &header(properties))).1.reasons(), [reason]);
    }
}

#[test]
fn cut_archives_and_impossible_dictionaries_are_gaps() {
    let bytes = sample();
    assert_eq!(seen(&bytes[..bytes.len() - 1]).1.reasons(), [GapReason::Truncated]);
    let packed = lzma2(b"x");
    let header = [
        &[1, 4][..],
        &streams(packed.len(), &[0x21, 0x21, 1, 40], 1, 1, &[]),
        &[5, 1],
        &names(&["x"]),
        &[0, 0],
    ]
    .concat();
    assert_eq!(seen(&archive(&packed, &header)).1.reasons(), [GapReason::LimitReached]);
}

proptest! {
    #[test]
    fn broken_archives_never_panic(at in 12_usize..200, value: u8, cut in 0_usize..200) {
        let mut bytes = sample();
        let at = at.min(bytes.len() - 1);
        bytes[at] = value;
        seen(&bytes);
        seen(&bytes[..cut.min(bytes.len())]);
    }
}
