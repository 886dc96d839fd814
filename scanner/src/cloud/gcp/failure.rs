//! Why did Google Cloud not answer, in its own code and in the few kinds that a caller tells apart?

use std::error::Error as _;

use google_cloud_auth::build_errors::Error as CredentialsError;
use google_cloud_gax::error::Error;
use google_cloud_gax::error::rpc::{Code, Status, StatusDetails};

use crate::cloud::CloudError;
use crate::estate::GapReason;
use crate::estate::gcp::gap_reason;

/// The answer is not what was asked for.
const UNPARSABLE: &str = "UnparsableResponse";
/// No answer in time.
const TIMED_OUT: &str = "RequestTimedOut";
/// No connection.
const UNREACHABLE: &str = "EndpointUnreachable";
/// No credentials could be had, or they were refused.
const NO_CREDENTIALS: &str = "UNAUTHENTICATED";
/// More of an error document tells nothing more.
const PAYLOAD_BYTES_MAX: usize = 4096;

/// A failed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The service's own status or reason, or a word of ours where no answer of the service's stands behind it.
    pub(super) code: String,
    /// In the kinds that a caller tells apart.
    pub(super) reason: GapReason,
    /// One clause for a person, where the code does not say what to do.
    advice: Option<String>,
}

impl Failure {
    /// What the client's error amounts to.
    pub(super) fn of(error: &Error) -> Self {
        // What ran out of attempts or time carries its last error inside.
        let inner = || error.source().and_then(|source| source.downcast_ref::<Error>());
        if let Some(status) = error.status() {
            return Self::stated(status);
        }
        if let Some(status) = error.http_status_code() {
            let payload = error.http_payload().map(|payload| payload.as_ref()).unwrap_or_default();
            return Self::by_http(status, payload.get(..PAYLOAD_BYTES_MAX).unwrap_or(payload));
        }
        if error.is_authentication() {
            return Self::unauthenticated();
        }
        if let Some(inner) = inner() {
            return Self::of(inner);
        }
        if error.is_timeout() {
            Self::timed_out()
        } else if error.is_deserialization() {
            Self::unparsable()
        } else if error.is_io() || error.is_connect() || error.is_transport() || error.is_exhausted() {
            Self::unreachable()
        } else {
            Self::new("UNKNOWN", GapReason::Failed, "the request could not be made")
        }
    }

    /// Why no client could be made.
    pub(super) fn of_credentials(error: &CredentialsError) -> Self {
        Self::without_credentials(&format!("no credentials ({error}); check them, or log in anew"))
    }

    /// An answer that is not what was asked for.
    pub(super) fn unparsable() -> Self {
        Self::new(UNPARSABLE, GapReason::Malformed, "the answer is not what was asked for")
    }

    /// No connection.
    pub(super) fn unreachable() -> Self {
        let advice = "the endpoint cannot be reached; check its address and the network";
        Self::new(UNREACHABLE, GapReason::Unreachable, advice)
    }

    /// No answer in time.
    pub(super) fn timed_out() -> Self {
        Self::new(TIMED_OUT, GapReason::TimedOut, "no answer in time")
    }

    /// No token could be had.
    pub(super) fn unauthenticated() -> Self {
        Self::without_credentials(
            "no credentials; run `gcloud auth application-default login`, or pass `--no-sign-request` for a public bucket",
        )
    }

    fn new(code: &str, reason: GapReason, advice: &str) -> Self {
        Self { code: code.to_owned(), reason, advice: Some(advice.to_owned()) }
    }

    fn without_credentials(advice: &str) -> Self {
        Self::new(NO_CREDENTIALS, GapReason::Denied, advice)
    }

    pub(super) fn stated(status: &Status) -> Self {
        let reason = status.details.iter().find_map(|detail| match detail {
            StatusDetails::ErrorInfo(info) if !info.reason.is_empty() => Some(info.reason.as_str()),
            _ => None,
        });
        match reason {
            Some("SERVICE_DISABLED" | "BILLING_DISABLED") => {
                let code = reason.unwrap_or_default();
                return Self::new(
                    code,
                    GapReason::Denied,
                    "the API is disabled in the project, or has no billing; enable it",
                );
            }
            Some("USER_PROJECT_DENIED" | "USER_PROJECT_MISSING" | "CONSUMER_INVALID") => {
                return Self::user_project();
            }
            _ => {}
        }
        match status.code {
            Code::Unauthenticated => {
                Self::without_credentials("the service does not accept the credentials; log in anew")
            }
            Code::InvalidArgument if status.message.contains("requester pays") => Self::user_project(),
            code => Self::meant(code.name(), &status.message),
        }
    }

    fn user_project() -> Self {
        Self::new(
            "USER_PROJECT_MISSING",
            GapReason::Denied,
            "the requester pays; name a project to bill as `user_project` that the credentials may use",
        )
    }

    /// The media of an object are answered for without a status of the API's.
    pub(super) fn by_http(status: u16, payload: &[u8]) -> Self {
        let text = String::from_utf8_lossy(payload);
        match status {
            400 if text.contains("requester pays") => Self::user_project(),
            401 => Self::without_credentials(
                "anyone may not, and the request carries no credentials that are accepted",
            ),
            400 => Self::meant("INVALID_ARGUMENT", &text),
            403 => Self::meant("PERMISSION_DENIED", &text),
            404 | 412 => Self::meant("NOT_FOUND", &text),
            408 | 504 => Self::meant("DEADLINE_EXCEEDED", &text),
            429 | 503 => Self::meant("RESOURCE_EXHAUSTED", &text),
            200..300 => Self::unparsable(),
            _ => Self::meant("INTERNAL", &text),
        }
    }

    /// A key that is lost or withheld stands in the message only ("Troubleshooting", Cloud Storage and Cloud KMS).
    fn meant(code: &str, message: &str) -> Self {
        let key = if message.contains("customer-supplied") || message.contains("CustomerEncryptionKey") {
            Some("encrypted with a key that only its writer holds")
        } else if message.contains("Cloud KMS") || message.contains("cloudkms") {
            Some(
                "its key in Cloud KMS may not be used; check the key and the storage service agent's role on it",
            )
        } else {
            None
        };
        match key {
            Some(advice) => Self::new(code, GapReason::KeyDenied, advice),
            None => Self { code: code.to_owned(), reason: gap_reason(code), advice: None },
        }
    }

    /// The door's error for `operation` on `resource`.
    pub(super) fn at(self, operation: &'static str, resource: &str) -> CloudError {
        let resource = resource.to_owned();
        match (self.reason, self.advice) {
            (GapReason::Denied, None) => CloudError::Denied { operation, resource },
            (GapReason::NotFound, _) => CloudError::NotFound { operation, resource },
            (GapReason::Throttled, _) => CloudError::Throttled { operation, resource },
            (reason, advice) => {
                CloudError::Failed { operation, resource, reason, message: advice.unwrap_or(self.code) }
            }
        }
    }

    /// The same for requests that carry none on purpose: being asked for credentials is the refusal.
    pub(super) fn without_asking_for_credentials(self) -> Self {
        if self.code == NO_CREDENTIALS { Self { advice: None, ..self } } else { self }
    }

    /// Whether a refusal is about nothing but a missing permission.
    pub(super) fn is_refusal(&self) -> bool {
        self.reason == GapReason::Denied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disabled_api_says_so_instead_of_asking_for_a_permission() {
        let info = serde_json::json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"});
        let info: StatusDetails = serde_json::from_value(info).expect("details");
        let status = Status::default().set_code(Code::PermissionDenied).set_details([info]);
        let error = Failure::of(&Error::service(status)).at("cloudresourcemanager:projects.get", "p");
        assert!(error.to_string().contains("enable it"), "{error}");
        assert_eq!(error.gap().reason, GapReason::Denied);
    }

    #[test]
    fn statuses_are_told_apart_by_what_the_caller_does_next() {
        for (code, reason) in [
            (Code::PermissionDenied, GapReason::Denied),
            (Code::NotFound, GapReason::NotFound),
            (Code::ResourceExhausted, GapReason::Throttled),
            (Code::DeadlineExceeded, GapReason::TimedOut),
            (Code::Unavailable, GapReason::Unreachable),
            (Code::Internal, GapReason::Failed),
        ] {
            let error = Error::service(Status::default().set_code(code));
            assert_eq!(Failure::of(&error).reason, reason, "{code:?}");
        }
    }

    #[test]
    fn a_key_that_is_withheld_is_told_from_a_missing_permission() {
        let message = "Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has access.";
        assert_eq!(Failure::by_http(403, message.as_bytes()).reason, GapReason::KeyDenied);
        assert_eq!(
            Failure::by_http(403, b"x does not have storage.objects.get access").reason,
            GapReason::Denied
        );
    }
}
