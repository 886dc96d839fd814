//! How does a ledger stand in tables? The same for every store: schema, statements, and rows as records.

use serde_json::Value;

use super::{Run, Sighting};
use crate::findings::{Finding, Holders, Record, Severity, Transition};

/// The schema, one step per version; SQLite and PostgreSQL both read it. A step is never changed once it was released.
pub(super) const MIGRATIONS: &[&str] = &["
    CREATE TABLE runs (
        id TEXT PRIMARY KEY, started TEXT NOT NULL, ended TEXT, targets TEXT NOT NULL, coverage TEXT
    );
    CREATE TABLE findings (
        uid TEXT PRIMARY KEY, provider TEXT NOT NULL, account TEXT NOT NULL, bucket TEXT NOT NULL,
        rule TEXT NOT NULL, class TEXT NOT NULL, status TEXT NOT NULL, run TEXT NOT NULL, target TEXT NOT NULL,
        examined_at TEXT NOT NULL, confidence_min DOUBLE PRECISION NOT NULL, finding TEXT NOT NULL,
        holders BYTEA NOT NULL
    );
    CREATE INDEX findings_by_bucket ON findings (provider, account, bucket);
    CREATE TABLE sightings (
        run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, uid TEXT NOT NULL, status TEXT NOT NULL,
        severity TEXT NOT NULL, objects BIGINT NOT NULL, distinct_values BIGINT NOT NULL, PRIMARY KEY (run, uid)
    );
    CREATE TABLE suppressions (
        uid TEXT PRIMARY KEY, reason TEXT NOT NULL, author TEXT NOT NULL, created TEXT NOT NULL, until TEXT NOT NULL
    );
"];

/// The version after all steps.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

pub(super) const BEGIN_RUN: &str = "INSERT INTO runs (id, started, targets) VALUES ($1, $2, $3)";
pub(super) const FORGET_RUNS: &str =
    "DELETE FROM runs WHERE id NOT IN (SELECT id FROM runs ORDER BY id DESC LIMIT $1)";
pub(super) const END_RUN: &str = "UPDATE runs SET ended = $1, coverage = $2 WHERE id = $3";
pub(super) const RUNS: &str = "SELECT id, started, ended, targets, coverage FROM runs ORDER BY id DESC";

pub(super) const RECORDS_OF_BUCKET: &str = "SELECT finding, run, target, examined_at, confidence_min, holders \
    FROM findings WHERE provider = $1 AND account = $2 AND bucket = $3";
pub(super) const RECORDS_AFTER: &str = "SELECT finding, run, target, examined_at, confidence_min, holders \
    FROM findings WHERE uid > $1 ORDER BY uid LIMIT $2";
pub(super) const RECORDS_FROM_TO: &str = "SELECT finding, run, target, examined_at, confidence_min, holders \
    FROM findings WHERE uid >= $1 AND uid < $2 ORDER BY uid LIMIT 2";
pub(super) const WRITE_RECORD: &str = "INSERT INTO findings \
    (uid, provider, account, bucket, rule, class, status, run, target, examined_at, confidence_min, finding, holders) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) \
    ON CONFLICT (uid) DO UPDATE SET status = excluded.status, run = excluded.run, target = excluded.target, \
    examined_at = excluded.examined_at, confidence_min = excluded.confidence_min, finding = excluded.finding, \
    holders = excluded.holders";
pub(super) const WRITE_SIGHTING: &str = "INSERT INTO sightings (run, uid, status, severity, objects, distinct_values) \
    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (run, uid) DO UPDATE SET status = excluded.status, \
    severity = excluded.severity, objects = excluded.objects, distinct_values = excluded.distinct_values";
pub(super) const OPEN_BUCKETS: &str = "SELECT DISTINCT bucket FROM findings \
    WHERE provider = $1 AND account = $2 AND status <> 'resolved' ORDER BY bucket";
pub(super) const UNEXAMINED: &str = "SELECT count(*) FROM findings WHERE status NOT IN ('resolved', 'suppressed') \
    AND NOT EXISTS (SELECT 1 FROM sightings WHERE sightings.uid = findings.uid AND sightings.run = $1)";
pub(super) const SIGHTINGS_AFTER: &str = "SELECT s.uid, f.provider, f.account, f.bucket, f.rule, f.class, s.status, \
    s.severity, s.objects, s.distinct_values FROM sightings s JOIN findings f ON f.uid = s.uid \
    WHERE s.run = $1 AND s.uid > $2 ORDER BY s.uid LIMIT $3";

pub(super) const SUPPRESS: &str = "INSERT INTO suppressions (uid, reason, author, created, until) \
    VALUES ($1, $2, $3, $4, $5) ON CONFLICT (uid) DO UPDATE SET reason = excluded.reason, author = excluded.author, \
    created = excluded.created, until = excluded.until";
pub(super) const UNSUPPRESS: &str = "DELETE FROM suppressions WHERE uid = $1";
pub(super) const SUPPRESSIONS_OF_BUCKET: &str = "SELECT uid, reason, author, created, until FROM suppressions \
    WHERE uid IN (SELECT uid FROM findings WHERE provider = $1 AND account = $2 AND bucket = $3) ORDER BY uid";
pub(super) const SUPPRESSIONS: &str =
    "SELECT uid, reason, author, created, until FROM suppressions ORDER BY uid";

/// The end of the range of uids that begin with `prefix`; uids are hexadecimal.
pub(super) fn end_of_prefix(prefix: &str) -> String {
    format!("{prefix}g")
}

/// A row of `findings`, as read.
pub(super) struct RecordRow {
    pub(super) finding: String,
    pub(super) run: String,
    pub(super) target: String,
    pub(super) examined_at: String,
    pub(super) confidence_min: f64,
    pub(super) holders: Vec<u8>,
}

impl RecordRow {
    pub(super) fn of(record: &Record) -> Result<Self, String> {
        Ok(Self {
            finding: serde_json::to_string(&record.finding).map_err(|error| error.to_string())?,
            run: record.run.clone(),
            target: record.target.clone(),
            examined_at: record.examined_at.clone(),
            confidence_min: record.confidence_min,
            holders: record.finding.objects.holders.to_bytes(),
        })
    }

    pub(super) fn record(self) -> Result<Record, String> {
        let mut finding: Finding = serde_json::from_str(&self.finding).map_err(|error| error.to_string())?;
        finding.objects.holders = Holders::from_bytes(&self.holders);
        let Self { run, target, examined_at, confidence_min, .. } = self;
        Ok(Record { finding, run, target, examined_at, confidence_min })
    }
}

/// What a row of `sightings` says of a finding: status, severity, objects, distinct.
pub(super) fn sighted(finding: &Finding) -> (&'static str, &'static str, i64, i64) {
    let distinct = finding.detections.iter().map(|found| found.distinct).max().unwrap_or(0);
    let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    (finding.status.as_str(), finding.severity.as_str(), whole(finding.objects.count), whole(distinct))
}

/// A row of `sightings` with its finding's names, as read.
pub(super) struct SightingRow {
    pub(super) uid: String,
    pub(super) names: [String; 5],
    pub(super) status: String,
    pub(super) severity: String,
    pub(super) counts: [i64; 2],
}

impl SightingRow {
    pub(super) fn sighting(self) -> Result<Sighting, String> {
        let Self { uid, names, status, severity, counts: [objects, distinct] } = self;
        let status = serde_json::from_value::<Transition>(Value::String(status));
        Ok(Sighting {
            uid,
            names,
            status: status.map_err(|error| error.to_string())?,
            severity: severity.parse::<Severity>()?,
            objects: u64::try_from(objects).unwrap_or(0),
            distinct: u64::try_from(distinct).unwrap_or(0),
        })
    }
}

/// A row of `runs`, as read: id, started, ended, targets, coverage.
pub(super) fn run(
    id: String,
    started: String,
    ended: Option<String>,
    targets: &str,
    coverage: Option<&str>,
) -> Result<Run, String> {
    let text = |error: serde_json::Error| error.to_string();
    let targets = serde_json::from_str(targets).map_err(text)?;
    let coverage = coverage.map(serde_json::from_str).transpose().map_err(text)?;
    Ok(Run { id, started, ended, targets, coverage })
}
