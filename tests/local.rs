//! Does the door to this machine open like the others, and not further than it should?

use std::path::Path;

use serde_json::json;
use spillwatch::cloud::Cloud;
use spillwatch::cloud::local::LocalCloud;
use spillwatch::estate::GapReason;

use crate::cloud_conformance::{self, BUCKET, find, list, objects, older, read};
use crate::{lines, spillwatch};

fn estate(root: &Path) {
    std::fs::write(root.join("estate.toml"), "[zone_of_trust]\naccounts = [\"111122223333\"]\n").unwrap();
    let bucket = root.join("aws/111122223333").join(BUCKET);
    for (key, bytes) in objects() {
        let path = bucket.join("objects").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let mut versions = serde_json::Map::new();
    for (key, bytes) in older() {
        let path = bucket.join("versions/before").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        versions.insert(key.to_owned(), json!({"before": {"s3:HeadObject": {}}}));
    }
    std::fs::write(bucket.join("versions.json"), json!(versions).to_string()).unwrap();
    std::fs::write(bucket.join("facts.json"), r#"{"s3:GetBucketAcl": {"Error": {"Code": "AccessDenied"}}}"#)
        .unwrap();
}

#[tokio::test]
async fn an_estate_passes_the_conformance_suite() {
    let root = tempfile::tempdir().unwrap();
    estate(root.path());
    cloud_conformance::holds(&LocalCloud::open(root.path()).unwrap()).await;
}

#[tokio::test]
async fn a_key_is_never_a_way_out_of_the_folder() {
    let root = tempfile::tempdir().unwrap();
    estate(root.path());
    std::fs::write(root.path().join("outside.txt"), "outside").unwrap();
    let index = root.path().join("aws/111122223333").join(BUCKET).join("objects.json");
    std::fs::write(index, r#"{"../../../../outside.txt": {}, "/etc/hostname": {}}"#).unwrap();
    let cloud = LocalCloud::open(root.path()).unwrap();
    let (_, bucket) = find(&cloud as &dyn Cloud).await;
    for object in list(&cloud, &bucket, "").await.unwrap() {
        if object.key.starts_with("..") || object.key.starts_with('/') {
            let error = read(&cloud, &bucket, &object).await.unwrap_err();
            assert_eq!(error.gap().reason, GapReason::Unsupported);
        }
    }
}

#[test]
fn what_is_no_plain_file_is_a_gap_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.txt"), "a").unwrap();
    std::os::unix::fs::symlink("/etc/hostname", folder.path().join("link")).unwrap();
    let output = spillwatch(&["scan", folder.path().to_str().unwrap()]);
    let coverage = lines(&output).pop().unwrap();
    assert_eq!(coverage["objects"]["read"], 1);
    assert_eq!(coverage["gaps_by_reason"]["unsupported"], 1, "{coverage}");
}

/// An estate whose bucket holds three objects whose ACLs nobody may be asked for, and a report on them.
fn estate_with_acl_report(root: &Path) {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use flate2::write::GzEncoder;
    use serde_json::json;
    use std::io::Write;

    std::fs::write(root.join("estate.toml"), "").unwrap();
    let account = root.join("aws/111122223333");
    let put = |path: &str, bytes: &[u8]| {
        let path = account.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    };
    let owner = json!({"ID": "us"});
    let own = json!([{"Grantee": {"ID": "us", "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}]);
    let report = json!({"Destination": {"S3BucketDestination": {"Bucket": "arn:aws:s3:::reports", "Format": "CSV"}},
        "IsEnabled": true, "Id": "acls", "OptionalFields": ["ObjectAccessControlList", "ObjectOwner"]});
    let facts = json!({
        "s3:GetBucketAcl": {"Owner": owner, "Grants": own},
        "s3:GetBucketPolicy": {"Error": {"Code": "NoSuchBucketPolicy"}},
        "s3:GetPublicAccessBlock": {"Error": {"Code": "NoSuchPublicAccessBlockConfiguration"}},
        "s3:GetBucketOwnershipControls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}},
        "s3:ListBucketInventoryConfigurations": {"InventoryConfigurationList": [report]},
    });
    let no_block = json!({"Error": {"Code": "NoSuchPublicAccessBlockConfiguration"}});
    put("account.json", json!({"s3control:GetPublicAccessBlock": no_block}).to_string().as_bytes());
    put("media/facts.json", facts.to_string().as_bytes());
    let closed = |rule: &str| json!({"s3:GetBucketOwnershipControls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": rule}]}}});
    put("reports/facts.json", closed("BucketOwnerEnforced").to_string().as_bytes());
    let head = json!({"s3:HeadObject": {"LastModified": "2026-11-01T00:00:00Z", "ContentLength": 1}});
    let objects = ["a first.txt", "m.txt", "z.txt"].map(|key| (key.to_owned(), head.clone()));
    put(
        "media/objects.json",
        json!(objects.into_iter().collect::<serde_json::Map<_, _>>()).to_string().as_bytes(),
    );
    let everyone = "http://acs.amazonaws.com/groups/global/AllUsers";
    let acl = |grants| STANDARD.encode(json!({"status": "AVAILABLE", "grants": grants}).to_string());
    let private = acl(json!([{"canonicalId": "us", "type": "CanonicalUser", "permission": "FULL_CONTROL"}]));
    let open = acl(json!([{"uri": everyone, "type": "Group", "permission": "READ"}]));
    let mut rows = GzEncoder::new(Vec::new(), flate2::Compression::default());
    for (key, acl) in [("a%20first.txt", &private), ("m.txt", &private), ("z.txt", &open)] {
        writeln!(rows, "\"media\",\"{key}\",\"{acl}\",\"us\"").unwrap();
        put(&format!("media/objects/{}", key.replace("%20", " ")), b"x");
    }
    put("reports/objects/media/acls/data/1.csv.gz", &rows.finish().unwrap());
    let manifest = json!({"sourceBucket": "media", "creationTimestamp": "1795046400000", "fileFormat": "CSV",
        "fileSchema": "Bucket, Key, ObjectAccessControlList, ObjectOwner", "files": [{"key": "media/acls/data/1.csv.gz"}]});
    put("reports/objects/media/acls/2026-11-19T00-00Z/manifest.json", manifest.to_string().as_bytes());
}

#[test]
fn object_acls_too_many_to_ask_for_are_learnt_from_the_inventory_report() {
    let root = tempfile::tempdir().unwrap();
    estate_with_acl_report(root.path());
    let config = root.path().join("limits.toml");
    std::fs::write(&config, "[limits]\nobject_acls_per_bucket_max = 1\n").unwrap();
    let output = spillwatch(&["scan", "--config", config.to_str().unwrap(), root.path().to_str().unwrap()]);
    let lines = lines(&output);
    let open = lines.iter().find(|line| line["bucket"] == "media" && line["rule"] == "exposed_bucket");
    let open = open.unwrap_or_else(|| panic!("{lines:#?}"));
    assert_eq!(open["exposures"][0]["keys"], "z.txt");
    let gaps = lines.last().unwrap()["gaps"].to_string();
    assert!(gaps.contains("the ACLs of 2 objects are those of the inventory report of 2026-11-19"), "{gaps}");
}
