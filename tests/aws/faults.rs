//! What becomes of refusals, throttling, broken connections, redirects and nonsense? Gaps, or the right answer.

use std::time::{Duration, Instant};

use futures::TryStreamExt;
use serde_json::json;
use spillwatch::cloud::aws::{AwsCloud, AwsSettings};
use spillwatch::cloud::{Cloud, CloudError};
use spillwatch::estate::{Bucket, GapReason};
use spillwatch_fixtures::s3_server::{Fault, S3Server, Stored};

use super::{bucket, connect, one_object, settings};
use crate::cloud_conformance::{self, list, objects, read};

fn large() -> Vec<u8> {
    (0..2_000_000_u32).map(|position| (position.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[tokio::test]
async fn the_stand_in_passes_the_conformance_suite() {
    let server = S3Server::start().expect("started");
    for (key, bytes) in objects() {
        server.put(cloud_conformance::BUCKET, key, bytes);
    }
    for (key, bytes) in cloud_conformance::older() {
        server.put_version(cloud_conformance::BUCKET, key, "before", bytes);
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
async fn an_object_larger_than_memory_is_resumed_like_any_other() {
    let server = S3Server::start().expect("started");
    let block = large();
    server.put("b", "k", Stored { times: 100, ..Stored::from(block.clone()) });
    let cloud = connect(&server);
    let object = list(&cloud, &bucket("b"), "").await.expect("listed").remove(0);
    assert_eq!(object.size_bytes, 200_000_000);
    server.fail("GetObject", 1, Fault::CutAfter(5_000_001));
    let mut chunks = cloud.read(&bucket("b"), &object).await.expect("opened").chunks;
    let mut at = 0;
    while let Some(chunk) = chunks.try_next().await.expect("read") {
        let from = at % block.len();
        let compared = chunk.len().min(block.len() - from);
        assert!(chunk[..compared] == block[from..from + compared], "the bytes from {at} on differ");
        at += chunk.len();
    }
    assert_eq!(at, 200_000_000);
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
    server.fail("acl", 100, Fault::Error(503, "SlowDown", "Please reduce your request rate"));
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
async fn an_answer_that_breaks_off_is_asked_for_again() {
    let (server, cloud, _) = one_object(b"content").await;
    server.fail("ListObjects", 1, Fault::CutAfter(60));
    server.fail("ListObjects", 1, Fault::Error(500, "InternalError", "We encountered an internal error"));
    assert_eq!(list(&cloud, &bucket("b"), "").await.expect("listed").len(), 1);
    let broken_off = "<ListBucketResult><Contents><Key>k</Key><Size>7</Size></Contents>";
    server.fail("ListObjects", 10, Fault::Answer(broken_off));
    let error = list(&cloud, &bucket("b"), "").await.expect_err("no end of the listing was seen");
    assert_eq!(error.gap().reason, GapReason::Malformed, "{error}");
}

#[tokio::test]
async fn buckets_are_paged_to_the_end_and_their_stated_regions_are_taken() {
    let server = S3Server::start().expect("started");
    for number in 0..2_500 {
        server.place(&format!("bucket-{number:04}"), "eu-north-1");
    }
    let cloud = connect(&server);
    let account = cloud.accounts().await.expect("an account").remove(0);
    let found: Vec<Bucket> = cloud.buckets(&account).try_collect().await.expect("listed");
    assert_eq!(found.len(), 2_500);
    assert!(found.iter().all(|bucket| bucket.region.as_deref() == Some("eu-north-1")));
    assert_eq!((server.requests("ListBuckets"), server.requests("HeadBucket")), (3, 0));
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

#[tokio::test]
async fn a_profile_that_does_not_exist_is_one_clear_sentence() {
    let server = S3Server::start().expect("started");
    let cloud = AwsCloud::connect(AwsSettings {
        credentials: None,
        profile: Some("spillwatch-no-such-profile".to_owned()),
        ..settings(&server.endpoint(), "unused")
    });
    let error = cloud.accounts().await.expect_err("no credentials");
    assert_eq!(error.gap().reason, GapReason::Denied, "{error}");
    assert!(error.to_string().contains("no AWS credentials found; log in"), "{error}");
    assert_eq!(server.requests("Other"), 0, "nothing is asked without credentials");
}
