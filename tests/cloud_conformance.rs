//! What must hold for every door to the world? The same few objects stand behind each; the suite reads them back.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use spillwatch::cloud::{Cloud, CloudError};
use spillwatch::estate::{Account, Bucket, GapReason, Object, State};

/// The bucket that every provider under test must hold, with these objects and no others.
pub const BUCKET: &str = "conformance";

/// Keys and contents that every provider under test must hold. Listed in the order of their bytes.
pub fn objects() -> BTreeMap<&'static str, Vec<u8>> {
    BTreeMap::from([
        ("a plain name.txt", b"plain".to_vec()),
        ("empty", Vec::new()),
        ("folder/a+b&c=d.txt", b"plus".to_vec()),
        ("folder/large.bin", large()),
        ("folder/\u{4eba}\u{4e8b}.csv", "姓名,部门".as_bytes().to_vec()),
        ("percent%20sign", b"not a space".to_vec()),
    ])
}

/// What every provider under test must hold besides, no longer current: one that was overwritten, one that was deleted.
pub fn older() -> BTreeMap<&'static str, Vec<u8>> {
    BTreeMap::from([
        ("a plain name.txt", b"as it was before".to_vec()),
        ("folder/deleted & kept.txt", b"deleted".to_vec()),
    ])
}

/// More than any door hands over in one chunk; every position is told from its neighbours.
fn large() -> Vec<u8> {
    (0..3_000_000_u32).map(|position| (position.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Runs the suite.
pub async fn holds(cloud: &dyn Cloud) {
    let (account, bucket) = find(cloud).await;
    assert_eq!(bucket.account, account);
    listing_states_every_object_once(cloud, &bucket).await;
    prefix_is_taken_literally(cloud, &bucket).await;
    objects_are_read_whole_and_as_they_are(cloud, &bucket).await;
    older_versions_are_listed_apart_and_read_as_they_were(cloud, &bucket).await;
    missing_object_is_not_found(cloud, &bucket).await;
    missing_bucket_is_an_error_not_an_empty_listing(cloud, &account).await;
    facts_are_answers_or_error_codes(cloud, &account, &bucket).await;
}

/// The account that holds the bucket, and the bucket.
pub async fn find(cloud: &dyn Cloud) -> (Account, Bucket) {
    for account in cloud.accounts().await.expect("the accounts are known") {
        let buckets: Vec<Bucket> =
            cloud.buckets(&account).try_collect().await.expect("the buckets are listed");
        if let Some(bucket) = buckets.into_iter().find(|bucket| bucket.name == BUCKET) {
            return (account, bucket);
        }
    }
    panic!("no account holds the bucket `{BUCKET}`");
}

/// All objects under a prefix.
pub async fn list(cloud: &dyn Cloud, bucket: &Bucket, prefix: &str) -> Result<Vec<Object>, CloudError> {
    let pages: Vec<Vec<Object>> = cloud.objects(bucket, prefix).try_collect().await?;
    Ok(pages.concat())
}

/// All bytes of an object, or the first error.
pub async fn read(cloud: &dyn Cloud, bucket: &Bucket, object: &Object) -> Result<Vec<u8>, CloudError> {
    let mut chunks = cloud.read(bucket, object).await?.chunks;
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk?);
    }
    Ok(bytes)
}

async fn listing_states_every_object_once(cloud: &dyn Cloud, bucket: &Bucket) {
    let listed = list(cloud, bucket, "").await.expect("listed");
    let sizes: Vec<(&str, u64)> =
        listed.iter().map(|object| (object.key.as_str(), object.size_bytes)).collect();
    let expected: Vec<(&str, u64)> =
        objects().into_iter().map(|(key, bytes)| (key, bytes.len() as u64)).collect();
    assert_eq!(sizes, expected);
    assert!(listed.iter().all(|object| object.modified.is_some()), "every object has a date");
}

async fn prefix_is_taken_literally(cloud: &dyn Cloud, bucket: &Bucket) {
    for (prefix, count) in [("folder/", 3), ("folder/l", 1), ("percent%20", 1), ("nothing", 0)] {
        let listed = list(cloud, bucket, prefix).await.expect("listed");
        assert_eq!(listed.len(), count, "{prefix}");
    }
}

async fn objects_are_read_whole_and_as_they_are(cloud: &dyn Cloud, bucket: &Bucket) {
    let expected = objects();
    for object in list(cloud, bucket, "").await.expect("listed") {
        let bytes = read(cloud, bucket, &object).await.expect("read");
        assert!(bytes == expected[object.key.as_str()], "{} differs", object.key);
    }
}

async fn older_versions_are_listed_apart_and_read_as_they_were(cloud: &dyn Cloud, bucket: &Bucket) {
    let versions = |prefix: &'static str| async move {
        let pages: Vec<Vec<Object>> =
            cloud.older_versions(bucket, prefix).try_collect().await.expect("listed");
        pages.concat()
    };
    let expected = older();
    let listed = versions("").await;
    let keys: Vec<&str> = listed.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, expected.keys().copied().collect::<Vec<_>>());
    assert_eq!(versions("folder/").await.len(), 1, "the prefix counts for versions too");
    for object in &listed {
        assert_eq!((object.state, object.version.is_some()), (State::Noncurrent, true), "{object:?}");
        let bytes = read(cloud, bucket, object).await.expect("read");
        assert!(bytes == expected[object.key.as_str()], "{} differs", object.key);
        let stored = cloud.stored(bucket, object).await.expect("asked");
        assert_eq!((bytes.len() as u64, stored.checksums.md5), (object.size_bytes, object.checksums.md5));
        for (operation, answer) in cloud.object_facts(bucket, object).await.iter() {
            assert!(answer.get("Error").is_none(), "{operation} of an older version: {answer}");
        }
    }
    let gone =
        Object { version: Some("999999999".to_owned()), state: State::Noncurrent, ..listed[0].clone() };
    read(cloud, bucket, &gone).await.map(|_| ()).expect_err("there is no such version");
}

async fn missing_object_is_not_found(cloud: &dyn Cloud, bucket: &Bucket) {
    let object = Object { key: "folder/gone.txt".to_owned(), size_bytes: 1, ..Object::default() };
    let error = read(cloud, bucket, &object).await.expect_err("there is no such object");
    assert_eq!(error.gap().reason, GapReason::NotFound, "{error}");
    assert!(error.gap().resource.contains("gone.txt"), "{error}");
}

async fn missing_bucket_is_an_error_not_an_empty_listing(cloud: &dyn Cloud, account: &Account) {
    let bucket = Bucket { account: account.clone(), name: "conformance-missing".to_owned(), region: None };
    let error = list(cloud, &bucket, "").await.expect_err("there is no such bucket");
    assert_eq!(error.gap().reason, GapReason::NotFound, "{error}");
}

async fn facts_are_answers_or_error_codes(cloud: &dyn Cloud, account: &Account, bucket: &Bucket) {
    let mut facts = cloud.account_facts(account).await;
    facts.inherit(&cloud.access_facts(bucket).await);
    for object in list(cloud, bucket, "").await.expect("listed") {
        facts.inherit(&cloud.object_facts(bucket, &object).await);
    }
    for (operation, answer) in facts.iter() {
        assert!(operation.contains(':'), "`{operation}` names its service");
        assert!(answer.is_object(), "`{operation}` answers with an object: {answer}");
        if let Some(error) = answer.get("Error") {
            assert!(error.get("Code").is_some_and(serde_json::Value::is_string), "{operation}: {error}");
        }
    }
}
