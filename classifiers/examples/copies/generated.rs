//! Documents and tables that are drawn from a seed: no two share a passage or a row but by intent.

use std::sync::Arc;

use spillwatch_classifiers::copies::{Collected, Digester, Index, IndexBuilder, IndexKey};
use spillwatch_classifiers::{Classifier, Hints};

/// Any key will do.
pub(crate) fn key() -> IndexKey {
    IndexKey::new(&[42; 32])
}

/// SplitMix64.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }
}

const SYLLABLES: [&str; 24] = [
    "ra", "no", "ki", "tel", "mo", "san", "du", "per", "li", "gas", "ve", "tor", "an", "esh", "ulo", "bi",
    "con", "de", "pre", "sta", "ment", "ing", "er", "ly",
];

pub(crate) fn word(random: &mut Random) -> String {
    // Some words are frequent, as in any language.
    const FREQUENT: [&str; 12] =
        ["the", "of", "and", "to", "in", "for", "is", "we", "with", "will", "be", "on"];
    if random.below(10) < 4 {
        return FREQUENT[random.below(FREQUENT.len())].to_owned();
    }
    (0..2 + random.below(2)).map(|_| SYLLABLES[random.below(SYLLABLES.len())]).collect()
}

/// Sentences of 8 to 20 words in paragraphs of 4.
pub(crate) fn prose(words: usize, random: &mut Random) -> String {
    let (mut text, mut left, mut sentence) = (String::new(), words, 0);
    while left > 0 {
        let count = (8 + random.below(13)).min(left);
        let words: Vec<String> = (0..count).map(|_| word(random)).collect();
        text.push_str(&words.join(" "));
        sentence += 1;
        text.push_str(if sentence % 4 == 0 { ".\n\n" } else { ". " });
        left -= count;
    }
    text
}

/// Name, address, phone, title, date.
pub(crate) fn people(rows: usize, random: &mut Random) -> Vec<Vec<String>> {
    let name = |random: &mut Random| -> String {
        let name: String = (0..2).map(|_| SYLLABLES[random.below(SYLLABLES.len())]).collect();
        name[..1].to_uppercase() + &name[1..]
    };
    (0..rows)
        .map(|_| {
            let (first, last) = (name(random), name(random));
            let mail =
                format!("{}.{}{}@acme.example", first.to_lowercase(), last.to_lowercase(), random.below(900));
            let phone = format!("+44 20 7{:03} {:04}", random.below(1000), random.below(10_000));
            let title = ["Engineer", "Analyst", "Designer", "Manager"][random.below(4)].to_owned();
            let date =
                format!("20{:02}-{:02}-{:02}", random.below(26), 1 + random.below(12), 1 + random.below(28));
            vec![format!("{first} {last}"), mail, phone, title, date]
        })
        .collect()
}

pub(crate) fn csv(rows: &[Vec<String>]) -> String {
    let rows = rows.iter().map(|row| row.join(",") + "\n");
    std::iter::once("name,email,phone,title,since\n".to_owned()).chain(rows).collect()
}

pub(crate) fn collected(name: &str, bytes: &[u8]) -> Collected {
    let mut known = Classifier::default().begin_known(Hints { name, ..Hints::default() }, &key());
    known.push(bytes);
    known.finish().0
}

pub(crate) fn add(builder: &mut IndexBuilder, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let mut digester = Digester::new(bytes.len() as u64);
    digester.push(bytes);
    let (size_bytes, digests) = digester.finish();
    builder.add(name, size_bytes, digests, &collected(name, bytes))?;
    Ok(())
}

pub(crate) fn opened(builder: IndexBuilder) -> anyhow::Result<Arc<Index>> {
    let mut file = Vec::new();
    builder.write([3; 16], &mut file)?;
    Ok(Arc::new(Index::open(Box::new(file), key())?))
}
