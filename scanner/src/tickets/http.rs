//! How does a request reach another server, and what if it does not? One way for every sink: paced, retried, bounded.

use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use spillwatch_classifiers::screen;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::secret::Secret;
use crate::cloud::Pace;

/// Of an answer no more is read: what we ask for is small.
const ANSWER_BYTES_MAX: usize = 4 << 20;
/// Of what a server says in a refusal, so much is told.
const SAID_CHARS_MAX: usize = 200;
/// The first wait before a retry; each later one is twice as long.
const BACKOFF: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// A server that asks for a longer pause is given up for this run.
const WAIT_MAX: Duration = Duration::from_secs(120);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the requests of a dry run are written.
pub type Printer = Arc<Mutex<dyn Write + Send>>;

/// How a server is treated.
#[derive(Debug, Clone)]
pub struct Manners {
    /// Requests a second.
    pub requests_per_second: u32,
    /// How often a request is sent before it counts as failed.
    pub attempts_max: u32,
    /// How long one answer may take.
    pub timeout: Duration,
}

impl Default for Manners {
    fn default() -> Self {
        Self { requests_per_second: 2, attempts_max: 5, timeout: Duration::from_secs(30) }
    }
}

/// Sends requests to one server.
pub(crate) struct Http {
    client: reqwest::Client,
    pace: Pace,
    attempts_max: u32,
    /// What must not be shown, whatever repeats it.
    secrets: Vec<Secret>,
    printer: Option<Printer>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<String>,
    /// Whether sending it twice does no more than sending it once.
    pub(crate) repeatable: bool,
}

impl Request {
    pub(crate) fn get(url: String) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), body: None, repeatable: true }
    }

    /// A request with a JSON body; it counts as repeatable unless it is a POST.
    pub(crate) fn json(method: Method, url: String, body: &Value) -> Self {
        let repeatable = method != Method::POST;
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { method, url, headers, body: Some(body.to_string()), repeatable }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The server's name, for messages; the path may hold a secret.
    fn place(&self) -> String {
        let url = reqwest::Url::parse(&self.url).ok();
        url.as_ref().and_then(reqwest::Url::host_str).unwrap_or("the server").to_owned()
    }
}

/// Why a request was not answered as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// The server understood and said no.
    #[error("`{place}` refused with HTTP {status}{said}")]
    Refused {
        /// The server.
        place: String,
        /// The HTTP status.
        status: u16,
        /// What it said, screened.
        said: String,
    },
    /// Nothing was done: the server is away or busy.
    #[error("`{place}` could not be reached: {cause}")]
    Unavailable {
        /// The server.
        place: String,
        /// The cause in words.
        cause: String,
    },
    /// The answer was lost: it may be done, or not.
    #[error("the answer of `{place}` was lost: {cause}")]
    Unsure {
        /// The server.
        place: String,
        /// The cause in words.
        cause: String,
    },
    /// The answer is none to what was asked.
    #[error("the answer cannot be read: {0}")]
    Unexpected(String),
}

/// What one attempt came to.
enum Attempt {
    Answered(Value),
    Again(HttpError, Option<Duration>),
    Failed(HttpError),
}

impl Http {
    /// Prepares to send; `printer` takes the requests of a dry run instead.
    pub(crate) fn new(
        manners: &Manners,
        secrets: Vec<Secret>,
        printer: Option<Printer>,
    ) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            // A redirect would carry what we send to a server that nobody configured.
            .redirect(Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(manners.timeout)
            .user_agent(concat!("spillwatch/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("TLS cannot be set up: {}", in_words(error)))?;
        let pace = Pace::new(manners.requests_per_second);
        Ok(Self { client, pace, attempts_max: manners.attempts_max.max(1), secrets, printer })
    }

    /// Whether requests are printed and not sent.
    pub(crate) fn is_dry(&self) -> bool {
        self.printer.is_some()
    }

    /// Sends a request until it is answered, refused or given up. An answer that is no JSON is `null`.
    pub(crate) async fn send(&self, request: &Request) -> Result<Value, HttpError> {
        if let Some(printer) = &self.printer {
            self.print(printer, request);
            return Ok(Value::Null);
        }
        let mut attempt = 1;
        loop {
            self.pace.turn().await;
            let (error, after) = match self.once(request).await {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Failed(error) => return Err(error),
                Attempt::Again(error, after) => (error, after),
            };
            let wait = after.unwrap_or_else(|| backoff(attempt));
            if attempt >= self.attempts_max || wait > WAIT_MAX {
                return Err(error);
            }
            tracing::debug!("{error}; attempt {attempt} of {}", self.attempts_max);
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn once(&self, request: &Request) -> Attempt {
        let place = request.place();
        let mut sending = self.client.request(request.method.clone(), &request.url);
        for (name, value) in &request.headers {
            sending = sending.header(*name, value);
        }
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        let response = match sending.send().await {
            Ok(response) => response,
            Err(error) if error.is_builder() => {
                let cause = self.hide(&in_words(error));
                return Attempt::Failed(HttpError::Unavailable { place, cause });
            }
            Err(error) => return self.lost(request, error),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match bounded(response).await {
            Ok(body) => body,
            Err(error) if status.is_success() => return self.lost(request, error),
            Err(_) => Vec::new(),
        };
        if status.is_success() {
            return Attempt::Answered(serde_json::from_slice(&body).unwrap_or(Value::Null));
        }
        let after = retry_after(&headers);
        let said = self.said(&body);
        if is_busy(status, &headers) {
            let cause = format!("it is busy (HTTP {}){said}", status.as_u16());
            return Attempt::Again(HttpError::Unavailable { place, cause }, after);
        }
        if status.is_server_error() {
            let cause = format!("HTTP {}{said}", status.as_u16());
            let unsure = HttpError::Unsure { place, cause };
            return if request.repeatable { Attempt::Again(unsure, after) } else { Attempt::Failed(unsure) };
        }
        Attempt::Failed(HttpError::Refused { place, status: status.as_u16(), said })
    }

    /// A connection that never was is tried again; one that broke off only where that does no harm.
    fn lost(&self, request: &Request, error: reqwest::Error) -> Attempt {
        let (place, never_sent) = (request.place(), error.is_connect());
        let cause = self.hide(&in_words(error));
        if never_sent {
            return Attempt::Again(HttpError::Unavailable { place, cause }, None);
        }
        let unsure = HttpError::Unsure { place, cause };
        if request.repeatable { Attempt::Again(unsure, None) } else { Attempt::Failed(unsure) }
    }

    /// What a refusal says, as much of it as may be told.
    fn said(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let text: String = self.hide(&text).split_whitespace().collect::<Vec<_>>().join(" ");
        let text: String = text.chars().take(SAID_CHARS_MAX).collect();
        if text.is_empty() { text } else { format!(": {}", screen(&text)) }
    }

    /// The text without any secret of this server.
    fn hide(&self, text: &str) -> String {
        self.secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose(), "***"))
    }

    fn print(&self, printer: &Printer, request: &Request) {
        let mut text = format!("{} {}\n", request.method, request.url);
        for (name, value) in &request.headers {
            text.push_str(&format!("{name}: {value}\n"));
        }
        let body = request.body.as_deref().unwrap_or_default();
        text.push_str(&format!("\n{body}\n\n"));
        let mut out = printer.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to be told that nobody reads.
        let _ = out.write_all(self.hide(&text).as_bytes());
    }
}

/// Whether a secret may be sent to an address: by TLS, or to this very machine.
pub fn is_safe(url: &str) -> bool {
    let local = ["127.0.0.1", "localhost", "[::1]"].contains(&host(url));
    let sealed = url.starts_with("https://") || url.starts_with("http://") && local;
    sealed && !host(url).is_empty() && !url.contains(|char: char| char == '@' || char.is_whitespace())
}

/// The name of the server in an address.
pub fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

/// The body, as much of it as is read of any.
async fn bounded(mut response: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = ANSWER_BYTES_MAX.saturating_sub(body.len());
        body.extend(chunk.iter().take(room));
        if chunk.len() > room {
            break;
        }
    }
    Ok(body)
}

/// Whether the server did nothing and wants to be asked later. GitHub says so with a 403.
/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
fn is_busy(status: StatusCode, headers: &HeaderMap) -> bool {
    let exhausted = || headers.get("x-ratelimit-remaining").is_some_and(|left| left.as_bytes() == b"0");
    match status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::SERVICE_UNAVAILABLE => headers.contains_key(RETRY_AFTER),
        StatusCode::FORBIDDEN => headers.contains_key(RETRY_AFTER) || exhausted(),
        _ => false,
    }
}

/// How long the server asks to wait: seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = OffsetDateTime::parse(&value.trim().replace("GMT", "+0000"), &Rfc2822).ok()?;
    Some(Duration::try_from(date - OffsetDateTime::now_utc()).unwrap_or(Duration::ZERO))
}

/// A random part of a wait that doubles: clients that failed together do not come back together.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let whole = BACKOFF.saturating_mul(1 << attempt.saturating_sub(1).min(10)).min(BACKOFF_MAX);
    let share = RandomState::new().hash_one(attempt) % 1_000;
    whole.mul_f64((share as f64 + 1.0) / 1_000.0)
}

/// An error with its causes, but without the address, which may hold a secret.
fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        words.push_str(&format!(": {error}"));
        cause = error.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        headers
    }

    #[test]
    fn a_server_that_asks_to_wait_is_understood_in_seconds_and_as_a_date() {
        assert_eq!(retry_after(&headers("retry-after", "7")), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after(&headers("retry-after", "Wed, 21 Oct 2015 07:28:00 GMT")),
            Some(Duration::ZERO)
        );
        let far = retry_after(&headers("retry-after", "Wed, 21 Oct 2099 07:28:00 GMT"));
        assert!(far.unwrap() > WAIT_MAX);
        assert_eq!(retry_after(&headers("retry-after", "soon")), None);
    }

    #[test]
    fn waits_grow_and_differ_but_have_an_end() {
        assert!((0..100).all(|_| backoff(1) <= BACKOFF && backoff(60) <= BACKOFF_MAX));
        let waits: std::collections::BTreeSet<Duration> = (0..50).map(|_| backoff(5)).collect();
        assert!(waits.len() > 10, "{waits:?}");
    }

    #[test]
    fn a_refusal_for_want_of_rights_is_not_taken_for_a_busy_server() {
        assert!(is_busy(StatusCode::FORBIDDEN, &headers("x-ratelimit-remaining", "0")));
        assert!(!is_busy(StatusCode::FORBIDDEN, &headers("x-ratelimit-remaining", "10")));
        assert!(!is_busy(StatusCode::FORBIDDEN, &HeaderMap::new()));
    }

    #[test]
    fn a_secret_is_hidden_wherever_a_server_repeats_it() {
        let http = Http::new(&Manners::default(), vec![Secret::new("s3cr3t-t0ken")], None).unwrap();
        let said = http.said(b"bad token s3cr3t-t0ken,\n try\x1b[31m again");
        assert!(said.contains("***") && !said.contains("s3cr3t") && !said.contains('\x1b'), "{said}");
    }
}
