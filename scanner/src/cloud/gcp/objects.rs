//! Which objects does a bucket hold?

use std::sync::Arc;

use futures::stream::BoxStream;
use google_cloud_storage::model::{ListObjectsResponse, Object as Listed};
use time::OffsetDateTime;

use super::buckets::path;
use super::session::{Session, Turn, turned};
use crate::cloud::CloudError;
use crate::cloud::pages::{Listing, Page};
use crate::cloud::spans::{Ask, AtBound};
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
    let listing = Listing {
        bucket: bucket.name.clone(),
        prefix: asked.prefix.clone(),
        operation: LIST,
        at_bound: AtBound::BelongsAfter,
        requests: Arc::clone(&session.listings),
    };
    let what = Arc::new((session, bucket, asked));
    listing.pages(move |ask| {
        let what = Arc::clone(&what);
        async move {
            let (session, bucket, asked) = &*what;
            fetch(session, bucket, asked, ask).await
        }
    })
}

async fn fetch(session: &Session, bucket: &Bucket, asked: &Asked, ask: Ask) -> Result<Page, CloudError> {
    let token = ask.token.unwrap_or_default();
    let request = session
        .storage
        .list_objects()
        .set_parent(path(&bucket.name))
        .set_prefix(&asked.prefix)
        // All generations, current ones too; soft-deleted ones are listed by themselves ("Objects: list").
        .set_versions(asked.state == State::Noncurrent)
        .set_soft_deleted(asked.state == State::SoftDeleted)
        // A token goes on only with what it was given for; so where a span ends, which may change, is not told.
        .set_lexicographic_start(ask.begin.unwrap_or_default())
        .set_page_size(PAGE)
        .set_page_token(&token);
    let answer = session.ask(request.send()).await.map_err(|failure| failure.at(LIST, &bucket.name))?;
    let mut page = following(answer, &token, &bucket.name)?;
    page.objects.retain(|object| object.state == asked.state);
    Ok(page)
}

/// A page and the token of the next one.
fn following(answer: ListObjectsResponse, token: &str, bucket: &str) -> Result<Page, CloudError> {
    let next = match turned(token, answer.next_page_token) {
        Turn::End => None,
        Turn::Next(next) => Some(next),
        Turn::Stuck => return Err(broken(bucket, "the listing does not advance")),
    };
    let objects: Option<Vec<Object>> = answer.objects.into_iter().map(object).collect();
    let objects = objects.ok_or_else(|| broken(bucket, "the listing holds an object without a name"))?;
    Ok(Page { objects, next })
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
pub(super) fn generation(version: Option<&str>) -> i64 {
    version.and_then(|version| version.parse().ok()).unwrap_or(0)
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
        assert!(following(stuck, "", "b").is_ok_and(|page| page.next.is_some()));
        let nameless = ListObjectsResponse::new().set_objects([Listed::new()]);
        assert!(following(nameless, "", "b").is_err());
    }
}
