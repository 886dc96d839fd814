//! What do the headers of a message or part say of it?

use encoding_rs::Encoding;

use super::transfer::{Transfer, base64, quoted_printable};
use crate::extract::Work;

/// Bytes of all headers that are held; mails have a few thousand.
const BYTES_MAX: usize = 128 << 10;

/// Fields that say who wrote what to whom.
const TOLD: &[&str] = &[
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "x-originating-ip",
    "delivered-to",
    "organization",
];

/// The headers of a message or of a part.
#[derive(Debug, Default)]
pub(super) struct Headers {
    pub(super) is_message: bool,
    /// Names in lower case, values unfolded.
    fields: Vec<(String, String)>,
    bytes: usize,
}

impl Headers {
    pub(super) fn message() -> Self {
        Self { is_message: true, ..Self::default() }
    }

    pub(super) fn part() -> Self {
        Self::default()
    }

    pub(super) fn line(&mut self, line: &[u8]) {
        self.bytes += line.len();
        if self.bytes > BYTES_MAX {
            return;
        }
        let line = match std::str::from_utf8(line) {
            Ok(text) => text.to_owned(),
            Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(line).0.into_owned(),
        };
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = self.fields.last_mut() {
                value.push(' ');
                value.push_str(line.trim_start());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            self.fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// Gives what the headers tell of the message as a record.
    pub(super) fn give(&self, number: u64, work: &mut Work<'_>) {
        let told: Vec<(&str, String)> = self
            .fields
            .iter()
            .filter(|(name, _)| TOLD.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), decode_words(value)))
            .collect();
        if !told.is_empty() {
            let told: Vec<(&str, &str)> = told.iter().map(|(name, value)| (*name, value.as_str())).collect();
            work.sink.record(work.place, number, &told);
        }
    }

    /// In lower case, without parameters.
    pub(super) fn media_type(&self) -> String {
        let stated = self.get("content-type").unwrap_or("text/plain");
        let media_type = stated.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if media_type.contains('/') { media_type } else { "text/plain".to_owned() }
    }

    pub(super) fn boundary(&self) -> Option<Vec<u8>> {
        let boundary = parameter(self.get("content-type")?, "boundary")?;
        // RFC 2046 allows 70 characters.
        (!boundary.is_empty() && boundary.len() <= 256).then(|| boundary.trim_end().as_bytes().to_vec())
    }

    pub(super) fn charset(&self) -> &'static Encoding {
        let stated = self.get("content-type").and_then(|value| parameter(value, "charset"));
        let known = stated.and_then(|label| Encoding::for_label(label.as_bytes()));
        known.unwrap_or(encoding_rs::UTF_8)
    }

    pub(super) fn is_attachment(&self) -> bool {
        let disposition = self.get("content-disposition").unwrap_or_default();
        disposition.trim_start().get(..10).is_some_and(|kind| kind.eq_ignore_ascii_case("attachment"))
    }

    pub(super) fn file_name(&self) -> Option<String> {
        let from = |field: &str, name: &str| parameter(self.get(field)?, name);
        let name = from("content-disposition", "filename").or_else(|| from("content-type", "name"))?;
        Some(decode_words(&name))
    }

    pub(super) fn transfer(&self) -> Transfer {
        match self.get("content-transfer-encoding").unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "base64" => Transfer::base64(),
            "quoted-printable" => Transfer::QuotedPrintable,
            _ => Transfer::Plain,
        }
    }

    /// The scheme, where the content is encrypted.
    pub(super) fn encryption(&self) -> Option<&'static str> {
        let content_type = self.get("content-type")?;
        match self.media_type().as_str() {
            "multipart/encrypted" => Some("pgp_mime"),
            "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
                let kind =
                    parameter(content_type, "smime-type").unwrap_or_else(|| "enveloped-data".to_owned());
                kind.to_ascii_lowercase().contains("enveloped").then_some("smime")
            }
            _ => None,
        }
    }
}

/// A parameter of a structured field: `; name=value`, quoted or not, or in RFC 2231's form `name*=utf-8''…`.
fn parameter(field: &str, wanted: &str) -> Option<String> {
    let mut continued = String::new();
    let mut rest = field.split_once(';')?.1;
    loop {
        rest = rest.trim_start_matches([';', ' ', '\t']);
        let Some((name, after)) = rest.split_once('=') else { break };
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(';').unwrap_or((after, "")),
        };
        let name = name.trim();
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value.trim().to_owned());
        }
        if name.split('*').next().is_some_and(|stem| stem.eq_ignore_ascii_case(wanted)) && name.contains('*')
        {
            continued.push_str(&if name.ends_with('*') {
                percent_decoded(value.trim())
            } else {
                value.to_owned()
            });
        }
        rest = next;
    }
    (!continued.is_empty()).then_some(continued)
}

/// RFC 2231: `charset'language'percent-encoded`, of which later pieces have only the last.
fn percent_decoded(value: &str) -> String {
    let (charset, text) = match value.split_once('\'') {
        Some((charset, rest)) => (charset, rest.split_once('\'').map_or(rest, |(_, text)| text)),
        None => ("utf-8", value),
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex =
            (byte == b'%').then(|| after.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) => {
                bytes.push(value);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    in_charset(charset, &bytes)
}

/// RFC 2047: `=?charset?B?…?=`.
fn decode_words(value: &str) -> String {
    let mut decoded = String::with_capacity(value.len());
    let mut rest = value;
    let mut after_word = false;
    while let Some((before, after)) = rest.split_once("=?") {
        let word = after.split_once('?').and_then(|(charset, after)| {
            let (method, after) = after.split_once('?')?;
            let (text, after) = after.split_once("?=")?;
            let bytes = match method {
                "B" | "b" => base64(text.as_bytes()),
                "Q" | "q" => quoted_printable(text.replace('_', " ").as_bytes()),
                _ => return None,
            };
            // RFC 2231 puts a language behind the charset.
            Some((in_charset(charset.split('*').next().unwrap_or(charset), &bytes), after))
        });
        // White space between two encoded words only separates them.
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        (rest, after_word) = match word {
            Some((text, after)) => {
                decoded.push_str(&text);
                (after, true)
            }
            None => {
                decoded.push_str("=?");
                (after, false)
            }
        };
    }
    decoded.push_str(rest);
    decoded
}

fn in_charset(charset: &str, bytes: &[u8]) -> String {
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(encoding_rs::UTF_8);
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_in_all_their_forms() {
        assert_eq!(parameter("text/plain; charset=utf-8", "charset").as_deref(), Some("utf-8"));
        assert_eq!(parameter("a/b; x=1; Boundary=\"a;b\"; y=2", "boundary").as_deref(), Some("a;b"));
        assert_eq!(
            parameter("x; filename*=utf-8''Gr%C3%B6%C3%9Fe.csv", "filename").as_deref(),
            Some("Größe.csv")
        );
        assert_eq!(
            parameter("x; filename*0=long; filename*1=er.txt", "filename").as_deref(),
            Some("longer.txt")
        );
        assert_eq!(parameter("x; name=", "filename"), None);
        assert_eq!(parameter("x", "name"), None);
    }

    #[test]
    fn encoded_words_are_decoded() {
        assert_eq!(decode_words("=?utf-8?Q?Gr=C3=B6=C3=9Fe_x?= =?iso-8859-1?B?5A==?= y"), "Größe xä y");
        assert_eq!(decode_words("a =?broken"), "a =?broken");
    }
}
