//! Findings as a table for people with spreadsheets (RFC 4180): what may a cell hold that a spreadsheet would not run?

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use ::csv::{Terminator, Writer, WriterBuilder};

use super::telling::{self, plain};
use super::{Form, telling::verdict};
use crate::exposure::{Access, Certainty};
use crate::findings::Finding;
use crate::scan::{CountedGap, Coverage};

/// The columns. New ones go to the end: people have written formulas.
const COLUMNS: [&str; 29] = [
    "kind",
    "severity",
    "status",
    "title",
    "provider",
    "account",
    "region",
    "bucket",
    "rule",
    "class",
    "audience",
    "access",
    "certainty",
    "objects",
    "bytes",
    "occurrences",
    "distinct",
    "top_keys",
    "because",
    "next_step",
    "witness",
    "first_seen",
    "last_seen",
    "exposed_since",
    "resolved_at",
    "changes",
    "suppression",
    "tags",
    "uid",
];

type Row = BTreeMap<&'static str, String>;

/// Writes each finding as it comes; rows of the kinds `coverage` and `gap` end the table.
pub(super) struct Csv<W: Write>(Writer<W>);

impl<W: Write> Csv<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        writer.write_record(COLUMNS)?;
        Ok(Self(writer))
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        let cells = COLUMNS.iter().map(|column| row.get(column).map_or("", String::as_str));
        self.0.write_record(cells.map(|cell| defused(cell).into_owned()))?;
        self.0.flush()
    }
}

impl<W: Write> Form for Csv<W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.row(&of_finding(finding))
    }

    fn end(mut self: Box<Self>, coverage: &Coverage) -> io::Result<()> {
        self.row(&of_coverage(coverage))?;
        coverage.gaps.iter().try_for_each(|gap| self.row(&of_gap(gap)))
    }
}

fn of_finding(finding: &Finding) -> Row {
    let ways = &finding.exposures;
    let widest = telling::widest(finding);
    let mut access: Vec<_> = ways.iter().flat_map(|way| &way.access).copied().collect();
    access.sort();
    access.dedup();
    let access: Vec<&str> = access.into_iter().map(Access::as_str).collect();
    let witness = ways.iter().find_map(|way| way.witness.as_ref());
    let first = finding.detections.first();
    let suppression = finding.suppression.as_ref();
    let tags: Vec<String> = finding.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    Row::from([
        ("kind", "finding".to_owned()),
        ("severity", finding.severity.as_str().to_owned()),
        ("status", finding.status.as_str().to_owned()),
        ("title", telling::title(finding)),
        ("provider", finding.provider.as_str().to_owned()),
        ("account", finding.account.clone()),
        ("region", text(&finding.region)),
        ("bucket", finding.bucket.clone()),
        ("rule", finding.rule.clone()),
        ("class", finding.class.clone()),
        ("audience", widest.map_or("", |(who, _)| who.as_str()).to_owned()),
        ("access", access.join(" ")),
        ("certainty", widest.map_or("", |(_, certainty)| certainty_word(certainty)).to_owned()),
        ("objects", finding.objects.count.to_string()),
        ("bytes", finding.objects.bytes.to_string()),
        ("occurrences", first.map_or(0, |found| found.occurrences).to_string()),
        ("distinct", first.map_or(0, |found| found.distinct).to_string()),
        ("top_keys", finding.objects.top_keys.join(" | ")),
        ("because", finding.because.join(" | ")),
        ("next_step", finding.remediation.clone()),
        ("witness", witness.map_or(String::new(), |witness| witness.command.clone())),
        ("first_seen", finding.first_seen.clone()),
        ("last_seen", finding.last_seen.clone()),
        ("exposed_since", text(&finding.exposed_since)),
        ("resolved_at", text(&finding.resolved_at)),
        ("changes", finding.changes.join(" | ")),
        (
            "suppression",
            suppression.map_or(String::new(), |said| {
                format!("until {} by {}: {}", said.until, said.author, said.reason)
            }),
        ),
        ("tags", tags.join(" | ")),
        ("uid", finding.uid.clone()),
    ])
}

fn certainty_word(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Proven => "proven",
        Certainty::Possible => "possible",
    }
}

fn of_coverage(coverage: &Coverage) -> Row {
    Row::from([
        ("kind", "coverage".to_owned()),
        ("title", telling::coverage(coverage)),
        ("class", verdict(coverage).to_owned()),
        ("objects", coverage.objects.read.to_string()),
        ("bytes", coverage.bytes.read.to_string()),
        ("first_seen", coverage.started.clone()),
        ("last_seen", coverage.ended.clone()),
        ("uid", coverage.run.clone()),
    ])
}

fn of_gap(gap: &CountedGap) -> Row {
    let (known, count) = (gap.gap(), gap.count());
    Row::from([
        ("kind", "gap".to_owned()),
        ("title", known.detail.clone()),
        ("bucket", known.resource.clone()),
        ("rule", known.operation.clone()),
        ("class", known.reason.as_str().to_owned()),
        ("occurrences", count.to_string()),
    ])
}

/// A cell that no spreadsheet takes for a formula: those that start like one get an apostrophe, which spreadsheets read as
/// "this is text" (OWASP, "CSV Injection"). Control characters are replaced, so that a tab or a line end cannot hide one.
fn defused(cell: &str) -> Cow<'_, str> {
    let starts_a_formula =
        |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠') || c.is_control();
    if cell.starts_with(starts_a_formula) {
        Cow::Owned(format!("'{}", plain(cell)))
    } else if cell.contains(char::is_control) {
        Cow::Owned(plain(cell))
    } else {
        Cow::Borrowed(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "\u{0}=1"] {
            assert!(defused(hostile).starts_with('\''), "{hostile:?}");
        }
        assert_eq!(defused("a\r\n=1"), "a\u{fffd}\u{fffd}=1");
        assert_eq!(defused("plain = text"), "plain = text");
    }
}
