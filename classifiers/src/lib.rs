//! What is inside? Bytes in, masked detections out; knows no cloud, does no IO, reads no clock.
//!
//! ```text
//! Classifier::begin(Hints) → Session::push(bytes)… → Session::finish() → Classification
//! ```

mod detection;
pub mod encrypted;
mod extract;
mod mask;
pub mod planning;
mod session;
mod sketch;

pub use detection::{Category, Classification, Detection, Evidence, Gap, GapReason};
pub use mask::Masked;
pub use session::{Classifier, Flow, Hints, Limits, Session};
pub use sketch::Distinct;
