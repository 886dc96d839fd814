//! Are generations that are no longer current, and what is soft-deleted, seen through the official crate?

use futures::TryStreamExt;
use serde_json::json;
use spillwatch::cloud::{Cloud, CloudError};
use spillwatch::estate::{GapReason, Object, State};
use spillwatch_fixtures::gcs_server::{Fault, GcsServer, Stored};

use super::{PROJECT, bucket, connect};
use crate::cloud_conformance::read;

/// Both listings of what is no longer current.
async fn gone(cloud: &dyn Cloud) -> Result<[Vec<Object>; 2], CloudError> {
    let b = bucket("b");
    let older: Vec<Vec<Object>> = cloud.older_versions(&b, "").try_collect().await?;
    let deleted: Vec<Vec<Object>> = cloud.soft_deleted(&b, "").try_collect().await?;
    Ok([older.concat(), deleted.concat()])
}

fn server(config: serde_json::Value) -> GcsServer {
    let server = GcsServer::start().expect("started");
    server.state(PROJECT, Some("b"), "storage:buckets.get", config);
    server
}

#[tokio::test]
async fn a_deleted_object_is_read_by_its_generation_where_versions_are_kept() {
    let server = server(json!({"versioning": {"enabled": true}}));
    let list = json!({"items": [{"entity": "allUsers", "role": "READER"}]});
    let opened = Stored::from("before").with_facts(json!({"storage:objectAccessControls.list": list}));
    server.put(PROJECT, "b", "k", opened);
    server.put(PROJECT, "b", "k", "now");
    server.put(PROJECT, "b", "l", "deleted");
    server.remove("b", "l");
    server.page(1);
    let cloud = connect(&server);
    let [older, deleted] = gone(&cloud).await.expect("listed");
    let keys: Vec<&str> = older.iter().map(|object| object.key.as_str()).collect();
    assert_eq!((keys, deleted.len()), (vec!["k", "l"], 0));
    assert!(older.iter().all(|object| object.state == State::Noncurrent && object.checksums.md5.is_some()));
    assert_eq!(read(&cloud, &bucket("b"), &older[0]).await.expect("read"), b"before");
    assert_eq!(read(&cloud, &bucket("b"), &older[1]).await.expect("read"), b"deleted");
    // Each generation has a list of its own.
    let facts = cloud.object_facts(&bucket("b"), &older[0]).await;
    assert!(
        facts
            .answer("storage:objectAccessControls.list")
            .is_some_and(|list| list.to_string().contains("allUsers"))
    );
}

#[tokio::test]
async fn what_is_soft_deleted_is_listed_with_its_digests_and_read_by_nobody() {
    let server = server(json!({"softDeletePolicy": {"retentionDurationSeconds": "604800"}}));
    server.put(PROJECT, "b", "k", "content");
    server.remove("b", "k");
    let cloud = connect(&server);
    let [older, deleted] = gone(&cloud).await.expect("listed");
    assert_eq!((older.len(), deleted.len()), (0, 1));
    let object = &deleted[0];
    assert_eq!(
        (object.state, object.size_bytes, object.checksums.md5.is_some()),
        (State::SoftDeleted, 7, true)
    );
    let asked = server.requests("Media");
    let error = read(&cloud, &bucket("b"), object).await.expect_err("nobody reads it");
    assert_eq!(error.gap().reason, GapReason::Archived, "{error}");
    assert_eq!(server.requests("Media"), asked, "it is not even asked for");
}

#[tokio::test]
async fn a_listing_of_generations_that_is_refused_is_an_error_not_an_empty_listing() {
    let server = server(json!({"versioning": {"enabled": true}}));
    server.fail("ListObjects", 1, Fault::Status("PERMISSION_DENIED", None));
    let error = gone(&connect(&server)).await.expect_err("denied");
    assert_eq!(error.gap().reason, GapReason::Denied, "{error}");
}
