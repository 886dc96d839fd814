//! What is exposed and sensitive, who can reach it, and how is it closed? One block a bucket.

use std::collections::BTreeMap;

use super::kept::{is_leak, people};
use super::markup::Page;
use crate::estate::Provider;
use crate::exposure::{Certainty, Exposure, quoted};
use crate::findings::Finding;
use crate::report::telling;
use crate::scan::Coverage;

/// Findings of one bucket, the most severe first.
struct Block<'a> {
    findings: Vec<&'a Finding>,
}

/// Writes the blocks, the most severe first, while the page is shorter than `bytes_max`.
pub(super) fn write(page: &mut Page, findings: &[Finding], coverage: &Coverage, bytes_max: usize) {
    page.raw("<section id=\"exposed\" aria-labelledby=\"exposed-h\">\n<h2 id=\"exposed-h\">Exposed and sensitive</h2>\n");
    let blocks = blocks(findings);
    if blocks.is_empty() {
        page.raw("<p>No sensitive content was found where somebody outside can reach it.</p>\n");
    }
    let shown = blocks.iter().take_while(|block| page.within(bytes_max, |page| block.write(page, coverage)));
    let left_out = blocks.len() - shown.count();
    if left_out > 0 {
        page.raw("<p class=\"note\">").counted(left_out as u64, "more bucket");
        page.raw(": see the findings below.</p>\n");
    }
    page.raw("</section>\n");
}

/// One sentence each for the most severe buckets: who can reach what where.
pub(super) fn lead(page: &mut Page, findings: &[Finding]) {
    for block in blocks(findings).iter().take(3) {
        let Some(first) = block.findings.first() else { continue };
        page.raw("<p class=\"lead\">");
        match telling::widest(first) {
            Some((who, Certainty::Proven)) => page.text(telling::audience(who)).raw(" can reach "),
            Some((who, Certainty::Possible)) => {
                page.raw("perhaps ").text(telling::audience(who)).raw(" can reach ")
            }
            None => page.raw("somebody outside can reach "),
        };
        for (place, finding) in block.findings.iter().take(6).enumerate() {
            page.raw(if place == 0 { "" } else { ", " }).text(&telling::content(&finding.class));
        }
        page.raw(" in ").code(&first.bucket).raw(".</p>\n");
    }
}

fn blocks(findings: &[Finding]) -> Vec<Block<'_>> {
    let mut places = BTreeMap::new();
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for finding in findings.iter().filter(|finding| is_leak(finding) && finding.status.is_open()) {
        let name = (finding.provider, &finding.account, &finding.bucket);
        let place = *places.entry(name).or_insert(blocks.len());
        match blocks.get_mut(place) {
            Some(block) => block.findings.push(finding),
            None => blocks.push(Block { findings: vec![finding] }),
        }
    }
    blocks
}

impl Block<'_> {
    fn write(&self, page: &mut Page, coverage: &Coverage) {
        let Some(first) = self.findings.first() else { return };
        page.raw("<article>\n<h3>").code(&first.bucket).raw("</h3>\n<p class=\"where\">");
        page.text(provider(first.provider)).raw(" ").text(&first.account);
        if let Some(region) = &first.region {
            page.raw(" · ").text(region);
        }
        for (name, value) in &first.tags {
            page.raw(" · ").text(name).raw("=").text(value);
        }
        if let Some(since) = self.findings.iter().filter_map(|f| f.exposed_since.as_deref()).min() {
            page.raw(" · seen open since ").time(since);
        }
        page.raw("</p>\n");
        self.inside(page);
        self.reached(page);
        self.commands(page, coverage);
        page.raw("</article>\n");
    }

    fn inside(&self, page: &mut Page) {
        page.raw(
            "<table>\n<caption>What is inside</caption>\n<thead><tr><th scope=\"col\">Severity</th>\
             <th scope=\"col\">Content</th><th scope=\"col\" class=\"n\">Objects</th>\
             <th scope=\"col\" class=\"n\">Size</th><th scope=\"col\" class=\"n\">People</th>\
             <th scope=\"col\">Written</th></tr></thead>\n<tbody>\n",
        );
        for finding in &self.findings {
            let word = finding.severity.as_str();
            page.raw("<tr><td class=\"")
                .text(word)
                .raw("\">")
                .text(word)
                .raw("</td><th scope=\"row\"><a href=\"#f-");
            page.text(&finding.uid).raw("\">").text(&telling::content(&finding.class)).raw("</a></th>");
            page.raw("<td class=\"n\">").number(finding.objects.count);
            page.raw("</td><td class=\"n\">").size(finding.objects.bytes).raw("</td><td class=\"n\">");
            page.some(people(finding));
            page.raw("</td><td>");
            let (first, last) = (&finding.objects.written_first, &finding.objects.written_last);
            if let Some(written) = first {
                page.time(written);
            }
            if let Some(written) = last.as_ref().filter(|last| Some(*last) != first.as_ref()) {
                page.raw(" to ").time(written);
            }
            page.raw("</td></tr>\n");
        }
        page.raw("</tbody></table>\n");
    }

    fn reached(&self, page: &mut Page) {
        page.raw("<h4>Who can reach it</h4>\n");
        let mut told: Vec<&Exposure<String>> = Vec::new();
        for way in self.findings.iter().flat_map(|finding| &finding.exposures) {
            if !told.contains(&way) {
                told.push(way);
            }
        }
        ways(page, told.into_iter().take(6));
    }

    /// Plan, apply and undo, for this bucket only.
    fn commands(&self, page: &mut Page, coverage: &Coverage) {
        // A report that is read back may be anybody's: what is no uid does not get into a command.
        let is_uid = |uid: &&str| uid.bytes().all(|byte| byte.is_ascii_hexdigit());
        let uids = self.findings.iter().filter_map(|finding| finding.uid.get(..12)).filter(is_uid);
        let uids: Vec<&str> = uids.take(12).collect();
        if uids.is_empty() {
            return;
        }
        let provider = self.findings.first().map_or(Provider::Local, |finding| finding.provider);
        let target = target(coverage, provider);
        page.raw("<h4>Close it, reversibly</h4>\n");
        let plan = format!(
            "spillwatch lock plan --findings report.jsonl --in {target} --format json {} > plan.json",
            uids.join(" ")
        );
        let apply = "spillwatch lock apply plan.json --approver NAME   # prints the path of its JOURNAL";
        page.commands(&[&plan, apply, "spillwatch lock undo JOURNAL"]);
    }
}

/// Each way in: who, what, how surely, why, the proof, and what closes it.
pub(super) fn ways<'a>(page: &mut Page, ways: impl Iterator<Item = &'a Exposure<String>>) {
    page.raw("<ul class=\"ways\">\n");
    for way in ways {
        page.raw("<li><strong>").text(telling::audience(way.audience)).raw("</strong> ");
        page.raw(match way.certainty {
            Certainty::Proven => "can ",
            Certainty::Possible => "perhaps can ",
        });
        for (place, access) in way.access.iter().enumerate() {
            page.raw(if place == 0 { "" } else { ", " }).raw(access.verb());
        }
        if way.keys == "*" {
            page.raw(" every object");
        } else {
            page.raw(" ").code(&way.keys);
        }
        for reason in &way.because {
            page.raw("<br><span class=\"because\">").prose(reason).raw("</span>");
        }
        if let Some(witness) = &way.witness {
            page.raw("\n<p class=\"label\">Proof, to send from outside as ").text(&witness.principal);
            page.raw(":</p>").commands(&[&witness.command]);
        }
        if !way.closing.is_empty() {
            page.raw("<p class=\"label\">To close: ").prose(&way.closing.join("; ")).raw("</p>");
        }
        page.raw("</li>\n");
    }
    page.raw("</ul>\n");
}

fn provider(provider: Provider) -> &'static str {
    match provider {
        Provider::Aws => "AWS",
        Provider::Gcp => "Google Cloud",
        Provider::Local => "folder",
    }
}

/// The target that holds buckets of a provider, as a word for a shell: the run's, where it had only one.
pub(super) fn target(coverage: &Coverage, provider: Provider) -> String {
    match (coverage.targets.as_slice(), provider) {
        ([one], _) if is_plain(one) => one.clone(),
        ([one], _) => quoted(one),
        (_, Provider::Gcp) => "gcp".to_owned(),
        _ => "aws".to_owned(),
    }
}

fn is_plain(word: &str) -> bool {
    !word.is_empty()
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_' | b'.' | b':'))
}
