//! Is what is written valid where it is sent to? Asked of the official schemas, for findings of every status.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};

use super::{fed, findings, installed, life, reported, script, text};

/// Runs a validator; its last line counts what it saw.
fn validated(venv: &str, name: &str, input: &str) -> Result<Value, String> {
    let mut python = Command::new(installed(venv, "bin/python"));
    let output = fed(python.arg(script(name)), input.as_bytes());
    let said = text(&output);
    if !output.status.success() {
        return Err(format!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(serde_json::from_str(said.lines().last().unwrap()).unwrap())
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_finding_is_an_ocsf_event_as_its_schema_says() {
    let mut statuses = BTreeMap::new();
    for report in life() {
        let said = text(&reported(&report, &["--format", "ocsf"]));
        let counts = validated("ocsf", "ocsf.py", &said).unwrap();
        assert!(counts["2006"].as_u64() > Some(5) && counts["2008"].as_u64() > Some(4), "{counts}");
        assert_eq!(counts["6007"], 1, "the coverage");
        for (event, finding) in events(&said).iter().zip(findings(&report)) {
            assert_eq!(event["finding_info"]["uid"], finding["uid"]);
            assert!(event["time"].as_i64().unwrap() > 1_700_000_000_000, "milliseconds");
            let status = finding["status"].as_str().unwrap().to_owned();
            let class = event["class_uid"].as_u64().unwrap();
            statuses.insert((status, class), json!([event["status_id"], event["activity_id"]]));
        }
    }
    let expected = [
        ("new", json!([1, 1])),
        ("unchanged", json!([1, 2])),
        ("reopened", json!([1, 2])),
        ("resolved", json!([4, 3])),
    ];
    for (status, ids) in expected {
        assert_eq!(statuses[&(status.to_owned(), 2006)], ids, "{status}");
    }
    let suppressed: Vec<_> = statuses.iter().filter(|((status, _), _)| status == "suppressed").collect();
    assert!(!suppressed.is_empty() && suppressed.iter().all(|(_, ids)| ids[0] == 3), "{suppressed:?}");
}

#[test]
fn consumers_of_detection_findings_get_nothing_else() {
    for report in life() {
        let said = text(&reported(&report, &["--format", "ocsf-detection"]));
        let counts = validated("ocsf", "ocsf.py", &said).unwrap();
        assert_eq!(counts, json!({"2004": findings(&report).count(), "6007": 1}));
    }
}

#[test]
fn the_validators_notice_what_is_wrong() {
    let report = life().swap_remove(0);
    let mut event = events(&text(&reported(&report, &["--format", "ocsf"]))).swap_remove(0);
    event["severity_id"] = "high".into();
    assert!(validated("ocsf", "ocsf.py", &event.to_string()).unwrap_err().contains("severity_id"));
    event["severity_id"] = 4.into();
    event["colour"] = "red".into();
    assert!(validated("ocsf", "ocsf.py", &event.to_string()).unwrap_err().contains("colour"));

    let hub = ["--format", "asff", "--security-hub", "111122223333/eu-west-1"];
    let finding = events(&text(&reported(&report, &hub))).swap_remove(0);
    for (field, wrong) in [("Title", json!("x".repeat(257))), ("Colour", json!("red")), ("Id", json!(7))] {
        let mut finding = finding.clone();
        finding[field] = wrong;
        assert!(validated("moto", "asff.py", &finding.to_string()).unwrap_err().contains(field));
    }
    let mut sarif: Value = serde_json::from_slice(&reported(&report, &["--format", "sarif"]).stdout).unwrap();
    let validator = sarif_schema();
    assert!(validator.is_valid(&sarif));
    sarif["runs"][0]["results"][0]["level"] = "terrible".into();
    assert!(!validator.is_valid(&sarif));
}

fn sarif_schema() -> jsonschema::Validator {
    let schema = std::fs::read(installed("sarif-schema", "schema.json")).unwrap();
    let mut schema: Value = serde_json::from_slice(&schema).unwrap();
    // Its pattern of a language is no regular expression everywhere (`]` without `[`); no report states a language.
    for place in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][place]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern").unwrap();
    }
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

#[test]
fn sarif_is_as_its_schema_says_and_carries_the_uids() {
    let validator = sarif_schema();
    for report in life() {
        let said: Value = serde_json::from_slice(&reported(&report, &["--format", "sarif"]).stdout).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(&said)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let run = &said["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), findings(&report).count());
        for (result, finding) in results.iter().zip(findings(&report)) {
            assert_eq!(result["partialFingerprints"]["spillwatch/v1"], finding["uid"]);
            let state = result["baselineState"].as_str().unwrap();
            let resolved = finding["status"] == "resolved";
            assert_eq!(state == "absent", resolved, "{finding}");
            assert_eq!(result["suppressions"].is_array(), finding["status"] == "suppressed", "{finding}");
            // SARIF 2.1.0, 3.27.10.
            assert_eq!(result["level"] == "none", result["kind"] != "fail", "{result}");
            let index = result["ruleIndex"].as_u64().unwrap() as usize;
            assert_eq!(run["tool"]["driver"]["rules"][index]["id"], finding["rule"]);
        }
        let coverage = report.last().unwrap();
        assert_eq!(&run["properties"]["coverage"], coverage);
        let notifications = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        assert_eq!(notifications.len(), coverage["gaps"].as_array().unwrap().len());
    }
}

#[test]
fn a_sarif_without_findings_is_valid_too() {
    let folder = tempfile::tempdir().unwrap();
    let output = crate::spillwatch(&["scan", "--format", "sarif", folder.path().to_str().unwrap()]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(sarif_schema().is_valid(&said), "{said}");
    assert_eq!(said["runs"][0]["results"], json!([]));
}

#[test]
fn security_hub_would_take_every_finding() {
    let hub = ["--format", "asff", "--security-hub", "111122223333/eu-west-1"];
    for report in life() {
        let said = text(&reported(&report, &hub));
        let count = validated("moto", "asff.py", &said).unwrap();
        assert_eq!(count, report.len(), "each finding, and the coverage");
        for (imported, finding) in events(&said).iter().zip(findings(&report)) {
            assert_eq!(imported["Id"], finding["uid"]);
            assert_eq!(
                imported["ProductArn"],
                "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default"
            );
            let gone = finding["status"] == "resolved" || finding["status"] == "suppressed";
            assert_eq!(imported["RecordState"] == "ARCHIVED", gone, "{finding}");
        }
    }
}

#[test]
fn a_finding_as_large_as_can_be_fits_into_security_hub() {
    let mut report = life().swap_remove(0);
    let long = "ä\"<é".repeat(3_000);
    let finding = report.iter_mut().find(|line| !line["detections"][0].is_null()).unwrap();
    for field in ["because", "changes"] {
        finding[field] = json!(vec![&long; 50]);
    }
    for field in ["bucket", "remediation", "rule", "account", "region"] {
        finding[field] = json!(long);
    }
    finding["objects"]["top_keys"] = json!(vec![&long; 100]);
    let tags: BTreeMap<String, &String> = (0..100).map(|place| (format!("{place}{long}"), &long)).collect();
    finding["tags"] = json!(tags);
    finding["detections"][0]["kinds"] =
        json!((0..200).map(|place| (format!("{place}{long}"), 1)).collect::<BTreeMap<_, _>>());
    let way = finding["exposures"][0].clone();
    finding["exposures"] = json!(vec![way; 500]);
    let said = text(&reported(&report, &["--format", "asff", "--security-hub", "111122223333/eu-west-1"]));
    validated("moto", "asff.py", &said).unwrap();
}

#[test]
fn the_table_has_a_row_for_each_finding_its_coverage_and_each_gap() {
    for report in life() {
        let said = reported(&report, &["--format", "csv"]).stdout;
        assert!(said.ends_with(b"\r\n"));
        let mut table = csv::Reader::from_reader(said.as_slice());
        let rows: Vec<BTreeMap<String, String>> = table.deserialize().map(Result::unwrap).collect();
        let of = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
        let gaps = report.last().unwrap()["gaps"].as_array().unwrap().len();
        assert_eq!([of("finding"), of("coverage"), of("gap")], [report.len() - 1, 1, gaps]);
        for (row, finding) in rows.iter().zip(findings(&report)) {
            assert_eq!(row["uid"], finding["uid"].as_str().unwrap());
            assert_eq!(row["status"], finding["status"].as_str().unwrap());
        }
    }
}

#[test]
fn a_spreadsheet_runs_nothing_that_strangers_wrote() {
    let mut report = life().swap_remove(0);
    for start in ["=", "+", "-", "@", "\t=", "\r=", "\n="] {
        let hostile = format!("{start}HYPERLINK(\"http://example.org\",\"x\")");
        let finding = &mut report[0];
        for field in ["bucket", "rule", "class", "account", "region", "remediation", "uid", "first_seen"] {
            finding[field] = json!(hostile);
        }
        for field in ["because", "changes"] {
            finding[field] = json!([hostile]);
        }
        finding["objects"]["top_keys"] = json!([hostile]);
        finding["tags"] = json!({hostile.clone(): hostile});
        let said = reported(&report, &["--format", "csv"]).stdout;
        let mut table = csv::Reader::from_reader(said.as_slice());
        for row in table.records().map(Result::unwrap) {
            for cell in &row {
                assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{cell:?}");
            }
        }
    }
}
