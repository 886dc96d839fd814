//! Where is evidence kept so that nobody can change it? In a bucket of S3 with object lock.

use async_trait::async_trait;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::ObjectLockMode;
use bytes::Bytes;
use time::OffsetDateTime;

use super::failure::Failure;
use super::{Accounts, AwsCloud, AwsSettings, UNKNOWN_ACCOUNT};
use crate::cloud::{Archive, CloudError};
use crate::estate::{Account, Bucket, Provider};

/// A bucket with object lock, and how long it keeps what it is given.
#[derive(Debug)]
pub struct S3Archive {
    cloud: AwsCloud,
    bucket: Bucket,
    prefix: String,
    until: OffsetDateTime,
}

impl S3Archive {
    /// The keys below `prefix` of a bucket, written with the caller's own credentials and kept `until` then: by governance,
    /// which those whom the account trusts with it can lift.
    pub fn new(settings: AwsSettings, bucket: &str, prefix: &str, until: OffsetDateTime) -> Self {
        let settings = AwsSettings { accounts: Accounts::Own, only: None, session_policy: None, ..settings };
        let account = Account { provider: Provider::Aws, id: UNKNOWN_ACCOUNT.to_owned() };
        Self {
            cloud: AwsCloud::connect(settings),
            bucket: Bucket { account, name: bucket.to_owned(), region: None },
            prefix: prefix.trim_end_matches('/').to_owned(),
            until,
        }
    }
}

#[async_trait]
impl Archive for S3Archive {
    async fn keep(&self, name: &str, bytes: Bytes) -> Result<(), CloudError> {
        let session = self.cloud.session(&self.bucket.account).await?;
        let key = if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) };
        let until = DateTime::from_secs(self.until.unix_timestamp());
        let put = session.send(&self.bucket, |s3| {
            s3.put_object()
                .bucket(&self.bucket.name)
                .key(&key)
                .body(ByteStream::from(bytes.clone()))
                .object_lock_mode(ObjectLockMode::Governance)
                .object_lock_retain_until_date(until)
                .send()
        });
        match put.await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::of(&error).at("s3:PutObject", &self.bucket.name)),
        }
    }
}
