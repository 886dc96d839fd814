//! Whose data did a finding's objects hold? They are listed and read again at this moment, and nothing of them is kept.

use futures::stream::StreamExt;
use spillwatch_classifiers::affected::{People, Person};
use spillwatch_classifiers::{Category, Classifier, Hints};

use super::{Settings, Target};
use crate::cloud::CloudError;
use crate::estate::{Bucket, Gap, GapReason, Object};
use crate::findings::Record;

/// Objects that are read at one time.
const READS_IN_FLIGHT: usize = 16;

/// What looking again saw.
#[derive(Debug, Default)]
pub struct Looked {
    /// Objects that held people.
    pub objects: u64,
    /// What could not be seen; keys are as they stand, since all of this goes where the people go.
    pub gaps: Vec<Gap>,
}

/// The category of a finding's people; none where it is not about people.
pub fn category(record: &Record) -> Option<Category> {
    let about_people = [Category::EmployeePii, Category::InteractionMetadata];
    about_people.into_iter().find(|category| category.as_str() == record.finding.class)
}

/// Reads the objects of a finding again, and hands every person in them to `take`, with the object's key. The same person
/// comes once for each object.
pub async fn look_again(
    target: &Target,
    record: &Record,
    classifier: &Classifier,
    settings: &Settings,
    take: &mut dyn FnMut(&str, Person),
) -> Looked {
    let mut looked = Looked::default();
    let Some(category) = category(record) else { return looked };
    let search = Search { target, classifier, settings, category, confidence_min: record.confidence_min };
    let bucket = match find(target, record).await {
        Ok(bucket) => bucket,
        Err(gap) => {
            looked.gaps.push(gap);
            return looked;
        }
    };
    let mut found = 0;
    let holders = &record.finding.objects.holders;
    let older = match holders.has_versions() {
        true => target.cloud.older_versions(&bucket, &target.prefix),
        false => futures::stream::empty().boxed(),
    };
    let mut pages = target.cloud.objects(&bucket, &target.prefix).chain(older);
    while let Some(page) = pages.next().await {
        let objects = match page {
            Ok(objects) => objects,
            Err(error) => {
                looked.gaps.push(error.gap());
                continue;
            }
        };
        let held = objects.into_iter().filter(|object| holders.may_hold(&bucket.name, object));
        let reads = futures::stream::iter(held).map(|object| {
            found += 1;
            let (search, bucket) = (&search, &bucket);
            async move {
                let read = search.read(bucket, &object).await;
                (object, read)
            }
        });
        let mut reads = std::pin::pin!(reads.buffer_unordered(READS_IN_FLIGHT));
        while let Some((object, (people, gaps))) = reads.next().await {
            looked.gaps.extend(gaps);
            if let Some(people) = people {
                looked.objects += 1;
                people.each(category, &mut |person| take(&object.key, person));
            }
        }
    }
    let gone = holders.len().saturating_sub(found);
    if gone > 0 {
        looked.gaps.push(Gap {
            reason: GapReason::NotFound,
            operation: "list".to_owned(),
            resource: bucket.name.clone(),
            detail: format!(
                "{gone} of the objects that held people are gone; look for versions and backups of them"
            ),
        });
    }
    looked
}

async fn find(target: &Target, record: &Record) -> Result<Bucket, Gap> {
    let finding = &record.finding;
    for account in target.cloud.accounts().await.map_err(|error| error.gap())? {
        if (account.provider, &account.id) != (finding.provider, &finding.account) {
            continue;
        }
        let mut buckets = target.cloud.buckets(&account);
        while let Some(bucket) = buckets.next().await {
            match bucket {
                Ok(bucket) if bucket.name == finding.bucket => return Ok(bucket),
                Ok(_) => {}
                Err(error) => return Err(error.gap()),
            }
        }
    }
    let error = CloudError::NotFound { operation: "list", resource: finding.bucket.clone() };
    Err(error.gap())
}

/// What is looked for, and how.
struct Search<'a> {
    target: &'a Target,
    classifier: &'a Classifier,
    settings: &'a Settings,
    category: Category,
    /// As sure as the finding's detections were.
    confidence_min: f64,
}

impl Search<'_> {
    /// The people of one object, where it still holds the category.
    async fn read(&self, bucket: &Bucket, object: &Object) -> (Option<People>, Vec<Gap>) {
        let gap = |reason, detail: &str| Gap {
            reason,
            operation: "read".to_owned(),
            resource: format!("{}/{}", bucket.name, object.key),
            detail: detail.to_owned(),
        };
        if let Some(why) = object.must_be_restored() {
            return (None, vec![gap(GapReason::Archived, why)]);
        }
        let body = match self.target.cloud.read(bucket, object).await {
            Ok(body) => body,
            Err(error) => return (None, vec![error.gap()]),
        };
        let metadata: Vec<(String, String)> = body.metadata.into_iter().collect();
        let mut search = self.classifier.begin_affected(Hints {
            name: &object.key,
            size_bytes: Some(object.size_bytes),
            metadata: &metadata,
            modified: object.modified.map(time::OffsetDateTime::unix_timestamp),
        });
        let (mut gaps, mut chunks, mut read_bytes) = (Vec::new(), body.chunks, 0);
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => {
                    read_bytes += chunk.len() as u64;
                    search.push(&chunk);
                }
                Err(error) => gaps.push(error.gap()),
            }
            if read_bytes >= self.settings.bytes_per_object_max && read_bytes < object.size_bytes {
                gaps.push(gap(GapReason::LimitReached, "larger than is read of one object"));
                break;
            }
        }
        let (classification, people) = search.finish();
        let limited = spillwatch_classifiers::GapReason::LimitReached;
        if !people.is_complete() || classification.gaps.iter().any(|gap| gap.reason == limited) {
            gaps.push(gap(GapReason::LimitReached, "holds more than is listed of one object"));
        }
        let holds = classification.detections.iter().any(|detection| {
            detection.category == self.category && detection.confidence >= self.confidence_min
        });
        (holds.then_some(people), gaps)
    }
}
