//! Which objects does a bucket hold?

use std::borrow::Cow;
use std::sync::Arc;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use futures::stream::BoxStream;
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;

use super::failure::Failure;
use super::session::Session;
use crate::cloud::CloudError;
use crate::cloud::pages::{Listing, Page};
use crate::cloud::spans::{Ask, AtBound};
use crate::estate::{Bucket, GapReason, Object};

const LIST: &str = "s3:ListObjectsV2";

/// The current objects of a bucket, a page at a time. The next pages are fetched while the caller works.
pub(super) fn pages(
    session: Arc<Session>,
    bucket: Bucket,
    prefix: String,
) -> BoxStream<'static, Result<Vec<Object>, CloudError>> {
    let listing = Listing {
        bucket: bucket.name.clone(),
        prefix: prefix.clone(),
        operation: LIST,
        at_bound: AtBound::BelongsBefore,
        requests: Arc::clone(&session.listings),
    };
    let asked = Arc::new((session, bucket, prefix));
    listing.pages(move |ask| {
        let asked = Arc::clone(&asked);
        async move {
            let (session, bucket, prefix) = &*asked;
            fetch(session, bucket, prefix, ask).await
        }
    })
}

async fn fetch(session: &Session, bucket: &Bucket, prefix: &str, ask: Ask) -> Result<Page, CloudError> {
    let answer = session
        .send(bucket, |s3| {
            s3.list_objects_v2()
                .bucket(&bucket.name)
                .prefix(prefix)
                .max_keys(i32::from(session.keys_per_page))
                .set_start_after(ask.begin.clone().filter(|_| ask.token.is_none()))
                .set_continuation_token(ask.token.clone())
                // Keys may hold characters that XML cannot.
                .encoding_type(EncodingType::Url)
                .send()
        })
        .await;
    let answer = answer.map_err(|error| Failure::of(&error).at(LIST, &bucket.name))?;
    following(answer, ask.token.as_deref(), &bucket.name)
}

/// A page and the token of the next one.
fn following(answer: ListObjectsV2Output, token: Option<&str>, bucket: &str) -> Result<Page, CloudError> {
    let escaped = answer.encoding_type() == Some(&EncodingType::Url);
    let next = answer.next_continuation_token.filter(|_| answer.is_truncated == Some(true));
    if answer.is_truncated == Some(true) && next.is_none() {
        return Err(broken(bucket, "the listing says that it goes on, but not where"));
    }
    if next.is_some() && next.as_deref() == token {
        return Err(broken(bucket, "the listing does not advance"));
    }
    let objects = answer.contents.unwrap_or_default().into_iter();
    let objects: Option<Vec<Object>> = objects.map(|listed| object(listed, escaped)).collect();
    let objects = objects.ok_or_else(|| broken(bucket, "the listing holds an object without a key"))?;
    Ok(Page { objects, next })
}

/// None without a key.
pub(super) fn object(listed: aws_sdk_s3::types::Object, escaped: bool) -> Option<Object> {
    let key = listed.key?;
    Some(Object {
        key: if escaped { unescape(key) } else { key },
        size_bytes: listed.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
        // Some servers give multipart objects an empty one.
        etag: listed.e_tag.map(|tag| tag.trim_matches('"').to_owned()).filter(|tag| !tag.is_empty()),
        modified: listed
            .last_modified
            .and_then(|at| OffsetDateTime::from_unix_timestamp_nanos(at.as_nanos()).ok()),
        storage_class: listed.storage_class.map(|class| class.as_str().to_owned()),
        ..Object::default()
    })
}

/// Undoes `encoding-type=url`: S3 writes a space as `+`, other servers as `%20`, and all write a plus as `%2B`.
pub(super) fn unescape(key: String) -> String {
    if !key.contains(['%', '+']) {
        return key;
    }
    let spaced: Cow<'_, str> =
        if key.contains('+') { key.replace('+', " ").into() } else { key.as_str().into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
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
    fn escaped_keys_come_back_as_they_were_written() {
        for (escaped, key) in [
            ("plain/key.csv", "plain/key.csv"),
            ("a+b%20c%2Bd", "a b c+d"),
            ("%E4%BA%BA%E4%BA%8B/%01", "人事/\u{1}"),
        ] {
            assert_eq!(unescape(escaped.to_owned()), key);
        }
    }

    #[test]
    fn a_page_that_says_it_goes_on_but_not_where_is_an_error_not_the_end() {
        let cut = ListObjectsV2Output::builder().is_truncated(true).build();
        assert!(following(cut, None, "b").is_err());
        let stuck = ListObjectsV2Output::builder().is_truncated(true).next_continuation_token("t").build();
        assert!(following(stuck, Some("t"), "b").is_err());
        let end = ListObjectsV2Output::builder().is_truncated(false).next_continuation_token("t").build();
        assert!(following(end, None, "b").is_ok_and(|page| page.next.is_none()));
    }
}
