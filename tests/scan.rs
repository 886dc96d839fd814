//! Does the engine keep its promises: many reads at once, bounded memory, a clean end when told to stop?

use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use spillwatch_fixtures::s3_server::{Fault, S3Server, Stored};

use crate::lines;

fn command(server: &S3Server, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillwatch"));
    command
        .args(["scan", "--path-style", "--region", "us-east-1", "--endpoint-url", &server.endpoint()])
        .args(args);
    command.envs([("AWS_ACCESS_KEY_ID", "tests"), ("AWS_SECRET_ACCESS_KEY", "tests")]);
    command
}

fn scan(server: &S3Server, args: &[&str]) -> (Output, Value) {
    let output = command(server, args).output().unwrap();
    let coverage = lines(&output).pop().expect("a coverage line");
    assert_eq!(coverage["schema"], "spillwatch.coverage/1");
    (output, coverage)
}

/// The most memory that a finished child of this process had, in KiB; all children count.
pub fn peak_kib(command: &mut Command) -> (Output, u64) {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let watched = std::thread::spawn(move || {
        let mut peak = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(line) = line else { break };
            peak = peak.max(line.trim().trim_end_matches(" kB").parse().unwrap());
            std::thread::sleep(Duration::from_millis(20));
        }
        peak
    });
    (child.wait_with_output().unwrap(), watched.join().unwrap())
}

#[test]
fn many_slow_objects_are_read_at_once() {
    let server = S3Server::start().unwrap();
    server.generate("events", 300);
    server.delay("GetObject", Duration::from_millis(300));
    let (_, coverage) = scan(&server, &["--all", "s3://events"]);
    assert_eq!(coverage["objects"]["read"], 300);
    // Counted, not timed: the machine that runs the tests may be busy. The times are measured by the example `slow_reads`.
    assert!(server.at_once("GetObject") >= 100, "{}", server.at_once("GetObject"));
}

#[test]
fn an_object_larger_than_the_budget_is_streamed() {
    let server = S3Server::start().unwrap();
    let line = "2026-11-23T01:02:03Z worker-7 finished job 1234 in 56 ms\n".repeat(20_000);
    let times = (1 << 29) / line.len() as u64;
    server.put("logs", "huge.log", Stored { times, ..Stored::from(Bytes::from(line)) });
    let (output, peak) = peak_kib(&mut command(&server, &["--all", "s3://logs"]));
    let coverage = lines(&output).pop().unwrap();
    assert_eq!(coverage["objects"]["read"], 1, "{coverage}");
    assert!(coverage["bytes"]["read"].as_u64().unwrap() > 500 << 20, "{coverage}");
    assert!(peak > 0 && peak < 128 << 10, "{peak} KiB");
}

#[test]
fn a_large_listing_is_sampled_in_bounded_memory() {
    let server = S3Server::start().unwrap();
    server.generate("events", 200_000);
    let private =
        r#"<AccessControlPolicy><Owner><ID>me</ID></Owner><AccessControlList/></AccessControlPolicy>"#;
    server.configure("events", "acl", private);
    let enforced = "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>";
    server.configure("events", "ownershipControls", enforced);
    let (output, peak) = peak_kib(&mut command(&server, &["s3://events"]));
    let coverage = lines(&output).pop().unwrap();
    assert_eq!(coverage["objects"]["listed"], 200_000, "{coverage}");
    assert_eq!(coverage["objects"]["read"], 100, "{coverage}");
    assert!(peak > 0 && peak < 96 << 10, "{peak} KiB");
}

#[test]
fn a_read_that_keeps_breaking_off_is_a_gap_and_the_others_are_read() {
    let server = S3Server::start().unwrap();
    server.put("docs", "a.txt", "some text that breaks off");
    server.put("docs", "b.txt", "some text");
    server.fail("GetObject", 12, Fault::CutAfter(4));
    let (output, coverage) = scan(&server, &["--all", "s3://docs"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(coverage["objects"]["listed"], 2);
    let gaps: u64 = coverage["gaps_by_reason"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    assert!(gaps > 0, "{coverage}");
    assert_eq!(coverage["complete"], false);
}

#[test]
fn a_terminated_scan_reports_what_it_found_and_exits_non_zero() {
    let server = S3Server::start().unwrap();
    server.generate("events", 5_000);
    server.delay("GetObject", Duration::from_millis(400));
    let child = command(&server, &["--all", "s3://events"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while server.requests("GetObject") == 0 && started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let told = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
    assert_eq!(output.status.code(), Some(1));
    let coverage = lines(&output).pop().unwrap();
    assert_eq!(coverage["interrupted"], true);
    assert!(coverage["gaps_by_reason"]["interrupted"].as_u64().unwrap() > 0, "{coverage}");
}

#[test]
fn an_unreachable_endpoint_is_one_sentence_with_the_next_step() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillwatch"));
    command.args(["scan", "aws", "--endpoint-url", "http://127.0.0.1:9", "--region", "us-east-1"]);
    command.envs([("AWS_ACCESS_KEY_ID", "tests"), ("AWS_SECRET_ACCESS_KEY", "tests")]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("the endpoint cannot be reached; check its address and the network"), "{said}");
}

#[test]
fn every_mistake_in_a_configuration_is_told_with_its_line() {
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(config.path(), "[aws]\nroles = 1\n[limits]\nreads_in_flight_max = 0\n").unwrap();
    let path = config.path().to_str().unwrap();
    let output = crate::spillwatch(&["scan", "--config", path, "."]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("has 2 mistakes:\n  line 2: unknown setting `roles`"), "{said}");
    assert!(said.contains("\n  line 4: `reads_in_flight_max` is an integer; it takes"), "{said}");
}
