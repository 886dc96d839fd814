//! What is in an object? Its bytes as they are stored, resumed where a connection breaks.
//!
//! A compressed object (`Content-Encoding: gzip`) is asked for as it is stored: unpacked on the way it could neither be
//! resumed nor checked ("Transcoding of gzip-compressed files", Cloud Storage). The classifiers unpack it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use google_cloud_storage::model_ext::{ObjectHighlights, ReadRange};
use google_cloud_storage::read_object::ReadObjectResponse;

use super::buckets::path;
use super::failure::Failure;
use super::objects::generation;
use super::session::Session;
use crate::cloud::resume::{self, Broken, Chunks, Source as _, to_the_end};
use crate::cloud::{Body, CloudError};
use crate::estate::{Bucket, GapReason, Object};

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
        .map_err(|_| source.error(GapReason::Malformed, "the object's length is negative"))?;
    // Whatever is asked for from now on is of this generation.
    source.generation = stated.generation;
    let metadata = metadata(&stated);
    Ok(Body { metadata, chunks: to_the_end(source, chunks(body), size_bytes, silence_max) })
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
            Err(_) => Err(self.error(GapReason::TimedOut, "no answer in time")),
        }
    }
}

impl resume::Source for Source {
    async fn from(&self, at: u64) -> Result<Chunks, CloudError> {
        let body = self.get(at).await?;
        if body.object().generation != self.generation {
            let message = "the server does not continue the object that broke off";
            return Err(self.error(GapReason::Malformed, message));
        }
        Ok(chunks(body))
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

fn chunks(body: ReadObjectResponse) -> Chunks {
    stream::unfold(body, |mut body| async move {
        let chunk = body.next().await?.map_err(|error| {
            tracing::debug!(%error, "a body is not what was stated");
            match Failure::of(&error).reason {
                GapReason::Malformed => Broken::Malformed,
                _ => Broken::Off,
            }
        });
        Some((chunk, body))
    })
    .boxed()
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
