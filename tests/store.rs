//! Do both ledgers keep their promises: nothing lost, nothing half written, nothing readable by others?

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use spillwatch::estate::{Account, Bucket, Provider};
use spillwatch::findings::{Finding, Holders, Objects, Record, SCHEMA, Severity, Suppression, Transition};
use spillwatch::store::{self, PAGE, Postgres, RUNS_KEPT, Run, Sqlite, Store, StoreError};

use crate::lifecycle::Estate;
use crate::servers::postgres;
use crate::{lines, spillwatch};

const AT: &str = "2026-11-26T10:00:00Z";

fn bucket(name: &str) -> Bucket {
    let account = Account { provider: Provider::Aws, id: "111122223333".to_owned() };
    Bucket { account, name: name.to_owned(), region: None }
}

fn uid(number: usize) -> String {
    format!("{number:064x}")
}

fn record(bucket: &str, number: usize, status: Transition, run: &str) -> Record {
    let mut holders = Holders::default();
    holders.insert(bucket, "a key");
    let finding = Finding {
        schema: SCHEMA.to_owned(),
        uid: uid(number),
        rule: "exposed_content".to_owned(),
        class: "roadmap".to_owned(),
        severity: Severity::High,
        provider: Provider::Aws,
        account: "111122223333".to_owned(),
        bucket: bucket.to_owned(),
        region: None,
        exposures: Vec::new(),
        detections: Vec::new(),
        copies: Vec::new(),
        objects: Objects { count: 7, holders, ..Objects::default() },
        because: vec!["'; DROP TABLE findings; -- \u{1f4a5}".to_owned()],
        remediation: String::new(),
        first_seen: AT.to_owned(),
        last_seen: AT.to_owned(),
        status,
        changes: Vec::new(),
        exposed_since: Some(AT.to_owned()),
        exposure_window_ms: Some(0),
        resolved_at: None,
        suppression: None,
        tags: Default::default(),
    };
    Record {
        finding,
        run: run.to_owned(),
        target: "aws".to_owned(),
        examined_at: AT.to_owned(),
        confidence_min: 0.5,
    }
}

fn run(id: &str) -> Run {
    Run {
        id: id.to_owned(),
        started: AT.to_owned(),
        ended: None,
        targets: vec!["aws".to_owned()],
        coverage: None,
    }
}

async fn write(store: &dyn Store, name: &str, records: Vec<Record>, run: &str) -> Vec<Record> {
    let written = records.clone();
    let decided = store.decide(&bucket(name), run, Box::new(move |_, _| written)).await.unwrap();
    assert_eq!(decided, records);
    decided
}

/// What any ledger must do, asked of an empty one.
async fn holds(store: &dyn Store) {
    store.begin(&run("1")).await.unwrap();
    store.begin(&run("2")).await.unwrap();
    let open = record("a", 1, Transition::New, "1");
    let gone = record("b", 2, Transition::Resolved, "1");
    write(store, "a", vec![open.clone()], "1").await;
    write(store, "b", vec![gone.clone()], "1").await;

    let suppression = Suppression {
        uid: uid(1),
        reason: "a honeypot".to_owned(),
        author: "ada".to_owned(),
        created: AT.to_owned(),
        until: "2027-01-01T00:00:00Z".to_owned(),
    };
    store.suppress(&suppression).await.unwrap();
    let renewed = Suppression { reason: "still one".to_owned(), ..suppression.clone() };
    store.suppress(&renewed).await.unwrap();
    assert_eq!(store.suppressions().await.unwrap(), std::slice::from_ref(&renewed));
    let (expected, said) = (open.clone(), renewed.clone());
    let see = move |known: Vec<Record>, suppressions: &[Suppression]| {
        assert_eq!((known.as_slice(), suppressions), (&[expected][..], &[said][..]));
        Vec::new()
    };
    store.decide(&bucket("a"), "1", Box::new(see)).await.unwrap();
    let see = |known: Vec<Record>, suppressions: &[Suppression]| {
        assert_eq!((known.len(), suppressions.len()), (1, 0));
        Vec::new()
    };
    store.decide(&bucket("b"), "1", Box::new(see)).await.unwrap();
    assert!(store.unsuppress(&uid(1)).await.unwrap());
    assert!(!store.unsuppress(&uid(1)).await.unwrap());

    assert_eq!(store.open_buckets(Provider::Aws, "111122223333").await.unwrap(), ["a"]);
    assert!(store.open_buckets(Provider::Gcp, "111122223333").await.unwrap().is_empty());
    assert_eq!(store.unexamined("1").await.unwrap(), 0);
    assert_eq!(store.unexamined("2").await.unwrap(), 1);

    let worse = Record { finding: Finding { severity: Severity::Critical, ..open.finding.clone() }, ..open };
    write(store, "a", vec![worse.clone()], "2").await;
    assert_eq!(store.records("").await.unwrap(), [worse.clone(), gone.clone()]);
    let sightings = store.sightings("1", "").await.unwrap();
    let seen: Vec<_> = sightings.iter().map(|seen| (seen.uid.clone(), seen.status, seen.severity)).collect();
    let expected =
        [(uid(1), Transition::New, Severity::High), (uid(2), Transition::Resolved, Severity::High)];
    assert_eq!(seen, expected, "what a run saw stays as it was");
    assert_eq!(sightings[0].names, ["aws", "111122223333", "a", "exposed_content", "roadmap"]);
    assert_eq!(store.sightings("2", "").await.unwrap()[0].severity, Severity::Critical);

    assert_eq!(store.find(&uid(1)).await.unwrap(), [worse]);
    assert_eq!(store.find("0000").await.unwrap().len(), 2);
    assert!(store.find("f").await.unwrap().is_empty());

    let ended = Run { ended: Some(AT.to_owned()), coverage: Some(json!({"findings": 3})), ..run("2") };
    store.end(&ended).await.unwrap();
    assert_eq!(store.runs().await.unwrap(), [ended, run("1")]);
    pages(store).await;
    forgets(store).await;
}

async fn pages(store: &dyn Store) {
    let many: Vec<Record> =
        (10..PAGE + 20).map(|number| record("many", number, Transition::New, "2")).collect();
    write(store, "many", many, "2").await;
    for what in ["records", "sightings"] {
        let (mut after, mut seen) = (String::new(), Vec::new());
        loop {
            let page: Vec<String> = match what {
                "records" => {
                    store.records(&after).await.unwrap().into_iter().map(|r| r.finding.uid).collect()
                }
                _ => store.sightings("2", &after).await.unwrap().into_iter().map(|s| s.uid).collect(),
            };
            assert!(page.len() <= PAGE);
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            seen.extend(page);
        }
        assert!(seen.is_sorted() && seen.len() > PAGE, "{what}");
    }
}

async fn forgets(store: &dyn Store) {
    for number in 0..RUNS_KEPT {
        store.begin(&run(&format!("3-{number:04}"))).await.unwrap();
    }
    assert_eq!(store.runs().await.unwrap().len(), RUNS_KEPT as usize);
    assert!(store.sightings("2", "").await.unwrap().is_empty(), "they went with their run");
    assert!(!store.records("").await.unwrap().is_empty(), "findings stay");
}

/// Many who decide over one bucket at the same time, from several connections, lose nothing.
async fn loses_nothing(stores: Vec<Box<dyn Store>>) {
    stores[0].begin(&run("1")).await.unwrap();
    let tasks = stores.into_iter().map(|store| {
        tokio::spawn(async move {
            for _ in 0..20 {
                let count = |known: Vec<Record>, _: &[Suppression]| {
                    let mut next = known.into_iter().next().unwrap_or_else(|| {
                        let mut first = record("a", 1, Transition::New, "1");
                        first.finding.objects.count = 0;
                        first
                    });
                    next.finding.objects.count += 1;
                    vec![next]
                };
                store.decide(&bucket("a"), "1", Box::new(count)).await.unwrap();
            }
            store
        })
    });
    let mut count = 0;
    for store in futures::future::join_all(tasks).await {
        count = store.unwrap().find(&uid(1)).await.unwrap()[0].finding.objects.count.max(count);
    }
    assert_eq!(count, 80);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_a_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    holds(&Sqlite::open(&path).unwrap()).await;
    let four = (0..4).map(|_| Box::new(Sqlite::open(&folder.path().join("b.db")).unwrap()) as Box<dyn Store>);
    loses_nothing(four.collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_a_ledger() {
    let url = format!("{}?sslmode=disable", postgres().url("one"));
    holds(&Postgres::open(&url).await.unwrap()).await;
    let url = format!("{}?sslmode=disable", postgres().url("two"));
    let four = futures::future::join_all((0..4).map(|_| store::open(&url))).await;
    loses_nothing(four.into_iter().map(Result::unwrap).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_broke_off_is_made_anew() {
    let url = format!("{}?sslmode=disable", postgres().url("broken"));
    let store = Postgres::open(&url).await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = 'broken'";
    assert!(
        Command::new("psql").args([&url, "-q", "-c", end]).stdout(Stdio::null()).status().unwrap().success()
    );
    // The first may still meet the broken one; none after it does.
    let _ = store.runs().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(store.runs().await.unwrap().is_empty());
}

#[test]
fn a_ledger_is_its_owners_alone_also_while_it_is_written() {
    let estate = Estate::new();
    let path = estate.file("ledger.db");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    let store = Sqlite::open(path.as_ref()).unwrap();
    for name in ["ledger.db", "ledger.db-wal", "ledger.db-shm"] {
        let mode = std::fs::metadata(estate.file(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    drop(store);
}

#[test]
fn what_is_no_ledger_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "not a database at all, but somebody's notes\n".repeat(100)).unwrap();
    assert!(matches!(Sqlite::open(&text), Err(StoreError::Foreign { .. })));
    let other = folder.path().join("other.db");
    rusqlite::Connection::open(&other).unwrap().execute_batch("CREATE TABLE x (y)").unwrap();
    assert!(matches!(Sqlite::open(&other), Err(StoreError::Foreign { .. })));
    let newer = folder.path().join("newer.db");
    drop(Sqlite::open(&newer).unwrap());
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Sqlite::open(&newer), Err(StoreError::Newer { found: 99, .. })));
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("not a database"));
}

#[test]
fn a_scan_that_is_killed_at_any_moment_leaves_a_ledger_that_goes_on() {
    let estate = Estate::new();
    let ledger = estate.file("ledger.db");
    for moment in 0..12 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
            .args(["scan", "--all", "--state", &ledger, &estate.path()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(20 + 40 * moment));
        // SIGKILL.
        let _ = child.kill();
        child.wait().unwrap();
    }
    let report = lines(&spillwatch(&["scan", "--all", "--state", &ledger, &estate.path()]));
    assert!(report.len() > 20);
    for finding in report.iter().filter(|line| line["uid"].is_string()) {
        assert!(["new", "unchanged"].contains(&finding["status"].as_str().unwrap()), "{finding}");
    }
    let again = lines(&spillwatch(&["scan", "--all", "--state", &ledger, &estate.path()]));
    assert_eq!(again.last().unwrap()["findings_by_status"], json!({"unchanged": report.len() - 1}));
    let runs = spillwatch(&["findings", "runs", "--state", &ledger]).stdout;
    assert!(String::from_utf8(runs).unwrap().contains("did not end"), "no scan was killed in its course");
    let check: String = rusqlite::Connection::open(&ledger)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(check, "ok");
}

#[test]
fn a_database_is_spoken_to_in_tls_and_its_certificate_is_verified() {
    let estate = Estate::new();
    let url = format!("{}?sslmode=require", postgres().url("tls"));
    let scan = |certificates: &std::path::Path| {
        Command::new(env!("CARGO_BIN_EXE_spillwatch"))
            .args(["scan", "--all", "--state", &url, &estate.path()])
            .env("SSL_CERT_FILE", certificates)
            .output()
            .unwrap()
    };
    let output = scan(&postgres().certificate);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let list = spillwatch(&["findings", "list", "--state", &url.replace("require", "disable")]);
    assert!(String::from_utf8(list.stdout).unwrap().contains("acme-sandbox-drop"));

    let others = estate.file("none.pem");
    std::fs::write(&others, "").unwrap();
    let output = scan(others.as_ref());
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("could not open the ledger `postgres://localhost/tls`"), "{said}");
    assert!(!said.contains("spillwatch:spillwatch"), "{said}");
}

#[test]
fn two_scanners_of_one_database_agree() {
    let estate = Estate::new();
    let url = format!("{}?sslmode=disable", postgres().url("shared"));
    let scan = || {
        Command::new(env!("CARGO_BIN_EXE_spillwatch"))
            .args(["scan", "--all", "--state", &url, &estate.path()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let both = [scan(), scan()].map(|child| lines(&child.wait_with_output().unwrap()));
    let new = |report: &[serde_json::Value]| report.iter().filter(|line| line["status"] == "new").count();
    assert_eq!(
        new(&both[0]) + new(&both[1]),
        both[0].len() - 1,
        "each finding is new to exactly one of them"
    );
    let again = lines(&scan().wait_with_output().unwrap());
    assert_eq!(again.last().unwrap()["findings_by_status"], json!({"unchanged": both[0].len() - 1}));
}
