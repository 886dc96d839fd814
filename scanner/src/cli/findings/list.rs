//! Which findings are there, worst first?

use std::io::Write;

use crate::findings::{Finding, Severity};
use crate::store::Store;

#[derive(clap::Args)]
pub(super) struct ListArgs {
    /// Only findings of this status; `all` for every one. May be given several times.
    #[arg(long, value_name = "STATUS")]
    #[arg(value_parser = ["new", "updated", "unchanged", "reopened", "resolved", "suppressed", "all"])]
    status: Vec<String>,
    /// Only findings that are at least this severe.
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<Severity>,
    /// `human` (a table) or `jsonl` (`spillwatch.finding/1`, in the order of uids).
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = ["human", "jsonl"])]
    format: String,
}

impl ListArgs {
    fn wants(&self, finding: &Finding) -> bool {
        let status = finding.status.as_str();
        let named = |word: &String| word == "all" || word == status;
        let by_status =
            if self.status.is_empty() { status != "resolved" } else { self.status.iter().any(named) };
        by_status && self.min_severity.is_none_or(|least| finding.severity >= least)
    }
}

pub(super) async fn run(store: &dyn Store, args: &ListArgs) -> anyhow::Result<()> {
    let now = super::now()?;
    let suppressions = store.suppressions().await?;
    let mut out = std::io::BufWriter::new(anstream::stdout());
    let (mut rows, mut after) = (Vec::new(), String::new());
    loop {
        let page = store.records(&after).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.finding.uid);
        for record in page {
            let record = super::as_of(record, &suppressions, &now);
            if !args.wants(&record.finding) {
                continue;
            }
            if args.format == "jsonl" {
                serde_json::to_writer(&mut out, &record.finding)?;
                out.write_all(b"\n")?;
            } else {
                rows.push((record.finding.severity, row(&record.finding)));
            }
        }
    }
    if args.format == "human" {
        rows.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        table(&mut out, rows.into_iter().map(|(_, row)| row).collect())?;
    }
    out.flush()?;
    Ok(())
}

const HEAD: [&str; 6] = ["SEVERITY", "STATUS", "BUCKET", "WHAT", "SINCE", "UID"];

fn row(finding: &Finding) -> [String; 6] {
    let day = |at: &str| at.get(..10).unwrap_or(at).to_owned();
    let uid = finding.uid.get(..12).unwrap_or(&finding.uid).to_owned();
    [
        finding.severity.as_str().to_owned(),
        finding.status.as_str().to_owned(),
        super::plain(&finding.bucket),
        format!("{} {}", finding.rule, finding.class),
        day(finding.exposed_since.as_deref().unwrap_or(&finding.first_seen)),
        uid,
    ]
}

/// Writes rows under their heads, in columns.
pub(super) fn table(out: &mut impl Write, rows: Vec<[String; 6]>) -> std::io::Result<()> {
    let mut all = vec![HEAD.map(str::to_owned)];
    all.extend(rows);
    let mut widths = [0; 6];
    for row in &all {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &all {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
