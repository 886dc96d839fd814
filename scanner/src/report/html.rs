//! One page for the incident room: a single file below 2 MB, whatever the scan's size, that asks for nothing from outside.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::Form;
use super::telling;
use crate::estate::Provider;
use crate::findings::Finding;
use crate::scan::Coverage;

mod buckets;
mod changes;
mod kept;
mod markup;
mod rows;
mod timeline;
mod unseen;
mod verdict;

use kept::{Kept, Totals};
use markup::Page;

const STYLE: &str = include_str!("html/style.css");
const SCRIPT: &str = include_str!("html/script.js");

/// Where each part must have ended, in bytes from the start of the page; the last leaves room for what closes it.
mod ends {
    pub(super) const BUCKETS: usize = 500_000;
    pub(super) const TIMELINE: usize = 600_000;
    pub(super) const CHANGES: usize = 700_000;
    pub(super) const ROWS: usize = 1_600_000;
    pub(super) const UNSEEN: usize = 1_950_000;
}

/// Keeps the most severe findings until the end, in bounded memory.
pub(super) struct Html<W: Write> {
    out: W,
    kept: Kept,
    totals: Totals,
}

impl<W: Write> Html<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, kept: Kept::default(), totals: Totals::default() }
    }
}

impl<W: Write> Form for Html<W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.totals.count(finding);
        self.kept.keep(finding);
        Ok(())
    }

    fn end(mut self: Box<Self>, coverage: &Coverage) -> io::Result<()> {
        let findings = self.kept.into_findings();
        self.out.write_all(&page(&findings, &self.totals, coverage))?;
        self.out.flush()
    }
}

fn page(findings: &[Finding], totals: &Totals, coverage: &Coverage) -> Vec<u8> {
    let mut page = Page::new();
    head(&mut page, totals, coverage);
    verdict::write(&mut page, findings, totals, coverage);
    page.raw(
        "<nav aria-label=\"Contents\"><a href=\"#exposed\">Exposed and sensitive</a> \
         <a href=\"#timeline\">Timeline</a> <a href=\"#next\">Next steps</a> <a href=\"#changes\">Since the last run</a> \
         <a href=\"#findings\">All findings</a> <a href=\"#unseen\">What was not seen</a></nav>\n<main>\n",
    );
    buckets::write(&mut page, findings, coverage, ends::BUCKETS);
    timeline::write(&mut page, findings, ends::TIMELINE);
    next_steps(&mut page, totals, coverage);
    changes::write(&mut page, findings, totals, coverage, ends::CHANGES);
    rows::write(&mut page, findings, totals.findings, ends::ROWS);
    unseen::write(&mut page, coverage, ends::UNSEEN);
    page.raw("</main>\n<footer><p>Written by spillwatch ").raw(env!("CARGO_PKG_VERSION")).raw(", run ");
    page.code(&coverage.run).raw(", ").text(telling::verdict(coverage));
    page.raw(". Names are screened and evidence is masked.</p></footer>\n<script>").raw(SCRIPT);
    page.raw("</script>\n</body>\n</html>\n");
    page.into_bytes()
}

/// The policy lets the one style and the one script of this page run, and nothing load, send or frame.
fn head(page: &mut Page, totals: &Totals, coverage: &Coverage) {
    page.raw("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.raw("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
    page.text(&hash(STYLE)).raw("; script-src ").text(&hash(SCRIPT));
    page.raw("; base-uri 'none'; form-action 'none'\">\n");
    page.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"referrer\" content=\"no-referrer\">\n");
    page.raw("<title>");
    verdict::title(page, totals, coverage);
    page.raw("</title>\n<style>").raw(STYLE).raw("</style>\n</head>\n<body>\n");
}

fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

/// What the people in the room do, in order. Closing each bucket stands beside it.
fn next_steps(page: &mut Page, totals: &Totals, coverage: &Coverage) {
    let target = buckets::target(coverage, Provider::Aws);
    page.raw("<section id=\"next\" aria-labelledby=\"next-h\">\n<h2 id=\"next-h\">Next steps</h2>\n<ol>\n");
    page.raw("<li>Close what is open. The plan changes nothing and says what it may break; evidence is kept first.");
    let plan = format!("spillwatch lock plan {target} --format json > plan.json");
    page.commands(&[&plan, "spillwatch lock apply plan.json --approver NAME"]);
    page.raw("</li>\n<li>If something breaks that must not: take it back. <code>apply</code> prints the journal's path.");
    page.commands(&["spillwatch lock undo JOURNAL"]);
    page.raw("</li>\n<li>Look whether it is closed, with the ledger that remembers this run.");
    page.commands(&[&format!("spillwatch scan {target} --state LEDGER --report html=report.html")]);
    page.raw("</li>\n");
    if totals.people_at_most > 0 {
        page.raw("<li>Write down who must be told; the list opens only with the recipient's key.");
        page.commands(&["spillwatch findings affected --all --recipient age1… --state LEDGER -o people.age"]);
        page.raw("</li>\n");
    }
    page.raw("<li>Find out who read it: storage access logs and data events of the time from “open” to “resolved”.</li>\n");
    page.raw("</ol>\n</section>\n");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The colours of one `:root` block of the style, by name.
    fn colours(block: &str) -> BTreeMap<&str, [f64; 3]> {
        let stated = block.split("--").skip(1).filter_map(|rest| rest.split_once(": #"));
        let channel =
            |hex: &str, at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        stated.map(|(name, hex)| (name, [0, 2, 4].map(|at| channel(hex, at)))).collect()
    }

    /// WCAG 2.2, "relative luminance" and "contrast ratio".
    fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
        let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        let light = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) + 0.05;
        light(a).max(light(b)) / light(a).min(light(b))
    }

    #[test]
    fn text_stands_out_from_its_ground_in_light_dark_and_on_paper() {
        let blocks: Vec<_> =
            STYLE.split(":root {").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        assert_eq!(blocks.len(), 3);
        for colours in blocks.into_iter().map(colours) {
            for ground in ["page", "panel", "partly", "whole"] {
                for text in ["ink", "soft", "link", "critical", "high", "medium", "low", "informational"] {
                    let contrast = contrast(colours[text], colours[ground]);
                    assert!(contrast >= 4.5, "{text} on {ground}: {contrast:.2}");
                }
            }
        }
    }
}
