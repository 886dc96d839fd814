//! What does the linear model make of a text's features?

use std::collections::HashMap;
use std::sync::OnceLock;

use super::Judgement;
use super::features::{ByHash, Features, KINDS, hash, kind_of};
use super::structure::{STRUCTURE, STRUCTURE_NAMES};
use crate::Category;

static WEIGHTS: &[u8] = include_bytes!("weights.bin");
static EVIDENCE: &str = include_str!("evidence.txt");

/// Features named in the evidence at most.
const NAMED_MAX: usize = 6;
/// One unit of the stored inverse document frequencies.
pub const IDF_UNIT: f64 = 1.0 / 32.0;
/// What the structural features weigh against the n-grams.
pub const STRUCTURE_SCALE: f64 = 0.3;
/// The classes, in the order of the weights file.
pub const CLASSES: [Category; 2] = [Category::Roadmap, Category::InternalPolicy];

/// What one class adds to the shared features.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    /// The value of one unit of the 8-bit weights.
    pub unit: f32,
    /// Added to every score.
    pub bias: f32,
    /// Probability = 1 / (1 + exp(-(slope × score + offset))), fitted on scores of unseen owners.
    pub slope: f32,
    /// See [`Self::slope`].
    pub offset: f32,
    /// Added to the offset where the text calls itself what the class is ([`calls_itself`]): other texts score lower, and mean
    /// it no less.
    pub named: f32,
    /// The weights of the structural features.
    pub structure: [f32; STRUCTURE],
    /// One weight per feature of the model, in its order.
    pub weights: Vec<i8>,
}

impl Class {
    fn probability(&self, score: f64, is_named: bool) -> f64 {
        let offset = f64::from(self.offset) + if is_named { f64::from(self.named) } else { 0.0 };
        1.0 / (1.0 + (-(f64::from(self.slope) * score + offset)).exp())
    }
}

/// Whether a text has the word for a class: a plan anywhere, a policy in a heading.
pub fn calls_itself(class: Category, features: &Features) -> bool {
    let words: &[(u8, &str)] = match class {
        Category::Roadmap => &[(b'u', "roadmap"), (b'u', "milestone"), (b'u', "milestones")],
        _ => &[
            (b'h', "policy"),
            (b'T', "policy"),
            (b'h', "policies"),
            (b'h', "governance"),
            (b'T', "governance"),
        ],
    };
    words.iter().any(|(kind, word)| features.counts.contains_key(&hash(*kind, &[word])))
}

/// The model as it is stored: the hashes it knows, how common each is, and the classes over them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// The hashes of the features, ascending.
    pub features: Vec<u32>,
    /// Their inverse document frequencies, in [`IDF_UNIT`].
    pub idf: Vec<u8>,
    /// As [`CLASSES`].
    pub classes: Vec<Class>,
}

impl Weights {
    /// The bytes of the weights file: a count, the hashes, the frequencies, then class by class its numbers and weights, all
    /// little endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = (self.features.len() as u32).to_le_bytes().to_vec();
        out.extend(self.features.iter().flat_map(|feature| feature.to_le_bytes()));
        out.extend(&self.idf);
        for class in &self.classes {
            let numbers = [class.unit, class.bias, class.slope, class.offset, class.named];
            out.extend(numbers.iter().chain(&class.structure).flat_map(|number| number.to_le_bytes()));
            out.extend(class.weights.iter().map(|weight| weight.cast_unsigned()));
        }
        out
    }

    /// Reads what [`Self::encode`] wrote; `None` where bytes are missing or left over.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (count, mut rest) = bytes.split_first_chunk::<4>()?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
        let mut take = |bytes: usize| {
            let (taken, left) = rest.split_at_checked(bytes)?;
            rest = left;
            Some(taken)
        };
        let features =
            take(count.checked_mul(4)?)?.as_chunks().0.iter().map(|b| u32::from_le_bytes(*b)).collect();
        let idf = take(count)?.to_vec();
        let mut classes = Vec::new();
        for _ in CLASSES {
            let numbers = take(4 * (5 + STRUCTURE))?.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b));
            let numbers: Vec<f32> = numbers.collect();
            let ([unit, bias, slope, offset, named], structure) = numbers.split_first_chunk::<5>()?;
            classes.push(Class {
                unit: *unit,
                bias: *bias,
                slope: *slope,
                offset: *offset,
                named: *named,
                structure: structure.try_into().ok()?,
                weights: take(count)?.iter().map(|byte| byte.cast_signed()).collect(),
            });
        }
        rest.is_empty().then_some(Self { features, idf, classes })
    }
}

/// A text as the model sees it: known features with their values, by position in [`Weights::features`].
pub type Vector = Vec<(usize, f64)>;

/// Weighs the n-grams of a text: sublinear in their count, heavier where they are rare, each kind brought to the length
/// that [`KINDS`] gives it, so that the few words of a title are not drowned in those of the body.
///
/// `known` gives a feature's position and inverse document frequency.
pub fn vector(features: &Features, known: impl Fn(u32) -> Option<(usize, f64)>) -> Vector {
    let mut squares = [0.0_f64; KINDS.len()];
    let mut values: Vec<(usize, usize, f64)> = Vec::with_capacity(features.counts.len());
    for (&feature, &count) in &features.counts {
        let Some((index, idf)) = known(feature) else { continue };
        values.push((index, kind_of(feature), (1.0 + f64::from(count).ln()) * idf));
    }
    // In one order, whatever the map's: sums of floats depend on it.
    values.sort_unstable_by_key(|&(index, ..)| index);
    for &(_, kind, value) in &values {
        if let Some(sum) = squares.get_mut(kind) {
            *sum += value * value;
        }
    }
    let scale = |kind: usize| {
        let length = squares.get(kind).copied().unwrap_or(0.0).sqrt();
        KINDS.get(kind).map_or(0.0, |(_, weight)| weight / length.max(1e-9))
    };
    values.into_iter().map(|(index, kind, value)| (index, value * scale(kind))).collect()
}

/// The model in this binary, ready to be asked.
#[derive(Debug)]
pub(super) struct Model {
    weights: Weights,
    positions: ByHash<u32, usize>,
    /// The n-grams that may be printed, by position.
    names: HashMap<usize, &'static str>,
}

impl Model {
    pub(super) fn embedded() -> &'static Self {
        static MODEL: OnceLock<Model> = OnceLock::new();
        MODEL.get_or_init(|| {
            // A file that does not parse is caught by a test; here it is a model that knows nothing.
            let weights = Weights::decode(WEIGHTS).unwrap_or_default();
            let positions: ByHash<u32, usize> =
                weights.features.iter().enumerate().map(|(position, &feature)| (feature, position)).collect();
            let names = EVIDENCE
                .lines()
                .filter_map(|line| {
                    let (kind, name) = line.split_once(' ')?;
                    let words: Vec<&str> = name.split(' ').collect();
                    Some((*positions.get(&hash(*kind.as_bytes().first()?, &words))?, name))
                })
                .collect();
            Self { weights, positions, names }
        })
    }

    /// Reads the features that the model knows.
    pub(super) fn features(&self, text: &str) -> Features {
        Features::known(text, |feature| self.positions.contains_key(&feature))
    }

    /// The probability that a text is of a class, and why.
    pub(super) fn judge(&self, category: Category, features: &Features) -> Option<Judgement> {
        let class = CLASSES.iter().position(|&class| class == category)?;
        let class = self.weights.classes.get(class)?;
        let weigh = |position: usize| f64::from(class.weights.get(position).copied().unwrap_or(0));
        let vector = vector(features, |feature| {
            let position = *self.positions.get(&feature)?;
            Some((position, f64::from(*self.weights.idf.get(position)?) * IDF_UNIT))
        });
        let mut score = f64::from(class.bias);
        let mut reasons: Vec<(f64, &'static str)> = Vec::new();
        for (position, value) in vector {
            let part = weigh(position) * f64::from(class.unit) * value;
            score += part;
            if let Some(name) = self.names.get(&position) {
                reasons.push((part, name));
            }
        }
        let mut built_of: Vec<(f64, &'static str)> = Vec::new();
        for ((&value, &weight), name) in features.structure.iter().zip(&class.structure).zip(STRUCTURE_NAMES)
        {
            let part = f64::from(value) * STRUCTURE_SCALE * f64::from(weight);
            score += part;
            built_of.push((part, name));
        }
        let mut because = Vec::new();
        because.extend(strongest("its words: ", reasons));
        because.extend(strongest("its structure: ", built_of));
        let confidence = class.probability(score, calls_itself(category, features));
        Some(Judgement { category, confidence, because })
    }
}

/// The features that speak most for the class, as a sentence.
fn strongest(label: &str, mut parts: Vec<(f64, &'static str)>) -> Option<String> {
    parts.retain(|(part, _)| *part > 0.0);
    parts.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    let mut names: Vec<&str> = Vec::new();
    for (_, name) in parts {
        if !names.contains(&name) && names.len() < NAMED_MAX {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| format!("{label}{}", names.join(", ")))
}
