//! Which objects does a bucket hold?

use std::sync::Arc;

use futures::stream::BoxStream;
use google_cloud_storage::model::{ListObjectsResponse, Object as Listed};
use time::OffsetDateTime;

use super::buckets::path;
use super::session::{Session, Turn, turned};
use crate::cloud::CloudError;
use crate::cloud::pages::{Page, Pages, ahead};
use crate::estate::{Bucket, Checksums, GapReason, Object, State};

const PAGE: i32 = 1_000;

const LIST: &str = "storage:objects.list";

/// Which objects are to be listed.
pub(super) struct Asked {
    pub(super) prefix: String,
    pub(super) state: State,
}

/// The objects of a bucket that are in one state, a page at a time. The next pages are fetched while the caller works.
pub(super) fn pages(
    session: Arc<Session>,
    bucket: Bucket,
    asked: Asked,
) -> BoxStream<'static, Result<Vec<Object>, CloudError>> {
    let abandoned = broken(&bucket.name, "the listing was abandoned");
    ahead(abandoned, |pages| fetch(session, bucket, asked, pages))
}

async fn fetch(session: Arc<Session>, bucket: Bucket, Asked { prefix, state }: Asked, pages: Pages) {
    let mut token = String::new();
    loop {
        let asked = session
            .storage
            .list_objects()
            .set_parent(path(&bucket.name))
            .set_prefix(&prefix)
            // All generations, current ones too; soft-deleted ones are listed by themselves ("Objects: list").
            .set_versions(state == State::Noncurrent)
            .set_soft_deleted(state == State::SoftDeleted)
            .set_page_size(PAGE)
            .set_page_token(&token);
        let page = match session.ask(asked.send()).await {
            Ok(answer) => following(answer, &token, &bucket.name).map(|(mut page, next)| {
                page.objects.retain(|object| object.state == state);
                (page, next)
            }),
            Err(failure) => Err(failure.at(LIST, &bucket.name)),
        };
        let (page, next) = match page {
            Ok((page, next)) => (Ok(page), next),
            Err(error) => (Err(error), None),
        };
        if pages.send(page).await.is_err() {
            return;
        }
        let Some(next) = next else { return };
        token = next;
    }
}

/// A page and the token of the next one.
fn following(
    answer: ListObjectsResponse,
    token: &str,
    bucket: &str,
) -> Result<(Page, Option<String>), CloudError> {
    let next = match turned(token, answer.next_page_token) {
        Turn::End => None,
        Turn::Next(next) => Some(next),
        Turn::Stuck => return Err(broken(bucket, "the listing does not advance")),
    };
    let objects: Option<Vec<Object>> = answer.objects.into_iter().map(object).collect();
    let objects = objects.ok_or_else(|| broken(bucket, "the listing holds an object without a name"))?;
    Ok((Page { objects, last: next.is_none() }, next))
}

fn object(listed: Listed) -> Option<Object> {
    if listed.name.is_empty() {
        return None;
    }
    let state = match (&listed.soft_delete_time, &listed.delete_time) {
        (Some(_), _) => State::SoftDeleted,
        (None, Some(_)) => State::Noncurrent,
        (None, None) => State::Current,
    };
    let checksums = listed.checksums.unwrap_or_default();
    Some(Object {
        key: listed.name,
        size_bytes: u64::try_from(listed.size).unwrap_or(0),
        etag: Some(listed.etag).filter(|etag| !etag.is_empty()),
        modified: listed
            .update_time
            .and_then(|at| OffsetDateTime::from_unix_timestamp(at.seconds()).ok())
            .or_else(|| OffsetDateTime::from_unix_timestamp(listed.create_time?.seconds()).ok()),
        storage_class: Some(listed.storage_class).filter(|class| !class.is_empty()),
        version: (listed.generation > 0).then(|| listed.generation.to_string()),
        state,
        checksums: Checksums {
            md5: checksums.md5_hash.as_ref().try_into().ok(),
            crc32c: checksums.crc32c,
            ..Checksums::default()
        },
    })
}

/// The generation that was listed; zero asks for the current one.
pub(super) fn generation(object: &Object) -> i64 {
    object.version.as_ref().and_then(|version| version.parse().ok()).unwrap_or(0)
}

fn broken(bucket: &str, message: &str) -> CloudError {
    CloudError::Failed {
        operation: LIST,
        resource: bucket.to_owned(),
        reason: GapReason::Malformed,
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_that_does_not_advance_is_an_error_not_a_loop() {
        let stuck = ListObjectsResponse::new().set_next_page_token("t");
        assert!(following(stuck.clone(), "t", "b").is_err());
        assert!(following(stuck, "", "b").is_ok_and(|(page, next)| !page.last && next.is_some()));
        let nameless = ListObjectsResponse::new().set_objects([Listed::new()]);
        assert!(following(nameless, "", "b").is_err());
    }
}
