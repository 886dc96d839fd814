use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::estate::history::{ACCOUNT_EVENTS, BUCKET_EVENTS};
use crate::estate::{Account, Bucket, Facts, Provider};
use crate::exposure::ZoneOfTrust;

fn subject(facts: Facts, account_facts: Facts) -> Subject {
    let account = Account { provider: Provider::Aws, id: "111122223333".to_owned() };
    let bucket = Bucket { account, name: "leak".to_owned(), region: None };
    Subject {
        bucket,
        facts,
        account_facts,
        zone: ZoneOfTrust::default(),
        objects: Vec::new(),
        all_objects: true,
    }
}

/// A change, as CloudTrail records what was asked for.
fn change() -> impl Strategy<Value = (&'static str, Value)> {
    let policy = |action: &str, resource: &str| {
        json!({"bucketPolicy": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": resource}]}})
    };
    let flags = |on: bool| {
        json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": false, "IgnorePublicAcls": on, "BlockPublicPolicy": false,
            "RestrictPublicBuckets": on}})
    };
    let owned = |word: &str| json!({"OwnershipControls": {"Rule": {"ObjectOwnership": word}}});
    prop::sample::select(vec![
        ("PutBucketPolicy", policy("s3:GetObject", "arn:aws:s3:::leak/*")),
        ("PutBucketPolicy", policy("s3:ListBucket", "arn:aws:s3:::leak")),
        ("PutBucketPolicy", json!({"bucketPolicy": {"Version": "2012-10-17", "Statement": []}})),
        ("DeleteBucketPolicy", json!({})),
        ("PutBucketAcl", json!({"x-amz-acl": ["public-read"]})),
        ("PutBucketAcl", json!({"x-amz-acl": ["private"]})),
        ("PutBucketPublicAccessBlock", flags(true)),
        ("PutBucketPublicAccessBlock", flags(false)),
        ("DeleteBucketPublicAccessBlock", json!({})),
        ("PutAccountPublicAccessBlock", flags(true)),
        ("DeleteAccountPublicAccessBlock", json!({})),
        ("PutBucketOwnershipControls", owned("ObjectWriter")),
        ("PutBucketOwnershipControls", owned("BucketOwnerEnforced")),
    ])
}

/// What CloudTrail answers of these changes, the n-th in the n-th minute.
fn records(changes: &[(&str, Value)]) -> Facts {
    let mut answers: Map<String, Value> = BUCKET_EVENTS
        .iter()
        .chain(&ACCOUNT_EVENTS)
        .map(|name| ((*name).to_owned(), json!({"Events": []})))
        .collect();
    for (minute, (name, asked)) in changes.iter().enumerate().rev() {
        let record = json!({"eventTime": format!("2026-11-20T08:{minute:02}:00Z"), "eventName": name, "requestParameters": asked});
        let entry = json!({"EventName": name, "CloudTrailEvent": record.to_string()});
        if let Some(events) = answers.get_mut(*name).and_then(|answer| answer["Events"].as_array_mut()) {
            events.push(entry);
        }
    }
    let mut facts = Facts::default();
    facts.record("cloudtrail:LookupEvents", answers.into());
    facts
}

/// The changes with the making of the bucket before them.
fn since_it_was_made(changes: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let unblocked = json!({"PublicAccessBlockConfiguration": {}});
    let mut all = vec![("PutAccountPublicAccessBlock", unblocked), ("CreateBucket", json!({}))];
    all.extend(changes);
    all
}

/// Makes a change.
fn make(event: &Event, now: &mut Subject) {
    match &event.effect {
        Effect::Created(facts) => now.facts = facts.clone(),
        Effect::Set { place, to: Some(to) } if place.of_account => {
            place.record(&mut now.account_facts, to.clone());
        }
        Effect::Set { place, to: Some(to) } => place.record(&mut now.facts, to.clone()),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whoever made the last change after which a way in was open that was not before opened it: the changes are made one after
    /// the other, as they were, and judged each time.
    #[test]
    fn what_is_found_backwards_is_what_happened_forwards(changes in prop::collection::vec(change(), 1..12)) {
        let scope = Scope::public();
        let mut now = subject(Facts::default(), Facts::default());
        let told = history(&now.bucket, &records(&since_it_was_made(changes)));
        prop_assert_eq!(&told.gaps, &[]);
        let mut opened: BTreeMap<Way, usize> = BTreeMap::new();
        for (at, event) in told.events.iter().rev().enumerate() {
            make(event, &mut now);
            let open: BTreeSet<Way> = Past::of(&now, &scope).open.into_keys().collect();
            opened.retain(|way, _| open.contains(way));
            for way in open {
                opened.entry(way).or_insert(at);
            }
        }
        let expected: BTreeSet<usize> = opened.into_values().collect();
        let found = opened_by(&now, &scope, told);
        prop_assert!(found.by.iter().all(|by| by.certainty == Certainty::Proven), "{:?}", found);
        let minutes = expected.iter().rev().map(|minute| format!("2026-11-20T08:{minute:02}:00Z"));
        prop_assert!(found.by.iter().map(|by| by.at.clone()).eq(minutes), "{:?} instead of {:?}", found, expected);
    }

    /// Where older changes are forgotten, or changes of one kind were not read, nobody is named for certain whom all of them do
    /// not name.
    #[test]
    fn less_that_is_told_accuses_nobody_else(
        changes in prop::collection::vec(change(), 1..8),
        forgotten in 0..8_usize,
        refused in prop::option::of(prop::sample::select(BUCKET_EVENTS.to_vec())),
    ) {
        let scope = Scope::public();
        let mut now = subject(Facts::default(), Facts::default());
        let all = since_it_was_made(changes);
        let told = history(&now.bucket, &records(&all));
        told.events.iter().rev().for_each(|event| make(event, &mut now));
        let mut part = records(&all);
        if let Some(name) = refused {
            let mut answers = part.answer("cloudtrail:LookupEvents").cloned().expect("recorded");
            answers[name] = json!({"Error": {"Code": "ThrottlingException"}});
            part.record("cloudtrail:LookupEvents", answers);
        }
        let mut part = history(&now.bucket, &part);
        part.events.truncate(part.events.len().saturating_sub(forgotten));
        let (whole, part) = (opened_by(&now, &scope, told), opened_by(&now, &scope, part));
        for by in part.by.iter().filter(|by| by.certainty == Certainty::Proven) {
            prop_assert!(whole.by.contains(by), "{:?} is not in {:?}", by, whole);
        }
    }
}
