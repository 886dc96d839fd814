//! Is a large bucket listed quickly, and without being held in memory?

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use spillwatch::cloud::Cloud;
use spillwatch_fixtures::s3_server::{Fault, S3Server};

use super::{bucket, connect};
use crate::cloud_conformance::{list, read};

#[tokio::test]
async fn pages_are_fetched_ahead_of_a_slow_reader_but_not_far_ahead() {
    let server = S3Server::start().expect("started");
    server.generate("events", 100_000);
    let cloud = connect(&server);
    let bucket = bucket("events");
    let mut pages = cloud.objects(&bucket, "");
    pages.next().await.expect("a page").expect("listed");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let ahead = server.requests("ListObjects") - 1;
    assert!((1..=4).contains(&ahead), "{ahead} pages were fetched ahead");
    drop(pages);
    let stopped = server.requests("ListObjects");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.requests("ListObjects"), stopped, "a dropped listing is not fetched on");
}

/// Slow in a debug build, so a tenth of the million; the measurement is the example `listing_rate`.
#[tokio::test]
async fn a_large_bucket_is_listed_by_many_requests_at_one_time_and_every_key_once() {
    let server = S3Server::start().expect("started");
    server.generate("events", 100_000);
    server.delay("ListObjects", Duration::from_millis(50));
    let mut keys: Vec<String> = list(&connect(&server), &bucket("events"), "")
        .await
        .expect("listed")
        .into_iter()
        .map(|object| object.key)
        .collect();
    keys.sort();
    assert_eq!(keys.len(), 100_000);
    assert!(keys.iter().zip(0..).all(|(key, number)| *key == format!("events/{number:010}.json")));
    let (at_once, requests) = (server.at_once("ListObjects"), server.requests("ListObjects"));
    assert!(at_once >= 16 && requests <= 300, "{at_once} at one time, {requests} for 100 pages");
}

#[tokio::test]
async fn a_part_of_a_listing_that_fails_is_a_gap_and_the_rest_is_listed() {
    let server = S3Server::start().expect("started");
    server.generate("events", 50_000);
    let (cloud, bucket) = (connect(&server), bucket("events"));
    let mut pages = cloud.objects(&bucket, "");
    let (mut keys, mut errors, mut failing) = (0, 0, false);
    while let Some(page) = pages.next().await {
        keys += page.as_ref().map_or(0, Vec::len);
        errors += usize::from(page.is_err());
        if keys >= 20_000 && !std::mem::replace(&mut failing, true) {
            server.fail("ListObjects", 1, Fault::Error(403, "AccessDenied", "no more of this"));
        }
    }
    // What failed may have been a part without keys.
    assert!(errors == 1 && (45_000..=50_000).contains(&keys), "{errors} errors, {keys} keys");
}

#[tokio::test]
async fn many_objects_are_read_at_the_same_time() {
    let server = S3Server::start().expect("started");
    server.generate("events", 300);
    server.delay("GetObject", Duration::from_millis(50));
    let cloud = connect(&server);
    let bucket = bucket("events");
    let pages: Vec<_> = cloud.objects(&bucket, "").try_collect().await.expect("listed");
    let started = Instant::now();
    let reads = stream::iter(pages.concat()).map(|object| {
        let (cloud, bucket) = (&cloud, &bucket);
        async move { read(cloud, bucket, &object).await.expect("read").len() }
    });
    let bytes: usize = reads.buffer_unordered(100).collect::<Vec<_>>().await.into_iter().sum();
    assert_eq!(bytes, 300 * 512);
    assert!(started.elapsed() < Duration::from_secs(5), "one at a time takes 15 s: {:?}", started.elapsed());
}
