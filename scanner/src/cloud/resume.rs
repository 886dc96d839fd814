//! How is a body read to its end where connections break, in bounded time and without a byte too many?

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use tokio::time::Instant;

use super::CloudError;
use crate::estate::GapReason;

/// How often a broken body is taken up again.
const RESUMED_MAX: u32 = 4;
/// Before a broken body is taken up again, times the number of the attempt.
const RESUME_PAUSE: Duration = Duration::from_millis(200);
/// A body that trickles in slower than this is broken: a server could otherwise hold a reader for ever.
const BYTES_PER_SECOND_MIN: u64 = 1024;

/// Bytes as one connection brings them.
pub(super) type Chunks = BoxStream<'static, Result<Bytes, Broken>>;

/// Why a connection brings no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It broke off; another may bring the rest.
    Off,
    /// What it brought is not what it announced.
    Malformed,
}

/// Where the bytes of one object come from.
pub(super) trait Source: Send + 'static {
    /// The bytes from a place on, of the very object that was opened. An error where the server does not go on there.
    fn from(&self, at: u64) -> impl Future<Output = Result<Chunks, CloudError>> + Send;

    /// An error about the object.
    fn error(&self, reason: GapReason, message: &str) -> CloudError;
}

/// All bytes of an object of `size_bytes`, the first of which `chunks` brings. A silence longer than `silence_max` breaks it off.
pub(super) fn to_the_end(
    source: impl Source,
    chunks: Chunks,
    size_bytes: u64,
    silence_max: Duration,
) -> BoxStream<'static, Result<Bytes, CloudError>> {
    let reading =
        Reading { source, chunks, size_bytes, silence_max, at: 0, resumed: 0, waited: Duration::ZERO };
    stream::try_unfold(reading, |mut reading| async move {
        let chunk = reading.next().await?;
        Ok(chunk.map(|chunk| (chunk, reading)))
    })
    .boxed()
}

/// A body on its way in.
struct Reading<S> {
    source: S,
    chunks: Chunks,
    size_bytes: u64,
    silence_max: Duration,
    at: u64,
    resumed: u32,
    /// Time spent waiting for the server, all pauses of the reader left out.
    waited: Duration,
}

impl<S: Source> Reading<S> {
    /// The next bytes; `None` once all have been handed over.
    async fn next(&mut self) -> Result<Option<Bytes>, CloudError> {
        loop {
            let asked = Instant::now();
            let chunk = tokio::time::timeout(self.silence_max, self.chunks.next()).await;
            self.waited += asked.elapsed();
            let complete = self.at == self.size_bytes;
            let reason = match chunk {
                Ok(Some(Ok(chunk))) if chunk.is_empty() => continue,
                Ok(Some(Ok(chunk))) => return self.take(chunk).map(Some),
                Ok(None) if complete => return Ok(None),
                Ok(Some(Err(_))) if complete => {
                    return Err(self.malformed("the bytes are not those of the object's checksum"));
                }
                Ok(Some(Err(Broken::Malformed))) => return Err(self.too_long()),
                Ok(None | Some(Err(Broken::Off))) => GapReason::Unreachable,
                Err(_) => GapReason::TimedOut,
            };
            self.resume(reason).await?;
        }
    }

    fn take(&mut self, chunk: Bytes) -> Result<Bytes, CloudError> {
        self.at = self.at.saturating_add(chunk.len() as u64);
        if self.at > self.size_bytes {
            return Err(self.too_long());
        }
        let earned = Duration::from_secs(self.at / BYTES_PER_SECOND_MIN);
        if self.waited > self.silence_max + earned {
            return Err(self.source.error(GapReason::TimedOut, "the object trickles in too slowly"));
        }
        Ok(chunk)
    }

    /// Takes the body up again where it broke off.
    async fn resume(&mut self, reason: GapReason) -> Result<(), CloudError> {
        if self.resumed == RESUMED_MAX {
            let message =
                format!("the object broke off {} times, last at byte {}", self.resumed + 1, self.at);
            return Err(self.source.error(reason, &message));
        }
        self.resumed += 1;
        tokio::time::sleep(RESUME_PAUSE * self.resumed).await;
        self.chunks = self.source.from(self.at).await?;
        Ok(())
    }

    fn too_long(&self) -> CloudError {
        self.malformed("the object is longer than the server said")
    }

    fn malformed(&self, message: &str) -> CloudError {
        self.source.error(GapReason::Malformed, message)
    }
}
