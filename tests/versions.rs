//! Does what was overwritten or deleted stay found for as long as it stays there?

use serde_json::{Value, json};

use crate::acme::estate;
use crate::lifecycle::Estate;
use crate::{lines, spillwatch};

const DROP: &str = "aws/444455556666/acme-sandbox-drop";
const DELETED: &str = "copies/directory.csv";
const VERSION: &str = "qDhNDJYPNmBPOTPwmNX9YkDT8zRcVVwh";

fn finding<'a>(report: &'a [Value], bucket: &str, rule: &str, class: &str) -> &'a Value {
    let wanted = |line: &&Value| line["bucket"] == bucket && line["rule"] == rule && line["class"] == class;
    report.iter().find(wanted).unwrap_or_else(|| panic!("no {rule} {class} of {bucket} in {report:#?}"))
}

fn people(report: &[Value]) -> &Value {
    finding(report, "acme-sandbox-drop", "exposed_content", "employee_pii")
}

/// Takes away what the bucket holds of people now: only the older version is left.
fn delete_current_people(estate: &Estate) {
    let folder = estate.inside(DROP);
    std::fs::remove_dir_all(folder.join("objects/copies/people")).unwrap();
    estate.change(&format!("{DROP}/objects.json"), |objects| {
        objects.as_object_mut().unwrap().retain(|key, _| !key.starts_with("copies/people/"));
    });
}

fn deny_versions(estate: &Estate) {
    estate.change(&format!("{DROP}/facts.json"), |facts| {
        facts["s3:ListObjectVersions"] = json!({"Error": {"Code": "AccessDenied"}});
    });
}

#[test]
fn an_object_that_was_deleted_is_found_in_its_older_version() {
    let report = lines(&spillwatch(&["scan", estate().to_str().unwrap()]));
    let found = people(&report);
    let objects = &found["objects"];
    assert_eq!((&objects["count"], &objects["versions"]), (&json!(3), &json!(1)), "{objects}");
    let expected = json!([{"key": DELETED, "version_id": VERSION, "state": "noncurrent"}]);
    assert_eq!(objects["top_versions"], expected);
    assert!(found["because"].to_string().contains("1 of them is an older version"), "{found}");
    let access: Vec<&Value> =
        found["exposures"].as_array().unwrap().iter().map(|way| &way["access"]).collect();
    assert!(access.contains(&&json!(["read_versions"])), "{access:?}");
    let coverage = report.last().unwrap();
    assert_eq!((&coverage["versions"]["listed"], &coverage["versions"]["read"]), (&json!(2), &json!(2)));
    let google = finding(&report, "acme-clickstream-export", "exposed_content", "interaction_metadata");
    assert_eq!(google["objects"]["top_versions"][0]["version_id"], "1763337492000412", "{google}");
}

#[test]
fn who_may_read_current_objects_alone_reads_no_older_version() {
    let estate = Estate::new();
    estate.change(&format!("{DROP}/facts.json"), |facts| {
        let policy = facts["s3:GetBucketPolicy"]["Policy"].as_str().unwrap();
        facts["s3:GetBucketPolicy"]["Policy"] = policy.replace("s3:GetObject*", "s3:GetObject").into();
    });
    let report = estate.scan(&[]);
    assert_eq!(people(&report)["objects"]["count"], 2);
    let not_read = |line: &Value| line["detail"].as_str().unwrap_or_default().contains("older versions");
    let gaps = report.last().unwrap()["gaps"].as_array().unwrap();
    assert!(gaps.iter().any(|gap| gap["resource"] == "acme-sandbox-drop" && not_read(gap)), "{gaps:?}");
}

#[test]
fn a_leak_does_not_end_because_somebody_deletes_the_object() {
    let estate = Estate::new();
    estate.scan(&[]);
    delete_current_people(&estate);
    let report = estate.scan(&[]);
    let left = people(&report);
    assert_eq!((&left["status"], &left["objects"]["count"]), (&json!("updated"), &json!(1)), "{left}");
    assert!(left["because"].to_string().contains("it is an older version"), "{left}");

    // Nobody may list versions any more: that is no sign that they are gone.
    deny_versions(&estate);
    let blind = estate.scan(&[]);
    let people_lines = |report: &[Value]| {
        let own = |line: &&Value| line["bucket"] == "acme-sandbox-drop" && line["class"] == "employee_pii";
        report.iter().filter(own).map(|line| line["status"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(people_lines(&blind), Vec::<Value>::new());
    let coverage = blind.last().unwrap();
    assert!(coverage["ledger"]["unexamined"].as_u64().unwrap() >= 1, "{coverage}");
    assert_eq!(coverage["complete"], false);

    // They are listed again, and gone.
    estate.reopen();
    std::fs::remove_file(estate.inside(DROP).join("versions.json")).unwrap();
    assert_eq!(people_lines(&estate.scan(&[])), ["resolved"]);
}

#[test]
fn versions_of_a_closed_bucket_are_left_out_unless_all_is_asked_for_and_that_closes_nothing() {
    let estate = Estate::new();
    estate.lock();
    let inside = |report: &[Value]| {
        let wanted = |line: &&Value| {
            line["bucket"] == "acme-sandbox-drop"
                && line["rule"] == "sensitive_content"
                && line["class"] == "employee_pii"
        };
        report.iter().find(wanted).map(|line| (line["status"].clone(), line["objects"]["count"].clone()))
    };
    assert_eq!(inside(&estate.scan(&["--all"])), Some((json!("new"), json!(3))));
    delete_current_people(&estate);
    let sampled = estate.scan(&[]);
    assert_eq!(inside(&sampled), None, "nothing is said of what was not looked at");
    assert!(sampled.last().unwrap()["gaps_by_reason"]["sampled"].as_u64() >= Some(1));
    assert_eq!(inside(&estate.scan(&["--all"])), Some((json!("updated"), json!(1))));
}

#[test]
fn an_older_version_that_its_own_acl_opens_is_found_closed_and_opened_again() {
    let estate = Estate::new();
    estate.lock();
    let everyone = "http://acs.amazonaws.com/groups/global/AllUsers";
    let grant = json!({"Grantee": {"Type": "Group", "URI": everyone}, "Permission": "READ"});
    estate.change(&format!("{DROP}/facts.json"), |facts| {
        facts["s3:GetBucketOwnershipControls"]["OwnershipControls"]["Rules"][0]["ObjectOwnership"] =
            json!("ObjectWriter");
        facts["s3:GetPublicAccessBlock"]["PublicAccessBlockConfiguration"]["IgnorePublicAcls"] = json!(false);
    });
    let versions = format!("{DROP}/versions.json");
    estate.change(&versions, |versions| {
        versions[DELETED][VERSION]["s3:GetObjectAcl"]["Grants"].as_array_mut().unwrap().push(grant);
    });
    let before = std::fs::read(estate.inside(&versions)).unwrap();
    let report = estate.scan(&[]);
    let found = people(&report);
    assert_eq!((&found["objects"]["count"], &found["objects"]["versions"]), (&json!(1), &json!(1)));
    let command = found["exposures"][0]["witness"]["command"].as_str().unwrap();
    assert!(command.contains(&format!("versionId={VERSION}")), "{command}");

    let (plan, path) = (estate.file("plan.json"), estate.path());
    let planned = spillwatch(&["lock", "plan", &path, "--format", "json"]);
    std::fs::write(&plan, &planned.stdout).unwrap();
    let evidence = estate.file("evidence");
    let applied = ["lock", "apply", &plan, "--yes", "--approver", "a tester", "--evidence", &evidence];
    let applied = spillwatch(&applied);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    let journal = journal(&String::from_utf8(applied.stdout).unwrap());
    assert!(!String::from_utf8(std::fs::read(estate.inside(&versions)).unwrap()).unwrap().contains(everyone));
    let undone = spillwatch(&["lock", "undo", &journal, "--yes"]);
    assert!(undone.status.success(), "{}", String::from_utf8_lossy(&undone.stderr));
    assert_eq!(std::fs::read(estate.inside(&versions)).unwrap(), before, "to the byte");
}

fn journal(said: &str) -> String {
    said.lines().find_map(|line| line.strip_prefix("journal: ")).unwrap().to_owned()
}

#[test]
fn what_is_open_by_a_version_is_kept_as_evidence_in_the_layout_of_an_estate() {
    let estate = Estate::new();
    let (plan, path, folder) = (estate.file("plan.json"), estate.path(), estate.file("evidence"));
    let planned = spillwatch(&["lock", "plan", &path, "--format", "json"]);
    std::fs::write(&plan, &planned.stdout).unwrap();
    let applied =
        spillwatch(&["lock", "apply", &plan, "--yes", "--approver", "a tester", "--evidence", &folder]);
    assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
    let kept: Vec<_> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_name() == "versions.json")
        .map(|entry| entry.into_path())
        .collect();
    let read = |bucket: &str| -> Value {
        let path = kept.iter().find(|path| path.to_str().unwrap().contains(bucket)).unwrap();
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let drop = read("acme-sandbox-drop");
    assert_eq!(drop[DELETED][VERSION]["s3:HeadObject"]["VersionId"], VERSION, "{drop}");
    let google = read("acme-clickstream-export");
    let generation = &google["events/2026-11-16.jsonl.gz"]["1763337492000412"]["storage:objects.get"];
    assert_eq!(generation["generation"], "1763337492000412", "{google}");
    let report = lines(&spillwatch(&["scan", &path]));
    let open = report.iter().filter(|line| line["rule"] == "exposed_content");
    let open: Vec<&Value> = open.filter(|line| line["objects"]["versions"].is_u64()).collect();
    assert!(open.is_empty(), "closed for every version: {open:#?}");
}

#[test]
fn a_sweep_finds_copies_in_older_versions_and_in_what_is_soft_deleted() {
    let document = estate().join(DROP).join("objects/copies/people/directory.csv");
    let sweep = |more: &[&str]| {
        let (document, estate) = (document.to_str().unwrap(), estate());
        lines(&spillwatch(&[&["sweep", "--like", document, estate.to_str().unwrap()], more].concat()))
    };
    let gone = |lines: &[Value]| {
        let copies = lines.iter().filter(|line| line["schema"] == "spillwatch.copy/1");
        let gone = copies.filter(|line| line["state"] != "current");
        gone.map(|line| {
            ["bucket", "key", "state", "version_id", "how"]
                .map(|name| line[name].as_str().unwrap().to_owned())
        })
        .collect::<Vec<_>>()
    };
    let swept = sweep(&[]);
    assert_eq!(
        gone(&swept),
        [
            ["acme-sandbox-drop", DELETED, "noncurrent", VERSION, "md5"],
            ["acme-clickstream-export", "people/directory.csv", "soft_deleted", "1763606419000387", "md5"],
        ]
        .map(|row| row.map(str::to_owned))
    );
    assert_eq!(swept.last().unwrap()["coverage"]["versions"]["listed"], 3);
    assert_eq!(gone(&sweep(&["--current"])), Vec::<[String; 5]>::new());
    let exact = sweep(&["--exact"]);
    assert_eq!(gone(&exact).len(), 2, "listings alone tell them");
    let human = spillwatch(&[
        "sweep",
        "--format",
        "human",
        "--exact",
        "--like",
        document.to_str().unwrap(),
        estate().to_str().unwrap(),
    ]);
    let human = String::from_utf8(human.stdout).unwrap();
    assert!(human.contains(&format!("{DELETED} (older version {VERSION})")), "{human}");
    assert!(human.contains("people/directory.csv (soft-deleted 1763606419000387)"), "{human}");
}
