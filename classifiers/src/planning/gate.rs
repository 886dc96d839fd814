//! Is a text prose at all, and is it English? Asked of a few kilobytes, before anything that costs.

use crate::Category;

use super::Judgement;

/// The languages that matter to the model: the one it knows, and the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// English by its function words.
    English,
    /// Anything else.
    Other,
}

/// Whether a text reads like prose: mostly letters, few digits and little punctuation of code or data, words in lines that
/// are not mostly of a program.
pub(super) fn is_prose(sample: &str) -> bool {
    let lines = || sample.lines().map(str::trim).filter(|line| !line.is_empty());
    if lines().filter(|line| is_code(line)).count() * 4 > lines().count() {
        return false;
    }
    let (mut letters, mut digits, mut code, mut marks, mut blanks) = (0_u32, 0_u32, 0_u32, 0_u32, 0_u32);
    for c in sample.chars() {
        match c {
            'a'..='z' | 'A'..='Z' => letters += 1,
            '0'..='9' => digits += 1,
            '{' | '}' | ';' | '=' | '<' | '>' | '\\' | '"' | '$' | '&' | '@' | '\t' => code += 1,
            ' ' | '\n' => blanks += 1,
            '\r' => {}
            c if c.is_alphabetic() => letters += 1,
            _ => marks += 1,
        }
    }
    let solid = f64::from((letters + digits + code + marks).max(1));
    let words = sample.split_whitespace().filter(|word| word.chars().all(char::is_alphabetic)).count();
    let all = sample.split_whitespace().count().max(1);
    // Languages without blanks between words have few words and no use for the second half of the rule.
    let spaced = f64::from(blanks) / solid > 0.08 && words as f64 / all as f64 > 0.35;
    let wide = sample.chars().filter(|c| !c.is_ascii()).count() as f64 > 0.3 * solid;
    f64::from(letters) / solid > 0.68
        && f64::from(digits) / solid < 0.14
        && f64::from(code) / solid < 0.07
        && (spaced || wide)
}

/// Whether a line is one of a program, a setting or what a compiler prints.
fn is_code(line: &str) -> bool {
    const STARTS: [&str; 12] =
        ["//", "/*", "#include", "#[", "#!", "import ", "use ", "package ", "pub ", "--> ", "| ^", "= note:"];
    STARTS.iter().any(|start| line.starts_with(start))
        || line.ends_with([';', '{', '}', '('])
        || line.contains(" = ")
}

/// English has its function words everywhere: in running text one word in four, in terse lists still one in thirty.
pub(super) fn language(text: &str) -> Language {
    let (mut function_words, mut words, mut foreign) = (0_u32, 0_u32, 0_u32);
    for word in text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).take(4_000) {
        words += 1;
        foreign += u32::from(!word.is_ascii());
        function_words += u32::from(matches!(
            word.to_ascii_lowercase().as_str(),
            "the"
                | "of"
                | "and"
                | "to"
                | "in"
                | "for"
                | "is"
                | "on"
                | "with"
                | "be"
                | "this"
                | "as"
                | "are"
                | "will"
                | "that"
                | "or"
                | "by"
                | "it"
                | "from"
                | "we"
                | "not"
                | "can"
                | "our"
                | "should"
        ));
    }
    let words = f64::from(words.max(1));
    if f64::from(function_words) / words < 0.05 || f64::from(foreign) / words > 0.25 {
        Language::Other
    } else {
        Language::English
    }
}

/// Sentences of public licences and of the code of conduct that projects copy, which rule like a policy and are nobody's
/// secret.
const LICENCES: [&str; 19] = [
    "permission is hereby granted, free of charge",
    "redistribution and use in source and binary forms",
    "permission to use, copy, modify, and/or distribute",
    "permission to use, copy, modify and distribute",
    "terms and conditions for use, reproduction, and distribution",
    "everyone is permitted to copy and distribute verbatim copies",
    "mozilla public license version",
    "apache license version 2.0, january 2004",
    "eclipse public license - v",
    "terms of this eclipse public license",
    "common development and distribution license",
    "boost software license - version",
    "business source license",
    "guido van rossum at stichting mathematisch centrum",
    "this software is provided 'as-is', without any express or implied warranty",
    "gnu lesser general public license version",
    "contributor covenant code of conduct",
    "sil open font license",
    "this work is licensed under a creative commons",
];

/// Whether a text opens as a public licence does.
pub(super) fn is_licence(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().take(400).map(str::to_lowercase).collect();
    let opening = words.join(" ");
    LICENCES.iter().any(|sentence| opening.contains(sentence))
}

/// Names that plans give themselves in other languages, in their heading.
const FOREIGN_PLANS: [&str; 14] = [
    "roadmap",
    "дорожная карта",
    "план развития",
    "路线图",
    "路線圖",
    "ロードマップ",
    "로드맵",
    "hoja de ruta",
    "feuille de route",
    "fahrplan",
    "meilenstein",
    "jalons",
    "roteiro",
    "tabella di marcia",
];

/// A guess, and called one: the first lines name a plan in a language that the model has not learned.
pub(super) fn foreign_plan(text: &str) -> Option<Judgement> {
    let opening: String = text.chars().take(400).flat_map(char::to_lowercase).collect();
    FOREIGN_PLANS.iter().any(|name| opening.contains(name)).then(|| Judgement {
        category: Category::Roadmap,
        confidence: 0.4,
        because: vec![
            "its first lines call it a roadmap in a language that the model has not learned".to_owned(),
        ],
    })
}
