//! Does what we read agree with a server that enforces it?

use aws_sdk_s3::types::{BucketCannedAcl, ObjectCannedAcl};
use futures::TryStreamExt;
use serde_json::json;
use spillwatch::cloud::aws::{AwsCloud, AwsSettings, OneBucket, UNKNOWN_ACCOUNT};
use spillwatch::cloud::{Cloud, CloudError};
use spillwatch::estate::{Bucket, GapReason};

use super::{credentials, put, seed_conformance, seeder, settings};
use crate::cloud_conformance::{self, list, read};
use crate::servers;

async fn bucket(cloud: &AwsCloud, name: &str) -> Bucket {
    let account = cloud.accounts().await.expect("an account").remove(0);
    let buckets: Vec<Bucket> = cloud.buckets(&account).try_collect().await.expect("listed");
    buckets.into_iter().find(|bucket| bucket.name == name).expect("the bucket is listed")
}

#[tokio::test]
async fn ceph_passes_the_conformance_suite() {
    let ceph = servers::ceph();
    seed_conformance(&seeder(&ceph.endpoint, credentials("bob"))).await;
    let cloud = AwsCloud::connect(settings(&ceph.endpoint, "bob"));
    cloud_conformance::holds(&cloud).await;
}

#[tokio::test]
async fn acl_and_policy_facts_are_what_ceph_enforces() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    let open = "acl-open";
    s3.create_bucket().bucket(open).acl(BucketCannedAcl::PublicRead).send().await.expect("made");
    put(&s3, open, "private.txt", "private").await;
    put(&s3, open, "public.txt", "public").await;
    let acl = s3.put_object_acl().bucket(open).key("public.txt").acl(ObjectCannedAcl::PublicRead);
    acl.send().await.expect("granted");
    let shared = "policy-open";
    s3.create_bucket().bucket(shared).send().await.expect("made");
    put(&s3, shared, "shared.txt", "shared").await;
    let policy = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{shared}/*"),
    }]});
    s3.put_bucket_policy().bucket(shared).policy(policy.to_string()).send().await.expect("set");

    let cloud = AwsCloud::connect(settings(&ceph.endpoint, "alice"));
    let facts = cloud.access_facts(&bucket(&cloud, open).await).await;
    let everyone = "http://acs.amazonaws.com/groups/global/AllUsers";
    let grants = facts.answer("s3:GetBucketAcl").expect("asked")["Grants"].clone();
    let grants = grants.as_array().expect("a list");
    assert!(
        grants.iter().any(|grant| grant["Grantee"]["URI"] == everyone && grant["Permission"] == "READ"),
        "{grants:?}"
    );
    assert_eq!(facts.answer("s3:GetBucketPolicy"), Some(&json!({"Error": {"Code": "NoSuchBucketPolicy"}})));

    let facts = cloud.access_facts(&bucket(&cloud, shared).await).await;
    let stated = facts.answer("s3:GetBucketPolicy").expect("asked")["Policy"].as_str().expect("text");
    assert_eq!(serde_json::from_str::<serde_json::Value>(stated).expect("JSON"), policy);
    let status = facts.answer("s3:GetBucketPolicyStatus");
    assert_eq!(status, Some(&json!({"PolicyStatus": {"IsPublic": true}})));

    // What anyone on the internet gets agrees with the facts.
    for (name, key, status) in [
        (open, "", 200),
        (open, "public.txt", 200),
        (open, "private.txt", 403),
        (shared, "", 403),
        (shared, "shared.txt", 200),
    ] {
        let (answered, _) = servers::plain_request(&ceph.endpoint, &format!("GET /{name}/{key}"), "", "");
        assert_eq!(answered, status, "{name}/{key}");
    }
    let objects = list(&cloud, &bucket(&cloud, open).await, "").await.expect("listed");
    for object in objects {
        let facts = cloud.object_facts(&bucket(&cloud, open).await, &object).await;
        let acl = facts.answer("s3:GetObjectAcl").expect("asked").to_string();
        assert_eq!(acl.contains(everyone), object.key == "public.txt", "{acl}");
    }
}

/// Where a listing may begin is S3's word; that another server keeps to it is seen here.
#[tokio::test]
async fn a_bucket_of_many_pages_is_listed_in_parts_that_make_up_the_whole() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    s3.create_bucket().bucket("many-pages").send().await.expect("made");
    let key = |number: usize| format!("{}/é+ %{number:04}", ["a", "b b", "z/z"][number % 3]);
    for number in 0..300 {
        put(&s3, "many-pages", &key(number), "").await;
    }
    let settings = AwsSettings { keys_per_page: 10, ..settings(&ceph.endpoint, "alice") };
    let cloud = AwsCloud::connect(settings);
    let bucket = bucket(&cloud, "many-pages").await;
    let pages: Vec<_> = cloud.objects(&bucket, "").try_collect().await.expect("listed");
    assert!(pages.len() > 30, "listed in one part");
    let mut keys: Vec<String> = pages.into_iter().flatten().map(|object| object.key).collect();
    keys.sort();
    let mut expected: Vec<String> = (0..300).map(key).collect();
    expected.sort();
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn a_listing_in_place_of_a_configuration_is_an_error_not_a_value() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    s3.create_bucket().bucket("odd-answers").send().await.expect("made");
    put(&s3, "odd-answers", "a.txt", "a").await;
    let cloud = AwsCloud::connect(settings(&ceph.endpoint, "alice"));
    let facts = cloud.access_facts(&bucket(&cloud, "odd-answers").await).await;
    for operation in ["s3:GetBucketOwnershipControls", "s3:GetBucketEncryption"] {
        let expected = json!({"Error": {"Code": "UnparsableResponse"}});
        assert_eq!(facts.answer(operation), Some(&expected), "{operation}");
    }
}

#[tokio::test]
async fn a_bucket_of_somebody_else_is_denied_and_its_facts_say_so() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    s3.create_bucket().bucket("not-for-bob").send().await.expect("made");
    put(&s3, "not-for-bob", "a.txt", "a").await;
    let object = s3.list_objects_v2().bucket("not-for-bob").send().await.expect("listed");
    assert_eq!(object.key_count(), Some(1));

    let bob = AwsCloud::connect(settings(&ceph.endpoint, "bob"));
    let account = bob.accounts().await.expect("an account").remove(0);
    assert_eq!(account.id, UNKNOWN_ACCOUNT, "Ceph does not say whose credentials these are");
    let bucket = Bucket { account, name: "not-for-bob".to_owned(), region: None };
    let facts = bob.access_facts(&bucket).await;
    assert_eq!(facts.answer("s3:GetBucketAcl"), Some(&json!({"Error": {"Code": "AccessDenied"}})));
    let error = list(&bob, &bucket, "").await.expect_err("denied");
    assert!(matches!(error, CloudError::Denied { .. }), "{error}");
}

#[tokio::test]
async fn unsigned_requests_read_one_public_bucket() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    let name = "unsigned-open";
    s3.create_bucket().bucket(name).acl(BucketCannedAcl::PublicRead).send().await.expect("made");
    put(&s3, name, "kept.txt", "kept").await;
    put(&s3, name, "logs/public.txt", "public").await;
    let acl = s3.put_object_acl().bucket(name).key("logs/public.txt").acl(ObjectCannedAcl::PublicRead);
    acl.send().await.expect("granted");
    let unsigned = |bucket: &str| {
        AwsCloud::connect(AwsSettings {
            credentials: None,
            sign_requests: false,
            only: Some(OneBucket { name: bucket.to_owned(), prefix: "logs/".to_owned() }),
            ..settings(&ceph.endpoint, "nobody")
        })
    };
    let cloud = unsigned(name);
    let bucket = bucket(&cloud, name).await;
    let listed = list(&cloud, &bucket, "").await.expect("listed");
    assert_eq!(listed.len(), 1, "only what starts with the prefix: {listed:?}");
    assert_eq!(read(&cloud, &bucket, &listed[0]).await.expect("read"), b"public");
    let facts = cloud.access_facts(&bucket).await;
    assert_eq!(facts.answer("s3:GetBucketPolicy"), Some(&json!({"Error": {"Code": "AccessDenied"}})));

    let cloud = unsigned("no-such-bucket");
    let account = cloud.accounts().await.expect("an account").remove(0);
    let buckets: Result<Vec<Bucket>, _> = cloud.buckets(&account).try_collect().await;
    assert_eq!(buckets.expect_err("there is none").gap().reason, GapReason::NotFound);
}

#[tokio::test]
async fn refused_credentials_are_one_clear_sentence() {
    let ceph = servers::ceph();
    let cloud = AwsCloud::connect(settings(&ceph.endpoint, "mallory"));
    let error = match cloud.accounts().await {
        Err(error) => error,
        Ok(accounts) => {
            let buckets: Result<Vec<Bucket>, _> = cloud.buckets(&accounts[0]).try_collect().await;
            buckets.expect_err("nobody knows mallory")
        }
    };
    assert!(error.to_string().contains("does not accept the credentials; check the profile"), "{error}");
}
