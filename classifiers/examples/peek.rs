//! temporary
#![allow(clippy::print_stdout)]
use spillwatch_classifiers::{Classifier, Hints};
fn main() -> anyhow::Result<()> {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        let found = Classifier::default().classify(
            Hints { name: &path, size_bytes: Some(bytes.len() as u64), ..Hints::default() },
            &bytes,
        );
        println!("{path} {}", serde_json::to_string(&found)?);
    }
    Ok(())
}
