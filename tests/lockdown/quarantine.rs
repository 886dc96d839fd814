//! Is content kept from everybody but the responders, provably, and given back as it was?

use std::collections::BTreeSet;

use serde_json::{Value, json};
use spillwatch::cloud::local::LocalCloud;
use spillwatch::estate::{Account, Bucket, Provider};
use spillwatch::exposure::ZoneOfTrust;
use spillwatch::lockdown::{Scope, Subject, plan_bucket};

use super::generated::runtime;
use super::{EVERYONE, Lock, files, of, policy, settings, with_bucket};
use crate::spillwatch;

const RESPONDER: &str = "arn:aws:iam::111122223333:role/incident-response";

fn document(facts: &Value) -> Value {
    serde_json::from_str(facts["s3:GetBucketPolicy"]["Policy"].as_str().unwrap()).unwrap()
}

fn facts(lock: &Lock, bucket: &str) -> Value {
    let path = lock.estate().join("aws/111122223333").join(bucket).join("facts.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn quarantine(lock: &Lock) -> Value {
    lock.plan(&["--quarantine", "--responders", RESPONDER])
}

#[test]
fn one_statement_denies_content_and_leaves_settings_to_the_owner() {
    let open = json!([
        {"Sid": "Everybody", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::q/*"},
        {"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"},
            "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::q/*"},
    ]);
    let acl =
        json!({"Owner": {"ID": "us"}, "Grants": [{"Grantee": {"URI": EVERYONE}, "Permission": "READ"}]});
    let objects = json!({"k": {"s3:GetObjectAcl": acl}});
    let lock = with_bucket("q", &json!({"s3:GetBucketPolicy": policy(&open)}), &objects);
    let before = files(&lock.estate());
    let plan = quarantine(&lock);
    let planned = of(&plan, "q");
    assert_eq!(planned["hazards"][0]["kind"], "cross_account", "the partner is cut off, too: {planned}");
    let reaches = |way: &Value| {
        way["access"].to_string().contains("read") || way["access"].to_string().contains("write")
    };
    assert!(!planned["leaves"].as_array().unwrap().iter().any(reaches), "{planned}");
    let (_, told) = lock.apply(&[]);
    assert!(told.contains("--accept cross_account"), "{told}");
    let (output, told) = lock.apply(&["--accept", "cross_account"]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    let left = document(&facts(&lock, "q"));
    let names: Vec<&Value> = left["Statement"].as_array().unwrap().iter().map(|one| &one["Sid"]).collect();
    assert_eq!(names, ["Partner", "SpillwatchQuarantine"]);
    let denied = left["Statement"][1]["Action"].to_string();
    assert!(!denied.contains("Policy") && !denied.contains("Acl"), "the owner takes it back: {denied}");
    assert_eq!(quarantine(&lock)["buckets"], json!([]), "it stands");
    assert_eq!(lock.undo().status.code(), Some(0));
    assert!(files(&lock.estate()) == before);
}

#[test]
fn who_is_not_ours_or_not_told_apart_is_no_responder() {
    let open = json!([{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::q/*"}]);
    let lock = with_bucket("q", &json!({"s3:GetBucketPolicy": policy(&open)}), &json!({}));
    let stranger = "arn:aws:iam::999988887777:role/incident-response";
    let plan = lock.plan(&["--quarantine", "--responders", stranger]);
    assert!(of(&plan, "q")["refused"].as_str().unwrap().contains("an account that is not ours"), "{plan}");
    assert_eq!(settings(of(&plan, "q")).len(), 0);
    for wrong in [
        "*",
        "arn:aws:iam::*:role/x",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:sts::111122223333:assumed-role/x/y",
    ] {
        let estate = lock.estate();
        let output =
            spillwatch(&["lock", "plan", "--quarantine", "--responders", wrong, estate.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn a_policy_that_could_not_be_read_is_not_replaced() {
    let acl =
        json!({"Owner": {"ID": "us"}, "Grants": [{"Grantee": {"URI": EVERYONE}, "Permission": "READ"}]});
    let facts = json!({"s3:GetBucketPolicy": {"Error": {"Code": "AccessDenied"}}, "s3:GetBucketAcl": acl});
    let lock = with_bucket("q", &facts, &json!({}));
    let account = Account { provider: Provider::Aws, id: "111122223333".to_owned() };
    let bucket = Bucket { account, name: "q".to_owned(), region: None };
    let scope = Scope::public().with_quarantine_but_for(BTreeSet::from([RESPONDER.to_owned()]));
    let planned = runtime().block_on(async {
        let cloud = LocalCloud::open(&lock.estate()).unwrap();
        plan_bucket(&Subject::read(&cloud, bucket, ZoneOfTrust::default()).await, &scope).unwrap()
    });
    assert!(planned.refused.unwrap().contains("would be lost"));
    assert_eq!(planned.changes, []);
}

#[test]
fn google_cloud_and_closed_buckets_are_not_quarantined_unasked() {
    let lock = Lock::new();
    let plan = quarantine(&lock);
    let named: Vec<&str> =
        plan["buckets"].as_array().unwrap().iter().map(|bucket| bucket["bucket"].as_str().unwrap()).collect();
    assert!(named.contains(&"acme-sandbox-drop") && !named.contains(&"acme-vault-backups"), "{named:?}");
}
