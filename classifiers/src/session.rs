//! What happens to the bytes of one object, from its first chunk to its classification?

use std::sync::Arc;

use crate::Classification;

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

/// The rules, limits and keys shared by all sessions: make one, use it from every thread.
#[derive(Debug, Default)]
pub struct Classifier {
    limits: Arc<Limits>,
}

impl Classifier {
    /// `sketch_key` keys the hashes of [`crate::Distinct`]: random per run, or kept where counts are to be merged across runs.
    pub fn new(limits: Limits, sketch_key: [u8; 32]) -> Self {
        let _ = sketch_key;
        Self { limits: Arc::new(limits) }
    }

    /// What may be spent on one object.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Starts on an object.
    pub fn begin(&self, hints: Hints<'_>) -> Session {
        let _ = hints;
        Session { limits: Arc::clone(&self.limits) }
    }

    /// Classifies bytes that are all in memory.
    pub fn classify(&self, hints: Hints<'_>, bytes: &[u8]) -> Classification {
        let mut session = self.begin(hints);
        session.push(bytes);
        session.finish()
    }
}

/// One object on its way through the classifiers.
#[derive(Debug)]
pub struct Session {
    limits: Arc<Limits>,
}

impl Session {
    /// Takes the next bytes, of any length; memory stays within [`Limits`] whatever is pushed.
    pub fn push(&mut self, bytes: &[u8]) -> Flow {
        let _ = (bytes, &self.limits);
        Flow::More
    }

    /// Ends the object. The result is the same however the bytes were cut into chunks.
    pub fn finish(self) -> Classification {
        Classification {
            content_type: "application/octet-stream",
            detections: Vec::new(),
            bytes_read: 0,
            bytes_total: None,
            gaps: Vec::new(),
        }
    }
}
