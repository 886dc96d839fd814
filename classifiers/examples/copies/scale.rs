//! How large is an index of many documents, how fast does it open, and what does a look-up cost?

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use spillwatch_classifiers::copies::{Digest, Index, IndexBuilder, Source};
use spillwatch_classifiers::{Classifier, Hints};

use crate::generated::{Random, add, key, prose};

/// Words of a document.
const WORDS: usize = 1_000;
const LISTED: u64 = 1_000_000;

/// `path` is where the index is written, to be opened from disk.
pub(crate) fn report(documents: usize, path: &Path) -> anyhow::Result<()> {
    let (mut builder, mut random) = (IndexBuilder::new(key()), Random(1));
    let start = Instant::now();
    for number in 0..documents {
        add(
            &mut builder,
            &format!("drive/team-{}/document-{number}.docx", number % 97),
            prose(WORDS, &mut random).as_bytes(),
        )?;
    }
    println!("fingerprint {documents} documents of {WORDS} words: {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let mut file = Vec::new();
    builder.write([3; 16], &mut file)?;
    println!(
        "write: {:.1} s, {:.1} MB, {:.0} bytes a document",
        start.elapsed().as_secs_f64(),
        file.len() as f64 / 1e6,
        file.len() as f64 / documents as f64
    );
    std::fs::write(path, &file)?;
    drop(file);
    // Where so much was just freed, the next allocation takes longer than opening does: another process tells better.
    let opened = Command::new(std::env::current_exe()?).arg("open").arg(path).status()?;
    anyhow::ensure!(opened.success(), "the index could not be opened");
    let index = on_disk(path)?;

    let start = Instant::now();
    let mut hits = 0;
    for number in 0..LISTED {
        // Objects of which few have the size of a known document.
        let size = 5_000 + number * 7 % 3_000_000;
        if index.has_size(size) {
            let md5 = Digest::Md5([(number % 251) as u8; 16]);
            hits += 1 + index.by_digest(size, &md5).len();
        }
    }
    println!(
        "look {LISTED} listed objects up by size and digest: {:.2} s, {hits} of a known size",
        start.elapsed().as_secs_f64()
    );

    let index = std::sync::Arc::new(index);
    let classifier = Classifier::default().with_index(std::sync::Arc::clone(&index));
    let text = prose(1_000_000, &mut random);
    for name in ["first.txt", "again.txt"] {
        let start = Instant::now();
        let found = classifier.classify(Hints { name, ..Hints::default() }, text.as_bytes());
        println!(
            "classify {:.1} MB of other prose: {:.2} s, {} copies",
            text.len() as f64 / 1e6,
            start.elapsed().as_secs_f64(),
            found.copies.len()
        );
    }
    index.health()?;
    Ok(())
}

/// Opens an index as a command would that has just begun.
pub(crate) fn open(path: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    let index = on_disk(path)?;
    println!("open: {:.2} ms; {} prints", start.elapsed().as_secs_f64() * 1e3, index.prints());
    Ok(())
}

fn on_disk(path: &Path) -> anyhow::Result<Index> {
    let source = OnDisk(File::open(path)?, std::fs::metadata(path)?.len());
    Ok(Index::open(Box::new(source), key())?)
}

struct OnDisk(File, u64);

impl Source for OnDisk {
    fn size_bytes(&self) -> u64 {
        self.1
    }

    fn read(&self, at: u64, into: &mut [u8]) -> std::io::Result<()> {
        self.0.read_exact_at(into, at)
    }
}
