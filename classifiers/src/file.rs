//! What happens to the bytes of one file, be it the object itself or a part of it?

use crate::content_type::{self, ContentType, HEAD_BYTES, Reading};
use crate::copies::FileState;
use crate::credential;
use crate::encrypted::statistics::Statistics;
use crate::encrypted::{self, Coat, Verdict};
use crate::extract::{self, Budget, Decompressor, HELD_BYTES_MAX, Place, Sink};
use crate::gather::Gather;
use crate::planning::Planning;
use crate::scan::Sought;
use crate::sightings::{Position, Start};
use crate::text::{Decoder, TextStream};
use crate::{Flow, Gap, GapReason, Limits};

/// Bytes of the end that are kept for formats that tell what they are only there.
const TAIL_BYTES: usize = 64 << 10;

/// The inside of one object: what was gathered from it, and the parts of it that are being read.
pub(crate) struct Inside {
    pub(crate) gather: Gather,
    limits: std::sync::Arc<Limits>,
    /// Parts that come in pieces, outermost first.
    open: Vec<File>,
    /// How deep the file stands whose bytes are being read.
    depth: u32,
    /// Bytes held in memory for formats that need random access, over all files.
    held: usize,
}

impl Inside {
    pub(crate) fn new(gather: Gather, limits: std::sync::Arc<Limits>) -> Self {
        Self { gather, limits, open: Vec::new(), depth: 0, held: 0 }
    }

    /// The allowance of a new object.
    pub(crate) fn budget(&self) -> Budget {
        Budget {
            unpacked_bytes: self.limits.unpacked_bytes_max,
            entries: self.limits.entries_max,
            depth: self.limits.depth_max,
        }
    }

    fn scan(&mut self, text: &[u8], place: &Place, start: Start) {
        self.gather.scan(text, 0, Position { place, start }, Sought::All);
    }
}

impl Sink for Inside {
    fn text(&mut self, place: &Place, text: &str) {
        self.gather.planning.push(text);
        self.gather.planning.push("\n");
        if let Some(copies) = &mut self.gather.copies {
            copies.text(place, text.as_bytes());
            copies.text(place, b"\n");
        }
        self.scan(text.as_bytes(), place, Start::Part);
    }

    fn row(&mut self, table: &Place, row: u64, cells: &[&str]) {
        self.scan(cells.join("\t").as_bytes(), table, Start::Row(row));
        self.gather.planning.row(cells);
        if let Some(copies) = &mut self.gather.copies {
            copies.row(table, cells.iter().copied());
            for cell in cells {
                copies.text(table, cell.as_bytes());
                copies.text(table, b"\t");
            }
        }
        let key = self.gather.key;
        if let Some(table) = self.gather.table(table) {
            table.row(cells, key);
        }
    }

    fn record(&mut self, table: &Place, row: u64, fields: &[(&str, &str)]) {
        let mut text = String::new();
        for (name, value) in fields {
            text.extend([name, ": ", value, "\n"]);
        }
        self.gather.record(table, fields);
        self.scan(text.as_bytes(), table, Start::Row(row));
        let key = self.gather.key;
        if let Some(table) = self.gather.table(table) {
            table.record(fields, key);
        }
    }

    fn file(&mut self, place: &Place, bytes: &[u8], budget: &mut Budget) {
        let mut file = File::new(place.clone(), None, self.depth + 1);
        file.push(bytes, self, budget);
        file.finish(self, budget);
    }

    fn begin_file(&mut self, place: &Place, _budget: &mut Budget) -> bool {
        self.open.push(File::new(place.clone(), None, self.depth + 1));
        true
    }

    fn push_file(&mut self, bytes: &[u8], budget: &mut Budget) {
        if let Some(mut file) = self.open.pop() {
            file.push(bytes, self, budget);
            self.open.push(file);
        }
    }

    fn end_file(&mut self, budget: &mut Budget) {
        if let Some(file) = self.open.pop() {
            file.finish(self, budget);
        }
    }

    fn encrypted(&mut self, place: &Place, scheme: &'static str) {
        let because =
            format!("a container says that its content is encrypted ({})", scheme.replace('_', " "));
        self.gather.encrypted(place, Verdict { scheme, confidence: 0.99, because });
    }

    fn gap(&mut self, gap: Gap) {
        self.gather.gap(gap);
    }
}

/// How a file is being read.
enum Stage {
    /// Its type is not known yet.
    Head(Vec<u8>),
    /// Text, of which rows and values are read as it comes; it may yet be ciphertext that was printed.
    Text(Box<TextStream>, Option<Box<Coat>>),
    /// Text with a grammar of its own.
    Grammar(Decoder, extract::Stream),
    /// A binary format that is read as it comes.
    Stream(extract::Stream),
    /// A format that needs all its bytes.
    Whole(ContentType, Vec<u8>),
    /// A compressed stream and the file inside it.
    Compressed(Box<Decompressor>, Box<File>),
    /// Bytes of which only the end is still of interest.
    Binary(Box<Binary>),
    /// A format of which only copies are of interest.
    Opaque,
    /// Nothing that comes now is of interest.
    Done,
}

/// What is kept of a file of no known kind: its ends, and how its bytes are distributed for as long as they could be
/// ciphertext.
#[derive(Default)]
struct Binary {
    head: Vec<u8>,
    tail: Vec<u8>,
    statistics: Option<Statistics>,
}

/// One file on its way through.
pub(crate) struct File {
    place: Place,
    name: String,
    size: Option<u64>,
    depth: u32,
    pushed: u64,
    stage: Stage,
    media_type: &'static str,
    /// The running text of this file.
    planning: Planning,
    /// What is remembered of it for copies.
    copies: Option<Box<FileState>>,
}

impl File {
    /// The object itself.
    pub(crate) fn object(name: &str, size: Option<u64>) -> Self {
        Self { name: name.to_owned(), ..Self::new(Place::default(), size, 0) }
    }

    fn new(place: Place, size: Option<u64>, depth: u32) -> Self {
        let name = place.0.last().cloned().unwrap_or_default();
        let (pushed, stage) = (0, Stage::Head(Vec::new()));
        Self {
            place,
            name,
            size,
            depth,
            pushed,
            stage,
            media_type: ContentType::Binary.media_type(),
            planning: Planning::new(),
            copies: None,
        }
    }

    /// Takes the next bytes, of any length.
    pub(crate) fn push(&mut self, bytes: &[u8], inside: &mut Inside, budget: &mut Budget) -> Flow {
        let outer = self.enter(inside);
        self.pushed += bytes.len() as u64;
        let mut rest = bytes;
        if let Stage::Head(head) = &mut self.stage {
            let (now, later) = rest.split_at(rest.len().min(HEAD_BYTES - head.len()));
            head.extend_from_slice(now);
            rest = later;
            if head.len() == HEAD_BYTES {
                self.begin(inside, budget);
            }
        }
        self.next(rest, inside, budget);
        self.leave(inside, outer);
        if matches!(self.stage, Stage::Done) { Flow::Enough } else { Flow::More }
    }

    /// Ends the file; tells its media type.
    pub(crate) fn finish(mut self, inside: &mut Inside, budget: &mut Budget) -> &'static str {
        let outer = self.enter(inside);
        if matches!(self.stage, Stage::Head(_)) {
            self.begin(inside, budget);
        }
        self.end(inside, budget);
        if let Some(copies) = &mut inside.gather.copies {
            copies.end_file(&self.place);
        }
        self.leave(inside, outer);
        inside.gather.document(self.planning, &self.place);
        self.media_type
    }

    /// Makes this the file whose bytes are being read; the depth of the one that was.
    fn enter(&mut self, inside: &mut Inside) -> u32 {
        self.swap(inside);
        std::mem::replace(&mut inside.depth, self.depth)
    }

    fn leave(&mut self, inside: &mut Inside, outer: u32) {
        self.swap(inside);
        inside.depth = outer;
    }

    /// What is gathered of each file on its own changes places with what was gathered of the other.
    fn swap(&mut self, inside: &mut Inside) {
        std::mem::swap(&mut self.planning, &mut inside.gather.planning);
        if let Some(copies) = &mut inside.gather.copies {
            copies.swap(&mut self.copies);
        }
    }

    /// Chooses how to read on, by the head.
    fn begin(&mut self, inside: &mut Inside, budget: &mut Budget) {
        let Stage::Head(head) = std::mem::replace(&mut self.stage, Stage::Done) else { return };
        if self.depth > budget.depth {
            inside.gap(extract::limit_reached("archives are nested deeper than they may"));
            return;
        }
        let kind = content_type::detect(&head, &self.name);
        self.media_type = kind.media_type();
        let ended = head.len() < HEAD_BYTES;
        let size = self.size.or(ended.then_some(head.len() as u64));
        let verdict = encrypted::by_header(&head, size);
        let recognised = verdict.is_some();
        if let Some(verdict) = verdict {
            inside.gather.encrypted(&self.place, verdict);
        }
        if let Some(secret) = credential::key_file(&head, &self.name, ended) {
            let key = inside.gather.key;
            inside.gather.secrets.whole(&head, secret, &self.place, key);
        }
        self.stage = match kind.reading() {
            Reading::Text => match extract::Stream::new(kind, &self.place) {
                Some(stream) => Stage::Grammar(Decoder::of(&head), stream),
                None => {
                    let coat = if recognised { None } else { Coat::of(&head).map(Box::new) };
                    Stage::Text(Box::new(TextStream::new(self.place.clone(), &head)), coat)
                }
            },
            Reading::Stream => match extract::Stream::new(kind, &self.place) {
                Some(stream) => Stage::Stream(stream),
                None => self.unsupported(inside),
            },
            Reading::Whole => Stage::Whole(kind, Vec::new()),
            Reading::Compressed => match Decompressor::new(kind) {
                Some(decompressor) => {
                    let mut inner = Self::new(self.place.clone(), None, self.depth + 1);
                    inner.name = stem(&self.name).to_owned();
                    Stage::Compressed(Box::new(decompressor), Box::new(inner))
                }
                None => self.unsupported(inside),
            },
            Reading::Opaque if inside.gather.copies.as_ref().is_some_and(|copies| copies.wants_pieces()) => {
                Stage::Opaque
            }
            Reading::Opaque => Stage::Done,
            Reading::Unknown => {
                let statistics = (!recognised).then(Statistics::new);
                Stage::Binary(Box::new(Binary { statistics, ..Binary::default() }))
            }
        };
        self.next(&head, inside, budget);
    }

    /// Takes a piece of what was unpacked, within the allowance.
    fn take(&mut self, piece: &[u8], inside: &mut Inside, budget: &mut Budget) -> Result<(), Gap> {
        budget.unpack(piece.len() as u64)?;
        self.push(piece, inside, budget);
        Ok(())
    }

    fn unsupported(&self, inside: &mut Inside) -> Stage {
        inside.gap(Gap {
            reason: GapReason::Unsupported,
            detail: format!("no reader for {}", self.media_type),
        });
        Stage::Done
    }

    fn next(&mut self, bytes: &[u8], inside: &mut Inside, budget: &mut Budget) {
        if bytes.is_empty() {
            return;
        }
        if matches!(self.stage, Stage::Binary(_) | Stage::Whole(..) | Stage::Opaque)
            && let Some(copies) = &mut inside.gather.copies
        {
            copies.bytes(&self.place, bytes);
        }
        match &mut self.stage {
            Stage::Head(_) | Stage::Opaque | Stage::Done => {}
            Stage::Text(text, coat) => {
                if coat.as_mut().is_some_and(|coat| !coat.push(bytes)) {
                    *coat = None;
                }
                text.push(&mut inside.gather, bytes);
            }
            Stage::Grammar(decoder, stream) => {
                decoder.decode(bytes, |text| stream.push(text, inside, budget))
            }
            Stage::Stream(stream) => stream.push(bytes, inside, budget),
            Stage::Whole(_, held) => {
                let most =
                    if self.depth == 0 { inside.limits.buffer_bytes_max } else { HELD_BYTES_MAX as u64 };
                let all = (inside.held + bytes.len()) as u64;
                let grown = (held.len() + bytes.len()) as u64;
                if grown > most || all > inside.limits.buffer_bytes_max {
                    inside.held -= held.len();
                    inside.gap(extract::limit_reached(
                        "its format needs more bytes in memory than one object may",
                    ));
                    let mut binary = Box::new(Binary::default());
                    let held = std::mem::take(held);
                    binary.take(&held);
                    binary.take(bytes);
                    self.stage = Stage::Binary(binary);
                    return;
                }
                inside.held += bytes.len();
                held.extend_from_slice(bytes);
            }
            Stage::Compressed(decompressor, inner) => {
                let result = decompressor.push(bytes, &mut |piece| inner.take(piece, inside, budget));
                if let Err(gap) = result {
                    inside.gap(gap);
                }
            }
            Stage::Binary(binary) => binary.take(bytes),
        }
    }

    fn end(&mut self, inside: &mut Inside, budget: &mut Budget) {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Head(_) | Stage::Opaque | Stage::Done => {}
            Stage::Text(text, coat) => {
                if let Some(verdict) = coat.and_then(|coat| coat.finish(&self.name)) {
                    inside.gather.encrypted(&self.place, verdict);
                }
                let found = text.finish(&mut inside.gather);
                if self.media_type == ContentType::Plain.media_type() {
                    self.media_type = found;
                }
            }
            Stage::Grammar(mut decoder, mut stream) => {
                decoder.finish(|text| stream.push(text, inside, budget));
                stream.finish(inside, budget);
            }
            Stage::Stream(mut stream) => stream.finish(inside, budget),
            Stage::Whole(kind, held) => {
                // A PDF that names encryption may be open to everybody all the same: its reader knows.
                if kind != ContentType::Pdf
                    && let Some(verdict) = self.tail_verdict(&held, &held)
                {
                    inside.gather.encrypted(&self.place, verdict);
                }
                self.media_type = extract::whole(kind, &held, &self.place, inside, budget).media_type();
                inside.held -= held.len();
            }
            Stage::Compressed(decompressor, mut inner) => {
                let result = decompressor.finish(&mut |piece| inner.take(piece, inside, budget));
                if let Err(gap) = result {
                    inside.gap(gap);
                }
                inner.finish(inside, budget);
            }
            Stage::Binary(binary) => {
                let by_tail = self.tail_verdict(&binary.head, &binary.tail);
                let verdict =
                    by_tail.or_else(|| binary.statistics.and_then(|counts| counts.finish(&self.name)));
                if let Some(verdict) = verdict {
                    inside.gather.encrypted(&self.place, verdict);
                }
            }
        }
    }

    fn tail_verdict(&self, head: &[u8], tail: &[u8]) -> Option<Verdict> {
        let tail = tail.get(tail.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default();
        encrypted::by_tail(head, tail, self.pushed)
    }
}

impl Binary {
    fn take(&mut self, bytes: &[u8]) {
        if self.statistics.as_mut().is_some_and(|counts| !counts.push(bytes)) {
            self.statistics = None;
        }
        let room = TAIL_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(bytes.get(..room).unwrap_or_default());
        let last = bytes.get(bytes.len().saturating_sub(TAIL_BYTES)..).unwrap_or_default();
        let gone = (self.tail.len() + last.len()).saturating_sub(TAIL_BYTES).min(self.tail.len());
        self.tail.drain(..gone);
        self.tail.extend_from_slice(last);
    }
}

/// A name without its last extension: what `people.csv.gz` holds is `people.csv`.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}
