//! Which of several ways in say nothing that another does not say already?

use super::{Audience, Exposure, Keys};

impl Audience {
    /// Whether everybody in `narrow` is also in here.
    pub fn includes(self, narrow: Self) -> bool {
        self == narrow
            || match self {
                Self::Anyone => true,
                Self::AnyAuthenticated => matches!(narrow, Self::External | Self::Organization),
                Self::External | Self::Cdn | Self::Organization => false,
            }
    }
}

impl Exposure {
    /// Whether this makes `other` superfluous.
    pub fn says_as_much_as(&self, other: &Self) -> bool {
        self.audience.includes(other.audience)
            && self.certainty <= other.certainty
            && self.access.is_superset(&other.access)
            && self.keys.covers(&other.keys)
    }
}

impl Keys {
    /// Whether every key of `narrow` is surely in here; errs on the side of no.
    fn covers(&self, narrow: &Self) -> bool {
        self == narrow
            || *self == Self::all()
            || (narrow.include.is_subset(&self.include) && self.exclude.is_subset(&narrow.exclude))
    }
}
