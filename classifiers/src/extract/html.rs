//! What does a page say, and which tables does it show?

use super::markup::{Token, Tokenizer};
use super::prose::Prose;
use super::{Reader, Work};

/// Elements that begin and end on lines of their own.
const BLOCKS: &[&str] = &[
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "caption",
    "dd",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "title",
    "ul",
];

/// A page being read.
#[derive(Debug)]
pub(super) struct Html {
    tokenizer: Tokenizer,
    prose: Prose,
}

impl Default for Html {
    fn default() -> Self {
        Self { tokenizer: Tokenizer::html(), prose: Prose::default() }
    }
}

impl Reader for Html {
    fn push(&mut self, bytes: &[u8], work: &mut Work<'_>) {
        let prose = &mut self.prose;
        self.tokenizer.push(bytes, &mut |token| take(token, prose, work));
    }

    fn finish(&mut self, work: &mut Work<'_>) {
        let prose = &mut self.prose;
        self.tokenizer.finish(&mut |token| take(token, prose, work));
        self.prose.finish(work);
    }
}

fn take(token: Token<'_>, prose: &mut Prose, work: &mut Work<'_>) {
    match token {
        Token::Text(text) => prose.flowing_text(text, work),
        Token::Open { name, attributes, .. } => match name {
            "table" => {
                prose.line(work);
                prose.open_table(work);
            }
            "tr" => prose.open_row(work),
            "td" | "th" => prose.open_cell(),
            // Values of forms and addresses behind links are not shown, and are there all the same.
            "input" | "meta" => {
                hidden(attributes.get(if name == "meta" { "content" } else { "value" }), prose, work)
            }
            "a" => hidden(attributes.get("href").filter(|target| is_contact(target)), prose, work),
            _ if BLOCKS.contains(&name) => prose.line(work),
            _ => {}
        },
        Token::Close { name } => match name {
            "table" => prose.close_table(work),
            "tr" => prose.close_row(work),
            "td" | "th" => prose.close_cell(),
            _ if BLOCKS.contains(&name) => prose.line(work),
            _ => {}
        },
    }
}

fn is_contact(target: &str) -> bool {
    target.starts_with("mailto:") || target.starts_with("tel:")
}

fn hidden(value: Option<std::borrow::Cow<'_, str>>, prose: &mut Prose, work: &mut Work<'_>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        prose.flowing_text(&value, work);
        prose.flowing_text(" ", work);
    }
}

#[cfg(test)]
mod tests {
    use crate::content_type::ContentType;
    use crate::extract::tests::seen;

    #[test]
    fn text_flows_and_tables_become_rows() {
        let page = "<!doctype html><title>Staff</title><style>p{}</style><h1>All\n people</h1><p>see <b>be</b>low\
                    <table><tr><th>Name<th>Mail<tr><td>Ada<td><a href='mailto:ada@a.example'>write</a></table>end";
        let (kind, seen) = seen(page.as_bytes());
        assert_eq!(kind, ContentType::Html);
        assert_eq!(seen.text, "Staff\nAll people\nsee below\nend");
        assert_eq!(seen.rows, ["table 1#1: Name|Mail", "table 1#2: Ada|mailto:ada@a.example write"]);
    }

    #[test]
    fn scripts_and_unclosed_tags_hide_no_text_after_them() {
        let (_, seen) = seen(b"<html><script>var a = '<p>no';</script>yes <br>5 < 6 <p class='x'>more");
        assert_eq!(seen.text, "yes \n5 < 6 \nmore");
    }
}
