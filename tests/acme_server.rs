//! Does a scan through the SDK, of the demo estate on a server that others wrote, say what a scan of the folder says?

use std::collections::BTreeMap;
use std::process::Command;

use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use serde_json::Value;
use spillwatch_fixtures::seed::{self, Server};

use crate::acme::estate;
use crate::{lines, servers, spillwatch};

const ACCOUNTS: [&str; 2] = ["111122223333", "444455556666"];
/// Nothing on this server can deny its owner a read, so what stands in the estate as denied cannot be recreated.
const DENIED: &str = "acme-vault-backups";
/// The owner whom this server names in its listings; its ACLs name another, so that the owner's own grant looks foreign.
const OWNER: &str = "bcaf1ffd86f41161ca5fb16fd081034f";

/// Credentials inside an account: the server hands them out to whoever assumes a role there.
async fn inside(endpoint: &str, account: &str) -> Credentials {
    let sts = aws_sdk_sts::config::Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(Credentials::new("tests", "tests", None, None, "tests"))
        .build();
    let arn = format!("arn:aws:iam::{account}:role/seeder");
    let assume = aws_sdk_sts::Client::from_conf(sts).assume_role().role_arn(arn).role_session_name("seeder");
    let keys = assume.send().await.unwrap().credentials.unwrap();
    Credentials::new(keys.access_key_id, keys.secret_access_key, Some(keys.session_token), None, "tests")
}

async fn seed(endpoint: &str, account: &str) {
    let credentials = inside(endpoint, account).await;
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .credentials_provider(credentials.clone())
        .build();
    // The SDK would put the account before the host's name, which a server on loopback does not have.
    let control = aws_sdk_s3control::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_resolver(Fixed(endpoint.to_owned()))
        .credentials_provider(credentials)
        .build();
    let control = aws_sdk_s3control::Client::from_conf(control);
    let server = Server::new(aws_sdk_s3::Client::from_conf(s3), Some(control)).await.unwrap();
    seed::account(&server, &estate(), account).await.unwrap();
}

#[derive(Debug)]
struct Fixed(String);

impl aws_sdk_s3control::config::endpoint::ResolveEndpoint for Fixed {
    fn resolve_endpoint<'a>(
        &'a self,
        _: &'a aws_sdk_s3control::config::endpoint::Params,
    ) -> aws_sdk_s3control::config::endpoint::EndpointFuture<'a> {
        let endpoint = aws_sdk_s3control::config::endpoint::Endpoint::builder().url(self.0.clone()).build();
        aws_sdk_s3control::config::endpoint::EndpointFuture::ready(Ok(endpoint))
    }
}

/// What of a finding must not depend on where the estate stands, by the finding's name.
fn findings(report: &[Value]) -> BTreeMap<String, String> {
    let compared = |line: &&Value| {
        line["schema"] == "spillwatch.finding/1" && line["provider"] == "aws" && line["bucket"] != DENIED
    };
    report
        .iter()
        .filter(compared)
        .map(|line| {
            let detections = line["detections"].as_array().unwrap();
            let counts: Vec<_> = detections
                .iter()
                .map(|found| (&found["occurrences"], &found["distinct"], &found["kinds"]))
                .collect();
            let ways = line["exposures"].as_array().unwrap();
            let ways: Vec<_> =
                ways.iter().map(|way| [&way["audience"], &way["access"], &way["certainty"]]).collect();
            let said = format!("{} {} {counts:?} {ways:?}", line["severity"], line["objects"]["count"]);
            (format!("{} {} {} {}", line["bucket"], line["rule"], line["class"], line["uid"]), said)
        })
        .collect()
}

#[tokio::test]
async fn a_server_and_the_folder_give_the_same_findings() {
    let moto = servers::moto();
    for account in ACCOUNTS {
        seed(&moto.endpoint, account).await;
    }
    let config = tempfile::NamedTempFile::new().unwrap();
    let text = format!(
        "[aws]\naccounts = {ACCOUNTS:?}\nrole_name = \"spillwatch-scan\"\nendpoint_url = \"{}\"\npath_style = true\n\
         [zone_of_trust]\norganizations = [\"o-acme4k2x9w\"]\ncanonical_ids = [\"{OWNER}\"]\n",
        moto.endpoint
    );
    std::fs::write(config.path(), text).unwrap();
    let scan = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
        .args(["scan", "aws", "--all", "--region", "us-east-1", "--config"])
        .arg(config.path())
        .envs([("AWS_ACCESS_KEY_ID", "tests"), ("AWS_SECRET_ACCESS_KEY", "tests")])
        .output()
        .unwrap();
    assert_eq!(scan.status.code(), Some(0), "{}", String::from_utf8_lossy(&scan.stderr));
    let folder = spillwatch(&["scan", "--all", estate().to_str().unwrap()]);

    let (server, folder) = (findings(&lines(&scan)), findings(&lines(&folder)));
    assert!(server.len() > 5, "{server:#?}");
    for (name, said) in &folder {
        assert_eq!(server.get(name), Some(said), "{name}");
    }
    let unexpected: Vec<_> = server.keys().filter(|name| !folder.contains_key(*name)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}
