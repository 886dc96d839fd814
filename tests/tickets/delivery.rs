//! Does every ticket arrive once, late if it must be, whatever the network, the server or the operator does?

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use spillwatch_fixtures::tracker::{Fault, TOKEN};

use super::{Office, TRACKERS, expected, findings, histories, wanted_created};
use crate::{lines, spillwatch};

#[test]
fn whatever_the_network_does_no_ticket_is_made_twice() {
    for (kind, settings) in TRACKERS {
        let office = Office::new(kind, settings);
        let start = format!("POST /{kind}");
        office.tracker.fail(&start, 1, Fault::CutAfter);
        office.tracker.fail(&start, 1, Fault::Status(500, Vec::new()));
        office.tracker.fail(&start, 1, Fault::Status(429, vec![("retry-after", "1")]));
        office.tracker.fail(&start, 1, Fault::CutBefore);
        office.tracker.fail(&start, 1, Fault::CutAfter);
        office.tracker.fail(&format!("GET /{kind}"), 2, Fault::CutBefore);
        office.tracker.fail(&format!("GET /{kind}"), 1, Fault::Status(502, Vec::new()));
        let reports = office.life();
        assert_eq!(office.tracker.heal(), 0, "{kind}: not every fault happened");
        assert_eq!(histories(&office.tracker.issues(kind)), expected(&reports), "{kind}");
        assert_eq!(office.letters(), [] as [Value; 0], "{kind}");
    }
}

#[test]
fn what_cannot_be_delivered_waits_and_is_sent_by_the_next_run() {
    let office = Office::new("jira", "project = \"SEC\"\nattempts_max = 1");
    office.tracker.fail("GET /jira", 1_000, Fault::Status(401, Vec::new()));
    let report = office.scan();
    let letters = office.letters();
    let told = Office::delivery(&report, "jira");
    assert_eq!(told["undelivered"], letters.len());
    assert!(letters.len() >= 12 && told["lost"] == 0, "{told}");
    assert!(letters.iter().all(|letter| letter["why"].is_string() && letter["sink"] == "jira"));
    let mode = std::os::unix::fs::MetadataExt::mode(
        &Path::new(&office.estate.file("ledger.db.undelivered.jsonl")).metadata().unwrap(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let asked = office.tracker.requests("jira");
    assert!(asked.len() <= 3, "a sink that fails in a row is left alone: {asked:#?}");

    office.tracker.heal();
    let again = office.scan();
    assert_eq!(office.letters(), [] as [Value; 0]);
    assert_eq!(Office::delivery(&again, "jira")["sent_again"], letters.len());
    assert_eq!(histories(&office.tracker.issues("jira")), expected(&[report, again]));
}

#[test]
fn a_failure_that_nobody_keeps_is_told_by_the_exit_code() {
    let office = Office::new("jira", "project = \"SEC\"\nattempts_max = 1");
    office.configure(
        &[("jira", "project = \"SEC\"\nattempts_max = 1")],
        "[ticketing]\ndead_letter = \"/no-such-folder/letters.jsonl\"\n",
    );
    office.tracker.fail("GET /jira", 1_000, Fault::Status(401, Vec::new()));
    let output = spillwatch(&["scan", "--config", &office.config(), &office.estate.path()]);
    assert_eq!(output.status.code(), Some(1));
    let report = lines(&output);
    assert!(Office::delivery(&report, "jira")["lost"].as_u64().unwrap() >= 12);
    assert!(findings(&report).count() >= 20, "the scan itself is whole");
}

#[test]
fn what_waits_is_sent_before_what_comes_after_it() {
    let office = Office::new("github", "repository = \"acme/security\"\nattempts_max = 1");
    office.tracker.fail("GET /github", 1_000, Fault::Status(401, Vec::new()));
    let leak = office.scan();
    office.estate.lock();
    let locked = office.scan();
    let waiting = office.letters();
    assert!(waiting.iter().any(|letter| letter["finding"]["status"] == "resolved"));
    office.tracker.heal();
    // Nothing is scanned: what waits is enough.
    let ledger = office.estate.file("ledger.db");
    let output = spillwatch(&["tickets", "send", "--config", &office.config(), "--state", &ledger]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(lines(&output)[0]["sent_again"], waiting.len());
    assert_eq!(office.letters(), [] as [Value; 0]);
    let unchanged_too = histories(&office.tracker.issues("github"));
    let wanted = expected(&[leak, locked]);
    for (label, history) in unchanged_too {
        assert_eq!(history, wanted[&label], "{label}");
    }
}

#[test]
fn a_redirect_leads_a_ticket_nowhere() {
    let office = Office::new("webhook", "");
    let elsewhere = office.tracker.url("elsewhere");
    let elsewhere: &'static str = Box::leak(elsewhere.into_boxed_str());
    office.tracker.fail("POST /webhook", 1_000, Fault::Status(307, vec![("location", elsewhere)]));
    let report = office.scan();
    assert_eq!(office.tracker.requests("elsewhere").len(), 0);
    assert_eq!(Office::delivery(&report, "webhook")["undelivered"], office.letters().len());
    assert!(office.letters()[0]["why"].as_str().unwrap().contains("refused with HTTP 307"));
}

#[test]
fn a_run_that_is_ended_keeps_what_it_did_not_file_yet() {
    let office = Office::new("github", "repository = \"acme/security\"");
    office.tracker.fail("GET /github", 1_000, Fault::Stall);
    let (ledger, config) = (office.estate.file("ledger.db"), office.config());
    let child = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
        .args(["scan", "--state", &ledger, "--config", &config, &office.estate.path()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while office.tracker.requests("GET /github").is_empty() {
        std::thread::sleep(Duration::from_millis(50));
    }
    // The scan goes on meanwhile, and the desk waits for an answer that will not come.
    std::thread::sleep(Duration::from_millis(500));
    let ended = Instant::now();
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(ended.elapsed() < Duration::from_secs(10));
    let report = lines(&output);
    let letters = office.letters();
    assert_eq!(Office::delivery(&report, "github")["undelivered"], letters.len());
    assert_eq!(letters.len(), wanted_created(&report));
    office.tracker.heal();
    let again = office.scan();
    assert_eq!(histories(&office.tracker.issues("github")), expected(&[report, again]));
}

#[test]
fn a_missing_secret_is_said_before_anything_is_scanned() {
    let office = Office::new("jira", "project = \"SEC\"");
    std::fs::remove_file(office.estate.file("token")).unwrap();
    let output = spillwatch(&["scan", "--config", &office.config(), &office.estate.path()]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("sink `jira`: could not read `"), "{said}");
}

#[test]
fn a_stored_report_is_filed_once_however_often_it_is_sent() {
    let office = Office::of(&TRACKERS, "");
    let (report, config) = (office.scan_to_file(), office.config());
    let send = |more: &[&str]| {
        let output =
            spillwatch(&[&["tickets", "send", "--findings", &report, "--config", &config], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let printed = send(&["--dry-run"]);
    assert!(printed.contains("POST http") && printed.contains("***") && !printed.contains(TOKEN));
    assert_eq!(office.tracker.requests("").len(), 0);
    let deliveries: Vec<Value> = send(&[]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(deliveries.len(), TRACKERS.len());
    assert!(deliveries.iter().all(|delivery| delivery["created"].as_u64() >= Some(12)), "{deliveries:?}");
    send(&[]);
    let lines = std::fs::read_to_string(&report).unwrap();
    let stored: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (kind, _) in TRACKERS {
        assert_eq!(
            histories(&office.tracker.issues(kind)),
            expected(std::slice::from_ref(&stored)),
            "{kind}"
        );
    }
}

#[test]
fn a_report_that_was_tampered_with_reaches_no_tracker() {
    let office = Office::of(&TRACKERS, "");
    let report = office.scan_to_file();
    let lines = std::fs::read_to_string(&report).unwrap();
    let mut finding: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    finding["uid"] = "x\" OR project = \"HR".into();
    std::fs::write(&report, finding.to_string()).unwrap();
    let output = spillwatch(&["tickets", "send", "--findings", &report, "--config", &office.config()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("line 1 has a `uid` that is none"));
    assert_eq!(office.tracker.requests("").len(), 0);
}

#[test]
fn a_finding_that_is_refused_keeps_no_other_back() {
    let office = Office::new("jira", "project = \"SEC\"");
    office.tracker.fail("POST /jira/rest/api/2/issue", 5, Fault::Status(400, Vec::new()));
    let report = office.scan();
    assert_eq!(office.letters().len(), 5);
    assert_eq!(office.tracker.issues("jira").len(), wanted_created(&report) - 5);
    let again = office.scan();
    assert_eq!(office.letters(), [] as [Value; 0]);
    assert_eq!(histories(&office.tracker.issues("jira")), expected(&[report, again]));
}
