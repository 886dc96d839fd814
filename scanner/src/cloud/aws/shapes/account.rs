//! How does AWS's command line print what is asked about an account and its organization?

use aws_sdk_cloudfront::types::{
    CacheBehavior, CloudFrontOriginAccessIdentitySummary, DefaultCacheBehavior, DistributionSummary, Origin,
    TrustedKeyGroups, TrustedSigners,
};
use aws_sdk_organizations::operation::describe_effective_policy::DescribeEffectivePolicyOutput;
use aws_sdk_organizations::operation::describe_policy::DescribePolicyOutput;
use aws_sdk_s3control::operation::{
    get_multi_region_access_point_policy::GetMultiRegionAccessPointPolicyOutput,
    get_multi_region_access_point_policy_status::GetMultiRegionAccessPointPolicyStatusOutput,
    get_public_access_block::GetPublicAccessBlockOutput,
};
use aws_sdk_s3control::types::MultiRegionAccessPointReport;
use serde_json::{Value, json};

use super::{access_point_block, fields, policy, text};

pub(in super::super) fn account_public_access_block(answer: &GetPublicAccessBlockOutput) -> Option<Value> {
    let block = access_point_block(answer.public_access_block_configuration()?);
    Some(json!({ "PublicAccessBlockConfiguration": block }))
}

pub(in super::super) fn effective_policy(answer: &DescribeEffectivePolicyOutput) -> Option<Value> {
    let policy = answer.effective_policy()?;
    let effective = fields([
        ("PolicyContent", Some(policy.policy_content()?.into())),
        ("TargetId", text(policy.target_id())),
        ("PolicyType", text(policy.policy_type().map(|kind| kind.as_str()))),
    ]);
    Some(json!({ "EffectivePolicy": effective }))
}

pub(in super::super) fn organization_policy(answer: &DescribePolicyOutput) -> Option<Value> {
    let policy = answer.policy()?;
    let summary = policy.policy_summary()?;
    let summary = fields([
        ("Id", text(summary.id())),
        ("Arn", text(summary.arn())),
        ("Name", text(summary.name())),
        ("Type", Some(summary.r#type()?.as_str().into())),
        ("AwsManaged", Some(summary.aws_managed().into())),
    ]);
    Some(json!({ "Policy": { "PolicySummary": summary, "Content": policy.content()? } }))
}

/// The answers to the pages of `ListMultiRegionAccessPoints`, as one.
pub(in super::super) fn multi_region_access_points(listed: &[MultiRegionAccessPointReport]) -> Value {
    let point = |point: &MultiRegionAccessPointReport| {
        let regions: Vec<Value> = point
            .regions()
            .iter()
            .map(|region| {
                fields([
                    ("Bucket", text(region.bucket())),
                    ("Region", text(region.region())),
                    ("BucketAccountId", text(region.bucket_account_id())),
                ])
            })
            .collect();
        fields([
            ("Name", text(point.name())),
            ("Alias", text(point.alias())),
            ("PublicAccessBlock", point.public_access_block().map(access_point_block)),
            ("Status", text(point.status().map(|status| status.as_str()))),
            ("Regions", Some(regions.into())),
        ])
    };
    json!({ "AccessPoints": listed.iter().map(point).collect::<Vec<_>>() })
}

pub(in super::super) fn multi_region_policy(answer: &GetMultiRegionAccessPointPolicyOutput) -> Option<Value> {
    let established = answer.policy()?.established()?;
    Some(json!({ "Policy": { "Established": policy(established.policy())? } }))
}

pub(in super::super) fn multi_region_policy_status(
    answer: &GetMultiRegionAccessPointPolicyStatusOutput,
) -> Option<Value> {
    Some(json!({ "Established": { "IsPublic": answer.established()?.is_public() } }))
}

/// The answers to the pages of `ListDistributions`, as one; of each, what decides whom it lets in where.
pub(in super::super) fn distributions(listed: &[DistributionSummary]) -> Value {
    let items: Vec<Value> = listed.iter().map(distribution).collect();
    json!({ "DistributionList": { "Quantity": items.len(), "Items": items } })
}

fn distribution(listed: &DistributionSummary) -> Value {
    let origins: Vec<Value> =
        listed.origins().map_or(&[][..], |origins| origins.items()).iter().map(origin).collect();
    let aliases = listed.aliases().map(|aliases| json!({ "Items": aliases.items() }));
    let behaviors = listed.cache_behaviors().map(|behaviors| {
        let items: Vec<Value> = behaviors.items().iter().map(cache_behavior).collect();
        json!({ "Quantity": items.len(), "Items": items })
    });
    fields([
        ("Id", text(Some(listed.id()))),
        ("ARN", text(Some(listed.arn()))),
        ("DomainName", text(Some(listed.domain_name()))),
        ("Aliases", aliases),
        ("Origins", Some(json!({ "Quantity": origins.len(), "Items": origins }))),
        ("DefaultCacheBehavior", listed.default_cache_behavior().map(default_cache_behavior)),
        ("CacheBehaviors", behaviors),
        ("Enabled", Some(listed.enabled().into())),
    ])
}

fn origin(origin: &Origin) -> Value {
    let s3 =
        origin.s3_origin_config().map(|s3| json!({ "OriginAccessIdentity": s3.origin_access_identity() }));
    fields([
        ("Id", text(Some(origin.id()))),
        ("DomainName", text(Some(origin.domain_name()))),
        ("OriginPath", text(origin.origin_path())),
        ("S3OriginConfig", s3),
        ("OriginAccessControlId", text(origin.origin_access_control_id())),
    ])
}

fn default_cache_behavior(behavior: &DefaultCacheBehavior) -> Value {
    fields([
        ("TargetOriginId", text(Some(behavior.target_origin_id()))),
        ("TrustedSigners", signers(behavior.trusted_signers())),
        ("TrustedKeyGroups", key_groups(behavior.trusted_key_groups())),
    ])
}

fn cache_behavior(behavior: &CacheBehavior) -> Value {
    fields([
        ("PathPattern", text(Some(behavior.path_pattern()))),
        ("TargetOriginId", text(Some(behavior.target_origin_id()))),
        ("TrustedSigners", signers(behavior.trusted_signers())),
        ("TrustedKeyGroups", key_groups(behavior.trusted_key_groups())),
    ])
}

fn signers(signers: Option<&TrustedSigners>) -> Option<Value> {
    signers.map(|signers| json!({ "Enabled": signers.enabled(), "Quantity": signers.quantity() }))
}

fn key_groups(groups: Option<&TrustedKeyGroups>) -> Option<Value> {
    groups.map(|groups| json!({ "Enabled": groups.enabled(), "Quantity": groups.quantity() }))
}

/// The answers to the pages of `ListCloudFrontOriginAccessIdentities`, as one.
pub(in super::super) fn origin_identities(listed: &[CloudFrontOriginAccessIdentitySummary]) -> Value {
    let identity = |identity: &CloudFrontOriginAccessIdentitySummary| json!({ "Id": identity.id(), "S3CanonicalUserId": identity.s3_canonical_user_id() });
    let items: Vec<Value> = listed.iter().map(identity).collect();
    json!({ "CloudFrontOriginAccessIdentityList": { "Quantity": items.len(), "Items": items } })
}
