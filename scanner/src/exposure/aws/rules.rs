//! Which rules decide about a request? Policies and ACLs, brought into one form.

use crate::estate::aws::{Acl, Grantee};
use crate::exposure::pattern::Pattern;
use crate::exposure::policy::{Choice, Effect, Policy, PrincipalName, Statement, Text};

use super::actions::of_permission;

/// Where a rule stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The bucket's policy.
    BucketPolicy,
    /// The bucket's ACL.
    BucketAcl,
    /// An object's ACL.
    ObjectAcl,
    /// An access point's policy, by its name.
    AccessPoint(String),
    /// A resource control policy of the organization, by its id.
    Organization(String),
}

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) origin: Origin,
    pub(super) statement: Statement,
    /// Why it may not be as it reads: a doubtful Allow proves nothing, a doubtful Deny excludes nothing.
    pub(super) doubt: Option<String>,
}

impl Rule {
    /// The rule's name for a person.
    pub(super) fn name(&self) -> String {
        let label = &self.statement.label;
        match &self.origin {
            Origin::BucketPolicy => format!("bucket policy statement `{label}`"),
            Origin::BucketAcl => format!("bucket ACL grant {label}"),
            Origin::ObjectAcl => format!("object ACL grant {label}"),
            Origin::AccessPoint(name) => format!("statement `{label}` of access point `{name}`"),
            Origin::Organization(id) => format!("statement `{label}` of resource control policy `{id}`"),
        }
    }

    /// Whether it is a grant of an ACL.
    pub(super) fn is_acl(&self) -> bool {
        matches!(self.origin, Origin::BucketAcl | Origin::ObjectAcl)
    }

    /// Whether it grants to a group that anybody can be in.
    pub(super) fn is_public_grant(&self) -> bool {
        let wide = |name: &PrincipalName| matches!(name, PrincipalName::Everyone | PrincipalName::SignedIn);
        self.is_acl() && self.statement.principals.names().iter().any(wide)
    }

    /// Whether it gives.
    pub(super) fn allows(&self) -> bool {
        self.statement.effect == Effect::Allow
    }
}

/// The rules of a policy.
pub(super) fn of_policy(policy: &Policy, origin: &Origin) -> Vec<Rule> {
    let rule = |statement: &Statement| Rule {
        origin: origin.clone(),
        statement: statement.clone(),
        doubt: statement
            .doubt
            .as_ref()
            .map(|doubt| format!("statement `{}` cannot be read: {doubt}", statement.label)),
    };
    policy.statements.iter().map(rule).collect()
}

/// The rules of a policy that nobody could read: it may allow anything and deny anything.
pub(super) fn of_unread_policy(origin: &Origin, doubt: &str) -> Vec<Rule> {
    let rule = |effect| Rule {
        origin: origin.clone(),
        statement: Statement {
            label: "?".to_owned(),
            effect,
            principals: Choice::everything(),
            actions: Choice::everything(),
            resources: Choice::everything(),
            conditions: Vec::new(),
            doubt: None,
        },
        doubt: Some(doubt.to_owned()),
    };
    vec![rule(Effect::Allow), rule(Effect::Deny)]
}

const GROUPS: &str = "http://acs.amazonaws.com/groups/";

/// AWS's own accounts that deliver logs: CloudFront Developer Guide, "Standard logging", and S3's log delivery.
const DELIVERY: &str = "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0";

/// The rules of an ACL; those of the owner are left out. `key` is the object's, for an object's ACL.
pub(super) fn of_acl(acl: &Acl, owner: &str, bucket_arn: &str, key: Option<&str>) -> Vec<Rule> {
    let origin = if key.is_some() { Origin::ObjectAcl } else { Origin::BucketAcl };
    let mut rules = Vec::new();
    for grant in &acl.grants {
        let Some((name, shown, doubt)) = grantee(&grant.grantee, owner) else { continue };
        let actions = of_permission(&grant.permission, key.is_some());
        let known =
            matches!(grant.permission.as_str(), "READ" | "WRITE" | "READ_ACP" | "WRITE_ACP" | "FULL_CONTROL");
        let unknown = (!known).then(|| format!("the permission of the grant to {shown} is not known"));
        if actions.is_empty() && known {
            continue;
        }
        let resource = match key {
            None => Text::read(bucket_arn, false, false),
            Some(key) => Text::read(&format!("{bucket_arn}/{key}"), false, false),
        };
        // Writing through a bucket's ACL is about its objects, whatever their keys.
        let objects = Text::read(&format!("{bucket_arn}/*"), true, false);
        let resources = if key.is_some() { vec![resource] } else { vec![resource, objects] };
        let actions = if unknown.is_some() {
            Choice::everything()
        } else {
            Choice::Of(actions.iter().map(|name| Pattern::literal(name).ignoring_case()).collect())
        };
        rules.push(Rule {
            origin: origin.clone(),
            statement: Statement {
                label: format!("{} to {shown}", shown_permission(&grant.permission)),
                effect: Effect::Allow,
                principals: Choice::Of(vec![name]),
                actions,
                resources: Choice::Of(resources),
                conditions: Vec::new(),
                doubt: None,
            },
            doubt: doubt.or(unknown),
        });
    }
    rules
}

fn shown_permission(permission: &str) -> String {
    permission.chars().filter(|c| c.is_ascii_uppercase() || *c == '_').take(20).collect()
}

/// Who a grant is for, how to call them, and what is doubtful about it; `None` if it is nobody outside.
fn grantee(grantee: &Grantee, owner: &str) -> Option<(PrincipalName, String, Option<String>)> {
    if let Some(uri) = &grantee.uri {
        return match uri.strip_prefix(GROUPS) {
            Some("global/AllUsers") => Some((PrincipalName::Everyone, "AllUsers".to_owned(), None)),
            Some("global/AuthenticatedUsers") => {
                Some((PrincipalName::SignedIn, "AuthenticatedUsers".to_owned(), None))
            }
            Some("s3/LogDelivery") => None,
            _ => {
                let doubt = "a grant is for a group that we do not know".to_owned();
                Some((PrincipalName::Everyone, "an unknown group".to_owned(), Some(doubt)))
            }
        };
    }
    if let Some(id) = &grantee.id {
        let inside = (!owner.is_empty() && id == owner) || id == DELIVERY;
        let shown: String = id.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        return (!inside)
            .then(|| (PrincipalName::Canonical(id.clone()), format!("canonical user {shown}…"), None));
    }
    if let Some(email) = &grantee.email {
        return Some((
            PrincipalName::Canonical(email.clone()),
            "an account named by e-mail".to_owned(),
            None,
        ));
    }
    let doubt = "a grant names nobody that we know".to_owned();
    Some((PrincipalName::Everyone, "an unknown grantee".to_owned(), Some(doubt)))
}
