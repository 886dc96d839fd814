//! What is known of one finding?

use std::io::Write;

use crate::findings::Finding;
use crate::store::Store;

#[derive(clap::Args)]
pub(super) struct ShowArgs {
    /// The finding, by the beginning of its uid.
    uid: String,
    /// `human` or `json` (`spillwatch.finding/1`).
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = ["human", "json"])]
    format: String,
}

pub(super) async fn run(store: &dyn Store, args: &ShowArgs) -> anyhow::Result<()> {
    let record = super::named(store, &args.uid).await?;
    let record = super::as_of(record, &store.suppressions().await?, &super::now()?);
    let mut out = anstream::stdout();
    if args.format == "json" {
        writeln!(out, "{}", serde_json::to_string_pretty(&record.finding)?)?;
        return Ok(());
    }
    let mut text = told(&record.finding);
    text.extend([("looked at", record.examined_at), ("in run", record.run), ("target", record.target)]);
    for (name, value) in text {
        writeln!(out, "{name:<12}{}", super::plain(&value))?;
    }
    Ok(())
}

/// The finding in lines of a name and a value.
fn told(finding: &Finding) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("uid", finding.uid.clone()),
        ("severity", finding.severity.as_str().to_owned()),
        ("status", finding.status.as_str().to_owned()),
        ("bucket", format!("{} {} {}", finding.provider, finding.account, finding.bucket)),
        ("what", format!("{} {}", finding.rule, finding.class)),
    ];
    lines.extend(finding.changes.iter().map(|change| ("changed", change.clone())));
    if let Some(suppression) = &finding.suppression {
        let said = format!("until {} by {}: {}", suppression.until, suppression.author, suppression.reason);
        lines.push(("suppressed", said));
    }
    lines.push(("first seen", finding.first_seen.clone()));
    lines.push(("last seen", finding.last_seen.clone()));
    lines.extend(finding.exposed_since.iter().map(|at| ("exposed", format!("since {at}"))));
    lines.extend(finding.exposure_window_ms.iter().map(|window| ("window", duration(*window))));
    lines.extend(finding.resolved_at.iter().map(|at| ("resolved", at.clone())));
    lines.extend(finding.tags.iter().map(|(name, value)| ("tag", format!("{name}={value}"))));
    lines.extend(finding.because.iter().map(|reason| ("because", reason.clone())));
    for way in &finding.exposures {
        let witness = way.witness.as_ref().map(|witness| ("witness", witness.command.clone()));
        lines.extend(witness);
        lines.extend(way.closing.iter().map(|step| ("to close", step.clone())));
    }
    for found in &finding.detections {
        let kinds: Vec<String> = found.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let said =
            format!("{} occurrences, {} distinct: {}", found.occurrences, found.distinct, kinds.join(", "));
        lines.push(("found", said));
        lines.extend(
            found
                .evidence
                .iter()
                .map(|sample| ("sample", format!("{} {} at {}", sample.kind, sample.sample, sample.at))),
        );
    }
    if finding.objects.count > 0 {
        lines.push(("objects", format!("{}, {} bytes", finding.objects.count, finding.objects.bytes)));
    }
    lines.extend(finding.objects.top_keys.iter().map(|key| ("object", key.clone())));
    lines.extend(finding.objects.top_versions.iter().map(|version| ("version", version.to_string())));
    lines.push(("next", finding.remediation.clone()));
    lines
}

fn duration(ms: u64) -> String {
    let minutes = ms / 60_000;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
