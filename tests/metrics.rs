//! Do the figures of a run reach whoever watches, and does a run that fails look like one?

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use spillwatch_fixtures::tracker::{Fault, Tracker};

use crate::lifecycle::Estate;
use crate::{lines, spillwatch};

/// The values of a file in Prometheus' text format, by name with labels; each has a help and a type before it.
fn parsed(text: &str) -> BTreeMap<String, f64> {
    let mut values = BTreeMap::new();
    let mut described = "";
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            described = help.split(' ').next().unwrap();
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            assert_eq!(kind, format!("{described} gauge"));
        } else {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert_eq!(name.split('{').next().unwrap(), described, "{line}");
            assert!(values.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} stands twice");
        }
    }
    values
}

fn configured(estate: &Estate, text: &str) -> String {
    let config = estate.file("metrics.toml");
    std::fs::write(&config, format!("[metrics]\n{text}\n")).unwrap();
    config
}

#[test]
fn the_textfile_says_what_the_coverage_says() {
    let estate = Estate::new();
    let file = estate.file("spillwatch.prom");
    let config = configured(&estate, &format!("textfile = \"{file}\""));
    let report = estate.scan(&["--config", &config]);
    let coverage = report.last().unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let values = parsed(&text);
    for (name, pointer) in [
        ("accounts", "/accounts"),
        ("buckets", "/buckets"),
        ("buckets_exposed", "/buckets_exposed"),
        ("objects{state=\"listed\"}", "/objects/listed"),
        ("objects{state=\"read\"}", "/objects/read"),
        ("objects{state=\"skipped\"}", "/objects/skipped"),
        ("object_bytes{state=\"read\"}", "/bytes/read"),
        ("findings{severity=\"critical\"}", "/findings_by_severity/critical"),
        ("findings{severity=\"medium\"}", "/findings_by_severity/medium"),
        ("findings_by_status{status=\"new\"}", "/findings_by_status/new"),
        ("findings_unexamined", "/ledger/unexamined"),
    ] {
        let expected = coverage.pointer(pointer).unwrap().as_f64().unwrap();
        assert_eq!(values[&format!("spillwatch_{name}")], expected, "{name}");
    }
    assert_eq!(
        values["spillwatch_findings_by_status{status=\"reopened\"}"], 0.0,
        "what is not there is zero"
    );
    for (reason, count) in coverage["gaps_by_reason"].as_object().unwrap() {
        assert_eq!(values[&format!("spillwatch_gaps{{reason=\"{reason}\"}}")], count.as_f64().unwrap());
    }
    let (ran, well) = (
        values["spillwatch_last_run_timestamp_seconds"],
        values["spillwatch_last_success_timestamp_seconds"],
    );
    assert!(ran == well && ran > 1.7e9);
    let checked = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .expect("promtool, which `tests/servers/install` installs");
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    assert!(checked.status.success() && said.is_empty(), "{said}");
}

#[test]
fn a_run_that_fails_tells_so_and_keeps_when_one_last_went_well() {
    let estate = Estate::new();
    let (file, tracker) = (estate.file("spillwatch.prom"), Tracker::start().unwrap());
    let config = configured(
        &estate,
        &format!("textfile = \"{file}\"\nheartbeat = \"{}/abc\"", tracker.url("heartbeat")),
    );
    estate.scan(&["--config", &config]);
    let before = parsed(&std::fs::read_to_string(&file).unwrap());
    let asked = |tracker: &Tracker| {
        tracker.requests("heartbeat").into_iter().map(|request| request.line).collect::<Vec<_>>()
    };
    assert_eq!(asked(&tracker), ["GET /heartbeat/abc/start", "GET /heartbeat/abc"]);

    let ledger = estate.file("ledger.db");
    rusqlite::Connection::open(&ledger).unwrap().execute("UPDATE findings SET finding = 'x'", []).unwrap();
    // Times are told in whole seconds.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    let output = spillwatch(&["scan", "--config", &config, "--state", &ledger, &estate.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(asked(&tracker)[2..], ["GET /heartbeat/abc/start", "GET /heartbeat/abc/fail"]);
    let after = parsed(&std::fs::read_to_string(&file).unwrap());
    let success = "spillwatch_last_success_timestamp_seconds";
    assert_eq!(before[success], after[success]);
    assert!(after["spillwatch_last_run_timestamp_seconds"] > before["spillwatch_last_run_timestamp_seconds"]);
    assert_eq!(after["spillwatch_ledger_failed"], 1.0);
    // One that cannot even begin.
    assert_eq!(spillwatch(&["scan", "--config", &config, "no-such-folder"]).status.code(), Some(1));
    assert_eq!(asked(&tracker)[4..], ["GET /heartbeat/abc/start", "GET /heartbeat/abc/fail"]);
}

#[test]
fn a_collector_hears_the_same_figures() {
    let estate = Estate::new();
    let (file, tracker) = (estate.file("spillwatch.prom"), Tracker::start().unwrap());
    let config = configured(&estate, &format!("textfile = \"{file}\"\notlp = \"{}\"", tracker.url("otlp")));
    tracker.fail("POST /otlp", 1, Fault::Status(503, vec![("retry-after", "0")]));
    estate.scan(&["--config", &config]);
    let sent = tracker.requests("POST /otlp/v1/metrics");
    assert_eq!(sent.len(), 2, "busy once");
    let body: Value = serde_json::from_str(&sent[1].body).unwrap();
    let resource = &body["resourceMetrics"][0];
    assert_eq!(resource["resource"]["attributes"][0]["value"]["stringValue"], "spillwatch");
    let mut told = BTreeMap::new();
    for metric in resource["scopeMetrics"][0]["metrics"].as_array().unwrap() {
        for point in metric["gauge"]["dataPoints"].as_array().unwrap() {
            let labels: Vec<String> = point["attributes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|of| format!("{}={}", of["key"].as_str().unwrap(), of["value"]["stringValue"]))
                .collect();
            let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            told.insert(
                format!("{}{labels}", metric["name"].as_str().unwrap()),
                point["asDouble"].as_f64().unwrap(),
            );
        }
    }
    let mut in_file = parsed(&std::fs::read_to_string(&file).unwrap());
    in_file.remove("spillwatch_last_success_timestamp_seconds");
    assert_eq!(told, in_file);
}

#[test]
fn a_watcher_who_is_away_does_not_harm_the_scan() {
    let estate = Estate::new();
    let config = configured(
        &estate,
        "textfile = \"/no-such-folder/x.prom\"\notlp = \"http://127.0.0.1:1\"\nheartbeat = \"http://127.0.0.1:1/s3cr3t\"",
    );
    let output = spillwatch(&["scan", "--config", &config, &estate.path()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(lines(&output).len() > 20);
    let said = String::from_utf8(output.stderr).unwrap();
    for expected in
        ["could not write the metrics", "could not send the metrics", "could not send the heartbeat"]
    {
        assert!(said.contains(expected), "{said}");
    }
    assert!(!said.contains("s3cr3t"), "whoever knows the address can keep the watchdog quiet: {said}");
}
