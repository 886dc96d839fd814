//! Which door does a target's word open, and which flags say how?

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;

use crate::cloud::aws::{Accounts, AwsCloud, AwsSettings, OneBucket, Role};
use crate::cloud::local::LocalCloud;
use crate::scan::Target;

/// How AWS, or a server that speaks S3, is reached.
#[derive(clap::Args)]
pub(super) struct CloudArgs {
    /// With `aws`: every active account of the organization, each entered by this role.
    #[arg(long, value_name = "ROLE", help_heading = "AWS")]
    organization_role: Option<String>,
    /// The shared secret that the role's trust policy asks for.
    #[arg(
        long,
        value_name = "ID",
        env = "SPILLWATCH_EXTERNAL_ID",
        hide_env_values = true,
        help_heading = "AWS"
    )]
    #[arg(requires = "organization_role")]
    external_id: Option<String>,
    /// A profile of the AWS configuration files.
    #[arg(long, help_heading = "AWS")]
    profile: Option<String>,
    /// The region that is asked first.
    #[arg(long, help_heading = "AWS")]
    region: Option<String>,
    /// A server other than AWS that speaks S3 (MinIO, Ceph, …).
    #[arg(long, value_name = "URL", help_heading = "AWS")]
    endpoint_url: Option<String>,
    /// Put the bucket's name in the path instead of the host's name.
    #[arg(long, help_heading = "AWS")]
    path_style: bool,
    /// Send no credentials: see what anyone on the internet sees.
    #[arg(long, help_heading = "AWS")]
    no_sign_request: bool,
}

impl CloudArgs {
    /// Flags win over what the configuration file says.
    pub(super) fn apply(&self, aws: &mut AwsSettings) {
        if let Some(name) = &self.organization_role {
            let role = Role { name: name.clone(), external_id: self.external_id.clone() };
            aws.accounts = Accounts::Organization(role);
        }
        for (set, flag) in [
            (&mut aws.profile, &self.profile),
            (&mut aws.region, &self.region),
            (&mut aws.endpoint_url, &self.endpoint_url),
        ] {
            if flag.is_some() {
                set.clone_from(flag);
            }
        }
        aws.path_style |= self.path_style;
        aws.sign_requests &= !self.no_sign_request;
    }
}

/// Opens the door that a word names. Nothing is asked of a cloud yet.
pub(super) fn open(word: &str, aws: &AwsSettings) -> anyhow::Result<Target> {
    if word == "aws" {
        let cloud = Arc::new(AwsCloud::connect(aws.clone()));
        return Ok(Target { word: word.to_owned(), cloud, prefix: String::new() });
    }
    if let Some(rest) = word.strip_prefix("s3://") {
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            bail!("`{word}` names no bucket; write `s3://BUCKET[/PREFIX]`");
        }
        let only = OneBucket { name: bucket.to_owned(), prefix: prefix.to_owned() };
        let settings = AwsSettings { only: Some(only), ..aws.clone() };
        let cloud = Arc::new(AwsCloud::connect(settings));
        return Ok(Target { word: word.to_owned(), cloud, prefix: prefix.to_owned() });
    }
    if !Path::new(word).is_dir() {
        bail!("unknown target `{word}`; name a folder, `s3://BUCKET[/PREFIX]` or `aws`");
    }
    // The ledger remembers where to look again, also from another working directory.
    let absolute = std::fs::canonicalize(word)?;
    let cloud = Arc::new(LocalCloud::open(&absolute)?);
    Ok(Target { word: absolute.display().to_string(), cloud, prefix: String::new() })
}
