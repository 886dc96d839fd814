//! Does `spillwatch explain gs://…` say who reaches a bucket, and does a probe confirm it?

use std::process::{Command, Output};

use serde_json::Value;
use spillwatch_fixtures::gcs_server::GcsServer;

use crate::acme::estate;

fn explain(server: &GcsServer, args: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("adc.json");
    std::fs::write(&credentials, server.credentials().to_string()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_spillwatch"))
        .args(["explain", "--format", "json", "--gcp-endpoint", &server.endpoint()])
        .args(args)
        .env("GOOGLE_APPLICATION_CREDENTIALS", credentials)
        .output()
        .unwrap()
}

fn verdict(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_probe_confirms_what_the_facts_say() {
    let server = GcsServer::start().unwrap();
    server.seed(&estate(), "acme-data").unwrap();
    server.open("acme-clickstream-export");
    let trust = estate().join("estate.toml");
    let trust = ["--trust", trust.to_str().unwrap(), "--probe"];

    let open = verdict(&explain(&server, &[&["gs://acme-clickstream-export"], &trust[..]].concat()));
    assert_eq!(open["exposures"][0]["audience"], "anyone");
    let command = open["exposures"][1]["witness"]["command"].as_str().unwrap();
    assert!(
        command.starts_with("curl -s 'https://storage.googleapis.com/storage/v1/b/acme-clickstream-export/o"),
        "{command}"
    );
    for probed in open["probe"].as_array().unwrap() {
        assert_eq!(probed["outcome"], "confirmed", "{probed}");
    }

    let closed = verdict(&explain(&server, &[&["gs://acme-finance-reports"], &trust[..]].concat()));
    assert_eq!(closed["exposures"], serde_json::json!([]));
    assert_eq!(closed["probe"][0]["outcome"], "confirmed", "{closed}");
}
