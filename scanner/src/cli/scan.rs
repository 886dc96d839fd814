//! `spillwatch scan`: what can somebody outside reach, and what is inside?

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::sync::watch;

use crate::cloud::aws::{Accounts, AwsCloud, AwsSettings, OneBucket, Role};
use crate::cloud::local::LocalCloud;
use crate::findings::Severity;
use crate::report::{Format, Report};
use crate::scan::{self, Settings, Target};

#[derive(clap::Args)]
pub(super) struct ScanArgs {
    /// `aws`, `s3://BUCKET[/PREFIX]`, estate folders, or plain folders (each is one bucket whose exposure is unknown).
    #[arg(required = true, value_name = "TARGET")]
    targets: Vec<String>,
    /// `jsonl` (default on a pipe) or `human` (default on a terminal).
    #[arg(long, value_parser = ["jsonl", "human"])]
    format: Option<String>,
    /// Write the report to this file.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Exit with 3 if a finding is at least this severe.
    #[arg(long)]
    fail_on: Option<Severity>,
    /// Exit with 4 if anything could not be seen.
    #[arg(long)]
    require_full_coverage: bool,
    /// Read buckets that nobody outside can reach in full too.
    #[arg(long)]
    all: bool,
    /// With `aws`: every active account of the organization, entered by this role.
    #[arg(long, value_name = "NAME")]
    organization_role: Option<String>,
    /// The shared secret that the role's trust policy asks for.
    #[arg(long, env = "SPILLWATCH_EXTERNAL_ID", hide_env_values = true, requires = "organization_role")]
    external_id: Option<String>,
    /// A profile of the AWS configuration files.
    #[arg(long)]
    profile: Option<String>,
    /// The region that is asked first.
    #[arg(long)]
    region: Option<String>,
    /// A server other than AWS that speaks S3.
    #[arg(long, value_name = "URL")]
    endpoint_url: Option<String>,
    /// The bucket's name in the path instead of the host's name.
    #[arg(long)]
    path_style: bool,
    /// Send no credentials: see what anyone on the internet sees.
    #[arg(long)]
    no_sign_request: bool,
}

impl ScanArgs {
    fn target(&self, word: &str) -> anyhow::Result<Target> {
        if word == "aws" {
            return Ok(Target { cloud: Arc::new(AwsCloud::connect(self.aws(None))), prefix: String::new() });
        }
        if let Some(rest) = word.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                bail!("`{word}` names no bucket; write `s3://BUCKET[/PREFIX]`");
            }
            let only = OneBucket { name: bucket.to_owned(), prefix: prefix.to_owned() };
            let cloud = Arc::new(AwsCloud::connect(self.aws(Some(only))));
            return Ok(Target { cloud, prefix: prefix.to_owned() });
        }
        if !Path::new(word).exists() {
            bail!("unknown target `{word}`: neither `aws`, `s3://BUCKET`, a folder nor an estate");
        }
        Ok(Target { cloud: Arc::new(LocalCloud::open(Path::new(word))?), prefix: String::new() })
    }

    fn aws(&self, only: Option<OneBucket>) -> AwsSettings {
        let role = |name: &String| Role { name: name.clone(), external_id: self.external_id.clone() };
        let accounts =
            self.organization_role.as_ref().map(role).map_or(Accounts::Own, Accounts::Organization);
        AwsSettings {
            profile: self.profile.clone(),
            region: self.region.clone(),
            endpoint_url: self.endpoint_url.clone(),
            path_style: self.path_style,
            sign_requests: !self.no_sign_request,
            accounts,
            only,
            ..AwsSettings::default()
        }
    }
}

pub(super) fn run(args: ScanArgs) -> anyhow::Result<ExitCode> {
    let targets = args.targets.iter().map(|word| args.target(word)).collect::<anyhow::Result<Vec<_>>>()?;
    let settings = Settings { all: args.all, ..Settings::default() };
    let out: Box<dyn Write> = match &args.output {
        Some(path) => {
            Box::new(File::create(path).with_context(|| format!("could not write `{}`", path.display()))?)
        }
        None => Box::new(anstream::stdout()),
    };
    let on_terminal = args.output.is_none() && io::stdout().is_terminal();
    let format = match args.format.as_deref() {
        Some("human") => Format::Human,
        None if on_terminal => Format::Human,
        _ => Format::Jsonl,
    };
    let mut report = Report::new(format, out);
    let mut worst = None;
    let mut written = Ok(());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let coverage = runtime.block_on(async {
        let (send, stop) = watch::channel(false);
        tokio::spawn(async move {
            let _ = stop_asked().await;
            let _ = send.send(true);
        });
        scan::scan(&targets, &settings, stop, &mut |finding| {
            worst = worst.max(Some(finding.severity));
            if written.is_ok() {
                written = report.finding(finding);
            }
        })
        .await
    });
    written?;
    report.end(&coverage)?;
    Ok(if coverage.interrupted {
        ExitCode::from(1)
    } else if args.fail_on.is_some() && worst >= args.fail_on {
        ExitCode::from(3)
    } else if args.require_full_coverage && !coverage.complete {
        ExitCode::from(4)
    } else {
        ExitCode::SUCCESS
    })
}

async fn stop_asked() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
