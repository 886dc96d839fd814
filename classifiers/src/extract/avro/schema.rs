//! What are the values of an Avro file, by the schema in it?

use std::collections::HashMap;

use serde_json::Value;

/// Kinds in one schema.
const KINDS_MAX: usize = 20_000;

/// What a value is; kinds within it are named by their place in the schema, so that a kind may hold itself.
#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    Null,
    Boolean,
    Long,
    /// Days since 1970.
    Date,
    /// Time since 1970, in this fraction of a second.
    Time {
        per_second: i64,
    },
    Float,
    Double,
    /// Bytes or text.
    Bytes,
    Fixed(usize),
    Enum(Vec<String>),
    Array(usize),
    Map(usize),
    Union(Vec<usize>),
    Record(Vec<(String, usize)>),
}

/// All kinds of a schema.
#[derive(Debug, Default)]
pub(super) struct Schema {
    kinds: Vec<Kind>,
    /// The kind of each record of the file.
    pub(super) root: usize,
    /// Kinds that were given a name.
    named: HashMap<String, usize>,
}

impl Schema {
    pub(super) fn parse(json: &[u8]) -> Option<Self> {
        // The parser bounds the depth, so what is made of its result is bounded too.
        let json: Value = serde_json::from_slice(json).ok()?;
        let mut schema = Self::default();
        schema.root = schema.read(&json)?;
        Some(schema)
    }

    pub(super) fn kind(&self, at: usize) -> Option<&Kind> {
        self.kinds.get(at)
    }

    fn add(&mut self, kind: Kind) -> Option<usize> {
        self.kinds.push(kind);
        (self.kinds.len() < KINDS_MAX).then(|| self.kinds.len() - 1)
    }

    fn read(&mut self, json: &Value) -> Option<usize> {
        match json {
            Value::String(name) => self.by_name(name),
            Value::Array(options) => {
                let kinds = options.iter().map(|option| self.read(option)).collect::<Option<_>>()?;
                self.add(Kind::Union(kinds))
            }
            Value::Object(_) => self.complex(json),
            _ => None,
        }
    }

    fn by_name(&mut self, name: &str) -> Option<usize> {
        let kind = match name {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "int" | "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "bytes" | "string" => Kind::Bytes,
            // Names are taken without their namespace, with which they may be written or not.
            name => return self.named.get(short(name)).copied(),
        };
        self.add(kind)
    }

    fn complex(&mut self, json: &Value) -> Option<usize> {
        let text = |key: &str| json.get(key).and_then(Value::as_str);
        match text("logicalType") {
            Some("date") => return self.add(Kind::Date),
            Some("timestamp-millis" | "local-timestamp-millis") => {
                return self.add(Kind::Time { per_second: 1000 });
            }
            Some("timestamp-micros" | "local-timestamp-micros") => {
                return self.add(Kind::Time { per_second: 1_000_000 });
            }
            _ => {}
        }
        let Some(kind) = text("type") else { return self.read(json.get("type")?) };
        match kind {
            "record" | "error" => {
                let at = self.add(Kind::Record(Vec::new()))?;
                self.name(text("name"), at);
                let mut fields = Vec::new();
                for field in json.get("fields")?.as_array()? {
                    fields.push((field.get("name")?.as_str()?.to_owned(), self.read(field.get("type")?)?));
                }
                *self.kinds.get_mut(at)? = Kind::Record(fields);
                Some(at)
            }
            "enum" => {
                let symbols = json.get("symbols")?.as_array()?.iter();
                let at =
                    self.add(Kind::Enum(symbols.filter_map(Value::as_str).map(str::to_owned).collect()))?;
                self.name(text("name"), at);
                Some(at)
            }
            "fixed" => {
                let at = self.add(Kind::Fixed(usize::try_from(json.get("size")?.as_u64()?).ok()?))?;
                self.name(text("name"), at);
                Some(at)
            }
            "array" => {
                let items = self.read(json.get("items")?)?;
                self.add(Kind::Array(items))
            }
            "map" => {
                let values = self.read(json.get("values")?)?;
                self.add(Kind::Map(values))
            }
            name => self.by_name(name),
        }
    }

    fn name(&mut self, name: Option<&str>, at: usize) {
        if let Some(name) = name {
            self.named.insert(short(name).to_owned(), at);
        }
    }
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
