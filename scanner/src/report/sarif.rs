//! Findings as SARIF 2.1.0, for viewers of analysis results: written as they come, though the file is one JSON object.

use std::io::{self, BufWriter, Write};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::Form;
use super::telling::{self, plain};
use crate::estate::Provider;
use crate::findings::{Finding, Severity, Transition};
use crate::scan::Coverage;

/// The rules and what each looks for; the place in this list is the `ruleIndex`.
const RULES: [(&str, &str); 6] = [
    ("exposed_content", "Sensitive content can be reached by somebody outside."),
    ("exposed_copy", "Copies of known documents can be reached by somebody outside."),
    ("exposed_bucket", "Somebody outside can list, read, write or administer a bucket."),
    ("unread_bucket", "It could not be read who can reach a bucket."),
    ("sensitive_content", "Sensitive content that nobody outside can reach."),
    ("known_copy", "Copies of known documents that nobody outside can reach."),
];

/// What stands as it is in the path of a URI.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes head, results and end of the one run.
pub(super) struct Sarif<W: Write> {
    out: BufWriter<W>,
    first: bool,
}

impl<W: Write> Sarif<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut out = BufWriter::new(out);
        let rules: Vec<Value> =
            RULES.iter().map(|(id, text)| json!({"id": id, "shortDescription": {"text": text}})).collect();
        let driver =
            json!({"name": "spillwatch", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules});
        write!(
            out,
            r#"{{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{{"tool":{{"driver":{driver}}},"results":["#
        )?;
        Ok(Self { out, first: true })
    }
}

impl<W: Write> Form for Sarif<W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let comma = if self.first { "\n" } else { ",\n" };
        self.first = false;
        write!(self.out, "{comma}{}", result(finding))?;
        self.out.flush()
    }

    fn end(mut self: Box<Self>, coverage: &Coverage) -> io::Result<()> {
        let invocation = invocation(coverage);
        let properties = json!({"coverage": coverage, "verdict": telling::verdict(coverage)});
        let id = json!({"id": format!("spillwatch/{}", coverage.run)});
        writeln!(
            self.out,
            "\n],\"invocations\":[{invocation}],\"automationDetails\":{id},\"columnKind\":\"unicodeCodePoints\",\"properties\":{properties}}}]}}"
        )?;
        self.out.flush()
    }
}

fn result(finding: &Finding) -> Value {
    let (level, kind) = match finding.severity {
        Severity::Critical | Severity::High => ("error", "fail"),
        Severity::Medium => ("warning", "fail"),
        Severity::Low => ("note", "fail"),
        // SARIF 2.1.0, 3.27.10: a result of another kind than `fail` has no level.
        Severity::Informational => ("none", "informational"),
    };
    let rank = match finding.severity {
        Severity::Critical => 95.0,
        Severity::High => 80.0,
        Severity::Medium => 55.0,
        Severity::Low => 25.0,
        Severity::Informational => 0.0,
    };
    let mut keys = finding.objects.top_keys.iter().map(Some).collect::<Vec<_>>();
    if keys.is_empty() {
        keys.push(None);
    }
    let places: Vec<Value> = keys.into_iter().map(|key| location(finding, key)).collect();
    let (first, others) = places.split_at(1);
    let mut result = json!({
        "ruleId": finding.rule,
        "level": level,
        "kind": kind,
        "rank": rank,
        "message": {"text": format!("{}. {}", telling::title(finding), telling::description(finding))},
        "locations": first,
        "partialFingerprints": {"spillwatch/v1": finding.uid},
        "baselineState": baseline(finding.status),
        "properties": properties(finding),
    });
    if let Value::Object(result) = &mut result {
        if let Some(index) = RULES.iter().position(|(id, _)| *id == finding.rule) {
            result.insert("ruleIndex".to_owned(), json!(index));
        }
        if !others.is_empty() {
            result.insert("relatedLocations".to_owned(), json!(others));
        }
        if let Some(said) = &finding.suppression {
            let text = format!("{} ({}, until {})", said.reason, said.author, said.until);
            let suppression = json!([{"kind": "external", "status": "accepted", "justification": text}]);
            result.insert("suppressions".to_owned(), suppression);
        }
    }
    result
}

/// What is there again is new against the baseline, in which it was resolved.
fn baseline(status: Transition) -> &'static str {
    match status {
        Transition::New | Transition::Reopened => "new",
        Transition::Updated => "updated",
        Transition::Unchanged | Transition::Suppressed => "unchanged",
        Transition::Resolved => "absent",
    }
}

fn location(finding: &Finding, key: Option<&String>) -> Value {
    let scheme = match finding.provider {
        Provider::Aws => "s3://",
        Provider::Gcp => "gs://",
        Provider::Local => "file:///",
    };
    let path = format!("{}/{}", finding.bucket, key.map_or("", String::as_str));
    let uri = format!("{scheme}{}", utf8_percent_encode(path.trim_start_matches('/'), PATH));
    let name = plain(&finding.bucket);
    let full = format!("{}/{}/{name}", finding.provider, plain(&finding.account));
    json!({
        "physicalLocation": {"artifactLocation": {"uri": uri}},
        "logicalLocations": [{"name": name, "fullyQualifiedName": full, "kind": "bucket"}],
    })
}

fn properties(finding: &Finding) -> Value {
    json!({
        "tags": [finding.class, finding.severity],
        "severity": finding.severity,
        "status": finding.status,
        "changes": finding.changes,
        "exposures": finding.exposures,
        "detections": finding.detections,
        "objects": finding.objects,
        "remediation": finding.remediation,
        "firstSeen": finding.first_seen,
        "lastSeen": finding.last_seen,
        "exposedSince": finding.exposed_since,
        "exposureWindowMs": finding.exposure_window_ms,
        "resolvedAt": finding.resolved_at,
        "bucketTags": finding.tags,
    })
}

/// How the run went; each gap is a notification.
fn invocation(coverage: &Coverage) -> Value {
    let notifications: Vec<Value> = coverage
        .gaps
        .iter()
        .map(|gap| {
            let (known, count) = (gap.gap(), gap.count());
            json!({
                "level": "warning",
                "descriptor": {"id": known.reason},
                "message": {"text": known.detail},
                "properties": {"operation": known.operation, "resource": known.resource, "count": count},
            })
        })
        .collect();
    json!({
        "executionSuccessful": !coverage.interrupted,
        "startTimeUtc": coverage.started,
        "endTimeUtc": coverage.ended,
        "toolExecutionNotifications": notifications,
    })
}
