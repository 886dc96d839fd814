//! Which tables does a database have, and how are their columns called?

use super::record::{Encoding, Value};

/// A table, as its row in the schema tells of it.
#[derive(Debug, PartialEq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) root: u32,
    /// Names in order; none where the statement that made the table is not understood.
    pub(super) columns: Vec<String>,
    /// The column that is another name for the id of a row.
    pub(super) key: Option<usize>,
}

impl Table {
    /// From a row of the schema: type, name, table's name, root page, SQL.
    pub(super) fn read(values: &[Value<'_>], encoding: Encoding) -> Option<Self> {
        let [kind, name, _, Value::Integer(root), sql, ..] = values else { return None };
        if kind.text(encoding) != "table" {
            return None;
        }
        // Virtual tables have no pages of their own.
        let root = u32::try_from(*root).ok().filter(|&root| root > 0)?;
        let sql = sql.text(encoding);
        let (columns, key) = columns(&sql);
        // A table without ids keeps the columns of its key first: names would stand over the wrong values.
        let moved = sql.to_ascii_uppercase().contains("WITHOUT ROWID");
        let columns = if moved { Vec::new() } else { columns };
        Some(Self { name: name.text(encoding), root, columns, key: key.filter(|_| !moved) })
    }
}

/// The names of the columns in a `CREATE TABLE` statement, and which of them is the row's id.
fn columns(sql: &str) -> (Vec<String>, Option<usize>) {
    const CONSTRAINTS: [&str; 5] = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];
    let Some((_, inside)) = sql.split_once('(') else { return (Vec::new(), None) };
    let mut columns = Vec::new();
    let mut key = None;
    for definition in definitions(inside) {
        let definition = definition.trim();
        let (name, rest) = name(definition);
        let quoted = definition.starts_with(['"', '`', '[', '\'']);
        if name.is_empty() || (!quoted && CONSTRAINTS.contains(&name.to_ascii_uppercase().as_str())) {
            continue;
        }
        let rest = rest.to_ascii_uppercase();
        if rest.trim_start().starts_with("INTEGER") && rest.contains("PRIMARY KEY") {
            key = Some(columns.len());
        }
        columns.push(name.to_owned());
    }
    (columns, key)
}

/// The parts between commas that stand in no further brackets and no quotes, up to the closing bracket.
fn definitions(inside: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0_u32);
    let mut quote: Option<char> = None;
    for (at, c) in inside.char_indices() {
        match (quote, c) {
            (Some(end), c) if c == end => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`' | '\'') => quote = Some(c),
            (None, '[') => quote = Some(']'),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => {
                parts.extend(inside.get(start..at));
                return parts;
            }
            (None, ')') => depth -= 1,
            (None, ',') if depth == 0 => {
                parts.extend(inside.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(inside.get(start..));
    parts
}

/// The name at the front of a definition, without its quotes, and what follows.
fn name(definition: &str) -> (&str, &str) {
    let quote = definition.chars().next().and_then(|c| match c {
        '"' | '`' | '\'' => Some(c),
        '[' => Some(']'),
        _ => None,
    });
    let split = match quote {
        Some(end) => definition.get(1..).and_then(|rest| rest.split_once(end)),
        None => definition.split_once(char::is_whitespace),
    };
    split.unwrap_or((definition, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_found_in_every_encoding() {
        let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let (kind, name, sql) = (wide("table"), wide("staff"), wide("CREATE TABLE staff (a)"));
        let row = [
            Value::Text(&kind),
            Value::Text(&name),
            Value::Text(&name),
            Value::Integer(2),
            Value::Text(&sql),
        ];
        let table = Table { name: "staff".into(), root: 2, columns: vec!["a".into()], key: None };
        assert_eq!(Table::read(&row, Encoding::Utf16Le), Some(table));
        assert_eq!(Table::read(&row, Encoding::Utf8), None);
    }

    #[test]
    fn columns_are_named_by_the_statement() {
        let sql = "CREATE TABLE staff(id INTEGER PRIMARY KEY, \"full, name\" TEXT NOT NULL, pay DECIMAL(10,2), [x y],
            dept TEXT DEFAULT ',', CHECK (pay > 0), PRIMARY KEY (id))";
        let (names, key) = columns(sql);
        assert_eq!(names, ["id", "full, name", "pay", "x y", "dept"]);
        assert_eq!(key, Some(0));
    }
}
