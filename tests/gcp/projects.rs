//! Whose buckets are found: of listed projects, of all that are visible, of all below a folder or an organization?

use futures::TryStreamExt;
use serde_json::json;
use spillwatch::cloud::Cloud;
use spillwatch::cloud::gcp::{GcpCloud, GcpSettings, OneBucket, Projects, UNKNOWN_PROJECT};
use spillwatch::estate::GapReason;
use spillwatch_fixtures::gcs_server::{Fault, GcsServer};

use super::settings;

/// Two projects below an organization, one of them in a folder.
fn organization() -> GcsServer {
    let server = GcsServer::start().expect("started");
    for (id, number, parent) in [("one", "11", "organizations/4"), ("two", "22", "folders/2")] {
        let project = json!({"name": format!("projects/{number}"), "projectId": id, "parent": parent, "state": "ACTIVE"});
        server.state(id, None, "cloudresourcemanager:projects.get", project);
        let folder =
            json!({"folders/2": {"name": "folders/2", "parent": "organizations/4", "state": "ACTIVE"}});
        server.state(id, None, "cloudresourcemanager:folders.get", folder);
        server.put(id, &format!("bucket-of-{id}"), "k", "x");
    }
    server
}

fn of(server: &GcsServer, projects: Projects) -> GcpCloud {
    GcpCloud::connect(GcpSettings { projects, ..settings(server) })
}

async fn ids(cloud: &GcpCloud) -> Vec<String> {
    cloud.accounts().await.expect("projects").into_iter().map(|account| account.id).collect()
}

#[tokio::test]
async fn every_way_of_naming_projects_finds_them() {
    let server = organization();
    let below = |scope: &str| Projects::Below(scope.to_owned());
    assert_eq!(ids(&of(&server, Projects::Visible)).await, ["one", "two"]);
    assert_eq!(ids(&of(&server, Projects::Listed(vec!["two".to_owned()]))).await, ["two"]);
    assert_eq!(ids(&of(&server, below("organizations/4"))).await, ["one", "two"]);
    assert_eq!(server.requests("projects.list"), 0, "the asset inventory knows them all");
}

#[tokio::test]
async fn without_the_asset_inventory_the_hierarchy_is_walked() {
    let server = organization();
    server.page(1);
    server.fail("searchAllResources", 9, Fault::Status("PERMISSION_DENIED", Some("SERVICE_DISABLED")));
    assert_eq!(ids(&of(&server, Projects::Below("organizations/4".to_owned()))).await, ["one", "two"]);
    assert_eq!(ids(&of(&server, Projects::Below("folders/2".to_owned()))).await, ["two"]);
}

#[tokio::test]
async fn a_folder_that_may_not_be_listed_is_a_gap_and_the_rest_is_found() {
    let server = organization();
    server.fail("searchAllResources", 9, Fault::Status("PERMISSION_DENIED", None));
    // The organization's own listing is answered, and the folder's is not.
    server.fail("projects.list", 1, Fault::Status("PERMISSION_DENIED", None));
    let cloud = of(&server, Projects::Below("folders/2".to_owned()));
    let accounts = cloud.accounts().await.expect("projects");
    assert_eq!(accounts.len(), 1);
    let error = cloud.buckets(&accounts[0]).try_collect::<Vec<_>>().await.expect_err("not entered");
    assert_eq!(error.gap().reason, GapReason::Denied);
    assert!(error.gap().resource.contains("folders/2"), "{error}");
}

#[tokio::test]
async fn a_denied_project_is_a_gap_and_the_others_are_listed() {
    let server = organization();
    let cloud = of(&server, Projects::Listed(vec!["missing".to_owned(), "one".to_owned()]));
    let mut found = Vec::new();
    for account in cloud.accounts().await.expect("projects") {
        found
            .push(cloud.buckets(&account).try_collect::<Vec<_>>().await.map(|buckets| buckets.len()).is_ok());
    }
    assert_eq!(found, [false, true]);
}

#[tokio::test]
async fn project_numbers_belong_to_us_too() {
    let server = organization();
    let zone = of(&server, Projects::Below("organizations/4".to_owned())).zone_of_trust().await;
    assert_eq!(zone.accounts.into_iter().collect::<Vec<_>>(), ["11", "22"]);
    assert!(zone.organizations.contains("4"));
}

#[tokio::test]
async fn one_bucket_is_found_with_its_project() {
    let server = organization();
    server.state("two", Some("bucket-of-two"), "storage:buckets.get", json!({"projectNumber": "22"}));
    let only = |name: &str| Some(OneBucket { name: name.to_owned(), prefix: String::new() });
    let cloud = GcpCloud::connect(GcpSettings { only: only("bucket-of-two"), ..settings(&server) });
    let accounts = cloud.accounts().await.expect("a project");
    assert_eq!(accounts[0].id, "two");
    let buckets: Vec<_> = cloud.buckets(&accounts[0]).try_collect().await.expect("a bucket");
    assert_eq!(buckets[0].region.as_deref(), Some("europe-west3"));
    let missing = GcpCloud::connect(GcpSettings { only: only("missing"), ..settings(&server) });
    assert_eq!(missing.accounts().await.expect_err("none").gap().reason, GapReason::NotFound);
}

#[tokio::test]
async fn without_credentials_one_bucket_is_seen_as_anyone_sees_it() {
    let server = organization();
    server.open("bucket-of-one");
    let anonymous = |name: &str| GcpSettings {
        credentials: None,
        sign_requests: false,
        only: Some(OneBucket { name: name.to_owned(), prefix: String::new() }),
        ..settings(&server)
    };
    let cloud = GcpCloud::connect(anonymous("bucket-of-one"));
    let (account, bucket) = {
        let account = cloud.accounts().await.expect("an account").remove(0);
        let bucket = cloud.buckets(&account).try_next().await.expect("listed").expect("a bucket");
        (account, bucket)
    };
    assert_eq!(account.id, UNKNOWN_PROJECT);
    let listed = crate::cloud_conformance::list(&cloud, &bucket, "").await.expect("listed");
    assert_eq!(crate::cloud_conformance::read(&cloud, &bucket, &listed[0]).await.expect("read"), b"x");

    let closed = GcpCloud::connect(anonymous("bucket-of-two"));
    let bucket = super::bucket("bucket-of-two");
    let error = crate::cloud_conformance::list(&closed, &bucket, "").await.expect_err("closed");
    assert_eq!(error.gap().reason, GapReason::Denied, "{error}");
    let everything = GcpCloud::connect(GcpSettings { only: None, ..anonymous("") });
    let account = everything.accounts().await.expect("an account").remove(0);
    assert!(everything.buckets(&account).try_collect::<Vec<_>>().await.is_err());
}
