//! What is a known document known by?

use std::collections::HashSet;

use super::index::Known;
use super::key::Kind;

/// Prints of one kind that are kept of one document; of larger ones every so many-th by its hash, so that what is kept does not
/// depend on where it stands.
const PRINTS_MAX: usize = 1 << 18;

/// The prints of one document, in the order in which they stand in it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Collected {
    words: Prints,
    rows: Prints,
    pieces: Prints,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Prints {
    kept: Vec<Known>,
    /// What repeats within a document counts once.
    seen: HashSet<Known>,
    /// Only prints of which so many low bits are zero are kept.
    zeros: u32,
}

impl Collected {
    pub(super) fn take(&mut self, kind: Kind, known: Known) {
        match kind {
            Kind::Words => self.words.take(known),
            Kind::Row => self.rows.take(known),
            Kind::Piece => self.pieces.take(known),
            Kind::Whole => {}
        }
    }

    pub(super) fn by_kind(&self) -> impl Iterator<Item = (Kind, &[Known])> {
        [(Kind::Words, &self.words), (Kind::Row, &self.rows), (Kind::Piece, &self.pieces)]
            .into_iter()
            .map(|(kind, prints)| (kind, prints.kept.as_slice()))
    }

    /// How many prints there are.
    pub fn len(&self) -> usize {
        self.by_kind().map(|(_, prints)| prints.len()).sum()
    }

    /// Whether the document can be known by its digests alone.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Prints {
    fn take(&mut self, known: Known) {
        if !keeps(known, self.zeros) || !self.seen.insert(known) {
            return;
        }
        self.kept.push(known);
        while self.kept.len() > PRINTS_MAX {
            self.zeros += 1;
            let zeros = self.zeros;
            self.kept.retain(|known| keeps(*known, zeros));
            self.seen.retain(|known| keeps(*known, zeros));
        }
    }
}

fn keeps(known: Known, zeros: u32) -> bool {
    known.print.trailing_zeros() >= zeros
}
