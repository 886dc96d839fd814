//! Is what is open closed by the least change, provably, and opened again as if nothing had been?

mod auto;
mod faults;
mod generated;
mod google;
mod history;
mod one_bucket;
mod quarantine;

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use self::one_bucket::{EVERYONE, policy, with_bucket};
use crate::acme::estate;
use crate::spillwatch;

/// A copy of the demo estate that a test may change.
fn copy() -> tempfile::TempDir {
    fn below(from: &Path, to: &Path) {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            let (from, to) = (entry.path(), to.join(entry.file_name()));
            if from.is_dir() { below(&from, &to) } else { std::fs::copy(&from, &to).map(drop).unwrap() }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    below(&estate(), &folder.path().join("estate"));
    folder
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let walk =
        walkdir::WalkDir::new(folder).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    walk.map(|entry| (entry.path().to_owned(), std::fs::read(entry.path()).unwrap())).collect()
}

struct Lock {
    folder: tempfile::TempDir,
}

impl Lock {
    fn new() -> Self {
        Self { folder: copy() }
    }

    fn estate(&self) -> PathBuf {
        self.folder.path().join("estate")
    }

    fn plan(&self, more: &[&str]) -> Value {
        let estate = self.estate();
        let output =
            spillwatch(&[&["lock", "plan", "--format", "json", estate.to_str().unwrap()], more].concat());
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::write(self.folder.path().join("plan.json"), &output.stdout).unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn command(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spillwatch"));
        let (plan, evidence) = (self.folder.path().join("plan.json"), self.evidence());
        command.args(["lock", "apply", "--yes", "--approver", "a tester"]).arg(plan);
        command.arg("--evidence").arg(evidence).args(more);
        command
    }

    fn apply(&self, more: &[&str]) -> (Output, String) {
        let output = self.command(more).output().unwrap();
        let told = String::from_utf8(output.stdout.clone()).unwrap();
        (output, told)
    }

    fn evidence(&self) -> PathBuf {
        self.folder.path().join("evidence")
    }

    fn journal(&self) -> PathBuf {
        let plan = std::fs::read_dir(self.evidence()).unwrap().flatten().next().expect("one plan");
        plan.path().join("journal.jsonl")
    }

    fn undo(&self) -> Output {
        spillwatch(&["lock", "undo", "--yes", self.journal().to_str().unwrap()])
    }
}

fn of<'a>(plan: &'a Value, bucket: &str) -> &'a Value {
    let buckets = plan["buckets"].as_array().unwrap();
    buckets
        .iter()
        .find(|planned| planned["bucket"] == bucket)
        .unwrap_or_else(|| panic!("no plan for {bucket}"))
}

fn settings(planned: &Value) -> Vec<String> {
    let changes = planned["changes"].as_array().unwrap();
    changes.iter().map(|change| change["setting"].to_string().trim_matches('"').to_owned()).collect()
}

#[test]
fn only_the_offending_statement_goes_and_two_flags_keep_it_out() {
    let lock = Lock::new();
    let plan = lock.plan(&[]);
    let sandbox = of(&plan, "acme-sandbox-drop");
    assert_eq!(settings(sandbox), ["bucket_policy", "public_access_block"]);
    assert!(sandbox["changes"][0]["because"].as_str().unwrap().contains("`TemporaryDemo` only"));
    assert_eq!(settings(of(&plan, "acme-open-docs")), ["public_access_block"]);
    let hr = of(&plan, "acme-hr-exports");
    assert_eq!(settings(hr).len(), 1, "one object is open: {hr}");
    let named: Vec<&str> =
        plan["buckets"].as_array().unwrap().iter().map(|bucket| bucket["bucket"].as_str().unwrap()).collect();
    // A website that is public on purpose, what is closed by a block, what could not be read, and what a partner shares.
    for other in ["acme-labs-site", "acme-ml-scratch", "acme-vault-backups", "acme-partner-exchange"] {
        assert!(!named.contains(&other), "{other} needs no locking");
    }
}

#[test]
fn lock_then_undo_leaves_the_folder_as_it_was_to_the_byte() {
    let lock = Lock::new();
    let before = files(&lock.estate());
    lock.plan(&[]);
    let (output, told) = lock.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(!told.contains("failed") && !told.contains("refused"), "{told}");
    let journal = lock.journal();
    assert!(told.ends_with(&format!("journal: {}\n", journal.canonicalize().unwrap().display())), "{told}");
    assert_eq!(lock.plan(&[])["buckets"], serde_json::json!([]), "nothing is open");
    let changed: Vec<_> =
        files(&lock.estate()).into_iter().filter(|(path, now)| before[path] != *now).collect();
    assert_eq!(changed.len(), 5, "facts of four buckets, one of them Google's, and the objects of one");
    assert_eq!(lock.undo().status.code(), Some(0));
    assert!(files(&lock.estate()) == before, "not as it was");
    // Once more, since somebody in a hurry will.
    assert_eq!(lock.undo().status.code(), Some(0));
    assert!(files(&lock.estate()) == before, "not as it was");
}

#[test]
fn a_file_in_any_style_is_put_back_to_the_byte() {
    let lock = Lock::new();
    let facts = lock.estate().join("aws/444455556666/acme-sandbox-drop/facts.json");
    let value: Value = serde_json::from_slice(&std::fs::read(&facts).unwrap()).unwrap();
    let odd = format!("\n {}   \n\n", value.to_string().replace("\":", "\" : "));
    std::fs::write(&facts, &odd).unwrap();
    lock.plan(&[]);
    let (_, told) = lock.apply(&[]);
    assert_ne!(std::fs::read_to_string(&facts).unwrap(), odd, "{told}");
    lock.undo();
    assert_eq!(std::fs::read_to_string(&facts).unwrap(), odd);
}

#[test]
fn evidence_is_private_and_complete_before_anything_changes() {
    let lock = Lock::new();
    let facts = lock.estate().join("aws/444455556666/acme-sandbox-drop/facts.json");
    let before: Value = serde_json::from_slice(&std::fs::read(&facts).unwrap()).unwrap();
    lock.plan(&[]);
    lock.apply(&[]);
    let folder = lock.journal().parent().unwrap().join("evidence");
    let kept = folder.join("estate/aws/444455556666/acme-sandbox-drop");
    let facts: Value = serde_json::from_slice(&std::fs::read(kept.join("facts.json")).unwrap()).unwrap();
    assert_eq!(facts, before);
    let objects: Value = serde_json::from_slice(&std::fs::read(kept.join("objects.json")).unwrap()).unwrap();
    assert!(objects.as_object().unwrap().len() > 30, "every object was open");
    for entry in
        walkdir::WalkDir::new(lock.evidence().join(lock.journal().parent().unwrap())).into_iter().flatten()
    {
        let mode = entry.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{}", entry.path().display());
    }
    // The layout is that of an estate: it can be explained, and planned for, as it was.
    let output = spillwatch(&["lock", "plan", "--format", "json", folder.join("estate").to_str().unwrap()]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(settings(of(&plan, "acme-sandbox-drop")), ["bucket_policy", "public_access_block"]);
}

#[test]
fn evidence_for_a_recipient_can_be_read_by_nobody_else() {
    let lock = Lock::new();
    let identity = age::x25519::Identity::generate();
    lock.plan(&[]);
    lock.apply(&["--recipient", &identity.to_public().to_string()]);
    let folder = lock.journal().parent().unwrap().join("evidence");
    let sealed = folder.join("estate/aws/444455556666/acme-sandbox-drop/facts.json.age");
    let bytes = std::fs::read(sealed).unwrap();
    assert!(bytes.starts_with(b"age-encryption.org/v1\n"));
    let opened = age::decrypt(&identity, &bytes).unwrap();
    assert!(serde_json::from_slice::<Value>(&opened).unwrap()["s3:GetBucketPolicy"].is_object());
}

#[test]
fn a_state_that_changed_since_the_plan_is_refused() {
    let lock = Lock::new();
    lock.plan(&[]);
    let facts = lock.estate().join("aws/444455556666/acme-sandbox-drop/facts.json");
    let text = std::fs::read_to_string(&facts).unwrap().replace("TemporaryDemo", "AnotherDemo");
    std::fs::write(&facts, &text).unwrap();
    let (output, told) = lock.apply(&[]);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("make a new plan"), "{told}");
    assert_eq!(std::fs::read_to_string(&facts).unwrap(), text, "nothing of it was changed");
}

#[test]
fn a_plan_that_somebody_edited_is_not_applied() {
    let lock = Lock::new();
    let before = files(&lock.estate());
    lock.plan(&[]);
    let path = lock.folder.path().join("plan.json");
    let text = std::fs::read_to_string(&path).unwrap().replace("acme-open-docs", "acme-company-docs");
    std::fs::write(&path, text).unwrap();
    let (output, _) = lock.apply(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("was edited after it was made"));
    assert!(files(&lock.estate()) == before);
}

#[test]
fn a_website_goes_dark_only_where_that_was_accepted() {
    let lock = Lock::new();
    let plan = lock.plan(&["--min-severity", "informational"]);
    let site = of(&plan, "acme-labs-site");
    assert_eq!(site["hazards"][0]["kind"], "website");
    let (_, told) = lock.apply(&[]);
    assert!(
        told.lines().any(|line| line.contains("acme-labs-site") && line.contains("--accept website")),
        "{told}"
    );
    let (output, told) = lock.apply(&["--accept", "website"]);
    assert_eq!(output.status.code(), Some(0), "{told}");
}

#[test]
fn a_second_apply_finds_everything_already_so() {
    let lock = Lock::new();
    lock.plan(&[]);
    lock.apply(&[]);
    let after = files(&lock.estate());
    let (output, told) = lock.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("already so"), "{told}");
    assert!(files(&lock.estate()) == after);
}

#[test]
fn what_was_taken_back_is_applied_anew_with_evidence_of_its_own() {
    let lock = Lock::new();
    let before = files(&lock.estate());
    lock.plan(&[]);
    lock.apply(&[]);
    lock.undo();
    let (output, told) = lock.apply(&[]);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(!told.contains("already so"), "{told}");
    let kept = lock
        .journal()
        .parent()
        .unwrap()
        .join("evidence-2/estate/aws/444455556666/acme-sandbox-drop/facts.json");
    let (kept, facts) = (std::fs::read(kept).unwrap(), "aws/444455556666/acme-sandbox-drop/facts.json");
    let as_json = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    assert_eq!(as_json(&kept), as_json(&before[&lock.estate().join(facts)]));
    lock.undo();
    assert!(files(&lock.estate()) == before);
}

#[test]
fn what_somebody_changed_since_is_not_undone() {
    let lock = Lock::new();
    lock.plan(&[]);
    lock.apply(&[]);
    let facts = lock.estate().join("aws/444455556666/acme-open-docs/facts.json");
    let text = std::fs::read_to_string(&facts).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["s3:GetPublicAccessBlock"]["PublicAccessBlockConfiguration"]["BlockPublicAcls"] = true.into();
    std::fs::write(&facts, value.to_string()).unwrap();
    let output = lock.undo();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("somebody changed it since"));
    let now: Value = serde_json::from_slice(&std::fs::read(&facts).unwrap()).unwrap();
    assert_eq!(now, value);
}

#[test]
fn an_altered_journal_is_not_undone_by() {
    let lock = Lock::new();
    lock.plan(&[]);
    lock.apply(&[]);
    let after = files(&lock.estate());
    let journal = lock.journal();
    let text = std::fs::read_to_string(&journal).unwrap().replace("a tester", "nobody");
    std::fs::write(&journal, text).unwrap();
    let output = lock.undo();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("was altered at line"));
    assert!(files(&lock.estate()) == after);
}

/// A run is killed as soon as its journal has so many lines, for every number of lines, and leaves a torn line behind.
#[test]
fn wherever_a_run_was_killed_undo_puts_everything_back_and_apply_goes_on() {
    let whole = Lock::new();
    whole.plan(&[]);
    whole.apply(&[]);
    let journal = std::fs::read_to_string(whole.journal()).unwrap();
    let lines: Vec<&str> = journal.lines().collect();
    for cut in 1..lines.len() {
        for goes_on in [false, true] {
            let lock = Lock::new();
            let before = files(&lock.estate());
            lock.plan(&[]);
            killed_after(&lock, cut);
            let left = lock.journal();
            let torn = format!("{}{{\"previous\":\"to", std::fs::read_to_string(&left).unwrap());
            std::fs::write(&left, torn).unwrap();
            if goes_on {
                let (output, told) = lock.apply(&[]);
                assert_eq!(output.status.code(), Some(0), "after line {cut}: {told}");
                assert_eq!(lock.plan(&[])["buckets"], serde_json::json!([]), "after line {cut}");
            }
            assert_eq!(lock.undo().status.code(), Some(0), "after line {cut}");
            assert!(files(&lock.estate()) == before, "after line {cut}: not as it was");
        }
    }
}

/// Applies a plan and kills the run as soon as its journal has so many lines.
fn killed_after(lock: &Lock, lines: usize) {
    let mut running = lock.command(&[]).spawn().unwrap();
    loop {
        let written = std::fs::read_dir(lock.evidence()).ok().and_then(|mut plans| {
            let journal = plans.next()?.ok()?.path().join("journal.jsonl");
            Some(std::fs::read_to_string(journal).ok()?.lines().count())
        });
        if written.unwrap_or(0) >= lines || running.try_wait().unwrap().is_some() {
            break;
        }
        std::hint::spin_loop();
    }
    let _ = running.kill();
    running.wait().unwrap();
}
