//! How do a plan and its outcome read to a person?

use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};

use super::super::explain::text::{audience, opened};
use crate::exposure::{Exposure, quoted};
use crate::lockdown::{BucketPlan, Outcome, Plan, PrincipalPlan, Step, User};

/// Users that are told, the busiest first.
const USERS_TOLD: usize = 5;
/// Ways in that are told one by one.
const WAYS_TOLD: usize = 8;

pub(super) fn plan(out: &mut impl Write, plan: &Plan) -> io::Result<()> {
    plan.principals.iter().try_for_each(|principal| self::principal(out, plan, principal))?;
    if plan.buckets.is_empty() && !plan.principals.is_empty() {
        return Ok(());
    }
    if plan.buckets.is_empty() {
        return writeln!(out, "Nothing to close.");
    }
    let changes: usize = plan.buckets.iter().map(|bucket| bucket.changes.len()).sum();
    writeln!(out, "plan {}: {changes} changes to {} buckets", plan.id, plan.buckets.len())?;
    plan.buckets.iter().try_for_each(|planned| bucket(out, planned, &plan.target))
}

fn principal(out: &mut impl Write, plan: &Plan, planned: &PrincipalPlan) -> io::Result<()> {
    let bold = Style::new().bold();
    let (who, account) = (&planned.principal, &planned.account);
    writeln!(out, "plan {}: isolate {bold}{who}{bold:#}  ({} {account})", plan.id, planned.provider)?;
    for effect in &planned.effects {
        writeln!(out, "  means    {effect}")?;
    }
    for command in &planned.commands {
        writeln!(out, "  equals   {command}")?;
    }
    Ok(())
}

fn bucket(out: &mut impl Write, plan: &BucketPlan, target: &str) -> io::Result<()> {
    let bold = Style::new().bold();
    writeln!(out, "\n{bold}{}{bold:#}  ({} {})", plan.bucket, plan.provider, plan.account)?;
    ways(out, "closes", &plan.closes)?;
    if let Some(why) = &plan.refused {
        let style = Style::new().bold().fg_color(Some(AnsiColor::Red.into()));
        writeln!(out, "  {style}refused{style:#}  {why}")?;
    }
    for change in &plan.changes {
        writeln!(out, "  change   {}: {}", change.setting, change.because)?;
    }
    for command in plan.commands.iter().filter(|_| plan.refused.is_none()) {
        writeln!(out, "  equals   {command}")?;
    }
    for hazard in &plan.hazards {
        let style = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
        writeln!(out, "  {style}breaks?{style:#}  {} (--accept {})", hazard.detail, hazard.kind.as_str())?;
    }
    if let Some(told) = &plan.opened {
        let place =
            if Path::new(target).is_dir() { format!(" --in {}", quoted(target)) } else { String::new() };
        opened(out, told, &place)?;
    }
    if plan.used_by.is_none() {
        writeln!(out, "  used by  unknown: no access log could be read")?;
    }
    for user in plan.used_by.iter().flatten().take(USERS_TOLD) {
        let User { requester, requests, last } = user;
        writeln!(out, "  used by  {requester}: {requests} requests in three days, one at {last}")?;
    }
    ways(out, "leaves", &plan.leaves)
}

fn ways(out: &mut impl Write, title: &str, ways: &[Exposure<String>]) -> io::Result<()> {
    for way in ways.iter().take(WAYS_TOLD) {
        let verbs: Vec<&str> = way.access.iter().map(|access| access.verb()).collect();
        writeln!(out, "  {title:<9}{} can {}  {}", audience(way.audience), verbs.join(", "), way.keys)?;
    }
    if ways.len() > WAYS_TOLD {
        writeln!(out, "  {:<9}and {} more", "", ways.len() - WAYS_TOLD)?;
    }
    Ok(())
}

pub(super) fn steps(out: &mut impl Write, steps: &[Step]) -> io::Result<()> {
    let width = steps.iter().map(|step| step.bucket.chars().count()).max().unwrap_or(0);
    for step in steps {
        let (word, color) = match step.outcome {
            Outcome::Applied => ("applied", AnsiColor::Green),
            Outcome::AlreadySo => ("already so", AnsiColor::Green),
            Outcome::Refused => ("refused", AnsiColor::Yellow),
            Outcome::Failed => ("failed", AnsiColor::Red),
        };
        let style = Style::new().fg_color(Some(color.into()));
        let detail = if step.detail.is_empty() { String::new() } else { format!(": {}", step.detail) };
        writeln!(out, "{style}{word:<10}{style:#}  {:<width$}  {}{detail}", step.bucket, step.setting)?;
    }
    Ok(())
}
