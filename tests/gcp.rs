//! Does the door to Google Cloud open through the official client libraries, and what becomes of what fails?

mod acme;
mod explain;
mod facts;
mod faults;
mod history;
mod lockdown;
mod projects;
mod versions;

use std::time::Duration;

use google_cloud_auth::credentials::user_account;
use spillwatch::cloud::gcp::{GcpCloud, GcpSettings, Projects};
use spillwatch::estate::{Account, Bucket, Object, Provider};
use spillwatch_fixtures::gcs_server::{GcsServer, Stored};

use crate::cloud_conformance::list;

/// The project in which the tests' buckets stand.
const PROJECT: &str = "conformance-project";

/// Settings for the stand-in, impatient enough for faults to show within seconds.
fn settings(server: &GcsServer) -> GcpSettings {
    let credentials = user_account::Builder::new(server.credentials()).build().expect("credentials");
    GcpSettings {
        credentials: Some(credentials),
        endpoint: Some(server.endpoint()),
        projects: Projects::Listed(vec![PROJECT.to_owned()]),
        attempts_max: 2,
        read_timeout: Duration::from_secs(2),
        ..GcpSettings::default()
    }
}

fn connect(server: &GcsServer) -> GcpCloud {
    GcpCloud::connect(settings(server))
}

fn bucket(name: &str) -> Bucket {
    let account = Account { provider: Provider::Gcp, id: PROJECT.to_owned() };
    Bucket { account, name: name.to_owned(), region: None }
}

/// A bucket `b` with one object `k`, as it is listed.
async fn one_object(object: impl Into<Stored>) -> (GcsServer, GcpCloud, Object) {
    let server = GcsServer::start().expect("started");
    server.put(PROJECT, "b", "k", object);
    let cloud = connect(&server);
    let object = list(&cloud, &bucket("b"), "").await.expect("listed").remove(0);
    (server, cloud, object)
}
