//! What decides who can reach a project, a bucket, an object? Asked together, kept verbatim.

use std::collections::BTreeSet;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use google_cloud_gax::options::RequestOptionsBuilder;
use google_cloud_iam_v1::model::GetPolicyOptions;
use google_cloud_storage::model::{Bucket as Described, Object as DescribedObject};
use google_cloud_wkt::FieldMask;
use serde_json::{Map, Value, json};

use super::accounts::UNKNOWN_PROJECT;
use super::buckets::path;
use super::failure::Failure;
use super::session::{Session, every_page};
use super::shapes::{self, verbatim};
use crate::estate::gcp::{ancestors, project};
use crate::estate::{Account, Bucket, Facts, Object};
use crate::exposure::gcp::permissions_of_role;

/// Questions of one bucket or project that are under way at one time.
const QUESTIONS_AT_ONCE: usize = 8;
/// More managed folders or roles than are asked for leave the rest unread.
const NAMES_MAX: usize = 500;
/// The organization policy's constraints that decide who can be let in.
const CONSTRAINTS: [&str; 2] = ["storage.publicAccessPrevention", "iam.allowedPolicyMemberDomains"];

/// The operation under which a role's permissions are kept.
const ROLE: &str = "iam:roles.get";

/// The facts of a project and of all that stands above it.
pub(super) async fn of_account(session: &Session, account: &Account) -> Facts {
    let mut facts = Facts::default();
    if account.id == UNKNOWN_PROJECT || account.id.contains('/') {
        return facts;
    }
    let resource = format!("projects/{}", account.id);
    let get =
        async { verbatim(&session.ask(session.projects.get_project().set_name(&resource).send()).await?) };
    let policy = async {
        let asked = session.projects.get_iam_policy().set_resource(&resource).set_options(version_3());
        verbatim(&session.ask(asked.send()).await?)
    };
    let (get, policy, constraints) = futures::join!(get, policy, of_constraints(session, &resource));
    record(&mut facts, "cloudresourcemanager:projects.get", get);
    record(&mut facts, "cloudresourcemanager:projects.getIamPolicy", policy);
    facts.record("orgpolicy:policies.getEffectivePolicy", constraints);
    of_ancestors(session, account, &mut facts).await;
    let roles = of_roles(session, &facts).await;
    if let Some(roles) = roles {
        facts.record(ROLE, roles);
    }
    facts
}

/// A policy's conditions are left out of lower versions ("Policy versions", IAM).
fn version_3() -> GetPolicyOptions {
    GetPolicyOptions::new().set_requested_policy_version(3)
}

async fn of_constraints(session: &Session, resource: &str) -> Value {
    by_name(CONSTRAINTS.map(str::to_owned).to_vec(), |constraint| {
        let name = format!("{resource}/policies/{constraint}");
        let asked = session.policies.get_effective_policy().set_name(name).send();
        async move { verbatim(&session.ask(asked).await?) }.boxed()
    })
    .await
}

/// Folders and the organization, from the project up.
async fn of_ancestors(session: &Session, account: &Account, facts: &mut Facts) {
    let mut asked = BTreeSet::new();
    let (mut folders, mut folder_policies, mut organizations) = (Map::new(), Map::new(), Map::new());
    loop {
        let (names, _) = ancestors(facts, &project(facts, &account.id));
        let Some(name) = names.into_iter().find(|name| !asked.contains(name)) else { break };
        if name.starts_with("folders/") {
            let get = async {
                let asked = session.folders.get_folder().set_name(&name);
                or_code(session.ask(asked.send()).await.and_then(|folder| verbatim(&folder)))
            };
            let policy = async {
                let asked = session.folders.get_iam_policy().set_resource(&name).set_options(version_3());
                or_code(session.ask(asked.send()).await.and_then(|policy| verbatim(&policy)))
            };
            let (get, policy) = futures::join!(
                session.once(format!("get {name}"), get),
                session.once(format!("policy of {name}"), policy)
            );
            folders.insert(name.clone(), get);
            folder_policies.insert(name.clone(), policy);
            facts.record("cloudresourcemanager:folders.get", Value::Object(folders.clone()));
        } else {
            let policy = async {
                let asked =
                    session.organizations.get_iam_policy().set_resource(&name).set_options(version_3());
                or_code(session.ask(asked.send()).await.and_then(|policy| verbatim(&policy)))
            };
            let policy = session.once(format!("policy of {name}"), policy).await;
            organizations.insert(name.clone(), policy);
        }
        asked.insert(name);
    }
    for (operation, answers) in [
        ("cloudresourcemanager:folders.getIamPolicy", folder_policies),
        ("cloudresourcemanager:organizations.getIamPolicy", organizations),
    ] {
        if !answers.is_empty() {
            facts.record(operation, Value::Object(answers));
        }
    }
}

/// What the roles allow that the policies among the facts name and nobody knows by heart.
async fn of_roles(session: &Session, facts: &Facts) -> Option<Value> {
    let mut roles = BTreeSet::new();
    for (operation, answer) in facts.iter().filter(|(operation, _)| operation.ends_with("getIamPolicy")) {
        let is_map = !matches!(
            operation,
            "storage:buckets.getIamPolicy" | "cloudresourcemanager:projects.getIamPolicy"
        );
        let policies: Vec<&Value> = match answer {
            Value::Object(by_name) if is_map => by_name.values().collect(),
            policy => vec![policy],
        };
        let bindings = policies.iter().filter_map(|policy| policy.get("bindings")?.as_array()).flatten();
        roles.extend(bindings.filter_map(|binding| binding.get("role")?.as_str()).map(str::to_owned));
    }
    roles.retain(|role| permissions_of_role(role).is_none());
    if roles.is_empty() {
        return None;
    }
    let answers = by_name(roles.into_iter().take(NAMES_MAX).collect(), |role| {
        async move {
            let asked = session.roles.get_role().set_name(&role).send();
            let answer = async { or_code(session.ask(asked).await.and_then(|role| verbatim(&role))) };
            Ok(session.once(format!("role {role}"), answer).await)
        }
        .boxed()
    });
    Some(answers.await)
}

/// What decides who can reach a bucket, but for its objects' own lists.
pub(super) async fn of_bucket(session: &Session, bucket: &Bucket) -> Facts {
    let mut facts = Facts::default();
    let name = path(&bucket.name);
    let get = session.ask(session.storage.get_bucket().set_name(&name).send());
    let (get, policy) = futures::join!(get, policy_of(session, &name));
    let uniform = get.as_ref().is_ok_and(is_uniform);
    record(&mut facts, "storage:buckets.get", get.as_ref().map_err(Clone::clone).and_then(shapes::bucket));
    record(&mut facts, "storage:buckets.getIamPolicy", policy);
    // Access lists grant nothing under uniform access, and managed folders stand nowhere else.
    if uniform || get.is_err() {
        of_managed_folders(session, bucket, &mut facts).await;
    }
    if !uniform {
        of_access_lists(session, &name, &mut facts).await;
    }
    if let Some(roles) = of_roles(session, &facts).await {
        facts.record(ROLE, roles);
    }
    facts
}

fn is_uniform(bucket: &Described) -> bool {
    let uniform = bucket.iam_config.as_ref().and_then(|iam| iam.uniform_bucket_level_access.as_ref());
    uniform.is_some_and(|uniform| uniform.enabled)
}

pub(super) async fn policy_of(session: &Session, resource: &str) -> Result<Value, Failure> {
    let asked = session.storage.get_iam_policy().set_resource(resource).set_options(version_3());
    // Reading twice does no harm, but the client does not know that.
    verbatim(&session.ask(asked.with_idempotency(true).send()).await?)
}

/// The access lists are left out of a bucket that is read as usual.
async fn of_access_lists(session: &Session, name: &str, facts: &mut Facts) {
    let lists = access_lists_of(session, name).await;
    let own = lists.as_ref().map_err(Clone::clone).and_then(bucket_list);
    let default = lists.as_ref().map_err(Clone::clone);
    let default =
        default.and_then(|bucket| shapes::items("storage#objectAccessControls", &bucket.default_object_acl));
    record(facts, "storage:bucketAccessControls.list", own);
    record(facts, "storage:defaultObjectAccessControls.list", default);
}

/// A bucket's access lists, and of which generation of its metadata they are.
pub(super) async fn access_lists_of(session: &Session, name: &str) -> Result<Described, Failure> {
    let mask = FieldMask::default().set_paths(["acl", "default_object_acl", "metageneration"]);
    session.ask(session.storage.get_bucket().set_name(name).set_read_mask(mask).send()).await
}

/// The bucket's own list, of what was found.
pub(super) fn bucket_list(found: &Described) -> Result<Value, Failure> {
    shapes::items("storage#bucketAccessControls", &found.acl)
}

async fn of_managed_folders(session: &Session, bucket: &Bucket, facts: &mut Facts) {
    let parent = path(&bucket.name);
    let listed = every_page(|token: String| {
        let parent = &parent;
        async move {
            let asked = session.storage.list_managed_folders().set_parent(parent).set_page_size(1_000);
            let page = session.ask(asked.set_page_token(token).send()).await?;
            Ok((page.managed_folders.into_iter().map(|folder| folder.name).collect(), page.next_page_token))
        }
        .boxed()
    })
    .await;
    let folders = match listed {
        Ok(folders) => folders,
        Err(failure) => {
            facts.record("storage:managedFolders.list", coded(&failure));
            return;
        }
    };
    let above = format!("{parent}/managedFolders/");
    let names: Vec<String> =
        folders.iter().filter_map(|name| name.strip_prefix(&above)).map(str::to_owned).collect();
    let items: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
    facts.record("storage:managedFolders.list", json!({"kind": "storage#managedFolders", "items": items}));
    if !names.is_empty() {
        let names = names.into_iter().take(NAMES_MAX).collect();
        let policies = by_name(names, |name| {
            let resource = format!("{above}{name}");
            async move { policy_of(session, &resource).await }.boxed()
        });
        facts.record("storage:managedFolders.getIamPolicy", policies.await);
    }
}

/// The object's own access list.
pub(super) async fn of_object(session: &Session, bucket: &Bucket, object: &Object) -> Facts {
    let found = access_list_of(session, bucket, &object.key, object.version.as_deref()).await;
    let mut facts = Facts::default();
    record(&mut facts, "storage:objectAccessControls.list", found.and_then(|found| object_list(&found)));
    facts
}

/// An object's access list, and of which generations it is.
pub(super) async fn access_list_of(
    session: &Session,
    bucket: &Bucket,
    key: &str,
    version: Option<&str>,
) -> Result<DescribedObject, Failure> {
    let asked = session
        .storage
        .get_object()
        .set_bucket(path(&bucket.name))
        .set_object(key)
        .set_generation(super::objects::generation(version))
        .set_read_mask(FieldMask::default().set_paths(["acl", "name", "generation", "metageneration"]));
    session.ask(asked.send()).await
}

/// The list of what was found.
pub(super) fn object_list(found: &DescribedObject) -> Result<Value, Failure> {
    shapes::items("storage#objectAccessControls", &found.acl)
}

/// One operation asked once for each name: a map by the name.
async fn by_name<'a>(
    names: Vec<String>,
    ask: impl Fn(String) -> BoxFuture<'a, Result<Value, Failure>>,
) -> Value {
    let asked: Vec<_> = names
        .into_iter()
        .map(|name| {
            let answer = ask(name.clone());
            async move { (name, or_code(answer.await)) }.boxed()
        })
        .collect();
    Value::Object(stream::iter(asked).buffered(QUESTIONS_AT_ONCE).collect().await)
}

fn record(facts: &mut Facts, operation: &str, answer: Result<Value, Failure>) {
    facts.record(operation, or_code(answer));
}

fn or_code(answer: Result<Value, Failure>) -> Value {
    answer.unwrap_or_else(|failure| coded(&failure))
}

fn coded(failure: &Failure) -> Value {
    json!({ "Error": { "Code": failure.code } })
}
