//! What is there? Accounts, buckets and objects, and the facts about them exactly as the provider stated them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use spillwatch_classifiers::copies::Digest;
use time::OffsetDateTime;

pub mod aws;
pub mod gcp;
pub mod history;
mod principal;
mod reading;
mod setting;

pub use principal::Principal;
pub use setting::{Change, ISOLATION_POLICY, Setting, block_with, policy};

/// Whose cloud something stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Amazon Web Services, or a server that speaks S3.
    Aws,
    /// Google Cloud.
    Gcp,
    /// A plain folder on this machine.
    Local,
}

impl Provider {
    /// The name used in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Gcp => "gcp",
            Self::Local => "local",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An AWS account or a Google Cloud project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// The provider.
    pub provider: Provider,
    /// The account's or project's id.
    pub id: String,
}

/// A bucket and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket {
    /// The account that holds it.
    pub account: Account,
    /// The bucket's name.
    pub name: String,
    /// Its region or location, where known.
    pub region: Option<String>,
}

/// An object as a listing states it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Object {
    /// The key, as listed.
    pub key: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// The entity tag without quotes; an MD5 only for plain single-part uploads.
    pub etag: Option<String>,
    /// When it was last written.
    pub modified: Option<OffsetDateTime>,
    /// The provider's storage class, for example `GLACIER`.
    pub storage_class: Option<String>,
    /// Which version it is: S3's version id, Google's generation; where the listing states it.
    pub version: Option<String>,
    /// Whether it is what its key stands for now.
    pub state: State,
    /// Digests of its bytes, where they were stated.
    pub checksums: Checksums,
}

/// What became of an object since it was written. Overwriting or deleting it does not end it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// What its key stands for now.
    #[default]
    Current,
    /// Another took its place, or a delete marker; it is read by its version.
    Noncurrent,
    /// Deleted on Google Cloud, and kept for a while: nobody reads it before it is restored.
    SoftDeleted,
}

/// Digests of an object's stored bytes, as the provider states them, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checksums {
    /// Google's `md5Hash`; absent for composite objects.
    pub md5: Option<[u8; 16]>,
    /// Big-endian, as both providers write it.
    pub crc32c: Option<u32>,
    /// S3's default where the uploader gave none; of the whole object.
    pub crc64nvme: Option<u64>,
    /// Of the whole object.
    pub sha1: Option<[u8; 20]>,
    /// Of the whole object.
    pub sha256: Option<[u8; 32]>,
}

impl Checksums {
    /// Them all.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        let Self { md5, crc32c, crc64nvme, sha1, sha256 } = self.clone();
        [
            sha256.map(Digest::Sha256),
            sha1.map(Digest::Sha1),
            md5.map(Digest::Md5),
            crc64nvme.map(Digest::Crc64Nvme),
            crc32c.map(Digest::Crc32c),
        ]
        .into_iter()
        .flatten()
    }
}

impl Object {
    /// The digests that its listing states; whether its ETag is one, only the provider knows.
    pub fn digests(&self) -> impl Iterator<Item = Digest> {
        self.checksums.digests().chain(self.etag.as_deref().and_then(Digest::of_etag))
    }

    /// Why it must be restored before it can be read, if it must. `GLACIER_IR` is read like any other
    /// (S3 User Guide, "Understanding S3 Glacier storage classes for long-term data storage").
    pub fn must_be_restored(&self) -> Option<&'static str> {
        if self.state == State::SoftDeleted {
            return Some("soft-deleted; restore it to read it");
        }
        let archived = matches!(self.storage_class.as_deref(), Some("GLACIER" | "DEEP_ARCHIVE"));
        archived.then_some("archived; restore it to read it")
    }

    /// Whether it is what its key stands for now.
    pub fn is_current(&self) -> bool {
        self.state == State::Current
    }
}

/// A fact that was looked for: what is absent was seen to be absent, what is unread was not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact<T> {
    /// The provider stated it.
    Present(T),
    /// The provider stated that there is none.
    Absent,
    /// It could not be read, or nobody asked.
    Unread(Gap),
}

/// Something that could not be seen, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// Why.
    pub reason: GapReason,
    /// The operation that failed, in the provider's words, for example `s3:GetBucketPolicy`.
    pub operation: String,
    /// What it was asked of: an account, a bucket, or `bucket/key` with the key screened.
    pub resource: String,
    /// A sentence for a person: what happened and the next step.
    pub detail: String,
}

/// Why something could not be seen; stable words, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// Nobody asked the provider.
    NotRead,
    /// The provider refused; a permission is missing.
    Denied,
    /// The key that encrypts the object may not be used.
    KeyDenied,
    /// It was there when listed and is gone now.
    NotFound,
    /// The provider asked for fewer requests, also after retries.
    Throttled,
    /// No answer in time.
    TimedOut,
    /// No connection, or it broke off, also after retries.
    Unreachable,
    /// The answer breaks the rules of its own format.
    Malformed,
    /// The object is archived or soft-deleted and would have to be restored first.
    Archived,
    /// A limit of ours was reached.
    LimitReached,
    /// Only a part was looked at, as configured.
    Sampled,
    /// The format cannot be looked into.
    Unsupported,
    /// The run was ended before its time.
    Interrupted,
    /// The provider failed in another way.
    Failed,
}

impl GapReason {
    /// The word used in findings and coverage.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRead => "not_read",
            Self::Denied => "denied",
            Self::KeyDenied => "key_denied",
            Self::NotFound => "not_found",
            Self::Throttled => "throttled",
            Self::TimedOut => "timed_out",
            Self::Unreachable => "unreachable",
            Self::Malformed => "malformed",
            Self::Archived => "archived",
            Self::LimitReached => "limit_reached",
            Self::Sampled => "sampled",
            Self::Unsupported => "unsupported",
            Self::Interrupted => "interrupted",
            Self::Failed => "failed",
        }
    }
}

/// Whether a bucket can hold older versions: unless S3 answered that it was never versioned. Suspended versioning keeps those
/// that there are, and on Google Cloud noncurrent ones outlast it, so that its setting excludes nothing ("Object Versioning").
pub fn keeps_versions(provider: Provider, facts: &Facts) -> bool {
    let ever = |answer: &Value| answer.get("Status").is_some() || answer.get("Error").is_some();
    match provider {
        Provider::Aws => facts.answer("s3:GetBucketVersioning").is_none_or(ever),
        Provider::Gcp => true,
        Provider::Local => false,
    }
}

/// A bucket's tags or labels, as written; what was not read has none.
pub fn tags(provider: Provider, facts: &Facts) -> Vec<(String, String)> {
    match provider {
        Provider::Aws => aws::tags(facts),
        Provider::Gcp => {
            let labels = facts.answer("storage:buckets.get").and_then(|answer| answer.get("labels"));
            let labels = labels.and_then(Value::as_object).into_iter().flatten();
            labels.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
        }
        Provider::Local => Vec::new(),
    }
}

/// What a provider answered, verbatim, by service and operation, for example `s3:GetBucketAcl`.
///
/// An error is `{"Error": {"Code": …}}`. An operation that does not stand here was not asked. Where one operation is
/// asked once for each of several things (access points, versions), its answers are a map by the thing's name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(BTreeMap<String, Value>);

impl Facts {
    /// Keeps an answer as it came.
    pub fn record(&mut self, operation: &str, answer: Value) {
        self.0.insert(operation.to_owned(), answer);
    }

    /// Keeps an error by its code, in the shape of an answer.
    pub fn record_error(&mut self, operation: &str, code: &str) {
        self.record(operation, serde_json::json!({"Error": {"Code": code}}));
    }

    /// The answer as it came, errors included.
    pub fn answer(&self, operation: &str) -> Option<&Value> {
        self.0.get(operation)
    }

    /// All answers, by operation.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(operation, answer)| (operation.as_str(), answer))
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the answers of `other`; what stands here already is kept.
    pub fn inherit(&mut self, other: &Self) {
        for (operation, answer) in other.iter() {
            if !self.0.contains_key(operation) {
                self.record(operation, answer.clone());
            }
        }
    }
}
