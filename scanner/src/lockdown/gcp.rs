//! What is the least change that closes a bucket of Google Cloud? One setting, under which all grants stand but do nothing.
//!
//! Source: Cloud Storage documentation, "Public access prevention".

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::estate::{Change, Facts, Setting};
use crate::exposure::{Exposure, quoted};

use super::plan::{Hazard, HazardKind, Made, Scope, Subject};

const BUCKET: &str = "storage:buckets.get";

pub(super) fn plan(subject: &Subject, scope: &Scope) -> Option<Made> {
    let ways = |facts: &Facts| {
        let mut ways = subject.judge(facts).exposures;
        ways.extend(subject.object_ways(facts, &subject.objects));
        ways
    };
    let closes: Vec<Exposure> = scope.open(&ways(&subject.facts)).into_iter().cloned().collect();
    if closes.is_empty() {
        return None;
    }
    let stood = subject.facts.answer(BUCKET)?.clone();
    let mut prevented = stood.clone();
    if let Some(fields) = prevented.as_object_mut() {
        let configuration = fields.entry("iamConfiguration").or_insert_with(|| json!({}));
        configuration.as_object_mut()?.insert("publicAccessPrevention".to_owned(), "enforced".into());
    }
    let mut facts = subject.facts.clone();
    facts.record(BUCKET, prevented.clone());
    let after = ways(&facts);
    let name = &subject.bucket.name;
    let refused = scope.open(&after).first().map(|way| {
        format!(
            "it cannot be proved closed: {}; public access prevention stops everybody, not others by name",
            way.because.first().map_or("a way in stays", String::as_str)
        )
    });
    let mut hazards = BTreeSet::new();
    if stood
        .get("website")
        .is_some_and(|website| website.as_object().is_some_and(|fields| !fields.is_empty()))
    {
        let detail = format!("`{name}` is configured as a website: it goes dark");
        hazards.insert(Hazard { kind: HazardKind::Website, detail });
    }
    let matching = match stood.get("metageneration") {
        Some(Value::String(text)) => format!(" --if-metageneration-match={text}"),
        Some(Value::Number(number)) => format!(" --if-metageneration-match={number}"),
        _ => String::new(),
    };
    let because = "takes grants to everybody out of effect; they stand, so that it can be taken back";
    let change = Change {
        setting: Setting::PublicAccessPrevention,
        before: stood,
        after: prevented,
        because: because.to_owned(),
    };
    Some(Made {
        closes,
        changes: vec![change],
        hazards,
        leaves: after,
        refused,
        commands: vec![format!(
            "gcloud storage buckets update {} --public-access-prevention{matching}",
            quoted(&format!("gs://{name}"))
        )],
    })
}
