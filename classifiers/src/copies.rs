//! Is this a copy of a document that is known, or does it hold a part of one?
//!
//! ```text
//! IndexKey ─┬─ Classifier::begin_known → Known::finish → Collected ─→ IndexBuilder::add… → write
//!           └─ Index::open ─→ Index::by_digest (from listings alone)
//!                          └─ Classifier::with_index → Classification::copies
//! ```
//!
//! A document is known by four things: digests of the whole file, runs of its words, rows of its tables, pieces of its bytes. All of
//! them stand in the index as keyed hashes: who has the index without the key learns how many documents there are, and no more.

mod build;
mod collected;
mod digests;
mod index;
mod key;
pub mod licences;
mod matches;
mod pieces;
mod rows;
mod tracker;
mod words;

pub use build::{IndexBuilder, IndexFull};
pub use collected::Collected;
pub use digests::{Digest, Digester};
pub use index::{Document, Index, IndexError, Source};
pub use key::{IndexKey, KEY_BYTES};
pub use matches::{How, Match};
pub(crate) use tracker::{FileState, Tracker};

use crate::session::{Classifier, Flow, Hints, Session};

/// A document on its way into an index.
pub struct KnownDocument(Session);

impl Classifier {
    /// Starts on a document that is to be known.
    pub fn begin_known(&self, hints: Hints<'_>, key: &IndexKey) -> KnownDocument {
        KnownDocument(self.begin_tracked(hints, Tracker::collect(key.clone())))
    }
}

impl KnownDocument {
    /// Takes the next bytes, of any length.
    pub fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0.push(bytes)
    }

    /// Ends the document: what it is known by, and what could not be looked at.
    pub fn finish(self) -> (Collected, Vec<crate::Gap>) {
        let (classification, gather) = self.0.end();
        let collected = gather.copies.map(|tracker| tracker.collected()).unwrap_or_default();
        (collected, classification.gaps)
    }
}

#[cfg(test)]
mod tests;
