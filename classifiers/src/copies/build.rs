//! How does an index come about, and which prints does it leave out, since they tell nothing?
//!
//! What several unrelated documents have in common is boilerplate: signatures, templates, disclaimers, standard paragraphs. So
//! documents that largely agree (drafts, exports of the same table) count as one family, and a print of more than
//! [`FAMILIES_MAX`] families is common: it is marked, and found no more.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use super::collected::Collected;
use super::digests::Digest;
use super::index::{
    BLOCK_BYTES, BUCKET_BITS, COMMON, DOCUMENTS_MAX, Document, Entry, FILTER_BITS, HEADER, HEADER_BYTES,
    Index, Known, Layout, MAGIC, ORDINAL_MASK, PAGE_DOCUMENTS, PICK_BITS, TAGS, block_tag, digest_print,
    size_print,
};
use super::key::{IndexKey, Kind, SALT_BYTES};

/// Families that may have a print in common.
const FAMILIES_MAX: usize = 2;
/// Of documents that share a print, so many are compared each with each; of more, each with the next.
const COMPARED_MAX: usize = 8;
/// Documents of one family that a print is kept for.
const KEPT_MAX: usize = 16;
/// Bits of the filter for each print, at least: of those that are not there, it lets one in eleven pass at most.
const FILTER_BITS_OF_PRINT: u64 = 10;
/// Entries of a bucket on average.
const BUCKET_ENTRIES: u64 = 24;

/// A print on its way into an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Loose {
    known: Known,
    document: u32,
    kind: Kind,
    ordinal: u8,
}

/// An index that is being made.
pub struct IndexBuilder {
    key: IndexKey,
    documents: Vec<Document>,
    /// By name: one that is added again is known already, or another version.
    names: HashMap<String, Vec<u32>>,
    loose: Vec<Loose>,
}

impl std::fmt::Debug for IndexBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IndexBuilder").field("documents", &self.documents.len()).finish_non_exhaustive()
    }
}

/// The index holds as many documents as one may.
#[derive(Debug, PartialEq, Eq)]
pub struct IndexFull;

impl std::fmt::Display for IndexFull {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "an index holds {DOCUMENTS_MAX} documents at most; begin another")
    }
}

impl std::error::Error for IndexFull {}

impl IndexBuilder {
    /// An index without documents.
    pub fn new(key: IndexKey) -> Self {
        Self { key, documents: Vec::new(), names: HashMap::new(), loose: Vec::new() }
    }

    /// An index with the documents of another, to which more are added.
    pub fn from_index(index: &Index) -> Self {
        let (layout, mut builder) = (index.layout(), Self::new(index.key().clone()));
        for bucket in 0..1 << layout.bucket_bits {
            builder.loose.extend(index.bucket(bucket).map(|entry| Loose {
                known: entry.known(bucket, layout.bucket_bits),
                document: entry.document(),
                kind: entry.kind(),
                ordinal: entry.ordinal(),
            }));
        }
        for document in index.documents() {
            builder.keep(document);
        }
        builder
    }

    /// How many documents it has.
    pub fn len(&self) -> usize {
        self.documents.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }

    /// Adds a document; whether it was not known yet by its name, size and digests.
    pub fn add(
        &mut self,
        name: &str,
        size_bytes: u64,
        digests: Vec<Digest>,
        collected: &Collected,
    ) -> Result<bool, IndexFull> {
        let same_name = self.names.get(name).into_iter().flatten();
        let same_name = same_name.filter_map(|number| self.documents.get(usize::try_from(*number).ok()?));
        let mut same = same_name.filter(|known| known.size_bytes == size_bytes && known.digests == digests);
        if same.next().is_some() {
            return Ok(false);
        }
        let number = u32::try_from(self.documents.len()).ok().filter(|number| *number < DOCUMENTS_MAX);
        let number = number.ok_or(IndexFull)?;
        let whole = digests.iter().map(|digest| digest_print(&self.key, size_bytes, digest));
        for print in whole.chain([size_print(&self.key, size_bytes)]) {
            let known = Known::by(self.key.pick(Kind::Whole, print), print);
            self.loose.push(Loose { known, document: number, kind: Kind::Whole, ordinal: 0 });
        }
        self.prints(number, collected);
        self.keep(Document { name: name.to_owned(), size_bytes, digests, words: 0, rows: 0, pieces: 0 });
        Ok(true)
    }

    /// Marks everything that stands in a text as common: no document is known by it.
    pub fn add_boilerplate(&mut self, collected: &Collected) {
        self.prints(COMMON, collected);
    }

    /// Writes the index; `salt` is random for each one.
    pub fn write(mut self, salt: [u8; SALT_BYTES], out: &mut dyn Write) -> io::Result<()> {
        self.leave_out_common();
        self.count();
        let entries = self.loose.len() as u64;
        let bits = (*BUCKET_BITS.start()..*BUCKET_BITS.end()).find(|bits| entries >> bits <= BUCKET_ENTRIES);
        let bucket_bits = bits.unwrap_or(*BUCKET_BITS.end());
        let kinds = self.loose.iter().fold(0, |kinds, loose| kinds | 1 << loose.kind as u32);
        let documents = u32::try_from(self.documents.len()).unwrap_or(DOCUMENTS_MAX);
        let filter_bits = (entries * FILTER_BITS_OF_PRINT).max(1).ilog2() + 1;
        let filter_bits = filter_bits.clamp(*FILTER_BITS.start(), *FILTER_BITS.end());
        let mut layout = Layout {
            salt,
            documents,
            entries,
            bucket_bits,
            filter_bits,
            kinds,
            blocks_bytes: 0,
            tags: [0; 32],
        };
        let blocks = self.blocks(&layout);
        layout.blocks_bytes = blocks.len() as u64;
        let tags = blocks.chunks(BLOCK_BYTES).enumerate();
        let tags: Vec<u8> = tags.flat_map(|(number, block)| block_tag(&self.key, number, block)).collect();
        layout.tags = self.key.tag(TAGS, &tags);

        let mut header = [&MAGIC[..], self.key.check()].concat();
        header.extend(postcard::to_stdvec(&layout).map_err(io::Error::other)?);
        let tag = self.key.tag(HEADER, &header);
        header.extend_from_slice(&tag);
        header.resize(HEADER_BYTES, 0);
        out.write_all(&header)?;
        out.write_all(&blocks)?;
        out.write_all(&tags)
    }

    fn keep(&mut self, document: Document) {
        let number = u32::try_from(self.documents.len()).unwrap_or(DOCUMENTS_MAX);
        self.names.entry(document.name.clone()).or_default().push(number);
        self.documents.push(document);
    }

    fn prints(&mut self, document: u32, collected: &Collected) {
        for (kind, prints) in collected.by_kind() {
            let ordinals = (0..=ORDINAL_MASK).cycle();
            let loose = prints.iter().zip(ordinals).map(|(known, ordinal)| Loose {
                known: *known,
                document,
                kind,
                ordinal,
            });
            self.loose.extend(loose);
        }
    }

    /// Sorts the prints, and marks those that tell nothing.
    fn leave_out_common(&mut self) {
        self.loose.sort_unstable();
        self.loose.dedup_by_key(|loose| (loose.known, loose.document, loose.kind));
        let families = Families::of(&self.loose, self.documents.len());
        let mut kept: Vec<Loose> = Vec::with_capacity(self.loose.len());
        for group in self.loose.chunk_by(|a, b| a.known == b.known) {
            let Some(first) = group.first() else { continue };
            if first.kind == Kind::Whole {
                kept.extend_from_slice(group);
            } else if families.is_common(group) {
                kept.push(Loose { document: COMMON, ..*first });
            } else {
                kept.extend(group.iter().take(KEPT_MAX));
            }
        }
        self.loose = kept;
    }

    /// How many prints each document is known by.
    fn count(&mut self) {
        for document in &mut self.documents {
            (document.words, document.rows, document.pieces) = (0, 0, 0);
        }
        for loose in &self.loose {
            let Some(document) =
                usize::try_from(loose.document).ok().and_then(|at| self.documents.get_mut(at))
            else {
                continue;
            };
            match loose.kind {
                Kind::Whole => {}
                Kind::Words => document.words += 1,
                Kind::Row => document.rows += 1,
                Kind::Piece => document.pieces += 1,
            }
        }
    }

    fn blocks(&self, layout: &Layout) -> Vec<u8> {
        let bucket_bits = layout.bucket_bits;
        let mut filter = vec![0_u64; usize::try_from(layout.filter_words()).unwrap_or(0)];
        let mut directory = Vec::with_capacity((1 << bucket_bits) + 1);
        for (number, loose) in self.loose.iter().enumerate() {
            let (word, bits) = layout.filter_place(loose.known);
            if let Some(word) = usize::try_from(word).ok().and_then(|at| filter.get_mut(at)) {
                *word |= bits;
            }
            let bucket = loose.known.pick >> (PICK_BITS - bucket_bits);
            while directory.len() as u64 <= bucket {
                directory.push(number as u64);
            }
        }
        directory.resize((1 << bucket_bits) + 1, self.loose.len() as u64);
        let entry = |loose: &Loose| {
            Entry::new(loose.known, loose.document, loose.kind, loose.ordinal, bucket_bits).bytes()
        };
        let mut blocks: Vec<u8> =
            filter.iter().chain(&directory).flat_map(|word| word.to_le_bytes()).collect();
        blocks.extend(self.loose.iter().flat_map(entry));

        let (mut places, mut pages) = (Vec::new(), Vec::new());
        let begin = blocks.len() as u64 + (layout.pages() + 1) * 8;
        for (number, page) in self.documents.chunks(PAGE_DOCUMENTS as usize).enumerate() {
            places.push(begin + pages.len() as u64);
            // Structures of numbers and texts are always written.
            let mut page = postcard::to_stdvec(page).unwrap_or_default();
            self.key.seal(&layout.salt, number as u64, &mut page);
            pages.append(&mut page);
        }
        places.push(begin + pages.len() as u64);
        blocks.extend(places.iter().flat_map(|place| place.to_le_bytes()));
        blocks.append(&mut pages);
        blocks
    }
}

/// Which documents are versions of each other?
struct Families(Vec<u32>);

impl Families {
    /// `loose` is sorted, so that what documents share stands together.
    fn of(loose: &[Loose], documents: usize) -> Self {
        let mut totals = vec![0_u32; documents];
        let mut shared: HashMap<(u32, u32), u32> = HashMap::new();
        for group in loose.chunk_by(|a, b| a.known == b.known) {
            let group: Vec<u32> = group
                .iter()
                .filter(|loose| loose.kind != Kind::Whole && loose.document != COMMON)
                .map(|loose| loose.document)
                .collect();
            for document in &group {
                if let Some(total) = usize::try_from(*document).ok().and_then(|at| totals.get_mut(at)) {
                    *total += 1;
                }
            }
            for (at, one) in group.iter().enumerate() {
                let others = if group.len() <= COMPARED_MAX { group.len() } else { at + 2 };
                for other in group.get(at + 1..others.min(group.len())).unwrap_or_default() {
                    *shared.entry((*one, *other)).or_default() += 1;
                }
            }
        }
        let mut families = Self((0..u32::try_from(documents).unwrap_or(0)).collect());
        let total = |document: u32| {
            usize::try_from(document).ok().and_then(|at| totals.get(at)).copied().unwrap_or(0)
        };
        for ((one, other), shared) in shared {
            if shared * 2 >= total(one).min(total(other)) {
                families.join(one, other);
            }
        }
        families
    }

    fn is_common(&self, group: &[Loose]) -> bool {
        if group.iter().any(|loose| loose.document == COMMON) {
            return true;
        }
        let families: HashSet<u32> = group.iter().map(|loose| self.family(loose.document)).collect();
        families.len() > FAMILIES_MAX
    }

    fn family(&self, mut document: u32) -> u32 {
        while let Some(above) = usize::try_from(document).ok().and_then(|at| self.0.get(at))
            && *above != document
        {
            document = *above;
        }
        document
    }

    fn join(&mut self, one: u32, other: u32) {
        let (one, other) = (self.family(one), self.family(other));
        if let Some(above) = usize::try_from(one.max(other)).ok().and_then(|at| self.0.get_mut(at)) {
            *above = one.min(other);
        }
    }
}
