//! Which role, user or service account is meant by what a person or a log says?

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Account, Provider};

/// Somebody of ours who can be kept from everything at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// An IAM role, by its name.
    Role(String),
    /// An IAM user, by its name.
    User(String),
    /// A service account of Google Cloud, by its email address.
    ServiceAccount(String),
}

impl Principal {
    /// Reads an ARN (a session's means its role) or a service account's address, with the account that it is of; why not,
    /// if so.
    pub fn parse(text: &str) -> Result<(Account, Self), String> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, service @ ("iam" | "sts"), "", account, resource]
                if account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                let account = Account { provider: Provider::Aws, id: (*account).to_owned() };
                of_resource(service, resource).map(|principal| (account, principal))
            }
            _ => of_email(text.strip_prefix("serviceAccount:").unwrap_or(text)),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Role(name) | Self::User(name) | Self::ServiceAccount(name) => name,
        }
    }
}

fn of_resource(service: &str, resource: &str) -> Result<Principal, String> {
    let mut parts = resource.split('/');
    let kind = parts.next().unwrap_or_default();
    // A role's path stands before its name; a session's name after the role's.
    let name = if service == "sts" { parts.next() } else { parts.next_back() };
    let name = name.filter(|name| !name.is_empty() && name.bytes().all(is_name)).map(str::to_owned);
    match (service, kind, name) {
        ("iam", "role", Some(name)) | ("sts", "assumed-role", Some(name)) => Ok(Principal::Role(name)),
        ("iam", "user", Some(name)) => Ok(Principal::User(name)),
        ("iam", "root", _) => {
            Err("no policy binds an account's root; change its password and delete its access keys"
                .to_owned())
        }
        _ => Err("name a role, a user, or a session of a role".to_owned()),
    }
}

/// "Names of users and roles … must be alphanumeric, including plus, equal, comma, period, at, underscore, hyphen."
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte)
}

fn of_email(email: &str) -> Result<(Account, Principal), String> {
    let (name, domain) = email.split_once('@').unwrap_or((email, ""));
    let project = domain.strip_suffix(".iam.gserviceaccount.com");
    let is_default = matches!(domain, "developer.gserviceaccount.com" | "appspot.gserviceaccount.com");
    let safe = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:".contains(&byte))
    };
    if !safe(name) || !(is_default || project.is_some_and(safe)) {
        return Err(
            "name the ARN of a role or a user, or the address of a service account; people of Google Cloud are suspended in \
             their directory"
                .to_owned(),
        );
    }
    // The default accounts are named by the number of their project.
    let numbered = domain == "developer.gserviceaccount.com";
    let id = project.unwrap_or_else(|| if numbered { name.split('-').next().unwrap_or(name) } else { name });
    let account = Account { provider: Provider::Gcp, id: id.to_owned() };
    Ok((account, Principal::ServiceAccount(email.to_owned())))
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(f, "role `{name}`"),
            Self::User(name) => write!(f, "user `{name}`"),
            Self::ServiceAccount(name) => write!(f, "service account `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_means_its_role_and_paths_are_no_names() {
        let parse = |text: &str| Principal::parse(text).map(|(account, principal)| (account.id, principal));
        let ours = || "111122223333".to_owned();
        let role = Principal::Role("sandbox-agent".to_owned());
        for text in [
            "arn:aws:iam::111122223333:role/sandbox-agent",
            "arn:aws:iam::111122223333:role/agents/sandbox-agent",
            "arn:aws:sts::111122223333:assumed-role/sandbox-agent/session",
        ] {
            assert_eq!(parse(text), Ok((ours(), role.clone())), "{text}");
        }
        assert_eq!(
            parse("arn:aws-cn:iam::111122223333:user/jo"),
            Ok((ours(), Principal::User("jo".to_owned())))
        );
        let agent = "agent@acme-data.iam.gserviceaccount.com";
        let agent_of = Ok(("acme-data".to_owned(), Principal::ServiceAccount(agent.to_owned())));
        assert_eq!(parse(agent), agent_of);
        assert_eq!(parse(&format!("serviceAccount:{agent}")), agent_of);
    }

    #[test]
    fn who_cannot_be_isolated_is_said_to_be() {
        assert!(Principal::parse("arn:aws:iam::111122223333:root").unwrap_err().contains("root"));
        for text in [
            "arn:aws:iam::111122223333:role/*",
            "arn:aws:iam::111122223333:group/all",
            "arn:aws:iam::1:role/x",
            "jo@acme.internal",
            "x/../y@p.iam.gserviceaccount.com",
            "",
        ] {
            assert!(Principal::parse(text).is_err(), "{text}");
        }
    }
}
