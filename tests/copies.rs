//! Are copies of known documents found, wherever and however they are kept, and nothing else?

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use serde_json::Value;
use tempfile::TempDir;

use crate::acme::estate;
use crate::{aws, lines, servers, spillwatch};

/// An index and its key.
pub struct Known {
    folder: TempDir,
}

impl Known {
    pub fn of(documents: &[&str]) -> Self {
        let known = Self { folder: tempfile::tempdir().unwrap() };
        let made = spillwatch(&["fingerprint", "key", &known.path("key")]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        known.add(documents);
        known
    }

    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn add(&self, documents: &[&str]) {
        let added = self.run(&["fingerprint", "add", "--index", &self.path("index")], documents);
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }

    pub fn run(&self, first: &[&str], rest: &[&str]) -> Output {
        let key = self.path("key");
        spillwatch(&[first, &["--index-key", &key], rest].concat())
    }

    pub fn sweep(&self, arguments: &[&str]) -> Output {
        self.run(&["sweep", "--index", &self.path("index")], arguments)
    }
}

/// What the automation copied into the open bucket.
pub fn leaked() -> PathBuf {
    estate().join("aws/444455556666/acme-sandbox-drop/objects/copies")
}

fn copies_in(lines: &[Value], bucket: &str) -> Vec<(String, String, String, f64)> {
    let text = |line: &Value, field: &str| line[field].as_str().unwrap().to_owned();
    let copies =
        lines.iter().filter(|line| line["schema"] == "spillwatch.copy/1" && line["bucket"] == bucket);
    let told = |line: &Value| {
        (text(line, "key"), text(line, "document"), text(line, "how"), line["share"].as_f64().unwrap())
    };
    let mut copies: Vec<_> = copies.map(told).collect();
    copies.sort_by(|a, b| a.0.cmp(&b.0));
    copies
}

#[test]
fn five_disguises_are_seen_through_and_two_near_misses_are_let_go() {
    let known = Known::of(&[leaked().to_str().unwrap()]);
    let swept = known.sweep(&[estate().to_str().unwrap()]);
    let lines = lines(&swept);
    let found = copies_in(&lines, "acme-team-drive");
    let names: Vec<(&str, &str, &str)> =
        found.iter().map(|(key, document, how, _)| (key.as_str(), document.as_str(), how.as_str())).collect();
    let [_, _, (blob, ..), ..] = &found[..] else { panic!("{found:?}") };
    assert_eq!(blob, "imports/contacts.json");
    assert_eq!(
        names.iter().map(|(key, _, how)| (*key, *how)).collect::<Vec<_>>(),
        [
            ("backups/sync.tar", "pieces"),
            ("board/q4-pack.zip", "words"),
            ("imports/contacts.json", "rows"),
            ("mail/fwd-where-we-want-to-be.eml", "words"),
            ("wiki/security-programme.html", "words"),
        ]
    );
    assert_eq!(names[1].1, "planning/atlas/launch-plan.md");
    assert!((0.1..0.15).contains(&found[2].3), "40 of 336 people: {found:?}");
    assert_eq!(names[3].1, "planning/platform-2027.md");
    assert_eq!(names[4].1, "planning/security-programme.docx");
    // Everything that was copied is found where it lies, and where it came from, by listings alone.
    let summary = lines.last().unwrap();
    // The directory twice: as it is, and as an older version of what was deleted.
    assert_eq!(copies_in(&lines, "acme-sandbox-drop").len(), 42);
    assert!(summary["told_by_listing"].as_u64().unwrap() >= 41, "{summary}");
    // One object is archived and one denied: that is said, and the exit code with it.
    assert_eq!(swept.status.code(), Some(4));
    assert!(summary["coverage"]["gaps_by_reason"]["archived"].as_u64() == Some(1), "{summary}");
}

#[test]
fn a_sweep_for_one_document_needs_neither_index_nor_key() {
    let document = leaked().join("people/directory.csv");
    let swept = spillwatch(&["sweep", "--like", document.to_str().unwrap(), estate().to_str().unwrap()]);
    let lines = lines(&swept);
    assert_eq!(
        copies_in(&lines, "acme-hr-exports")
            .iter()
            .map(|copy| (copy.0.as_str(), copy.2.as_str()))
            .collect::<Vec<_>>(),
        [
            ("exports/2026-10/directory.csv", "rows"),
            ("exports/2026-11/Staff 2026-11.xlsx", "rows"),
            ("exports/2026-11/directory.csv", "md5"),
            ("exports/2026-11/new-starters.csv", "rows"),
        ]
    );
    assert!(copies_in(&lines, "acme-team-drive").iter().all(|copy| copy.0 == "imports/contacts.json"));
}

#[tokio::test]
async fn exact_copies_are_told_by_s3_listings_without_reading_anything() {
    let moto = servers::moto();
    let s3 = aws::seeder(&moto.endpoint, aws::credentials("tests"));
    let folder = tempfile::tempdir().unwrap();
    let plan = b"# Plan\n\nWhat we will do next year, and what we will not.\n".repeat(40);
    let picture: Vec<u8> =
        (0..6_500_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(folder.path().join("plan.md"), &plan).unwrap();
    std::fs::write(folder.path().join("scan.bin"), &picture).unwrap();
    s3.create_bucket().bucket("exact-copies").send().await.unwrap();
    let mut other = plan.clone();
    other[7] ^= 1;
    aws::put(&s3, "exact-copies", "backup/plan-2.md", plan.clone()).await;
    aws::put(&s3, "exact-copies", "same-size.md", other).await;
    aws::put(&s3, "exact-copies", "unrelated.txt", b"nothing".to_vec()).await;
    in_parts(&s3, "exact-copies", "backup/scan.bin", &picture, 5 << 20).await;
    let known = Known::of(&[folder.path().to_str().unwrap()]);
    let swept = Command::new(env!("CARGO_BIN_EXE_spillwatch"))
        .env("AWS_ACCESS_KEY_ID", "tests")
        .env("AWS_SECRET_ACCESS_KEY", "tests")
        .args(["sweep", "--exact", "--index", &known.path("index"), "--index-key", &known.path("key")])
        .args([
            "--endpoint-url",
            &moto.endpoint,
            "--path-style",
            "--region",
            "us-east-1",
            "s3://exact-copies",
        ])
        .output()
        .unwrap();
    let lines = lines(&swept);
    let found = copies_in(&lines, "exact-copies");
    let told: Vec<_> = found.iter().map(|copy| (copy.0.as_str(), copy.1.as_str(), copy.2.as_str())).collect();
    assert_eq!(
        told,
        [("backup/plan-2.md", "plan.md", "md5"), ("backup/scan.bin", "scan.bin", "multipart_etag")],
        "{}",
        String::from_utf8_lossy(&swept.stderr)
    );
    let summary = lines.last().unwrap();
    let counts = ["objects_read", "told_by_listing", "ruled_out_by_size", "ruled_out_by_digest"];
    assert_eq!(counts.map(|name| summary[name].as_u64().unwrap()), [0, 2, 1, 1], "{summary}");
}

async fn in_parts(s3: &aws_sdk_s3::Client, bucket: &str, key: &str, bytes: &[u8], part_bytes: usize) {
    let upload = s3.create_multipart_upload().bucket(bucket).key(key).send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut parts = CompletedMultipartUpload::builder();
    for (number, part) in (1..).zip(bytes.chunks(part_bytes)) {
        let sent = s3.upload_part().bucket(bucket).key(key).upload_id(id).part_number(number);
        let sent = sent.body(part.to_vec().into()).send().await.unwrap();
        parts = parts.parts(CompletedPart::builder().part_number(number).set_e_tag(sent.e_tag).build());
    }
    let complete = s3.complete_multipart_upload().bucket(bucket).key(key).upload_id(id);
    complete.multipart_upload(parts.build()).send().await.unwrap();
}

#[test]
fn a_restored_bucket_is_compared_with_what_there_was() {
    let known = Known::of(&[leaked().to_str().unwrap()]);
    let restored = tempfile::tempdir().unwrap();
    copy_folder(&leaked(), &restored.path().join("restore-7"));
    let verify = || {
        let output =
            known.run(&["verify", "--baseline", &known.path("index")], &[restored.path().to_str().unwrap()]);
        (output.status.code(), lines(&output))
    };
    let (code, whole) = verify();
    assert_eq!((code, &whole.last().unwrap()["documents"]), (Some(0), &serde_json::json!({"intact": 41})));

    let within = restored.path().join("restore-7");
    let directory = std::fs::read_to_string(within.join("people/directory.csv")).unwrap();
    std::fs::write(within.join("people/directory.csv"), directory.replace("Berlin", "Rome")).unwrap();
    std::fs::remove_file(within.join("planning/mobile/h1-2027.md")).unwrap();
    std::fs::rename(within.join("planning/platform-2027.md"), within.join("found.md")).unwrap();
    let (code, changed) = verify();
    assert_eq!(code, Some(3));
    let state = |name: &str| {
        let line = changed.iter().find(|line| line["document"] == name).unwrap();
        (line["state"].as_str().unwrap().to_owned(), line["share"].as_f64())
    };
    let (directory, share) = state("people/directory.csv");
    assert_eq!(directory, "modified");
    assert!(share.unwrap() > 0.9, "only an office was renamed: {share:?}");
    assert_eq!(state("planning/mobile/h1-2027.md"), ("missing".to_owned(), None));
    assert_eq!(state("planning/platform-2027.md"), ("moved".to_owned(), Some(1.0)));
    assert_eq!(changed.last().unwrap()["documents"]["intact"], 38);
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_scheduled_scan_reports_copies_and_only_one_that_sought_them_closes_them() {
    let known = Known::of(&[leaked().to_str().unwrap()]);
    let home = tempfile::tempdir().unwrap();
    let (acme, ledger) = (home.path().join("acme"), home.path().join("ledger.db"));
    copy_folder(&estate(), &acme);
    let scan = |with_index: bool| {
        let (index, key) = (known.path("index"), known.path("key"));
        let mut arguments =
            vec!["scan", acme.to_str().unwrap(), "--all", "--state", ledger.to_str().unwrap()];
        if with_index {
            arguments.extend(["--index", &index, "--index-key", &key]);
        }
        let output = spillwatch(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        let copies = |line: &Value| line["class"] == "known_document";
        let told = |line: Value| {
            let text = |field: &str| line[field].as_str().unwrap().to_owned();
            (text("bucket"), (text("rule"), text("severity"), text("status"), line))
        };
        lines(&output).into_iter().filter(copies).map(told).collect::<std::collections::BTreeMap<_, _>>()
    };
    let first = scan(true);
    let (rule, severity, status, finding) = &first["acme-sandbox-drop"];
    assert_eq!((rule.as_str(), severity.as_str(), status.as_str()), ("exposed_copy", "critical", "new"));
    assert_eq!((&finding["objects"]["count"], &finding["objects"]["versions"]), (&42.into(), &1.into()));
    assert_eq!(finding["copies"][0]["share"], 1.0);
    assert!(finding["because"].to_string().contains("100.0 % of `clickstream/"), "{finding}");
    let (rule, severity, ..) = &first["acme-team-drive"];
    assert_eq!((rule.as_str(), severity.as_str()), ("known_copy", "informational"));

    let again = scan(true);
    assert_eq!(
        again["acme-sandbox-drop"].3["copies"], finding["copies"],
        "the same ones are told in every run"
    );

    std::fs::remove_dir_all(acme.join("aws/444455556666/acme-team-drive/objects")).unwrap();
    std::fs::remove_file(acme.join("aws/444455556666/acme-team-drive/objects.json")).unwrap();
    assert!(!scan(false).contains_key("acme-team-drive"), "a scan without an index says nothing of copies");
    assert_eq!(scan(true)["acme-team-drive"].2, "resolved");
}

#[test]
fn a_wrong_key_is_an_error_and_not_an_empty_result() {
    let known = Known::of(&[leaked().join("planning").to_str().unwrap()]);
    let other = Known::of(&[leaked().join("planning").to_str().unwrap()]);
    let swept = spillwatch(&[
        "sweep",
        "--index",
        &known.path("index"),
        "--index-key",
        &other.path("key"),
        estate().to_str().unwrap(),
    ]);
    assert_eq!(swept.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&swept.stderr).contains("another key"), "{swept:?}");
    assert!(swept.stdout.is_empty());
    let missing = spillwatch(&["sweep", "--index", &known.path("index"), estate().to_str().unwrap()]);
    assert!(String::from_utf8_lossy(&missing.stderr).contains("--index-key"), "{missing:?}");
}

#[test]
fn an_index_and_its_key_are_private_and_name_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let known = Known::of(&[leaked().to_str().unwrap()]);
    for name in ["index", "key"] {
        let mode = std::fs::metadata(known.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let index = std::fs::read(known.path("index")).unwrap();
    for name in ["directory.csv", "launch-plan", "acme.internal"] {
        assert!(!index.windows(name.len()).any(|window| window == name.as_bytes()), "{name}");
    }
    // Adding the same again changes nothing that is known.
    known.add(&[leaked().to_str().unwrap()]);
    let listed = known.run(&["fingerprint", "list", "--index", &known.path("index")], &[]);
    assert_eq!(lines(&listed).len(), 41);
}

#[test]
fn a_weak_digest_is_confirmed_by_reading_that_one_object() {
    let estate = tempfile::tempdir().unwrap();
    let bucket = estate.path().join("gcp/acme-data/composed");
    std::fs::create_dir_all(bucket.join("objects")).unwrap();
    std::fs::write(estate.path().join("estate.toml"), "").unwrap();
    std::fs::write(bucket.join("facts.json"), "{}").unwrap();
    // What was composed of parts has no MD5. The check value of `123456789` is CRC32C's own.
    let facts = |crc: &str| serde_json::json!({"storage:objects.get": {"size": "9", "crc32c": crc}});
    let objects = [
        ("copy.txt", "123456789", "4waSgw=="),
        ("forged.txt", "987654321", "4waSgw=="),
        ("other.txt", "111111111", "AAAAAA=="),
    ];
    let mut index = serde_json::Map::new();
    for (key, content, crc) in objects {
        std::fs::write(bucket.join("objects").join(key), content).unwrap();
        index.insert(key.to_owned(), facts(crc));
    }
    std::fs::write(bucket.join("objects.json"), serde_json::to_vec(&index).unwrap()).unwrap();
    // A file is a document by itself, even where it lies in an estate.
    let document = estate.path().join("known.txt");
    std::fs::write(&document, "123456789").unwrap();
    let swept = spillwatch(&[
        "sweep",
        "--exact",
        "--like",
        document.to_str().unwrap(),
        estate.path().to_str().unwrap(),
    ]);
    let lines = lines(&swept);
    let found = copies_in(&lines, "composed");
    let told: Vec<_> = found.iter().map(|copy| (copy.0.as_str(), copy.2.as_str())).collect();
    assert_eq!(told, [("copy.txt", "sha256")], "{}", String::from_utf8_lossy(&swept.stderr));
    let summary = lines.last().unwrap();
    assert_eq!((&summary["objects_read"], &summary["ruled_out_by_digest"]), (&2.into(), &1.into()));
}

#[test]
fn a_document_that_is_a_file_is_read_without_what_stands_beside_it() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("plan.md"), "What we will do next year.\n".repeat(20)).unwrap();
    std::fs::write(folder.path().join("plan.md.old"), "What we did last year.\n".repeat(20)).unwrap();
    // A walk through the folder would stumble over this.
    symlink("/nowhere", folder.path().join("plan.md.link")).unwrap();
    let known = Known::of(&[folder.path().join("plan.md").to_str().unwrap()]);
    let listed = known.run(&["fingerprint", "list", "--index", &known.path("index")], &[]);
    let names: Vec<_> = lines(&listed).iter().map(|line| line["document"].clone()).collect();
    assert_eq!(names, ["plan.md"]);
}

#[test]
fn what_could_not_be_listed_is_not_called_missing() {
    let known = Known::of(&[leaked().join("planning").to_str().unwrap()]);
    let restored = tempfile::tempdir().unwrap();
    let bucket = restored.path().join("aws/111122223333/restored");
    std::fs::create_dir_all(&bucket).unwrap();
    std::fs::write(restored.path().join("estate.toml"), "").unwrap();
    let verify = || {
        let arguments = [restored.path().to_str().unwrap()];
        let output = known.run(&["verify", "--baseline", &known.path("index")], &arguments);
        (output.status.code(), lines(&output).last().unwrap()["documents"].clone())
    };
    std::fs::write(bucket.join("facts.json"), "{}").unwrap();
    assert_eq!(verify(), (Some(3), serde_json::json!({"missing": 5})));
    let denied = r#"{"s3:ListObjectsV2": {"Error": {"Code": "AccessDenied"}}}"#;
    std::fs::write(bucket.join("facts.json"), denied).unwrap();
    assert_eq!(verify(), (Some(3), serde_json::json!({"unread": 5})));
}

#[test]
fn a_damaged_index_fails_a_scan_closes_nothing_and_is_not_added_to() {
    let known = Known::of(&[leaked().to_str().unwrap()]);
    let home = tempfile::tempdir().unwrap();
    let ledger = home.path().join("ledger.db");
    let scan = || {
        let arguments = ["--index", &known.path("index"), "--all", "--state", ledger.to_str().unwrap()];
        known.run(&["scan"], &[&arguments[..], &[estate().to_str().unwrap()]].concat())
    };
    assert_eq!(scan().status.code(), Some(0));
    // The entries lie behind the filter and the directory; the documents' names are left whole.
    let whole = std::fs::read(known.path("index")).unwrap();
    let mut damaged = whole.clone();
    for at in (4096..whole.len() - 64 * 1024).step_by(64 * 1024) {
        damaged[at + 7] ^= 1;
    }
    std::fs::write(known.path("index"), &damaged).unwrap();
    let output = scan();
    assert_eq!(output.status.code(), Some(1));
    let report = lines(&output);
    assert!(report.iter().all(|line| line["class"] != "known_document" || line["status"] != "resolved"));
    assert!(report.last().unwrap()["gaps"].to_string().contains("index of known documents"));
    let added =
        known.run(&["fingerprint", "add", "--index", &known.path("index")], &[estate().to_str().unwrap()]);
    assert_eq!(added.status.code(), Some(1), "{}", String::from_utf8_lossy(&added.stderr));
    assert_eq!(std::fs::read(known.path("index")).unwrap(), damaged);
}
