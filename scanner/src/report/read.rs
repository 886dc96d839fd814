//! What does a report say that was written as JSON Lines?

use std::io::{self, BufRead, Read};

use serde_json::Value;

use crate::findings::{self, Finding};
use crate::scan::{COVERAGE_SCHEMA, Coverage};

/// A line of a report is a few kilobytes; the coverage holds at most a thousand gaps.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Why a report could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A line that is none of a report.
    #[error("line {line} {what}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong with it, after "line 7".
        what: String,
    },
}

/// Hands each finding over as it is read and returns the coverage. None where the report breaks off before it: then nobody
/// knows what else there was to say.
pub fn read(mut from: impl BufRead, each: &mut dyn FnMut(&Finding)) -> Result<Option<Coverage>, ReadError> {
    let (mut coverage, mut number, mut text) = (None, 0, Vec::new());
    loop {
        text.clear();
        number += 1;
        if from.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut text)? == 0 {
            return Ok(coverage);
        }
        let wrong = |what: String| ReadError::Line { line: number, what };
        if text.len() as u64 == LINE_BYTES_MAX {
            return Err(wrong(format!("is longer than {} MiB", LINE_BYTES_MAX >> 20)));
        }
        if coverage.is_some() {
            return Err(wrong("stands after the coverage; give one run at a time".to_owned()));
        }
        let value: Value = serde_json::from_slice(&text)
            .map_err(|_| wrong("is no JSON; give what `scan --format jsonl` wrote".to_owned()))?;
        let schema = value.get("schema").and_then(Value::as_str).unwrap_or_default().to_owned();
        let unlike = |error: serde_json::Error| wrong(format!("is not as `{schema}` says: {error}"));
        if schema == findings::SCHEMA {
            each(&serde_json::from_value(value).map_err(unlike)?);
        } else if schema == COVERAGE_SCHEMA {
            coverage = Some(serde_json::from_value(value).map_err(unlike)?);
        } else {
            return Err(wrong(format!("states neither `{}` nor `{COVERAGE_SCHEMA}`", findings::SCHEMA)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<Option<Coverage>, String> {
        read(text.as_bytes(), &mut |_| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_no_report_is_told_with_its_line() {
        assert!(said("").unwrap().is_none());
        assert!(said("{\"a\n").unwrap_err().starts_with("line 1 is no JSON"));
        assert!(said("{}\n").unwrap_err().starts_with("line 1 states neither"));
        let broken = "{\"schema\":\"spillwatch.finding/1\"}\n";
        assert!(said(broken).unwrap_err().starts_with("line 1 is not as `spillwatch.finding/1` says"));
        let ended = serde_json::to_string(&Coverage::default()).unwrap() + "\n";
        assert!(said(&ended).unwrap().is_some());
        assert!(said(&ended.repeat(2)).unwrap_err().starts_with("line 2 stands after the coverage"));
    }
}
