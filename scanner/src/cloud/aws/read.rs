//! What is in an object? Its bytes as they come, resumed where a connection breaks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use tokio::time::Instant;

use super::failure::Failure;
use super::session::Session;
use crate::cloud::{Body, CloudError};
use crate::estate::{Bucket, GapReason, Object};

/// How often a broken body is taken up again.
const RESUMED_MAX: u32 = 4;
/// Before a broken body is taken up again, times the number of the attempt.
const RESUME_PAUSE: Duration = Duration::from_millis(200);
/// A body that trickles in slower than this is broken: a server could otherwise hold a reader for ever.
const BYTES_PER_SECOND_MIN: u64 = 1024;

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
    let reading = Reading {
        source,
        body: answer.body,
        at: 0,
        size_bytes,
        resumed: 0,
        silence_max,
        waited: Duration::ZERO,
    };
    let chunks = stream::try_unfold(reading, |mut reading| async move {
        let chunk = reading.next().await?;
        Ok(chunk.map(|chunk| (chunk, reading)))
    });
    Ok(Body { metadata, chunks: chunks.boxed() })
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
        u64::try_from(length)
            .map_err(|_| self.broken(GapReason::Malformed, "the object's length is negative"))
    }

    fn broken(&self, reason: GapReason, message: &str) -> CloudError {
        CloudError::Failed {
            operation: GET,
            resource: self.resource.clone(),
            reason,
            message: message.to_owned(),
        }
    }
}

/// A body on its way in.
struct Reading {
    source: Source,
    body: ByteStream,
    at: u64,
    size_bytes: u64,
    resumed: u32,
    silence_max: Duration,
    /// Time spent waiting for the server, all pauses of the reader left out.
    waited: Duration,
}

impl Reading {
    /// The next bytes; `None` once all have been handed over.
    async fn next(&mut self) -> Result<Option<Bytes>, CloudError> {
        loop {
            let asked = Instant::now();
            let chunk = tokio::time::timeout(self.silence_max, self.body.next()).await;
            self.waited += asked.elapsed();
            let reason = match chunk {
                Ok(Some(Ok(chunk))) if chunk.is_empty() => continue,
                Ok(Some(Ok(chunk))) => return self.take(chunk).map(Some),
                Ok(None) if self.at == self.size_bytes => return Ok(None),
                Ok(None | Some(Err(_))) => GapReason::Unreachable,
                Err(_) => GapReason::TimedOut,
            };
            self.resume(reason).await?;
        }
    }

    fn take(&mut self, chunk: Bytes) -> Result<Bytes, CloudError> {
        self.at = self.at.saturating_add(chunk.len() as u64);
        if self.at > self.size_bytes {
            return Err(self
                .source
                .broken(GapReason::Malformed, "the object is longer than the server said"));
        }
        let earned = Duration::from_secs(self.at / BYTES_PER_SECOND_MIN);
        if self.waited > self.silence_max + earned {
            return Err(self.source.broken(GapReason::TimedOut, "the object trickles in too slowly"));
        }
        Ok(chunk)
    }

    /// Takes the body up again where it broke off.
    async fn resume(&mut self, reason: GapReason) -> Result<(), CloudError> {
        if self.resumed == RESUMED_MAX {
            let message =
                format!("the object broke off {} times, last at byte {}", self.resumed + 1, self.at);
            return Err(self.source.broken(reason, &message));
        }
        self.resumed += 1;
        tokio::time::sleep(RESUME_PAUSE * self.resumed).await;
        let answer = self.source.get(self.at).await?;
        let continues = self.at == 0
            || answer.content_range().is_some_and(|range| range.starts_with(&format!("bytes {}-", self.at)));
        if !continues {
            let message = "the server does not continue where the object broke off";
            return Err(self.source.broken(GapReason::Malformed, message));
        }
        self.body = answer.body;
        Ok(())
    }
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
