//! How is the content of a bucket kept from everybody but those who respond? By one statement that denies, beside all others.
//!
//! It denies content alone, not settings: whoever owns the bucket can take it back. A request without a principal has no
//! `aws:PrincipalArn`, and a negated operator holds of a key that is missing (IAM User Guide, "Condition operators").

use serde_json::{Value, json};

use super::{Draft, statements};
use crate::estate::aws::distributions;
use crate::estate::{Fact, Setting, policy};
use crate::exposure::{Access, BucketExposure, Certainty, Exposure};
use crate::lockdown::plan::HazardKind;

/// The name of the statement.
const SID: &str = "SpillwatchQuarantine";
/// Whatever reads, replaces or takes away content. Access lists stay readable: looking again needs them.
const ACTIONS: [&str; 13] = [
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:GetObject",
    "s3:GetObjectAttributes",
    "s3:GetObjectTorrent",
    "s3:GetObjectVersion",
    "s3:GetObjectVersionAttributes",
    "s3:GetObjectVersionForReplication",
    "s3:GetObjectVersionTorrent",
    "s3:PutObject",
    "s3:ReplicateDelete",
    "s3:ReplicateObject",
    "s3:RestoreObject",
];
/// "Bucket policies are limited to 20 KB in size."
const POLICY_BYTES_MAX: usize = 20 * 1024;

impl Draft<'_> {
    /// Adds the statement where it is wanted and does not stand; why it cannot be, if so.
    pub(super) fn quarantine(&mut self) -> Option<String> {
        if self.scope.responders.is_empty() {
            return None;
        }
        if let Some(stranger) = self.scope.responders.iter().find(|arn| !self.is_ours(arn)) {
            return Some(format!("`{}` is of an account that is not ours", stranger.escape_default()));
        }
        let answer = self.facts.answer("s3:GetBucketPolicy").cloned().unwrap_or_default();
        let absent = Setting::BucketPolicy.absent_code();
        let document = match answer.pointer("/Error/Code").and_then(Value::as_str) {
            Some(code) if absent == Some(code) => json!({"Version": "2012-10-17"}),
            _ => match policy(&answer) {
                Some(document) if document.is_object() => document,
                _ => return Some("its policy could not be read, and would be lost".to_owned()),
            },
        };
        let statement = self.statement();
        let mut all = statements::all(&document);
        if let Some(stands) = all.iter().find(|one| one.get("Sid").and_then(Value::as_str) == Some(SID)) {
            let other = "it is quarantined already, for others; take that back first".to_owned();
            return (*stands != statement).then_some(other);
        }
        all.push(statement);
        let document = statements::with(&document, all);
        if document.to_string().len() > POLICY_BYTES_MAX {
            return Some("its policy would be longer than AWS takes".to_owned());
        }
        let because =
            "keeps content from everybody but the responders; whoever owns the bucket can take it back";
        let after = super::answer_of(&Setting::BucketPolicy, Some(&document));
        self.change(Setting::BucketPolicy, after, because.to_owned());
        None
    }

    fn is_ours(&self, arn: &str) -> bool {
        let account = arn.split(':').nth(4).unwrap_or_default();
        account == self.subject.bucket.account.id || self.subject.zone.accounts.contains(account)
    }

    fn statement(&self) -> Value {
        let region = self.subject.bucket.region.as_deref().unwrap_or_default();
        let partition = match region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        };
        json!({
            "Sid": SID,
            "Effect": "Deny",
            "Principal": "*",
            "Action": ACTIONS,
            "Resource": format!("arn:{partition}:s3:::{}/*", self.subject.bucket.name),
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": self.scope.responders}},
        })
    }

    /// Content that somebody outside would reach in spite of it.
    pub(super) fn not_quarantined(&self, after: &BucketExposure, objects: &[Exposure]) -> Option<String> {
        if self.scope.responders.is_empty() {
            return None;
        }
        let content = |way: &&Exposure| {
            way.certainty == Certainty::Proven
                && [Access::Read, Access::ReadVersions, Access::Write]
                    .iter()
                    .any(|access| way.access.contains(access))
        };
        let way = after.exposures.iter().chain(objects).find(content)?;
        let why = way.because.first().map_or("a way in stays", String::as_str);
        Some(format!("its content would not be out of reach: {why}"))
    }

    /// What reads or writes content today, and will not any more.
    pub(super) fn note_quarantine_hazards(&mut self) {
        if self.scope.responders.is_empty() {
            return;
        }
        let name = self.subject.bucket.name.clone();
        if let Fact::Present(list) =
            distributions(&self.subject.account_facts, &self.subject.bucket.account.id)
        {
            let reads =
                |host: &str| host.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with(".s3"));
            for distribution in list.iter().filter(|one| one.origins.iter().any(|(host, _)| reads(host))) {
                let detail = format!("distribution `{}` reads the bucket", distribution.domain);
                self.hazard(HazardKind::Cdn, detail);
            }
        }
        let stood = self.subject.facts.answer("s3:GetBucketPolicy").map(Value::to_string).unwrap_or_default();
        let stood = stood.to_lowercase();
        for (kind, word, what) in [
            (HazardKind::LogDelivery, "logs.amazonaws.com", "access logs be delivered"),
            (HazardKind::LogDelivery, "logging.s3.amazonaws.com", "access logs be delivered"),
            (HazardKind::Replication, "s3:replicate", "replication write here"),
        ] {
            if stood.contains(word) {
                self.hazard(kind, format!("what is denied lets {what}"));
            }
        }
    }
}
