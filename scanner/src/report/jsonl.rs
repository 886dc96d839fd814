//! Findings as JSON Lines: `spillwatch.finding/1` each, `spillwatch.coverage/1` last.

use std::io::{self, Write};

use crate::findings::Finding;
use crate::scan::Coverage;

/// Writes each finding as it comes.
pub struct Jsonl<W: Write>(io::BufWriter<W>);

impl<W: Write> Jsonl<W> {
    pub(super) fn new(out: W) -> Self {
        Self(io::BufWriter::new(out))
    }

    pub(super) fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, finding)?;
        self.0.write_all(b"\n")?;
        self.0.flush()
    }

    pub(super) fn end(mut self, coverage: &Coverage) -> io::Result<()> {
        serde_json::to_writer(&mut self.0, coverage)?;
        self.0.write_all(b"\n")?;
        self.0.flush()
    }
}
