//! How often are the classifiers right, on generated content and on a labelled corpus of documents?
//!
//! `cargo run --release -p spillwatch-classifiers --example accuracy -- [TRAIN.jsonl]` prints precision and recall per category
//! at confidence 0.5. The corpus has one JSON object a line with `label` (`roadmap`, `policy`, `other`) and `text`. The planning
//! model was trained on it, so its own two rows say how well it fits; for all other categories the corpus is unseen, and
//! whatever is found in it counts as false.

// A command's result belongs on standard output; on its own data it may end by a panic.
#![allow(clippy::print_stdout, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use spillwatch_classifiers::{Category, Classification, Classifier, Hints};

#[path = "../../benches/corpus.rs"]
#[allow(dead_code)]
mod corpus;
mod generated;

/// Detections below are notes, not verdicts.
const CONFIDENCE_MIN: f64 = 0.5;

/// How a category fared.
#[derive(Default)]
struct Score {
    right: u32,
    missed: u32,
    wrong: u32,
}

fn main() -> anyhow::Result<()> {
    let classifier = Classifier::default();
    let mut scores: BTreeMap<&str, Score> = BTreeMap::new();
    let mut cases = 0;
    for case in generated::cases() {
        let found = classify(&classifier, case.name, &case.bytes);
        cases += 1;
        let mistakes = tally(&mut scores, &Category::ALL, case.expected, &found);
        if !mistakes.is_empty() {
            println!("{}: {mistakes}", case.name);
        }
    }
    print("generated content", cases, &scores);
    if let Some(path) = std::env::args().nth(1) {
        let mut scores = BTreeMap::new();
        let text = std::fs::read_to_string(path)?;
        for line in text.lines() {
            let row: serde_json::Value = serde_json::from_str(line)?;
            let field = |name: &str| row.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
            let expected: &[Category] = match field("label") {
                "roadmap" => &[Category::Roadmap],
                "policy" => &[Category::InternalPolicy],
                _ => &[],
            };
            let found = classify(&classifier, "document.md", field("text").as_bytes());
            let mistakes = tally(&mut scores, &Category::ALL, expected, &found);
            if !mistakes.is_empty() {
                println!("{}: {mistakes}", field("id"));
            }
        }
        print("labelled documents", text.lines().count(), &scores);
    }
    Ok(())
}

fn classify(classifier: &Classifier, name: &str, bytes: &[u8]) -> Classification {
    classifier.classify(Hints { name, size_bytes: Some(bytes.len() as u64), ..Hints::default() }, bytes)
}

/// Counts one object; tells what was wrong in it.
fn tally(
    scores: &mut BTreeMap<&'static str, Score>,
    categories: &[Category],
    expected: &[Category],
    found: &Classification,
) -> String {
    let mut mistakes = Vec::new();
    for category in categories {
        let detection = found.detections.iter().find(|detection| detection.category == *category);
        let is_found = detection.is_some_and(|detection| detection.confidence >= CONFIDENCE_MIN);
        let score = scores.entry(category.as_str()).or_default();
        match (expected.contains(category), is_found) {
            (true, true) => score.right += 1,
            (true, false) => {
                score.missed += 1;
                mistakes.push(format!(
                    "missed {} ({:?})",
                    category.as_str(),
                    detection.map(|d| d.confidence)
                ));
            }
            (false, true) => {
                score.wrong += 1;
                mistakes.push(format!(
                    "wrong {} {:?}",
                    category.as_str(),
                    detection.map(|d| (d.confidence, &d.because))
                ));
            }
            (false, false) => {}
        }
    }
    mistakes.join("; ")
}

fn print(what: &str, objects: usize, scores: &BTreeMap<&str, Score>) {
    println!(
        "\n{what}: {objects} objects\n{:22} {:>9} {:>9} {:>6} {:>6} {:>6}",
        "category", "precision", "recall", "right", "missed", "wrong"
    );
    for (category, Score { right, missed, wrong }) in scores {
        let share = |of: u32| {
            if of == 0 { "-".to_owned() } else { format!("{:.3}", f64::from(*right) / f64::from(of)) }
        };
        println!(
            "{category:22} {:>9} {:>9} {right:>6} {missed:>6} {wrong:>6}",
            share(right + wrong),
            share(right + missed)
        );
    }
}
