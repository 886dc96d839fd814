//! Who changed what decides who can reach a bucket? The Admin Activity audit log tells, which is always written and kept for 400
//! days ("Cloud Audit Logs overview", Cloud Logging).

use std::time::Duration;

use bytes::Bytes;
use google_cloud_auth::credentials::{CacheableResource, Credentials};
use google_cloud_gax::error::rpc::Status;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::accounts::UNKNOWN_PROJECT;
use super::failure::Failure;
use super::session::Session;
use super::settings::GcpSettings;
use crate::cloud::post::{Answered, Lost, Patience, Poster};
use crate::estate::history::METHODS;
use crate::estate::{Bucket, Facts};

const OPERATION: &str = "logging:entries.list";
const ENDPOINT: &str = "https://logging.googleapis.com";
/// How far back it is looked, as with the other provider, whose records end there.
const DAYS: i64 = 90;
/// "Number of entries.list requests: 60 per minute, per Google Cloud project" ("Quotas and limits", Cloud Logging).
const REQUESTS_PER_SECOND: u32 = 1;
const PAGE: u32 = 1_000;
/// Pages of one bucket's entries, the newest first.
const PAGES_MAX: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks Cloud Logging.
#[derive(Debug)]
pub(super) struct AuditLog {
    poster: Result<Poster, Lost>,
    url: String,
    who: Credentials,
}

impl AuditLog {
    pub(super) fn new(settings: &GcpSettings, who: &Credentials) -> Self {
        let patience = Patience {
            connect: CONNECT_TIMEOUT,
            answer: settings.read_timeout,
            attempts_max: settings.attempts_max,
        };
        let endpoint = settings.endpoint.as_deref().unwrap_or(ENDPOINT).trim_end_matches('/');
        Self {
            poster: Poster::new(patience, REQUESTS_PER_SECOND, |_| false),
            url: format!("{endpoint}/v2/entries:list"),
            who: who.clone(),
        }
    }

    async fn ask(&self, body: &Value) -> Result<Value, Failure> {
        let poster = self.poster.as_ref().map_err(|lost| of_lost(*lost))?;
        let headers = self.who.headers(Default::default()).await;
        let mut headers = match headers.map_err(|_| Failure::unauthenticated())? {
            CacheableResource::New { data, .. } => data,
            CacheableResource::NotModified => HeaderMap::new(),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let answered = poster.send(&self.url, &headers, &body.to_string()).await.map_err(of_lost)?;
        match answered {
            Answered { status: 200..300, body } => Ok(body),
            Answered { status, body } => Err(refused(status, &body)),
        }
    }
}

/// The entries about a bucket, the newest first.
pub(super) async fn of_bucket(session: &Session, bucket: &Bucket) -> Facts {
    let mut records = Facts::default();
    if bucket.account.id == UNKNOWN_PROJECT || bucket.account.id.contains('/') {
        return records;
    }
    let answer = entries(&session.audit_log, bucket).await;
    records.record(OPERATION, answer.unwrap_or_else(|failure| json!({"Error": {"Code": failure.code}})));
    records
}

async fn entries(log: &AuditLog, bucket: &Bucket) -> Result<Value, Failure> {
    let since = OffsetDateTime::now_utc() - time::Duration::days(DAYS);
    let since = since.format(&Rfc3339).unwrap_or_default();
    let methods: Vec<String> = METHODS.iter().map(|method| json!(method).to_string()).collect();
    let filter = format!(
        "log_id(\"cloudaudit.googleapis.com/activity\") AND resource.type=\"gcs_bucket\" \
         AND resource.labels.bucket_name={} AND protoPayload.methodName=({}) AND timestamp>=\"{since}\"",
        json!(bucket.name),
        methods.join(" OR ")
    );
    let mut all = Vec::new();
    let mut token = String::new();
    for _ in 0..PAGES_MAX {
        let page = log
            .ask(&json!({
                "resourceNames": [format!("projects/{}", bucket.account.id)],
                "filter": filter,
                "orderBy": "timestamp desc",
                "pageSize": PAGE,
                "pageToken": token,
            }))
            .await?;
        let Value::Object(mut page) = page else { return Err(Failure::unparsable()) };
        match page.remove("entries") {
            Some(Value::Array(entries)) => all.extend(entries),
            // A page may be empty and still not the last.
            None => {}
            Some(_) => return Err(Failure::unparsable()),
        }
        let next = page.get("nextPageToken").and_then(Value::as_str).unwrap_or_default().to_owned();
        if next.is_empty() {
            return Ok(json!({"entries": all}));
        }
        if next == token {
            // It does not advance.
            return Err(Failure::unparsable());
        }
        token = next;
    }
    Ok(json!({"entries": all, "nextPageToken": token}))
}

/// A refusal as Google's APIs word it in JSON.
fn refused(status: u16, body: &Value) -> Failure {
    match Status::try_from(&Bytes::from(body.to_string())) {
        Ok(stated) => Failure::stated(&stated),
        Err(_) => Failure::by_http(status, b""),
    }
}

fn of_lost(lost: Lost) -> Failure {
    match lost {
        Lost::Unreachable => Failure::unreachable(),
        Lost::TimedOut => Failure::timed_out(),
        Lost::TooLong => Failure::unparsable(),
    }
}
