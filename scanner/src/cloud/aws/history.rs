//! Who changed what decides who can reach a bucket? CloudTrail keeps the management events of 90 days, whether or not there is a
//! trail ("Working with CloudTrail event history", CloudTrail User Guide).
//!
//! It is asked for events by their name, not by the bucket's: one filter is all that it takes, and a bucket's events are
//! nearly all reads, every scan's among them. An account's are asked for once for all its buckets of a region.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use tokio::sync::OnceCell;

use super::accounts::UNKNOWN_ACCOUNT;
use super::facts::failed;
use super::failure::Failure;
use super::session::{Session, lock};
use super::signing::Unsigned;
use crate::cloud::post::{Answered, Lost, Patience, Poster};
use crate::estate::history::{ACCESS_POINT_EVENTS, ACCOUNT_EVENTS, BUCKET_EVENTS, is_about};
use crate::estate::{Bucket, Facts};

const OPERATION: &str = "cloudtrail:LookupEvents";
const TARGET: &str = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
/// "The rate of lookup requests is limited to two per second, per account, per Region."
const REQUESTS_PER_SECOND: u32 = 2;
/// The most that it hands over at a time.
const PAGE: u32 = 50;
/// Pages of events of one name that are asked for, the newest first.
const PAGES_MAX: usize = 20;
/// Once their records have so many bytes, no more of them are asked for; each has 256 KB at most.
const BYTES_MAX: usize = 64 << 20;

/// What one session has learned of events: by region and by the event's name.
#[derive(Debug, Default)]
pub(super) struct Trails(Mutex<BTreeMap<String, Arc<Trail>>>);

/// The events of one region.
#[derive(Debug)]
pub(super) struct Trail {
    poster: Result<Poster, Lost>,
    /// Assumed once: a lookup is over long before they end.
    credentials: OnceCell<Result<Credentials, Failure>>,
    asked: Mutex<BTreeMap<&'static str, Arc<OnceCell<Looked>>>>,
}

type Looked = Result<Arc<Events>, Failure>;

/// Events of one name as they were answered, and where the next page would begin.
#[derive(Debug, Default)]
struct Events {
    entries: Vec<Value>,
    next: Option<String>,
}

/// The events about a bucket, by their names. Once one is refused, the others are not asked for.
pub(super) async fn of_bucket(session: &Session, bucket: &Bucket, facts: &Facts) -> Facts {
    let mut records = Facts::default();
    if bucket.account.id == UNKNOWN_ACCOUNT {
        return records;
    }
    let points = access_points(facts);
    let region = session.home(bucket);
    let trail = session.trail(&region);
    let mut answers = Map::new();
    let of_points = ACCESS_POINT_EVENTS.iter().filter(|_| !points.is_empty());
    for name in BUCKET_EVENTS.iter().chain(&ACCOUNT_EVENTS).chain(of_points).copied() {
        match trail.named(session, &region, name).await {
            Ok(events) => {
                let own = events.entries.iter().filter(|entry| is_about(entry, &bucket.name, &points));
                let mut answer = json!({"Events": own.collect::<Vec<_>>()});
                if let (Some(next), Some(answer)) = (&events.next, answer.as_object_mut()) {
                    answer.insert("NextToken".to_owned(), json!(next));
                }
                answers.insert(name.to_owned(), answer);
            }
            Err(failure) => {
                answers.insert(name.to_owned(), failed(&failure));
                break;
            }
        }
    }
    records.record(OPERATION, Value::Object(answers));
    records
}

fn access_points(facts: &Facts) -> Vec<String> {
    let list = facts.answer("s3control:ListAccessPoints").and_then(|answer| answer.get("AccessPointList"));
    let points = list.and_then(Value::as_array).into_iter().flatten();
    points.filter_map(|point| point.get("Name")?.as_str().map(str::to_owned)).collect()
}

impl Trails {
    pub(super) fn of(&self, region: &str, patience: Patience) -> Arc<Trail> {
        let make = || {
            Arc::new(Trail {
                poster: Poster::new(patience, REQUESTS_PER_SECOND, is_throttled),
                credentials: OnceCell::new(),
                asked: Mutex::default(),
            })
        };
        Arc::clone(lock(&self.0).entry(region.to_owned()).or_insert_with(make))
    }
}

impl Trail {
    async fn named(&self, session: &Session, region: &str, name: &'static str) -> Looked {
        let cell = Arc::clone(lock(&self.asked).entry(name).or_default());
        cell.get_or_init(|| self.look_up(session, region, name)).await.clone()
    }

    async fn look_up(&self, session: &Session, region: &str, name: &str) -> Looked {
        let (mut events, mut bytes) = (Events::default(), 0);
        for _ in 0..PAGES_MAX {
            let filter = json!([{"AttributeKey": "EventName", "AttributeValue": name}]);
            let mut body = json!({"LookupAttributes": filter, "MaxResults": PAGE});
            if let (Some(next), Some(body)) = (&events.next, body.as_object_mut()) {
                body.insert("NextToken".to_owned(), json!(next));
            }
            let Value::Object(mut page) = self.ask(session, region, &body.to_string()).await? else {
                return Err(Failure::unparsable());
            };
            let Some(Value::Array(entries)) = page.remove("Events") else {
                return Err(Failure::unparsable());
            };
            let record =
                |entry: &Value| entry.get("CloudTrailEvent").and_then(Value::as_str).map_or(0, str::len);
            bytes += entries.iter().map(record).sum::<usize>();
            events.entries.extend(entries);
            let next = page.remove("NextToken").and_then(|next| next.as_str().map(str::to_owned));
            let next = next.filter(|next| !next.is_empty());
            if next.is_some() && next == events.next {
                // It does not advance.
                return Err(Failure::unparsable());
            }
            events.next = next;
            if events.next.is_none() || bytes > BYTES_MAX {
                break;
            }
        }
        Ok(Arc::new(events))
    }

    /// One request, in the protocol of CloudTrail ("AWS JSON 1.1 protocol", Smithy).
    async fn ask(&self, session: &Session, region: &str, body: &str) -> Result<Value, Failure> {
        let poster = self.poster.as_ref().map_err(|lost| of_lost(*lost))?;
        let credentials = self.credentials.get_or_init(|| session_credentials(session)).await.clone()?;
        let url = session.endpoint("cloudtrail", region);
        let mut headers = vec![
            ("content-type", "application/x-amz-json-1.1".to_owned()),
            ("x-amz-target", TARGET.to_owned()),
        ];
        let unsigned = Unsigned { service: "cloudtrail", region, url: &url, headers: &headers, body };
        headers.extend(unsigned.signed_by(credentials).map_err(|_| Failure::unparsable())?);
        let map: HeaderMap = headers
            .into_iter()
            .filter_map(|(name, value)| {
                Some((HeaderName::from_static(name), HeaderValue::try_from(value).ok()?))
            })
            .collect();
        let answered = poster.send(&url, &map, body).await.map_err(of_lost)?;
        if (200..300).contains(&answered.status) {
            return Ok(answered.body);
        }
        let message = ["message", "Message"].iter().find_map(|name| answered.body.get(*name)?.as_str());
        Err(Failure::stated(code(&answered), message, answered.status))
    }
}

async fn session_credentials(session: &Session) -> Result<Credentials, Failure> {
    let Some(provider) = session.credentials() else { return Err(Failure::unparsable()) };
    provider.provide_credentials().await.map_err(|error| Failure::of_credentials(&error))
}

/// The error's own name, without its namespace and address.
fn code(answered: &Answered) -> Option<&str> {
    let named = answered.body.get("__type")?.as_str()?;
    let named = named.rsplit('#').next().unwrap_or(named);
    named.split(':').next()
}

/// CloudTrail says so with the status of a bad request.
fn is_throttled(answered: &Answered) -> bool {
    answered.status == 400 && code(answered).is_some_and(|code| code.starts_with("Throttl"))
}

fn of_lost(lost: Lost) -> Failure {
    match lost {
        Lost::Unreachable => Failure::unreachable(),
        Lost::TimedOut => Failure::timed_out(),
        Lost::TooLong => Failure::unparsable(),
    }
}
