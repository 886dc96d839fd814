//! Is a text a plan of what an organisation will do, or a policy that it sets for itself?
//!
//! ```text
//! Planning::new() → push(text)… → finish() → Reading
//! ```
//!
//! A cheap gate on the first kilobytes lets only prose in; what passes is kept up to [`TEXT_BYTES_MAX`] and judged at the end
//! by a linear model over n-grams and structure, whose weights `examples/train` makes.

pub mod features;
mod gate;
mod model;
mod structure;
pub mod words;

use crate::Category;
use model::Model;

pub use model::{CLASSES, Class, IDF_UNIT, STRUCTURE_SCALE, Vector, Weights, calls_itself, vector};
pub use structure::{STRUCTURE, STRUCTURE_NAMES};

/// Bytes of text that are judged; a document says what it is long before that.
pub const TEXT_BYTES_MAX: usize = 256 << 10;
/// Bytes after which the gate decides whether a text is prose.
const GATE_BYTES: usize = 4 << 10;
/// Tokens below which a text is too short to judge.
const TOKENS_MIN: usize = 60;
/// Least confidence that is reported.
const CONFIDENCE_MIN: f64 = 0.5;

/// One category that a text was judged to be of.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// [`Category::Roadmap`] or [`Category::InternalPolicy`].
    pub category: Category,
    /// The model's probability, calibrated on documents of owners it had not seen.
    pub confidence: f64,
    /// The strongest features, from a list of common n-grams: never an echo of the document.
    pub because: Vec<String>,
}

/// What was read in a text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reading {
    /// The categories with at least even odds, and a low one where the language allows no more.
    pub judgements: Vec<Judgement>,
    /// Why the text could not be judged as it should.
    pub reserve: Option<&'static str>,
}

/// Takes a text in pieces and judges it at the end.
#[derive(Debug, Clone, Default)]
pub struct Planning {
    text: String,
    gate: Gate,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Gate {
    #[default]
    Undecided,
    Open,
    Closed,
}

impl Planning {
    /// Starts on a document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece; pieces are joined as they come, so a caller puts line breaks between paragraphs. `false` means
    /// that further pieces are of no use: this is no prose, or enough of it.
    pub fn push(&mut self, piece: &str) -> bool {
        if self.gate == Gate::Closed {
            return false;
        }
        let mut room = TEXT_BYTES_MAX.saturating_sub(self.text.len()).min(piece.len());
        while !piece.is_char_boundary(room) {
            room -= 1;
        }
        self.text.push_str(piece.get(..room).unwrap_or_default());
        if self.gate == Gate::Undecided && self.text.len() >= GATE_BYTES {
            self.decide();
        }
        self.gate != Gate::Closed && self.text.len() < TEXT_BYTES_MAX && room == piece.len()
    }

    /// Takes a row of a table, as it would stand in Markdown: plans are often tables.
    pub fn row(&mut self, cells: &[&str]) {
        if self.gate != Gate::Closed && self.text.len() < TEXT_BYTES_MAX {
            for cell in cells {
                self.push("| ");
                self.push(cell);
                self.push(" ");
            }
            self.push("|\n");
        }
    }

    fn decide(&mut self) {
        let mut end = GATE_BYTES.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        if gate::is_prose(self.text.get(..end).unwrap_or_default()) {
            self.gate = Gate::Open;
        } else {
            self.gate = Gate::Closed;
            self.text = String::new();
        }
    }

    /// Judges what was pushed. The result is the same however the text was cut into pieces.
    pub fn finish(mut self) -> Reading {
        if self.gate == Gate::Undecided {
            self.decide();
        }
        if self.gate == Gate::Closed {
            return Reading::default();
        }
        let model = Model::embedded();
        let features = model.features(&self.text);
        if features.tokens < TOKENS_MIN {
            return Reading::default();
        }
        if gate::language(&self.text) == gate::Language::Other {
            return Reading {
                judgements: gate::foreign_plan(&self.text).into_iter().collect(),
                reserve: Some("text is not in English, which is all that plans and policies are judged in"),
            };
        }
        if gate::is_licence(&self.text) {
            return Reading::default();
        }
        let judgements = Category::ALL
            .into_iter()
            .filter_map(|category| model.judge(category, &features))
            .filter(|judgement| judgement.confidence >= CONFIDENCE_MIN)
            .collect();
        Reading { judgements, reserve: None }
    }
}

#[cfg(test)]
mod tests;
