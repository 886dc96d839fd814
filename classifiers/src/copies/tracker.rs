//! What of an object, and of everything nested in it, goes into an index or is sought in one?

use std::borrow::Cow;
use std::sync::Arc;

use super::collected::Collected;
use super::index::{Index, Known};
use super::key::{IndexKey, Kind};
use super::matches::{Match, Matches, Spot};
use super::pieces::Cutter;
use super::rows::Cells;
use super::words::{Run, Winnow};
use crate::extract::Place;

/// Rows of a table that are all looked at; of further ones one in [`ROWS_EVERY`], and those after one that was found.
const ROWS_FIRST: u64 = 1024;
const ROWS_EVERY: u64 = 4;
const ROWS_AFTER: u64 = 256;
/// Longer lines are looked at whatever their number: they may hold a text.
const LINE_BYTES: usize = 400;

/// One object on its way into an index, or past one.
#[derive(Debug)]
pub(crate) struct Tracker {
    key: IndexKey,
    job: Job,
    file: FileState,
}

#[derive(Debug)]
enum Job {
    Collect(Collected),
    Seek(Box<Matches>),
}

/// What is remembered of one file between its pieces.
#[derive(Debug, Default)]
pub(crate) struct FileState {
    words: Winnow,
    cutter: Cutter,
    rows: u64,
    /// Every row is looked at up to this one.
    rows_until: u64,
}

impl Tracker {
    pub(crate) fn collect(key: IndexKey) -> Self {
        Self { key, job: Job::Collect(Collected::default()), file: FileState::default() }
    }

    pub(crate) fn seek(index: Arc<Index>) -> Self {
        let key = index.key().clone();
        Self { key, job: Job::Seek(Box::new(Matches::new(index))), file: FileState::default() }
    }

    /// Makes the file with this state the one that is being read; the state of the other is left in its place.
    pub(crate) fn swap(&mut self, state: &mut Option<Box<FileState>>) {
        let begin = || {
            let words = match self.job {
                Job::Collect(_) => Winnow::knowing_licences(),
                Job::Seek(_) => Winnow::default(),
            };
            Box::new(FileState { words, ..FileState::default() })
        };
        std::mem::swap(&mut self.file, state.get_or_insert_with(begin));
    }

    /// Whether bytes that no reader understands are of use.
    pub(crate) fn wants_pieces(&self) -> bool {
        self.job.wants(Kind::Piece)
    }

    /// Running text, in pieces of any length.
    pub(crate) fn text(&mut self, place: &Place, text: &[u8]) {
        if !self.job.wants(Kind::Words) {
            return;
        }
        let Self { key, job, file } = self;
        file.words.push(key, &unescaped(text), &mut |run| job.run(key, place, run));
    }

    /// The lines of a table or a log in text, whatever it is written as.
    pub(crate) fn lines(&mut self, place: &Place, block: &[u8], is_log: bool) {
        if !self.job.wants(Kind::Row) && !self.job.wants(Kind::Words) {
            return;
        }
        let mut rest = block;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (line, tail) = rest.split_at(end);
            rest = tail.get(1..).unwrap_or_default();
            self.file.rows += 1;
            if self.file.looks_at(line.len()) || matches!(self.job, Job::Collect(_)) {
                self.line(place, line, is_log);
            }
        }
    }

    fn line(&mut self, place: &Place, line: &[u8], is_log: bool) {
        let line = unescaped(line);
        let mut cells = Cells::default();
        cells.line(&self.key, &line);
        if cells.is_prose() && !is_log {
            self.text(place, &line);
            self.text(place, b"\n");
        }
        self.end_row(place, cells);
    }

    /// A row of cells, or the values of a record.
    pub(crate) fn row<'a>(&mut self, place: &Place, values: impl Iterator<Item = &'a str>) {
        self.file.rows += 1;
        if !self.job.wants(Kind::Row) {
            return;
        }
        let mut cells = Cells::default();
        for value in values {
            cells.line(&self.key, value.as_bytes());
        }
        self.end_row(place, cells);
    }

    fn end_row(&mut self, place: &Place, cells: Cells) {
        let Some(row) = cells.end() else { return };
        let Self { key, job, file } = self;
        let pick = row.pick(key);
        let found = job.take(
            Kind::Row,
            pick,
            || key.print_of(Kind::Row, &row.cells),
            place,
            Spot { at: file.rows, length: 1 },
        );
        if found {
            file.rows_until = file.rows + ROWS_AFTER;
        }
    }

    /// Bytes of a file that are no text.
    pub(crate) fn bytes(&mut self, place: &Place, bytes: &[u8]) {
        if !self.wants_pieces() {
            return;
        }
        let Self { key, job, file } = self;
        file.cutter.push(key, bytes, &mut |piece| {
            job.take(Kind::Piece, key.pick(Kind::Piece, piece.print), || piece.print, place, piece.spot());
        });
    }

    /// Ends the file that is being read.
    pub(crate) fn end_file(&mut self, place: &Place) {
        let Self { key, job, file } = self;
        file.words.finish(key, &mut |run| job.run(key, place, run));
        file.cutter.finish(key, &mut |piece| {
            job.take(Kind::Piece, key.pick(Kind::Piece, piece.print), || piece.print, place, piece.spot());
        });
        if let Job::Seek(matches) = job {
            matches.end_file();
        }
    }

    /// Ends the object: the known documents that stand in it.
    pub(crate) fn matches(self) -> Vec<Match> {
        match self.job {
            Job::Seek(matches) => matches.finish(),
            Job::Collect(_) => Vec::new(),
        }
    }

    /// Ends the object: what it is known by.
    pub(crate) fn collected(self) -> Collected {
        match self.job {
            Job::Collect(collected) => collected,
            Job::Seek(_) => Collected::default(),
        }
    }
}

impl FileState {
    fn looks_at(&self, line_bytes: usize) -> bool {
        self.rows <= ROWS_FIRST
            || self.rows <= self.rows_until
            || self.rows.is_multiple_of(ROWS_EVERY)
            || line_bytes > LINE_BYTES
    }
}

impl Job {
    fn wants(&self, kind: Kind) -> bool {
        match self {
            Self::Collect(_) => true,
            Self::Seek(matches) => matches.index().has(kind),
        }
    }

    fn run(&mut self, key: &IndexKey, place: &Place, run: Run) {
        if run.of_licence {
            return;
        }
        let spot = Spot { at: run.at, length: run.words.len() as u64 };
        self.take(Kind::Words, run.pick, || key.print_of(Kind::Words, &run.words), place, spot);
    }

    /// Takes a print, which is made only where it is needed; whether it was found.
    fn take(
        &mut self,
        kind: Kind,
        pick: u64,
        print: impl FnOnce() -> u64,
        place: &Place,
        spot: Spot,
    ) -> bool {
        match self {
            Self::Collect(collected) => {
                collected.take(kind, Known::by(pick, print()));
                false
            }
            Self::Seek(matches) => {
                matches.index().may_hold(pick) && matches.seek(kind, pick, print(), place, spot)
            }
        }
    }
}

/// A text in which backslashes no longer stand for line ends, quotes and letters, as they do in JSON and SQL. Bounded by the text.
fn unescaped(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', text).is_none() {
        return Cow::Borrowed(text);
    }
    let (mut plain, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, after) = rest.split_at(at);
        plain.extend_from_slice(before);
        rest = match after {
            [_, b'n' | b'r' | b't', tail @ ..] => {
                plain.push(b' ');
                tail
            }
            [_, b'u', digits @ ..] if let Some(char) = digits.get(..4).and_then(code_unit) => {
                plain.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                digits.get(4..).unwrap_or_default()
            }
            [_, tail @ ..] => tail,
            [] => b"",
        };
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// What four hexadecimal digits stand for; halves of pairs are no words.
fn code_unit(digits: &[u8]) -> Option<char> {
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    Some(char::from_u32(code).unwrap_or(' '))
}
