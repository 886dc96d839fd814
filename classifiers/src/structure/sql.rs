//! What are the rows of an SQL dump, whatever the length of its statements?

use std::collections::HashMap;

use crate::extract::Place;
use crate::gather::Gather;

/// Bytes kept of one value, of one word, and cells of one row.
const VALUE_BYTES_MAX: usize = 512;
const CELLS_MAX: usize = 128;
/// Tables whose columns are remembered from their definition.
const TABLES_MAX: usize = 256;

/// Whether the text is a dump: statements that make or fill tables, at the beginnings of lines.
pub(super) fn is_dump(head: &[u8]) -> bool {
    super::lines(head).any(|line| {
        let start = line.get(..line.len().min(12)).unwrap_or_default().to_ascii_uppercase();
        start.starts_with(b"INSERT INTO ")
            || start.starts_with(b"CREATE TABLE")
            || (start.starts_with(b"COPY ") && line.ends_with(b"FROM stdin;"))
    })
}

/// Where in a statement the parser is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Reading the words of a statement's beginning.
    Words,
    /// In the list of columns of an `INSERT` or `CREATE TABLE`, so many brackets deep.
    Columns { depth: u32, defines: bool },
    /// Behind `VALUES`, between rows.
    Rows,
    /// In a row.
    Row { depth: u32 },
    /// In a statement that is of no interest.
    Skip,
    /// In the lines that follow `COPY … FROM stdin;`.
    Copy,
}

/// The parser of one dump.
#[derive(Debug)]
pub(crate) struct Sql {
    place: Place,
    state: State,
    /// The quote that is open, and whether the next character is escaped.
    quote: Option<u8>,
    escaped: bool,
    /// Whether the rest of the line is a comment.
    comment: bool,
    /// The word or value being read.
    token: Vec<u8>,
    words: Vec<String>,
    cells: Vec<String>,
    columns: Vec<String>,
    /// Whether the next word of a definition names a column.
    names: bool,
    defined: HashMap<String, Vec<String>>,
    rows: u64,
}

impl Sql {
    pub(super) fn new(place: &Place) -> Self {
        Self {
            place: place.clone(),
            state: State::Words,
            quote: None,
            escaped: false,
            comment: false,
            token: Vec::new(),
            words: Vec::new(),
            cells: Vec::new(),
            columns: Vec::new(),
            names: false,
            defined: HashMap::new(),
            rows: 0,
        }
    }

    pub(super) fn push(&mut self, gather: &mut Gather, bytes: &[u8]) {
        for byte in bytes {
            if self.comment {
                self.comment = *byte != b'\n';
            } else if self.state == State::Copy {
                self.copied(gather, *byte);
            } else if self.quote.is_some() {
                self.quoted(*byte);
            } else {
                self.plain(gather, *byte);
            }
        }
    }

    fn quoted(&mut self, byte: u8) {
        if self.escaped {
            self.escaped = false;
            self.keep(byte);
        } else if byte == b'\\' {
            self.escaped = true;
        } else if self.quote == Some(byte) {
            // A doubled quote opens again at once, and costs one character of the value.
            self.quote = None;
        } else {
            self.keep(byte);
        }
    }

    fn plain(&mut self, gather: &mut Gather, byte: u8) {
        match byte {
            b'\'' | b'"' | b'`' => self.quote = Some(byte),
            b'-' if self.token == b"-" && !matches!(self.state, State::Row { .. }) => {
                self.token.clear();
                self.comment = true;
            }
            b';' => self.statement_ends(),
            b'(' => self.opens(),
            b')' => self.closes(gather),
            b',' => self.comma(),
            _ if byte.is_ascii_whitespace() => {
                if matches!(self.state, State::Words | State::Columns { .. }) {
                    self.word_ends();
                }
            }
            _ => self.keep(byte),
        }
    }

    fn word_ends(&mut self) {
        if self.token.is_empty() {
            return;
        }
        let word = String::from_utf8_lossy(&self.token).into_owned();
        self.token.clear();
        match self.state {
            State::Columns { .. } if self.names => {
                self.names = false;
                let constraint =
                    ["PRIMARY", "KEY", "UNIQUE", "CONSTRAINT", "FOREIGN", "INDEX", "CHECK", "FULLTEXT"];
                if self.columns.len() < CELLS_MAX && !constraint.contains(&word.to_ascii_uppercase().as_str())
                {
                    self.columns.push(word);
                }
            }
            State::Words => {
                if word.eq_ignore_ascii_case("VALUES") && self.is_statement("INSERT") {
                    self.state = State::Rows;
                } else if self.words.len() < 12 {
                    self.words.push(word);
                } else {
                    self.state = State::Skip;
                }
            }
            _ => {}
        }
    }

    fn is_statement(&self, verb: &str) -> bool {
        self.words.first().is_some_and(|word| word.eq_ignore_ascii_case(verb))
    }

    /// The table that the statement is about: the word behind `INTO`, `TABLE` (and `IF NOT EXISTS`) or `COPY`.
    fn table(&self) -> String {
        let skipped = [
            "INSERT",
            "INTO",
            "IGNORE",
            "CREATE",
            "TABLE",
            "IF",
            "NOT",
            "EXISTS",
            "COPY",
            "TEMPORARY",
            "OR",
            "REPLACE",
            "ONLY",
        ];
        self.words
            .iter()
            .find(|word| !skipped.contains(&word.to_ascii_uppercase().as_str()))
            .cloned()
            .unwrap_or_default()
    }

    fn opens(&mut self) {
        self.word_ends();
        match &mut self.state {
            State::Words => {
                let defines = self.is_statement("CREATE");
                if defines || self.is_statement("INSERT") || self.is_statement("COPY") {
                    self.state = State::Columns { depth: 1, defines };
                    self.columns.clear();
                    self.names = true;
                } else {
                    self.state = State::Skip;
                }
            }
            State::Columns { depth, .. } | State::Row { depth } => *depth += 1,
            State::Rows => {
                self.state = State::Row { depth: 1 };
                self.cells.clear();
                self.token.clear();
            }
            State::Skip | State::Copy => {}
        }
    }

    fn closes(&mut self, gather: &mut Gather) {
        match self.state {
            State::Columns { depth: 1, defines } => {
                self.word_ends();
                self.state = State::Words;
                if defines && self.defined.len() < TABLES_MAX {
                    self.defined.insert(self.table(), std::mem::take(&mut self.columns));
                    self.state = State::Skip;
                }
            }
            State::Columns { depth, defines } => {
                self.word_ends();
                self.state = State::Columns { depth: depth - 1, defines };
            }
            State::Row { depth: 1 } => {
                self.cell_ends();
                self.row(gather);
                self.state = State::Rows;
            }
            State::Row { depth } => self.state = State::Row { depth: depth - 1 },
            State::Words | State::Rows | State::Skip | State::Copy => {}
        }
    }

    fn comma(&mut self) {
        match self.state {
            State::Columns { depth: 1, .. } => {
                self.word_ends();
                self.names = true;
            }
            State::Row { depth: 1 } => self.cell_ends(),
            _ => self.word_ends(),
        }
    }

    fn cell_ends(&mut self) {
        if self.cells.len() < CELLS_MAX {
            self.cells.push(String::from_utf8_lossy(self.token.trim_ascii()).into_owned());
        }
        self.token.clear();
    }

    fn row(&mut self, gather: &mut Gather) {
        let name = self.table();
        let columns = if self.columns.is_empty() { self.defined.get(&name) } else { Some(&self.columns) };
        self.rows += 1;
        let key = gather.key;
        let Some(table) = gather.table(&self.place.part(name)) else { return };
        match columns {
            Some(columns) => {
                let fields: Vec<(&str, &str)> = columns
                    .iter()
                    .zip(&self.cells)
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                table.record(&fields, key);
            }
            None => table.row(&self.cells.iter().map(String::as_str).collect::<Vec<_>>(), key),
        }
    }

    fn statement_ends(&mut self) {
        self.word_ends();
        let copies = self.is_statement("COPY")
            && self.words.last().is_some_and(|word| word.eq_ignore_ascii_case("stdin"));
        self.state = if copies { State::Copy } else { State::Words };
        self.token.clear();
        self.cells.clear();
        if !copies {
            self.words.clear();
            self.columns.clear();
        }
    }

    /// A byte of the lines behind `COPY`: cells between tabs, ended by `\.`.
    fn copied(&mut self, gather: &mut Gather, byte: u8) {
        match byte {
            b'\t' => self.cell_ends(),
            b'\n' if self.token == b"\\." => {
                self.token.clear();
                self.cells.clear();
                self.words.clear();
                self.columns.clear();
                self.state = State::Words;
            }
            b'\n' => {
                self.cell_ends();
                // The line end of the statement itself comes first.
                if self.cells.iter().any(|cell| !cell.is_empty()) {
                    self.row(gather);
                }
                self.cells.clear();
            }
            _ => self.keep(byte),
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.token.len() < VALUE_BYTES_MAX && self.state != State::Skip {
            self.token.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::HashKey;

    fn tables(sql: &str, piece: usize) -> Vec<(String, Vec<String>, u64)> {
        let mut gather = Gather::new(HashKey::new([1; 32]));
        let mut parser = Sql::new(&Place::default());
        sql.as_bytes().chunks(piece).for_each(|piece| parser.push(&mut gather, piece));
        let columns =
            |table: &crate::table::Table| table.columns.iter().map(|column| column.name.clone()).collect();
        gather.tables.iter().map(|table| (table.place.0.join("/"), columns(table), table.rows)).collect()
    }

    #[test]
    fn rows_are_named_by_their_statement_or_their_table() {
        let sql = "-- a dump\nCREATE TABLE `staff` (\n `id` int(11) NOT NULL,\n `email` varchar(80) DEFAULT 'a,b',\n PRIMARY KEY (`id`)\n);\n\
                   INSERT INTO `staff` VALUES (1,'jane@acme.example'),(2,'it''s (2)');\nINSERT INTO log (at, who) VALUES (now(), 'x');\n\
                   COPY public.people (name, city) FROM stdin;\nJane\tBonn\nOmar\tGiza\n\\.\nSELECT 1;\n";
        let text = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        for piece in [1, 7, 4096] {
            assert_eq!(
                tables(sql, piece),
                [
                    ("staff".to_owned(), text(&["id", "email"]), 2),
                    ("log".to_owned(), text(&["at", "who"]), 1),
                    ("public.people".to_owned(), text(&["name", "city"]), 2),
                ]
            );
        }
    }

    #[test]
    fn dumps_are_known_by_their_statements() {
        assert!(is_dump(b"-- x\nINSERT INTO a VALUES (1);\n") && !is_dump(b"We insert into the table.\n"));
    }
}
