//! Is it text, in which encoding, and what kind of text?

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

use super::{ContentType as T, HEAD_BYTES};

/// How the characters of a text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, of which ASCII is a part.
    Utf8,
    /// UTF-16, little endian.
    Utf16Le,
    /// UTF-16, big endian.
    Utf16Be,
    /// Some older encoding in which ASCII characters mean themselves, guessed by the letters that follow each other.
    Legacy(&'static encoding_rs::Encoding),
}

impl Encoding {
    /// The encoding of a text that begins with `head`; nothing where it is not text.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"\xEF\xBB\xBF") {
            return Some(Self::Utf8);
        }
        if head.starts_with(b"\xFF\xFE") && !head.starts_with(b"\xFF\xFE\0\0") {
            return Some(Self::Utf16Le);
        }
        if head.starts_with(b"\xFE\xFF") {
            return Some(Self::Utf16Be);
        }
        if memchr::memchr(0, head).is_some() {
            return Self::utf16_unmarked(head);
        }
        let controls = head.iter().filter(|&&byte| is_control(byte)).count();
        // Terminal output and paper-minded exports hold a few; one byte in ten of random bytes is one.
        if controls * 100 > head.len() {
            return None;
        }
        match std::str::from_utf8(head) {
            Ok(_) => Some(Self::Utf8),
            // The head may end inside a character.
            Err(error) if error.error_len().is_none() => Some(Self::Utf8),
            Err(_) => {
                let high = head.iter().filter(|&&byte| byte >= 0x80).count();
                // In a few bytes the absence of controls says little.
                let plausible = head.len() >= 256 || (controls == 0 && high * 3 < head.len());
                plausible.then(|| Self::Legacy(guess(head)))
            }
        }
    }

    /// UTF-16 without a byte order mark shows in Latin text: every other byte is zero, and only there.
    fn utf16_unmarked(head: &[u8]) -> Option<Self> {
        let pairs = head.len() / 2;
        let (mut even, mut odd) = (0, 0);
        for pair in head.chunks_exact(2) {
            match *pair {
                [0, 0] => return None,
                [0, _] => even += 1,
                [_, 0] => odd += 1,
                _ => {}
            }
        }
        let (guess, zeros, other) =
            if even > odd { (Self::Utf16Be, even, odd) } else { (Self::Utf16Le, odd, even) };
        if pairs < 4 || other > 0 || zeros * 10 < pairs * 7 {
            return None;
        }
        let controls = guess.decode(head).chars().filter(|&c| u8::try_from(c).is_ok_and(is_control)).count();
        (controls * 100 <= pairs).then_some(guess)
    }

    /// `bytes` as text, without a byte order mark; what does not fit the encoding becomes U+FFFD.
    pub(crate) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes)),
            Self::Utf16Le => encoding_rs::UTF_16LE.decode_with_bom_removal(bytes).0,
            Self::Utf16Be => encoding_rs::UTF_16BE.decode_with_bom_removal(bytes).0,
            Self::Legacy(encoding) => encoding.decode_without_bom_handling(bytes).0,
        }
    }
}

fn guess(head: &[u8]) -> &'static encoding_rs::Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(head, head.len() < HEAD_BYTES);
    detector.guess(None, Utf8Detection::Deny)
}

/// Control characters that texts do not hold (tab, line ends, form feed, backspace and escape do occur).
fn is_control(byte: u8) -> bool {
    matches!(byte, 0..=7 | 0x0B | 0x0E..=0x1A | 0x1C..=0x1F | 0x7F)
}

/// The kind of a text that begins with `head`.
pub(super) fn kind(head: &str, name: &str) -> T {
    let front = head.trim_start();
    let by_name = by_name(name).filter(|&named| is_plausible(named, front));
    let lines = whole_lines(head);
    by_first_words(front)
        .or_else(|| markup(front, by_name))
        .or_else(|| json(front))
        .or_else(|| mail(&lines))
        .or_else(|| sql(&lines))
        .or_else(|| table(&lines, by_name))
        .or(by_name.filter(|&named| named != T::Plain))
        .or_else(|| log(&lines))
        .or_else(|| yaml(&lines))
        .or_else(|| markdown(&lines))
        .unwrap_or(T::Plain)
}

/// The complete lines of a head; its one line where it has no more.
fn whole_lines(head: &str) -> Vec<&str> {
    let complete = match head.rfind('\n') {
        Some(end) => head.get(..end).unwrap_or(head),
        None => head,
    };
    complete.lines().filter(|line| !line.trim().is_empty()).take(64).collect()
}

fn by_name(name: &str) -> Option<T> {
    let file = name.rsplit(['/', '\\']).next()?;
    let (_, extension) = file.rsplit_once('.')?;
    Some(match extension.to_ascii_lowercase().as_str() {
        "csv" => T::Csv,
        "tsv" | "tab" => T::Tsv,
        "json" | "geojson" | "ipynb" | "tfstate" => T::Json,
        "jsonl" | "ndjson" => T::JsonLines,
        "xml" | "xsd" | "xsl" | "svg" | "plist" | "rss" | "kml" => T::Xml,
        "yaml" | "yml" => T::Yaml,
        "html" | "htm" | "xhtml" => T::Html,
        "md" | "markdown" => T::Markdown,
        "log" => T::Log,
        "ldif" | "ldf" => T::Ldif,
        "sql" => T::Sql,
        "eml" => T::Mail,
        "mbox" => T::Mbox,
        "txt" | "text" => T::Plain,
        _ => return None,
    })
}

/// A name is no evidence where the first character speaks against it.
fn is_plausible(named: T, front: &str) -> bool {
    match named {
        T::Json | T::JsonLines => front.starts_with(['{', '[', '"', '/']),
        T::Xml | T::Html => front.contains('<'),
        T::Ldif => front.contains("dn:"),
        T::Mail => front.contains(": "),
        T::Mbox => front.starts_with("From "),
        _ => true,
    }
}

fn by_first_words(front: &str) -> Option<T> {
    const WORDS: &[(&str, T)] = &[
        ("-----BEGIN ", T::Pem),
        ("{\\rtf", T::Rtf),
        ("BEGIN:VCARD", T::Vcard),
        ("BEGIN:VCALENDAR", T::Calendar),
        ("dn: ", T::Ldif),
        ("dn:: ", T::Ldif),
        ("version: 1\ndn:", T::Ldif),
        ("version: 1\r\ndn:", T::Ldif),
        ("version: 1\n\ndn:", T::Ldif),
        ("version: 1\r\n\r\ndn:", T::Ldif),
        ("# extended LDIF", T::Ldif),
    ];
    let front = front.get(..front.floor_char_boundary(64))?;
    WORDS.iter().find(|(word, _)| starts_with_ignoring_case(front, word)).map(|&(_, found)| found)
}

fn starts_with_ignoring_case(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn markup(front: &str, by_name: Option<T>) -> Option<T> {
    const HTML: &[&str] = &[
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<table",
        "<div",
        "<script",
        "<meta",
        "<p>",
        "<h1",
        "<ul",
    ];
    let after_bracket = front.strip_prefix('<')?;
    let is_html = |text: &str| HTML.iter().any(|tag| starts_with_ignoring_case(text, tag));
    if is_html(front) {
        return Some(T::Html);
    }
    let xml = starts_with_ignoring_case(front, "<?xml");
    if xml || front.starts_with("<!--") {
        // XHTML, and pages that begin with a remark: the root element tells.
        let root = front.match_indices('<').map(|(at, _)| front.get(at..).unwrap_or_default()).find(|tag| {
            !tag.starts_with("<!--")
                && !tag.starts_with("<?")
                && !starts_with_ignoring_case(tag, "<!doctype svg")
        });
        return match root {
            Some(root) if is_html(root) => Some(T::Html),
            _ if xml => Some(T::Xml),
            _ => by_name.or(Some(T::Xml)),
        };
    }
    let element =
        after_bracket.starts_with(|c: char| c.is_ascii_alphabetic()) || after_bracket.starts_with('!');
    let closed = after_bracket.contains('>');
    (element && closed && by_name != Some(T::Markdown)).then_some(T::Xml)
}

fn json(front: &str) -> Option<T> {
    let mut inside = front.chars().skip(1).skip_while(|c| c.is_whitespace());
    let first = inside.next();
    match front.chars().next()? {
        '{' if matches!(first, Some('"' | '}') | None) => {}
        '[' if matches!(first, Some('{' | '[' | '"' | ']') | None) => {}
        // Numbers: `[12, …`, not the date of `[2026-01-31 …` and not the number of `[12] …`.
        '[' if first.is_some_and(|c| c.is_ascii_digit() || c == '-') => {
            let rest = front
                .get(1..)?
                .trim_start()
                .trim_start_matches(|c: char| c.is_ascii_digit() || "-.eE+".contains(c));
            if !rest.trim_start().starts_with(',') {
                return None;
            }
        }
        _ => return None,
    }
    let mut lines = front.lines().filter(|line| !line.trim().is_empty());
    let (Some(first), Some(second)) = (lines.next(), lines.next()) else { return Some(T::Json) };
    let opener = first.chars().next()?;
    let closer = if opener == '{' { '}' } else { ']' };
    let two_values = first.trim_end().ends_with(closer) && second.starts_with(opener);
    Some(if two_values { T::JsonLines } else { T::Json })
}

fn mail(lines: &[&str]) -> Option<T> {
    const KNOWN: &[&str] = &[
        "received",
        "return-path",
        "delivered-to",
        "from",
        "to",
        "cc",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "content-type",
        "dkim-signature",
        "x-mailer",
        "reply-to",
    ];
    let first = lines.first()?;
    if let Some(sender) = first.strip_prefix("From ") {
        // `From who@where Sat Jan  3 01:05:34 1996`
        let dated = sender
            .split_whitespace()
            .nth(1)
            .is_some_and(|day| ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].contains(&day));
        return dated.then_some(T::Mbox);
    }
    let mut known = 0;
    for line in lines {
        if line.starts_with([' ', '\t']) {
            continue;
        }
        match line.split_once(':') {
            Some((field, _)) if KNOWN.contains(&field.to_ascii_lowercase().as_str()) => known += 1,
            Some((field, _))
                if !field.is_empty() && field.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') => {}
            _ => break,
        }
    }
    (known >= 3).then_some(T::Mail)
}

fn sql(lines: &[&str]) -> Option<T> {
    const STATEMENTS: &[&str] = &[
        "CREATE TABLE ",
        "INSERT INTO ",
        "DROP TABLE ",
        "CREATE DATABASE ",
        "-- MySQL dump",
        "-- MariaDB dump",
        "-- PostgreSQL database dump",
        "PRAGMA foreign_keys",
        "BEGIN TRANSACTION;",
        "ALTER TABLE ",
        "SET NAMES ",
        "LOCK TABLES ",
        "SET statement_timeout",
        "/*!40101 SET",
        "/*M!",
        "CREATE SCHEMA ",
        "REPLACE INTO ",
    ];
    let begins =
        |line: &&str| STATEMENTS.iter().any(|word| starts_with_ignoring_case(line.trim_start(), word));
    lines.iter().take(24).any(begins).then_some(T::Sql)
}

/// A table has the same number of separators in each of its first lines; quoted separators do not count.
fn table(lines: &[&str], by_name: Option<T>) -> Option<T> {
    if by_name.is_some_and(|named| !matches!(named, T::Csv | T::Tsv | T::Plain | T::Log)) {
        return None;
    }
    let named = matches!(by_name, Some(T::Csv | T::Tsv));
    let sample = lines.get(..lines.len().min(20))?;
    for (separator, found) in [('\t', T::Tsv), (',', T::Csv), (';', T::Csv), ('|', T::Csv)] {
        let mut counts = sample.iter().map(|line| separators(line, separator));
        let Some(first) = counts.next().filter(|&count| count > 0) else { continue };
        let even = counts.all(|count| count == first);
        // Two lines of prose may well hold one comma each, and long ones three.
        let bytes: usize = sample.iter().map(|line| line.len()).sum();
        let separators = sample.len() * first;
        let enough = sample.len() >= 2 && (separators >= 4 || found == T::Tsv) && bytes <= 40 * separators;
        let enough = enough || named;
        if even && enough {
            return Some(found);
        }
    }
    named.then_some(by_name).flatten()
}

fn separators(line: &str, separator: char) -> usize {
    let mut quoted = false;
    line.chars()
        .filter(|&c| {
            quoted ^= c == '"';
            c == separator && !quoted
        })
        .count()
}

/// Most lines of a log begin with a time or an address.
fn log(lines: &[&str]) -> Option<T> {
    let stamped = lines.iter().filter(|line| begins_with_time_or_address(line)).count();
    (lines.len() >= 2 && stamped * 4 >= lines.len() * 3).then_some(T::Log)
}

fn begins_with_time_or_address(line: &str) -> bool {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let line = line.trim_start_matches(['[', '<', '(', '"']);
    let shape: String = line
        .chars()
        .take(10)
        .map(|c| {
            if c.is_ascii_digit() {
                '9'
            } else if c == '/' {
                '-'
            } else {
                c
            }
        })
        .collect();
    let address = line.split([' ', ',']).next().is_some_and(|word| word.parse::<std::net::IpAddr>().is_ok());
    let syslog = line.get(..3).is_some_and(|month| MONTHS.contains(&month)) && shape.get(3..4) == Some(" ");
    shape == "9999-99-99" || shape.starts_with("99:99:99") || shape == "9999999999" || address || syslog
}

fn yaml(lines: &[&str]) -> Option<T> {
    let is_key = |line: &&&str| {
        let line = line.trim_start().trim_start_matches("- ");
        line.split_once(':').is_some_and(|(key, value)| {
            let named =
                !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-./\"'".contains(&b));
            named && (value.is_empty() || value.starts_with(' '))
        })
    };
    let marked = lines.first().is_some_and(|line| line.trim_end() == "---");
    let content =
        || lines.iter().filter(|line| !line.trim_start().starts_with('#') && line.trim_end() != "---");
    let keys = content().filter(is_key).count();
    let items = content().filter(|line| line.trim_start().starts_with("- ")).count();
    let enough = if marked { keys >= 1 } else { keys >= 3 };
    (enough && (keys + items) * 5 >= content().count() * 4).then_some(T::Yaml)
}

fn markdown(lines: &[&str]) -> Option<T> {
    let heading = |line: &&&str| {
        let rest = line.trim_start_matches('#');
        let level = line.len() - rest.len();
        (1..=6).contains(&level) && rest.starts_with(' ')
    };
    let headings = lines.iter().filter(heading).count();
    let signs = lines
        .iter()
        .filter(|line| {
            line.starts_with("```")
                || line.starts_with("- ")
                || line.starts_with("* ")
                || line.starts_with("| ")
                || line.contains("](")
                || line.contains("**")
        })
        .count();
    // `# ` alone also begins remarks in scripts and settings.
    let first = lines.first().filter(heading).is_some();
    (headings > 0 && headings < lines.len() && (signs > 0 || (first && headings * 2 <= lines.len())))
        .then_some(T::Markdown)
}
