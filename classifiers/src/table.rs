//! What do the columns of a table hold? Typed by their names and by their values, over all its rows.

use crate::affected::KeptRows;
use crate::extract::Place;
use crate::lexicon::{self, Meaning};
use crate::mask;
use crate::sketch::HashKey;
use crate::values::{Digits, contact, finance, name, national, net, when};
use crate::{Distinct, Evidence, Masked};

/// Columns that are looked at; what stands further right is only scanned as running bytes.
const COLUMNS_MAX: usize = 128;
/// Rows of which every cell is typed.
pub(crate) const TYPED_ROWS: u64 = 256;
/// After those, one row in so many.
const TYPED_EVERY: u64 = 64;
/// Rows in which a header is looked for: exports begin with titles and blank rows.
const HEADER_WITHIN: u64 = 10;
/// Characters of a name that are kept.
const NAME_CHARS_MAX: usize = 64;

/// What one value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Value {
    Email,
    Phone,
    Iban,
    Card,
    Ip,
    Uuid,
    OpaqueId,
    Date,
    Moment,
    Resource,
    Agent,
    Number,
    FullName,
    SingleName,
    Words,
    Other,
}

const VALUES: usize = Value::Other as usize + 1;

/// One column.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) meaning: Option<Meaning>,
    /// Cells that were typed and not empty.
    pub(crate) typed: u32,
    values: [u32; VALUES],
    /// Cells that are valid under each national scheme.
    national: [u32; national::SCHEMES.len()],
    /// Cells written as American social security numbers are.
    dashed_ssn: u32,
    /// Different cells among the first typed rows.
    pub(crate) distinct: Distinct,
    /// Addresses at the domain of the first address, and all at free mail and example domains.
    first_domain: (u64, u32),
    free_mail: u32,
    examples: u32,
    /// A value, masked by what it was typed as.
    sample: Option<(Masked, u64)>,
}

impl Column {
    /// The share of cells that are of a type.
    pub(crate) fn share(&self, value: Value) -> f64 {
        f64::from(self.values.get(value as usize).copied().unwrap_or(0)) / f64::from(self.typed.max(1))
    }

    /// The share of typed cells that are different.
    pub(crate) fn distinctness(&self) -> f64 {
        self.distinct.estimate() as f64 / f64::from(self.typed.clamp(1, TYPED_ROWS as u32))
    }

    /// The national scheme that most cells are valid under, with its share.
    pub(crate) fn scheme(&self) -> Option<(&'static national::Scheme, f64)> {
        let (at, count) = self.national.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
        let scheme = national::SCHEMES.get(at)?;
        // Nine digits without dashes are valid under the American rule nine times in ten.
        let count = if scheme.kind == "us_ssn" && self.meaning != Some(Meaning::NationalId) {
            self.dashed_ssn
        } else {
            *count
        };
        (count > 0).then(|| (scheme, f64::from(count) / f64::from(self.typed.max(1))))
    }

    /// The share of addresses that are at one domain of an organisation.
    pub(crate) fn one_domain(&self) -> f64 {
        let emails = self.values.first().copied().unwrap_or(0);
        if self.free_mail * 2 > emails {
            0.0
        } else {
            f64::from(self.first_domain.1) / f64::from(emails.max(1))
        }
    }

    /// The share of addresses at domains set aside for examples.
    pub(crate) fn example_share(&self) -> f64 {
        f64::from(self.examples) / f64::from(self.values.first().copied().unwrap_or(0).max(1))
    }

    fn take(&mut self, cell: &str, row: u64, key: HashKey) {
        let cell = cell.trim();
        if cell.is_empty() || is_nothing(cell) {
            return;
        }
        self.typed += 1;
        let value = value_of(cell);
        if let Some(count) = self.values.get_mut(value as usize) {
            *count += 1;
        }
        // Counted in cells: `row` counts titles and the header too, and the last rows before keys are chosen would be missing.
        if u64::from(self.typed) <= TYPED_ROWS {
            self.distinct.insert(key.hash_folded(cell.as_bytes()));
        }
        if let Some(compact) = national::Compact::of(cell.as_bytes()) {
            self.dashed_ssn += u32::from(national::is_dashed_ssn(cell.as_bytes()));
            for (count, scheme) in self.national.iter_mut().zip(national::SCHEMES) {
                *count += u32::from((scheme.is_valid)(&compact));
            }
        }
        if value == Value::Email {
            self.domain(cell, key);
        }
        if self.sample.is_none() {
            self.sample = Some((masked(cell, value), row));
        }
    }

    fn domain(&mut self, cell: &str, key: HashKey) {
        let Some(email) = contact::email(cell.as_bytes()) else { return };
        let hash = key.hash_folded(email.domain);
        if self.first_domain.1 == 0 {
            self.first_domain.0 = hash;
        }
        self.first_domain.1 += u32::from(self.first_domain.0 == hash);
        self.free_mail += u32::from(email.is_free_mail());
        let example: [&[u8]; 4] = [b"example.com", b"example.org", b"example.net", b"test.com"];
        self.examples += u32::from(example.contains(&email.domain));
    }
}

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
        self.rows < TYPED_ROWS || self.rows.is_multiple_of(TYPED_EVERY)
    }

    /// The keys counted over all rows.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Key> {
        [&self.people, &self.actors].into_iter().flatten().map(|(key, _)| *key)
    }

    /// Takes a row of cells by position.
    pub(crate) fn row(&mut self, cells: &[&str], key: HashKey) {
        self.seen += 1;
        if !self.has_header && self.rows == 0 && self.seen <= HEADER_WITHIN {
            let filled = cells.iter().filter(|cell| !cell.trim().is_empty()).count();
            // A title in one cell, or nothing: the table has not begun.
            if filled < 2 && cells.len() > 1 {
                return;
            }
            if is_header(cells) {
                self.columns = cells.iter().take(COLUMNS_MAX).map(|cell| named(cell)).collect();
                self.has_header = true;
                self.find_pair();
                return;
            }
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
        {
            insert_key(&mut self.pairs, Key::Pair(first, last), &cell, key);
        }
        for (which, distinct) in [&mut self.people, &mut self.actors].into_iter().flatten() {
            insert_key(distinct, *which, &cell, key);
        }
        if self.rows == TYPED_ROWS || self.rows == TYPED_ROWS * TYPED_EVERY {
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
                self.pair.filter(|_| self.pair_holds_names()).map(|(first, last)| Key::Pair(first, last))
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

    /// Whether first and last names stand in two columns.
    pub(crate) fn pair_holds_names(&self) -> bool {
        let holds = |at: usize| {
            self.columns.get(at).is_some_and(|c| c.share(Value::SingleName) + c.share(Value::FullName) > 0.5)
        };
        self.pair.is_some_and(|(first, last)| holds(first) && holds(last))
    }

    /// The columns of first and last names, where there are such.
    pub(crate) fn name_pair(&self) -> Option<(usize, usize)> {
        self.pair.filter(|_| self.pair_holds_names())
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

impl Column {
    /// Whether the column holds full names of people.
    pub(crate) fn holds_full_names(&self) -> bool {
        let share = self.share(Value::FullName);
        match self.meaning {
            Some(Meaning::FullName) => share > 0.4 && self.distinctness() > 0.3,
            None => share > 0.8 && self.distinctness() > 0.8 && self.typed >= 5,
            _ => false,
        }
    }

    /// The national scheme that the column holds: by its name and mostly valid, or valid beyond chance without one.
    pub(crate) fn holds_national_id(&self) -> Option<&'static str> {
        let (scheme, share) = self.scheme()?;
        let by_name = self.meaning == Some(Meaning::NationalId) && share > 0.5;
        // Without a name, noise of the right length must be out of the question, and ids of things are often counted up.
        let chance = (1.0 - scheme.certainty).max(1e-4).powf(f64::from(self.typed) * share);
        let by_value = self.meaning.is_none()
            && share > 0.9
            && self.typed >= 8
            && chance < 1e-6
            && self.distinctness() > 0.8;
        (by_name || by_value).then_some(scheme.kind)
    }

    /// Whether the column holds ids of those who act, of the kind that its name says.
    fn holds_actor(&self, meaning: Meaning) -> bool {
        if self.meaning != Some(meaning) {
            return false;
        }
        match meaning {
            Meaning::Email => self.share(Value::Email) > 0.5,
            Meaning::Ip => self.share(Value::Ip) > 0.5,
            _ => self.share(Value::Date) + self.share(Value::Moment) < 0.5,
        }
    }
}

fn insert_key<'a>(
    distinct: &mut Distinct,
    which: Key,
    cell: &impl Fn(usize) -> Option<&'a [u8]>,
    key: HashKey,
) {
    let hash = |at: usize| {
        cell(at).map(<[u8]>::trim_ascii).filter(|cell| !cell.is_empty()).map(|cell| key.hash_folded(cell))
    };
    let hash = match which {
        Key::Column(at) => hash(at),
        Key::Pair(first, last) => Table::pair_hash(hash(first), hash(last)),
    };
    if let Some(hash) = hash {
        distinct.insert(hash);
    }
}

fn named(name: &str) -> Column {
    let name: String = name.trim().chars().take(NAME_CHARS_MAX).collect();
    Column { meaning: lexicon::meaning(&name), name, ..Column::default() }
}

fn same_name(kept: &str, field: &str) -> bool {
    kept == field
        || (kept.len() < field.len() && kept.chars().count() == NAME_CHARS_MAX && field.starts_with(kept))
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

fn is_nothing(cell: &str) -> bool {
    matches!(cell, "-" | "NULL" | "null" | "N/A" | "n/a" | "None" | "\\N" | "NaN" | "—")
}

/// What a cell holds.
fn value_of(cell: &str) -> Value {
    let bytes = cell.as_bytes();
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    if digits == 0 {
        return wordy(cell);
    }
    if bytes.contains(&b'@') {
        return if contact::email(bytes).is_some() { Value::Email } else { Value::Other };
    }
    match when::when(bytes) {
        Some(when::When::Date) => return Value::Date,
        Some(_) => return Value::Moment,
        None => {}
    }
    if Digits::of(bytes).is_some_and(|digits| digits.len() >= 13 && finance::is_card(&digits)) {
        Value::Card
    } else if net::is_ip(bytes) {
        Value::Ip
    } else if net::is_uuid(bytes) {
        Value::Uuid
    } else if bytes.iter().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b'-'))
        && is_plain_number(bytes)
    {
        Value::Number
    } else if contact::is_phone(bytes) {
        Value::Phone
    } else if finance::is_iban(bytes) {
        Value::Iban
    } else if net::is_resource(bytes) {
        Value::Resource
    } else if net::is_user_agent(bytes) {
        Value::Agent
    } else if net::is_opaque_id(bytes) {
        Value::OpaqueId
    } else if bytes.contains(&b' ') {
        Value::Words
    } else {
        Value::Other
    }
}

/// A number that counts or measures: few digits, or a decimal part.
fn is_plain_number(bytes: &[u8]) -> bool {
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    digits < 7 || (bytes.iter().filter(|b| **b == b'.').count() == 1 && !bytes.contains(&b'-'))
}

fn wordy(cell: &str) -> Value {
    let bytes = cell.as_bytes();
    if bytes.contains(&b'@') && contact::email(bytes).is_some() {
        Value::Email
    } else if net::is_resource(bytes) {
        Value::Resource
    } else if name::is_full_name(cell) {
        Value::FullName
    } else if name::is_single_name(cell) {
        Value::SingleName
    } else if net::is_ip(bytes) {
        Value::Ip
    } else if net::is_uuid(bytes) {
        Value::Uuid
    } else {
        Value::Words
    }
}

fn masked(cell: &str, value: Value) -> Masked {
    match value {
        Value::Email => mask::email(cell),
        Value::Phone | Value::Iban | Value::Card => mask::number(cell),
        Value::FullName | Value::SingleName => mask::name(cell),
        Value::Date | Value::Moment => mask::hidden("date"),
        Value::Number => mask::hidden("number"),
        Value::Words => mask::hidden("words"),
        Value::Ip | Value::Uuid | Value::OpaqueId | Value::Resource | Value::Agent | Value::Other => {
            mask::id(cell)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
