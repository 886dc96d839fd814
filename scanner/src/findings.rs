//! What is wrong, how bad is it, and under which name is it known from run to run?

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::estate::{Provider, State};
use crate::exposure::Exposure;

mod assessment;
mod changes;
mod examined;
mod ledger;
mod severity;

pub use assessment::{Assessment, reads, reads_any, reads_versions, sha256};
pub use examined::{Examined, Holders};
pub use ledger::{Look, Record, holds, reconcile};
pub use severity::{Reach, Severity, of_access};

/// The schema that findings of this version state.
pub const SCHEMA: &str = "spillwatch.finding/1";

/// One problem of one bucket: a ticket's worth. All of it may be told: names are screened and samples masked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// [`SCHEMA`], or that of the version that wrote it.
    pub schema: String,
    /// `sha256("v1|provider|account|bucket|rule|class")`: the same from run to run, whatever the counts.
    pub uid: String,
    /// Which rule found it.
    pub rule: String,
    /// The content category, or the kind of access.
    pub class: String,
    /// How bad.
    pub severity: Severity,
    /// Whose cloud.
    pub provider: Provider,
    /// Account or project id.
    pub account: String,
    /// The bucket's name.
    pub bucket: String,
    /// Its region, where known.
    pub region: Option<String>,
    /// Who can reach it; the keys in words.
    pub exposures: Vec<Exposure<String>>,
    /// What is inside, masked.
    pub detections: Vec<Found>,
    /// Which known documents are copied here, the largest parts first; the first twenty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<Copied>,
    /// Which objects.
    pub objects: Objects,
    /// The reasons in words.
    pub because: Vec<String>,
    /// The next step.
    pub remediation: String,
    /// When this problem was first seen, RFC 3339.
    pub first_seen: String,
    /// When it was last seen, RFC 3339.
    pub last_seen: String,
    /// What became of it in this run.
    pub status: Transition,
    /// What differs from the last run, in words, for example `severity: medium → high`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
    /// Since when somebody outside can reach it without a break, as far as runs have seen: RFC 3339. None where nobody can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposed_since: Option<String>,
    /// From `exposed_since` until it was last seen, or until it was seen to be resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_window_ms: Option<u64>,
    /// When a run saw that it is gone, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved_at: Option<String>,
    /// Who said that it need not be told, and why; there is one exactly where the status is `suppressed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suppression: Option<Suppression>,
    /// The bucket's tags or labels, screened: who owns it, what it is for.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// What became of a finding between the last run and this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// Not known before, or no ledger is kept.
    New,
    /// Known, and worse, better or elsewhere than before: `changes` says what.
    Updated,
    /// Known, and as before.
    Unchanged,
    /// It was resolved, or its suppression has ended, and it is there.
    Reopened,
    /// A run looked where it was, with enough coverage, and it is gone. The rest of the finding is what was last seen.
    Resolved,
    /// It is there, and somebody said until when it need not be told.
    Suppressed,
}

impl Transition {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::New, Self::Updated, Self::Unchanged, Self::Reopened, Self::Resolved, Self::Suppressed];

    /// The word used in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Reopened => "reopened",
            Self::Resolved => "resolved",
            Self::Suppressed => "suppressed",
        }
    }

    /// Whether the problem is there and nobody has put it aside.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Resolved | Self::Suppressed)
    }
}

/// Somebody's word that a finding need not be told for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// The finding's.
    pub uid: String,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub author: String,
    /// When it was said, RFC 3339.
    pub created: String,
    /// Until when it holds, RFC 3339.
    pub until: String,
}

/// The objects of a finding.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Objects {
    /// How many.
    pub count: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Some of their keys.
    pub top_keys: Vec<String>,
    /// How many of them are older versions, of objects that were overwritten or deleted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub versions: u64,
    /// Some of those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub top_versions: Vec<Version>,
    /// When the oldest and the newest of them were written, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_first: Option<String>,
    /// See `written_first`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written_last: Option<String>,
    /// How many of them were written in which hour (RFC 3339): a copying automation is a burst. The fullest hours only.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub written_by_hour: BTreeMap<String, u64>,
    /// All of them, for the ledger; never told.
    #[serde(skip)]
    pub holders: Holders,
}

/// An object that is not what its key stands for now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// Its key, screened.
    pub key: String,
    /// S3's version id, Google's generation: a request that names it is answered with it.
    pub version_id: String,
    /// What became of it.
    pub state: State,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} version {}", self.key, self.version_id)
    }
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// One category over all objects of a finding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The category's name.
    pub category: String,
    /// That of the surest object, 0..=1.
    pub confidence: f64,
    /// Values, rows, events or keys, by category.
    pub occurrences: u64,
    /// Distinct people, ids or secrets, estimated.
    pub distinct: u64,
    /// What the occurrences are made of.
    pub kinds: BTreeMap<String, u64>,
    /// A few samples.
    pub evidence: Vec<Sample>,
    /// The reasons in words.
    pub because: Vec<String>,
}

/// A known document, or a part of one, in an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Copied {
    /// The document's name, screened.
    pub document: String,
    /// The object's key, screened.
    pub key: String,
    /// Which version, where it is not the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The digest it was recognised by, or `words`, `rows`, `pieces`.
    pub how: String,
    /// How much of the document it is, 0..=1.
    pub share: f64,
    /// Where in the object: path inside archives, masked; empty for the object itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub at: String,
}

impl Copied {
    /// One reason of a finding.
    fn in_words(&self) -> String {
        let Self { document, key, version_id, how, share, .. } = self;
        let version = version_id.as_ref().map(|id| format!(", version `{id}`")).unwrap_or_default();
        format!("{:.1} % of `{document}` by {how} in `{key}`{version}", share * 100.0)
    }
}

/// One masked sample and where it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// What it is an instance of, for example `work_email`.
    pub kind: String,
    /// The value, as the classifiers masked it.
    pub sample: String,
    /// Where in the object, masked where it is made of content.
    pub at: String,
}
