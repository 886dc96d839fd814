//! What is said of a finding in every format: its title, its bucket's full name, its times?

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::estate::Provider;
use crate::exposure::{Audience, Certainty};
use crate::findings::Finding;
use crate::scan::Coverage;

/// Names are written by strangers: control characters would drive the terminal.
pub(super) fn plain(name: &str) -> String {
    name.chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// Who, as the subject of a sentence.
pub(super) fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Anyone => "anyone",
        Audience::AnyAuthenticated => "anyone with an account at the provider",
        Audience::External => "named outsiders",
        Audience::Cdn => "anyone, through a CDN",
        Audience::Organization => "others in the organization",
    }
}

/// The widest audience of a finding, and how surely: what is proven goes before what is possible.
pub(super) fn widest(finding: &Finding) -> Option<(Audience, Certainty)> {
    let ways = finding.exposures.iter().map(|way| (way.certainty, way.audience));
    ways.min().map(|(certainty, audience)| (audience, certainty))
}

/// Whether it is proven that anyone can reach it.
pub(super) fn is_public(finding: &Finding) -> bool {
    let anyone = |audience| matches!(audience, Audience::Anyone | Audience::AnyAuthenticated);
    finding.exposures.iter().any(|way| anyone(way.audience) && way.certainty == Certainty::Proven)
}

/// A class as words.
pub(super) fn content(class: &str) -> String {
    match class {
        "employee_pii" => "employee data".to_owned(),
        "credential" => "credentials".to_owned(),
        "encrypted_blob" => "encrypted data".to_owned(),
        "interaction_metadata" => "interaction logs".to_owned(),
        "roadmap" => "roadmaps".to_owned(),
        "internal_policy" => "internal policies".to_owned(),
        "known_document" => "copies of known documents".to_owned(),
        other => plain(&other.replace('_', " ")),
    }
}

/// One sentence without an end: what is wrong where.
pub(super) fn title(finding: &Finding) -> String {
    let bucket = plain(&finding.bucket);
    let who = match widest(finding) {
        Some((who, Certainty::Proven)) => audience(who).to_owned(),
        Some((who, Certainty::Possible)) => format!("perhaps {}", audience(who)),
        None => "it is not known who".to_owned(),
    };
    let class = content(&finding.class);
    match finding.rule.as_str() {
        "exposed_content" | "exposed_copy" => format!("{who} can reach {class} in {bucket}"),
        "sensitive_content" | "known_copy" => format!("{class} in {bucket}, which nobody outside can reach"),
        "exposed_bucket" => format!("{class} access to {bucket} for {who}"),
        "unread_bucket" => format!("who can reach {bucket} could not be read"),
        rule => format!("{}: {class} in {bucket}", plain(rule)),
    }
}

/// The reasons and the next step.
pub(super) fn description(finding: &Finding) -> String {
    let mut said: Vec<&str> = finding.because.iter().map(String::as_str).collect();
    said.extend(finding.detections.iter().flat_map(|found| &found.because).map(String::as_str));
    format!("{}. Next: {}.", said.join("; "), finding.remediation)
}

/// The bucket as the provider names it in full.
pub(super) fn resource(finding: &Finding) -> String {
    match finding.provider {
        Provider::Aws => format!("arn:{}:s3:::{}", partition(finding), finding.bucket),
        Provider::Gcp => format!("//storage.googleapis.com/{}", finding.bucket),
        Provider::Local => finding.bucket.clone(),
    }
}

/// AWS's realm of the bucket.
pub(super) fn partition(finding: &Finding) -> &'static str {
    partition_of(finding.region.as_deref().unwrap_or_default())
}

pub(super) fn partition_of(region: &str) -> &'static str {
    match region.split('-').next() {
        Some("cn") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

/// Milliseconds since 1970 of an RFC 3339 time.
pub(super) fn unix_ms(time: &str) -> Option<i64> {
    let time = OffsetDateTime::parse(time, &Rfc3339).ok()?;
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()
}

/// When what the finding says was seen.
pub(super) fn seen_at(finding: &Finding) -> &str {
    finding.resolved_at.as_deref().unwrap_or(&finding.last_seen)
}

/// Whether everything was seen, in a word.
pub(super) fn verdict(coverage: &Coverage) -> &'static str {
    match (coverage.interrupted, coverage.complete) {
        (true, _) => "interrupted",
        (false, true) => "complete",
        (false, false) => "incomplete",
    }
}

/// What a run saw, in a sentence.
pub(super) fn coverage(coverage: &Coverage) -> String {
    let gaps: u64 = coverage.gaps_by_reason.values().sum();
    let unexamined = coverage.ledger.as_ref().map_or(0, |ledger| ledger.unexamined);
    let earlier = match unexamined {
        0 => String::new(),
        count => format!(", {count} open findings of earlier runs not looked at"),
    };
    format!(
        "{}: {} accounts, {} buckets ({} exposed, {} seen whole), {} of {} objects and {} of {} bytes read, {} findings, {gaps} gaps{earlier}",
        verdict(coverage),
        coverage.accounts,
        coverage.buckets,
        coverage.buckets_exposed,
        coverage.buckets_seen_whole,
        coverage.objects.read,
        coverage.objects.listed,
        coverage.bytes.read,
        coverage.bytes.listed,
        coverage.findings,
    )
}
