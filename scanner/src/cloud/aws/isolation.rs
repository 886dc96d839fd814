//! How is a role or a user of IAM denied everything, by a policy of its own that can be taken away again?

use aws_sdk_iam::Client;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::failure::Failure;
use super::session::Session;
use crate::cloud::{CloudError, Stated};
use crate::estate::{GapReason, ISOLATION_POLICY, Principal, Setting};

/// The policy as it stands, or the code that says that there is none.
pub(super) async fn stated(
    session: &Session,
    setting: &Setting,
    principal: &Principal,
) -> Result<Stated, CloudError> {
    let name = principal.name();
    let (key, answer) = match principal {
        Principal::Role(_) => {
            let call = async |iam: Client| {
                let asked = iam.get_role_policy().role_name(name).policy_name(ISOLATION_POLICY).send().await;
                asked.map(|answer| answer.policy_document).map_err(|error| Failure::of(&error))
            };
            ("RoleName", session.iam(call).await)
        }
        Principal::User(_) => {
            let call = async |iam: Client| {
                let asked = iam.get_user_policy().user_name(name).policy_name(ISOLATION_POLICY).send().await;
                asked.map(|answer| answer.policy_document).map_err(|error| Failure::of(&error))
            };
            ("UserName", session.iam(call).await)
        }
        Principal::ServiceAccount(_) => return Err(unsuited(name)),
    };
    match answer {
        // IAM hands documents over percent-encoded (API reference, "GetRolePolicy").
        Ok(text) => {
            let text = percent_decode_str(&text).decode_utf8_lossy().into_owned();
            let document: Value = serde_json::from_str(&text).map_err(|_| unsuited(name))?;
            Ok(Stated::answered(
                json!({key: name, "PolicyName": ISOLATION_POLICY, "PolicyDocument": document}),
            ))
        }
        Err(failure) if setting.absent_code() == Some(failure.code.as_str()) => {
            Ok(Stated::answered(setting.absent().unwrap_or_default()))
        }
        Err(failure) => Err(failure.at(setting.operation(), name)),
    }
}

/// Attaches the policy, or takes it away where there is to be none.
pub(super) async fn set(session: &Session, principal: &Principal, to: &Value) -> Result<(), CloudError> {
    let name = principal.name();
    let document = match (to.get("Error"), to.get("PolicyDocument")) {
        (Some(_), _) => None,
        (None, Some(document)) => Some(document.to_string()),
        (None, None) => return Err(unsuited(name)),
    };
    let call = async |iam: Client| match (principal, document) {
        (Principal::Role(_), Some(document)) => {
            let put = iam.put_role_policy().role_name(name).policy_name(ISOLATION_POLICY);
            put.policy_document(document).send().await.map(drop).map_err(|error| Failure::of(&error))
        }
        (Principal::User(_), Some(document)) => {
            let put = iam.put_user_policy().user_name(name).policy_name(ISOLATION_POLICY);
            put.policy_document(document).send().await.map(drop).map_err(|error| Failure::of(&error))
        }
        (Principal::Role(_), None) => {
            let delete = iam.delete_role_policy().role_name(name).policy_name(ISOLATION_POLICY);
            delete.send().await.map(drop).map_err(|error| Failure::of(&error))
        }
        (Principal::User(_), None) => {
            let delete = iam.delete_user_policy().user_name(name).policy_name(ISOLATION_POLICY);
            delete.send().await.map(drop).map_err(|error| Failure::of(&error))
        }
        (Principal::ServiceAccount(_), _) => Err(Failure::unparsable()),
    };
    let operation = match principal {
        Principal::Role(_) => "iam:PutRolePolicy",
        _ => "iam:PutUserPolicy",
    };
    session.iam(call).await.map_err(|failure| failure.at(operation, name))
}

fn unsuited(name: &str) -> CloudError {
    CloudError::Failed {
        operation: "set",
        resource: name.to_owned(),
        reason: GapReason::Unsupported,
        message: "it is neither role nor user, or its policy cannot be read".to_owned(),
    }
}
