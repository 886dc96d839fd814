//! Are the verdicts right, on every edge case that we know?

mod cases;
