//! Are CloudTrail's events read as it tells them, and is what it refuses told as a gap?

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use spillwatch::cloud::Cloud;
use spillwatch::cloud::aws::{AwsCloud, AwsSettings};
use spillwatch::estate::history::{History, history};
use spillwatch::estate::{Account, Bucket, Facts, GapReason, Provider};
use spillwatch::exposure::{Certainty, ZoneOfTrust};
use spillwatch::lockdown::{Opened, Scope, Subject, opened};
use spillwatch_fixtures::s3_server::{Fault, S3Server};

use super::settings;

const LOOKUP: &str = "LookupEvents";
const SESSION: &str = "arn:aws:sts::444455556666:assumed-role/sandbox-automation/run-17";
/// Events of a bucket and of its account.
const NAMES: usize = 10;

fn bucket(name: &str) -> Bucket {
    let account = Account { provider: Provider::Aws, id: "444455556666".to_owned() };
    Bucket { account, name: name.to_owned(), region: Some("eu-west-1".to_owned()) }
}

fn connect(server: &S3Server) -> AwsCloud {
    AwsCloud::connect(AwsSettings { attempts_max: 3, ..settings(&server.endpoint(), "tests") })
}

fn event(server: &S3Server, at: &str, name: &str, asked: Value) {
    server.event(json!({"eventTime": at, "eventName": name, "sourceIPAddress": "198.51.100.7", "awsRegion": "eu-west-1",
        "userAgent": "[\u{1b}[2Jcurl]", "userIdentity": {"type": "AssumedRole", "arn": SESSION}, "requestParameters": asked}));
}

fn everybody(bucket: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
        "Resource": format!("arn:aws:s3:::{bucket}/*")}]})
}

async fn read(cloud: &AwsCloud, name: &str) -> (Facts, History) {
    let records = cloud.history(&bucket(name), &Facts::default()).await;
    let told = history(&bucket(name), &records);
    (records, told)
}

#[tokio::test]
async fn events_are_paged_to_the_end_kept_as_they_came_and_asked_for_once() {
    let server = S3Server::start().expect("started");
    for number in 0..120 {
        let name = if number % 2 == 0 { "leak" } else { "other" };
        event(
            &server,
            "2026-11-01T00:00:00Z",
            "PutBucketPolicy",
            json!({"bucketName": name, "bucketPolicy": everybody(name)}),
        );
    }
    let cloud = connect(&server);
    let began = Instant::now();
    let (records, told) = read(&cloud, "leak").await;
    assert_eq!((told.events.len(), told.gaps.len()), (60, 0), "{:?}", told.gaps);
    let kept = &records.answer("cloudtrail:LookupEvents").expect("kept")["PutBucketPolicy"]["Events"][0];
    let record: Value = serde_json::from_str(kept["CloudTrailEvent"].as_str().expect("text")).expect("JSON");
    assert_eq!(record["userAgent"], "[\u{1b}[2Jcurl]", "evidence is verbatim");
    // Three pages of one name; two requests a second are all that CloudTrail takes.
    assert_eq!(server.requests(LOOKUP), NAMES + 2);
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    let (_, told) = read(&cloud, "other").await;
    assert_eq!(told.events.len(), 60);
    assert_eq!(server.requests(LOOKUP), NAMES + 2, "what is known of a region is known of all its buckets");
}

#[tokio::test]
async fn what_is_refused_is_a_gap_and_nothing_more_is_asked() {
    for (fault, reason) in [
        (
            Fault::Error(400, "AccessDeniedException", "not authorized to perform: cloudtrail:LookupEvents"),
            GapReason::Denied,
        ),
        (
            Fault::Error(403, "com.amazonaws.cloudtrail#AccessDeniedException:http://x/", ""),
            GapReason::Denied,
        ),
        (Fault::Error(501, "NotImplemented", ""), GapReason::Unsupported),
        (Fault::Answer("{\"Events\": \"none\"}"), GapReason::Malformed),
        (Fault::Answer("[]"), GapReason::Malformed),
        (Fault::Answer("<html>"), GapReason::Malformed),
        (Fault::Endless, GapReason::Malformed),
    ] {
        let server = S3Server::start().expect("started");
        server.fail(LOOKUP, 1, fault.clone());
        let (_, told) = read(&connect(&server), "leak").await;
        assert!(told.gaps.iter().any(|gap| gap.reason == reason), "{fault:?}: {:?}", told.gaps);
        assert_eq!((told.events.len(), server.requests(LOOKUP)), (0, 1), "{fault:?}");
    }
}

#[tokio::test]
async fn throttling_and_lost_answers_are_waited_out_and_then_told() {
    let server = S3Server::start().expect("started");
    event(&server, "2026-11-01T00:00:00Z", "PutBucketPolicy", json!({"bucketName": "leak"}));
    server.fail(LOOKUP, 1, Fault::Error(400, "ThrottlingException", "Rate exceeded"));
    server.fail(LOOKUP, 1, Fault::CutAfter(10));
    let (_, told) = read(&connect(&server), "leak").await;
    assert_eq!((told.events.len(), told.gaps.len()), (1, 0), "{:?}", told.gaps);
    assert_eq!(server.requests(LOOKUP), NAMES + 2);

    let server = S3Server::start().expect("started");
    server.fail(LOOKUP, 100, Fault::Error(400, "ThrottlingException", "Rate exceeded"));
    let (_, told) = read(&connect(&server), "leak").await;
    assert!(told.gaps.iter().any(|gap| gap.reason == GapReason::Throttled), "{:?}", told.gaps);
    assert_eq!(server.requests(LOOKUP), 3, "the tries are bounded");
}

#[tokio::test]
async fn a_listing_that_has_no_end_is_cut_off_and_one_that_does_not_advance_is_none() {
    let server = S3Server::start().expect("started");
    for _ in 0..1_100 {
        event(&server, "2026-11-01T00:00:00Z", "PutBucketPolicy", json!({"bucketName": "leak"}));
    }
    let (_, told) = read(&connect(&server), "leak").await;
    assert_eq!(told.events.len(), 1_000);
    assert!(told.gaps.iter().any(|gap| gap.reason == GapReason::LimitReached), "{:?}", told.gaps);

    let server = S3Server::start().expect("started");
    server.fail(LOOKUP, 2, Fault::Answer("{\"Events\": [], \"NextToken\": \"again\"}"));
    let (_, told) = read(&connect(&server), "leak").await;
    assert!(told.gaps.iter().any(|gap| gap.reason == GapReason::Malformed), "{:?}", told.gaps);
}

async fn who_opened(server: &S3Server, zone: ZoneOfTrust) -> Opened {
    let mut facts = Facts::default();
    facts.record("s3:GetBucketPolicy", json!({"Policy": everybody("leak").to_string()}));
    facts.record_error("s3:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
    let mut account_facts = Facts::default();
    account_facts.record_error("s3control:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration");
    let subject = Subject {
        bucket: bucket("leak"),
        facts,
        account_facts,
        zone,
        objects: Vec::new(),
        all_objects: true,
    };
    opened(&connect(server), &subject, &Scope::public()).await
}

#[tokio::test]
async fn the_change_before_which_it_was_closed_is_the_one_that_opened_it() {
    let server = S3Server::start().expect("started");
    event(&server, "2026-11-20T08:00:00Z", "CreateBucket", json!({"bucketName": "leak"}));
    event(&server, "2026-11-20T08:10:00Z", "DeleteBucketPublicAccessBlock", json!({"bucketName": "leak"}));
    let open = json!({"bucketName": "leak", "bucketPolicy": everybody("leak")});
    event(&server, "2026-11-20T08:13:05Z", "PutBucketPolicy", open.clone());
    // Whoever sets it again opens nothing.
    event(&server, "2026-11-21T09:00:00Z", "PutBucketPolicy", open);
    let told = who_opened(&server, ZoneOfTrust::default()).await;
    assert_eq!(told.gaps, []);
    let [opener] = told.by.as_slice() else { panic!("{told:?}") };
    assert_eq!((opener.who.as_str(), opener.from.as_str()), (SESSION, "198.51.100.7"));
    assert_eq!((opener.at.as_str(), opener.action.as_str()), ("2026-11-20T08:13:05Z", "PutBucketPolicy"));
    assert_eq!(opener.certainty, Certainty::Proven);
    assert_eq!(opener.isolate.as_deref(), Some("arn:aws:iam::444455556666:role/sandbox-automation"));
}

/// As people ask: by a command, of an account.
#[test]
fn a_plan_and_an_explanation_by_command_say_who_opened_it() {
    let server = S3Server::start().expect("started");
    server.account("444455556666");
    server.put("leak", "k", "content".as_bytes());
    server.place("leak", "eu-west-1");
    server.configure("leak", "policy", &everybody("leak").to_string());
    server.configure("leak", "policyStatus", "<PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>");
    event(&server, "2026-11-20T08:00:00Z", "CreateBucket", json!({"bucketName": "leak"}));
    event(&server, "2026-11-20T08:10:00Z", "DeleteBucketPublicAccessBlock", json!({"bucketName": "leak"}));
    let open = json!({"bucketName": "leak", "bucketPolicy": everybody("leak")});
    event(&server, "2026-11-20T08:13:05Z", "PutBucketPolicy", open);
    let told = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
            .args(args)
            .args([
                "s3://leak",
                "--endpoint-url",
                &server.endpoint(),
                "--path-style",
                "--region",
                "us-east-1",
                "--format",
                "human",
            ])
            .envs([("AWS_ACCESS_KEY_ID", "tests"), ("AWS_SECRET_ACCESS_KEY", "testssecret")])
            .output()
            .expect("run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let by = format!("opened by {SESSION} from 198.51.100.7 at 2026-11-20T08:13:05Z (PutBucketPolicy)\n");
    let isolate = "isolate  spillwatch lock isolate 'arn:aws:iam::444455556666:role/sandbox-automation'\n";
    for command in [vec!["explain", "--opened-by"], vec!["lock", "plan"]] {
        let told = told(&command);
        assert!(told.contains(&by) && told.contains(isolate), "{told}");
    }
    server.fail(LOOKUP, 1, Fault::Error(400, "AccessDeniedException", ""));
    let told = told(&["lock", "plan"]);
    assert!(
        told.contains(
            "opened by unknown: `cloudtrail:LookupEvents` for `leak`: it answered `AccessDeniedException`"
        ),
        "{told}"
    );
}
