use serde_json::{Value, json};

use super::{Effect, Event, History, history, is_about};
use crate::estate::{Account, Bucket, Facts, GapReason, Provider};

fn bucket(provider: Provider) -> Bucket {
    Bucket {
        account: Account { provider, id: "111122223333".to_owned() },
        name: "leak".to_owned(),
        region: None,
    }
}

/// CloudTrail's answers by the event's name; those that are not given found nothing.
fn told(answers: &Value) -> History {
    let mut all: serde_json::Map<String, Value> = super::BUCKET_EVENTS
        .iter()
        .chain(&super::ACCOUNT_EVENTS)
        .map(|name| ((*name).to_owned(), json!({"Events": []})))
        .collect();
    all.extend(answers.as_object().expect("a map").clone());
    let mut facts = Facts::default();
    facts.record("cloudtrail:LookupEvents", all.into());
    history(&bucket(Provider::Aws), &facts)
}

fn entry(name: &str, asked: &Value, more: &Value) -> Value {
    let mut record = json!({"eventTime": "2026-11-20T08:13:05Z", "eventName": name, "sourceIPAddress": "198.51.100.7",
        "userIdentity": {"arn": "arn:aws:iam::111122223333:user/jo"}, "requestParameters": asked});
    record.as_object_mut().expect("a map").extend(more.as_object().expect("a map").clone());
    json!({"EventName": name, "CloudTrailEvent": record.to_string()})
}

fn one(name: &str, asked: &Value) -> Event {
    let told = told(&json!({name: {"Events": [entry(name, asked, &json!({}))]}}));
    assert_eq!(told.gaps, [], "{name}");
    told.events.first().unwrap_or_else(|| panic!("`{name}` was not read")).clone()
}

#[test]
fn what_a_request_set_is_read_in_the_shape_of_the_answer_that_states_it() {
    let to = |name: &str, asked: &Value| match one(name, asked).effect {
        Effect::Set { place, to } => (place.operation, place.of_account, to.expect("told")),
        other => panic!("{other:?}"),
    };
    let policy = json!({"Version": "2012-10-17", "Statement": []});
    assert_eq!(
        to("PutBucketPolicy", &json!({"bucketName": "leak", "bucketPolicy": policy})),
        ("s3:GetBucketPolicy", false, json!({"Policy": policy.to_string()}))
    );
    assert_eq!(
        to("DeleteBucketPolicy", &json!({})),
        ("s3:GetBucketPolicy", false, json!({"Error": {"Code": "NoSuchBucketPolicy"}}))
    );
    let block = json!({"PublicAccessBlockConfiguration": {"xmlns": "http://s3", "BlockPublicAcls": true, "IgnorePublicAcls": "false"}});
    let flags =
        json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": false}});
    assert_eq!(to("PutBucketPublicAccessBlock", &block), ("s3:GetPublicAccessBlock", false, flags.clone()));
    assert_eq!(to("PutAccountPublicAccessBlock", &block), ("s3control:GetPublicAccessBlock", true, flags));
    let controls = json!({"OwnershipControls": {"Rule": {"ObjectOwnership": "ObjectWriter"}}});
    assert_eq!(
        to("PutBucketOwnershipControls", &controls).2,
        json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}})
    );
    let everybody = json!({"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"});
    for header in [json!("public-read"), json!(["public-read"])] {
        assert_eq!(to("PutBucketAcl", &json!({"x-amz-acl": header})).2, json!({"Grants": [everybody]}));
    }
    // One grant is no list.
    let whole = json!({"AccessControlPolicy": {"AccessControlList": {"Grant": everybody}}});
    assert_eq!(to("PutBucketAcl", &whole).2, json!({"Grants": [everybody]}));
}

#[test]
fn a_change_that_did_not_go_through_is_none() {
    let denied = entry("PutBucketPolicy", &json!({}), &json!({"errorCode": "AccessDenied"}));
    let told = told(&json!({"PutBucketPolicy": {"Events": [denied]}}));
    assert_eq!(told, History::default());
}

#[test]
fn what_could_not_be_read_of_the_records_is_a_gap_and_never_nobody() {
    let reasons = |history: History| history.gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>();
    assert_eq!(reasons(history(&bucket(Provider::Aws), &Facts::default())), [GapReason::NotRead]);
    let mut denied = Facts::default();
    denied.record(
        "cloudtrail:LookupEvents",
        json!({"PutBucketPolicy": {"Error": {"Code": "AccessDeniedException"}}}),
    );
    assert_eq!(reasons(history(&bucket(Provider::Aws), &denied)), [GapReason::Denied]);
    denied.record("cloudtrail:LookupEvents", json!({"PutBucketPolicy": {"Events": []}}));
    assert_eq!(
        reasons(history(&bucket(Provider::Aws), &denied)),
        [GapReason::NotRead],
        "nor were the others"
    );
    denied.record_error("cloudtrail:LookupEvents", "AccessDeniedException");
    assert_eq!(reasons(history(&bucket(Provider::Aws), &denied)), [GapReason::Denied]);
    for (answer, reason) in [
        (json!({"Events": [], "NextToken": "more"}), GapReason::LimitReached),
        (json!({"Event": []}), GapReason::Malformed),
        (json!({"Events": [{"EventName": "PutBucketPolicy"}]}), GapReason::Malformed),
        (json!({"Events": [{"CloudTrailEvent": "{\"eventName\": "}]}), GapReason::Malformed),
        (
            json!({"Events": [entry("PutBucketPolicy", &json!({}), &json!({"eventTime": "yesterday"}))]}),
            GapReason::Malformed,
        ),
        (json!({"Events": [7]}), GapReason::Malformed),
        (json!(null), GapReason::Malformed),
    ] {
        assert_eq!(reasons(told(&json!({"PutBucketPolicy": answer}))), [reason], "{answer}");
    }
    let mut log = Facts::default();
    for (answer, reason) in [
        (json!({"Error": {"Code": "PERMISSION_DENIED"}}), GapReason::Denied),
        (json!({"entries": [], "nextPageToken": "x"}), GapReason::LimitReached),
        (json!({"entries": [{"protoPayload": {}}]}), GapReason::Malformed),
        (json!({"entries": 7}), GapReason::Malformed),
        (json!("nonsense"), GapReason::Malformed),
    ] {
        log.record("logging:entries.list", answer.clone());
        assert_eq!(reasons(history(&bucket(Provider::Gcp), &log)), [reason], "{answer}");
    }
    log.record("logging:entries.list", json!({}));
    assert_eq!(history(&bucket(Provider::Gcp), &log), History::default(), "an empty log was read");
}

#[test]
fn more_changes_than_are_told_are_a_gap() {
    let many = |count| {
        let entry = entry("DeleteBucketPolicy", &json!({}), &json!({}));
        told(&json!({"DeleteBucketPolicy": {"Events": vec![entry; count]}}))
    };
    assert_eq!((many(1_000).events.len(), many(1_000).gaps.len()), (1_000, 0));
    let told = many(1_001);
    assert_eq!((told.events.len(), told.gaps[0].reason), (1_000, GapReason::LimitReached));
}

#[test]
fn whoever_has_no_arn_is_called_by_what_else_is_told() {
    for (identity, who) in [
        (
            json!({"invokedBy": "cloudformation.amazonaws.com", "type": "AWSService"}),
            "cloudformation.amazonaws.com",
        ),
        (json!({"principalId": "AIDAEXAMPLE", "accountId": "999988887777"}), "AIDAEXAMPLE"),
        (json!({"accountId": "999988887777", "arn": ""}), "999988887777"),
        (json!(7), "unknown"),
    ] {
        let entry = entry("DeleteBucketPolicy", &json!({}), &json!({"userIdentity": identity}));
        let told = told(&json!({"DeleteBucketPolicy": {"Events": [entry]}}));
        assert_eq!(told.events.first().map(|event| event.who.as_str()), Some(who));
    }
}

#[test]
fn an_event_is_of_the_bucket_that_it_names_of_its_access_points_or_of_its_account() {
    let points = ["ap".to_owned()];
    let about = |entry: &Value| is_about(entry, "leak", &points);
    let asked = |name: &str, asked: Value| entry(name, &asked, &json!({}));
    assert!(about(&asked("PutBucketPolicy", json!({"bucketName": "leak"}))));
    assert!(!about(&asked("PutBucketPolicy", json!({"bucketName": "leak-2"}))));
    assert!(about(&asked("PutAccessPointPolicy", json!({"name": "ap"}))));
    assert!(!about(&asked("PutAccessPointPolicy", json!({"name": "leak"}))));
    assert!(about(&asked("DeleteAccountPublicAccessBlock", json!({}))));
    let broken =
        json!({"EventName": "PutBucketAcl", "Resources": [{"ResourceName": "leak"}], "CloudTrailEvent": "{"});
    assert!(about(&broken), "it is a gap of this bucket");
    assert!(!about(&json!(7)));
}

#[test]
fn entries_of_the_audit_log_say_who_was_let_in() {
    let entry = |resource: &str, more: Value| {
        let mut entry = json!({"timestamp": "2026-11-16T21:40:03.118402Z", "protoPayload": {
            "methodName": "storage.setIamPermissions", "resourceName": resource,
            "authenticationInfo": {"principalEmail": "x@acme-data.iam.gserviceaccount.com"}, "requestMetadata": {"callerIp": "2001:db8::7"},
            "serviceData": {"policyDelta": {"bindingDeltas": [
                {"action": "ADD", "role": "roles/storage.objectViewer", "member": "allUsers"}]}}}});
        entry["protoPayload"]
            .as_object_mut()
            .expect("a map")
            .extend(more.as_object().expect("a map").clone());
        entry
    };
    let mut facts = Facts::default();
    facts.record(
        "logging:entries.list",
        json!({"entries": [
            entry("projects/_/buckets/leak", json!({"status": {"code": 7}})),
            entry("projects/_/buckets/leak/objects/k", json!({})),
            entry("projects/_/buckets/leak", json!({})),
            entry("projects/_/buckets/leak", json!({"serviceData": {}})),
        ]}),
    );
    let told = history(&bucket(Provider::Gcp), &facts);
    assert_eq!(told.gaps, []);
    let [event, untold] = told.events.as_slice() else { panic!("{told:?}") };
    assert_eq!((event.from.as_str(), event.action.as_str()), ("2001:db8::7", "storage.setIamPermissions"));
    let Effect::Bound(bindings) = &event.effect else { panic!("{event:?}") };
    assert!(bindings[0].added && bindings[0].member == "allUsers");
    assert_eq!(untold.effect, Effect::Untold);
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_the_reading_panic(text in ".{0,80}", number in proptest::num::i64::ANY) {
        let values = [json!(text), json!(number), json!([text]), json!({ &text: number }), json!({"Events": [text]})];
        for value in &values {
            told(&json!({"PutBucketPolicy": value}));
            told(&json!({"PutBucketPolicy": {"Events": [{"CloudTrailEvent": value.to_string()}]}}));
            for name in super::BUCKET_EVENTS {
                told(&json!({name: {"Events": [entry(name, value, &json!({}))]}}));
                told(&json!({name: {"Events": [entry(name, &json!({"bucketPolicy": value, "PublicAccessBlockConfiguration": value,
                    "AccessControlPolicy": value, "x-amz-acl": value, "OwnershipControls": {"Rule": value}}), &json!({"userIdentity": value}))]}}));
            }
            is_about(value, &text, std::slice::from_ref(&text));
            let mut log = Facts::default();
            log.record("logging:entries.list", json!({"entries": [value, {"protoPayload": value}]}));
            history(&bucket(Provider::Gcp), &log);
        }
    }
}
