//! What was not seen, and which permission would show it?

use super::markup::Page;
use crate::scan::Coverage;

pub(super) fn write(page: &mut Page, coverage: &Coverage, bytes_max: usize) {
    page.raw(
        "<section id=\"unseen\" aria-labelledby=\"unseen-h\">\n<h2 id=\"unseen-h\">What was not seen</h2>\n",
    );
    if coverage.gaps_by_reason.is_empty() {
        page.raw("<p>No gaps.</p>\n</section>\n");
        return;
    }
    page.raw("<p>");
    for (place, (reason, count)) in coverage.gaps_by_reason.iter().enumerate() {
        page.raw(if place == 0 { "" } else { ", " }).number(*count).raw(" ").text(&reason.replace('_', " "));
    }
    page.raw(
        ". A gap never closes a finding: what lies behind it is unknown, not clean.</p>\n<table>\n\
         <caption>Gaps</caption>\n<thead><tr><th scope=\"col\">Reason</th><th scope=\"col\">Where</th>\
         <th scope=\"col\">Operation</th><th scope=\"col\" class=\"n\">Times</th>\
         <th scope=\"col\">What happened, and the next step</th></tr></thead>\n<tbody>\n",
    );
    let mut shown = 0;
    for gap in &coverage.gaps {
        let (known, count) = (gap.gap(), gap.count());
        let stands = page.within(bytes_max, |page| {
            page.raw("<tr><td>")
                .text(&known.reason.as_str().replace('_', " "))
                .raw("</td><th scope=\"row\">");
            page.code(&known.resource).raw("</th><td>").code(&known.operation).raw("</td><td class=\"n\">");
            page.number(count).raw("</td><td>").prose(&known.detail).raw("</td></tr>\n");
        });
        shown += usize::from(stands);
    }
    page.raw("</tbody></table>\n");
    if shown < coverage.gaps.len() {
        page.raw("<p class=\"note\">").counted((coverage.gaps.len() - shown) as u64, "more kind");
        page.raw(" of gap left out; the JSONL report has more.</p>\n");
    }
    page.raw("</section>\n");
}
