//! How is a setting of a bucket changed on Google Cloud, and only if nobody changed it meanwhile?

use async_trait::async_trait;
use google_cloud_iam_v1::model::Policy;
use google_cloud_storage::model::bucket::IamConfig;
use google_cloud_storage::model::{Bucket as Described, BucketAccessControl, Object, ObjectAccessControl};
use google_cloud_wkt::FieldMask;
use serde_json::{Value, json};

use super::buckets::path;
use super::failure::Failure;
use super::session::Session;
use super::{GcpCloud, facts, shapes};
use crate::cloud::{CloudError, Lockable, Stated};
use crate::estate::{Bucket, GapReason, Principal, Setting};

#[async_trait]
impl Lockable for GcpCloud {
    fn identity(&self) -> String {
        match &self.settings.impersonate_service_account {
            Some(account) => format!("the service account `{account}`"),
            None => "the credentials that you use".to_owned(),
        }
    }

    async fn stated(&self, bucket: &Bucket, setting: &Setting) -> Result<Stated, CloudError> {
        let session = self.session().await?;
        let name = path(&bucket.name);
        let answer = match setting {
            Setting::PublicAccessPrevention => {
                let get = session.storage.get_bucket().set_name(&name).send();
                session.ask(get).await.and_then(|found| shapes::bucket(&found))
            }
            Setting::BucketIamPolicy => facts::policy_of(session, &name).await,
            Setting::BucketAccessList => {
                facts::access_lists_of(session, &name).await.and_then(|found| facts::bucket_list(&found))
            }
            Setting::ObjectAccessList { key, version } => {
                let found = facts::access_list_of(session, bucket, key, version.as_deref()).await;
                found.and_then(|found| facts::object_list(&found))
            }
            Setting::Isolation(Principal::ServiceAccount(email)) => {
                let get = session.roles.get_service_account().set_name(service_account(email)).send();
                session.ask(get).await.and_then(|account| shapes::verbatim(&account))
            }
            _ => return Err(unsuited(bucket)),
        };
        answer.map(Stated::answered).map_err(|failure| failure.at(setting.operation(), &bucket.name))
    }

    async fn set(
        &self,
        bucket: &Bucket,
        setting: &Setting,
        from: &Value,
        to: &Stated,
    ) -> Result<(), CloudError> {
        let session = self.session().await?;
        match setting {
            Setting::PublicAccessPrevention => prevention(session, bucket, from, &to.answer).await,
            Setting::BucketIamPolicy => policy(session, bucket, from, &to.answer).await,
            Setting::BucketAccessList => bucket_list(session, bucket, from, &to.answer).await,
            Setting::ObjectAccessList { key, version } => {
                let found = facts::access_list_of(session, bucket, key, version.as_deref()).await;
                object_list(session, bucket, found, [from, &to.answer]).await
            }
            Setting::Isolation(Principal::ServiceAccount(email)) => {
                let name = service_account(email);
                let disabled = to.answer.get("disabled").and_then(Value::as_bool).unwrap_or(false);
                let answer = if disabled {
                    session.ask(session.roles.disable_service_account().set_name(name).send()).await
                } else {
                    session.ask(session.roles.enable_service_account().set_name(name).send()).await
                };
                done(answer, "iam:serviceAccounts.disable", bucket)
            }
            _ => Err(unsuited(bucket)),
        }
    }
}

/// Whatever project it is of: addresses are unique.
fn service_account(email: &str) -> String {
    format!("projects/-/serviceAccounts/{email}")
}

async fn prevention(session: &Session, bucket: &Bucket, from: &Value, to: &Value) -> Result<(), CloudError> {
    let stated = to.pointer("/iamConfiguration/publicAccessPrevention").and_then(Value::as_str);
    // The older word, and none, mean the same and are no longer taken.
    let wanted = stated.filter(|word| *word != "unspecified").unwrap_or("inherited");
    let Some(generation) = metageneration(from) else { return Err(unsuited(bucket)) };
    let described = Described::new()
        .set_name(path(&bucket.name))
        .set_iam_config(IamConfig::new().set_public_access_prevention(wanted));
    let update = session
        .storage
        .update_bucket()
        .set_bucket(described)
        .set_if_metageneration_match(generation)
        .set_update_mask(FieldMask::default().set_paths(["iam_config.public_access_prevention"]));
    done(session.ask(update.send()).await, "storage:buckets.update", bucket)
}

/// The generation of what was read: Google refuses the change of any other.
fn metageneration(bucket: &Value) -> Option<i64> {
    match bucket.get("metageneration")? {
        Value::String(text) => text.parse().ok(),
        number => number.as_i64(),
    }
}

async fn policy(session: &Session, bucket: &Bucket, from: &Value, to: &Value) -> Result<(), CloudError> {
    let nothing = json!([]);
    let bindings = to.get("bindings").unwrap_or(&nothing);
    let version = to.get("version").and_then(Value::as_i64).unwrap_or(3);
    // The etag is of what was read just now.
    let wanted = json!({"version": version, "bindings": bindings, "etag": from.get("etag")});
    let wanted: Policy = serde_json::from_value(wanted).map_err(|_| unsuited(bucket))?;
    let set = session.storage.set_iam_policy().set_resource(path(&bucket.name)).set_policy(wanted);
    done(session.ask(set.send()).await, "storage:buckets.setIamPolicy", bucket)
}

/// The list is read again: its answer does not tell which generation of the bucket's metadata it is of.
async fn bucket_list(session: &Session, bucket: &Bucket, from: &Value, to: &Value) -> Result<(), CloudError> {
    const OPERATION: &str = "storage:buckets.update";
    let name = path(&bucket.name);
    let found = facts::access_lists_of(session, &name).await;
    let found = found.map_err(|failure| failure.at(OPERATION, &bucket.name))?;
    if !facts::bucket_list(&found).is_ok_and(|now| Setting::BucketAccessList.same(&now, from)) {
        return Err(overtaken(OPERATION, bucket));
    }
    let entry = |(entity, role)| BucketAccessControl::new().set_entity(entity).set_role(role);
    let wanted = Described::new().set_name(name).set_acl(entries(to).into_iter().map(entry));
    let update = session
        .storage
        .update_bucket()
        .set_bucket(wanted)
        .set_if_metageneration_match(found.metageneration)
        .set_update_mask(FieldMask::default().set_paths(["acl"]));
    done(session.ask(update.send()).await, OPERATION, bucket)
}

/// Sets the list of what was found to the second answer, if it is the first one still.
async fn object_list(
    session: &Session,
    bucket: &Bucket,
    found: Result<Object, Failure>,
    [from, to]: [&Value; 2],
) -> Result<(), CloudError> {
    const OPERATION: &str = "storage:objects.update";
    let found = found.map_err(|failure| failure.at(OPERATION, &bucket.name))?;
    let any = Setting::ObjectAccessList { key: String::new(), version: None };
    if !facts::object_list(&found).is_ok_and(|now| any.same(&now, from)) {
        return Err(overtaken(OPERATION, bucket));
    }
    let entry = |(entity, role)| ObjectAccessControl::new().set_entity(entity).set_role(role);
    let wanted = Object::new()
        .set_bucket(path(&bucket.name))
        .set_name(found.name)
        .set_generation(found.generation)
        .set_acl(entries(to).into_iter().map(entry));
    let update = session
        .storage
        .update_object()
        .set_object(wanted)
        .set_if_metageneration_match(found.metageneration)
        .set_update_mask(FieldMask::default().set_paths(["acl"]));
    done(session.ask(update.send()).await, OPERATION, bucket)
}

/// Who has which role by an access list.
fn entries(list: &Value) -> Vec<(String, String)> {
    let items = list.get("items").and_then(Value::as_array).into_iter().flatten();
    let text = |entry: &Value, name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
    items.filter_map(|entry| Some((text(entry, "entity")?, text(entry, "role")?))).collect()
}

fn overtaken(operation: &'static str, bucket: &Bucket) -> CloudError {
    CloudError::Failed {
        operation,
        resource: bucket.name.clone(),
        reason: GapReason::Failed,
        message: "somebody changed the access list meanwhile".to_owned(),
    }
}

fn done<T>(answer: Result<T, Failure>, operation: &'static str, bucket: &Bucket) -> Result<(), CloudError> {
    answer.map(drop).map_err(|failure| failure.at(operation, &bucket.name))
}

fn unsuited(bucket: &Bucket) -> CloudError {
    CloudError::Failed {
        operation: "set",
        resource: bucket.name.clone(),
        reason: GapReason::Unsupported,
        message: "it is no setting of a bucket of Google Cloud, or its answer cannot be read".to_owned(),
    }
}
