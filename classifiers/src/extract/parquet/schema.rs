//! Which columns does a Parquet file have, and how are their values to be written?

use super::thrift::Item;

/// Columns of one file.
const LEAVES_MAX: usize = 20_000;

const DEPTH_MAX: usize = 64;

/// How bytes of a column are stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Physical {
    Boolean,
    Int32,
    Int64,
    Int96,
    Float,
    Double,
    Bytes,
    Fixed(usize),
}

/// What the values mean, where that changes how they are written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Meaning {
    Plain,
    Date,
    /// Time since 1970, in this fraction of a second.
    Time {
        per_second: i64,
    },
    Decimal {
        scale: u32,
    },
}

/// A column that holds values.
#[derive(Debug, PartialEq)]
pub(super) struct Leaf {
    /// The names on the way to it, without those that only make lists.
    pub(super) name: String,
    pub(super) physical: Physical,
    pub(super) meaning: Meaning,
    /// Levels at which a value is there, and at which lists repeat.
    pub(super) definition: u32,
    pub(super) repetition: u32,
}

/// The columns of a schema, which is a tree written depth first.
pub(super) fn leaves(schema: &Item<'_>) -> Option<Vec<Leaf>> {
    let mut leaves = Vec::new();
    // Of the nodes above: how many children are to come, the name, the levels.
    let mut above: Vec<(usize, String, u32, u32)> = Vec::new();
    for (at, element) in schema.items().iter().enumerate() {
        while above.last().is_some_and(|(left, ..)| *left == 0) {
            above.pop();
        }
        let (path, mut definition, mut repetition) = match above.last_mut() {
            Some((left, path, definition, repetition)) => {
                *left -= 1;
                (path.as_str(), *definition, *repetition)
            }
            None => ("", 0, 0),
        };
        match element.field(3).and_then(Item::number) {
            Some(1) => definition += 1,
            Some(2) => {
                definition += 1;
                repetition += 1;
            }
            _ => {}
        }
        let name = String::from_utf8_lossy(element.field(4)?.bytes()?);
        let only_makes_lists = matches!(&*name, "list" | "element" | "bag" | "array_element" | "key_value");
        let path = match (path, &*name) {
            // The root's name is that of the program that wrote the file.
            _ if at == 0 => String::new(),
            ("", name) => name.to_owned(),
            (path, _) if only_makes_lists => path.to_owned(),
            (path, name) => format!("{path}.{name}"),
        };
        match element.count(5) {
            Some(children) if children > 0 && element.field(1).is_none() => {
                (above.len() < DEPTH_MAX && path.len() < 4096).then_some(())?;
                above.push((children, path, definition, repetition));
            }
            _ if at == 0 => {}
            _ => {
                let physical = physical(element)?;
                leaves.push(Leaf { name: path, physical, meaning: meaning(element), definition, repetition });
                (leaves.len() < LEAVES_MAX).then_some(())?;
            }
        }
    }
    Some(leaves)
}

fn physical(element: &Item<'_>) -> Option<Physical> {
    Some(match element.field(1)?.number()? {
        0 => Physical::Boolean,
        1 => Physical::Int32,
        2 => Physical::Int64,
        3 => Physical::Int96,
        4 => Physical::Float,
        5 => Physical::Double,
        6 => Physical::Bytes,
        7 => Physical::Fixed(element.count(2)?),
        _ => return None,
    })
}

fn meaning(element: &Item<'_>) -> Meaning {
    let scale = || element.count(7).and_then(|scale| u32::try_from(scale).ok()).unwrap_or(0).min(38);
    match element.field(6).and_then(Item::number) {
        Some(5) => return Meaning::Decimal { scale: scale() },
        Some(6) => return Meaning::Date,
        Some(9) => return Meaning::Time { per_second: 1000 },
        Some(10) => return Meaning::Time { per_second: 1_000_000 },
        _ => {}
    }
    let Some(logical) = element.field(10) else { return Meaning::Plain };
    if logical.field(5).is_some() {
        return Meaning::Decimal { scale: scale() };
    }
    if logical.field(6).is_some() {
        return Meaning::Date;
    }
    match logical.field(8).and_then(|time| time.field(2)) {
        Some(unit) if unit.field(1).is_some() => Meaning::Time { per_second: 1000 },
        Some(unit) if unit.field(2).is_some() => Meaning::Time { per_second: 1_000_000 },
        Some(_) => Meaning::Time { per_second: 1_000_000_000 },
        None => Meaning::Plain,
    }
}
