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
