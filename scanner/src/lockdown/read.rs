//! What must be read of a bucket to plan for it?

use futures::stream::{self, StreamExt};

use super::Subject;
use crate::cloud::{Cloud, CloudError};
use crate::estate::{Bucket, Object, keeps_versions};
use crate::exposure::ObjectAcls;
use crate::exposure::ZoneOfTrust;

/// Objects whose ACLs are read; where there are more, a flag of the bucket closes them all.
const OBJECTS_MAX: usize = 10_000;
const ASKED_AT_ONCE: usize = 64;

impl Subject {
    /// Reads a bucket's facts, and the ACLs of its objects where they could open them.
    pub async fn read(cloud: &dyn Cloud, bucket: Bucket, zone: ZoneOfTrust) -> Self {
        let (facts, account_facts) =
            futures::join!(cloud.access_facts(&bucket), cloud.account_facts(&bucket.account));
        let mut subject = Self { bucket, facts, account_facts, zone, objects: Vec::new(), all_objects: true };
        if subject.has_object_acls() && subject.read_objects(cloud).await.is_err() {
            subject.all_objects = false;
        }
        subject
    }

    fn has_object_acls(&self) -> bool {
        let zone = std::sync::Arc::new(self.zone.clone());
        ObjectAcls::of(&self.bucket, &self.facts, &self.account_facts, &zone).is_some()
    }

    /// Whether there can be versions beside the current ones.
    pub(super) fn keeps_versions(&self) -> bool {
        keeps_versions(self.bucket.account.provider, &self.facts)
    }

    async fn read_objects(&mut self, cloud: &dyn Cloud) -> Result<(), CloudError> {
        let bucket = &self.bucket;
        let older =
            if self.keeps_versions() { cloud.older_versions(bucket, "") } else { stream::empty().boxed() };
        let mut pages = cloud.objects(bucket, "").chain(older);
        while let Some(page) = pages.next().await {
            let mut asked = stream::iter(page?)
                .map(|object: Object| async move {
                    let facts = cloud.object_facts(bucket, &object).await;
                    (object, facts)
                })
                .buffered(ASKED_AT_ONCE);
            while let Some(read) = asked.next().await {
                if self.objects.len() >= OBJECTS_MAX {
                    self.all_objects = false;
                    return Ok(());
                }
                self.objects.push(read);
            }
        }
        // Pages come in no order, and the same state makes the same plan.
        self.objects
            .sort_by(|(one, _), (other, _)| (&one.key, &one.version).cmp(&(&other.key, &other.version)));
        Ok(())
    }
}
