//! Does a fact that was not read ever narrow a verdict, and does any answer make the judge fail?

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::cases::{facts, plain_account, plain_bucket, plain_facts, the_bucket};
use crate::estate::GapReason;
use crate::exposure::gcp::bucket_exposure;
use crate::exposure::{Audience, BucketExposure, Exposure, ZoneOfTrust};

const KEYS: [&str; 4] = ["a/x", "b/x", "c", "a/in/x.csv"];

fn zone() -> ZoneOfTrust {
    ZoneOfTrust {
        accounts: ["ours".to_owned(), "kin".to_owned()].into(),
        domains: ["acme.internal".to_owned()].into(),
        cidrs: ["203.0.113.0/24".to_owned()].into(),
        ..ZoneOfTrust::default()
    }
}

fn members() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "allUsers",
        "allAuthenticatedUsers",
        "user:x@partner.example",
        "user:x@acme.internal",
        "domain:acme.internal",
        "serviceAccount:x@theirs.iam.gserviceaccount.com",
        "projectViewer:ours",
        "projectViewer:theirs",
        "deleted:user:x@partner.example?uid=1",
        "nonsense",
    ])
    .prop_map(str::to_owned)
}

fn roles() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "roles/storage.objectViewer",
        "roles/storage.legacyObjectReader",
        "roles/storage.objectCreator",
        "roles/storage.admin",
        "roles/viewer",
        "projects/ours/roles/own",
    ])
    .prop_map(str::to_owned)
}

fn conditions() -> impl Strategy<Value = Option<Value>> {
    prop::option::of(
        prop::sample::select(vec![
            r#"resource.name.startsWith("projects/_/buckets/bucket/objects/a/")"#,
            r#"!resource.name.startsWith("projects/_/buckets/bucket/objects/a/")"#,
            r#"request.time < timestamp("2020-01-01T00:00:00Z")"#,
            r#"resource.matchTag("a", "b")"#,
        ])
        .prop_map(|expression| json!({"expression": expression})),
    )
}

fn policy() -> impl Strategy<Value = Value> {
    prop::collection::vec((roles(), members(), conditions()), 0..4).prop_map(|bindings| {
        let bindings: Vec<Value> = bindings
            .into_iter()
            .map(|(role, member, condition)| match condition {
                Some(condition) => json!({"role": role, "members": [member], "condition": condition}),
                None => json!({"role": role, "members": [member]}),
            })
            .collect();
        json!({"version": 3, "bindings": bindings})
    })
}

prop_compose! {
    fn buckets()(enforced in any::<bool>(), uniform in any::<bool>(), pays in any::<bool>(), filter in 0..3_u8) -> Value {
        let mut bucket = plain_bucket();
        bucket.insert("iamConfiguration".to_owned(), json!({
            "publicAccessPrevention": if enforced { "enforced" } else { "inherited" },
            "uniformBucketLevelAccess": {"enabled": uniform},
        }));
        bucket.insert("billing".to_owned(), json!({"requesterPays": pays}));
        let ranges = match filter { 0 => json!(["203.0.113.0/24"]), 1 => json!(["198.51.100.0/24"]), _ => Value::Null };
        if !ranges.is_null() {
            bucket.insert("ipFilter".to_owned(), json!({"mode": "Enabled", "publicNetworkSource": {"allowedIpCidrRanges": ranges}}));
        }
        Value::Object(bucket)
    }
}

fn acl() -> impl Strategy<Value = Value> {
    let entity =
        prop::sample::select(vec!["allUsers", "user-x@partner.example", "project-owners-604417713352"]);
    let role = prop::sample::select(vec!["READER", "WRITER", "OWNER"]);
    prop::collection::vec((entity, role), 0..3).prop_map(|entries| {
        let entries: Vec<Value> =
            entries.into_iter().map(|(entity, role)| json!({"entity": entity, "role": role})).collect();
        json!({"items": entries})
    })
}

fn estates() -> impl Strategy<Value = (Map<String, Value>, Map<String, Value>)> {
    (buckets(), policy(), policy(), policy(), policy(), acl(), any::<bool>()).prop_map(
        |(bucket, own, folder, project, organization, acl, prevented)| {
            let mut of_bucket = plain_facts();
            of_bucket.insert("storage:buckets.get".to_owned(), bucket);
            of_bucket.insert("storage:buckets.getIamPolicy".to_owned(), own);
            of_bucket.insert("storage:bucketAccessControls.list".to_owned(), acl);
            of_bucket.insert("storage:managedFolders.list".to_owned(), json!({"items": [{"name": "a/"}]}));
            of_bucket.insert("storage:managedFolders.getIamPolicy".to_owned(), json!({"a/": folder}));
            let mut of_account = plain_account();
            of_account.insert("cloudresourcemanager:projects.getIamPolicy".to_owned(), project);
            of_account.insert(
                "cloudresourcemanager:organizations.getIamPolicy".to_owned(),
                json!({"organizations/771530924416": organization}),
            );
            of_account.insert(
                "orgpolicy:policies.getEffectivePolicy".to_owned(),
                json!({"storage.publicAccessPrevention": {"spec": {"rules": [{"enforce": prevented}]}}}),
            );
            of_account.insert(
                "iam:roles.get".to_owned(),
                json!({"projects/ours/roles/own": {"includedPermissions": ["storage.objects.get"]}}),
            );
            (of_bucket, of_account)
        },
    )
}

fn judged(of_bucket: &Map<String, Value>, of_account: &Map<String, Value>) -> BucketExposure {
    bucket_exposure(&the_bucket(), &facts(of_bucket.clone()), &facts(of_account.clone()), &zone())
}

/// Whether `wider` says of somebody outside what `way` says; others of ours are not outside.
fn is_kept(way: &Exposure, wider: &BucketExposure) -> Result<(), String> {
    if way.audience == Audience::Organization {
        return Ok(());
    }
    for key in KEYS.iter().filter(|key| way.keys.contains(key)) {
        for access in &way.access {
            let kept = wider.exposures.iter().any(|other| {
                other.audience.includes(way.audience)
                    && other.access.contains(access)
                    && other.keys.contains(key)
            });
            if !kept {
                return Err(format!("{:?} {access:?} {key}", way.audience));
            }
        }
    }
    Ok(())
}

#[test]
fn a_policy_longer_than_any_of_iams_is_judged_in_part_and_says_so() {
    let bindings: Vec<Value> = (0..20_000)
        .map(|number| {
            let expression = format!("resource.name.startsWith(\"projects/_/buckets/bucket/objects/{number}/\")");
            let member = format!("user:{number}@partner.example");
            json!({"role": "roles/storage.objectViewer", "members": [member], "condition": {"expression": expression}})
        })
        .collect();
    let mut of_bucket = plain_facts();
    of_bucket.insert("storage:buckets.get".to_owned(), Value::Object(plain_bucket()));
    of_bucket.insert("storage:buckets.getIamPolicy".to_owned(), json!({"bindings": bindings}));
    let verdict = judged(&of_bucket, &plain_account());
    assert!(verdict.gaps.iter().any(|gap| gap.reason == GapReason::LimitReached));
    assert!(verdict.exposures.iter().any(|way| way.audience == Audience::Anyone));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_unread_fact_never_narrows((of_bucket, of_account) in estates(), lost in 0..16_usize) {
        let whole = judged(&of_bucket, &of_account);
        let names: Vec<String> = of_bucket.keys().chain(of_account.keys()).cloned().collect();
        let name = &names[lost % names.len()];
        // Without uniform access the policy states the bucket's access list too; these policies do not.
        prop_assume!(name != "storage:bucketAccessControls.list");
        let without = |map: &Map<String, Value>| {
            let mut map = map.clone();
            map.insert(name.clone(), Value::Null);
            map
        };
        let less = judged(&without(&of_bucket), &without(&of_account));
        for way in &whole.exposures {
            prop_assert_eq!(is_kept(way, &less), Ok(()), "{} was lost", name);
        }
    }

    #[test]
    fn no_answer_makes_the_judge_fail((mut of_bucket, of_account) in estates(), lost in 0..16_usize, broken in 0..8_usize) {
        let values = [json!(null), json!([]), json!(""), json!({}), json!({"Error": 1}), json!({"Error": {"Code": ""}}), json!(1), json!({"items": [[]], "bindings": [[]]})];
        let names: Vec<String> = of_bucket.keys().cloned().collect();
        of_bucket.insert(names[lost % names.len()].clone(), values[broken].clone());
        judged(&of_bucket, &of_account);
    }

    #[test]
    fn one_grant_more_never_closes_anything((of_bucket, of_account) in estates(), role in roles(), member in members()) {
        let whole = judged(&of_bucket, &of_account);
        let mut more = of_bucket.clone();
        let bindings = more.get_mut("storage:buckets.getIamPolicy").and_then(|policy| policy.get_mut("bindings"));
        bindings.and_then(Value::as_array_mut).expect("bindings").push(json!({"role": role, "members": [member]}));
        for way in &whole.exposures {
            prop_assert_eq!(is_kept(way, &judged(&more, &of_account)), Ok(()));
        }
    }
}
