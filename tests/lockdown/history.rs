//! Does a plan say who opened a bucket, and can they be kept from doing more, on an estate as in a cloud?

use serde_json::{Value, json};

use super::one_bucket::{policy, with_bucket};
use super::{Lock, files, of};
use crate::spillwatch;

const ROLE: &str = "arn:aws:iam::444455556666:role/sandbox-automation";
const EXPORTER: &str = "sandbox-export@acme-data.iam.gserviceaccount.com";

fn human(lock: &Lock) -> String {
    let output = spillwatch(&["lock", "plan", "--format", "human", lock.estate().to_str().unwrap()]);
    String::from_utf8(output.stdout).unwrap()
}

fn everybody(bucket: &str) -> Value {
    json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": format!("arn:aws:s3:::{bucket}/*")}])
}

/// A bucket that everybody reads by its policy, with these records of what was done to it, the newest first.
fn recorded(events: &[Value]) -> Lock {
    let lock = with_bucket("leak", &json!({"s3:GetBucketPolicy": policy(&everybody("leak"))}), &json!({}));
    let mut answers = serde_json::Map::new();
    for name in
        spillwatch::estate::history::BUCKET_EVENTS.iter().chain(&spillwatch::estate::history::ACCOUNT_EVENTS)
    {
        let own = events.iter().filter(|event| event["eventName"] == *name);
        let own: Vec<Value> =
            own.map(|event| json!({"EventName": name, "CloudTrailEvent": event.to_string()})).collect();
        answers.insert((*name).to_owned(), json!({ "Events": own }));
    }
    let records = json!({ "cloudtrail:LookupEvents": answers });
    std::fs::write(lock.estate().join("aws/111122223333/leak/history.json"), records.to_string()).unwrap();
    lock
}

fn event(at: &str, name: &str, asked: &Value) -> Value {
    let who = "arn:aws:sts::111122223333:assumed-role/etl/jane.roe@acme.example\u{1b}[2J";
    json!({"eventTime": at, "eventName": name, "sourceIPAddress": "evil\u{1b}[31m", "userIdentity": {"arn": who}, "requestParameters": asked})
}

fn opened(lock: &Lock) -> Value {
    of(&lock.plan(&[]), "leak")["opened"].clone()
}

#[test]
fn the_demo_estates_plan_names_who_opened_it_and_how_to_stop_them() {
    let lock = Lock::new();
    let told = human(&lock);
    let by = "opened by arn:aws:sts::444455556666:assumed-role/sandbox-automation/run-17 from 198.51.100.7 at \
              2026-10-06T15:39:02Z (PutBucketPolicy)\n";
    assert!(told.contains(by), "{told}");
    let place = lock.estate().canonicalize().unwrap();
    assert!(
        told.contains(&format!("isolate  spillwatch lock isolate '{ROLE}' --in '{}'\n", place.display())),
        "{told}"
    );
    assert!(
        told.contains(&format!(
            "opened by {EXPORTER} from 198.51.100.7 at 2026-11-16T21:40:03Z (storage.setIamPermissions)"
        )),
        "{told}"
    );
    assert!(
        told.contains("opened by unknown: `cloudtrail:LookupEvents` for `acme-open-docs`: it was not read"),
        "{told}"
    );
    assert!(told.contains("used by  unknown: no access log could be read"), "{told}");
    let facts = lock.estate().join("aws/444455556666/acme-sandbox-drop/facts.json");
    let output = spillwatch(&["explain", "--opened-by", "--format", "human", facts.to_str().unwrap()]);
    assert!(String::from_utf8(output.stdout).unwrap().contains(by));
    let output = spillwatch(&["explain", "--opened-by", facts.to_str().unwrap()]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["opened"]["by"][0]["isolate"], ROLE);
}

#[test]
fn records_are_kept_as_evidence_verbatim_and_chained_like_the_rest() {
    let lock = Lock::new();
    let inside = "aws/444455556666/acme-sandbox-drop/history.json";
    let before: Value = serde_json::from_slice(&std::fs::read(lock.estate().join(inside)).unwrap()).unwrap();
    lock.plan(&[]);
    lock.apply(&[]);
    let bundle = lock.journal().parent().unwrap().join("evidence");
    let kept: Value =
        serde_json::from_slice(&std::fs::read(bundle.join("estate").join(inside)).unwrap()).unwrap();
    assert_eq!(kept, before);
    let manifest = std::fs::read_to_string(bundle.join("manifest.jsonl")).unwrap();
    assert!(manifest.contains(&format!("\"path\":\"estate/{inside}\"")), "{manifest}");
}

#[test]
fn where_it_is_not_told_what_stood_before_nobody_is_accused_for_certain() {
    let open = json!({"bucketName": "leak", "bucketPolicy": {"Version": "2012-10-17", "Statement": everybody("leak")}});
    let set = event("2026-11-20T08:13:05Z", "PutBucketPolicy", &open);
    let told = opened(&recorded(std::slice::from_ref(&set)));
    assert_eq!(
        (&told["by"][0]["certainty"], told["by"].as_array().unwrap().len()),
        (&json!("possible"), 1),
        "{told}"
    );
    // A block that was lifted earlier may have been none, and one that was lifted later, too.
    let lifted =
        event("2026-11-21T08:00:00Z", "DeleteBucketPublicAccessBlock", &json!({"bucketName": "leak"}));
    let made = event("2026-11-19T08:00:00Z", "CreateBucket", &json!({"bucketName": "leak"}));
    let told = opened(&recorded(&[lifted.clone(), set.clone()]));
    let actions: Vec<&str> =
        told["by"].as_array().unwrap().iter().map(|by| by["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["DeleteBucketPublicAccessBlock", "PutBucketPolicy"]);
    assert!(told["by"].as_array().unwrap().iter().all(|by| by["certainty"] == "possible"), "{told}");
    // With the making of the bucket all is told: a new one has a block.
    let told = opened(&recorded(&[lifted, set, made]));
    assert_eq!(told["by"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(
        (&told["by"][0]["action"], &told["by"][0]["certainty"]),
        (&json!("DeleteBucketPublicAccessBlock"), &json!("proven"))
    );
}

#[test]
fn whoever_set_what_opens_nothing_is_not_named() {
    let closed = json!({"bucketName": "leak", "bucketPolicy": {"Version": "2012-10-17", "Statement": []}});
    let made = event("2026-11-19T08:00:00Z", "CreateBucket", &json!({"bucketName": "leak"}));
    // The policy that stands was set by somebody of whom there is no record.
    let lock = recorded(&[event("2026-11-20T08:00:00Z", "PutBucketPolicy", &closed), made]);
    assert_eq!(opened(&lock)["by"], json!([]));
    assert!(human(&lock).contains("opened by unknown: no recorded change of the last 90 days did"));
}

#[test]
fn what_attackers_call_themselves_is_screened() {
    let open = json!({"bucketName": "leak", "bucketPolicy": {"Version": "2012-10-17", "Statement": everybody("leak")}});
    let lock = recorded(&[event("2026-11-20T08:13:05Z", "PutBucketPolicy", &open)]);
    let told = human(&lock) + &opened(&lock).to_string();
    assert!(told.contains("perhaps opened by arn:aws:sts::111122223333:assumed-role/etl/"), "{told}");
    for hidden in ["jane.roe", "\u{1b}", "u001b"] {
        assert!(!told.contains(hidden), "{told}");
    }
    assert!(told.contains("isolate  spillwatch lock isolate 'arn:aws:iam::111122223333:role/etl'"), "{told}");
}

#[test]
fn a_role_and_a_service_account_of_an_estate_are_isolated_and_given_back_to_the_byte() {
    for (who, file) in [(ROLE, "aws/444455556666/iam.json"), (EXPORTER, "gcp/acme-data/iam.json")] {
        let lock = Lock::new();
        let (estate, before) = (lock.estate(), files(&lock.estate()));
        // A plan for the buckets stays good: isolation changes nothing that decides about them.
        let buckets = lock.plan(&[]);
        let isolate = |format: &str| {
            let output =
                spillwatch(&["lock", "isolate", who, "--in", estate.to_str().unwrap(), "--format", format]);
            assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
            output.stdout
        };
        std::fs::write(lock.folder.path().join("plan.json"), isolate("json")).unwrap();
        assert!(files(&estate) == before, "a plan changes nothing");
        let (output, told) = lock.apply(&[]);
        assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
        let now = files(&estate);
        let changed: Vec<_> =
            now.iter().filter(|(path, now)| before[*path] != **now).map(|(path, _)| path.clone()).collect();
        assert_eq!(changed, [estate.join(file)]);
        let again = String::from_utf8(isolate("human")).unwrap();
        assert!(again.contains("it is isolated already"), "{again}");
        assert_eq!(lock.plan(&[])["buckets"], buckets["buckets"]);
        let journal = told.lines().find_map(|line| line.strip_prefix("journal: ")).unwrap();
        assert_eq!(spillwatch(&["lock", "undo", "--yes", journal]).status.code(), Some(0));
        assert!(files(&estate) == before, "not as it was");
    }
}

#[test]
fn who_does_not_stand_in_an_estate_is_not_isolated_there() {
    let lock = Lock::new();
    let estate = lock.estate();
    for who in ["arn:aws:iam::444455556666:role/nobody", "arn:aws:iam::111122223333:user/jo"] {
        let output = spillwatch(&["lock", "isolate", who, "--in", estate.to_str().unwrap()]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains("iam.json"), "{said}");
    }
}
