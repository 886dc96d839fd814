//! How well and how fast are copies of known documents found?
//!
//! ```text
//! cargo run --release -p spillwatch-classifiers --example copies -- accuracy          recall and precision per disguise
//! cargo run --release -p spillwatch-classifiers --example copies -- scale             an index of 100,000 documents
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

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["accuracy"] => accuracy::report(),
        ["scale"] => scale::report(100_000),
        ["scale", documents] => scale::report(documents.parse()?),
        ["throughput", folder] => throughput::report(std::path::Path::new(folder)),
        _ => anyhow::bail!("usage: copies accuracy|scale|throughput DIR"),
    }
}
