//! What is wrong with a bucket, once its objects were looked into?

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use spillwatch_classifiers::{Category, Classification, Distinct, Evidence};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use super::severity::{self, Volume};
use super::{
    Copied, Examined, Finding, Found, Objects, Reach, SCHEMA, Sample, Severity, Transition, Version,
};
use crate::estate::{Bucket, Object, Provider, State};
use crate::exposure::{Access, Audience, BucketExposure, Certainty, Exposure};

const TOP_KEYS: usize = 10;
/// Copies told of one finding, and documents counted.
const COPIES: usize = 20;
const DOCUMENTS_MAX: usize = 10_000;
const EVIDENCE: usize = 5;
/// Hours of writing that are told apart.
const HOURS_MAX: usize = 48;
/// S3 allows 50 tags of a bucket, with values of 256 characters; Google Cloud 64 labels of 63 characters.
const TAGS_MAX: usize = 64;
const TAG_CHARS_MAX: usize = 256;

/// One category over all objects of a finding.
#[derive(Debug)]
struct Aggregate {
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

/// The copies of known documents within one reach.
#[derive(Debug)]
struct Copies {
    reach: Reach,
    exposures: Vec<Exposure>,
    objects: Objects,
    copied: Vec<Copied>,
    documents: BTreeSet<String>,
}

/// Collects what a bucket's objects hold and says at the end what is wrong with the bucket.
pub struct Assessment {
    bucket: Bucket,
    exposure: BucketExposure,
    /// The bucket's, screened.
    tags: BTreeMap<String, String>,
    seen: String,
    opened: Vec<Exposure>,
    unread: Vec<Exposure>,
    piles: BTreeMap<(Category, bool), Pile>,
    copies: BTreeMap<bool, Copies>,
    key_beside: Vec<Reach>,
    confidence_min: f64,
}

impl Assessment {
    /// Starts on a bucket; `seen` is the run's start, RFC 3339.
    pub fn new(bucket: Bucket, exposure: BucketExposure, seen: String, confidence_min: f64) -> Self {
        Self {
            bucket,
            exposure,
            tags: BTreeMap::new(),
            seen,
            opened: Vec::new(),
            unread: Vec::new(),
            piles: BTreeMap::new(),
            copies: BTreeMap::new(),
            key_beside: Vec::new(),
            confidence_min,
        }
    }

    /// Takes the bucket's tags, which whoever may tag it wrote: they are screened, and only so many are told.
    pub fn tagged(&mut self, tags: impl IntoIterator<Item = (String, String)>) {
        let screen = |text: &str| {
            let told = spillwatch_classifiers::screen(text).to_string();
            told.chars().take(TAG_CHARS_MAX).collect::<String>()
        };
        let screened = tags.into_iter().take(TAGS_MAX).map(|(name, value)| (screen(&name), screen(&value)));
        self.tags = screened.collect();
    }

    /// Takes the ways in that an object's own ACL adds: they open the bucket, whatever the object holds.
    pub fn open(&mut self, own: &[Exposure]) {
        for way in &own.iter().map(Exposure::screened).collect::<Vec<_>>() {
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
        let (ways, reach) = self.ways(object, own);
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
            widen(&mut pile.exposures, &ways);
            pile.objects.take(&self.bucket, object);
            pile.aggregate.take(detection);
        }
    }

    /// Takes the known documents of which an object is, or holds, copies; the keys of `copied` are told as the object's.
    pub fn add_copies(&mut self, object: &Object, own: &[Exposure], copied: Vec<Copied>) {
        if copied.is_empty() {
            return;
        }
        let (ways, reach) = self.ways(object, own);
        let copies = self.copies.entry(reach.is_outside()).or_insert_with(|| Copies {
            reach,
            exposures: Vec::new(),
            objects: Objects::default(),
            copied: Vec::new(),
            documents: BTreeSet::new(),
        });
        copies.reach = copies.reach.max(reach);
        widen(&mut copies.exposures, &ways);
        copies.objects.take(&self.bucket, object);
        for copy in copied {
            if copies.documents.len() < DOCUMENTS_MAX {
                copies.documents.insert(copy.document.clone());
            }
            // The largest parts are told, the same ones in every run.
            let before = |known: &Copied| {
                let order = copy.share.total_cmp(&known.share);
                order.then_with(|| (&known.document, &known.key).cmp(&(&copy.document, &copy.key))).is_lt()
            };
            let at = copies.copied.partition_point(before);
            copies.copied.insert(at, copy);
            copies.copied.truncate(COPIES);
        }
    }

    /// The ways in which somebody outside reads an object, and how far it can be reached.
    fn ways(&self, object: &Object, own: &[Exposure]) -> (Vec<Exposure>, Reach) {
        let ways = self.exposure.exposures.iter().chain(own).filter(|way| reads(way, object));
        let ways: Vec<&Exposure> = ways.collect();
        let reach = match self.bucket.account.provider {
            Provider::Local => Reach::Unknown,
            _ => Reach::widest(&ways),
        };
        (ways.into_iter().map(Exposure::screened).collect(), reach)
    }

    /// Ends the bucket, of which so much was seen.
    pub fn findings(self, examined: &Examined) -> Vec<Finding> {
        let Self { bucket, exposure, tags, seen, opened, mut unread, piles, copies, key_beside, .. } = self;
        let make = |rule: &str, class: &str, severity: Severity, because, remediation: &str| Finding {
            schema: SCHEMA.to_owned(),
            uid: uid(&bucket, rule, class),
            rule: rule.to_owned(),
            class: class.to_owned(),
            severity,
            provider: bucket.account.provider,
            account: bucket.account.id.clone(),
            bucket: bucket.name.clone(),
            region: bucket.region.clone(),
            exposures: Vec::new(),
            detections: Vec::new(),
            copies: Vec::new(),
            objects: Objects::default(),
            because,
            remediation: remediation.to_owned(),
            first_seen: seen.clone(),
            last_seen: seen.clone(),
            status: Transition::New,
            changes: Vec::new(),
            exposed_since: rule.starts_with("exposed_").then(|| seen.clone()),
            exposure_window_ms: rule.starts_with("exposed_").then_some(0),
            resolved_at: None,
            suppression: None,
            tags: tags.clone(),
        };
        let mut findings = Vec::new();
        for ((category, outside), mut pile) in piles {
            in_order(&mut pile.exposures);
            let key_beside =
                category == Category::EncryptedBlob && key_beside.iter().any(|reach| reach.is_outside());
            let unseen = if outside { &examined.unseen_outside } else { &examined.unseen_inside };
            let all_read = examined.facts && examined.object_acls && examined.listing && unseen.is_empty();
            let volume = Volume { people: pile.aggregate.distinct.estimate(), all_read };
            let (severity, mut because) = severity::of_content(category, pile.reach, key_beside, volume);
            if outside && exposure.website {
                because.push(
                    "the bucket is a website, public on purpose; this content in it is hardly meant to be"
                        .to_owned(),
                );
            }
            because.extend(pile.objects.versions_in_words());
            because.extend(reasons(&pile.exposures));
            let (rule, remediation) = if outside {
                ("exposed_content", "close the exposure, then find out who read the objects")
            } else {
                ("sensitive_content", "keep the bucket closed; move the objects where they belong")
            };
            let mut finding = make(rule, category.as_str(), severity, because, remediation);
            finding.exposures = pile.exposures.iter().map(Exposure::told).collect();
            finding.objects = pile.objects;
            finding.detections = vec![pile.aggregate.found()];
            findings.push(finding);
        }
        for (outside, copies) in copies {
            let Copies { reach, mut exposures, objects, copied, documents } = copies;
            in_order(&mut exposures);
            let (severity, mut because) = severity::of_copies(documents.len(), reach);
            because.extend(objects.versions_in_words());
            because.extend(copied.iter().take(EVIDENCE).map(Copied::in_words));
            because.extend(reasons(&exposures));
            let (rule, remediation) = if outside {
                ("exposed_copy", "close the exposure; `sweep` finds the other copies of these documents")
            } else {
                ("known_copy", "keep the bucket closed; remove the copies that nobody needs")
            };
            let mut finding = make(rule, "known_document", severity, because, remediation);
            finding.exposures = exposures.iter().map(Exposure::told).collect();
            (finding.objects, finding.copies) = (objects, copied);
            findings.push(finding);
        }
        for (class, kinds) in [
            ("read", &[Access::List, Access::Read, Access::ReadVersions][..]),
            ("write", &[Access::Write, Access::Administer]),
        ] {
            let ways: Vec<Exposure> =
                exposure.exposures.iter().chain(&opened).filter(|way| outside(way, kinds)).cloned().collect();
            if ways.is_empty() {
                continue;
            }
            let reach = Reach::widest(&ways.iter().collect::<Vec<_>>());
            if ways.iter().all(|way| way.certainty == Certainty::Possible) && !exposure.gaps.is_empty() {
                continue;
            }
            let (severity, mut because) = severity::of_access(class, reach, exposure.website);
            because.extend(reasons(&ways));
            let mut finding = make(
                "exposed_bucket",
                class,
                severity,
                because,
                "remove the statement or grant that is named",
            );
            finding.exposures = ways.iter().map(Exposure::told).collect();
            findings.push(finding);
        }
        let mut because: Vec<String> = exposure.gaps.iter().map(|gap| gap.detail.clone()).collect();
        if !because.is_empty() {
            unread.extend(exposure.exposures.into_iter().filter(|way| way.certainty == Certainty::Possible));
        }
        if !unread.is_empty() {
            if because.is_empty() {
                because.extend(reasons(&unread));
            }
            let remediation = "grant the scan role the permissions that are named and scan again";
            let mut finding = make("unread_bucket", "access", Severity::Medium, because, remediation);
            finding.exposures = unread.iter().map(Exposure::told).collect();
            findings.push(finding);
        }
        findings
    }
}

/// What decides about these ways in, each reason once; the first few.
fn reasons(ways: &[Exposure]) -> Vec<String> {
    let mut told = Vec::new();
    for reason in ways.iter().flat_map(|way| &way.because) {
        if told.len() < EVIDENCE && !told.contains(reason) {
            told.push(reason.clone());
        }
    }
    told
}

/// The widest first, whichever object was read first.
fn in_order(ways: &mut [Exposure]) {
    ways.sort_by(|one, other| {
        (one.audience, one.certainty, &one.access, &one.keys).cmp(&(
            other.audience,
            other.certainty,
            &other.access,
            &other.keys,
        ))
    });
}

/// Adds ways in that are not told yet.
fn widen(exposures: &mut Vec<Exposure>, ways: &[Exposure]) {
    for way in ways {
        if exposures.len() < TOP_KEYS && !exposures.contains(way) {
            exposures.push(way.clone());
        }
    }
}

/// Keeps the first in their order, in whichever order they come: the same from run to run.
fn first_few<T: Ord>(kept: &mut Vec<T>, next: T) {
    if let Err(place) = kept.binary_search(&next) {
        kept.insert(place, next);
        kept.truncate(TOP_KEYS);
    }
}

impl Objects {
    /// Says that some of them are not what their keys stand for now; nothing where all are.
    fn versions_in_words(&self) -> Option<String> {
        let (all, versions) = (self.count, self.versions);
        let which = match versions {
            0 => return None,
            _ if all == versions && all == 1 => "it is an older version".to_owned(),
            _ if all == versions => "they are older versions".to_owned(),
            1 => "1 of them is an older version".to_owned(),
            _ => format!("{versions} of them are older versions"),
        };
        Some(format!("{which}: overwriting or deleting an object leaves its versions where they are"))
    }

    fn take(&mut self, bucket: &Bucket, object: &Object) {
        self.count += 1;
        self.bytes += object.size_bytes;
        self.holders.insert_object(&bucket.name, object);
        let key = spillwatch_classifiers::screen(&object.key).to_string();
        if let Some(version_id) = object.version.clone().filter(|_| !object.is_current()) {
            self.versions += 1;
            self.holders.insert_versions();
            first_few(&mut self.top_versions, Version { key: key.clone(), version_id, state: object.state });
        }
        first_few(&mut self.top_keys, key);
        // In whole seconds of one offset, texts are in the order of their times.
        let told = |at: OffsetDateTime| {
            at.to_offset(UtcOffset::UTC).replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
        };
        let Some(written) = object.modified.and_then(told) else { return };
        if self.written_first.as_ref().is_none_or(|first| written < *first) {
            self.written_first = Some(written.clone());
        }
        if self.written_last.as_ref().is_none_or(|last| written > *last) {
            self.written_last = Some(written.clone());
        }
        let Some(hour) = written.get(..13).map(|hour| format!("{hour}:00:00Z")) else { return };
        // Beyond the limit the emptiest hour makes room: a burst that is still to come is found nevertheless.
        if self.written_by_hour.len() == HOURS_MAX && !self.written_by_hour.contains_key(&hour) {
            let emptiest = self.written_by_hour.iter().min_by_key(|(_, count)| **count);
            if let Some(emptiest) = emptiest.map(|(hour, _)| hour.clone()) {
                self.written_by_hour.remove(&emptiest);
            }
        }
        *self.written_by_hour.entry(hour).or_default() += 1;
    }
}

impl Aggregate {
    fn found(self) -> Found {
        let sample = |evidence: Evidence| Sample {
            kind: evidence.kind.to_owned(),
            sample: evidence.sample.to_string(),
            at: evidence.at.to_string(),
        };
        Found {
            category: self.category.as_str().to_owned(),
            confidence: self.confidence,
            occurrences: self.occurrences,
            distinct: self.distinct.estimate(),
            kinds: self.kinds.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect(),
            evidence: self.evidence.into_iter().map(sample).collect(),
            because: self.because,
        }
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

fn outside(way: &Exposure, kinds: &[Access]) -> bool {
    way.audience != Audience::Organization && kinds.iter().any(|kind| way.access.contains(kind))
}

/// Whether this way in lets somebody outside read the object, be it current or an older version; what is soft-deleted, nobody
/// reads. Who administers can grant himself the reading.
pub fn reads(way: &Exposure, object: &Object) -> bool {
    let access = match object.state {
        State::Current => Access::Read,
        State::Noncurrent => Access::ReadVersions,
        State::SoftDeleted => return false,
    };
    outside(way, &[access, Access::Administer]) && way.keys.contains(&object.key)
}

/// Whether it lets somebody outside read anything.
pub fn reads_any(way: &Exposure) -> bool {
    outside(way, &[Access::Read, Access::ReadVersions, Access::Administer])
}

/// Whether it lets somebody outside read older versions of anything.
pub fn reads_versions(way: &Exposure) -> bool {
    outside(way, &[Access::ReadVersions, Access::Administer])
}

fn uid(bucket: &Bucket, rule: &str, class: &str) -> String {
    let Bucket { account, name, .. } = bucket;
    let text = format!("v1|{}|{}|{name}|{rule}|{class}", account.provider, account.id);
    sha256(text.as_bytes())
}

/// The SHA-256 of bytes, as hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
