//! Is this the name of a person, by its shape?
//!
//! No list of names is used: shape (`Jane Q. Doe`, `DOE, Jane`, `María José García`) together with the column's name and the
//! number of different values decides.

/// Words that are written like names but stand for organisations, products and places.
const NOT_NAMES: &[&str] = &[
    "inc",
    "llc",
    "ltd",
    "gmbh",
    "corp",
    "co",
    "company",
    "group",
    "bank",
    "university",
    "the",
    "of",
    "and",
    "for",
    "street",
    "road",
    "city",
    "project",
    "team",
    "department",
    "manager",
    "engineer",
    "director",
    "analyst",
    "sales",
    "marketing",
    "total",
    "new",
    "north",
    "south",
    "east",
    "west",
    "limited",
    "services",
    "systems",
    "solutions",
    "international",
    "pro",
    "plus",
    "edition",
    "officer",
    "lead",
    "senior",
    "junior",
    "head",
    "chief",
    "product",
    "software",
    "operations",
    "finance",
    "human",
    "resources",
    "customer",
    "account",
    "data",
    "engineering",
    "support",
    "monday",
    "january",
];

/// Particles that stand in lower case inside names.
const PARTICLES: &[&str] = &[
    "de", "da", "do", "dos", "la", "le", "van", "von", "der", "den", "di", "del", "della", "bin", "al", "el",
    "y", "e", "ten", "ter", "zu", "af", "av", "ibn",
];

/// Two to five words that begin with capitals (particles aside), or `Last, First`.
pub(crate) fn is_full_name(value: &str) -> bool {
    let value = value.trim();
    if !(4..=60).contains(&value.len()) {
        return false;
    }
    let mut words = 0;
    for word in value.split([' ', ',']).filter(|word| !word.is_empty()) {
        if PARTICLES.contains(&word) {
            continue;
        }
        if !is_name_word(word) {
            return false;
        }
        words += 1;
    }
    (2..=5).contains(&words)
}

/// One word that could be a first or last name.
pub(crate) fn is_single_name(value: &str) -> bool {
    let value = value.trim();
    (2..=30).contains(&value.len())
        && value.split(' ').count() <= 3
        && value.split(' ').all(|word| PARTICLES.contains(&word) || is_name_word(word))
}

fn is_name_word(word: &str) -> bool {
    let word = word.strip_suffix('.').unwrap_or(word);
    let mut chars = word.chars();
    let Some(first) = chars.next() else { return false };
    // Scripts without case (Han, Arabic, Hebrew) have neither.
    let caseless = first.is_alphabetic() && !first.is_uppercase() && !first.is_lowercase();
    (first.is_uppercase() || caseless)
        && chars.all(|c| c.is_alphabetic() || matches!(c, '\'' | '’' | '-'))
        && !NOT_NAMES.iter().any(|not| word.eq_ignore_ascii_case(not))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_shape() {
        for yes in [
            "Jane Doe",
            "DOE, Jane",
            "María José García",
            "Ludwig van Beethoven",
            "Jane Q. Public",
            "Seán O'Brien",
            "王 小明",
        ] {
            assert!(is_full_name(yes), "{yes}");
        }
        for no in [
            "jane doe",
            "Acme Inc",
            "left-pad",
            "Senior Engineer",
            "Q3 2027",
            "Jane",
            "A sentence with many lower words",
            "",
        ] {
            assert!(!is_full_name(no), "{no}");
        }
        assert!(is_single_name("Jean-Luc") && !is_single_name("x1") && !is_single_name("hello"));
    }
}
