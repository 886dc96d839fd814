//! The way of one object: read in batches within the byte budget, classified on the CPU pool meanwhile.

use futures::stream::StreamExt;
use spillwatch_classifiers::{Classification, Hints, Session};

use super::pool::{BATCH_BYTES, on_pool};
use super::{Engine, Target};
use crate::cloud::CloudError;
use crate::estate::{Bucket, Gap, GapReason, Object};

/// The unit in which bytes in flight are counted.
pub(super) const PERMIT_BYTES: u64 = 64 << 10;

/// What reading an object left.
pub(super) struct ObjectRead {
    pub(super) classification: Option<Classification>,
    pub(super) gaps: Vec<Gap>,
    /// Whether it was read to its end within all limits: what its format hides still, no run sees.
    pub(super) whole: bool,
}

impl ObjectRead {
    fn not(gap: Option<Gap>) -> Self {
        Self { classification: None, gaps: gap.into_iter().collect(), whole: false }
    }
}

impl Engine<'_> {
    pub(super) async fn object(&self, target: &Target, bucket: &Bucket, object: &Object) -> ObjectRead {
        if self.stopped() {
            return ObjectRead::not(Some(self.gap(
                bucket,
                object,
                GapReason::Interrupted,
                "the run was ended",
            )));
        }
        if let Some(detail) = object.must_be_restored() {
            return ObjectRead::not(Some(self.gap(bucket, object, GapReason::Archived, detail)));
        }
        let window = object.size_bytes.min(2 * BATCH_BYTES as u64 + self.buffer_bytes_max);
        let whole = self.settings.bytes_in_flight_max / PERMIT_BYTES;
        let permits = window.div_ceil(PERMIT_BYTES).clamp(1, whole.max(1));
        let Ok(_permit) = self.bytes.acquire_many(u32::try_from(permits).unwrap_or(u32::MAX)).await else {
            return ObjectRead::not(None);
        };
        let mut stop = self.stop.clone();
        let read = tokio::select! {
            read = target.cloud.read(bucket, object) => read,
            Ok(_) = stop.wait_for(|stopped| *stopped) => {
                return ObjectRead::not(Some(self.gap(bucket, object, GapReason::Interrupted, "the run was ended")));
            }
        };
        let body = match read {
            Ok(body) => body,
            Err(error) => return ObjectRead::not(Some(screened_gap(&error))),
        };
        let metadata: Vec<(String, String)> = body.metadata.into_iter().collect();
        let mut session = self.classifier.begin(Hints {
            name: &object.key,
            size_bytes: Some(object.size_bytes),
            metadata: &metadata,
            modified: object.modified.map(time::OffsetDateTime::unix_timestamp),
        });
        let mut gaps = Vec::new();
        let mut chunks = body.chunks;
        let (mut batch, mut read_bytes) = (Vec::new(), 0u64);
        loop {
            let next = tokio::select! {
                next = chunks.next() => next,
                Ok(_) = stop.wait_for(|stopped| *stopped) => {
                    gaps.push(self.gap(bucket, object, GapReason::Interrupted, "the run was ended while it was read"));
                    None
                }
            };
            match &next {
                Some(Ok(chunk)) => {
                    read_bytes += chunk.len() as u64;
                    self.progress.read(chunk.len());
                    batch.extend_from_slice(chunk);
                }
                Some(Err(error)) => gaps.push(screened_gap(error)),
                None => {}
            }
            let limit = read_bytes >= self.settings.bytes_per_object_max && read_bytes < object.size_bytes;
            if limit {
                gaps.push(self.gap(
                    bucket,
                    object,
                    GapReason::LimitReached,
                    "larger than is read of one object",
                ));
            }
            let last = limit || !matches!(next, Some(Ok(_)));
            if batch.len() >= BATCH_BYTES || last {
                let Some(fed) = on_cpu(session, std::mem::take(&mut batch)).await else {
                    gaps.push(self.gap(bucket, object, GapReason::Failed, "the classifier gave up on it"));
                    return ObjectRead { classification: None, gaps, whole: false };
                };
                session = fed;
            }
            if last {
                break;
            }
        }
        let Some(classification) = finish_on_cpu(session).await else {
            gaps.push(self.gap(bucket, object, GapReason::Failed, "the classifier gave up on it"));
            return ObjectRead { classification: None, gaps, whole: false };
        };
        let limited =
            |gap: &spillwatch_classifiers::Gap| gap.reason == spillwatch_classifiers::GapReason::LimitReached;
        let whole = gaps.is_empty() && !classification.gaps.iter().any(limited);
        for gap in &classification.gaps {
            gaps.push(self.gap(bucket, object, reason(gap.reason), &gap.detail));
        }
        ObjectRead { classification: Some(classification), gaps, whole }
    }

    fn gap(&self, bucket: &Bucket, object: &Object, reason: GapReason, detail: &str) -> Gap {
        let key = spillwatch_classifiers::screen(&object.key);
        Gap {
            reason,
            operation: "classify".to_owned(),
            resource: format!("{}/{key}", bucket.name),
            detail: detail.to_owned(),
        }
    }
}

/// The classifiers' reasons in the words of coverage.
pub(super) fn reason(reason: spillwatch_classifiers::GapReason) -> GapReason {
    match reason {
        spillwatch_classifiers::GapReason::LimitReached => GapReason::LimitReached,
        spillwatch_classifiers::GapReason::Malformed | spillwatch_classifiers::GapReason::Truncated => {
            GapReason::Malformed
        }
        _ => GapReason::Unsupported,
    }
}

/// The gap that an error leaves, with its key screened.
pub(super) fn screened_gap(error: &CloudError) -> Gap {
    screened(error.gap())
}

/// Keys are written by strangers: they are screened before they are told.
fn screened(mut gap: Gap) -> Gap {
    let (bucket, key) = gap.resource.split_once('/').unwrap_or((&gap.resource, ""));
    let resource = format!("{bucket}/{}", spillwatch_classifiers::screen(key));
    gap.detail = gap.detail.replace(&gap.resource, &resource);
    gap.resource = resource;
    gap
}

async fn on_cpu(mut session: Session, batch: Vec<u8>) -> Option<Session> {
    on_pool(move || {
        session.push(&batch);
        session
    })
    .await
}

async fn finish_on_cpu(session: Session) -> Option<Classification> {
    on_pool(move || session.finish()).await
}
