//! Are the verdicts right, on every edge case that we know and on policies that nobody thought of?

mod against_reference;
mod cases;
mod generated;
mod outsiders;
mod reference;
mod second_oracle;
