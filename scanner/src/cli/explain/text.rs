//! How does a verdict read to a person?

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::probe::Probed;
use crate::estate::{Bucket, Provider};
use crate::exposure::{Audience, BucketExposure, Certainty, Exposure, quoted};
use crate::lockdown::{Opened, Opener};

/// Writes the verdict, the widest audience first.
pub(super) fn write(
    out: &mut impl Write,
    bucket: &Bucket,
    verdict: &BucketExposure,
    probed: &[Probed],
) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "{bold}{}{bold:#}  ({} {})", verdict.bucket, bucket.account.provider, bucket.account.id)?;
    let public = match verdict.policy_status_public {
        Some(true) => "the provider counts its policy as public",
        Some(false) => "the provider does not count its policy as public",
        // Google Cloud has no such verdict.
        None if bucket.account.provider == Provider::Gcp => "",
        None => "whether the provider counts its policy as public is unknown",
    };
    let website = if verdict.website { "it is configured as a website" } else { "" };
    let said: Vec<&str> = [public, website].into_iter().filter(|part| !part.is_empty()).collect();
    if !said.is_empty() {
        writeln!(out, "{}", said.join("; "))?;
    }
    match (verdict.exposures.is_empty(), verdict.gaps.is_empty()) {
        (true, true) => writeln!(out, "\nNobody outside can reach it.")?,
        (true, false) => writeln!(out, "\nNobody outside can reach it, as far as could be seen.")?,
        _ => {}
    }
    let mut left: Vec<&Exposure> = verdict.exposures.iter().collect();
    while let Some(first) = left.first().copied() {
        // What the same people can do with the same keys is one thing to a reader.
        let together = |other: &&Exposure| {
            (first.audience, first.certainty, &first.keys) == (other.audience, other.certainty, &other.keys)
        };
        let group: Vec<&Exposure> = left.iter().copied().filter(together).collect();
        left.retain(|other| !together(other));
        write_exposures(out, first, &group)?;
    }
    for probed in probed {
        writeln!(out, "\nprobed: {}", probed.sentence())?;
    }
    let gaps: Vec<String> = verdict.gaps.iter().map(|gap| gap.detail.clone()).collect();
    for (title, sentences) in [
        ("closed, because", &verdict.closed_because),
        ("may open again", &verdict.latent),
        ("not seen", &gaps),
    ] {
        if !sentences.is_empty() {
            writeln!(out, "\n{title}:")?;
        }
        for sentence in sentences {
            writeln!(out, "  {sentence}")?;
        }
    }
    Ok(())
}

/// Writes exposures that differ in their access only.
fn write_exposures(out: &mut impl Write, first: &Exposure, group: &[&Exposure]) -> io::Result<()> {
    let (color, can) = match first.certainty {
        Certainty::Proven => (AnsiColor::Red, "can"),
        Certainty::Possible => (AnsiColor::Yellow, "may be able to"),
    };
    let style = Style::new().bold().fg_color(Some(color.into()));
    let verbs: Vec<&str> =
        group.iter().flat_map(|exposure| &exposure.access).map(|access| access.verb()).collect();
    let (who, verbs) = (audience(first.audience), verbs.join(", "));
    writeln!(out, "\n{style}{who} {can} {verbs}{style:#}  {}", first.keys)?;
    write_lines(out, "because", group.iter().flat_map(|exposure| exposure.because.iter().cloned()))?;
    let tries = group.iter().filter_map(|exposure| exposure.witness.as_ref()).map(|witness| {
        let with: Vec<String> =
            witness.context.iter().map(|(key, values)| format!("{key} = {}", values.join(", "))).collect();
        let with = if with.is_empty() { String::new() } else { format!("   # with {}", with.join("; ")) };
        format!("{}{with}", witness.command)
    });
    write_lines(out, "try", tries)?;
    write_lines(out, "close", group.iter().flat_map(|exposure| exposure.closing.iter().cloned()))
}

/// Writes each line once, the first after its title.
fn write_lines(out: &mut impl Write, title: &str, lines: impl Iterator<Item = String>) -> io::Result<()> {
    let mut seen: Vec<String> = Vec::new();
    for line in lines {
        if !seen.contains(&line) {
            writeln!(out, "  {:<9}{line}", if seen.is_empty() { title } else { "" })?;
            seen.push(line);
        }
    }
    Ok(())
}

/// Who opened a bucket, and how they are kept from doing more; `place` is where they are, as an argument.
pub(in super::super) fn opened(out: &mut impl Write, opened: &Opened, place: &str) -> io::Result<()> {
    for Opener { who, from, at, action, certainty, isolate } in &opened.by {
        let (perhaps, but) = match certainty {
            Certainty::Proven => ("", ""),
            Certainty::Possible => ("perhaps ", "; not all that was done before is told"),
        };
        writeln!(out, "  {perhaps}opened by {who} from {from} at {at} ({action}){but}")?;
        if let Some(principal) = isolate {
            writeln!(out, "  isolate  spillwatch lock isolate {}{place}", quoted(principal))?;
        }
    }
    if opened.by.is_empty() && opened.gaps.is_empty() {
        writeln!(out, "  opened by unknown: no recorded change of the last 90 days did")?;
    }
    for gap in &opened.gaps {
        let (who, why) = (if opened.by.is_empty() { "unknown" } else { "others, perhaps" }, &gap.detail);
        writeln!(out, "  opened by {who}: {why}")?;
    }
    Ok(())
}

/// Whom an audience is to a reader, at the start of a sentence.
pub(in super::super) fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Anyone => "Anyone",
        Audience::AnyAuthenticated => "Anyone with an account",
        Audience::External => "Named others outside",
        Audience::Cdn => "Anyone, through a CDN,",
        Audience::Organization => "Others inside the organization",
    }
}
