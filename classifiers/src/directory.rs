//! Is a table of lines a directory of an organisation's people?
//!
//! A directory has a column of e-mail addresses and at least two organisational attributes (title, department, manager,
//! phone, salary, date of hire, employee id). The header says which; the addresses say how many people.

use std::collections::BTreeMap;

use crate::sketch::HashKey;
use crate::{Category, Detection, Distinct, Evidence, Masked, mask};

const ATTRIBUTES: [(&str, &str); 9] = [
    ("title", "title"),
    ("department", "department"),
    ("manager", "manager"),
    ("phone", "phone"),
    ("salary", "salary"),
    ("hire", "hire_date"),
    ("start_date", "hire_date"),
    ("employee", "employee_id"),
    ("staff_id", "employee_id"),
];
const EVIDENCE: usize = 3;

#[derive(Debug)]
pub(crate) struct Directory {
    key: HashKey,
    header: Option<Header>,
    begun: bool,
    rows: u64,
    people: Distinct,
    evidence: Vec<Evidence>,
}

#[derive(Debug)]
struct Header {
    separator: char,
    email: usize,
    attributes: Vec<&'static str>,
}

impl Directory {
    pub(crate) fn new(key: HashKey) -> Self {
        Self { key, header: None, begun: false, rows: 0, people: Distinct::default(), evidence: Vec::new() }
    }

    /// Takes the next line; the first that is not empty may be the header.
    pub(crate) fn line(&mut self, line: &str) {
        if !self.begun {
            self.begun = !line.is_empty();
            self.header = header(line);
            return;
        }
        let Some(header) = &self.header else { return };
        let Some(cell) = cell(line, header.separator, header.email) else { return };
        let cell = cell.trim_matches(|c: char| c == '"' || c.is_whitespace());
        if !is_email(cell) {
            return;
        }
        self.rows += 1;
        self.people.insert(self.key.hash_folded(cell.as_bytes()));
        if self.evidence.len() < EVIDENCE {
            let at = Masked::own(format!("row {}", self.rows + 1));
            self.evidence.push(Evidence { kind: "work_email", sample: mask::email(cell), at });
        }
    }

    pub(crate) fn detection(&mut self) -> Option<Detection> {
        let header = self.header.take()?;
        let people = self.people.estimate();
        if people < 3 {
            return None;
        }
        let mut kinds = BTreeMap::from([("work_email", self.rows)]);
        kinds.extend(header.attributes.iter().map(|attribute| (*attribute, self.rows)));
        Some(Detection {
            category: Category::EmployeePii,
            confidence: if header.attributes.len() >= 4 { 0.97 } else { 0.85 },
            occurrences: self.rows,
            distinct: std::mem::take(&mut self.people),
            kinds,
            evidence: std::mem::take(&mut self.evidence),
            because: vec![format!("directory of {people} people: e-mail, {}", header.attributes.join(", "))],
        })
    }
}

fn header(line: &str) -> Option<Header> {
    let separator = [',', ';', '\t'].into_iter().max_by_key(|separator| line.matches(*separator).count())?;
    let mut header = Header { separator, email: usize::MAX, attributes: Vec::new() };
    for (place, name) in line.split(separator).enumerate() {
        let name = name
            .trim_matches(|c: char| c == '"' || c.is_whitespace())
            .to_lowercase()
            .replace([' ', '-'], "_");
        if header.email == usize::MAX && (name.contains("email") || name.contains("e_mail")) {
            header.email = place;
            continue;
        }
        let known = ATTRIBUTES.iter().find(|(word, _)| name.contains(word));
        if let Some((_, attribute)) = known.filter(|(_, attribute)| !header.attributes.contains(attribute)) {
            header.attributes.push(attribute);
        }
    }
    (header.email != usize::MAX && header.attributes.len() >= 2).then_some(header)
}

/// The cell at `place`; separators within quotes do not count (RFC 4180).
fn cell(line: &str, separator: char, place: usize) -> Option<&str> {
    let mut quoted = false;
    let mut cells = line.split(|c| {
        quoted ^= c == '"';
        c == separator && !quoted
    });
    cells.nth(place)
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let word = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '\'');
    !local.is_empty() && local.chars().all(word) && domain.contains('.') && domain.chars().all(word)
}
