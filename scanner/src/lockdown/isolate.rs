//! How is the identity that leaked kept from everything, and given back as it was?
//!
//! Source: IAM User Guide, "Revoke IAM role temporary security credentials"; IAM documentation of Google Cloud, "Disable
//! service accounts".

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::cloud::{CloudError, Lockable};
use crate::estate::{Account, Bucket, Change, ISOLATION_POLICY, Principal, Provider, Setting};
use crate::exposure::quoted;

/// What would be done to one role, user or service account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PrincipalPlan {
    /// Whose cloud.
    pub provider: Provider,
    /// Account or project id.
    pub account: String,
    /// Who.
    pub principal: Principal,
    /// The changes: one, or none where it is isolated already.
    pub changes: Vec<Change>,
    /// What that stops, and what it does not.
    pub effects: Vec<String>,
    /// The commands of the provider that the changes equal.
    pub commands: Vec<String>,
}

impl PrincipalPlan {
    /// Where a door finds its account.
    pub fn address(&self) -> Bucket {
        let account = Account { provider: self.provider, id: self.account.clone() };
        Bucket { account, name: self.principal.name().to_owned(), region: None }
    }
}

/// Plans to isolate somebody. With `sessions_only` new sessions may work; those that began before `made` (RFC 3339) may not.
pub async fn plan_principal(
    cloud: &dyn Lockable,
    account: &Account,
    principal: &Principal,
    sessions_only: bool,
    made: &str,
) -> Result<PrincipalPlan, CloudError> {
    let mut plan = PrincipalPlan {
        provider: account.provider,
        account: account.id.clone(),
        principal: principal.clone(),
        changes: Vec::new(),
        effects: Vec::new(),
        commands: Vec::new(),
    };
    let setting = Setting::Isolation(principal.clone());
    let before = cloud.stated(&plan.address(), &setting).await?.answer;
    let Some(after) = wanted(principal, &before, sessions_only, made) else {
        // Another policy in its place could allow what this one denies.
        plan.effects.push("it is isolated already; what did it takes it back".to_owned());
        return Ok(plan);
    };
    plan.effects = effects(principal, sessions_only, made);
    plan.commands.push(command(principal, &after));
    let because = "denies this one everything and nobody else anything".to_owned();
    plan.changes.push(Change { setting, before, after, because });
    Ok(plan)
}

/// What is to be stated; `None` where somebody is isolated already.
fn wanted(principal: &Principal, before: &Value, sessions_only: bool, made: &str) -> Option<Value> {
    let key = match principal {
        Principal::ServiceAccount(_) => {
            let disabled = before.get("disabled").and_then(Value::as_bool).unwrap_or(false);
            let mut after = before.clone();
            after.as_object_mut()?.insert("disabled".to_owned(), true.into());
            return (!disabled).then_some(after);
        }
        Principal::Role(_) => "RoleName",
        Principal::User(_) => "UserName",
    };
    before.get("Error")?;
    let everything = json!({"Sid": "DenyEverything", "Effect": "Deny", "Action": "*", "Resource": "*"});
    let sessions = json!({"Sid": "RevokeSessions", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"DateLessThan": {"aws:TokenIssueTime": made}}});
    let statements = if sessions_only { vec![sessions] } else { vec![everything, sessions] };
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    Some(json!({key: principal.name(), "PolicyName": ISOLATION_POLICY, "PolicyDocument": document}))
}

fn effects(principal: &Principal, sessions_only: bool, made: &str) -> Vec<String> {
    let texts: &[&str] = match principal {
        Principal::ServiceAccount(_) => &[
            "it gets no new tokens, by key or by impersonation; whatever runs as it stops working",
            "tokens that it has may serve until they expire, within an hour as a rule",
        ],
        _ if sessions_only => {
            return vec![
                format!("sessions that began before {made} are denied everything; new ones work"),
                "requests that are signed with a user's access keys belong to no session, and go on"
                    .to_owned(),
            ];
        }
        Principal::Role(_) => &[
            "every request of its sessions is denied, of those under way too; whatever runs as it stops working",
            "who may assume it can still do so, in vain",
        ],
        Principal::User(_) => &[
            "every request with its password or its access keys is denied; whatever runs as it stops working",
            "its access keys stay active, and work again after undo: rotate them",
        ],
    };
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn command(principal: &Principal, after: &Value) -> String {
    let document = || quoted(&after.get("PolicyDocument").unwrap_or(&Value::Null).to_string());
    let name = quoted(principal.name());
    match principal {
        Principal::Role(_) => format!(
            "aws iam put-role-policy --role-name {name} --policy-name {ISOLATION_POLICY} --policy-document {}",
            document()
        ),
        Principal::User(_) => format!(
            "aws iam put-user-policy --user-name {name} --policy-name {ISOLATION_POLICY} --policy-document {}",
            document()
        ),
        Principal::ServiceAccount(_) => format!("gcloud iam service-accounts disable {name}"),
    }
}
