//! Are tokens the same however a document is cut, and bounded however it is written?

use proptest::prelude::*;

use super::*;

fn tokens(tokenizer: Tokenizer, pieces: &[&[u8]]) -> Vec<String> {
    let mut tokenizer = tokenizer;
    let mut found: Vec<String> = Vec::new();
    let mut text = false;
    let mut write = |token: Token<'_>| match token {
        Token::Open { name, attributes, empty } => {
            found.push(format!("<{name}{}{}>", attributes.0, if empty { "/" } else { "" }));
            text = false;
        }
        Token::Close { name } => {
            found.push(format!("</{name}>"));
            text = false;
        }
        Token::Text(piece) => {
            if std::mem::replace(&mut text, true) {
                found.last_mut().unwrap().push_str(piece);
            } else {
                found.push(piece.to_owned());
            }
        }
    };
    for piece in pieces {
        tokenizer.push(piece, &mut write);
    }
    tokenizer.finish(&mut write);
    found
}

fn xml(document: &str) -> Vec<String> {
    tokens(Tokenizer::xml(), &[document.as_bytes()])
}

#[test]
fn tags_text_and_character_data() {
    assert_eq!(
        xml("<?xml v?><!-- <no> --><w:a b='>'>x &lt; &#65;<c/><![CDATA[<&amp;]]></w:a>"),
        ["<a b='>'>", "x < A", "<c/>", "<&amp;", "</a>"]
    );
}

#[test]
fn doctypes_are_passed_over() {
    assert_eq!(xml("<!DOCTYPE a [<!ENTITY b \"<c>\">]><a>&b;</a>"), ["<a>", "&b;", "</a>"]);
}

#[test]
fn scripts_are_no_text_in_html() {
    let found = tokens(Tokenizer::html(), &[b"<P>a<script>if (a<b) {'<p>'}</SCRIPT>b<br>c < d"]);
    assert_eq!(found, ["<p>", "a", "<script>", "</script>", "b", "<br>", "c < d"]);
}

#[test]
fn attributes_are_found_by_local_name() {
    let attributes = Attributes(" a='1' x:id = \"two &amp; three\" checked n=4");
    assert_eq!(attributes.get("id").as_deref(), Some("two & three"));
    assert_eq!(attributes.get("checked").as_deref(), Some(""));
    assert_eq!(attributes.get("n").as_deref(), Some("4"));
    assert_eq!(attributes.get("m"), None);
    assert_eq!(Attributes(" a='open").get("b"), None);
}

#[test]
fn brackets_without_end_take_linear_time() {
    let started = std::time::Instant::now();
    for piece in ["<a", "<a'", "<a\"", "<!--", "<![CDATA[", "&", "<!DOCTYPE["] {
        let document = piece.repeat((2 << 20) / piece.len());
        tokens(Tokenizer::xml(), &document.as_bytes().chunks(64 << 10).collect::<Vec<_>>());
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn long_text_comes_in_pieces_that_end_between_words() {
    let document = "word &amp; ".repeat(20_000);
    let mut longest = 0;
    let mut all = String::new();
    let mut tokenizer = Tokenizer::xml();
    let mut write = |token: Token<'_>| {
        if let Token::Text(text) = token {
            longest = longest.max(text.len());
            all.push_str(text);
        }
    };
    for piece in document.as_bytes().chunks(1000) {
        tokenizer.push(piece, &mut write);
    }
    tokenizer.finish(&mut write);
    assert_eq!(all, "word & ".repeat(20_000));
    assert!(longest < 2 * TEXT_BYTES_MAX, "{longest}");
}

proptest! {
    #[test]
    fn cutting_a_document_changes_nothing(document in "(<[ab!?/]|>|a|é|-->|<!--|]]>|<!\\[CDATA\\[|&amp;|\"|'| ){0,40}", cut in 0_usize..60) {
        let bytes = document.as_bytes();
        let (head, tail) = bytes.split_at(cut.min(bytes.len()));
        for tokenizer in [Tokenizer::xml, Tokenizer::html] {
            prop_assert_eq!(tokens(tokenizer(), &[head, tail]), tokens(tokenizer(), &[bytes]));
        }
    }
}
