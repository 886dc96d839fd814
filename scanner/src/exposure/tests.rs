//! What do the verdict cases of all providers have in common?

pub(super) mod expected;
