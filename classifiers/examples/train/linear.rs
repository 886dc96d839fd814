//! How are the weights of a linear classifier found? Without chance and in a fixed order, so the same input gives the same
//! weights.

/// A sparse vector: positions and values.
pub type Sparse = Vec<(usize, f64)>;

/// What to train on.
pub struct Problem<'a> {
    pub examples: Vec<&'a Sparse>,
    pub labels: Vec<bool>,
    /// The cost of an error on each example.
    pub costs: Vec<f64>,
    pub dimensions: usize,
}

/// Dual coordinate descent for a squared hinge loss (Hsieh et al., 2008): weights and, last, the bias. Only additions,
/// multiplications and divisions, which are the same on every machine.
pub fn hinge(problem: &Problem<'_>, epochs: usize) -> Vec<f64> {
    let count = problem.examples.len();
    let mut weights = vec![0.0; problem.dimensions + 1];
    let mut alphas = vec![0.0_f64; count];
    let diagonal: Vec<f64> = problem.costs.iter().map(|cost| 0.5 / cost).collect();
    let squares: Vec<f64> = problem
        .examples
        .iter()
        .map(|x| 1.0 + x.iter().map(|(_, value)| value * value).sum::<f64>())
        .collect();
    let mut order: Vec<usize> = (0..count).collect();
    let mut random = Lcg(0x5eed);
    for _ in 0..epochs {
        random.shuffle(&mut order);
        let mut largest = 0.0_f64;
        for &i in &order {
            let y = if problem.labels[i] { 1.0 } else { -1.0 };
            let gradient = y * score(&weights, problem.examples[i]) - 1.0 + diagonal[i] * alphas[i];
            let projected = if alphas[i] == 0.0 { gradient.min(0.0) } else { gradient };
            largest = largest.max(projected.abs());
            if projected == 0.0 {
                continue;
            }
            let before = alphas[i];
            alphas[i] = (before - gradient / (squares[i] + diagonal[i])).max(0.0);
            let step = (alphas[i] - before) * y;
            for &(index, value) in problem.examples[i] {
                weights[index] += step * value;
            }
            weights[problem.dimensions] += step;
        }
        if largest < 1e-3 {
            break;
        }
    }
    weights
}

/// The score of an example.
pub fn score(weights: &[f64], example: &Sparse) -> f64 {
    example.iter().map(|&(index, value)| weights[index] * value).sum::<f64>() + weights[weights.len() - 1]
}

/// Logistic regression on dense examples by Newton's method with a ridge of one: weights and, last, the bias.
pub fn logistic(examples: &[Vec<f64>], labels: &[bool]) -> Vec<f64> {
    let n = examples.len() as f64;
    let width = examples.first().map_or(0, Vec::len);
    let mean: Vec<f64> = (0..width).map(|i| examples.iter().map(|x| x[i]).sum::<f64>() / n).collect();
    let deviation: Vec<f64> = (0..width)
        .map(|i| (examples.iter().map(|x| (x[i] - mean[i]).powi(2)).sum::<f64>() / n).sqrt().max(1e-6))
        .collect();
    let standard: Vec<Vec<f64>> = examples
        .iter()
        .map(|x| (0..width).map(|i| (x[i] - mean[i]) / deviation[i]).chain([1.0]).collect())
        .collect();
    let mut weights = vec![0.0; width + 1];
    for _ in 0..30 {
        let step = solve(newton_system(&standard, labels, &weights));
        weights.iter_mut().zip(&step).for_each(|(weight, step)| *weight -= step);
        if step.iter().all(|step| step.abs() < 1e-7) {
            break;
        }
    }
    let mut bias = weights[width];
    let mut out: Vec<f64> = Vec::with_capacity(width + 1);
    for i in 0..width {
        out.push(weights[i] / deviation[i]);
        bias -= weights[i] * mean[i] / deviation[i];
    }
    out.push(bias);
    out
}

/// The Hessian with the gradient as its last column.
fn newton_system(examples: &[Vec<f64>], labels: &[bool], weights: &[f64]) -> Vec<Vec<f64>> {
    let size = weights.len();
    let mut system = vec![vec![0.0; size + 1]; size];
    for (x, &label) in examples.iter().zip(labels) {
        let score: f64 = weights.iter().zip(x).map(|(w, x)| w * x).sum();
        let p = 1.0 / (1.0 + (-score).exp());
        let curvature = p * (1.0 - p) + 1e-9;
        for (i, row) in system.iter_mut().enumerate() {
            let scaled = curvature * x[i];
            row[..size].iter_mut().zip(x).for_each(|(cell, x)| *cell += scaled * x);
            row[size] += (p - f64::from(u8::from(label))) * x[i];
        }
    }
    for (i, row) in system.iter_mut().enumerate() {
        row[i] += 1.0;
        row[size] += weights[i];
    }
    system
}

/// Gaussian elimination of a positive definite system.
pub fn solve(mut system: Vec<Vec<f64>>) -> Vec<f64> {
    let size = system.len();
    for i in 0..size {
        let pivot = system[i].clone();
        for row in system.iter_mut().skip(i + 1) {
            let factor = row[i] / pivot[i];
            row.iter_mut().zip(&pivot).skip(i).for_each(|(cell, pivot)| *cell -= factor * pivot);
        }
    }
    let mut solution = vec![0.0; size];
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|j| system[i][j] * solution[j]).sum();
        solution[i] = (system[i][size] - known) / system[i][i];
    }
    solution
}

/// Numbers that look random and are always the same (Knuth's MMIX constants).
pub struct Lcg(pub u64);

impl Lcg {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}
