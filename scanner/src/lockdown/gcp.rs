//! What is the least change that closes a bucket of Google Cloud? One setting for everybody, under which all grants stand but
//! do nothing; for outsiders by name, their own grants, in the policy and in the access lists of the bucket and of its objects.
//!
//! Source: Cloud Storage documentation, "Public access prevention".

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::estate::{Change, Facts, Object, Setting};
use crate::exposure::{Audience, Exposure, ObjectAcls, quoted};

use super::plan::{Hazard, HazardKind, Made, Scope, Subject};

const BUCKET: &str = "storage:buckets.get";
const POLICY: &str = "storage:buckets.getIamPolicy";
const LIST: &str = "storage:bucketAccessControls.list";
const OBJECT_LIST: &str = "storage:objectAccessControls.list";

/// The state that the changes so far lead to.
struct Draft<'a> {
    subject: &'a Subject,
    scope: &'a Scope,
    facts: Facts,
    objects: Vec<(Object, Facts)>,
    changes: Vec<Change>,
    commands: Vec<String>,
}

pub(super) fn plan(subject: &Subject, scope: &Scope) -> Option<Made> {
    if !scope.responders.is_empty() {
        return Some(no_quarantine());
    }
    let before = subject.open_ways();
    let closes: Vec<Exposure> = scope.open(&before).into_iter().cloned().collect();
    if closes.is_empty() {
        return None;
    }
    let (facts, objects) = (subject.facts.clone(), subject.objects.clone());
    let mut draft = Draft { subject, scope, facts, objects, changes: Vec::new(), commands: Vec::new() };
    let stood = subject.facts.answer(BUCKET)?.clone();
    let prevented = prevented(&stood)?;
    // A policy that still names everybody is refused once access is prevented, so it is set first.
    draft.close_named(&prevented);
    draft.close_bucket_list(&prevented);
    draft.close_object_lists(&prevented);
    if closes.iter().any(|way| way.audience != Audience::External) {
        draft.prevent(stood.clone(), prevented);
    }
    let after = draft.ways();
    let refused = scope.open(&after).first().map(|way| {
        let why = way.because.first().map_or("a way in stays", String::as_str);
        format!(
            "it cannot be proved closed: {why}; neither prevention nor the bucket's own policy and lists reach that"
        )
    });
    let hazards = hazards(subject, &stood, &before, &after);
    Some(Made { closes, changes: draft.changes, hazards, leaves: after, refused, commands: draft.commands })
}

/// A deny policy is of a project, and of all buckets in it ("Deny policies", IAM).
fn no_quarantine() -> Made {
    let why = "Google Cloud knows no deny of one bucket; plan without `--quarantine`, and take out who else may read by hand";
    Made {
        closes: Vec::new(),
        changes: Vec::new(),
        hazards: BTreeSet::new(),
        leaves: Vec::new(),
        refused: Some(why.to_owned()),
        commands: Vec::new(),
    }
}

/// The bucket as it would be described with public access prevented.
fn prevented(stood: &Value) -> Option<Value> {
    let mut prevented = stood.clone();
    let configuration = prevented.as_object_mut()?.entry("iamConfiguration").or_insert_with(|| json!({}));
    configuration.as_object_mut()?.insert("publicAccessPrevention".to_owned(), "enforced".into());
    Some(prevented)
}

impl Draft<'_> {
    fn ways(&self) -> Vec<Exposure> {
        let mut ways = self.subject.judge(&self.facts).exposures;
        ways.extend(self.subject.object_ways(&self.facts, &self.objects));
        ways
    }

    /// Takes out of the bucket's policy whoever opens it alone, everybody left aside.
    fn close_named(&mut self, prevented: &Value) {
        let Some(stood) = self.facts.answer(POLICY).filter(|answer| answer.get("Error").is_none()).cloned()
        else {
            return;
        };
        let opens = |binding: &Value, member: &Value| {
            let alone = with(binding, "members", json!([member]));
            self.lets_in(prevented, &[alone], &[])
        };
        let by_others = self.lets_in(prevented, &[], &[]);
        let (mut kept, mut removed) = (Vec::new(), Vec::new());
        for binding in stood.get("bindings").and_then(Value::as_array).into_iter().flatten() {
            let members = binding.get("members").and_then(Value::as_array).cloned().unwrap_or_default();
            let (out, left): (Vec<Value>, Vec<Value>) =
                members.into_iter().partition(|member| !by_others && opens(binding, member));
            removed.extend(
                out.iter().filter_map(Value::as_str).map(|member| unbinding(self.subject, binding, member)),
            );
            if !left.is_empty() {
                kept.push(with(binding, "members", left.into()));
            }
        }
        if removed.is_empty() {
            return;
        }
        let after = with(&stood, "bindings", kept.into());
        self.facts.record(POLICY, after.clone());
        self.changes.push(named_out(Setting::BucketIamPolicy, stood, after));
        self.commands.extend(removed);
    }

    /// Whether named outsiders are let in by these bindings and entries of the bucket alone, everybody left aside.
    fn lets_in(&self, prevented: &Value, bindings: &[Value], entries: &[Value]) -> bool {
        let mut facts = self.facts.clone();
        facts.record(BUCKET, prevented.clone());
        facts.record(POLICY, json!({"version": 3, "bindings": bindings}));
        if let Some(list) = facts.answer(LIST).filter(|list| list.get("Error").is_none()) {
            let alone = with(list, "items", entries.into());
            facts.record(LIST, alone);
        }
        let verdict = self.subject.judge(&facts);
        self.scope.open(&verdict.exposures).iter().any(|way| way.audience == Audience::External)
    }

    /// Takes outsiders by name out of the bucket's own access list.
    fn close_bucket_list(&mut self, prevented: &Value) {
        let Some(stood) = self.facts.answer(LIST).cloned() else { return };
        let by_others = self.lets_in(prevented, &[], &[]);
        let opens = |entry: &Value| !by_others && self.lets_in(prevented, &[], std::slice::from_ref(entry));
        let Some((after, removed)) = without(&stood, opens) else { return };
        self.facts.record(LIST, after.clone());
        let url = url(self.subject);
        self.commands.extend(removed.iter().map(|entity| {
            format!("gcloud storage buckets update {url} --remove-acl-grant={}", quoted(entity))
        }));
        self.changes.push(named_out(Setting::BucketAccessList, stood, after));
    }

    /// Takes outsiders by name out of the access lists of objects.
    fn close_object_lists(&mut self, prevented: &Value) {
        let mut facts = self.facts.clone();
        facts.record(BUCKET, prevented.clone());
        let zone = Arc::new(self.subject.zone.clone());
        let acls = ObjectAcls::of(&self.subject.bucket, &facts, &self.subject.account_facts, &zone);
        let Some(acls) = acls else { return };
        let mut objects = std::mem::take(&mut self.objects);
        for (object, own) in &mut objects {
            let Some(stood) = own.answer(OBJECT_LIST).cloned() else { continue };
            let opens = |entry: &Value| {
                let mut alone = Facts::default();
                alone.record(OBJECT_LIST, json!({"items": [entry]}));
                let ways = acls.exposure(object, &alone).exposures;
                self.scope.open(&ways).iter().any(|way| way.audience == Audience::External)
            };
            let Some((after, removed)) = without(&stood, opens) else { continue };
            own.record(OBJECT_LIST, after.clone());
            let url = quoted(&format!("gs://{}/{}", self.subject.bucket.name, object.key));
            self.commands.extend(removed.iter().map(|entity| {
                format!("gcloud storage objects update {url} --remove-acl-grant={}", quoted(entity))
            }));
            let setting =
                Setting::ObjectAccessList { key: object.key.clone(), version: object.version.clone() };
            self.changes.push(named_out(setting, stood, after));
        }
        self.objects = objects;
    }

    fn prevent(&mut self, before: Value, after: Value) {
        let matching = match before.get("metageneration") {
            // The policy's change counts, too.
            _ if !self.changes.is_empty() => String::new(),
            Some(Value::String(text)) => format!(" --if-metageneration-match={}", quoted(text)),
            Some(Value::Number(number)) => format!(" --if-metageneration-match={number}"),
            _ => String::new(),
        };
        self.facts.record(BUCKET, after.clone());
        let because = "takes grants to everybody out of effect; they stand, so that it can be taken back";
        let setting = Setting::PublicAccessPrevention;
        self.changes.push(Change { setting, before, after, because: because.to_owned() });
        self.commands.push(format!(
            "gcloud storage buckets update {} --public-access-prevention{matching}",
            url(self.subject)
        ));
    }
}

/// An access list without the entries that open something, and whose those are; `None` if none does.
fn without(list: &Value, opens: impl Fn(&Value) -> bool) -> Option<(Value, Vec<String>)> {
    let entries = list.get("items").and_then(Value::as_array)?;
    let (removed, kept): (Vec<Value>, Vec<Value>) = entries.iter().cloned().partition(|entry| opens(entry));
    let entity = |entry: &Value| entry.get("entity").and_then(Value::as_str).map(str::to_owned);
    let entities: Vec<String> = removed.iter().filter_map(entity).collect();
    (!removed.is_empty()).then(|| (with(list, "items", kept.into()), entities))
}

fn named_out(setting: Setting, before: Value, after: Value) -> Change {
    Change { setting, before, after, because: "takes out the grants to outsiders only".to_owned() }
}

/// An object with another value under a name.
fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut changed = object.clone();
    if let Some(fields) = changed.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
    changed
}

fn url(subject: &Subject) -> String {
    quoted(&format!("gs://{}", subject.bucket.name))
}

fn unbinding(subject: &Subject, binding: &Value, member: &str) -> String {
    let text = |pointer: &str| binding.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let condition = match binding.get("condition") {
        Some(_) => {
            let (title, expression) = (text("/condition/title"), text("/condition/expression"));
            format!(" --condition={}", quoted(&format!("title={title},expression={expression}")))
        }
        None => String::new(),
    };
    format!(
        "gcloud storage buckets remove-iam-policy-binding {} --member={} --role={}{condition}",
        url(subject),
        quoted(member),
        quoted(text("/role"))
    )
}

fn hazards(subject: &Subject, stood: &Value, before: &[Exposure], after: &[Exposure]) -> BTreeSet<Hazard> {
    let mut hazards = BTreeSet::new();
    let is_website = stood.get("website").and_then(Value::as_object).is_some_and(|site| !site.is_empty());
    if is_website {
        let detail = format!("`{}` is configured as a website: it goes dark", subject.bucket.name);
        hazards.insert(Hazard { kind: HazardKind::Website, detail });
    }
    let named = |ways: &[Exposure]| {
        let named = ways.iter().filter(|way| way.audience == Audience::External);
        named.map(|way| (way.access.clone(), way.keys.clone())).collect::<BTreeSet<_>>()
    };
    let cut = named(before).difference(&named(after)).count();
    if cut > 0 {
        let detail = format!("{cut} ways in of others by name close as well");
        hazards.insert(Hazard { kind: HazardKind::CrossAccount, detail });
    }
    hazards
}
