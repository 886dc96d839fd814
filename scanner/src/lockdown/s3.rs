//! What is the least change that closes an S3 bucket? Offending statements and grants, found one by one with the reasoner.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::estate::aws::{access_points, distributions, is_website};
use crate::estate::{Change, Fact, Facts, Object, Setting, block_with, policy};
use crate::exposure::ObjectAcls;
use crate::exposure::{Audience, BucketExposure, Certainty, Exposure};

use super::plan::{Hazard, HazardKind, Made, Scope, Subject};

mod commands;
mod quarantine;
mod statements;

/// Beyond, one flag of the bucket closes objects instead of an ACL each.
const OBJECT_ACLS_MAX: usize = 100;

/// The state that the changes so far lead to.
struct Draft<'a> {
    subject: &'a Subject,
    scope: &'a Scope,
    facts: Facts,
    objects: Vec<(Object, Facts)>,
    changes: Vec<Change>,
    hazards: BTreeSet<Hazard>,
}

pub(super) fn plan(subject: &Subject, scope: &Scope) -> Option<Made> {
    let before = subject.judge(&subject.facts);
    let mut draft = Draft {
        subject,
        scope,
        facts: subject.facts.clone(),
        objects: subject.objects.clone(),
        changes: Vec::new(),
        hazards: BTreeSet::new(),
    };
    let objects_before = draft.object_ways();
    let closes: Vec<Exposure> =
        scope.open(&before.exposures).into_iter().chain(scope.open(&objects_before)).cloned().collect();
    if closes.is_empty() && scope.responders.is_empty() {
        return None;
    }
    draft.close_acls();
    draft.close_access_points();
    draft.close_policy();
    let after = draft.subject.judge(&draft.facts);
    draft.keep_closed(&after);
    let not_denied = draft.quarantine();
    if closes.is_empty() && draft.changes.is_empty() && not_denied.is_none() {
        return None;
    }
    let after = draft.subject.judge(&draft.facts);
    let objects_after = draft.object_ways();
    let refused = not_denied
        .or_else(|| draft.why_not(&before, &after, &objects_after))
        .or_else(|| draft.not_quarantined(&after, &objects_after));
    draft.note_hazards(&before, &after);
    draft.note_quarantine_hazards();
    let commands = commands::of(subject, &draft.changes);
    let leaves: Vec<Exposure> = after
        .exposures
        .into_iter()
        .chain(objects_after)
        .filter(|way| way.audience != Audience::Organization)
        .collect();
    Some(Made { closes, changes: draft.changes, hazards: draft.hazards, leaves, refused, commands })
}

impl Draft<'_> {
    fn change(&mut self, setting: Setting, after: Value, because: String) {
        let before = match &setting {
            Setting::AccessPointPolicy(name) => {
                self.facts.answer(setting.operation()).and_then(|answers| answers.get(name)).cloned()
            }
            Setting::ObjectAcl { key, version } => {
                let own = |object: &Object| object.key == *key && object.version == *version;
                let facts = self.objects.iter().find(|(object, _)| own(object)).map(|(_, facts)| facts);
                facts.and_then(|facts| facts.answer(setting.operation())).cloned()
            }
            _ => self.facts.answer(setting.operation()).cloned(),
        };
        let code = |answer: &Value| answer.pointer("/Error/Code").and_then(Value::as_str).map(str::to_owned);
        let read =
            |answer: &Value| code(answer).is_none_or(|code| setting.absent_code() == Some(code.as_str()));
        // What was not read is not touched.
        let Some(before) = before.filter(read) else { return };
        match &setting {
            Setting::AccessPointPolicy(name) => {
                let mut answers = self.facts.answer(setting.operation()).cloned().unwrap_or_default();
                if let Some(answers) = answers.as_object_mut() {
                    answers.insert(name.clone(), after.clone());
                }
                self.facts.record(setting.operation(), answers);
                // AWS's own verdict was on the policy that stood.
                self.facts.record("s3control:GetAccessPointPolicyStatus", json!({}));
            }
            Setting::ObjectAcl { key, version } => {
                let own = |object: &Object| object.key == *key && object.version == *version;
                if let Some((_, facts)) = self.objects.iter_mut().find(|(object, _)| own(object)) {
                    facts.record(setting.operation(), after.clone());
                }
            }
            _ => self.facts.record(setting.operation(), after.clone()),
        }
        self.changes.push(Change { setting, before, after, because });
    }

    fn object_ways(&self) -> Vec<Exposure> {
        self.subject.object_ways(&self.facts, &self.objects)
    }

    /// Public grants of the bucket's ACL go out of effect by IgnorePublicAcls, which lets uploads that carry public ACLs go
    /// on; grants to named accounts have to be taken out of the ACL. Public objects are closed one by one while they are few.
    fn close_acls(&mut self) {
        let public = |ways: &[Exposure]| ways.iter().any(|way| way.audience != Audience::External);
        let object_ways = self.object_ways();
        let open: Vec<Exposure> = self.scope.open(&object_ways).into_iter().cloned().collect();
        let many = open.len() > OBJECT_ACLS_MAX || !self.subject.all_objects;
        let first = self.changes.len();
        if public(&self.open_by_acl()) || (public(&open) && many) {
            let operation = Setting::PublicAccessBlock.operation();
            if let Some(stood) = self.facts.answer(operation).cloned() {
                let after = block_with(&stood, &["IgnorePublicAcls"]);
                let because =
                    "takes public ACLs out of effect; they stand, and uploads that carry them go on";
                self.change(Setting::PublicAccessBlock, after, because.to_owned());
            }
        }
        // Whom the public stood for until now comes to light.
        if self.open_by_acl().iter().any(|way| way.audience == Audience::External)
            && let Some(acl) = self.facts.answer("s3:GetBucketAcl").cloned()
            && let Some(after) = self.acl_without(&acl, |draft, acl| {
                let mut facts = draft.without_policies();
                facts.record("s3:GetBucketAcl", acl);
                !draft.scope.open(&draft.subject.judge(&facts).exposures).is_empty()
            })
        {
            self.change(Setting::BucketAcl, after, "takes out the grants to outsiders only".to_owned());
        }
        self.close_object_acls();
        // Once public grants are ignored, S3 shows ACLs without them: they are set while they are seen whole.
        let own = self.changes.get_mut(first..).unwrap_or_default();
        own.sort_by_key(|change| change.setting == Setting::PublicAccessBlock);
    }

    /// What the bucket's own ACL opens.
    fn open_by_acl(&self) -> Vec<Exposure> {
        let by_acl = self.subject.judge(&self.without_policies());
        self.scope.open(&by_acl.exposures).into_iter().cloned().collect()
    }

    fn close_object_acls(&mut self) {
        let zone = Arc::new(self.subject.zone.clone());
        let Some(acls) =
            ObjectAcls::of(&self.subject.bucket, &self.facts, &self.subject.account_facts, &zone)
        else {
            return;
        };
        for (object, facts) in self.objects.clone() {
            let open = |acl: Value| {
                let mut alone = facts.clone();
                alone.record("s3:GetObjectAcl", acl);
                !self.scope.open(&acls.exposure(&object, &alone).exposures).is_empty()
            };
            let Some(acl) = facts.answer("s3:GetObjectAcl").filter(|acl| open((*acl).clone())) else {
                continue;
            };
            let Some(after) = self.acl_without(acl, |_, acl| open(acl)) else { continue };
            let setting = Setting::ObjectAcl { key: object.key.clone(), version: object.version.clone() };
            self.change(setting, after, "takes out the grants that open this object only".to_owned());
        }
    }

    /// The ACL without the grants that alone would open something; `None` if none does.
    fn acl_without(&self, acl: &Value, opens: impl Fn(&Self, Value) -> bool) -> Option<Value> {
        let grants = acl.get("Grants")?.as_array()?;
        let with = |grants: Vec<Value>| {
            let mut acl = acl.clone();
            if let Some(acl) = acl.as_object_mut() {
                acl.insert("Grants".to_owned(), grants.into());
            }
            acl
        };
        let kept: Vec<Value> =
            grants.iter().filter(|grant| !opens(self, with(vec![(*grant).clone()]))).cloned().collect();
        (kept.len() < grants.len()).then(|| with(kept))
    }

    /// The facts as if no policy allowed anything: what is open then, an ACL opens.
    fn without_policies(&self) -> Facts {
        let mut facts = self.facts.clone();
        if facts.answer("s3:GetBucketPolicy").and_then(policy).is_some() {
            facts.record_error("s3:GetBucketPolicy", "NoSuchBucketPolicy");
            facts.record_error("s3:GetBucketPolicyStatus", "NoSuchBucketPolicy");
        }
        facts
    }

    /// The bucket delegates to its access points: their policies are what opens it.
    fn close_access_points(&mut self) {
        let Fact::Present(points) = access_points(&self.facts, &self.subject.bucket.name) else { return };
        for point in points {
            let Fact::Present(document) = &point.policy else { continue };
            let setting = Setting::AccessPointPolicy(point.name.clone());
            let facts_with = |document: Option<&Value>| {
                let mut facts = self.facts.clone();
                let mut answers = facts.answer(setting.operation()).cloned().unwrap_or_default();
                if let Some(answers) = answers.as_object_mut() {
                    // The others' policies are judged in their own turn.
                    answers.values_mut().for_each(|answer| *answer = setting.absent().unwrap_or_default());
                    answers.insert(point.name.clone(), answer_of(&setting, document));
                }
                facts.record(setting.operation(), answers);
                facts.record("s3control:GetAccessPointPolicyStatus", json!({}));
                facts
            };
            let Some((left, removed)) = self.offending(document, facts_with) else { continue };
            let because =
                format!("takes out {removed} only, which lets outsiders in through the access point");
            let after = answer_of(&setting, left.as_ref());
            self.change(setting, after, because);
        }
    }

    fn close_policy(&mut self) {
        let Some(document) = self.facts.answer("s3:GetBucketPolicy").and_then(policy) else { return };
        let setting = Setting::BucketPolicy;
        let facts_with = |document: Option<&Value>| {
            let mut facts = self.facts.clone();
            facts.record("s3:GetBucketPolicy", answer_of(&setting, document));
            // AWS's own verdict was on the policy that stands.
            facts.record_error("s3:GetBucketPolicyStatus", "NotAskedAgain");
            facts
        };
        let Some((left, removed)) = self.offending(&document, facts_with) else { return };
        let after = answer_of(&setting, left.as_ref());
        let because = format!("takes out {removed} only; every other statement stands");
        self.change(setting, after, because);
        self.facts.record_error("s3:GetBucketPolicyStatus", "NotAskedAgain");
    }

    /// The policy without what opens the bucket, and what that is in words; `None` if nothing of it does.
    fn offending(
        &self,
        document: &Value,
        facts_with: impl Fn(Option<&Value>) -> Facts,
    ) -> Option<(Option<Value>, String)> {
        let denials = statements::denials(document);
        let ways = |document: &Value| {
            let verdict = self.subject.judge(&facts_with(Some(document)));
            let open = self.scope.open(&verdict.exposures).into_iter();
            open.map(|way| (way.audience, way.access.clone(), way.keys.clone())).collect::<BTreeSet<_>>()
        };
        let by_others = ways(&statements::with(document, denials.clone()));
        let opens = |statement: &Value| {
            let alone = denials.iter().cloned().chain([statement.clone()]).collect();
            !ways(&statements::with(document, alone)).is_subset(&by_others)
        };
        statements::without(document, opens)
    }

    /// Once no policy is public, two flags keep it so, and cut nobody off.
    fn keep_closed(&mut self, after: &BucketExposure) {
        let changed = self.changes.iter().any(|change| change.setting == Setting::BucketPolicy);
        let Some(stood) = self.facts.answer("s3:GetPublicAccessBlock").cloned() else { return };
        if !changed || after.policy_status_public != Some(false) {
            return;
        }
        let block = block_with(&stood, &["BlockPublicPolicy", "RestrictPublicBuckets"]);
        if !Setting::PublicAccessBlock.same(&stood, &block) {
            let because =
                "keeps a public policy from coming back; what is left is not public, so nobody is cut off";
            self.change(Setting::PublicAccessBlock, block, because.to_owned());
        }
    }

    /// Why the plan must not be applied: something in scope would stay open, or something new would open.
    fn why_not(
        &self,
        before: &BucketExposure,
        after: &BucketExposure,
        objects: &[Exposure],
    ) -> Option<String> {
        if let Some(open) =
            self.scope.open(&after.exposures).into_iter().chain(self.scope.open(objects)).next()
        {
            return Some(format!(
                "it cannot be proved closed: {} ({})",
                open.because.first().map_or("a way in stays", String::as_str),
                open.screened().keys
            ));
        }
        let possible = |ways: &[Exposure]| {
            let ways = ways.iter().filter(|way| way.certainty == Certainty::Possible);
            let ways = ways.filter(|way| self.scope.contains(way.audience));
            ways.map(|way| (way.audience, way.access.clone())).collect::<BTreeSet<_>>()
        };
        let new = possible(&after.exposures).difference(&possible(&before.exposures)).next().cloned();
        new.map(|_| {
            "it cannot be excluded that a way in stays open; read what could not be read first".to_owned()
        })
    }

    fn hazard(&mut self, kind: HazardKind, detail: String) {
        self.hazards.insert(Hazard { kind, detail });
    }

    fn note_hazards(&mut self, before: &BucketExposure, after: &BucketExposure) {
        let name = self.subject.bucket.name.clone();
        if is_website(&self.facts, &name) {
            self.hazard(HazardKind::Website, format!("`{name}` is configured as a website: it goes dark"));
        }
        if let Fact::Present(list) =
            distributions(&self.subject.account_facts, &self.subject.bucket.account.id)
        {
            let reads_as_everybody = |(host, identity): &(String, Option<String>)| {
                identity.is_none()
                    && host.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(".s3"))
            };
            for distribution in list.iter().filter(|one| one.enabled) {
                if distribution.origins.iter().any(reads_as_everybody) {
                    let detail = format!(
                        "distribution `{}` may read the bucket as everybody does",
                        distribution.domain
                    );
                    self.hazard(HazardKind::Cdn, detail);
                }
            }
        }
        let named = |verdict: &BucketExposure| {
            let named = |way: &&Exposure| matches!(way.audience, Audience::External | Audience::Organization);
            let ways = verdict.exposures.iter().filter(named);
            ways.map(|way| (way.audience, way.access.clone(), way.keys.clone())).collect::<BTreeSet<_>>()
        };
        let cut = named(before).difference(&named(after)).count();
        if cut > 0 {
            let detail = format!("{cut} ways in of others by name close as well");
            self.hazard(HazardKind::CrossAccount, detail);
        }
        for (kind, word, what) in [
            (HazardKind::LogDelivery, "logging.s3.amazonaws.com", "access logs be delivered"),
            (HazardKind::Replication, "s3:replicate", "replication write here"),
        ] {
            let mentions = |answer: &Value| answer.to_string().to_lowercase().matches(word).count();
            let policies = self.changes.iter().filter(|change| change.setting == Setting::BucketPolicy);
            if policies.into_iter().any(|change| mentions(&change.after) < mentions(&change.before)) {
                self.hazard(kind, format!("what is removed lets {what}"));
            }
        }
    }
}

/// A policy as the answer that states it; none left is absence.
fn answer_of(setting: &Setting, document: Option<&Value>) -> Value {
    match document {
        Some(document) => json!({ "Policy": document.to_string() }),
        None => setting.absent().unwrap_or_default(),
    }
}
