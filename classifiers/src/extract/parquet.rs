//! Which rows does a Parquet file hold (apache/parquet-format 2.11)?
//!
//! A reader of our own: the `parquet` crate allocates what pages claim and brings dozens of crates; what is needed here is each
//! row as text, with pages unpacked one at a time and charged first.

mod column;
mod levels;
mod pages;
mod schema;
mod thrift;
mod values;

use std::cell::Cell;

use super::fields::u32_at;
use super::{Work, limit_reached, malformed, truncated};
use crate::{Gap, GapReason};
use column::Column;
use schema::Leaf;
use thrift::Item;

/// Bytes of the pages of all columns that are held together.
const PAGES_BYTES_MAX: usize = 40 << 20;

pub(super) fn extract(bytes: &[u8], work: &mut Work<'_>) {
    if bytes.starts_with(b"PARE") {
        return work.sink.encrypted(work.place, "parquet");
    }
    let result = rows(bytes, work);
    work.settle(result);
}

fn broken() -> Gap {
    malformed("the Parquet file breaks the rules of its format")
}

fn rows(bytes: &[u8], work: &mut Work<'_>) -> Result<(), Gap> {
    let cut = || truncated("the Parquet file is cut off");
    if !bytes.ends_with(b"PAR1") {
        return Err(cut());
    }
    let end = bytes.len().checked_sub(8).ok_or_else(cut)?;
    let size = u32_at(bytes, end).ok_or_else(cut)? as usize;
    let footer = bytes.get(end.checked_sub(size).ok_or_else(broken)?..end).ok_or_else(broken)?;
    let metadata = thrift::read(footer).ok_or_else(broken)?.0;
    if metadata.field(8).is_some() {
        // The footer can be read, the columns (or some of them) cannot.
        work.sink.encrypted(work.place, "parquet");
    }
    let leaves = schema::leaves(metadata.field(2).ok_or_else(broken)?).ok_or_else(broken)?;
    let names: Vec<&str> = leaves.iter().map(|leaf| leaf.name.as_str()).collect();
    work.sink.row(work.place, 0, &names);
    let mut number = 0;
    let mut hidden = false;
    for group in metadata.field(4).map(Item::items).unwrap_or_default() {
        hidden |= row_group(bytes, group, &leaves, &mut number, work)?;
    }
    if hidden {
        let detail = "columns of the Parquet file are encrypted".to_owned();
        work.sink.gap(Gap { reason: GapReason::Encrypted, detail });
    }
    Ok(())
}

/// All rows of a group; whether columns in it are encrypted.
fn row_group(
    bytes: &[u8],
    group: &Item<'_>,
    leaves: &[Leaf],
    number: &mut u64,
    work: &mut Work<'_>,
) -> Result<bool, Gap> {
    let chunks = group.field(1).map(Item::items).unwrap_or_default();
    let held = Cell::new(0);
    let mut columns: Vec<Option<Column<'_>>> = Vec::new();
    for (leaf, chunk) in leaves.iter().zip(chunks) {
        columns.push(match chunk.field(3) {
            Some(metadata) => Some(Column::new(bytes, metadata, leaf, &held).ok_or_else(broken)?),
            None => None,
        });
    }
    let hidden = columns.iter().any(Option::is_none);
    let rows = group.field(3).and_then(Item::number).unwrap_or(0);
    let mut text = String::new();
    let mut ends: Vec<usize> = Vec::new();
    let mut failure = None;
    for _ in 0..rows {
        text.clear();
        ends.clear();
        for column in &mut columns {
            if let Some(reader) = column
                && let Err(gap) = reader.row(&mut text, work.budget)
            {
                // The other columns go on: a name without its pay is still a name.
                if gap.reason == GapReason::LimitReached {
                    return Err(gap);
                }
                failure.get_or_insert(gap);
                *column = None;
            }
            ends.push(text.len());
        }
        if columns.iter().all(Option::is_none) {
            break;
        }
        work.budget.unpack((text.len() + ends.len()) as u64)?;
        *number += 1;
        let mut start = 0;
        let cells: Vec<&str> = ends
            .iter()
            .map(|&end| {
                let cell = text.get(start..end).unwrap_or_default();
                start = end;
                cell
            })
            .collect();
        work.sink.row(work.place, *number, &cells);
    }
    if let Some(gap) = failure {
        work.sink.gap(gap);
    }
    Ok(hidden)
}

fn too_large() -> Gap {
    limit_reached("pages of the Parquet file are more than what is held in memory")
}

#[cfg(test)]
mod tests;
