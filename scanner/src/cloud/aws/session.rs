//! With which clients is one account asked: whose credentials, which region, how fast, how patiently?

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::retry::{ClientRateLimiter, RetryConfig, RetryPartition};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{
    IdentityCache, ResponseChecksumValidation, SharedCredentialsProvider, StalledStreamProtectionConfig,
};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3control::config::endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use tokio::sync::Semaphore;

use super::answer_check::AnswerCheck;
use super::history::{Trail, Trails};
use super::settings::{AwsSettings, Role};
use crate::cloud::pace::Pace;
use crate::cloud::pages::REQUESTS_AT_ONCE;
use crate::cloud::post::Patience;
use crate::estate::Bucket;

/// Asked first where neither flag nor environment nor profile names a region.
const REGION_DEFAULT: &str = "us-east-1";
/// The region that routes what is asked about multi-region access points.
const MULTI_REGION: &str = "us-west-2";
/// An answer that is taken in whole is given up after this many read timeouts.
const ATTEMPT_IN_READ_TIMEOUTS: u32 = 3;

/// What all accounts share: the connections, the patience, the caller's own credentials. No network.
pub(super) async fn caller_config(settings: &AwsSettings) -> SdkConfig {
    let connections = aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc))
        .build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(settings.connect_timeout)
        .read_timeout(settings.read_timeout)
        .operation_attempt_timeout(settings.read_timeout * ATTEMPT_IN_READ_TIMEOUTS)
        .build();
    let region = region_chain(settings).region().await;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(connections.clone())
        .timeout_config(timeouts)
        .retry_config(RetryConfig::adaptive().with_max_attempts(settings.attempts_max))
        .region(region.clone())
        // Bodies are watched where they are read, which can resume them.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // Servers other than AWS answer wrong checksums for multipart objects; TLS and the length guard the bytes.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Ok(name) = AppName::new("spillwatch") {
        loader = loader.app_name(name);
    }
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    loader = match (&settings.credentials, &settings.profile) {
        _ if !settings.sign_requests => loader.no_credentials(),
        (Some(credentials), _) => loader.credentials_provider(credentials.clone()),
        // A profile that was named goes before the environment, as in AWS's own command line.
        (None, Some(profile)) => {
            let setting = ProviderConfig::without_region().with_region(region).with_http_client(connections);
            let provider =
                ProfileFileCredentialsProvider::builder().configure(&setting).profile_name(profile);
            loader.credentials_provider(provider.build())
        }
        (None, None) => loader,
    };
    loader.load().await
}

/// The SDK's own chain ends by asking the machine's metadata service, which outside AWS costs seconds.
fn region_chain(settings: &AwsSettings) -> RegionProviderChain {
    let mut profile = ProfileFileRegionProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    RegionProviderChain::first_try(settings.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(Region::from_static(REGION_DEFAULT))
}

/// One account as we entered it: its clients by region, made when first needed.
#[derive(Debug)]
pub(super) struct Session {
    config: SdkConfig,
    path_style: bool,
    sign_requests: bool,
    pub(super) keys_per_page: u16,
    pace: Pace,
    /// A throttled account slows its own requests down, not those to others.
    retries: RetryPartition,
    s3: Mutex<BTreeMap<String, aws_sdk_s3::Client>>,
    control: Mutex<BTreeMap<String, aws_sdk_s3control::Client>>,
    /// Where buckets turned out to be.
    homes: Mutex<BTreeMap<String, String>>,
    /// Leave for further requests of listings.
    pub(super) listings: Arc<Semaphore>,
    trails: Trails,
    patience: Patience,
}

impl Session {
    /// A session with the caller's credentials, or in `role`, which is assumed at the first request and renewed
    /// before it ends.
    pub(super) async fn enter(
        caller: &SdkConfig,
        settings: &AwsSettings,
        account: &str,
        role: Option<&Role>,
    ) -> Self {
        let config = match role {
            None => caller.clone(),
            Some(role) => {
                let mut provider = AssumeRoleProvider::builder(role.arn(account, region_of(caller)))
                    .session_name("spillwatch")
                    .session_length(settings.session_duration)
                    .configure(caller);
                if let Some(id) = &role.external_id {
                    provider = provider.external_id(id);
                }
                if let Some(policy) = &settings.session_policy {
                    provider = provider.policy(policy);
                }
                let provider = SharedCredentialsProvider::new(provider.build().await);
                let cache = IdentityCache::lazy().build();
                caller.to_builder().credentials_provider(provider).identity_cache(cache).build()
            }
        };
        Self {
            config,
            path_style: settings.path_style,
            sign_requests: settings.sign_requests,
            keys_per_page: settings.keys_per_page,
            pace: Pace::new(settings.requests_per_second),
            retries: retries(account, settings.requests_per_second),
            s3: Mutex::default(),
            control: Mutex::default(),
            homes: Mutex::default(),
            listings: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
            trails: Trails::default(),
            patience: Patience {
                connect: settings.connect_timeout,
                answer: settings.read_timeout * ATTEMPT_IN_READ_TIMEOUTS,
                attempts_max: settings.attempts_max,
            },
        }
    }

    /// Sends what `call` asks of the bucket's region, and once more where S3 names another region.
    pub(super) async fn send<T, E, F, Answer>(
        &self,
        bucket: &Bucket,
        call: F,
    ) -> Result<T, SdkError<E, HttpResponse>>
    where
        F: Fn(aws_sdk_s3::Client) -> Answer,
        Answer: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let region = self.home(bucket);
        self.pace.turn().await;
        let answer = call(self.s3(&region)).await;
        let Some(named) = answer.as_ref().err().and_then(region_named).filter(|named| *named != region)
        else {
            return answer;
        };
        lock(&self.homes).insert(bucket.name.clone(), named.clone());
        self.pace.turn().await;
        call(self.s3(&named)).await
    }

    /// Sends what `call` asks of the account in the caller's region.
    pub(super) async fn send_to_account<T, F, Answer>(&self, call: F) -> T
    where
        F: FnOnce(aws_sdk_s3::Client) -> Answer,
        Answer: Future<Output = T>,
    {
        self.pace.turn().await;
        call(self.s3(region_of(&self.config))).await
    }

    /// Sends what `call` asks of S3 Control, in the bucket's region or in the caller's.
    pub(super) async fn control<T, F, Answer>(&self, bucket: Option<&Bucket>, call: F) -> T
    where
        F: FnOnce(aws_sdk_s3control::Client) -> Answer,
        Answer: Future<Output = T>,
    {
        let region = bucket.map_or_else(|| region_of(&self.config).to_owned(), |bucket| self.home(bucket));
        self.pace.turn().await;
        call(self.control_client(&region)).await
    }

    /// Sends what `call` asks about multi-region access points, of which one region alone knows ("Using Multi-Region
    /// Access Points with supported API operations", S3 User Guide).
    pub(super) async fn multi_region_control<T, F, Answer>(&self, call: F) -> T
    where
        F: FnOnce(aws_sdk_s3control::Client) -> Answer,
        Answer: Future<Output = T>,
    {
        self.pace.turn().await;
        call(self.control_client(MULTI_REGION)).await
    }

    /// Sends what `call` asks of CloudFront as the account.
    pub(super) async fn cloudfront<T, F, Answer>(&self, call: F) -> T
    where
        F: FnOnce(aws_sdk_cloudfront::Client) -> Answer,
        Answer: Future<Output = T>,
    {
        self.pace.turn().await;
        let config = aws_sdk_cloudfront::config::Builder::from(&self.config).interceptor(AnswerCheck);
        call(aws_sdk_cloudfront::Client::from_conf(config.build())).await
    }

    /// Sends what `call` asks of IAM as the account.
    pub(super) async fn iam<T, F, Answer>(&self, call: F) -> T
    where
        F: FnOnce(aws_sdk_iam::Client) -> Answer,
        Answer: Future<Output = T>,
    {
        self.pace.turn().await;
        let config = aws_sdk_iam::config::Builder::from(&self.config).interceptor(AnswerCheck);
        call(aws_sdk_iam::Client::from_conf(config.build())).await
    }

    /// Sends what `call` asks of Organizations as the account.
    pub(super) async fn organizations<T, F, Answer>(&self, call: F) -> T
    where
        F: FnOnce(aws_sdk_organizations::Client) -> Answer,
        Answer: Future<Output = T>,
    {
        self.pace.turn().await;
        call(organizations(&self.config)).await
    }

    /// What was done in a region.
    pub(super) fn trail(&self, region: &str) -> Arc<Trail> {
        self.trails.of(region, self.patience)
    }

    /// Whose credentials requests are signed with.
    pub(super) fn credentials(&self) -> Option<SharedCredentialsProvider> {
        self.config.credentials_provider()
    }

    /// Where a service answers for a region ("Service endpoints", AWS General Reference).
    pub(super) fn endpoint(&self, service: &str, region: &str) -> String {
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        let aws = || format!("https://{service}.{region}.{suffix}/");
        self.config.endpoint_url().map_or_else(aws, |url| format!("{}/", url.trim_end_matches('/')))
    }

    /// The region whose endpoint answers for the bucket.
    pub(super) fn home(&self, bucket: &Bucket) -> String {
        if let Some(region) = lock(&self.homes).get(&bucket.name) {
            return region.clone();
        }
        // Another server's idea of a location (`default`) need not be a region to sign for.
        let stated = bucket.region.as_deref().filter(|name| is_region(name));
        stated.unwrap_or_else(|| region_of(&self.config)).to_owned()
    }

    fn s3(&self, region: &str) -> aws_sdk_s3::Client {
        let make = || {
            let mut config = aws_sdk_s3::config::Builder::from(&self.config)
                .region(Region::new(region.to_owned()))
                .force_path_style(self.path_style)
                .retry_partition(self.retries.clone())
                .interceptor(AnswerCheck);
            if !self.sign_requests {
                config = config.allow_no_auth();
            }
            aws_sdk_s3::Client::from_conf(config.build())
        };
        lock(&self.s3).entry(region.to_owned()).or_insert_with(make).clone()
    }

    fn control_client(&self, region: &str) -> aws_sdk_s3control::Client {
        let make = || {
            let mut config = aws_sdk_s3control::config::Builder::from(&self.config)
                .region(Region::new(region.to_owned()))
                .retry_partition(self.retries.clone())
                .interceptor(AnswerCheck);
            if let Some(url) = self.config.endpoint_url() {
                config = config.endpoint_resolver(FixedEndpoint(url.to_owned()));
            }
            aws_sdk_s3control::Client::from_conf(config.build())
        };
        lock(&self.control).entry(region.to_owned()).or_insert_with(make).clone()
    }
}

/// S3 Control puts the account's id before the host's name, which no other server answers to.
#[derive(Debug)]
struct FixedEndpoint(String);

impl ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(&'a self, _params: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}

/// What the retries of one account share. Until its rate is measured it is taken to bear the configured one: the SDK
/// would start from none, and after a first `SlowDown` send a request every two seconds.
fn retries(account: &str, requests_per_second: u32) -> RetryPartition {
    let limiter = ClientRateLimiter::builder().tokens_retrieved_per_second(f64::from(requests_per_second));
    RetryPartition::custom(account.to_owned()).client_rate_limiter(limiter.build()).build()
}

/// Organizations, asked with the configuration's credentials.
pub(super) fn organizations(config: &SdkConfig) -> aws_sdk_organizations::Client {
    let config = aws_sdk_organizations::config::Builder::from(config).interceptor(AnswerCheck);
    aws_sdk_organizations::Client::from_conf(config.build())
}

/// The token service, asked with the configuration's credentials.
pub(super) fn sts(config: &SdkConfig) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::config::Builder::from(config).interceptor(AnswerCheck);
    aws_sdk_sts::Client::from_conf(config.build())
}

/// The region that the configuration settled on.
pub(super) fn region_of(config: &SdkConfig) -> &str {
    config.region().map_or(REGION_DEFAULT, AsRef::as_ref)
}

/// The region that an error names as the bucket's: S3 answers 301 or 307 from a wrong region's endpoint, and 400 to a
/// signature for a wrong region ("Making requests to a bucket in another region", S3 User Guide).
fn region_named<E>(error: &SdkError<E, HttpResponse>) -> Option<String> {
    let response = error.raw_response()?;
    let header = response.headers().get("x-amz-bucket-region");
    let named = match header {
        Some(name) => name,
        None => {
            let body = std::str::from_utf8(response.body().bytes()?).ok()?;
            body.split_once("<Region>")?.1.split_once("</Region>")?.0
        }
    };
    is_region(named).then(|| named.to_owned())
}

/// Whether a server's word can stand in a host name as a region.
fn is_region(name: &str) -> bool {
    name.len() <= 32
        && name.contains('-')
        && name.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_that_are_safe_in_a_host_name_are_regions() {
        for name in ["eu-central-1", "us-gov-west-1", "ap-southeast-5", "mx-central-1"] {
            assert!(is_region(name), "{name}");
        }
        for name in
            ["", "default", "eu-west-1.evil.example", "eu-west-1/", "EU-WEST-1", "-", "eu--1", "a b-1"]
        {
            assert!(!is_region(name), "{name}");
        }
    }
}
