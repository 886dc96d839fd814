//! What becomes of a bucket that is open in one certain way?

use std::path::PathBuf;

use serde_json::Value;

use super::{Lock, files, of, settings};
use crate::spillwatch;

/// An account with one bucket of these facts, open by its ACL and by its policy unless they say otherwise.
pub(super) fn with_bucket(name: &str, facts: &Value, objects: &Value) -> Lock {
    let lock = Lock { folder: tempfile::tempdir().unwrap() };
    let account = lock.estate().join("aws/111122223333");
    std::fs::create_dir_all(account.join(name)).unwrap();
    std::fs::write(lock.estate().join("estate.toml"), "").unwrap();
    let no_block = serde_json::json!({"Error": {"Code": "NoSuchPublicAccessBlockConfiguration"}});
    let mut stated = serde_json::json!({
        "s3:GetPublicAccessBlock": no_block,
        "s3:GetBucketOwnershipControls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        "s3:GetBucketAcl": {"Owner": {"ID": "us"}, "Grants": []},
        "s3:GetBucketPolicy": {"Error": {"Code": "NoSuchBucketPolicy"}},
        "s3control:ListAccessPoints": {"AccessPointList": []},
    });
    stated.as_object_mut().unwrap().extend(facts.as_object().unwrap().clone());
    let write = |path: PathBuf, value: &Value| std::fs::write(path, value.to_string()).unwrap();
    let no_points = serde_json::json!({"AccessPoints": []});
    write(
        account.join("account.json"),
        &serde_json::json!({"s3control:GetPublicAccessBlock": no_block, "s3control:ListMultiRegionAccessPoints": no_points}),
    );
    write(account.join(name).join("facts.json"), &stated);
    write(account.join(name).join("objects.json"), objects);
    lock
}

pub(super) fn policy(statements: &Value) -> Value {
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
    serde_json::json!({"Policy": document.to_string()})
}

pub(super) const EVERYONE: &str = "http://acs.amazonaws.com/groups/global/AllUsers";

#[test]
fn a_setting_that_is_changed_twice_is_already_so_for_a_second_apply() {
    let facts = serde_json::json!({
        "s3:GetBucketAcl": {"Owner": {"ID": "us"}, "Grants": [{"Grantee": {"URI": EVERYONE}, "Permission": "READ"}]},
        "s3:GetBucketPolicy": policy(&serde_json::json!([
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::both/*"}])),
    });
    let lock = with_bucket("both", &facts, &serde_json::json!({}));
    let before = files(&lock.estate());
    let plan = lock.plan(&[]);
    let twice = ["public_access_block", "bucket_policy", "public_access_block"];
    assert_eq!(settings(of(&plan, "both")), twice);
    for _ in 0..2 {
        let (output, told) = lock.apply(&[]);
        assert_eq!(output.status.code(), Some(0), "{told}");
    }
    assert_eq!(lock.undo().status.code(), Some(0));
    assert!(files(&lock.estate()) == before);
}

#[test]
fn an_access_point_is_closed_by_its_own_policy_and_the_delegation_stands() {
    let open = serde_json::json!([{"Sid": "Everybody", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:eu-central-1:111122223333:accesspoint/ap/object/*"}]);
    let facts = serde_json::json!({
        "s3:GetBucketPolicy": policy(&serde_json::json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:*",
            "Resource": ["arn:aws:s3:::shared", "arn:aws:s3:::shared/*"],
            "Condition": {"StringEquals": {"s3:DataAccessPointAccount": "111122223333"}}}])),
        "s3control:ListAccessPoints": {"AccessPointList": [{"Name": "ap", "NetworkOrigin": "Internet", "Bucket": "shared",
            "AccessPointArn": "arn:aws:s3:eu-central-1:111122223333:accesspoint/ap"}]},
        "s3control:GetAccessPoint": {"ap": {"Name": "ap", "PublicAccessBlockConfiguration": {"BlockPublicAcls": false,
            "IgnorePublicAcls": false, "BlockPublicPolicy": false, "RestrictPublicBuckets": false}}},
        "s3control:GetAccessPointPolicy": {"ap": policy(&open)},
        "s3control:GetAccessPointPolicyStatus": {"ap": {"PolicyStatus": {"IsPublic": true}}},
    });
    let lock = with_bucket("shared", &facts, &serde_json::json!({}));
    let before = files(&lock.estate());
    let plan = lock.plan(&[]);
    let planned = of(&plan, "shared");
    assert_eq!(
        planned["changes"][0]["setting"],
        serde_json::json!({"access_point_policy": "ap"}),
        "{planned}"
    );
    assert_eq!(planned["changes"].as_array().unwrap().len(), 1, "{planned}");
    // The bucket itself would refuse the request: it is sent to the access point.
    let sent = planned["closes"][0]["witness"]["command"].as_str().unwrap();
    assert!(sent.contains("https://ap-111122223333.s3-accesspoint.eu-central-1.amazonaws.com/"), "{sent}");
    let (output, told) = lock.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    lock.undo();
    assert!(files(&lock.estate()) == before);
}

#[test]
fn what_replicates_or_delivers_logs_through_what_is_removed_is_a_hazard() {
    let everybody = |action: &str| {
        serde_json::json!([{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", action],
        "Resource": "arn:aws:s3:::target/*"}])
    };
    let hazards = |action: &str| {
        let facts = serde_json::json!({"s3:GetBucketPolicy": policy(&everybody(action))});
        let plan = with_bucket("target", &facts, &serde_json::json!({})).plan(&[]);
        of(&plan, "target")["hazards"].to_string()
    };
    assert!(hazards("s3:ReplicateObject").contains("replication"));
    assert_eq!(hazards("s3:GetObjectTagging"), "[]");
}

#[test]
fn who_uses_a_bucket_is_told_from_its_access_logs() {
    let facts = serde_json::json!({
        "s3:GetBucketPolicy": policy(&serde_json::json!([
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::used/*"}])),
        "s3:GetBucketLogging": {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "used/"}},
    });
    let lock = with_bucket("used", &facts, &serde_json::json!({}));
    let logs = lock.estate().join("aws/111122223333/logs");
    std::fs::create_dir_all(logs.join("objects/used")).unwrap();
    std::fs::write(logs.join("facts.json"), "{}").unwrap();
    let line = "us used [T] 192.0.2.3 - 3E57 REST.GET.OBJECT k \"GET /used/k HTTP/1.1\" 200 - 1 1 7 6 \"-\" \"-\" -\n";
    let today = time::OffsetDateTime::now_utc().date();
    std::fs::write(logs.join(format!("objects/used/{today}-10-00-00-AB")), line.repeat(3)).unwrap();
    // Older than what counts as now.
    std::fs::write(logs.join("objects/used/2020-01-01-10-00-00-AB"), line).unwrap();
    let plan = lock.plan(&[]);
    assert_eq!(
        of(&plan, "used")["used_by"],
        serde_json::json!([{"requester": "anonymous", "requests": 3, "last": "T"}])
    );
    let output = spillwatch(&["lock", "plan", "--format", "human", lock.estate().to_str().unwrap()]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("used by  anonymous: 3 requests in three days"), "{told}");
    let (output, told) = lock.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{told}");
}

#[test]
fn a_key_that_must_not_be_told_is_changed_but_not_shown() {
    let key = "exports/jane.roe@acme.example\u{1b}[2J.csv";
    let objects = serde_json::json!({key: {"s3:GetObjectAcl": {"Owner": {"ID": "us"}, "Grants": [
        {"Grantee": {"URI": EVERYONE}, "Permission": "READ"}]}}});
    let lock = with_bucket("keys", &serde_json::json!({}), &objects);
    let estate = lock.estate();
    let facts = estate.join("aws/111122223333/keys/facts.json");
    for args in [
        vec!["lock", "plan", "--format", "human", estate.to_str().unwrap()],
        vec!["explain", "--format", "human", facts.to_str().unwrap()],
        vec!["explain", "--format", "json", facts.to_str().unwrap()],
    ] {
        let told = String::from_utf8(spillwatch(&args).stdout).unwrap();
        assert!(told.contains("exports/"), "{told}");
        assert!(!told.contains("jane.roe") && !told.contains("\u{1b}[2J"), "{told}");
    }
    lock.plan(&[]);
    let (output, told) = lock.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(!told.contains("jane.roe"), "{told}");
}
