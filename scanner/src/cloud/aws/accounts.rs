//! Whose buckets are there to look at?

use aws_sdk_organizations::types::AccountState;

use super::AwsCloud;
use super::failure::Failure;
use super::session;
use super::settings::{Accounts, Role};
use crate::cloud::CloudError;
use crate::estate::{Account, GapReason, Provider};

/// The id of an account whose own id cannot be had: servers other than AWS, and unsigned requests.
pub const UNKNOWN_ACCOUNT: &str = "unknown";

impl AwsCloud {
    pub(super) async fn accounts_named(&self) -> Result<Vec<Account>, CloudError> {
        match &self.settings.accounts {
            Accounts::Own => Ok(vec![account(self.caller().await?)]),
            Accounts::Listed(accounts) => Ok(accounts.iter().map(|access| account(&access.id)).collect()),
            Accounts::Organization(_) => self.organization().await,
        }
    }

    /// The role that leads into an account; none where the caller's own credentials do.
    pub(super) async fn role_into(&self, id: &str) -> Result<Option<&Role>, CloudError> {
        Ok(match &self.settings.accounts {
            Accounts::Own => None,
            Accounts::Listed(accounts) => {
                accounts.iter().find(|access| access.id == id).and_then(|access| access.role.as_ref())
            }
            Accounts::Organization(role) => (self.caller().await? != id).then_some(role),
        })
    }

    /// The id of the account that the credentials belong to.
    async fn caller(&self) -> Result<&str, CloudError> {
        self.caller.get_or_try_init(|| self.ask_caller()).await.map(String::as_str)
    }

    async fn ask_caller(&self) -> Result<String, CloudError> {
        if !self.settings.sign_requests {
            return Ok(UNKNOWN_ACCOUNT.to_owned());
        }
        let config = self.config().await;
        match session::sts(config).get_caller_identity().send().await {
            Ok(identity) => Ok(identity.account.unwrap_or_else(|| UNKNOWN_ACCOUNT.to_owned())),
            Err(error) => {
                let failure = Failure::of(&error);
                // A server that speaks S3 only answers with an error of its own, but it does answer.
                let speaks_sts = config.endpoint_url().is_none()
                    || failure.is_about_credentials()
                    || matches!(failure.reason, GapReason::Unreachable | GapReason::TimedOut);
                if speaks_sts {
                    let endpoint = config.endpoint_url().unwrap_or("AWS");
                    return Err(failure.at("sts:GetCallerIdentity", endpoint));
                }
                Ok(UNKNOWN_ACCOUNT.to_owned())
            }
        }
    }

    /// The active accounts of the caller's organization, paged to the end.
    async fn organization(&self) -> Result<Vec<Account>, CloudError> {
        let client = session::organizations(self.config().await);
        let mut pages = client.list_accounts().into_paginator().send();
        let mut accounts = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page
                .map_err(|error| Failure::of(&error).at("organizations:ListAccounts", "the organization"))?;
            let active = page.accounts().iter().filter(|account| is_active(account));
            accounts.extend(active.filter_map(|listed| listed.id()).map(account));
        }
        Ok(accounts)
    }
}

fn account(id: &str) -> Account {
    Account { provider: Provider::Aws, id: id.to_owned() }
}

/// `State` replaces `Status`, which Organizations retires in September 2026; servers send one or the other.
fn is_active(account: &aws_sdk_organizations::types::Account) -> bool {
    match account.state() {
        Some(state) => *state == AccountState::Active,
        None => account.status() == Some(&aws_sdk_organizations::types::AccountStatus::Active),
    }
}
