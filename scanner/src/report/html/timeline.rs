//! What happened when? Opened, copied, detected, changed, resolved.

use std::collections::BTreeMap;

use super::kept::is_leak;
use super::markup::Page;
use crate::findings::{Finding, Transition};
use crate::report::telling;

/// Rows of the timeline; bursts beyond are in the JSONL report.
const ROWS_MAX: usize = 120;

/// One thing that happened to a bucket.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Moment<'a> {
    at: &'a str,
    bucket: &'a str,
    kind: Kind,
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Kind {
    Written,
    Open,
    FoundOpen,
    Found,
    Resolved,
}

pub(super) fn write(page: &mut Page, findings: &[Finding], bytes_max: usize) {
    let moments = moments(findings);
    if moments.is_empty() {
        return;
    }
    page.raw(
        "<section id=\"timeline\" aria-labelledby=\"timeline-h\">\n<h2 id=\"timeline-h\">Timeline</h2>\n\
         <p class=\"note\">Objects count in the hour in which they were last written: a copying automation is a burst. \
         “Open” is when a run first saw it open; it may have been so before.</p>\n\
         <table>\n<caption>What happened when</caption>\n<thead><tr><th scope=\"col\">Time</th>\
         <th scope=\"col\">Bucket</th><th scope=\"col\">What</th></tr></thead>\n<tbody>\n",
    );
    let most = moments.iter().filter(|(moment, _)| moment.kind == Kind::Written);
    let most = most.map(|(_, what)| what.values().sum::<u64>()).max().unwrap_or(1);
    let mut shown = 0;
    for (moment, what) in moments.iter().take(ROWS_MAX) {
        shown += usize::from(page.within(bytes_max, |page| row(page, moment, what, most)));
    }
    page.raw("</tbody></table>\n");
    if shown < moments.len() {
        page.raw("<p class=\"note\">").counted((moments.len() - shown) as u64, "later moment");
        page.raw(" not shown; the JSONL report has all.</p>\n");
    }
    page.raw("</section>\n");
}

/// Every moment with the classes it is about, each with its number of objects.
fn moments(findings: &[Finding]) -> BTreeMap<Moment<'_>, BTreeMap<&str, u64>> {
    let mut moments: BTreeMap<Moment<'_>, BTreeMap<&str, u64>> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| is_leak(finding)) {
        let (bucket, class, objects) = (&finding.bucket, &finding.class, finding.objects.count);
        let mut add = |at, kind, objects| {
            moments.entry(Moment { at, bucket, kind }).or_default().insert(class, objects);
        };
        for (hour, count) in &finding.objects.written_by_hour {
            add(hour, Kind::Written, *count);
        }
        match &finding.exposed_since {
            Some(since) if *since == finding.first_seen => add(since, Kind::FoundOpen, objects),
            Some(since) => {
                add(since, Kind::Open, objects);
                add(&finding.first_seen, Kind::Found, objects);
            }
            None => add(&finding.first_seen, Kind::Found, objects),
        }
        if let (Some(at), Transition::Resolved) = (&finding.resolved_at, finding.status) {
            add(at, Kind::Resolved, objects);
        }
    }
    moments
}

fn row(page: &mut Page, moment: &Moment<'_>, what: &BTreeMap<&str, u64>, most: u64) {
    page.raw(if moment.kind.is_bad() { "<tr class=\"bad\"><td>" } else { "<tr><td>" }).time(moment.at);
    page.raw("</td><td>")
        .code(moment.bucket)
        .raw("</td><td><strong>")
        .raw(moment.kind.word())
        .raw("</strong> ");
    if moment.kind == Kind::Written {
        let count: u64 = what.values().sum();
        page.raw("<svg width=\"100\" height=\"9\" aria-hidden=\"true\"><rect height=\"9\" width=\"");
        page.text(&(count * 100 / most.max(1)).max(2).to_string()).raw("\"/></svg> ");
        page.counted(count, "object").raw(": ");
    }
    for (place, (class, objects)) in what.iter().enumerate() {
        page.raw(if place == 0 { "" } else { ", " });
        page.text(&telling::content(class)).raw(" (").number(*objects).raw(")");
    }
    page.raw("</td></tr>\n");
}

impl Kind {
    fn is_bad(self) -> bool {
        matches!(self, Self::Open | Self::FoundOpen | Self::Found)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Written => "written",
            Self::Open => "open",
            Self::FoundOpen => "found open",
            Self::Found => "found",
            Self::Resolved => "resolved",
        }
    }
}
