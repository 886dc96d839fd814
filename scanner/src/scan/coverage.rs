//! What was seen, and what was not?

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::estate::{Gap, GapReason, Object};
use crate::findings::{Finding, Suppression};
use crate::tickets::Delivery;

/// Gaps told one by one; those beyond are only counted.
const GAPS_MAX: usize = 1_000;

/// The schema that a coverage of this version states.
pub const COVERAGE_SCHEMA: &str = "spillwatch.coverage/1";

/// What a run saw: the last line of its output.
#[derive(Debug, Serialize, Deserialize)]
pub struct Coverage {
    /// [`COVERAGE_SCHEMA`].
    pub schema: String,
    /// The run's name, as `findings diff` takes it.
    pub run: String,
    /// What was to be scanned, screened.
    pub targets: Vec<String>,
    /// RFC 3339.
    pub started: String,
    /// RFC 3339.
    pub ended: String,
    /// How long the run took.
    pub elapsed_ms: u64,
    /// Accounts and projects enumerated.
    pub accounts: u64,
    /// Buckets judged.
    pub buckets: u64,
    /// Of these, open to somebody outside, proven or possible.
    pub buckets_exposed: u64,
    /// Of the buckets, those of which everything was seen: who reaches them, every key, every object to its end.
    pub buckets_seen_whole: u64,
    /// Objects by what became of them.
    pub objects: Counts,
    /// Older versions of objects, where they were looked for. They are no part of `objects`.
    #[serde(default)]
    pub versions: Counts,
    /// Bytes by what became of them.
    pub bytes: Counts,
    /// Findings that are there and not suppressed.
    pub findings: u64,
    /// These by severity.
    pub findings_by_severity: BTreeMap<String, u64>,
    /// All findings reported, by what became of them.
    pub findings_by_status: BTreeMap<String, u64>,
    /// What the ledger knows beside what this run saw; none where no ledger is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerCoverage>,
    /// What came of telling the findings, by sink; none where no sink is configured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tickets: Vec<Delivery>,
    /// How often something could not be seen, by reason.
    pub gaps_by_reason: BTreeMap<String, u64>,
    /// The gaps themselves, alike ones of a bucket counted together.
    pub gaps: Vec<CountedGap>,
    /// Whether the run was ended before its time.
    pub interrupted: bool,
    /// Whether everything was seen that the settings asked for.
    pub complete: bool,
    #[serde(skip, default = "Instant::now")]
    clock: Instant,
}

/// What a ledger knows beside what the run saw.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerCoverage {
    /// Open findings that this run did not look at with enough coverage to say anything: they stay open.
    pub unexamined: u64,
    /// Suppressions that hold.
    pub suppressions: u64,
    /// Suppressions that hold and match no finding that is there: remove them. The first hundred.
    pub suppressions_unmatched: Vec<Suppression>,
    /// Suppressions that ended while their finding is still there. The first hundred.
    pub suppressions_expired: Vec<Suppression>,
    /// Whether a part of what the run saw could not be read from it or written to it.
    pub failed: bool,
}

/// Objects or bytes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// In the listings.
    pub listed: u64,
    /// Read.
    pub read: u64,
    /// Left out by sampling or limits, or unreadable.
    pub skipped: u64,
}

/// A gap and how often it was met.
#[derive(Debug, Serialize, Deserialize)]
pub struct CountedGap {
    #[serde(flatten)]
    gap: Gap,
    count: u64,
}

impl CountedGap {
    /// What happened and the next step.
    pub fn detail(&self) -> &str {
        &self.gap.detail
    }

    /// The example of its kind.
    pub fn gap(&self) -> &Gap {
        &self.gap
    }

    /// How often its kind was met.
    pub fn count(&self) -> u64 {
        self.count
    }
}

impl Default for Coverage {
    fn default() -> Self {
        Self::begin()
    }
}

impl Coverage {
    pub(super) fn begin() -> Self {
        Self {
            schema: COVERAGE_SCHEMA.to_owned(),
            run: String::new(),
            targets: Vec::new(),
            started: now(),
            ended: String::new(),
            elapsed_ms: 0,
            accounts: 0,
            buckets: 0,
            buckets_exposed: 0,
            buckets_seen_whole: 0,
            objects: Counts::default(),
            versions: Counts::default(),
            bytes: Counts::default(),
            findings: 0,
            findings_by_severity: BTreeMap::new(),
            findings_by_status: BTreeMap::new(),
            ledger: None,
            tickets: Vec::new(),
            gaps_by_reason: BTreeMap::new(),
            gaps: Vec::new(),
            interrupted: false,
            complete: false,
            clock: Instant::now(),
        }
    }

    /// That of a run of which nobody knows what else it saw: `detail` says why.
    pub fn broken_off(detail: &str) -> Self {
        let mut coverage = Self { interrupted: true, ..Self::begin() };
        coverage.gap(&Gap {
            reason: GapReason::Interrupted,
            operation: "scan".to_owned(),
            resource: String::new(),
            detail: detail.to_owned(),
        });
        coverage.end()
    }

    /// Counts a finding that is reported.
    pub(super) fn finding(&mut self, finding: &Finding) {
        if finding.status.is_open() {
            self.findings += 1;
            *self.findings_by_severity.entry(finding.severity.as_str().to_owned()).or_default() += 1;
        }
        *self.findings_by_status.entry(finding.status.as_str().to_owned()).or_default() += 1;
    }

    /// Where an object is counted.
    pub(super) fn counts_of(&mut self, object: &Object) -> &mut Counts {
        if object.is_current() { &mut self.objects } else { &mut self.versions }
    }

    /// Counts a gap; the first of its kind in a bucket is kept as the example.
    pub(super) fn gap(&mut self, gap: &Gap) {
        self.gaps_counted(gap.clone(), 1);
    }

    fn gaps_counted(&mut self, gap: Gap, count: u64) {
        tracing::trace!(reason = gap.reason.as_str(), operation = ?gap.operation, resource = ?gap.resource, "gap");
        *self.gaps_by_reason.entry(gap.reason.as_str().to_owned()).or_default() += count;
        let place = |gap: &Gap| gap.resource.split('/').next().unwrap_or_default().to_owned();
        let room = self.gaps.len() < GAPS_MAX;
        let alike = self.gaps.iter_mut().find(|known| {
            (known.gap.reason, &known.gap.operation) == (gap.reason, &gap.operation)
                && place(&known.gap) == place(&gap)
        });
        match alike {
            Some(known) => known.count += count,
            None if room => self.gaps.push(CountedGap { gap, count }),
            None => {}
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.buckets += other.buckets;
        self.buckets_exposed += other.buckets_exposed;
        self.buckets_seen_whole += other.buckets_seen_whole;
        for (sum, more) in [
            (&mut self.objects, other.objects),
            (&mut self.versions, other.versions),
            (&mut self.bytes, other.bytes),
        ] {
            sum.listed += more.listed;
            sum.read += more.read;
            sum.skipped += more.skipped;
        }
        for CountedGap { gap, count } in other.gaps {
            self.gaps_counted(gap, count);
        }
    }

    pub(super) fn end(mut self) -> Self {
        self.ended = now();
        self.elapsed_ms = u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        let asked_for = |reason: &str| reason == GapReason::Sampled.as_str();
        self.complete = !self.interrupted && self.gaps_by_reason.keys().all(|reason| asked_for(reason));
        self
    }
}

/// This moment in whole seconds, RFC 3339.
pub(super) fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}
