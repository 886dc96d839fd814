//! Who opened a bucket, when and from where? Its settings are taken back one recorded change after the other, and each time the
//! bucket is judged again: the change before which it was closed is the one that opened it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::{Scope, Subject, usage};
use crate::cloud::Cloud;
use crate::estate::history::{Binding, Effect, Event, History, Place, history};
use crate::estate::{Gap, Principal, Setting, block_with};
use crate::exposure::{Access, Audience, Certainty};

const IAM_POLICY: &str = "storage:buckets.getIamPolicy";

/// What the provider's records tell of who opened a bucket.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Opened {
    /// Who opened it, the latest first; nobody where that is unknown.
    pub by: Vec<Opener>,
    /// What could not be read: there may have been others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

/// Somebody who opened a bucket, by one change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opener {
    /// ARN, service or address, screened.
    pub who: String,
    /// The network address or the service that the request came from, screened.
    pub from: String,
    /// When, RFC 3339.
    pub at: String,
    /// The operation in the provider's words.
    pub action: String,
    /// `possible` where not all is told that was done, so that it may have been open already.
    pub certainty: Certainty,
    /// The role, user or service account behind it, as `lock isolate` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolate: Option<String>,
}

/// Asks the provider's records who opened a bucket.
pub async fn opened(cloud: &dyn Cloud, subject: &Subject, scope: &Scope) -> Opened {
    let records = cloud.history(&subject.bucket, &subject.facts).await;
    opened_by(subject, scope, history(&subject.bucket, &records))
}

/// What of its history opened a bucket for those in scope.
pub fn opened_by(subject: &Subject, scope: &Scope, history: History) -> Opened {
    let mut past = Past::of(subject, scope);
    let mut by = Vec::new();
    for (at, event) in history.events.iter().enumerate() {
        if past.open.is_empty() {
            break;
        }
        let earlier = history.events.get(at + 1..).unwrap_or_default();
        by.extend(past.step_back(event, earlier).map(|certainty| opener(subject, event, certainty)));
    }
    if by.is_empty() {
        // The last change that may have been anything.
        let untold = history.events.iter().find(|event| event.effect == Effect::Untold);
        by.extend(untold.map(|event| opener(subject, event, Certainty::Possible)));
    }
    if !history.gaps.is_empty() {
        // Among what was not read could be the change that did it.
        by.iter_mut().for_each(|opener| opener.certainty = Certainty::Possible);
    }
    Opened { by, gaps: history.gaps }
}

type Way = (Audience, Access);

/// A bucket as it was.
struct Past<'a> {
    subject: Subject,
    scope: &'a Scope,
    /// The ways in of today that were open then already; whether a change that was passed may have opened them.
    open: BTreeMap<Way, bool>,
}

impl<'a> Past<'a> {
    fn of(subject: &Subject, scope: &'a Scope) -> Self {
        let mut past = Self { subject: subject.clone(), scope, open: BTreeMap::new() };
        past.open = past.ways().into_iter().map(|way| (way, false)).collect();
        past
    }

    fn ways(&self) -> Vec<Way> {
        let ways = self.subject.open_ways();
        let open = self.scope.open(&ways).into_iter();
        open.flat_map(|way| way.access.iter().map(|access| (way.audience, *access))).collect()
    }

    /// Takes one change back; how surely it opened a way in, if it did.
    fn step_back(&mut self, event: &Event, earlier: &[Event]) -> Option<Certainty> {
        match &event.effect {
            Effect::Created(facts) => {
                for (operation, answer) in facts.iter() {
                    self.subject.facts.record(operation, answer.clone());
                }
                self.closed();
                // What was open from the start was opened by whoever made it.
                let opened = std::mem::take(&mut self.open);
                let doubted = opened.values().any(|doubted| *doubted);
                let certainty = if doubted { Certainty::Possible } else { Certainty::Proven };
                (!opened.is_empty()).then_some(certainty)
            }
            Effect::Bound(bindings) => {
                let bound = unbound(self.subject.facts.answer(IAM_POLICY)?, bindings)?;
                self.subject.facts.record(IAM_POLICY, bound);
                self.closed()
            }
            Effect::Set { place, to } => {
                if let Some(to) = to {
                    // Where it opened nothing, another change did, of which there is no record.
                    self.record(place, to.clone());
                    self.closed();
                }
                match before(place, earlier) {
                    Some(answer) => {
                        self.record(place, answer);
                        self.closed()
                    }
                    None => self.may_have_closed(place),
                }
            }
            Effect::Untold => None,
        }
    }

    fn record(&mut self, place: &Place, answer: Value) {
        let facts = if place.of_account { &mut self.subject.account_facts } else { &mut self.subject.facts };
        if place.operation == Setting::BucketPolicy.operation() {
            // AWS's own verdict was on the policy that stands.
            facts.record_error("s3:GetBucketPolicyStatus", "NotAskedAgain");
        }
        place.record(facts, answer);
    }

    /// Forgets the ways in that were not open; how surely the change opened them, if there are any.
    fn closed(&mut self) -> Option<Certainty> {
        let open = self.ways();
        let before = self.open.len();
        let mut doubted = false;
        self.open.retain(|way, doubt| {
            let stays = open.contains(way);
            doubted |= !stays && *doubt;
            stays
        });
        let certainty = if doubted { Certainty::Possible } else { Certainty::Proven };
        (self.open.len() < before).then_some(certainty)
    }

    /// What stood before is not told: it may have been closed, or as open as it is.
    fn may_have_closed(&mut self, place: &Place) -> Option<Certainty> {
        let stood = (self.subject.facts.clone(), self.subject.account_facts.clone());
        self.record(place, tightest(place.operation)?);
        let closed = self.ways();
        (self.subject.facts, self.subject.account_facts) = stood;
        let mut opened = false;
        for (way, doubt) in &mut self.open {
            if !closed.contains(way) {
                (opened, *doubt) = (true, true);
            }
        }
        opened.then_some(Certainty::Possible)
    }
}

/// What a setting was before, by what earlier changes set it to.
fn before(place: &Place, earlier: &[Event]) -> Option<Value> {
    earlier.iter().find_map(|event| match &event.effect {
        Effect::Set { place: other, to } if other == place => Some(to.clone()),
        Effect::Created(facts) => facts.answer(place.operation).map(|answer| Some(answer.clone())),
        _ => None,
    })?
}

/// A setting as it opens the least.
fn tightest(operation: &str) -> Option<Value> {
    Some(match operation {
        "s3:GetBucketPolicy" => json!({"Error": {"Code": "NoSuchBucketPolicy"}}),
        "s3control:GetAccessPointPolicy" => json!({"Error": {"Code": "NoSuchAccessPointPolicy"}}),
        "s3:GetBucketAcl" => json!({"Grants": []}),
        "s3:GetBucketOwnershipControls" => {
            json!({"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}})
        }
        "s3:GetPublicAccessBlock" | "s3control:GetPublicAccessBlock" => {
            let all = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"];
            block_with(&json!({}), &all)
        }
        _ => return None,
    })
}

/// A policy of Google Cloud without what was added, and with what was taken out.
fn unbound(policy: &Value, bindings: &[Binding]) -> Option<Value> {
    let mut policy = policy.clone();
    let fields = policy.as_object_mut().filter(|fields| !fields.contains_key("Error"))?;
    let list = fields.entry("bindings").or_insert_with(|| json!([])).as_array_mut()?;
    for binding in bindings {
        let is_it = |other: &Value| {
            let condition = other.pointer("/condition/expression").and_then(Value::as_str);
            other.get("role").and_then(Value::as_str) == Some(&binding.role)
                && condition == binding.condition.as_deref()
        };
        if binding.added {
            for members in list.iter_mut().filter(|other| is_it(other)) {
                if let Some(members) = members.get_mut("members").and_then(Value::as_array_mut) {
                    members.retain(|member| member.as_str() != Some(&binding.member));
                }
            }
        } else {
            let mut taken_out = json!({"role": binding.role, "members": [binding.member]});
            if let (Some(expression), Some(fields)) = (&binding.condition, taken_out.as_object_mut()) {
                fields.insert("condition".to_owned(), json!({"expression": expression}));
            }
            list.push(taken_out);
        }
    }
    Some(policy)
}

fn opener(subject: &Subject, event: &Event, certainty: Certainty) -> Opener {
    Opener {
        who: usage::named(&event.who),
        from: usage::address(&event.from),
        at: event.at.truncate_to_second().format(&Rfc3339).unwrap_or_default(),
        action: event.action.clone(),
        certainty,
        isolate: isolated_as(subject, &event.who),
    }
}

/// A name that `lock isolate` takes, of somebody of ours: of a session only the role's, since whoever begins it names it.
fn isolated_as(subject: &Subject, who: &str) -> Option<String> {
    let (account, principal) = Principal::parse(who).ok()?;
    if account != subject.bucket.account && !subject.zone.accounts.contains(&account.id) {
        return None;
    }
    let partition = who.split(':').nth(1).filter(|name| matches!(*name, "aws" | "aws-cn" | "aws-us-gov"));
    Some(match principal {
        Principal::Role(name) => format!("arn:{}:iam::{}:role/{name}", partition?, account.id),
        Principal::User(name) => format!("arn:{}:iam::{}:user/{name}", partition?, account.id),
        Principal::ServiceAccount(email) => email,
    })
}

#[cfg(test)]
mod tests;
