//! What is remembered between runs, and where? One ledger, in a file or in a database that several scanners share.

use std::path::Path;

use async_trait::async_trait;
use serde_json::Value;

use crate::estate::{Bucket, Provider};
use crate::findings::{Record, Severity, Suppression, Transition};

pub mod index;
mod postgres;
mod rows;
mod sqlite;

pub use postgres::Postgres;
pub use sqlite::Sqlite;

/// Runs that are kept with what each of them saw; older ones go when a new one begins. Findings stay.
pub const RUNS_KEPT: u32 = 500;
/// Records of one page.
pub const PAGE: usize = 500;

/// Decides over the records of one bucket, given the suppressions of its findings; what it returns is written.
pub type Decide = Box<dyn FnOnce(Vec<Record>, &[Suppression]) -> Vec<Record> + Send>;

/// A ledger. Every method is one transaction: it happens as a whole or not at all.
#[async_trait]
pub trait Store: Send + Sync {
    /// Notes that a run has begun; forgets the oldest beyond [`RUNS_KEPT`].
    async fn begin(&self, run: &Run) -> Result<(), StoreError>;

    /// Notes how a run ended.
    async fn end(&self, run: &Run) -> Result<(), StoreError>;

    /// Hands the records of a bucket to `decide`, and writes the records that it returns, which it returns too. Nobody
    /// else decides over the bucket meanwhile.
    async fn decide(&self, bucket: &Bucket, run: &str, decide: Decide) -> Result<Vec<Record>, StoreError>;

    /// The buckets of an account that have findings which are not resolved.
    async fn open_buckets(&self, provider: Provider, account: &str) -> Result<Vec<String>, StoreError>;

    /// How many findings are open and were not decided over by this run.
    async fn unexamined(&self, run: &str) -> Result<u64, StoreError>;

    /// The records whose uid comes after `after`, at most [`PAGE`] in the order of their uids.
    async fn records(&self, after: &str) -> Result<Vec<Record>, StoreError>;

    /// The records whose uid begins with `prefix`, at most two.
    async fn find(&self, prefix: &str) -> Result<Vec<Record>, StoreError>;

    /// Keeps a suppression; replaces one of the same finding.
    async fn suppress(&self, suppression: &Suppression) -> Result<(), StoreError>;

    /// Ends a suppression; says whether there was one.
    async fn unsuppress(&self, uid: &str) -> Result<bool, StoreError>;

    /// Every suppression, in the order of uids.
    async fn suppressions(&self) -> Result<Vec<Suppression>, StoreError>;

    /// The runs, newest first.
    async fn runs(&self) -> Result<Vec<Run>, StoreError>;

    /// What a run said of each finding, in the order of uids: at most [`PAGE`] after `after`.
    async fn sightings(&self, run: &str, after: &str) -> Result<Vec<Sighting>, StoreError>;
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name; names are in the order of their starts.
    pub id: String,
    /// RFC 3339.
    pub started: String,
    /// RFC 3339; none where it was killed, or goes on.
    pub ended: Option<String>,
    /// What was to be scanned, as it was written.
    pub targets: Vec<String>,
    /// `spillwatch.coverage/1` without its `gaps`, where it ended.
    pub coverage: Option<Value>,
}

/// What one run said of one finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The finding.
    pub uid: String,
    /// Its names: provider, account, bucket, rule and class.
    pub names: [String; 5],
    /// What became of it in that run.
    pub status: Transition,
    /// How bad it was then.
    pub severity: Severity,
    /// How many objects it had then.
    pub objects: u64,
    /// How many distinct people, ids or secrets they held then.
    pub distinct: u64,
}

/// Why a ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be opened, or reached.
    #[error("could not open the ledger `{place}`: {message}")]
    Unreachable {
        /// The file, or the database without its password.
        place: String,
        /// The cause in words.
        message: String,
    },
    /// It was written by a later version.
    #[error(
        "the ledger `{place}` was written by a newer spillwatch (schema {found}, known up to {known}); upgrade this one"
    )]
    Newer {
        /// The file, or the database without its password.
        place: String,
        /// The schema's version there.
        found: i64,
        /// The last that this version knows.
        known: i64,
    },
    /// Something else stands there.
    #[error("`{place}` is no ledger of spillwatch; name another file")]
    Foreign {
        /// The file.
        place: String,
    },
    /// What was read is not what is written there.
    #[error("the ledger `{place}` holds a row that cannot be read: {message}")]
    Damaged {
        /// The file, or the database without its password.
        place: String,
        /// The cause in words.
        message: String,
    },
    /// Reading or writing failed.
    #[error("the ledger `{place}` failed: {message}")]
    Failed {
        /// The file, or the database without its password.
        place: String,
        /// The cause in words.
        message: String,
    },
}

/// Opens the ledger that a word names: `postgres://…`, else a file, made where there is none.
pub async fn open(word: &str) -> Result<Box<dyn Store>, StoreError> {
    if word.starts_with("postgres://") || word.starts_with("postgresql://") {
        Ok(Box::new(Postgres::open(word).await?))
    } else {
        Ok(Box::new(Sqlite::open(Path::new(word))?))
    }
}
