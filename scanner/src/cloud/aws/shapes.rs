//! How does AWS's command line print each answer?
//!
//! One function per operation, in the order in which [`super::facts`] asks. `None` means that the answer parsed but
//! lacks what the operation is for: the estate must hear of that as an error, not as a value.

use aws_sdk_s3::operation::{
    get_bucket_acl::GetBucketAclOutput, get_bucket_encryption::GetBucketEncryptionOutput,
    get_bucket_location::GetBucketLocationOutput, get_bucket_logging::GetBucketLoggingOutput,
    get_bucket_ownership_controls::GetBucketOwnershipControlsOutput,
    get_bucket_policy::GetBucketPolicyOutput, get_bucket_policy_status::GetBucketPolicyStatusOutput,
    get_bucket_tagging::GetBucketTaggingOutput, get_bucket_versioning::GetBucketVersioningOutput,
    get_bucket_website::GetBucketWebsiteOutput, get_object_acl::GetObjectAclOutput,
    get_public_access_block::GetPublicAccessBlockOutput,
    list_bucket_inventory_configurations::ListBucketInventoryConfigurationsOutput,
};
use aws_sdk_s3::types::{Grant, Owner, RoutingRule, ServerSideEncryptionRule};
use aws_sdk_s3control::operation::{
    get_access_point::GetAccessPointOutput, get_access_point_policy::GetAccessPointPolicyOutput,
    get_access_point_policy_status::GetAccessPointPolicyStatusOutput,
};
use aws_sdk_s3control::types::{
    AccessPoint, PublicAccessBlockConfiguration as AccessPointBlock, VpcConfiguration,
};
use serde_json::{Map, Value, json};

mod account;

pub(super) use account::*;

pub(super) fn bucket_acl(answer: &GetBucketAclOutput) -> Option<Value> {
    acl(answer.owner.as_ref()?, answer.grants.as_deref()?)
}

pub(super) fn object_acl(answer: &GetObjectAclOutput) -> Option<Value> {
    acl(answer.owner.as_ref()?, answer.grants.as_deref()?)
}

fn acl(owner: &Owner, grants: &[Grant]) -> Option<Value> {
    let owner = fields([("DisplayName", text(owner.display_name())), ("ID", text(owner.id()))]);
    let grants: Vec<Value> = grants.iter().map(grant).collect();
    Some(json!({ "Owner": owner, "Grants": grants }))
}

fn grant(grant: &Grant) -> Value {
    let grantee = grant.grantee().map(|grantee| {
        fields([
            ("DisplayName", text(grantee.display_name())),
            ("EmailAddress", text(grantee.email_address())),
            ("ID", text(grantee.id())),
            ("Type", text(Some(grantee.r#type().as_str()))),
            ("URI", text(grantee.uri())),
        ])
    });
    let permission = grant.permission().map(|permission| permission.as_str());
    fields([("Grantee", grantee), ("Permission", text(permission))])
}

pub(super) fn bucket_policy(answer: &GetBucketPolicyOutput) -> Option<Value> {
    policy(answer.policy())
}

/// A policy is handed over as text, whatever the text is: some servers answer with a listing instead.
fn policy(policy: Option<&str>) -> Option<Value> {
    let policy = policy.filter(|text| serde_json::from_str::<Map<String, Value>>(text).is_ok())?;
    Some(json!({ "Policy": policy }))
}

pub(super) fn bucket_policy_status(answer: &GetBucketPolicyStatusOutput) -> Option<Value> {
    let public = answer.policy_status()?.is_public?;
    Some(json!({ "PolicyStatus": { "IsPublic": public } }))
}

pub(super) fn public_access_block(answer: &GetPublicAccessBlockOutput) -> Option<Value> {
    let block = answer.public_access_block_configuration()?;
    let block = flags([
        block.block_public_acls,
        block.ignore_public_acls,
        block.block_public_policy,
        block.restrict_public_buckets,
    ]);
    Some(json!({ "PublicAccessBlockConfiguration": block }))
}

/// The four switches of a public access block, in the order in which AWS documents them.
fn flags(flags: [Option<bool>; 4]) -> Value {
    let [block_acls, ignore_acls, block_policy, restrict] = flags.map(|flag| flag.map(Value::Bool));
    fields([
        ("BlockPublicAcls", block_acls),
        ("IgnorePublicAcls", ignore_acls),
        ("BlockPublicPolicy", block_policy),
        ("RestrictPublicBuckets", restrict),
    ])
}

pub(super) fn bucket_ownership_controls(answer: &GetBucketOwnershipControlsOutput) -> Option<Value> {
    let rules = answer.ownership_controls()?.rules();
    let rules: Vec<Value> =
        rules.iter().map(|rule| json!({ "ObjectOwnership": rule.object_ownership().as_str() })).collect();
    (!rules.is_empty()).then(|| json!({ "OwnershipControls": { "Rules": rules } }))
}

pub(super) fn bucket_website(answer: &GetBucketWebsiteOutput) -> Option<Value> {
    let redirect_all = answer.redirect_all_requests_to().map(|to| {
        fields([
            ("HostName", text(Some(to.host_name()))),
            ("Protocol", text(to.protocol().map(|protocol| protocol.as_str()))),
        ])
    });
    let index = answer.index_document().map(|index| json!({ "Suffix": index.suffix() }));
    let error = answer.error_document().map(|error| json!({ "Key": error.key() }));
    let rules = answer.routing_rules.as_ref().map(|rules| rules.iter().map(routing_rule).collect());
    Some(fields([
        ("RedirectAllRequestsTo", redirect_all),
        ("IndexDocument", index),
        ("ErrorDocument", error),
        ("RoutingRules", rules),
    ]))
}

fn routing_rule(rule: &RoutingRule) -> Value {
    let condition = rule.condition().map(|condition| {
        fields([
            ("HttpErrorCodeReturnedEquals", text(condition.http_error_code_returned_equals())),
            ("KeyPrefixEquals", text(condition.key_prefix_equals())),
        ])
    });
    let redirect = rule.redirect().map(|redirect| {
        fields([
            ("HostName", text(redirect.host_name())),
            ("HttpRedirectCode", text(redirect.http_redirect_code())),
            ("Protocol", text(redirect.protocol().map(|protocol| protocol.as_str()))),
            ("ReplaceKeyPrefixWith", text(redirect.replace_key_prefix_with())),
            ("ReplaceKeyWith", text(redirect.replace_key_with())),
        ])
    });
    fields([("Condition", condition), ("Redirect", redirect)])
}

pub(super) fn bucket_location(answer: &GetBucketLocationOutput) -> Option<Value> {
    let constraint = answer.location_constraint().map(|constraint| constraint.as_str());
    Some(json!({ "LocationConstraint": constraint.filter(|name| !name.is_empty()) }))
}

pub(super) fn bucket_tagging(answer: &GetBucketTaggingOutput) -> Option<Value> {
    let tags = answer.tag_set().iter().map(|tag| json!({ "Key": tag.key(), "Value": tag.value() }));
    Some(json!({ "TagSet": tags.collect::<Vec<_>>() }))
}

pub(super) fn bucket_versioning(answer: &GetBucketVersioningOutput) -> Option<Value> {
    Some(fields([
        ("Status", text(answer.status().map(|status| status.as_str()))),
        ("MFADelete", text(answer.mfa_delete().map(|status| status.as_str()))),
    ]))
}

pub(super) fn bucket_encryption(answer: &GetBucketEncryptionOutput) -> Option<Value> {
    let rules: Vec<Value> =
        answer.server_side_encryption_configuration()?.rules().iter().map(encryption_rule).collect();
    (!rules.is_empty()).then(|| json!({ "ServerSideEncryptionConfiguration": { "Rules": rules } }))
}

fn encryption_rule(rule: &ServerSideEncryptionRule) -> Value {
    let default = rule.apply_server_side_encryption_by_default().map(|default| {
        fields([
            ("SSEAlgorithm", text(Some(default.sse_algorithm().as_str()))),
            ("KMSMasterKeyID", text(default.kms_master_key_id())),
        ])
    });
    fields([
        ("ApplyServerSideEncryptionByDefault", default),
        ("BucketKeyEnabled", rule.bucket_key_enabled().map(Value::Bool)),
    ])
}

pub(super) fn bucket_logging(answer: &GetBucketLoggingOutput) -> Option<Value> {
    let enabled = answer.logging_enabled().map(|logging| {
        let format = logging.target_object_key_format().and_then(|format| format.partitioned_prefix());
        let format = format.map(|partitioned| {
            let date = partitioned.partition_date_source().map(|source| source.as_str().into());
            json!({ "PartitionedPrefix": fields([("PartitionDateSource", date)]) })
        });
        fields([
            ("TargetBucket", Some(logging.target_bucket().into())),
            ("TargetPrefix", Some(logging.target_prefix().into())),
            ("TargetObjectKeyFormat", format),
        ])
    });
    Some(fields([("LoggingEnabled", enabled)]))
}

/// The first hundred, which is more than anybody has.
pub(super) fn inventory_configurations(answer: &ListBucketInventoryConfigurationsOutput) -> Option<Value> {
    let listed = answer.inventory_configuration_list().iter().map(|inventory| {
        let fields_listed = inventory.optional_fields().iter().map(|field| field.as_str());
        let to = inventory.destination().and_then(|destination| destination.s3_bucket_destination());
        let to = to.map(|to| {
            fields([
                ("AccountId", text(to.account_id())),
                ("Bucket", text(Some(to.bucket()))),
                ("Format", text(Some(to.format().as_str()))),
                ("Prefix", text(to.prefix())),
            ])
        });
        fields([
            ("Destination", to.map(|to| json!({ "S3BucketDestination": to }))),
            ("IsEnabled", Some(inventory.is_enabled().into())),
            ("Filter", inventory.filter().map(|filter| json!({ "Prefix": filter.prefix() }))),
            ("Id", text(Some(inventory.id()))),
            ("IncludedObjectVersions", text(Some(inventory.included_object_versions().as_str()))),
            ("OptionalFields", Some(fields_listed.collect())),
        ])
    });
    Some(json!({ "InventoryConfigurationList": listed.collect::<Vec<_>>() }))
}

/// The answers to the pages of `ListAccessPoints`, as one.
pub(super) fn access_points(listed: &[AccessPoint]) -> Value {
    let listed: Vec<Value> = listed
        .iter()
        .map(|point| {
            fields([
                ("Name", text(Some(point.name()))),
                ("NetworkOrigin", text(Some(point.network_origin().as_str()))),
                ("VpcConfiguration", vpc(point.vpc_configuration())),
                ("Bucket", text(Some(point.bucket()))),
                ("AccessPointArn", text(point.access_point_arn())),
                ("Alias", text(point.alias())),
                ("BucketAccountId", text(point.bucket_account_id())),
            ])
        })
        .collect();
    json!({ "AccessPointList": listed })
}

pub(super) fn access_point(answer: &GetAccessPointOutput) -> Option<Value> {
    Some(fields([
        ("Name", Some(answer.name()?.into())),
        ("Bucket", text(answer.bucket())),
        ("NetworkOrigin", Some(answer.network_origin()?.as_str().into())),
        ("VpcConfiguration", vpc(answer.vpc_configuration())),
        (
            "PublicAccessBlockConfiguration",
            answer.public_access_block_configuration().map(access_point_block),
        ),
        ("Alias", text(answer.alias())),
        ("AccessPointArn", text(answer.access_point_arn())),
        ("BucketAccountId", text(answer.bucket_account_id())),
    ]))
}

fn vpc(configuration: Option<&VpcConfiguration>) -> Option<Value> {
    configuration.map(|vpc| json!({ "VpcId": vpc.vpc_id() }))
}

fn access_point_block(block: &AccessPointBlock) -> Value {
    flags([
        block.block_public_acls,
        block.ignore_public_acls,
        block.block_public_policy,
        block.restrict_public_buckets,
    ])
}

pub(super) fn access_point_policy(answer: &GetAccessPointPolicyOutput) -> Option<Value> {
    policy(answer.policy())
}

pub(super) fn access_point_policy_status(answer: &GetAccessPointPolicyStatusOutput) -> Option<Value> {
    let public = answer.policy_status()?.is_public();
    Some(json!({ "PolicyStatus": { "IsPublic": public } }))
}

fn text(value: Option<&str>) -> Option<Value> {
    value.map(Value::from)
}

/// An object of the fields that are there.
fn fields<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let present = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect())
}
