//! Is there a choice of values under which a rule gives and none takes?

use std::collections::HashSet;

use crate::exposure::bits::Bits;

use super::dimension::{Assignment, Dimension};

/// How much a search may do, in values tried.
const TRIES_MAX: usize = 50_000;

/// How many keys a search goes through; it goes as deep.
const DIMENSIONS_MAX: usize = 128;

/// What must hold for a request to be allowed.
#[derive(Debug, Clone)]
pub(super) struct Goal {
    /// In each of these sets some rule must still apply.
    pub(super) allows: Vec<Bits>,
    /// Of these none may.
    pub(super) denies: Bits,
}

impl Goal {
    fn can_still_be_reached(&self, left: &Bits) -> bool {
        self.allows.iter().all(|layer| layer.meets(left))
    }
}

/// How far we trust what we do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Every doubt counts against exposure.
    Proven,
    /// Every doubt counts for exposure.
    Possible,
}

impl Mode {
    fn out(self, assignment: &Assignment) -> &Bits {
        match self {
            Self::Proven => &assignment.out_if_proven,
            Self::Possible => &assignment.out_if_possible,
        }
    }
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// These values (by dimension and assignment) let a request through, and these rules still apply.
    Yes { values: Vec<(usize, usize)>, left: Bits },
    /// No values do.
    No,
    /// We gave up.
    Capped,
}

/// Looks for values, one for each dimension, that reach the goal from the rules in `left`.
pub(super) fn search(dimensions: &[&Dimension], goal: &Goal, mode: Mode, left: Bits) -> Found {
    if dimensions.len() > DIMENSIONS_MAX {
        return Found::Capped;
    }
    let mut search = Search { dimensions, goal, mode, failed: HashSet::new(), tries: 0, values: Vec::new() };
    match search.from(0, left) {
        Some(left) => Found::Yes { values: search.values, left },
        None if search.tries > TRIES_MAX => Found::Capped,
        None => Found::No,
    }
}

struct Search<'a> {
    dimensions: &'a [&'a Dimension],
    goal: &'a Goal,
    mode: Mode,
    /// Where we were before, in vain.
    failed: HashSet<(usize, Bits)>,
    tries: usize,
    values: Vec<(usize, usize)>,
}

impl Search<'_> {
    /// The rules that apply in the end, if the goal is reached; `self.values` then holds the way.
    fn from(&mut self, at: usize, left: Bits) -> Option<Bits> {
        if !self.goal.can_still_be_reached(&left) {
            return None;
        }
        let Some(dimension) = self.dimensions.get(at) else {
            return (!self.goal.denies.meets(&left)).then_some(left);
        };
        if !dimension.asked_by.meets(&left) {
            return self.from(at + 1, left);
        }
        // Remembering costs more than trying again where little is left to try.
        let remembers = at + 2 < self.dimensions.len();
        if remembers && self.failed.contains(&(at, left)) {
            return None;
        }
        for (index, assignment) in dimension.assignments.iter().enumerate() {
            self.tries += 1;
            if self.tries > TRIES_MAX {
                return None;
            }
            self.values.push((at, index));
            let found = self.from(at + 1, left.without(self.mode.out(assignment)));
            if found.is_some() {
                return found;
            }
            self.values.pop();
        }
        if remembers {
            self.failed.insert((at, left));
        }
        None
    }
}
