//! Is an older version open to whom we say, on a server that enforces it?

use std::process::Command;

use aws_sdk_s3::types::ObjectCannedAcl;
use futures::TryStreamExt;
use serde_json::{Value, json};
use spillwatch::cloud::Cloud;
use spillwatch::cloud::aws::AwsCloud;
use spillwatch::estate::{Bucket, Facts, Object};
use spillwatch::exposure::{Access, Audience, ZoneOfTrust, judge};
use spillwatch_fixtures::s3_server::{Fault, S3Server};

use super::{bucket, connect, credentials, keep_versions, put, seeder, settings};
use crate::acme::estate;
use crate::{lines, servers};

/// What anyone may do with objects, as the reasoner says.
async fn anyone(cloud: &AwsCloud, bucket: &Bucket) -> Vec<Access> {
    // Ceph answers nothing that can be read of blocks, and knows none.
    let mut facts = Facts::default();
    for operation in ["s3:GetPublicAccessBlock", "s3control:GetPublicAccessBlock"] {
        facts.record_error(operation, "NoSuchPublicAccessBlockConfiguration");
    }
    facts.inherit(&cloud.access_facts(bucket).await);
    let verdict = judge(bucket, &facts, &Facts::default(), &ZoneOfTrust::default());
    let proven =
        verdict.exposures.iter().filter(|way| way.audience == Audience::Anyone && way.witness.is_some());
    proven.flat_map(|way| way.access.clone()).filter(|access| *access != Access::List).collect()
}

async fn older(cloud: &dyn Cloud, bucket: &Bucket) -> Vec<Object> {
    let pages: Vec<Vec<Object>> = cloud.older_versions(bucket, "").try_collect().await.expect("listed");
    pages.concat()
}

#[tokio::test]
async fn the_verdict_on_older_versions_is_what_ceph_enforces() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    let cloud = AwsCloud::connect(settings(&ceph.endpoint, "alice"));
    for (name, action, current_is_open, older_is_open) in [
        ("versions-current", "s3:GetObject", true, false),
        ("versions-by-id", "s3:GetObjectVersion", false, true),
        ("versions-all", "s3:GetObject*", true, true),
    ] {
        s3.create_bucket().bucket(name).send().await.expect("made");
        keep_versions(&s3, name).await;
        put(&s3, name, "people.csv", "before").await;
        put(&s3, name, "people.csv", "now").await;
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": action, "Resource": format!("arn:aws:s3:::{name}/*"),
        }]});
        s3.put_bucket_policy().bucket(name).policy(policy.to_string()).send().await.expect("set");
        let bucket = bucket(name);
        let version = older(&cloud, &bucket).await.remove(0).version.expect("an id");
        let get = |query: &str| {
            servers::plain_request(&ceph.endpoint, &format!("GET /{name}/people.csv{query}"), "", "").0
        };
        let status = |open: bool| if open { 200 } else { 403 };
        assert_eq!(get(""), status(current_is_open), "{action}");
        assert_eq!(get(&format!("?versionId={version}")), status(older_is_open), "{action}");
        let said = anyone(&cloud, &bucket).await;
        assert_eq!(said.contains(&Access::ReadVersions), older_is_open, "{action}: {said:?}");
        // By its id, the current one is read too.
        assert!(said.contains(&Access::Read), "{action}: {said:?}");
    }
}

#[tokio::test]
async fn a_scan_finds_what_was_deleted_and_an_unsigned_request_confirms_it() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    let name = "versions-leak";
    s3.create_bucket().bucket(name).send().await.expect("made");
    keep_versions(&s3, name).await;
    let directory = estate().join("aws/444455556666/acme-sandbox-drop/objects/copies/people/directory.csv");
    let directory = std::fs::read(directory).expect("the directory");
    let body = aws_sdk_s3::primitives::ByteStream::from(directory.clone());
    let sent = s3.put_object().bucket(name).key("people.csv").body(body).acl(ObjectCannedAcl::PublicRead);
    sent.send().await.expect("put");
    s3.delete_object().bucket(name).key("people.csv").send().await.expect("deleted");

    let report = scan(&ceph.endpoint, "alice", name);
    let wanted = |line: &&Value| line["rule"] == "exposed_content" && line["class"] == "employee_pii";
    let found = report.iter().find(wanted).unwrap_or_else(|| panic!("{report:#?}"));
    let version = &found["objects"]["top_versions"][0];
    assert_eq!((&version["key"], &version["state"]), (&json!("people.csv"), &json!("noncurrent")));
    let id = version["version_id"].as_str().expect("an id");

    let get = |query: &str| {
        servers::plain_request(&ceph.endpoint, &format!("GET /{name}/people.csv{query}"), "", "")
    };
    assert_ne!(get("").0, 200, "it is deleted");
    let (status, _) = get(&format!("?versionId={id}"));
    assert_eq!(status, 200, "and read by anyone nevertheless");
}

fn scan(endpoint: &str, user: &str, bucket: &str) -> Vec<Value> {
    let config = tempfile::NamedTempFile::new().expect("a file");
    let text = format!("[aws]\nendpoint_url = \"{endpoint}\"\npath_style = true\nregion = \"us-east-1\"\n");
    std::fs::write(config.path(), text).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
        .args(["scan", &format!("s3://{bucket}"), "--config"])
        .arg(config.path())
        .envs([("AWS_ACCESS_KEY_ID", user), ("AWS_SECRET_ACCESS_KEY", &format!("{user}secret"))])
        .output()
        .expect("run");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    lines(&output)
}

#[tokio::test]
async fn a_bucket_that_was_never_versioned_is_asked_once_and_not_listed_again() {
    let server = S3Server::start().expect("started");
    server.put("b", "k", "now");
    assert_eq!(older(&connect(&server), &bucket("b")).await, Vec::new());
    assert_eq!((server.requests("versioning"), server.requests("versions")), (1, 0));
    server.put_version("b", "k", "before", "before");
    assert_eq!(older(&connect(&server), &bucket("b")).await.len(), 1);
    // Whoever may not ask finds out by listing.
    server.fail("versioning", 1, Fault::Error(403, "AccessDenied", "no"));
    assert_eq!(older(&connect(&server), &bucket("b")).await.len(), 1);
}

#[tokio::test]
async fn versions_that_may_not_be_listed_are_an_error_not_an_empty_listing() {
    let server = S3Server::start().expect("started");
    server.put_version("b", "k", "before", "before");
    server.fail("versions", 1, Fault::Error(403, "AccessDenied", "no"));
    let cloud = connect(&server);
    let (b, pages) = (bucket("b"), async |cloud: &AwsCloud, b: &Bucket| {
        cloud.older_versions(b, "").try_collect::<Vec<Vec<Object>>>().await
    });
    let error = pages(&cloud, &b).await.expect_err("denied");
    assert!(error.to_string().contains("denied `s3:ListObjectVersions` on `b`"), "{error}");
}
