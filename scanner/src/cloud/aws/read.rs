//! What is in an object? Its bytes as they come, resumed where a connection breaks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use futures::stream::{self, StreamExt};

use super::failure::Failure;
use super::session::Session;
use crate::cloud::resume::{self, Broken, Chunks, Source as _, to_the_end};
use crate::cloud::{Body, CloudError};
use crate::estate::{Bucket, GapReason, Object};

const GET: &str = "s3:GetObject";

/// The object's metadata and its bytes from the first on.
pub(super) async fn open(
    session: Arc<Session>,
    silence_max: Duration,
    bucket: &Bucket,
    object: &Object,
) -> Result<Body, CloudError> {
    let resource = format!("{}/{}", bucket.name, object.key);
    // Asking would only cost a refused request per object.
    if object.must_be_restored().is_some() {
        return Err(CloudError::Archived { operation: GET, resource });
    }
    let source = Source {
        session,
        bucket: bucket.clone(),
        key: object.key.clone(),
        version: object.version.clone(),
        etag: object.etag.as_ref().map(|etag| format!("\"{etag}\"")),
        resource,
    };
    let mut answer = source.get(0).await?;
    let metadata = metadata(&mut answer);
    let size_bytes = match answer.content_length() {
        Some(length) => source.size(length)?,
        None => object.size_bytes,
    };
    Ok(Body { metadata, chunks: to_the_end(source, chunks(answer.body), size_bytes, silence_max) })
}

/// What is read, and from where.
struct Source {
    session: Arc<Session>,
    bucket: Bucket,
    key: String,
    /// Named where it is not the current one: it takes `s3:GetObjectVersion` instead of `s3:GetObject`.
    version: Option<String>,
    /// With quotes; every request asks for the very object that was listed.
    etag: Option<String>,
    resource: String,
}

impl Source {
    async fn get(&self, from: u64) -> Result<GetObjectOutput, CloudError> {
        let range = (from > 0).then(|| format!("bytes={from}-"));
        self.session
            .send(&self.bucket, |s3| {
                s3.get_object()
                    .bucket(&self.bucket.name)
                    .key(&self.key)
                    .set_version_id(self.version.clone())
                    .set_if_match(self.etag.clone())
                    .set_range(range.clone())
                    .send()
            })
            .await
            .map_err(|error| Failure::of(&error).at(GET, &self.resource))
    }

    fn size(&self, length: i64) -> Result<u64, CloudError> {
        u64::try_from(length).map_err(|_| self.error(GapReason::Malformed, "the object's length is negative"))
    }
}

impl resume::Source for Source {
    async fn from(&self, at: u64) -> Result<Chunks, CloudError> {
        let answer = self.get(at).await?;
        let continues =
            at == 0 || answer.content_range().is_some_and(|range| range.starts_with(&format!("bytes {at}-")));
        if !continues {
            let message = "the server does not continue where the object broke off";
            return Err(self.error(GapReason::Malformed, message));
        }
        Ok(chunks(answer.body))
    }

    fn error(&self, reason: GapReason, message: &str) -> CloudError {
        CloudError::Failed {
            operation: GET,
            resource: self.resource.clone(),
            reason,
            message: message.to_owned(),
        }
    }
}

fn chunks(body: ByteStream) -> Chunks {
    stream::unfold(body, |mut body| async move {
        let chunk = body.next().await?;
        Some((chunk.map_err(|_| Broken::Off), body))
    })
    .boxed()
}

/// User metadata by its own names, and the headers that say how the bytes are packed and encrypted.
fn metadata(answer: &mut GetObjectOutput) -> BTreeMap<String, String> {
    let user = answer.metadata.take().unwrap_or_default().into_iter();
    let mut metadata: BTreeMap<String, String> =
        user.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    let encryption = answer.server_side_encryption().map(|kind| kind.as_str());
    let headers = [
        ("content-encoding", answer.content_encoding()),
        ("content-type", answer.content_type()),
        ("x-amz-server-side-encryption", encryption),
        ("x-amz-server-side-encryption-aws-kms-key-id", answer.ssekms_key_id()),
        ("x-amz-server-side-encryption-customer-algorithm", answer.sse_customer_algorithm()),
    ];
    for (name, value) in headers {
        if let Some(value) = value {
            metadata.insert(name.to_owned(), value.to_owned());
        }
    }
    metadata
}
