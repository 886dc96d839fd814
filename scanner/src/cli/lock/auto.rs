//! `spillwatch lock auto`: what may be locked without a person, and is, if that was said?

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;

use super::{EvidenceArgs, SettingArgs, WaitArgs, carry_out, planning, text};
use crate::cloud::Archive;
use crate::exposure::{Audience, Certainty};
use crate::findings::{Finding, Transition};
use crate::lockdown::{Automatic, BucketPlan, Candidate, Options, Plan, Scope};

#[derive(clap::Args)]
pub(super) struct AutoArgs {
    /// A target as for `scan`.
    #[arg(value_name = "TARGET")]
    target: String,
    /// What was found there: a report as JSON Lines.
    #[arg(long, value_name = "FILE")]
    findings: PathBuf,
    /// Lock what may be locked; without this, only say what that is.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    evidence: EvidenceArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    settings: SettingArgs,
}

pub(super) async fn auto(args: AutoArgs) -> anyhow::Result<ExitCode> {
    let config = args.settings.read()?;
    let Some(automatic) = &config.lockdown_automatic else {
        bail!(
            "nothing may be locked without a person; say what may in `[lockdown.automatic]` of the configuration file"
        );
    };
    let findings = planning::findings(&args.findings)?;
    let wanted = findings.iter().map(planning::place_of).collect();
    let survey = planning::of_target(&args.target, &config, &Scope::public(), Some(&wanted)).await?;
    let candidates = survey.plans.iter().map(|(plan, _)| candidate(plan, &findings)).collect();
    let (chosen, left) = automatic.choose(candidates);
    let mut out = anstream::stdout();
    for (plan, why) in &left {
        writeln!(out, "left       {}: {why}", plan.bucket)?;
    }
    let plan = Plan::new(survey.target, planning::now()?, Scope::public(), survey.zone, chosen);
    if !args.apply || plan.is_empty() {
        text::plan(&mut out, &plan)?;
        return Ok(ExitCode::SUCCESS);
    }
    let approver = approver(automatic);
    let archive = args.evidence.archive(&config)?;
    let options = Options {
        approver: &approver,
        // What could break something is a person's to decide.
        accepted: &BTreeSet::new(),
        folder: &args.evidence.evidence,
        recipient: args.evidence.recipient.as_deref(),
        archive: archive.as_ref().map(|archive| archive as &dyn Archive),
        patience: args.wait.patience(),
    };
    carry_out(&plan, &options, &config).await
}

fn candidate(plan: &BucketPlan, findings: &[Finding]) -> Candidate {
    let own = findings.iter().filter(|finding| planning::place_of(finding) == planning::name(&plan.bucket()));
    let proven = |finding: &&Finding| {
        let public = |audience| matches!(audience, Audience::Anyone | Audience::AnyAuthenticated);
        finding.status != Transition::Resolved
            && finding.exposures.iter().any(|way| way.certainty == Certainty::Proven && public(way.audience))
    };
    Candidate {
        plan: plan.clone(),
        suppressed: own.clone().any(|finding| finding.status == Transition::Suppressed),
        found: own.filter(proven).map(|finding| (finding.class.clone(), finding.severity)).collect(),
    }
}

/// Nobody approved it but the policy, which is told.
fn approver(automatic: &Automatic) -> String {
    let list = |texts: &BTreeSet<String>| texts.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    let of =
        if automatic.categories.is_empty() { "anything".to_owned() } else { list(&automatic.categories) };
    format!(
        "automatic: {of} from {} on, in accounts {}, in buckets {}",
        automatic.min_severity.as_str(),
        list(&automatic.accounts),
        list(&automatic.buckets)
    )
}
