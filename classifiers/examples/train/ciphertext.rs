//! How are the weights that tell ciphertext from packed data made, and how good are they on files they have not seen?
//!
//! The folder holds files that are not encrypted, packed in as many ways as can be had; the other class is AES-128 in
//! counter mode, made here. A file is for training or for testing by a hash of its content.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use anyhow::{Context, Result};
use spillwatch_classifiers::encrypted::by_header;
use spillwatch_classifiers::encrypted::statistics::features::{features, inputs};
use spillwatch_classifiers::encrypted::statistics::{FRAGMENT_SIZES, Statistics, score};

use crate::linear::{self, Lcg};

/// Fragments of each length taken from one file at most, so that large files do not outweigh kinds.
const FRAGMENTS_PER_FILE: usize = 40;
/// Fragments start here or later: headers are another recogniser's business.
const SKIP_BYTES: usize = 1024;
/// One file in this many is held out.
const HELD_OUT: u64 = 4;

struct File {
    kind: String,
    bytes: Vec<u8>,
    hash: u64,
}

impl File {
    fn held_out(&self) -> bool {
        self.hash.is_multiple_of(HELD_OUT)
    }

    fn fragments(&self, size: usize) -> Vec<&[u8]> {
        let Some(room) = self.bytes.len().checked_sub(SKIP_BYTES + size) else { return Vec::new() };
        let mut random = Lcg(self.hash ^ size as u64);
        let count = FRAGMENTS_PER_FILE.min(room / size + 1);
        (0..count)
            .map(|_| {
                let at = SKIP_BYTES + random.below(room + 1);
                &self.bytes[at..at + size]
            })
            .collect()
    }
}

fn load(folder: &Path) -> Result<Vec<File>> {
    let mut paths = Vec::new();
    walk(folder, &mut paths)?;
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let bytes = fs::read(&path).with_context(|| format!("reading `{}`", path.display()))?;
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let kind = path.extension().map(|kind| kind.to_string_lossy().into_owned()).unwrap_or_default();
        files.push(File { kind, bytes, hash });
    }
    // By content, so that the names of the files do not matter.
    files.sort_by_key(|file| file.hash);
    files.dedup_by_key(|file| file.hash);
    Ok(files)
}

pub fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("listing `{}`", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() { walk(&path, paths)? } else { paths.push(path) }
    }
    Ok(())
}

/// Output of AES-128 in counter mode under a key made from `seed`.
fn ciphertext(seed: u64, length: usize) -> Vec<u8> {
    let mut key = [0; 16];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    let cipher = aes::Aes128::new(&Array(key));
    let mut out = Vec::with_capacity(length + 16);
    for counter in 0_u128.. {
        if out.len() >= length {
            break;
        }
        let mut block = Array(counter.to_be_bytes());
        cipher.encrypt_block(&mut block);
        out.extend_from_slice(&block);
    }
    out.truncate(length);
    out
}

/// Ciphertext as long as a file's fragment, another one for each.
fn counterpart(file: &File, number: usize, size: usize) -> Vec<u8> {
    ciphertext(file.hash ^ (number as u64) << 40 ^ (size as u64) << 20, size)
}

/// Trains on the files that are not held out and writes the weights into the crate at `root`.
pub fn train(folder: &Path, root: &Path) -> Result<String> {
    let files = load(folder)?;
    let mut out = String::new();
    for size in FRAGMENT_SIZES {
        let (mut examples, mut labels) = (Vec::new(), Vec::new());
        for file in files.iter().filter(|file| !file.held_out()) {
            for (number, fragment) in file.fragments(size).into_iter().enumerate() {
                examples.push(inputs(&features(fragment).1).to_vec());
                examples.push(inputs(&features(&counterpart(file, number, size)).1).to_vec());
                labels.extend([false, true]);
            }
        }
        let mut weights = linear::logistic(&examples, &labels);
        let bias = weights.pop().unwrap_or_default();
        write!(out, "{size} {bias:.4}")?;
        // Four digits are plenty, and keep a machine's last place out of the file.
        weights.iter().try_for_each(|weight| write!(out, " {weight:.4}"))?;
        out.push('\n');
    }
    fs::write(root.join("src/encrypted/statistics/weights.txt"), &out).context("writing the weights")?;
    Ok(format!("{} files, {} bytes of weights", files.len(), out.len()))
}

/// Right answers of those given.
#[derive(Default, Clone, Copy)]
struct Tally {
    right: u32,
    all: u32,
}

impl Tally {
    fn add(&mut self, right: bool) {
        self.all += 1;
        self.right += u32::from(right);
    }

    fn share(self) -> f64 {
        f64::from(self.right) / f64::from(self.all.max(1))
    }
}

/// Accuracy on fragments of held-out files, then verdicts on whole objects.
pub fn evaluate(folder: &Path) -> Result<String> {
    let files = load(folder)?;
    let mut out = String::from("fragments of held-out files against AES-CTR, balanced\n");
    for size in FRAGMENT_SIZES {
        let (mut packed, mut cipher) = (Tally::default(), Tally::default());
        let mut kinds: BTreeMap<&str, Tally> = BTreeMap::new();
        for file in files.iter().filter(|file| file.held_out()) {
            for (number, fragment) in file.fragments(size).into_iter().enumerate() {
                let says_cipher = |bytes: &[u8]| score(bytes).is_some_and(|(_, log_odds)| log_odds > 0.0);
                let right = !says_cipher(fragment);
                packed.add(right);
                kinds.entry(&file.kind).or_default().add(right);
                cipher.add(says_cipher(&counterpart(file, number, size)));
            }
        }
        let accuracy = (packed.share() + cipher.share()) / 2.0;
        let missed: Vec<String> = kinds
            .iter()
            .filter(|(_, tally)| tally.share() < 0.8)
            .map(|(kind, tally)| format!("{kind} {:.2}", tally.share()))
            .collect();
        writeln!(
            out,
            "{size:>6} B  accuracy {accuracy:.4}  packed {:.3} of {}  cipher {:.3}  weakest: {}",
            packed.share(),
            packed.all,
            cipher.share(),
            missed.join(", ")
        )?;
    }
    out.push_str(&whole_objects(&files)?);
    Ok(out)
}

fn verdict_of(bytes: &[u8]) -> bool {
    let mut statistics = Statistics::new();
    statistics.push(bytes);
    by_header(bytes, Some(bytes.len() as u64)).is_some() || statistics.finish("").is_some()
}

/// Every file as it is, every file with its first 4 KiB cut off, and as much ciphertext.
fn whole_objects(files: &[File]) -> Result<String> {
    let mut out = String::from("whole objects\n");
    let mut as_they_are = Tally::default();
    let mut beheaded: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut found: BTreeMap<usize, Tally> = BTreeMap::new();
    for file in files {
        as_they_are.add(!verdict_of(&file.bytes));
        if file.held_out() && file.bytes.len() > 70_000 {
            beheaded.entry(&file.kind).or_default().add(!verdict_of(&file.bytes[4096..]));
        }
    }
    for number in 0..200_u64 {
        for size in [1_000, 4_096, 20_000, 100_000, 1 << 20] {
            found.entry(size).or_default().add(verdict_of(&ciphertext(number << 32 ^ size as u64, size)));
        }
    }
    writeln!(
        out,
        "  as they are: {} of {} called ciphertext",
        as_they_are.all - as_they_are.right,
        as_they_are.all
    )?;
    let wrong: Vec<String> = beheaded
        .iter()
        .filter(|(_, tally)| tally.right < tally.all)
        .map(|(kind, tally)| format!("{kind} {} of {}", tally.all - tally.right, tally.all))
        .collect();
    let all: u32 = beheaded.values().map(|tally| tally.all).sum();
    writeln!(out, "  first 4 KiB cut off, {all} held out: called ciphertext: {}", wrong.join(", "))?;
    for (size, tally) in found {
        writeln!(out, "  ciphertext of {size} B: {:.3} of {} found", tally.share(), tally.all)?;
    }
    Ok(out)
}
