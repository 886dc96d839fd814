//! Which headers prove to AWS who sends a request that no client library here covers?

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;

/// A POST to be signed.
pub(crate) struct Unsigned<'a> {
    /// The service's name in the signature.
    pub(crate) service: &'a str,
    /// The region to sign for.
    pub(crate) region: &'a str,
    /// Where it goes.
    pub(crate) url: &'a str,
    /// The headers that it has already, which are signed with it.
    pub(crate) headers: &'a [(&'static str, String)],
    /// What it says.
    pub(crate) body: &'a str,
}

impl Unsigned<'_> {
    /// The headers to add ("Signature Version 4 for API requests", IAM User Guide); why not, in words, if so.
    pub(crate) fn signed_by(&self, credentials: Credentials) -> Result<Vec<(&'static str, String)>, String> {
        let identity = credentials.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(self.body.as_bytes());
        let signature = SignableRequest::new("POST", self.url, headers, body)
            .and_then(|signable| sign(signable, &parameters))
            .map_err(|error| format!("the request cannot be signed: {error}"))?;
        let (instructions, _) = signature.into_parts();
        let known = ["authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"];
        let added = instructions.headers().filter_map(|(name, value)| {
            let name = known.into_iter().find(|known| known.eq_ignore_ascii_case(name))?;
            Some((name, value.to_owned()))
        });
        Ok(added.collect())
    }
}
