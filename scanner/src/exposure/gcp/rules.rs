//! Which grants reach a bucket or an object, wherever they stand?

use std::collections::BTreeSet;

use crate::estate::gcp::{self, Binding, Policy};
use crate::estate::{Fact, Gap, GapReason};
use crate::exposure::Audience;

use super::actions::{ACTIONS, Action, is_granted};
use super::block::{Setting, uniform_access};
use super::condition::{Subject, Term, terms};
use super::requesters::{Who, member_of, shown};
use super::roles;
use super::verdict::Notes;
use super::{Dossier, access_lists};

/// More grants to outsiders than a policy of IAM can hold ("Quotas and limits", IAM: 1,500 principals).
const RULES_MAX: usize = 2_000;

/// Where a grant stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The bucket's IAM policy.
    Bucket,
    /// The IAM policy of this managed folder.
    ManagedFolder(String),
    /// The IAM policy of the project.
    Project,
    /// The IAM policy of this folder or organization above the project.
    Above(String),
    /// The bucket's access list.
    BucketAcl,
    /// An object's access list.
    ObjectAcl,
}

/// One grant to somebody outside, or what an unread fact could grant.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) origin: Origin,
    /// The role as it is written there; empty where nothing was read.
    pub(super) role: String,
    /// The member or entity as it is written there.
    pub(super) member: String,
    pub(super) audience: Audience,
    /// Why it might not be so.
    pub(super) doubts: BTreeSet<String>,
    pub(super) gives: Vec<Give>,
}

/// One permission, and with which keys.
#[derive(Debug, Clone)]
pub(super) struct Give {
    pub(super) action: &'static Action,
    pub(super) term: Term,
}

impl Rule {
    /// The grant, for a sentence.
    pub(super) fn name(&self) -> String {
        let (role, member) = (shown(&self.role), shown(&self.member));
        match &self.origin {
            Origin::Bucket => format!("`{role}` for `{member}` in the bucket's IAM policy"),
            Origin::ManagedFolder(folder) => {
                format!("`{role}` for `{member}` in the IAM policy of managed folder `{}`", shown(folder))
            }
            Origin::Project => format!("`{role}` for `{member}` in the project's IAM policy"),
            Origin::Above(name) => format!("`{role}` for `{member}` in the IAM policy of `{}`", shown(name)),
            Origin::BucketAcl => format!("bucket ACL grant {role} to `{member}`"),
            Origin::ObjectAcl => format!("object ACL grant {role} to `{member}`"),
        }
    }

    /// Whether it stands for something that was not read.
    pub(super) fn is_unread(&self) -> bool {
        self.role.is_empty()
    }

    pub(super) fn is_acl(&self) -> bool {
        matches!(self.origin, Origin::BucketAcl | Origin::ObjectAcl)
    }

    /// Whether public access prevention overrides it.
    pub(super) fn is_public(&self) -> bool {
        matches!(self.audience, Audience::Anyone | Audience::AnyAuthenticated)
    }

    /// What an unread fact could grant to `audience`.
    pub(super) fn unread(origin: Origin, audience: Audience, gap: &Gap, gives: Vec<Give>) -> Self {
        Self {
            origin,
            role: String::new(),
            member: String::new(),
            audience,
            doubts: BTreeSet::from([gap.detail.clone()]),
            gives,
        }
    }
}

/// Every permission, with keys below a prefix.
pub(super) fn everything(below: &str) -> Vec<Give> {
    ACTIONS.iter().map(|action| Give { action, term: Term::below(below) }).collect()
}

/// The permissions that a role holds, and why it could hold others.
fn permissions_of(dossier: &Dossier<'_>, role: &str) -> (Vec<&'static Action>, Option<String>) {
    let stated = gcp::role(&dossier.facts, role);
    if let Fact::Present(stated) = &stated {
        let granted = ACTIONS.iter().filter(|action| is_granted(action, &stated.permissions));
        return (granted.collect(), None);
    }
    match (roles::permissions(role), stated) {
        (Some(known), _) => (ACTIONS.iter().filter(|action| is_granted(action, known)).collect(), None),
        (None, Fact::Unread(gap)) => (
            ACTIONS.iter().collect(),
            Some(format!("what the role `{}` allows is unknown: {}", shown(role), gap.detail)),
        ),
        (None, _) => (Vec::new(), None),
    }
}

/// The grants of IAM and of the bucket's access list that reach somebody outside.
pub(super) fn of_bucket(dossier: &Dossier<'_>, notes: &mut Notes) -> Vec<Rule> {
    let mut rules = Vec::new();
    match &dossier.policy {
        Fact::Present(policy) => rules.extend(of_policy(dossier, policy, &Origin::Bucket, notes)),
        Fact::Absent => {}
        Fact::Unread(gap) => {
            notes.may_miss(gap.clone());
            rules.push(Rule::unread(Origin::Bucket, Audience::Anyone, gap, everything("")));
        }
    }
    of_managed_folders(dossier, notes, &mut rules);
    of_project(dossier, notes, &mut rules);
    access_lists::of_bucket(dossier, notes, &mut rules);
    access_lists::note_default(dossier, notes);
    rules
}

/// Managed folders stand only in buckets with uniform access ("Managed folders", Cloud Storage).
fn of_managed_folders(dossier: &Dossier<'_>, notes: &mut Notes, rules: &mut Vec<Rule>) {
    if matches!(uniform_access(dossier), Setting::Off) {
        return;
    }
    let within = |below: &str| {
        let mut gives = everything(below);
        gives.retain(|give| {
            !give.action.name.starts_with("storage.buckets.") && !give.action.name.starts_with("res")
        });
        gives
    };
    let unread = |folder: &str, gap: &Gap, notes: &mut Notes, rules: &mut Vec<Rule>| {
        notes.may_miss(gap.clone());
        rules.push(Rule::unread(
            Origin::ManagedFolder(folder.to_owned()),
            Audience::Anyone,
            gap,
            within(folder),
        ));
    };
    match gcp::managed_folders(&dossier.facts, &dossier.bucket.name) {
        Fact::Present(folders) => {
            for (folder, policy) in folders {
                match policy {
                    Fact::Present(policy) => {
                        let origin = Origin::ManagedFolder(folder);
                        rules.extend(of_policy(dossier, &policy, &origin, notes));
                    }
                    Fact::Absent => {}
                    Fact::Unread(gap) => unread(&folder, &gap, notes, rules),
                }
            }
        }
        Fact::Absent => {}
        Fact::Unread(gap) => unread("", &gap, notes, rules),
    }
}

/// What the bucket inherits from its project and from all that stands above it.
fn of_project(dossier: &Dossier<'_>, notes: &mut Notes, rules: &mut Vec<Rule>) {
    match &dossier.project_policy {
        Fact::Present(policy) => rules.extend(of_policy(dossier, policy, &Origin::Project, notes)),
        Fact::Absent => {}
        Fact::Unread(gap) => {
            notes.may_miss(gap.clone());
            rules.push(Rule::unread(Origin::Project, Audience::Anyone, gap, everything("")));
        }
    }
    for name in &dossier.ancestors {
        match gcp::inherited_policy(&dossier.facts, name) {
            Fact::Present(policy) => {
                rules.extend(of_policy(dossier, &policy, &Origin::Above(name.clone()), notes));
            }
            Fact::Absent => {}
            Fact::Unread(gap) => {
                notes.may_miss(gap.clone());
                rules.push(Rule::unread(Origin::Above(name.clone()), Audience::Anyone, &gap, everything("")));
            }
        }
    }
    if let Fact::Unread(gap) = &dossier.hierarchy {
        notes.may_miss(gap.clone());
        let above = Origin::Above("what stands above the project".to_owned());
        rules.push(Rule::unread(above, Audience::Anyone, gap, everything("")));
    }
}

/// Somebody outside, and why it might be somebody of ours.
pub(super) fn outside(who: Who) -> Option<(Audience, Option<String>)> {
    match who {
        Who::Ours => None,
        Who::Known(audience) => Some((audience, None)),
        Who::Perhaps(audience, doubt) => Some((audience, Some(doubt))),
    }
}

/// What a policy grants to somebody outside.
fn of_policy(dossier: &Dossier<'_>, policy: &Policy, origin: &Origin, notes: &mut Notes) -> Vec<Rule> {
    let mut rules = Vec::new();
    for binding in &policy.bindings {
        for member in &binding.members {
            for (name, audience, doubts) in whom(dossier, member) {
                if rules.len() == RULES_MAX {
                    let gap = too_long(dossier);
                    rules.push(Rule::unread(origin.clone(), Audience::Anyone, &gap, everything("")));
                    notes.may_miss(gap);
                    return rules;
                }
                let rule = Rule {
                    origin: origin.clone(),
                    role: binding.role.clone(),
                    member: name,
                    audience,
                    doubts,
                    gives: Vec::new(),
                };
                rules.extend(filled(dossier, rule, binding, notes));
            }
        }
    }
    rules
}

fn too_long(dossier: &Dossier<'_>) -> Gap {
    Gap {
        reason: GapReason::LimitReached,
        operation: "storage:buckets.getIamPolicy".to_owned(),
        resource: dossier.bucket.name.clone(),
        detail: format!("a policy names more than {RULES_MAX} outsiders; the rest was not looked at"),
    }
}

/// The rule with what its role gives under its condition; none if that is nothing.
fn filled(dossier: &Dossier<'_>, mut rule: Rule, binding: &Binding, notes: &mut Notes) -> Option<Rule> {
    let (actions, doubt) = permissions_of(dossier, &binding.role);
    rule.doubts.extend(doubt);
    let below = match &rule.origin {
        Origin::ManagedFolder(folder) => folder.as_str(),
        _ => "",
    };
    let within = Term::below(below);
    let has_actions = !actions.is_empty();
    for action in actions {
        let Some(condition) = binding.condition.as_ref().filter(|condition| !condition.expression.is_empty())
        else {
            rule.gives.push(Give { action, term: within.clone() });
            continue;
        };
        let subject = Subject { bucket: &dossier.bucket.name, object: action.object };
        let own = terms(&condition.expression, subject);
        rule.gives.extend(own.iter().filter_map(|term| term.and(&within)).map(|term| Give { action, term }));
    }
    if has_actions && rule.gives.is_empty() {
        notes.closed(format!("{} is closed by its condition", rule.name()));
    }
    (!rule.gives.is_empty()).then_some(rule)
}

/// Who outside is meant by a member: he himself, or those who hold the basic role that he stands for.
fn whom(dossier: &Dossier<'_>, member: &str) -> Vec<(String, Audience, BTreeSet<String>)> {
    if let Some((audience, doubt)) = outside(dossier.us().member(member)) {
        return vec![(member.to_owned(), audience, doubt.into_iter().collect())];
    }
    let basic = member.split_once(':').and_then(|(kind, _)| roles::of_convenience(kind));
    let Some(basic) = basic else { return Vec::new() };
    let mut found = Vec::new();
    let mut holders = |policy: &Policy, doubt: Option<String>| {
        let held = policy.bindings.iter().filter(|binding| binding.role == basic);
        for holder in held.flat_map(|binding| &binding.members) {
            if let Some((audience, own)) = outside(dossier.us().member(holder)) {
                let doubts = own.into_iter().chain(doubt.clone()).collect();
                found.push((format!("{holder} as {member}"), audience, doubts));
            }
        }
    };
    if let Fact::Present(policy) = &dossier.project_policy {
        holders(policy, None);
    }
    for name in &dossier.ancestors {
        if let Fact::Present(policy) = gcp::inherited_policy(&dossier.facts, name) {
            let doubt =
                format!("whether `{}` counts those who inherit the role is not documented", shown(member));
            holders(&policy, Some(doubt));
        }
    }
    found
}

/// The members of an access list's entity, for a command.
pub(super) fn principal(rule: &Rule) -> String {
    let member = if rule.is_acl() { member_of(&rule.member) } else { rule.member.clone() };
    member.split(" as ").next().unwrap_or_default().to_owned()
}
