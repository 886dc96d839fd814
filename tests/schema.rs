//! Is every line that a scan writes as its published schema says, with no field that the schema does not know?

use serde_json::Value;

use crate::acme::estate;
use crate::copies::{Known, leaked};
use crate::lifecycle::Estate;
use crate::{lines, spillwatch};

/// The published schema, made strict: it lets later versions add fields, and this one must not have any of those.
fn strict(output: &str) -> jsonschema::Validator {
    fn close(schema: &mut Value) {
        match schema {
            Value::Object(map) => {
                map.values_mut().for_each(close);
                if map.contains_key("properties") && map.get("type") == Some(&"object".into()) {
                    map.insert("additionalProperties".to_owned(), false.into());
                }
            }
            Value::Array(list) => list.iter_mut().for_each(close),
            _ => {}
        }
    }
    let text = spillwatch(&["schema", output]).stdout;
    let mut schema: Value = serde_json::from_slice(&text).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    close(&mut schema);
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn check(report: &[Value]) {
    let (finding, coverage) = (strict("finding"), strict("coverage"));
    for line in report {
        let validator = if line["schema"] == "spillwatch.finding/1" { &finding } else { &coverage };
        let wrong: Vec<String> = validator
            .iter_errors(line)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?} in {line}");
    }
}

#[test]
fn every_line_of_a_scan_is_as_its_schema_says() {
    let estate = Estate::new();
    let report = lines(&spillwatch(&["scan", "--all", &estate.path()]));
    assert!(report.len() > 20);
    check(&report);
}

#[test]
fn so_is_every_line_of_the_ledgers_life() {
    let estate = Estate::new();
    let report = estate.scan(&["--all"]);
    check(&report);
    let uid = report[0]["uid"].as_str().unwrap();
    let ledger = estate.file("ledger.db");
    let tomorrow = (time::OffsetDateTime::now_utc() + time::Duration::days(1)).date().to_string();
    let said = ["--reason", "a drill", "--author", "ada", "--until", &tomorrow, "--state", &ledger];
    assert!(spillwatch(&[&["findings", "suppress", uid], &said[..]].concat()).status.success());
    std::fs::remove_dir_all(estate.file("acme/aws/444455556666/acme-sandbox-drop")).unwrap();
    let report = estate.scan(&["--all"]);
    let statuses = &report.last().unwrap()["findings_by_status"];
    assert!(statuses["resolved"].is_u64() && statuses["suppressed"].is_u64(), "{statuses}");
    check(&report);
    check(&lines(&spillwatch(&[
        "findings", "list", "--status", "all", "--format", "jsonl", "--state", &ledger,
    ])));
    let difference = strict("difference");
    let differences = lines(&spillwatch(&["findings", "diff", "--format", "jsonl", "--state", &ledger]));
    assert!(!differences.is_empty());
    assert!(differences.iter().all(|line| difference.is_valid(line)), "{differences:#?}");
}

#[test]
fn so_is_every_line_of_a_sweep_and_of_a_verification() {
    let known = Known::of(&[leaked().to_str().unwrap()]);
    let estate = estate();
    let swept = lines(&known.sweep(&[estate.to_str().unwrap()]));
    all_as_said(&swept, &[("spillwatch.copy/1", "copy"), ("spillwatch.sweep/1", "sweep")]);
    let target = [estate.join("aws").to_str().unwrap().to_owned()];
    let verified = lines(&known.run(&["verify", "--baseline", &known.path("index")], &[&target[0]]));
    all_as_said(
        &verified,
        &[("spillwatch.verified/1", "verified"), ("spillwatch.verification/1", "verification")],
    );
    let index = known.path("index");
    let scanned = ["--index", &index, "--all", estate.to_str().unwrap()];
    let report = lines(&known.run(&["scan"], &scanned));
    assert!(report.iter().any(|line| line["copies"].is_array()));
    check(&report);
}

fn all_as_said(lines: &[Value], schemas: &[(&str, &str)]) {
    let schemas: Vec<_> = schemas.iter().map(|(name, output)| (*name, strict(output))).collect();
    for line in lines {
        let (_, schema) = schemas.iter().find(|(name, _)| line["schema"] == *name).unwrap();
        let wrong: Vec<String> =
            schema.iter_errors(line).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?} in {line}");
    }
    assert!(schemas.iter().all(|(name, _)| lines.iter().any(|line| line["schema"] == *name)));
}

#[test]
fn a_line_that_breaks_the_schema_is_noticed() {
    let estate = Estate::new();
    let mut line = estate.scan(&[]).swap_remove(0);
    assert!(strict("finding").is_valid(&line));
    line["severity"] = "terrible".into();
    assert!(!strict("finding").is_valid(&line));
}
