//! How are zips read, and hostile ones survived?

use flate2::{Compress, Compression, FlushCompress};
use proptest::prelude::*;

use crate::GapReason;
use crate::content_type::ContentType;
use crate::extract::tests::{Seen, allowance, see, seen};
use crate::extract::{HELD_BYTES_MAX, whole};

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
