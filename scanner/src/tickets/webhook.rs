//! How does a finding reach a receiver of the user's own? A POST whose signature covers the time and the body.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::json;
use sha2::Sha256;
use time::OffsetDateTime;

use super::http::{Http, HttpError, Request};
use super::notice::Notice;
use super::secret::Secret;
use super::ticket::Ticket;

/// The schema of the body.
const SCHEMA: &str = "spillwatch.webhook/1";

pub(super) struct Webhook {
    pub(super) http: Http,
    pub(super) url: String,
    pub(super) secret: Secret,
}

#[async_trait::async_trait]
impl Notice for Webhook {
    async fn send(&self, ticket: &Ticket) -> Result<(), HttpError> {
        let body = json!({
            "schema": SCHEMA,
            "delivery": ticket.marker,
            "transition": ticket.status,
            "title": ticket.title,
            "whose": ticket.whose,
            "finding": ticket.finding,
        });
        let at = OffsetDateTime::now_utc().unix_timestamp();
        let request = Request::json(Method::POST, self.url.clone(), &body);
        let signature = signature(&self.secret, at, request.body.as_deref().unwrap_or_default());
        let request = request
            .header("spillwatch-timestamp", at.to_string())
            .header("spillwatch-signature", format!("v1={signature}"))
            // The receiver knows by it what it has already: sending twice does no harm.
            .header("spillwatch-delivery", ticket.marker.clone())
            .repeatable();
        self.http.send(&request).await.map(drop)
    }
}

/// HMAC-SHA256 over `TIMESTAMP.BODY` in hexadecimal digits.
fn signature(secret: &Secret, at: i64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        // Keys of every length are taken; see the crate.
        return String::new();
    };
    mac.update(format!("{at}.").as_bytes());
    mac.update(body.as_bytes());
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_covers_the_time_and_the_body() {
        let secret = Secret::new("key");
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac key
        let expected = "a438e398bfafc57e4396bb7fc2304422f0f768e965d073ca313cb52e22e6ad03";
        assert_eq!(signature(&secret, 1_700_000_000, "{\"a\":1}"), expected);
        assert_ne!(signature(&secret, 1_700_000_001, "{\"a\":1}"), expected);
        assert_ne!(signature(&secret, 1_700_000_000, "{\"a\":2}"), expected);
    }
}
