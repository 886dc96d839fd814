//! What is in a message of Protocol Buffers?

/// A field: its number or its bytes.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, in order.
#[derive(Debug)]
pub(super) struct Message<'a>(Vec<(u64, Value<'a>)>);

/// A number of seven bits a byte, lowest first.
pub(super) fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

impl<'a> Message<'a> {
    /// Nothing where the bytes are no message.
    pub(super) fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let fixed = |size: usize, bytes: &mut &'a [u8]| {
                let (value, rest) = bytes.split_at_checked(size)?;
                *bytes = rest;
                Some(Value::Bytes(value))
            };
            let value = match key & 7 {
                0 => Value::Number(varint(&mut bytes)?),
                1 => fixed(8, &mut bytes)?,
                2 => {
                    let size = usize::try_from(varint(&mut bytes)?).ok()?;
                    fixed(size, &mut bytes)?
                }
                5 => fixed(4, &mut bytes)?,
                _ => return None,
            };
            fields.push((key >> 3, value));
        }
        Some(Self(fields))
    }

    pub(super) fn number(&self, id: u64) -> Option<u64> {
        self.0.iter().find_map(|(field, value)| match value {
            Value::Number(number) if *field == id => Some(*number),
            _ => None,
        })
    }

    pub(super) fn size(&self, id: u64) -> Option<usize> {
        self.number(id).and_then(|number| usize::try_from(number).ok())
    }

    pub(super) fn bytes(&self, id: u64) -> Option<&'a [u8]> {
        self.all_bytes(id).next()
    }

    /// The bytes of every field with this id.
    pub(super) fn all_bytes(&self, id: u64) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter_map(move |(field, value)| match value {
            Value::Bytes(bytes) if *field == id => Some(*bytes),
            _ => None,
        })
    }

    /// Numbers of a repeated field, written one by one or together.
    pub(super) fn numbers(&self, id: u64) -> Vec<u64> {
        let mut numbers = Vec::new();
        for (_, value) in self.0.iter().filter(|(field, _)| *field == id) {
            match value {
                Value::Number(number) => numbers.push(*number),
                Value::Bytes(bytes) => {
                    let mut rest = *bytes;
                    while let Some(number) = varint(&mut rest) {
                        numbers.push(number);
                    }
                }
            }
        }
        numbers
    }

    /// The messages of a repeated field; those that are none are left out.
    pub(super) fn messages(&self, id: u64) -> impl Iterator<Item = Message<'a>> {
        self.all_bytes(id).filter_map(Message::read)
    }
}
