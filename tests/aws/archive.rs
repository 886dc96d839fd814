//! Is evidence copied where nobody can change it before anything else is changed, and nothing changed where it cannot be?

use std::path::Path;
use std::process::{Command, Output};

use aws_sdk_s3::types::ObjectLockRetentionMode;

use super::{credentials, seeder};
use crate::acme::estate;
use crate::servers;

/// A plan for a copy of the demo estate, and what applying it with copies to `place` comes to.
fn apply(folder: &Path, endpoint: &str, place: &str) -> Output {
    let estate = folder.join("estate");
    if !estate.exists() {
        let copied = Command::new("cp").arg("-r").args([crate::acme::estate(), estate.clone()]).status();
        assert!(copied.expect("cp").success());
    }
    let spillwatch = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spillwatch"));
        command.current_dir(folder).arg("lock");
        command
    };
    let plan = spillwatch().args(["plan", "estate", "--format", "json"]).output().expect("planned");
    std::fs::write(folder.join("plan.json"), plan.stdout).expect("written");
    spillwatch()
        .args(["apply", "plan.json", "--yes", "--approver", "a tester", "--evidence-to", place])
        .args(["--endpoint-url", endpoint, "--path-style", "--region", "us-east-1"])
        .envs([("AWS_ACCESS_KEY_ID", "alice"), ("AWS_SECRET_ACCESS_KEY", "alicesecret")])
        .output()
        .expect("run")
}

#[tokio::test]
async fn evidence_and_journal_are_locked_in_a_bucket() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    let name = "evidence-locked";
    s3.create_bucket().bucket(name).object_lock_enabled_for_bucket(true).send().await.expect("made");
    let folder = tempfile::tempdir().expect("a folder");
    let output = apply(folder.path(), &ceph.endpoint, &format!("s3://{name}/incident-7/"));
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(told.contains("copy of the journal"), "{told}");
    let listed = s3.list_objects_v2().bucket(name).send().await.expect("listed");
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    for part in
        ["/evidence/manifest.jsonl", "/evidence/plan.json", "acme-sandbox-drop/facts.json", "/journal.jsonl"]
    {
        let key = keys.iter().find(|key| key.ends_with(part)).unwrap_or_else(|| panic!("{part} in {keys:?}"));
        assert!(key.starts_with("incident-7/"), "{key}");
        let head = s3.head_object().bucket(name).key(*key).send().await.expect("there");
        let kept = s3.get_object_retention().bucket(name).key(*key).send().await.expect("kept").retention;
        assert_eq!(kept.and_then(|kept| kept.mode), Some(ObjectLockRetentionMode::Governance), "{key}");
        let version = head.version_id.expect("a version");
        let deleted = s3.delete_object().bucket(name).key(*key).version_id(version).send().await;
        assert!(deleted.is_err(), "{key} cannot be deleted");
    }
}

#[tokio::test]
async fn where_evidence_cannot_be_locked_nothing_is_changed() {
    let ceph = servers::ceph();
    let s3 = seeder(&ceph.endpoint, credentials("alice"));
    s3.create_bucket().bucket("evidence-loose").send().await.expect("made");
    let folder = tempfile::tempdir().expect("a folder");
    let output = apply(folder.path(), &ceph.endpoint, "s3://evidence-loose");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("the evidence could not be copied, so nothing was changed"), "{said}");
    let facts = "aws/444455556666/acme-sandbox-drop/facts.json";
    let read = |root: &Path| std::fs::read(root.join(facts)).expect("facts");
    assert!(read(&folder.path().join("estate")) == read(&estate()));
}
