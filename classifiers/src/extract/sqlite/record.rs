//! Which values does a row hold ("Record Format")?

/// How text is written in a database.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
}

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl Value<'_> {
    /// The value as a cell; of a blob only what is text.
    pub(super) fn text(&self, encoding: Encoding) -> String {
        match self {
            Self::Null => String::new(),
            Self::Integer(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(bytes) => match encoding {
                Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
                Encoding::Utf16Le => encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0.into_owned(),
                Encoding::Utf16Be => encoding_rs::UTF_16BE.decode_without_bom_handling(bytes).0.into_owned(),
            },
            Self::Blob(bytes) => crate::extract::dates::readable(bytes),
        }
    }
}

/// A number of one to nine bytes, the high bit of each but the ninth saying that another follows.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for at in 0..9 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if at == 8 {
            return Some((value << 8 | u64::from(byte)).cast_signed());
        }
        value = value << 7 | u64::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value.cast_signed())
}

/// The values of a row: a header of their kinds, then their bytes. A row that was cut has the values that are there.
pub(super) fn values(content: &[u8]) -> Option<Vec<Value<'_>>> {
    let mut header = content;
    let size = usize::try_from(varint(&mut header)?).ok()?;
    let mut kinds = header.get(..size.checked_sub(content.len() - header.len())?)?;
    let mut body = content.get(size..)?;
    let mut values = Vec::new();
    while !kinds.is_empty() {
        let kind = varint(&mut kinds)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from((kind - 12) / 2).ok()?,
            _ => return None,
        };
        let Some((bytes, rest)) = body.split_at_checked(length) else { break };
        body = rest;
        values.push(match kind {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(integer(bytes)),
            7 => Value::Real(f64::from_bits(integer(bytes).cast_unsigned())),
            _ if kind % 2 == 0 => Value::Blob(bytes),
            _ => Value::Text(bytes),
        });
    }
    Some(values)
}

/// A big-endian number in two's complement.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|&byte| byte & 0x80 != 0);
    bytes.iter().fold(if negative { -1 } else { 0 }, |value, &byte| value << 8 | i64::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_all_kinds_are_read() {
        let content = [7, 0, 1, 9, 17, 14, 7, 0xFE, b'h', b'i', b'b', 0x3F, 0xF8, 0, 0, 0, 0, 0, 0];
        assert_eq!(
            values(&content).unwrap(),
            [
                Value::Null,
                Value::Integer(-2),
                Value::Integer(1),
                Value::Text(b"hi"),
                Value::Blob(b"b"),
                Value::Real(1.5)
            ]
        );
    }

    #[test]
    fn numbers_of_any_length_are_read() {
        assert_eq!(varint(&mut [0x81, 0x00].as_slice()), Some(128));
        assert_eq!(varint(&mut [0xFF; 9].as_slice()), Some(-1));
        assert_eq!(varint(&mut [0xFF; 3].as_slice()), None);
    }
}
