//! Does the promise hold for every state of a bucket of Google Cloud, too?

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use spillwatch::estate::Provider;

use super::generated::{KEYS, NAME, State, holds_for};

fn denied() -> Just<Value> {
    Just(json!({"Error": {"Code": "PERMISSION_DENIED"}}))
}

fn binding() -> impl Strategy<Value = Value> {
    let members = prop::sample::subsequence(
        vec!["allUsers", "allAuthenticatedUsers", "user:partner@other.example", "group:us@acme.internal"],
        1..=3,
    );
    let role = prop::sample::select(vec![
        "roles/storage.objectViewer",
        "roles/storage.legacyObjectReader",
        "roles/storage.legacyBucketReader",
        "roles/storage.objectAdmin",
        "roles/storage.admin",
    ]);
    let drafts = format!("resource.name.startsWith(\"projects/_/buckets/{NAME}/objects/drafts/\")");
    let condition = prop::option::weighted(0.2, Just(json!({"title": "drafts", "expression": drafts})));
    (members, role, condition).prop_map(|(members, role, condition)| match condition {
        Some(condition) => json!({"role": role, "members": members, "condition": condition}),
        None => json!({"role": role, "members": members}),
    })
}

fn policy() -> impl Strategy<Value = Value> {
    let set = prop::collection::vec(binding(), 0..4)
        .prop_map(|bindings| json!({"version": 3, "etag": "CAM=", "bindings": bindings}));
    prop_oneof![8 => set, 1 => denied()]
}

fn list(kind: &'static str) -> impl Strategy<Value = Value> {
    let entity = prop::sample::select(vec![
        "allUsers",
        "allAuthenticatedUsers",
        "user-partner@other.example",
        "user-us@acme.internal",
    ]);
    let entry = (entity, prop::sample::select(vec!["READER", "WRITER", "OWNER"]))
        .prop_map(|(entity, role)| json!({"entity": entity, "role": role}));
    let items =
        prop::collection::vec(entry, 0..3).prop_map(move |items| json!({"kind": kind, "items": items}));
    prop_oneof![8 => items, 1 => denied()]
}

fn configuration() -> impl Strategy<Value = Value> {
    let prevention = prop::sample::select(vec!["inherited", "inherited", "unspecified", "enforced"]);
    let set = (prevention, any::<bool>(), prop::bool::weighted(0.1)).prop_map(|(prevention, uniform, website)| {
        let mut stated = json!({"name": NAME, "metageneration": "3", "projectNumber": "100000000001", "iamConfiguration": {
            "publicAccessPrevention": prevention, "uniformBucketLevelAccess": {"enabled": uniform}}});
        if prevention == "unspecified" && uniform {
            stated["iamConfiguration"].as_object_mut().unwrap().remove("publicAccessPrevention");
        }
        if website {
            stated["website"] = json!({"mainPageSuffix": "index.html"});
        }
        stated
    });
    prop_oneof![12 => set, 1 => denied()]
}

fn state() -> impl Strategy<Value = State> {
    let lists = (list("storage#bucketAccessControls"), list("storage#objectAccessControls"));
    let objects = prop::collection::vec(prop::option::of(list("storage#objectAccessControls")), KEYS.len());
    let enforced = prop::bool::weighted(0.15);
    (configuration(), policy(), lists, objects, enforced, any::<bool>()).prop_map(
        |(configuration, policy, (own, default), objects, enforced, external)| {
            let constraint = "storage.publicAccessPrevention";
            let effective = json!({"name": format!("projects/1/policies/{constraint}"), "spec": {"rules": [{"enforce": enforced}]}});
            let objects: Map<String, Value> = KEYS
                .iter()
                .zip(objects)
                .filter_map(|(key, list)| Some(((*key).to_owned(), json!({"storage:objectAccessControls.list": list?}))))
                .collect();
            State {
                provider: Provider::Gcp,
                facts: json!({
                    "storage:buckets.get": configuration, "storage:buckets.getIamPolicy": policy,
                    "storage:bucketAccessControls.list": own, "storage:defaultObjectAccessControls.list": default,
                    "storage:managedFolders.list": {"kind": "storage#managedFolders"},
                }),
                objects: objects.into(),
                account: json!({
                    "cloudresourcemanager:projects.get": {"name": "projects/100000000001", "state": "ACTIVE"},
                    "cloudresourcemanager:projects.getIamPolicy": {"version": 1, "bindings": []},
                    "orgpolicy:policies.getEffectivePolicy": {constraint: effective},
                }),
                external,
                quarantined: false,
            }
        },
    )
}

#[test]
fn locked_is_closed_and_no_wider_and_undone_is_as_before() {
    holds_for(&state());
}
