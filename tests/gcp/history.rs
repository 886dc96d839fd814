//! Does the audit log of Google Cloud say who opened a bucket, and its usage log who uses it?

use serde_json::{Value, json};
use spillwatch::cloud::Cloud;
use spillwatch::estate::history::history;
use spillwatch::estate::{Facts, GapReason};
use spillwatch::exposure::{Certainty, ZoneOfTrust};
use spillwatch::lockdown::{Opened, Scope, Subject, opened, usage};
use spillwatch_fixtures::gcs_server::{Fault, GcsServer};

use super::{PROJECT, bucket, connect};

const LIST: &str = "entries.list";
const AGENT: &str = "agent@acme-data.iam.gserviceaccount.com";

fn entry(at: &str, method: &str, who: &str, deltas: Value) -> Value {
    json!({"timestamp": at, "resource": {"type": "gcs_bucket", "labels": {"bucket_name": "leak"}}, "protoPayload": {
        "methodName": method, "resourceName": "projects/_/buckets/leak", "authenticationInfo": {"principalEmail": who},
        "requestMetadata": {"callerIp": "198.51.100.7"}, "serviceData": {"policyDelta": {"bindingDeltas": deltas}}}})
}

fn added(member: &str) -> Value {
    json!([{"action": "ADD", "role": "roles/storage.objectViewer", "member": member}])
}

/// A bucket that everybody may read, and these entries about it, the newest first.
fn server(entries: &[Value]) -> GcsServer {
    let server = GcsServer::start().unwrap();
    server.put(PROJECT, "leak", "k", "x");
    let constraint = "storage.publicAccessPrevention";
    let rules =
        json!({"name": format!("projects/1/policies/{constraint}"), "spec": {"rules": [{"enforce": false}]}});
    server.state(PROJECT, None, "orgpolicy:policies.getEffectivePolicy", json!({constraint: rules}));
    let described = json!({"iamConfiguration": {"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": {"enabled": true}},
        "logging": {"logBucket": "logs", "logObjectPrefix": "usage/leak"}});
    server.state(PROJECT, Some("leak"), "storage:buckets.get", described);
    let policy = json!({"version": 3, "bindings": [
        {"role": "roles/storage.objectViewer", "members": ["allUsers", "user:us@acme.internal"]}]});
    server.state(PROJECT, Some("leak"), "storage:buckets.getIamPolicy", policy);
    server.log(PROJECT, &json!({ "entries": entries }));
    server
}

async fn subject(server: &GcsServer) -> Subject {
    Subject::read(&connect(server), bucket("leak"), ZoneOfTrust::default()).await
}

async fn who_opened(server: &GcsServer) -> Opened {
    opened(&connect(server), &subject(server).await, &Scope::public()).await
}

#[tokio::test]
async fn whoever_let_everybody_in_is_named_and_nobody_else() {
    let server = server(&[
        entry("2026-11-18T10:00:00Z", "storage.buckets.update", "user@acme.internal", json!([])),
        entry(
            "2026-11-17T10:00:00Z",
            "storage.setIamPermissions",
            "user@acme.internal",
            added("user:us@acme.internal"),
        ),
        entry("2026-11-16T21:40:03Z", "storage.setIamPermissions", AGENT, added("allUsers")),
        entry("2026-11-10T10:00:00Z", "storage.buckets.create", "user@acme.internal", json!([])),
    ]);
    server.page(3);
    let told = who_opened(&server).await;
    assert_eq!(told.gaps, []);
    let [opener] = told.by.as_slice() else { panic!("{told:?}") };
    assert_eq!((opener.who.as_str(), opener.from.as_str()), (AGENT, "198.51.100.7"));
    assert_eq!((opener.at.as_str(), opener.certainty), ("2026-11-16T21:40:03Z", Certainty::Proven));
    assert_eq!(server.requests(LIST), 2, "to the end");
}

#[tokio::test]
async fn a_change_of_which_the_log_does_not_say_what_it_was_is_only_possible() {
    let update = entry("2026-11-18T10:00:00Z", "storage.buckets.update", "jane.roe@acme.example", json!([]));
    let told = who_opened(&server(&[update])).await;
    let [opener] = told.by.as_slice() else { panic!("{told:?}") };
    assert_eq!(opener.certainty, Certainty::Possible);
    assert!(!opener.who.contains("jane.roe"), "people are screened: {}", opener.who);
    assert_eq!(who_opened(&server(&[])).await, Opened::default(), "unknown, and everything was read");
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_a_gap() {
    for (fault, times, reason) in [
        (Fault::Status("PERMISSION_DENIED", None), 1, GapReason::Denied),
        (Fault::Status("PERMISSION_DENIED", Some("SERVICE_DISABLED")), 1, GapReason::Denied),
        (Fault::Status("RESOURCE_EXHAUSTED", None), 2, GapReason::Throttled),
        (Fault::Nonsense, 1, GapReason::Malformed),
    ] {
        let server =
            server(&[entry("2026-11-16T21:40:03Z", "storage.setIamPermissions", AGENT, added("allUsers"))]);
        server.fail(LIST, times, fault.clone());
        let records = connect(&server).history(&bucket("leak"), &Facts::default()).await;
        let told = history(&bucket("leak"), &records);
        assert_eq!(told.gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>(), [reason], "{fault:?}");
        assert!(told.events.is_empty() && server.requests(LIST) == times, "{fault:?}");
    }
}

#[tokio::test]
async fn who_uses_a_bucket_is_told_from_its_usage_logs() {
    let server = server(&[]);
    let today = time::OffsetDateTime::now_utc().date();
    let table = "\"time_micros\",\"c_ip\",\"sc_status\",\"cs_bucket\",\"cs_object\"\n\
                 \"1764151238000000\",\"192.0.2.3\",\"200\",\"leak\",\"k\"\n\"1764151239000000\",\"192.0.2.3\",\"404\",\"leak\",\"l\"\n";
    let key = |day: time::Date| {
        let (year, month, day) = (day.year(), u8::from(day.month()), day.day());
        format!("usage/leak_usage_{year:04}_{month:02}_{day:02}_10_00_00_1702e6_v0")
    };
    server.put(PROJECT, "logs", &key(today), table);
    server.put(PROJECT, "logs", &key(today - time::Duration::days(2)), table);
    // Older than what counts as now, and no usage log.
    server.put(PROJECT, "logs", &key(today - time::Duration::days(9)), table);
    server.put(PROJECT, "logs", "usage/leak_storage_2026_11_20_08_00_00_1702e6_v0", table);
    let subject = subject(&server).await;
    let told = usage(&connect(&server), &subject, today).await.expect("read");
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].requester.as_str(), told[0].requests), ("192.0.2.3", 2));
    assert_eq!(told[0].last, "2025-11-26T10:00:38Z");
    server.fail("Media", 100, Fault::Status("PERMISSION_DENIED", None));
    assert_eq!(usage(&connect(&server), &subject, today).await, None, "unread is not unused");
}
