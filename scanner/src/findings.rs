//! What is wrong, how bad is it, and under which name is it known from run to run?

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};
use spillwatch_classifiers::{Category, Classification, Distinct, Evidence};

use crate::estate::{Bucket, Object, Provider};
use crate::exposure::{Access, Audience, BucketExposure, Certainty, Exposure, Keys};

mod severity;

pub use severity::{Reach, Severity};

const TOP_KEYS: usize = 10;
const EVIDENCE: usize = 5;

/// One problem of one bucket: a ticket's worth.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// Always `spillwatch.finding/1`.
    pub schema: &'static str,
    /// `sha256("v1|provider|account|bucket|rule|class")`: the same from run to run, whatever the counts.
    pub uid: String,
    /// Which rule found it.
    pub rule: &'static str,
    /// The content category, or the kind of access.
    pub class: &'static str,
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
    /// Who can reach it.
    pub exposures: Vec<Exposure>,
    /// What is inside, masked.
    pub detections: Vec<Aggregate>,
    /// Which objects.
    pub objects: Objects,
    /// The reasons in words.
    pub because: Vec<String>,
    /// The next step.
    pub remediation: &'static str,
    /// When this problem was first seen, RFC 3339.
    pub first_seen: String,
    /// When it was last seen, RFC 3339.
    pub last_seen: String,
    /// `new` as long as no ledger knows it.
    pub status: &'static str,
}

/// The objects of a finding.
#[derive(Debug, Default, Serialize)]
pub struct Objects {
    /// How many.
    pub count: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// Some of their keys.
    pub top_keys: Vec<String>,
}

/// One category over all objects of a finding.
#[derive(Debug, Serialize)]
pub struct Aggregate {
    category: Category,
    confidence: f64,
    occurrences: u64,
    distinct: Distinct,
    kinds: BTreeMap<&'static str, u64>,
    evidence: Vec<Evidence>,
    because: Vec<String>,
}

#[derive(Debug)]
struct Pile {
    reach: Reach,
    exposures: Vec<Exposure>,
    objects: Objects,
    aggregate: Aggregate,
}

/// Collects what a bucket's objects hold and says at the end what is wrong with the bucket.
pub struct Assessment {
    bucket: Bucket,
    exposure: BucketExposure,
    seen: String,
    opened: Vec<Exposure>,
    unread: Vec<Exposure>,
    piles: BTreeMap<(Category, bool), Pile>,
    key_beside: Vec<Reach>,
    confidence_min: f64,
}

impl Assessment {
    /// Starts on a bucket; `seen` is the run's start, RFC 3339.
    pub fn new(bucket: Bucket, exposure: BucketExposure, seen: String, confidence_min: f64) -> Self {
        Self {
            bucket,
            exposure,
            seen,
            opened: Vec::new(),
            unread: Vec::new(),
            piles: BTreeMap::new(),
            key_beside: Vec::new(),
            confidence_min,
        }
    }

    /// Takes the ways in that an object's own ACL adds: they open the bucket, whatever the object holds.
    pub fn open(&mut self, own: &[Exposure]) {
        for way in &own.iter().map(screened).collect::<Vec<_>>() {
            // An object ACL has no conditions: what is merely possible was not read.
            if way.certainty == Certainty::Possible {
                if self.unread.len() < TOP_KEYS && !self.unread.contains(way) {
                    self.unread.push(way.clone());
                }
                continue;
            }
            let known = self.opened.iter_mut().find(|known| {
                (known.audience, known.certainty, &known.access) == (way.audience, way.certainty, &way.access)
            });
            match known {
                Some(known) if known.keys.include.len() < TOP_KEYS => {
                    known.keys.include.extend(way.keys.include.iter().cloned());
                }
                Some(_) => {}
                None => self.opened.push(way.clone()),
            }
        }
    }

    /// Takes the verdict on one object, with the ways in that its own ACL adds to the bucket's.
    pub fn add(&mut self, object: &Object, own: &[Exposure], classification: &Classification) {
        let ways: Vec<&Exposure> =
            self.exposure.exposures.iter().chain(own).filter(|way| reads(way, &object.key)).collect();
        let reach = match self.bucket.account.provider {
            Provider::Local => Reach::Unknown,
            _ => Reach::widest(&ways),
        };
        for detection in &classification.detections {
            if detection.confidence < self.confidence_min {
                continue;
            }
            if detection.holds_key_material() {
                self.key_beside.push(reach);
                self.key_beside.dedup();
            }
            let pile = self.piles.entry((detection.category, reach.is_outside())).or_insert_with(|| Pile {
                reach,
                exposures: Vec::new(),
                objects: Objects::default(),
                aggregate: Aggregate {
                    category: detection.category,
                    confidence: 0.0,
                    occurrences: 0,
                    distinct: Distinct::default(),
                    kinds: BTreeMap::new(),
                    evidence: Vec::new(),
                    because: detection.because.clone(),
                },
            });
            pile.reach = pile.reach.max(reach);
            for way in ways.iter().map(|way| screened(way)) {
                if pile.exposures.len() < TOP_KEYS && !pile.exposures.contains(&way) {
                    pile.exposures.push(way);
                }
            }
            pile.objects.count += 1;
            pile.objects.bytes += object.size_bytes;
            if pile.objects.top_keys.len() < TOP_KEYS {
                pile.objects.top_keys.push(spillwatch_classifiers::screen(&object.key).to_string());
            }
            pile.aggregate.take(detection);
        }
    }

    /// Ends the bucket.
    pub fn findings(self) -> Vec<Finding> {
        let Self { bucket, exposure, seen, opened, mut unread, piles, key_beside, .. } = self;
        let make = |rule, class, severity, because, remediation| Finding {
            schema: "spillwatch.finding/1",
            uid: uid(&bucket, rule, class),
            rule,
            class,
            severity,
            provider: bucket.account.provider,
            account: bucket.account.id.clone(),
            bucket: bucket.name.clone(),
            region: bucket.region.clone(),
            exposures: Vec::new(),
            detections: Vec::new(),
            objects: Objects::default(),
            because,
            remediation,
            first_seen: seen.clone(),
            last_seen: seen.clone(),
            status: "new",
        };
        let mut findings = Vec::new();
        for ((category, outside), pile) in piles {
            let key_beside =
                category == Category::EncryptedBlob && key_beside.iter().any(|reach| reach.is_outside());
            let (severity, mut because) = severity::of_content(category, pile.reach, key_beside);
            because.extend(pile.exposures.iter().flat_map(|way| way.because.clone()).take(EVIDENCE));
            let (rule, remediation) = if outside {
                ("exposed_content", "close the exposure, then find out who read the objects")
            } else {
                ("sensitive_content", "keep the bucket closed; move the objects where they belong")
            };
            let mut finding = make(rule, category.as_str(), severity, because, remediation);
            finding.exposures = pile.exposures;
            finding.objects = pile.objects;
            finding.detections = vec![pile.aggregate];
            findings.push(finding);
        }
        for (class, kinds) in
            [("read", [Access::List, Access::Read]), ("write", [Access::Write, Access::Administer])]
        {
            let ways: Vec<Exposure> = exposure
                .exposures
                .iter()
                .chain(&opened)
                .filter(|way| outside(way, &kinds))
                .cloned()
                .collect();
            if ways.is_empty() {
                continue;
            }
            let reach = Reach::widest(&ways.iter().collect::<Vec<_>>());
            if ways.iter().all(|way| way.certainty == Certainty::Possible) && !exposure.gaps.is_empty() {
                continue;
            }
            let (severity, mut because) = severity::of_access(class, reach, exposure.website);
            because.extend(ways.iter().flat_map(|way| way.because.clone()).take(EVIDENCE));
            let mut finding = make(
                "exposed_bucket",
                class,
                severity,
                because,
                "remove the statement or grant that is named",
            );
            finding.exposures = ways;
            findings.push(finding);
        }
        let mut because: Vec<String> = exposure.gaps.iter().map(|gap| gap.detail.clone()).collect();
        if !because.is_empty() {
            unread.extend(exposure.exposures.into_iter().filter(|way| way.certainty == Certainty::Possible));
        }
        if !unread.is_empty() {
            if because.is_empty() {
                because.extend(unread.iter().flat_map(|way| way.because.clone()).take(EVIDENCE));
            }
            let remediation = "grant the scan role the permissions that are named and scan again";
            let mut finding = make("unread_bucket", "access", Severity::Medium, because, remediation);
            finding.exposures = unread;
            findings.push(finding);
        }
        findings
    }
}

impl Aggregate {
    /// How many distinct people, ids or secrets.
    pub fn distinct(&self) -> u64 {
        self.distinct.estimate()
    }

    fn take(&mut self, detection: &spillwatch_classifiers::Detection) {
        self.confidence = self.confidence.max(detection.confidence);
        self.occurrences += detection.occurrences;
        self.distinct.merge(&detection.distinct);
        for (kind, count) in &detection.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
        let room = EVIDENCE.saturating_sub(self.evidence.len());
        self.evidence.extend(detection.evidence.iter().take(room).cloned());
    }
}

/// A way in through one object's ACL names its key, which strangers wrote. Where the key holds what must not be told, the
/// witness goes too: a command with another key would prove nothing.
fn screened(way: &Exposure) -> Exposure {
    let told = |key: &str| spillwatch_classifiers::screen(key).as_str() == key;
    if way.keys.include.iter().chain(&way.keys.exclude).all(|key| told(key)) {
        return way.clone();
    }
    let screen = |keys: &BTreeSet<String>| {
        keys.iter().map(|key| spillwatch_classifiers::screen(key).to_string()).collect()
    };
    Exposure {
        keys: Keys { include: screen(&way.keys.include), exclude: screen(&way.keys.exclude) },
        witness: None,
        because: vec!["the ACL of an object whose key is screened".to_owned()],
        closing: Vec::new(),
        ..way.clone()
    }
}

fn outside(way: &Exposure, kinds: &[Access]) -> bool {
    way.audience != Audience::Organization && kinds.iter().any(|kind| way.access.contains(kind))
}

/// Whether this way in lets somebody outside read the key; who administers can grant himself the reading.
pub fn reads(way: &Exposure, key: &str) -> bool {
    outside(way, &[Access::Read, Access::Administer]) && way.keys.contains(key)
}

fn uid(bucket: &Bucket, rule: &str, class: &str) -> String {
    let Bucket { account, name, .. } = bucket;
    let text = format!("v1|{}|{}|{name}|{rule}|{class}", account.provider, account.id);
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
