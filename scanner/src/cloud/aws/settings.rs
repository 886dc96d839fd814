//! What does a person say about how to reach AWS, or a server that speaks S3?

use std::time::Duration;

use aws_credential_types::Credentials;

/// How to reach AWS. Making it touches neither network nor files.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    /// The profile of the AWS configuration files; else the SDK's default chain decides.
    pub profile: Option<String>,
    /// Credentials that are used instead of those of the profile.
    pub credentials: Option<Credentials>,
    /// The region that is asked first; else that of the environment or the profile, else `us-east-1`.
    pub region: Option<String>,
    /// A server other than AWS, used for every service, for example `http://127.0.0.1:9000`.
    pub endpoint_url: Option<String>,
    /// Whether the bucket's name stands in the path instead of the host's name.
    pub path_style: bool,
    /// Whether requests are signed. Unsigned ones see what anyone on the internet sees, one bucket at a time.
    pub sign_requests: bool,
    /// Whose buckets are looked at.
    pub accounts: Accounts,
    /// Only this bucket, whatever else the account holds.
    pub only: Option<OneBucket>,
    /// How long a session in another account lasts before it is renewed, 15 minutes to 12 hours.
    pub session_duration: Duration,
    /// What a session in another account is limited to, as a policy's JSON: what the role allows and this allows.
    pub session_policy: Option<String>,
    /// Requests per second to one account, before any slowing down that the account asks for.
    pub requests_per_second: u32,
    /// Keys asked for at one time, at most the 1,000 that S3 gives.
    pub keys_per_page: u16,
    /// Attempts of one request, the first included.
    pub attempts_max: u32,
    /// Until a connection stands.
    pub connect_timeout: Duration,
    /// Until an answer begins, and the longest silence within one.
    pub read_timeout: Duration,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self {
            profile: None,
            credentials: None,
            region: None,
            endpoint_url: None,
            path_style: false,
            sign_requests: true,
            accounts: Accounts::Own,
            only: None,
            session_duration: Duration::from_secs(3600),
            session_policy: None,
            requests_per_second: 4_000,
            keys_per_page: 1_000,
            attempts_max: 5,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(20),
        }
    }
}

/// Whose buckets are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accounts {
    /// The account that the credentials belong to.
    Own,
    /// These.
    Listed(Vec<AccountAccess>),
    /// Every active account of the organization, each entered by this role except the caller's own.
    Organization(Role),
}

/// An account and how to enter it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountAccess {
    /// Twelve digits.
    pub id: String,
    /// The role to assume there; without one the caller's own credentials are used.
    pub role: Option<Role>,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Its name, with its path if it has one, or its whole ARN.
    pub name: String,
    /// The shared secret that the role's trust policy asks for.
    pub external_id: Option<String>,
}

impl Role {
    /// The role's ARN in an account, in the partition that the region belongs to.
    pub(super) fn arn(&self, account: &str, region: &str) -> String {
        if self.name.starts_with("arn:") {
            return self.name.clone();
        }
        let partition = match region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:iam::{account}:role/{}", self.name)
    }
}

/// One bucket, and the part of it to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneBucket {
    /// The bucket's name.
    pub name: String,
    /// What its keys start with; empty for all.
    pub prefix: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_arn_follows_the_partition_of_the_region() {
        let role = Role { name: "spillwatch-scan".to_owned(), external_id: None };
        assert_eq!(
            role.arn("111122223333", "eu-central-1"),
            "arn:aws:iam::111122223333:role/spillwatch-scan"
        );
        assert_eq!(
            role.arn("111122223333", "cn-north-1"),
            "arn:aws-cn:iam::111122223333:role/spillwatch-scan"
        );
        assert_eq!(
            role.arn("111122223333", "us-gov-west-1"),
            "arn:aws-us-gov:iam::111122223333:role/spillwatch-scan"
        );
        let whole = Role { name: "arn:aws:iam::1:role/x".to_owned(), external_id: None };
        assert_eq!(whole.arn("111122223333", "cn-north-1"), "arn:aws:iam::1:role/x");
    }
}
