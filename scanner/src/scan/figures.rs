//! Which figures of a run does an operator watch?

use std::collections::BTreeMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Coverage;
use super::coverage::Counts;
use crate::cloud::{Traffic, traffic};
use crate::findings::{Severity, Transition};
use crate::metrics::Figure;
use crate::tickets::Delivery;

impl Coverage {
    /// When the run ended, in seconds since 1970.
    pub fn ended_seconds(&self) -> i64 {
        OffsetDateTime::parse(&self.ended, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp)
    }

    /// The figures of the run.
    pub fn figures(&self) -> Vec<Figure> {
        let flag = |flag: bool| f64::from(u8::from(flag));
        let one = |name, help, count: u64| Figure::one(name, help, count as f64);
        let mut figures = vec![
            Figure::one(
                "last_run_timestamp_seconds",
                "when the last run ended, in seconds since 1970",
                self.ended_seconds() as f64,
            ),
            Figure::one("run_duration_seconds", "how long the run took", self.elapsed_ms as f64 / 1_000.0),
            Figure::one(
                "run_interrupted",
                "1 where the run was ended before its time",
                flag(self.interrupted),
            ),
            Figure::one(
                "run_complete",
                "1 where everything was seen that the settings asked for",
                flag(self.complete),
            ),
            one("accounts", "accounts and projects enumerated", self.accounts),
            one("buckets", "buckets judged", self.buckets),
            one(
                "buckets_exposed",
                "buckets open to somebody outside, proven or possible",
                self.buckets_exposed,
            ),
            one("buckets_seen_whole", "buckets of which everything was seen", self.buckets_seen_whole),
            Figure::by("objects", "objects by what became of them", "state", states(&self.objects)),
            Figure::by(
                "object_versions",
                "older versions of objects by what became of them",
                "state",
                states(&self.versions),
            ),
            Figure::by(
                "object_bytes",
                "bytes of objects by what became of them",
                "state",
                states(&self.bytes),
            ),
            Figure::by(
                "findings",
                "findings that are there and not suppressed",
                "severity",
                all(Severity::LADDER.map(Severity::as_str), &self.findings_by_severity),
            ),
            Figure::by(
                "findings_by_status",
                "findings by what became of them since the last run",
                "status",
                all(Transition::ALL.map(Transition::as_str), &self.findings_by_status),
            ),
            Figure::by(
                "gaps",
                "how often something could not be seen",
                "reason",
                self.gaps_by_reason.clone(),
            ),
        ];
        let Traffic { requests, throttled } = traffic();
        figures.push(one("api_requests", "requests to the providers that were answered", requests));
        figures.push(one(
            "api_requests_throttled",
            "of these, answered with the request to ask less often",
            throttled,
        ));
        if let Some(ledger) = &self.ledger {
            let unexamined = "open findings that the run did not look at well enough to say anything";
            figures.push(one("findings_unexamined", unexamined, ledger.unexamined));
            let failed = "1 where not all of the run is remembered";
            figures.push(Figure::one("ledger_failed", failed, flag(ledger.failed)));
        }
        let deliveries = self.tickets.iter().flat_map(deliveries).collect();
        let help = "what came of telling the findings, by sink";
        figures.push(Figure { name: "tickets", help, values: deliveries });
        figures
    }
}

fn states(counts: &Counts) -> [(&'static str, u64); 3] {
    [("listed", counts.listed), ("read", counts.read), ("skipped", counts.skipped)]
}

/// Every kind, also those of which there are none: a series that comes and goes is hard to watch.
fn all<const N: usize>(kinds: [&'static str; N], counts: &BTreeMap<String, u64>) -> [(&'static str, u64); N] {
    kinds.map(|kind| (kind, counts.get(kind).copied().unwrap_or(0)))
}

fn deliveries(delivery: &Delivery) -> Vec<(Vec<(&'static str, String)>, f64)> {
    let outcomes = [
        ("created", delivery.created),
        ("commented", delivery.commented),
        ("closed", delivery.closed),
        ("reopened", delivery.reopened),
        ("sent", delivery.sent),
        ("sent_again", delivery.sent_again),
        ("undelivered", delivery.undelivered),
        ("lost", delivery.lost),
    ];
    let value = |(outcome, count): (&str, u64)| {
        (vec![("sink", delivery.sink.clone()), ("outcome", outcome.to_owned())], count as f64)
    };
    outcomes.map(value).to_vec()
}
