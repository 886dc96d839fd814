//! Are many accounts entered, and what is seen of an account that lets us in only partly, or not at all?

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3control::types::PublicAccessBlockConfiguration;
use aws_sdk_sts::config::Credentials;
use futures::TryStreamExt;
use serde_json::json;
use spillwatch::cloud::Cloud;
use spillwatch::cloud::aws::{AccountAccess, Accounts, AwsCloud, AwsSettings, Role};
use spillwatch::estate::aws::{distributions, multi_region_access_points, resource_control_policies};
use spillwatch::estate::{Account, Bucket, Fact, GapReason};

use super::{credentials, put, seed_conformance, seeder, settings};
use crate::cloud_conformance::{self, list};
use crate::servers;

/// moto's account of all credentials that it has not handed out itself.
const OWN_ACCOUNT: &str = "123456789012";

fn role() -> Role {
    Role { name: "spillwatch-scan".to_owned(), external_id: Some("a-shared-secret".to_owned()) }
}

fn writer_config(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(credentials("tests")))
        .build()
}

/// Credentials inside another account, to prepare what is read there.
async fn inside(endpoint: &str, account: &str) -> Credentials {
    let sts = aws_sdk_sts::Client::new(&writer_config(endpoint));
    let arn = format!("arn:aws:iam::{account}:role/seeder");
    let assumed = sts.assume_role().role_arn(arn).role_session_name("seeder").send().await.expect("assumed");
    let keys = assumed.credentials.expect("credentials");
    Credentials::new(keys.access_key_id, keys.secret_access_key, Some(keys.session_token), None, "tests")
}

async fn names(cloud: &AwsCloud, account: &Account) -> Vec<String> {
    let buckets: Vec<Bucket> = cloud.buckets(account).try_collect().await.expect("listed");
    buckets.into_iter().map(|bucket| bucket.name).collect()
}

#[tokio::test]
async fn moto_passes_the_conformance_suite() {
    let moto = servers::moto();
    seed_conformance(&seeder(&moto.endpoint, credentials("tests"))).await;
    let cloud = AwsCloud::connect(settings(&moto.endpoint, "tests"));
    assert_eq!(cloud.accounts().await.expect("an account")[0].id, OWN_ACCOUNT);
    cloud_conformance::holds(&cloud).await;
}

#[tokio::test]
async fn every_active_account_of_the_organization_is_entered_by_the_role() {
    let moto = servers::moto();
    let organizations = aws_sdk_organizations::Client::new(&writer_config(&moto.endpoint));
    organization(&organizations).await;
    let mut members = Vec::new();
    for name in ["research", "sandbox", "closed"] {
        let made = organizations.create_account().account_name(name).email(format!("{name}@example.com"));
        let status = made.send().await.expect("made").create_account_status.expect("a status");
        members.push(status.account_id.expect("an id"));
    }
    let closed = members.pop().expect("three");
    organizations.close_account().account_id(&closed).send().await.expect("closed");
    for member in &members {
        let s3 = seeder(&moto.endpoint, inside(&moto.endpoint, member).await);
        let bucket = format!("of-{member}");
        s3.create_bucket().bucket(&bucket).send().await.expect("made");
        put(&s3, &bucket, "a.txt", "a").await;
    }

    let cloud = AwsCloud::connect(AwsSettings {
        accounts: Accounts::Organization(role()),
        ..settings(&moto.endpoint, "tests")
    });
    let accounts = cloud.accounts().await.expect("listed");
    let ids: Vec<&str> = accounts.iter().map(|account| account.id.as_str()).collect();
    assert!(ids.contains(&OWN_ACCOUNT) && !ids.contains(&closed.as_str()), "{ids:?}");
    for member in &members {
        let account = accounts.iter().find(|account| account.id == *member).expect("a member");
        assert_eq!(names(&cloud, account).await, [format!("of-{member}")]);
        let bucket = Bucket { account: account.clone(), name: format!("of-{member}"), region: None };
        assert_eq!(list(&cloud, &bucket, "").await.expect("listed").len(), 1);
    }
}

#[tokio::test]
async fn the_block_of_an_account_is_read_in_that_account() {
    let moto = servers::moto();
    let (blocked, open) = ("222233334444", "333344445555");
    let control = {
        let config = writer_config(&moto.endpoint).to_builder().credentials_provider(
            aws_sdk_s3::config::SharedCredentialsProvider::new(inside(&moto.endpoint, blocked).await),
        );
        aws_sdk_s3control::Client::from_conf(
            aws_sdk_s3control::config::Builder::from(&config.build())
                .endpoint_resolver(FixedEndpoint(moto.endpoint.clone()))
                .build(),
        )
    };
    let block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .ignore_public_acls(true)
        .block_public_policy(false)
        .restrict_public_buckets(true)
        .build();
    let put = control.put_public_access_block().account_id(blocked).public_access_block_configuration(block);
    put.send().await.expect("set");

    let listed = [blocked, open].map(|id| AccountAccess { id: id.to_owned(), role: Some(role()) });
    let cloud = AwsCloud::connect(AwsSettings {
        accounts: Accounts::Listed(listed.to_vec()),
        ..settings(&moto.endpoint, "tests")
    });
    let accounts = cloud.accounts().await.expect("listed");
    let facts = cloud.account_facts(&accounts[0]).await;
    assert_eq!(
        facts.answer("s3control:GetPublicAccessBlock"),
        Some(&json!({"PublicAccessBlockConfiguration": {
            "BlockPublicAcls": true,
            "IgnorePublicAcls": true,
            "BlockPublicPolicy": false,
            "RestrictPublicBuckets": true,
        }}))
    );
    let facts = cloud.account_facts(&accounts[1]).await;
    assert_eq!(
        facts.answer("s3control:GetPublicAccessBlock"),
        Some(&json!({"Error": {"Code": "NoSuchPublicAccessBlockConfiguration"}}))
    );
    let policy = facts.answer("organizations:DescribeEffectivePolicy").expect("asked");
    assert!(policy["Error"]["Code"].is_string(), "no organization stands behind this account: {policy}");
}

#[tokio::test]
async fn what_an_organization_and_a_cdn_say_of_an_account_is_read() {
    let moto = servers::moto();
    let config = writer_config(&moto.endpoint);
    distribution(&aws_sdk_cloudfront::Client::new(&config)).await;
    let policy = resource_control_policy(&aws_sdk_organizations::Client::new(&config)).await;

    let cloud = AwsCloud::connect(settings(&moto.endpoint, "tests"));
    let account = cloud.accounts().await.expect("an account").remove(0);
    let facts = cloud.account_facts(&account).await;
    // What moto answers of them has a name of its own, which must not be taken for an empty list.
    let points = multi_region_access_points(&facts, "everywhere");
    assert!(matches!(points, Fact::Unread(_)), "{points:?}");
    let (policies, gaps) = resource_control_policies(&facts, &account.id);
    assert!(gaps.is_empty(), "{gaps:?}");
    let ids: Vec<&str> = policies.iter().map(|(id, _)| id.as_str()).collect();
    assert!(ids.contains(&policy.as_str()), "{ids:?}");
    let published = distributions(&facts, &account.id);
    let Fact::Present(published) = published else { panic!("{published:?}") };
    assert_eq!(published[0].origins[0].0, "shown.s3.us-east-1.amazonaws.com");
    assert!(published[0].enabled && !published[0].signed);
}

async fn distribution(cloudfront: &aws_sdk_cloudfront::Client) {
    use aws_sdk_cloudfront::types::{
        DefaultCacheBehavior, DistributionConfig, Origin, Origins, S3OriginConfig, ViewerProtocolPolicy,
    };
    let origin = Origin::builder()
        .id("shown")
        .domain_name("shown.s3.us-east-1.amazonaws.com")
        .s3_origin_config(S3OriginConfig::builder().origin_access_identity("").build())
        .build()
        .expect("built");
    let behavior = DefaultCacheBehavior::builder()
        .target_origin_id("shown")
        .viewer_protocol_policy(ViewerProtocolPolicy::AllowAll)
        .build()
        .expect("built");
    let config = DistributionConfig::builder()
        .caller_reference("1")
        .origins(Origins::builder().quantity(1).items(origin).build().expect("built"))
        .default_cache_behavior(behavior)
        .comment("")
        .enabled(true)
        .build()
        .expect("built");
    cloudfront.create_distribution().distribution_config(config).send().await.expect("made");
}

/// Founds the organization of moto's own account, unless another test already did.
async fn organization(organizations: &aws_sdk_organizations::Client) {
    if let Err(error) = organizations.create_organization().send().await {
        let error = error.into_service_error();
        assert!(error.is_already_in_organization_exception(), "{error:?}");
    }
}

/// A policy attached to the root; its id.
async fn resource_control_policy(organizations: &aws_sdk_organizations::Client) -> String {
    use aws_sdk_organizations::types::PolicyType;
    organization(organizations).await;
    let roots = organizations.list_roots().send().await.expect("listed").roots.expect("one");
    let root = roots[0].id.as_deref().expect("an id");
    let kind = PolicyType::ResourceControlPolicy;
    let _ = organizations.enable_policy_type().root_id(root).policy_type(kind.clone()).send().await;
    let content = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
    }]});
    let made = organizations.create_policy().name("ours-only").description("").r#type(kind);
    let made = made.content(content.to_string()).send().await.expect("made").policy.expect("a policy");
    let id = made.policy_summary.expect("a summary").id.expect("an id");
    organizations.attach_policy().policy_id(&id).target_id(root).send().await.expect("attached");
    id
}

#[derive(Debug)]
struct FixedEndpoint(String);

impl aws_sdk_s3control::config::endpoint::ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(
        &'a self,
        _: &'a aws_sdk_s3control::config::endpoint::Params,
    ) -> aws_sdk_s3control::config::endpoint::EndpointFuture<'a> {
        let endpoint = aws_sdk_s3control::config::endpoint::Endpoint::builder().url(self.0.clone()).build();
        aws_sdk_s3control::config::endpoint::EndpointFuture::ready(Ok(endpoint))
    }
}

/// What the documentation tells people to grant.
const SCAN_ROLE_POLICY: &str = include_str!("../../scanner/deploy/aws/scan-role-policy.json");

#[tokio::test]
async fn what_is_not_granted_is_a_gap_and_the_documented_grants_suffice() {
    let moto = servers::strict_moto();
    let s3 = seeder(&moto.endpoint, credentials("tests"));
    s3.create_bucket().bucket("strict").send().await.expect("made");
    put(&s3, "strict", "a.txt", "a").await;
    let some = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Action": ["s3:ListAllMyBuckets", "s3:ListBucket", "s3:GetBucketAcl", "s3:GetBucketLocation"],
        "Resource": "*",
    }]});
    let some = user_with(&moto.endpoint, "some", &some.to_string());
    let documented = user_with(&moto.endpoint, "documented", SCAN_ROLE_POLICY);
    let (status, _) = servers::plain_request(&moto.endpoint, "POST /moto-api/reset-auth", "", "0");
    assert_eq!(status, 200, "moto enforces from here on");

    let with = |keys| AwsSettings { credentials: Some(keys), ..settings(&moto.endpoint, "unused") };
    partly_granted_is_partly_seen(with(some.clone())).await;
    no_grant_to_enter_is_said_of_the_account(with(some)).await;
    documented_grants_suffice(with(documented.clone())).await;
    let written = seeder(&moto.endpoint, documented).put_object().bucket("strict").key("b.txt").send().await;
    assert!(written.is_err(), "the documented role changes nothing");
}

async fn partly_granted_is_partly_seen(settings: AwsSettings) {
    let cloud = AwsCloud::connect(settings);
    let account = cloud.accounts().await.expect("an account").remove(0);
    assert_eq!(names(&cloud, &account).await, ["strict"]);
    let bucket = Bucket { account, name: "strict".to_owned(), region: None };
    let facts = cloud.access_facts(&bucket).await;
    assert!(facts.answer("s3:GetBucketAcl").expect("asked")["Grants"].is_array());
    assert_eq!(facts.answer("s3:GetBucketPolicy"), Some(&json!({"Error": {"Code": "AccessDenied"}})));
    let object = list(&cloud, &bucket, "").await.expect("listed").remove(0);
    let error = cloud_conformance::read(&cloud, &bucket, &object).await.expect_err("not granted");
    assert_eq!(error.gap().reason, GapReason::Denied, "{error}");
    assert!(error.to_string().contains("grant it to the scan role"), "{error}");
}

async fn no_grant_to_enter_is_said_of_the_account(settings: AwsSettings) {
    let elsewhere = AccountAccess { id: "444455556666".to_owned(), role: Some(role()) };
    let cloud = AwsCloud::connect(AwsSettings { accounts: Accounts::Listed(vec![elsewhere]), ..settings });
    let accounts = cloud.accounts().await.expect("listed all the same");
    let buckets: Result<Vec<Bucket>, _> = cloud.buckets(&accounts[0]).try_collect().await;
    let error = buckets.expect_err("the role cannot be assumed");
    assert_eq!(error.gap().reason, GapReason::Denied, "{error}");
    assert!(error.to_string().contains("check its name, its trust policy and the external id"), "{error}");
}

async fn documented_grants_suffice(settings: AwsSettings) {
    let cloud = AwsCloud::connect(settings);
    let account = cloud.accounts().await.expect("an account").remove(0);
    let mut facts = cloud.account_facts(&account).await;
    let bucket = Bucket { account, name: "strict".to_owned(), region: None };
    facts.inherit(&cloud.access_facts(&bucket).await);
    for object in list(&cloud, &bucket, "").await.expect("listed") {
        facts.inherit(&cloud.object_facts(&bucket, &object).await);
        assert_eq!(cloud_conformance::read(&cloud, &bucket, &object).await.expect("read"), b"a");
    }
    // For S3 Control moto asks for grants of `s3control:…`, which are no actions of AWS.
    for (operation, answer) in facts.iter().filter(|(operation, _)| operation.starts_with("s3:")) {
        assert_ne!(answer, &json!({"Error": {"Code": "AccessDenied"}}), "{operation}");
    }
}

/// A user of moto's identity service with one policy.
pub(super) fn user_with(endpoint: &str, name: &str, policy: &str) -> aws_credential_types::Credentials {
    let iam = |action: &str, parameters: &str| {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n\
                       Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/iam/aws4_request\r\n";
        let body = format!("Version=2010-05-08&Action={action}&UserName={name}{parameters}");
        let (status, answer) = servers::plain_request(endpoint, "POST /", headers, &body);
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let policy = percent_encoding::utf8_percent_encode(policy, percent_encoding::NON_ALPHANUMERIC);
    iam("CreateUser", "");
    iam("PutUserPolicy", &format!("&PolicyName=scan&PolicyDocument={policy}"));
    let answer = iam("CreateAccessKey", "");
    let field = |name: &str| {
        let (_, rest) = answer.split_once(&format!("<{name}>")).expect("a field");
        rest.split_once("</").expect("its end").0.to_owned()
    };
    aws_credential_types::Credentials::new(
        field("AccessKeyId"),
        field("SecretAccessKey"),
        None,
        None,
        "tests",
    )
}
