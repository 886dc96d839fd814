//! How many copies are found under each disguise, and how many that are none? Generated documents, tables and binaries; what looks
//! like them shares signatures, templates, licences, columns, titles and cities with them.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use spillwatch_classifiers::copies::{Digester, Index, IndexBuilder};
use spillwatch_classifiers::{Classifier, Hints};

use crate::generated::{Random, add, csv, key, opened, people, prose, word};

const DOCUMENTS: usize = 300;
const TABLES: usize = 150;
const BINARIES: usize = 60;
const NEGATIVES: usize = 10_000;
const TEMPLATE: &str = "Project charter\n\nPurpose of this document and who should read it:\n\nScope, milestones and owners by quarter:\n\nRisks and how we will handle them:\n\nApproved by the steering committee on the date above.\n\n";
const LICENCE: &str = "Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the \"Software\"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so.";

struct Corpus {
    documents: Vec<String>,
    tables: Vec<Vec<Vec<String>>>,
    binaries: Vec<Vec<u8>>,
    signature: String,
}

/// Hits, misses and reports of other documents.
#[derive(Default)]
struct Score {
    tried: u32,
    found: u32,
    wrong: u32,
}

pub(crate) fn report() -> anyhow::Result<()> {
    let mut random = Random(2026);
    let corpus = Corpus::generate(&mut random);
    let index = corpus.index()?;
    println!("{} documents, {} prints, {} bytes", index.len(), index.prints(), index.size_bytes());
    let classifier = Classifier::default().with_index(Arc::clone(&index));
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut order = Vec::new();
    let mut try_one = |disguise: &str, number: usize, name: &str, bytes: &[u8]| {
        let hints = Hints { name, size_bytes: Some(bytes.len() as u64), ..Hints::default() };
        let found = classifier.classify(hints, bytes).copies;
        if !scores.contains_key(disguise) {
            order.push(disguise.to_owned());
        }
        let score = scores.entry(disguise.to_owned()).or_default();
        let right = found.iter().filter(|copy| copy.number as usize == number).count() as u32;
        score.tried += 1;
        score.found += u32::from(right > 0);
        score.wrong += found.len() as u32 - right;
    };
    for (number, text) in corpus.documents.iter().enumerate() {
        for (disguise, name, bytes) in disguised(text, &mut random) {
            try_one(disguise, number, name, &bytes);
        }
    }
    for (number, rows) in corpus.tables.iter().enumerate() {
        for (disguise, name, bytes) in disguised_table(rows, &mut random) {
            try_one(disguise, DOCUMENTS + number, name, &bytes);
        }
    }
    for (number, binary) in corpus.binaries.iter().enumerate() {
        let number = DOCUMENTS + TABLES + number;
        try_one("binary: as it is", number, "a.png", binary);
        try_one(
            "binary: 1,000 bytes put before it",
            number,
            "a.bin",
            &[&bytes(1000, &mut random)[..], binary].concat(),
        );
        try_one("binary: its second half", number, "half.bin", &binary[binary.len() / 2..]);
    }
    println!("{:52} {:>6} {:>8} {:>10}", "disguise", "tried", "recall", "precision");
    for disguise in order {
        let Score { tried, found, wrong } = scores[&disguise];
        let precision = f64::from(found) / f64::from((found + wrong).max(1));
        println!("{disguise:52} {tried:>6} {:>8.3} {precision:>10.4}", f64::from(found) / f64::from(tried));
    }
    let Score { tried, found, wrong } = exact(&corpus, &index);
    let precision = f64::from(found) / f64::from((found + wrong).max(1));
    println!(
        "{:52} {tried:>6} {:>8.3} {precision:>10.4}",
        "exact, by every digest that a listing may state",
        f64::from(found) / f64::from(tried),
    );
    let wrong = negatives(&classifier, &corpus, &mut random);
    println!("false matches on {NEGATIVES} hard negatives: {}", wrong.len());
    for name in wrong.iter().take(5) {
        println!("  {name}");
    }
    index.health()?;
    Ok(())
}

impl Corpus {
    fn generate(random: &mut Random) -> Self {
        let signature = prose(70, random);
        let document = |number: usize, random: &mut Random| {
            let words = 150 + random.below(2500);
            let mut text = prose(words, random);
            // Some carry what others carry too.
            if number.is_multiple_of(10) {
                text = format!("{TEMPLATE}{text}\n\n{signature}");
            }
            if number.is_multiple_of(25) {
                text = format!("{text}\n\n{LICENCE}\n");
            }
            text
        };
        let documents = (0..DOCUMENTS).map(|number| document(number, random)).collect();
        let tables = (0..TABLES).map(|_| people(40 + random.below(800), random)).collect();
        let binaries = (0..BINARIES).map(|_| picture(20_000 + random.below(200_000), random)).collect();
        Self { documents, tables, binaries, signature }
    }

    fn files(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        let documents =
            self.documents.iter().enumerate().map(|(n, text)| (format!("{n}.md"), text.clone().into_bytes()));
        let tables =
            self.tables.iter().enumerate().map(|(n, rows)| (format!("{n}.csv"), csv(rows).into_bytes()));
        let binaries = self.binaries.iter().enumerate().map(|(n, bytes)| (format!("{n}.png"), bytes.clone()));
        documents.chain(tables).chain(binaries)
    }

    fn index(&self) -> anyhow::Result<Arc<Index>> {
        let mut builder = IndexBuilder::new(key());
        for (name, bytes) in self.files() {
            add(&mut builder, &name, &bytes)?;
        }
        opened(builder)
    }
}

fn bytes(count: usize, random: &mut Random) -> Vec<u8> {
    (0..count).map(|_| random.next() as u8).collect()
}

fn picture(count: usize, random: &mut Random) -> Vec<u8> {
    [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &bytes(count, random)].concat()
}

type Disguised = (&'static str, &'static str, Vec<u8>);

fn disguised(text: &str, random: &mut Random) -> Vec<Disguised> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let edited = |share: usize, random: &mut Random| {
        let edit =
            |word: &&str| if random.below(100) < share { self::word(random) } else { (*word).to_owned() };
        words.iter().map(edit).collect::<Vec<_>>().join(" ").into_bytes()
    };
    let paragraphs: Vec<&str> = text.split("\n\n").collect();
    let shuffled = {
        let mut paragraphs = paragraphs.clone();
        for at in (1..paragraphs.len()).rev() {
            paragraphs.swap(at, random.below(at + 1));
        }
        paragraphs.join("\n\n").into_bytes()
    };
    let from = random.below(words.len() - 50);
    let excerpt = |count: usize| words[from..(from + count).min(words.len())].join(" ");
    let pasted = format!("{}\n\n{}\n\n{}", prose(200, random), excerpt(50), prose(200, random));
    let html: String = paragraphs
        .iter()
        .map(|p| format!("<p class=\"x\">{}</p>\n", p.replace("the ", "<b>the</b> ")))
        .collect();
    let json = serde_json::json!({"id": 7, "body": text, "tags": ["x"]}).to_string();
    let quoted: String = text.lines().map(|line| format!("> {line}\r\n")).collect();
    let mail = format!(
        "From: a@b.example\r\nSubject: FW\r\nContent-Type: text/plain\r\n\r\nsee below\r\n\r\n{quoted}"
    );
    let odd: String = text
        .split(' ')
        .map(|word| {
            if random.below(3) == 0 {
                word.to_uppercase()
            } else {
                word.replace("fi", "\u{fb01}").replace('a', "a\u{ad}")
            }
        })
        .collect::<Vec<_>>()
        .join(" \u{a0} ");
    vec![
        ("text: as it is", "a.txt", text.as_bytes().to_vec()),
        ("text: HTML", "a.html", format!("<html><body>{html}</body></html>").into_bytes()),
        ("text: inside JSON", "a.json", json.into_bytes()),
        ("text: quoted in a mail", "a.eml", mail.into_bytes()),
        ("text: gzip", "a.gz", gzip(text.as_bytes())),
        (
            "text: UTF-16, case, ligatures, soft hyphens",
            "a.txt",
            odd.encode_utf16().fold(vec![0xff, 0xfe], |mut all, unit| {
                all.extend(unit.to_le_bytes());
                all
            }),
        ),
        ("text: first third", "a.txt", words[..words.len() / 3].join(" ").into_bytes()),
        ("text: paragraphs shuffled", "a.txt", shuffled),
        ("text: 1 % of words edited", "a.txt", edited(1, random)),
        ("text: 5 % of words edited", "a.txt", edited(5, random)),
        ("text: 20 % of words edited", "a.txt", edited(20, random)),
        ("text: 50 words pasted among 400 others", "a.txt", pasted.into_bytes()),
    ]
}

fn disguised_table(rows: &[Vec<String>], random: &mut Random) -> Vec<Disguised> {
    let mut shuffled = rows.to_vec();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, random.below(at + 1));
    }
    let some = &shuffled[..20];
    let among = |count: usize, random: &mut Random| {
        let mut all: Vec<Vec<String>> = people(count, random);
        for row in some {
            let at = random.below(all.len());
            all.insert(at, row.clone());
        }
        csv(&all).into_bytes()
    };
    let turned = |row: &Vec<String>| {
        vec![row[2].clone(), row[4].clone(), row[0].clone(), row[1].clone(), row[3].clone()]
    };
    let without = |row: &Vec<String>| vec![row[1].clone(), row[2].clone()];
    let json: Vec<String> = some
        .iter()
        .map(|row| {
            serde_json::json!({"tel": row[2], "mail": row[1], "who": row[0], "role": row[3]}).to_string()
        })
        .collect();
    let sql: Vec<String> = some
        .iter()
        .map(|row| format!("({})", row.iter().map(|cell| format!("'{cell}'")).collect::<Vec<_>>().join(",")))
        .collect();
    vec![
        ("table: rows shuffled", "a.csv", csv(&shuffled).into_bytes()),
        (
            "table: columns in another order",
            "a.csv",
            csv(&shuffled.iter().map(turned).collect::<Vec<_>>()).into_bytes(),
        ),
        ("table: 20 rows", "a.csv", csv(some).into_bytes()),
        (
            "table: 20 rows, two columns of five",
            "a.csv",
            csv(&some.iter().map(without).collect::<Vec<_>>()).into_bytes(),
        ),
        ("table: 20 rows as JSON Lines", "a.jsonl", (json.join("\n") + "\n").into_bytes()),
        ("table: 20 rows as one JSON document", "a.json", format!("[{}]", json.join(",\n")).into_bytes()),
        (
            "table: 20 rows as SQL",
            "a.sql",
            format!("CREATE TABLE s (a text);\nINSERT INTO s VALUES\n{};\n", sql.join(",\n")).into_bytes(),
        ),
        ("table: 20 rows among 500 others", "a.csv", among(500, random)),
        ("table: 20 rows among 5,000 others", "a.csv", among(5000, random)),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

/// Every digest of every file, which must name it alone, and of the same with one byte changed, which must name nothing.
fn exact(corpus: &Corpus, index: &Index) -> Score {
    let mut score = Score::default();
    for (number, (_, mut bytes)) in corpus.files().enumerate() {
        let number = number as u32;
        for changed in [false, true] {
            if changed {
                bytes[0] ^= 1;
            }
            let mut digester = Digester::new(bytes.len() as u64);
            digester.push(&bytes);
            let (size_bytes, digests) = digester.finish();
            for digest in digests {
                let named = index.by_digest(size_bytes, &digest);
                let right = named.iter().filter(|named| !changed && **named == number).count() as u32;
                score.tried += u32::from(!changed);
                score.found += right;
                score.wrong += named.len() as u32 - right;
            }
        }
    }
    score
}

fn negatives(classifier: &Classifier, corpus: &Corpus, random: &mut Random) -> Vec<String> {
    let mut wrong = Vec::new();
    for number in 0..NEGATIVES {
        let words = 100 + random.below(600);
        let (name, bytes) = match number % 5 {
            0 => ("signature.txt", format!("{}\n\n{}", prose(words, random), corpus.signature).into_bytes()),
            1 => ("template.txt", format!("{TEMPLATE}{}", prose(words, random)).into_bytes()),
            2 => ("licence.txt", format!("{}\n\n{LICENCE}", prose(words, random)).into_bytes()),
            3 => ("people.csv", csv(&people(words, random)).into_bytes()),
            _ => ("picture.png", picture(10 * words, random)),
        };
        let hints = Hints { name, size_bytes: Some(bytes.len() as u64), ..Hints::default() };
        let found = classifier.classify(hints, &bytes).copies;
        wrong.extend(found.first().map(|copy| format!("{name}: {copy:?}")));
    }
    wrong
}
