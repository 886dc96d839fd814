//! Does the object hold records of an organisation's people?

use std::collections::BTreeMap;

use crate::gather::Gather;
use crate::lexicon::Meaning;
use crate::sightings::{Seen, Sightings};
use crate::table::{Column, Table, Value};
use crate::values::national;
use crate::{Category, Detection, Distinct, Evidence};

/// A verdict on one table, or on the running text.
#[derive(Default)]
struct Verdict {
    confidence: f64,
    people: Distinct,
    occurrences: u64,
    kinds: BTreeMap<&'static str, u64>,
    evidence: Vec<Evidence>,
    because: Vec<String>,
}

/// The columns of a table of people that say something of them, by kind; none where it is no such table.
pub(crate) fn exposed_columns(of: &Table) -> Option<Vec<(&'static str, usize)>> {
    table(of)?;
    Some(columns(of).kinds.into_iter().map(|(kind, at, _)| (kind, at)).collect())
}

/// The kinds of values in running text that stand for people, where no table explains them; none where they say nothing.
pub(crate) fn exposed_in_text(gather: &Gather) -> Vec<&'static str> {
    let seen = &gather.sightings;
    if gather.tables.iter().any(|of| table(of).is_some()) || prose(seen, !gather.tables.is_empty()).is_none()
    {
        return Vec::new();
    }
    let counted = seen.kinds.iter().filter(|(kind, values)| certainty(kind, values) > 0.0);
    counted.map(|(kind, _)| *kind).chain(["email"]).collect()
}

/// The verdict over all tables and the running text of the object.
pub(super) fn judge(gather: &Gather, name: &str) -> Option<Detection> {
    let mut all: Vec<Verdict> = gather.tables.iter().filter_map(table).collect();
    // What tables hold was also seen as running bytes: it counts by itself only where no table explains it.
    if all.is_empty() {
        all.extend(prose(&gather.sightings, !gather.tables.is_empty()));
    }
    all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut detection = Detection {
        category: Category::EmployeePii,
        confidence: all.first()?.confidence,
        occurrences: 0,
        distinct: Distinct::default(),
        kinds: BTreeMap::new(),
        evidence: Vec::new(),
        because: Vec::new(),
    };
    for verdict in all {
        detection.occurrences += verdict.occurrences;
        detection.distinct.merge(&verdict.people);
        for (kind, count) in verdict.kinds {
            *detection.kinds.entry(kind).or_default() += count;
        }
        detection.evidence.extend(verdict.evidence);
        if detection.because.len() < 4 {
            detection.because.extend(verdict.because);
        }
    }
    if let Some(reason) = named_otherwise(name) {
        detection.confidence *= NAMED_OTHERWISE;
        detection.because.push(reason.to_owned());
    }
    Some(detection)
}

/// What is left of the confidence where a name says whose the people are; never alone below notice.
const NAMED_OTHERWISE: f64 = 0.6;

/// The reason where an object, or a file in it, has the name of a list of people that is public or made up.
fn named_otherwise(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    const OTHERS: &[(&str, &str)] = &[
        ("authors", "its name is that of a list of authors"),
        ("contributors", "its name is that of a list of contributors"),
        ("changelog", "its name is that of a change log"),
        ("maintainers", "its name is that of a list of maintainers"),
        ("customers", "its name is that of a list of customers"),
        ("testdata", "its name is that of test data"),
        ("pom.xml", "its name is that of a package's description, which tells its authors"),
        ("package.json", "its name is that of a package's description, which tells its authors"),
    ];
    OTHERS.iter().find(|(word, _)| name.contains(word)).map(|(_, reason)| *reason)
}

/// What an organisation records of its people, with the stable words.
const ORGANISATIONAL: &[(Meaning, &str)] = &[
    (Meaning::Title, "title"),
    (Meaning::Department, "department"),
    (Meaning::Manager, "manager"),
    (Meaning::HireDate, "hire_date"),
    (Meaning::Salary, "salary"),
    (Meaning::EmployeeId, "employee_id"),
    (Meaning::WorkPlace, "work_place"),
    (Meaning::EmploymentStatus, "employment_status"),
];

/// What a person is, whoever records it.
const PERSONAL: &[(Meaning, &str)] = &[
    (Meaning::BirthDate, "date_of_birth"),
    (Meaning::Address, "postal_address"),
    (Meaning::Gender, "personal_attribute"),
];

/// What tells a table apart from one of employees: its columns, how much that leaves, and the reason.
const OTHERS: &[(Meaning, f64, &str)] = &[
    (Meaning::Order, 0.3, "its columns are those of orders"),
    (Meaning::Customer, 0.35, "its columns are those of customers"),
    (Meaning::Author, 0.25, "its columns are those of authors or commits"),
    (Meaning::Software, 0.3, "its columns are those of software"),
    (Meaning::Survey, 0.35, "its columns are those of a survey"),
    (Meaning::PublicOffice, 0.6, "its columns are those of public officials"),
];

/// The columns of a table that say something of people.
struct Found {
    /// Kinds with their columns and how many rows have a value.
    kinds: Vec<(&'static str, usize, u64)>,
    person: Vec<&'static str>,
    organisational: Vec<&'static str>,
    personal: Vec<&'static str>,
}

fn columns(table: &Table) -> Found {
    let mut found =
        Found { kinds: Vec::new(), person: Vec::new(), organisational: Vec::new(), personal: Vec::new() };
    let typed_rows = table.columns.iter().map(|column| column.typed).max().unwrap_or(0).max(1);
    let rows = |column: &Column, share: f64| {
        (table.rows as f64 * f64::from(column.typed) / f64::from(typed_rows) * share).round() as u64
    };
    // A field that a few records have says nothing of the others.
    let is_filled = |column: &Column| column.typed > 0 && column.typed * 10 >= typed_rows;
    for (at, column) in table.columns.iter().enumerate().filter(|(_, column)| is_filled(column)) {
        let mut note = |group: fn(&mut Found) -> &mut Vec<&'static str>, kind: &'static str, share: f64| {
            group(&mut found).push(kind);
            found.kinds.push((kind, at, rows(column, share)));
        };
        if let Some(kind) = column.holds_national_id() {
            note(|f| &mut f.personal, kind, column.scheme().map_or(1.0, |(_, share)| share));
        } else if column.share(Value::Email) > 0.5 && column.meaning != Some(Meaning::Manager) {
            note(|f| &mut f.person, "email", column.share(Value::Email));
            if column.one_domain() > 0.6 && column.distinct.estimate() >= 3 {
                note(|f| &mut f.organisational, "work_email", column.one_domain());
            }
        } else if column.holds_full_names() {
            note(|f| &mut f.person, "person_name", column.share(Value::FullName));
        } else if column.share(Value::Iban) > 0.6 {
            note(|f| &mut f.personal, "iban", column.share(Value::Iban));
        } else if column.share(Value::Card) > 0.8 {
            note(|f| &mut f.personal, "payment_card", column.share(Value::Card));
        } else if column.meaning == Some(Meaning::Phone)
            && column.share(Value::Phone) + column.share(Value::Number) > 0.5
            || (column.meaning.is_none() && column.share(Value::Phone) > 0.8)
        {
            note(|f| &mut f.organisational, "phone", column.share(Value::Phone));
        } else if column.meaning == Some(Meaning::BirthDate) && column.share(Value::Date) < 0.5 {
            // A name without dates below it holds none.
        } else if let Some((_, kind)) = PERSONAL.iter().find(|(meaning, _)| column.meaning == Some(*meaning))
        {
            note(|f| &mut f.personal, kind, 1.0);
        } else if let Some((_, kind)) =
            ORGANISATIONAL.iter().find(|(meaning, _)| column.meaning == Some(*meaning))
        {
            note(|f| &mut f.organisational, kind, 1.0);
        }
    }
    if let Some(first) = table.pair_of_names() {
        found.person.push("person_name");
        found.kinds.push((
            "person_name",
            first,
            table.columns.get(first).map_or(0, |column| rows(column, 1.0)),
        ));
    }
    if found.organisational.contains(&"employee_id") && !found.person.is_empty() {
        found.person.push("employee_id");
    }
    found
}

fn table(table: &Table) -> Option<Verdict> {
    let found = columns(table);
    let has_name = found.person.contains(&"person_name");
    let has_national = found.personal.iter().any(|kind| national::scheme(kind).is_some());
    let identified = !found.person.is_empty() || has_national;
    let organisational = found.organisational.len();
    let personal = found.personal.len();
    let others = |meaning: Meaning| {
        let typed = table.columns.iter().map(|column| column.typed).max().unwrap_or(0);
        // A field that a few records have says nothing of the others.
        let is_filled = |column: &&Column| column.typed * 5 >= typed;
        table.columns.iter().filter(|column| column.meaning == Some(meaning)).filter(is_filled).count()
    };
    // People with nothing recorded of them are worth a note only where it can be said whose they are.
    let explained = OTHERS.iter().any(|(meaning, ..)| others(*meaning) > 0);
    if !identified || (organisational == 0 && personal == 0 && !explained) {
        return None;
    }
    let strong = |kinds: &[&str]| found.organisational.iter().filter(|kind| kinds.contains(kind)).count();
    let employment = strong(&[
        "title",
        "department",
        "manager",
        "hire_date",
        "salary",
        "employee_id",
        "employment_status",
    ]);
    let mut because = Vec::new();
    let mut confidence = match (employment, organisational, personal) {
        (2.., ..) => 0.86 + 0.03 * employment as f64 + 0.03 * personal as f64,
        (1, 2.., _) => 0.78 + 0.03 * organisational as f64 + 0.03 * personal as f64,
        (1, ..) => 0.6 + 0.08 * personal as f64,
        (0, 2.., _) => 0.5 + 0.05 * personal as f64,
        _ => 0.3 + 0.1 * personal as f64 + if has_national { 0.2 } else { 0.0 },
    };
    for (meaning, factor, reason) in OTHERS {
        let columns = others(*meaning);
        // A table with several signs of employment and one odd column is still a directory.
        if columns > 0 && (columns >= 2 || employment < 3) {
            confidence *= factor;
            because.push((*reason).to_owned());
        }
    }
    let examples = table.columns.iter().map(Column::example_share).fold(0.0, f64::max);
    if examples > 0.5 {
        confidence *= 0.4;
        because.push("its addresses are at domains set aside for examples".to_owned());
    }
    // A handful of names with titles is a list of attendees as often as a directory.
    if table.rows < 3 || (table.rows < 10 && organisational + personal < 2) {
        confidence *= 0.75;
    }
    if let Some(reason) = table.place.0.iter().rev().find_map(|part| named_otherwise(part)) {
        confidence *= NAMED_OTHERWISE;
        because.push(reason.to_owned());
    }
    let people = table.people.as_ref().map(|(_, people)| people.clone()).unwrap_or_default();
    let attributes: Vec<String> = found
        .person
        .iter()
        .take(1)
        .chain(&found.organisational)
        .chain(&found.personal)
        .map(|kind| kind.replace('_', " "))
        .collect();
    because.insert(
        0,
        format!(
            "{} of {} distinct people: {}",
            if employment >= 1 { "directory" } else { "list" },
            if people.is_empty() { table.rows } else { people.estimate() },
            attributes.join(", "),
        ),
    );
    if !has_name && found.person.is_empty() {
        because.push("people are identified by national id only".to_owned());
    }
    let evidence = found.kinds.iter().filter_map(|(kind, at, _)| table.evidence(*at, kind)).collect();
    let mut kinds = BTreeMap::new();
    for (kind, _, rows) in &found.kinds {
        *kinds.entry(*kind).or_default() += rows;
    }
    Some(Verdict {
        confidence: confidence.min(0.99),
        people,
        occurrences: table.rows,
        kinds,
        evidence,
        because,
    })
}

/// How surely values of a kind in running text stand for people.
fn certainty(kind: &str, values: &Seen) -> f64 {
    match kind {
        "iban" => 0.55,
        "payment_card" => 0.5,
        "phone" => 0.0,
        kind => national::scheme(kind)
            .map_or(0.0, |scheme| if values.named_share() > 0.3 { 0.7 } else { 0.5 * scheme.certainty }),
    }
}

/// Values in running text: by what they are, how many, and what words stand around them.
fn prose(seen: &Sightings, has_tables: bool) -> Option<Verdict> {
    let around = seen.surroundings;
    let share = |count: u32| f64::from(count) / f64::from(around.looked_at.max(1));
    let (employment, customers, authors) =
        (share(around.employment), share(around.customers), share(around.authors));
    let mut verdict = Verdict::default();
    let mut sensitive = 0.0_f64;
    for (kind, values) in &seen.kinds {
        let certainty = certainty(kind, values);
        sensitive = sensitive.max(certainty);
        verdict.kinds.insert(kind, values.count);
        verdict.occurrences += values.count;
        if certainty > 0.0 {
            verdict.people.merge(&values.distinct);
        }
        verdict.evidence.extend(values.samples.iter().cloned());
    }
    if seen.emails.count > 0 {
        verdict.kinds.insert("email", seen.emails.count);
        verdict.occurrences += seen.emails.count;
        verdict.people.merge(&seen.emails.distinct);
        verdict.evidence.extend(seen.emails.samples.iter().cloned());
    }
    let addresses = seen.emails.distinct.estimate();
    let colleagues = addresses >= 5 && seen.main_domain_share() > 0.6;
    let contacts = if colleagues {
        0.35
    } else if addresses >= 5 {
        0.2
    } else {
        0.0
    };
    let base = sensitive.max(contacts);
    if base == 0.0 {
        return None;
    }
    verdict.confidence = base + 0.25 * employment.min(1.0);
    verdict.because.push(format!("{} values that identify people in running text", verdict.occurrences));
    if employment > 0.3 {
        verdict.because.push("words of employment stand beside them".to_owned());
    }
    if customers > 0.5 && customers > employment {
        verdict.confidence *= 0.5;
        verdict.because.push("words of customers and orders stand beside them".to_owned());
    }
    if authors > 0.4 && authors > employment {
        verdict.confidence *= 0.35;
        verdict.because.push("words of authorship stand beside them".to_owned());
    }
    if seen.examples * 2 > seen.emails.count && sensitive == 0.0 {
        verdict.confidence *= 0.4;
        verdict.because.push("addresses are at domains set aside for examples".to_owned());
    }
    if has_tables && sensitive == 0.0 {
        verdict.confidence *= 0.7;
    }
    Some(verdict)
}
