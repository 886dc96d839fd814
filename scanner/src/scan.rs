//! The way of every bucket: facts, judgement, order, objects, findings; nothing here writes to a cloud.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use futures::stream::{self, StreamExt};
use spillwatch_classifiers::copies::Index;
use spillwatch_classifiers::{Classifier, Limits};
use tokio::sync::{Semaphore, watch};

use crate::cloud::{Cloud, CloudError};
use crate::estate::aws::{Inventory, acl_inventories};
use crate::estate::{self, Account, Bucket, Gap, GapReason};
use crate::exposure::{self, BucketExposure, Certainty, ObjectAcls, ZoneOfTrust};
use crate::findings::{Finding, Reach};
use crate::store::Store;

mod acl_report;
pub mod affected;
mod bucket;
mod copies;
mod coverage;
mod figures;
pub mod fingerprint;
mod keeping;
mod object;
mod pool;
mod progress;
mod sample;
pub mod sweep;
pub mod verify;

pub use coverage::{COVERAGE_SCHEMA, CountedGap, Coverage, LedgerCoverage};
use keeping::Keeping;
pub use progress::{Progress, Snapshot};

/// Accounts that are asked for their buckets at one time.
const ACCOUNTS_IN_FLIGHT: usize = 8;
/// Buckets of an account whose facts are read at one time; each asks a dozen questions at once.
const BUCKETS_JUDGED_IN_FLIGHT: usize = 16;

/// What a scan may spend, and how deep it looks.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Read buckets that nobody outside can reach in full too, and the older versions of their objects.
    pub all: bool,
    /// Objects read of a bucket that nobody outside can reach.
    pub sample_objects_max: usize,
    /// Objects read of one bucket.
    pub objects_per_bucket_max: u64,
    /// Object ACLs read of one bucket; of the objects beyond, one in a hundred.
    pub object_acls_per_bucket_max: u64,
    /// Bytes read of one object.
    pub bytes_per_object_max: u64,
    /// Bytes of all objects in memory at one time.
    pub bytes_in_flight_max: u64,
    /// Objects read at one time, in one bucket.
    pub reads_in_flight_max: usize,
    /// Buckets looked at at one time.
    pub buckets_in_flight_max: usize,
    /// Detections below this confidence make no finding.
    pub confidence_min: f64,
    /// Who belongs to us, beside what the provider states.
    pub zone: ZoneOfTrust,
    /// The known documents of which copies are sought.
    pub index: Option<Arc<Index>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            all: false,
            sample_objects_max: 100,
            objects_per_bucket_max: 1_000_000,
            object_acls_per_bucket_max: 10_000,
            bytes_per_object_max: 1 << 30,
            bytes_in_flight_max: 256 << 20,
            reads_in_flight_max: 128,
            buckets_in_flight_max: 8,
            confidence_min: 0.5,
            zone: ZoneOfTrust::default(),
            index: None,
        }
    }
}

/// One cloud to scan, perhaps only below a prefix of its keys.
pub struct Target {
    /// What opened the door, as it was written.
    pub word: String,
    /// The door.
    pub cloud: Arc<dyn Cloud>,
    /// Only keys that start with this.
    pub prefix: String,
}

/// A bucket of which it is known who can reach it.
struct Judged {
    bucket: Bucket,
    /// When the facts were read, RFC 3339.
    at: String,
    exposure: BucketExposure,
    tags: Vec<(String, String)>,
    /// Whether there can be older versions of its objects.
    keeps_versions: bool,
    /// What decides about its objects' ACLs, if they can grant anything.
    object_acls: Option<ObjectAcls>,
    /// The report that tells them without asking for each.
    acl_inventory: Option<Inventory>,
}

struct Engine<'a> {
    settings: &'a Settings,
    classifier: Classifier,
    /// What one object may hold in the classifier's memory.
    buffer_bytes_max: u64,
    bytes: Semaphore,
    progress: &'a Progress,
    stop: watch::Receiver<bool>,
}

/// The buckets of an account.
struct Enumerated {
    account: Account,
    judged: Vec<Judged>,
    /// Whether these are all that it holds.
    complete: bool,
    gaps: Vec<Gap>,
}

/// Scans the targets, most exposed buckets first, and hands each bucket's findings to `report` as it ends, with what
/// became of them since the runs that `ledger` remembers.
///
/// Once `stop` turns true nothing new is begun, and what was found so far is reported.
pub async fn scan(
    targets: &[Target],
    settings: &Settings,
    progress: &Progress,
    stop: watch::Receiver<bool>,
    ledger: Option<&dyn Store>,
    report: &mut dyn FnMut(&Finding),
) -> Coverage {
    let mut coverage = Coverage::begin();
    let mut keeping = Keeping::begin(ledger, targets, &mut coverage).await;
    let engine = Engine::new(settings, progress, stop);
    for target in targets {
        let (mut judged, mut held) = (Vec::new(), Vec::new());
        for enumerated in engine.judge_all(target, &mut coverage).await {
            if enumerated.complete && target.cloud.names_all_buckets(&enumerated.account) {
                let names: BTreeSet<String> =
                    enumerated.judged.iter().map(|judged| judged.bucket.name.clone()).collect();
                held.push((enumerated.account, names));
            }
            judged.extend(enumerated.judged);
        }
        judged.sort_by_key(|judged| std::cmp::Reverse(urgency(&judged.exposure)));
        let ways = judged.into_iter().map(|judged| engine.bucket(target, judged));
        let mut ended = stream::iter(ways).buffer_unordered(settings.buckets_in_flight_max);
        let mut tell = |findings: Vec<Finding>, coverage: &mut Coverage| {
            for finding in &findings {
                coverage.finding(finding);
                report(finding);
            }
        };
        while let Some(mut survey) = ended.next().await {
            progress.bucket_done(survey.findings.len());
            coverage.merge(std::mem::take(&mut survey.coverage));
            let findings = keeping.decide(survey, target, &mut coverage).await;
            tell(findings, &mut coverage);
        }
        for (account, names) in &held {
            let findings = keeping.gone(account, names, target, &mut coverage).await;
            tell(findings, &mut coverage);
        }
    }
    if let Some(Err(damage)) = settings.index.as_ref().map(|index| index.health()) {
        coverage.gap(&Gap {
            reason: GapReason::Malformed,
            operation: "sweep".to_owned(),
            resource: "index of known documents".to_owned(),
            detail: damage.to_string(),
        });
    }
    coverage.interrupted = engine.stopped();
    keeping.end(coverage).await
}

impl<'a> Engine<'a> {
    fn new(settings: &'a Settings, progress: &'a Progress, stop: watch::Receiver<bool>) -> Self {
        let limits = Limits::default();
        let buffer_bytes_max = limits.buffer_bytes_max;
        let classifier = Classifier::new(limits, random_key());
        let classifier = match &settings.index {
            Some(index) => classifier.with_index(Arc::clone(index)),
            None => classifier,
        };
        let permits = usize::try_from(settings.bytes_in_flight_max / object::PERMIT_BYTES).unwrap_or(1);
        Self { settings, classifier, buffer_bytes_max, bytes: Semaphore::new(permits), progress, stop }
    }
}

impl Engine<'_> {
    fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Enumerates accounts and buckets and judges who can reach each bucket; nothing of an object is read yet.
    async fn judge_all(&self, target: &Target, coverage: &mut Coverage) -> Vec<Enumerated> {
        let accounts = match target.cloud.accounts().await {
            Ok(accounts) => accounts,
            Err(error) => {
                coverage.gap(&error.gap());
                return Vec::new();
            }
        };
        coverage.accounts += accounts.len() as u64;
        let zone = Arc::new(zone(target.cloud.as_ref(), &accounts, &self.settings.zone).await);
        let judging = accounts.iter().map(|account| self.judge_account(target, account, &zone));
        let mut judging = stream::iter(judging).buffer_unordered(ACCOUNTS_IN_FLIGHT);
        let mut all = Vec::new();
        while let Some(enumerated) = judging.next().await {
            enumerated.gaps.iter().for_each(|gap| coverage.gap(gap));
            self.progress.judged(enumerated.judged.len());
            all.push(enumerated);
        }
        all
    }

    async fn judge_account(&self, target: &Target, account: &Account, zone: &Arc<ZoneOfTrust>) -> Enumerated {
        let account_facts = target.cloud.account_facts(account).await;
        let judge = |found: Result<Bucket, CloudError>| {
            let account_facts = &account_facts;
            async move {
                let bucket = found?;
                let at = coverage::now();
                let facts = target.cloud.access_facts(&bucket).await;
                let exposure = exposure::judge(&bucket, &facts, account_facts, zone);
                let object_acls = ObjectAcls::of(&bucket, &facts, account_facts, zone);
                let acl_inventory = object_acls
                    .as_ref()
                    .and_then(|_| acl_inventories(&facts, &bucket.name).into_iter().next());
                let tags = estate::tags(bucket.account.provider, &facts);
                let keeps_versions = estate::keeps_versions(bucket.account.provider, &facts);
                Ok(Judged { bucket, at, exposure, tags, keeps_versions, object_acls, acl_inventory })
            }
        };
        let mut judging = target.cloud.buckets(account).map(judge).buffer_unordered(BUCKETS_JUDGED_IN_FLIGHT);
        let (mut judged, mut gaps, mut complete) = (Vec::new(), Vec::new(), true);
        while let Some(next) = judging.next().await {
            match next {
                Ok(next) => {
                    let exposed = next.exposure.exposures.len();
                    tracing::debug!(bucket = ?next.bucket.name, account = ?account.id, exposed, "judged");
                    gaps.extend(next.exposure.gaps.iter().cloned());
                    judged.push(next);
                }
                Err(error) => {
                    complete = false;
                    gaps.push(CloudError::gap(&error));
                }
            }
            if self.stopped() {
                complete = false;
                break;
            }
        }
        Enumerated { account: account.clone(), judged, complete, gaps }
    }
}

/// Who belongs to us: whom the provider states, the accounts of the run, and whom the settings name.
pub async fn zone(cloud: &dyn Cloud, accounts: &[Account], named: &ZoneOfTrust) -> ZoneOfTrust {
    let mut zone = cloud.zone_of_trust().await;
    zone.accounts.extend(accounts.iter().map(|account| account.id.clone()));
    zone.extend(named);
    zone
}

/// Most exposed first; what is unknown goes before what is closed.
fn urgency(exposure: &BucketExposure) -> (bool, Reach) {
    let ways: Vec<_> = exposure.exposures.iter().collect();
    (ways.iter().any(|way| way.certainty == Certainty::Proven), Reach::widest(&ways))
}

/// Keys the counts of distinct values: other in every run, so that nothing can be learnt from them.
pub(crate) fn random_key() -> [u8; 32] {
    let mut key = [0; 32];
    for part in key.chunks_mut(8) {
        // Seeded by the system's randomness, and each one differently.
        part.copy_from_slice(&RandomState::new().hash_one(0).to_le_bytes());
    }
    key
}
