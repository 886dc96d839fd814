//! How does text that strangers wrote get into a page? Escaped, and by no other way.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A page being written. Markup is only what stands in this program (`&'static str`); everything else goes through
/// [`Self::text`], between tags and between double quotes alike.
pub(super) struct Page(String);

impl Page {
    pub(super) fn new() -> Self {
        Self(String::new())
    }

    /// Markup of ours.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text from outside. Characters that turn the direction of text around or cannot be seen are replaced: they would
    /// make a name show as another.
    pub(super) fn text(&mut self, outside: &str) -> &mut Self {
        for c in outside.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c if deceives(c) => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
        self
    }

    /// A name or a command from outside, in a type that tells apart what looks alike.
    pub(super) fn code(&mut self, outside: &str) -> &mut Self {
        self.raw("<code>").text(outside).raw("</code>")
    }

    /// A sentence from outside, in which what stands between backticks is a name.
    pub(super) fn prose(&mut self, outside: &str) -> &mut Self {
        let mut rest = outside;
        while let Some((before, (name, after))) =
            rest.split_once('`').and_then(|(before, after)| Some((before, after.split_once('`')?)))
        {
            self.text(before).code(name);
            rest = after;
        }
        self.text(rest)
    }

    /// Commands to paste, each on a line of its own.
    pub(super) fn commands(&mut self, lines: &[&str]) -> &mut Self {
        self.raw("<pre><code>");
        for (place, line) in lines.iter().enumerate() {
            self.raw(if place == 0 { "" } else { "\n" }).text(line);
        }
        self.raw("</code></pre>\n")
    }

    /// A count, in groups of three digits.
    pub(super) fn number(&mut self, number: u64) -> &mut Self {
        let digits = number.to_string();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                self.0.push(',');
            }
            self.0.push(digit);
        }
        self
    }

    /// A count in a table, where none is a dash.
    pub(super) fn some(&mut self, number: u64) -> &mut Self {
        if number == 0 { self.raw("–") } else { self.number(number) }
    }

    /// A count and its noun, of which the plural takes an s.
    pub(super) fn counted(&mut self, number: u64, noun: &'static str) -> &mut Self {
        self.number(number).raw(" ").raw(noun).raw(if number == 1 { "" } else { "s" })
    }

    /// A time as stated, RFC 3339, to the minute in UTC.
    pub(super) fn time(&mut self, stated: &str) -> &mut Self {
        let Ok(time) = OffsetDateTime::parse(stated, &Rfc3339) else { return self.text(stated) };
        let time = time.to_offset(time::UtcOffset::UTC);
        let (hour, minute) = (time.hour(), time.minute());
        self.raw("<time datetime=\"").text(stated).raw("\">");
        self.text(&format!("{} {hour:02}:{minute:02}", time.date())).raw("</time>")
    }

    /// A size in bytes, to three digits.
    pub(super) fn size(&mut self, bytes: u64) -> &mut Self {
        let mut value = bytes as f64;
        for unit in ["bytes", "kB", "MB", "GB", "TB"] {
            if value < 999.5 || unit == "TB" {
                let decimals = usize::from(unit != "bytes" && value < 99.95);
                return self.text(&format!("{value:.decimals$} {unit}"));
            }
            value /= 1000.0;
        }
        self
    }

    /// Writes a piece, and takes it back where the page would be longer than so many bytes; returns whether it stands.
    pub(super) fn within(&mut self, bytes_max: usize, piece: impl FnOnce(&mut Self)) -> bool {
        let before = self.0.len();
        piece(self);
        let fits = self.0.len() <= bytes_max;
        if !fits {
            self.0.truncate(before);
        }
        fits
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

/// Control, bidirectional and invisible characters.
fn deceives(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Page)) -> String {
        let mut page = Page::new();
        write(&mut page);
        page.0
    }

    #[test]
    fn text_from_outside_is_no_markup() {
        let hostile = "\"><script>alert('x')</script>&\u{202e}\u{0}";
        let text = written(|page| {
            page.text(hostile);
        });
        assert_eq!(text, "&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;\u{fffd}\u{fffd}");
    }

    #[test]
    fn names_in_sentences_are_code_and_nothing_else_is() {
        let said = written(|page| {
            page.prose("grant `<b>` to `x`; a lone ` stays");
        });
        assert_eq!(said, "grant <code>&lt;b&gt;</code> to <code>x</code>; a lone ` stays");
    }

    #[test]
    fn numbers_sizes_and_times_are_as_people_read_them() {
        let said = |number| {
            written(|page| {
                page.number(number);
            })
        };
        assert_eq!([0, 999, 1_000, 1_234_567].map(said), ["0", "999", "1,000", "1,234,567"]);
        let said = |bytes| {
            written(|page| {
                page.size(bytes);
            })
        };
        assert_eq!(
            [0, 999, 1_500, 74_491, 150_000_000].map(said),
            ["0 bytes", "999 bytes", "1.5 kB", "74.5 kB", "150 MB"]
        );
        let time = written(|page| {
            page.time("2026-11-20T03:20:32+01:00");
        });
        assert!(time.ends_with(">2026-11-20 02:20</time>"), "{time}");
    }

    #[test]
    fn a_piece_that_does_not_fit_leaves_no_trace() {
        let mut page = Page::new();
        assert!(page.within(5, |page| {
            page.text("12345");
        }));
        assert!(!page.within(5, |page| {
            page.text("6");
        }));
        assert_eq!(page.0, "12345");
    }
}
