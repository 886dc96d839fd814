//! The way of one bucket: list it, read what outsiders reach and a sample of the rest, and say what is wrong.

use std::collections::BinaryHeap;
use std::hash::{DefaultHasher, Hash, Hasher};

use futures::stream::{self, StreamExt};

use super::{Coverage, Engine, Judged, Target, reads_in_full};
use crate::estate::{Gap, GapReason, Object};
use crate::exposure::{Exposure, aws};
use crate::findings::{Assessment, Finding, reads};

struct Sampled(u64, Object);

impl PartialEq for Sampled {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Sampled {}
impl PartialOrd for Sampled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Sampled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl Engine<'_> {
    pub(super) async fn bucket(&self, target: &Target, judged: Judged) -> (Vec<Finding>, Coverage) {
        let mut coverage = Coverage::begin();
        coverage.buckets = 1;
        coverage.buckets_exposed = u64::from(!judged.exposure.exposures.is_empty());
        let bucket = judged.bucket.clone();
        let mut assessment = Assessment::new(
            bucket.clone(),
            judged.exposure.clone(),
            self.seen.clone(),
            self.settings.confidence_min,
        );
        let mut sample = BinaryHeap::new();
        let mut pages = target.cloud.objects(&bucket, &target.prefix);
        while let Some(page) = pages.next().await {
            if *self.stop.borrow() {
                break;
            }
            match page {
                Ok(objects) => {
                    self.progress.listed(objects.len());
                    let chosen = self.choose(target, &judged, objects, &mut sample, &mut coverage).await;
                    self.read_all(target, &judged, chosen, &mut assessment, &mut coverage).await;
                }
                Err(error) => coverage.gap(&error.gap()),
            }
        }
        let left_out = coverage.objects.skipped;
        let chosen: Vec<_> = sample.into_iter().map(|Sampled(_, object)| (object, Vec::new())).collect();
        coverage.objects.skipped -= chosen.len() as u64;
        if left_out > chosen.len() as u64 {
            coverage.gap(&Gap {
                reason: GapReason::Sampled,
                operation: "read".to_owned(),
                resource: bucket.name.clone(),
                detail: format!(
                    "read {} of {left_out} objects that nobody outside reaches; `--all` reads them all",
                    chosen.len()
                ),
            });
        }
        self.read_all(target, &judged, chosen, &mut assessment, &mut coverage).await;
        (assessment.findings(), coverage)
    }

    /// Which of a page's objects are read now; the others compete for the sample by a hash of their key,
    /// so that the order of the listing has no say in it.
    async fn choose(
        &self,
        target: &Target,
        judged: &Judged,
        objects: Vec<Object>,
        sample: &mut BinaryHeap<Sampled>,
        coverage: &mut Coverage,
    ) -> Vec<(Object, Vec<Exposure>)> {
        let acls = aws::object_acls_matter(&judged.facts, &judged.account_facts)
            && judged.bucket.account.provider == crate::estate::Provider::Aws;
        let with_ways = stream::iter(objects).map(|object| async {
            if acls {
                let facts = target.cloud.object_facts(&judged.bucket, &object).await;
                let (ways, gap) = aws::object_exposure(&judged.bucket, &object, &facts, &judged.zone);
                return (object, ways, gap);
            }
            (object, Vec::new(), None)
        });
        let mut with_ways = with_ways.buffered(self.settings.reads_in_flight_max);
        let mut chosen = Vec::new();
        while let Some((object, own, gap)) = with_ways.next().await {
            gap.iter().for_each(|gap| coverage.gap(gap));
            coverage.objects.listed += 1;
            coverage.bytes.listed += object.size_bytes;
            let reached = judged.exposure.exposures.iter().chain(&own).any(|way| reads(way, &object.key));
            if reached || reads_in_full(judged, self.settings) {
                chosen.push((object, own));
                continue;
            }
            coverage.objects.skipped += 1;
            let mut hasher = DefaultHasher::new();
            object.key.hash(&mut hasher);
            sample.push(Sampled(hasher.finish(), object));
            if sample.len() > self.settings.sample_objects_max {
                sample.pop();
            }
        }
        chosen
    }

    async fn read_all(
        &self,
        target: &Target,
        judged: &Judged,
        objects: Vec<(Object, Vec<Exposure>)>,
        assessment: &mut Assessment,
        coverage: &mut Coverage,
    ) {
        let reads = objects.into_iter().map(|(object, own)| async {
            let classified = self.object(target, &judged.bucket, &object).await;
            (object, own, classified)
        });
        let mut reads = stream::iter(reads).buffer_unordered(self.settings.reads_in_flight_max);
        while let Some((object, own, (classification, gaps))) = reads.next().await {
            gaps.iter().for_each(|gap| coverage.gap(gap));
            match classification {
                Some(classification) => {
                    coverage.objects.read += 1;
                    self.progress.object_done();
                    coverage.bytes.read += classification.bytes_read;
                    assessment.add(&object, &own, &classification);
                }
                None => coverage.objects.skipped += 1,
            }
        }
    }
}
