//! How are the weights of the planning model made, and how good are they on documents of owners it has not seen?

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;
use spillwatch_classifiers::Category;
use spillwatch_classifiers::planning::features::{self, Features};
use spillwatch_classifiers::planning::{
    CLASSES, Class, IDF_UNIT, STRUCTURE, STRUCTURE_SCALE, Weights, calls_itself, vector,
};

use crate::linear::{self, Lcg, Problem, Sparse};
use crate::metrics::{Curve, Sigmoid};

/// Owners that an n-gram must occur with to be a feature; with fewer it would tell owners apart.
const OWNERS_MIN: usize = 4;
/// Owners that an n-gram must occur with to be printed as evidence.
const OWNERS_MIN_PRINTED: usize = 12;
/// Features kept: those with the largest weights.
const FEATURES_MAX: usize = 24_000;
/// The cost of an error before classes are balanced.
const COST: f64 = 0.3;
/// What every feature's length has beside how well it tells the class ([`Model::lengths`]), in the order of the classes: the
/// fewer examples a class has, the more is left to what it tells.
const LENGTHS: [f64; CLASSES.len()] = [2.0, 1.0];
const EPOCHS: usize = 40;
const FOLDS: usize = 10;

/// One row of the corpus.
#[derive(Deserialize)]
struct Row {
    label: String,
    source: String,
    text: String,
}

/// A document: as it is, and with its title dropped and the telling words taken out.
struct Document {
    label: Option<Category>,
    owner: String,
    plain: Features,
    masked: Features,
}

fn load(folder: &Path) -> Result<Vec<(Document, String)>> {
    let file = folder.join("train.jsonl");
    let lines = fs::read_to_string(&file).with_context(|| format!("reading `{}`", file.display()))?;
    lines
        .lines()
        .map(|line| {
            let row: Row = serde_json::from_str(line).context("a row of the corpus")?;
            let label = match row.label.as_str() {
                "roadmap" => Some(Category::Roadmap),
                "policy" => Some(Category::InternalPolicy),
                _ => None,
            };
            let document = Document {
                label,
                owner: row.source.split('/').next().unwrap_or_default().to_owned(),
                plain: Features::of(&row.text),
                masked: Features::of(&masked(&row.text)),
            };
            Ok((document, row.text))
        })
        .collect()
}

/// The text without its first line and without `roadmap` and `milestone`, however they are written.
fn masked(text: &str) -> String {
    let body = text.trim_start().split_once('\n').map_or("", |(_, body)| body);
    let mut out = body.to_owned();
    for word in ["roadmap", "road-map", "road map", "milestone"] {
        for form in [word.to_owned(), word.to_uppercase(), capital(word)] {
            out = out.replace(&format!("{form}s"), " ").replace(&format!("{form}S"), " ").replace(&form, " ");
        }
    }
    out.replace("RoadMap", " ").replace("Road Map", " ").replace("Road-Map", " ")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The features that occur with enough owners, in the order of their hashes, with their stored document frequencies.
fn vocabulary(documents: &[&Document]) -> (Vec<u32>, Vec<u8>) {
    let mut owners: BTreeMap<u32, BTreeSet<&str>> = BTreeMap::new();
    let mut frequency: HashMap<u32, u32> = HashMap::new();
    for document in documents {
        for &feature in document.plain.counts.keys() {
            owners.entry(feature).or_default().insert(&document.owner);
            *frequency.entry(feature).or_default() += 1;
        }
    }
    owners
        .into_iter()
        .filter(|(_, owners)| owners.len() >= OWNERS_MIN)
        .map(|(feature, _)| {
            let rarity = (1.0 + documents.len() as f64) / (1.0 + f64::from(frequency[&feature]));
            (feature, ((rarity.ln() + 1.0) / IDF_UNIT).round().min(255.0) as u8)
        })
        .unzip()
}

/// Features and their frequencies, and per class the weights over them.
struct Model {
    features: Vec<u32>,
    idf: Vec<u8>,
    classes: Vec<Vec<f64>>,
}

impl Model {
    fn train(documents: &[&Document]) -> Self {
        let (features, idf) = vocabulary(documents);
        let full = Self { features, idf, classes: Vec::new() }.fitted(documents);
        full.pruned().fitted(documents)
    }

    /// Each document counts twice, as it is and masked, so that the model learns plans and not only what they are called.
    fn fitted(mut self, documents: &[&Document]) -> Self {
        let positions = self.positions();
        let examples: Vec<Sparse> = documents
            .iter()
            .flat_map(|document| [&document.plain, &document.masked])
            .map(|features| self.example(&positions, features))
            .collect();
        self.classes = CLASSES
            .iter()
            .zip(LENGTHS)
            .map(|(&class, length)| {
                let labels: Vec<bool> = documents.iter().flat_map(|d| [d.label == Some(class); 2]).collect();
                let positive = labels.iter().filter(|&&label| label).count() as f64;
                let half = labels.len() as f64 / 2.0;
                let cost = |&label: &bool| {
                    COST * if label { half / positive } else { half / (labels.len() as f64 - positive) }
                };
                let costs = labels.iter().map(cost).collect();
                let lengths = self.lengths(&examples, &labels, length);
                let dimensions = lengths.len();
                let scaled: Vec<Sparse> = examples
                    .iter()
                    .map(|example| example.iter().map(|&(at, value)| (at, value * lengths[at])).collect())
                    .collect();
                let examples = scaled.iter().collect();
                let mut weights = linear::hinge(&Problem { examples, labels, costs, dimensions }, EPOCHS);
                weights.iter_mut().zip(&lengths).for_each(|(weight, length)| *weight *= length);
                weights
            })
            .collect();
        self
    }

    /// How long each feature is made before a class is fitted: the longer, the more often it occurs in one class than in the
    /// other, as the log count ratio of naive Bayes says (Wang and Manning, "Baselines and Bigrams", 2012). The regulariser
    /// then spares the words that tell, which so few documents cannot all show to be needed.
    fn lengths(&self, examples: &[Sparse], labels: &[bool], least: f64) -> Vec<f64> {
        let mut counts = vec![[1.0, 1.0]; self.features.len()];
        for (example, &label) in examples.iter().zip(labels) {
            for &(at, _) in example.iter().filter(|&&(at, _)| at < self.features.len()) {
                counts[at][usize::from(label)] += 1.0;
            }
        }
        let positive = labels.iter().filter(|&&label| label).count() as f64;
        let of = [labels.len() as f64 - positive + 2.0, positive + 2.0];
        let ratios = counts.iter().map(|[no, yes]| ((yes / of[1]) / (no / of[0])).ln().abs() + least);
        let lengths: Vec<f64> = ratios.chain([1.0; STRUCTURE]).collect();
        let mean = (lengths.iter().map(|length| length * length).sum::<f64>() / lengths.len() as f64).sqrt();
        // Four digits: a difference in the last place of a machine's `ln` must not reach the weights.
        lengths.iter().map(|length| (length / mean * 1e4).round() / 1e4).collect()
    }

    /// Only the features that matter most to any class.
    fn pruned(self) -> Self {
        let importance = |position: usize| self.classes.iter().map(|w| w[position].abs()).fold(0.0, f64::max);
        let mut order: Vec<usize> = (0..self.features.len()).collect();
        order.sort_by(|&a, &b| importance(b).total_cmp(&importance(a)).then(a.cmp(&b)));
        order.truncate(FEATURES_MAX);
        order.sort_unstable();
        Self {
            features: order.iter().map(|&position| self.features[position]).collect(),
            idf: order.iter().map(|&position| self.idf[position]).collect(),
            classes: Vec::new(),
        }
    }

    fn positions(&self) -> HashMap<u32, usize> {
        self.features.iter().enumerate().map(|(position, &feature)| (feature, position)).collect()
    }

    fn example(&self, positions: &HashMap<u32, usize>, features: &Features) -> Sparse {
        let known = |feature: u32| {
            positions.get(&feature).map(|&position| (position, f64::from(self.idf[position]) * IDF_UNIT))
        };
        let mut example = vector(features, known);
        let structure = features.structure.iter().enumerate();
        example.extend(structure.map(|(i, &v)| (self.features.len() + i, f64::from(v) * STRUCTURE_SCALE)));
        example
    }

    /// The weights as they are stored, and so as they are used: in eight bits.
    fn stored(&self, calibration: &[Sigmoid]) -> Weights {
        let count = self.features.len();
        let classes = self.classes.iter().zip(calibration).map(|(weights, sigmoid)| {
            let largest = weights[..count].iter().fold(0.0_f64, |most, weight| most.max(weight.abs()));
            let unit = (largest / 127.0).max(f64::MIN_POSITIVE);
            let mut structure = [0.0; STRUCTURE];
            structure.iter_mut().zip(&weights[count..]).for_each(|(slot, &weight)| *slot = weight as f32);
            Class {
                unit: unit as f32,
                bias: weights[count + STRUCTURE] as f32,
                slope: sigmoid.slope as f32,
                offset: sigmoid.offset as f32,
                named: sigmoid.named as f32,
                structure,
                weights: weights[..count].iter().map(|weight| (weight / unit).round() as i8).collect(),
            }
        });
        Weights { features: self.features.clone(), idf: self.idf.clone(), classes: classes.collect() }
    }
}

/// Scores of every document by a model that has not seen its owner: per class, plain and masked.
fn unseen(documents: &[&Document], seed: u64) -> Vec<[Vec<f64>; 2]> {
    let owners: BTreeSet<&str> = documents.iter().map(|document| document.owner.as_str()).collect();
    let mut owners: Vec<&str> = owners.into_iter().collect();
    Lcg(seed).shuffle(&mut owners);
    let fold: HashMap<&str, usize> =
        owners.iter().enumerate().map(|(i, &owner)| (owner, i % FOLDS)).collect();
    let mut scores = vec![[vec![0.0; documents.len()], vec![0.0; documents.len()]]; CLASSES.len()];
    for k in 0..FOLDS {
        let train: Vec<&Document> =
            documents.iter().copied().filter(|document| fold[document.owner.as_str()] != k).collect();
        let model = Model::train(&train);
        let positions = model.positions();
        for (i, document) in documents.iter().enumerate().filter(|(_, d)| fold[d.owner.as_str()] == k) {
            for (variant, features) in [&document.plain, &document.masked].into_iter().enumerate() {
                let example = model.example(&positions, features);
                for (class, weights) in model.classes.iter().enumerate() {
                    scores[class][variant][i] = linear::score(weights, &example);
                }
            }
        }
    }
    scores
}

/// Whether documents call themselves what a class is, as they are and masked.
fn named(documents: &[&Document], class: Category) -> [Vec<bool>; 2] {
    let by = |features: fn(&Document) -> &Features| {
        documents.iter().map(|document| calls_itself(class, features(document))).collect()
    };
    [by(|document| &document.plain), by(|document| &document.masked)]
}

/// Probabilities for documents as they are and masked alike: not every plan has a title that says so.
fn calibrate(scores: &[Vec<f64>; 2], named: &[Vec<bool>; 2], truth: &[bool]) -> Sigmoid {
    let variants = scores.iter().zip(named);
    let examples: Vec<(f64, bool, bool)> = variants
        .flat_map(|(scores, named)| scores.iter().zip(named).zip(truth).map(|((&s, &n), &t)| (s, n, t)))
        .collect();
    Sigmoid::fitted(&examples)
}

/// Trains on everything and writes weights and printable n-grams into the crate at `root`.
pub fn train(folder: &Path, root: &Path) -> Result<String> {
    let (documents, texts): (Vec<Document>, Vec<String>) = load(folder)?.into_iter().unzip();
    let documents: Vec<&Document> = documents.iter().collect();
    let scores = unseen(&documents, 1);
    let calibration: Vec<Sigmoid> = CLASSES
        .iter()
        .zip(&scores)
        .map(|(&class, scores)| calibrate(scores, &named(&documents, class), &labels(&documents, class)))
        .collect();
    let model = Model::train(&documents);
    let weights = model.stored(&calibration);
    let bytes = weights.encode();
    let evidence = printable(&model, &documents, &texts);
    fs::write(root.join("src/planning/weights.bin"), &bytes).context("writing the weights")?;
    fs::write(root.join("src/planning/evidence.txt"), &evidence).context("writing the evidence")?;
    Ok(format!(
        "{} features, {} bytes, {} printable",
        weights.features.len(),
        bytes.len(),
        evidence.lines().count()
    ))
}

/// The n-grams that speak for a class and are common enough to be nobody's.
fn printable(model: &Model, documents: &[&Document], texts: &[String]) -> String {
    let mut owners: HashMap<u32, BTreeSet<&str>> = HashMap::new();
    let mut names: HashMap<u32, String> = HashMap::new();
    for (document, text) in documents.iter().zip(texts) {
        for (feature, name) in features::names(text) {
            owners.entry(feature).or_default().insert(&document.owner);
            names.entry(feature).or_insert(name);
        }
    }
    let mut lines = BTreeSet::new();
    for weights in &model.classes {
        let mut order: Vec<usize> = (0..model.features.len()).filter(|&p| weights[p] > 0.0).collect();
        order.sort_by(|&a, &b| weights[b].total_cmp(&weights[a]).then(a.cmp(&b)));
        let printed = order.into_iter().filter(|&position| {
            let feature = model.features[position];
            owners.get(&feature).is_some_and(|owners| owners.len() >= OWNERS_MIN_PRINTED)
                && names.get(&feature).is_some_and(|name| "ubhT".contains(&name[..1]))
        });
        lines.extend(printed.take(600).map(|position| names[&model.features[position]].clone()));
    }
    lines.into_iter().collect::<Vec<_>>().join("\n") + "\n"
}

fn labels(documents: &[&Document], class: Category) -> Vec<bool> {
    documents.iter().map(|document| document.label == Some(class)).collect()
}

/// Cross-validates, grouped by owner, with `seeds` different splits; the figures are their means.
pub fn evaluate(folder: &Path, seeds: u64) -> Result<String> {
    let documents: Vec<Document> = load(folder)?.into_iter().map(|(document, _)| document).collect();
    let documents: Vec<&Document> = documents.iter().collect();
    let mut curves: BTreeMap<(usize, usize), Vec<Curve>> = BTreeMap::new();
    for seed in 1..=seeds {
        for (class, variants) in unseen(&documents, seed).iter().enumerate() {
            let truth = labels(&documents, CLASSES[class]);
            let named = named(&documents, CLASSES[class]);
            let sigmoid = calibrate(variants, &named, &truth);
            for (variant, (scores, named)) in variants.iter().zip(&named).enumerate() {
                let probabilities: Vec<f64> = scores
                    .iter()
                    .zip(named)
                    .map(|(&score, &named)| sigmoid.probability(score, named))
                    .collect();
                curves.entry((class, variant)).or_default().push(Curve::of(scores, &probabilities, &truth));
            }
        }
    }
    let mut out = format!(
        "{FOLDS}-fold cross-validation grouped by owner, mean of {seeds} splits\n{}\n",
        Curve::HEADER
    );
    for ((class, variant), curves) in curves {
        let variant = ["", ", title and words masked"][variant];
        out.push_str(&Curve::mean_row(&format!("{}{variant}", CLASSES[class].as_str()), &curves));
    }
    Ok(out)
}
