//! The doors to the world: what can be read from a provider, and how that fails.
//!
//! A scan holds a `&dyn Cloud`, which has no method that writes.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use serde_json::Value;

use crate::estate::{Account, Bucket, Checksums, Facts, Gap, GapReason, Object, Setting};
use crate::exposure::ZoneOfTrust;

pub mod aws;
pub mod gcp;
pub mod local;
mod pace;
mod pages;
mod post;
mod resume;
mod spans;
mod traffic;

pub(crate) use pace::Pace;
pub use traffic::{Traffic, traffic};

/// What can be read from a provider. Facts never fail: an error is itself recorded as the answer.
#[async_trait]
pub trait Cloud: Send + Sync {
    /// The accounts that the configuration names. One that cannot be entered is listed too; its buckets then fail.
    async fn accounts(&self) -> Result<Vec<Account>, CloudError>;

    /// Who belongs to us, as far as the provider or the estate states it.
    async fn zone_of_trust(&self) -> ZoneOfTrust {
        ZoneOfTrust::default()
    }

    /// The facts of an account and of its organization, asked once per account.
    async fn account_facts(&self, account: &Account) -> Facts;

    /// The buckets of an account, paged to the end.
    fn buckets<'a>(&'a self, account: &'a Account) -> BoxStream<'a, Result<Bucket, CloudError>>;

    /// Whether [`Self::buckets`] names every bucket that the account holds, and not only some: what is missing is gone.
    fn names_all_buckets(&self, _account: &Account) -> bool {
        false
    }

    /// Everything that decides who can reach the bucket, verbatim.
    async fn access_facts(&self, bucket: &Bucket) -> Facts;

    /// Who changed what decides that, as far as the provider keeps records, verbatim; `facts` are the bucket's. Asked where
    /// a bucket is found open, since it takes seconds. Nothing, where nobody keeps any.
    async fn history(&self, bucket: &Bucket, facts: &Facts) -> Facts {
        let _ = (bucket, facts);
        Facts::default()
    }

    /// The current objects whose keys start with `prefix`, a page at a time. Of a large bucket, several parts are listed at
    /// one time, so that pages come in no order. An error is a gap in the listing; what else there is, is listed still.
    fn objects<'a>(
        &'a self,
        bucket: &'a Bucket,
        prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>>;

    /// The older versions of objects, listed like the current ones: what was overwritten, and what was deleted and can be read still.
    fn older_versions<'a>(
        &'a self,
        _bucket: &'a Bucket,
        _prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        stream::empty().boxed()
    }

    /// What was deleted and is kept for a while, listed like the current objects: nobody can read it before it is restored.
    fn soft_deleted<'a>(
        &'a self,
        _bucket: &'a Bucket,
        _prefix: &'a str,
    ) -> BoxStream<'a, Result<Vec<Object>, CloudError>> {
        stream::empty().boxed()
    }

    /// The facts that decide who can reach one object (its ACL), verbatim.
    async fn object_facts(&self, bucket: &Bucket, object: &Object) -> Facts;

    /// By which digests the provider knows an object, where its listing does not say all: asked for those alone that have the
    /// size of a document that is sought.
    async fn stored(&self, bucket: &Bucket, object: &Object) -> Result<Stored, CloudError> {
        let _ = bucket;
        Ok(Stored { checksums: object.checksums.clone(), etag_is_digest: false })
    }

    /// The object's bytes. A broken connection is resumed; an error in the stream is final and ends it.
    async fn read(&self, bucket: &Bucket, object: &Object) -> Result<Body, CloudError>;
}

/// A door that can also set what is set on a bucket. Only lockdown is handed one.
#[async_trait]
pub trait Lockable: Cloud {
    /// As whom it reads and writes, in words.
    fn identity(&self) -> String;

    /// What a setting is now, read afresh.
    async fn stated(&self, bucket: &Bucket, setting: &Setting) -> Result<Stated, CloudError>;

    /// Sets a setting that is `from` to `to`; an error as the answer means that there is to be none.
    async fn set(
        &self,
        bucket: &Bucket,
        setting: &Setting,
        from: &Value,
        to: &Stated,
    ) -> Result<(), CloudError>;
}

/// A place that keeps what it is given, so that nobody can change it. Only lockdown is handed one.
#[async_trait]
pub trait Archive: Send + Sync {
    /// Keeps bytes under a name, the parts of which `/` divides.
    async fn keep(&self, name: &str, bytes: Bytes) -> Result<(), CloudError>;
}

/// What a setting is.
#[derive(Debug, Clone, PartialEq)]
pub struct Stated {
    /// The answer of the operation that reads it.
    pub answer: Value,
    /// The same and what hangs on it as text by operation, where setting it back is to leave a file as it was.
    pub verbatim: BTreeMap<String, String>,
}

impl Stated {
    /// An answer without a text of its own.
    pub fn answered(answer: Value) -> Self {
        Self { answer, verbatim: BTreeMap::new() }
    }
}

/// What a provider says of an object as it stores it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Digests of its bytes.
    pub checksums: Checksums,
    /// Whether its ETag is one too.
    pub etag_is_digest: bool,
}

/// An object on its way in.
pub struct Body {
    /// User metadata and encryption headers, keys in lower case (`x-amz-key-v2`, `content-encoding`, …).
    pub metadata: BTreeMap<String, String>,
    /// The bytes, in order, in chunks of the door's choosing.
    pub chunks: BoxStream<'static, Result<Bytes, CloudError>>,
}

/// Why a door did not open, told apart by what the caller does next.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CloudError {
    /// A permission is missing.
    #[error("denied `{operation}` on `{resource}`; grant it to the scan role")]
    Denied {
        /// The operation in the provider's words.
        operation: &'static str,
        /// What it was asked of.
        resource: String,
    },
    /// The object's encryption key may not be used.
    #[error("denied the key that encrypts `{resource}`; grant `kms:Decrypt` to the scan role")]
    KeyDenied {
        /// The operation in the provider's words.
        operation: &'static str,
        /// What it was asked of.
        resource: String,
    },
    /// It is not there (any more).
    #[error("`{resource}` does not exist (`{operation}`)")]
    NotFound {
        /// The operation in the provider's words.
        operation: &'static str,
        /// What it was asked of.
        resource: String,
    },
    /// The object is archived or soft-deleted and would have to be restored first.
    #[error("`{resource}` is archived or soft-deleted; restore it to read it")]
    Archived {
        /// The operation in the provider's words.
        operation: &'static str,
        /// What it was asked of.
        resource: String,
    },
    /// Too many requests, also after retries.
    #[error("throttled `{operation}` on `{resource}`; lower the request rate")]
    Throttled {
        /// The operation in the provider's words.
        operation: &'static str,
        /// What it was asked of.
        resource: String,
    },
    /// Anything else, also after retries.
    #[error("`{operation}` on `{resource}` failed: {message}")]
    Failed {
        /// The operation in the provider's words.
        operation: &'static str,
        /// What it was asked of.
        resource: String,
        /// How it failed, for the gap.
        reason: GapReason,
        /// The cause in words; no content.
        message: String,
    },
}

impl CloudError {
    /// The same in words, where it is not the scan's role that asked, but `identity`.
    pub fn told_to(&self, identity: &str) -> String {
        match self {
            Self::Denied { operation, resource } => {
                format!("denied `{operation}` on `{resource}`; grant it to {identity}")
            }
            other => other.to_string(),
        }
    }

    /// The gap that this failure leaves in what was seen.
    pub fn gap(&self) -> Gap {
        let (reason, operation, resource) = match self {
            Self::Denied { operation, resource } => (GapReason::Denied, operation, resource),
            Self::KeyDenied { operation, resource } => (GapReason::KeyDenied, operation, resource),
            Self::NotFound { operation, resource } => (GapReason::NotFound, operation, resource),
            Self::Archived { operation, resource } => (GapReason::Archived, operation, resource),
            Self::Throttled { operation, resource } => (GapReason::Throttled, operation, resource),
            Self::Failed { operation, resource, reason, .. } => (*reason, operation, resource),
        };
        Gap {
            reason,
            operation: (*operation).to_owned(),
            resource: resource.clone(),
            detail: self.to_string(),
        }
    }
}

/// The keys that start with both prefixes start with the longer one, if there are any.
fn narrower<'a>(one: &'a str, other: &'a str) -> Option<&'a str> {
    if one.starts_with(other) {
        Some(one)
    } else if other.starts_with(one) {
        Some(other)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_prefixes_narrow_each_other_or_exclude_each_other() {
        assert_eq!(narrower("", "logs/"), Some("logs/"));
        assert_eq!(narrower("logs/2026/", "logs/"), Some("logs/2026/"));
        assert_eq!(narrower("logs/", "data/"), None);
    }
}
