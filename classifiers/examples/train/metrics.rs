//! How good are the scores of a classifier?

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

    pub fn of(scores: &[f64], truth: &[bool], (slope, offset): (f64, f64)) -> Self {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
        let positives = truth.iter().filter(|&&truth| truth).count() as f64;
        let negatives = truth.len() as f64 - positives;
        let probability = |score: f64| 1.0 / (1.0 + (-(slope * score + offset)).exp());
        let squares =
            scores.iter().zip(truth).map(|(&s, &t)| (probability(s) - f64::from(u8::from(t))).powi(2));
        let mut curve = Self {
            f1_at_half: 0.0,
            f1_best: 0.0,
            average_precision: 0.0,
            precision_at_recall_90: 0.0,
            precision_rare: 0.0,
            recall_rare: 0.0,
            brier: squares.sum::<f64>() / truth.len() as f64,
        };
        let mut hits = 0.0;
        for (rank, &i) in order.iter().enumerate() {
            let found = rank as f64 + 1.0;
            if truth[i] {
                hits += 1.0;
                curve.average_precision += hits / found / positives;
            }
            let (precision, recall) = (hits / found, hits / positives);
            let f1 = 2.0 * precision * recall / (precision + recall).max(1e-9);
            curve.f1_best = curve.f1_best.max(f1);
            if probability(scores[i]) >= 0.5 {
                curve.f1_at_half = f1;
            }
            if recall >= 0.9 {
                curve.precision_at_recall_90 = curve.precision_at_recall_90.max(precision);
            }
            if hits == found {
                curve.recall_rare = recall;
            }
        }
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

/// Slope and offset of a sigmoid from scores to probabilities, by Newton's method (Platt, 1999, with his smoothed targets).
pub fn platt(scores: &[f64], truth: &[bool]) -> (f64, f64) {
    let positives = truth.iter().filter(|&&truth| truth).count() as f64;
    let negatives = truth.len() as f64 - positives;
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    let (mut slope, mut offset) = (1.0_f64, 0.0_f64);
    for _ in 0..100 {
        let (mut g, mut h) = ([0.0; 2], [1e-6, 0.0, 1e-6]);
        for (&score, &truth) in scores.iter().zip(truth) {
            let p = 1.0 / (1.0 + (-(slope * score + offset)).exp());
            let error = p - if truth { high } else { low };
            let curvature = p * (1.0 - p);
            g = [g[0] + error * score, g[1] + error];
            h = [h[0] + curvature * score * score, h[1] + curvature * score, h[2] + curvature];
        }
        let determinant = h[0] * h[2] - h[1] * h[1];
        let step = [(h[2] * g[0] - h[1] * g[1]) / determinant, (h[0] * g[1] - h[1] * g[0]) / determinant];
        slope -= step[0].clamp(-1.0, 1.0);
        offset -= step[1].clamp(-1.0, 1.0);
        if step.iter().all(|step| step.abs() < 1e-9) {
            break;
        }
    }
    // Four digits: a difference in the last place of a machine's `exp` must not reach the weights file.
    ((slope * 1e4).round() / 1e4, (offset * 1e4).round() / 1e4)
}
