//! What differs between two runs? Both are read in the order of uids and merged, whatever their length.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::io::Write;

use anyhow::bail;
use serde::Serialize;

use crate::findings::{Severity, Transition};
use crate::store::{Run, Sighting, Store};

#[derive(clap::Args)]
pub(super) struct DiffArgs {
    /// The earlier run: the beginning of its name, `latest` or `previous`.
    #[arg(default_value = "previous")]
    before: String,
    /// The later run.
    #[arg(default_value = "latest")]
    after: String,
    /// `human` or `jsonl` (`spillwatch.difference/1`).
    #[arg(long, value_name = "FORMAT", default_value = "human", value_parser = ["human", "jsonl"])]
    format: String,
}

/// What happened to a finding between the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Change {
    /// There in the later run only.
    Appeared,
    /// Seen to be gone in the later run.
    Resolved,
    /// There in both, and different.
    Changed,
    /// The later run did not look, or not well enough.
    NotExamined,
}

#[derive(Serialize)]
struct Difference<'a> {
    schema: &'static str,
    change: Change,
    uid: &'a str,
    provider: &'a str,
    account: &'a str,
    bucket: &'a str,
    rule: &'a str,
    class: &'a str,
    before: Option<State>,
    after: Option<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct State {
    status: Transition,
    severity: Severity,
    objects: u64,
    distinct: u64,
}

pub(super) async fn runs(store: &dyn Store) -> anyhow::Result<()> {
    let mut out = anstream::stdout();
    for run in store.runs().await? {
        let count = |name: &str| run.coverage.as_ref().and_then(|coverage| coverage.get(name)?.as_u64());
        let complete = run.coverage.as_ref().and_then(|coverage| coverage.get("complete")?.as_bool());
        let ended = match (&run.ended, complete) {
            (None, _) => "did not end",
            (Some(_), Some(true)) => "complete",
            (Some(_), _) => "with gaps",
        };
        let findings =
            count("findings").map_or_else(String::new, |findings| format!("{findings} findings, "));
        writeln!(
            out,
            "{}  {}  {findings}{ended}  {}",
            run.id,
            run.started,
            super::plain(&run.targets.join(" "))
        )?;
    }
    Ok(())
}

pub(super) async fn run(store: &dyn Store, args: &DiffArgs) -> anyhow::Result<()> {
    let runs = store.runs().await?;
    let (before, after) = (chosen(&runs, &args.before)?, chosen(&runs, &args.after)?);
    let mut before = Sightings::of(store, &before.id);
    let mut after = Sightings::of(store, &after.id);
    let mut out = std::io::BufWriter::new(anstream::stdout());
    let mut unchanged = 0_u64;
    loop {
        let order = match (before.peek().await?, after.peek().await?) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(before), Some(after)) => before.uid.cmp(&after.uid),
        };
        let old = if order.is_le() { before.next() } else { None };
        let new = if order.is_ge() { after.next() } else { None };
        let Some(difference) = difference(old.as_ref(), new.as_ref()) else {
            unchanged += 1;
            continue;
        };
        if args.format == "jsonl" {
            serde_json::to_writer(&mut out, &difference)?;
            out.write_all(b"\n")?;
        } else {
            writeln!(out, "{}", told(&difference))?;
        }
    }
    if args.format == "human" {
        writeln!(out, "{unchanged} without a difference")?;
    }
    out.flush()?;
    Ok(())
}

fn chosen<'a>(runs: &'a [Run], word: &str) -> anyhow::Result<&'a Run> {
    let found: Vec<&Run> = match word {
        "latest" => runs.iter().take(1).collect(),
        "previous" => runs.iter().skip(1).take(1).collect(),
        prefix => runs.iter().filter(|run| run.id.starts_with(prefix)).take(2).collect(),
    };
    match found.as_slice() {
        [run] => Ok(run),
        [] => bail!("the ledger knows no run `{word}`; `findings runs` names them"),
        _ => bail!("more than one run begins with `{word}`; give more of its name"),
    }
}

/// What a run saw, read page by page.
struct Sightings<'a> {
    store: &'a dyn Store,
    run: &'a str,
    after: Option<String>,
    page: VecDeque<Sighting>,
}

impl<'a> Sightings<'a> {
    fn of(store: &'a dyn Store, run: &'a str) -> Self {
        Self { store, run, after: Some(String::new()), page: VecDeque::new() }
    }

    async fn peek(&mut self) -> anyhow::Result<Option<&Sighting>> {
        if self.page.is_empty()
            && let Some(after) = &self.after
        {
            self.page = self.store.sightings(self.run, after).await?.into();
            self.after = self.page.back().map(|last| last.uid.clone());
        }
        Ok(self.page.front())
    }

    fn next(&mut self) -> Option<Sighting> {
        self.page.pop_front()
    }
}

fn difference<'a>(before: Option<&'a Sighting>, after: Option<&'a Sighting>) -> Option<Difference<'a>> {
    let sighting = after.or(before)?;
    let there = |sighting: &&Sighting| sighting.status != Transition::Resolved;
    let change = match (before.filter(there), after) {
        (None, Some(after)) if there(&after) => Change::Appeared,
        (Some(_), None) => Change::NotExamined,
        (Some(_), Some(after)) if !there(&after) => Change::Resolved,
        (Some(before), Some(after)) if differs(before, after) => Change::Changed,
        _ => return None,
    };
    let [provider, account, bucket, rule, class] = &sighting.names;
    let state = |sighting: &Sighting| State {
        status: sighting.status,
        severity: sighting.severity,
        objects: sighting.objects,
        distinct: sighting.distinct,
    };
    Some(Difference {
        schema: "spillwatch.difference/1",
        change,
        uid: &sighting.uid,
        provider,
        account,
        bucket,
        rule,
        class,
        before: before.map(state),
        after: after.map(state),
    })
}

fn differs(before: &Sighting, after: &Sighting) -> bool {
    let suppressed = |sighting: &Sighting| sighting.status == Transition::Suppressed;
    // `updated` also where only the ways in differ, which are not kept by run.
    after.status == Transition::Updated
        || (before.severity, before.objects, suppressed(before))
            != (after.severity, after.objects, suppressed(after))
}

fn told(difference: &Difference<'_>) -> String {
    let sign = match difference.change {
        Change::Appeared => "+",
        Change::Resolved => "-",
        Change::Changed => "~",
        Change::NotExamined => "?",
    };
    let state = |state: &Option<State>| {
        state.map_or_else(String::new, |state| {
            let State { status, severity, objects, distinct } = state;
            format!("{} {}, {objects} objects, {distinct} distinct", status.as_str(), severity.as_str())
        })
    };
    let states = match difference.change {
        Change::Appeared => state(&difference.after),
        Change::Resolved => format!("resolved, was {}", state(&difference.before)),
        Change::Changed => format!("{} → {}", state(&difference.before), state(&difference.after)),
        Change::NotExamined => format!("not examined, was {}", state(&difference.before)),
    };
    let uid = difference.uid.get(..12).unwrap_or(difference.uid);
    let names = format!("{} {} {}", difference.bucket, difference.rule, difference.class);
    format!("{sign} {}  {states}  {uid}", super::plain(&names))
}
