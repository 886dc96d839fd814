//! What does a column hold, by its name and by the cells that were looked at?

use super::TYPED_ROWS;
use super::value::{VALUES, Value, is_nothing, masked, value_of};
use crate::lexicon::{self, Meaning};
use crate::sketch::HashKey;
use crate::values::{contact, national};
use crate::{Distinct, Masked};

/// Characters of a name that are kept.
const NAME_CHARS_MAX: usize = 64;

/// Cells that are valid under each national scheme.
#[derive(Debug)]
struct Schemes([u32; national::SCHEMES.len()]);

impl Default for Schemes {
    fn default() -> Self {
        Self([0; national::SCHEMES.len()])
    }
}

/// One column.
#[derive(Debug, Default)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) meaning: Option<Meaning>,
    /// Cells that were typed and not empty.
    pub(crate) typed: u32,
    values: [u32; VALUES],
    /// Cells that are valid under each national scheme.
    national: Schemes,
    /// Cells written as American social security numbers are.
    dashed_ssn: u32,
    /// Different cells among the first typed rows.
    pub(crate) distinct: Distinct,
    /// Addresses at the domain of the first address, and all at free mail and example domains.
    first_domain: (u64, u32),
    free_mail: u32,
    examples: u32,
    /// A value, masked by what it was typed as.
    pub(super) sample: Option<(Masked, u64)>,
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
        let (at, count) = self.national.0.iter().enumerate().rev().max_by_key(|(_, count)| **count)?;
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

    pub(super) fn take(&mut self, cell: &str, row: u64, key: HashKey) {
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
            for (count, scheme) in self.national.0.iter_mut().zip(national::SCHEMES) {
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
    pub(super) fn holds_actor(&self, meaning: Meaning) -> bool {
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

/// A column by its name alone.
pub(super) fn named(name: &str) -> Column {
    let name: String = name.trim().chars().take(NAME_CHARS_MAX).collect();
    Column { meaning: lexicon::meaning(&name), name, ..Column::default() }
}

/// Whether a field is the column of that name, of which only the beginning was kept.
pub(super) fn same_name(kept: &str, field: &str) -> bool {
    kept == field
        || (kept.len() < field.len() && kept.chars().count() == NAME_CHARS_MAX && field.starts_with(kept))
}
