//! Is an object an exact copy of a known document? By its listing where that tells, by reading it only where nothing else does.

use futures::stream::StreamExt;
use sha2::{Digest as _, Sha256};
use spillwatch_classifiers::copies::{Digest, How, Index, Match};

use super::Target;
use super::object::screened_gap;
use super::pool::{BATCH_BYTES, on_pool};
use crate::estate::{Bucket, Gap, GapReason, Object, Provider};
use crate::findings::Copied;

/// What a listing and a question say of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exact {
    /// It is these documents, which have the same content.
    Copy {
        /// By their numbers.
        documents: Vec<u32>,
        /// The digest's name.
        digest: &'static str,
        /// Whether it had to be read.
        read: bool,
    },
    /// No known document has its size, or its digests differ.
    Other(RuledOut),
}

/// By what an object was ruled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RuledOut {
    /// Its size, as listed.
    Size,
    /// A digest that the provider states.
    Digest,
    /// Its bytes: the provider states no digest.
    Reading,
}

/// Compares an object of a known size; a gap where it could not be told.
pub(super) async fn exact(
    index: &Index,
    target: &Target,
    bucket: &Bucket,
    object: &Object,
    bytes_max: u64,
) -> Result<Exact, Gap> {
    if !index.has_size(object.size_bytes) {
        return Ok(Exact::Other(RuledOut::Size));
    }
    let mut told = Told::default();
    told.hear(index, object.size_bytes, object.digests());
    let google = bucket.account.provider == Provider::Gcp;
    if told.copy.is_none() && !told.differs && !google && object.etag.is_some() {
        let stored = target.cloud.stored(bucket, object).await.map_err(|error| screened_gap(&error))?;
        told.hear(index, object.size_bytes, stored.checksums.digests());
        // With another part size than the usual ones, an ETag of parts proves nothing.
        let single = matches!(object.etag.as_deref().and_then(Digest::of_etag), Some(Digest::Md5(_)));
        told.differs |= single && stored.etag_is_digest;
    }
    if let Some((documents, digest)) = told.copy {
        return Ok(Exact::Copy { documents, digest, read: false });
    }
    if told.differs {
        return Ok(Exact::Other(RuledOut::Digest));
    }
    let sha = read_through(target, bucket, object, bytes_max, Sha256::new(), |sha, bytes| sha.update(bytes))
        .await?;
    let documents = index.by_digest(object.size_bytes, &Digest::Sha256(sha.finalize().into()));
    Ok(match documents.is_empty() {
        true => Exact::Other(RuledOut::Reading),
        false => Exact::Copy { documents, digest: "sha256", read: true },
    })
}

/// What digests told so far.
#[derive(Default)]
struct Told {
    copy: Option<(Vec<u32>, &'static str)>,
    /// One is of a kind that every document is known by, and of none of them.
    differs: bool,
}

impl Told {
    fn hear(&mut self, index: &Index, size_bytes: u64, digests: impl Iterator<Item = Digest>) {
        for digest in digests {
            let documents = index.by_digest(size_bytes, &digest);
            // An ETag may be no digest at all, and a multipart one is known for usual part sizes only: they rule out nothing here.
            let tells = !matches!(digest, Digest::Md5(_) | Digest::Multipart(..));
            match documents.is_empty() {
                true => self.differs |= tells,
                false if digest.is_weak() => {}
                false => {
                    self.copy.get_or_insert((documents, digest.name()));
                }
            }
        }
    }
}

/// Reads an object to its end, and hands its bytes to `take` on the pool; what they made of `state`.
pub(super) async fn read_through<S: Send + 'static>(
    target: &Target,
    bucket: &Bucket,
    object: &Object,
    bytes_max: u64,
    mut state: S,
    take: fn(&mut S, &[u8]),
) -> Result<S, Gap> {
    let gap = |reason, detail: &str| Gap {
        reason,
        operation: "read".to_owned(),
        resource: format!("{}/{}", bucket.name, spillwatch_classifiers::screen(&object.key)),
        detail: detail.to_owned(),
    };
    if let Some(why) = object.must_be_restored() {
        return Err(gap(GapReason::Archived, why));
    }
    if object.size_bytes > bytes_max {
        return Err(gap(GapReason::LimitReached, "larger than is read of one object"));
    }
    let mut chunks = target.cloud.read(bucket, object).await.map_err(|error| screened_gap(&error))?.chunks;
    let (mut batch, mut read_bytes) = (Vec::new(), 0);
    loop {
        let chunk = chunks.next().await.transpose().map_err(|error| screened_gap(&error))?;
        if let Some(chunk) = &chunk {
            read_bytes += chunk.len() as u64;
            batch.extend_from_slice(chunk);
        }
        if read_bytes > bytes_max {
            return Err(gap(GapReason::LimitReached, "larger than is read of one object"));
        }
        if batch.len() >= BATCH_BYTES || chunk.is_none() {
            let bytes = std::mem::take(&mut batch);
            let fed = on_pool(move || {
                take(&mut state, &bytes);
                state
            });
            state = fed.await.ok_or_else(|| gap(GapReason::Failed, "what reads it gave up on it"))?;
        }
        if chunk.is_none() {
            return Ok(state);
        }
    }
}

/// A known document that an object is, or holds a part of.
#[derive(Debug, Clone, PartialEq)]
pub struct CopyOf {
    /// The document's name, screened.
    pub document: String,
    /// Its number in the index.
    pub number: u32,
    /// The digest it was recognised by, or `words`, `rows`, `pieces`.
    pub how: &'static str,
    /// Whether it is the whole document, byte for byte.
    pub exact: bool,
    /// How much of the document it is, 0..=1.
    pub share: f64,
    /// How many runs of words, rows or pieces it is known by; none where it is exact.
    pub prints: u32,
    /// Where in the object, masked; empty for the object itself.
    pub at: String,
    /// From which word, row or byte on, up to which.
    pub within: Option<(u64, u64)>,
}

impl CopyOf {
    /// The copies that an exact comparison found.
    pub(super) fn exact(index: &Index, documents: &[u32], digest: &'static str) -> Vec<Self> {
        let copy = |number: &u32| {
            let document = index.document(*number)?;
            Some(Self {
                document: spillwatch_classifiers::screen(&document.name).to_string(),
                number: *number,
                how: digest,
                exact: true,
                share: 1.0,
                prints: 0,
                at: String::new(),
                within: None,
            })
        };
        documents.iter().filter_map(copy).collect()
    }

    /// One that was found in what the object holds.
    pub(super) fn inside(found: &Match) -> Self {
        Self {
            document: found.document.to_string(),
            number: found.number,
            how: found.how.as_str(),
            exact: false,
            share: found.share,
            prints: found.prints,
            at: found.at.to_string(),
            within: Some((found.from, found.to)),
        }
    }

    /// As a finding tells it.
    pub(super) fn told(self, object: &Object) -> Copied {
        let Self { document, how, share, at, .. } = self;
        let key = spillwatch_classifiers::screen(&object.key).to_string();
        let version_id = object.version.clone().filter(|_| !object.is_current());
        Copied { document, key, version_id, how: how.to_owned(), share, at }
    }

    /// What its position is counted in.
    pub fn unit(&self) -> &'static str {
        match self.how {
            how if how == How::Words.as_str() => "words",
            how if how == How::Rows.as_str() => "rows",
            _ => "bytes",
        }
    }
}
