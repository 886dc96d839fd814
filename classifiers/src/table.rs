//! What do the columns of a table hold? Typed by their names and by their values, over all its rows.

mod column;
mod value;

use crate::affected::KeptRows;
use crate::extract::Place;
use crate::lexicon::{self, Meaning};
use crate::mask;
use crate::sketch::HashKey;
use crate::{Distinct, Evidence, Masked};
pub(crate) use column::Column;
use column::{named, same_name};
pub(crate) use value::Value;
use value::{is_nothing, value_of};

/// Columns that are looked at; what stands further right is only scanned as running bytes.
const COLUMNS_MAX: usize = 128;
/// Rows of which every cell is typed.
pub(crate) const TYPED_ROWS: u64 = 256;
/// After those, one row in so many; and later, when the columns are long known, one in so many.
const TYPED_EVERY: u64 = 64;
const TYPED_EVERY_LATER: u64 = 256;
/// Rows after which it is later.
const LATER_ROWS: u64 = TYPED_ROWS * TYPED_EVERY;
/// Rows in which a header is looked for: exports begin with titles and blank rows.
const HEADER_WITHIN: u64 = 10;

/// Which column's different values are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// One column.
    Column(usize),
    /// First and last name together.
    Pair(usize, usize),
}

/// One table: its columns, how many rows it has, and the keys that are counted over all of them.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) place: Place,
    pub(crate) columns: Vec<Column>,
    /// Rows with content, the header aside.
    pub(crate) rows: u64,
    has_header: bool,
    /// Rows seen, whatever they hold.
    seen: u64,
    pair: Option<(usize, usize)>,
    pairs: Distinct,
    /// Who the rows are about, and who acts in them; chosen when the typed rows are in.
    pub(crate) people: Option<(Key, Distinct)>,
    pub(crate) actors: Option<(Key, Distinct)>,
    is_directory: bool,
    /// Filled for [`crate::affected`] alone.
    pub(crate) kept: KeptRows,
}

impl Table {
    /// A table without columns yet.
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            columns: Vec::new(),
            rows: 0,
            has_header: false,
            seen: 0,
            pair: None,
            pairs: Distinct::default(),
            people: None,
            actors: None,
            is_directory: false,
            kept: KeptRows::default(),
        }
    }

    /// Whether the next row is of use with all its cells; where not, [`Self::keys`] says which are.
    pub(crate) fn takes_next(&self, key: HashKey) -> bool {
        self.types_next() || key.lists()
    }

    /// Whether the next row's cells will all be typed.
    fn types_next(&self) -> bool {
        let every = if self.rows < LATER_ROWS { TYPED_EVERY } else { TYPED_EVERY_LATER };
        self.rows < TYPED_ROWS || self.rows.is_multiple_of(every)
    }

    /// The keys counted over all rows.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        [&self.people, &self.actors].into_iter().flatten().map(|(key, _)| *key)
    }

    /// Takes a row of cells by position.
    pub(crate) fn row(&mut self, cells: &[&str], key: HashKey) {
        self.seen += 1;
        if self.seen <= HEADER_WITHIN && self.takes_header(cells) {
            return;
        }
        if cells.iter().all(|cell| cell.trim().is_empty()) {
            return;
        }
        if self.types_next() {
            let row = self.seen;
            for (at, cell) in cells.iter().enumerate().take(COLUMNS_MAX) {
                if at >= self.columns.len() {
                    self.columns.push(Column::default());
                }
                if let Some(column) = self.columns.get_mut(at) {
                    column.take(cell, row, key);
                }
            }
        }
        if key.lists() {
            self.keep(cells.iter().enumerate().map(|(at, cell)| (at, *cell)));
        }
        self.count(|at| cells.get(at).map(|cell| cell.as_bytes()), key);
    }

    /// Whether a row among the first ones is the header, or comes before it.
    fn takes_header(&mut self, cells: &[&str]) -> bool {
        let filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
        // What came so far in rows of one cell was a title: the table begins where it grows wide.
        let begins = (!self.has_header && self.rows == 0) || (self.columns.len() <= 1 && filled > 2);
        // A title in one cell of several, or nothing: the table has not begun.
        let before = filled < 2 && cells.len() > 1 && self.rows == 0 && !self.has_header;
        if begins && !before && is_header(cells) {
            self.columns = cells.iter().take(COLUMNS_MAX).map(|cell| named(cell)).collect();
            self.has_header = true;
            self.rows = 0;
            self.find_pair();
            return true;
        }
        before
    }

    /// Takes a record of named fields.
    pub(crate) fn record(&mut self, fields: &[(&str, &str)], key: HashKey) {
        self.seen += 1;
        let row = self.seen;
        if self.types_next() {
            for (field, value) in fields {
                let found = self.columns.iter().position(|column| same_name(&column.name, field));
                let at = found.unwrap_or(self.columns.len());
                if found.is_none() {
                    if at == COLUMNS_MAX {
                        continue;
                    }
                    self.columns.push(named(field));
                    self.find_pair();
                }
                if let Some(column) = self.columns.get_mut(at) {
                    column.take(value, row, key);
                }
            }
        }
        let names: Vec<Option<usize>> = fields
            .iter()
            .map(|(field, _)| self.columns.iter().position(|column| same_name(&column.name, field)))
            .collect();
        if key.lists() {
            self.keep(names.iter().zip(fields).filter_map(|(at, (_, value))| Some(((*at)?, *value))));
        }
        let value = |at: usize| {
            names
                .iter()
                .position(|name| *name == Some(at))
                .and_then(|i| fields.get(i))
                .map(|field| field.1.as_bytes())
        };
        self.count(value, key);
    }

    /// Keeps what names somebody in a row, and which columns have a value in it.
    fn keep<'a>(&mut self, cells: impl Iterator<Item = (usize, &'a str)>) {
        let columns = &self.columns;
        let names_somebody = |at: usize, cell: &str| {
            use Meaning::{
                DeviceId, Email, EmployeeId, FirstName, FullName, Ip, LastName, NationalId, SessionId,
                UserId, Username,
            };
            match columns.get(at).map(|column| column.meaning) {
                Some(
                    None
                    | Some(
                        FullName | FirstName | LastName | Email | NationalId | EmployeeId | Username | UserId
                        | SessionId | DeviceId | Ip,
                    ),
                ) => true,
                Some(Some(Meaning::Manager)) | None => false,
                Some(Some(_)) => value_of(cell) == Value::Email,
            }
        };
        let filled = cells.map(|(at, cell)| (at, cell.trim()));
        self.kept.take(filled.filter(|(_, cell)| !cell.is_empty() && !is_nothing(cell)), names_somebody);
    }

    /// Counts a row by its keys alone; `cell` gives the cells that [`Self::keys`] asks for.
    pub(crate) fn count<'a>(&mut self, cell: impl Fn(usize) -> Option<&'a [u8]>, key: HashKey) {
        self.rows += 1;
        if self.people.is_none()
            && let Some((first, last)) = self.pair
            && let Some(hash) = hash_of(Key::Pair(first, last), &cell, key)
        {
            self.pairs.insert(hash);
        }
        let people = self.people.as_mut().and_then(|(which, distinct)| {
            let hash = hash_of(*which, &cell, key)?;
            distinct.insert(hash);
            Some((*which, hash))
        });
        if let Some((which, distinct)) = &mut self.actors {
            // Those whom the rows are about often are those who act in them.
            let known = people.filter(|(other, _)| other == which).map(|(_, hash)| hash);
            if let Some(hash) = known.or_else(|| hash_of(*which, &cell, key)) {
                distinct.insert(hash);
            }
        }
        if self.rows == TYPED_ROWS || self.rows == LATER_ROWS {
            self.choose_keys();
        }
    }

    /// Chooses whom the rows are about and who acts in them, from what was typed.
    pub(crate) fn choose_keys(&mut self) {
        if self.people.is_none() {
            self.people = self.person_key().map(|key| (key, self.counted(key)));
        }
        if self.actors.is_none() {
            self.actors = self.actor_key().map(|key| (key, self.counted(key)));
        }
        let recorded = |column: &&Column| {
            use Meaning::{Department, HireDate, Manager, Salary, Title};
            matches!(column.meaning, Some(Title | Department | Manager | HireDate | Salary))
                && column.typed > 0
        };
        self.is_directory = self.columns.iter().filter(recorded).count() >= 2;
    }

    /// Whether enough is known to say that the rows are about people, so that their values need not be looked for again.
    pub(crate) fn is_directory(&self) -> bool {
        self.people.is_some() && self.is_directory
    }

    fn counted(&self, key: Key) -> Distinct {
        match key {
            Key::Column(at) => self.columns.get(at).map(|column| column.distinct.clone()).unwrap_or_default(),
            Key::Pair(..) => self.pairs.clone(),
        }
    }

    fn person_key(&self) -> Option<Key> {
        let by = |test: &dyn Fn(&Column) -> bool| {
            self.columns.iter().position(|column| column.typed > 0 && test(column))
        };
        // Addresses first: another table about the same people has them too, numbers of its own less often.
        by(&|c| c.share(Value::Email) > 0.5 && c.meaning == Some(Meaning::Email) && c.distinctness() > 0.2)
            .or_else(|| by(&|c| c.meaning == Some(Meaning::EmployeeId) && c.distinctness() > 0.5))
            .or_else(|| {
                by(&|c| {
                    c.share(Value::Email) > 0.5
                        && c.meaning != Some(Meaning::Manager)
                        && c.distinctness() > 0.2
                })
            })
            .or_else(|| by(&|c| c.holds_national_id().is_some()))
            .or_else(|| by(&|c| c.holds_full_names()))
            .map(Key::Column)
            .or_else(|| {
                self.pair
                    .filter(|_| self.pair_of_names().is_some())
                    .map(|(first, last)| Key::Pair(first, last))
            })
    }

    fn actor_key(&self) -> Option<Key> {
        [
            Meaning::UserId,
            Meaning::Username,
            Meaning::Email,
            Meaning::SessionId,
            Meaning::DeviceId,
            Meaning::Ip,
        ]
        .into_iter()
        .find_map(|meaning| {
            self.columns.iter().position(|column| column.typed > 0 && column.holds_actor(meaning))
        })
        .map(Key::Column)
    }

    /// The column of first names, where they and last names stand in two columns.
    pub(crate) fn pair_of_names(&self) -> Option<usize> {
        let holds = |at: usize| {
            self.columns.get(at).is_some_and(|c| c.share(Value::SingleName) + c.share(Value::FullName) > 0.5)
        };
        self.pair.filter(|(first, last)| holds(*first) && holds(*last)).map(|(first, _)| first)
    }

    /// The columns of first and last names, where there are such.
    pub(crate) fn name_pair(&self) -> Option<(usize, usize)> {
        self.pair.filter(|_| self.pair_of_names().is_some())
    }

    /// The hash of two cells together.
    pub(crate) fn pair_hash(first: Option<u64>, last: Option<u64>) -> Option<u64> {
        first.zip(last).map(|(first, last)| first.rotate_left(1) ^ last)
    }

    fn find_pair(&mut self) {
        let by = |meaning| self.columns.iter().position(|column| column.meaning == Some(meaning));
        self.pair = by(Meaning::FirstName).zip(by(Meaning::LastName));
    }

    /// A masked sample of a column.
    pub(crate) fn evidence(&self, at: usize, kind: &'static str) -> Option<Evidence> {
        let column = self.columns.get(at)?;
        let (sample, row) = column.sample.clone()?;
        let mut parts: Vec<Masked> = self.place.0.iter().map(|part| mask::label(part)).collect();
        if !column.name.is_empty() {
            parts.push(mask::label(&column.name));
        }
        parts.push(Masked::row(row));
        Some(Evidence { kind, sample, at: Masked::joined(&parts) })
    }
}

/// The keyed hash of what a row has as a key, if it has it.
fn hash_of<'a>(which: Key, cell: &impl Fn(usize) -> Option<&'a [u8]>, key: HashKey) -> Option<u64> {
    let hash = |at: usize| {
        cell(at).map(<[u8]>::trim_ascii).filter(|cell| !cell.is_empty()).map(|cell| key.hash_folded(cell))
    };
    match which {
        Key::Column(at) => hash(at),
        Key::Pair(first, last) => Table::pair_hash(hash(first), hash(last)),
    }
}

/// Whether a row is a header: names of columns that the lexicon knows, and none of the values that tables are made of.
fn is_header(cells: &[&str]) -> bool {
    let filled: Vec<&str> = cells.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty()).collect();
    let data = filled.iter().any(|cell| {
        matches!(
            value_of(cell),
            Value::Email | Value::Phone | Value::Iban | Value::Ip | Value::Uuid | Value::Date | Value::Moment
        ) || cell.parse::<f64>().is_ok()
            || cell.len() > 80
    });
    let known = filled.iter().filter(|cell| lexicon::meaning(cell).is_some()).count();
    !data
        && !filled.is_empty()
        && (known > 0
            || filled.iter().all(|cell| !cell.contains(' ') && !cell.bytes().any(|b| b.is_ascii_digit())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::national;

    fn table(rows: &[&[&str]]) -> Table {
        let mut table = Table::new(Place::default());
        rows.iter().for_each(|row| table.row(row, HashKey::new([1; 32])));
        table.choose_keys();
        table
    }

    #[test]
    fn the_header_is_found_below_titles() {
        let table = table(&[
            &["Staff 2026", "", ""],
            &["", "", ""],
            &["Name", "E-mail", "Department"],
            &["Jane Doe", "jane@acme.example", "Finance"],
            &["John Roe", "john@acme.example", "Legal"],
        ]);
        assert_eq!(table.rows, 2);
        assert_eq!(table.columns[1].meaning, Some(Meaning::Email));
        assert_eq!(table.people.unwrap().1.estimate(), 2);
    }

    #[test]
    fn the_header_is_found_below_titles_of_one_cell() {
        for title in ["Staff of all sites", "Employees"] {
            let table = table(&[
                &[title],
                &["Name", "E-mail", "Department"],
                &["Jane Doe", "jane@acme.example", "Finance"],
                &["John Roe", "john@acme.example", "Legal"],
            ]);
            assert_eq!((table.rows, table.columns.len()), (2, 3), "{title}");
            assert_eq!(table.columns[1].meaning, Some(Meaning::Email));
        }
    }

    #[test]
    fn data_in_the_first_row_is_no_header() {
        let table = table(&[&["Jane Doe", "jane@acme.example"], &["John Roe", "john@acme.example"]]);
        assert_eq!(table.rows, 2);
        assert_eq!(table.people.unwrap().0, Key::Column(1));
    }

    #[test]
    fn first_and_last_names_are_one_person() {
        let rows: Vec<[String; 3]> = (0..600u32)
            .map(|i| {
                [
                    format!("N{}", "a".repeat(1 + i as usize % 20)),
                    format!("L{}", "b".repeat(1 + i as usize / 20)),
                    "x".to_owned(),
                ]
            })
            .collect();
        let mut all: Vec<Vec<&str>> = vec![vec!["first_name", "last_name", "dept"]];
        all.extend(rows.iter().map(|row| row.iter().map(String::as_str).collect()));
        let rows: Vec<&[&str]> = all.iter().map(Vec::as_slice).collect();
        assert_eq!(table(&rows).people.unwrap().1.estimate(), 600);
    }

    #[test]
    fn distinct_values_are_counted_beyond_the_typed_rows() {
        let mut table = Table::new(Place::default());
        let key = HashKey::new([1; 32]);
        for i in 0..5_000 {
            let (user, at) = (format!("u{i:05}x"), format!("{}", 1_763_877_600 + i));
            table.record(&[("user_id", &user), ("ts", &at), ("event", "click")], key);
        }
        table.choose_keys();
        let count = table.actors.unwrap().1.estimate();
        assert!((4_900..5_100).contains(&count), "{count}");
    }

    #[test]
    fn national_ids_are_known_without_a_name() {
        let ids = [
            "44051401359",
            "85022801235",
            "02070803628",
            "92071314764",
            "81060211112",
            "75082812348",
            "66040411113",
            "99123112347",
        ];
        let valid: Vec<&str> = ids
            .into_iter()
            .filter(|id| {
                national::Compact::of(id.as_bytes())
                    .is_some_and(|c| (national::scheme("pl_pesel").unwrap().is_valid)(&c))
            })
            .collect();
        assert!(!valid.is_empty());
        let rows: Vec<[&str; 2]> = valid.iter().map(|id| [*id, "x"]).collect();
        let mut with_header: Vec<&[&str]> = vec![&["pesel", "note"]];
        with_header.extend(rows.iter().map(|row| row.as_slice()));
        assert_eq!(table(&with_header).columns[0].holds_national_id(), Some("pl_pesel"));
    }
}
