//! Why did AWS not answer, in its own code and in the few kinds that a caller tells apart?

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;

use crate::cloud::CloudError;
use crate::estate::GapReason;

/// The answer is not what was asked for: broken, or a document of another kind.
pub(super) const UNPARSABLE: &str = "UnparsableResponse";
/// No answer in time.
const TIMED_OUT: &str = "RequestTimedOut";
/// No connection.
const UNREACHABLE: &str = "EndpointUnreachable";
/// No credentials could be had.
const NO_CREDENTIALS: &str = "CredentialsUnavailable";
/// The role of the account could not be assumed.
const NO_ENTRY: &str = "AssumeRoleFailed";
/// An error without a code, by its HTTP status alone.
const UNNAMED: &str = "UnnamedError";

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The provider's own code, or one of ours where no answer of the provider's stands behind it.
    pub(super) code: String,
    /// In the kinds that a caller tells apart.
    pub(super) reason: GapReason,
    /// One clause for a person, where the code does not say what to do.
    advice: Option<String>,
}

impl Failure {
    /// What the SDK's error amounts to.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        if let Some(failure) = credentials_failure(error) {
            return failure;
        }
        match error {
            SdkError::TimeoutError(_) => Self::timed_out(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::timed_out(),
            SdkError::DispatchFailure(_) => Self::unreachable(),
            SdkError::ResponseError(_) => Self::unparsable(),
            SdkError::ServiceError(context) => {
                let meta = context.err().meta();
                Self::stated(meta.code(), meta.message(), context.raw().status().as_u16())
            }
            other => {
                Self { code: UNNAMED.to_owned(), reason: GapReason::Failed, advice: Some(root_cause(other)) }
            }
        }
    }

    /// An answer that is not what was asked for.
    pub(super) fn unparsable() -> Self {
        Self {
            code: UNPARSABLE.to_owned(),
            reason: GapReason::Malformed,
            advice: Some("the answer is not what was asked for".to_owned()),
        }
    }

    /// Whether it is the credentials that were refused or missing, not a permission of theirs.
    pub(super) fn is_about_credentials(&self) -> bool {
        self.reason == GapReason::Denied && self.advice.is_some()
    }

    /// What it means that no credentials could be had.
    pub(super) fn of_credentials(error: &CredentialsError) -> Self {
        credentials_failure(error).unwrap_or_else(Self::unparsable)
    }

    /// No connection.
    pub(super) fn unreachable() -> Self {
        Self {
            code: UNREACHABLE.to_owned(),
            reason: GapReason::Unreachable,
            advice: Some("the endpoint cannot be reached; check its address and the network".to_owned()),
        }
    }

    /// No answer in time.
    pub(super) fn timed_out() -> Self {
        Self {
            code: TIMED_OUT.to_owned(),
            reason: GapReason::TimedOut,
            advice: Some("no answer in time".to_owned()),
        }
    }

    /// An error as the service stated it.
    pub(super) fn stated(code: Option<&str>, message: Option<&str>, status: u16) -> Self {
        // Without a code it is an answer to HEAD, a foreign error document, or a success that does not parse.
        let code = match (code, status) {
            (Some(code), _) => code,
            (None, 200..300) => return Self::unparsable(),
            (None, 401 | 403) => "AccessDenied",
            (None, 404) => "NotFound",
            (None, 429 | 503) => "SlowDown",
            (None, _) => UNNAMED,
        };
        let (reason, advice) = meaning(code, message.unwrap_or_default(), status);
        Self { code: code.to_owned(), reason, advice: advice.map(str::to_owned) }
    }

    /// The door's error for `operation` on `resource`.
    pub(super) fn at(self, operation: &'static str, resource: &str) -> CloudError {
        let resource = resource.to_owned();
        match self.reason {
            GapReason::Denied if !self.is_about_credentials() => CloudError::Denied { operation, resource },
            GapReason::KeyDenied => CloudError::KeyDenied { operation, resource },
            GapReason::NotFound => CloudError::NotFound { operation, resource },
            GapReason::Archived => CloudError::Archived { operation, resource },
            GapReason::Throttled => CloudError::Throttled { operation, resource },
            reason => {
                let message = self.advice.unwrap_or(self.code);
                CloudError::Failed { operation, resource, reason, message }
            }
        }
    }
}

/// What a code means, and a clause for a person where the code alone does not say it.
///
/// The codes are those of "Error responses" in the S3 API Reference and of "Common errors" in the STS, Organizations
/// and S3 Control references.
fn meaning(code: &str, message: &str, status: u16) -> (GapReason, Option<&'static str>) {
    match code {
        // S3 reports a key that KMS denies as its own AccessDenied and names the action in the message.
        "AccessDenied" if message.contains("kms:") => (GapReason::KeyDenied, None),
        // The object is encrypted with a key that only its writer holds and that no reader sent (SSE-C).
        "InvalidRequest" if message.contains("Server Side Encryption") => (GapReason::KeyDenied, None),
        code if code.starts_with("KMS.") => (GapReason::KeyDenied, None),
        "AccessDenied" | "AccessDeniedException" | "AllAccessDisabled" | "UnauthorizedAccess" => {
            (GapReason::Denied, None)
        }
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" | "RequestExpired" => (
            GapReason::Denied,
            Some("the credentials have expired; renew them, for example with `aws sso login`"),
        ),
        "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidToken"
        | "SignatureDoesNotMatch"
        | "AuthFailure"
        | "InvalidSignatureException" => {
            (GapReason::Denied, Some("the server does not accept the credentials; check the profile"))
        }
        "RequestTimeTooSkewed" => {
            (GapReason::Denied, Some("this machine's clock is wrong; set it and try again"))
        }
        "NoSuchBucket" | "NoSuchKey" | "NoSuchVersion" | "NotFound" | "NoSuchAccessPoint" => {
            (GapReason::NotFound, None)
        }
        // The object was replaced after it was listed: the one that was listed is gone.
        "PreconditionFailed" => (GapReason::NotFound, None),
        "InvalidObjectState" => (GapReason::Archived, None),
        "SlowDown"
        | "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "RequestThrottled"
        | "ServiceUnavailable"
        | "BandwidthLimitExceeded" => (GapReason::Throttled, None),
        "RequestTimeout" | "RequestTimeoutException" => (GapReason::TimedOut, None),
        _ if status == 403 => (GapReason::Denied, None),
        _ if status == 429 || status == 503 => (GapReason::Throttled, None),
        _ => (GapReason::Failed, None),
    }
}

/// A failure to come by credentials hides behind the request that needed them.
fn credentials_failure(error: &(dyn Error + 'static)) -> Option<Failure> {
    let chain = || std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source());
    let refused = |code: &str, advice: String| {
        Some(Failure { code: code.to_owned(), reason: GapReason::Denied, advice: Some(advice) })
    };
    if let Some(error) = chain().find_map(|error| error.downcast_ref::<AssumeRoleError>()) {
        let code = error.meta().code().unwrap_or(UNNAMED);
        let advice = "check its name, its trust policy and the external id";
        return refused(NO_ENTRY, format!("the role cannot be assumed (`{code}`); {advice}"));
    }
    let error = chain().find_map(|error| error.downcast_ref::<CredentialsError>())?;
    let advice = if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        "no AWS credentials found; log in, name a profile, or pass `--no-sign-request` for a public bucket"
            .to_owned()
    } else {
        format!("no credentials ({}); renew them or check the profile", root_cause(error))
    };
    refused(NO_CREDENTIALS, advice)
}

/// The last error of the chain: the SDK's outer ones only say that something failed.
fn root_cause(error: &dyn Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_kms_denies_is_told_from_a_missing_permission() {
        let kms =
            "User: arn:aws:sts::1:assumed-role/scan/x is not authorized to perform: kms:Decrypt on resource";
        assert_eq!(Failure::stated(Some("AccessDenied"), Some(kms), 403).reason, GapReason::KeyDenied);
        assert_eq!(Failure::stated(Some("KMS.DisabledException"), None, 400).reason, GapReason::KeyDenied);
        assert_eq!(
            Failure::stated(Some("AccessDenied"), Some("Access Denied"), 403).reason,
            GapReason::Denied
        );
    }

    #[test]
    fn expired_credentials_say_so_instead_of_asking_for_a_permission() {
        let error = Failure::stated(Some("ExpiredToken"), None, 400).at("s3:ListBuckets", "account `1`");
        assert!(error.to_string().contains("renew"), "{error}");
        let error = Failure::stated(Some("AccessDenied"), None, 403).at("s3:ListBuckets", "account `1`");
        assert!(matches!(error, CloudError::Denied { .. }), "{error}");
    }

    #[test]
    fn a_success_that_does_not_parse_is_malformed() {
        assert_eq!(Failure::stated(None, None, 200), Failure::unparsable());
        assert_eq!(Failure::stated(None, None, 503).reason, GapReason::Throttled);
        assert_eq!(Failure::stated(None, None, 500).reason, GapReason::Failed);
    }
}
