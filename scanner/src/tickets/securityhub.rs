//! How does a finding stand in AWS Security Hub? Imported under its uid, in AWS's own format, and archived when it is over.
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html>

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::http::{Http, HttpError, Request};
use super::notice::Notice;
use super::text;
use super::ticket::{Ticket, counts, line};
use crate::cloud::aws::Unsigned;
use crate::estate::Provider;

const TITLE_CHARS_MAX: usize = 250;
const DESCRIPTION_CHARS_MAX: usize = 1_000;
/// What AWS calls data that somebody outside can reach.
const TYPE: &str = "Effects/Data Exposure";

pub(super) struct SecurityHub {
    pub(super) http: Http,
    pub(super) url: String,
    pub(super) region: String,
    /// The account whose hub it is.
    pub(super) account: String,
    /// The caller's own credentials, as every tool of AWS finds them; read when they are first needed.
    pub(super) caller: OnceCell<SdkConfig>,
}

impl SecurityHub {
    /// Signs the request with the caller's credentials; a dry run signs nothing.
    async fn signed(&self, request: Request) -> Result<Request, HttpError> {
        if self.http.is_dry() {
            return Ok(request);
        }
        let unavailable = |cause: String| HttpError::Unavailable { place: "securityhub".to_owned(), cause };
        let load = || {
            aws_config::defaults(BehaviorVersion::latest()).region(Region::new(self.region.clone())).load()
        };
        let caller = self.caller.get_or_init(load).await;
        let provider = caller
            .credentials_provider()
            .ok_or_else(|| unavailable("there are no credentials".to_owned()))?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| unavailable(format!("no credentials: {error}")))?;
        let unsigned = Unsigned {
            service: "securityhub",
            region: &self.region,
            url: &request.url,
            headers: &request.headers,
            body: request.body.as_deref().unwrap_or_default(),
        };
        let added = unsigned.signed_by(credentials).map_err(unavailable)?;
        let signed =
            added.into_iter().fold(request.clone(), |signed, (name, value)| signed.header(name, value));
        Ok(signed)
    }
}

#[async_trait::async_trait]
impl Notice for SecurityHub {
    async fn send(&self, ticket: &Ticket) -> Result<(), HttpError> {
        let body = json!({"Findings": [finding(ticket, &self.region, &self.account)]});
        // The same id twice is one finding.
        let request =
            Request::json(Method::POST, format!("{}/findings/import", self.url), &body).repeatable();
        let answer = self.http.send(&self.signed(request).await?).await?;
        if answer.get("FailedCount").and_then(Value::as_u64).unwrap_or(0) == 0 {
            return Ok(());
        }
        let why = text(&answer, "/FailedFindings/0/ErrorMessage").unwrap_or("no reason was given");
        Err(HttpError::Unexpected(format!(
            "the finding was not imported: {}",
            line(why, DESCRIPTION_CHARS_MAX)
        )))
    }
}

/// Workflow and notes are left out: they belong to those who work there.
fn finding(ticket: &Ticket, region: &str, account: &str) -> Value {
    let found = &ticket.finding;
    let partition = match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let severity = json!({"Label": ticket.severity.as_str().to_uppercase()});
    let inside = found.detections.iter().map(counts);
    let description = found.because.iter().cloned().chain(inside).collect::<Vec<_>>().join("; ");
    let (kind, resource) = match found.provider {
        Provider::Aws => ("AwsS3Bucket", format!("arn:{partition}:s3:::{}", found.bucket)),
        Provider::Gcp | Provider::Local => {
            ("Other", format!("{}/{}/{}", found.provider, found.account, found.bucket))
        }
    };
    json!({
        "SchemaVersion": "2018-10-08",
        "Id": ticket.uid,
        "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
        "GeneratorId": format!("spillwatch/{}", found.rule),
        "AwsAccountId": account,
        "Types": [TYPE],
        "FirstObservedAt": found.first_seen,
        "LastObservedAt": found.last_seen,
        "CreatedAt": found.first_seen,
        "UpdatedAt": found.resolved_at.as_ref().unwrap_or(&found.last_seen),
        "Severity": severity,
        "FindingProviderFields": {"Severity": severity, "Types": [TYPE]},
        "Title": line(&ticket.title, TITLE_CHARS_MAX),
        "Description": line(&description, DESCRIPTION_CHARS_MAX),
        "Remediation": {"Recommendation": {"Text": line(&found.remediation, 500)}},
        "Resources": [{"Type": kind, "Id": resource, "Partition": partition, "Region": region}],
        "ProductFields": {
            "spillwatch/account": found.account,
            "spillwatch/class": found.class,
            "spillwatch/status": found.status,
        },
        "RecordState": if ticket.status.is_open() { "ACTIVE" } else { "ARCHIVED" },
    })
}
