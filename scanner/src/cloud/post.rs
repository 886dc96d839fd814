//! How is a request with a JSON body sent to a service for which a whole client library would be too much?

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use serde_json::Value;

use super::Pace;
use super::traffic;

/// Longer answers are refused: the longest, a page of 50 events of 256 KB each, fits.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// The first wait before a retry; each later one is twice as long.
const BACKOFF: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// How patiently a service is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until a connection stands.
    pub(super) connect: Duration,
    /// Until an answer is whole.
    pub(super) answer: Duration,
    /// Attempts of one request, the first included.
    pub(super) attempts_max: u32,
}

/// Sends requests to one service.
#[derive(Debug)]
pub(super) struct Poster {
    client: reqwest::Client,
    attempts_max: u32,
    pace: Pace,
    /// Whether an answer asks for fewer requests in words of the service's own.
    is_busy: fn(&Answered) -> bool,
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answered {
    /// The HTTP status.
    pub(super) status: u16,
    /// The body; null where it is no JSON.
    pub(super) body: Value,
}

/// Why nothing came back, also after retries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    Unreachable,
    TimedOut,
    TooLong,
}

impl Poster {
    pub(super) fn new(
        patience: Patience,
        requests_per_second: u32,
        is_busy: fn(&Answered) -> bool,
    ) -> Result<Self, Lost> {
        let client = reqwest::Client::builder()
            // A redirect would carry credentials to a server that nobody named.
            .redirect(Policy::none())
            .connect_timeout(patience.connect)
            .timeout(patience.answer)
            .user_agent(concat!("spillwatch/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| {
                tracing::debug!(%error, "no client");
                Lost::Unreachable
            })?;
        let pace = Pace::new(requests_per_second);
        Ok(Self { client, attempts_max: patience.attempts_max.max(1), pace, is_busy })
    }

    /// Sends a request, which does nothing but read, until it is answered or given up.
    pub(super) async fn send(&self, url: &str, headers: &HeaderMap, body: &str) -> Result<Answered, Lost> {
        let mut attempt = 1;
        loop {
            self.pace.turn().await;
            let answered = self.once(url, headers, body).await;
            let throttled = answered
                .as_ref()
                .is_ok_and(|answered| matches!(answered.status, 429 | 503) || (self.is_busy)(answered));
            traffic::answered(throttled);
            let again = throttled
                || match &answered {
                    // What is not implemented will not be.
                    Ok(answered) => answered.status >= 500 && answered.status != 501,
                    Err(lost) => *lost != Lost::TooLong,
                };
            if !again || attempt >= self.attempts_max {
                return answered;
            }
            let wait = BACKOFF.saturating_mul(1 << attempt.saturating_sub(1).min(10));
            tokio::time::sleep(wait.min(BACKOFF_MAX)).await;
            attempt += 1;
        }
    }

    async fn once(&self, url: &str, headers: &HeaderMap, body: &str) -> Result<Answered, Lost> {
        let lost = |error: reqwest::Error| {
            if error.is_timeout() { Lost::TimedOut } else { Lost::Unreachable }
        };
        let sending = self.client.post(url).headers(headers.clone()).body(body.to_owned());
        let mut response = sending.send().await.map_err(lost)?;
        let status = response.status().as_u16();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Lost::TooLong);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(Answered { status, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }
}
