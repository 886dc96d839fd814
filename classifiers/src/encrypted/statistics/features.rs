//! In which ways do bytes differ from a cipher's output? About forty numbers, each near zero for uniform bytes.

/// The number of features of a fragment.
pub const FEATURES: usize = 42;

/// The inputs of the logistic regression: each feature, its square, and what of it lies above two bends.
pub const INPUTS: usize = 4 * FEATURES;

/// Longest overlapping word, in bits; shorter ones are sums of these.
const WORD_BITS: usize = 12;
const WORDS: usize = 1 << WORD_BITS;
/// Shortest word.
const WORD_BITS_MIN: usize = 3;

/// Counts over bytes, mergeable: the features of many fragments together are those of their summed counts.
#[derive(Debug, Clone)]
pub struct Counts {
    /// Overlapping 12-bit words at every bit offset, most significant bit first: JPEG, bzip2, audio.
    high_first: Box<[u32; WORDS]>,
    /// The same, least significant first: deflate, zstd, brotli.
    low_first: Box<[u32; WORDS]>,
    bytes: Box<[u32; 256]>,
    /// Bytes 0xFF that are followed by 0x00: entropy-coded JPEG stuffs them.
    stuffed: u32,
    /// Sum of |a - b| over bytes 1, 2, 3 and 4 apart.
    differences: [u64; 4],
    /// Equal bytes 1, 2, 4 and 8 apart.
    equals: [u32; 4],
    total: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            high_first: Box::new([0; WORDS]),
            low_first: Box::new([0; WORDS]),
            bytes: Box::new([0; 256]),
            stuffed: 0,
            differences: [0; 4],
            equals: [0; 4],
            total: 0,
        }
    }
}

impl Counts {
    /// Counts a fragment.
    pub fn of(fragment: &[u8]) -> Self {
        let mut counts = Self { total: fragment.len() as u64, ..Self::default() };
        let (mut high, mut low) = (0_u32, 0_u32);
        for (at, &byte) in fragment.iter().enumerate() {
            bump(&mut counts.bytes, usize::from(byte));
            high = high << 8 | u32::from(byte);
            low = low >> 8 | u32::from(byte) << 24;
            if at >= 2 {
                for offset in 0..8 {
                    bump(&mut counts.high_first, (high >> offset) as usize & (WORDS - 1));
                    bump(&mut counts.low_first, (low >> (12 + offset)) as usize & (WORDS - 1));
                }
            }
        }
        for (apart, sum) in (1..).zip(&mut counts.differences) {
            *sum = sum_apart(fragment, apart, |a, b| u16::from(a.abs_diff(b)));
        }
        for (apart, equal) in [1, 2, 4, 8].into_iter().zip(&mut counts.equals) {
            *equal = sum_apart(fragment, apart, |a, b| u16::from(a == b)) as u32;
        }
        counts.stuffed = sum_apart(fragment, 1, |a, b| u16::from(a == 0xff && b == 0)) as u32;
        counts
    }

    /// Adds the counts of another fragment.
    pub fn merge(&mut self, other: &Self) {
        let pairs: [(&mut [u32], &[u32]); 3] = [
            (&mut *self.high_first, &*other.high_first),
            (&mut *self.low_first, &*other.low_first),
            (&mut *self.bytes, &*other.bytes),
        ];
        for (mine, theirs) in pairs {
            mine.iter_mut().zip(theirs).for_each(|(a, b)| *a = a.saturating_add(*b));
        }
        self.stuffed = self.stuffed.saturating_add(other.stuffed);
        self.differences.iter_mut().zip(other.differences).for_each(|(a, b)| *a += b);
        self.equals.iter_mut().zip(other.equals).for_each(|(a, b)| *a = a.saturating_add(b));
        self.total += other.total;
    }

    /// How far the byte histogram is from uniform, in standard deviations of chi².
    pub fn bytes_z(&self) -> f64 {
        chi_square_z(&*self.bytes)
    }

    /// The largest deviation over all word lengths and both bit orders.
    pub fn worst_z(&self) -> f64 {
        let mut worst = self.bytes_z();
        for words in [&self.high_first, &self.low_first] {
            let mut words = words.to_vec();
            for _ in WORD_BITS_MIN..=WORD_BITS {
                worst = worst.max(chi_square_z(&words) / OVERLAP);
                words = halve(&words);
            }
        }
        worst
    }

    fn write(&self, out: &mut Vec<f64>) {
        let n = self.total.max(1) as f64;
        let mut high = self.high_first.to_vec();
        let mut low = self.low_first.to_vec();
        for _ in WORD_BITS_MIN..=WORD_BITS {
            out.push(squash(chi_square_z(&high)));
            out.push(squash(chi_square_z(&low)));
            high = halve(&high);
            low = halve(&low);
        }
        out.push(squash(self.bytes_z()));
        let expected = n / 256.0;
        let z = |count: u32| (f64::from(count) - expected) / expected.sqrt();
        out.push(squash(z(self.bytes.iter().copied().max().unwrap_or(0))));
        out.push(squash(z(self.bytes.iter().copied().min().unwrap_or(0))));
        out.push(squash(z(self.bytes.first().copied().unwrap_or(0))));
        out.push(squash(z(self.bytes.last().copied().unwrap_or(0))));
        let followed = f64::from(self.bytes.last().copied().unwrap_or(0)) / 256.0;
        out.push(squash((f64::from(self.stuffed) - followed) / (followed + 0.25).sqrt()));
        for sum in self.differences {
            // The difference of two uniform bytes has mean 85.33 and variance 3,640.
            out.push(squash((sum as f64 - n * 85.332) / (n * 3640.0).sqrt()));
        }
        for count in self.equals {
            out.push(squash(z(count)));
        }
        out.push(squash(self.bit_bias()));
        out.push(squash(self.high_bytes()));
    }

    /// The largest deviation of one of the eight bits from half.
    fn bit_bias(&self) -> f64 {
        let n = self.total.max(1) as f64;
        (0..8)
            .map(|bit| {
                let ones: u64 = (0_u32..)
                    .zip(&*self.bytes)
                    .filter(|(value, _)| value >> bit & 1 == 1)
                    .map(|(_, &c)| u64::from(c))
                    .sum();
                (ones as f64 - n / 2.0).abs() / (n / 4.0).sqrt()
            })
            .fold(0.0, f64::max)
    }

    /// Bytes of 0x80 and more against the others.
    fn high_bytes(&self) -> f64 {
        let n = self.total.max(1) as f64;
        let high: u64 = self.bytes.iter().skip(128).map(|&count| u64::from(count)).sum();
        (high as f64 - n / 2.0) / (n / 4.0).sqrt()
    }
}

/// Overlapping words share bits, so their chi² spreads more than that of independent ones; measured on uniform bytes.
const OVERLAP: f64 = 2.0;

/// How far the byte histogram of some bytes is from uniform, in standard deviations of chi².
pub fn bytes_z(bytes: &[u8]) -> f64 {
    let mut counts = [0; 256];
    bytes.iter().for_each(|&byte| bump(&mut counts, usize::from(byte)));
    chi_square_z(&counts)
}

/// What the logistic regression sees of the features: a straight line through each is too stiff.
pub fn inputs(features: &[f64; FEATURES]) -> [f64; INPUTS] {
    let mut out = [0.0; INPUTS];
    for (slots, &x) in out.as_chunks_mut::<4>().0.iter_mut().zip(features) {
        *slots = [x, (x * x).min(60.0), (x - 0.7).max(0.0), (x - 1.4).max(0.0)];
    }
    out
}

/// Of as many cells as the index can have, so that nothing is left to check.
fn bump<const N: usize>(counts: &mut [u32; N], index: usize) {
    if let Some(count) = counts.get_mut(index) {
        *count += 1;
    }
}

/// The sum over all pairs of bytes that stand so far apart; in short stretches, whose sums fit narrow vector lanes.
fn sum_apart(bytes: &[u8], apart: usize, of: impl Fn(u8, u8) -> u16) -> u64 {
    let later = bytes.get(apart..).unwrap_or_default();
    let stretches = bytes.chunks(256).zip(later.chunks(256));
    stretches.map(|(a, b)| u64::from(a.iter().zip(b).map(|(&a, &b)| of(a, b)).sum::<u16>())).sum()
}

/// The counts of words one bit shorter.
fn halve(words: &[u32]) -> Vec<u32> {
    words.chunks_exact(2).map(|pair| pair.iter().sum()).collect()
}

/// Chi² against a uniform distribution, less its mean, in its standard deviations.
fn chi_square_z(counts: &[u32]) -> f64 {
    let cells = counts.len() as f64;
    let total: f64 = counts.iter().map(|&count| f64::from(count)).sum();
    let expected = (total / cells).max(1e-9);
    let chi: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2)).sum::<f64>() / expected;
    (chi - (cells - 1.0)) / (2.0 * (cells - 1.0)).sqrt()
}

/// Keeps the sign and tames the size: a text deviates ten thousand times as far as a good compressor.
fn squash(z: f64) -> f64 {
    z.signum() * z.abs().ln_1p()
}

/// The features of one fragment.
pub fn features(fragment: &[u8]) -> (Counts, [f64; FEATURES]) {
    let counts = Counts::of(fragment);
    let mut values = Vec::with_capacity(FEATURES);
    counts.write(&mut values);
    let (threes, fours) = repeats(fragment);
    let pairs = (fragment.len() as f64).powi(2) / 2.0;
    values.push(squash((threes - pairs / 16_777_216.0) / (pairs / 16_777_216.0 + 0.25).sqrt()));
    values.push(squash(fours));
    values.push(squash(longest_run(fragment)));
    let quarters: Vec<f64> = fragment.chunks(fragment.len().div_ceil(4).max(1)).map(bytes_z).collect();
    values.push(squash(quarters.iter().copied().fold(f64::MIN, f64::max).max(-30.0)));
    values.push(squash(quarters.iter().copied().fold(f64::MAX, f64::min).min(1e6)));
    values.push(squash(quarters.iter().sum::<f64>()));
    let mut out = [0.0; FEATURES];
    out.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
    (counts, out)
}

/// How many three-byte and four-byte strings occur again.
///
/// Strings are dealt into boxes by their first twelve bits: of uniform bytes, sixteen to a box. The next twelve bits are
/// ticked off in each box; only where one comes twice can four bytes have come twice.
fn repeats(fragment: &[u8]) -> (f64, f64) {
    let grams = || fragment.array_windows::<4>().map(|gram| u32::from_be_bytes(*gram));
    let boxed = |gram: u32| (gram >> (32 - WORD_BITS)) as usize & (WORDS - 1);
    let mut ends = [0_u32; WORDS];
    grams().for_each(|gram| bump(&mut ends, boxed(gram)));
    let mut sum = 0;
    for end in &mut ends {
        (sum, *end) = (sum + *end, sum);
    }
    let mut dealt = vec![0_u32; sum as usize];
    for gram in grams() {
        if let Some(end) = ends.get_mut(boxed(gram)) {
            if let Some(slot) = dealt.get_mut(*end as usize) {
                *slot = gram;
            }
            *end += 1;
        }
    }
    let (mut threes, mut fours, mut rest) = (0_u32, 0_u32, dealt.as_mut_slice());
    let mut start = 0;
    let mut ticks = [0_u64; WORDS / 64];
    for end in ends {
        let Some((one, later)) = rest.split_at_mut_checked((end - start) as usize) else { break };
        (rest, start) = (later, end);
        let mut again = 0;
        for gram in &*one {
            let bit = gram >> 8;
            if let Some(tick) = ticks.get_mut((bit >> 6) as usize % (WORDS / 64)) {
                again += (*tick >> (bit & 63) & 1) as u32;
                *tick |= 1 << (bit & 63);
            }
        }
        ticks.fill(0);
        threes += again;
        if again > 0 {
            one.sort_unstable();
            fours += one.array_windows::<2>().map(|[a, b]| u32::from(a == b)).sum::<u32>();
        }
    }
    (f64::from(threes), f64::from(fours))
}

fn longest_run(fragment: &[u8]) -> f64 {
    let (mut longest, mut run) = (0_u32, 0_u32);
    let later = fragment.get(1..).unwrap_or_default();
    for (now, next) in fragment.chunks(32).zip(later.chunks(32)) {
        // Few stretches of uniform bytes hold two equal ones side by side.
        if now.iter().zip(next).fold(true, |differ, (a, b)| differ & (a != b)) {
            run = 0;
            continue;
        }
        for (a, b) in now.iter().zip(next) {
            run = if a == b { run + 1 } else { 0 };
            longest = longest.max(run);
        }
    }
    f64::from(longest)
}
