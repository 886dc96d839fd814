//! How are findings written down? One file per format.

use std::io::{self, Write};

use crate::findings::Finding;
use crate::scan::Coverage;

mod asff;
mod csv;
mod html;
mod human;
mod jsonl;
mod ocsf;
mod read;
mod sarif;
mod telling;

pub use asff::Product;
pub use read::{ReadError, read};

/// What a report is written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, the coverage last.
    Jsonl,
    /// A table for a terminal, most severe first.
    Human,
    /// One row a finding, for spreadsheets; the coverage and its gaps are rows of their own kind.
    Csv,
    /// One page for the incident room.
    Html,
    /// OCSF 1.8 as JSON Lines, each finding in the class that is made for it.
    Ocsf,
    /// The same with every finding a Detection Finding, for consumers that know no other class.
    OcsfDetection,
    /// SARIF 2.1.0.
    Sarif,
    /// AWS Security Finding Format as JSON Lines, under this product.
    Asff(Product),
}

/// One way of writing a report down.
trait Form {
    /// Takes the next finding.
    fn finding(&mut self, finding: &Finding) -> io::Result<()>;

    /// Ends the report.
    fn end(self: Box<Self>, coverage: &Coverage) -> io::Result<()>;
}

/// A report being written. All formats but the table and the HTML page write each finding as it comes.
pub struct Report(Box<dyn Form>);

impl Report {
    /// Starts a report.
    pub fn new(format: Format, out: Box<dyn Write>) -> io::Result<Self> {
        Ok(Self(match format {
            Format::Jsonl => Box::new(jsonl::Jsonl::new(out)),
            Format::Human => Box::new(human::Human::new(out)),
            Format::Csv => Box::new(csv::Csv::new(out)?),
            Format::Html => Box::new(html::Html::new(out)),
            Format::Ocsf => Box::new(ocsf::Ocsf::new(out, ocsf::Shape::ByContent)),
            Format::OcsfDetection => Box::new(ocsf::Ocsf::new(out, ocsf::Shape::Detection)),
            Format::Sarif => Box::new(sarif::Sarif::new(out)?),
            Format::Asff(product) => Box::new(asff::Asff::new(out, product)),
        }))
    }

    /// Takes the next finding.
    pub fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.0.finding(finding)
    }

    /// Ends the report.
    pub fn end(self, coverage: &Coverage) -> io::Result<()> {
        self.0.end(coverage)
    }
}

/// Writes one value as a line, at once: who reads along sees it when it is found.
fn line(out: &mut impl Write, value: &impl serde::Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")?;
    out.flush()
}
