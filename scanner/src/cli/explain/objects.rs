//! Which objects does their own ACL open, whatever the bucket says?

use std::fs;
use std::path::Path;

use futures::stream::{self, StreamExt};

use crate::cloud::Cloud;
use crate::cloud::local::{Versions, stated};
use crate::estate::{Bucket, Facts, Gap, GapReason, Object};
use crate::exposure::ObjectAcls;
use crate::exposure::{BucketExposure, Certainty, Exposure};

/// Objects of a bucket that are asked for their ACL; a scan asks for more.
const ASKED_MAX: usize = 1_000;
const ASKED_AT_ONCE: usize = 32;
/// Keys that are told of one way in.
const KEYS_TOLD: usize = 10;

/// Adds what the ACLs of the objects that stand beside the facts of a local bucket open; false where none do.
pub(super) fn beside(facts_file: &Path, acls: &ObjectAcls, verdict: &mut BucketExposure) -> bool {
    let Ok(text) = fs::read_to_string(facts_file.with_file_name("objects.json")) else { return false };
    match serde_json::from_str::<std::collections::BTreeMap<String, Facts>>(&text) {
        Ok(objects) => {
            for (key, facts) in objects {
                add(verdict, acls.exposure(&Object { key, ..Object::default() }, &facts));
            }
        }
        Err(_) => {
            verdict.gaps.push(not_asked(verdict, "the ACLs in the `objects.json` beside it cannot be read"))
        }
    }
    let Ok(text) = fs::read_to_string(facts_file.with_file_name("versions.json")) else { return true };
    match serde_json::from_str::<Versions>(&text) {
        Ok(versions) => {
            stated(&versions).for_each(|(object, facts)| add(verdict, acls.exposure(&object, facts)))
        }
        Err(_) => {
            verdict.gaps.push(not_asked(verdict, "the ACLs in the `versions.json` beside it cannot be read"))
        }
    }
    true
}

/// Asks the first objects of a bucket for their ACLs, and adds what these open.
pub(super) async fn asked(
    cloud: &dyn Cloud,
    bucket: &Bucket,
    acls: &ObjectAcls,
    verdict: &mut BucketExposure,
) {
    let mut pages = cloud.objects(bucket, "").chain(cloud.older_versions(bucket, ""));
    let mut left = ASKED_MAX;
    while let Some(page) = pages.next().await {
        let objects = match page {
            Ok(objects) => objects,
            Err(error) => {
                verdict.gaps.push(error.gap());
                return;
            }
        };
        if left == 0 && !objects.is_empty() {
            let detail = format!("the ACLs of the first {ASKED_MAX} objects were read; a scan reads more");
            let sampled = Gap { reason: GapReason::Sampled, ..not_asked(verdict, &detail) };
            verdict.gaps.push(sampled);
            return;
        }
        let now: Vec<Object> = objects.into_iter().take(left).collect();
        left -= now.len();
        let mut answers = stream::iter(now)
            .map(|object| async move {
                let facts = cloud.object_facts(bucket, &object).await;
                (object, facts)
            })
            .buffered(ASKED_AT_ONCE);
        while let Some((object, facts)) = answers.next().await {
            add(verdict, acls.exposure(&object, &facts));
        }
    }
}

fn not_asked(verdict: &BucketExposure, detail: &str) -> Gap {
    Gap {
        reason: GapReason::NotRead,
        operation: "s3:GetObjectAcl".to_owned(),
        resource: verdict.bucket.clone(),
        detail: detail.to_owned(),
    }
}

/// Ways in that differ in their keys only are one way in with many keys.
fn add(verdict: &mut BucketExposure, object: BucketExposure) {
    for way in object.exposures.iter().map(Exposure::screened) {
        let alike = |known: &&mut Exposure| {
            (known.audience, known.certainty, &known.access) == (way.audience, way.certainty, &way.access)
        };
        let covered = verdict.exposures.iter().any(|known| {
            known.certainty == Certainty::Proven
                && known.audience.includes(way.audience)
                && known.access.is_superset(&way.access)
                && way.keys.include.iter().all(|key| known.keys.contains(key))
        });
        match verdict.exposures.iter_mut().find(alike) {
            _ if covered => {}
            Some(known) if known.keys.include.len() < KEYS_TOLD => {
                known.keys.include.extend(way.keys.include)
            }
            Some(_) => {}
            None => verdict.exposures.push(way),
        }
    }
    let known: Vec<Gap> = object.gaps.into_iter().filter(|gap| !verdict.gaps.contains(gap)).collect();
    verdict.gaps.extend(known.into_iter().take(KEYS_TOLD.saturating_sub(verdict.gaps.len())));
}
