//! What happens to the bytes of one object, from its first chunk to its classification?

use std::sync::Arc;

use crate::content_type::HEAD_BYTES;
use crate::copies::{Index, Tracker};
use crate::extract::{Budget, limit_reached};
use crate::file::{File, Inside};
use crate::gather::Gather;
use crate::sketch::HashKey;
use crate::{Classification, Gap, GapReason, detectors, encrypted};

/// What may be spent on one object.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes kept in memory for formats that need random access; larger objects of such a format are a gap.
    pub buffer_bytes_max: u64,
    /// Bytes that decompression and extraction may produce from one object.
    pub unpacked_bytes_max: u64,
    /// Archives within archives.
    pub depth_max: u32,
    /// Entries of one archive.
    pub entries_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { buffer_bytes_max: 32 << 20, unpacked_bytes_max: 256 << 20, depth_max: 10, entries_max: 10_000 }
    }
}

/// What is known of an object before its bytes; all of it is hostile.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The object's key or path.
    pub name: &'a str,
    /// Its size, where known.
    pub size_bytes: Option<u64>,
    /// User metadata and encryption headers, keys in lower case, for example (`x-amz-key-v2`, …).
    pub metadata: &'a [(String, String)],
    /// When it was last written, in seconds since 1970.
    pub modified: Option<i64>,
}

/// Whether further bytes are of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    More,
    /// The verdict stands: reading on would change nothing.
    Enough,
}

/// The rules, limits and keys shared by all sessions: make one, use it from every thread. Making it costs nothing, as
/// nothing is compiled.
#[derive(Debug, Clone)]
pub struct Classifier {
    limits: Arc<Limits>,
    key: HashKey,
    /// The documents of which copies are sought.
    index: Option<Arc<Index>>,
}

impl Default for Classifier {
    /// With the default limits and a fixed key: counts can be merged with any other default, hashes can be guessed.
    fn default() -> Self {
        Self::new(Limits::default(), [0; 32])
    }
}

impl Classifier {
    /// `sketch_key` keys the hashes of [`crate::Distinct`]: random per run, or kept where counts are to be merged across runs.
    pub fn new(limits: Limits, sketch_key: [u8; 32]) -> Self {
        Self { limits: Arc::new(limits), key: HashKey::new(sketch_key), index: None }
    }

    /// The same, and copies of the index's documents are sought too: see [`Classification::copies`].
    pub fn with_index(self, index: Arc<Index>) -> Self {
        Self { index: Some(index), ..self }
    }

    /// Starts on an object.
    pub fn begin(&self, hints: Hints<'_>) -> Session {
        let tracker = self.index.as_ref().map(|index| Box::new(Tracker::seek(Arc::clone(index))));
        self.begin_with(hints, Gather { copies: tracker, ..Gather::new(self.key) })
    }

    /// Starts on an object that goes into an index: see [`crate::copies`].
    pub(crate) fn begin_tracked(&self, hints: Hints<'_>, tracker: Tracker) -> Session {
        self.begin_with(hints, Gather { copies: Some(Box::new(tracker)), ..Gather::new(self.key) })
    }

    /// Starts on an object whose people are to be named: see [`crate::affected`].
    pub(crate) fn begin_listing(&self, hints: Hints<'_>) -> Session {
        self.begin_with(hints, Gather::new(self.key.listing()))
    }

    fn begin_with(&self, hints: Hints<'_>, mut gather: Gather) -> Session {
        if let Some(verdict) = encrypted::by_metadata(hints.metadata) {
            gather.encrypted(&crate::extract::Place::default(), verdict);
        }
        let inside = Inside::new(gather, Arc::clone(&self.limits));
        Session {
            budget: inside.budget(),
            inside,
            file: File::object(hints.name, hints.size_bytes),
            name: hints.name.to_owned(),
            size: hints.size_bytes,
            read: 0,
            enough: false,
        }
    }

    /// Classifies bytes that are all in memory.
    pub fn classify(&self, hints: Hints<'_>, bytes: &[u8]) -> Classification {
        let mut session = self.begin(hints);
        session.push(bytes);
        session.finish()
    }
}

/// One object on its way through the classifiers.
pub struct Session {
    inside: Inside,
    budget: Budget,
    file: File,
    name: String,
    size: Option<u64>,
    read: u64,
    enough: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("size", &self.size).field("read", &self.read).finish_non_exhaustive()
    }
}

impl Session {
    /// Takes the next bytes, of any length; memory stays within [`Limits`] whatever is pushed.
    pub fn push(&mut self, bytes: &[u8]) -> Flow {
        if self.enough {
            return Flow::Enough;
        }
        self.read += bytes.len() as u64;
        let flow = self.file.push(bytes, &mut self.inside, &mut self.budget);
        self.enough = flow == Flow::Enough;
        flow
    }

    /// Ends the object. The result is the same however the bytes were cut into chunks.
    pub fn finish(self) -> Classification {
        let (mut classification, gather) = self.end();
        let (copies, overflowed) = gather.copies.map(|tracker| tracker.matches()).unwrap_or_default();
        classification.copies = copies;
        if overflowed {
            classification.gaps.push(limit_reached("holds parts of more known documents than are followed"));
        }
        classification
    }

    /// Ends the object; what was gathered is of use to [`crate::affected`] and [`crate::copies`].
    pub(crate) fn end(self) -> (Classification, Gather) {
        let Self { mut inside, mut budget, file, name, size, read, enough } = self;
        let content_type = file.finish(&mut inside, &mut budget);
        let missing = size.filter(|_| !enough).map_or(0, |size| size.saturating_sub(read));
        if missing > 0 {
            inside.gather.gap(Gap {
                reason: GapReason::Truncated,
                detail: format!("{missing} bytes of the object did not arrive"),
            });
        }
        let gaps = std::mem::take(&mut inside.gather.gaps);
        let bytes_total = size.or((!enough).then_some(read));
        let detections = detectors::judge(&mut inside.gather, &name);
        // Where the head was enough, what came with it in the same chunk was not looked at.
        let bytes_read = if enough { read.min(HEAD_BYTES as u64) } else { read };
        let copies = Vec::new();
        (Classification { content_type, detections, copies, bytes_read, bytes_total, gaps }, inside.gather)
    }
}

#[cfg(test)]
mod tests;
