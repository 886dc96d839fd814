//! Does a scan of the demo estate show nobody's data?

use std::path::{Path, PathBuf};

use spillwatch_fixtures::acme::canaries;

use crate::spillwatch;

pub fn estate() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/estates/acme")
}

#[test]
fn no_planted_person_is_shown_anywhere() {
    let canaries = canaries();
    assert!(canaries.len() > 300);
    let estate = estate();
    let estate = estate.to_str().unwrap();
    for args in [
        vec!["scan", "--all", "-vv", "--log-format", "json", estate],
        vec!["scan", "--all", "-vv", "--format", "human", estate],
        vec!["classify", estate],
    ] {
        let output = spillwatch(&args);
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

pub fn estate_path_holds(canary: &str) -> bool {
    fn below(folder: &Path, canary: &str) -> bool {
        std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
            entry.file_name().to_string_lossy().contains(canary)
                || entry.file_type().unwrap().is_dir() && below(&entry.path(), canary)
        })
    }
    below(&estate(), canary)
}
