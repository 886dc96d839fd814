//! What do the recognisers say of every file in a folder?

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use spillwatch_classifiers::encrypted::statistics::Statistics;
use spillwatch_classifiers::encrypted::{HEAD_BYTES_MAX, Verdict, by_header, by_tail};
use spillwatch_classifiers::planning::Planning;

use crate::ciphertext::walk;

/// Verdicts of files listed one by one; the rest is counted.
const LISTED_MAX: usize = 120;

/// One line per file that something was said of, then the counts.
pub fn report(folder: &Path) -> Result<String> {
    let mut paths = Vec::new();
    walk(folder, &mut paths)?;
    paths.sort();
    let mut out = String::new();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for path in &paths {
        let bytes = fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
        let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
        let mut said = Vec::new();
        if let Some(verdict) = encrypted(&bytes, &name) {
            said.push((verdict.scheme.to_owned(), format!("{:.2} {}", verdict.confidence, verdict.because)));
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let mut planning = Planning::new();
            planning.push(text);
            let reading = planning.finish();
            said.extend(reading.judgements.into_iter().map(|judgement| {
                let because = judgement.because.join("; ");
                (judgement.category.as_str().to_owned(), format!("{:.2} {because}", judgement.confidence))
            }));
        }
        for (what, why) in said {
            let count = counts.entry(what.clone()).or_default();
            *count += 1;
            if *count <= LISTED_MAX {
                writeln!(out, "{name}: {what} {why}")?;
            }
        }
    }
    writeln!(out, "{} files; {counts:?}", paths.len())?;
    Ok(out)
}

/// The way of the session: grammar at the start, grammar at the end, statistics.
fn encrypted(bytes: &[u8], name: &str) -> Option<Verdict> {
    let size = bytes.len() as u64;
    let tail = bytes.get(bytes.len().saturating_sub(HEAD_BYTES_MAX)..).unwrap_or(bytes);
    by_header(bytes, Some(size)).or_else(|| by_tail(bytes, tail, size)).or_else(|| {
        let mut statistics = Statistics::new();
        statistics.push(bytes);
        statistics.finish(name)
    })
}
