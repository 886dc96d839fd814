//! What became of each finding since the last run? Pure: records and findings in, records out.

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Examined, Finding, Suppression, Transition, changes};

#[cfg(test)]
mod tests;

/// What is kept of one finding between runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// As it was last reported.
    pub finding: Finding,
    /// The run that last looked with enough coverage to say something.
    pub run: String,
    /// The target of that run, as it was written: where to look again.
    pub target: String,
    /// When that run looked, RFC 3339: an older look never overrules a newer one.
    pub examined_at: String,
    /// Detections that were less sure made no finding then.
    pub confidence_min: f64,
}

/// The run that looks.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Its name.
    pub run: &'a str,
    /// The target, as it was written.
    pub target: &'a str,
    /// What it saw of the bucket.
    pub examined: &'a Examined,
}

/// Decides over one bucket: `previous` are all its records, `found` what this run found. Returns the records that change,
/// with the findings to report in them; a record that is not returned stays as it is.
pub fn reconcile(
    previous: Vec<Record>,
    found: Vec<Finding>,
    suppressions: &[Suppression],
    look: Look<'_>,
) -> Vec<Record> {
    let mut previous: BTreeMap<String, Record> =
        previous.into_iter().map(|record| (record.finding.uid.clone(), record)).collect();
    let mut decided = Vec::new();
    for finding in found {
        let known = previous.remove(&finding.uid);
        let suppression = suppressions.iter().find(|suppression| suppression.uid == finding.uid);
        let suppression = suppression.filter(|suppression| holds(suppression, &look.examined.at)).cloned();
        decided.extend(seen(known, finding, suppression, look));
    }
    decided.extend(previous.into_values().filter_map(|record| missed(record, look)));
    decided
}

/// Whether a suppression holds at a time; one whose end cannot be read has ended.
pub fn holds(suppression: &Suppression, at: &str) -> bool {
    moment(&suppression.until).zip(moment(at)).is_some_and(|(until, at)| at < until)
}

/// A finding that is there; nothing where a newer look saw it gone.
fn seen(
    known: Option<Record>,
    found: Finding,
    suppression: Option<Suppression>,
    look: Look<'_>,
) -> Option<Record> {
    let Some(mut known) = known else {
        let status = if suppression.is_some() { Transition::Suppressed } else { Transition::New };
        return Some(record(Finding { status, suppression, ..found }, look, look.examined.confidence_min));
    };
    if is_older(&look.examined.at, &known.examined_at) {
        if known.finding.status.is_open() {
            known.finding.status = Transition::Unchanged;
            known.finding.changes.clear();
        }
        return (known.finding.status != Transition::Resolved).then_some(known);
    }
    let Record { finding: before, confidence_min, .. } = known;
    let was_there = before.status != Transition::Resolved;
    let settled = look.examined.settles(&found.rule, &before.objects.holders, confidence_min);
    let mut now = if was_there && !settled { widened(&before, found) } else { found };
    now.first_seen = before.first_seen.clone();
    now.resolved_at = None;
    if was_there && before.exposed_since.is_some() && now.exposed_since.is_some() {
        now.exposed_since.clone_from(&before.exposed_since);
    }
    now.exposure_window_ms = window(now.exposed_since.as_deref(), &now.last_seen);
    now.changes = if was_there { changes::between(&before, &now) } else { Vec::new() };
    now.status = match (&suppression, before.status) {
        (Some(_), _) => Transition::Suppressed,
        (None, Transition::Resolved | Transition::Suppressed) => Transition::Reopened,
        (None, _) if now.changes.is_empty() => Transition::Unchanged,
        (None, _) => Transition::Updated,
    };
    now.suppression = suppression;
    // What a less sure look found stays known until one as unsure does not find it.
    let confidence_min =
        if settled { look.examined.confidence_min } else { look.examined.confidence_min.min(confidence_min) };
    Some(record(now, look, confidence_min))
}

/// A known finding that was not found: gone, if the run looked well enough.
fn missed(record: Record, look: Look<'_>) -> Option<Record> {
    let Record { finding, confidence_min, examined_at, .. } = &record;
    if finding.status == Transition::Resolved
        || is_older(&look.examined.at, examined_at)
        || !look.examined.settles(&finding.rule, &finding.objects.holders, *confidence_min)
    {
        return None;
    }
    let at = look.examined.at.clone();
    let exposure_window_ms = window(finding.exposed_since.as_deref(), &at);
    let changes = if look.examined.gone { vec!["the bucket is gone".to_owned()] } else { Vec::new() };
    let finding = Finding {
        status: Transition::Resolved,
        resolved_at: Some(at),
        suppression: None,
        exposure_window_ms,
        changes,
        ..record.finding
    };
    Some(self::record(finding, look, record.confidence_min))
}

/// Where a look saw less than the one before, what it did not see is not better for that.
fn widened(before: &Finding, mut found: Finding) -> Finding {
    let distinct = |finding: &Finding| finding.detections.iter().map(|found| found.distinct).max();
    let less = found.severity < before.severity
        || found.objects.count < before.objects.count
        || distinct(&found) < distinct(before);
    found.objects.holders.extend(&before.objects.holders);
    if less && found.severity <= before.severity {
        let (last_seen, tags, holders) = (found.last_seen, found.tags, found.objects.holders);
        found = Finding { last_seen, tags, ..before.clone() };
        found.objects.holders = holders;
    }
    found
}

fn record(finding: Finding, look: Look<'_>, confidence_min: f64) -> Record {
    Record {
        finding,
        run: look.run.to_owned(),
        target: look.target.to_owned(),
        examined_at: look.examined.at.clone(),
        confidence_min,
    }
}

/// Two scanners may look at one bucket at the same time, and the slower one must not have the last word.
fn is_older(at: &str, examined_at: &str) -> bool {
    moment(at).zip(moment(examined_at)).is_some_and(|(at, examined)| at < examined)
}

fn window(from: Option<&str>, to: &str) -> Option<u64> {
    let (from, to) = (moment(from?)?, moment(to)?);
    Some(u64::try_from((to - from).whole_milliseconds()).unwrap_or(0))
}

fn moment(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}
