//! Which of AWS's answers state that something is absent, and what do the others say?
//!
//! Facts are kept under `service:Operation` in the shapes that the AWS CLI prints. One answer each:
//!
//! | of a bucket | of an account or its organization |
//! |---|---|
//! | `s3:GetBucketAcl`, `s3:GetBucketPolicy` (`{"Policy": "…"}`, text or object), `s3:GetBucketPolicyStatus`, `s3:GetPublicAccessBlock`, `s3:GetBucketOwnershipControls`, `s3:GetBucketWebsite`, `s3:GetBucketLocation`, `s3:GetBucketTagging`, `s3:GetBucketVersioning`, `s3:GetBucketEncryption`, `s3:ListBucketInventoryConfigurations` | `s3control:GetPublicAccessBlock`, `s3control:ListAccessPoints`, `s3control:ListMultiRegionAccessPoints`, `organizations:DescribeEffectivePolicy` (of type `S3_POLICY`), `cloudfront:ListDistributions`, `cloudfront:ListCloudFrontOriginAccessIdentities` |
//!
//! Maps from a name to its answer, because the operation is asked once for each:
//! `s3control:GetAccessPoint`, `s3control:GetAccessPointPolicy`, `s3control:GetAccessPointPolicyStatus` (by the access
//! point's name), `s3control:GetMultiRegionAccessPointPolicy`, `s3control:GetMultiRegionAccessPointPolicyStatus` (by
//! name) and `organizations:DescribePolicy` (by the policy's id: the resource control policies attached to the account
//! and to what stands above it). Of an object: `s3:GetObjectAcl`.
//!
//! An error is `{"Error": {"Code": …}}`. What does not stand there was not read.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::estate::reading::Wording;
use crate::estate::{Fact, Facts, GapReason};

mod answers;
mod inventory;

pub use inventory::{Inventory, Manifest, acl_inventories};

pub use answers::{
    AccessPoint, Acl, Block, Distribution, Grant, Grantee, OriginIdentity, PolicyStatus, access_points, acl,
    bucket_policy, distributions, multi_region_access_points, origin_identities, ownership, region,
    resource_control_policies,
};

/// The error codes by which an operation says that there is nothing, from the operation's API reference.
fn absent_codes(operation: &str) -> &'static [&'static str] {
    match operation {
        "s3:GetBucketPolicy" | "s3:GetBucketPolicyStatus" => &["NoSuchBucketPolicy"],
        "s3:GetPublicAccessBlock" | "s3control:GetPublicAccessBlock" => {
            &["NoSuchPublicAccessBlockConfiguration"]
        }
        "s3:GetBucketWebsite" => &["NoSuchWebsiteConfiguration"],
        "s3:GetBucketOwnershipControls" => &["OwnershipControlsNotFoundError"],
        "s3:GetBucketTagging" => &["NoSuchTagSet", "NoSuchTagSetError"],
        "s3:GetBucketEncryption" => &["ServerSideEncryptionConfigurationNotFoundError"],
        "s3control:GetAccessPointPolicy"
        | "s3control:GetAccessPointPolicyStatus"
        | "s3control:GetMultiRegionAccessPointPolicy"
        | "s3control:GetMultiRegionAccessPointPolicyStatus" => &["NoSuchAccessPointPolicy"],
        "organizations:DescribeEffectivePolicy" => {
            &["EffectivePolicyNotFoundException", "AWSOrganizationsNotInUseException"]
        }
        "organizations:DescribePolicy" => &["PolicyNotFoundException", "AWSOrganizationsNotInUseException"],
        _ => &[],
    }
}

/// How an error code of AWS is to be taken.
pub fn gap_reason(code: &str) -> GapReason {
    match code {
        "AccessDenied"
        | "AccessDeniedException"
        | "AllAccessDisabled"
        | "UnauthorizedAccess"
        | "Forbidden" => GapReason::Denied,
        "NoSuchBucket" | "NoSuchKey" | "NoSuchAccessPoint" | "404" => GapReason::NotFound,
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "RequestThrottled" => GapReason::Throttled,
        "RequestTimeout" | "TimedOut" | "RequestTimedOut" => GapReason::TimedOut,
        "EndpointUnreachable" => GapReason::Unreachable,
        "UnparsableResponse" => GapReason::Malformed,
        "NotImplemented" | "MethodNotAllowed" | "UnsupportedOperation" | "XNotImplemented" => {
            GapReason::Unsupported
        }
        _ => GapReason::Failed,
    }
}

const WORDING: Wording = Wording { provider: "AWS", absent: absent_codes, reason: gap_reason };

/// Reads one answer of `operation` about `resource`: the provider's own words for "there is none" are absence, every
/// other error is unread, and so is an answer that breaks its format.
pub fn read_answer<T>(
    operation: &str,
    resource: &str,
    answer: Option<&Value>,
    parse: impl FnOnce(&Value) -> Result<T, String>,
) -> Fact<T> {
    WORDING.read(operation, resource, answer, parse)
}

/// Reads the answer of `operation` from `facts`.
pub fn read<T>(
    facts: &Facts,
    operation: &str,
    resource: &str,
    parse: impl FnOnce(&Value) -> Result<T, String>,
) -> Fact<T> {
    read_answer(operation, resource, facts.answer(operation), parse)
}

/// A parser for answers that are one typed object under `name`.
fn under<T: DeserializeOwned>(name: &'static str) -> impl FnOnce(&Value) -> Result<T, String> {
    move |answer| {
        let inner =
            answer.get(name).filter(|inner| inner.is_object()).ok_or_else(|| format!("no `{name}`"))?;
        T::deserialize(inner).map_err(|error| error.to_string())
    }
}

/// The block public access settings kept under `operation`.
pub fn public_access_block(facts: &Facts, operation: &str, resource: &str) -> Fact<Block> {
    read(facts, operation, resource, under("PublicAccessBlockConfiguration"))
}

/// AWS's own verdict on the bucket's policy.
pub fn policy_status(facts: &Facts, bucket: &str) -> Fact<PolicyStatus> {
    read(facts, "s3:GetBucketPolicyStatus", bucket, under("PolicyStatus"))
}

/// The bucket's tags; unread counts as none, they grant nothing here.
pub fn tags(facts: &Facts) -> Vec<(String, String)> {
    let set = facts.answer("s3:GetBucketTagging").and_then(|answer| answer.get("TagSet"));
    let text = |tag: &Value, name: &str| tag.get(name).and_then(Value::as_str).map(str::to_owned);
    let tags = set.and_then(Value::as_array).into_iter().flatten();
    tags.filter_map(|tag| Some((text(tag, "Key")?, text(tag, "Value")?))).collect()
}

/// Whether a website configuration stands; unread counts as no, it grants nothing.
pub fn is_website(facts: &Facts, bucket: &str) -> bool {
    let website = read(facts, "s3:GetBucketWebsite", bucket, |answer| {
        answer.as_object().map(|_| ()).ok_or_else(|| "no object".to_owned())
    });
    website == Fact::Present(())
}

/// Whether new objects are encrypted with a key of KMS by default.
pub fn encrypts_with_kms(facts: &Facts, bucket: &str) -> bool {
    let pointer = "/ServerSideEncryptionConfiguration/Rules";
    let rules = read(facts, "s3:GetBucketEncryption", bucket, |answer| {
        let rules = answer.pointer(pointer).and_then(Value::as_array).ok_or("no rules")?;
        let kms = |rule: &Value| {
            let algorithm = rule.pointer("/ApplyServerSideEncryptionByDefault/SSEAlgorithm");
            algorithm.and_then(Value::as_str).is_some_and(|name| name.starts_with("aws:kms"))
        };
        Ok(rules.iter().any(kms))
    });
    rules == Fact::Present(true)
}

/// What the organization's S3 policy sets for all its accounts: all four flags on (`true`) or off.
pub fn organization_block(facts: &Facts, account: &str) -> Fact<bool> {
    read(facts, "organizations:DescribeEffectivePolicy", account, |answer| {
        let policy = answer.get("EffectivePolicy").unwrap_or(answer);
        let content = policy.get("PolicyContent").ok_or("no `PolicyContent`")?;
        let content = object(content)?;
        let setting =
            content.pointer("/s3_attributes/public_access_block_configuration").ok_or("no S3 settings")?;
        let setting = setting.get("@@assign").unwrap_or(setting);
        match setting.as_str() {
            Some("all") => Ok(true),
            Some("none") => Ok(false),
            _ => Err("neither `all` nor `none`".to_owned()),
        }
    })
}

/// An object, or the text of one.
fn object(value: &Value) -> Result<Value, String> {
    match value {
        Value::Object(_) => Ok(value.clone()),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(value @ Value::Object(_)) => Ok(value),
            Ok(_) => Err("no JSON object".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        _ => Err("neither text nor object".to_owned()),
    }
}

#[cfg(test)]
mod tests;
