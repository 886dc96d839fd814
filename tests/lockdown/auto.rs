//! Is only that locked without a person which a policy names, and is it said why the rest is not?

use std::process::Output;

use serde_json::{Value, json};

use super::{Lock, files};
use crate::spillwatch;

/// Scans the demo estate into a report, and runs `lock auto` by a policy.
fn auto(lock: &Lock, policy: &str, more: &[&str]) -> Output {
    let (estate, folder) = (lock.estate(), lock.folder.path());
    let (report, config) = (folder.join("report.jsonl"), folder.join("spillwatch.toml"));
    if !report.exists() {
        std::fs::write(&report, spillwatch(&["scan", estate.to_str().unwrap()]).stdout).unwrap();
    }
    std::fs::write(&config, policy).unwrap();
    let evidence = lock.evidence();
    let paths = [&report, &config, &evidence].map(|path| path.to_str().unwrap());
    let args = ["lock", "auto", estate.to_str().unwrap(), "--findings", paths[0], "--config", paths[1]];
    spillwatch(&[&args[..], &["--evidence", paths[2]], more].concat())
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

const SANDBOX: &str = "[lockdown.automatic]\naccounts = [\"4444*\"]\nbuckets = [\"acme-sandbox-*\"]\n\
                       categories = [\"employee_pii\", \"roadmap\"]\n";

#[test]
fn a_dry_run_is_the_default_and_only_what_is_named_is_locked() {
    let lock = Lock::new();
    let before = files(&lock.estate());
    let output = auto(&lock, SANDBOX, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(told(&output).contains("TemporaryDemo"), "{}", told(&output));
    assert!(files(&lock.estate()) == before, "a dry run changes nothing");
    let output = auto(&lock, SANDBOX, &["--apply"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let changed: Vec<_> =
        files(&lock.estate()).into_iter().filter(|(path, now)| before[path] != *now).collect();
    assert_eq!(changed.len(), 1, "the facts of one bucket");
    assert!(changed[0].0.ends_with("acme-sandbox-drop/facts.json"));
    let journal = std::fs::read_to_string(lock.journal()).unwrap();
    let opened: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    let by = "automatic: employee_pii roadmap from high on, in accounts 4444*, in buckets acme-sandbox-*";
    assert_eq!(opened["approver"], json!(by));
    assert_eq!(lock.undo().status.code(), Some(0));
    assert!(files(&lock.estate()) == before);
}

#[test]
fn websites_and_what_is_too_much_for_one_run_are_left_to_a_person() {
    let lock = Lock::new();
    let all = "[lockdown.automatic]\naccounts = [\"*\"]\nbuckets = [\"*\"]\nmin_severity = \"informational\"\n\
               buckets_per_run_max = 1\n";
    let output = auto(&lock, all, &["--apply"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let told = told(&output);
    let left = |bucket: &str| told.lines().find(|line| line.starts_with(&format!("left       {bucket}:")));
    assert!(left("acme-labs-site").expect("left").contains("accept `website`"), "{told}");
    assert!(told.lines().any(|line| line.contains("1 buckets in one run are the most")), "{told}");
    assert_eq!(told.lines().filter(|line| line.contains("verification")).count(), 1, "{told}");
}

#[test]
fn without_a_policy_nothing_is_locked() {
    let lock = Lock::new();
    let before = files(&lock.estate());
    let output = auto(&lock, "", &["--apply"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("[lockdown.automatic]"));
    assert!(files(&lock.estate()) == before);
}
