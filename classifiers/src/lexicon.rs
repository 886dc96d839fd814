//! What does a column, field or key mean by its name? The words of the languages that companies export tables in.

mod people;
mod things;

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// What a column holds, as its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Meaning {
    // Who
    FullName,
    FirstName,
    LastName,
    Email,
    Phone,
    NationalId,
    EmployeeId,
    Username,
    UserId,
    SessionId,
    DeviceId,
    Ip,
    // What an organisation records of its people
    Title,
    Department,
    Manager,
    HireDate,
    Salary,
    WorkPlace,
    EmploymentStatus,
    // What a person is
    BirthDate,
    Address,
    Gender,
    Iban,
    Card,
    // Who did what when
    Time,
    Action,
    Resource,
    Agent,
    Duration,
    // What tells a table apart from a directory of people
    Customer,
    Order,
    Author,
    Software,
    Survey,
    Machine,
    PublicOffice,
}

/// Phrases by meaning, in the form that [`normalised`] gives to names. The longest phrase in a name wins, then the first.
fn phrases() -> impl DoubleEndedIterator<Item = (&'static str, Meaning)> {
    let all = people::PHRASES.iter().chain(things::EVENTS).chain(things::OTHERS);
    all.flat_map(|(meaning, phrases)| phrases.split(' ').map(|phrase| (phrase, *meaning)))
}

/// Words that say nothing by themselves but stand in names of columns, sheets and files that may be shown.
const PLAIN_WORDS: &str = "\
    row column sheet sheet1 sheet2 sheet3 table page slide line id number no nr code list data export \
    report staff employees people users members directory contacts hr work home personal primary \
    secondary business company corporate current new old all of and the in to notes comment comments \
    description status country city state region properties context body attachment document events \
    event log logs sessions salaries payroll name names first last";

/// Words of one phrase at most.
const PHRASE_WORDS_MAX: usize = 6;

/// What a column means by its name, if its name says anything: the longest phrase of the lexicon that stands in it.
pub(crate) fn meaning(header: &str) -> Option<Meaning> {
    static BY_PHRASE: LazyLock<HashMap<&str, Meaning>> = LazyLock::new(|| {
        // In reverse, so that of two meanings of a phrase the first one stays.
        phrases().rev().collect()
    });
    let name = normalised(header);
    let starts: Vec<usize> =
        std::iter::once(0).chain(name.match_indices('_').map(|(at, _)| at + 1)).collect();
    let ends = |first: usize| {
        let next = starts.iter().skip(first + 1).map(|start| start - 1).chain(std::iter::once(name.len()));
        next.take(PHRASE_WORDS_MAX)
    };
    let mut best: Option<(&str, Meaning)> = None;
    for (first, start) in starts.iter().enumerate() {
        for end in ends(first) {
            let Some((phrase, meaning)) =
                name.get(*start..end).and_then(|phrase| BY_PHRASE.get_key_value(phrase))
            else {
                continue;
            };
            if best.is_none_or(|(longest, _)| phrase.len() > longest.len()) {
                best = Some((phrase, *meaning));
            }
        }
    }
    best.map(|(_, meaning)| meaning)
}

/// Whether every word of a name stands in this lexicon, so that showing it tells nothing of the content.
pub(crate) fn is_header_word(text: &str) -> bool {
    static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
        phrases().flat_map(|(phrase, _)| phrase.split('_')).chain(PLAIN_WORDS.split(' ')).collect()
    });
    let name = normalised(text);
    let is_known =
        |word: &str| (word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit())) || WORDS.contains(word);
    !name.is_empty() && name.split('_').all(is_known)
}

/// Lower case, words joined by one `_`, camel case split, Latin letters without their marks; at most 64 characters of it.
fn normalised(header: &str) -> String {
    let mut name = String::with_capacity(header.len().min(80));
    let mut before = ' ';
    for c in header.trim().chars().take(64) {
        if c.is_alphanumeric() {
            if c.is_uppercase() && before.is_lowercase() {
                name.push('_');
            }
            c.to_lowercase().for_each(|c| match plain(c) {
                Some(plain) => name.push_str(plain),
                None => name.push(c),
            });
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
        before = c;
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

/// A letter of a Latin or Greek alphabet without its mark; nothing for one that has none.
fn plain(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' | 'ǎ' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'ĉ' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' | 'ģ' => "g",
        'ì'..='ï' | 'ī' | 'į' | 'ı' => "i",
        'ķ' => "k",
        'ĺ' | 'ļ' | 'ľ' | 'ł' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ř' => "r",
        'ś' | 'ş' | 'š' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ț' => "t",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        'ά' => "α",
        'έ' => "ε",
        'ή' => "η",
        'ί' => "ι",
        'ό' => "ο",
        'ύ' => "υ",
        'ώ' => "ω",
        // What lower case leaves of the Turkish `İ`.
        '\u{307}' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::Meaning::*;
    use super::*;

    #[test]
    fn names_of_columns_say_what_they_hold() {
        for (header, expected) in [
            ("Employee Name", Some(FullName)),
            ("firstName", Some(FirstName)),
            ("Work E-Mail", Some(Email)),
            ("manager_email", Some(Manager)),
            ("properties.user_id", Some(UserId)),
            ("Geburtsdatum", Some(BirthDate)),
            ("customer_name", Some(Customer)),
            ("Author Email", Some(Author)),
            ("SSN", Some(NationalId)),
            ("eventTime", Some(Time)),
            ("Job Title", Some(Title)),
            ("Téléphone", Some(Phone)),
            ("Date d'embauche", Some(HireDate)),
            ("Przełożony", Some(Manager)),
            ("İşe Giriş Tarihi", Some(HireDate)),
            ("Табельный номер", Some(EmployeeId)),
            ("メール", Some(Email)),
            ("frobnication", None),
            ("unnamed", None),
        ] {
            assert_eq!(meaning(header), expected, "{header}");
        }
    }

    #[test]
    fn every_phrase_is_in_the_form_that_names_are_brought_to() {
        for (phrase, _) in phrases() {
            assert_eq!(normalised(phrase), phrase);
        }
    }

    #[test]
    fn only_known_words_may_be_shown() {
        assert!(is_header_word("Work Phone 2"));
        assert!(!is_header_word("Jane Doe"));
        assert!(!is_header_word("salary of Jane"));
        assert!(!is_header_word(""));
    }
}
