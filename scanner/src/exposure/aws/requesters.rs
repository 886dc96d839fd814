//! Who could ask? Callers, the networks they come from, and what tells them apart.

use std::collections::BTreeMap;

use crate::exposure::Audience;
use crate::exposure::policy::PrincipalName;
use crate::exposure::ranges::IpRange;

mod crowd;

pub(super) use crowd::{ANY_SERVICE, Mentions, REQUESTERS_MAX, STRANGER, requesters};

/// Who signs a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Caller {
    /// Nobody.
    Anonymous,
    /// A user of an account; without a name, of any name.
    User { account: String, name: Option<String> },
    /// A session of a role of an account.
    Role { account: String, role: Option<String>, session: Option<String> },
    /// The account itself.
    Root { account: String },
    /// Somebody with temporary credentials of an account's user (STS GetFederationToken).
    FederatedUser { account: String },
    /// An AWS service on behalf of something.
    Service { name: String, source: Source },
    /// Somebody of whom we know no more than a name: a canonical user, an identity provider's user, an origin access
    /// identity, a principal of a kind we do not know.
    Opaque { name: PrincipalName, account: Option<String>, arn: Option<String> },
}

/// For whom a service acts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Source {
    /// For anybody whom no rule names.
    Stranger,
    /// For something in this account.
    Account(String),
    /// For this thing, whose ARN does not say in which account it is.
    Thing(String),
}

impl Caller {
    /// The account, where there is one.
    pub(super) fn account(&self) -> Option<&str> {
        match self {
            Self::User { account, .. }
            | Self::Role { account, .. }
            | Self::Root { account }
            | Self::FederatedUser { account } => Some(account),
            Self::Opaque { account, .. } => account.as_deref(),
            Self::Anonymous | Self::Service { .. } => None,
        }
    }

    /// Whether the request carries a signature.
    pub(super) fn signed(&self) -> bool {
        *self != Self::Anonymous
    }

    /// The value of `aws:PrincipalType`.
    pub(super) fn principal_type(&self) -> Option<&'static str> {
        match self {
            Self::Anonymous => Some("Anonymous"),
            Self::User { .. } => Some("User"),
            Self::Role { .. } => Some("AssumedRole"),
            Self::Root { .. } => Some("Account"),
            Self::FederatedUser { .. } => Some("FederatedUser"),
            Self::Service { .. } | Self::Opaque { .. } => None,
        }
    }

    /// Whether a name in a `Principal` element means this caller.
    pub(super) fn is(&self, name: &PrincipalName) -> bool {
        match name {
            PrincipalName::Everyone => true,
            PrincipalName::SignedIn => self.signed(),
            PrincipalName::Account(account) => self.account() == Some(account),
            PrincipalName::Gone(_) => false,
            PrincipalName::Arn(arn) => self.has_arn(arn),
            PrincipalName::Service(service) => matches!(self, Self::Service { name, .. } if name == service),
            other => matches!(self, Self::Opaque { name, .. } if name == other),
        }
    }

    fn has_arn(&self, arn: &str) -> bool {
        let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let account = arn.split(':').nth(4);
        match self {
            Self::User { account: own, name: Some(name) } => {
                account == Some(own) && resource.strip_prefix("user/") == Some(name)
            }
            Self::Role { account: own, role: Some(role), session } => {
                let as_role = resource.strip_prefix("role/") == Some(role);
                let as_session = session.as_ref().is_some_and(|session| {
                    let role = role.rsplit('/').next().unwrap_or_default();
                    resource.strip_prefix("assumed-role/") == Some(&format!("{role}/{session}"))
                });
                account == Some(own) && (as_role || as_session)
            }
            Self::Opaque { arn: Some(own), .. } => own == arn,
            _ => false,
        }
    }

    /// The caller's name for a person.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::User { account, name } => {
                format!("arn:aws:iam::{account}:user/{}", name.as_deref().unwrap_or("visitor"))
            }
            Self::Role { account, role, session } => {
                let role = role.as_deref().and_then(|role| role.rsplit('/').next()).unwrap_or("visitor");
                let session = session.as_deref().unwrap_or("session");
                format!("arn:aws:sts::{account}:assumed-role/{role}/{session}")
            }
            Self::Root { account } => format!("arn:aws:iam::{account}:root"),
            Self::FederatedUser { account } => format!("arn:aws:sts::{account}:federated-user/visitor"),
            Self::Service { name, source: Source::Stranger } => name.clone(),
            Self::Service { name, source: Source::Account(account) } => {
                format!("{name} for account {account}")
            }
            Self::Service { name, source: Source::Thing(arn) } => format!("{name} for {arn}"),
            Self::Opaque { name, .. } => match name {
                PrincipalName::Canonical(id) => format!("canonical user {id}"),
                PrincipalName::Federated(provider) => format!("a user of {provider}"),
                PrincipalName::Arn(arn) => arn.clone(),
                PrincipalName::Gone(id) => format!("whoever holds the id {id}"),
                _ => "a named principal".to_owned(),
            },
        }
    }
}

/// Where a request comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Network {
    /// The internet, from these addresses.
    Internet(Vec<IpRange>),
    /// Somebody's own VPC endpoint.
    Endpoint,
    /// One of the networks that conditions spell out, by condition key.
    Named(BTreeMap<String, Vec<String>>),
}

/// Somebody who could ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requester {
    pub(super) audience: Audience,
    pub(super) caller: Caller,
    pub(super) network: Network,
    /// The organization of the caller's account.
    pub(super) organization: Option<String>,
    /// Keys whose value is settled, because a policy variable stands for it.
    pub(super) pins: BTreeMap<String, String>,
    /// Why it is not certain that there is such a requester outside.
    pub(super) doubt: Option<String>,
}
