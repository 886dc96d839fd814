//! Is a large bucket listed quickly, and without being held in memory?

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, future, stream};
use spillwatch::cloud::Cloud;
use spillwatch_fixtures::s3_server::S3Server;

use super::{bucket, connect};
use crate::cloud_conformance::read;

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
async fn every_key_of_a_large_bucket_is_listed_once_and_in_order() {
    let server = S3Server::start().expect("started");
    server.generate("events", 100_000);
    let cloud = connect(&server);
    let bucket = bucket("events");
    let listed = cloud.objects(&bucket, "").try_fold((0_u64, String::new()), |(count, last), page| {
        assert!(page.is_sorted_by(|one, other| one.key < other.key) && page[0].key > last);
        let last = page.last().map(|object| object.key.clone()).unwrap_or_default();
        future::ok((count + page.len() as u64, last))
    });
    assert_eq!(listed.await.expect("listed"), (100_000, "events/0000099999.json".to_owned()));
}

#[tokio::test]
async fn many_objects_are_read_at_the_same_time() {
    let server = S3Server::start().expect("started");
    server.generate("events", 300);
    server.delay_reads(Duration::from_millis(50));
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
