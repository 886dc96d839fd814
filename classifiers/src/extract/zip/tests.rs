//! How are zips read, and hostile ones survived?

use std::io::Write as _;

use flate2::{Compress, Compression, FlushCompress};
use lzma_rust2::{LzmaOptions, LzmaWriter};
use ppmd_rust::{Ppmd8Encoder, RestoreMethod};
use proptest::prelude::*;

use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::{Seen, allowance, see, seen};
use crate::extract::{HELD_BYTES_MAX, whole};

/// LZMA as in a zip (APPNOTE 6.3.10, 5.8.8): version, length of the properties, those, and a stream with an end marker.
fn lzma(bytes: &[u8]) -> Vec<u8> {
    let options = LzmaOptions { dict_size: 1 << 16, ..LzmaOptions::with_preset(1) };
    let mut writer = LzmaWriter::new_no_header(Vec::new(), &options, true).unwrap();
    writer.write_all(bytes).unwrap();
    [&[9, 20, 5, 0, options.get_props()][..], &(1_u32 << 16).to_le_bytes(), &writer.finish().unwrap()]
        .concat()
}

/// PPMd as in a zip (APPNOTE 6.3.10, 5.10): of order 6, with 2 MiB, restarted where those are full.
fn ppmd(bytes: &[u8]) -> Vec<u8> {
    let mut writer = Ppmd8Encoder::new(Vec::new(), 6, 2 << 20, RestoreMethod::Restart).unwrap();
    writer.write_all(bytes).unwrap();
    [&[0x15, 0x00][..], &writer.finish(true).unwrap()].concat()
}

/// Deflate64 of `a` and 1,003 more of it: a static block, whose length code 285 has sixteen bits there, which Deflate lacks.
fn deflate64() -> Vec<u8> {
    let huffman = |code: u64, bits: u32| code.reverse_bits() >> (64 - bits);
    let parts = [(1, 1), (1, 2), (huffman(0x91, 8), 8), (huffman(0xC5, 8), 8), (1_000, 16), (0, 5), (0, 7)];
    let (stream, _) =
        parts.iter().fold((0_u64, 0), |(all, at), (value, bits)| (all | value << at, at + bits));
    stream.to_le_bytes()[..6].to_vec()
}

pub(crate) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(bytes.len() + 64);
    Compress::new(Compression::fast(), false)
        .compress_vec(bytes, &mut packed, FlushCompress::Finish)
        .unwrap();
    packed
}

/// Writes archives, honest ones by default.
#[derive(Default)]
pub(crate) struct Builder {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

impl Builder {
    pub(crate) fn file(self, name: &str, content: &[u8]) -> Self {
        self.raw(name, (8, 0), &deflate(content), &[])
    }

    fn raw(mut self, name: &str, (method, flags): (u16, u16), packed: &[u8], extra: &[u8]) -> Self {
        let offset = self.bytes.len();
        let fields = |bytes: &mut Vec<u8>| {
            bytes.extend(flags.to_le_bytes());
            bytes.extend(method.to_le_bytes());
            bytes.extend([0; 8]);
            bytes.extend((packed.len() as u32).to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend((name.len() as u16).to_le_bytes());
            bytes.extend((extra.len() as u16).to_le_bytes());
        };
        self.bytes.extend(b"PK\x03\x04\x14\0");
        fields(&mut self.bytes);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(extra);
        self.bytes.extend(packed);
        self.directory.extend(b"PK\x01\x02\x14\0\x14\0");
        fields(&mut self.directory);
        self.directory.extend([0; 10]);
        self.directory.extend((offset as u32).to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.directory.extend(extra);
        self.entries += 1;
        self
    }

    /// Lists the first entry of the directory again, `times` over.
    fn repeat_first(mut self, times: u16) -> Self {
        let first = self.directory.clone();
        for _ in 0..times {
            self.directory.extend(&first);
        }
        self.entries += times;
        self
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        let offset = self.bytes.len() as u32;
        self.bytes.extend(&self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(self.entries.to_le_bytes());
        self.bytes.extend(self.entries.to_le_bytes());
        self.bytes.extend((self.directory.len() as u32).to_le_bytes());
        self.bytes.extend(offset.to_le_bytes());
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

fn sample() -> Vec<u8> {
    Builder::default().file("a.txt", b"first").file("folder/b.csv", b"x,y\n1,2\n").finish()
}

#[test]
fn files_reach_the_sink_with_their_names() {
    let (kind, seen) = seen(&sample());
    assert_eq!(kind, ContentType::Zip);
    assert_eq!(seen.file("a.txt"), b"first");
    assert_eq!(seen.file("folder/b.csv"), b"x,y\n1,2\n");
    assert_eq!(seen.gaps, []);
}

#[test]
fn files_are_the_same_in_pieces() {
    let mut streamed = Seen { streams: true, ..Seen::default() };
    whole(ContentType::Zip, &sample(), &Default::default(), &mut streamed, &mut allowance());
    assert_eq!(streamed.files, seen(&sample()).1.files);
}

#[test]
fn bytes_before_the_archive_do_not_hide_it() {
    let bytes = [b"#!/bin/sh\nexit\n".as_slice(), &sample()].concat();
    let seen = see(|work| {
        whole(ContentType::Zip, &bytes, work.place, work.sink, work.budget);
    });
    assert_eq!(seen.files.len(), 2);
    assert_eq!(seen.gaps, []);
}

#[test]
fn a_cut_archive_gives_what_is_there_and_a_gap() {
    let bytes = sample();
    let end = bytes.len() - 90;
    let (_, seen) = seen(&bytes[..end]);
    assert_eq!(seen.file("a.txt"), b"first");
    assert_eq!(seen.reasons(), [GapReason::Truncated]);
}

#[test]
fn encrypted_entries_are_named_by_scheme_and_the_rest_is_read() {
    let bytes = Builder::default()
        .raw("crypto.txt", (8, 1), b"xxxxxxxxxxxxyyy", &[])
        .raw("aes.txt", (99, 1), b"xxxxxxxxxxxxyyy", b"\x01\x99\x07\0\x02\0AE\x03\x08\0")
        .file("plain.txt", b"plain")
        .finish();
    let (_, seen) = seen(&bytes);
    assert_eq!(seen.encrypted, ["zip_aes", "zip_crypto"]);
    assert_eq!(seen.files, [("plain.txt".to_owned(), b"plain".to_vec())]);
}

#[test]
fn entries_that_share_bytes_are_read_once() {
    let (_, seen) = seen(&Builder::default().file("bomb", &[0; 100_000]).repeat_first(5000).finish());
    assert_eq!(seen.files.len(), 1);
    assert_eq!(seen.reasons(), [GapReason::Malformed]);
}

#[test]
fn a_bomb_ends_at_the_budget() {
    let packed = deflate(&vec![0; 64 << 20]);
    let mut builder = Builder::default();
    for number in 0..10 {
        builder = builder.raw(&format!("{number}"), (8, 0), &packed, &[]);
    }
    let mut budget = allowance();
    let mut seen = Seen::default();
    whole(ContentType::Zip, &builder.finish(), &Default::default(), &mut seen, &mut budget);
    assert_eq!(seen.reasons(), [GapReason::LimitReached]);
    assert_eq!(budget.unpacked_bytes, 0);
    assert!(seen.files.iter().all(|(_, bytes)| bytes.len() <= HELD_BYTES_MAX));
}

#[test]
fn too_many_entries_are_a_gap() {
    let mut builder = Builder::default();
    for number in 0..10_050 {
        builder = builder.raw(&format!("{number}"), (0, 0), b"x", &[]);
    }
    let (_, seen) = seen(&builder.finish());
    assert_eq!(seen.files.len(), 10_000);
    assert_eq!(seen.reasons(), [GapReason::LimitReached]);
}

#[test]
fn files_packed_by_rarer_methods_are_read() {
    let text = b"name,mail\nAda,ada@a.example\n".repeat(900);
    let archive = Builder::default()
        .raw("lzma", (14, 2), &lzma(&text), &[])
        .raw("deflate64", (9, 0), &deflate64(), &[])
        .raw("ppmd", (98, 2), &ppmd(&text), &[])
        .finish();
    let (_, seen) = seen(&archive);
    assert_eq!(seen.gaps, []);
    assert_eq!(seen.file("lzma"), text);
    assert_eq!(seen.file("deflate64"), b"a".repeat(1_004));
    assert_eq!(seen.file("ppmd"), text);
}

#[test]
fn rarer_methods_end_at_what_an_object_may_cost() {
    let zeros = vec![0; 80 << 20];
    let archive = Builder::default().raw("ppmd", (98, 2), &ppmd(&zeros), &[]).finish();
    assert_eq!(seen(&archive).1.reasons(), [GapReason::LimitReached]);
    for (method, packed, reason) in [
        (14, &[9, 20, 5, 0, 0x5D, 0, 0, 0, 0x7F, 0][..], GapReason::LimitReached),
        (14, &[9, 20, 5, 0, 0xFF, 0, 0, 1, 0, 0], GapReason::Malformed),
        (14, &[9, 20, 5], GapReason::Malformed),
        (98, &[0xF5, 0x0F, 0, 0], GapReason::LimitReached),
        (98, &[0x15, 0xF0, 0, 0], GapReason::Malformed),
        (98, &[0x15], GapReason::Malformed),
        (9, &[0x07], GapReason::Malformed),
    ] {
        let archive = Builder::default().raw("x", (method, 2), packed, &[]).finish();
        assert_eq!(seen(&archive).1.reasons(), [reason], "{method} {packed:?}");
    }
}

#[test]
fn a_method_that_is_not_read_is_a_gap() {
    let (_, seen) = seen(&Builder::default().raw("a", (97, 0), b"x", &[]).finish());
    assert_eq!(seen.reasons(), [GapReason::Unsupported]);
}

proptest! {
    #[test]
    fn any_files_come_back(files in proptest::collection::vec(("[a-z]{1,9}", any::<Vec<u8>>()), 0..6)) {
        let builder = files.iter().enumerate().fold(Builder::default(), |builder, (at, (name, content))| {
            builder.file(&format!("{at}{name}"), content)
        });
        let seen = seen(&builder.finish()).1;
        let contents: Vec<_> = seen.files.into_iter().map(|(_, content)| content).collect();
        prop_assert_eq!(contents, files.into_iter().map(|(_, content)| content).collect::<Vec<_>>());
        prop_assert_eq!(seen.gaps, []);
    }
}
