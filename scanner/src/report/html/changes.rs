//! What is different from the last run?

use super::kept::Totals;
use super::markup::Page;
use crate::findings::{Finding, Transition};
use crate::report::telling;
use crate::scan::Coverage;

/// Rows of what changed; the findings below have all that are shown.
const ROWS_MAX: usize = 60;

pub(super) fn write(
    page: &mut Page,
    findings: &[Finding],
    totals: &Totals,
    coverage: &Coverage,
    bytes_max: usize,
) {
    page.raw("<section id=\"changes\" aria-labelledby=\"changes-h\">\n<h2 id=\"changes-h\">Since the last run</h2>\n");
    let Some(ledger) = &coverage.ledger else {
        page.raw("<p>No ledger was kept (<code>--state FILE</code>), so every finding counts as new.</p>\n</section>\n");
        return;
    };
    page.raw("<p>");
    for (place, (status, count)) in totals.by_status.iter().enumerate() {
        page.raw(if place == 0 { "" } else { ", " }).number(*count).raw(" ").raw(status.as_str());
    }
    page.raw(".");
    if ledger.unexamined > 0 {
        page.raw(" ").counted(ledger.unexamined, "open finding");
        page.raw(
            " of earlier runs could not be looked at well enough: they stay open and do not stand here.",
        );
    }
    if ledger.failed {
        page.raw(" <strong>The ledger failed during the run:</strong> what is called new may be known.");
    }
    page.raw("</p>\n");
    suppressions(page, ledger);
    let changed = |finding: &&Finding| !matches!(finding.status, Transition::Unchanged | Transition::New);
    let mut rows = findings.iter().filter(changed).take(ROWS_MAX).peekable();
    if rows.peek().is_some() {
        page.raw(
            "<table>\n<caption>What changed</caption>\n<thead><tr><th scope=\"col\">Status</th>\
             <th scope=\"col\">Finding</th><th scope=\"col\">How</th></tr></thead>\n<tbody>\n",
        );
        for finding in rows {
            page.within(bytes_max, |page| row(page, finding));
        }
        page.raw("</tbody></table>\n");
    }
    page.raw("</section>\n");
}

fn row(page: &mut Page, finding: &Finding) {
    page.raw("<tr><td>")
        .raw(finding.status.as_str())
        .raw("</td><th scope=\"row\"><a href=\"#f-")
        .text(&finding.uid);
    page.raw("\">").text(&telling::title(finding)).raw("</a></th><td>").text(&finding.changes.join("; "));
    if let Some(at) = &finding.resolved_at {
        page.raw(" gone at ").time(at);
    }
    if let Some(said) = &finding.suppression {
        page.raw(" until ").time(&said.until).raw(" by ").text(&said.author).raw(": ").text(&said.reason);
    }
    page.raw("</td></tr>\n");
}

fn suppressions(page: &mut Page, ledger: &crate::scan::LedgerCoverage) {
    let (unmatched, expired) = (ledger.suppressions_unmatched.len(), ledger.suppressions_expired.len());
    if unmatched > 0 {
        page.raw("<p>")
            .counted(unmatched as u64, "suppression")
            .raw(" match nothing any more: remove them.</p>\n");
    }
    if expired > 0 {
        page.raw("<p>").counted(expired as u64, "suppression");
        page.raw(" ended while their finding is still there.</p>\n");
    }
}
