//! Where do the embedded weights come from? Each command reads a folder of examples and either writes the weights into the
//! crate, the same bits for the same input, or tells how good they are on what they have not seen.
//!
//! ```text
//! cargo run --release -p spillwatch-classifiers --example train -- planning FOLDER
//! cargo run --release -p spillwatch-classifiers --example train -- planning-accuracy FOLDER
//! cargo run --release -p spillwatch-classifiers --example train -- ciphertext FOLDER
//! cargo run --release -p spillwatch-classifiers --example train -- ciphertext-accuracy FOLDER
//! cargo run --release -p spillwatch-classifiers --example train -- recognise FOLDER
//! cargo run --release -p spillwatch-classifiers --example train -- licences FOLDER
//! ```
#![allow(
    clippy::indexing_slicing,
    reason = "linear algebra over vectors made here, run by hand on trusted input"
)]

mod ciphertext;
mod licences;
mod linear;
mod metrics;
mod planning;
mod recognise;

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let report = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["planning", folder] => planning::train(Path::new(folder), root)?,
        ["planning-accuracy", folder] => planning::evaluate(Path::new(folder), 3)?,
        ["ciphertext", folder] => ciphertext::train(Path::new(folder), root)?,
        ["ciphertext-accuracy", folder] => ciphertext::evaluate(Path::new(folder))?,
        ["licences", folder] => licences::write(Path::new(folder), root)?,
        ["recognise", folder] => recognise::report(Path::new(folder))?,
        _ => bail!(
            "usage: train planning|planning-accuracy|ciphertext|ciphertext-accuracy|licences|recognise FOLDER"
        ),
    };
    writeln!(std::io::stdout(), "{report}")?;
    Ok(())
}
