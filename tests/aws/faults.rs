//! What becomes of refusals, throttling, broken connections, redirects and nonsense? Gaps, or the right answer.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use serde_json::json;
use spillwatch::cloud::aws::{AwsCloud, AwsSettings, UNKNOWN_ACCOUNT};
use spillwatch::cloud::{Cloud, CloudError};
use spillwatch::estate::{Account, Bucket, GapReason, Object, Provider};
use spillwatch_fixtures::s3_server::{Fault, S3Server, Stored};

use super::settings;
use crate::cloud_conformance::{self, list, objects, read};

fn bucket(name: &str) -> Bucket {
    let account = Account { provider: Provider::Aws, id: UNKNOWN_ACCOUNT.to_owned() };
    Bucket { account, name: name.to_owned(), region: None }
}

fn connect(server: &S3Server) -> AwsCloud {
    AwsCloud::connect(settings(&server.endpoint(), "tests"))
}

/// A server with one bucket `b` that holds one object `k`, and the door to it.
async fn one_object(content: &[u8]) -> (S3Server, AwsCloud, Object) {
    let server = S3Server::start().expect("started");
    server.put("b", "k", content.to_vec());
    let cloud = connect(&server);
    let object = list(&cloud, &bucket("b"), "").await.expect("listed").remove(0);
    (server, cloud, object)
}

fn large() -> Vec<u8> {
    (0..2_000_000_u32).map(|position| (position.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[tokio::test]
async fn the_stand_in_passes_the_conformance_suite() {
    let server = S3Server::start().expect("started");
    for (key, bytes) in objects() {
        server.put(cloud_conformance::BUCKET, key, bytes);
    }
    cloud_conformance::holds(&connect(&server)).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_is_resumed_where_it_broke() {
    let content = large();
    let (server, cloud, object) = one_object(&content).await;
    server.fail("GetObject", 1, Fault::CutAfter(700_001));
    server.fail("GetObject", 1, Fault::CutAfter(500_000));
    assert!(read(&cloud, &bucket("b"), &object).await.expect("read") == content);
    assert_eq!(server.requests("GetObject"), 3);
}

#[tokio::test]
async fn a_body_that_keeps_breaking_off_ends_as_an_error() {
    let (server, cloud, object) = one_object(&large()).await;
    server.fail("GetObject", 100, Fault::CutAfter(10));
    let error = read(&cloud, &bucket("b"), &object).await.expect_err("broken");
    assert_eq!(error.gap().reason, GapReason::Unreachable, "{error}");
    assert_eq!(server.requests("GetObject"), 5, "the tries are bounded");
}

#[tokio::test]
async fn a_body_that_falls_silent_is_taken_up_again() {
    let content = large();
    let (server, cloud, object) = one_object(&content).await;
    server.fail("GetObject", 1, Fault::StallAfter(300_000));
    assert!(read(&cloud, &bucket("b"), &object).await.expect("read") == content);
}

#[tokio::test]
async fn a_reader_may_take_its_time_without_the_body_counting_as_stalled() {
    let (_server, cloud, object) = one_object(&large()).await;
    let cloud_bucket = bucket("b");
    let mut chunks = cloud.read(&cloud_bucket, &object).await.expect("opened").chunks;
    let first = chunks.try_next().await.expect("read").expect("not empty").len();
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let rest: Vec<_> = chunks.try_collect().await.expect("read");
    assert_eq!(first + rest.iter().map(|chunk| chunk.len()).sum::<usize>(), 2_000_000);
}

#[tokio::test]
async fn an_object_that_was_replaced_after_the_listing_is_gone() {
    let (server, cloud, object) = one_object(b"old").await;
    server.put("b", "k", "new".as_bytes());
    let error = read(&cloud, &bucket("b"), &object).await.expect_err("replaced");
    assert_eq!(error.gap().reason, GapReason::NotFound, "{error}");
}

#[tokio::test]
async fn an_object_that_is_replaced_while_it_is_read_never_mixes_with_the_new_one() {
    let (server, cloud, object) = one_object(&large()).await;
    server.fail("GetObject", 1, Fault::CutAfter(700_000));
    let cloud_bucket = bucket("b");
    let body = cloud.read(&cloud_bucket, &object).await.expect("opened");
    server.put("b", "k", vec![b'x'; 2_000_000]);
    let read: Result<Vec<_>, _> = body.chunks.try_collect().await;
    assert_eq!(read.expect_err("replaced").gap().reason, GapReason::NotFound);
}

#[tokio::test]
async fn refusals_are_told_apart_by_what_the_caller_does_next() {
    let (server, cloud, object) = one_object(b"content").await;
    let kms = "User: arn:aws:iam::1:user/x is not authorized to perform: kms:Decrypt";
    for (fault, reason) in [
        (Fault::Error(403, "AccessDenied", "Access Denied"), GapReason::Denied),
        (Fault::Error(403, "AccessDenied", kms), GapReason::KeyDenied),
        (Fault::Error(403, "InvalidObjectState", "archived"), GapReason::Archived),
        (Fault::Error(404, "NoSuchKey", "gone"), GapReason::NotFound),
        (Fault::Error(400, "ExpiredToken", "expired"), GapReason::Denied),
    ] {
        server.fail("GetObject", 1, fault.clone());
        let error = read(&cloud, &bucket("b"), &object).await.expect_err("refused");
        assert_eq!(error.gap().reason, reason, "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn archived_objects_are_not_asked_for_and_instant_retrieval_is_read() {
    let server = S3Server::start().expect("started");
    for class in ["DEEP_ARCHIVE", "GLACIER", "GLACIER_IR"] {
        let stored = Stored { storage_class: class.to_owned(), ..Stored::from("content") };
        server.put("b", class, stored);
    }
    let cloud = connect(&server);
    for object in list(&cloud, &bucket("b"), "").await.expect("listed") {
        match read(&cloud, &bucket("b"), &object).await {
            Ok(bytes) => assert_eq!((object.key.as_str(), &*bytes), ("GLACIER_IR", &b"content"[..])),
            Err(error) => assert!(matches!(error, CloudError::Archived { .. }), "{error}"),
        }
    }
    assert_eq!(server.requests("GetObject"), 1);
}

#[tokio::test]
async fn metadata_carries_the_envelope_of_client_side_encryption() {
    let server = S3Server::start().expect("started");
    let headers = [
        ("x-amz-meta-X-Amz-Key-V2", "wrapped"),
        ("content-encoding", "gzip"),
        ("content-type", "text/csv"),
        ("x-amz-server-side-encryption", "aws:kms"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    server.put("b", "k", Stored { headers, ..Stored::from("content") });
    let cloud = connect(&server);
    let object = list(&cloud, &bucket("b"), "").await.expect("listed").remove(0);
    let metadata = cloud.read(&bucket("b"), &object).await.expect("opened").metadata;
    let expected = [
        ("content-encoding", "gzip"),
        ("content-type", "text/csv"),
        ("x-amz-key-v2", "wrapped"),
        ("x-amz-server-side-encryption", "aws:kms"),
    ];
    assert!(
        metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(expected),
        "{metadata:?}"
    );
}

#[tokio::test]
async fn throttling_is_waited_out_and_then_reported() {
    let (server, cloud, object) = one_object(b"content").await;
    server.fail("GetObject", 2, Fault::Error(503, "SlowDown", "Please reduce your request rate"));
    assert_eq!(read(&cloud, &bucket("b"), &object).await.expect("read"), b"content");
    let cloud = AwsCloud::connect(AwsSettings { attempts_max: 1, ..settings(&server.endpoint(), "tests") });
    server.fail("acl", 1, Fault::Error(503, "SlowDown", "Please reduce your request rate"));
    let facts = cloud.access_facts(&bucket("b")).await;
    assert_eq!(facts.answer("s3:GetBucketAcl"), Some(&json!({"Error": {"Code": "SlowDown"}})));
    assert_eq!(
        facts.answer("s3:GetBucketPolicy"),
        Some(&json!({"Error": {"Code": "NoSuchBucketPolicy"}})),
        "the other facts are there all the same"
    );
}

#[tokio::test]
async fn a_bucket_in_another_region_is_followed_there_once_for_all_requests() {
    let server = S3Server::start().expect("started");
    server.put("b", "k", "content".as_bytes());
    server.place("b", "eu-central-1");
    let cloud = connect(&server);
    let account = cloud.accounts().await.expect("an account").remove(0);
    let found: Vec<Bucket> = cloud.buckets(&account).try_collect().await.expect("listed");
    assert_eq!(found[0].region.as_deref(), Some("eu-central-1"));
    let object = list(&cloud, &found[0], "").await.expect("listed").remove(0);
    assert_eq!(read(&cloud, &found[0], &object).await.expect("read"), b"content");
    assert_eq!(server.requests("ListObjects"), 1, "the region was learned before");
    let facts = cloud.access_facts(&found[0]).await;
    assert_eq!(facts.answer("s3:GetBucketLocation"), Some(&json!({"LocationConstraint": "eu-central-1"})));
}

#[tokio::test]
async fn a_region_that_only_the_error_document_names_is_followed_too() {
    let (server, cloud, _) = one_object(b"content").await;
    server.fail("ListObjects", 1, Fault::WrongRegion("ap-southeast-2"));
    assert_eq!(list(&cloud, &bucket("b"), "").await.expect("listed").len(), 1);
    server.fail("ListObjects", 1, Fault::WrongRegion("evil.example/"));
    assert!(list(&cloud, &bucket("b"), "").await.is_err(), "what is no region is not followed");
}

#[tokio::test]
async fn nonsense_is_an_error_not_a_value() {
    let (server, cloud, _) = one_object(b"content").await;
    let listing = "<ListBucketResult><Name>b</Name></ListBucketResult>";
    let faults = [
        ("acl", "<AccessControlPolicy><Owner><ID>o</ID></Owner></AccessControlPolicy>"),
        ("policy", listing),
        ("policyStatus", "<PolicyStatus/>"),
        ("publicAccessBlock", "<html>busy</html>"),
        ("ownershipControls", listing),
        ("encryption", ""),
        ("versioning", "\u{0}\u{1}"),
        ("tagging", "<Tagging><TagSet><Tag>"),
    ];
    for (operation, answer) in faults {
        server.fail(operation, 10, Fault::Answer(answer));
    }
    let facts = cloud.access_facts(&bucket("b")).await;
    let operations = [
        "s3:GetBucketAcl",
        "s3:GetBucketPolicy",
        "s3:GetBucketPolicyStatus",
        "s3:GetPublicAccessBlock",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketEncryption",
        "s3:GetBucketVersioning",
        "s3:GetBucketTagging",
    ];
    for operation in operations {
        let expected = json!({"Error": {"Code": "UnparsableResponse"}});
        assert_eq!(facts.answer(operation), Some(&expected), "{operation}");
    }
    server.fail("ListObjects", 10, Fault::Answer("<html>busy</html>"));
    let error = list(&cloud, &bucket("b"), "").await.expect_err("no listing");
    assert_eq!(error.gap().reason, GapReason::Malformed, "{error}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let (server, cloud, _) = one_object(b"content").await;
    server.fail("policy", 10, Fault::Endless);
    let facts = cloud.access_facts(&bucket("b")).await;
    let policy = facts.answer("s3:GetBucketPolicy").expect("asked");
    assert!(policy["Error"]["Code"].is_string(), "{policy}");
}

#[tokio::test]
async fn a_slow_answer_is_a_gap_on_that_fact_only() {
    let (server, _, _) = one_object(b"content").await;
    server.fail("website", 10, Fault::Wait(Duration::from_secs(30)));
    let cloud = AwsCloud::connect(AwsSettings {
        read_timeout: Duration::from_millis(300),
        attempts_max: 2,
        ..settings(&server.endpoint(), "tests")
    });
    let started = Instant::now();
    let facts = cloud.access_facts(&bucket("b")).await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(facts.answer("s3:GetBucketWebsite"), Some(&json!({"Error": {"Code": "RequestTimedOut"}})));
    assert!(facts.answer("s3:GetBucketAcl").expect("asked")["Grants"].is_array());
}

#[tokio::test]
async fn an_endpoint_that_nobody_listens_on_is_one_clear_sentence() {
    let server = S3Server::start().expect("started");
    let endpoint = server.endpoint();
    drop(server);
    let cloud = AwsCloud::connect(AwsSettings { attempts_max: 2, ..settings(&endpoint, "tests") });
    let error = cloud.accounts().await.expect_err("nobody listens");
    assert_eq!(error.gap().reason, GapReason::Unreachable, "{error}");
    assert!(error.to_string().contains("check its address"), "{error}");
    assert!(error.to_string().contains(&endpoint), "{error}");
}

#[tokio::test]
async fn requests_keep_to_the_rate_of_the_account() {
    let (server, _, object) = one_object(b"content").await;
    let cloud =
        AwsCloud::connect(AwsSettings { requests_per_second: 20, ..settings(&server.endpoint(), "tests") });
    let cloud_bucket = bucket("b");
    let started = Instant::now();
    for _ in 0..21 {
        read(&cloud, &cloud_bucket, &object).await.expect("read");
    }
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}
