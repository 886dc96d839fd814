//! Which of several ways in say nothing that another does not say already, what of one may be told, and in which words?

use std::collections::BTreeSet;

use super::{Access, Audience, Exposure, Keys};

impl Access {
    /// The word used in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::ReadVersions => "read_versions",
            Self::Write => "write",
            Self::Administer => "administer",
        }
    }

    /// What somebody can do, for a sentence whose object are keys.
    pub fn verb(self) -> &'static str {
        match self {
            Self::ReadVersions => "read older versions of",
            other => other.as_str(),
        }
    }
}

impl Audience {
    /// The word used in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anyone => "anyone",
            Self::AnyAuthenticated => "any_authenticated",
            Self::External => "external",
            Self::Cdn => "cdn",
            Self::Organization => "organization",
        }
    }

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
    /// The same, fit to be told. A way in through one object's ACL names its key, which strangers wrote. Where the key holds
    /// what must not be told, the witness goes too: a command with another key would prove nothing.
    pub fn screened(&self) -> Self {
        let told = |key: &str| spillwatch_classifiers::screen(key).as_str() == key;
        if self.keys.include.iter().chain(&self.keys.exclude).all(|key| told(key)) {
            return self.clone();
        }
        let screen = |keys: &BTreeSet<String>| {
            keys.iter().map(|key| spillwatch_classifiers::screen(key).to_string()).collect()
        };
        Self {
            keys: Keys { include: screen(&self.keys.include), exclude: screen(&self.keys.exclude) },
            witness: None,
            because: vec!["the ACL of an object whose key is screened".to_owned()],
            closing: Vec::new(),
            ..self.clone()
        }
    }

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
