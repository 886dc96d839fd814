//! Which versions of objects does a bucket hold beside the current ones? Delete markers hold nothing and are no versions.

use std::sync::Arc;

use aws_sdk_s3::types::{EncodingType, ObjectVersion};
use futures::stream::{self, BoxStream, StreamExt};

use super::failure::Failure;
use super::objects::{object, unescape};
use super::session::Session;
use crate::cloud::CloudError;
use crate::estate::{Bucket, GapReason, Object, State};

const LIST: &str = "s3:ListObjectVersions";

/// Where a listing goes on: the key and the version that it ended with.
type Marker = (Option<String>, Option<String>);

/// The older versions of a bucket's objects, a page at a time.
pub(super) fn older(
    session: Arc<Session>,
    bucket: Bucket,
    prefix: String,
) -> BoxStream<'static, Result<Vec<Object>, CloudError>> {
    stream::unfold(Some(None), move |next: Option<Option<Marker>>| {
        let (session, bucket, prefix) = (Arc::clone(&session), bucket.clone(), prefix.clone());
        async move {
            let marker = match next? {
                Some(marker) => marker,
                None if never_versioned(&session, &bucket).await => return None,
                None => (None, None),
            };
            Some(match page(&session, &bucket, &prefix, &marker).await {
                Ok((objects, next)) => (Ok(objects), next.map(Some)),
                Err(error) => (Err(error), None),
            })
        }
    })
    .boxed()
}

/// One question saves a second listing of all objects: a bucket that states no status was never versioned (API reference,
/// "GetBucketVersioning"). Where it is not answered, there may be versions.
async fn never_versioned(session: &Session, bucket: &Bucket) -> bool {
    let ask = |s3: aws_sdk_s3::Client| s3.get_bucket_versioning().bucket(&bucket.name).send();
    session.send(bucket, ask).await.is_ok_and(|answer| answer.status().is_none())
}

async fn page(
    session: &Session,
    bucket: &Bucket,
    prefix: &str,
    marker: &Marker,
) -> Result<(Vec<Object>, Option<Marker>), CloudError> {
    let (key, version) = marker;
    let ask = |s3: aws_sdk_s3::Client| {
        s3.list_object_versions()
            .bucket(&bucket.name)
            .prefix(prefix)
            .set_key_marker(key.clone())
            .set_version_id_marker(version.clone())
            .encoding_type(EncodingType::Url)
            .send()
    };
    let broken = |message: &str| CloudError::Failed {
        operation: LIST,
        resource: bucket.name.clone(),
        reason: GapReason::Malformed,
        message: message.to_owned(),
    };
    let answer = session.send(bucket, ask).await;
    let answer = answer.map_err(|error| Failure::of(&error).at(LIST, &bucket.name))?;
    let escaped = answer.encoding_type() == Some(&EncodingType::Url);
    // Markers come escaped like keys, and are asked for as they are.
    let next_key = answer.next_key_marker.map(|key| if escaped { unescape(key) } else { key });
    let next = (answer.is_truncated == Some(true)).then_some((next_key, answer.next_version_id_marker));
    if next.as_ref().is_some_and(|next| next.0.is_none() || next == marker) {
        return Err(broken("the listing does not advance"));
    }
    let versions = answer.versions.unwrap_or_default().into_iter();
    let older = versions.filter(|version| version.is_latest != Some(true));
    let older: Option<Vec<Object>> = older.map(|version| older_object(version, escaped)).collect();
    let older = older.ok_or_else(|| broken("the listing holds a version without a key or an id"))?;
    Ok((older, next))
}

fn older_object(listed: ObjectVersion, escaped: bool) -> Option<Object> {
    let version = Some(listed.version_id?);
    let storage_class = listed.storage_class.map(|class| class.as_str().to_owned());
    // The shape of a version is that of an object, under another name.
    let listed = aws_sdk_s3::types::Object::builder()
        .set_key(listed.key)
        .set_size(listed.size)
        .set_e_tag(listed.e_tag)
        .set_last_modified(listed.last_modified)
        .build();
    Some(Object { version, storage_class, state: State::Noncurrent, ..object(listed, escaped)? })
}
