//! What does a condition in the Common Expression Language say, as far as it is understood here?
//!
//! Source: the Common Expression Language's definition, and IAM, "Overview of IAM Conditions". What is not understood is one
//! opaque test; what is no expression at all is nothing.

/// A longer condition is none of IAM's.
const LENGTH_MAX: usize = 16 << 10;
const DEPTH_MAX: usize = 64;

/// A condition, understood in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Bool(bool),
    /// `name.method("text")`.
    Call {
        on: String,
        name: String,
        argument: String,
    },
    /// `name == "text"`.
    Compare {
        name: String,
        compared: Compared,
        with: String,
    },
    /// `request.time < timestamp("…")`.
    Time {
        compared: Compared,
        bound: String,
    },
    /// Something else, by what it begins with.
    Opaque(String),
}

/// How two things are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    Equal,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

impl Compared {
    /// The same with its sides changed.
    fn turned(self) -> Self {
        match self {
            Self::Equal => Self::Equal,
            Self::Less => Self::More,
            Self::LessOrEqual => Self::MoreOrEqual,
            Self::More => Self::Less,
            Self::MoreOrEqual => Self::LessOrEqual,
        }
    }
}

impl Expression {
    /// What it is about, for a sentence.
    pub(super) fn subject(&self) -> String {
        match self {
            Self::Call { on, name, .. } => format!("{on}.{name}"),
            Self::Compare { name, .. } => name.clone(),
            Self::Time { .. } => "request.time".to_owned(),
            Self::Opaque(text) => text.clone(),
            Self::Or(_) | Self::And(_) | Self::Not(_) | Self::Bool(_) => String::new(),
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Text(String),
    Number,
    Mark(&'static str),
}

/// Longer marks first.
const MARKS: [&str; 22] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "[", "]", "{", "}", ",", ":", "?", "+", "-",
    "*", "/",
];

/// Reads a condition; `None` if it is no expression.
pub(super) fn parse(text: &str) -> Option<Expression> {
    if text.len() > LENGTH_MAX {
        return None;
    }
    let tokens = tokens(text)?;
    let mut reader = Reader { tokens: &tokens, at: 0, depth: 0 };
    let expression = reader.or()?;
    (reader.at == tokens.len()).then_some(expression)
}

fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        if first == '"' || first == '\'' {
            let (literal, after) = literal(rest, first)?;
            tokens.push(Token::Text(literal));
            rest = after;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end =
                rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c))).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            tokens.push(Token::Name(name.to_owned()));
            rest = after;
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
            tokens.push(Token::Number);
            rest = rest.split_at(end).1;
        } else if let Some(after) = rest.strip_prefix('.') {
            // The method of a result, as in `f(x).g(y)`.
            let end =
                after.find(|c: char| !(c.is_ascii_alphanumeric() || "_.".contains(c))).unwrap_or(after.len());
            let (name, after) = after.split_at(end);
            tokens.push(Token::Name(format!(".{name}")));
            rest = after;
        } else {
            let mark = MARKS.into_iter().find(|mark| rest.starts_with(mark))?;
            tokens.push(Token::Mark(mark));
            rest = rest.strip_prefix(mark)?;
        }
        rest = rest.trim_start();
    }
    Some(tokens)
}

/// A text in quotes, and what follows it. Escapes beyond a quoted quote are not understood.
fn literal(text: &str, quote: char) -> Option<(String, &str)> {
    let mut literal = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => match characters.next()?.1 {
                escaped @ ('\\' | '"' | '\'') => literal.push(escaped),
                _ => return None,
            },
            c if c == quote => return Some((literal, text.get(at + c.len_utf8()..)?)),
            c => literal.push(c),
        }
    }
    None
}

struct Reader<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
}

/// One side of a comparison, or a whole test.
enum Operand {
    Name(String),
    Text(String),
    Time(String),
    Whole(Expression),
}

impl Reader<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, mark: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Mark(found)) if *found == mark);
        self.at += usize::from(found);
        found
    }

    fn or(&mut self) -> Option<Expression> {
        let mut parts = vec![self.and()?];
        while self.take("||") {
            parts.push(self.and()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn and(&mut self) -> Option<Expression> {
        let mut parts = vec![self.not()?];
        while self.take("&&") {
            parts.push(self.not()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    fn not(&mut self) -> Option<Expression> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return None;
        }
        let negated = self.take("!");
        let inner = if negated { Expression::Not(Box::new(self.not()?)) } else { self.comparison()? };
        self.depth -= 1;
        Some(inner)
    }

    fn comparison(&mut self) -> Option<Expression> {
        let left = self.operand()?;
        let negated = self.take("!=");
        let compared = if negated { Some(Compared::Equal) } else { self.comparator() };
        let Some(compared) = compared else {
            return Some(match left {
                Operand::Whole(whole) => whole,
                Operand::Name(name) if name == "true" => Expression::Bool(true),
                Operand::Name(name) if name == "false" => Expression::Bool(false),
                Operand::Name(name) => Expression::Opaque(name),
                Operand::Text(_) | Operand::Time(_) => Expression::Opaque("a value".to_owned()),
            });
        };
        let right = self.operand()?;
        let test = match (left, right) {
            (Operand::Name(name), Operand::Text(with)) => Expression::Compare { name, compared, with },
            (Operand::Text(with), Operand::Name(name)) => {
                Expression::Compare { name, compared: compared.turned(), with }
            }
            (Operand::Name(name), Operand::Time(bound)) if name == "request.time" => {
                Expression::Time { compared, bound }
            }
            (Operand::Time(bound), Operand::Name(name)) if name == "request.time" => {
                Expression::Time { compared: compared.turned(), bound }
            }
            (Operand::Name(name), _) | (_, Operand::Name(name)) => Expression::Opaque(name),
            (Operand::Whole(whole), _) | (_, Operand::Whole(whole)) => Expression::Opaque(whole.subject()),
            _ => Expression::Opaque("two values".to_owned()),
        };
        Some(if negated { Expression::Not(Box::new(test)) } else { test })
    }

    fn comparator(&mut self) -> Option<Compared> {
        let marks = [
            ("==", Compared::Equal),
            ("<=", Compared::LessOrEqual),
            (">=", Compared::MoreOrEqual),
            ("<", Compared::Less),
            (">", Compared::More),
        ];
        let found = marks.into_iter().find(|(mark, _)| self.take(mark));
        if found.is_some() {
            return found.map(|(_, compared)| compared);
        }
        // `x in [...]` is a test of something that is not understood.
        None
    }

    fn operand(&mut self) -> Option<Operand> {
        if self.take("(") {
            let inner = self.or()?;
            return self.take(")").then_some(Operand::Whole(inner));
        }
        match self.peek()?.clone() {
            Token::Text(text) => {
                self.at += 1;
                Some(Operand::Text(text))
            }
            Token::Name(name) => {
                self.at += 1;
                self.after_name(name)
            }
            Token::Number | Token::Mark(_) => self.opaque(String::new()),
        }
    }

    fn after_name(&mut self, name: String) -> Option<Operand> {
        let ends = |token: Option<&Token>| {
            matches!(
                token,
                None | Some(Token::Mark("&&" | "||" | "==" | "!=" | "<=" | ">=" | "<" | ">" | ")"))
            )
        };
        if ends(self.peek()) {
            return Some(Operand::Name(name));
        }
        let arguments = self.tokens.get(self.at..self.at + 3);
        if let Some([Token::Mark("("), Token::Text(argument), Token::Mark(")")]) = arguments
            && ends(self.tokens.get(self.at + 3))
        {
            self.at += 3;
            if name == "timestamp" {
                return Some(Operand::Time(argument.clone()));
            }
            if let Some((on, method)) = name.rsplit_once('.').filter(|(on, _)| !on.is_empty()) {
                let (on, name, argument) = (on.to_owned(), method.to_owned(), argument.clone());
                return Some(Operand::Whole(Expression::Call { on, name, argument }));
            }
        }
        self.opaque(name)
    }

    /// Skips what is not understood, up to the next operator on this level.
    fn opaque(&mut self, name: String) -> Option<Operand> {
        let mut open = 0_usize;
        let begin = self.at;
        while let Some(token) = self.peek() {
            match token {
                Token::Mark("(" | "[" | "{") => open += 1,
                Token::Mark(")") if open == 0 => break,
                Token::Mark(")" | "]" | "}") => open = open.checked_sub(1)?,
                // A choice reaches over the operators that follow it.
                Token::Mark("?") if open == 0 => return None,
                Token::Mark("&&" | "||" | "==" | "!=" | "<=" | ">=" | "<" | ">") if open == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        (open == 0 && (self.at > begin || !name.is_empty())).then(|| {
            Operand::Whole(Expression::Opaque(if name.is_empty() { "a value".to_owned() } else { name }))
        })
    }
}
