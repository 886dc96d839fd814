//! One file, one edge case: is the verdict on it the one that it deserves?

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::estate::{Object, State};
use crate::exposure::{BucketExposure, Certainty};

/// The verdict that a case deserves.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::exposure) struct Expected {
    /// `audience access keys certainty`, all of them.
    exposures: BTreeSet<String>,
    #[serde(default)]
    public: Option<bool>,
    /// Parts of sentences that must be said.
    #[serde(default)]
    closed: Vec<String>,
    #[serde(default)]
    latent: Vec<String>,
    #[serde(default)]
    because: Vec<String>,
    /// Operations.
    #[serde(default)]
    gaps: BTreeSet<String>,
}

/// The object that a case judges, taken out of its facts: one with a `version` is not current.
pub(in crate::exposure) fn object(facts: &mut Map<String, Value>) -> Object {
    let mut text = |name: &str| facts.remove(name).and_then(|value| value.as_str().map(str::to_owned));
    let (key, version) = (text("key").expect("an object has a key"), text("version"));
    let state = if version.is_some() { State::Noncurrent } else { State::Current };
    Object { key, version, state, size_bytes: 1, ..Object::default() }
}

/// The word by which a value is serialized.
fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

impl Expected {
    /// What is wrong with the verdict.
    pub(in crate::exposure) fn complaints(&self, verdict: &BucketExposure) -> Vec<String> {
        let mut wrong = Vec::new();
        let found: BTreeSet<String> = verdict
            .exposures
            .iter()
            .map(|exposure| {
                let access = exposure.access.iter().map(word).collect::<Vec<_>>().join("+");
                let (audience, certainty) = (word(&exposure.audience), word(&exposure.certainty));
                format!("{audience} {access} {} {certainty}", exposure.keys)
            })
            .collect();
        for missing in self.exposures.difference(&found) {
            wrong.push(format!("missing: {missing}"));
        }
        for surplus in found.difference(&self.exposures) {
            wrong.push(format!("surplus: {surplus}"));
        }
        if verdict.policy_status_public != self.public {
            wrong.push(format!("public: {:?} instead of {:?}", verdict.policy_status_public, self.public));
        }
        let because: Vec<String> =
            verdict.exposures.iter().flat_map(|exposure| exposure.because.iter().cloned()).collect();
        for (name, said, wanted) in [
            ("closed", &verdict.closed_because, &self.closed),
            ("latent", &verdict.latent, &self.latent),
            ("because", &because, &self.because),
        ] {
            for part in
                wanted.iter().filter(|part| !said.iter().any(|sentence| sentence.contains(part.as_str())))
            {
                wrong.push(format!("{name}: nothing says `{part}` in {said:#?}"));
            }
        }
        let gaps: BTreeSet<String> = verdict.gaps.iter().map(|gap| gap.operation.clone()).collect();
        if gaps != self.gaps {
            wrong.push(format!("gaps: {gaps:?} instead of {:?}", self.gaps));
        }
        for exposure in &verdict.exposures {
            if (exposure.certainty == Certainty::Proven) != exposure.witness.is_some() {
                wrong.push(format!("a proof needs a witness, and nothing else has one: {exposure:?}"));
            }
            if exposure.because.is_empty() {
                wrong.push(format!("no reason given: {exposure:?}"));
            }
        }
        wrong
    }
}

/// Reads every case of a folder below `src/exposure` and fails with all that is wrong with any of them.
pub(in crate::exposure) fn every_case_deserves_its_verdict<C: DeserializeOwned>(
    folder: &str,
    least: usize,
    head: impl Fn(&C) -> (&str, &str),
    complaints: impl Fn(&C) -> Vec<String>,
) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/exposure").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the cases are here")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let mut failures = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a readable case");
        let case: C =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let (document, about) = head(&case);
        let mut wrong = complaints(&case);
        if about.is_empty() || !document.starts_with("https://") {
            wrong.push("a case says what it is about and names a document".to_owned());
        }
        if !wrong.is_empty() {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            failures.push(format!("{name} ({about})\n  {}", wrong.join("\n  ")));
        }
    }
    assert!(failures.is_empty(), "{} of {} cases:\n{}", failures.len(), files.len(), failures.join("\n"));
    assert!(files.len() >= least, "there are only {} cases", files.len());
}
