//! The way of one bucket: list it, read what outsiders reach and a sample of the rest, and say what is wrong.

use std::sync::Arc;

use futures::stream::{self, Stream, StreamExt};
use spillwatch_classifiers::copies::Index;
use time::format_description::well_known::Rfc3339;
use tokio::sync::mpsc;

use super::acl_report::{self, AclReport};
use super::copies::{self, CopyOf, Exact};
use super::object::ObjectRead;
use super::sample::{Sample, hash};
use super::{Coverage, Engine, Judged, Target};
use crate::estate::{Bucket, Facts, Gap, GapReason, Object, Provider, State};
use crate::exposure::Exposure;
use crate::exposure::ObjectAcls;
use crate::findings::{Assessment, Examined, Finding, Holders, reads, reads_any, reads_versions};

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
    acls: Acls,
    /// Objects sent on to be read.
    sent: u64,
    /// Whether every key was listed, and every ACL read that could grant something.
    complete: bool,
    object_acls: bool,
    /// Whether an object's own ACL lets somebody outside read it.
    opened: bool,
    /// Whether older versions were left out because nobody outside reaches them.
    versions_left_out: bool,
    unseen_outside: Holders,
}

/// What reading leaves.
struct Reading<'a> {
    assessment: &'a mut Assessment,
    coverage: &'a mut Coverage,
    examined: &'a mut Examined,
}

impl Listed {
    fn begin(bucket: &str, sample_objects_max: usize) -> Self {
        Self {
            coverage: Coverage::begin(),
            sample: Sample::new(bucket, sample_objects_max),
            acls: Acls::default(),
            sent: 0,
            complete: true,
            object_acls: true,
            opened: false,
            versions_left_out: false,
            unseen_outside: Holders::default(),
        }
    }

    /// Older versions are not listed: nobody knows which there are.
    fn leave_versions_out(&mut self) {
        self.versions_left_out = true;
        self.sample.unseen.insert_versions();
    }

    /// The listing of the current objects, or that of the older versions, was not read to its end.
    fn breaks_off(&mut self, state: State) {
        if state == State::Current {
            self.complete = false;
            return;
        }
        // One of them may be open by its own ACL.
        self.object_acls = false;
        self.unseen_outside.insert_versions();
        self.sample.unseen.insert_versions();
    }
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

    /// Lists the bucket, current objects first, and sends on what is to be read now; the rest competes for the sample.
    async fn list(&self, target: &Target, judged: &Judged, chosen: mpsc::Sender<Chosen>) -> Listed {
        let mut listed = Listed::begin(&judged.bucket.name, self.settings.sample_objects_max);
        let lists_versions = self.lists_versions(judged);
        let older = match lists_versions {
            true => target.cloud.older_versions(&judged.bucket, &target.prefix),
            false => stream::empty().boxed(),
        };
        if judged.keeps_versions && !lists_versions {
            listed.leave_versions_out();
        }
        let current = target.cloud.objects(&judged.bucket, &target.prefix);
        let mut pages =
            current.map(|page| (State::Current, page)).chain(older.map(|page| (State::Noncurrent, page)));
        while let Some((state, page)) = pages.next().await {
            if self.stopped() {
                break;
            }
            match page {
                Ok(objects) => self.list_page(target, judged, objects, &chosen, &mut listed).await,
                Err(error) => {
                    listed.coverage.gap(&error.gap());
                    listed.breaks_off(state);
                }
            }
        }
        if self.stopped() {
            listed.coverage.gap(&gap(
                judged,
                GapReason::Interrupted,
                "the run was ended before the listing was",
            ));
            listed.breaks_off(State::Current);
            listed.breaks_off(State::Noncurrent);
        }
        if listed.versions_left_out {
            let detail = "older versions that nobody outside reaches were not read; `--all` reads them too";
            listed.coverage.gap(&gap(judged, GapReason::Sampled, detail));
        }
        for detail in listed.acls.gaps(self.settings.object_acls_per_bucket_max) {
            // Neither a sample nor an old report excludes that another object was opened.
            listed.object_acls = false;
            listed.coverage.gap(&gap(judged, GapReason::Sampled, &detail));
        }
        listed
    }

    /// Whether the older versions are worth a listing of their own: where somebody outside may read them, by what is set on the
    /// bucket or by an ACL, which each version has for itself.
    fn lists_versions(&self, judged: &Judged) -> bool {
        let reached = || judged.exposure.exposures.iter().any(reads_versions);
        judged.keeps_versions && (self.settings.all || judged.object_acls.is_some() || reached())
    }

    async fn list_page(
        &self,
        target: &Target,
        judged: &Judged,
        objects: Vec<Object>,
        chosen: &mpsc::Sender<Chosen>,
        listed: &mut Listed,
    ) {
        self.progress.listed(objects.len());
        let Listed { coverage, acls, .. } = listed;
        if acls.listed + objects.len() as u64 > self.settings.object_acls_per_bucket_max {
            self.read_acl_report(target, judged, acls, coverage).await;
        }
        let full = self.settings.all || judged.bucket.account.provider == Provider::Local;
        let mut with_ways = stream::iter(objects)
            .map(|object| {
                let source = self.acl_source(judged, &object, acls);
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
            listed.object_acls &= gaps.is_empty();
            listed.opened |= own.iter().any(reads_any);
            coverage.counts_of(&object).listed += 1;
            coverage.bytes.listed += object.size_bytes;
            let outside = reached(judged, &own, &object);
            // What has the size of a known document is compared, wherever it is.
            let sized = |index: &Arc<Index>| index.has_size(object.size_bytes);
            if !full && !outside && !self.settings.index.as_ref().is_some_and(sized) {
                if object.is_current() {
                    listed.sample.offer(object);
                } else {
                    coverage.versions.skipped += 1;
                    listed.versions_left_out = true;
                    listed.sample.unseen.insert_versions();
                }
            } else if listed.sent < self.settings.objects_per_bucket_max {
                listed.sent += 1;
                // A closed channel means that the reader is gone, and with it this future.
                let _ = chosen.send((object, own)).await;
            } else {
                coverage.counts_of(&object).skipped += 1;
                coverage.gap(&gap_at_limit(judged));
                let unseen = if outside { &mut listed.unseen_outside } else { &mut listed.sample.unseen };
                unseen.insert_object(&judged.bucket.name, &object);
            }
        }
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
                unseen.insert_object(&judged.bucket.name, &object);
            }
            match classification {
                Some(classification) => {
                    coverage.counts_of(&object).read += 1;
                    self.progress.object_done();
                    coverage.bytes.read += classification.bytes_read;
                    assessment.add(&object, &own, &classification);
                }
                None => {
                    coverage.counts_of(&object).skipped += 1;
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
    judged.exposure.exposures.iter().chain(own).any(|way| reads(way, object))
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
