//! What did an extractor give to its sink? Shared by the tests of all formats.

use super::*;

/// A sink that writes down what it is given.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Seen {
    pub(crate) text: String,
    /// `place#row: cell|cell`.
    pub(crate) rows: Vec<String>,
    /// `place#row: name=value|name=value`.
    pub(crate) records: Vec<String>,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    pub(crate) encrypted: Vec<&'static str>,
    pub(crate) gaps: Vec<Gap>,
    /// Whether files are taken in pieces; then those that are open.
    pub(crate) streams: bool,
    pub(crate) open: Vec<(String, Vec<u8>)>,
}

impl Seen {
    pub(crate) fn reasons(&self) -> Vec<GapReason> {
        let mut reasons: Vec<_> = self.gaps.iter().map(|gap| gap.reason).collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }

    pub(crate) fn file(&self, name: &str) -> &[u8] {
        &self
            .files
            .iter()
            .find(|(path, _)| path == name)
            .unwrap_or_else(|| panic!("no {name} in {:?}", self.files))
            .1
    }
}

impl Sink for Seen {
    fn text(&mut self, _place: &Place, text: &str) {
        self.text.push_str(text);
    }

    fn row(&mut self, table: &Place, row: u64, cells: &[&str]) {
        self.rows.push(format!("{}#{row}: {}", table.0.join("/"), cells.join("|")));
    }

    fn record(&mut self, table: &Place, row: u64, fields: &[(&str, &str)]) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.records.push(format!("{}#{row}: {}", table.0.join("/"), fields.join("|")));
    }

    fn file(&mut self, place: &Place, bytes: &[u8], _budget: &mut Budget) {
        self.files.push((place.0.join("/"), bytes.to_vec()));
    }

    fn begin_file(&mut self, place: &Place, _budget: &mut Budget) -> bool {
        if self.streams {
            self.open.push((place.0.join("/"), Vec::new()));
        }
        self.streams
    }

    fn push_file(&mut self, bytes: &[u8], _budget: &mut Budget) {
        self.open.last_mut().expect("a file is open").1.extend_from_slice(bytes);
    }

    fn end_file(&mut self, _budget: &mut Budget) {
        self.files.push(self.open.pop().expect("a file is open"));
    }

    fn encrypted(&mut self, _place: &Place, scheme: &'static str) {
        self.encrypted.push(scheme);
    }

    fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }
}

/// What one object may spend by default.
pub(super) fn allowance() -> Budget {
    Budget { unpacked_bytes: 256 << 20, entries: 10_000, depth: 10 }
}

/// What work on an object at the empty place gives.
pub(super) fn see(run: impl FnOnce(&mut Work<'_>)) -> Seen {
    let mut seen = Seen::default();
    run(&mut Work { place: &Place::default(), sink: &mut seen, budget: &mut allowance() });
    seen
}

/// Types and extracts an object.
pub(super) fn seen(bytes: &[u8]) -> (ContentType, Seen) {
    let mut kind = crate::content_type::detect(bytes, "");
    let seen = see(|work| kind = whole(kind, bytes, work.place, work.sink, work.budget));
    (kind, seen)
}

/// A first few bytes for every kind that has a reader, so that arbitrary bytes get past the first check.
const FRONTS: &[(ContentType, &[u8])] = &[
    (ContentType::Zip, b"PK\x03\x04"),
    (ContentType::Compound, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"),
    (ContentType::Pdf, b"%PDF-1.7\n1 0 obj <</Type/Catalog/Pages 2 0 R>> stream\n"),
    (ContentType::Parquet, b"PAR1"),
    (ContentType::Avro, b"Obj\x01"),
    (ContentType::Sqlite, b"SQLite format 3\0\x02\0\x01\x01\0"),
    (ContentType::SevenZip, b"7z\xBC\xAF\x27\x1C\0\x04"),
    (ContentType::Tar, b""),
    (ContentType::Html, b"<table><td>"),
    (ContentType::Rtf, b"{\\rtf1"),
    (ContentType::Mail, b"Content-Type: multipart/mixed; boundary=a\n\n--a\n"),
    (ContentType::Mbox, b"From a Mon\n"),
    (ContentType::Orc, b"ORC"),
    (ContentType::Rar, b"Rar!"),
];

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_end_within_the_budget(bytes: Vec<u8>, at in 0..FRONTS.len()) {
        let (kind, front) = FRONTS[at];
        let bytes = [front, &bytes].concat();
        let mut budget = allowance();
        let mut seen = Seen { streams: bytes.len() % 2 == 0, ..Seen::default() };
        whole(kind, &bytes, &Place::default(), &mut seen, &mut budget);
        proptest::prop_assert!(seen.open.is_empty(), "every file that was begun is ended");
        proptest::prop_assert!(budget.unpacked_bytes <= allowance().unpacked_bytes);
    }
}
