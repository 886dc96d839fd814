//! Whose data is it? The one door through which values leave this crate unmasked.
//!
//! Everything else leaves as [`Masked`](crate::Masked). But whoever's data was exposed has to be told, and for that somebody
//! must have their names and addresses once. This door is for that list alone: it hands each person to a function that the
//! caller gives, in a type that cannot be printed, logged, serialised or copied, and is overwritten when it is dropped.
//! Sessions that were not begun here keep no value. The buffers that all bytes are read through are not overwritten.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use zeroize::Zeroizing;

use crate::detectors::{employee_pii, interaction};
use crate::gather::Gather;
use crate::lexicon::Meaning;
use crate::session::{Classifier, Flow, Hints, Session};
use crate::sketch::HashKey;
use crate::table::{Column, Key, Table, Value};
use crate::{Category, Classification};

/// Bytes of values kept of one table; rows beyond are not listed.
const KEPT_BYTES_MAX: usize = 64 << 20;
/// Values kept of running text.
const KEPT_VALUES_MAX: usize = 100_000;
/// Longer cells name nobody.
const CELL_BYTES_MAX: usize = 320;

/// Somebody whose data stands in an object.
pub struct Person {
    key: u64,
    name: Option<Zeroizing<String>>,
    email: Option<Zeroizing<String>>,
    id: Option<Zeroizing<String>>,
    exposed: BTreeSet<&'static str>,
}

impl Person {
    /// The same for the same person, as far as one [`Classifier`] can tell: what its counts of distinct people count.
    pub fn key(&self) -> u64 {
        self.key
    }

    /// Their name, where it stands there.
    pub fn name(&self) -> Option<&str> {
        self.name.as_ref().map(|name| name.as_str())
    }

    /// Their address, where it stands there.
    pub fn email(&self) -> Option<&str> {
        self.email.as_ref().map(|email| email.as_str())
    }

    /// What identifies them where it is neither: an employee's number, a user's id, an address of the network.
    pub fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| id.as_str())
    }

    /// What of them stands there, in the words of [`Detection::kinds`](crate::Detection::kinds).
    pub fn exposed(&self) -> impl Iterator<Item = &'static str> {
        self.exposed.iter().copied()
    }

    /// Adds what another place says of the same person.
    pub fn merge(&mut self, other: Self) {
        let Self { name, email, id, exposed, .. } = other;
        self.name = self.name.take().or(name);
        self.email = self.email.take().or(email);
        self.id = self.id.take().or(id);
        self.exposed.extend(exposed);
    }
}

/// An object on its way through the classifiers, of which the people are wanted.
pub struct Search(Session);

impl Classifier {
    /// Starts on an object whose people are to be named.
    pub fn begin_affected(&self, hints: Hints<'_>) -> Search {
        Search(self.begin_listing(hints))
    }
}

impl Search {
    /// Takes the next bytes, of any length.
    pub fn push(&mut self, bytes: &[u8]) -> Flow {
        self.0.push(bytes)
    }

    /// Ends the object: what [`Session::finish`] would say of it, and its people.
    pub fn finish(self) -> (Classification, People) {
        let (classification, gather) = self.0.end();
        let people = People::of(&gather);
        (classification, people)
    }
}

/// The people of one object.
pub struct People {
    employees: BTreeMap<u64, Person>,
    actors: BTreeMap<u64, Person>,
    complete: bool,
}

impl People {
    /// Hands over those whom a category is about; nobody for categories that are not about people.
    pub fn each(self, category: Category, take: &mut dyn FnMut(Person)) {
        match category {
            Category::EmployeePii => self.employees.into_values().for_each(take),
            Category::InteractionMetadata => self.actors.into_values().for_each(take),
            _ => {}
        }
    }

    /// Whether everybody is listed; not where an object has more rows than are kept.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    fn of(gather: &Gather) -> Self {
        let (mut employees, mut actors, mut complete) = (BTreeMap::new(), BTreeMap::new(), true);
        for table in &gather.tables {
            complete &= !table.kept.overflowed;
            let directory = employee_pii::exposed_columns(table).zip(table.people.as_ref());
            if let Some((columns, (key, _))) = directory {
                rows(table, *key, &columns, gather.key, &mut employees);
            }
            let log = interaction::exposed_columns(table).zip(table.actors.as_ref());
            if let Some((columns, (key, _))) = log {
                rows(table, *key, &columns, gather.key, &mut actors);
            }
        }
        let kinds = employee_pii::exposed_in_text(gather);
        let kept = &gather.sightings.kept;
        complete &= kinds.is_empty() || !kept.overflowed;
        for (kind, key, value) in kept.values.iter().filter(|(kind, ..)| kinds.contains(kind)) {
            let value = Some(Zeroizing::new(value.to_string()));
            let (email, id) = if *kind == "email" { (value, None) } else { (None, value) };
            add(
                &mut employees,
                Person { key: *key, name: None, email, id, exposed: BTreeSet::from([*kind]) },
            );
        }
        Self { employees, actors, complete }
    }
}

fn add(people: &mut BTreeMap<u64, Person>, person: Person) {
    match people.get_mut(&person.key) {
        Some(known) => known.merge(person),
        None => {
            people.insert(person.key, person);
        }
    }
}

/// The people in the rows of one table.
fn rows(
    table: &Table,
    key: Key,
    columns: &[(&'static str, usize)],
    hash: HashKey,
    people: &mut BTreeMap<u64, Person>,
) {
    let place = |test: &dyn Fn(&Column) -> bool| table.columns.iter().position(|c| c.typed > 0 && test(c));
    let addresses = |c: &Column| c.share(Value::Email) > 0.5 && c.meaning != Some(Meaning::Manager);
    let email = place(&|c| addresses(c) && c.meaning == Some(Meaning::Email)).or_else(|| place(&addresses));
    let name = place(&Column::holds_full_names);
    let names = table.name_pair();
    for row in &table.kept.rows {
        let cell =
            |at: usize| row.cells.iter().find(|(column, _)| usize::from(*column) == at).map(|(_, cell)| cell);
        let hashed = |at: usize| cell(at).map(|cell| hash.hash_folded(cell.as_bytes()));
        // As the rows are counted.
        let found = match key {
            Key::Column(at) => hashed(at),
            Key::Pair(first, last) => Table::pair_hash(hashed(first), hashed(last)),
        };
        let Some(found) = found else { continue };
        let both = || {
            let (first, last) = names?;
            Some(Zeroizing::new(format!("{} {}", cell(first)?.as_str(), cell(last)?.as_str())))
        };
        let id = match key {
            Key::Column(at) if Some(at) != email && Some(at) != name => cell(at).cloned(),
            _ => None,
        };
        let filled = |at: usize| at < 128 && row.filled >> at & 1 == 1;
        let mut exposed: BTreeSet<&'static str> =
            columns.iter().filter(|(_, at)| filled(*at)).map(|(kind, _)| *kind).collect();
        let name = name.and_then(cell).cloned().or_else(both);
        if name.is_some() {
            exposed.insert("person_name");
        }
        add(people, Person { key: found, name, email: email.and_then(cell).cloned(), id, exposed });
    }
}

/// What names somebody in the rows of a table.
#[derive(Default)]
pub(crate) struct KeptRows {
    rows: Vec<KeptRow>,
    bytes: usize,
    overflowed: bool,
}

struct KeptRow {
    /// Which columns have a value, by bit.
    filled: u128,
    cells: Vec<(u8, Zeroizing<String>)>,
}

impl KeptRows {
    pub(crate) fn take<'a>(
        &mut self,
        cells: impl Iterator<Item = (usize, &'a str)>,
        names_somebody: impl Fn(usize, &str) -> bool,
    ) {
        let mut row = KeptRow { filled: 0, cells: Vec::new() };
        for (at, cell) in cells {
            let Ok(column) = u8::try_from(at) else { continue };
            if column >= 128 {
                continue;
            }
            row.filled |= 1 << column;
            if cell.len() <= CELL_BYTES_MAX && names_somebody(at, cell) {
                self.bytes += cell.len() + size_of::<KeptRow>();
                row.cells.push((column, Zeroizing::new(cell.to_owned())));
            }
        }
        if self.bytes > KEPT_BYTES_MAX {
            self.overflowed = true;
        } else if !row.cells.is_empty() {
            self.rows.push(row);
        }
    }
}

/// Says nothing of what it holds.
impl fmt::Debug for KeptRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptRows")
    }
}

/// What names somebody in running text: kind, keyed hash, value.
#[derive(Default)]
pub(crate) struct KeptValues {
    values: Vec<(&'static str, u64, Zeroizing<String>)>,
    overflowed: bool,
}

impl KeptValues {
    pub(crate) fn take(&mut self, kind: &'static str, key: u64, value: &[u8]) {
        if self.values.len() == KEPT_VALUES_MAX {
            self.overflowed = true;
        } else {
            self.values.push((kind, key, Zeroizing::new(String::from_utf8_lossy(value).into_owned())));
        }
    }
}

/// Says nothing of what it holds.
impl fmt::Debug for KeptValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptValues")
    }
}

#[cfg(test)]
mod tests;
