//! Does a scan through the official crate, of the demo estate's Google project, say what a scan of the folder says?

use std::collections::BTreeMap;
use std::process::{Command, Output};

use serde_json::{Value, json};
use spillwatch_fixtures::gcs_server::{Fault, GcsServer, Stored};
use spillwatch_fixtures::s3_server::S3Server;

use crate::acme::{disagreements, estate};
use crate::{lines, spillwatch};

const PROJECT: &str = "acme-data";

/// The demo estate's zone of trust, and where the stand-in is.
fn config(server: &GcsServer) -> String {
    format!(
        "[gcp]\nprojects = [\"{PROJECT}\"]\nendpoint = \"{}\"\nattempts_max = 2\n\
         [zone_of_trust]\ndomains = [\"acme.internal\"]\n",
        server.endpoint()
    )
}

fn scan(server: &GcsServer, targets: &[&str]) -> Output {
    run(server, "", targets)
}

/// Scans with further sections of the configuration file.
fn run(server: &GcsServer, sections: &str, targets: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let (config_file, credentials) = (folder.path().join("spillwatch.toml"), folder.path().join("adc.json"));
    std::fs::write(&config_file, config(server) + sections).unwrap();
    std::fs::write(&credentials, server.credentials().to_string()).unwrap();
    Command::new(env!("CARGO_BIN_EXE_spillwatch"))
        .args(["scan", "--all", "--config"])
        .arg(config_file)
        .args(targets)
        .env("GOOGLE_APPLICATION_CREDENTIALS", credentials)
        .envs([("AWS_ACCESS_KEY_ID", "tests"), ("AWS_SECRET_ACCESS_KEY", "tests")])
        .output()
        .unwrap()
}

fn seeded() -> GcsServer {
    let server = GcsServer::start().unwrap();
    assert!(server.seed(&estate(), PROJECT).unwrap() >= 3);
    server
}

/// What of a finding must not depend on where the estate stands, by the finding's name.
fn findings(report: &[Value]) -> BTreeMap<String, String> {
    let own = |line: &&Value| line["schema"] == "spillwatch.finding/1" && line["provider"] == "gcp";
    report
        .iter()
        .filter(own)
        .map(|line| {
            let name = format!("{} {} {} {}", line["bucket"], line["rule"], line["class"], line["uid"]);
            let detections = line["detections"].as_array().unwrap();
            let counts: Vec<_> = detections
                .iter()
                .map(|found| (&found["occurrences"], &found["distinct"], &found["kinds"]))
                .collect();
            // Which of them comes first depends on how fast each was read.
            let objects = (&line["objects"]["count"], &line["objects"]["bytes"]);
            let said = format!("{} {objects:?} {counts:?} {}", line["severity"], line["exposures"]);
            (name, said)
        })
        .collect()
}

#[test]
fn the_server_agrees_with_the_folder_and_with_the_answer_key() {
    let server = seeded();
    let output = scan(&server, &["gcp"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report = lines(&output);
    let wrong = disagreements(&report, "gcp");
    assert!(wrong.is_empty(), "{wrong:#?}");
    let folder = lines(&spillwatch(&["scan", "--all", estate().to_str().unwrap()]));
    let (through_server, from_folder) = (findings(&report), findings(&folder));
    assert!(!through_server.is_empty());
    assert_eq!(through_server, from_folder);
}

#[test]
fn one_object_that_its_own_list_opens_is_found_and_unpacked() {
    let server = seeded();
    let fine_grained =
        json!({"projectNumber": "604417713352", "iamConfiguration": {"publicAccessPrevention": "inherited"}});
    server.state(PROJECT, Some("acme-shared-drop"), "storage:buckets.get", fine_grained);
    let events = estate().join("gcp/acme-data/acme-clickstream-export/objects/events");
    for (day, entity) in [("2026-11-17", "allUsers"), ("2026-11-18", "project-owners-604417713352")] {
        let packed = std::fs::read(events.join(format!("{day}.jsonl.gz"))).unwrap();
        // As `gcloud storage cp --gzip-local` leaves it: named as what is inside, packed as its metadata says.
        let object = Stored::from(packed).with_facts(json!({
            "storage:objects.get": {"contentType": "application/json", "contentEncoding": "gzip"},
            "storage:objectAccessControls.list": {"items": [{"entity": entity, "role": "READER"}]},
        }));
        server.put(PROJECT, "acme-shared-drop", &format!("{day}.jsonl"), object);
    }
    let report = lines(&scan(&server, &["gs://acme-shared-drop"]));
    let finding = |rule: &str| {
        let own = |line: &&Value| line["rule"] == rule && line["class"] == "interaction_metadata";
        report.iter().find(own).unwrap_or_else(|| panic!("no {rule} in {report:#?}"))
    };
    let exposed = finding("exposed_content");
    assert_eq!(exposed["severity"], "high");
    assert_eq!(exposed["objects"]["top_keys"], json!(["2026-11-17.jsonl"]));
    assert_eq!(exposed["exposures"][0]["keys"], "2026-11-17.jsonl");
    assert_eq!(finding("sensitive_content")["objects"]["top_keys"], json!(["2026-11-18.jsonl"]));
}

#[test]
fn both_clouds_make_one_list_of_findings_and_one_coverage() {
    let (google, amazon) = (seeded(), S3Server::start().unwrap());
    let directory = estate().join("aws/444455556666/acme-sandbox-drop/objects/copies/people/directory.csv");
    amazon.put("people", "directory.csv", std::fs::read(directory).unwrap());
    let aws = format!(
        "[aws]\nendpoint_url = \"{}\"\npath_style = true\nregion = \"us-east-1\"\n",
        amazon.endpoint()
    );
    let output = run(&google, &aws, &["aws", "gcp"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report = lines(&output);
    let found = |provider: &str, class: &str| {
        report.iter().any(|line| line["provider"] == provider && line["class"] == class)
    };
    assert!(found("aws", "employee_pii") && found("gcp", "interaction_metadata"), "{report:#?}");
    let coverages: Vec<&Value> =
        report.iter().filter(|line| line["schema"] == "spillwatch.coverage/1").collect();
    assert_eq!(coverages.len(), 1);
    assert_eq!(coverages[0]["buckets"], 3);
}

#[test]
fn a_bucket_that_may_not_be_listed_is_a_gap_and_the_others_are_scanned() {
    let server = seeded();
    server.fail("ListObjects", 1, Fault::Status("PERMISSION_DENIED", None));
    let output = scan(&server, &["--require-full-coverage", "gcp"]);
    assert_eq!(output.status.code(), Some(4));
    let coverage = lines(&output).pop().unwrap();
    assert_eq!(coverage["buckets"], 2);
    assert!(coverage["gaps_by_reason"]["denied"].as_u64().unwrap() >= 1);
    assert!(coverage["objects"]["read"].as_u64().unwrap() >= 1);
}

#[test]
fn who_asks_a_bucket_whose_requester_pays_names_the_project_that_does() {
    let server = seeded();
    let config = json!({
        "projectNumber": "604417713352",
        "iamConfiguration": {"publicAccessPrevention": "inherited", "uniformBucketLevelAccess": {"enabled": true}},
        "billing": {"requesterPays": true},
    });
    server.state(PROJECT, Some("acme-clickstream-export"), "storage:buckets.get", config);
    let target = "gs://acme-clickstream-export";
    let unpaid = lines(&scan(&server, &[target])).pop().unwrap();
    assert_eq!(unpaid["objects"]["read"], 0);
    assert!(unpaid["gaps"].to_string().contains("the requester pays"), "{unpaid}");
    let report = lines(&scan(&server, &["--user-project", PROJECT, target]));
    assert_eq!(report.last().unwrap()["objects"]["read"], 2);
    let exposed = report.iter().find(|line| line["rule"] == "exposed_content").unwrap();
    assert_eq!(exposed["exposures"][0]["audience"], "any_authenticated");
}

#[test]
fn one_prefix_of_one_bucket_is_scanned_alone() {
    let server = seeded();
    let output = scan(&server, &["gs://acme-clickstream-export/events/2026-11-17"]);
    let coverage = lines(&output).pop().unwrap();
    assert_eq!(coverage["objects"]["listed"], 1, "{}", String::from_utf8_lossy(&output.stderr));
}
