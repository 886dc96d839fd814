//! Findings as a table for a person at a terminal, most severe first.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::Form;
use super::telling::plain;
use crate::exposure::Audience;
use crate::findings::{Finding, Severity, Transition};
use crate::scan::Coverage;

/// Keeps a row per finding until the end, to sort them.
pub(super) struct Human<W> {
    out: W,
    rows: Vec<(Severity, [String; 5])>,
    /// Findings that are good to know: counted, so that the others can be seen.
    informational: u64,
}

impl<W: Write> Human<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, rows: Vec::new(), informational: 0 }
    }
}

impl<W: Write> Form for Human<W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        if finding.severity == Severity::Informational {
            self.informational += 1;
            return Ok(());
        }
        let who = finding.exposures.iter().map(|way| way.audience).min();
        let people = finding.detections.first().map(|found| found.distinct);
        let what = match people {
            Some(distinct) if distinct > finding.objects.count => {
                format!("{} in {}, {distinct} distinct", finding.class, counted(finding.objects.count))
            }
            None if finding.objects.count == 0 => finding.class.clone(),
            _ => format!("{} in {}", finding.class, counted(finding.objects.count)),
        };
        let what = match finding.status {
            Transition::New => what,
            status => format!("{what} ({})", status.as_str()),
        };
        let row = [
            finding.severity.as_str().to_owned(),
            plain(&finding.bucket),
            finding.rule.clone(),
            what,
            who.map_or("-", Audience::as_str).to_owned(),
        ];
        self.rows.push((finding.severity, row));
        Ok(())
    }

    fn end(mut self: Box<Self>, coverage: &Coverage) -> io::Result<()> {
        self.rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let head = ["SEVERITY", "BUCKET", "RULE", "WHAT", "WHO"].map(str::to_owned);
        let mut widths = head.clone().map(|cell| cell.len());
        for (_, row) in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        if !self.rows.is_empty() {
            line(&mut self.out, &head, widths, Style::new().bold())?;
        }
        for (severity, row) in &self.rows {
            line(&mut self.out, row, widths, style(*severity))?;
        }
        let Coverage { accounts, buckets, buckets_exposed, objects, versions, .. } = coverage;
        let versions = match versions.listed {
            0 => String::new(),
            listed => format!(" and {} of {listed} older versions", versions.read),
        };
        writeln!(
            self.out,
            "{accounts} accounts, {buckets} buckets ({buckets_exposed} exposed), {} of {} objects{versions} read, {} findings",
            objects.read, objects.listed, coverage.findings
        )?;
        if self.informational > 0 {
            let more = "of them informational, not shown here; `--format jsonl` tells all";
            writeln!(self.out, "{} {more}", self.informational)?;
        }
        let unseen: Vec<String> =
            coverage.gaps_by_reason.iter().map(|(reason, count)| format!("{reason} ({count})")).collect();
        if !unseen.is_empty() {
            writeln!(self.out, "not seen: {}", unseen.join(", "))?;
        }
        self.out.flush()
    }
}

fn line(out: &mut impl Write, cells: &[String; 5], widths: [usize; 5], style: Style) -> io::Result<()> {
    for (place, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let style = if place == 0 { style } else { Style::new() };
        let (width, end) = if place == 4 { (0, "\n") } else { (width, "  ") };
        write!(out, "{style}{cell:<width$}{style:#}{end}")?;
    }
    Ok(())
}

fn counted(objects: u64) -> String {
    if objects == 1 { "1 object".to_owned() } else { format!("{objects} objects") }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => AnsiColor::Blue.on_default(),
        Severity::Informational => Style::new().dimmed(),
    }
}
