//! Is an object something that its owner encrypted, and with what?
//!
//! Four looks, cheapest first, each of which may end the question:
//!
//! 1. [`by_metadata`]: client-side encryption leaves its parameters beside the object; nothing is downloaded.
//! 2. [`by_header`]: a known encrypted grammar at the start, binary, armored or in text.
//! 3. [`by_tail`]: formats that say it at their end (PDF, Parquet, 7z, compound files).
//! 4. [`Statistics`]: no grammar at all; the bytes look like a cipher's output and like nothing else. [`Coat`] does the same
//!    for a text that is nothing but base64 or hexadecimal digits.
//!
//! What needs a whole container to be read (entries of a ZIP, streams of a compound file) is said by its extractor.

mod aws;
mod base64_text;
mod cms;
mod coat;
mod container;
mod cursor;
mod documents;
mod metadata;
mod openpgp;
mod parquet;
pub mod statistics;
mod text;
mod vault;

pub(crate) use coat::Coat;
pub use metadata::by_metadata;
pub(crate) use text::by_fields;

/// That something is encrypted, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The scheme or format, stable for counting, for example `age` or `s3_client_side_v2`.
    pub scheme: &'static str,
    /// How sure the recogniser is, 0..=1. A grammar that random bytes or prose cannot meet is 0.99.
    pub confidence: f64,
    /// The reason in words; no content.
    pub because: String,
}

impl Verdict {
    /// A grammar that was checked far enough that chance is out of the question.
    fn certain(scheme: &'static str, because: impl Into<String>) -> Self {
        Self { scheme, confidence: 0.99, because: because.into() }
    }

    /// A grammar that something else could meet too.
    fn likely(scheme: &'static str, confidence: f64, because: impl Into<String>) -> Self {
        Self { scheme, confidence, because: because.into() }
    }
}

/// Bytes of an object's start that [`by_header`] makes use of; more are ignored.
pub const HEAD_BYTES_MAX: usize = 64 << 10;

/// Looks for a known encrypted grammar in the first bytes of an object.
///
/// `head` is the object's start, up to [`HEAD_BYTES_MAX`]; `size` its whole length in bytes, where known. Text costs one
/// search for a handful of literals; other bytes a comparison per format.
pub fn by_header(head: &[u8], size: Option<u64>) -> Option<Verdict> {
    let head = head.get(..HEAD_BYTES_MAX).unwrap_or(head);
    if looks_like_text(head) { text::recognise(head) } else { binary(head, size) }
}

/// Looks for what a format says only at its end. `tail` are the last bytes of the object (64 KiB are plenty), `head` its
/// first ones, `size` its length in bytes; they may overlap.
pub fn by_tail(head: &[u8], tail: &[u8], size: u64) -> Option<Verdict> {
    // The beginning of a PDF may be all printable.
    documents::pdf(head, tail)
        .or_else(|| container::seven_zip(head, tail, size))
        .or_else(|| documents::compound_file(head, tail, size))
        .or_else(|| parquet::recognise(head, tail))
}

/// The recognisers of binary formats, in the order of how selective their first bytes are.
fn binary(head: &[u8], size: Option<u64>) -> Option<Verdict> {
    vault::recognise(head)
        .or_else(|| container::zip(head))
        .or_else(|| container::rar(head))
        .or_else(|| documents::legacy_office(head))
        .or_else(|| aws::encryption_sdk(head))
        .or_else(|| aws::kms(head))
        .or_else(|| cms::recognise(head, size))
        .or_else(|| openpgp::recognise(head))
}

/// Whether the first bytes are those of a text: no control characters but the usual ones. Cheap on purpose, it runs on
/// every object.
fn looks_like_text(head: &[u8]) -> bool {
    let sample = head.get(..256).unwrap_or(head);
    !sample.is_empty() && sample.iter().all(|&b| b >= 0x20 && b != 0x7f || matches!(b, b'\t' | b'\n' | b'\r'))
}

#[cfg(test)]
mod tests;
