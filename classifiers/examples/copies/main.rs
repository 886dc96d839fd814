//! How well and how fast are copies of known documents found?
//!
//! ```text
//! cargo run --release -p spillwatch-classifiers --example copies -- accuracy          recall and precision per disguise
//! cargo run --release -p spillwatch-classifiers --example copies -- scale FILE        an index of 100,000 documents
//! cargo run --release -p spillwatch-classifiers --example copies -- throughput DIR    what an index costs a classification
//! ```
//!
//! DIR holds a corpus as `--example throughput` writes it.

// A command's result belongs on standard output.
#![allow(clippy::print_stdout)]
#![allow(clippy::indexing_slicing, reason = "run by hand on what is generated here")]

mod accuracy;
mod generated;
mod scale;
mod throughput;

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["accuracy"] => accuracy::report(),
        ["scale", index] => scale::report(100_000, Path::new(index)),
        ["scale", index, documents] => scale::report(documents.parse()?, Path::new(index)),
        ["open", index] => scale::open(Path::new(index)),
        ["throughput", folder] => throughput::report(Path::new(folder)),
        _ => anyhow::bail!("usage: copies accuracy|scale FILE|throughput DIR"),
    }
}
