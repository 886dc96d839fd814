//! What do the fuzz targets call? Only there when they are built.

use crate::content_type::{self, ContentType};
use crate::extract::{Budget, Decompressor, Place, Sink, whole};
use crate::{Classifier, Gap, Hints, Limits};

/// Kinds of content that have a target of their own.
pub enum Kind {
    /// Zip archives and the documents kept as one.
    Zip,
    /// The old Office and Outlook.
    Compound,
    /// PDF.
    Pdf,
    /// SQLite.
    Sqlite,
    /// 7z.
    SevenZip,
    /// Parquet.
    Parquet,
    /// Avro.
    Avro,
    /// ORC.
    Orc,
    /// Tar.
    Tar,
    /// HTML.
    Html,
    /// RTF.
    Rtf,
    /// Mailboxes, and mails in them.
    Mailbox,
    /// XML.
    Xml,
    /// Directory exports.
    Ldif,
    /// Cards and calendars.
    Vcard,
}

/// Makes bytes a known document, whole and in pieces, and looks for it in itself.
///
/// # Panics
///
/// Where the pieces change what it is known by, or where it is known by enough and not found.
pub fn copies(bytes: &[u8]) {
    use crate::copies::{Index, IndexBuilder, IndexKey};
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let limits =
        Limits { buffer_bytes_max: 1 << 20, unpacked_bytes_max: 8 << 20, depth_max: 4, entries_max: 200 };
    let (classifier, key) = (Classifier::new(limits, [0; 32]), IndexKey::new(&[7; 32]));
    let known = |piece_bytes: usize| {
        let mut document = classifier.begin_known(Hints::default(), &key);
        bytes.chunks(piece_bytes).for_each(|piece| {
            document.push(piece);
        });
        document.finish().0
    };
    let (whole, pieces) = (known(usize::MAX), known(1 + usize::from(first)));
    assert_eq!(whole, pieces);
    let mut builder = IndexBuilder::new(key.clone());
    let added = builder.add("itself", bytes.len() as u64, Vec::new(), &whole);
    let mut file = Vec::new();
    let written = builder.write([0; 16], &mut file);
    let index = Index::open(Box::new(file), key).map(std::sync::Arc::new);
    let (Ok(true), Ok(()), Ok(index)) = (added, written, index) else { panic!("an index of one document") };
    let document = index.document(0).unwrap_or_else(|| panic!("its only document"));
    let found = classifier.clone().with_index(index).classify(Hints::default(), bytes).copies;
    assert!(
        found.len() == 1 || document.words < 2 && document.rows < 3 && document.pieces == 0,
        "{document:?}"
    );
    assert!(found.iter().all(|copy| copy.share > 0.99), "{found:?}");
}

/// Classifies bytes the whole way, at once and in pieces.
///
/// # Panics
///
/// Where the pieces change the answer.
pub fn classify(bytes: &[u8]) {
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let limits =
        Limits { buffer_bytes_max: 1 << 20, unpacked_bytes_max: 8 << 20, depth_max: 4, entries_max: 200 };
    let classifier = Classifier::new(limits, [0; 32]);
    let hints = Hints { name: "object", size_bytes: Some(bytes.len() as u64), ..Hints::default() };
    let whole = classifier.classify(hints, bytes);
    let mut session = classifier.begin(hints);
    bytes.chunks(1 + usize::from(first)).for_each(|piece| {
        session.push(piece);
    });
    let pieces = session.finish();
    assert_eq!(whole.content_type, pieces.content_type);
    assert_eq!(whole.gaps, pieces.gaps);
    assert_eq!(format!("{:?}", whole.detections), format!("{:?}", pieces.detections));
}

/// Says the type of any bytes.
pub fn detect(bytes: &[u8]) {
    content_type::detect(bytes, "");
}

/// Extracts bytes as one kind, and whatever is nested in them as what it is.
///
/// # Panics
///
/// Where an extractor breaks a promise to its sink.
pub fn extract(kind: Kind, bytes: &[u8]) {
    let kind = match kind {
        Kind::Zip => ContentType::Zip,
        Kind::Compound => ContentType::Compound,
        Kind::Pdf => ContentType::Pdf,
        Kind::Sqlite => ContentType::Sqlite,
        Kind::SevenZip => ContentType::SevenZip,
        Kind::Parquet => ContentType::Parquet,
        Kind::Avro => ContentType::Avro,
        Kind::Orc => ContentType::Orc,
        Kind::Tar => ContentType::Tar,
        Kind::Html => ContentType::Html,
        Kind::Rtf => ContentType::Rtf,
        Kind::Mailbox => ContentType::Mbox,
        Kind::Xml => ContentType::Xml,
        Kind::Ldif => ContentType::Ldif,
        Kind::Vcard => ContentType::Vcard,
    };
    // Smaller than in earnest, so that a run that uses it up is quick.
    let mut budget = Budget { unpacked_bytes: 16 << 20, entries: 1000, depth: 4 };
    let mut nested = Nested { open: 0 };
    whole(kind, bytes, &Place::default(), &mut nested, &mut budget);
    assert_eq!(nested.open, 0, "every file that was begun is ended");
}

/// Unpacks bytes as one of the compressed kinds, in pieces.
pub fn decompress(bytes: &[u8]) {
    const KINDS: [ContentType; 7] = [
        ContentType::Gzip,
        ContentType::Bzip2,
        ContentType::Xz,
        ContentType::Zstd,
        ContentType::Lz4,
        ContentType::Zlib,
        ContentType::Lzma,
    ];
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let kind = KINDS.get(usize::from(first) % KINDS.len()).copied().unwrap_or(ContentType::Gzip);
    let Some(mut decompressor) = Decompressor::new(kind) else { return };
    let mut count = |_: &[u8]| Ok(());
    for piece in bytes.chunks(1 + usize::from(first)) {
        if decompressor.push(piece, &mut count).is_err() {
            return;
        }
    }
    let _ = decompressor.finish(&mut count);
}

/// Extracts what is nested, as the session does.
struct Nested {
    open: u32,
}

impl Sink for Nested {
    fn text(&mut self, _: &Place, _: &str) {}

    fn row(&mut self, _: &Place, _: u64, _: &[&str]) {}

    fn record(&mut self, _: &Place, _: u64, _: &[(&str, &str)]) {}

    fn file(&mut self, place: &Place, bytes: &[u8], budget: &mut Budget) {
        let Some(depth) = budget.depth.checked_sub(1) else { return };
        budget.depth = depth;
        let kind = content_type::detect(bytes.get(..content_type::HEAD_BYTES).unwrap_or(bytes), "");
        whole(kind, bytes, place, self, budget);
        budget.depth += 1;
    }

    fn begin_file(&mut self, place: &Place, _: &mut Budget) -> bool {
        // Half of them, by name, so that both ways are walked.
        let streams = place.0.last().is_some_and(|name| name.len() % 2 == 1);
        self.open += u32::from(streams);
        streams
    }

    fn end_file(&mut self, _: &mut Budget) {
        self.open -= 1;
    }

    fn encrypted(&mut self, _: &Place, _: &'static str) {}

    fn gap(&mut self, _: Gap) {}
}
