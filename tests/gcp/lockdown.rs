//! Is a leak on Google Cloud closed for anonymous requests, and opened again as it was?

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use spillwatch::cloud::{Lockable, Stated};
use spillwatch::estate::Setting;
use spillwatch_fixtures::gcs_server::{Fault, GcsServer, Stored};

use super::{PROJECT, bucket, connect};
use crate::acme::estate;
use crate::servers;

const BUCKET: &str = "storage:buckets.get";
const POLICY: &str = "storage:buckets.getIamPolicy";
const LEAK: &str = "acme-clickstream-export";

/// Status of an anonymous read of an object.
fn read(server: &GcsServer, bucket: &str, key: &str) -> u16 {
    let path = format!("GET /storage/v1/b/{bucket}/o/{}?alt=media", key.replace('/', "%2F"));
    servers::plain_request(&server.endpoint(), &path, "accept-encoding: gzip\r\n", "").0
}

fn lock(server: &GcsServer, folder: &Path, project: &str, args: &[&str]) -> Output {
    let (config, credentials) = (folder.join("spillwatch.toml"), folder.join("adc.json"));
    let text = format!(
        "[gcp]\nprojects = [\"{project}\"]\nendpoint = \"{}\"\nattempts_max = 2\n\
         [zone_of_trust]\ndomains = [\"acme.internal\"]\n",
        server.endpoint()
    );
    std::fs::write(&config, text).unwrap();
    std::fs::write(&credentials, server.credentials().to_string()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_spillwatch"))
        .current_dir(folder)
        .arg("lock")
        .args(args)
        .args(["--config", "spillwatch.toml"])
        .env("GOOGLE_APPLICATION_CREDENTIALS", credentials)
        .output()
        .unwrap()
}

/// Plans for the project; the plan stands in `plan.json`.
fn plan(server: &GcsServer, folder: &Path, project: &str, more: &[&str]) -> Value {
    let args = [&["plan", "--format", "json", "gcp"], more].concat();
    let output = lock(server, folder, project, &args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::write(folder.join("plan.json"), &output.stdout).unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What was said, and the journal.
fn apply(server: &GcsServer, folder: &Path, project: &str, more: &[&str]) -> (String, String) {
    let args = [&["apply", "plan.json", "--yes", "--approver", "a tester"], more].concat();
    let output = lock(server, folder, project, &args);
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let journal = told.lines().find_map(|line| line.strip_prefix("journal: ")).unwrap().to_owned();
    (told, journal)
}

/// What a bucket states, but for what counts changes.
fn facts(server: &GcsServer, bucket: &str) -> (Value, Value) {
    let mut described = server.stated(bucket, BUCKET).unwrap();
    described.as_object_mut().unwrap().remove("metageneration");
    let policy = server.stated(bucket, POLICY).unwrap();
    (described, policy["bindings"].clone())
}

#[test]
fn the_leak_is_planned_closed_for_anonymous_requests_and_opened_again() {
    let server = GcsServer::start().unwrap();
    server.seed(&estate(), "acme-data").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let key = "events/2026-11-17.jsonl.gz";
    let (before, elsewhere) = (facts(&server, LEAK), facts(&server, "acme-finance-reports"));
    assert_eq!(read(&server, LEAK, key), 200, "the leak");
    let planned = plan(&server, folder.path(), "acme-data", &[]);
    let buckets = planned["buckets"].as_array().unwrap();
    assert_eq!(buckets.len(), 1, "{planned}");
    assert_eq!(buckets[0]["changes"][0]["setting"], "public_access_prevention");
    let by = &buckets[0]["opened"]["by"][0];
    assert_eq!(
        by["who"], "sandbox-export@acme-data.iam.gserviceaccount.com",
        "the audit log tells: {planned}"
    );
    let (told, journal) = apply(&server, folder.path(), "acme-data", &[]);
    assert!(told.contains("an unsigned listing was answered `403`, as predicted"), "{told}");
    assert!(
        told.contains("an unsigned read of `events/2026-11-17.jsonl.gz` was answered `403`, as predicted"),
        "{told}"
    );
    assert_eq!(read(&server, LEAK, key), 401, "closed");
    assert_eq!(facts(&server, LEAK).1, before.1, "grants stand");
    let (again, _) = apply(&server, folder.path(), "acme-data", &[]);
    assert!(again.contains("already so"), "{again}");
    let output = lock(&server, folder.path(), "acme-data", &["undo", "--yes", &journal]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(read(&server, LEAK, key), 200, "as before");
    assert_eq!(facts(&server, LEAK), before);
    assert_eq!(facts(&server, "acme-finance-reports"), elsewhere);
}

/// A bucket that everybody and an outsider may read.
fn shared() -> GcsServer {
    let server = GcsServer::start().unwrap();
    server.put(PROJECT, "shared", "k", "x");
    let constraint = "storage.publicAccessPrevention";
    let not_enforced =
        json!({"name": format!("projects/1/policies/{constraint}"), "spec": {"rules": [{"enforce": false}]}});
    server.state(PROJECT, None, "orgpolicy:policies.getEffectivePolicy", json!({constraint: not_enforced}));
    server.state(
        PROJECT,
        Some("shared"),
        BUCKET,
        json!({"metageneration": "7", "iamConfiguration": {"publicAccessPrevention": "inherited",
            "uniformBucketLevelAccess": {"enabled": true}}}),
    );
    let policy = json!({"version": 3, "etag": "CAM=", "bindings": [
        {"role": "roles/storage.objectViewer", "members": ["allUsers", "user:partner@other.example", "user:us@acme.internal"]},
        {"role": "roles/storage.objectAdmin", "members": ["user:partner@other.example"],
            "condition": {"title": "drops", "expression": "resource.name.startsWith('projects/_/buckets/shared/objects/in/')"}},
    ]});
    server.state(PROJECT, Some("shared"), POLICY, policy);
    server
}

#[test]
fn an_outsider_by_name_goes_out_of_the_policy_and_comes_back() {
    let server = shared();
    let folder = tempfile::tempdir().unwrap();
    let before = facts(&server, "shared");
    let planned = plan(&server, folder.path(), PROJECT, &["--external"]);
    let settings: Vec<&Value> = planned["buckets"][0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| &change["setting"])
        .collect();
    assert_eq!(settings, ["bucket_iam_policy", "public_access_prevention"], "{planned}");
    let commands = planned["buckets"][0]["commands"].to_string();
    assert!(
        commands.contains("remove-iam-policy-binding 'gs://shared' --member='user:partner@other.example'"),
        "{commands}"
    );
    let (_, journal) = apply(&server, folder.path(), PROJECT, &["--accept", "cross_account"]);
    let left =
        json!([{"role": "roles/storage.objectViewer", "members": ["allUsers", "user:us@acme.internal"]}]);
    assert_eq!(facts(&server, "shared").1, left);
    assert_eq!(read(&server, "shared", "k"), 401);
    let output = lock(&server, folder.path(), PROJECT, &["undo", "--yes", &journal]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(facts(&server, "shared"), before);
    assert_eq!(read(&server, "shared", "k"), 200);
}

#[test]
fn outsiders_by_name_go_out_of_access_lists_and_come_back() {
    let (bucket_list, object_list) =
        ("storage:bucketAccessControls.list", "storage:objectAccessControls.list");
    let server = shared();
    let described = json!({"metageneration": "7", "iamConfiguration": {"publicAccessPrevention": "inherited",
        "uniformBucketLevelAccess": {"enabled": false}}});
    server.state(PROJECT, Some("shared"), BUCKET, described);
    server.state(PROJECT, Some("shared"), POLICY, json!({"version": 1, "etag": "CAM=", "bindings": []}));
    let entries = |kind: &str| {
        json!({"kind": kind, "items": [
        {"entity": "user-partner@other.example", "role": "READER"}, {"entity": "user-us@acme.internal", "role": "OWNER"}]})
    };
    let list = entries("storage#objectAccessControls");
    server.put(PROJECT, "shared", "k", Stored::from("x").with_facts(json!({object_list: list})));
    server.state(PROJECT, Some("shared"), bucket_list, entries("storage#bucketAccessControls"));
    let folder = tempfile::tempdir().unwrap();
    let who = |list: Option<Value>| {
        let items = list.unwrap()["items"].as_array().unwrap().clone();
        items.iter().map(|entry| entry["entity"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let now = || {
        [who(server.stated("shared", bucket_list)), who(server.stated_of_object("shared", "k", object_list))]
    };
    let before = now();
    let planned = plan(&server, folder.path(), PROJECT, &["--external"]);
    let changes = planned["buckets"][0]["changes"].as_array().unwrap();
    let settings: Vec<String> = changes.iter().map(|change| change["setting"].to_string()).collect();
    assert_eq!(settings.len(), 2, "{planned}");
    assert_eq!(settings[0], "\"bucket_access_list\"");
    assert!(settings[1].starts_with("{\"object_access_list\":{\"key\":\"k\""), "{}", settings[1]);
    let commands = planned["buckets"][0]["commands"].to_string();
    for command in ["buckets update 'gs://shared'", "objects update 'gs://shared/k'"] {
        let wanted = format!("gcloud storage {command} --remove-acl-grant='user-partner@other.example'");
        assert!(commands.contains(&wanted), "{commands}");
    }
    let (_, journal) = apply(&server, folder.path(), PROJECT, &["--accept", "cross_account"]);
    assert_eq!(now(), [["user-us@acme.internal"], ["user-us@acme.internal"]]);
    let output = lock(&server, folder.path(), PROJECT, &["undo", "--yes", &journal]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(now(), before);
}

#[tokio::test]
async fn an_access_list_that_somebody_changed_meanwhile_is_not_overwritten() {
    let server = shared();
    let entry = json!({"entity": "user-partner@other.example", "role": "READER"});
    let list = json!({"kind": "storage#objectAccessControls", "items": [entry]});
    server.put(
        PROJECT,
        "shared",
        "k",
        Stored::from("x").with_facts(json!({"storage:objectAccessControls.list": list})),
    );
    server.state(PROJECT, Some("shared"), "storage:bucketAccessControls.list", list.clone());
    let door = connect(&server);
    let object = Setting::ObjectAccessList { key: "k".to_owned(), version: None };
    for setting in [Setting::BucketAccessList, object] {
        let bucket = bucket("shared");
        let stated = door.stated(&bucket, &setting).await.expect("stated");
        let nobody = Stated::answered(json!({"items": []}));
        door.set(&bucket, &setting, &stated.answer, &nobody).await.expect("set");
        let error = door.set(&bucket, &setting, &stated.answer, &nobody).await.expect_err("overtaken");
        assert!(error.to_string().contains("somebody changed the access list meanwhile"), "{error}");
    }
}

#[test]
fn a_change_whose_answer_is_lost_is_looked_for_and_found() {
    let server = shared();
    let folder = tempfile::tempdir().unwrap();
    plan(&server, folder.path(), PROJECT, &[]);
    server.fail("UpdateBucket", 1, Fault::Status("UNAVAILABLE", None));
    let (told, _) = apply(&server, folder.path(), PROJECT, &[]);
    assert!(told.lines().any(|line| line.starts_with("applied") && line.contains("prevention")), "{told}");
    assert_eq!(server.requests("UpdateBucket"), 2);
}

#[test]
fn a_service_account_is_disabled_and_enabled_again() {
    let server = GcsServer::start().unwrap();
    let (agent, operation) = ("agent@acme-data.iam.gserviceaccount.com", "iam:serviceAccounts.get");
    server.state("acme-data", None, operation, json!({agent: {"email": agent, "projectId": "acme-data"}}));
    let disabled = || server.stated_of_project("acme-data", operation).unwrap()[agent]["disabled"].clone();
    let folder = tempfile::tempdir().unwrap();
    let output = lock(&server, folder.path(), "acme-data", &["isolate", agent, "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::write(folder.path().join("plan.json"), &output.stdout).unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains(&format!("gcloud iam service-accounts disable '{agent}'")), "{told}");
    assert_eq!(disabled(), Value::Null, "a plan changes nothing");
    let (_, journal) = apply(&server, folder.path(), "acme-data", &[]);
    assert_eq!(disabled(), json!(true));
    let output = lock(&server, folder.path(), "acme-data", &["undo", "--yes", &journal]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(disabled(), json!(false));
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_not_overwritten() {
    let server = shared();
    let door = connect(&server);
    for setting in [Setting::PublicAccessPrevention, Setting::BucketIamPolicy] {
        let bucket = bucket("shared");
        let stated = door.stated(&bucket, &setting).await.expect("stated");
        let same = Stated::answered(stated.answer.clone());
        // The first one counts as a change, whatever it says.
        door.set(&bucket, &setting, &stated.answer, &same).await.expect("set");
        let error = door.set(&bucket, &setting, &stated.answer, &same).await.expect_err("overtaken");
        let code = if setting == Setting::BucketIamPolicy { "ABORTED" } else { "FAILED_PRECONDITION" };
        assert!(error.to_string().contains(code), "{error}");
    }
}
