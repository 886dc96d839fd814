//! What is a text built of: dates to come, boxes to tick, rules to follow, or things that were done?

use std::sync::OnceLock;

use super::features::{ByHash, word_hash};
use super::words::Line;

/// The number of structural features.
pub const STRUCTURE: usize = 16;

/// Their names, as evidence prints them.
pub const STRUCTURE_NAMES: [&str; STRUCTURE] = [
    "years, quarters and months",
    "future tense",
    "past tense of changes",
    "obligations",
    "open check boxes",
    "done check boxes",
    "status words",
    "versions",
    "issue numbers",
    "headings",
    "items",
    "table rows",
    "plan words",
    "policy words",
    "links",
    "planning horizon in headings",
];

/// Counts on their way to [`STRUCTURE`] features.
#[derive(Debug, Clone, Default)]
pub(super) struct Structure {
    counts: [u32; STRUCTURE],
    lines: u32,
    tokens: u32,
    in_heading: bool,
}

impl Structure {
    pub(super) fn line(&mut self, kind: Line) {
        self.lines += 1;
        self.in_heading = kind == Line::Heading;
        match kind {
            Line::Heading => self.add(9),
            Line::Item => self.add(10),
            Line::Row => self.add(11),
            Line::Prose => {}
        }
    }

    fn add(&mut self, index: usize) {
        if let Some(count) = self.counts.get_mut(index) {
            *count += 1;
        }
    }

    /// Takes a token by its hash.
    pub(super) fn token(&mut self, token: u64) {
        self.tokens += 1;
        let Some(&index) = classes().get(&token) else { return };
        self.add(index);
        if self.in_heading && matches!(index, 0 | 6 | 12) {
            self.add(15);
        }
    }

    /// Each feature as a rate per line or token, square-rooted so that a little already counts.
    pub(super) fn finish(&self) -> [f32; STRUCTURE] {
        let mut features = [0.0; STRUCTURE];
        for (index, (feature, &count)) in features.iter_mut().zip(&self.counts).enumerate() {
            let per_line = matches!(index, 9..=11 | 15);
            let of = if per_line { self.lines } else { self.tokens }.max(1);
            let scale = if per_line { 1.0 } else { 25.0 };
            *feature = (count as f32 / of as f32 * scale).sqrt().min(1.0);
        }
        features
    }
}

/// Which words make which feature.
const CLASSES: [(usize, &str); 12] = [
    (0, "<quarter> <year> january february march april june july august september october november december"),
    (
        1,
        "will going plan plans planned planning upcoming future next later soon eventually expect aim intend",
    ),
    (
        2,
        "added fixed removed changed updated improved released introduced deprecated merged refactored bumped",
    ),
    (3, "must shall prohibited required requires mandatory permitted forbidden may should"),
    (4, "<open>"),
    (5, "<done>"),
    (
        6,
        "progress todo done backlog pending completed complete status ongoing blocked shipped delivered <doing>",
    ),
    (7, "<version>"),
    (8, "<issue>"),
    (
        12,
        "goal goals milestone milestones deliverables deliverable roadmap timeline phase priorities priority objective objectives initiatives initiative horizon vision strategy target",
    ),
    (
        13,
        "policy policies employees employee compliance violations violation responsibilities procedure procedures scope exceptions enforcement disciplinary confidential approval",
    ),
    (14, "<url>"),
];

/// The feature of a word, by its hash: asked of every token.
fn classes() -> &'static ByHash<u64, usize> {
    static CLASSES_BY_HASH: OnceLock<ByHash<u64, usize>> = OnceLock::new();
    CLASSES_BY_HASH.get_or_init(|| {
        let words = |&(index, words): &(usize, &'static str)| {
            words.split(' ').map(move |word| (word_hash(word), index))
        };
        CLASSES.iter().flat_map(words).collect()
    })
}
