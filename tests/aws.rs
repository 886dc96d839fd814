//! Does the door to AWS open on servers that others wrote, and on a stand-in that fails by script?

mod archive;
mod ceph;
mod facts;
mod faults;
mod history;
mod isolation;
mod listing;
mod lockdown;
mod moto;
mod versions;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use spillwatch::cloud::aws::{AwsCloud, AwsSettings, UNKNOWN_ACCOUNT};
use spillwatch::estate::{Account, Bucket, Object, Provider};
use spillwatch_fixtures::s3_server::S3Server;

use crate::cloud_conformance::{BUCKET, list, objects, older};

/// Settings for a server of the tests, impatient enough for faults to show within seconds.
fn settings(endpoint: &str, user: &str) -> AwsSettings {
    AwsSettings {
        credentials: Some(credentials(user)),
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint.to_owned()),
        path_style: true,
        read_timeout: Duration::from_secs(2),
        ..AwsSettings::default()
    }
}

pub fn credentials(user: &str) -> Credentials {
    Credentials::new(user, format!("{user}secret"), None, None, "tests")
}

/// A client that writes, to prepare what is read.
pub fn seeder(endpoint: &str, credentials: Credentials) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(credentials)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

async fn seed_conformance(s3: &aws_sdk_s3::Client) {
    s3.create_bucket().bucket(BUCKET).send().await.expect("the bucket is made");
    keep_versions(s3, BUCKET).await;
    for (key, bytes) in older() {
        put(s3, BUCKET, key, bytes).await;
        if !objects().contains_key(key) {
            s3.delete_object().bucket(BUCKET).key(key).send().await.expect("deleted");
        }
    }
    for (key, bytes) in objects() {
        put(s3, BUCKET, key, bytes).await;
    }
}

pub async fn keep_versions(s3: &aws_sdk_s3::Client, bucket: &str) {
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(bucket).versioning_configuration(enabled).send().await.expect("set");
}

pub async fn put(s3: &aws_sdk_s3::Client, bucket: &str, key: &str, bytes: impl Into<Vec<u8>>) {
    let body = ByteStream::from(bytes.into());
    s3.put_object().bucket(bucket).key(key).body(body).send().await.expect("the object is put");
}

/// A bucket of the stand-in.
fn bucket(name: &str) -> Bucket {
    let account = Account { provider: Provider::Aws, id: UNKNOWN_ACCOUNT.to_owned() };
    Bucket { account, name: name.to_owned(), region: None }
}

/// The door to the stand-in.
fn connect(server: &S3Server) -> AwsCloud {
    AwsCloud::connect(settings(&server.endpoint(), "tests"))
}

/// A server with one bucket `b` that holds one object `k`, and the door to it.
async fn one_object(content: &[u8]) -> (S3Server, AwsCloud, Object) {
    let server = S3Server::start().expect("started");
    server.put("b", "k", content.to_vec());
    let cloud = connect(&server);
    let object = list(&cloud, &bucket("b"), "").await.expect("listed").remove(0);
    (server, cloud, object)
}
