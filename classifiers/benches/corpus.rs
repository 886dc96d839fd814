//! Which generated content do benchmarks and the accuracy report run on? Seeded, and about nobody.

use std::fmt::Write as _;

/// A small generator of numbers (SplitMix64): the same seed gives the same corpus everywhere.
pub struct Random(pub u64);

impl Random {
    /// The next 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.word() % n.max(1)
    }

    /// One of several.
    pub fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all.get(self.below(all.len() as u64) as usize).copied().unwrap_or_default()
    }
}

const FIRST: &[&str] = &[
    "Amara", "Bjorn", "Chiara", "Dmitri", "Elena", "Farid", "Greta", "Hiro", "Ines", "Jonas", "Kavya",
    "Luca", "Mina", "Noor", "Oskar", "Priya", "Quentin", "Rosa", "Sanjay", "Tove", "Umar", "Vera", "Wanda",
    "Xenia", "Yara", "Zoltan",
];
const LAST: &[&str] = &[
    "Abbott", "Bianchi", "Castro", "Dubois", "Eriksen", "Fischer", "Gupta", "Hansen", "Ivanov", "Jansen",
    "Kowalski", "Lindgren", "Moreau", "Novotny", "Okafor", "Petrov", "Quist", "Romano", "Schmidt", "Tanaka",
    "Ueda", "Varga", "Weber", "Xu", "Young", "Zeman",
];
const TITLES: &[&str] =
    &["Analyst", "Engineer II", "Account Executive", "Controller", "Recruiter", "Staff Engineer", "Counsel"];
const DEPARTMENTS: &[&str] = &["Finance", "Engineering", "People", "Legal", "Sales", "Support", "Facilities"];
const PAGES: &[&str] =
    &["/", "/pricing", "/cart", "/checkout", "/search", "/account/settings", "/p/4711", "/docs/api"];
const EVENTS: &[&str] = &["page_view", "click", "add_to_cart", "search", "purchase", "scroll", "logout"];
const AGENTS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
];
const WORDS: &[&str] = &[
    "the",
    "of",
    "and",
    "system",
    "data",
    "when",
    "each",
    "value",
    "reader",
    "should",
    "table",
    "before",
    "after",
    "result",
    "because",
    "window",
    "function",
    "number",
    "without",
    "therefore",
    "chapter",
    "simple",
    "measure",
    "report",
    "during",
    "light",
    "paper",
    "figure",
    "is",
    "in",
    "to",
    "a",
    "not",
    "with",
    "from",
    "over",
    "under",
    "between",
    "small",
    "large",
    "process",
];

/// A first and a last name.
pub fn name(random: &mut Random) -> (&'static str, &'static str) {
    (random.pick(FIRST), random.pick(LAST))
}

/// A directory of employees: name, e-mail, phone, social security number, title, department, salary, hire date.
pub fn hr_csv(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut out = String::with_capacity(bytes + 256);
    out.push_str("employee_id,full_name,work_email,phone,ssn,title,department,manager,salary,hire_date\n");
    let mut id = 10_000;
    while out.len() < bytes {
        let ((first, last), (boss, chief)) = (name(random), name(random));
        id += 1;
        let _ = writeln!(
            out,
            "E{id},{first} {last},{}.{}{}@acme.example,+1 415-555-{:04},{:03}-{:02}-{:04},{},{},{boss} {chief},{},20{:02}-{:02}-{:02}",
            first.to_ascii_lowercase(),
            last.to_ascii_lowercase(),
            id % 97,
            random.below(10_000),
            1 + random.below(600),
            1 + random.below(98),
            1 + random.below(9_998),
            random.pick(TITLES),
            random.pick(DEPARTMENTS),
            48_000 + random.below(90_000),
            random.below(26),
            1 + random.below(12),
            1 + random.below(28),
        );
    }
    out.into_bytes()
}

/// Clickstream in JSON Lines.
pub fn clickstream(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut out = String::with_capacity(bytes + 512);
    let mut ms = 1_763_877_600_000_u64;
    while out.len() < bytes {
        ms += random.below(900);
        let _ = writeln!(
            out,
            r#"{{"ts":{ms},"event":"{}","user_id":"u-{:08x}","session_id":"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}","page":{{"url":"https://shop.example{}","referrer":"https://search.example/"}},"ua":"{}","dwell_ms":{},"experiment":null}}"#,
            random.pick(EVENTS),
            random.below(200_000),
            random.word() as u32,
            random.below(65_536),
            random.below(4_096),
            random.below(4_096),
            random.word() >> 16,
            random.pick(PAGES),
            random.pick(AGENTS),
            random.below(60_000),
        );
    }
    out.into_bytes()
}

/// Lines of web servers and of applications, in equal parts.
pub fn logs(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut out = String::with_capacity(bytes + 512);
    let web = random.below(2) == 0;
    let mut second = 0_u64;
    while out.len() < bytes {
        second += random.below(3);
        let (hour, minute) = (second / 3600 % 24, second / 60 % 60);
        if web {
            let _ = writeln!(
                out,
                r#"198.51.{}.{} - - [23/Nov/2026:{hour:02}:{minute:02}:{:02} +0000] "GET {}?q={} HTTP/1.1" {} {} "https://shop.example/" "{}""#,
                random.below(256),
                random.below(256),
                second % 60,
                random.pick(PAGES),
                random.below(1_000),
                random.pick(&["200", "302", "404"]),
                random.below(50_000),
                random.pick(AGENTS),
            );
        } else {
            let _ = writeln!(
                out,
                "2026-11-23T{hour:02}:{minute:02}:{:02}.{:03}Z {} scheduler[{}]: task {} finished shard={} rows={} took={}ms",
                second % 60,
                random.below(1_000),
                random.pick(&["INFO", "WARN", "DEBUG"]),
                random.below(9_999),
                random.pick(&["compact", "flush", "rebalance", "snapshot"]),
                random.below(64),
                random.below(100_000),
                random.below(5_000),
            );
        }
    }
    out.into_bytes()
}

/// Paragraphs with headings.
pub fn prose(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut out = String::with_capacity(bytes + 1024);
    while out.len() < bytes {
        if random.below(6) == 0 {
            let _ =
                write!(out, "\n## {} {} {}\n\n", random.pick(WORDS), random.pick(WORDS), random.pick(WORDS));
        }
        for sentence in 0..3 + random.below(4) {
            for word in 0..6 + random.below(14) {
                if sentence + word > 0 {
                    out.push(' ');
                }
                out.push_str(random.pick(WORDS));
            }
            out.push('.');
        }
        out.push('\n');
    }
    out.into_bytes()
}

/// Lines of base64, 76 characters each.
pub fn base64(random: &mut Random, bytes: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = Vec::with_capacity(bytes + 80);
    while out.len() < bytes {
        for _ in 0..76 {
            out.push(ALPHABET.get(random.below(64) as usize).copied().unwrap_or(b'A'));
        }
        out.push(b'\n');
    }
    out
}

/// What a cipher leaves.
pub fn ciphertext(random: &mut Random, bytes: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        out.extend_from_slice(&random.word().to_le_bytes());
    }
    out.truncate(bytes);
    out
}

/// A maker of content of about so many bytes.
pub type Maker = fn(&mut Random, usize) -> Vec<u8>;

/// The kinds of the mixed corpus, with their shares of its bytes in thousandths and the extension of their files.
pub const KINDS: &[(&str, Maker, u64, &str)] = &[
    ("hr_csv", hr_csv, 300, "csv"),
    ("clickstream", clickstream, 250, "jsonl"),
    ("logs", logs, 220, "log"),
    ("ciphertext", ciphertext, 70, "bin"),
    ("prose", prose, 60, "md"),
    ("base64", base64, 60, "txt"),
    ("gz", gz, 40, "gz"),
];

/// Logs, packed: about `bytes` of gzip.
pub fn gz(random: &mut Random, bytes: usize) -> Vec<u8> {
    use std::io::Write as _;
    let text = logs(random, bytes * 4);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    let _ = encoder.write_all(&text);
    encoder.finish().unwrap_or_default()
}
