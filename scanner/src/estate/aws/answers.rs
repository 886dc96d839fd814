//! What do AWS's answers look like?

use serde::Deserialize;
use serde_json::Value;

use super::{object, read, read_answer, under};
use crate::estate::{Fact, Facts, Gap};

/// An access control list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Acl {
    /// The canonical user id of whoever owns the bucket or object, where stated.
    #[serde(rename = "Owner", default)]
    pub owner: Owner,
    /// Who is granted what.
    #[serde(rename = "Grants")]
    pub grants: Vec<Grant>,
}

/// Who owns a bucket or object.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Owner {
    /// The canonical user id.
    #[serde(rename = "ID", default)]
    pub id: String,
}

/// One grant of an access control list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Grant {
    /// To whom.
    #[serde(rename = "Grantee")]
    pub grantee: Grantee,
    /// `READ`, `WRITE`, `READ_ACP`, `WRITE_ACP` or `FULL_CONTROL`.
    #[serde(rename = "Permission")]
    pub permission: String,
}

/// Who is granted something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Grantee {
    /// A group's address.
    #[serde(rename = "URI", default)]
    pub uri: Option<String>,
    /// A canonical user id.
    #[serde(rename = "ID", default)]
    pub id: Option<String>,
    /// An account by the address of its root user.
    #[serde(rename = "EmailAddress", default)]
    pub email: Option<String>,
}

/// The four settings of block public access; one that is not stated is off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Block {
    /// Refuses new public ACLs; existing ones stay in effect.
    pub block_public_acls: bool,
    /// Takes all public ACLs out of effect.
    pub ignore_public_acls: bool,
    /// Refuses new public policies; an existing one stays in effect.
    pub block_public_policy: bool,
    /// Limits a bucket with a public policy to its own account and to AWS services.
    pub restrict_public_buckets: bool,
}

/// AWS's own verdict on a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyStatus {
    /// Whether AWS counts it as public.
    pub is_public: bool,
}

/// An access point of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessPoint {
    /// Its name; for a multi-region access point its alias.
    pub name: String,
    /// Its ARN, where stated.
    pub arn: Option<String>,
    /// Whether requests come from one VPC only.
    pub vpc: Option<String>,
    /// Whether it spans regions.
    pub multi_region: bool,
    /// Its own block public access settings, fixed at its creation.
    pub block: Fact<Block>,
    /// Its policy's JSON.
    pub policy: Fact<Value>,
    /// AWS's own verdict on that policy.
    pub status: Fact<PolicyStatus>,
}

/// A CloudFront distribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its ARN.
    pub arn: String,
    /// The host name to ask.
    pub domain: String,
    /// Whether it answers.
    pub enabled: bool,
    /// Whether viewers need a signed URL or cookie, whatever the path.
    pub signed: bool,
    /// Its origins: host name, and the origin access identity if it has one.
    pub origins: Vec<(String, Option<String>)>,
}

/// A CloudFront origin access identity.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OriginIdentity {
    /// Its id, `E…`.
    pub id: String,
    /// The canonical user id by which S3 knows it.
    pub s3_canonical_user_id: String,
}

/// Reads an ACL kept under `operation`.
pub fn acl(facts: &Facts, operation: &str, resource: &str) -> Fact<Acl> {
    read(facts, operation, resource, |answer| {
        // A derived reader would take a list as well.
        let answer = answer.as_object().map(|_| answer).ok_or("no object")?;
        Acl::deserialize(answer).map_err(|error| error.to_string())
    })
}

/// A policy in an answer's `Policy`, as text or object.
fn policy(answer: &Value) -> Result<Value, String> {
    object(answer.get("Policy").ok_or("no `Policy`")?)
}

/// The JSON of the bucket's policy.
pub fn bucket_policy(facts: &Facts, bucket: &str) -> Fact<Value> {
    read(facts, "s3:GetBucketPolicy", bucket, policy)
}

/// The ownership rule: `BucketOwnerEnforced` puts every ACL out of effect.
pub fn ownership(facts: &Facts, bucket: &str) -> Fact<String> {
    read(facts, "s3:GetBucketOwnershipControls", bucket, |answer| {
        let rule = answer.pointer("/OwnershipControls/Rules/0/ObjectOwnership").and_then(Value::as_str);
        let known = ["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"];
        let rule = rule.filter(|rule| known.contains(rule)).ok_or("no known `ObjectOwnership`")?;
        Ok(rule.to_owned())
    })
}

/// The bucket's region; `us-east-1` answers with nothing.
pub fn region(facts: &Facts) -> Option<String> {
    let answer = facts.answer("s3:GetBucketLocation")?;
    match answer.get("LocationConstraint") {
        Some(Value::Null) => Some("us-east-1".to_owned()),
        Some(Value::String(region)) if region == "EU" => Some("eu-west-1".to_owned()),
        Some(Value::String(region)) if region.is_empty() => Some("us-east-1".to_owned()),
        Some(Value::String(region)) => Some(region.clone()),
        _ => None,
    }
}

/// One entry of a map by name.
fn entry<T>(
    facts: &Facts,
    operation: &str,
    name: &str,
    parse: impl FnOnce(&Value) -> Result<T, String>,
) -> Fact<T> {
    match facts.answer(operation) {
        // The whole operation failed: so did each of its questions.
        Some(failed) if failed.get("Error").is_some() => read_answer(operation, name, Some(failed), parse),
        answers => read_answer(operation, name, answers.and_then(|answers| answers.get(name)), parse),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// The access points of `bucket`.
pub fn access_points(facts: &Facts, bucket: &str) -> Fact<Vec<AccessPoint>> {
    read(facts, "s3control:ListAccessPoints", bucket, |answer| {
        let list = answer.get("AccessPointList").and_then(Value::as_array).ok_or("no `AccessPointList`")?;
        let ours = list.iter().filter(|item| text(item, "Bucket").is_none_or(|name| name == bucket));
        ours.map(|item| {
            let name = text(item, "Name").ok_or("an access point without a `Name`")?;
            let vpc = item.pointer("/VpcConfiguration/VpcId").and_then(Value::as_str).map(str::to_owned);
            let origin = text(item, "NetworkOrigin");
            Ok(AccessPoint {
                name: name.to_owned(),
                arn: text(item, "AccessPointArn").map(str::to_owned),
                vpc: if origin == Some("Internet") { None } else { vpc },
                multi_region: false,
                block: entry(
                    facts,
                    "s3control:GetAccessPoint",
                    name,
                    under("PublicAccessBlockConfiguration"),
                ),
                policy: entry(facts, "s3control:GetAccessPointPolicy", name, policy),
                status: entry(facts, "s3control:GetAccessPointPolicyStatus", name, under("PolicyStatus")),
            })
        })
        .collect()
    })
}

/// The multi-region access points that lead to `bucket`.
pub fn multi_region_access_points(facts: &Facts, bucket: &str) -> Fact<Vec<AccessPoint>> {
    read(facts, "s3control:ListMultiRegionAccessPoints", bucket, |answer| {
        let list = answer.get("AccessPoints").and_then(Value::as_array).ok_or("no `AccessPoints`")?;
        let leads_here = |item: &&Value| {
            let regions = item.get("Regions").and_then(Value::as_array);
            regions.is_some_and(|regions| regions.iter().any(|region| text(region, "Bucket") == Some(bucket)))
        };
        list.iter()
            .filter(leads_here)
            .map(|item| {
                let name = text(item, "Name").ok_or("a multi-region access point without a `Name`")?;
                let established = |answer: &Value| {
                    object(answer.pointer("/Policy/Established/Policy").ok_or("no established policy")?)
                };
                let stated = read_answer("s3control:ListMultiRegionAccessPoints", name, Some(item), |item| {
                    let block = item.get("PublicAccessBlock").ok_or("no `PublicAccessBlock`")?;
                    Block::deserialize(block).map_err(|error| error.to_string())
                });
                Ok(AccessPoint {
                    name: text(item, "Alias").unwrap_or(name).to_owned(),
                    arn: None,
                    vpc: None,
                    multi_region: true,
                    block: stated,
                    policy: entry(facts, "s3control:GetMultiRegionAccessPointPolicy", name, established),
                    status: entry(
                        facts,
                        "s3control:GetMultiRegionAccessPointPolicyStatus",
                        name,
                        under("Established"),
                    ),
                })
            })
            .collect()
    })
}

/// The JSON of the resource control policies in force, by id; those that could not be read are gaps.
pub fn resource_control_policies(facts: &Facts, account: &str) -> (Vec<(String, Value)>, Vec<Gap>) {
    let operation = "organizations:DescribePolicy";
    let mut policies = Vec::new();
    let mut gaps = Vec::new();
    let Some(answers) = facts.answer(operation) else { return (policies, gaps) };
    let mut keep = |id: &str, answer: &Value| {
        let policy = read_answer(operation, id, Some(answer), |answer| {
            let policy = answer.get("Policy").unwrap_or(answer);
            let kind = policy.pointer("/PolicySummary/Type").and_then(Value::as_str);
            if kind.is_some_and(|kind| kind != "RESOURCE_CONTROL_POLICY") {
                return Ok(None);
            }
            let content = policy.get("Content").ok_or("no `Content`")?;
            object(content).map(Some)
        });
        match policy {
            Fact::Present(Some(policy)) => policies.push((id.to_owned(), policy)),
            Fact::Present(None) | Fact::Absent => {}
            Fact::Unread(gap) => gaps.push(gap),
        }
    };
    match answers.as_object() {
        Some(map) if !map.contains_key("Error") => map.iter().for_each(|(id, answer)| keep(id, answer)),
        _ => keep(account, answers),
    }
    (policies, gaps)
}

/// The CloudFront distributions of the account.
pub fn distributions(facts: &Facts, account: &str) -> Fact<Vec<Distribution>> {
    read(facts, "cloudfront:ListDistributions", account, |answer| {
        let list = answer.get("DistributionList").ok_or("no `DistributionList`")?;
        let items = list.get("Items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        items.iter().map(distribution).collect()
    })
}

fn distribution(item: &Value) -> Result<Distribution, String> {
    let origins = item.pointer("/Origins/Items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let origin = |origin: &Value| {
        let identity = origin.pointer("/S3OriginConfig/OriginAccessIdentity").and_then(Value::as_str);
        let identity = identity.and_then(|path| path.rsplit('/').next()).filter(|id| !id.is_empty());
        (text(origin, "DomainName").unwrap_or_default().to_owned(), identity.map(str::to_owned))
    };
    let on = |of: &Value, pointer| of.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
    let signed = |behavior: &Value| {
        on(behavior, "/TrustedKeyGroups/Enabled") || on(behavior, "/TrustedSigners/Enabled")
    };
    let paths =
        item.pointer("/CacheBehaviors/Items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    Ok(Distribution {
        arn: text(item, "ARN").ok_or("a distribution without an `ARN`")?.to_owned(),
        domain: text(item, "DomainName").unwrap_or_default().to_owned(),
        enabled: on(item, "/Enabled"),
        // One path that asks for no signature is open.
        signed: item.get("DefaultCacheBehavior").is_some_and(signed) && paths.iter().all(signed),
        origins: origins.iter().map(origin).collect(),
    })
}

/// The account's CloudFront origin access identities.
pub fn origin_identities(facts: &Facts, account: &str) -> Fact<Vec<OriginIdentity>> {
    read(facts, "cloudfront:ListCloudFrontOriginAccessIdentities", account, |answer| {
        let list = answer.get("CloudFrontOriginAccessIdentityList").ok_or("no list")?;
        let items = list.get("Items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let read = |item: &Value| OriginIdentity::deserialize(item).map_err(|error| error.to_string());
        items.iter().map(read).collect()
    })
}
