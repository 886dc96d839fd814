//! What is inside? Bytes in, masked detections out; knows no cloud, does no IO, reads no clock.
//!
//! ```text
//! Classifier::begin(Hints) → Session::push(bytes)… → Session::finish() → Classification
//! ```

// Nothing reads these until the session does.
#[allow(dead_code)]
mod content_type;
mod detection;
#[allow(dead_code)]
mod extract;
#[cfg(fuzzing)]
pub mod fuzzing;
mod mask;
mod session;
mod sketch;

pub use detection::{Category, Classification, Detection, Evidence, Gap, GapReason};
pub use mask::Masked;
pub use session::{Classifier, Flow, Hints, Limits, Session};
pub use sketch::Distinct;
