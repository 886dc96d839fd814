//! What is wrong, how bad is it, and under which name is it known from run to run?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::estate::Provider;
use crate::exposure::Exposure;

mod assessment;
mod severity;

pub use assessment::{Assessment, reads};
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
}

/// What became of a finding between the last run and this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transition {
    /// Not known before, or no ledger is kept.
    New,
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
