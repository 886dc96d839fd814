//! What is inside? Bytes in, masked detections out; knows no cloud, does no IO, reads no clock.
//!
//! ```text
//! Classifier::begin(Hints) → Session::push(bytes)… → Session::finish() → Classification
//! ```
//!
//! Content leaves only as [`Masked`], with one exception: [`affected`].

pub mod affected;
mod content_type;
pub mod copies;
mod credential;
mod detection;
mod detectors;
pub mod encrypted;
mod extract;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod gather;
mod lexicon;
mod mask;
pub mod planning;
mod scan;
mod session;
mod sightings;
mod sketch;
mod structure;
mod table;
mod text;
mod values;

pub use detection::{Category, Classification, Detection, Evidence, Gap, GapReason};
pub use mask::{Masked, screen};
pub use session::{Classifier, Flow, Hints, Limits, Session};
pub use sketch::Distinct;
