//! What decides who can reach the buckets of an account, beside the buckets themselves?

use aws_sdk_cloudfront::types::{CloudFrontOriginAccessIdentitySummary, DistributionSummary};
use aws_sdk_organizations::types::EffectivePolicyType;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3control::types::MultiRegionAccessPointReport;
use futures::future::FutureExt;
use serde_json::{Map, Value};

use super::accounts::UNKNOWN_ACCOUNT;
use super::facts::{Question, answers, ask, failed, question};
use super::failure::Failure;
use super::organization::Organization;
use super::session::Session;
use super::shapes;
use crate::estate::{Account, Facts};

/// Attempts at the organization's policy.
const POLICY_ATTEMPTS: u32 = 2;
/// AWS allows 100 multi-region access points in an account, and 500 distributions unless more were asked for.
const LISTED_MAX: usize = 10_000;

/// The account's own public access block and the organization's, its multi-region access points, what CloudFront
/// publishes of it, and the organization's resource control policies.
pub(super) async fn of_account(session: &Session, organization: &Organization, account: &Account) -> Facts {
    if account.id == UNKNOWN_ACCOUNT {
        return Facts::default();
    }
    let block =
        session.control(None, |control| control.get_public_access_block().account_id(&account.id).send());
    let policy = session.organizations(|organizations| {
        // Servers that do not know it break off, which counts as worth trying again: not for many seconds.
        let tries = aws_sdk_organizations::Config::builder()
            .retry_config(RetryConfig::standard().with_max_attempts(POLICY_ATTEMPTS));
        let describe = organizations.describe_effective_policy().policy_type(EffectivePolicyType::S3Policy);
        describe.customize().config_override(tries).send()
    });
    let control_policies = async {
        let answer = organization.resource_control_policies(&account.id).await;
        ("organizations:DescribePolicy".to_owned(), answer)
    };
    let questions: Vec<Question<'_>> = vec![
        question("s3control:GetPublicAccessBlock", block, shapes::account_public_access_block),
        question("organizations:DescribeEffectivePolicy", policy, shapes::effective_policy),
        control_policies.boxed(),
        listed("cloudfront:ListDistributions", distributions(session), shapes::distributions),
        listed(
            "cloudfront:ListCloudFrontOriginAccessIdentities",
            origin_identities(session),
            shapes::origin_identities,
        ),
    ];
    let (mut facts, points) = futures::join!(ask(questions), of_multi_region_access_points(session, account));
    facts.inherit(&points);
    facts
}

/// A listing, its pages as one answer, or the error that ended it: part of a list would pass for the whole.
fn listed<'a, T: 'a>(
    name: &'static str,
    pages: impl Future<Output = Result<Vec<T>, Failure>> + Send + 'a,
    shape: fn(&[T]) -> Value,
) -> Question<'a> {
    async move {
        let answer = pages.await.map_or_else(|failure| failed(&failure), |items| shape(&items));
        (name.to_owned(), answer)
    }
    .boxed()
}

async fn of_multi_region_access_points(session: &Session, account: &Account) -> Facts {
    const LIST: &str = "s3control:ListMultiRegionAccessPoints";
    let mut facts = Facts::default();
    let points = match multi_region_access_points(session, &account.id).await {
        Ok(points) => points,
        Err(failure) => {
            facts.record(LIST, failed(&failure));
            return facts;
        }
    };
    facts.record(LIST, shapes::multi_region_access_points(&points));
    /// One operation asked of every access point: a map by the access point's name.
    macro_rules! each {
        ($operation:literal, $call:ident, $shape:ident) => {{
            let questions = points.iter().filter_map(|point| point.name()).map(|name| {
                let call = session.multi_region_control(move |control| {
                    control.$call().account_id(&account.id).name(name).send()
                });
                question(name, call, shapes::$shape)
            });
            let answers: Map<String, Value> = answers(questions.collect()).await.into_iter().collect();
            facts.record($operation, Value::Object(answers));
        }};
    }
    each!(
        "s3control:GetMultiRegionAccessPointPolicy",
        get_multi_region_access_point_policy,
        multi_region_policy
    );
    each!(
        "s3control:GetMultiRegionAccessPointPolicyStatus",
        get_multi_region_access_point_policy_status,
        multi_region_policy_status
    );
    facts
}

async fn multi_region_access_points(
    session: &Session,
    account: &str,
) -> Result<Vec<MultiRegionAccessPointReport>, Failure> {
    let mut points = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let next = token.clone();
        let page = session
            .multi_region_control(|control| {
                control.list_multi_region_access_points().account_id(account).set_next_token(next).send()
            })
            .await
            .map_err(|error| Failure::of(&error))?;
        // An answer of another kind parses as an empty one.
        points.extend(page.access_points.ok_or_else(Failure::unparsable)?);
        match advanced(token, page.next_token, points.len())? {
            Some(next) => token = Some(next),
            None => return Ok(points),
        }
    }
}

async fn distributions(session: &Session) -> Result<Vec<DistributionSummary>, Failure> {
    let mut all = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let next = marker.clone();
        let page =
            session.cloudfront(|cloudfront| cloudfront.list_distributions().set_marker(next).send()).await;
        let page = page.map_err(|error| Failure::of(&error))?;
        let list = page.distribution_list.ok_or_else(Failure::unparsable)?;
        all.extend(list.items.unwrap_or_default());
        match advanced(marker, list.next_marker, all.len())? {
            Some(next) => marker = Some(next),
            None => return Ok(all),
        }
    }
}

async fn origin_identities(session: &Session) -> Result<Vec<CloudFrontOriginAccessIdentitySummary>, Failure> {
    let mut all = Vec::new();
    let mut marker: Option<String> = None;
    loop {
        let next = marker.clone();
        let page = session
            .cloudfront(|cloudfront| {
                cloudfront.list_cloud_front_origin_access_identities().set_marker(next).send()
            })
            .await;
        let page = page.map_err(|error| Failure::of(&error))?;
        let list = page.cloud_front_origin_access_identity_list.ok_or_else(Failure::unparsable)?;
        all.extend(list.items.unwrap_or_default());
        match advanced(marker, list.next_marker, all.len())? {
            Some(next) => marker = Some(next),
            None => return Ok(all),
        }
    }
}

/// Where a listing goes on, if it does; one that does not advance, or has no end, is none.
fn advanced(before: Option<String>, next: Option<String>, so_far: usize) -> Result<Option<String>, Failure> {
    let next = next.filter(|next| !next.is_empty());
    if next.is_some() && (next == before || so_far > LISTED_MAX) {
        return Err(Failure::unparsable());
    }
    Ok(next)
}
