//! What does a ticket say? A title, who reaches what, what is inside, why, what to do, until when, and whose it is.

use serde::Serialize;

use super::settings::{Ownership, Settings};
use crate::exposure::{Audience, Certainty, Exposure};
use crate::findings::{Finding, Found, Severity, Transition, sha256};

/// Lines of one section.
const LINES_MAX: usize = 20;
/// Characters of one line: a key may have a thousand.
const LINE_CHARS_MAX: usize = 400;
/// Every tracker takes a title of this length.
const TITLE_CHARS_MAX: usize = 150;

/// A finding as people are told of it.
#[derive(Debug, Clone)]
pub(crate) struct Ticket {
    pub(crate) uid: String,
    /// The label under which it is found again; no tracker allows more than fifty characters.
    pub(crate) label: String,
    /// Names this transition of this finding: what was said once is not said again.
    pub(crate) marker: String,
    pub(crate) status: Transition,
    pub(crate) severity: Severity,
    pub(crate) title: String,
    pub(crate) sections: Vec<Section>,
    /// What is said when it changes.
    pub(crate) news: Vec<Section>,
    pub(crate) whose: Whose,
    /// What it was made of; samples only where the sink may tell them.
    pub(crate) finding: Finding,
}

/// Whose it is, until when, and where to read on.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Whose {
    pub(crate) owner: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) contact: Option<String>,
    /// A day, such as `2026-11-30`.
    pub(crate) due: Option<String>,
    pub(crate) link: Option<String>,
}

/// A heading, perhaps, and lines below it; the lines may hold what an attacker wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) heading: &'static str,
    pub(crate) lines: Vec<String>,
}

/// How a tracker writes headings and text that is to be left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Markup {
    Markdown,
    Jira,
    Plain,
}

impl Ticket {
    /// Tells a finding; with its masked samples where `evidence` is set.
    pub(crate) fn of(finding: &Finding, settings: &Settings, evidence: bool) -> Self {
        let mut finding = finding.clone();
        if !evidence {
            finding.detections.iter_mut().for_each(|found| found.evidence.clear());
        }
        let whose = whose(&finding, settings);
        let marker = marker(&finding);
        Self {
            label: format!("spillwatch-{}", finding.uid.get(..32).unwrap_or_default()),
            title: line(&title(&finding), TITLE_CHARS_MAX),
            sections: sections(&finding, &whose, &marker),
            news: news(&finding, &marker),
            uid: finding.uid.clone(),
            status: finding.status,
            severity: finding.severity,
            marker,
            whose,
            finding,
        }
    }
}

/// The same for every telling of the same transition.
fn marker(finding: &Finding) -> String {
    let since = match (finding.status, &finding.suppression) {
        (Transition::Suppressed, Some(suppression)) => &suppression.created,
        (Transition::Resolved, _) => finding.resolved_at.as_ref().unwrap_or(&finding.last_seen),
        _ => &finding.last_seen,
    };
    let status = finding.status.as_str();
    let digest = sha256(format!("v1|{}|{status}|{since}", finding.uid).as_bytes());
    format!("{status}-{}", digest.get(..16).unwrap_or_default())
}

fn title(finding: &Finding) -> String {
    let what = match finding.rule.as_str() {
        "exposed_bucket" => format!("{} access", finding.class),
        _ => finding.class.clone(),
    };
    let place = format!("{} ({} {})", finding.bucket, finding.provider, finding.account);
    let rule = finding.rule.replace('_', " ");
    format!("[{}] {rule}: {what} in {place}", finding.severity.as_str())
}

fn whose(finding: &Finding, settings: &Settings) -> Whose {
    let of = &settings.ownership;
    let tagged =
        |names: &[String]| Ownership::tagged(&finding.tags, names).map(|value| line(value, LINE_CHARS_MAX));
    Whose {
        owner: tagged(&of.owner_tags).or_else(|| of.default_owner.clone()),
        team: tagged(&of.team_tags),
        contact: tagged(&of.contact_tags),
        due: settings.due.date(finding).map(|date| date.to_string()),
        link: settings.link.clone(),
    }
}

fn sections(finding: &Finding, whose: &Whose, marker: &str) -> Vec<Section> {
    let reach = finding.exposures.iter().flat_map(way).collect();
    let evidence = finding.detections.iter().flat_map(|found| {
        found.evidence.iter().map(|sample| format!("{}: {} at {}", sample.kind, sample.sample, sample.at))
    });
    let named = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name}: {value}"));
    let when = [
        Some(format!("first seen: {}", finding.first_seen)),
        named("exposed since", &finding.exposed_since),
        named("oldest object written", &finding.objects.written_first),
        named("newest object written", &finding.objects.written_last),
        named("due", &whose.due),
    ];
    let owner = [named("owner", &whose.owner), named("team", &whose.team), named("contact", &whose.contact)];
    let reference = [
        Some(format!("uid: {}", finding.uid)),
        named("report", &whose.link),
        Some(format!("spillwatch-transition: {marker}")),
    ];
    let sections = [
        section("Who can reach it", reach),
        section("What is inside", inside(finding)),
        section("Masked samples", evidence.collect()),
        section("Why it is so severe", finding.because.clone()),
        section("What to do", vec![finding.remediation.clone()]),
        section("Since when, and until when", when.into_iter().flatten().collect()),
        section("Whose it is", owner.into_iter().flatten().collect()),
        section("Reference", reference.into_iter().flatten().collect()),
    ];
    sections.into_iter().filter(|section| !section.lines.is_empty()).collect()
}

fn news(finding: &Finding, marker: &str) -> Vec<Section> {
    let mut lines = match (finding.status, &finding.suppression) {
        (Transition::Suppressed, Some(by)) => {
            vec![format!("put aside until {} by {}: {}", by.until, by.author, by.reason)]
        }
        (Transition::Resolved, _) => {
            let at = finding.resolved_at.as_deref().unwrap_or(&finding.last_seen);
            vec![format!("a run looked at {at}, with enough coverage, and it is gone")]
        }
        (Transition::Reopened, _) => vec![format!("it is there again, seen at {}", finding.last_seen)],
        _ => vec![format!("seen at {}", finding.last_seen)],
    };
    lines.extend(finding.changes.iter().cloned());
    if finding.status == Transition::Reopened {
        lines.extend(finding.exposures.iter().flat_map(way));
    }
    let heading = match finding.status {
        Transition::Resolved => "Resolved",
        Transition::Suppressed => "Suppressed",
        Transition::Reopened => "Reopened",
        _ => "Updated",
    };
    vec![section(heading, lines), section("Reference", vec![format!("spillwatch-transition: {marker}")])]
}

fn section(heading: &'static str, mut lines: Vec<String>) -> Section {
    let more = lines.len().saturating_sub(LINES_MAX);
    lines.truncate(LINES_MAX);
    let mut lines: Vec<String> = lines.iter().map(|text| line(text, LINE_CHARS_MAX)).collect();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Section { heading, lines }
}

fn way(way: &Exposure<String>) -> Vec<String> {
    let may: Vec<&str> = way.access.iter().map(|access| access.verb()).collect();
    let sure = match way.certainty {
        Certainty::Proven => "can",
        Certainty::Possible => "can perhaps",
    };
    let who = format!("{} {sure} {}: keys {}", audience_words(way.audience), may.join(", "), way.keys);
    let witness = way.witness.as_ref().map(|witness| format!("  proof: {}", witness.command));
    std::iter::once(who).chain(witness).collect()
}

fn audience_words(audience: Audience) -> &'static str {
    match audience {
        Audience::Anyone => "anyone",
        Audience::AnyAuthenticated => "anyone with an account of the provider",
        Audience::External => "named outsiders",
        Audience::Cdn => "anyone through a content delivery network",
        Audience::Organization => "others of the organization",
    }
}

fn inside(finding: &Finding) -> Vec<String> {
    let objects = &finding.objects;
    let mut lines: Vec<String> = finding.detections.iter().map(counts).collect();
    if objects.count > 0 {
        lines.push(format!("{} objects, {} bytes; among them", objects.count, objects.bytes));
    }
    lines.extend(objects.top_keys.iter().map(|key| format!("  {key}")));
    if objects.versions > 0 {
        lines.push(format!("{} of them are older versions; among them", objects.versions));
    }
    lines.extend(objects.top_versions.iter().map(|version| format!("  {version}")));
    lines
}

/// What one category came to, in numbers.
pub(super) fn counts(found: &Found) -> String {
    let kinds: Vec<String> = found.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    format!("{}: {} occurrences, about {} distinct{kinds}", found.category, found.occurrences, found.distinct)
}

/// One line of it: nothing that moves the cursor or turns the direction of writing.
pub(super) fn line(text: &str, chars_max: usize) -> String {
    let tame = |char: char| match char {
        char if char.is_control() => '\u{fffd}',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        char => char,
    };
    let mut line: String = text.chars().take(chars_max).map(tame).collect();
    if text.chars().nth(chars_max).is_some() {
        line.push('…');
    }
    line
}

impl Markup {
    /// Sections as text. Lines stand where the tracker reads no markup: no mention, no image, no link comes of a key.
    pub(crate) fn render(self, sections: &[Section]) -> String {
        let one = |section: &Section| {
            let (heading, text) = (section.heading, section.lines.join("\n"));
            match self {
                Self::Markdown => {
                    let fence = fence(&text);
                    format!("### {heading}\n\n{fence}text\n{text}\n{fence}\n")
                }
                // The only word that ends such a block.
                Self::Jira => {
                    let text = text.replace("{noformat", "(noformat");
                    format!("h3. {heading}\n{{noformat}}\n{text}\n{{noformat}}\n")
                }
                Self::Plain => format!("{}\n{text}\n", heading.to_uppercase()),
            }
        };
        sections.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}

/// A fence that no line of the text can close: longer than any run of its character.
fn fence(text: &str) -> String {
    let (mut longest, mut run) = (0, 0);
    for char in text.chars() {
        run = if char == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    "`".repeat(longest.max(2) + 1)
}
#[cfg(test)]
pub(super) mod tests;
