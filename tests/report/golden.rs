//! Do people see what they saw before? The demo estate's table and spreadsheet, with the times made the same.
//!
//! `SPILLWATCH_UPDATE_GOLDEN=1` writes them anew; look at the difference before it is committed.

use std::path::Path;

use serde_json::{Value, json};

use super::{reported, text};
use crate::{lines, spillwatch};

/// The demo estate's report without what differs from run to run.
pub fn settled() -> Vec<Value> {
    let mut report = lines(&spillwatch(&["scan", crate::acme::estate().to_str().unwrap()]));
    let at = json!("2026-11-23T06:00:00Z");
    for line in &mut report {
        for field in ["first_seen", "last_seen", "exposed_since", "started", "ended"] {
            if !line[field].is_null() {
                line[field] = at.clone();
            }
        }
    }
    let coverage = report.last_mut().unwrap();
    coverage["gaps"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    coverage["targets"] = json!(["acme"]);
    coverage["run"] = json!("20261123T060000-demo");
    coverage["elapsed_ms"] = json!(271);
    let last = report.len() - 1;
    report[..last].sort_by_key(|finding| finding["uid"].as_str().unwrap().to_owned());
    report
}

fn check(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden").join(name);
    if std::env::var_os("SPILLWATCH_UPDATE_GOLDEN").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, said).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    let place = known.lines().zip(said.lines()).position(|(a, b)| a != b);
    assert!(
        known == said,
        "{name} differs from line {:?} on; SPILLWATCH_UPDATE_GOLDEN=1 writes it anew\n{said}",
        place.map(|place| place + 1)
    );
}

#[test]
fn the_table_for_people_is_as_it_was() {
    check("acme.txt", &text(&reported(&settled(), &["--format", "human"])));
}

#[test]
fn the_spreadsheet_is_as_it_was() {
    check("acme.csv", &text(&reported(&settled(), &["--format", "csv"])));
}
