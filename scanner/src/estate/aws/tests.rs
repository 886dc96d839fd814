use serde_json::json;

use super::*;

fn facts(operation: &str, answer: Value) -> Facts {
    let mut facts = Facts::default();
    facts.record(operation, answer);
    facts
}

#[test]
fn the_providers_own_word_for_nothing_is_absence() {
    for (operation, code) in [
        ("s3:GetBucketPolicy", "NoSuchBucketPolicy"),
        ("s3:GetPublicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
        ("s3:GetBucketOwnershipControls", "OwnershipControlsNotFoundError"),
        ("s3:GetBucketTagging", "NoSuchTagSet"),
    ] {
        let mut facts = Facts::default();
        facts.record_error(operation, code);
        assert_eq!(read(&facts, operation, "b", |_| Ok(())), Fact::Absent, "{operation}");
    }
}

#[test]
fn another_operations_word_for_nothing_is_not_absence() {
    let mut facts = Facts::default();
    facts.record_error("s3:GetBucketPolicy", "NoSuchWebsiteConfiguration");
    assert!(matches!(bucket_policy(&facts, "b"), Fact::Unread(gap) if gap.reason == GapReason::Failed));
}

#[test]
fn a_refusal_is_unread_and_names_the_next_step() {
    let mut facts = Facts::default();
    facts.record_error("s3:GetBucketAcl", "AccessDenied");
    let Fact::Unread(gap) = acl(&facts, "s3:GetBucketAcl", "hr") else { panic!("a refusal is no fact") };
    assert_eq!(gap.reason, GapReason::Denied);
    assert!(gap.detail.contains("grant it to the scan role"), "{}", gap.detail);
}

#[test]
fn what_was_not_asked_is_unread() {
    assert!(matches!(
        public_access_block(&Facts::default(), "s3:GetPublicAccessBlock", "b"),
        Fact::Unread(gap) if gap.reason == GapReason::NotRead
    ));
}

#[test]
fn an_answer_that_breaks_its_format_is_unread() {
    for answer in [
        json!({"PublicAccessBlockConfiguration": {"IgnorePublicAcls": "yes"}}),
        json!({"PublicAccessBlockConfiguration": []}),
        json!([]),
        json!({"Error": "AccessDenied"}),
    ] {
        let facts = facts("s3:GetPublicAccessBlock", answer.clone());
        let block = public_access_block(&facts, "s3:GetPublicAccessBlock", "b");
        assert!(matches!(block, Fact::Unread(gap) if gap.reason == GapReason::Malformed), "{answer}");
    }
}

#[test]
fn a_policy_is_accepted_as_text_and_as_object() {
    let text = facts("s3:GetBucketPolicy", json!({"Policy": "{\"Statement\":[]}"}));
    let object = facts("s3:GetBucketPolicy", json!({"Policy": {"Statement": []}}));
    assert_eq!(bucket_policy(&text, "b"), bucket_policy(&object, "b"));
    assert!(matches!(bucket_policy(&text, "b"), Fact::Present(_)));
}

#[test]
fn the_oldest_region_answers_with_nothing() {
    assert_eq!(
        region(&facts("s3:GetBucketLocation", json!({"LocationConstraint": null}))).as_deref(),
        Some("us-east-1")
    );
    assert_eq!(
        region(&facts("s3:GetBucketLocation", json!({"LocationConstraint": "EU"}))).as_deref(),
        Some("eu-west-1")
    );
    assert_eq!(region(&Facts::default()), None);
}
