//! How bad is it? Exposure × content × volume × a key beside × public on purpose, in steps that a person can follow.

use serde::{Deserialize, Serialize};
use spillwatch_classifiers::Category;

use crate::exposure::{Audience, Certainty, Exposure};

/// OCSF's severities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Informational,
    /// When there is time.
    Low,
    /// Soon.
    Medium,
    /// Today.
    High,
    /// Now.
    Critical,
}

impl Severity {
    /// All of them, the least first.
    pub const LADDER: [Self; 5] = [Self::Informational, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The word used in findings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    fn lower(self, steps: usize) -> Self {
        let place = Self::LADDER.iter().position(|step| *step == self).unwrap_or(0);
        Self::LADDER.get(place.saturating_sub(steps)).copied().unwrap_or(Self::Informational)
    }

    fn higher(self) -> Self {
        Self::LADDER.into_iter().find(|step| *step > self).unwrap_or(Self::Critical)
    }
}

impl std::str::FromStr for Severity {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let known = Self::LADDER.into_iter().find(|step| step.as_str() == word);
        known.ok_or_else(|| "one of `informational`, `low`, `medium`, `high`, `critical`".to_owned())
    }
}

/// From so many distinct people on, a leak is a step worse: authorities and the press must be told, not only the people.
const MANY_PEOPLE: u64 = 10_000;
/// Up to so many, it is a step less bad: a letter, a signature, one team's phones, and no directory.
const FEW_PEOPLE: u64 = 4;

/// How many people content is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// Distinct people, estimated.
    pub people: u64,
    /// Whether everything within the same reach was read: only then are few people few.
    pub all_read: bool,
}

/// How far content can be reached, from nobody to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nobody outside.
    Inside,
    /// Nothing is known, as for a plain folder.
    Unknown,
    /// Somebody outside, perhaps.
    Possible,
    /// Named others outside, or anyone through a CDN.
    External,
    /// Anyone.
    Anyone,
}

impl Reach {
    /// The widest of several ways in.
    pub fn widest(ways: &[&Exposure]) -> Self {
        ways.iter()
            .map(|way| match (way.audience, way.certainty) {
                (Audience::Organization, _) => Self::Inside,
                (_, Certainty::Possible) => Self::Possible,
                (Audience::Anyone | Audience::AnyAuthenticated, Certainty::Proven) => Self::Anyone,
                _ => Self::External,
            })
            .max()
            .unwrap_or(Self::Inside)
    }

    /// Whether somebody outside may reach it.
    pub fn is_outside(self) -> bool {
        self >= Self::Possible
    }

    fn steps_down(self) -> usize {
        match self {
            Self::Anyone => 0,
            Self::External | Self::Possible => 1,
            Self::Unknown => 2,
            Self::Inside => Severity::LADDER.len(),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Anyone => "anyone can reach it",
            Self::External => "named outsiders can reach it",
            Self::Possible => "it could not be excluded that somebody outside reaches it",
            Self::Unknown => "who can reach it is unknown",
            Self::Inside => "nobody outside can reach it",
        }
    }
}

/// The severity of content within reach, and why.
pub fn of_content(
    category: Category,
    reach: Reach,
    key_beside: bool,
    volume: Volume,
) -> (Severity, Vec<String>) {
    let open = match category {
        Category::Credential | Category::EmployeePii => Severity::Critical,
        Category::EncryptedBlob if key_beside => Severity::Critical,
        Category::InteractionMetadata | Category::Roadmap => Severity::High,
        Category::EncryptedBlob | Category::InternalPolicy => Severity::Medium,
    };
    let mut because = vec![format!("{} where {}", category.as_str(), reach.words())];
    if key_beside {
        because.push("key material lies in the same exposed bucket".to_owned());
    }
    let mut severity = open.lower(reach.steps_down());
    // One credential opens as much as ten, and plans and blobs are not about people; what nobody outside reaches is no leak.
    let counts =
        matches!(category, Category::EmployeePii | Category::InteractionMetadata) && reach != Reach::Inside;
    let Volume { people, all_read } = volume;
    if counts && people >= MANY_PEOPLE && severity < Severity::Critical {
        severity = severity.higher();
        because.push(format!("about {people} distinct people or ids: so many are one step worse"));
    } else if counts && (1..=FEW_PEOPLE).contains(&people) && all_read {
        severity = severity.lower(1);
        because.push(format!(
            "only {people} distinct people or ids, and all within reach was read: one step less"
        ));
    }
    (severity, because)
}

/// The severity of copies of known documents, and why: somebody has said that these must not get out.
pub fn of_copies(documents: usize, reach: Reach) -> (Severity, Vec<String>) {
    let counted =
        if documents == 1 { "a known document".to_owned() } else { format!("{documents} known documents") };
    (
        Severity::Critical.lower(reach.steps_down()),
        vec![format!("copies of {counted} where {}", reach.words())],
    )
}

/// The severity of a bucket that is open, whatever is inside, and why.
pub fn of_access(class: &str, reach: Reach, website: bool) -> (Severity, Vec<String>) {
    let mut because = vec![format!("{class} access: {}", reach.words())];
    let severity = match (class, reach) {
        ("read", _) if website => {
            because.push("a website is configured: public on purpose".to_owned());
            Severity::Informational
        }
        ("read", Reach::Anyone) => Severity::Medium,
        ("read", _) => Severity::Low,
        (_, Reach::Anyone) => Severity::Critical,
        _ => Severity::Medium,
    };
    (severity, because)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(category: Category, reach: Reach, key_beside: bool, people: u64, all_read: bool) -> Severity {
        of_content(category, reach, key_beside, Volume { people, all_read }).0
    }

    #[test]
    fn severity_falls_with_reach_and_rises_with_a_key_beside() {
        assert_eq!(of(Category::EmployeePii, Reach::Anyone, false, 300, true), Severity::Critical);
        assert_eq!(of(Category::EmployeePii, Reach::External, false, 300, true), Severity::High);
        assert_eq!(of(Category::EmployeePii, Reach::Inside, false, 300, true), Severity::Informational);
        assert_eq!(of(Category::EncryptedBlob, Reach::Anyone, false, 0, true), Severity::Medium);
        assert_eq!(of(Category::EncryptedBlob, Reach::Anyone, true, 0, true), Severity::Critical);
    }

    #[test]
    fn very_many_people_are_worse_and_few_are_less_bad_where_all_was_read() {
        assert_eq!(of(Category::EmployeePii, Reach::External, false, 10_000, false), Severity::Critical);
        assert_eq!(
            of(Category::InteractionMetadata, Reach::Anyone, false, 10_000, false),
            Severity::Critical
        );
        assert_eq!(of(Category::EmployeePii, Reach::Anyone, false, 4, true), Severity::High);
        assert_eq!(of(Category::EmployeePii, Reach::Anyone, false, 4, false), Severity::Critical);
        // Nobody was counted: that is not few.
        assert_eq!(of(Category::EmployeePii, Reach::Anyone, false, 0, true), Severity::Critical);
        assert_eq!(of(Category::EmployeePii, Reach::Inside, false, 1_000_000, true), Severity::Informational);
        assert_eq!(of(Category::Credential, Reach::Anyone, false, 1, true), Severity::Critical);
    }

    #[test]
    fn a_website_is_public_on_purpose_but_not_writable_on_purpose() {
        assert_eq!(of_access("read", Reach::Anyone, true).0, Severity::Informational);
        assert_eq!(of_access("write", Reach::Anyone, true).0, Severity::Critical);
    }
}
