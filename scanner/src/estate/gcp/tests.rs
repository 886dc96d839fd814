use serde_json::json;

use super::*;
use crate::estate::Fact;

fn facts(operation: &str, answer: Value) -> Facts {
    let mut facts = Facts::default();
    facts.record(operation, answer);
    facts
}

#[test]
fn a_policy_that_was_never_set_is_empty_not_unread() {
    let facts = facts("storage:buckets.getIamPolicy", json!({"etag": "CAE="}));
    assert_eq!(bucket_policy(&facts, "b"), Fact::Present(Policy::default()));
}

#[test]
fn a_policy_of_another_form_is_unread() {
    for broken in
        [json!([]), json!({"bindings": {}}), json!({"bindings": [1]}), json!({"bindings": [{"members": []}]})]
    {
        let facts = facts("storage:buckets.getIamPolicy", broken.clone());
        assert!(
            matches!(bucket_policy(&facts, "b"), Fact::Unread(gap) if gap.reason == GapReason::Malformed),
            "{broken}"
        );
    }
}

#[test]
fn a_disabled_api_is_a_refusal_and_says_which_call() {
    let mut facts = Facts::default();
    facts.record_error("cloudresourcemanager:projects.getIamPolicy", "SERVICE_DISABLED");
    let Fact::Unread(gap) = project_policy(&facts, "p") else { panic!("it was not read") };
    assert_eq!(gap.reason, GapReason::Denied);
    assert!(gap.detail.contains("cloudresourcemanager:projects.getIamPolicy"), "{}", gap.detail);
}

#[test]
fn the_way_up_to_the_organization_is_followed_and_never_for_ever() {
    let mut facts =
        facts("cloudresourcemanager:projects.get", json!({"name": "projects/1", "parent": "folders/2"}));
    facts.record(
        "cloudresourcemanager:folders.get",
        json!({
            "folders/2": {"name": "folders/2", "parent": "folders/3"},
            "folders/3": {"name": "folders/3", "parent": "organizations/4"},
        }),
    );
    let (names, complete) = ancestors(&facts, &project(&facts, "p"));
    assert_eq!(names, ["folders/2", "folders/3", "organizations/4"]);
    assert_eq!(complete, Fact::Present(()));

    facts.record("cloudresourcemanager:folders.get", json!({"folders/2": {"parent": "folders/2"}}));
    let (names, _) = ancestors(&facts, &project(&facts, "p"));
    assert!(names.len() <= 16, "{names:?}");

    facts.record("cloudresourcemanager:folders.get", json!({"folders/2": {"parent": "folders/3"}}));
    let (names, complete) = ancestors(&facts, &project(&facts, "p"));
    assert_eq!(names, ["folders/2", "folders/3"]);
    assert!(matches!(complete, Fact::Unread(_)));
}

#[test]
fn access_lists_are_taken_from_the_bucket_where_it_was_read_in_full() {
    let acl = json!([{"entity": "allUsers", "role": "READER"}]);
    let facts = facts("storage:buckets.get", json!({"acl": acl}));
    let Fact::Present(acl) = access_controls(&facts, "storage:bucketAccessControls.list", "b") else {
        panic!("it was read")
    };
    assert_eq!(acl[0].entity, "allUsers");
    assert!(matches!(
        access_controls(&facts, "storage:defaultObjectAccessControls.list", "b"),
        Fact::Unread(_)
    ));
}
