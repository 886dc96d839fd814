//! Which strings does a wildcard pattern match, and which combinations of patterns can one string match?

mod regions;

pub use regions::{Capped, Region, WORK_MAX, regions};

/// A set of characters that a template allows at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Any character.
    Any,
    /// Any character but a colon: what a part of an ARN holds.
    NoColon,
    /// `0` to `9`.
    Digit,
    /// `a` to `z` and `0` to `9`.
    LowerAlnum,
    /// `A` to `Z` and `0` to `9`.
    UpperAlnum,
    /// What a name may hold in IAM: letters, digits and `+=,.@_-`.
    Name,
}

impl Class {
    fn contains(self, c: char) -> bool {
        match self {
            Self::Any => true,
            Self::NoColon => c != ':',
            Self::Digit => c.is_ascii_digit(),
            Self::LowerAlnum => c.is_ascii_digit() || c.is_ascii_lowercase(),
            Self::UpperAlnum => c.is_ascii_digit() || c.is_ascii_uppercase(),
            Self::Name => c.is_ascii_alphanumeric() || "+=,.@_-".contains(c),
        }
    }
}

/// One place of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Token {
    /// This character.
    Char(char),
    /// One character of a class.
    One(Class),
    /// Any run of characters of a class, also none.
    Many(Class),
}

/// A sequence of characters and wildcards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern {
    tokens: Vec<Token>,
    ignore_case: bool,
}

impl Pattern {
    /// A pattern of places.
    pub fn new(tokens: Vec<Token>) -> Self {
        // A run of stars says no more than one of them, and costs a state each.
        let mut squeezed: Vec<Token> = Vec::with_capacity(tokens.len());
        for token in tokens {
            if !(matches!(token, Token::Many(_)) && squeezed.last() == Some(&token)) {
                squeezed.push(token);
            }
        }
        Self { tokens: squeezed, ignore_case: false }
    }

    /// Exactly this text.
    pub fn literal(text: &str) -> Self {
        Self::new(text.chars().map(Token::Char).collect())
    }

    /// Text with `*` (any run) and `?` (any one character).
    pub fn wildcard(text: &str) -> Self {
        let token = |c| match c {
            '*' => Token::Many(Class::Any),
            '?' => Token::One(Class::Any),
            c => Token::Char(c),
        };
        Self::new(text.chars().map(token).collect())
    }

    /// The same pattern, blind to case.
    pub fn ignoring_case(mut self) -> Self {
        self.ignore_case = true;
        self
    }

    /// Its places.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Whether it is one text only.
    pub fn is_literal(&self) -> bool {
        self.tokens.iter().all(|token| matches!(token, Token::Char(_)))
    }

    /// The text before the first wildcard.
    pub fn head(&self) -> String {
        let literal = |token: &Token| match token {
            Token::Char(c) => Some(*c),
            Token::One(_) | Token::Many(_) => None,
        };
        self.tokens.iter().map_while(literal).collect()
    }

    /// The pattern as it is written in a policy.
    pub fn text(&self) -> String {
        let write = |token: &Token| match token {
            Token::Char(c) => *c,
            Token::One(_) => '?',
            Token::Many(_) => '*',
        };
        self.tokens.iter().map(write).collect()
    }

    /// Whether the whole of `text` matches; time is at most the product of both lengths.
    pub fn matches(&self, text: &str) -> bool {
        matches_tokens(&self.tokens, text, self.ignore_case)
    }

    /// The same, blind to case.
    pub fn matches_in_any_case(&self, text: &str) -> bool {
        matches_tokens(&self.tokens, text, true)
    }

    /// What must still follow after `prefix`: the text matches if one of these matches the rest.
    pub fn after(&self, prefix: &str) -> Vec<Self> {
        let mut rest: Vec<Self> = Vec::new();
        for place in self.run(prefix) {
            // The place behind a star adds nothing to the place on it.
            let behind_star = place.checked_sub(1).and_then(|before| self.tokens.get(before));
            let covered = matches!(behind_star, Some(Token::Many(_)));
            if covered && rest.last().is_some_and(|last| last.tokens.len() == self.tokens.len() - place + 1) {
                continue;
            }
            let tokens = self.tokens.get(place..).unwrap_or_default().to_vec();
            rest.push(Self { tokens, ignore_case: self.ignore_case });
        }
        rest
    }

    /// The places (ascending) at which the pattern can stand after `text`.
    fn run(&self, text: &str) -> Vec<usize> {
        let mut places = Vec::new();
        self.settle(0, &mut places);
        let mut next = Vec::new();
        for c in text.chars() {
            next.clear();
            for &place in &places {
                match self.tokens.get(place) {
                    Some(Token::Many(class)) if class.contains(c) => self.settle(place, &mut next),
                    Some(token) if self.takes(*token, c) => self.settle(place + 1, &mut next),
                    _ => {}
                }
            }
            std::mem::swap(&mut places, &mut next);
            if places.is_empty() {
                break;
            }
        }
        places
    }

    /// Adds a place and those that stars let it slip on to; keeps the list ascending and free of doubles.
    fn settle(&self, place: usize, places: &mut Vec<usize>) {
        let mut place = place;
        loop {
            match places.binary_search(&place) {
                Ok(_) => {}
                Err(at) => places.insert(at, place),
            }
            if !matches!(self.tokens.get(place), Some(Token::Many(_))) {
                return;
            }
            place += 1;
        }
    }

    fn takes(&self, token: Token, c: char) -> bool {
        takes(token, c, self.ignore_case)
    }
}

fn takes(token: Token, c: char, ignore_case: bool) -> bool {
    match token {
        Token::Char(own) => own == c || (ignore_case && own.eq_ignore_ascii_case(&c)),
        Token::One(class) | Token::Many(class) => class.contains(c),
    }
}

/// Whether the whole of `text` matches these places.
pub(crate) fn matches_tokens(tokens: &[Token], text: &str, ignore_case: bool) -> bool {
    // Going back to the last star is enough if stars take anything; else an earlier one may have to give way.
    let narrow = |token: &Token| matches!(token, Token::Many(class) if *class != Class::Any);
    if tokens.iter().any(narrow) {
        let pattern = Pattern { tokens: tokens.to_vec(), ignore_case };
        return pattern.run(text).last().copied() == Some(tokens.len());
    }
    let (mut place, mut rest) = (0, text.chars());
    let mut retry = None;
    loop {
        let mut next = rest.clone();
        match (tokens.get(place), next.next()) {
            (Some(Token::Many(_)), _) => {
                place += 1;
                retry = Some((place, rest.clone()));
                continue;
            }
            (None, None) => return true,
            (Some(token), Some(c)) if takes(*token, c, ignore_case) => {
                (place, rest) = (place + 1, next);
                continue;
            }
            _ => {}
        }
        let Some((behind_star, mut skipped)) = retry.take() else { return false };
        if skipped.next().is_none() {
            return false;
        }
        (place, rest) = (behind_star, skipped.clone());
        retry = Some((behind_star, skipped));
    }
}

/// Whether `text` matches a pattern as it is written, without preparing it: for listings of millions of keys.
///
/// There is one point of return, so time is at most the product of the lengths.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (mut wanted, mut found) = (pattern.chars(), text.chars());
    let mut retry = None;
    loop {
        let (mut next_wanted, mut next_found) = (wanted.clone(), found.clone());
        match (next_wanted.next(), next_found.next()) {
            (Some('*'), _) => {
                retry = Some((next_wanted.clone(), found.clone()));
                wanted = next_wanted;
                continue;
            }
            (None, None) => return true,
            (Some(own), Some(c)) if own == '?' || own == c => {
                (wanted, found) = (next_wanted, next_found);
                continue;
            }
            _ => {}
        }
        let Some((behind_star, mut skipped)) = retry.take() else { return false };
        if skipped.next().is_none() {
            return false;
        }
        wanted = behind_star.clone();
        found = skipped.clone();
        retry = Some((behind_star, skipped));
    }
}

#[cfg(test)]
mod tests;
