//! Are a bucket's facts kept as AWS's command line prints them, and is nonsense kept out?

use std::time::{Duration, Instant};

use serde_json::json;
use spillwatch::cloud::Cloud;
use spillwatch::cloud::aws::{AccountAccess, Accounts, AwsCloud, AwsSettings};
use spillwatch::estate::aws::multi_region_access_points;
use spillwatch::estate::{Bucket, Fact, GapReason};
use spillwatch_fixtures::s3_server::{Fault, S3Server};

use super::{bucket, one_object, settings};
use crate::cloud_conformance::list;

#[tokio::test]
async fn configurations_are_kept_in_the_shapes_of_the_command_line() {
    let (server, cloud, _) = one_object(b"content").await;
    for (sub_resource, answer) in [
        (
            "website",
            "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument><ErrorDocument>\
             <Key>404.html</Key></ErrorDocument><RoutingRules><RoutingRule><Condition><KeyPrefixEquals>old/\
             </KeyPrefixEquals></Condition><Redirect><ReplaceKeyPrefixWith>new/</ReplaceKeyPrefixWith></Redirect>\
             </RoutingRule></RoutingRules></WebsiteConfiguration>",
        ),
        (
            "encryption",
            "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms\
             </SSEAlgorithm><KMSMasterKeyID>key-1</KMSMasterKeyID></ApplyServerSideEncryptionByDefault>\
             <BucketKeyEnabled>true</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>",
        ),
        (
            "ownershipControls",
            "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule>\
             </OwnershipControls>",
        ),
        (
            "logging",
            "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>b/</TargetPrefix>\
             </LoggingEnabled></BucketLoggingStatus>",
        ),
        ("tagging", "<Tagging><TagSet><Tag><Key>team</Key><Value>hr</Value></Tag></TagSet></Tagging>"),
        (
            "versioning",
            "<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>\
             </VersioningConfiguration>",
        ),
        ("policyStatus", "<PolicyStatus><IsPublic>true</IsPublic></PolicyStatus>"),
    ] {
        server.configure("b", sub_resource, answer);
    }
    let facts = cloud.access_facts(&bucket("b")).await;
    for (operation, expected) in [
        (
            "s3:GetBucketWebsite",
            json!({
                "IndexDocument": {"Suffix": "index.html"},
                "ErrorDocument": {"Key": "404.html"},
                "RoutingRules": [{
                    "Condition": {"KeyPrefixEquals": "old/"},
                    "Redirect": {"ReplaceKeyPrefixWith": "new/"},
                }],
            }),
        ),
        (
            "s3:GetBucketEncryption",
            json!({"ServerSideEncryptionConfiguration": {"Rules": [{
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "key-1"},
                "BucketKeyEnabled": true,
            }]}}),
        ),
        (
            "s3:GetBucketOwnershipControls",
            json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}),
        ),
        ("s3:GetBucketLogging", json!({"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "b/"}})),
        ("s3:GetBucketTagging", json!({"TagSet": [{"Key": "team", "Value": "hr"}]})),
        ("s3:GetBucketVersioning", json!({"Status": "Enabled", "MFADelete": "Disabled"})),
        ("s3:GetBucketPolicyStatus", json!({"PolicyStatus": {"IsPublic": true}})),
    ] {
        assert_eq!(facts.answer(operation), Some(&expected), "{operation}");
    }
}

#[tokio::test]
async fn multi_region_access_points_are_read_with_their_policies() {
    let server = S3Server::start().expect("started");
    server.put("b", "k", "content".as_bytes());
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*"}]}"#;
    let block = "<BlockPublicAcls>false</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls>\
                 <BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>true</RestrictPublicBuckets>";
    for (path, answer) in [
        (
            "mrap/instances",
            format!(
                "<ListMultiRegionAccessPointsResult><AccessPoints><AccessPoint><Name>around</Name>\
                 <Alias>m1.mrap</Alias><PublicAccessBlock>{block}</PublicAccessBlock><Status>READY</Status><Regions>\
                 <Region><Bucket>b</Bucket><Region>us-east-1</Region></Region></Regions></AccessPoint></AccessPoints>\
                 </ListMultiRegionAccessPointsResult>"
            ),
        ),
        (
            "mrap/instances/around/policy",
            format!(
                "<GetMultiRegionAccessPointPolicyResult><Policy><Established><Policy>{policy}</Policy></Established>\
                 </Policy></GetMultiRegionAccessPointPolicyResult>"
            ),
        ),
        (
            "mrap/instances/around/policystatus",
            "<GetMultiRegionAccessPointPolicyStatusResult><Established><IsPublic>true</IsPublic></Established>\
             </GetMultiRegionAccessPointPolicyStatusResult>"
                .to_owned(),
        ),
    ] {
        server.put("v20180820", path, answer);
    }
    let member = AccountAccess { id: "111122223333".to_owned(), role: None };
    let cloud = AwsCloud::connect(AwsSettings {
        accounts: Accounts::Listed(vec![member]),
        ..settings(&server.endpoint(), "tests")
    });
    let account = cloud.accounts().await.expect("listed").remove(0);
    let facts = cloud.account_facts(&account).await;
    let Fact::Present(points) = multi_region_access_points(&facts, "b") else { panic!("{facts:?}") };
    let [point] = points.as_slice() else { panic!("{points:?}") };
    assert_eq!((point.name.as_str(), point.multi_region), ("m1.mrap", true));
    assert!(matches!(&point.block, Fact::Present(block) if block.restrict_public_buckets), "{point:?}");
    assert!(matches!(&point.policy, Fact::Present(policy) if policy["Statement"][0]["Principal"] == "*"));
    assert!(matches!(&point.status, Fact::Present(status) if status.is_public), "{point:?}");
    assert_eq!(multi_region_access_points(&facts, "another"), Fact::Present(Vec::new()));
}

#[tokio::test]
async fn access_points_are_kept_by_name_in_the_shapes_of_the_command_line() {
    let server = S3Server::start().expect("started");
    server.put("b", "k", "content".as_bytes());
    // S3 Control's operations are paths of their own, which this server takes for objects.
    let policy = r#"{"Version":"2012-10-17","Statement":[]}"#;
    let point = "<Name>shared</Name><NetworkOrigin>Internet</NetworkOrigin><Bucket>b</Bucket>";
    let block = "<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>\
                 <BlockPublicPolicy>false</BlockPublicPolicy><RestrictPublicBuckets>false</RestrictPublicBuckets>";
    for (path, answer) in [
        (
            "accesspoint",
            format!(
                "<ListAccessPointsResult><AccessPointList><AccessPoint>{point}</AccessPoint></AccessPointList>\
                 </ListAccessPointsResult>"
            ),
        ),
        (
            "accesspoint/shared",
            format!(
                "<GetAccessPointResult>{point}<PublicAccessBlockConfiguration>{block}\
                 </PublicAccessBlockConfiguration></GetAccessPointResult>"
            ),
        ),
        (
            "accesspoint/shared/policy",
            format!("<GetAccessPointPolicyResult><Policy>{policy}</Policy></GetAccessPointPolicyResult>"),
        ),
    ] {
        server.put("v20180820", path, answer);
    }
    let member = AccountAccess { id: "111122223333".to_owned(), role: None };
    let cloud = AwsCloud::connect(AwsSettings {
        accounts: Accounts::Listed(vec![member]),
        ..settings(&server.endpoint(), "tests")
    });
    let account = cloud.accounts().await.expect("listed").remove(0);
    let facts = cloud.access_facts(&Bucket { account, ..bucket("b") }).await;
    assert_eq!(
        facts.answer("s3control:GetAccessPoint"),
        Some(&json!({"shared": {
            "Name": "shared",
            "Bucket": "b",
            "NetworkOrigin": "Internet",
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true,
                "IgnorePublicAcls": true,
                "BlockPublicPolicy": false,
                "RestrictPublicBuckets": false,
            },
        }}))
    );
    assert_eq!(facts.answer("s3control:GetAccessPointPolicy"), Some(&json!({"shared": {"Policy": policy}})));
    assert_eq!(
        facts.answer("s3control:GetAccessPointPolicyStatus"),
        Some(&json!({"shared": {"Error": {"Code": "NotFound"}}}))
    );
    let listed = &facts.answer("s3control:ListAccessPoints").expect("asked")["AccessPointList"];
    assert_eq!(listed[0]["Name"], "shared");
}

#[tokio::test]
async fn nonsense_is_an_error_not_a_value() {
    let (server, cloud, _) = one_object(b"content").await;
    let listing = "<ListBucketResult><Name>b</Name></ListBucketResult>";
    let faults = [
        ("acl", "<AccessControlPolicy><Owner><ID>o</ID></Owner></AccessControlPolicy>"),
        ("policy", listing),
        ("policyStatus", "<PolicyStatus/>"),
        ("publicAccessBlock", "<html>busy</html>"),
        ("ownershipControls", listing),
        ("encryption", ""),
        ("versioning", "\u{0}\u{1}"),
        ("tagging", "<Tagging><TagSet><Tag>"),
    ];
    for (operation, answer) in faults {
        server.fail(operation, 10, Fault::Answer(answer));
    }
    let facts = cloud.access_facts(&bucket("b")).await;
    let operations = [
        "s3:GetBucketAcl",
        "s3:GetBucketPolicy",
        "s3:GetBucketPolicyStatus",
        "s3:GetPublicAccessBlock",
        "s3:GetBucketOwnershipControls",
        "s3:GetBucketEncryption",
        "s3:GetBucketVersioning",
        "s3:GetBucketTagging",
    ];
    for operation in operations {
        let expected = json!({"Error": {"Code": "UnparsableResponse"}});
        assert_eq!(facts.answer(operation), Some(&expected), "{operation}");
    }
    server.fail("ListObjects", 10, Fault::Answer("<html>busy</html>"));
    let error = list(&cloud, &bucket("b"), "").await.expect_err("no listing");
    assert_eq!(error.gap().reason, GapReason::Malformed, "{error}");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let (server, cloud, _) = one_object(b"content").await;
    server.fail("policy", 10, Fault::Endless);
    let facts = cloud.access_facts(&bucket("b")).await;
    let policy = facts.answer("s3:GetBucketPolicy").expect("asked");
    assert!(policy["Error"]["Code"].is_string(), "{policy}");
}

#[tokio::test]
async fn a_slow_answer_is_a_gap_on_that_fact_only() {
    let (server, _, _) = one_object(b"content").await;
    server.fail("website", 10, Fault::Wait(Duration::from_secs(30)));
    let cloud = AwsCloud::connect(AwsSettings {
        read_timeout: Duration::from_millis(300),
        attempts_max: 2,
        ..settings(&server.endpoint(), "tests")
    });
    let started = Instant::now();
    let facts = cloud.access_facts(&bucket("b")).await;
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(facts.answer("s3:GetBucketWebsite"), Some(&json!({"Error": {"Code": "RequestTimedOut"}})));
    assert!(facts.answer("s3:GetBucketAcl").expect("asked")["Grants"].is_array());
}
