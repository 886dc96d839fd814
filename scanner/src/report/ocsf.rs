//! Findings as OCSF 1.8 events, one JSON line each: which class and which ids carry what was found?

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::telling::{self, plain, unix_ms};
use super::{Form, line};
use crate::estate::Provider;
use crate::findings::{Finding, Severity, Transition};
use crate::scan::Coverage;

/// The version of the schema that every event states.
const VERSION: &str = "1.8.0";

/// Which class a finding becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Content: Data Security Finding; access without content: IAM Analysis Finding.
    ByContent,
    /// All: Detection Finding.
    Detection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Detection = 2004,
    DataSecurity = 2006,
    IamAnalysis = 2008,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Detection => "Detection Finding",
            Self::DataSecurity => "Data Security Finding",
            Self::IamAnalysis => "IAM Analysis Finding",
        }
    }
}

/// Writes each finding as it comes; a Scan Activity with the coverage ends the stream.
pub(super) struct Ocsf<W: Write> {
    out: io::BufWriter<W>,
    shape: Shape,
}

impl<W: Write> Ocsf<W> {
    pub(super) fn new(out: W, shape: Shape) -> Self {
        Self { out: io::BufWriter::new(out), shape }
    }
}

impl<W: Write> Form for Ocsf<W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let class = match (self.shape, finding.detections.is_empty() && finding.copies.is_empty()) {
            (Shape::Detection, _) => Class::Detection,
            (Shape::ByContent, false) => Class::DataSecurity,
            (Shape::ByContent, true) => Class::IamAnalysis,
        };
        line(&mut self.out, &event(finding, class))
    }

    fn end(mut self: Box<Self>, coverage: &Coverage) -> io::Result<()> {
        line(&mut self.out, &scan_activity(coverage))
    }
}

fn event(finding: &Finding, class: Class) -> Value {
    let (activity, activity_name) = activity(finding.status, class);
    let (status, status_name) = status(finding.status);
    let mut event = json!({
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": class as u64,
        "class_name": class.name(),
        "activity_id": activity,
        "activity_name": activity_name,
        "type_uid": class as u64 * 100 + activity,
        "time": unix_ms(telling::seen_at(finding)).unwrap_or_default(),
        "severity_id": severity(finding.severity).0,
        "severity": severity(finding.severity).1,
        "status_id": status,
        "status": status_name,
        "status_detail": finding.status.as_str(),
        "message": telling::title(finding),
        "metadata": metadata(),
        "cloud": cloud(finding),
        "finding_info": finding_info(finding),
        "resources": [resource(finding)],
        "unmapped": unmapped(finding),
    });
    let confidence = finding
        .detections
        .iter()
        .map(|found| found.confidence)
        .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
    let alert = finding.status.is_open() && finding.severity > Severity::Informational;
    let more = match class {
        Class::DataSecurity => {
            json!({"databucket": databucket(finding), "data_security": data_security(finding), "is_alert": alert})
        }
        Class::IamAnalysis => {
            json!({"access_analysis_result": access(finding), "remediation": {"desc": finding.remediation}})
        }
        Class::Detection => json!({
            "evidences": [{"databucket": databucket(finding), "data": {"detections": finding.detections}}],
            "remediation": {"desc": finding.remediation},
            "is_alert": alert,
        }),
    };
    if let Value::Object(event) = &mut event {
        extend(event, more);
        if let Some(confidence) = confidence {
            // A share of 1, as whole percent.
            event.insert("confidence_score".to_owned(), json!((confidence * 100.0).round() as i64));
        }
    }
    event
}

fn extend(map: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        map.extend(more);
    }
}

/// Only a Data Security Finding has an activity of its own for what was put aside.
fn activity(status: Transition, class: Class) -> (u64, &'static str) {
    match status {
        Transition::New => (1, "Create"),
        Transition::Resolved => (3, "Close"),
        Transition::Suppressed if class == Class::DataSecurity => (4, "Suppressed"),
        _ => (2, "Update"),
    }
}

/// Whether somebody works on it is not ours to say: what is open is new.
fn status(status: Transition) -> (u64, &'static str) {
    match status {
        Transition::Resolved => (4, "Resolved"),
        Transition::Suppressed => (3, "Suppressed"),
        _ => (1, "New"),
    }
}

fn severity(severity: Severity) -> (u64, &'static str) {
    match severity {
        Severity::Informational => (1, "Informational"),
        Severity::Low => (2, "Low"),
        Severity::Medium => (3, "Medium"),
        Severity::High => (4, "High"),
        Severity::Critical => (5, "Critical"),
    }
}

fn metadata() -> Value {
    let product =
        json!({"name": "spillwatch", "vendor_name": "spillwatch", "version": env!("CARGO_PKG_VERSION")});
    json!({"version": VERSION, "product": product, "profiles": ["cloud"]})
}

fn cloud(finding: &Finding) -> Value {
    let (provider, account_type) = match finding.provider {
        Provider::Aws => ("AWS", 10),
        Provider::Gcp => ("GCP", 11),
        Provider::Local => ("local", 99),
    };
    let mut cloud =
        json!({"provider": provider, "account": {"uid": finding.account, "type_id": account_type}});
    if let (Value::Object(cloud), Some(region)) = (&mut cloud, &finding.region) {
        cloud.insert("region".to_owned(), json!(region));
    }
    cloud
}

fn finding_info(finding: &Finding) -> Value {
    let first = unix_ms(&finding.first_seen);
    json!({
        "uid": finding.uid,
        "title": telling::title(finding),
        "desc": telling::description(finding),
        "types": [finding.rule, finding.class],
        "analytic": {"type_id": 1, "type": "Rule", "uid": finding.rule, "name": finding.rule},
        "created_time": first.unwrap_or_default(),
        "first_seen_time": first.unwrap_or_default(),
        "last_seen_time": unix_ms(&finding.last_seen).unwrap_or_default(),
        "modified_time": unix_ms(telling::seen_at(finding)).unwrap_or_default(),
    })
}

fn tags(finding: &Finding) -> Value {
    finding.tags.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn bucket_type(finding: &Finding) -> (u64, &'static str) {
    match finding.provider {
        Provider::Aws => (1, "S3"),
        Provider::Gcp => (3, "GCP Bucket"),
        Provider::Local => (99, "folder"),
    }
}

fn resource(finding: &Finding) -> Value {
    let mut resource = json!({
        "uid": telling::resource(finding),
        "name": plain(&finding.bucket),
        "type": bucket_type(finding).1,
        "role_id": 3,
        "tags": tags(finding),
    });
    if let (Value::Object(resource), Some(region)) = (&mut resource, &finding.region) {
        resource.insert("region".to_owned(), json!(region));
    }
    resource
}

fn databucket(finding: &Finding) -> Value {
    let (type_id, type_name) = bucket_type(finding);
    json!({
        "uid": telling::resource(finding),
        "name": plain(&finding.bucket),
        "type_id": type_id,
        "type": type_name,
        "is_public": telling::is_public(finding),
        "tags": tags(finding),
    })
}

fn data_security(finding: &Finding) -> Value {
    let (category, confidentiality) = match finding.class.as_str() {
        "employee_pii" | "interaction_metadata" => (1, 5),
        "credential" | "encrypted_blob" => (6, 3),
        _ => (4, 2),
    };
    let details: Vec<Value> = finding
        .detections
        .iter()
        .flat_map(|found| &found.kinds)
        .map(|(kind, count)| json!({"type": kind, "count": count}))
        .collect();
    json!({
        "category_id": category,
        "confidentiality_id": confidentiality,
        "classifier_details": {"name": finding.class, "type": "spillwatch"},
        "data_lifecycle_state_id": 1,
        "detection_system_id": 4,
        "detection_system": "Data Discovery & Classification",
        "discovery_details": details,
        "size": finding.objects.bytes,
        "total": finding.objects.count,
    })
}

fn access(finding: &Finding) -> Value {
    let ways = &finding.exposures;
    let accessors: Vec<Value> = ways
        .iter()
        .map(|way| json!({"name": way.audience.as_str(), "type_id": 99, "type": "audience"}))
        .collect();
    let mut granted: Vec<&str> =
        ways.iter().filter_map(|way| way.witness.as_ref()).map(|witness| witness.action.as_str()).collect();
    granted.sort_unstable();
    granted.dedup();
    let conditions: Vec<Value> = ways
        .iter()
        .filter_map(|way| way.witness.as_ref())
        .flat_map(|witness| &witness.context)
        .map(|(name, values)| json!({"name": name, "values": values}))
        .collect();
    json!({
        "accessors": accessors,
        "access_level": finding.class,
        "granted_privileges": granted,
        "condition_keys": conditions,
    })
}

/// What OCSF has no place for, in our own words.
fn unmapped(finding: &Finding) -> Value {
    json!({
        "status": finding.status,
        "changes": finding.changes,
        "because": finding.because,
        "remediation": finding.remediation,
        "exposures": finding.exposures,
        "exposed_since": finding.exposed_since,
        "exposure_window_ms": finding.exposure_window_ms,
        "resolved_at": finding.resolved_at,
        "suppression": finding.suppression,
        "objects": finding.objects,
    })
}

/// The run as a Scan Activity (6007): what was looked at, and in `unmapped` what was not seen.
fn scan_activity(coverage: &Coverage) -> Value {
    let (activity, name) = if coverage.interrupted { (3, "Cancelled") } else { (2, "Completed") };
    let mut metadata = metadata();
    if let Value::Object(metadata) = &mut metadata {
        // No one account is where a run takes place.
        metadata.remove("profiles");
    }
    json!({
        "category_uid": 6,
        "category_name": "Application Activity",
        "class_uid": 6007,
        "class_name": "Scan Activity",
        "activity_id": activity,
        "activity_name": name,
        "type_uid": 600_700 + activity,
        "time": unix_ms(&coverage.ended).unwrap_or_default(),
        "start_time": unix_ms(&coverage.started).unwrap_or_default(),
        "end_time": unix_ms(&coverage.ended).unwrap_or_default(),
        "duration": coverage.elapsed_ms,
        "severity_id": 1,
        "status_id": if coverage.complete { 1 } else { 99 },
        "status": if coverage.complete { "Success" } else { telling::verdict(coverage) },
        "message": telling::coverage(coverage),
        "metadata": metadata,
        "scan": {"uid": coverage.run, "name": "spillwatch", "type_id": 99, "type": "scan"},
        "num_files": coverage.objects.read,
        "num_skipped_items": coverage.objects.skipped,
        "num_detections": coverage.findings,
        "total": coverage.objects.listed,
        "unmapped": {"coverage": coverage},
    })
}
