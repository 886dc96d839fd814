//! The way of one bucket: list it, read what outsiders reach and a sample of the rest, and say what is wrong.

use std::collections::BinaryHeap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt};
use spillwatch_classifiers::copies::Index;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;

use super::acl_report::{self, AclReport};
use super::copies::{self, CopyOf, Exact};
use super::object::ObjectRead;
use super::{Coverage, Engine, Judged, Target};
use crate::estate::{Bucket, Facts, Gap, GapReason, Object, Provider};
use crate::exposure::Exposure;
use crate::exposure::ObjectAcls;
use crate::findings::{Assessment, Examined, Finding, Holders, reads, reads_any};

/// Beyond the limit on ACLs, one in so many is read still, chosen by the hash of the key.
const ACL_SAMPLE: u64 = 100;

/// An object to read, with the ways in that its own ACL adds.
type Chosen = (Object, Vec<Exposure>);

/// What was seen of one bucket.
pub(super) struct BucketSurvey {
    pub(super) bucket: Bucket,
    pub(super) findings: Vec<Finding>,
    pub(super) coverage: Coverage,
    pub(super) examined: Examined,
}

/// What the listing leaves when it has ended.
struct Listed {
    coverage: Coverage,
    sample: Sample,
    /// Whether every key was listed, and every ACL read that could grant something.
    complete: bool,
    object_acls: bool,
    /// Whether an object's own ACL lets somebody outside read it.
    opened: bool,
    unseen_outside: Holders,
}

/// What reading leaves.
struct Reading<'a> {
    assessment: &'a mut Assessment,
    coverage: &'a mut Coverage,
    examined: &'a mut Examined,
}

impl Engine<'_> {
    pub(super) async fn bucket(&self, target: &Target, judged: Judged) -> BucketSurvey {
        let mut assessment = Assessment::new(
            judged.bucket.clone(),
            judged.exposure.clone(),
            judged.at.clone(),
            self.settings.confidence_min,
        );
        assessment.tagged(judged.tags.iter().cloned());
        let mut coverage = Coverage::begin();
        coverage.buckets = 1;
        coverage.buckets_exposed = u64::from(!judged.exposure.exposures.is_empty());

        let mut examined = Examined {
            facts: judged.exposure.gaps.is_empty(),
            confidence_min: self.settings.confidence_min,
            ..Examined::nothing(judged.at.clone())
        };

        // The listing runs ahead of the reads by what the channel holds.
        let (send, mut receive) = mpsc::channel(self.settings.reads_in_flight_max);
        let chosen = stream::poll_fn(move |context| receive.poll_recv(context));
        let mut reading =
            Reading { assessment: &mut assessment, coverage: &mut coverage, examined: &mut examined };
        let (listed, ()) = futures::join!(
            self.list(target, &judged, send),
            self.read_all(target, &judged, chosen, &mut reading)
        );
        let Listed { coverage: listing, mut sample, .. } = listed;
        reading.coverage.merge(listing);
        if sample.left_out > 0 {
            reading.coverage.gap(&sample.gap(&judged.bucket.name));
        }
        reading.coverage.objects.skipped += sample.left_out;
        reading.examined.unseen_inside.extend(&std::mem::take(&mut sample.unseen));
        let sampled = stream::iter(sample.into_objects().map(|object| (object, Vec::new())));
        self.read_all(target, &judged, sampled, &mut reading).await;
        examined.listing = listed.complete && target.prefix.is_empty();
        // Where no ACL can grant anything, none needs to be read.
        examined.object_acls = judged.object_acls.is_none() || (examined.listing && listed.object_acls);
        // Of an index that is damaged, nothing that was not found is known not to be there.
        examined.copies = self.settings.index.as_ref().is_some_and(|index| index.health().is_ok());
        examined.closed = !listed.opened && !judged.exposure.exposures.iter().any(reads_any);
        examined.unseen_outside.extend(&listed.unseen_outside);
        coverage.buckets_seen_whole = u64::from(examined.is_whole());
        BucketSurvey { bucket: judged.bucket, findings: assessment.findings(&examined), coverage, examined }
    }

    /// Lists the bucket and sends on what is to be read now; the rest competes for the sample.
    async fn list(&self, target: &Target, judged: &Judged, chosen: mpsc::Sender<Chosen>) -> Listed {
        let mut coverage = Coverage::begin();
        let mut sample = Sample::new(&judged.bucket.name, self.settings.sample_objects_max);
        let (mut complete, mut object_acls, mut opened) = (true, true, false);
        let mut unseen_outside = Holders::default();
        let full = self.settings.all || judged.bucket.account.provider == Provider::Local;
        let (mut read, mut acls) = (0, Acls::default());
        let mut pages = target.cloud.objects(&judged.bucket, &target.prefix);
        while let Some(page) = pages.next().await {
            if self.stopped() {
                coverage.gap(&gap(
                    judged,
                    GapReason::Interrupted,
                    "the run was ended before the listing was",
                ));
                break;
            }
            let objects = match page {
                Ok(objects) => objects,
                Err(error) => {
                    complete = false;
                    coverage.gap(&error.gap());
                    continue;
                }
            };
            self.progress.listed(objects.len());
            if acls.listed + objects.len() as u64 > self.settings.object_acls_per_bucket_max {
                self.read_acl_report(target, judged, &mut acls, &mut coverage).await;
            }
            let mut with_ways = stream::iter(objects)
                .map(|object| {
                    let source = self.acl_source(judged, &object, &mut acls);
                    async move {
                        let facts = match source {
                            AclSource::Asked => target.cloud.object_facts(&judged.bucket, &object).await,
                            AclSource::Reported(facts) => facts,
                            AclSource::None => return (object, Vec::new(), Vec::new()),
                        };
                        let judge = |acls: &ObjectAcls| acls.exposure(&object, &facts);
                        let own = judged.object_acls.as_ref().map(judge);
                        let (own, gaps) = own.map_or_else(Default::default, |own| (own.exposures, own.gaps));
                        (object, own, gaps)
                    }
                })
                .buffered(self.settings.reads_in_flight_max);
            while let Some((object, own, gaps)) = with_ways.next().await {
                if self.stopped() {
                    break;
                }
                gaps.iter().for_each(|gap| coverage.gap(gap));
                object_acls &= gaps.is_empty();
                opened |= own.iter().any(reads_any);
                coverage.objects.listed += 1;
                coverage.bytes.listed += object.size_bytes;
                let outside = reached(judged, &own, &object);
                // What has the size of a known document is compared, wherever it is.
                let sized = |index: &Arc<Index>| index.has_size(object.size_bytes);
                if !full && !outside && !self.settings.index.as_ref().is_some_and(sized) {
                    sample.offer(object);
                } else if read < self.settings.objects_per_bucket_max {
                    read += 1;
                    // A closed channel means that the reader is gone, and with it this future.
                    let _ = chosen.send((object, own)).await;
                } else {
                    coverage.objects.skipped += 1;
                    coverage.gap(&gap_at_limit(judged));
                    let unseen = if outside { &mut unseen_outside } else { &mut sample.unseen };
                    unseen.insert(&judged.bucket.name, &object.key);
                }
            }
        }
        if self.stopped() {
            complete = false;
            coverage.gap(&gap(judged, GapReason::Interrupted, "the run was ended before the listing was"));
        }
        for detail in acls.gaps(self.settings.object_acls_per_bucket_max) {
            // Neither a sample nor an old report excludes that another object was opened.
            object_acls = false;
            coverage.gap(&gap(judged, GapReason::Sampled, &detail));
        }
        Listed { coverage, sample, complete, object_acls, opened, unseen_outside }
    }

    /// Where an object's own ACL is learnt, if it could grant something: the first are asked for, the others looked up
    /// in a report, and where there is none sampled.
    fn acl_source(&self, judged: &Judged, object: &Object, acls: &mut Acls) -> AclSource {
        if judged.object_acls.is_none() {
            return AclSource::None;
        }
        acls.listed += 1;
        if acls.listed <= self.settings.object_acls_per_bucket_max {
            return AclSource::Asked;
        }
        match acls.report.as_ref().and_then(|report| report.of(object)) {
            Some(told) => {
                acls.reported += 1;
                told.map_or(AclSource::None, |facts| AclSource::Reported(facts.clone()))
            }
            None if hash(&object.key).is_multiple_of(ACL_SAMPLE) => AclSource::Asked,
            None => {
                acls.left_out += 1;
                AclSource::None
            }
        }
    }

    /// Reads the inventory report on the objects' ACLs, once, where there is one.
    async fn read_acl_report(
        &self,
        target: &Target,
        judged: &Judged,
        acls: &mut Acls,
        coverage: &mut Coverage,
    ) {
        let (Some(inventory), Some(object_acls), false) =
            (&judged.acl_inventory, &judged.object_acls, std::mem::replace(&mut acls.looked, true))
        else {
            return;
        };
        let cloud = target.cloud.as_ref();
        match acl_report::read(cloud, &judged.bucket, inventory, &object_acls.owner()).await {
            Ok(report) => acls.report = Some(report),
            Err(gap) => coverage.gap(&gap),
        }
    }

    async fn read_all(
        &self,
        target: &Target,
        judged: &Judged,
        objects: impl Stream<Item = Chosen>,
        reading: &mut Reading<'_>,
    ) {
        let Reading { assessment, coverage, examined } = reading;
        let reads = objects.map(|(object, own)| async {
            let copies = self.exact_copies(target, &judged.bucket, &object).await;
            let classified = self.object(target, &judged.bucket, &object).await;
            (object, own, copies, classified)
        });
        let mut reads = std::pin::pin!(reads.buffer_unordered(self.settings.reads_in_flight_max));
        while let Some((object, own, copies, ObjectRead { classification, gaps, whole })) = reads.next().await
        {
            gaps.iter().for_each(|gap| coverage.gap(gap));
            let (copies, untold) = copies;
            // Most often reading it failed too, and said so.
            let untold = untold.filter(|_| gaps.is_empty());
            untold.iter().for_each(|gap| coverage.gap(gap));
            let whole = whole && untold.is_none();
            let inside = classification.iter().flat_map(|found| &found.copies).map(CopyOf::inside);
            // Of an exact copy, parts tell nothing more.
            let copies = if copies.is_empty() { inside.collect() } else { copies };
            assessment.add_copies(&object, &own, copies.into_iter().map(|copy| copy.told(&object)).collect());
            assessment.open(&own);
            if !whole {
                let outside = reached(judged, &own, &object);
                let unseen = if outside { &mut examined.unseen_outside } else { &mut examined.unseen_inside };
                unseen.insert(&judged.bucket.name, &object.key);
            }
            match classification {
                Some(classification) => {
                    coverage.objects.read += 1;
                    self.progress.object_done();
                    coverage.bytes.read += classification.bytes_read;
                    assessment.add(&object, &own, &classification);
                }
                None => {
                    coverage.objects.skipped += 1;
                    coverage.bytes.skipped += object.size_bytes;
                }
            }
        }
    }
}

impl Engine<'_> {
    /// The known documents that an object is byte for byte; a gap where that could not be told.
    async fn exact_copies(
        &self,
        target: &Target,
        bucket: &Bucket,
        object: &Object,
    ) -> (Vec<CopyOf>, Option<Gap>) {
        let Some(index) = &self.settings.index else { return (Vec::new(), None) };
        match copies::exact(index, target, bucket, object, self.settings.bytes_per_object_max).await {
            Ok(Exact::Copy { documents, digest, .. }) => (CopyOf::exact(index, &documents, digest), None),
            Ok(Exact::Other(_)) => (Vec::new(), None),
            Err(gap) => (Vec::new(), Some(gap)),
        }
    }
}

/// Whether somebody outside reads the object.
fn reached(judged: &Judged, own: &[Exposure], object: &Object) -> bool {
    judged.exposure.exposures.iter().chain(own).any(|way| reads(way, &object.key))
}

/// Where one object's ACL is learnt.
enum AclSource {
    Asked,
    Reported(Facts),
    None,
}

/// How the ACLs of a bucket's objects were learnt so far.
#[derive(Default)]
struct Acls {
    listed: u64,
    looked: bool,
    report: Option<AclReport>,
    reported: u64,
    left_out: u64,
}

impl Acls {
    fn gaps(&self, most: u64) -> impl Iterator<Item = String> {
        let reported = self.report.as_ref().filter(|_| self.reported > 0).map(|report| {
            let taken = report.taken.format(&Rfc3339).unwrap_or_default();
            format!(
                "the ACLs of {} objects are those of the inventory report of {taken}; ACLs set since are not seen",
                self.reported
            )
        });
        let left_out = (self.left_out > 0).then(|| {
            format!(
                "read the ACLs of the first {most} objects and of one in {ACL_SAMPLE} beyond; configure an S3 Inventory \
                 report with `ObjectAccessControlList` as CSV, or raise `object_acls_per_bucket_max`"
            )
        });
        reported.into_iter().chain(left_out)
    }
}

fn gap(judged: &Judged, reason: GapReason, detail: &str) -> Gap {
    let resource = judged.bucket.name.clone();
    Gap { reason, operation: "list".to_owned(), resource, detail: detail.to_owned() }
}

fn gap_at_limit(judged: &Judged) -> Gap {
    gap(
        judged,
        GapReason::LimitReached,
        "more objects than are read of one bucket; raise `objects_per_bucket_max`",
    )
}

fn hash(key: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}

/// A sample of objects by the hash of their keys, so that the order of the listing has no say in it; bounded.
struct Sample {
    bucket: String,
    most: usize,
    left_out: u64,
    /// Those left out, and others that nobody outside reaches and nobody read.
    unseen: Holders,
    objects: BinaryHeap<Hashed>,
}

impl Sample {
    fn new(bucket: &str, most: usize) -> Self {
        let (bucket, unseen) = (bucket.to_owned(), Holders::default());
        Self { bucket, most, left_out: 0, unseen, objects: BinaryHeap::new() }
    }

    fn offer(&mut self, object: Object) {
        self.objects.push(Hashed(hash(&object.key), object));
        if self.objects.len() > self.most
            && let Some(Hashed(_, object)) = self.objects.pop()
        {
            self.unseen.insert(&self.bucket, &object.key);
            self.left_out += 1;
        }
    }

    fn gap(&self, bucket: &str) -> Gap {
        let (read, all) = (self.objects.len(), self.objects.len() as u64 + self.left_out);
        Gap {
            reason: GapReason::Sampled,
            operation: "read".to_owned(),
            resource: bucket.to_owned(),
            detail: format!(
                "read {read} of {all} objects that nobody outside reaches; `--all` reads them all"
            ),
        }
    }

    fn into_objects(self) -> impl Iterator<Item = Object> {
        self.objects.into_iter().map(|Hashed(_, object)| object)
    }
}

struct Hashed(u64, Object);

impl PartialEq for Hashed {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Hashed {}

impl PartialOrd for Hashed {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Hashed {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(keys: &[String]) -> Vec<String> {
        let mut sample = Sample::new("b", 10);
        for key in keys {
            let size_bytes = 1;
            let key = key.clone();
            sample.offer(Object { key, size_bytes, ..Object::default() });
        }
        assert_eq!(sample.left_out, 990);
        let mut keys: Vec<String> = sample.into_objects().map(|object| object.key).collect();
        keys.sort();
        keys
    }

    #[test]
    fn the_sample_is_bounded_and_blind_to_the_order_of_the_listing() {
        let mut keys: Vec<String> = (0..1000).map(|number| format!("key-{number:04}")).collect();
        let forward = sample(&keys);
        keys.reverse();
        assert_eq!(forward, sample(&keys));
        assert!(forward.iter().any(|key| key.as_str() > "key-0500"), "{forward:?}");
    }
}
