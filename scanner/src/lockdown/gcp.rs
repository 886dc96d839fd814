//! What is the least change that closes a bucket of Google Cloud? One setting for everybody, under which all grants stand but
//! do nothing; for outsiders by name, their own grants.
//!
//! Source: Cloud Storage documentation, "Public access prevention".

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::estate::{Change, Facts, Setting};
use crate::exposure::{Audience, Exposure, quoted};

use super::plan::{Hazard, HazardKind, Made, Scope, Subject};

const BUCKET: &str = "storage:buckets.get";
const POLICY: &str = "storage:buckets.getIamPolicy";

/// The state that the changes so far lead to.
struct Draft<'a> {
    subject: &'a Subject,
    scope: &'a Scope,
    facts: Facts,
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
    let facts = subject.facts.clone();
    let mut draft = Draft { subject, scope, facts, changes: Vec::new(), commands: Vec::new() };
    let stood = subject.facts.answer(BUCKET)?.clone();
    let prevented = prevented(&stood)?;
    // A policy that still names everybody is refused once access is prevented, so it is set first.
    draft.close_named(&prevented);
    if closes.iter().any(|way| way.audience != Audience::External) {
        draft.prevent(stood.clone(), prevented);
    }
    let after = draft.ways();
    let refused = scope.open(&after).first().map(|way| {
        let why = way.because.first().map_or("a way in stays", String::as_str);
        format!(
            "it cannot be proved closed: {why}; neither prevention nor the bucket's own policy reaches that"
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
        ways.extend(self.subject.object_ways(&self.facts, &self.subject.objects));
        ways
    }

    /// Takes out of the bucket's policy whoever opens it alone, everybody left aside.
    fn close_named(&mut self, prevented: &Value) {
        let Some(stood) = self.facts.answer(POLICY).filter(|answer| answer.get("Error").is_none()).cloned()
        else {
            return;
        };
        let opens = |binding: &Value, member: &Value| {
            let mut facts = self.facts.clone();
            let alone = with(binding, "members", json!([member]));
            facts.record(BUCKET, prevented.clone());
            facts.record(POLICY, json!({"version": 3, "bindings": [alone]}));
            let verdict = self.subject.judge(&facts);
            self.scope.open(&verdict.exposures).iter().any(|way| way.audience == Audience::External)
        };
        let by_others = opens(&json!({}), &json!(""));
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
        let because = "takes out the grants to outsiders only".to_owned();
        self.changes.push(Change { setting: Setting::BucketIamPolicy, before: stood, after, because });
        self.commands.extend(removed);
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
