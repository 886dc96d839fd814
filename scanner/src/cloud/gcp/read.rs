//! What is in an object? Its bytes as they are stored, resumed where a connection breaks.
//!
//! A compressed object (`Content-Encoding: gzip`) is asked for as it is stored: unpacked on the way it could neither be
//! resumed nor checked ("Transcoding of gzip-compressed files", Cloud Storage). The classifiers unpack it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use google_cloud_storage::model_ext::{ObjectHighlights, ReadRange};
use google_cloud_storage::read_object::ReadObjectResponse;
use tokio::time::Instant;

use super::buckets::path;
use super::failure::Failure;
use super::objects::generation;
use super::session::Session;
use crate::cloud::{Body, CloudError};
use crate::estate::{Bucket, GapReason, Object};

/// How often a broken body is taken up again.
const RESUMED_MAX: u32 = 4;
/// Before a broken body is taken up again, times the number of the attempt.
const RESUME_PAUSE: Duration = Duration::from_millis(200);
/// A body that trickles in slower than this is broken: a server could otherwise hold a reader for ever.
const BYTES_PER_SECOND_MIN: u64 = 1024;

const GET: &str = "storage:objects.get";

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
    let mut source = Source {
        session,
        bucket: path(&bucket.name),
        key: object.key.clone(),
        generation: generation(object.version.as_deref()),
        resource,
        silence_max,
    };
    let body = source.get(0).await?;
    let stated = body.object();
    let size_bytes = u64::try_from(stated.size)
        .map_err(|_| source.broken(GapReason::Malformed, "the object's length is negative"))?;
    // Whatever is asked for from now on is of this generation.
    source.generation = stated.generation;
    let metadata = metadata(&stated);
    let reading = Reading { source, body, at: 0, size_bytes, resumed: 0, waited: Duration::ZERO };
    let chunks = stream::try_unfold(reading, |mut reading| async move {
        let chunk = reading.next().await?;
        Ok(chunk.map(|chunk| (chunk, reading)))
    });
    Ok(Body { metadata, chunks: chunks.boxed() })
}

/// What is read, and from where.
struct Source {
    session: Arc<Session>,
    bucket: String,
    key: String,
    generation: i64,
    resource: String,
    silence_max: Duration,
}

impl Source {
    async fn get(&self, from: u64) -> Result<ReadObjectResponse, CloudError> {
        let asked = self
            .session
            .media
            .read_object(&self.bucket, &self.key)
            .set_generation(self.generation)
            .with_automatic_decompression(false);
        let asked = if from > 0 { asked.set_read_range(ReadRange::offset(from)) } else { asked };
        match tokio::time::timeout(self.silence_max, self.session.ask(asked.send())).await {
            Ok(answer) => answer.map_err(|failure| failure.at(GET, &self.resource)),
            Err(_) => Err(self.broken(GapReason::TimedOut, "no answer in time")),
        }
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
    body: ReadObjectResponse,
    at: u64,
    size_bytes: u64,
    resumed: u32,
    /// Time spent waiting for the server, all pauses of the reader left out.
    waited: Duration,
}

impl Reading {
    /// The next bytes; `None` once all have been handed over.
    async fn next(&mut self) -> Result<Option<Bytes>, CloudError> {
        loop {
            let asked = Instant::now();
            let chunk = tokio::time::timeout(self.source.silence_max, self.body.next()).await;
            self.waited += asked.elapsed();
            let reason = match chunk {
                Ok(Some(Ok(chunk))) if chunk.is_empty() => continue,
                Ok(Some(Ok(chunk))) => return self.take(chunk).map(Some),
                Ok(None) if self.at == self.size_bytes => return Ok(None),
                Ok(None) => GapReason::Unreachable,
                // All bytes are here, and their checksum is not the one that was stated.
                Ok(Some(Err(error))) if self.at == self.size_bytes => {
                    tracing::debug!(%error, "a body is not what was stated");
                    return Err(self
                        .source
                        .broken(GapReason::Malformed, "the bytes are not those of the object's checksum"));
                }
                Ok(Some(Err(error))) => match Failure::of(&error).reason {
                    GapReason::Malformed => {
                        return Err(self
                            .source
                            .broken(GapReason::Malformed, "the object is longer than the server said"));
                    }
                    _ => GapReason::Unreachable,
                },
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
        if self.waited > self.source.silence_max + earned {
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
        let body = self.source.get(self.at).await?;
        if body.object().generation != self.source.generation {
            let message = "the server does not continue the object that broke off";
            return Err(self.source.broken(GapReason::Malformed, message));
        }
        self.body = body;
        Ok(())
    }
}

/// User metadata by its own names, and what says how the bytes are packed.
fn metadata(stated: &ObjectHighlights) -> BTreeMap<String, String> {
    let user = stated.metadata.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    let mut metadata: BTreeMap<String, String> = user.collect();
    for (name, value) in
        [("content-encoding", &stated.content_encoding), ("content-type", &stated.content_type)]
    {
        if !value.is_empty() {
            metadata.insert(name.to_owned(), value.clone());
        }
    }
    metadata
}
