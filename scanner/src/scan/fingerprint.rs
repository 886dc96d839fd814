//! What are known documents known by? They are read once, and only keyed hashes of them are kept.

use futures::stream::{self, StreamExt};
use spillwatch_classifiers::copies::{Collected, Digest, Digester, IndexKey};
use spillwatch_classifiers::{Classifier, Hints, Limits};

use super::copies::read_through;
use super::pool::on_pool;
use super::{Progress, Settings, Target};
use crate::estate::{Bucket, Gap, GapReason, Object};

/// Documents that are read at one time.
const READS_IN_FLIGHT: usize = 8;

/// A document that was read to be known.
pub struct Fingerprint {
    /// The object's key: what the document is called.
    pub name: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// By which digests listings may name it.
    pub digests: Vec<Digest>,
    /// What its content is known by.
    pub collected: Collected,
}

/// Reads every object of a target, and hands what it is known by to `take`; what could not be read is a gap.
pub async fn fingerprint(
    target: &Target,
    settings: &Settings,
    key: &IndexKey,
    progress: &Progress,
    take: &mut dyn FnMut(Fingerprint),
) -> Vec<Gap> {
    let classifier = Classifier::new(Limits::default(), super::random_key());
    let mut gaps = Vec::new();
    let accounts = match target.cloud.accounts().await {
        Ok(accounts) => accounts,
        Err(error) => return vec![error.gap()],
    };
    for account in &accounts {
        let mut buckets = target.cloud.buckets(account);
        while let Some(bucket) = buckets.next().await {
            let bucket = match bucket {
                Ok(bucket) => bucket,
                Err(error) => {
                    gaps.push(error.gap());
                    continue;
                }
            };
            progress.judged(1);
            let mut pages = target.cloud.objects(&bucket, &target.prefix);
            while let Some(page) = pages.next().await {
                let objects = match page {
                    Ok(objects) => objects,
                    Err(error) => {
                        gaps.push(error.gap());
                        continue;
                    }
                };
                progress.listed(objects.len());
                let reads = stream::iter(objects)
                    .map(|object| of_object(&classifier, key, target, &bucket, object, settings));
                let mut reads = std::pin::pin!(reads.buffered(READS_IN_FLIGHT));
                while let Some(read) = reads.next().await {
                    match read {
                        Ok((fingerprint, unread)) => {
                            progress.object_done();
                            gaps.extend(unread);
                            take(fingerprint);
                        }
                        Err(gap) => gaps.push(gap),
                    }
                }
            }
            progress.bucket_done(0);
        }
    }
    gaps
}

async fn of_object(
    classifier: &Classifier,
    key: &IndexKey,
    target: &Target,
    bucket: &Bucket,
    object: Object,
    settings: &Settings,
) -> Result<(Fingerprint, Vec<Gap>), Gap> {
    let hints = Hints { name: &object.key, size_bytes: Some(object.size_bytes), ..Hints::default() };
    let reading = (Digester::new(object.size_bytes), classifier.begin_known(hints, key));
    let bytes_max = settings.bytes_per_object_max;
    let (digester, document) =
        read_through(target, bucket, &object, bytes_max, reading, |(digester, document), bytes| {
            digester.push(bytes);
            document.push(bytes);
        })
        .await?;
    let gap = |reason, detail| Gap {
        reason,
        operation: "fingerprint".to_owned(),
        resource: format!("{}/{}", bucket.name, spillwatch_classifiers::screen(&object.key)),
        detail,
    };
    let ended = on_pool(move || (digester.finish(), document.finish()));
    let Some(((size_bytes, digests), (collected, unread))) = ended.await else {
        return Err(gap(GapReason::Failed, "what reads it gave up on it".to_owned()));
    };
    let unread = unread.into_iter().map(|unread| gap(super::object::reason(unread.reason), unread.detail));
    let unread = unread.collect();
    Ok((Fingerprint { name: object.key, size_bytes, digests, collected }, unread))
}
