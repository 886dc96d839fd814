//! What of an object, and of everything nested in it, goes into an index or is sought in one?

use std::borrow::Cow;
use std::sync::Arc;

use super::collected::Collected;
use super::index::{Index, Known};
use super::key::{IndexKey, Kind};
use super::matches::{Candidate, Match, Matches, Spot};
use super::pieces::Cutter;
use super::rows::Cells;
use super::words::{Run, Winnow};
use crate::extract::Place;

/// Rows of a table that are all looked at; of further ones one in [`ROWS_EVERY`], and all around one that was found.
const ROWS_FIRST: u64 = 256;
const ROWS_EVERY: usize = 20;
const ROWS_AFTER: u64 = 8192;
/// Strides whose lines are looked up together.
const STRIDES: usize = 8;
/// Bytes of a running text that are all looked at; of further stretches one in so many, and all that follow one where something
/// was found.
const TEXT_FIRST: u64 = 256 << 10;
const TEXT_STRETCH: usize = 4 << 10;
const TEXT_EVERY: u64 = 4;
const TEXT_AFTER: u64 = 256 << 10;
/// After a longer line none is passed over: they may hold texts.
const LINE_BYTES: usize = 500;

/// One object on its way into an index, or past one.
#[derive(Debug)]
pub(crate) struct Tracker {
    key: IndexKey,
    job: Job,
    file: FileState,
}

#[derive(Debug)]
enum Job {
    Collect(Box<Collected>),
    Seek(Box<Matches>),
}

/// What is remembered of one file between its pieces.
#[derive(Debug, Default)]
pub(crate) struct FileState {
    words: Winnow,
    text_bytes: u64,
    /// Every byte of text is looked at up to this one.
    text_until: u64,
    cutter: Cutter,
    rows: u64,
    /// The length of the last line that was looked at.
    line_bytes: usize,
    /// Every row is looked at up to this one.
    rows_until: u64,
}

impl Tracker {
    pub(crate) fn collect(key: IndexKey) -> Self {
        Self { key, job: Job::Collect(Box::default()), file: FileState::default() }
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
        let mut rest = text;
        while !rest.is_empty() {
            let (stretch, looks) = self.stretch(rest.len());
            let (now, later) = rest.split_at(stretch);
            self.file.text_bytes += now.len() as u64;
            if looks {
                let Self { key, job, file } = self;
                file.words.push(key, &unescaped(now), &mut |run| job.run(key, place, run));
            }
            rest = later;
        }
    }

    /// How many of the next bytes of text are taken together, and whether they are looked at.
    fn stretch(&mut self, bytes: usize) -> (usize, bool) {
        let text_bytes = self.file.text_bytes;
        if text_bytes < TEXT_FIRST || matches!(self.job, Job::Collect(_)) {
            return (bytes, true);
        }
        let (number, within) = (text_bytes / TEXT_STRETCH as u64, text_bytes % TEXT_STRETCH as u64);
        if within == 0 && self.look_up() {
            self.file.text_until = text_bytes + TEXT_AFTER;
        }
        let looks = text_bytes < self.file.text_until || number.is_multiple_of(TEXT_EVERY);
        let within = usize::try_from(within).unwrap_or(0);
        (bytes.min(TEXT_STRETCH - within), looks)
    }

    /// The lines of a table or a log in text, whatever it is written as.
    pub(crate) fn lines(&mut self, place: &Place, block: &[u8], is_log: bool) {
        if !self.job.wants(Kind::Row) && !self.job.wants(Kind::Words) {
            return;
        }
        let mut rest = block;
        // The strides whose lines were not looked up yet, and where the first of them began.
        let (mut waiting, mut first, mut until) = (0, (rest, 0), 0);
        while !rest.is_empty() {
            let stride = self.stride(rest);
            if stride > 0 && waiting == 0 {
                (first, until) = ((rest, self.file.rows), self.file.rows_until);
            }
            let (passed, tail) = rest.split_at(stride);
            self.file.rows += memchr::memchr_iter(b'\n', passed).count() as u64;
            let (line, tail) = first_line(tail);
            self.file.rows += 1;
            self.line(place, line, is_log);
            rest = tail;
            waiting += usize::from(stride > 0);
            if waiting == STRIDES || (waiting > 0 && rest.is_empty()) {
                waiting = 0;
                if self.look_up() || self.file.rows_until > until {
                    // One that is known stands for its neighbours: from there on all are looked at.
                    (rest, self.file.rows) = first;
                }
            }
        }
    }

    /// How many bytes of whole lines are passed over before the next line that is looked at.
    fn stride(&self, rest: &[u8]) -> usize {
        let FileState { rows, rows_until, line_bytes, .. } = self.file;
        if rows < ROWS_FIRST.max(rows_until) || matches!(self.job, Job::Collect(_)) || line_bytes > LINE_BYTES
        {
            return 0;
        }
        let near = rest.get(..line_bytes * ROWS_EVERY).unwrap_or(rest);
        memchr::memrchr(b'\n', near.get(..near.len().saturating_sub(1)).unwrap_or_default())
            .map_or(0, |at| at + 1)
    }

    /// Looks up what waits; whether something of it is known.
    fn look_up(&mut self) -> bool {
        let found = match &mut self.job {
            Job::Seek(matches) => matches.look_up(),
            Job::Collect(_) => false,
        };
        if found {
            self.file.rows_until = self.file.rows + ROWS_AFTER;
        }
        found
    }

    fn line(&mut self, place: &Place, line: &[u8], is_log: bool) {
        self.file.line_bytes = line.len();
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
        let spot = Spot { at: file.rows, length: 1 };
        let candidate = Candidate { kind: Kind::Row, pick: row.pick(key), hashes: row.hashes(), spot };
        if job.take(key, candidate, place) {
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
            job.take(key, piece.candidate(key), place);
        });
    }

    /// Ends the file that is being read.
    pub(crate) fn end_file(&mut self, place: &Place) {
        let Self { key, job, file } = self;
        file.words.finish(key, &mut |run| job.run(key, place, run));
        file.cutter.finish(key, &mut |piece| {
            job.take(key, piece.candidate(key), place);
        });
        if let Job::Seek(matches) = job {
            matches.end_file();
        }
    }

    /// Ends the object: the known documents that stand in it, and whether there were more than are followed.
    pub(crate) fn matches(self) -> (Vec<Match>, bool) {
        match self.job {
            Job::Seek(matches) => matches.finish(),
            Job::Collect(_) => (Vec::new(), false),
        }
    }

    /// Ends the object: what it is known by.
    pub(crate) fn collected(self) -> Collected {
        match self.job {
            Job::Collect(collected) => *collected,
            Job::Seek(_) => Collected::default(),
        }
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
        if !run.of_licence {
            let spot = Spot { at: run.at, length: run.words.len() as u64 };
            self.take(key, Candidate { kind: Kind::Words, pick: run.pick, hashes: run.words, spot }, place);
        }
    }

    /// Takes what may be known; whether something is that was looked up on this occasion.
    fn take(&mut self, key: &IndexKey, candidate: Candidate, place: &Place) -> bool {
        match self {
            Self::Collect(collected) => {
                collected.take(candidate.kind, Known::by(candidate.pick, candidate.print(key)));
                false
            }
            Self::Seek(matches) => matches.take(candidate, place),
        }
    }
}

/// The first line, and what follows it.
fn first_line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, tail) = text.split_at(memchr::memchr(b'\n', text).unwrap_or(text.len()));
    (line, tail.get(1..).unwrap_or_default())
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
