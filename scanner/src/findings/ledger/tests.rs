use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::estate::Provider;
use crate::findings::{Holders, Objects, SCHEMA, Severity};

const RULES: [&str; 5] =
    ["exposed_content", "sensitive_content", "exposed_bucket", "unread_bucket", "leaked_copy"];

fn at(minute: u32) -> String {
    format!("2026-11-26T10:{minute:02}:00Z")
}

fn finding(rule: &str, class: &str, severity: Severity, keys: &[u8], at: &str) -> Finding {
    let mut holders = Holders::default();
    keys.iter().for_each(|key| holders.insert("bucket", &key.to_string()));
    let exposed = rule.starts_with("exposed_");
    Finding {
        schema: SCHEMA.to_owned(),
        uid: format!("{rule}-{class}"),
        rule: rule.to_owned(),
        class: class.to_owned(),
        severity,
        provider: Provider::Aws,
        account: "111122223333".to_owned(),
        bucket: "bucket".to_owned(),
        region: None,
        exposures: Vec::new(),
        detections: Vec::new(),
        copies: Vec::new(),
        objects: Objects { count: keys.len() as u64, holders, ..Objects::default() },
        because: Vec::new(),
        remediation: String::new(),
        first_seen: at.to_owned(),
        last_seen: at.to_owned(),
        status: Transition::New,
        changes: Vec::new(),
        exposed_since: exposed.then(|| at.to_owned()),
        exposure_window_ms: exposed.then_some(0),
        resolved_at: None,
        suppression: None,
        tags: BTreeMap::new(),
    }
}

fn everything(at: &str) -> Examined {
    Examined {
        facts: true,
        object_acls: true,
        closed: false,
        listing: true,
        confidence_min: 0.5,
        ..Examined::nothing(at.to_owned())
    }
}

fn look<'a>(examined: &'a Examined) -> Look<'a> {
    Look { run: "run", target: "aws", examined }
}

fn leak(at: &str) -> Finding {
    finding("exposed_content", "employee_pii", Severity::Critical, &[1, 2], at)
}

fn suppressed_until(until: &str) -> Suppression {
    Suppression {
        uid: leak("").uid,
        reason: "a honeypot".to_owned(),
        author: "ada".to_owned(),
        created: at(0),
        until: until.to_owned(),
    }
}

/// The records after one more look; those that it does not touch stay.
fn after(
    known: Vec<Record>,
    found: Vec<Finding>,
    suppressions: &[Suppression],
    examined: &Examined,
) -> Vec<Record> {
    let mut all: BTreeMap<String, Record> =
        known.iter().map(|record| (record.finding.uid.clone(), record.clone())).collect();
    for record in reconcile(known, found, suppressions, look(examined)) {
        all.insert(record.finding.uid.clone(), record);
    }
    all.into_values().collect()
}

fn only(records: &[Record]) -> &Finding {
    assert_eq!(records.len(), 1);
    &records[0].finding
}

#[test]
fn a_leak_is_new_then_unchanged_then_resolved_then_reopened() {
    let records = after(Vec::new(), vec![leak(&at(0))], &[], &everything(&at(0)));
    assert_eq!(only(&records).status, Transition::New);
    let records = after(records, vec![leak(&at(5))], &[], &everything(&at(5)));
    let known = only(&records);
    assert_eq!(
        (known.status, known.first_seen.clone(), known.last_seen.clone()),
        (Transition::Unchanged, at(0), at(5))
    );
    assert_eq!((known.exposed_since.clone(), known.exposure_window_ms), (Some(at(0)), Some(300_000)));

    let closed = Examined { closed: true, ..everything(&at(9)) };
    let records = after(records, Vec::new(), &[], &closed);
    let gone = only(&records);
    assert_eq!((gone.status, gone.resolved_at.clone()), (Transition::Resolved, Some(at(9))));
    assert_eq!((gone.last_seen.clone(), gone.exposure_window_ms), (at(5), Some(540_000)));
    assert!(reconcile(records.clone(), Vec::new(), &[], look(&closed)).is_empty(), "resolved once");

    let records = after(records, vec![leak(&at(20))], &[], &everything(&at(20)));
    let back = only(&records);
    assert_eq!(
        (back.status, back.first_seen.clone(), back.resolved_at.clone()),
        (Transition::Reopened, at(0), None)
    );
    assert_eq!((back.exposed_since.clone(), back.exposure_window_ms), (Some(at(20)), Some(0)));
}

#[test]
fn what_differs_is_said() {
    let records = after(Vec::new(), vec![leak(&at(0))], &[], &everything(&at(0)));
    let worse = Finding { severity: Severity::High, ..leak(&at(1)) };
    let records = after(records, vec![worse], &[], &everything(&at(1)));
    assert_eq!(only(&records).changes, ["severity: critical → high"]);
    assert_eq!(only(&records).status, Transition::Updated);
    let more = finding("exposed_content", "employee_pii", Severity::High, &[1, 2, 3], &at(2));
    let records = after(records, vec![more], &[], &everything(&at(2)));
    assert_eq!(only(&records).changes, ["objects: 2 → 3"]);
}

#[test]
fn content_is_gone_once_every_object_that_held_it_was_read_without_it() {
    let records = after(Vec::new(), vec![leak(&at(0))], &[], &everything(&at(0)));
    let mut unseen = everything(&at(1));
    unseen.unseen_outside.insert("bucket", "2");
    assert!(reconcile(records.clone(), Vec::new(), &[], look(&unseen)).is_empty(), "object 2 was not read");
    let mut others = everything(&at(1));
    others.unseen_outside.insert("bucket", "an archived object that never held it");
    others.unseen_inside.insert("bucket", "2");
    let records = reconcile(records, Vec::new(), &[], look(&others));
    assert_eq!(only(&records).status, Transition::Resolved);
}

#[test]
fn a_look_that_sees_less_makes_nothing_better() {
    let records = after(Vec::new(), vec![leak(&at(0))], &[], &everything(&at(0)));
    let part = finding("exposed_content", "employee_pii", Severity::High, &[1], &at(1));
    let records = after(records, vec![part], &[], &Examined { listing: false, ..everything(&at(1)) });
    let known = only(&records);
    assert_eq!(
        (known.severity, known.objects.count, known.status),
        (Severity::Critical, 2, Transition::Unchanged)
    );
    assert_eq!(known.last_seen, at(1));
}

#[test]
fn what_one_look_after_another_saw_must_all_be_read_again() {
    let records = after(Vec::new(), vec![leak(&at(0))], &[], &everything(&at(0)));
    let others = finding("exposed_content", "employee_pii", Severity::Critical, &[3, 4, 5], &at(1));
    let records = after(records, vec![others], &[], &Examined { listing: false, ..everything(&at(1)) });
    let mut unseen = everything(&at(2));
    unseen.unseen_outside.insert("bucket", "1");
    assert!(reconcile(records, Vec::new(), &[], look(&unseen)).is_empty());
}

#[test]
fn a_less_sure_threshold_closes_nothing() {
    let sure = Examined { confidence_min: 0.3, ..everything(&at(0)) };
    let records = after(Vec::new(), vec![leak(&at(0))], &[], &sure);
    assert!(reconcile(records.clone(), Vec::new(), &[], look(&everything(&at(1)))).is_empty());
    // Not even after the higher threshold has seen a part of it.
    let part = finding("exposed_content", "employee_pii", Severity::Critical, &[1, 2, 3], &at(1));
    let records = after(records, vec![part], &[], &everything(&at(1)));
    assert!(reconcile(records, Vec::new(), &[], look(&everything(&at(2)))).is_empty());
}

#[test]
fn a_suppression_holds_until_its_end_and_then_the_finding_is_told_again() {
    let held = [suppressed_until(&at(10))];
    let records = after(Vec::new(), vec![leak(&at(0))], &[], &everything(&at(0)));
    let records = after(records, vec![leak(&at(5))], &held, &everything(&at(5)));
    assert_eq!(
        (only(&records).status, only(&records).suppression.as_ref()),
        (Transition::Suppressed, Some(&held[0]))
    );
    let records = after(records, vec![leak(&at(10))], &held, &everything(&at(10)));
    assert_eq!((only(&records).status, only(&records).suppression.as_ref()), (Transition::Reopened, None));
    assert_eq!(only(&records).exposed_since, Some(at(0)), "it was exposed all the time");
}

#[test]
fn a_suppression_without_a_readable_end_holds_never() {
    let held = [suppressed_until("for ever")];
    let records = after(Vec::new(), vec![leak(&at(0))], &held, &everything(&at(0)));
    assert_eq!(only(&records).status, Transition::New);
}

#[test]
fn an_older_look_has_not_the_last_word() {
    let records = after(Vec::new(), vec![leak(&at(0))], &[], &everything(&at(0)));
    let closed = Examined { closed: true, ..everything(&at(9)) };
    let records = after(records, Vec::new(), &[], &closed);
    assert!(reconcile(records.clone(), vec![leak(&at(5))], &[], look(&everything(&at(5)))).is_empty());
    let records = after(records, vec![leak(&at(12))], &[], &everything(&at(12)));
    let late = Examined { closed: true, ..everything(&at(10)) };
    assert!(reconcile(records, Vec::new(), &[], look(&late)).is_empty());
}

#[test]
fn a_bucket_that_is_gone_takes_every_finding_with_it() {
    let found = RULES.map(|rule| finding(rule, "x", Severity::High, &[1], &at(0)));
    let records = after(Vec::new(), found.to_vec(), &[], &everything(&at(0)));
    let resolved = reconcile(records, Vec::new(), &[], look(&Examined::gone(at(1))));
    assert_eq!(resolved.len(), RULES.len());
    assert!(resolved.iter().all(|record| record.finding.changes == ["the bucket is gone"]));
}

fn severities() -> impl Strategy<Value = Severity> {
    prop_oneof![Just(Severity::Low), Just(Severity::Medium), Just(Severity::Critical)]
}

fn keys() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0_u8..6, 0..4)
}

prop_compose! {
    fn findings(minute: u32)(
        all in prop::collection::btree_map(0..RULES.len(), (severities(), keys()), 0..4)
    ) -> Vec<Finding> {
        all.into_iter().map(|(rule, (severity, keys))| finding(RULES[rule], "x", severity, &keys, &at(minute))).collect()
    }
}

prop_compose! {
    fn looks(minute: u32)(
        flags in any::<[bool; 4]>(), outside in keys(), inside in keys(), sure in 0_u8..3
    ) -> Examined {
        let [facts, object_acls, closed, listing] = flags;
        let mut examined = Examined {
            facts, object_acls, closed, listing, confidence_min: f64::from(sure) / 4.0, ..Examined::nothing(at(minute))
        };
        outside.iter().for_each(|key| examined.unseen_outside.insert("bucket", &key.to_string()));
        inside.iter().for_each(|key| examined.unseen_inside.insert("bucket", &key.to_string()));
        examined
    }
}

fn resolved(records: &[Record]) -> BTreeSet<String> {
    let gone = records.iter().filter(|record| record.finding.status == Transition::Resolved);
    gone.map(|record| record.finding.uid.clone()).collect()
}

/// A look that saw at most what both saw.
fn lesser(a: &Examined, b: &Examined) -> Examined {
    let mut less = Examined {
        at: a.at.clone(),
        facts: a.facts && b.facts,
        object_acls: a.object_acls && b.object_acls,
        closed: a.closed && b.closed,
        listing: a.listing && b.listing,
        confidence_min: a.confidence_min.max(b.confidence_min),
        ..a.clone()
    };
    less.unseen_outside.extend(&b.unseen_outside);
    less.unseen_inside.extend(&b.unseen_inside);
    less
}

proptest! {
    #[test]
    fn looking_again_changes_nothing(
        first in findings(0), look in looks(0), then in findings(1), again in looks(1), held in any::<bool>()
    ) {
        let suppressions: &[Suppression] = if held { &[suppressed_until(&at(59))] } else { &[] };
        let records = after(Vec::new(), first, suppressions, &look);
        let once = after(records, then.clone(), suppressions, &again);
        let twice = reconcile(once.clone(), then.clone(), suppressions, super::tests::look(&again));
        for record in &twice {
            prop_assert!(matches!(record.finding.status, Transition::Unchanged | Transition::Suppressed));
            prop_assert!(record.finding.changes.is_empty());
        }
        prop_assert_eq!(resolved(&twice), BTreeSet::new());
        let twice = after(once, then.clone(), suppressions, &again);
        prop_assert_eq!(after(twice.clone(), then, suppressions, &again), twice);
    }

    #[test]
    fn a_run_that_could_not_read_who_reaches_a_bucket_closes_nothing(
        first in findings(0), look in looks(0), then in findings(1), again in looks(1), which in any::<bool>()
    ) {
        let records = after(Vec::new(), first, &[], &look);
        let blind = Examined { facts: again.facts && which, object_acls: again.object_acls && !which, ..again };
        prop_assert!(resolved(&reconcile(records, then, &[], super::tests::look(&blind))).is_empty());
    }

    #[test]
    fn seeing_less_never_closes_more(
        first in findings(0), look in looks(0), then in findings(1), a in looks(1), b in looks(1)
    ) {
        let records = after(Vec::new(), first, &[], &look);
        let less = reconcile(records.clone(), then.clone(), &[], super::tests::look(&lesser(&a, &b)));
        let more = reconcile(records, then, &[], super::tests::look(&a));
        prop_assert!(resolved(&less).is_subset(&resolved(&more)));
    }

    #[test]
    fn every_finding_that_is_there_is_told(known in findings(0), look in looks(0), found in findings(1), again in looks(1)) {
        let records = after(Vec::new(), known, &[], &look);
        let told = reconcile(records, found.clone(), &[], super::tests::look(&again));
        for finding in &found {
            prop_assert!(told.iter().any(|record| record.finding.uid == finding.uid && record.finding.status.is_open()));
        }
    }
}
