//! What happens to the bytes of one object, from its first chunk to its classification?

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::directory::Directory;
use crate::sketch::HashKey;
use crate::{
    Category, Classification, Detection, Distinct, Evidence, Gap, GapReason, Masked, encrypted, mask,
};

/// Longer lines are cut: no table of people has them, and memory stays bounded.
const LINE_BYTES_MAX: usize = 64 << 10;

/// What may be spent on one object.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one object that a session may hold in memory.
    pub buffer_bytes_max: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { buffer_bytes_max: (encrypted::HEAD_BYTES_MAX + LINE_BYTES_MAX) as u64 }
    }
}

/// What is known of an object before its bytes; all of it is hostile.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The object's key or path.
    pub name: &'a str,
    /// Its size, where known.
    pub size_bytes: Option<u64>,
    /// User metadata and encryption headers, keys in lower case (`x-amz-key-v2`, …).
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

/// The limits and keys shared by all sessions: make one, use it from every thread.
#[derive(Debug)]
pub struct Classifier {
    limits: Arc<Limits>,
    key: HashKey,
}

impl Classifier {
    /// `sketch_key` keys the hashes of [`crate::Distinct`]: random per run, or kept where counts are merged across runs.
    pub fn new(limits: Limits, sketch_key: [u8; 32]) -> Self {
        Self { limits: Arc::new(limits), key: HashKey::new(sketch_key) }
    }

    /// What may be spent on one object.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Starts on an object.
    pub fn begin(&self, hints: Hints<'_>) -> Session {
        Session {
            size_bytes: hints.size_bytes,
            verdict: encrypted::by_metadata(hints.metadata),
            head: Vec::new(),
            line: Vec::new(),
            bytes_read: 0,
            directory: Directory::new(self.key),
            private_keys: 0,
            key_at: Masked::own(""),
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
#[derive(Debug)]
pub struct Session {
    size_bytes: Option<u64>,
    verdict: Option<encrypted::Verdict>,
    head: Vec<u8>,
    line: Vec<u8>,
    bytes_read: u64,
    directory: Directory,
    private_keys: u64,
    key_at: Masked,
}

impl Session {
    /// Takes the next bytes, of any length; memory stays within [`Limits`] whatever is pushed.
    pub fn push(&mut self, bytes: &[u8]) -> Flow {
        self.bytes_read += bytes.len() as u64;
        let room = encrypted::HEAD_BYTES_MAX - self.head.len();
        self.head.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let mut rest = bytes;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (part, tail) = rest.split_at(end);
            self.extend_line(part);
            self.end_line();
            rest = tail.get(1..).unwrap_or_default();
        }
        self.extend_line(rest);
        Flow::More
    }

    /// Ends the object. The result is the same however the bytes were cut into chunks.
    pub fn finish(mut self) -> Classification {
        self.end_line();
        let verdict = self.verdict.take().or_else(|| encrypted::by_header(&self.head, self.size_bytes));
        let mut detections: Vec<Detection> = verdict.map(encrypted_blob).into_iter().collect();
        detections.extend(self.directory.detection());
        if self.private_keys > 0 {
            detections.push(private_key(self.private_keys, self.key_at));
        }
        detections.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
        let missing = self.size_bytes.is_some_and(|size| size > self.bytes_read);
        let gap = Gap { reason: GapReason::Truncated, detail: "ends before its stated size".to_owned() };
        let text =
            !self.head.is_empty() && std::str::from_utf8(self.head.get(..1024).unwrap_or(&self.head)).is_ok();
        Classification {
            content_type: if text { "text/plain" } else { "application/octet-stream" },
            detections,
            bytes_read: self.bytes_read,
            bytes_total: self.size_bytes,
            gaps: missing.then_some(gap).into_iter().collect(),
        }
    }

    fn extend_line(&mut self, part: &[u8]) {
        let room = LINE_BYTES_MAX - self.line.len();
        self.line.extend_from_slice(part.get(..room).unwrap_or(part));
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        // RFC 7468 section 2: the label ends in `PRIVATE KEY` for PKCS #1, SEC 1, PKCS #8 and OpenSSH alike.
        if text.starts_with("-----BEGIN ") && text.ends_with("PRIVATE KEY-----") {
            self.private_keys += 1;
            self.key_at = Masked::own(format!("key {}", self.private_keys));
        }
        self.directory.line(text);
        self.line = line;
        self.line.clear();
    }
}

fn encrypted_blob(verdict: encrypted::Verdict) -> Detection {
    Detection {
        category: Category::EncryptedBlob,
        confidence: verdict.confidence,
        occurrences: 1,
        distinct: Distinct::default(),
        kinds: BTreeMap::from([(verdict.scheme, 1)]),
        evidence: Vec::new(),
        because: vec![verdict.because],
    }
}

fn private_key(count: u64, at: Masked) -> Detection {
    Detection {
        category: Category::Credential,
        confidence: 0.98,
        occurrences: count,
        distinct: Distinct::default(),
        kinds: BTreeMap::from([("private_key", count)]),
        evidence: vec![Evidence { kind: "private_key", sample: mask::secret("private_key", ""), at }],
        because: vec!["the armor of a private key".to_owned()],
    }
}
