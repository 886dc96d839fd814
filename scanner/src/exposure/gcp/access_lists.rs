//! What do access lists grant: of a bucket, of its new objects, of an object?

use std::collections::BTreeSet;

use crate::estate::Fact;
use crate::estate::gcp::{self, AccessControl};
use crate::exposure::{Access, Audience};

use super::Dossier;
use super::actions::{ACTIONS, Action, is_granted};
use super::block::{Setting, uniform_access};
use super::condition::{Shape, Term};
use super::requesters::shown;
use super::roles;
use super::rules::{Give, Origin, Rule, everything, outside};
use super::verdict::Notes;

/// Without uniform access IAM states the bucket's access list too, as legacy roles ("IAM relation to ACLs"): unread, it
/// hides nothing where the policy was read.
pub(super) fn of_bucket(dossier: &Dossier<'_>, notes: &mut Notes, rules: &mut Vec<Rule>) {
    let uniform = uniform_access(dossier);
    let operation = "storage:bucketAccessControls.list";
    match gcp::access_controls(&dossier.facts, operation, &dossier.bucket.name) {
        Fact::Present(list) => {
            let own = list.iter().filter_map(|entry| of_entry(dossier, entry, &Origin::BucketAcl, ""));
            match &uniform {
                Setting::On(why) => {
                    let public = own.filter(|rule| rule.is_public()).collect::<Vec<_>>();
                    if !public.is_empty() {
                        notes.closed(why.clone());
                    }
                    for rule in public {
                        notes.latent(format!(
                            "the {} counts again if uniform bucket-level access is turned off",
                            rule.name()
                        ));
                    }
                }
                Setting::Off => rules.extend(own),
                Setting::Unseen(gap) => rules.extend(own.map(|rule| rule.doubted(&gap.detail))),
            }
        }
        Fact::Absent => {}
        Fact::Unread(gap) => {
            let reflected = matches!(dossier.policy, Fact::Present(_));
            if !reflected && !matches!(uniform, Setting::On(_)) {
                notes.may_miss(gap.clone());
                let mut gives = everything("");
                gives.retain(|give| !matches!(give.action.access, Access::Read | Access::ReadVersions));
                rules.push(Rule::unread(Origin::BucketAcl, Audience::Anyone, &gap, gives));
            }
        }
    }
}

/// What every new object is stamped with. It grants nothing by itself: the objects' own lists do, which are read one by one.
pub(super) fn note_default(dossier: &Dossier<'_>, notes: &mut Notes) {
    if matches!(uniform_access(dossier), Setting::On(_)) {
        return;
    }
    let operation = "storage:defaultObjectAccessControls.list";
    if let Fact::Present(list) = gcp::access_controls(&dossier.facts, operation, &dossier.bucket.name) {
        for entry in &list {
            if of_entry(dossier, entry, &Origin::ObjectAcl, "")
                .is_some_and(|rule| rule.audience != Audience::Organization)
            {
                notes.latent(format!(
                    "every new object is granted {} to `{}` by the default object ACL",
                    shown(&entry.role),
                    shown(&entry.entity)
                ));
            }
        }
    }
}

impl Rule {
    fn doubted(mut self, doubt: &str) -> Self {
        self.doubts.insert(doubt.to_owned());
        self
    }
}

/// What an entry of an access list grants to somebody outside; the keys are the object's where it is an object's list.
pub(super) fn of_entry(
    dossier: &Dossier<'_>,
    entry: &AccessControl,
    origin: &Origin,
    key: &str,
) -> Option<Rule> {
    let on_object = *origin == Origin::ObjectAcl;
    let (audience, doubt) = outside(dossier.us().entity(&entry.entity))?;
    let role = if on_object { roles::of_object_acl(&entry.role) } else { roles::of_bucket_acl(&entry.role) };
    let mut doubts: BTreeSet<String> = doubt.into_iter().collect();
    let actions: Vec<&Action> = match role.and_then(roles::permissions) {
        Some(granted) => ACTIONS.iter().filter(|action| is_granted(action, granted)).collect(),
        None => {
            doubts.insert(format!("what `{}` of an access list allows is unknown", shown(&entry.role)));
            ACTIONS.iter().filter(|action| !on_object || action.object).collect()
        }
    };
    let keys = if on_object && !key.is_empty() {
        Shape::Exactly(key.to_owned())
    } else {
        Shape::Prefix(String::new())
    };
    let term = Term { keys, ..Term::below("") };
    let gives = actions.into_iter().map(|action| Give { action, term: term.clone() }).collect();
    Some(Rule {
        origin: origin.clone(),
        role: entry.role.clone(),
        member: entry.entity.clone(),
        audience,
        doubts,
        gives,
    })
}
