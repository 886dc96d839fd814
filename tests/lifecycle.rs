//! Does a finding live as a ticket queue needs it: new, locked, reopened, put aside, and never closed by a gap?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use spillwatch_fixtures::s3_server::{S3Server, Stored};

use crate::{lines, spillwatch};

const DROP: &str = "aws/444455556666/acme-sandbox-drop";

/// A copy of the demo estate that a test may change.
pub struct Estate(tempfile::TempDir);

impl Estate {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&crate::acme::estate(), &folder.path().join("acme"));
        Self(folder)
    }

    pub fn path(&self) -> String {
        self.file("acme")
    }

    /// A path beside the estate.
    pub fn file(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    /// A path in the estate.
    pub fn inside(&self, path: &str) -> PathBuf {
        self.0.path().join("acme").join(path)
    }

    fn change_facts(&self, bucket: &str, change: impl FnOnce(&mut Value)) {
        self.change(&format!("{bucket}/facts.json"), change);
    }

    /// Changes a file of facts.
    pub fn change(&self, file: &str, change: impl FnOnce(&mut Value)) {
        let path = self.inside(file);
        let mut facts: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut facts);
        std::fs::write(path, facts.to_string()).unwrap();
    }

    /// As a person locks it: the policy goes, and public access is blocked.
    pub fn lock(&self) {
        self.change_facts(DROP, |facts| {
            facts["s3:GetBucketPolicy"] = json!({"Error": {"Code": "NoSuchBucketPolicy"}});
            facts["s3:GetBucketPolicyStatus"] = json!({"Error": {"Code": "NoSuchBucketPolicy"}});
            facts["s3:GetPublicAccessBlock"] = json!({"PublicAccessBlockConfiguration": {
                "BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true
            }});
        });
    }

    pub fn reopen(&self) {
        let facts = crate::acme::estate().join(DROP).join("facts.json");
        std::fs::copy(facts, self.inside(DROP).join("facts.json")).unwrap();
    }

    pub fn scan(&self, more: &[&str]) -> Vec<Value> {
        let (ledger, path) = (self.file("ledger.db"), self.path());
        let mut args = vec!["scan", "--state", &ledger, "--format", "jsonl"];
        args.extend(more);
        args.push(&path);
        let output = spillwatch(&args);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        lines(&output)
    }

    fn findings(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let ledger = self.file("ledger.db");
        let output = spillwatch(&[&["findings"], args, &["--state", &ledger]].concat());
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

type Name = (String, String, String);

/// The findings by bucket, rule and class.
fn by_name(report: &[Value]) -> BTreeMap<Name, &Value> {
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap().to_owned();
    report
        .iter()
        .filter(|line| line["schema"] == "spillwatch.finding/1")
        .map(|finding| ((text(finding, "bucket"), text(finding, "rule"), text(finding, "class")), finding))
        .collect()
}

fn statuses(report: &[Value]) -> BTreeMap<Name, String> {
    by_name(report)
        .into_iter()
        .map(|(name, finding)| (name, finding["status"].as_str().unwrap().to_owned()))
        .collect()
}

fn is_drop((bucket, ..): &Name) -> bool {
    bucket == "acme-sandbox-drop"
}

#[test]
fn leak_lock_and_reopen_make_exactly_the_expected_transitions() {
    let estate = Estate::new();
    let leak = statuses(&estate.scan(&[]));
    assert!(leak.len() >= 20 && leak.values().all(|status| status == "new"), "{leak:#?}");
    let leaked: Vec<&Name> = leak.keys().filter(|name| is_drop(name)).collect();
    assert_eq!(leaked.len(), 7);

    estate.lock();
    let report = estate.scan(&[]);
    let locked = statuses(&report);
    for (name, before) in &leak {
        let expected = if is_drop(name) { "resolved" } else { "unchanged" };
        assert_eq!(locked[name], expected, "{name:?}, {before} before");
    }
    let now_inside: Vec<&Name> = locked.keys().filter(|name| !leak.contains_key(name)).collect();
    assert_eq!(now_inside.len(), 6, "what lies in the drop is sensitive still: {now_inside:?}");
    assert!(
        now_inside.iter().all(|name| is_drop(name) && name.1 == "sensitive_content" && locked[name] == "new")
    );
    for finding in by_name(&report).values().filter(|finding| finding["status"] == "resolved") {
        assert!(finding["resolved_at"].is_string() && finding["exposure_window_ms"].is_u64(), "{finding}");
    }

    estate.reopen();
    let report = estate.scan(&[]);
    for (name, status) in statuses(&report) {
        let expected = match (is_drop(&name), name.1.as_str()) {
            (true, "sensitive_content") => "resolved",
            (true, _) => "reopened",
            _ => "unchanged",
        };
        assert_eq!(status, expected, "{name:?}");
    }
    assert_eq!(report.last().unwrap()["findings"], leak.len());

    // Each run is kept, and two of them can be compared.
    let (_, said, _) = estate.findings(&["diff", "--format", "jsonl"]);
    let changes: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |change: &str| changes.iter().filter(|line| line["change"] == change).count();
    assert_eq!((count("appeared"), count("resolved"), changes.len()), (7, 6, 13));
    let (_, runs, _) = estate.findings(&["runs"]);
    let first = runs.lines().last().unwrap().split(' ').next().unwrap().to_owned();
    let (_, said, _) = estate.findings(&["diff", &first, "latest"]);
    assert_eq!(said.lines().count(), 1, "leaked as before: {said}");
}

#[test]
fn a_gap_closes_nothing() {
    let estate = Estate::new();
    let leak = statuses(&estate.scan(&["--all"]));
    let still_open = |report: &[Value], what: &str| {
        // That it could not be judged is over once it could; what was found before is not.
        let closed = statuses(report).into_iter();
        let closed: Vec<_> =
            closed.filter(|((_, rule, _), status)| rule != "unread_bucket" && status == "resolved").collect();
        assert!(closed.is_empty(), "{what}: {closed:?}");
    };
    // Who reaches it cannot be read.
    estate.change_facts(DROP, |facts| {
        for fact in ["s3:GetBucketPolicy", "s3:GetBucketPolicyStatus", "s3:GetBucketAcl"] {
            facts[fact] = json!({"Error": {"Code": "AccessDenied"}});
        }
    });
    still_open(&estate.scan(&["--all"]), "facts denied");
    // Nothing is listed, and it is still public.
    estate.reopen();
    estate.change_facts(DROP, |facts| facts["s3:ListObjectsV2"] = json!({"Error": {"Code": "AccessDenied"}}));
    let report = estate.scan(&["--all"]);
    still_open(&report, "listing denied");
    assert!(report.last().unwrap()["ledger"]["unexamined"].as_u64().unwrap() >= 6);
    // A narrower target.
    let alone = estate.file("other");
    std::fs::create_dir(&alone).unwrap();
    std::fs::write(Path::new(&alone).join("a.txt"), "nothing").unwrap();
    let report = lines(&spillwatch(&["scan", "--state", &estate.file("ledger.db"), &alone]));
    still_open(&report, "another target");
    assert!(report.last().unwrap()["ledger"]["unexamined"].as_u64().unwrap() >= leak.len() as u64);
}

#[test]
fn a_run_that_is_ended_before_its_time_closes_nothing() {
    let server = S3Server::start().unwrap();
    for n in 0..1_000 {
        server.put("docs", &format!("a/{n}.log"), "2026-11-23 finished job 1234 in 56 ms\n");
    }
    let mut directory = "employee_id,name,email,department,salary\n".to_owned();
    for n in 0..40 {
        directory += &format!("E{n:04},Ada Lovelace,ada.{n}@acme.internal,Engineering,51000\n");
    }
    server.put("docs", "people.csv", Stored::from(Bytes::from(directory)));
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.db");
    let scan = |ends_early: bool| {
        let before = server.requests("GetObject");
        let child = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
            .args(["scan", "--all", "s3://docs", "--path-style", "--region", "us-east-1", "--state"])
            .args([ledger.to_str().unwrap(), "--endpoint-url", &server.endpoint()])
            .envs([("AWS_ACCESS_KEY_ID", "tests"), ("AWS_SECRET_ACCESS_KEY", "tests")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if ends_early {
            while server.requests("GetObject") == before {
                std::thread::sleep(Duration::from_millis(20));
            }
            assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        }
        lines(&child.wait_with_output().unwrap())
    };
    let found = statuses(&scan(false));
    let people =
        found.keys().find(|(.., class)| class == "employee_pii").expect("the directory is found").clone();
    // It is gone, but the run that could see it is ended.
    server.put("docs", "people.csv", "nothing");
    server.delay("GetObject", Duration::from_millis(400));
    let report = scan(true);
    assert_eq!(report.last().unwrap()["interrupted"], true);
    assert!(statuses(&report).into_values().all(|status| status != "resolved"), "{report:#?}");
    server.delay("GetObject", Duration::ZERO);
    assert_eq!(statuses(&scan(false))[&people], "resolved");
}

#[test]
fn an_object_that_is_gone_and_a_bucket_that_is_gone_close_what_they_held() {
    let estate = Estate::new();
    estate.scan(&["--all"]);
    let index = estate.inside(DROP).join("objects.json");
    let mut objects: Value = serde_json::from_slice(&std::fs::read(&index).unwrap()).unwrap();
    let roadmaps: Vec<String> = {
        let shown = estate.scan(&["--all"]);
        let (_, finding) =
            by_name(&shown).into_iter().find(|(name, _)| is_drop(name) && name.2 == "roadmap").unwrap();
        finding["objects"]["top_keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key.as_str().unwrap().to_owned())
            .collect()
    };
    for key in &roadmaps {
        std::fs::remove_file(estate.inside(DROP).join("objects").join(key)).unwrap();
        objects.as_object_mut().unwrap().remove(key);
    }
    std::fs::write(&index, objects.to_string()).unwrap();
    std::fs::remove_dir_all(estate.inside("aws/444455556666/acme-labs-intake")).unwrap();
    let resolved: Vec<Name> = statuses(&estate.scan(&["--all"]))
        .into_iter()
        .filter(|(_, status)| status == "resolved")
        .map(|(name, _)| name)
        .collect();
    let name = |bucket: &str, rule: &str, class: &str| (bucket.to_owned(), rule.to_owned(), class.to_owned());
    assert_eq!(
        resolved,
        [
            name("acme-labs-intake", "exposed_bucket", "write"),
            name("acme-sandbox-drop", "exposed_content", "roadmap")
        ]
    );
}

#[test]
fn a_suppressed_finding_is_put_aside_until_its_date_and_said_to_be() {
    let estate = Estate::new();
    let report = estate.scan(&[]);
    let criticals: Vec<&str> = report
        .iter()
        .filter(|line| line["severity"] == "critical")
        .map(|finding| finding["uid"].as_str().unwrap())
        .collect();
    assert!(criticals.len() >= 4);
    let fails = |estate: &Estate| {
        let (ledger, path) = (estate.file("ledger.db"), estate.path());
        spillwatch(&["scan", "--fail-on", "critical", "--state", &ledger, &path]).status.code()
    };
    assert_eq!(fails(&estate), Some(3));
    let tomorrow = (time::OffsetDateTime::now_utc() + time::Duration::days(1)).date().to_string();
    for uid in &criticals {
        let args = ["suppress", &uid[..12], "--reason", "a drill", "--author", "ada", "--until", &tomorrow];
        assert_eq!(estate.findings(&args).0, Some(0));
    }
    assert_eq!(fails(&estate), Some(0));
    let report = estate.scan(&[]);
    let coverage = report.last().unwrap();
    assert_eq!(coverage["findings_by_status"]["suppressed"], criticals.len());
    assert_eq!(coverage["ledger"]["suppressions"], criticals.len());
    let (_, list, _) = estate.findings(&["list", "--status", "suppressed"]);
    assert_eq!(list.lines().count(), 1 + criticals.len(), "{list}");
    let (_, shown, _) = estate.findings(&["show", criticals[0]]);
    assert!(shown.contains("by ada: a drill"), "{shown}");

    estate.lock();
    let coverage = estate.scan(&[]).pop().unwrap();
    let unmatched = coverage["ledger"]["suppressions_unmatched"].as_array().unwrap();
    assert_eq!(unmatched.len(), 3, "of the drop: {unmatched:?}");
    assert_eq!(estate.findings(&["unsuppress", criticals[0]]).0, Some(0));
    let reopened = statuses(&estate.scan(&[])).into_values().filter(|status| status == "reopened").count();
    assert!(reopened <= 1);
}

#[test]
fn a_suppression_that_has_ended_is_told_with_its_finding() {
    let estate = Estate::new();
    let report = estate.scan(&[]);
    let uid = report.iter().find(|line| line["severity"] == "critical").unwrap()["uid"].as_str().unwrap();
    let tomorrow = (time::OffsetDateTime::now_utc() + time::Duration::days(1)).date().to_string();
    let args = ["suppress", uid, "--reason", "a drill", "--author", "ada", "--until", &tomorrow];
    assert_eq!(estate.findings(&args).0, Some(0));
    let state = |report: &[Value]| {
        let expired = report.last().unwrap()["ledger"]["suppressions_expired"].as_array().unwrap().len();
        let status = report.iter().find(|line| line["uid"] == uid).unwrap()["status"].clone();
        (status, expired)
    };
    assert_eq!(state(&estate.scan(&[])), ("suppressed".into(), 0));
    // Time passes.
    let ledger = rusqlite::Connection::open(estate.file("ledger.db")).unwrap();
    ledger.execute("UPDATE suppressions SET until = '2026-01-01T00:00:00Z'", []).unwrap();
    assert_eq!(state(&estate.scan(&[])), ("reopened".into(), 1));
}

#[test]
fn the_list_is_cut_by_status_and_severity() {
    let estate = Estate::new();
    estate.scan(&[]);
    let (_, all, _) = estate.findings(&["list"]);
    let (_, severe, _) = estate.findings(&["list", "--min-severity", "high"]);
    let severities: Vec<&str> = severe.lines().skip(1).map(|line| line.split(' ').next().unwrap()).collect();
    assert!(
        severities.is_sorted() && severities.contains(&"critical") && severities.contains(&"high"),
        "{severe}"
    );
    assert!(severities.len() < all.lines().count() - 1);
    assert!(all.lines().nth(1).unwrap().starts_with("critical"), "worst first: {all}");
    let (_, none, _) = estate.findings(&["list", "--status", "resolved", "--format", "jsonl"]);
    assert_eq!(none, "");
}

#[test]
fn a_ledger_that_fails_in_the_middle_hides_no_finding() {
    let estate = Estate::new();
    let before = estate.scan(&[]);
    let ledger = estate.file("ledger.db");
    rusqlite::Connection::open(&ledger).unwrap().execute("UPDATE findings SET finding = 'x'", []).unwrap();
    let output = spillwatch(&["scan", "--state", &ledger, &estate.path()]);
    assert_eq!(output.status.code(), Some(1));
    let report = lines(&output);
    assert_eq!(report.len(), before.len());
    let coverage = report.last().unwrap();
    assert_eq!((&coverage["ledger"]["failed"], &coverage["complete"]), (&true.into(), &false.into()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("holds a row that cannot be read"), "{said}");
    assert_eq!(said.matches("not all of it is remembered").count(), 1, "said once: {said}");
}

#[test]
fn wrong_words_are_answered_with_the_next_step() {
    let estate = Estate::new();
    let (code, _, said) = estate.findings(&["list"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("`spillwatch scan --state` makes one"), "{said}");
    let report = estate.scan(&[]);
    let uid = report[0]["uid"].as_str().unwrap();
    let base = ["suppress", uid, "--reason", "x", "--author", "y", "--until"];
    for (until, expected) in
        [("2020-01-01", "over already"), ("2999-01-01", "more than a year away"), ("soon", "is no date")]
    {
        let (code, _, said) = estate.findings(&[&base[..], &[until]].concat());
        assert_eq!(code, Some(1));
        assert!(said.contains(expected), "{said}");
    }
    for (args, expected) in [
        (["show", "zz"], "is no uid"),
        (["show", "00000000000000000000"], "the ledger knows no finding"),
        (["diff", "1999"], "the ledger knows no run"),
    ] {
        let (code, _, said) = estate.findings(&args);
        assert_eq!(code, Some(1));
        assert!(said.contains(expected), "{said}");
    }
    let wrong = estate.file("acme/estate.toml");
    let output = spillwatch(&["scan", "--state", &wrong, &estate.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is no ledger of spillwatch"));
}
