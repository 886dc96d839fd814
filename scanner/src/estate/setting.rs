//! What of a bucket can be set, and what is a change of it?

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Principal;

/// One thing that can be set, known by the operation that reads it: a change is a change of that operation's answer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// `s3:GetPublicAccessBlock` of the bucket.
    PublicAccessBlock,
    /// `s3:GetBucketPolicy`.
    BucketPolicy,
    /// `s3:GetBucketAcl`.
    BucketAcl,
    /// `s3control:GetAccessPointPolicy` of the access point of this name.
    AccessPointPolicy(String),
    /// `s3:GetObjectAcl`.
    ObjectAcl {
        /// The object's key.
        key: String,
        /// Which version; the current one where the bucket keeps none.
        version: Option<String>,
    },
    /// Google's `publicAccessPrevention`, as `storage:buckets.get` states it.
    PublicAccessPrevention,
    /// `storage:buckets.getIamPolicy`.
    BucketIamPolicy,
    /// `storage:bucketAccessControls.list`: the bucket's own access list, where access is not uniform.
    BucketAccessList,
    /// `storage:objectAccessControls.list`.
    ObjectAccessList {
        /// The object's name.
        key: String,
        /// Its generation.
        version: Option<String>,
    },
    /// The policy [`ISOLATION_POLICY`] of a role or a user, or whether a service account is disabled. It stands with the
    /// account, not with a bucket.
    Isolation(Principal),
}

/// The inline policy that isolates somebody in IAM.
pub const ISOLATION_POLICY: &str = "SpillwatchIsolation";

impl Setting {
    /// The operation that reads it.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::PublicAccessBlock => "s3:GetPublicAccessBlock",
            Self::BucketPolicy => "s3:GetBucketPolicy",
            Self::BucketAcl => "s3:GetBucketAcl",
            Self::AccessPointPolicy(_) => "s3control:GetAccessPointPolicy",
            Self::ObjectAcl { .. } => "s3:GetObjectAcl",
            Self::PublicAccessPrevention => "storage:buckets.get",
            Self::BucketIamPolicy => "storage:buckets.getIamPolicy",
            Self::BucketAccessList => "storage:bucketAccessControls.list",
            Self::ObjectAccessList { .. } => "storage:objectAccessControls.list",
            Self::Isolation(Principal::Role(_)) => "iam:GetRolePolicy",
            Self::Isolation(Principal::User(_)) => "iam:GetUserPolicy",
            Self::Isolation(Principal::ServiceAccount(_)) => "iam:serviceAccounts.get",
        }
    }

    /// The code by which the provider says that there is none; `None` for what is always there.
    pub fn absent_code(&self) -> Option<&'static str> {
        match self {
            Self::PublicAccessBlock => Some("NoSuchPublicAccessBlockConfiguration"),
            Self::BucketPolicy => Some("NoSuchBucketPolicy"),
            Self::AccessPointPolicy(_) => Some("NoSuchAccessPointPolicy"),
            Self::Isolation(Principal::Role(_) | Principal::User(_)) => Some("NoSuchEntity"),
            Self::BucketAcl
            | Self::ObjectAcl { .. }
            | Self::PublicAccessPrevention
            | Self::BucketIamPolicy
            | Self::BucketAccessList
            | Self::ObjectAccessList { .. }
            | Self::Isolation(Principal::ServiceAccount(_)) => None,
        }
    }

    /// The answer that says that there is none.
    pub fn absent(&self) -> Option<Value> {
        self.absent_code().map(|code| serde_json::json!({ "Error": { "Code": code } }))
    }

    /// Whether an answer is what S3 shows of an ACL while a block ignores the public grants in it: "GET Bucket acl and GET Object
    /// acl always return the effective permissions" (S3 User Guide, "Blocking public access").
    pub fn shown_while_ignored(&self, shown: &Value, whole: &Value) -> bool {
        let (Self::BucketAcl | Self::ObjectAcl { .. }) = self else { return false };
        let effective = |answer: &Value| {
            let mut known = grants(answer)?;
            known.retain(|(grantee, _)| !grantee.starts_with(PUBLIC_GROUPS));
            Some(known)
        };
        alike(grants(shown), effective(whole))
    }

    /// Whether two answers state the same, in whatever words: providers hand a policy back in other ones.
    pub fn same(&self, one: &Value, other: &Value) -> bool {
        let code = |answer: &Value| answer.pointer("/Error/Code").cloned();
        if let (Some(one), Some(other)) = (code(one), code(other)) {
            return one == other;
        }
        match self {
            Self::BucketPolicy | Self::AccessPointPolicy(_) => alike(policy(one), policy(other)),
            Self::PublicAccessBlock => alike(flags(one), flags(other)),
            Self::BucketAcl | Self::ObjectAcl { .. } => alike(grants(one), grants(other)),
            Self::PublicAccessPrevention => alike(prevention(one), prevention(other)),
            Self::BucketIamPolicy => alike(bindings(one), bindings(other)),
            Self::BucketAccessList | Self::ObjectAccessList { .. } => alike(entries(one), entries(other)),
            Self::Isolation(Principal::ServiceAccount(_)) => alike(disabled(one), disabled(other)),
            Self::Isolation(_) => alike(one.get("PolicyDocument"), other.get("PolicyDocument")),
        }
    }
}

/// What cannot be read is like nothing.
fn alike<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    one.is_some() && one == other
}

/// What a policy's answer holds, as JSON.
pub fn policy(answer: &Value) -> Option<Value> {
    match answer.get("Policy")? {
        Value::String(text) => serde_json::from_str(text).ok(),
        policy => Some(policy.clone()),
    }
}

const BLOCK: &str = "PublicAccessBlockConfiguration";
const FLAGS: [&str; 4] =
    ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];

/// The four flags of a public access block; one that is not stated is off. Absent is not the same as all off.
fn flags(answer: &Value) -> Option<[bool; 4]> {
    let block = answer.get(BLOCK)?;
    Some(FLAGS.map(|name| block.get(name).and_then(Value::as_bool).unwrap_or(false)))
}

const PUBLIC_GROUPS: &str = "http://acs.amazonaws.com/groups/global/";

/// Who is granted what, whatever the order.
fn grants(answer: &Value) -> Option<Vec<(String, String)>> {
    let grants = answer.get("Grants")?.as_array()?;
    let mut known: Vec<(String, String)> = grants
        .iter()
        .map(|grant| {
            let grantee = grant.get("Grantee");
            let name = ["URI", "ID", "EmailAddress"].iter().find_map(|name| grantee?.get(*name)?.as_str());
            let permission = grant.get("Permission").and_then(Value::as_str);
            (name.unwrap_or_default().to_owned(), permission.unwrap_or_default().to_owned())
        })
        .collect();
    known.sort();
    Some(known)
}

fn prevention(answer: &Value) -> Option<&str> {
    answer.as_object().filter(|fields| !fields.contains_key("Error"))?;
    // Not stated, and the older word, are the same.
    match answer.pointer("/iamConfiguration/publicAccessPrevention") {
        None => Some("inherited"),
        Some(stated) => stated.as_str().map(|word| if word == "unspecified" { "inherited" } else { word }),
    }
}

/// Who is bound to which role on which condition, whatever the order.
fn bindings(answer: &Value) -> Option<BTreeSet<(String, String, String)>> {
    let read = answer.get("Error").is_none() && answer.is_object();
    let list = answer.get("bindings").and_then(Value::as_array).into_iter().flatten();
    let bound = list.flat_map(|binding| {
        let text = |name: &str| binding.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let condition = binding.pointer("/condition/expression").and_then(Value::as_str).unwrap_or_default();
        let members = binding.get("members").and_then(Value::as_array).into_iter().flatten();
        let members = members.filter_map(Value::as_str).map(str::to_owned);
        members.map(|member| (text("role"), member, condition.to_owned())).collect::<Vec<_>>()
    });
    read.then(|| bound.collect())
}

/// Who has which role by an access list, whatever the order.
fn entries(answer: &Value) -> Option<BTreeSet<(String, String)>> {
    let read = answer.get("Error").is_none() && answer.is_object();
    let list = answer.get("items").and_then(Value::as_array).into_iter().flatten();
    let text =
        |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    read.then(|| list.map(|entry| (text(entry, "entity"), text(entry, "role"))).collect())
}

/// Not stated is not disabled.
fn disabled(answer: &Value) -> Option<bool> {
    let fields = answer.as_object().filter(|fields| !fields.contains_key("Error"))?;
    Some(fields.get("disabled").and_then(Value::as_bool).unwrap_or(false))
}

/// A change of one setting, from what was read to what it is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// What is changed.
    pub setting: Setting,
    /// What was read, verbatim.
    pub before: Value,
    /// What it will be, in the same shape; an error is absence.
    pub after: Value,
    /// Why this is the least change that closes what it is to close.
    pub because: String,
}

impl Change {
    /// The change that takes this one back.
    pub fn undone(&self) -> Self {
        Self {
            setting: self.setting.clone(),
            before: self.after.clone(),
            after: self.before.clone(),
            because: "as it was before".to_owned(),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublicAccessBlock => f.write_str("public access block"),
            Self::BucketPolicy => f.write_str("bucket policy"),
            Self::BucketAcl | Self::BucketAccessList => f.write_str("bucket ACL"),
            Self::AccessPointPolicy(name) => write!(f, "policy of access point `{name}`"),
            Self::ObjectAcl { key, version } | Self::ObjectAccessList { key, version } => {
                let key = spillwatch_classifiers::screen(key);
                write!(f, "ACL of `{key}`")?;
                version.as_ref().map_or(Ok(()), |version| write!(f, " version {version}"))
            }
            Self::PublicAccessPrevention => f.write_str("public access prevention"),
            Self::BucketIamPolicy => f.write_str("bucket IAM policy"),
            Self::Isolation(principal) => write!(f, "isolation of {principal}"),
        }
    }
}

/// An answer with other flags of the public access block turned on; those that stand are kept.
pub fn block_with(answer: &Value, on: &[&str]) -> Value {
    let mut block: Map<String, Value> = Map::new();
    for name in FLAGS {
        let stood = answer.get(BLOCK).and_then(|block| block.get(name)).and_then(Value::as_bool);
        block.insert(name.to_owned(), (stood.unwrap_or(false) || on.contains(&name)).into());
    }
    serde_json::json!({ BLOCK: block })
}
