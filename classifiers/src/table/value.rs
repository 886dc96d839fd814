//! What does one cell of a table hold?

use crate::Masked;
use crate::mask;
use crate::values::{Digits, contact, finance, name, net, when};

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

pub(super) const VALUES: usize = Value::Other as usize + 1;

/// Whether a cell is filled with a word for nothing.
pub(super) fn is_nothing(cell: &str) -> bool {
    matches!(cell, "-" | "NULL" | "null" | "N/A" | "n/a" | "None" | "\\N" | "NaN" | "—")
}

/// What a cell holds.
pub(super) fn value_of(cell: &str) -> Value {
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

/// A cell, masked by what it holds.
pub(super) fn masked(cell: &str, value: Value) -> Masked {
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
