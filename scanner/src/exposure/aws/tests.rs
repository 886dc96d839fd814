//! Are the judged facts judged rightly, and does everything else widen?

use serde_json::json;

use super::*;
use crate::estate::{Account, Provider};

fn bucket() -> Bucket {
    let account = Account { provider: Provider::Aws, id: "111122223333".to_owned() };
    Bucket { account, name: "b".to_owned(), region: None }
}

fn facts(pairs: &[(&str, Value)]) -> Facts {
    let mut facts = Facts::default();
    pairs.iter().for_each(|(operation, answer)| facts.record(operation, answer.clone()));
    facts
}

fn no_policy() -> (&'static str, Value) {
    ("s3:GetBucketPolicy", json!({"Error": {"Code": "NoSuchBucketPolicy"}}))
}

fn public_acl() -> (&'static str, Value) {
    let uri = "http://acs.amazonaws.com/groups/global/AllUsers";
    let grant = json!({"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"});
    ("s3:GetBucketAcl", json!({"Owner": {"ID": "o"}, "Grants": [grant]}))
}

fn judge(bucket_facts: &[(&str, Value)], account: &[(&str, Value)]) -> BucketExposure {
    bucket_exposure(&bucket(), &facts(bucket_facts), &facts(account), &ZoneOfTrust::default())
}

#[test]
fn a_public_acl_is_proven_with_a_witness() {
    let judged = judge(&[no_policy(), public_acl()], &[]);
    let [way] = judged.exposures.as_slice() else { panic!("{judged:?}") };
    assert_eq!((way.audience, way.certainty), (Audience::Anyone, Certainty::Proven));
    assert_eq!(way.access, BTreeSet::from([Access::List]));
    assert!(way.witness.as_ref().unwrap().command.contains("--no-sign-request"));
}

#[test]
fn ignore_public_acls_of_the_account_closes_a_public_acl_and_block_public_acls_does_not() {
    let block = |flag: &str| (ACCOUNT_BLOCK, json!({"PublicAccessBlockConfiguration": {flag: true}}));
    assert!(judge(&[no_policy(), public_acl()], &[block("IgnorePublicAcls")]).exposures.is_empty());
    assert_eq!(judge(&[no_policy(), public_acl()], &[block("BlockPublicAcls")]).exposures.len(), 1);
}

#[test]
fn restrict_public_buckets_closes_a_public_policy_and_says_that_it_may_reopen() {
    let policy = ("s3:GetBucketPolicy", json!({"Policy": "{}"}));
    let status = ("s3:GetBucketPolicyStatus", json!({"PolicyStatus": {"IsPublic": true}}));
    let acl = ("s3:GetBucketAcl", json!({"Owner": {"ID": "o"}, "Grants": []}));
    let block = (ACCOUNT_BLOCK, json!({"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": true}}));
    let closed = judge(&[policy.clone(), status.clone(), acl.clone()], &[block]);
    assert!(closed.exposures.is_empty() && !closed.latent.is_empty());
    assert_eq!(judge(&[policy, status, acl], &[]).exposures[0].audience, Audience::Anyone);
}

#[test]
fn unread_facts_widen_exposure_and_are_gaps() {
    let judged = judge(&[], &[]);
    assert!(judged.exposures.iter().any(|way| way.audience == Audience::Anyone));
    assert!(judged.exposures.iter().all(|way| way.certainty == Certainty::Possible));
    assert_eq!(judged.gaps.len(), 2);
}

#[test]
fn a_denied_answer_is_unread_and_an_absence_is_absent() {
    let denied = ("s3:GetBucketPolicy", json!({"Error": {"Code": "AccessDenied"}}));
    let judged = judge(&[denied, public_acl()], &[]);
    assert_eq!(judged.gaps[0].reason, GapReason::Denied);
    assert!(judge(&[no_policy(), public_acl()], &[]).gaps.is_empty());
}

#[test]
fn a_key_cannot_break_out_of_the_witness_command() {
    assert_eq!(quoted("a'; rm -rf /"), r"'a'\''; rm -rf /'");
}
