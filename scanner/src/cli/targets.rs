//! Which door does a target's word open, and which flags say how?

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;

use crate::cloud::aws::{Accounts, AwsCloud, AwsSettings, OneBucket, Role};
use crate::cloud::gcp::{self, GcpCloud, GcpSettings, Projects};
use crate::cloud::local::LocalCloud;
use crate::config::Config;
use crate::scan::Target;

/// How AWS, or a server that speaks S3, and Google Cloud are reached.
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
    #[arg(long, help_heading = "AWS and Google Cloud")]
    no_sign_request: bool,
    /// With `gcp`: this project; may be given several times. Without it, every project that the credentials may see.
    #[arg(long, value_name = "ID", help_heading = "Google Cloud")]
    gcp_project: Vec<String>,
    /// The service account that is impersonated with the Application Default Credentials.
    #[arg(long, value_name = "EMAIL", help_heading = "Google Cloud")]
    impersonate_service_account: Option<String>,
    /// The project that is billed for requests to buckets whose requester pays.
    #[arg(long, value_name = "ID", help_heading = "Google Cloud")]
    user_project: Option<String>,
    /// A server other than Google's, for all of its services.
    #[arg(long, value_name = "URL", help_heading = "Google Cloud")]
    gcp_endpoint: Option<String>,
}

impl CloudArgs {
    /// Flags win over what the configuration file says.
    pub(super) fn apply(&self, aws: &mut AwsSettings, gcp: &mut GcpSettings) {
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

        if !self.gcp_project.is_empty() {
            gcp.projects = Projects::Listed(self.gcp_project.clone());
        }
        for (set, flag) in [
            (&mut gcp.impersonate_service_account, &self.impersonate_service_account),
            (&mut gcp.user_project, &self.user_project),
            (&mut gcp.endpoint, &self.gcp_endpoint),
        ] {
            if flag.is_some() {
                set.clone_from(flag);
            }
        }
        gcp.sign_requests &= !self.no_sign_request;
    }
}

/// The bucket and the prefix that a word with this scheme names.
fn named<'a>(word: &'a str, scheme: &str) -> anyhow::Result<Option<(&'a str, &'a str)>> {
    let Some(rest) = word.strip_prefix(scheme) else { return Ok(None) };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        bail!("`{word}` names no bucket; write `{scheme}BUCKET[/PREFIX]`");
    }
    Ok(Some((bucket, prefix)))
}

/// Opens the doors that words name. Nothing is asked of a cloud yet.
pub(super) fn open_all(words: &[String], config: &Config) -> anyhow::Result<Vec<Target>> {
    words.iter().map(|word| open(word, &config.aws, &config.gcp)).collect()
}

/// Opens the door that a word names. Nothing is asked of a cloud yet.
pub(super) fn open(word: &str, aws: &AwsSettings, gcp: &GcpSettings) -> anyhow::Result<Target> {
    if word == "aws" {
        let cloud = Arc::new(AwsCloud::connect(aws.clone()));
        return Ok(Target { word: word.to_owned(), cloud, prefix: String::new() });
    }
    if word == "gcp" {
        let cloud = Arc::new(GcpCloud::connect(gcp.clone()));
        return Ok(Target { word: word.to_owned(), cloud, prefix: String::new() });
    }
    if let Some((bucket, prefix)) = named(word, "s3://")? {
        let only = OneBucket { name: bucket.to_owned(), prefix: prefix.to_owned() };
        let settings = AwsSettings { only: Some(only), ..aws.clone() };
        let cloud = Arc::new(AwsCloud::connect(settings));
        return Ok(Target { word: word.to_owned(), cloud, prefix: prefix.to_owned() });
    }
    if let Some((bucket, prefix)) = named(word, "gs://")? {
        let only = gcp::OneBucket { name: bucket.to_owned(), prefix: prefix.to_owned() };
        let settings = GcpSettings { only: Some(only), ..gcp.clone() };
        let cloud = Arc::new(GcpCloud::connect(settings));
        return Ok(Target { word: word.to_owned(), cloud, prefix: prefix.to_owned() });
    }
    if !Path::new(word).is_dir() {
        bail!(
            "unknown target `{word}`; name a folder, `s3://BUCKET[/PREFIX]`, `gs://BUCKET[/PREFIX]`, `aws` or `gcp`"
        );
    }
    // The ledger remembers where to look again, also from another working directory.
    let absolute = std::fs::canonicalize(word)?;
    let cloud = Arc::new(LocalCloud::open(&absolute)?);
    Ok(Target { word: absolute.display().to_string(), cloud, prefix: String::new() })
}
