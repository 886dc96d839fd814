//! Are the verdicts right, on every edge case that we know and on facts that nobody thought of?

mod algebra;
mod cases;
