//! Is somebody who leaked kept from everything, and given back, by a role that may do that and no more?

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use spillwatch::cloud::aws::{AwsCloud, AwsSettings};
use spillwatch::cloud::{Lockable, Stated};
use spillwatch::estate::{Bucket, Principal, Setting};
use spillwatch::lockdown::{Journal, Options, Outcome, Plan, apply, plan_principal, undo};

use super::moto::user_with;
use super::{credentials, put, seeder, settings};
use crate::servers;

const LOCKDOWN: &str = include_str!("../../scanner/deploy/aws/lockdown-role-policy.json");
const ISOLATE: &str = include_str!("../../scanner/deploy/aws/isolate-role-policy.json");
const PATIENCE: Duration = Duration::from_secs(5);
const AGENT: &str = "arn:aws:iam::123456789012:user/sandbox-agent";

#[tokio::test]
async fn documented_grants_suffice_to_close_and_to_isolate_and_for_nothing_else() {
    let moto = servers::lockdown_moto();
    let s3 = seeder(&moto.endpoint, credentials("tests"));
    s3.create_bucket().bucket("leak").send().await.expect("made");
    put(&s3, "leak", "people.csv", "a").await;
    let all =
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let agent = user_with(&moto.endpoint, "sandbox-agent", &all.to_string());
    let closer = user_with(&moto.endpoint, "closer", LOCKDOWN);
    // Of IAM's own resources moto knows no names: whatever is asked is asked of `*`.
    let mut grants: Value = serde_json::from_str(ISOLATE).expect("JSON");
    grants["Statement"][0]["Resource"] = "*".into();
    grants["Statement"].as_array_mut().expect("a list").truncate(1);
    let isolator = user_with(&moto.endpoint, "isolator", &grants.to_string());
    let (status, _) = servers::plain_request(&moto.endpoint, "POST /moto-api/reset-auth", "", "0");
    assert_eq!(status, 200, "moto enforces from here on");
    let door = |keys| {
        AwsCloud::connect(AwsSettings { credentials: Some(keys), ..settings(&moto.endpoint, "unused") })
    };

    let (account, principal) = Principal::parse(AGENT).expect("an ARN");
    let other = door(closer.clone());
    let refused = plan_principal(&other, &account, &principal, false, "2026-11-26T12:00:00Z").await;
    assert_eq!(
        refused.expect_err("it may not read the user's policies").told_to(&other.identity()),
        "denied `iam:GetUserPolicy` on `sandbox-agent`; grant it to the credentials that you use"
    );
    closes_and_touches_no_content(&door(closer.clone()), &seeder(&moto.endpoint, closer)).await;
    isolates_and_gives_back(&door(isolator.clone()), &seeder(&moto.endpoint, agent)).await;
    let read = seeder(&moto.endpoint, isolator).get_object().bucket("leak").key("people.csv").send().await;
    assert!(read.is_err(), "who isolates reads nothing");
}

async fn closes_and_touches_no_content(door: &AwsCloud, s3: &aws_sdk_s3::Client) {
    let (account, _) = Principal::parse(AGENT).expect("an ARN");
    let bucket = Bucket { account, name: "leak".to_owned(), region: None };
    let policy = json!({"Policy": json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::leak/*"}]}).to_string()});
    // For public access blocks moto asks for grants of `s3:PutPublicAccessBlock`, which is no action of AWS.
    let setting = Setting::BucketPolicy;
    let before = door.stated(&bucket, &setting).await.expect("stated");
    door.set(&bucket, &setting, &before.answer, &Stated::answered(policy.clone())).await.expect("set");
    let after = door.stated(&bucket, &setting).await.expect("stated");
    assert!(setting.same(&after.answer, &policy), "{after:?}");
    door.set(&bucket, &setting, &policy, &before).await.expect("set back");
    let key = "people.csv".to_owned();
    let acl = Setting::ObjectAcl { key, version: None };
    for setting in [Setting::BucketAcl, acl] {
        let before = door.stated(&bucket, &setting).await.expect("stated");
        door.set(&bucket, &setting, &before.answer, &before).await.expect("set");
    }
    assert!(s3.get_object().bucket("leak").key("people.csv").send().await.is_err(), "content is not read");
    assert!(
        s3.delete_object().bucket("leak").key("people.csv").send().await.is_err(),
        "content is not deleted"
    );
    assert!(s3.put_object().bucket("leak").key("more").send().await.is_err(), "content is not added");
}

async fn isolates_and_gives_back(door: &AwsCloud, agent: &aws_sdk_s3::Client) {
    let reads = async || agent.get_object().bucket("leak").key("people.csv").send().await.is_ok();
    assert!(reads().await, "the agent may do everything");
    let (account, principal) = Principal::parse(AGENT).expect("an ARN");
    let made = "2026-11-26T12:00:00Z";
    let planned = plan_principal(door, &account, &principal, false, made).await.expect("planned");
    assert!(reads().await, "a plan changes nothing");
    let plan = Plan::isolating("aws".to_owned(), made.to_owned(), planned);
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options {
        approver: "a tester",
        accepted: &BTreeSet::new(),
        folder: folder.path(),
        recipient: None,
        archive: None,
        patience: PATIENCE,
    };
    let applied = apply(door, &plan, &options).await.expect("applied");
    assert!(applied.is_complete() && applied.steps.len() == 1, "{:#?}", applied.steps);
    assert!(!reads().await, "everything is denied");
    let again = plan_principal(door, &account, &principal, true, made).await.expect("planned");
    assert_eq!(again.changes, [], "what denies less does not replace what denies everything");
    let second = apply(door, &plan, &options).await.expect("applied");
    assert_eq!(second.steps[0].outcome, Outcome::AlreadySo);
    let journal = Journal::open(&applied.journal).expect("a journal");
    let undone = undo(door, journal, PATIENCE).await.expect("undone");
    assert!(undone.is_complete(), "{:#?}", undone.steps);
    assert!(reads().await, "as before");
}

/// As people do it: by commands, in the lockdown role's session.
#[tokio::test]
async fn a_role_is_isolated_and_given_back_by_commands() {
    let moto = servers::moto();
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "[aws]\nendpoint_url = \"{}\"\npath_style = true\nregion = \"us-east-1\"\n\
         [lockdown]\nrole_name = \"spillwatch-lockdown\"\nexternal_id = \"a-secret\"\n",
        moto.endpoint
    );
    std::fs::write(folder.path().join("spillwatch.toml"), config).expect("written");
    let lock = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
            .current_dir(folder.path())
            .arg("lock")
            .args(args)
            .args(["--config", "spillwatch.toml"])
            .envs([("AWS_ACCESS_KEY_ID", "tests"), ("AWS_SECRET_ACCESS_KEY", "testssecret")])
            .output()
            .expect("run");
        let (told, said) = (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned());
        (output.status.code(), String::from_utf8(told).expect("text"), said)
    };
    let iam = aws_sdk_iam::Client::from_conf(
        aws_sdk_iam::Config::builder()
            .behavior_version(aws_sdk_iam::config::BehaviorVersion::latest())
            .region(aws_sdk_iam::config::Region::new("us-east-1"))
            .endpoint_url(&moto.endpoint)
            .credentials_provider(credentials("tests"))
            .build(),
    );
    iam.create_role().role_name("etl").assume_role_policy_document("{}").send().await.expect("made");
    let policies = async || {
        let listed = iam.list_role_policies().role_name("etl").send().await.expect("listed");
        listed.policy_names().to_vec()
    };
    let session = "arn:aws:sts::123456789012:assumed-role/etl/nightly";
    let (code, plan, said) = lock(&["isolate", session, "--format", "json"]);
    assert_eq!(code, Some(0), "{said}");
    std::fs::write(folder.path().join("plan.json"), plan).expect("written");
    assert!(policies().await.is_empty(), "a plan changes nothing");
    let (code, told, said) = lock(&["apply", "plan.json", "--yes", "--approver", "a tester"]);
    assert_eq!(code, Some(0), "{told}{said}");
    assert_eq!(policies().await, ["SpillwatchIsolation"]);
    let (code, human, _) = lock(&["isolate", session, "--format", "human"]);
    assert!(code == Some(0) && human.contains("it is isolated already"), "{human}");
    let journal = told.lines().find_map(|line| line.strip_prefix("journal: ")).expect("a journal");
    let (code, told, said) = lock(&["undo", journal, "--yes"]);
    assert_eq!(code, Some(0), "{told}{said}");
    assert!(policies().await.is_empty(), "as before");
    let (code, _, said) = lock(&["isolate", "arn:aws:iam::123456789012:role/spillwatch-lockdown"]);
    assert!(code == Some(1) && said.contains("isolate it by hand"), "{said}");
}
