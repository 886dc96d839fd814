//! How does what a run saw enter the ledger, and what does the ledger know beside it?

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use serde_json::Value;
use time::OffsetDateTime;
use time::macros::format_description;

use super::bucket::BucketSurvey;
use super::coverage::now;
use super::{Coverage, LedgerCoverage, Target};
use crate::estate::{Account, Bucket, Gap, GapReason};
use crate::findings::{Examined, Finding, Look, Transition, holds, reconcile};
use crate::store::{Run, Store, StoreError};

/// Suppressions that are told one by one.
const SUPPRESSIONS_MAX: usize = 100;

/// Keeps what one run finds, or nothing where no ledger is kept.
pub(super) struct Keeping<'a> {
    store: Option<&'a dyn Store>,
    run: Run,
    /// Said once: what fails once fails for every bucket after it.
    failed: bool,
}

impl<'a> Keeping<'a> {
    /// Begins a run.
    pub(super) async fn begin(
        store: Option<&'a dyn Store>,
        targets: &[Target],
        coverage: &mut Coverage,
    ) -> Keeping<'a> {
        let targets: Vec<String> =
            targets.iter().map(|target| spillwatch_classifiers::screen(&target.word).to_string()).collect();
        let run = Run {
            id: name(),
            started: coverage.started.clone(),
            ended: None,
            targets: targets.clone(),
            coverage: None,
        };
        coverage.run.clone_from(&run.id);
        coverage.targets = targets;
        let mut keeping = Self { store, run, failed: false };
        if let Some(store) = store {
            let begun = store.begin(&keeping.run).await;
            keeping.note(begun, "all buckets", coverage);
        }
        keeping
    }

    /// Decides over a bucket: the findings to report, those that are gone among them.
    pub(super) async fn decide(
        &mut self,
        survey: BucketSurvey,
        target: &Target,
        coverage: &mut Coverage,
    ) -> Vec<Finding> {
        let Some(store) = self.store else { return survey.findings };
        let BucketSurvey { bucket, findings, examined, .. } = survey;
        let found = findings.clone();
        let (run, word) = (self.run.id.clone(), target.word.clone());
        let decide = move |known: Vec<_>, suppressions: &[_]| {
            let look = Look { run: &run, target: &word, examined: &examined };
            reconcile(known, found, suppressions, look)
        };
        let decided = store.decide(&bucket, &self.run.id, Box::new(decide)).await;
        match self.note(decided, &bucket.name, coverage) {
            Some(records) => records.into_iter().map(|record| record.finding).collect(),
            // Told as if no ledger was kept: better twice than never.
            None => findings,
        }
    }

    /// Ends the findings of buckets that are gone: `listed` are all that the account holds.
    pub(super) async fn gone(
        &mut self,
        account: &Account,
        listed: &BTreeSet<String>,
        target: &Target,
        coverage: &mut Coverage,
    ) -> Vec<Finding> {
        let Some(store) = self.store else { return Vec::new() };
        let known = store.open_buckets(account.provider, &account.id).await;
        let known = self.note(known, &account.id, coverage).unwrap_or_default();
        let mut resolved = Vec::new();
        for name in known.into_iter().filter(|name| !listed.contains(name)) {
            let bucket = Bucket { account: account.clone(), name, region: None };
            let examined = Examined::gone(now());
            let survey = BucketSurvey { bucket, findings: Vec::new(), coverage: Coverage::begin(), examined };
            resolved.extend(self.decide(survey, target, coverage).await);
        }
        resolved
    }

    /// Ends the run.
    pub(super) async fn end(mut self, mut coverage: Coverage) -> Coverage {
        let Some(store) = self.store else { return coverage.end() };
        let beside = beside(store, &self.run.id).await;
        let beside = self.note(beside, "all buckets", &mut coverage).unwrap_or_default();
        coverage.ledger = Some(LedgerCoverage { failed: self.failed, ..beside });
        let mut coverage = coverage.end();
        self.run.ended = Some(coverage.ended.clone());
        self.run.coverage = serde_json::to_value(&coverage).ok().map(without_gaps);
        if let Err(error) = store.end(&self.run).await {
            tracing::warn!("{error}");
            coverage.ledger = coverage.ledger.map(|ledger| LedgerCoverage { failed: true, ..ledger });
        }
        coverage
    }

    fn note<T>(
        &mut self,
        result: Result<T, StoreError>,
        resource: &str,
        coverage: &mut Coverage,
    ) -> Option<T> {
        let error = match result {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        if !std::mem::replace(&mut self.failed, true) {
            tracing::warn!("{error}; what this run finds is reported, but not all of it is remembered");
        }
        coverage.gap(&Gap {
            reason: GapReason::Failed,
            operation: "ledger".to_owned(),
            resource: resource.to_owned(),
            detail: error.to_string(),
        });
        None
    }
}

/// The gaps one by one stand in the report: hundreds of runs are kept, and their counts are enough.
fn without_gaps(mut coverage: Value) -> Value {
    if let Some(fields) = coverage.as_object_mut() {
        fields.remove("gaps");
    }
    coverage
}

async fn beside(store: &dyn Store, run: &str) -> Result<LedgerCoverage, StoreError> {
    let mut beside = LedgerCoverage { unexamined: store.unexamined(run).await?, ..LedgerCoverage::default() };
    let now = now();
    for suppression in store.suppressions().await? {
        let record = store.find(&suppression.uid).await?.pop();
        let is_there = record.is_some_and(|record| record.finding.status != Transition::Resolved);
        let held = holds(&suppression, &now);
        beside.suppressions += u64::from(held);
        let told = match (held, is_there) {
            (true, false) => &mut beside.suppressions_unmatched,
            (false, true) => &mut beside.suppressions_expired,
            _ => continue,
        };
        if told.len() < SUPPRESSIONS_MAX {
            told.push(suppression);
        }
    }
    Ok(beside)
}

/// A name for a run: names are in the order of their starts, and two that start together differ.
fn name() -> String {
    let form = format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:6]");
    let started = OffsetDateTime::now_utc().format(form).unwrap_or_default();
    format!("{started}-{:04x}", RandomState::new().hash_one(0) & 0xffff)
}
