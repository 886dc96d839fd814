//! How good are the scores of a classifier, and which probabilities are they?

use crate::linear::solve;

/// The figures of one run.
#[derive(Debug, Clone, Copy)]
pub struct Curve {
    /// F1 where the calibrated probability is one half.
    f1_at_half: f64,
    /// F1 at the best threshold, which a user cannot know.
    f1_best: f64,
    average_precision: f64,
    precision_at_recall_90: f64,
    /// Precision where one document in a thousand is positive, at the largest recall without a false positive here, with
    /// the false-positive rate taken as one in as many negatives as there are (an upper estimate).
    precision_rare: f64,
    recall_rare: f64,
    /// Mean squared error of the probability.
    brier: f64,
}

impl Curve {
    pub const HEADER: &str =
        "class                                   F1@.5  F1best PR-AUC  P@R.9  P@0.1%  (recall)  Brier";

    /// `probabilities` are those of the scores.
    pub fn of(scores: &[f64], probabilities: &[f64], truth: &[bool]) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let positives = truth.iter().filter(|&&truth| truth).count() as f64;
        let negatives = truth.len() as f64 - positives;
        let squares = probabilities.iter().zip(truth).map(|(&p, &t)| (p - f64::from(u8::from(t))).powi(2));
        let mut curve = Self {
            f1_at_half: 0.0,
            f1_best: 0.0,
            average_precision: 0.0,
            precision_at_recall_90: 0.0,
            precision_rare: 0.0,
            recall_rare: 0.0,
            brier: squares.sum::<f64>() / truth.len() as f64,
        };
        let (mut hits, mut found_at_half, mut hits_at_half) = (0.0, 0.0, 0.0);
        for (rank, &i) in order.iter().enumerate() {
            let found = rank as f64 + 1.0;
            if truth[i] {
                hits += 1.0;
                curve.average_precision += hits / found / positives;
            }
            let (precision, recall) = (hits / found, hits / positives);
            let f1 = 2.0 * precision * recall / (precision + recall).max(1e-9);
            curve.f1_best = curve.f1_best.max(f1);
            if probabilities[i] >= 0.5 {
                found_at_half += 1.0;
                hits_at_half += f64::from(u8::from(truth[i]));
            }
            if recall >= 0.9 {
                curve.precision_at_recall_90 = curve.precision_at_recall_90.max(precision);
            }
            if hits == found {
                curve.recall_rare = recall;
            }
        }
        curve.f1_at_half = 2.0 * hits_at_half / (found_at_half + positives);
        let wrong = 1.0 / negatives;
        curve.precision_rare = 0.001 * curve.recall_rare / (0.001 * curve.recall_rare + 0.999 * wrong);
        curve
    }

    pub fn mean_row(name: &str, curves: &[Self]) -> String {
        let mean = |figure: fn(&Self) -> f64| curves.iter().map(figure).sum::<f64>() / curves.len() as f64;
        format!(
            "{name:<40}{:.3}  {:.3}  {:.3}   {:.3}  {:.3}    {:.3}    {:.3}\n",
            mean(|c| c.f1_at_half),
            mean(|c| c.f1_best),
            mean(|c| c.average_precision),
            mean(|c| c.precision_at_recall_90),
            mean(|c| c.precision_rare),
            mean(|c| c.recall_rare),
            mean(|c| c.brier),
        )
    }
}

/// The sigmoid from scores to probabilities.
#[derive(Debug, Clone, Copy)]
pub struct Sigmoid {
    pub slope: f64,
    pub offset: f64,
    /// Added to the offset of documents that call themselves what they are.
    pub named: f64,
}

impl Sigmoid {
    pub fn probability(&self, score: f64, is_named: bool) -> f64 {
        let offset = self.offset + if is_named { self.named } else { 0.0 };
        1.0 / (1.0 + (-(self.slope * score + offset)).exp())
    }

    /// What moves even odds to where F1 is best: a verdict is what is more likely than not, and at a true half it would miss
    /// more than it spares.
    fn to_best_f1(self, examples: &[(f64, bool, bool)]) -> f64 {
        let positives = examples.iter().filter(|&&(.., truth)| truth).count();
        let f1 = |threshold: f64| {
            let found = examples.iter().filter(|&&(s, n, _)| self.probability(s, n) >= threshold);
            let (found, hits) =
                found.fold((0, 0), |(found, hits), &(.., t)| (found + 1, hits + usize::from(t)));
            2.0 * hits as f64 / (found + positives) as f64
        };
        let best =
            (25..=60).map(|percent| f64::from(percent) / 100.0).max_by(|a, b| f1(*a).total_cmp(&f1(*b)));
        best.map_or(0.0, |best| -(best / (1.0 - best)).ln())
    }

    /// By Newton's method (Platt, 1999, with his smoothed targets), from score, whether named, and truth.
    pub fn fitted(examples: &[(f64, bool, bool)]) -> Self {
        let positives = examples.iter().filter(|&&(.., truth)| truth).count() as f64;
        let negatives = examples.len() as f64 - positives;
        let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
        let mut sigmoid = Self { slope: 1.0, offset: 0.0, named: 0.0 };
        for _ in 0..100 {
            // The Hessian with the gradient as its last column.
            let mut system =
                vec![vec![1e-6, 0.0, 0.0, 0.0], vec![0.0, 1e-6, 0.0, 0.0], vec![0.0, 0.0, 1e-6, 0.0]];
            for &(score, is_named, truth) in examples {
                let p = sigmoid.probability(score, is_named);
                let error = p - if truth { high } else { low };
                let inputs = [score, 1.0, f64::from(u8::from(is_named))];
                for (row, a) in system.iter_mut().zip(inputs) {
                    row.iter_mut().zip(inputs).for_each(|(cell, b)| *cell += p * (1.0 - p) * a * b);
                    row[3] += error * a;
                }
            }
            let step = solve(system);
            sigmoid.slope -= step[0].clamp(-1.0, 1.0);
            sigmoid.offset -= step[1].clamp(-1.0, 1.0);
            sigmoid.named -= step[2].clamp(-1.0, 1.0);
            if step.iter().all(|step| step.abs() < 1e-9) {
                break;
            }
        }
        sigmoid.offset += sigmoid.to_best_f1(examples);
        // Four digits: a difference in the last place of a machine's `exp` must not reach the weights file.
        let rounded = |x: f64| (x * 1e4).round() / 1e4;
        Self { slope: rounded(sigmoid.slope), offset: rounded(sigmoid.offset), named: rounded(sigmoid.named) }
    }
}
