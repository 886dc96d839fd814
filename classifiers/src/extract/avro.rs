//! Which records does an Avro file hold (Apache Avro 1.12, object container files)?
//!
//! A reader of our own: the schema is a stranger's, so values are walked with every step charged and nothing is built of them
//! but the fields of one record.

mod schema;

use super::decompress::Decompressor;
use super::{HELD_BYTES_MAX, Work, limit_reached, malformed, truncated, unsupported};
use crate::Gap;
use crate::content_type::ContentType;
use schema::{Kind, Schema};

/// Values within values.
const DEPTH_MAX: u32 = 64;

/// Bytes of one record's names and values that are held.
const RECORD_BYTES_MAX: usize = 4 << 20;

pub(super) fn extract(bytes: &[u8], work: &mut Work<'_>) {
    let result = records(bytes, work);
    work.settle(result);
}

fn broken() -> Gap {
    malformed("the Avro file breaks the rules of its format")
}

fn cut() -> Gap {
    truncated("the Avro file is cut off")
}

fn records(bytes: &[u8], work: &mut Work<'_>) -> Result<(), Gap> {
    let mut reader = Reader(bytes.get(4..).unwrap_or_default());
    let (mut schema, mut codec) = (None, &b"null"[..]);
    loop {
        let count = reader.count()?;
        if count == 0 {
            break;
        }
        for _ in 0..count {
            let key = reader.bytes()?;
            let value = reader.bytes()?;
            match key {
                b"avro.schema" => schema = Some(Schema::parse(value).ok_or_else(broken)?),
                b"avro.codec" => codec = value,
                _ => {}
            }
        }
    }
    let schema = schema.ok_or_else(broken)?;
    let sync = reader.take(16)?;
    let mut number = 0;
    while !reader.0.is_empty() {
        let count = reader.long()?;
        let packed = reader.bytes()?;
        let content = unpack(codec, packed, work)?;
        let mut block = Reader(&content);
        for _ in 0..count {
            let mut record = Record { schema: &schema, text: String::new(), fields: Vec::new() };
            // A record of nothing takes no bytes, and there may be claimed any number of it.
            work.budget.unpack(1)?;
            record.value(schema.root, "", 0, &mut block, work)?;
            number += 1;
            record.give(number, work);
        }
        if reader.take(16)? != sync {
            return Err(malformed("a block of the Avro file does not end where it should"));
        }
    }
    Ok(())
}

fn unpack(codec: &[u8], packed: &[u8], work: &mut Work<'_>) -> Result<Vec<u8>, Gap> {
    let mut decompressor = match codec {
        b"null" => return Ok(packed.to_vec()),
        b"deflate" => Decompressor::deflate(),
        b"snappy" => {
            // A checksum of four bytes follows.
            let (packed, _) = packed.split_at_checked(packed.len().saturating_sub(4)).unwrap_or_default();
            return super::snappy(packed, work.budget);
        }
        b"bzip2" => Decompressor::new(ContentType::Bzip2).ok_or_else(broken)?,
        b"xz" => Decompressor::new(ContentType::Xz).ok_or_else(broken)?,
        b"zstandard" => Decompressor::new(ContentType::Zstd).ok_or_else(broken)?,
        _ => return Err(unsupported("blocks of the Avro file are packed by a method that is not read")),
    };
    let mut unpacked = Vec::new();
    let mut take = |piece: &[u8]| {
        work.budget.unpack(piece.len() as u64)?;
        if unpacked.len() + piece.len() > HELD_BYTES_MAX {
            return Err(limit_reached("a block of the Avro file is more than what is held in memory"));
        }
        unpacked.extend_from_slice(piece);
        Ok(())
    };
    decompressor.push(packed, &mut take)?;
    decompressor.finish(&mut take)?;
    Ok(unpacked)
}

/// The bytes that are left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, size: usize) -> Result<&'a [u8], Gap> {
        let (taken, rest) = self.0.split_at_checked(size).ok_or_else(cut)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Seven bits a byte, lowest first; odd numbers stand for negative ones.
    fn long(&mut self) -> Result<i64, Gap> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?.first().copied().unwrap_or_default();
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        Err(broken())
    }

    fn bytes(&mut self) -> Result<&'a [u8], Gap> {
        let size = usize::try_from(self.long()?).map_err(|_| broken())?;
        self.take(size)
    }

    /// How many items the next block of a list has; a negative number is followed by the block's size.
    fn count(&mut self) -> Result<u64, Gap> {
        let count = self.long()?;
        if count < 0 {
            self.long()?;
        }
        Ok(count.unsigned_abs())
    }
}

/// The fields of one record, by the names of the values around them.
struct Record<'s> {
    schema: &'s Schema,
    /// Names and values of all fields, one after the other, and where each ends.
    text: String,
    fields: Vec<(usize, usize)>,
}

impl Record<'_> {
    fn value(
        &mut self,
        kind: usize,
        path: &str,
        depth: u32,
        reader: &mut Reader<'_>,
        work: &mut Work<'_>,
    ) -> Result<(), Gap> {
        if depth > DEPTH_MAX {
            return Err(limit_reached("values of the Avro file are nested deeper than honest ones are"));
        }
        work.budget.unpack(1)?;
        match self.schema.kind(kind).ok_or_else(broken)? {
            Kind::Null => {}
            Kind::Boolean => {
                let is_true = reader.take(1)?.first() == Some(&1);
                self.add(path, if is_true { "true" } else { "false" })?;
            }
            Kind::Long => {
                let value = reader.long()?;
                self.add(path, &value.to_string())?;
            }
            Kind::Date => {
                let days = reader.long()?;
                self.add(path, &super::dates::day(days))?;
            }
            Kind::Time { per_second } => {
                let time = reader.long()?;
                self.add(path, &super::dates::time(time.div_euclid(*per_second)))?;
            }
            Kind::Float => {
                let value = f32::from_le_bytes(*reader.take(4)?.first_chunk().ok_or_else(cut)?);
                self.add(path, &value.to_string())?;
            }
            Kind::Double => {
                let value = f64::from_le_bytes(*reader.take(8)?.first_chunk().ok_or_else(cut)?);
                self.add(path, &value.to_string())?;
            }
            Kind::Bytes => {
                let value = reader.bytes()?;
                self.add(path, &super::dates::readable(value))?;
            }
            Kind::Fixed(size) => {
                let value = reader.take(*size)?;
                self.add(path, &super::dates::readable(value))?;
            }
            Kind::Enum(symbols) => {
                let index = usize::try_from(reader.long()?).map_err(|_| broken())?;
                self.add(path, symbols.get(index).ok_or_else(broken)?)?;
            }
            Kind::Union(kinds) => {
                let index = usize::try_from(reader.long()?).map_err(|_| broken())?;
                self.value(*kinds.get(index).ok_or_else(broken)?, path, depth + 1, reader, work)?;
            }
            Kind::Record(fields) => {
                for (name, kind) in fields {
                    self.value(*kind, &join(path, name), depth + 1, reader, work)?;
                }
            }
            Kind::Array(items) => self.list(*items, false, path, (depth, reader, work))?,
            Kind::Map(values) => self.list(*values, true, path, (depth, reader, work))?,
        }
        Ok(())
    }

    fn list(
        &mut self,
        items: usize,
        has_keys: bool,
        path: &str,
        (depth, reader, work): (u32, &mut Reader<'_>, &mut Work<'_>),
    ) -> Result<(), Gap> {
        loop {
            let count = reader.count()?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                if has_keys {
                    let key = String::from_utf8_lossy(reader.bytes()?).into_owned();
                    self.value(items, &join(path, &key), depth + 1, reader, work)?;
                } else {
                    self.value(items, path, depth + 1, reader, work)?;
                }
            }
        }
    }

    fn add(&mut self, path: &str, value: &str) -> Result<(), Gap> {
        if self.text.len() + path.len() + value.len() > RECORD_BYTES_MAX {
            return Err(limit_reached("a record of the Avro file is more than what is held in memory"));
        }
        self.text.push_str(path);
        let name_end = self.text.len();
        self.text.push_str(value);
        self.fields.push((name_end, self.text.len()));
        Ok(())
    }

    fn give(&self, number: u64, work: &mut Work<'_>) {
        let mut start = 0;
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .map(|&(name_end, end)| {
                let field = (
                    self.text.get(start..name_end).unwrap_or_default(),
                    self.text.get(name_end..end).unwrap_or_default(),
                );
                start = end;
                field
            })
            .collect();
        if !fields.is_empty() {
            work.sink.record(work.place, number, &fields);
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::GapReason;
    use crate::content_type::ContentType;
    use crate::extract::tests::seen;

    fn long(value: i64) -> Vec<u8> {
        let mut zigzag = ((value << 1) ^ (value >> 63)) as u64;
        let mut bytes = Vec::new();
        while zigzag >= 0x80 {
            bytes.push(zigzag as u8 | 0x80);
            zigzag >>= 7;
        }
        bytes.push(zigzag as u8);
        bytes
    }

    fn text(value: &[u8]) -> Vec<u8> {
        [long(value.len() as i64), value.to_vec()].concat()
    }

    fn file(schema: &str, codec: &str, count: i64, content: &[u8]) -> Vec<u8> {
        [
            b"Obj\x01".to_vec(),
            long(2),
            text(b"avro.schema"),
            text(schema.as_bytes()),
            text(b"avro.codec"),
            text(codec.as_bytes()),
            long(0),
            vec![7; 16],
            long(count),
            text(content),
            vec![7; 16],
        ]
        .concat()
    }

    const SCHEMA: &str = r#"{"type":"record","name":"Person","namespace":"a","fields":[
        {"name":"name","type":"string"},
        {"name":"hired","type":{"type":"int","logicalType":"date"}},
        {"name":"pay","type":["null","double"]},
        {"name":"tags","type":{"type":"array","items":"string"}},
        {"name":"level","type":{"type":"enum","name":"L","symbols":["low","high"]}},
        {"name":"boss","type":["null","Person"]}]}"#;

    fn person(name: &str, boss: &[u8]) -> Vec<u8> {
        [
            text(name.as_bytes()),
            long(19723),
            long(1),
            1.5_f64.to_le_bytes().to_vec(),
            long(2),
            text(b"x"),
            text(b"y"),
            long(0),
            long(1),
            boss.to_vec(),
        ]
        .concat()
    }

    fn sample() -> Vec<u8> {
        let boss = [long(1), person("Bo", &long(0))].concat();
        file(SCHEMA, "null", 2, &[person("Ada", &boss), person("Cy", &long(0))].concat())
    }

    #[test]
    fn records_are_read_with_the_names_around_their_values() {
        let (kind, seen) = seen(&sample());
        assert_eq!(kind, ContentType::Avro);
        assert_eq!(
            seen.records,
            [
                "#1: name=Ada|hired=2024-01-01|pay=1.5|tags=x|tags=y|level=high|boss.name=Bo|boss.hired=2024-01-01|\
                 boss.pay=1.5|boss.tags=x|boss.tags=y|boss.level=high",
                "#2: name=Cy|hired=2024-01-01|pay=1.5|tags=x|tags=y|level=high"
            ]
        );
        assert_eq!(seen.gaps, []);
    }

    #[test]
    fn packed_blocks_are_read() {
        let content = person("Ada", &long(0));
        let deflated = crate::extract::zip::tests::deflate(&content);
        assert_eq!(seen(&file(SCHEMA, "deflate", 1, &deflated)).1.records.len(), 1);
        let snapped = [snap::raw::Encoder::new().compress_vec(&content).unwrap(), vec![0; 4]].concat();
        assert_eq!(seen(&file(SCHEMA, "snappy", 1, &snapped)).1.records.len(), 1);
        assert_eq!(seen(&file(SCHEMA, "lzo", 1, &content)).1.reasons(), [GapReason::Unsupported]);
    }

    #[test]
    fn records_of_nothing_end_at_the_budget() {
        let schema = r#"{"type":"record","name":"N","fields":[{"name":"a","type":"null"}]}"#;
        assert_eq!(seen(&file(schema, "null", i64::MAX, b"")).1.reasons(), [GapReason::LimitReached]);
        let schema = r#"{"type":"array","items":"null"}"#;
        assert_eq!(seen(&file(schema, "null", 1, &long(i64::MAX))).1.reasons(), [GapReason::LimitReached]);
    }

    #[test]
    fn schemas_that_hold_themselves_end() {
        let schema = r#"{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}"#;
        assert_eq!(seen(&file(schema, "null", 1, b"")).1.reasons(), [GapReason::LimitReached]);
    }

    proptest! {
        #[test]
        fn broken_files_never_panic(at in 4_usize..900, value: u8, cut in 0_usize..900) {
            let mut bytes = sample();
            let at = at.min(bytes.len() - 1);
            bytes[at] = value;
            seen(&bytes);
            seen(&bytes[..cut.min(bytes.len())]);
        }
    }
}
