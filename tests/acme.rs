//! Does a scan of the demo estate say what its answer key says, in both directions, and show nobody's data?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use spillwatch_fixtures::acme::canaries;
use spillwatch_fixtures::answers::{Answers, Expected, Trap};

use crate::{lines, spillwatch};

/// The demo estate's folder.
pub fn estate() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/estates/acme")
}

fn name(finding: &Value) -> [String; 5] {
    ["provider", "account", "bucket", "rule", "class"]
        .map(|field| finding[field].as_str().unwrap().to_owned())
}

fn expected_name(expected: &Expected) -> [String; 5] {
    let Expected { provider, account, bucket, rule, class, .. } = expected;
    [provider, account, bucket, rule, class].map(String::clone)
}

fn differences(finding: &Value, expected: &Expected) -> Vec<String> {
    let mut differences = Vec::new();
    let mut differs = |what: &str, found: String, wanted: String| {
        differences.push(format!("{:?}: {what} is {found}, not {wanted}", name(finding)));
    };
    if finding["severity"] != expected.severity.as_str() {
        differs("severity", finding["severity"].to_string(), expected.severity.clone());
    }
    let ranks = ["anyone", "any_authenticated", "external", "cdn", "organization"];
    let audiences =
        finding["exposures"].as_array().unwrap().iter().map(|way| way["audience"].as_str().unwrap());
    let widest = audiences.min_by_key(|audience| ranks.iter().position(|rank| rank == audience));
    if expected.audience.is_some() && widest != expected.audience.as_deref() {
        differs("audience", format!("{widest:?}"), format!("{:?}", expected.audience));
    }
    if let Some(objects) =
        expected.objects.filter(|range| !range.contains(finding["objects"]["count"].as_u64().unwrap()))
    {
        differs("objects", finding["objects"]["count"].to_string(), format!("{objects:?}"));
    }
    let people = finding["detections"][0]["distinct"].as_u64();
    if let Some(wanted) = expected.people.filter(|range| !people.is_some_and(|people| range.contains(people)))
    {
        differs("people", format!("{people:?}"), format!("{wanted:?}"));
    }
    differences
}

fn traps(trap: &Trap, finding: &Value) -> bool {
    let [provider, account, bucket, rule, class] = name(finding);
    (&provider, &account, &bucket) == (&trap.provider, &trap.account, &trap.bucket)
        && trap.rule.as_ref().is_none_or(|wanted| *wanted == rule)
        && trap.class.as_ref().is_none_or(|wanted| *wanted == class)
}

/// Everything in which a report differs from the answer key of one provider; empty where they agree.
pub fn disagreements(report: &[Value], provider: &str) -> Vec<String> {
    let answers = Answers::of(&estate()).unwrap();
    let findings: BTreeMap<_, _> = report
        .iter()
        .filter(|line| line["schema"] == "spillwatch.finding/1" && line["provider"] == provider)
        .map(|finding| (name(finding), finding))
        .collect();
    let mut wrong = Vec::new();
    for expected in answers.findings_of(provider) {
        match findings.get(&expected_name(expected)) {
            Some(finding) => wrong.extend(differences(finding, expected)),
            None => wrong.push(format!("missing: {:?}, {}", expected_name(expected), expected.why)),
        }
    }
    for (name, finding) in &findings {
        if !answers.findings_of(provider).any(|expected| expected_name(expected) == *name) {
            let trap = answers.absent.iter().find(|trap| traps(trap, finding));
            wrong.push(format!("unexpected: {name:?}, {}", trap.map_or("", |trap| &trap.why)));
        }
    }
    wrong
}

#[test]
fn the_folder_agrees_with_the_answer_key() {
    let output = spillwatch(&["scan", "--all", estate().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    for provider in ["aws", "gcp"] {
        let wrong = disagreements(&lines(&output), provider);
        assert!(wrong.is_empty(), "{provider}: {wrong:#?}");
    }
}

#[test]
fn no_planted_person_is_shown_anywhere() {
    let canaries = canaries();
    assert!(canaries.len() > 300);
    let estate = estate();
    let facts = walkdir::WalkDir::new(&estate).into_iter().flatten();
    let facts = facts.filter(|entry| entry.file_name() == "facts.json" && entry.depth() == 4);
    let explained: Vec<Vec<String>> = facts
        .flat_map(|file| {
            let path = file.path().display().to_string();
            ["human", "json"].map(|format| ["explain", "--format", format, &path].map(str::to_owned).to_vec())
        })
        .collect();
    assert!(explained.len() >= 24, "{explained:?}");
    let estate = estate.to_str().unwrap();
    for args in [
        vec!["scan", "--all", "-vv", "--log-format", "json", estate],
        vec!["scan", "--all", "-vv", "--format", "human", estate],
        vec!["classify", estate],
        vec!["lock", "plan", "--format", "human", "--min-severity", "informational", "--external", estate],
    ]
    .into_iter()
    .map(|args| args.into_iter().map(str::to_owned).collect())
    .chain(explained)
    {
        let output = spillwatch(&args.iter().map(String::as_str).collect::<Vec<_>>());
        for text in [output.stdout, output.stderr] {
            let text = String::from_utf8(text).unwrap();
            // `classify` names the files that the user named; their paths are his own.
            let told: Vec<&String> = canaries
                .iter()
                .filter(|canary| {
                    text.contains(*canary) && !(args[0] == "classify" && estate_path_holds(canary))
                })
                .collect();
            assert!(told.is_empty(), "{args:?} shows {told:?}");
        }
    }
}

fn estate_path_holds(canary: &str) -> bool {
    fn below(folder: &Path, canary: &str) -> bool {
        std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
            entry.file_name().to_string_lossy().contains(canary)
                || entry.file_type().unwrap().is_dir() && below(&entry.path(), canary)
        })
    }
    below(&estate(), canary)
}

#[test]
fn an_object_that_its_own_acl_opens_is_explained() {
    let facts = estate().join("aws/111122223333/acme-hr-exports/facts.json");
    let verdict = lines(&spillwatch(&["explain", facts.to_str().unwrap()])).remove(0);
    let open = &verdict["exposures"][0];
    assert_eq!((&open["audience"], &open["certainty"]), (&"anyone".into(), &"proven".into()), "{verdict}");
    assert!(open["witness"]["command"].as_str().unwrap().contains("acme-hr-exports"), "{verdict}");
}
