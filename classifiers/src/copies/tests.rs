//! Do documents that were made known come back from an index, and nothing else?

use std::sync::Arc;

use super::*;

const KEY: [u8; 32] = [7; 32];

/// Words that are drawn, not written: no two texts share a passage.
fn words(count: usize, mut seed: u64) -> Vec<String> {
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    const SYLLABLES: [&str; 16] = [
        "ra", "no", "ki", "tel", "mo", "san", "du", "per", "li", "gas", "ve", "tor", "an", "esh", "ulo", "bi",
    ];
    let mut word = || (0..2 + next() % 2).map(|_| SYLLABLES[next() % 16]).collect::<String>();
    (0..count).map(|_| word()).collect()
}

fn prose(count: usize, seed: u64) -> String {
    let sentences: Vec<String> = words(count, seed).chunks(12).map(|words| words.join(" ") + ".").collect();
    sentences.chunks(5).map(|paragraph| paragraph.join(" ")).collect::<Vec<_>>().join("\n\n")
}

fn people(rows: usize, seed: u64) -> Vec<[String; 4]> {
    let words = words(rows * 3, seed);
    let row = |(at, words): (usize, &[String])| {
        [
            format!("{} {}", words[0], words[1]),
            format!("{}.{}{at}@acme.example", words[0], words[1]),
            format!("+44 20 79{:02} {:04}", seed % 90, at * 7 % 10_000),
            words[2].clone(),
        ]
    };
    words.chunks(3).enumerate().map(row).collect()
}

fn csv(rows: &[[String; 4]]) -> String {
    let rows = rows.iter().map(|row| row.join(",") + "\n");
    std::iter::once("name,email,phone,title\n".to_owned()).chain(rows).collect()
}

fn bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    // The head of a picture, so that it is media by its type.
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend((0..count).map(|_| next()));
    bytes
}

fn collected(name: &str, bytes: &[u8]) -> Collected {
    let mut known =
        Classifier::default().begin_known(Hints { name, ..Hints::default() }, &IndexKey::new(&KEY));
    known.push(bytes);
    known.finish().0
}

fn add(builder: &mut IndexBuilder, name: &str, bytes: &[u8]) {
    let mut digester = Digester::new(bytes.len() as u64);
    digester.push(bytes);
    let (size_bytes, digests) = digester.finish();
    builder.add(name, size_bytes, digests, &collected(name, bytes)).unwrap();
}

fn written(builder: IndexBuilder) -> Vec<u8> {
    let mut file = Vec::new();
    builder.write([3; 16], &mut file).unwrap();
    file
}

fn index_of(documents: &[(&str, &[u8])]) -> Arc<Index> {
    let mut builder = IndexBuilder::new(IndexKey::new(&KEY));
    documents.iter().for_each(|(name, bytes)| add(&mut builder, name, bytes));
    Arc::new(Index::open(Box::new(written(builder)), IndexKey::new(&KEY)).unwrap())
}

fn matches(index: &Arc<Index>, name: &str, bytes: &[u8]) -> Vec<Match> {
    let classifier = Classifier::default().with_index(Arc::clone(index));
    let found = classifier
        .classify(Hints { name, size_bytes: Some(bytes.len() as u64), ..Hints::default() }, bytes)
        .copies;
    index.health().unwrap();
    found
}

#[test]
fn a_passage_of_fifty_words_is_found_wherever_it_is_pasted() {
    let known = prose(2000, 1);
    let index = index_of(&[("plans/roadmap.md", known.as_bytes())]);
    let passage: Vec<&str> = known.split_whitespace().skip(700).take(50).collect();
    let passage = passage.join(" ");
    let mail = format!(
        "From: a@b.example\nSubject: hello\n\n{}\n\n> {}\n",
        prose(80, 2),
        passage.replace(". ", ".\n> ")
    );
    let html = format!("<html><body><h1>{}</h1><p>{passage}</p></body></html>", prose(10, 3));
    let json = format!(
        "{{\"posts\": [{{\"id\": 1, \"body\": \"{} {}\"}}]}}",
        prose(30, 4).replace('\n', "\\n"),
        passage
    );
    let jsonl = format!("{{\"id\": 1, \"body\": \"x\"}}\n{{\"id\": 2, \"body\": \"{passage}\"}}\n");
    let shouted = passage.to_uppercase().replace(' ', "  \n");
    for (name, text) in
        [("m.eml", mail), ("p.html", html), ("p.json", json), ("p.jsonl", jsonl), ("p.txt", shouted)]
    {
        let found = matches(&index, name, text.as_bytes());
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!((found[0].document.as_str(), found[0].how), ("plans/roadmap.md", How::Words), "{name}");
        assert!(found[0].share < 0.1, "{found:?}");
    }
    assert_eq!(matches(&index, "other.md", prose(2000, 9).as_bytes()), []);
}

#[test]
fn a_copy_that_was_edited_is_found_with_its_share() {
    let known = prose(2000, 1);
    let index = index_of(&[("roadmap.md", known.as_bytes())]);
    let whole = matches(&index, "copy.md", known.as_bytes());
    assert!(whole[0].share == 1.0 && whole[0].from < 16 && whole[0].to > 1984, "{whole:?}");
    let edited: Vec<&str> = known
        .split_whitespace()
        .enumerate()
        .map(|(at, word)| if at % 20 == 7 { "edited" } else { word })
        .collect();
    let found = matches(&index, "edited.md", edited.join(" ").as_bytes());
    assert!((0.3..0.95).contains(&found[0].share), "{found:?}");
}

#[test]
fn twenty_rows_of_a_table_are_found_in_any_order_and_format() {
    let staff = people(500, 1);
    let index = index_of(&[("hr/staff.csv", csv(&staff).as_bytes())]);
    let some: Vec<_> = staff.iter().skip(100).step_by(7).take(20).rev().cloned().collect();
    let mixed: Vec<_> = people(200, 2).into_iter().chain(some.clone()).chain(people(200, 3)).collect();
    let json = |row: &[String; 4]| {
        format!("{{\"mail\": \"{}\", \"name\": \"{}\", \"tel\": \"{}\"}}", row[1], row[0], row[2])
    };
    let lines = some.iter().map(json).collect::<Vec<_>>().join("\n");
    let document = format!("{{\"staff\": [\n{}\n]}}", some.iter().map(json).collect::<Vec<_>>().join(",\n"));
    let values: Vec<String> = some.iter().map(|row| format!("(7,'{}')", row.join("','"))).collect();
    let sql = format!(
        "CREATE TABLE s (id int, a text, b text, c text, d text);\nINSERT INTO s VALUES\n{};\n",
        values.join(",\n")
    );
    for (name, text) in [
        ("s.csv", csv(&some)),
        ("m.csv", csv(&mixed)),
        ("s.jsonl", lines),
        ("s.json", document),
        ("s.sql", sql),
    ] {
        let found = matches(&index, name, text.as_bytes());
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert_eq!((found[0].how, found[0].prints), (How::Rows, 20), "{name}: {found:?}");
    }
    assert_eq!(matches(&index, "o.csv", csv(&people(5000, 5)).as_bytes()), []);
}

#[test]
fn rows_deep_in_a_long_table_are_found() {
    let staff = people(100, 1);
    let index = index_of(&[("hr/staff.csv", csv(&staff).as_bytes())]);
    let long: Vec<_> =
        people(30_000, 2).into_iter().chain(staff.into_iter().take(40)).chain(people(500, 3)).collect();
    let found = matches(&index, "long.csv", csv(&long).as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].prints > 30 && found[0].from > 30_000, "{found:?}");
}

#[test]
fn binary_files_are_found_inside_of_others() {
    let logo = bytes(60_000, 1);
    let index = index_of(&[("scan.png", &logo)]);
    let mut tar = vec![0_u8; 512];
    tar[..8].copy_from_slice(b"pics.raw");
    tar[124..136].copy_from_slice(format!("{:011o}\0", logo.len()).as_bytes());
    tar[156] = b'0';
    tar[257..265].copy_from_slice(b"ustar\x0000");
    tar[148..156].copy_from_slice(b"        ");
    let sum: u32 = tar.iter().map(|byte| u32::from(*byte)).sum();
    tar[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    tar.extend_from_slice(&logo);
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    for (name, file) in
        [("a.png", logo.clone()), ("a.bin", [&b"\x01\x02\x03"[..], &logo].concat()), ("a.tar", tar)]
    {
        let found = matches(&index, name, &file);
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        assert!(found[0].how == How::Pieces && found[0].share > 0.8, "{name}: {found:?}");
    }
    assert_eq!(matches(&index, "b.png", &bytes(60_000, 2)), []);
}

#[test]
fn what_unrelated_documents_share_is_boilerplate_and_what_drafts_share_is_not() {
    let signature = prose(60, 77);
    let documents: Vec<String> = (0..4).map(|seed| prose(600, 100 + seed) + "\n\n" + &signature).collect();
    let drafts: Vec<String> =
        (0..4).map(|draft| prose(900, 200) + "\n\n" + &prose(60, 300 + draft)).collect();
    let names: Vec<String> = (0..4).map(|at| format!("{at}.txt")).collect();
    let all = names.iter().zip(&documents).chain(names.iter().zip(&drafts));
    let all: Vec<(&str, &[u8])> = all.map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let index = index_of(&all);
    assert_eq!(matches(&index, "mail.txt", format!("{}\n\n{signature}", prose(100, 900)).as_bytes()), []);
    let found = matches(&index, "draft.txt", drafts[2].as_bytes());
    assert_eq!(found.len(), 1, "drafts explain each other: {found:?}");
    assert_eq!((found[0].number, found[0].share), (6, 1.0));
}

#[test]
fn text_that_is_said_to_be_boilerplate_is_not_known() {
    let (disclaimer, plan) = (prose(120, 1), prose(600, 2));
    let mut builder = IndexBuilder::new(IndexKey::new(&KEY));
    builder.add_boilerplate(&collected("disclaimer.txt", disclaimer.as_bytes()));
    add(&mut builder, "plan.txt", format!("{plan}\n\n{disclaimer}").as_bytes());
    let index = Arc::new(Index::open(Box::new(written(builder)), IndexKey::new(&KEY)).unwrap());
    assert_eq!(matches(&index, "mail.txt", format!("hello\n\n{disclaimer}").as_bytes()), []);
    assert_eq!(matches(&index, "plan.txt", plan.as_bytes()).len(), 1);
    // Also after more was added.
    let mut more = IndexBuilder::from_index(&index);
    add(&mut more, "other.txt", format!("{}\n\n{disclaimer}", prose(600, 3)).as_bytes());
    let index = Arc::new(Index::open(Box::new(written(more)), IndexKey::new(&KEY)).unwrap());
    assert_eq!(matches(&index, "mail.txt", format!("hello\n\n{disclaimer}").as_bytes()), []);
    assert!(matches(&index, "plan.txt", plan.as_bytes())[0].share > 0.9);
    assert_eq!(matches(&index, "o.txt", prose(600, 3).as_bytes())[0].number, 1);
}

#[test]
fn listings_name_a_known_document_by_its_size_and_digest() {
    let (one, other) = (prose(300, 1), prose(300, 2));
    let index = index_of(&[("one.txt", one.as_bytes()), ("other.txt", other.as_bytes())]);
    let mut digester = Digester::new(other.len() as u64);
    digester.push(other.as_bytes());
    let (size_bytes, digests) = digester.finish();
    assert!(index.has_size(size_bytes) && !index.has_size(size_bytes + 1));
    for digest in digests {
        assert_eq!(index.by_digest(size_bytes, &digest), [1], "{digest:?}");
        assert!(index.by_digest(size_bytes + 1, &digest).is_empty());
    }
    assert!(index.by_digest(size_bytes, &Digest::Crc32c(7)).is_empty());
    let mut named = index.documents().map(|document| document.name);
    assert_eq!(
        (named.next().as_deref(), named.next().as_deref(), named.next()),
        (Some("one.txt"), Some("other.txt"), None)
    );
}

#[test]
fn a_wrong_key_and_a_damaged_index_are_errors_not_empty_results() {
    let mut builder = IndexBuilder::new(IndexKey::new(&KEY));
    add(&mut builder, "roadmap.md", prose(600, 1).as_bytes());
    let file = written(builder);
    let open = |file: &[u8], key: u8| Index::open(Box::new(file.to_vec()), IndexKey::new(&[key; 32]));
    assert_eq!(open(&file, 8).unwrap_err(), IndexError::WrongKey);
    assert_eq!(open(&file[..file.len() - 1], 7).unwrap_err(), IndexError::Damaged);
    assert_eq!(open(b"", 7).unwrap_err(), IndexError::NotAnIndex);
    assert_eq!(open(prose(2000, 1).as_bytes(), 7).unwrap_err(), IndexError::NotAnIndex);
    for at in (0..file.len()).step_by(997).chain([9, 60, 100]) {
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        let Ok(index) = open(&changed, 7) else { continue };
        let index = Arc::new(index);
        let classifier = Classifier::default().with_index(Arc::clone(&index));
        let text = prose(600, 1);
        let found = classifier.classify(Hints::default(), text.as_bytes()).copies;
        let whole = found.len() == 1 && found[0].share == 1.0 && index.documents().count() == 1;
        // What is padding may change; nothing else goes unnoticed.
        assert!(index.health().is_err() || whole, "byte {at}");
    }
}

#[test]
fn an_index_shows_nothing_of_its_documents() {
    let mut builder = IndexBuilder::new(IndexKey::new(&KEY));
    let staff = people(50, 1);
    add(&mut builder, "hr/confidential-layoffs.csv", csv(&staff).as_bytes());
    let file = written(builder);
    let shown = |needle: &[u8]| memchr::memmem::find(&file, needle).is_some();
    assert!(!shown(b"layoffs") && !shown(b"acme.example"));
    let mut digester = Digester::new(0);
    digester.push(csv(&staff).as_bytes());
    for digest in digester.finish().1 {
        let bytes = match digest {
            Digest::Md5(bytes) => bytes.to_vec(),
            Digest::Sha256(bytes) => bytes.to_vec(),
            Digest::Crc64Nvme(crc) => crc.to_le_bytes().to_vec(),
            _ => continue,
        };
        assert!(!shown(&bytes), "{digest:?}");
    }
}

#[test]
fn a_document_deep_in_a_long_text_is_found() {
    let known = prose(6000, 1);
    let index = index_of(&[("plan.md", known.as_bytes())]);
    let long = [prose(200_000, 2), known, prose(3000, 3)].join("\n\n");
    let found = matches(&index, "long.txt", long.as_bytes());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].share > 0.2, "{found:?}");
}
