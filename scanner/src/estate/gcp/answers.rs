//! What do Google Cloud's answers look like?

use serde::Deserialize;
use serde_json::Value;

use super::{read, read_entry};
use crate::estate::{Fact, Facts};

/// More levels than a hierarchy of folders can have (Resource Manager, "Quotas and limits": ten).
const ANCESTORS_MAX: usize = 16;

/// What of a bucket's own configuration decides who can reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketConfig {
    /// `enforced` or `inherited`, as stated.
    pub public_access_prevention: String,
    /// Whether ACLs are without effect.
    pub uniform: bool,
    /// Whether whoever asks must name a project that pays.
    pub requester_pays: bool,
    /// Whether a website configuration stands.
    pub website: bool,
    /// From which networks requests are taken, if not from all.
    pub ip_filter: Option<IpFilter>,
    /// The number of the project that holds it.
    pub project_number: Option<String>,
}

/// The networks from which a bucket takes requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IpFilter {
    /// CIDR blocks of the internet.
    pub cidrs: Vec<String>,
    /// VPC networks, `projects/…/global/networks/…`.
    pub networks: Vec<String>,
    /// Whether service agents are let in from everywhere.
    pub service_agents: bool,
}

/// An IAM policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Who holds which role.
    pub bindings: Vec<Binding>,
}

/// Who holds one role.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Binding {
    /// `roles/…`, `projects/…/roles/…` or `organizations/…/roles/…`.
    pub role: String,
    /// `allUsers`, `user:…`, `group:…` and so on.
    #[serde(default)]
    pub members: Vec<String>,
    /// What a request must fulfil.
    #[serde(default)]
    pub condition: Option<Condition>,
}

/// A condition on a binding.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Condition {
    /// In the Common Expression Language.
    #[serde(default)]
    pub expression: String,
}

/// One entry of an access control list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccessControl {
    /// `allUsers`, `user-…`, `group-…`, `domain-…`, `project-owners-…` and so on.
    pub entity: String,
    /// `READER`, `WRITER` or `OWNER`.
    pub role: String,
}

/// A project, as the resource manager states it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// Its number.
    pub number: Option<String>,
    /// `folders/…` or `organizations/…`; none for a project of nobody's organization.
    pub parent: Option<String>,
}

/// What a role allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Role {
    /// Permissions by name; none where the role was deleted.
    pub permissions: Vec<String>,
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn texts(value: Option<&Value>) -> Result<Vec<String>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(list) => Vec::deserialize(list).map_err(|error| error.to_string()),
    }
}

/// The bucket's own configuration.
pub fn bucket_config(facts: &Facts, bucket: &str) -> Fact<BucketConfig> {
    read(facts, "storage:buckets.get", bucket, |answer| {
        let iam =
            answer.get("iamConfiguration").filter(|iam| iam.is_object()).ok_or("no `iamConfiguration`")?;
        let flag = |pointer: &str| answer.pointer(pointer).and_then(Value::as_bool).unwrap_or(false);
        Ok(BucketConfig {
            public_access_prevention: text(iam, "publicAccessPrevention").unwrap_or("inherited").to_owned(),
            uniform: flag("/iamConfiguration/uniformBucketLevelAccess/enabled"),
            requester_pays: flag("/billing/requesterPays"),
            website: answer.get("website").is_some_and(Value::is_object),
            ip_filter: answer.get("ipFilter").map(ip_filter).transpose()?.flatten(),
            project_number: answer.get("projectNumber").and_then(number),
        })
    })
}

/// Where the bucket stands, for example `europe-west3`.
pub fn location(facts: &Facts) -> Option<String> {
    text(facts.answer("storage:buckets.get")?, "location").map(str::to_lowercase)
}

/// A number of 64 bits, which JSON of Google's writes as text.
fn number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Only an enabled filter filters ("Bucket IP filtering", Cloud Storage).
fn ip_filter(filter: &Value) -> Result<Option<IpFilter>, String> {
    match text(filter, "mode") {
        Some(mode) if mode.eq_ignore_ascii_case("enabled") => {}
        Some(mode) if mode.eq_ignore_ascii_case("disabled") => return Ok(None),
        None if filter.is_null() => return Ok(None),
        _ => return Err("an IP filter that is neither on nor off".to_owned()),
    }
    let sources = filter.get("vpcNetworkSources").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let networks = sources.iter().filter_map(|source| text(source, "network").map(str::to_owned));
    Ok(Some(IpFilter {
        cidrs: texts(filter.pointer("/publicNetworkSource/allowedIpCidrRanges"))?,
        networks: networks.collect(),
        // Where it is not stated, it could be on.
        service_agents: filter.get("allowAllServiceAgentAccess").and_then(Value::as_bool).unwrap_or(true),
    }))
}

fn policy(answer: &Value) -> Result<Policy, String> {
    let fields = answer.as_object().ok_or("no object")?;
    // A policy that was never set has neither version nor bindings.
    let Some(bindings) = fields.get("bindings") else { return Ok(Policy::default()) };
    let bindings = bindings.as_array().ok_or("`bindings` is no list")?;
    let bindings = bindings.iter().map(|binding| match binding {
        Value::Object(_) => Binding::deserialize(binding).map_err(|error| error.to_string()),
        _ => Err("a binding that is no object".to_owned()),
    });
    Ok(Policy { bindings: bindings.collect::<Result<_, _>>()? })
}

/// The bucket's IAM policy.
pub fn bucket_policy(facts: &Facts, bucket: &str) -> Fact<Policy> {
    read(facts, "storage:buckets.getIamPolicy", bucket, policy)
}

/// The project's IAM policy.
pub fn project_policy(facts: &Facts, project: &str) -> Fact<Policy> {
    read(facts, "cloudresourcemanager:projects.getIamPolicy", project, policy)
}

/// The IAM policy of a folder or an organization.
pub fn inherited_policy(facts: &Facts, name: &str) -> Fact<Policy> {
    let operation = if name.starts_with("folders/") {
        "cloudresourcemanager:folders.getIamPolicy"
    } else {
        "cloudresourcemanager:organizations.getIamPolicy"
    };
    read_entry(facts, operation, name, policy)
}

/// The project that holds the bucket.
pub fn project(facts: &Facts, project: &str) -> Fact<Project> {
    read(facts, "cloudresourcemanager:projects.get", project, |answer| {
        let name = text(answer, "name").ok_or("no `name`")?;
        Ok(Project { number: name.strip_prefix("projects/").map(str::to_owned), parent: parent(answer)? })
    })
}

fn parent(answer: &Value) -> Result<Option<String>, String> {
    match answer.get("parent") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(parent)) if parent.is_empty() => Ok(None),
        Some(Value::String(parent))
            if parent.starts_with("folders/") || parent.starts_with("organizations/") =>
        {
            Ok(Some(parent.clone()))
        }
        Some(_) => Err("a `parent` that is neither folder nor organization".to_owned()),
    }
}

/// All that stands above a project, the nearest first, and what could not be told.
pub fn ancestors(facts: &Facts, project: &Fact<Project>) -> (Vec<String>, Fact<()>) {
    let mut names: Vec<String> = Vec::new();
    let mut next = match project {
        Fact::Present(project) => project.parent.clone(),
        Fact::Absent => None,
        Fact::Unread(gap) => return (names, Fact::Unread(gap.clone())),
    };
    while let Some(name) = next.take() {
        if names.contains(&name) || names.len() == ANCESTORS_MAX {
            break;
        }
        if name.starts_with("folders/") {
            match read_entry(facts, "cloudresourcemanager:folders.get", &name, parent) {
                Fact::Present(parent) => next = parent,
                Fact::Absent => {}
                Fact::Unread(gap) => {
                    names.push(name);
                    return (names, Fact::Unread(gap));
                }
            }
        }
        names.push(name);
    }
    (names, Fact::Present(()))
}

fn items<T: serde::de::DeserializeOwned>(answer: &Value) -> Result<Vec<T>, String> {
    let fields = answer.as_object().ok_or("no object")?;
    // A list without entries is left out.
    let Some(items) = fields.get("items") else { return Ok(Vec::new()) };
    let items = items.as_array().ok_or("`items` is no list")?;
    items
        .iter()
        .map(|item| match item {
            Value::Object(_) => T::deserialize(item).map_err(|error| error.to_string()),
            _ => Err("an entry that is no object".to_owned()),
        })
        .collect()
}

/// The access control list of a bucket, or the one that its new objects get (`storage:defaultObjectAccessControls.list`).
///
/// It stands in `storage:buckets.get` too where that was asked for in full.
pub fn access_controls(facts: &Facts, operation: &str, bucket: &str) -> Fact<Vec<AccessControl>> {
    let field = if operation == "storage:bucketAccessControls.list" { "acl" } else { "defaultObjectAcl" };
    listed_or_inline(facts, operation, ("storage:buckets.get", field), bucket)
}

/// The access control list of an object.
pub fn object_access_controls(facts: &Facts, resource: &str) -> Fact<Vec<AccessControl>> {
    listed_or_inline(facts, "storage:objectAccessControls.list", ("storage:objects.get", "acl"), resource)
}

fn listed_or_inline(
    facts: &Facts,
    operation: &str,
    (holder, field): (&str, &str),
    resource: &str,
) -> Fact<Vec<AccessControl>> {
    let inline = facts.answer(holder).and_then(|answer| answer.get(field)).filter(|acl| acl.is_array());
    match (facts.answer(operation), inline) {
        (None, Some(acl)) => {
            let answer = serde_json::json!({ "items": acl });
            super::WORDING.read(operation, resource, Some(&answer), items)
        }
        _ => read(facts, operation, resource, items),
    }
}

/// The bucket's managed folders and their IAM policies.
pub fn managed_folders(facts: &Facts, bucket: &str) -> Fact<Vec<(String, Fact<Policy>)>> {
    #[derive(Deserialize)]
    struct Folder {
        name: String,
    }
    read(facts, "storage:managedFolders.list", bucket, |answer| {
        let folders: Vec<Folder> = items(answer)?;
        let folders = folders.into_iter().map(|Folder { name }| {
            let policy = read_entry(facts, "storage:managedFolders.getIamPolicy", &name, policy);
            (name, policy)
        });
        Ok(folders.collect())
    })
}

/// Whether an organization policy's boolean constraint is enforced on the project.
pub fn constraint(facts: &Facts, constraint: &str) -> Fact<bool> {
    read_entry(facts, "orgpolicy:policies.getEffectivePolicy", constraint, |answer| {
        // A constraint that nobody set has no rules.
        let spec = answer.get("spec").filter(|spec| spec.is_object()).ok_or("no `spec`")?;
        let rules = spec.get("rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let enforced = |rule: &Value| rule.get("enforce").and_then(Value::as_bool).unwrap_or(false);
        if rules.iter().any(|rule| rule.get("condition").is_some_and(|condition| !condition.is_null())) {
            return Err("it depends on tags".to_owned());
        }
        Ok(rules.iter().any(enforced))
    })
}

/// Whose identities may be granted roles on the project; `None` for everybody's.
pub fn member_domains(facts: &Facts) -> Fact<Option<Vec<String>>> {
    read_entry(facts, "orgpolicy:policies.getEffectivePolicy", "iam.allowedPolicyMemberDomains", |answer| {
        let spec = answer.get("spec").filter(|spec| spec.is_object()).ok_or("no `spec`")?;
        let rules = spec.get("rules").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut allowed = Vec::new();
        for rule in rules {
            if rule.get("allowAll").and_then(Value::as_bool) == Some(true) {
                return Ok(None);
            }
            allowed.extend(texts(rule.pointer("/values/allowedValues"))?);
        }
        Ok((!rules.is_empty()).then_some(allowed))
    })
}

/// What a role allows, as IAM states it.
pub fn role(facts: &Facts, name: &str) -> Fact<Role> {
    read_entry(facts, "iam:roles.get", name, |answer| {
        answer.as_object().ok_or("no object")?;
        let deleted = answer.get("deleted").and_then(Value::as_bool).unwrap_or(false);
        let permissions = texts(answer.get("includedPermissions"))?;
        Ok(Role { permissions: if deleted { Vec::new() } else { permissions } })
    })
}
