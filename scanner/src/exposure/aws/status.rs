//! Does AWS count a policy as public? Its documented definition, which decides what RestrictPublicBuckets does.
//!
//! Source: S3 User Guide, "Blocking public access to your Amazon S3 storage", "The meaning of public". It says nothing of
//! Deny statements, and so they do not count here.

use crate::exposure::pattern::{Pattern, Token};
use crate::exposure::policy::{
    Choice, Condition, Effect, Policy, PrincipalName, Quantifier, Statement, Test, Text, is_account,
};
use crate::exposure::ranges::{IpRange, ip_range};

/// What kind of policy is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Bucket,
    AccessPoint,
}

/// Whether the policy is public by AWS's definition; `None` if that hangs on a statement that cannot be read.
pub(super) fn is_public(policy: &Policy, of: Of) -> Option<bool> {
    let allows = || policy.statements.iter().filter(|statement| statement.effect == Effect::Allow);
    if allows().any(|statement| statement.doubt.is_none() && !is_limited(statement, of)) {
        return Some(true);
    }
    if allows().any(|statement| statement.doubt.is_some()) { None } else { Some(false) }
}

/// Whether a statement grants to fixed values only.
fn is_limited(statement: &Statement, of: Of) -> bool {
    let fixed_name = |name: &PrincipalName| {
        !matches!(name, PrincipalName::Everyone | PrincipalName::SignedIn | PrincipalName::Federated(_))
    };
    let to_fixed = match &statement.principals {
        Choice::Of(names) => names.iter().all(fixed_name),
        Choice::NoneOf(_) => false,
    };
    to_fixed || statement.conditions.iter().any(|condition| is_fixed(condition, of))
}

/// Whether a condition holds for fixed values of a key that AWS accepts as a limit.
fn is_fixed(condition: &Condition, of: Of) -> bool {
    // A condition that holds for a request without the key limits nobody.
    if condition.if_exists || condition.quantifier == Quantifier::All {
        return false;
    }
    match (condition.key.as_str(), &condition.test) {
        ("aws:sourceip", Test::Ip { ranges, negated: false }) => ranges.iter().all(is_narrow),
        (key, Test::Text { texts, negated: false, .. } | Test::Arn { texts, negated: false }) => {
            texts.iter().all(|text| is_fixed_text(key, text, of))
        }
        _ => false,
    }
}

fn is_fixed_text(key: &str, text: &Text, of: Of) -> bool {
    let Some(pattern) = text.pattern() else { return false };
    match key {
        "aws:sourcearn"
        | "aws:sourcevpc"
        | "aws:sourcevpce"
        | "aws:sourceowner"
        | "aws:sourceaccount"
        | "aws:principalorgid"
        | "s3:x-amz-server-side-encryption-aws-kms-key-id"
        | "s3:dataaccesspointaccount" => pattern.is_literal(),
        // `AROLEID:*`: the role is fixed, its sessions are not.
        "aws:userid" => pattern.is_literal() || is_role_id(pattern),
        "s3:dataaccesspointarn" => {
            pattern.is_literal() || (of == Of::Bucket && names_access_points_of_one_account(pattern))
        }
        _ => false,
    }
}

fn is_role_id(pattern: &Pattern) -> bool {
    let text = pattern.text();
    let wildcards = pattern.tokens().iter().filter(|token| !matches!(token, Token::Char(_))).count();
    wildcards == 1 && text.strip_suffix(":*").is_some_and(|id| id.starts_with("ARO") && !id.contains(':'))
}

/// `arn:aws:s3:<region>:<account>:accesspoint/*`.
fn names_access_points_of_one_account(pattern: &Pattern) -> bool {
    let text = pattern.text();
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, "s3", _, account, resource] => is_account(account) && resource.starts_with("accesspoint/"),
        _ => false,
    }
}

/// No broader than /8 for IPv4 or /32 for IPv6; private networks are never public.
fn is_narrow(range: &IpRange) -> bool {
    let private = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
    let most = if range.v6 { 1_u128 << 96 } else { 1 << 24 };
    range.last - range.first < most
        || private.iter().filter_map(|text| ip_range(text)).any(|own| own.contains(range))
}
