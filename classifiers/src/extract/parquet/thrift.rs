//! What is in a structure of Thrift's compact protocol?

/// Items of one structure, all levels together: bounds the memory that a footer of small numbers takes.
const ITEMS_MAX: usize = 1 << 20;

const DEPTH_MAX: u32 = 24;

/// A value; of maps, which Parquet does not use where we look, nothing is kept.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item<'a> {
    Bool(bool),
    Number(i64),
    Bytes(&'a [u8]),
    List(Vec<Item<'a>>),
    Struct(Vec<(i16, Item<'a>)>),
    Nothing,
}

impl<'a> Item<'a> {
    pub(super) fn field(&self, id: i16) -> Option<&Item<'a>> {
        let Self::Struct(fields) = self else { return None };
        fields.iter().find(|(field, _)| *field == id).map(|(_, item)| item)
    }

    pub(super) fn items(&self) -> &[Item<'a>] {
        if let Self::List(items) = self { items } else { &[] }
    }

    pub(super) fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn bytes(&self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// A number of this field, as one that counts something.
    pub(super) fn count(&self, id: i16) -> Option<usize> {
        self.field(id)?.number().and_then(|number| usize::try_from(number).ok())
    }
}

/// The structure at the front of `bytes` and how many bytes it takes.
pub(super) fn read(bytes: &[u8]) -> Option<(Item<'_>, usize)> {
    let mut reader = Reader { rest: bytes, items: 0 };
    let item = reader.structure(0)?;
    Some((item, bytes.len() - reader.rest.len()))
}

struct Reader<'a> {
    rest: &'a [u8],
    items: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let value = self.varint()?;
        Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let size = usize::try_from(self.varint()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(size)?;
        self.rest = rest;
        Some(bytes)
    }

    fn structure(&mut self, depth: u32) -> Option<Item<'a>> {
        let mut fields = Vec::new();
        let mut id = 0_i16;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(Item::Struct(fields));
            }
            id = match header >> 4 {
                0 => i16::try_from(self.zigzag()?).ok()?,
                delta => id.checked_add(i16::from(delta))?,
            };
            let item = match header & 0xF {
                1 => Item::Bool(true),
                2 => Item::Bool(false),
                kind => self.item(kind, depth)?,
            };
            fields.push((id, item));
        }
    }

    fn item(&mut self, kind: u8, depth: u32) -> Option<Item<'a>> {
        self.items += 1;
        if self.items > ITEMS_MAX || depth > DEPTH_MAX {
            return None;
        }
        Some(match kind {
            // In a list, a bool is a byte.
            1 | 2 => Item::Bool(self.byte()? == 1),
            3 => Item::Number(i64::from(self.byte()?.cast_signed())),
            4..=6 => Item::Number(self.zigzag()?),
            7 => {
                self.rest = self.rest.get(8..)?;
                Item::Nothing
            }
            8 => Item::Bytes(self.bytes()?),
            9 | 10 => {
                let header = self.byte()?;
                let size = if header >> 4 == 15 { self.varint()? } else { u64::from(header >> 4) };
                let mut items = Vec::new();
                for _ in 0..size {
                    items.push(self.item_of_list(header & 0xF, depth)?);
                }
                Item::List(items)
            }
            11 => {
                let size = self.varint()?;
                let kinds = if size > 0 { self.byte()? } else { 0 };
                for _ in 0..size {
                    self.item_of_list(kinds >> 4, depth)?;
                    self.item_of_list(kinds & 0xF, depth)?;
                }
                Item::Nothing
            }
            12 => self.structure(depth + 1)?,
            _ => return None,
        })
    }

    fn item_of_list(&mut self, kind: u8, depth: u32) -> Option<Item<'a>> {
        self.item(kind, depth + 1)
    }
}
