//! Does a CloudFront distribution lead to the bucket, and does it let everyone in?
//!
//! Source: CloudFront Developer Guide, "Restrict access to an Amazon S3 origin".

use crate::estate::Fact;
use crate::estate::aws::{Distribution, distributions};
use crate::exposure::Certainty;
use crate::exposure::policy::condition::{Resolved, Truth};
use crate::exposure::policy::{Condition, PrincipalName};

use super::Dossier;
use super::judge::{Channel, Hit};
use super::requesters::Caller;
use super::rules::Rule;
use super::verdict::Notes;

/// What stands before an origin access identity's id in its ARN.
pub(super) const IDENTITY: &str = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity ";

/// Settles a hit of the audience `cdn` by the account's distributions: whether it stands, and by which host.
pub(super) fn settle(
    dossier: &Dossier<'_>,
    channel: &Channel,
    hit: &mut Hit,
    notes: &mut Notes,
) -> Option<String> {
    let list = match distributions(&dossier.facts, &dossier.place.account) {
        Fact::Present(list) => list,
        Fact::Absent => Vec::new(),
        Fact::Unread(gap) => {
            hit.certainty = Certainty::Possible;
            hit.evidence.doubts.push(gap.detail.clone());
            notes.may_miss(gap);
            return Some("DISTRIBUTION.cloudfront.net".to_owned());
        }
    };
    let rules: Vec<&Rule> =
        hit.evidence.rules.iter().filter_map(|at| channel.rules.get(*at)).map(|(rule, _)| rule).collect();
    let caller = &hit.evidence.requester.caller;
    let leads_here = |distribution: &&Distribution| leads(distribution, caller, &rules, dossier);
    let mut ways = list.iter().filter(|distribution| distribution.enabled).filter(leads_here).peekable();
    if ways.peek().is_none() {
        notes.closed("CloudFront may read, but no enabled distribution of the account leads here".to_owned());
        notes.latent(
            "a CloudFront distribution that is created or enabled would publish the content".to_owned(),
        );
        return None;
    }
    let ways: Vec<&Distribution> = ways.collect();
    let way = ways.iter().find(|distribution| !distribution.signed).or_else(|| ways.first())?;
    if way.signed {
        hit.certainty = Certainty::Possible;
        hit.evidence
            .doubts
            .push(format!("distribution `{}` asks viewers for a signed URL or cookie", way.domain));
    }
    Some(way.domain.clone())
}

/// Whether requests of the distribution reach the bucket as this caller.
fn leads(distribution: &Distribution, caller: &Caller, rules: &[&Rule], dossier: &Dossier<'_>) -> bool {
    let here = |host: &str| {
        let bucket = &dossier.bucket.name;
        host.strip_prefix(bucket.as_str()).is_some_and(|rest| rest.starts_with(".s3"))
    };
    match caller {
        Caller::Service { .. } => {
            let permitted = rules.iter().any(|rule| permits(rule, &distribution.arn));
            permitted && distribution.origins.iter().any(|(host, _)| here(host))
        }
        Caller::Opaque { name: PrincipalName::Arn(arn), .. } => {
            let identity = arn.strip_prefix(IDENTITY);
            let uses = |(host, own): &(String, Option<String>)| here(host) && own.as_deref() == identity;
            identity.is_some() && distribution.origins.iter().any(uses)
        }
        _ => false,
    }
}

/// Whether what a rule asks of `aws:SourceArn` fits a distribution.
fn permits(rule: &Rule, arn: &str) -> bool {
    let about_source = rule.statement.conditions.iter().filter(|condition| condition.key == "aws:sourcearn");
    let source = [arn.to_owned()];
    let fits = |condition: &Condition| condition.holds(Some(&source), &|_| Resolved::Unknown) != Truth::False;
    about_source.into_iter().all(fits)
}
