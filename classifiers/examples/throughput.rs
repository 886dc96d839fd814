//! How fast are all classifiers together, per kind of content and over a mixed corpus on disk?
//!
//! `cargo run --release -p spillwatch-classifiers --example throughput -- DIR [MEGABYTES]` writes the corpus into DIR where it
//! is empty (files of 1 KB–64 MB), classifies every file in pieces of 256 KiB on one thread and on two, and prints MB/s of CPU
//! time, a bare pass of `memchr` for comparison, and the peak of resident memory.

// A command's result belongs on standard output.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use spillwatch_classifiers::{Classifier, Flow, Hints};

#[path = "../benches/corpus.rs"]
#[allow(dead_code)]
mod corpus;

const PIECE: usize = 256 << 10;

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target/classifier-corpus".to_owned()));
    let megabytes: u64 = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(256);
    if !folder.exists() {
        write_corpus(&folder, megabytes)?;
    }
    let mut files: BTreeMap<String, Vec<(PathBuf, u64)>> = BTreeMap::new();
    for entry in std::fs::read_dir(&folder)? {
        let entry = entry?;
        let kind = entry.file_name().to_string_lossy().split('-').next().unwrap_or_default().to_owned();
        files.entry(kind).or_default().push((entry.path(), entry.metadata()?.len()));
    }
    let classifier = Classifier::default();
    let all: Vec<(PathBuf, u64)> = files.values().flatten().cloned().collect();
    for (path, _) in &all {
        std::hint::black_box(memchr_pass(path)?);
    }
    println!("{:14} {:>9} {:>9} {:>9}  found", "kind", "MB", "MB/s", "memchr");
    for (kind, files) in &files {
        report(kind, files, &classifier)?;
    }
    report("all", &all, &classifier)?;
    let start = Instant::now();
    std::thread::scope(|scope| {
        let run = |odd: usize| {
            all.iter().skip(odd).step_by(2).try_for_each(|(path, _)| classify(&classifier, path).map(drop))
        };
        let other = scope.spawn(move || run(1));
        run(0).and(other.join().unwrap_or(Ok(())))
    })?;
    let bytes: u64 = all.iter().map(|(_, bytes)| bytes).sum();
    println!(
        "{:14} {:>9.1} {:>9.0}  MB/s of wall time",
        "two threads",
        bytes as f64 / 1e6,
        bytes as f64 / 1e6 / start.elapsed().as_secs_f64()
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    println!("peak resident memory: {}", peak.trim_start_matches("VmHWM:").trim());
    Ok(())
}

fn report(kind: &str, files: &[(PathBuf, u64)], classifier: &Classifier) -> std::io::Result<()> {
    let bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
    let mut best = (f64::MAX, f64::MAX);
    let mut found: BTreeMap<&str, u32> = BTreeMap::new();
    for round in 0..3 {
        let start = cpu_seconds();
        for (path, _) in files {
            for category in classify(classifier, path)? {
                *found.entry(category).or_default() += u32::from(round == 0);
            }
        }
        best.0 = best.0.min(cpu_seconds() - start);
        let start = cpu_seconds();
        for (path, _) in files {
            std::hint::black_box(memchr_pass(path)?);
        }
        best.1 = best.1.min(cpu_seconds() - start);
    }
    let megabytes = bytes as f64 / 1e6;
    println!(
        "{kind:14} {megabytes:>9.1} {:>9.0} {:>9.0}  {found:?} of {} files",
        megabytes / best.0,
        megabytes / best.1,
        files.len()
    );
    Ok(())
}

/// CPU time of this thread so far: other work on the machine must not count.
fn cpu_seconds() -> f64 {
    let status = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    status.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

fn classify(classifier: &Classifier, path: &Path) -> std::io::Result<Vec<&'static str>> {
    let mut file = File::open(path)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut session =
        classifier.begin(Hints { name: &name, size_bytes: Some(file.metadata()?.len()), ..Hints::default() });
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 || session.push(piece.get(..read).unwrap_or_default()) == Flow::Enough {
            break;
        }
    }
    let found = session.finish();
    Ok(found.detections.iter().filter(|d| d.confidence >= 0.5).map(|d| d.category.as_str()).collect())
}

/// Reads a file and looks for one byte in it: what no classifier can undercut.
fn memchr_pass(path: &Path) -> std::io::Result<usize> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE];
    let mut lines = 0;
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(lines),
            read => lines += memchr::memchr_iter(b'\n', piece.get(..read).unwrap_or_default()).count(),
        }
    }
}

fn write_corpus(folder: &Path, megabytes: u64) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut random = corpus::Random(7);
    for (kind, make, share, extension) in corpus::KINDS {
        let mut left = megabytes * 1000 * share;
        let mut number = 0;
        while left > 0 {
            // Sizes from 1 KB to 64 MB, as many of each power of two.
            let size = (1_u64 << (10 + random.below(17))).min(left).max(1 << 10);
            std::fs::write(
                folder.join(format!("{kind}-{number:04}.{extension}")),
                make(&mut random, size as usize),
            )?;
            left = left.saturating_sub(size);
            number += 1;
        }
    }
    Ok(())
}
