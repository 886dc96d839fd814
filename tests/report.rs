//! Are reports what others read them as: valid by their official schemas, safe, bounded, and as people know them?

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::lifecycle::Estate;
use crate::{lines, spillwatch};

mod browser;
mod formats;
mod golden;
mod page;

/// Where `tests/servers/install` puts what is not a Debian package.
fn cache() -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/spillwatch-tests");
    std::env::var_os("SPILLWATCH_TEST_CACHE").map_or_else(home, PathBuf::from)
}

/// The newest installation of something there.
fn installed(name: &str, file: &str) -> PathBuf {
    let folders = std::fs::read_dir(cache()).into_iter().flatten().flatten().map(|entry| entry.path());
    let named = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with(name);
    let found = folders.filter(named).map(|path| path.join(file)).filter(|path| path.exists()).max();
    found.unwrap_or_else(|| panic!("{name} is missing in {}; run tests/servers/install", cache().display()))
}

/// Runs a program on `input` and waits for it.
fn fed(command: &mut Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_owned());
    let feeding = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // Who has found a mistake may stop to read.
    let _ = feeding.join().unwrap();
    output
}

/// What `spillwatch report` makes of lines.
fn reported(report: &[Value], args: &[&str]) -> Output {
    let text: String = report.iter().map(|line| format!("{line}\n")).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillwatch"));
    let output = fed(command.arg("report").args(args).arg("-"), text.as_bytes());
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Three runs with a ledger, in which findings of every kind and status stand.
fn life() -> Vec<Vec<Value>> {
    let estate = Estate::new();
    let leak = estate.scan(&["--all"]);
    let uid = leak[0]["uid"].as_str().unwrap();
    let tomorrow = (time::OffsetDateTime::now_utc() + time::Duration::days(1)).date().to_string();
    let ledger = estate.file("ledger.db");
    let said = ["--reason", "a drill", "--author", "ada", "--until", &tomorrow, "--state", &ledger];
    assert!(spillwatch(&[&["findings", "suppress", uid], &said[..]].concat()).status.success());
    estate.lock();
    let locked = estate.scan(&["--all"]);
    estate.reopen();
    let reopened = estate.scan(&["--all"]);
    vec![leak, locked, reopened]
}

fn findings(report: &[Value]) -> impl Iterator<Item = &Value> + Clone {
    report.iter().filter(|line| line["schema"] == "spillwatch.finding/1")
}

#[test]
fn one_scan_writes_several_reports() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (page, table) = (file("report.html"), file("report.csv"));
    let estate = crate::acme::estate();
    let (page_arg, table_arg) = (format!("html={page}"), format!("csv={table}"));
    let args = ["scan", "--report", &page_arg, "--report", &table_arg, estate.to_str().unwrap()];
    let output = spillwatch(&args);
    let report = lines(&output);
    let page = std::fs::read_to_string(page).unwrap();
    let table = std::fs::read_to_string(table).unwrap();
    for finding in findings(&report) {
        let uid = finding["uid"].as_str().unwrap();
        assert!(page.contains(uid) && table.contains(uid), "{uid}");
    }
}

#[test]
fn no_format_shows_anybodys_data() {
    let report = golden::settled();
    let canaries = spillwatch_fixtures::acme::canaries();
    assert!(!canaries.is_empty());
    for format in ["human", "jsonl", "csv", "html", "ocsf", "ocsf-detection", "sarif", "asff"] {
        let hub = ["--format", format, "--security-hub", "111122223333/eu-west-1"];
        let said = text(&reported(&report, &hub));
        let shown: Vec<_> = canaries.iter().filter(|canary| said.contains(canary.as_str())).collect();
        assert!(shown.is_empty(), "{format}: {shown:?}");
    }
}

#[test]
fn a_full_disk_is_named_and_spoils_no_other_report() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let also = format!("html={}", page.display());
    let args = ["scan", "--output", "/dev/full", "--report", &also, "--report", "csv=/dev/null"];
    let output = spillwatch(&[&args[..], &[crate::acme::estate().to_str().unwrap()]].concat());
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("could not write `/dev/full`"), "{said}");
    assert!(std::fs::read_to_string(page).unwrap().ends_with("</html>\n"));
}

#[test]
fn what_cannot_be_written_is_told_before_the_scan() {
    let output = spillwatch(&["scan", "--report", "html=/nowhere/report.html", "no-such-folder-is-opened"]);
    assert_eq!(output.status.code(), Some(1));
    let output = spillwatch(&["report", "--format", "asff", "-"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("`asff` needs `--security-hub ACCOUNT/REGION`"), "{said}");
    for wrong in ["html", "html=", "word=file"] {
        assert_eq!(spillwatch(&["scan", "--report", wrong, "."]).status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn a_report_that_breaks_off_says_so_in_every_format() {
    let mut report = lines(&spillwatch(&["scan", crate::acme::estate().to_str().unwrap()]));
    report.pop();
    let text: String = report.iter().map(|line| format!("{line}\n")).collect();
    for format in ["human", "jsonl", "csv", "html", "ocsf", "sarif"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spillwatch"));
        let output = fed(command.args(["report", "--format", format, "-"]), text.as_bytes());
        assert_eq!(output.status.code(), Some(1), "{format}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("interrupted"), "{format}");
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/report").join(name)
}
