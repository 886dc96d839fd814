use proptest::prelude::*;

use super::*;
use crate::{Category, Detection};

const FIRST: [&str; 12] =
    ["Jane", "Omar", "Lucía", "Piotr", "Aiko", "Noah", "Fatima", "Sven", "Chloé", "Ravi", "Marta", "Liam"];
const LAST: [&str; 10] =
    ["Doe", "Haddad", "García", "Nowak", "Tanaka", "Berg", "O'Neill", "Rossi", "Iyer", "Novak"];

fn person(i: usize) -> (String, String) {
    let suffix = ["", "a", "en", "ic", "ova", "son"][i / 120 % 6];
    (FIRST[i % 12].to_owned(), format!("{}{suffix}", LAST[i / 12 % 10]))
}

fn directory(rows: usize) -> String {
    let mut csv = "employee_id,name,email,phone,title,department,hire_date\n".to_owned();
    for i in 0..rows {
        let (first, last) = person(i);
        let dept = ["Finance", "Legal", "Engineering"][i % 3];
        csv += &format!(
            "E{:05},{first} {last},{}{i}@acme.example,+1 415 555 {:04},Analyst,{dept},2019-0{}-11\n",
            i + 1,
            first.to_ascii_lowercase().replace(|c: char| !c.is_ascii(), ""),
            100 + i % 9000,
            i % 9 + 1
        );
    }
    csv
}

fn classify(name: &str, bytes: &[u8]) -> Classification {
    Classifier::default()
        .classify(Hints { name, size_bytes: Some(bytes.len() as u64), ..Hints::default() }, bytes)
}

fn of(classification: &Classification, category: Category) -> Option<&Detection> {
    classification.detections.iter().find(|detection| detection.category == category)
}

#[test]
fn a_directory_counts_its_people() {
    for rows in [5, 200, 3000] {
        let found = classify("export.dat", directory(rows).as_bytes());
        let detection = of(&found, Category::EmployeePii).unwrap();
        assert!(detection.confidence > 0.9, "{detection:?}");
        let error = detection.distinct.estimate() as f64 / rows as f64 - 1.0;
        assert!(error.abs() < 0.025, "{rows}: {}", detection.distinct.estimate());
        assert_eq!((found.bytes_read, found.gaps.len()), (found.bytes_total.unwrap(), 0));
        assert_eq!(found.content_type, "text/csv");
        assert!(detection.kinds.contains_key("work_email") && detection.kinds.contains_key("phone"));
    }
}

#[test]
fn clickstream_ties_ids_to_actions() {
    let lines: String = (0..2000)
        .map(|i| {
            format!(
                "{{\"ts\":\"2026-11-23T06:{:02}:{:02}Z\",\"event\":\"page_view\",\"user_id\":\"u-{:06}\",\"url\":\"/p/{}\"}}\n",
                i / 60 % 60,
                i % 60,
                i % 700,
                i % 9
            )
        })
        .collect();
    let found = classify("x", lines.as_bytes());
    let detection = of(&found, Category::InteractionMetadata).unwrap();
    assert!(detection.confidence > 0.9);
    assert_eq!((detection.occurrences, detection.distinct.estimate()), (2000, 700));
    assert!(of(&found, Category::EmployeePii).is_none());
}

#[test]
fn web_logs_and_application_logs_are_interaction_and_machine_logs_are_not() {
    let web: String = (0..300)
        .map(|i| format!("192.0.2.{} - user{} [23/Nov/2026:06:07:08 +0000] \"GET /a/{i} HTTP/1.1\" 200 51 \"-\" \"Mozilla/5.0\"\n", i % 250, i % 40))
        .collect();
    assert_eq!(
        of(&classify("a", web.as_bytes()), Category::InteractionMetadata).unwrap().distinct.estimate(),
        40
    );
    let app: String = (0..600)
        .map(|i| {
            format!("2026-11-23T06:07:08Z INFO web user=u{:03} action=download path=/r/{i} ms=12\n", i % 90)
        })
        .collect();
    assert_eq!(
        of(&classify("a", app.as_bytes()), Category::InteractionMetadata).unwrap().distinct.estimate(),
        90
    );
    let machine: String = (0..600)
        .map(|i| {
            format!("2026-11-23T06:07:08Z INFO scheduler worker={i} msg=\"compaction done\" took={i}ms\n")
        })
        .collect();
    assert_eq!(classify("a", machine.as_bytes()).detections.len(), 0);
}

#[test]
fn keys_are_credentials_wherever_they_stand() {
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJd0fV8sZ1x7yQ2mW5nKcT9uLrHb4oXaPgEiSjDvNk3t\n-----END PRIVATE KEY-----\n";
    for text in [key.to_owned(), format!("{}{key}", "some words stand before it\n".repeat(4000))] {
        let found = classify("notes.txt", text.as_bytes());
        let detection = of(&found, Category::Credential).unwrap();
        assert!(detection.kinds.contains_key("private_key") && detection.holds_key_material());
    }
}

#[test]
fn what_did_not_arrive_is_a_gap() {
    let hints = Hints { name: "a.csv", size_bytes: Some(10_000), ..Hints::default() };
    let found = Classifier::default().classify(hints, b"a,b\n1,2\n");
    assert_eq!(found.gaps[0].reason, GapReason::Truncated);
    assert_eq!((found.bytes_read, found.bytes_total), (8, Some(10_000)));
}

#[test]
fn too_large_for_memory_is_a_gap() {
    let limits = Limits { buffer_bytes_max: 1 << 20, ..Limits::default() };
    let mut zip = b"PK\x03\x04\x14\0\0\0\x08\0".to_vec();
    zip.resize(2 << 20, 7);
    let found = Classifier::new(limits, [1; 32]).classify(Hints::default(), &zip);
    assert_eq!(found.gaps[0].reason, GapReason::LimitReached);
}

#[test]
fn utf_16_and_latin_1_are_read() {
    let utf_16: Vec<u8> = directory(30).encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(of(&classify("a", &utf_16), Category::EmployeePii).unwrap().distinct.estimate(), 30);
    let latin_1: Vec<u8> = directory(30).chars().map(|c| c as u8).collect();
    assert_eq!(of(&classify("a", &latin_1), Category::EmployeePii).unwrap().distinct.estimate(), 30);
}

#[test]
fn no_canary_leaves_unmasked() {
    let found = classify("staff.csv", directory(300).as_bytes());
    let out = format!("{:?}", found);
    for canary in ["Jane", "Omar", "acme.example", "555 0", "E0000"] {
        assert!(!out.contains(canary), "{canary} in {out}");
    }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(6));
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tarred(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", bytes.len()).as_bytes());
    header[156] = b'0';
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut tar = [&header[..], bytes].concat();
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    tar
}

#[test]
fn archives_are_looked_into_and_their_names_are_content() {
    let bytes = gzipped(&tarred("Jane Doe/staff.csv", directory(2000).as_bytes()));
    let found = classify("backup.tgz", &bytes);
    let detection = of(&found, Category::EmployeePii).unwrap();
    assert!((1960..2040).contains(&detection.distinct.estimate()));
    assert_eq!(found.content_type, "application/gzip");
    assert!(found.gaps.is_empty(), "{:?}", found.gaps);
    assert!(!format!("{found:?}").contains("Jane"));
}

#[test]
fn unpacking_stops_at_its_limit_with_a_gap() {
    let limits = Limits { unpacked_bytes_max: 1 << 20, ..Limits::default() };
    let bytes = gzipped(directory(40_000).as_bytes());
    let found = Classifier::new(limits, [1; 32]).classify(Hints::default(), &bytes);
    assert_eq!(found.gaps[0].reason, GapReason::LimitReached);
    assert!(of(&found, Category::EmployeePii).is_some());
}

#[test]
fn depth_is_limited() {
    let mut bytes = b"hello there, this is text".to_vec();
    for _ in 0..14 {
        bytes = gzipped(&bytes);
    }
    assert_eq!(classify("x.gz", &bytes).gaps[0].reason, GapReason::LimitReached);
}

#[test]
fn client_side_encryption_is_known_by_its_metadata() {
    let metadata =
        [("x-amz-key-v2".to_owned(), "AbCd".to_owned()), ("x-amz-iv".to_owned(), "AbCd".to_owned())];
    let found =
        Classifier::default().classify(Hints { metadata: &metadata, ..Hints::default() }, b"anything");
    assert!(of(&found, Category::EncryptedBlob).is_some());
}

/// Pieces of content of many kinds, put together at random.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(directory(40)),
        Just("{\"user_id\":\"u1\",\"ts\":1763877600,\"event\":\"click\"}\n".repeat(30)),
        Just(
            "{\"staff\":[{\"name\":\"Jane Doe\",\"email\":\"jane@acme.example\",\"department\":\"Legal\"}]}"
                .to_owned()
        ),
        Just("2026-11-23 06:07:08 INFO user=jane action=login\n".repeat(20)),
        Just("word ".repeat(30_000)),
        Just("| Name | Dept |\n|---|---|\n| Jane Doe | Legal |\n".to_owned()),
        Just("\"an open quote, and\nno end\n".to_owned()),
        Just(
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJd0fV8sZ1x7yQ2mW5nKcT9uLrHb4oXaPgEiSjDvNk3t\n"
                .to_owned()
        ),
        "[ -~\\n]{0,400}",
        "\\PC{0,200}",
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn chunks_do_not_change_the_result(bytes in content(), sizes in prop::collection::vec(1_usize..90_000, 1..8)) {
        let classifier = Classifier::default();
        let whole = classifier.classify(Hints::default(), &bytes);
        let mut session = classifier.begin(Hints::default());
        let mut rest = &bytes[..];
        for size in sizes.iter().cycle() {
            let (now, later) = rest.split_at((*size).min(rest.len()));
            session.push(now);
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(format!("{:?}", session.finish()), format!("{whole:?}"));
    }

    #[test]
    fn any_bytes_end_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..20_000)) {
        let found = classify("x", &bytes);
        prop_assert!(found.bytes_read <= bytes.len() as u64);
    }
}
