//! Is everybody listed who must be told, for the recipient's eyes only, and in the number that the finding says?

use std::collections::BTreeSet;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Output;

use age::secrecy::ExposeSecret;
use serde_json::Value;
use spillwatch_fixtures::acme::canaries;

use crate::lifecycle::Estate;
use crate::spillwatch;

struct List {
    estate: Estate,
    identity: age::x25519::Identity,
    report: Vec<Value>,
}

impl List {
    fn new() -> Self {
        let estate = Estate::new();
        let report = estate.scan(&["--all"]);
        Self { estate, identity: age::x25519::Identity::generate(), report }
    }

    fn finding(&self, bucket: &str, rule: &str, class: &str) -> &Value {
        let is = |line: &&Value| line["bucket"] == bucket && line["rule"] == rule && line["class"] == class;
        self.report.iter().find(is).unwrap()
    }

    fn write(&self, name: &str, which: &[&str]) -> Output {
        let (ledger, recipient, out) =
            (self.estate.file("ledger.db"), self.identity.to_public().to_string(), self.estate.file(name));
        let rest = ["--state", &ledger, "--recipient", &recipient, "-o", &out];
        spillwatch(&[&["findings", "affected"], which, &rest].concat())
    }

    fn read(&self, name: &str) -> Vec<Value> {
        let file = std::fs::File::open(self.estate.file(name)).unwrap();
        let mut text = String::new();
        let decryptor = age::Decryptor::new(file).unwrap();
        decryptor.decrypt(std::iter::once(&self.identity as _)).unwrap().read_to_string(&mut text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn everybody_in_the_leaked_directory_is_listed_for_the_recipient_alone() {
    let list = List::new();
    let finding = list.finding("acme-sandbox-drop", "exposed_content", "employee_pii");
    let output = list.write("people.age", &[finding["uid"].as_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let mode = std::fs::metadata(list.estate.file("people.age")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let lines = list.read("people.age");
    let (summary, people) = lines.split_last().unwrap();
    assert_eq!(summary["people"], people.len());
    assert_eq!(finding["detections"][0]["distinct"], people.len(), "as many as the finding counts");
    assert_eq!(summary["objects"], finding["objects"]["count"]);
    let canaries: BTreeSet<String> = canaries().into_iter().collect();
    for person in people {
        assert!(canaries.contains(person["email"].as_str().unwrap()), "{person}");
        assert!(person["name"].as_str().unwrap().contains(' '));
        let objects = person["objects"].as_array().unwrap();
        assert_eq!(
            objects.len(),
            3,
            "as CSV, as a workbook and in a version of what was deleted: {objects:?}"
        );
        let exposed = person["exposed"].as_array().unwrap();
        assert!(
            exposed.contains(&"person_name".into()) && exposed.contains(&"work_email".into()),
            "{person}"
        );
    }

    // Nowhere else does anybody stand.
    let mut elsewhere = said(&output).into_bytes();
    for file in ["people.age", "ledger.db", "ledger.db-wal"] {
        elsewhere.extend(std::fs::read(list.estate.file(file)).unwrap_or_default());
    }
    let elsewhere = String::from_utf8_lossy(&elsewhere);
    let shown: Vec<_> = canaries.iter().filter(|canary| elsewhere.contains(canary.as_str())).collect();
    assert!(shown.is_empty(), "{shown:?}");
    assert!(!elsewhere.contains(list.identity.to_string().expose_secret()));
}

#[test]
fn closing_the_leak_untells_nobody() {
    let list = List::new();
    let wanted: Vec<&Value> = list
        .report
        .iter()
        .filter(|line| line["rule"] == "exposed_content" && line["provider"] == "aws")
        .filter(|line| line["class"] == "employee_pii" || line["class"] == "interaction_metadata")
        .collect();
    assert!(wanted.len() >= 4);
    list.estate.lock();
    list.estate.scan(&["--all"]);
    let output = list.write("people.age", &["--all"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let lines = list.read("people.age");
    for finding in wanted {
        let count = |schema: &str| {
            lines.iter().filter(|line| line["schema"] == schema && line["finding"] == finding["uid"]).count()
        };
        assert_eq!(finding["detections"][0]["distinct"], count("spillwatch.affected/1"), "{finding}");
        assert_eq!(count("spillwatch.affected_summary/1"), 1);
    }
}

#[test]
fn what_cannot_be_read_any_more_is_said() {
    let list = List::new();
    let finding = list.finding("acme-hr-exports", "exposed_content", "employee_pii");
    let uid = finding["uid"].as_str().unwrap();
    let bucket = list.estate.file("acme/aws/111122223333/acme-hr-exports");
    let key = finding["objects"]["top_keys"][0].as_str().unwrap();
    std::fs::remove_file(std::path::Path::new(&bucket).join("objects").join(key)).unwrap();
    // First it cannot be read, then it is not even listed.
    let mut index: Value =
        serde_json::from_slice(&std::fs::read(format!("{bucket}/objects.json")).unwrap()).unwrap();
    for (name, expected) in [("unread.age", "does not exist"), ("gone.age", "are gone")] {
        let output = list.write(name, &[uid]);
        assert_eq!(output.status.code(), Some(4), "{}", said(&output));
        let lines = list.read(name);
        assert_eq!(lines.len(), 1);
        let gaps = lines[0]["not_seen"].as_array().unwrap();
        assert!(gaps.len() == 1 && gaps[0]["detail"].as_str().unwrap().contains(expected), "{}", lines[0]);
        index.as_object_mut().unwrap().remove(key);
        std::fs::write(format!("{bucket}/objects.json"), index.to_string()).unwrap();
    }
}

#[test]
fn a_list_is_never_written_over_and_never_for_nobody() {
    let list = List::new();
    let uid = list.finding("acme-sandbox-drop", "exposed_content", "employee_pii")["uid"].as_str().unwrap();
    std::fs::write(list.estate.file("people.age"), "somebody's file").unwrap();
    let output = list.write("people.age", &[uid]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(std::fs::read_to_string(list.estate.file("people.age")).unwrap(), "somebody's file");

    let roadmap = list.finding("acme-sandbox-drop", "exposed_content", "roadmap")["uid"].as_str().unwrap();
    let output = list.write("other.age", &[roadmap]);
    assert!(said(&output).contains("not about people"), "{}", said(&output));
    let ledger = list.estate.file("ledger.db");
    let wrong =
        spillwatch(&["findings", "affected", uid, "--state", &ledger, "--recipient", "ada", "-o", "x.age"]);
    assert!(said(&wrong).contains("is no age recipient"), "{}", said(&wrong));
    let nobody = spillwatch(&["findings", "affected", uid, "--state", &ledger, "-o", "x.age"]);
    assert_eq!(nobody.status.code(), Some(2));
}
