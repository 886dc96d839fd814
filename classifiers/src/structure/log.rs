//! Who did what when, by the lines of a log?
//!
//! Lines become records with the names that analytics exports use, so that one judge serves logs and tables alike.

use memchr::memmem;

use crate::extract::Place;
use crate::gather::Gather;
use crate::table::{Key, TYPED_ROWS, Table};
use crate::values::{net, when};

/// Lines that are longer are not typed.
const LINE_BYTES_MAX: usize = 16 << 10;
/// Pairs kept of one line.
const PAIRS_MAX: usize = 48;

/// What people do, as applications log it.
const ACTIONS: &[&str] = &[
    "logged in",
    "logged out",
    "login",
    "logout",
    "signed in",
    "signed up",
    "viewed",
    "clicked",
    "downloaded",
    "uploaded",
    "searched",
    "purchased",
    "visited",
    "opened",
    "deleted",
    "shared",
    "accessed",
    "submitted",
    "updated profile",
    "changed password",
    "played",
    "added to cart",
    "checked out",
    "authenticated",
    "session opened",
    "accepted password",
    "failed password",
    "accepted publickey",
];

/// What stands before the name of who acts.
const SUBJECTS: &[&str] = &[
    "user=",
    "user_id=",
    "uid=",
    "username=",
    "session opened for user ",
    "password for ",
    "publickey for ",
    "User '",
    "user '",
    "User ",
    "user ",
];

/// The parser of one log.
#[derive(Debug)]
pub(crate) struct Log {
    table: Table,
    web: bool,
    /// What stood before the value of the key, for lines of which nothing else is read.
    needle: Option<(usize, Box<memmem::Finder<'static>>)>,
    /// The columns of the client and of the user of a web server's lines; found anew after each line that is typed.
    web_columns: Option<[Option<usize>; 2]>,
}

/// Whether most of the first lines begin with a time, or are those of a web server.
pub(super) fn is_log(head: &[u8]) -> bool {
    let (mut lines, mut logged) = (0, 0);
    for line in super::lines(head).filter(|line| !line.is_empty()).take(20) {
        lines += 1;
        logged += u32::from(is_event(line) || combined(line).is_some());
    }
    lines >= 2 && logged * 10 >= lines * 6
}

/// A time followed by words; a time followed by a delimiter is a cell.
fn is_event(line: &[u8]) -> bool {
    when::leading(line).is_some_and(|end| {
        let rest = line.get(end..).unwrap_or_default();
        let cells = memchr::memchr_iter(b',', rest).count();
        !matches!(rest.first(), Some(b',' | b'\t' | b';' | b'|')) && cells * 8 <= rest.len()
    }) || line.starts_with(b"time=")
        || line.starts_with(b"ts=")
}

impl Log {
    pub(super) fn new(place: &Place) -> Self {
        Self { table: Table::new(place.clone()), web: false, needle: None, web_columns: None }
    }

    pub(super) fn push(&mut self, gather: &mut Gather, bytes: &[u8]) {
        for line in super::lines(bytes) {
            if line.is_empty() {
                continue;
            }
            if self.table.takes_next(gather.key) && line.len() <= LINE_BYTES_MAX {
                self.typed(gather, line);
            } else {
                self.counted(gather, line);
            }
        }
    }

    pub(super) fn finish(self, gather: &mut Gather) {
        gather.keep(self.table);
    }

    fn typed(&mut self, gather: &Gather, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        if let Some(fields) = combined(line) {
            self.web = true;
            let fields: Vec<(&str, &str)> = fields
                .iter()
                .filter_map(|(name, value)| Some((*name, std::str::from_utf8(value).ok()?)))
                .collect();
            self.table.record(&fields, gather.key);
        } else {
            self.table.record(&pairs(&text), gather.key);
        }
        self.web_columns = None;
        if self.table.rows == TYPED_ROWS {
            self.needle = self.table.keys().last().and_then(|key| match key {
                Key::Column(at) => {
                    Some((at, Box::new(memmem::Finder::new(&self.needle_of(at, &text)?).into_owned())))
                }
                Key::Pair(..) => None,
            });
        }
    }

    /// What stands before the value of a column in the lines of this log.
    fn needle_of(&self, at: usize, line: &str) -> Option<Vec<u8>> {
        let name = &self.table.columns.get(at)?.name;
        let pair = format!("{name}=");
        if line.contains(&pair) {
            return Some(pair.into_bytes());
        }
        SUBJECTS.iter().find(|subject| line.contains(**subject)).map(|subject| subject.as_bytes().to_vec())
    }

    fn counted(&mut self, gather: &Gather, line: &[u8]) {
        let Self { table, needle, web, web_columns } = self;
        let web = *web;
        let [client, user] = *web_columns.get_or_insert_with(|| {
            let names = table.columns.iter().map(|column| column.name.as_str());
            ["client_ip", "remote_user"].map(|wanted| names.clone().position(|name| name == wanted))
        });
        let cell = |at: usize| {
            if web {
                return web_cell(line, Some(at) == client, Some(at) == user);
            }
            let (column, needle) = needle.as_ref()?;
            if *column != at {
                return None;
            }
            let start = needle.find(line)? + needle.needle().len();
            Some(word(line.get(start..)?))
        };
        table.count(cell, gather.key);
    }
}

fn web_cell(line: &[u8], client: bool, user: bool) -> Option<&[u8]> {
    let mut words = line.splitn(4, |b| *b == b' ');
    let ip = words.next()?;
    if client {
        return Some(ip);
    }
    let name = words.nth(1)?;
    (user && name != b"-").then_some(name)
}

/// A value up to its end: a blank, quote, comma or bracket.
fn word(text: &[u8]) -> &[u8] {
    let text = text.strip_prefix(b"\"").or_else(|| text.strip_prefix(b"'")).unwrap_or(text);
    let end = text
        .iter()
        .position(|b| matches!(b, b' ' | b'"' | b'\'' | b',' | b';' | b')' | b']' | b'}' | b'|' | b'\t'));
    text.get(..end.unwrap_or(text.len())).unwrap_or_default()
}

type Field<'a> = (&'static str, &'a [u8]);

/// The fields of a line in the common or combined format of web servers.
fn combined(line: &[u8]) -> Option<Vec<Field<'_>>> {
    let (ip, rest) = split(line, b' ')?;
    let is_host = ip.contains(&b'.') && ip.len() < 254;
    if !is_host && !net::is_ip(ip) {
        return None;
    }
    let (_, rest) = split(rest, b' ')?;
    let (user, rest) = split(rest, b' ')?;
    let rest = rest.strip_prefix(b"[")?;
    let (time, rest) = split(rest, b']')?;
    when::when(time)?;
    let rest = rest.strip_prefix(b" \"")?;
    let (request, rest) = split(rest, b'"')?;
    let (method, path) = split(request, b' ').unwrap_or((request, b""));
    let mut fields: Vec<Field<'_>> = vec![("client_ip", ip), ("time", time), ("method", method)];
    if user != b"-" {
        fields.push(("remote_user", user));
    }
    fields.push(("request_uri", path.split(|b| *b == b' ').next().unwrap_or(path)));
    let mut rest = rest.trim_ascii_start().splitn(3, |b| *b == b' ');
    fields.push(("status_code", rest.next()?));
    if let Some((referrer, agent)) = rest.nth(1).and_then(|quoted| split(quoted.strip_prefix(b"\"")?, b'"')) {
        fields.push(("referrer", referrer));
        let agent = agent.trim_ascii();
        let agent =
            agent.strip_prefix(b"\"").and_then(|agent| agent.split(|b| *b == b'"').next()).unwrap_or(b"-");
        fields.push(("user_agent", agent));
    }
    Some(fields)
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(at, text)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// The time, the `name=value` pairs, and who did what, of any other line.
fn pairs(line: &str) -> Vec<(&str, &str)> {
    let mut fields = Vec::new();
    let bytes = line.as_bytes();
    if let Some(time) = when::leading(bytes).and_then(|end| line.get(..end)) {
        fields.push(("time", time.trim_start_matches('[')));
    }
    for at in memchr::memchr_iter(b'=', bytes).take(PAIRS_MAX) {
        let name_length = bytes
            .get(..at)
            .unwrap_or_default()
            .iter()
            .rev()
            .take(40)
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
            .count();
        let value = word(bytes.get(at + 1..).unwrap_or_default());
        if let (Some(name), Ok(value)) = (line.get(at - name_length..at), std::str::from_utf8(value))
            && !name.is_empty()
            && !value.is_empty()
        {
            fields.push((name, value));
        }
    }
    let lower = line.to_ascii_lowercase();
    if let Some(action) = ACTIONS.iter().find(|action| lower.contains(**action)) {
        fields.push(("action", action));
        if !fields.iter().any(|(name, _)| matches!(*name, "user" | "user_id" | "uid" | "username")) {
            let subject = SUBJECTS.iter().find_map(|subject| line.find(subject).map(|at| at + subject.len()));
            let name = subject.and_then(|at| std::str::from_utf8(word(bytes.get(at..)?)).ok());
            // `user logged in` names nobody.
            if let Some(name) =
                name.filter(|name| !name.is_empty() && !ACTIONS.iter().any(|action| action.starts_with(name)))
            {
                fields.push(("username", name));
            } else if let Some(email) = email_in(line) {
                fields.push(("email", email));
            }
        }
    }
    fields
}

fn email_in(line: &str) -> Option<&str> {
    let at = line.find('@')?;
    std::str::from_utf8(crate::values::contact::email_around(line.as_bytes(), at)?.address).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn web_servers_lines_are_records() {
        let line = br#"192.0.2.7 - jane [23/Nov/2026:06:07:08 +0000] "GET /cart?x=1 HTTP/1.1" 200 512 "https://a.example/" "Mozilla/5.0 (X11)""#;
        let fields = combined(line).unwrap();
        assert!(
            fields.contains(&("remote_user", b"jane")) && fields.contains(&("request_uri", b"/cart?x=1"))
        );
        assert!(
            fields.contains(&("user_agent", b"Mozilla/5.0 (X11)"))
                && fields.contains(&("status_code", b"200"))
        );
    }

    #[test]
    fn words_of_a_line_say_who_did_what() {
        let fields = pairs("2026-11-23T06:07:08Z INFO User 'jane' downloaded report id=7");
        assert!(
            fields.contains(&("username", "jane"))
                && fields.contains(&("action", "downloaded"))
                && fields.contains(&("id", "7"))
        );
        assert!(
            !pairs("2026-11-23T06:07:08Z INFO user logged in").iter().any(|(name, _)| *name == "username")
        );
    }

    #[test]
    fn logs_are_known_by_their_times() {
        assert!(is_log(b"2026-11-23 06:07:08 INFO a\n2026-11-23 06:07:09 WARN b\n"));
        assert!(!is_log(b"2026-11-23 06:07:08,1,2\n2026-11-23 06:07:09,2,3\n"));
        assert!(!is_log(b"Dear all,\nhello\n"));
    }
}
