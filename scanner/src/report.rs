//! How are findings written down? One file per format.

use std::io::{self, Write};

use crate::findings::Finding;
use crate::scan::Coverage;

mod human;
mod jsonl;

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, the coverage last.
    Jsonl,
    /// A table for a terminal, most severe first.
    Human,
}

/// A report being written.
pub enum Report<W: Write> {
    /// Writes each finding as it comes.
    Jsonl(jsonl::Jsonl<W>),
    /// Keeps a row per finding until the end, to sort them.
    Human(human::Human<W>),
}

impl<W: Write> Report<W> {
    /// Starts a report.
    pub fn new(format: Format, out: W) -> Self {
        match format {
            Format::Jsonl => Self::Jsonl(jsonl::Jsonl::new(out)),
            Format::Human => Self::Human(human::Human::new(out)),
        }
    }

    /// Takes the next finding.
    pub fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        match self {
            Self::Jsonl(report) => report.finding(finding),
            Self::Human(report) => {
                report.finding(finding);
                Ok(())
            }
        }
    }

    /// Ends the report.
    pub fn end(self, coverage: &Coverage) -> io::Result<()> {
        match self {
            Self::Jsonl(report) => report.end(coverage),
            Self::Human(report) => report.end(coverage),
        }
    }
}
