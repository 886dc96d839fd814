//! What becomes of refusals, throttling, broken connections, changed bytes and nonsense? Gaps, or the right answer.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use serde_json::json;
use spillwatch::cloud::Cloud;
use spillwatch::estate::GapReason;
use spillwatch_fixtures::gcs_server::{Fault, GcsServer, Stored};

use super::{PROJECT, bucket, connect, one_object};
use crate::cloud_conformance::{self, list, objects, read};

fn large() -> Vec<u8> {
    (0..2_000_000_u32).map(|position| (position.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

#[tokio::test]
async fn the_official_crate_passes_the_conformance_suite() {
    let server = GcsServer::start().expect("started");
    let config =
        json!({"versioning": {"enabled": true}, "iamConfiguration": {"publicAccessPrevention": "inherited"}});
    server.state(PROJECT, Some(cloud_conformance::BUCKET), "storage:buckets.get", config);
    for (key, bytes) in cloud_conformance::older() {
        server.put(PROJECT, cloud_conformance::BUCKET, key, bytes);
        if !objects().contains_key(key) {
            server.remove(cloud_conformance::BUCKET, key);
        }
    }
    for (key, bytes) in objects() {
        server.put(PROJECT, cloud_conformance::BUCKET, key, bytes);
    }
    cloud_conformance::holds(&connect(&server)).await;
}

#[tokio::test]
async fn a_listing_of_many_pages_states_every_object_once() {
    let server = GcsServer::start().expect("started");
    let keys: Vec<String> = (0..95).map(|number| format!("k{number:03}")).collect();
    for key in &keys {
        server.put(PROJECT, "b", key, "x");
    }
    server.page(10);
    let listed = list(&connect(&server), &bucket("b"), "").await.expect("listed");
    let mut listed: Vec<String> = listed.into_iter().map(|object| object.key).collect();
    listed.sort();
    assert_eq!(listed, keys);
    let requests = server.requests("ListObjects");
    assert!((11..=20).contains(&requests), "several parts at one time, {requests} requests");
}

#[tokio::test]
async fn an_object_carries_its_generation_and_digests() {
    let (_server, _, object) = one_object("hello world").await;
    assert_eq!(object.version.as_deref(), Some("1"));
    assert_eq!(object.checksums.crc32c, Some(0xc994_65aa));
    assert_eq!(object.checksums.md5.map(|md5| md5[0]), Some(0x5e));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_resumed_where_it_broke() {
    let content = large();
    let (server, cloud, object) = one_object(content.clone()).await;
    server.fail("Media", 1, Fault::CutAfter(700_001));
    server.fail("Media", 1, Fault::CutAfter(500_000));
    assert!(read(&cloud, &bucket("b"), &object).await.expect("read") == content);
    assert_eq!(server.requests("Media"), 3);
}

#[tokio::test]
async fn a_body_that_keeps_breaking_off_ends_as_an_error() {
    let (server, cloud, object) = one_object(large()).await;
    server.fail("Media", 100, Fault::CutAfter(10));
    let error = read(&cloud, &bucket("b"), &object).await.expect_err("broken");
    assert_eq!(error.gap().reason, GapReason::Unreachable, "{error}");
    assert_eq!(server.requests("Media"), 5, "the tries are bounded");
}

#[tokio::test]
async fn a_body_that_falls_silent_is_taken_up_again() {
    let content = large();
    let (server, cloud, object) = one_object(content.clone()).await;
    server.fail("Media", 1, Fault::StallAfter(300_000));
    assert!(read(&cloud, &bucket("b"), &object).await.expect("read") == content);
}

#[tokio::test]
async fn an_object_that_is_replaced_while_it_is_read_never_mixes_with_the_new_one() {
    let (server, cloud, object) = one_object(large()).await;
    server.fail("Media", 1, Fault::CutAfter(700_000));
    let cloud_bucket = bucket("b");
    let body = cloud.read(&cloud_bucket, &object).await.expect("opened");
    server.put(PROJECT, "b", "k", vec![b'x'; 2_000_000]);
    let read: Result<Vec<_>, _> = body.chunks.try_collect().await;
    assert_eq!(read.expect_err("replaced").gap().reason, GapReason::NotFound);
}

#[tokio::test]
async fn an_object_that_was_replaced_after_the_listing_is_gone() {
    let (server, cloud, object) = one_object("old").await;
    server.put(PROJECT, "b", "k", "new");
    let error = read(&cloud, &bucket("b"), &object).await.expect_err("replaced");
    assert_eq!(error.gap().reason, GapReason::NotFound, "{error}");
}

#[tokio::test]
async fn bytes_that_are_not_those_of_the_checksum_are_an_error() {
    let (server, cloud, object) = one_object(large()).await;
    server.fail("Media", 1, Fault::Altered);
    let error = read(&cloud, &bucket("b"), &object).await.expect_err("altered");
    assert_eq!(error.gap().reason, GapReason::Malformed, "{error}");
}

#[tokio::test]
async fn a_compressed_object_is_read_as_it_is_stored() {
    let packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let facts = json!({"storage:objects.get": {"contentEncoding": "gzip", "metadata": {"Team": "data"}}});
    let (_server, cloud, object) = one_object(Stored::from(packed.clone()).with_facts(facts)).await;
    let body = cloud.read(&bucket("b"), &object).await.expect("opened");
    let expected = [("content-encoding", "gzip"), ("team", "data")];
    let metadata: BTreeMap<&str, &str> =
        body.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(metadata, BTreeMap::from(expected));
    let chunks: Vec<_> = body.chunks.try_collect().await.expect("read");
    assert_eq!(chunks.concat(), packed);
}

#[tokio::test]
async fn refusals_are_told_apart_by_what_the_caller_does_next() {
    for (fault, reason) in [
        (Fault::Status("PERMISSION_DENIED", None), GapReason::Denied),
        (Fault::Status("PERMISSION_DENIED", Some("SERVICE_DISABLED")), GapReason::Denied),
        (Fault::Status("NOT_FOUND", None), GapReason::NotFound),
        (Fault::Status("RESOURCE_EXHAUSTED", None), GapReason::Throttled),
        (Fault::Status("UNAVAILABLE", None), GapReason::Unreachable),
    ] {
        let (server, cloud, object) = one_object("content").await;
        server.fail("ListObjects", 9, fault.clone());
        let error = list(&cloud, &bucket("b"), "").await.expect_err("refused");
        assert_eq!(error.gap().reason, reason, "{fault:?}: {error}");
        if !matches!(fault, Fault::Status("UNAVAILABLE", _)) {
            server.fail("Media", 9, fault.clone());
            let error = read(&cloud, &bucket("b"), &object).await.expect_err("refused");
            assert_eq!(error.gap().reason, reason, "{fault:?}: {error}");
        }
    }
}

#[tokio::test]
async fn throttling_that_passes_is_waited_out() {
    let (server, cloud, object) = one_object("content").await;
    server.fail("ListObjects", 1, Fault::Status("RESOURCE_EXHAUSTED", None));
    server.fail("Media", 1, Fault::Status("RESOURCE_EXHAUSTED", None));
    assert_eq!(list(&cloud, &bucket("b"), "").await.expect("listed").len(), 1);
    assert_eq!(read(&cloud, &bucket("b"), &object).await.expect("read"), b"content");
}

#[tokio::test]
async fn a_bucket_that_is_deleted_while_it_is_listed_is_a_gap_after_what_was_listed() {
    let server = GcsServer::start().expect("started");
    for number in 0..100 {
        server.put(PROJECT, "b", &format!("k{number:03}"), "x");
    }
    server.page(10);
    let cloud = connect(&server);
    let bucket = bucket("b");
    let mut pages = cloud.objects(&bucket, "");
    assert_eq!(pages.try_next().await.expect("listed").expect("a page").len(), 10);
    server.delete("b");
    let mut last = Ok(());
    while let Some(page) = futures::StreamExt::next(&mut pages).await {
        last = page.map(|_| ());
    }
    assert_eq!(last.expect_err("gone").gap().reason, GapReason::NotFound);
}

#[tokio::test]
async fn nonsense_is_malformed_or_a_failure_and_never_an_empty_listing() {
    let (server, cloud, object) = one_object("content").await;
    server.fail("ListObjects", 9, Fault::Nonsense);
    assert!(list(&cloud, &bucket("b"), "").await.is_err());
    server.fail("Media", 9, Fault::Nonsense);
    assert!(read(&cloud, &bucket("b"), &object).await.is_err());
}
