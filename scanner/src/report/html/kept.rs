//! Which findings does a page show, and what of all findings is counted?

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::exposure::{Exposure, Witness};
use crate::findings::{Copied, Finding, Found, Objects, Sample, Severity, Suppression, Transition, Version};

/// Findings kept for the page; it has room for about as many.
const KEPT_MAX: usize = 600;
/// Of one text, bytes; a key has at most 1,024.
const TEXT_MAX: usize = 1_024;

/// The most severe first: what is open before what is not, content before mere access, many people before few.
type Rank = (Reverse<bool>, Reverse<Severity>, Reverse<bool>, Reverse<u64>, String, String);

/// The most severe findings, each cut to what a page shows of it: memory does not grow with the scan.
#[derive(Default)]
pub(super) struct Kept(BTreeMap<Rank, Finding>);

impl Kept {
    pub(super) fn keep(&mut self, finding: &Finding) {
        let rank = (
            Reverse(finding.status.is_open()),
            Reverse(finding.severity),
            Reverse(!finding.detections.is_empty() || !finding.copies.is_empty()),
            Reverse(people(finding)),
            cut(&finding.bucket),
            cut(&finding.uid),
        );
        let full = self.0.len() >= KEPT_MAX;
        if full && self.0.last_key_value().is_some_and(|(least, _)| *least <= rank) {
            return;
        }
        self.0.insert(rank, trimmed(finding));
        if self.0.len() > KEPT_MAX {
            self.0.pop_last();
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.0.into_values().collect()
    }
}

/// What is counted of all findings, also of those that are not shown.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub findings: u64,
    pub open_by_severity: BTreeMap<Severity, u64>,
    pub by_status: BTreeMap<Transition, u64>,
    /// The people of the exposed finding that has the most, and the sum over all: how many they are stands between.
    pub people_at_least: u64,
    pub people_at_most: u64,
}

impl Totals {
    pub(super) fn count(&mut self, finding: &Finding) {
        self.findings += 1;
        *self.by_status.entry(finding.status).or_default() += 1;
        if finding.status.is_open() {
            *self.open_by_severity.entry(finding.severity).or_default() += 1;
            if is_leak(finding) {
                let people = people(finding);
                self.people_at_least = self.people_at_least.max(people);
                self.people_at_most = self.people_at_most.saturating_add(people);
            }
        }
    }
}

/// Sensitive content that somebody outside can reach.
pub(super) fn is_leak(finding: &Finding) -> bool {
    matches!(finding.rule.as_str(), "exposed_content" | "exposed_copy")
}

/// How many people a finding is about, estimated; nobody where it is about secrets or documents.
pub(super) fn people(finding: &Finding) -> u64 {
    let about = matches!(finding.class.as_str(), "employee_pii" | "interaction_metadata");
    let distinct = finding.detections.iter().map(|found| found.distinct).max();
    if about { distinct.unwrap_or(0) } else { 0 }
}

/// A copy of bounded size: lists and texts are cut. A report that is read back may be anybody's.
fn trimmed(finding: &Finding) -> Finding {
    let Finding { severity, provider, status, exposure_window_ms, ref objects, .. } = *finding;
    Finding {
        schema: String::new(),
        uid: cut(&finding.uid),
        rule: cut(&finding.rule),
        class: cut(&finding.class),
        severity,
        provider,
        account: cut(&finding.account),
        bucket: cut(&finding.bucket),
        region: finding.region.as_deref().map(cut),
        exposures: finding.exposures.iter().take(8).map(way).collect(),
        detections: finding.detections.iter().take(4).map(found).collect(),
        copies: finding.copies.iter().take(10).map(copied).collect(),
        objects: Objects {
            count: objects.count,
            bytes: objects.bytes,
            top_keys: cut_all(&objects.top_keys, 10),
            versions: objects.versions,
            top_versions: objects.top_versions.iter().take(10).map(version).collect(),
            written_first: objects.written_first.as_deref().map(cut),
            written_last: objects.written_last.as_deref().map(cut),
            written_by_hour: first(&objects.written_by_hour, 48, |count| *count),
            ..Objects::default()
        },
        because: cut_all(&finding.because, 12),
        remediation: cut(&finding.remediation),
        first_seen: cut(&finding.first_seen),
        last_seen: cut(&finding.last_seen),
        status,
        changes: cut_all(&finding.changes, 12),
        exposed_since: finding.exposed_since.as_deref().map(cut),
        exposure_window_ms,
        resolved_at: finding.resolved_at.as_deref().map(cut),
        suppression: finding.suppression.as_ref().map(|said| Suppression {
            uid: String::new(),
            reason: cut(&said.reason),
            author: cut(&said.author),
            created: cut(&said.created),
            until: cut(&said.until),
        }),
        tags: first(&finding.tags, 20, |value| cut(value)),
    }
}

fn version(version: &Version) -> Version {
    Version { key: cut(&version.key), version_id: cut(&version.version_id), state: version.state }
}

fn copied(copied: &Copied) -> Copied {
    Copied {
        document: cut(&copied.document),
        key: cut(&copied.key),
        version_id: copied.version_id.as_deref().map(cut),
        how: cut(&copied.how),
        share: copied.share,
        at: cut(&copied.at),
    }
}

fn way(way: &Exposure<String>) -> Exposure<String> {
    Exposure {
        audience: way.audience,
        access: way.access.clone(),
        keys: cut(&way.keys),
        certainty: way.certainty,
        witness: way.witness.as_ref().map(|witness| Witness {
            principal: cut(&witness.principal),
            action: cut(&witness.action),
            resource: cut(&witness.resource),
            context: BTreeMap::new(),
            command: cut(&witness.command),
        }),
        because: cut_all(&way.because, 8),
        closing: cut_all(&way.closing, 4),
    }
}

fn found(found: &Found) -> Found {
    Found {
        category: cut(&found.category),
        kinds: first(&found.kinds, 24, |count| *count),
        evidence: found
            .evidence
            .iter()
            .take(8)
            .map(|sample| Sample {
                kind: cut(&sample.kind),
                sample: cut(&sample.sample),
                at: cut(&sample.at),
            })
            .collect(),
        because: cut_all(&found.because, 8),
        ..*found
    }
}

fn cut_all(texts: &[String], most: usize) -> Vec<String> {
    texts.iter().take(most).map(|text| cut(text)).collect()
}

fn first<V>(map: &BTreeMap<String, V>, most: usize, value: impl Fn(&V) -> V) -> BTreeMap<String, V> {
    map.iter().take(most).map(|(name, found)| (cut(name), value(found))).collect()
}

fn cut(text: &str) -> String {
    if text.len() <= TEXT_MAX {
        return text.to_owned();
    }
    format!("{}…", text.get(..text.floor_char_boundary(TEXT_MAX)).unwrap_or_default())
}
