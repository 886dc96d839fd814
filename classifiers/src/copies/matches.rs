//! Which known documents stand in an object, how much of each, and where?

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::index::{Document, Index, ORDINAL_MASK};
use super::key::{HASHES, IndexKey, Kind};
use crate::extract::Place;
use crate::{Masked, mask};

/// Candidates that are looked up together: one bit each.
const WAITING_MAX: usize = 64;
/// Documents followed in one object.
const DOCUMENTS_MAX: usize = 1024;
/// Prints remembered of one object, over all documents.
const PRINTS_MAX: usize = 1 << 18;
/// Runs of words that follow each other in a document do so in its copy within so many words.
const NEAR_WORDS: u64 = 64;
/// How many prints of a document may be missing between two that follow each other.
const NEAR_ORDINALS: u8 = 4;
/// Runs of words by which a document must be known to be told by all of them in any order.
const WORDS_MIN: u32 = 2;
/// Rows that tables share by chance are fewer.
const ROWS_MIN: u32 = 8;
/// The same for tables that hardly have as many.
const ROWS_MIN_OF_FEW: u32 = 3;
/// A document of which less was seen beside another that explains the same prints is not told.
const OWN_SHARE: usize = 2;

/// How a known document was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By runs of its words.
    Words,
    /// By rows of its tables.
    Rows,
    /// By pieces of its bytes.
    Pieces,
}

impl How {
    /// The word used in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Rows => "rows",
            Self::Pieces => "pieces",
        }
    }
}

/// A known document that stands in an object, or a part of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Match {
    /// Its name, screened.
    pub document: Masked,
    /// Its number in the index.
    #[serde(skip)]
    pub number: u32,
    /// How it was recognised.
    pub how: How,
    /// How much of it is here, 0..=1.
    pub share: f64,
    /// How many of its prints (runs of words, rows, pieces) are here.
    pub prints: u32,
    /// Path inside archives and documents, masked where it is made of content; empty for the object itself.
    pub at: Masked,
    /// From which word, row or byte on, counted from zero (rows from one).
    pub from: u64,
    /// Up to which one.
    pub to: u64,
}

/// Where a print stands in its file, in words, rows or bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) at: u64,
    pub(super) length: u64,
}

/// Something that may stand in an index.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) kind: Kind,
    /// By what the filter knows it.
    pub(super) pick: u64,
    /// What its print is made of; of a piece, the print itself.
    pub(super) hashes: [u64; HASHES],
    pub(super) spot: Spot,
}

impl Candidate {
    pub(super) fn print(&self, key: &IndexKey) -> u64 {
        match self.kind {
            Kind::Piece => self.hashes.first().copied().unwrap_or(0),
            kind => key.print_of(kind, &self.hashes),
        }
    }
}

/// What was seen of known documents so far.
#[derive(Debug)]
pub(super) struct Matches {
    index: Arc<Index>,
    /// Candidates of one place that were not looked up yet: the filter answers many at once faster than one by one, since each
    /// answer lies elsewhere in memory.
    waiting: Vec<Candidate>,
    place: Place,
    seen: HashMap<(u32, How), Seen>,
    prints: usize,
    /// There were more documents or prints than are followed.
    overflowed: bool,
    /// The number of the file within the object.
    file: u32,
}

#[derive(Debug)]
struct Seen {
    prints: HashSet<u64>,
    at: Masked,
    from: u64,
    to: u64,
    file: u32,
    last: u64,
    last_ordinal: u8,
    /// Prints that followed the one before as they do in the document.
    in_order: u32,
}

impl Matches {
    pub(super) fn new(index: Arc<Index>) -> Self {
        let (waiting, place) = (Vec::with_capacity(WAITING_MAX), Place::default());
        Self { index, waiting, place, seen: HashMap::new(), prints: 0, overflowed: false, file: 0 }
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Takes a candidate; whether some of those that were looked up on this occasion are known.
    pub(super) fn take(&mut self, candidate: Candidate, place: &Place) -> bool {
        let mut found = false;
        if self.waiting.len() == WAITING_MAX || self.place != *place {
            found = self.look_up();
            if self.place != *place {
                self.place = place.clone();
            }
        }
        self.waiting.push(candidate);
        found
    }

    pub(super) fn end_file(&mut self) {
        self.look_up();
        self.file += 1;
    }

    /// Looks up what waits, in order; whether something of it is known.
    pub(super) fn look_up(&mut self) -> bool {
        let mut known = 0_u64;
        for (bit, candidate) in self.waiting.iter().enumerate() {
            known |= u64::from(self.index.may_hold(candidate.pick)) << bit;
        }
        let mut found = false;
        let waiting = std::mem::take(&mut self.waiting);
        for (bit, candidate) in waiting.iter().enumerate() {
            if known >> bit & 1 == 1 {
                found |= self.seek(candidate);
            }
        }
        self.waiting = waiting;
        self.waiting.clear();
        found
    }

    /// Whether a document has the candidate.
    fn seek(&mut self, candidate: &Candidate) -> bool {
        let Candidate { kind, pick, spot, .. } = *candidate;
        let how = match kind {
            Kind::Words => How::Words,
            Kind::Row => How::Rows,
            Kind::Piece => How::Pieces,
            Kind::Whole => return false,
        };
        let mut print = 0;
        let entries = self.index.find(pick, || {
            print = candidate.print(self.index.key());
            print
        });
        let mut found = false;
        for entry in entries.into_iter().filter(|entry| entry.kind() == kind) {
            found = true;
            let id = (entry.document(), how);
            if !self.seen.contains_key(&id) && self.seen.len() == DOCUMENTS_MAX {
                self.overflowed = true;
                continue;
            }
            let seen = self.seen.entry(id).or_insert_with(|| Seen::first(&self.place, spot, self.file));
            if self.prints == PRINTS_MAX {
                self.overflowed = true;
            } else if seen.prints.insert(print) {
                self.prints += 1;
            }
            seen.follow(entry.ordinal(), spot, self.file);
        }
        found
    }

    /// The documents that are here, the largest part first, and whether there were more than are followed.
    pub(super) fn finish(mut self) -> (Vec<Match>, bool) {
        self.look_up();
        let Self { index, seen, overflowed, .. } = self;
        let mut all: Vec<(Match, HashSet<u64>)> = Vec::new();
        for ((number, how), seen) in seen {
            let Some(document) = index.document(number).filter(|document| seen.is_enough(how, document))
            else {
                continue;
            };
            all.push((seen.tell(number, how, &document), seen.prints));
        }
        all.sort_by(|(a, _), (b, _)| {
            let order = b.prints.cmp(&a.prints).then(b.share.total_cmp(&a.share));
            order.then(a.number.cmp(&b.number)).then(a.how.cmp(&b.how))
        });
        // Drafts of one document share most prints: those are told that explain something of their own.
        let (mut explained, mut told): (HashSet<u64>, Vec<Match>) = (HashSet::new(), Vec::new());
        for (found, prints) in all {
            let own = prints.iter().filter(|print| !explained.contains(print)).count();
            // Words and rows of one document are one copy.
            let again = told.iter().any(|other| other.number == found.number);
            if own * OWN_SHARE >= prints.len() {
                explained.extend(prints);
                if !again {
                    told.push(found);
                }
            }
        }
        (told, overflowed)
    }
}

impl Seen {
    fn first(place: &Place, spot: Spot, file: u32) -> Self {
        let parts: Vec<_> = place.0.iter().map(|part| mask::label(part)).collect();
        Self {
            prints: HashSet::new(),
            at: Masked::joined(&parts),
            from: spot.at,
            to: spot.at + spot.length,
            file,
            last: u64::MAX,
            last_ordinal: 0,
            in_order: 0,
        }
    }

    fn follow(&mut self, ordinal: u8, spot: Spot, file: u32) {
        if file == self.file {
            self.to = self.to.max(spot.at + spot.length);
            let step = ordinal.wrapping_sub(self.last_ordinal) & ORDINAL_MASK;
            let near = spot.at > self.last && spot.at - self.last <= NEAR_WORDS;
            self.in_order += u32::from(near && (1..=NEAR_ORDINALS).contains(&step));
            (self.last, self.last_ordinal) = (spot.at, ordinal);
        } else {
            // The first file is told; in any other the order begins anew.
            self.file = file;
            (self.last, self.last_ordinal) = (spot.at, ordinal);
        }
    }

    fn is_enough(&self, how: How, document: &Document) -> bool {
        let found = u32::try_from(self.prints.len()).unwrap_or(u32::MAX);
        match how {
            // Two that follow each other: a passage, not a phrase.
            How::Words => self.in_order >= 1 || (found >= document.words && found >= WORDS_MIN),
            How::Rows => found >= document.rows.div_ceil(2).clamp(ROWS_MIN_OF_FEW, ROWS_MIN),
            How::Pieces => found >= 2.min(document.pieces),
        }
    }

    fn tell(&self, number: u32, how: How, document: &Document) -> Match {
        let prints = u32::try_from(self.prints.len()).unwrap_or(u32::MAX);
        let all = match how {
            How::Words => document.words,
            How::Rows => document.rows,
            How::Pieces => document.pieces,
        };
        let share = f64::from(prints) / f64::from(all.max(1));
        Match {
            document: mask::screen(&document.name),
            number,
            how,
            share: (share.min(1.0) * 1000.0).round() / 1000.0,
            prints,
            at: self.at.clone(),
            from: self.from,
            to: self.to,
        }
    }
}
