//! Does the door to this machine open like the others, and not further than it should?

use std::path::Path;

use spillwatch::cloud::Cloud;
use spillwatch::cloud::local::LocalCloud;
use spillwatch::estate::GapReason;

use crate::cloud_conformance::{self, BUCKET, find, list, objects, read};
use crate::{lines, spillwatch};

fn estate(root: &Path) {
    std::fs::write(root.join("estate.toml"), "[zone_of_trust]\naccounts = [\"111122223333\"]\n").unwrap();
    let bucket = root.join("aws/111122223333").join(BUCKET);
    for (key, bytes) in objects() {
        let path = bucket.join("objects").join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
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
