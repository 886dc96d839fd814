//! What does an index cost a classification? The same corpus with and without one, in turns.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use spillwatch_classifiers::copies::IndexBuilder;
use spillwatch_classifiers::{Classifier, Hints};

use crate::generated::{Random, add, csv, key, opened, people, prose};

/// Documents of the index: text and tables.
const DOCUMENTS: usize = 2_000;
/// The least of so many runs of each file counts, in turns with and without.
const ROUNDS: usize = 5;

pub(crate) fn report(folder: &Path) -> anyhow::Result<()> {
    let mut builder = IndexBuilder::new(key());
    let mut random = Random(1);
    for number in 0..DOCUMENTS {
        let name = format!("{number}");
        if number % 2 == 0 {
            add(&mut builder, &name, prose(1000, &mut random).as_bytes())?;
        } else {
            add(&mut builder, &name, csv(&people(200, &mut random)).as_bytes())?;
        }
    }
    let index = opened(builder)?;
    let (without, with) = (Classifier::default(), Classifier::default().with_index(Arc::clone(&index)));
    let mut kinds: std::collections::BTreeMap<String, Vec<PathBuf>> = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        kinds.entry(name.split('-').next().unwrap_or_default().to_owned()).or_default().push(path);
    }
    println!("index of {} documents, {} prints, {} bytes", index.len(), index.prints(), index.size_bytes());
    println!("{:14} {:>9} {:>9} {:>9}  cost", "kind", "MB", "without", "with");
    let (mut all, mut all_without, mut all_with) = (0.0, 0.0, 0.0);
    for (kind, paths) in kinds {
        let (mut best_without, mut best_with, mut bytes) = (0.0, 0.0, 0);
        for path in &paths {
            let content = std::fs::read(path)?;
            let name = path.to_string_lossy();
            let (mut least_without, mut least_with) = (f64::MAX, f64::MAX);
            for _ in 0..ROUNDS {
                least_without = least_without.min(timed(&without, &name, &content));
                least_with = least_with.min(timed(&with, &name, &content));
            }
            best_without += least_without;
            best_with += least_with;
            bytes += content.len();
        }
        let megabytes = bytes as f64 / 1e6;
        row(&kind, megabytes, best_without, best_with);
        all += megabytes;
        all_without += best_without;
        all_with += best_with;
    }
    row("all", all, all_without, all_with);
    index.health()?;
    Ok(())
}

fn row(kind: &str, megabytes: f64, without: f64, with: f64) {
    println!(
        "{kind:14} {megabytes:>9.1} {:>9.0} {:>9.0}  {:+.1} % of CPU time, {:.1} % of throughput",
        megabytes / without,
        megabytes / with,
        (with / without - 1.0) * 100.0,
        (1.0 - without / with) * 100.0
    );
}

fn timed(classifier: &Classifier, name: &str, content: &[u8]) -> f64 {
    let start = cpu_seconds();
    let size_bytes = Some(content.len() as u64);
    let mut session = classifier.begin(Hints { name, size_bytes, ..Hints::default() });
    for piece in content.chunks(256 << 10) {
        session.push(piece);
    }
    std::hint::black_box(session.finish());
    cpu_seconds() - start
}

/// CPU time of this thread so far: other work on the machine must not count.
fn cpu_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    status.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}
