//! How bad is it, and was everything seen? The top of the page.

use super::buckets;
use super::kept::Totals;
use super::markup::Page;
use crate::findings::{Finding, Severity};
use crate::report::telling;
use crate::scan::Coverage;

/// From the worst down.
pub(super) const SEVERITIES: [Severity; 5] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Informational];

pub(super) fn write(page: &mut Page, findings: &[Finding], totals: &Totals, coverage: &Coverage) {
    page.raw("<header>\n<h1>");
    headline(page, totals);
    page.raw("</h1>\n");
    buckets::lead(page, findings);
    page.raw("<p class=\"run\">spillwatch looked at ");
    for (place, target) in coverage.targets.iter().take(5).enumerate() {
        page.raw(if place == 0 { "" } else { ", " }).code(target);
    }
    if coverage.targets.len() > 5 {
        page.raw(" and ").counted((coverage.targets.len() - 5) as u64, "more target");
    }
    page.raw(" from ").time(&coverage.started).raw(" to ").time(&coverage.ended);
    page.raw(". All times are UTC.</p>\n");
    seen(page, coverage);
    figures(page, totals, coverage);
    page.raw("</header>\n");
}

/// The one sentence that is read aloud.
fn headline(page: &mut Page, totals: &Totals) {
    let open = |severity| totals.open_by_severity.get(&severity).copied().unwrap_or(0);
    let (critical, high) = (open(Severity::Critical), open(Severity::High));
    let urgent = critical + high;
    match (critical, high) {
        (0, 0) if totals.open_by_severity.is_empty() => page.raw("Nothing is open"),
        (0, 0) => page.raw("Nothing critical or high is open"),
        (0, _) => page.number(high).raw(" high"),
        (_, 0) => page.number(critical).raw(" critical"),
        _ => page.number(critical).raw(" critical and ").number(high).raw(" high"),
    };
    if urgent > 0 {
        page.raw(if urgent == 1 { " finding is open" } else { " findings are open" });
    }
}

fn seen(page: &mut Page, coverage: &Coverage) {
    let gaps: u64 = coverage.gaps_by_reason.values().sum();
    if coverage.complete {
        page.raw("<p class=\"whole\"><strong>Everything that was asked for was seen.</strong> ");
    } else if coverage.interrupted {
        page.raw("<p class=\"partly\"><strong>The run was ended before its time:</strong> what it did not reach is unknown. ");
    } else {
        page.raw(
            "<p class=\"partly\"><strong>Not everything could be seen:</strong> what is missing below may be there. ",
        );
    }
    page.number(coverage.objects.read).raw(" of ").counted(coverage.objects.listed, "object");
    if coverage.versions.listed > 0 {
        page.raw(" and ").number(coverage.versions.read).raw(" of ");
        page.counted(coverage.versions.listed, "older version");
    }
    page.raw(" read (").size(coverage.bytes.read).raw("), ");
    page.number(coverage.buckets_seen_whole).raw(" of ").counted(coverage.buckets, "bucket");
    page.raw(" seen whole");
    if gaps > 0 {
        page.raw(", <a href=\"#unseen\">").counted(gaps, "gap").raw("</a>");
    }
    page.raw(".</p>\n");
}

fn figures(page: &mut Page, totals: &Totals, coverage: &Coverage) {
    page.raw("<dl class=\"figures\">\n");
    for severity in SEVERITIES {
        let count = totals.open_by_severity.get(&severity).copied().unwrap_or(0);
        page.raw("<div class=\"").text(severity.as_str()).raw("\"><dt>").text(severity.as_str());
        page.raw("</dt><dd>").number(count).raw("</dd></div>\n");
    }
    page.raw("<div><dt>buckets exposed</dt><dd>").number(coverage.buckets_exposed);
    page.raw(" <small>of ").number(coverage.buckets).raw("</small></dd></div>\n");
    page.raw("<div><dt>people exposed</dt><dd>");
    match (totals.people_at_least, totals.people_at_most) {
        (0, _) => page.raw("none <small>found</small>"),
        (least, most) if least == most => page.raw("<small>about</small> ").number(least),
        (least, most) => page.number(least).raw(" <small>to</small> ").number(most),
    };
    page.raw("</dd></div>\n</dl>\n");
    if totals.people_at_least < totals.people_at_most {
        page.raw(
            "<p class=\"note\">People: at least those of the largest finding; at most the sum over all findings, \
             in which one person may stand several times. Estimates.</p>\n",
        );
    }
    if !coverage.targets.is_empty() && totals.findings == 0 {
        page.raw("<p class=\"note\">The run reported no findings.</p>\n");
    }
}

/// The title of the page.
pub(super) fn title(page: &mut Page, totals: &Totals, coverage: &Coverage) {
    headline(page, totals);
    page.raw(" – spillwatch, ").text(coverage.ended.get(..10).unwrap_or_default());
    page.raw(", ").text(telling::verdict(coverage));
}
