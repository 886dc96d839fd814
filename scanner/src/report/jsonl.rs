//! Findings as JSON Lines: `spillwatch.finding/1` each, `spillwatch.coverage/1` last.

use std::io::{self, Write};

use super::{Form, line};
use crate::findings::Finding;
use crate::scan::Coverage;

/// Writes each finding as it comes.
pub(super) struct Jsonl<W: Write>(io::BufWriter<W>);

impl<W: Write> Jsonl<W> {
    pub(super) fn new(out: W) -> Self {
        Self(io::BufWriter::new(out))
    }
}

impl<W: Write> Form for Jsonl<W> {
    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        line(&mut self.0, finding)
    }

    fn end(mut self: Box<Self>, coverage: &Coverage) -> io::Result<()> {
        line(&mut self.0, coverage)
    }
}
