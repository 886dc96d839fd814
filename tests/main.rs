//! End to end, through the binary.

// Clippy excuses only functions marked as tests; everything in this file is one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod acme;
mod acme_server;
mod affected;
mod aws;
mod cloud_conformance;
mod copies;
mod gcp;
mod lifecycle;
mod local;
mod lockdown;
mod metrics;
mod report;
mod scan;
mod schema;
mod servers;
mod store;
mod tickets;
mod tidy;
mod versions;

use std::process::{Command, Output, Stdio};

fn spillwatch(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_spillwatch")).args(args).output().unwrap()
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_unknown_target_is_one_clear_sentence() {
    let output = spillwatch(&["scan", "no-such-folder"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        said,
        "spillwatch: unknown target `no-such-folder`; name a folder, `s3://BUCKET[/PREFIX]`, `gs://BUCKET[/PREFIX]`, `aws` or `gcp`\n"
    );
}

#[test]
fn an_empty_folder_ends_with_its_coverage() {
    let folder = tempfile::tempdir().unwrap();
    let output = spillwatch(&["scan", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    let lines = lines(&output);
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["schema"], "spillwatch.coverage/1");
    assert_eq!(lines[0]["objects"]["listed"], 0);
    assert_eq!(lines[0]["complete"], true);
}

#[test]
fn a_denied_listing_is_a_gap_and_the_scan_goes_on() {
    let estate = tempfile::tempdir().unwrap();
    let bucket = estate.path().join("aws/111122223333/locked");
    std::fs::create_dir_all(&bucket).unwrap();
    std::fs::write(estate.path().join("estate.toml"), "").unwrap();
    let facts = r#"{"s3:ListObjectsV2": {"Error": {"Code": "AccessDenied"}}}"#;
    std::fs::write(bucket.join("facts.json"), facts).unwrap();
    let output = spillwatch(&["scan", "--require-full-coverage", estate.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(4));
    let coverage = lines(&output).pop().unwrap();
    assert!(coverage["gaps_by_reason"]["denied"].as_u64().unwrap() >= 1);
    assert_eq!(coverage["buckets"], 1);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_failure() {
    use std::io::{BufRead, BufReader};
    let many = tempfile::tempdir().unwrap();
    for name in 0..2_000 {
        std::fs::write(many.path().join(format!("{name}.csv")), "a,b\n1,2\n").unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillwatch"));
    command.args(["classify", many.path().to_str().unwrap()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut first = String::new();
    BufReader::new(running.stdout.take().unwrap()).read_line(&mut first).unwrap();
    let ended = running.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(ended.stderr).unwrap(), "");
    assert_eq!(ended.status.code(), Some(0));
}
