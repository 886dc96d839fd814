//! Does every finding have exactly one ticket, in a tracker of every kind, whatever the network does?

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use spillwatch_fixtures::tracker::{Fault, Issue, TOKEN, Tracker};

use crate::lifecycle::Estate;
use crate::{lines, spillwatch};

mod delivery;

/// An estate that is scanned into a tracker.
struct Office {
    estate: Estate,
    tracker: Tracker,
}

impl Office {
    /// With one sink, set up as `settings` says.
    fn new(kind: &str, settings: &str) -> Self {
        Self::of(&[(kind, settings)], "")
    }

    fn of(sinks: &[(&str, &str)], more: &str) -> Self {
        let office = Self { estate: Estate::new(), tracker: Tracker::start().unwrap() };
        office.configure(sinks, more);
        office
    }

    fn configure(&self, sinks: &[(&str, &str)], more: &str) {
        let secret = self.estate.file("token");
        std::fs::write(&secret, format!("{TOKEN}\n")).unwrap();
        let address = self.estate.file("address");
        std::fs::write(&address, format!("{}/services/{TOKEN}", self.tracker.url("slack"))).unwrap();
        let mut text = String::new();
        for (kind, settings) in sinks {
            let place = match *kind {
                "slack" => format!("token_file = \"{address}\""),
                _ => format!("url = \"{}\"\ntoken_file = \"{secret}\"", self.tracker.url(kind)),
            };
            text += &format!(
                "[[tickets]]\nkind = \"{kind}\"\n{place}\nrequests_per_second_max = 10000\n{settings}\n"
            );
        }
        std::fs::write(self.config(), text + more).unwrap();
    }

    fn config(&self) -> String {
        self.estate.file("spillwatch.toml")
    }

    fn scan(&self) -> Vec<Value> {
        self.estate.scan(&["--config", &self.config()])
    }

    /// Scans without a ledger or tickets into a file.
    fn scan_to_file(&self) -> String {
        let report = self.estate.file("report.jsonl");
        assert_eq!(spillwatch(&["scan", "--output", &report, &self.estate.path()]).status.code(), Some(0));
        report
    }

    /// Leak, `lock apply`, `lock undo`: what the scan after each of them reports.
    fn life(&self) -> [Vec<Value>; 3] {
        let leak = self.scan();
        let (plan, evidence, estate) =
            (self.estate.file("plan.json"), self.estate.file("evidence"), self.estate.path());
        let planned = spillwatch(&["lock", "plan", "--format", "json", &estate]);
        std::fs::write(&plan, &planned.stdout).unwrap();
        let apply = ["lock", "apply", "--yes", "--approver", "a tester", &plan, "--evidence", &evidence];
        assert_eq!(spillwatch(&apply).status.code(), Some(0));
        let locked = self.scan();
        let folder = std::fs::read_dir(&evidence).unwrap().flatten().next().unwrap().path();
        let journal = folder.join("journal.jsonl").to_str().unwrap().to_owned();
        assert_eq!(spillwatch(&["lock", "undo", "--yes", &journal]).status.code(), Some(0));
        [leak, locked, self.scan()]
    }

    /// What a sink came to in a run.
    fn delivery<'r>(report: &'r [Value], sink: &str) -> &'r Value {
        let sinks = report.last().unwrap()["tickets"].as_array().unwrap();
        sinks.iter().find(|delivery| delivery["sink"] == sink).unwrap()
    }

    /// The letters that wait, if any.
    fn letters(&self) -> Vec<Value> {
        let text =
            std::fs::read_to_string(self.estate.file("ledger.db.undelivered.jsonl")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn findings(report: &[Value]) -> impl Iterator<Item = (&str, &str, &str)> {
    let text = |finding: &'_ Value, field: &str| -> &'static str {
        Box::leak(finding[field].as_str().unwrap().to_owned().into_boxed_str())
    };
    let findings = report.iter().filter(|line| line["schema"] == "spillwatch.finding/1");
    findings.map(move |finding| (text(finding, "uid"), text(finding, "status"), text(finding, "severity")))
}

fn is_severe(severity: &str) -> bool {
    ["medium", "high", "critical"].contains(&severity)
}

/// What must have been done to the ticket of each finding, by its label, after these runs.
fn expected(reports: &[Vec<Value>]) -> BTreeMap<String, Vec<&'static str>> {
    let mut tickets: BTreeMap<String, (Vec<&'static str>, bool)> = BTreeMap::new();
    for (uid, status, severity) in reports.iter().flat_map(|report| findings(report)) {
        let label = format!("spillwatch-{}", &uid[..32]);
        let may_create = is_severe(severity) && !["resolved", "suppressed"].contains(&status);
        match (tickets.get_mut(&label), status) {
            (None, _) if may_create => drop(tickets.insert(label, (vec!["created"], true))),
            (None, _) | (_, "new" | "unchanged") => {}
            (Some((history, is_open @ true)), "resolved" | "suppressed") => {
                history.extend(["commented", "closed"]);
                *is_open = false;
            }
            (Some((history, is_open @ false)), "reopened") => {
                history.extend(["commented", "reopened"]);
                *is_open = true;
            }
            (Some((history, _)), "updated") => history.push("commented"),
            (Some(ticket), status) => panic!("{status} of {ticket:?}"),
        }
    }
    tickets.into_iter().map(|(label, (history, _))| (label, history)).collect()
}

/// What was done to each ticket, by its label; each label has one.
fn histories(issues: &[Issue]) -> BTreeMap<String, Vec<&'static str>> {
    let label =
        |issue: &Issue| issue.labels.iter().find(|label| label.starts_with("spillwatch-")).unwrap().clone();
    let histories: BTreeMap<_, _> =
        issues.iter().map(|issue| (label(issue), issue.history.clone())).collect();
    assert_eq!(histories.len(), issues.len(), "one finding has two tickets");
    histories
}

/// The trackers with what each needs beside its address.
const TRACKERS: [(&str, &str); 4] = [
    ("jira", "project = \"SEC\""),
    ("github", "repository = \"acme/security\""),
    ("gitlab", "project = \"acme/security\""),
    ("servicenow", "user = \"bot@acme.example\""),
];

/// Those that are told.
const NOTICES: [(&str, &str); 3] = [("webhook", ""), ("pagerduty", ""), ("slack", "")];

#[test]
fn leak_lock_and_undo_make_exactly_the_expected_tickets_everywhere() {
    let office = Office::of(&TRACKERS, "");
    let reports = office.life();
    let wanted = expected(&reports);
    let of = |last: &str| wanted.values().filter(|history| history.last() == Some(&last)).count();
    assert!(wanted.len() >= 12 && of("reopened") >= 10 && of("created") >= 1, "{wanted:#?}");
    for (kind, _) in TRACKERS {
        let issues = office.tracker.issues(kind);
        assert_eq!(histories(&issues), wanted, "{kind}");
        assert_eq!(Office::delivery(&reports[0], kind)["created"], wanted_created(&reports[0]), "{kind}");
        let closed = Office::delivery(&reports[1], kind)["closed"].as_u64().unwrap();
        assert_eq!(closed as usize, of("reopened") + of("closed"), "{kind}");
    }
    assert_eq!(office.letters(), [] as [Value; 0]);
}

fn wanted_created(report: &[Value]) -> usize {
    findings(report).filter(|(_, status, severity)| *status == "new" && is_severe(severity)).count()
}

#[test]
fn a_ticket_says_what_somebody_needs_who_knows_nothing_of_us() {
    let office = Office::new("jira", "project = \"SEC\"\nfields = { priority = { name = \"High\" } }");
    office.configure(
        &[("jira", "project = \"SEC\"\nfields = { priority = { name = \"High\" } }")],
        "[ticketing]\nlink = \"https://reports.acme.example/today\"\ndefault_owner = \"the security team\"\n",
    );
    let report = office.scan();
    let leak = report
        .iter()
        .find(|line| line["bucket"] == "acme-sandbox-drop" && line["class"] == "employee_pii")
        .unwrap();
    let label = format!("spillwatch-{}", &leak["uid"].as_str().unwrap()[..32]);
    let issues = office.tracker.issues("jira");
    let issue = issues.iter().find(|issue| issue.labels.contains(&label)).unwrap();
    let witness = leak["exposures"][0]["witness"]["command"].as_str().unwrap();
    for said in [
        "anyone can ",
        witness,
        "employee_pii: ",
        leak["because"][0].as_str().unwrap(),
        leak["remediation"].as_str().unwrap(),
        leak["first_seen"].as_str().unwrap(),
        "due: 20",
        "owner: ",
        "report: https://reports.acme.example/today",
        leak["uid"].as_str().unwrap(),
    ] {
        assert!(issue.body.contains(said), "{said} is not in {}", issue.body);
    }
    assert!(
        issue.title.starts_with("[critical] ") && issue.title.contains("acme-sandbox-drop"),
        "{}",
        issue.title
    );
    assert_eq!(issue.fields["priority"]["name"], "High");
    let sample = leak["detections"][0]["evidence"][0]["sample"].as_str().unwrap();
    assert!(!issue.body.contains(sample), "samples are told only where that is allowed: {sample}");
}

#[test]
fn samples_are_told_where_that_is_allowed_and_masked() {
    let office = Office::new("jira", "project = \"SEC\"\nevidence = true");
    let report = office.scan();
    let leak = report
        .iter()
        .find(|line| line["bucket"] == "acme-sandbox-drop" && line["class"] == "employee_pii")
        .unwrap();
    let sample = leak["detections"][0]["evidence"][0]["sample"].as_str().unwrap();
    assert!(office.tracker.issues("jira").iter().any(|issue| issue.body.contains(sample)), "{sample}");
}

#[test]
fn a_webhook_is_signed_and_told_every_transition_once() {
    let office = Office::new("webhook", "");
    office.tracker.fail("POST /webhook", 2, Fault::CutAfter);
    let reports = office.life();
    let told: BTreeMap<String, (String, String)> = office
        .tracker
        .requests("POST /webhook")
        .iter()
        .map(|request| {
            let body: Value = serde_json::from_str(&request.body).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            assert_eq!(request.headers["spillwatch-delivery"], text(&body["delivery"]));
            (text(&body["delivery"]), (text(&body["finding"]["uid"]), text(&body["transition"])))
        })
        .collect();
    let mut told: Vec<(String, String)> = told.into_values().collect();
    let mut wanted: Vec<(String, String)> = reports
        .iter()
        .flat_map(|report| findings(report))
        .filter(|(_, status, severity)| {
            *status == "resolved" || *status != "unchanged" && is_severe(severity)
        })
        .map(|(uid, status, _)| (uid.to_owned(), status.to_owned()))
        .collect();
    told.sort();
    wanted.sort();
    assert_eq!(told, wanted);
}

#[test]
fn pagerduty_keeps_one_incident_per_finding_and_ends_it() {
    let office = Office::new("pagerduty", "");
    let reports = office.life();
    let no_comments =
        |history: Vec<&'static str>| history.into_iter().filter(|done| *done != "commented").collect();
    let wanted: BTreeMap<String, Vec<&str>> =
        expected(&reports).into_iter().map(|(label, history)| (label, no_comments(history))).collect();
    assert_eq!(histories(&office.tracker.issues("pagerduty")), wanted);
    let first = &office.tracker.requests("POST /pagerduty")[0];
    let event: Value = serde_json::from_str(&first.body).unwrap();
    assert_eq!(event["dedup_key"].as_str().unwrap().len(), 64);
}

#[test]
fn slack_hears_counts_and_a_link_and_no_key() {
    let office = Office::of(&[], "");
    office.configure(
        &[("slack", "min_severity = \"high\"")],
        "[ticketing]\nlink = \"https://reports.acme.example\"\n",
    );
    let report = office.scan();
    let told = office.tracker.requests("POST /slack");
    let severe = findings(&report).filter(|(.., severity)| ["high", "critical"].contains(severity)).count();
    assert_eq!(told.len(), severe);
    assert!(told.iter().all(|request| request.body.contains("<https://reports.acme.example|report>")));
    let keys = report.iter().flat_map(|line| line["objects"]["top_keys"].as_array().into_iter().flatten());
    let keys: Vec<&str> = keys.filter_map(Value::as_str).collect();
    assert!(keys.len() > 20);
    for key in keys {
        assert!(told.iter().all(|request| !request.body.contains(key)), "{key} is told");
    }
    office.scan();
    assert_eq!(office.tracker.requests("POST /slack").len(), severe, "that nothing changed is no news");
}

#[test]
fn jira_cloud_is_searched_where_it_answers() {
    let office = Office::new("jira", "project = \"SEC\"\ncloud = true\nuser = \"bot@acme.example\"");
    let report = office.scan();
    assert_eq!(histories(&office.tracker.issues("jira")), expected(&[report]));
    assert!(!office.tracker.requests("GET /jira/rest/api/2/search/jql?").is_empty());
    assert!(office.tracker.requests("GET /jira/rest/api/2/search?").is_empty());
}

#[test]
fn a_ticket_that_a_person_closed_stays_closed_until_something_changes() {
    let office = Office::new("github", "repository = \"acme/security\"");
    office.scan();
    let id = &office.tracker.issues("github")[0].id;
    office.tracker.set_open("github", id, false);
    office.scan();
    let issue = &office.tracker.issues("github")[0];
    assert!(!issue.is_open && issue.comments.is_empty());
}

#[test]
fn what_is_suppressed_is_closed_with_the_reason() {
    let office = Office::of(&TRACKERS, "");
    let report = office.scan();
    let critical = report.iter().find(|line| line["severity"] == "critical").unwrap();
    let uid = critical["uid"].as_str().unwrap();
    let (ledger, tomorrow) =
        (office.estate.file("ledger.db"), time::OffsetDateTime::now_utc() + time::Duration::days(1));
    let until = tomorrow.date().to_string();
    let said = ["--reason", "only a drill", "--author", "ada", "--until", &until, "--state", &ledger];
    assert!(spillwatch(&[&["findings", "suppress", uid], &said[..]].concat()).status.success());
    office.scan();
    office.scan();
    let label = format!("spillwatch-{}", &uid[..32]);
    for (kind, _) in TRACKERS {
        let issues = office.tracker.issues(kind);
        let issue = issues.iter().find(|issue| issue.labels.contains(&label)).unwrap();
        assert_eq!(issue.history, ["created", "commented", "closed"], "{kind}");
        assert!(issue.comments[0].contains("by ada: only a drill"), "{kind}: {}", issue.comments[0]);
    }
}

#[test]
fn a_dry_run_prints_what_it_would_send_and_sends_nothing() {
    let office = Office::of(&TRACKERS, "");
    let args = ["scan", "--dry-run", "--config", &office.config(), &office.estate.path()];
    let output = spillwatch(&args);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    for (kind, _) in TRACKERS {
        assert!(said.contains(&format!("POST {}", office.tracker.url(kind))), "{said}");
    }
    assert!(said.contains("***") && !said.contains(TOKEN));
    assert_eq!(office.tracker.requests("").len(), 0);
}

#[test]
fn no_planted_person_and_no_secret_leaves_by_a_ticket() {
    let office = Office::of(&[], "");
    let with_samples: Vec<(&str, String)> = [&TRACKERS[..], &NOTICES[1..]]
        .concat()
        .iter()
        .map(|(kind, settings)| (*kind, format!("{settings}\nevidence = true")))
        .collect();
    let mut sinks: Vec<(&str, &str)> =
        with_samples.iter().map(|(kind, settings)| (*kind, settings.as_str())).collect();
    sinks.push(("webhook", "evidence = true\nattempts_max = 1"));
    office.configure(&sinks, "");
    office.tracker.fail("POST /webhook", 3, Fault::Status(500, Vec::new()));
    let (ledger, config) = (office.estate.file("ledger.db"), office.config());
    let args = [
        "scan",
        "-vv",
        "--log-format",
        "json",
        "--state",
        &ledger,
        "--config",
        &config,
        &office.estate.path(),
    ];
    let output = spillwatch(&args);
    let mut texts = vec![String::from_utf8(output.stderr).unwrap()];
    assert!(!office.letters().is_empty());
    texts.push(std::fs::read_to_string(office.estate.file("ledger.db.undelivered.jsonl")).unwrap());
    let requests = office.tracker.requests("");
    assert!(requests.len() > 100);
    texts.extend(requests.iter().map(|request| format!("{}\n{}", request.line, request.body)));
    for canary in spillwatch_fixtures::acme::canaries() {
        assert!(texts.iter().all(|text| !text.contains(&canary)), "{canary} is told");
    }
    // The key of PagerDuty stands in the body and that of Slack in the address; no other secret stands in either.
    let (own, logs) = (["POST /pagerduty", "POST /slack"], &texts[..2]);
    assert!(logs.iter().all(|text| !text.contains(TOKEN)));
    for request in requests.iter().filter(|request| !own.iter().any(|start| request.line.starts_with(start)))
    {
        assert!(!request.line.contains(TOKEN) && !request.body.contains(TOKEN), "{}", request.line);
    }
}

#[test]
fn security_hub_holds_each_finding_once_and_archives_what_is_over() {
    let office = Office::of(&[], "");
    let endpoint = &crate::servers::moto().endpoint;
    let text = format!(
        "[[tickets]]\nkind = \"securityhub\"\nregion = \"us-east-1\"\naccount = \"111122223333\"\nurl = \"{endpoint}\"\n\
         requests_per_second_max = 10000\n"
    );
    std::fs::write(office.config(), text).unwrap();
    let scan = || {
        let (ledger, config) = (office.estate.file("ledger.db"), office.config());
        let output = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
            .args(["scan", "--state", &ledger, "--config", &config, &office.estate.path()])
            .envs([("AWS_ACCESS_KEY_ID", "hub"), ("AWS_SECRET_ACCESS_KEY", "hub")])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        lines(&output)
    };
    let scope = "Credential=hub/20261126/us-east-1/securityhub/aws4_request, SignedHeaders=host, Signature=0";
    let headers = format!("Authorization: AWS4-HMAC-SHA256 {scope}\r\nContent-Type: application/json\r\n");
    let held = || {
        let body = "{\"MaxResults\": 100}";
        let (status, answer) = crate::servers::plain_request(endpoint, "POST /findings", &headers, body);
        assert_eq!(status, 200, "{answer}");
        let answer: Value = serde_json::from_str(&answer).unwrap();
        answer["Findings"].as_array().unwrap().clone()
    };
    let leak = scan();
    let severe: Vec<&str> =
        findings(&leak).filter(|(.., severity)| is_severe(severity)).map(|(uid, ..)| uid).collect();
    let mut ids: Vec<String> =
        held().iter().map(|finding| finding["Id"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    let mut wanted = severe.clone();
    wanted.sort();
    assert_eq!(ids, wanted);
    office.estate.lock();
    let locked = scan();
    for finding in held() {
        let status = findings(&locked).find(|(uid, ..)| finding["Id"] == **uid).unwrap().1;
        let state = if status == "resolved" { "ARCHIVED" } else { "ACTIVE" };
        assert_eq!(finding["RecordState"], state, "{status}");
    }
}
