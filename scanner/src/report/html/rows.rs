//! All findings, with why, proof and masked evidence: the table that is filtered and sorted.

use super::buckets::ways;
use super::kept::people;
use super::markup::Page;
use super::verdict::SEVERITIES;
use crate::exposure::Certainty;
use crate::findings::{Finding, Found};
use crate::report::telling;

const HEAD: &str = "<table id=\"findings-table\">\n<caption>Findings, the most severe first</caption>\n<thead><tr>\
    <th scope=\"col\" data-by=\"severity\">Severity</th><th scope=\"col\" data-by=\"what\">What</th>\
    <th scope=\"col\" data-by=\"bucket\">Bucket</th><th scope=\"col\" data-by=\"who\">Who</th>\
    <th scope=\"col\" data-by=\"objects\" class=\"n\">Objects</th><th scope=\"col\" data-by=\"people\" class=\"n\">People</th>\
    <th scope=\"col\" data-by=\"seen\">First seen</th><th scope=\"col\" data-by=\"status\">Status</th></tr></thead>\n";

/// The controls work by script, and are shown by it.
const CONTROLS: &str = "<form id=\"controls\" hidden>\n<label>Find <input type=\"search\" id=\"q\" autocomplete=\"off\"></label>\n\
    <label>Severity <select id=\"severity\"><option value=\"\">all</option>";

/// Writes the rows while the page is shorter than `bytes_max`, and how many of `all` are left out.
pub(super) fn write(page: &mut Page, findings: &[Finding], all: u64, bytes_max: usize) {
    page.raw(
        "<section id=\"findings\" aria-labelledby=\"findings-h\">\n<h2 id=\"findings-h\">All findings</h2>\n",
    );
    page.raw(CONTROLS);
    for severity in SEVERITIES {
        page.raw("<option>").raw(severity.as_str()).raw("</option>");
    }
    page.raw("</select></label>\n<label>Status <select id=\"status\"><option value=\"\">all</option>");
    for status in ["new", "updated", "unchanged", "reopened", "resolved", "suppressed"] {
        page.raw("<option>").raw(status).raw("</option>");
    }
    page.raw("</select></label>\n<button type=\"reset\">Reset</button> <output id=\"shown\" aria-live=\"polite\"></output>\n</form>\n");
    page.raw(HEAD);
    let mut shown = 0;
    for finding in findings {
        if !page.within(bytes_max, |page| row(page, finding)) {
            break;
        }
        shown += 1;
    }
    page.raw("</table>\n");
    if shown < all {
        page.raw("<p id=\"left-out\">Left out to keep this page small: <strong>")
            .counted(all - shown, "finding");
        page.raw("</strong> of less urgency. The JSONL report has all ").number(all).raw(".</p>\n");
    }
    page.raw("</section>\n");
}

/// A body of its own, so that the row and its details move together.
fn row(page: &mut Page, finding: &Finding) {
    let word = finding.severity.as_str();
    page.raw("<tbody id=\"f-").text(&finding.uid).raw("\">\n<tr><td class=\"").raw(word).raw("\" data-v=\"");
    page.text(&(finding.severity as u8).to_string()).raw("\">").raw(word).raw("</td><th scope=\"row\">");
    page.text(&what(finding)).raw("</th><td>").code(&finding.bucket).raw("</td><td>");
    match telling::widest(finding) {
        Some((who, Certainty::Proven)) => page.text(telling::audience(who)),
        Some((who, Certainty::Possible)) => page.raw("perhaps ").text(telling::audience(who)),
        None if matches!(finding.rule.as_str(), "sensitive_content" | "known_copy") => {
            page.raw("nobody outside")
        }
        None => page.raw("not known"),
    };
    page.raw("</td>");
    for count in [finding.objects.count, people(finding)] {
        page.raw("<td class=\"n\" data-v=\"").text(&count.to_string()).raw("\">").some(count).raw("</td>");
    }
    page.raw("<td>").time(&finding.first_seen).raw("</td><td>").raw(finding.status.as_str());
    page.raw(
        "</td></tr>\n<tr class=\"more\"><td colspan=\"8\"><details><summary>Why, proof, evidence</summary>\n",
    );
    details(page, finding);
    page.raw("</details></td></tr>\n</tbody>\n");
}

fn what(finding: &Finding) -> String {
    let class = telling::content(&finding.class);
    match finding.rule.as_str() {
        "exposed_content" | "exposed_copy" => class,
        "sensitive_content" | "known_copy" => format!("{class}, not exposed"),
        "exposed_bucket" => format!("{class} access"),
        "unread_bucket" => "access could not be read".to_owned(),
        rule => format!("{rule}: {class}"),
    }
}

fn details(page: &mut Page, finding: &Finding) {
    page.raw("<p class=\"where\">").text(finding.provider.as_str()).raw(" ").text(&finding.account);
    if let Some(region) = &finding.region {
        page.raw(" · ").text(region);
    }
    page.raw(" · uid ").code(&finding.uid).raw("</p>\n<ul>\n");
    for reason in finding.because.iter().chain(&finding.changes) {
        page.raw("<li>").prose(reason).raw("</li>\n");
    }
    page.raw("</ul>\n<p><strong>Next:</strong> ").prose(&finding.remediation).raw("</p>\n");
    if !finding.exposures.is_empty() {
        page.raw("<h3>Who can reach it</h3>\n");
        ways(page, finding.exposures.iter());
    }
    for found in &finding.detections {
        evidence(page, found);
    }
    if !finding.copies.is_empty() {
        page.raw("<h3>Known documents</h3>\n<ul class=\"keys\">\n");
        for copied in &finding.copies {
            page.raw("<li>").code(&copied.document).raw(" in ").code(&copied.key);
            if !copied.at.is_empty() {
                page.raw(" › ").text(&copied.at);
            }
            page.text(&format!(": {:.1} % by {}", copied.share * 100.0, copied.how)).raw("</li>\n");
        }
        page.raw("</ul>\n");
    }
    if !finding.objects.top_keys.is_empty() {
        page.raw("<h3>Objects</h3>\n<ul class=\"keys\">\n");
        for key in &finding.objects.top_keys {
            page.raw("<li>").code(key).raw("</li>\n");
        }
        let more = finding.objects.count.saturating_sub(finding.objects.top_keys.len() as u64);
        if more > 0 {
            page.raw("<li>and ").number(more).raw(" more</li>\n");
        }
        page.raw("</ul>\n");
    }
    if !finding.objects.top_versions.is_empty() {
        page.raw("<h3>Older versions among them</h3>\n<ul class=\"keys\">\n");
        for version in &finding.objects.top_versions {
            page.raw("<li>").code(&version.key).raw(" version ").code(&version.version_id).raw("</li>\n");
        }
        page.raw("</ul>\n");
    }
}

fn evidence(page: &mut Page, found: &Found) {
    page.raw("<h3>Evidence, masked</h3>\n<p>").number(found.occurrences).raw(" occurrences, ");
    page.number(found.distinct).raw(" distinct, confidence ").text(&format!("{:.2}", found.confidence));
    for (place, (kind, count)) in found.kinds.iter().enumerate() {
        page.raw(if place == 0 { ": " } else { ", " }).text(&kind.replace('_', " ")).raw(" ").number(*count);
    }
    page.raw("</p>\n<ul>\n");
    for reason in &found.because {
        page.raw("<li>").prose(reason).raw("</li>\n");
    }
    let mut last = None;
    for sample in &found.evidence {
        if last.replace(sample) == Some(sample) {
            continue;
        }
        page.raw("<li>").text(&sample.kind.replace('_', " ")).raw(": ").code(&sample.sample);
        if !sample.at.is_empty() {
            page.raw(" at ").text(&sample.at);
        }
        page.raw("</li>\n");
    }
    page.raw("</ul>\n");
}
