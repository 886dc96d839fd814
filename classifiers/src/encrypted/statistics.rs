//! Do bytes without a header look like a cipher's output, and like nothing else?
//!
//! ```text
//! Statistics::new() → push(bytes)… → finish(name) → Option<Verdict>
//! ```
//!
//! Fragments from the whole length of an object are counted and scored; text, known formats and anything uneven end the
//! question within the first kilobytes, so that only uniform bytes pay. What remains could still be random data, or a range
//! coder's output whose container was cut off: the confidence is capped.

pub mod features;
pub mod magic;

use std::sync::OnceLock;

use super::Verdict;
use features::{Counts, INPUTS, features, inputs};

/// Bytes of a fragment; the last one of an object may be shorter.
pub const FRAGMENT_BYTES: usize = 64 << 10;
/// The fragment lengths that weights were trained for, ascending.
pub const FRAGMENT_SIZES: [usize; 8] = [512, 1024, 2048, 4096, 8192, 16384, 32768, FRAGMENT_BYTES];
/// Fragments at the start that are all counted; further on, two in every doubling of the length.
const FRAGMENTS_DENSE: u64 = 8;
/// Bytes that are looked at in each fragment that is counted before it is, and in as many others.
const PROBE_BYTES: usize = 4096;
/// Deviations beyond which no cipher's output lies, by a wide margin.
const PROBE_Z_MAX: f64 = 14.0;
/// The log odds of a fragment beyond that.
const UNEVEN_LOG_ODDS: f64 = -20.0;
/// Deviation of the summed counts beyond which it is not a cipher: one in many thousands of uniform objects lies there.
const SUM_Z_MAX: f64 = 5.0;
/// Most that statistics alone may say.
const CONFIDENCE_MAX: f64 = 0.85;

static WEIGHTS: &str = include_str!("statistics/weights.txt");

/// Counts an object on its way through.
#[derive(Debug, Default)]
pub struct Statistics {
    fragment: Vec<u8>,
    index: u64,
    skipped_of_fragment: usize,
    counts: Counts,
    /// The log odds of each counted fragment.
    log_odds: Vec<f64>,
    bytes: u64,
    closed: bool,
}

impl Statistics {
    /// Starts on an object.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes. `false` means that this is no ciphertext without a header, and further bytes are of no use.
    pub fn push(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() && !self.closed {
            let wanted = FRAGMENT_BYTES - self.fragment.len() - self.skipped_of_fragment;
            let (now, later) = bytes.split_at(wanted.min(bytes.len()));
            self.bytes += now.len() as u64;
            bytes = later;
            let kept = match self.index {
                index if sampled(index, 2) => FRAGMENT_BYTES,
                index if sampled(index, 4) => PROBE_BYTES,
                _ => 0,
            };
            let before = self.fragment.len();
            let (kept, skipped) = now.split_at(now.len().min(kept - before.min(kept)));
            self.fragment.extend_from_slice(kept);
            self.skipped_of_fragment += skipped.len();
            if before < PROBE_BYTES && self.fragment.len() >= PROBE_BYTES {
                self.probe();
            }
            if self.fragment.len() + self.skipped_of_fragment == FRAGMENT_BYTES {
                self.end_fragment();
            }
        }
        !self.closed
    }

    /// Ends the question early where the first bytes of a fragment are far from uniform.
    fn probe(&mut self) {
        let probe = self.fragment.get(..PROBE_BYTES).unwrap_or(&self.fragment);
        let known = self.index == 0 && magic::known(probe);
        if known || features::bytes_z(probe) > PROBE_Z_MAX {
            self.close();
        }
    }

    fn close(&mut self) {
        self.closed = true;
        self.fragment = Vec::new();
    }

    fn end_fragment(&mut self) {
        let is_whole = sampled(self.index, 2);
        self.index += 1;
        self.skipped_of_fragment = 0;
        if is_whole && let Some((counts, log_odds)) = score(&self.fragment) {
            self.counts.merge(&counts);
            self.log_odds.push(log_odds);
        }
        self.fragment.clear();
    }

    /// What the whole object is, given its name and length; the result does not depend on how its bytes were cut.
    pub fn finish(mut self, name: &str) -> Option<Verdict> {
        if !self.closed && self.bytes < PROBE_BYTES as u64 {
            let short = magic::known(&self.fragment) || super::looks_like_text(&self.fragment);
            self.closed = short;
        }
        if self.closed {
            return None;
        }
        self.end_fragment();
        let mean = self.log_odds.iter().sum::<f64>() / self.log_odds.len().max(1) as f64;
        let odds = self.log_odds.iter().copied().fold(f64::INFINITY, f64::min);
        if self.log_odds.is_empty() || mean < 0.0 || odds < -2.0 || self.counts.worst_z() > SUM_Z_MAX {
            return None;
        }
        Some(self.verdict(name, mean))
    }

    fn verdict(&self, name: &str, mean: f64) -> Verdict {
        let extension = name.rsplit(['.', '/']).next().unwrap_or_default().to_ascii_lowercase();
        let database = matches!(extension.as_str(), "db" | "sqlite" | "sqlite3" | "db3" | "sqlitedb");
        if database && self.bytes > 0 && self.bytes.is_multiple_of(1024) && mean > 0.0 {
            return Verdict::likely(
                "sqlcipher",
                0.8,
                "a database of whole pages whose bytes are uniform from the first on",
            );
        }
        let mut confidence: f64 = if self.bytes >= FRAGMENT_BYTES as u64 { 0.6 } else { 0.5 };
        let mut because = format!("{} of uniform bytes without a known header", size_in_words(self.bytes));
        if matches!(
            extension.as_str(),
            "enc" | "aes" | "encrypted" | "crypt" | "cipher" | "gcm" | "ciphertext"
        ) {
            confidence += 0.25;
            because.push_str(", and a name that says encrypted");
        }
        // Formats without a magic number that ends the question, or with a broken one.
        if matches!(
            extension.as_str(),
            "br" | "bz2" | "deflate" | "gz" | "lzma" | "lzo" | "sz" | "xz" | "z" | "zz"
        ) {
            confidence -= 0.25;
            because.push_str(", though its name says compressed");
        }
        if self.bytes.is_multiple_of(16) {
            confidence += 0.1;
            because.push_str(", in whole cipher blocks");
        }
        because.push_str("; ciphertext, or raw random data");
        Verdict::likely("unknown_cipher", confidence.min(CONFIDENCE_MAX), because)
    }
}

fn size_in_words(bytes: u64) -> String {
    if bytes >= 10 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{bytes} bytes") }
}

/// Whether a fragment is one of `per_doubling` in every doubling of the length, or of the dense ones, by its place alone.
fn sampled(index: u64, per_doubling: u64) -> bool {
    match index.checked_ilog2() {
        Some(doubling) if index >= FRAGMENTS_DENSE => index.is_multiple_of((1 << doubling) / per_doubling),
        _ => true,
    }
}

/// The counts of a fragment and the log odds that it is a cipher's output, by the weights for the longest trained length
/// that it reaches; `None` below 512 bytes.
pub fn score(fragment: &[u8]) -> Option<(Counts, f64)> {
    let place = FRAGMENT_SIZES.iter().rposition(|&size| size <= fragment.len())?;
    let (bias, weights) = weights().get(place)?;
    let (counts, values) = features(fragment.get(..*FRAGMENT_SIZES.get(place)?)?);
    // Text lies where no example of the training does: the sum means nothing there.
    if counts.bytes_z() > PROBE_Z_MAX {
        return Some((counts, UNEVEN_LOG_ODDS));
    }
    let sum: f64 = inputs(&values).iter().zip(weights).map(|(value, weight)| value * weight).sum();
    Some((counts, bias + sum))
}

/// Bias and weights per fragment length, as the trainer wrote them.
fn weights() -> &'static [(f64, [f64; INPUTS])] {
    static PARSED: OnceLock<Vec<(f64, [f64; INPUTS])>> = OnceLock::new();
    PARSED.get_or_init(|| WEIGHTS.lines().filter_map(parse_line).collect())
}

/// `SIZE BIAS WEIGHT…`
fn parse_line(line: &str) -> Option<(f64, [f64; INPUTS])> {
    let mut numbers = line.split_ascii_whitespace().skip(1).map(str::parse::<f64>);
    let bias = numbers.next()?.ok()?;
    let weights: Vec<f64> = numbers.collect::<Result<_, _>>().ok()?;
    Some((bias, weights.try_into().ok()?))
}

#[cfg(test)]
pub(super) mod tests;
