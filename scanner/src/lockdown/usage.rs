//! Who uses a bucket now, as far as its access logs tell?
//!
//! Sources: S3 User Guide, "Amazon S3 server access log format"; Cloud Storage documentation, "Usage logs & storage logs".
//! Delivery is best effort and hours late: what does not stand there may have been all the same.

use std::collections::BTreeMap;
use std::net::IpAddr;

use futures::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use spillwatch_classifiers::screen;
use time::format_description::well_known::Rfc3339;
use time::{Date, Duration, OffsetDateTime};

use super::Subject;
use crate::cloud::Cloud;
use crate::estate::{Bucket, Object, Principal, Provider};

/// Today and the days before it that are looked at.
const DAYS: i64 = 3;
/// Log files that are read, the newest first; how much of each, and how many at one time.
const FILES_MAX: usize = 200;
const BYTES_MAX: usize = 1 << 20;
const READ_AT_ONCE: usize = 8;
/// Log files of one day that are listed.
const LISTED_MAX: usize = 100_000;
/// Users that are told apart.
const USERS_MAX: usize = 1_000;

/// Somebody who sent requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// ARN or canonical id, screened; `anonymous`. On Google Cloud a network address: its usage logs name nobody.
    pub requester: String,
    /// How many of their requests were answered with success.
    pub requests: u64,
    /// The time of the last one that was read of, as the log writes it; RFC 3339 on Google Cloud.
    pub last: String,
}

/// Who used the bucket in the last days, the busiest first; `None` where no log could be read.
pub async fn usage(cloud: &dyn Cloud, subject: &Subject, today: Date) -> Option<Vec<User>> {
    let logs = Logs::of(subject)?;
    let mut tally = Tally::default();
    let mut files = 0;
    for day in 0..DAYS {
        let prefix = logs.prefix(&subject.bucket, today.checked_sub(Duration::days(day))?);
        // Part of the log tells more than none of it.
        let newest = listed(cloud, &logs.bucket, &prefix)
            .await
            .into_iter()
            .rev()
            .take(FILES_MAX.saturating_sub(files));
        let mut texts = stream::iter(newest)
            .map(|object| {
                let logs = &logs.bucket;
                async move { text(cloud, logs, &object).await }
            })
            .buffered(READ_AT_ONCE);
        while let Some(text) = texts.next().await {
            let Some(text) = text else { continue };
            files += 1;
            match subject.bucket.account.provider {
                Provider::Gcp => tally.count_csv(&text, &subject.bucket.name),
                _ => text.lines().for_each(|line| tally.count(line, &subject.bucket.name)),
            }
        }
    }
    (files > 0).then(|| tally.users())
}

/// Where a bucket's access logs are delivered.
struct Logs<'a> {
    bucket: Bucket,
    stated: &'a Value,
}

impl<'a> Logs<'a> {
    /// `None` where none are, or that could not be read.
    fn of(subject: &'a Subject) -> Option<Self> {
        let (stated, name) = match subject.bucket.account.provider {
            Provider::Aws => {
                let stated = subject.facts.answer("s3:GetBucketLogging")?.get("LoggingEnabled")?;
                (stated, stated.get("TargetBucket")?)
            }
            Provider::Gcp => {
                let stated = subject.facts.answer("storage:buckets.get")?.get("logging")?;
                (stated, stated.get("logBucket")?)
            }
            Provider::Local => return None,
        };
        let name = name.as_str()?.to_owned();
        Some(Self { bucket: Bucket { name, ..subject.bucket.clone() }, stated })
    }

    /// What the keys of one day's log files start with.
    fn prefix(&self, bucket: &Bucket, day: Date) -> String {
        let stated = |name: &str| self.stated.get(name).and_then(Value::as_str);
        let (year, month, day) = (day.year(), u8::from(day.month()), day.day());
        if bucket.account.provider == Provider::Gcp {
            let prefix = stated("logObjectPrefix").filter(|prefix| !prefix.is_empty());
            return format!("{}_usage_{year:04}_{month:02}_{day:02}_", prefix.unwrap_or(&bucket.name));
        }
        let prefix = stated("TargetPrefix").unwrap_or_default();
        if self.stated.pointer("/TargetObjectKeyFormat/PartitionedPrefix").is_none() {
            return format!("{prefix}{year:04}-{month:02}-{day:02}");
        }
        let region = bucket.region.as_deref().unwrap_or("us-east-1");
        format!("{prefix}{}/{region}/{}/{year:04}/{month:02}/{day:02}/", bucket.account.id, bucket.name)
    }
}

async fn listed(cloud: &dyn Cloud, logs: &Bucket, prefix: &str) -> Vec<Object> {
    let mut pages = cloud.objects(logs, prefix);
    let mut objects = Vec::new();
    while let Some(Ok(page)) = pages.next().await {
        objects.extend(page);
        if objects.len() >= LISTED_MAX {
            break;
        }
    }
    objects
}

async fn text(cloud: &dyn Cloud, logs: &Bucket, object: &Object) -> Option<String> {
    let mut chunks = cloud.read(logs, object).await.ok()?.chunks;
    let mut bytes = Vec::new();
    while let Some(Ok(chunk)) = chunks.next().await {
        let room = BYTES_MAX.saturating_sub(bytes.len());
        bytes.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        if bytes.len() >= BYTES_MAX {
            break;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[derive(Default)]
struct Tally {
    users: BTreeMap<String, (u64, String)>,
}

impl Tally {
    /// Owner, bucket, time, address, requester, id, operation, key, request, status, …
    fn count(&mut self, line: &str, bucket: &str) {
        let fields = fields(line);
        let (Some(of), Some(time), Some(requester), Some(status)) =
            (fields.get(1), fields.get(2), fields.get(4), fields.get(9))
        else {
            return;
        };
        if *of == bucket && status.starts_with('2') {
            self.add(requester, || (*time).to_owned());
        }
    }

    /// A table whose first line names its columns. Of a log that is cut off, the last line counts for nothing.
    fn count_csv(&mut self, text: &str, bucket: &str) {
        let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let Ok(columns) = rows.headers().cloned() else { return };
        let at = |name: &str| columns.iter().position(|column| column == name);
        let (Some(time), Some(address), Some(status), Some(of)) =
            (at("time_micros"), at("c_ip"), at("sc_status"), at("cs_bucket"))
        else {
            return;
        };
        for row in rows.records().map_while(Result::ok).filter(|row| row.len() == columns.len()) {
            let field = |at: usize| row.get(at).unwrap_or_default();
            if field(of) == bucket && field(status).starts_with('2') && !field(address).is_empty() {
                self.add(field(address), || of_micros(field(time)).unwrap_or_default());
            }
        }
    }

    fn add(&mut self, requester: &str, time: impl FnOnce() -> String) {
        if self.users.len() >= USERS_MAX && !self.users.contains_key(requester) {
            return;
        }
        let (requests, last) = self.users.entry(requester.to_owned()).or_default();
        // Files are read the newest first, and their lines the oldest first: any of the first file's will do.
        if last.is_empty() {
            *last = time();
        }
        *requests = requests.saturating_add(1);
    }

    fn users(self) -> Vec<User> {
        let users = self.users.into_iter().map(|(requester, (requests, last))| User {
            requester: named(&requester),
            requests,
            last: screen(&last).to_string(),
        });
        let mut users: Vec<User> = users.collect();
        users.sort_by_key(|user| std::cmp::Reverse(user.requests));
        users
    }
}

/// Microseconds since 1970, as a date.
fn of_micros(text: &str) -> Option<String> {
    let micros: i128 = text.parse().ok()?;
    let at = OffsetDateTime::from_unix_timestamp_nanos(micros.checked_mul(1_000)?).ok()?;
    at.replace_nanosecond(0).ok()?.format(&Rfc3339).ok()
}

/// A requester as it may be told. The number of an ARN's account is no secret, nor is a service account's address; sessions
/// are named after people.
pub(super) fn named(requester: &str) -> String {
    if requester == "-" {
        return "anonymous".to_owned();
    }
    if let Ok((_, Principal::ServiceAccount(email))) = Principal::parse(requester) {
        return email;
    }
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-".contains(&byte));
    match requester.match_indices(':').nth(4).map(|(at, _)| requester.split_at(at)) {
        Some((account, rest)) if account.starts_with("arn:") && account.len() < 64 && plain(account) => {
            format!("{account}{}", screen(rest))
        }
        _ => address(requester),
    }
}

/// A network address as it may be told; what is none may be anything.
pub(super) fn address(text: &str) -> String {
    text.parse::<IpAddr>().map_or_else(|_| screen(text).to_string(), |address| address.to_string())
}

/// A line's fields, which spaces divide but for those in brackets or quotes.
fn fields(line: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (field, after) = match rest.strip_prefix('[') {
            Some(inside) => inside.split_once(']').unwrap_or((inside, "")),
            None => match rest.strip_prefix('"') {
                Some(inside) => inside.split_once('"').unwrap_or((inside, "")),
                None => rest.split_once(' ').unwrap_or((rest, "")),
            },
        };
        fields.push(field);
        rest = after.trim_start();
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "79a5 leak [26/Nov/2026:10:00:38 +0000] 192.0.2.3 REQUESTER 3E57 REST.GET.OBJECT drafts/a.md \
                        \"GET /leak/drafts/a.md HTTP/1.1\" STATUS - 113 113 7 6 \"-\" \"curl/8 [x]\" - x= - - - host - - -";

    fn line(requester: &str, status: &str) -> String {
        LINE.replace("REQUESTER", requester).replace("STATUS", status)
    }

    #[test]
    fn requests_that_succeeded_are_counted_by_who_sent_them() {
        let mut tally = Tally::default();
        let role = "arn:aws:sts::111122223333:assumed-role/etl/x";
        for line in [line("-", "200"), line("-", "206"), line(role, "200"), line("-", "403")] {
            tally.count(&line, "leak");
        }
        tally.count(&line("-", "200").replace(" leak ", " other "), "leak");
        let users = tally.users();
        let told: Vec<_> = users.iter().map(|user| (user.requester.as_str(), user.requests)).collect();
        assert_eq!(told, [("anonymous", 2), (role, 1)]);
        assert_eq!(users[0].last, "26/Nov/2026:10:00:38 +0000");
    }

    const TABLE: &str = "\"time_micros\",\"c_ip\",\"c_ip_type\",\"cs_method\",\"cs_uri\",\"sc_status\",\"cs_user_agent\",\"cs_bucket\"\n\
        \"1764151238000000\",\"192.0.2.3\",\"1\",\"GET\",\"/leak/a\",\"200\",\"curl \"\"x\"\", y\",\"leak\"\n\
        \"1764151239000000\",\"192.0.2.3\",\"1\",\"GET\",\"/leak/b\",\"206\",\"-\",\"leak\"\n\
        \"1764151240000000\",\"192.0.2.3\",\"1\",\"GET\",\"/leak/c\",\"403\",\"-\",\"leak\"\n\
        \"1764151241000000\",\"2001:db8::7\",\"2\",\"GET\",\"/leak/a\",\"200\",\"-\",\"leak\"\n\
        \"1764151242000000\",\"192.0.2.9\",\"1\",\"GET\",\"/other/a\",\"200\",\"-\",\"other\"\n";

    #[test]
    fn rows_of_a_usage_log_are_counted_by_address() {
        let mut tally = Tally::default();
        tally.count_csv(TABLE, "leak");
        let users = tally.users();
        let told: Vec<_> = users.iter().map(|user| (user.requester.as_str(), user.requests)).collect();
        assert_eq!(told, [("192.0.2.3", 2), ("2001:db8::7", 1)]);
        assert_eq!(users[0].last, "2025-11-26T10:00:38Z");
    }

    #[test]
    fn a_usage_log_that_is_cut_off_or_made_up_counts_what_is_whole() {
        for cut in 0..TABLE.len() {
            let mut tally = Tally::default();
            tally.count_csv(TABLE.get(..cut).unwrap_or_default(), "leak");
            let requests: u64 = tally.users().iter().map(|user| user.requests).sum();
            assert!(requests <= 3, "{cut}");
        }
        for text in ["", "\u{0}", "a,b\n1,2\n", "time_micros,c_ip,sc_status,cs_bucket\n\"", "\"\n\"\n"] {
            let mut tally = Tally::default();
            tally.count_csv(text, "leak");
            assert!(tally.users().is_empty(), "{text}");
        }
    }

    #[test]
    fn lines_that_somebody_made_up_count_for_nothing() {
        let mut tally = Tally::default();
        for line in ["", "[", "\"", "a b [c", "a leak [t] ip", "\u{0} \u{fffd} [] [] [] []"] {
            tally.count(line, "leak");
        }
        assert!(tally.users().is_empty());
    }
}
