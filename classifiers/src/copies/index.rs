//! How are the prints of a hundred thousand documents kept, so that they open at once and are looked up without being read?
//!
//! ```text
//! header   4 KiB    magic, check of the key, salt, sizes; its own tag
//! blocks   64 KiB   each read when it is first needed, and checked by its tag
//!   filter          two bits of one word for each pick: most of what is looked up ends here
//!   directory       where the entries of each bucket begin
//!   entries         8 bytes a print, in the order of their picks
//!   pages           documents, 64 a page, encrypted
//! tags     16 bytes for each block
//! ```
//!
//! An entry is known by 30 bits of its pick and 24 of its print: among twelve million, one look-up in 10^9 finds one that
//! is not meant. Nothing is acted on for a single one of those.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use super::digests::Digest;
use super::key::{IndexKey, Kind, SALT_BYTES};

pub(super) const MAGIC: &[u8; 8] = b"SPWINDX2";
pub(super) const HEADER_BYTES: usize = 4096;
pub(super) const BLOCK_BYTES: usize = 64 << 10;
pub(super) const TAG_BYTES: usize = 16;
/// The places of what is authenticated beside the blocks, which are numbered from zero.
pub(super) const HEADER: u64 = u64::MAX;
pub(super) const TAGS: u64 = u64::MAX - 1;
/// Documents of a page.
pub(super) const PAGE_DOCUMENTS: u32 = 64;
/// Documents of an index.
pub const DOCUMENTS_MAX: u32 = COMMON - 1;
/// Stands for the document of a print that tells nothing, since many have it.
pub(super) const COMMON: u32 = (1 << 20) - 1;
pub(super) const PICK_BITS: u32 = 30;
const PRINT_BITS: u32 = 24;
pub(super) const ORDINAL_MASK: u8 = 15;
pub(super) const FILTER_BITS: std::ops::RangeInclusive<u32> = 16..=PICK_BITS;
pub(super) const BUCKET_BITS: std::ops::RangeInclusive<u32> = 16..=22;

/// Bytes that can be read anywhere, for example a file.
pub trait Source: Send + Sync {
    /// How many there are.
    fn size_bytes(&self) -> u64;

    /// Fills `into` with the bytes from `at` on.
    fn read(&self, at: u64, into: &mut [u8]) -> std::io::Result<()>;
}

impl Source for Vec<u8> {
    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read(&self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        let from = usize::try_from(at).ok().and_then(|at| self.get(at..)?.get(..into.len()));
        into.copy_from_slice(from.ok_or(std::io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Why an index cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum IndexError {
    /// It cannot be read.
    Unreadable(String),
    /// It is none, or one of another version.
    NotAnIndex,
    /// It was made with another key.
    WrongKey,
    /// It was changed or cut since it was written.
    Damaged,
}

impl std::fmt::Display for IndexError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "the index could not be read: {why}"),
            Self::NotAnIndex => f.write_str(
                "this is no index of fingerprints of this version; make one with `fingerprint add`",
            ),
            Self::WrongKey => f.write_str("the index was made with another key; name that key's file"),
            Self::Damaged => f.write_str("the index was changed or cut since it was written; make it again"),
        }
    }
}

impl std::error::Error for IndexError {}

/// A known document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// What it is called: content, to be screened before it is told.
    pub name: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// By which digests listings may name it.
    pub digests: Vec<Digest>,
    /// Prints of running words that stand in the index.
    pub words: u32,
    /// Prints of rows.
    pub rows: u32,
    /// Prints of binary pieces.
    pub pieces: u32,
}

impl Document {
    /// Whether only its digests are known: it holds no text, too little of it, or none that others do not have too.
    pub fn is_opaque(&self) -> bool {
        self.words + self.rows + self.pieces == 0
    }
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Layout {
    pub(super) salt: [u8; SALT_BYTES],
    pub(super) documents: u32,
    pub(super) entries: u64,
    pub(super) bucket_bits: u32,
    /// The filter has two to the power of so many bits.
    pub(super) filter_bits: u32,
    /// Which kinds of prints there are, one bit each.
    pub(super) kinds: u32,
    /// Bytes of blocks.
    pub(super) blocks_bytes: u64,
    /// Authenticates the tags of the blocks.
    pub(super) tags: [u8; 32],
}

impl Layout {
    pub(super) fn filter_words(&self) -> u64 {
        1 << (self.filter_bits - 6)
    }

    pub(super) fn directory_at(&self) -> u64 {
        self.filter_words() * 8
    }

    pub(super) fn entries_at(&self) -> u64 {
        self.directory_at() + ((1 << self.bucket_bits) + 1) * 8
    }

    pub(super) fn pages(&self) -> u64 {
        u64::from(self.documents.div_ceil(PAGE_DOCUMENTS))
    }

    pub(super) fn pages_at(&self) -> u64 {
        self.entries_at() + self.entries * 8
    }

    /// The word of the filter that tells of a pick, and its two bits there: one word is one place in memory to wait for.
    pub(super) fn filter_place(&self, known: Known) -> (u64, u64) {
        let bit = known.pick >> (PICK_BITS - self.filter_bits);
        // Of what the first bit does not say, as much as there is.
        let other = (known.pick as u32).wrapping_mul(0x9e37_79b1) >> 26;
        (bit / 64, 1 << (bit % 64) | 1 << other)
    }

    fn is_sound(&self) -> bool {
        BUCKET_BITS.contains(&self.bucket_bits)
            && FILTER_BITS.contains(&self.filter_bits)
            && self.documents <= DOCUMENTS_MAX
            && self.entries < 1 << 40
            && self.blocks_bytes < 1 << 48
            && self.pages_at() + (self.pages() + 1) * 8 <= self.blocks_bytes
    }
}

/// What the entries of one print are known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Known {
    /// [`PICK_BITS`] wide.
    pub(super) pick: u64,
    /// [`PRINT_BITS`] wide.
    pub(super) print: u64,
}

impl Known {
    pub(super) fn by(pick: u64, print: u64) -> Self {
        Self { pick: pick >> (64 - PICK_BITS), print: print >> (64 - PRINT_BITS) }
    }
}

/// One print of one document: from the top, the pick's bits that its bucket does not say, the print, the document, the kind, the
/// ordinal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry(u64);

impl Entry {
    pub(super) fn new(known: Known, document: u32, kind: Kind, ordinal: u8, bucket_bits: u32) -> Self {
        let rest = known.pick & ((1 << (PICK_BITS - bucket_bits)) - 1);
        let of_document =
            u64::from(document) << 6 | (kind as u64 & 3) << 4 | u64::from(ordinal & ORDINAL_MASK);
        Self(rest << 50 | known.print << 26 | of_document)
    }

    pub(super) fn document(self) -> u32 {
        (self.0 >> 6) as u32 & COMMON
    }

    pub(super) fn kind(self) -> Kind {
        match self.0 >> 4 & 3 {
            1 => Kind::Words,
            2 => Kind::Row,
            3 => Kind::Piece,
            _ => Kind::Whole,
        }
    }

    /// The number of the print among those of its kind in its document, its low bits.
    pub(super) fn ordinal(self) -> u8 {
        self.0 as u8 & ORDINAL_MASK
    }

    pub(super) fn known(self, bucket: u64, bucket_bits: u32) -> Known {
        Known {
            pick: bucket << (PICK_BITS - bucket_bits) | self.0 >> 50,
            print: self.0 >> 26 & ((1 << PRINT_BITS) - 1),
        }
    }

    /// What its pick has that its bucket does not say.
    fn pick_in_bucket(self) -> u64 {
        self.0 >> 50
    }

    pub(super) fn bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }
}

/// The prints of known documents, and the key to them.
pub struct Index {
    key: IndexKey,
    layout: Layout,
    source: Box<dyn Source>,
    tags: Vec<u8>,
    blocks: Vec<OnceLock<Option<Box<[u8]>>>>,
    damaged: AtomicBool,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("documents", &self.layout.documents).finish_non_exhaustive()
    }
}

impl Index {
    /// Opens an index: reads its header and tags, a few kilobytes.
    pub fn open(source: Box<dyn Source>, key: IndexKey) -> Result<Self, IndexError> {
        let mut header = vec![0; HEADER_BYTES];
        read(source.as_ref(), 0, &mut header)?;
        let rest = header.strip_prefix(MAGIC).ok_or(IndexError::NotAnIndex)?;
        let (check, rest) = rest.split_at_checked(32).ok_or(IndexError::NotAnIndex)?;
        if check != key.check() {
            return Err(IndexError::WrongKey);
        }
        let (layout, rest) = postcard::take_from_bytes::<Layout>(rest).map_err(|_| IndexError::Damaged)?;
        let written = header.len() - rest.len();
        let tag = key.tag(HEADER, header.get(..written).unwrap_or_default());
        if rest.get(..32) != Some(&tag) || !layout.is_sound() {
            return Err(IndexError::Damaged);
        }
        let blocks = layout.blocks_bytes.div_ceil(BLOCK_BYTES as u64);
        let tags_at = HEADER_BYTES as u64 + layout.blocks_bytes;
        let tags_bytes = blocks * TAG_BYTES as u64;
        if source.size_bytes() != tags_at + tags_bytes {
            return Err(IndexError::Damaged);
        }
        let mut tags = vec![0; usize::try_from(tags_bytes).map_err(|_| IndexError::Damaged)?];
        read(source.as_ref(), tags_at, &mut tags)?;
        if key.tag(TAGS, &tags) != layout.tags {
            return Err(IndexError::Damaged);
        }
        let blocks = std::iter::repeat_with(OnceLock::new).take(tags.len() / TAG_BYTES).collect();
        Ok(Self { key, layout, source, tags, blocks, damaged: AtomicBool::new(false) })
    }

    /// How many documents it knows.
    pub fn len(&self) -> u32 {
        self.layout.documents
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.layout.documents == 0
    }

    /// Its size in bytes.
    pub fn size_bytes(&self) -> u64 {
        self.source.size_bytes()
    }

    /// How many prints it holds.
    pub fn prints(&self) -> u64 {
        self.layout.entries
    }

    /// What stands between results and their truth: a part of the index that could not be read, or was changed since it was written.
    /// Everything that was looked up there was not found.
    pub fn health(&self) -> Result<(), IndexError> {
        if self.damaged.load(Ordering::Relaxed) { Err(IndexError::Damaged) } else { Ok(()) }
    }

    /// A document by its number, from zero.
    pub fn document(&self, number: u32) -> Option<Document> {
        let page = self.page(number / PAGE_DOCUMENTS)?;
        let within = usize::try_from(number % PAGE_DOCUMENTS).ok()?;
        page.into_iter().nth(within)
    }

    /// All documents, in the order of their numbers.
    pub fn documents(&self) -> impl Iterator<Item = Document> {
        let pages = u32::try_from(self.layout.pages()).unwrap_or(0);
        (0..pages).flat_map(|page| self.page(page).unwrap_or_default())
    }

    /// Whether a known document has this size: if none has, a file of it is no exact copy.
    pub fn has_size(&self, size_bytes: u64) -> bool {
        let print = size_print(&self.key, size_bytes);
        let pick = self.key.pick(Kind::Whole, print);
        self.may_hold(pick) && !self.find(pick, || print).is_empty()
    }

    /// The documents of this size and digest, by their numbers.
    pub fn by_digest(&self, size_bytes: u64, digest: &Digest) -> Vec<u32> {
        let print = digest_print(&self.key, size_bytes, digest);
        let pick = self.key.pick(Kind::Whole, print);
        if !self.may_hold(pick) {
            return Vec::new();
        }
        let numbers = self.find(pick, || print).into_iter().map(Entry::document);
        let is_it = |number: &u32| {
            self.document(*number).is_some_and(|document| {
                document.size_bytes == size_bytes && document.digests.contains(digest)
            })
        };
        numbers.filter(is_it).collect()
    }

    pub(super) fn key(&self) -> &IndexKey {
        &self.key
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        self.layout.kinds >> kind as u32 & 1 == 1
    }

    /// Whether a print with this pick may be known; of those that are not, the filter lets about one in thirty pass.
    pub(super) fn may_hold(&self, pick: u64) -> bool {
        let (word, bits) = self.layout.filter_place(Known::by(pick, 0));
        self.word(word * 8).is_some_and(|word| word & bits == bits)
    }

    /// The entries of a print, those that many documents have left out. The print is made only where its pick is known.
    pub(super) fn find(&self, pick: u64, print: impl FnOnce() -> u64) -> Vec<Entry> {
        let bits = self.layout.bucket_bits;
        let bucket = Known::by(pick, 0).pick >> (PICK_BITS - bits);
        let picked = Entry::new(Known::by(pick, 0), 0, Kind::Whole, 0, bits);
        let mut entries: Vec<Entry> =
            self.bucket(bucket).filter(|entry| entry.pick_in_bucket() == picked.pick_in_bucket()).collect();
        if !entries.is_empty() {
            let sought = Known::by(pick, print());
            let documents = self.layout.documents;
            entries.retain(|entry| entry.known(bucket, bits) == sought && entry.document() < documents);
        }
        entries
    }

    /// The entries of a bucket, as they stand.
    pub(super) fn bucket(&self, bucket: u64) -> impl Iterator<Item = Entry> {
        let at = self.layout.directory_at() + bucket * 8;
        let begin = self.word(at).unwrap_or(0);
        let end = self.word(at + 8).unwrap_or(0).min(self.layout.entries);
        let from = self.layout.entries_at();
        (begin..end).filter_map(move |number| self.word(from + number * 8).map(Entry))
    }

    fn page(&self, page: u32) -> Option<Vec<Document>> {
        let at = self.layout.pages_at() + u64::from(page) * 8;
        let (begin, end) = (self.word(at)?, self.word(at + 8)?);
        let sealed = self.bytes(begin, end)?;
        let opened = self.key.open(&self.layout.salt, u64::from(page), &sealed);
        let documents = opened.and_then(|bytes| postcard::from_bytes(&bytes).ok());
        if documents.is_none() {
            self.damaged.store(true, Ordering::Relaxed);
        }
        documents
    }

    /// Words never lie across two blocks.
    fn word(&self, at: u64) -> Option<u64> {
        let block = self.block(at)?;
        let within = usize::try_from(at).ok()? % BLOCK_BYTES;
        Some(u64::from_le_bytes(*block.get(within..)?.first_chunk()?))
    }

    fn bytes(&self, mut from: u64, to: u64) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while from < to.min(self.layout.blocks_bytes) {
            let block = self.block(from)?;
            let within = usize::try_from(from).ok()? % BLOCK_BYTES;
            let wanted = usize::try_from(to - from).ok()?.min(block.len().checked_sub(within)?);
            bytes.extend_from_slice(block.get(within..within + wanted)?);
            from += wanted as u64;
        }
        Some(bytes)
    }

    /// The block that holds a place, read when it is first asked for.
    fn block(&self, at: u64) -> Option<&[u8]> {
        let number = usize::try_from(at).ok()? / BLOCK_BYTES;
        let block = self.blocks.get(number)?.get_or_init(|| {
            let block = self.load(number);
            if block.is_none() {
                self.damaged.store(true, Ordering::Relaxed);
            }
            block
        });
        block.as_deref()
    }

    fn load(&self, number: usize) -> Option<Box<[u8]>> {
        let at = number as u64 * BLOCK_BYTES as u64;
        let length = usize::try_from(self.layout.blocks_bytes.checked_sub(at)?).ok()?.min(BLOCK_BYTES);
        let mut block = vec![0; length].into_boxed_slice();
        self.source.read(HEADER_BYTES as u64 + at, &mut block).ok()?;
        let stated = self.tags.get(number * TAG_BYTES..)?.get(..TAG_BYTES)?;
        (block_tag(&self.key, number, &block) == stated).then_some(block)
    }
}

/// What says that a document has a size.
pub(super) fn size_print(key: &IndexKey, size_bytes: u64) -> u64 {
    key.print(Kind::Whole, &[&size_bytes.to_le_bytes()])
}

/// What says that a document has a size and a digest.
pub(super) fn digest_print(key: &IndexKey, size_bytes: u64, digest: &Digest) -> u64 {
    key.print(Kind::Whole, &[&size_bytes.to_le_bytes(), &digest.bytes()])
}

/// The tag of a block, which holds for its place alone.
pub(super) fn block_tag(key: &IndexKey, number: usize, block: &[u8]) -> [u8; TAG_BYTES] {
    let mut tag = [0; TAG_BYTES];
    for (to, from) in tag.iter_mut().zip(key.tag(number as u64, block)) {
        *to = from;
    }
    tag
}

fn read(source: &dyn Source, at: u64, into: &mut [u8]) -> Result<(), IndexError> {
    source.read(at, into).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => IndexError::NotAnIndex,
        _ => IndexError::Unreadable(error.to_string()),
    })
}
