//! Is the page for the incident room safe to open, usable, complete, and small whatever the scan's size?

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::browser::dom;
use super::golden::settled;
use super::{findings, reported, text};
use crate::scan::peak_kib;
use crate::spillwatch;

const PAGE_BYTES_MAX: usize = 2_000_000;

/// A page in a folder of its own.
struct Page {
    _folder: tempfile::TempDir,
    path: PathBuf,
    html: String,
}

impl Page {
    fn of(html: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        std::fs::write(&path, &html).unwrap();
        Self { _folder: folder, path, html }
    }

    fn of_report(report: &[Value]) -> Self {
        Self::of(text(&reported(report, &["--format", "html"])))
    }

    /// The rows of the table of findings that a view shows, in order.
    fn shown(&self, view: &str) -> Vec<String> {
        let document = dom(&self.path, view);
        let bodies = document.split("<tbody id=\"f-").skip(1);
        bodies
            .filter(|body| !body.split('>').next().unwrap().contains("hidden"))
            .map(|body| body.split('"').next().unwrap().to_owned())
            .collect()
    }
}

/// Scripts and requests in every place that a stranger can write to.
fn plants(port: u16) -> Vec<String> {
    [
        "<script>document.title='owned'</script>",
        "</script><script>document.title='owned'</script>",
        "</style><script>document.title='owned'</script>",
        "\"><img src=x onerror=\"document.title='owned'\">",
        "' onmouseover='document.title=1' x='",
        "\" autofocus onfocus=\"document.title='owned'\" x=\"",
        "<svg onload=document.title='owned'>",
        "<meta http-equiv=refresh content='0;url=http://127.0.0.1:PORT/'>",
        "<img src=http://127.0.0.1:PORT/pixel>",
        "<link rel=stylesheet href=http://127.0.0.1:PORT/style>",
        "<base href=http://127.0.0.1:PORT/>",
        "</code></pre><iframe src=http://127.0.0.1:PORT/frame></iframe>",
        "--><!--<a href=javascript:document.title=1>",
        "annual\u{202e}txt.exe\u{2066}\u{200b}",
        "&lt;script&gt; &#60;b&#62;",
    ]
    .map(|plant| plant.replace("PORT", &port.to_string()))
    .to_vec()
}

/// An estate with plants as names of buckets, keys, tags and statements, as far as file names go.
fn hostile_estate(folder: &Path, plants: &[String]) {
    std::fs::write(folder.join("estate.toml"), "").unwrap();
    let people =
        crate::acme::estate().join("aws/111122223333/acme-hr-exports/objects/exports/2026-11/directory.csv");
    for (place, plant) in plants.iter().enumerate() {
        let name = format!("b{place}{}", plant.replace('/', "\u{2215}"));
        let bucket = folder.join("aws/111122223333").join(&name);
        let key = format!("k{plant}/people.csv").replace("//", "/");
        let object = bucket.join("objects").join(&key);
        std::fs::create_dir_all(object.parent().unwrap()).unwrap();
        std::fs::copy(&people, object).unwrap();
        let resource = [format!("arn:aws:s3:::{name}"), format!("arn:aws:s3:::{name}/*")];
        let statement = json!({"Sid": plant, "Effect": "Allow", "Principal": "*",
            "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": resource});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        let facts = json!({
            "s3:GetBucketPolicy": {"Policy": policy},
            "s3:GetBucketTagging": {"TagSet": [{"Key": plant, "Value": plant}]},
            "s3:GetBucketLocation": {"LocationConstraint": plant},
        });
        std::fs::write(bucket.join("facts.json"), facts.to_string()).unwrap();
    }
}

#[test]
fn the_browser_of_this_test_runs_scripts_and_sends_requests() {
    let trap = Trap::set();
    let loads = |plant: &String| plant.contains("pixel") || plant.starts_with("<script>");
    let page = Page::of(plants(trap.port).into_iter().filter(loads).collect());
    assert!(dom(&page.path, "").contains("<title>owned</title>"));
    assert!(trap.visits() > 0, "nothing was requested");
}

/// A server that counts who comes and says nothing.
struct Trap {
    port: u16,
    visits: Arc<AtomicUsize>,
}

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let visits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&visits);
        std::thread::spawn(move || {
            for _visitor in listener.incoming() {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { port, visits }
    }

    fn visits(&self) -> usize {
        self.visits.load(Ordering::Relaxed)
    }
}

/// Nothing of what was planted is an element, an attribute or a request.
fn assert_harmless(page: &Page, trap: &Trap) {
    assert!(page.html.len() < PAGE_BYTES_MAX);
    let document = dom(&page.path, "");
    let title = document.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    assert!(title.contains("spillwatch"), "{title}");
    assert!(document.contains(" shown</output>"), "the page's own script ran");
    let count = |what: &str| document.matches(what).count();
    assert_eq!([count("<script"), count("<style"), count("<meta")], [1, 1, 5]);
    for element in ["<img", "<iframe", "<base", "<link", "<a href=\"javascript", "<a href=\"http"] {
        assert_eq!(count(element), 0, "{element}");
    }
    for line in document.lines().filter(|line| line.contains("<svg")) {
        assert!(line.contains("<svg width=\"100\""), "{line}");
    }
    let deceiving =
        |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}'..='\u{200f}');
    assert!(!page.html.contains(deceiving));
    assert_eq!(trap.visits(), 0, "the page requested something");
}

#[test]
fn names_that_strangers_chose_run_nothing_and_load_nothing() {
    let trap = Trap::set();
    let estate = tempfile::tempdir().unwrap();
    let plants = plants(trap.port);
    hostile_estate(estate.path(), &plants);
    let output = spillwatch(&["scan", "--format", "html", estate.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let page = Page::of(text(&output));
    assert!(page.html.matches("employee data").count() > 2 * plants.len(), "every bucket leaks");
    assert_harmless(&page, &trap);
}

#[test]
fn so_does_a_stored_report_that_a_stranger_wrote() {
    let trap = Trap::set();
    let mut report = settled();
    for (plant, line) in plants(trap.port).iter().cycle().zip(&mut report) {
        poison(line, plant);
    }
    assert_harmless(&Page::of_report(&report), &trap);
}

/// Puts the plant into every text that is not a word of ours.
fn poison(value: &mut Value, plant: &str) {
    const WORDS: [&str; 11] = [
        "schema",
        "severity",
        "provider",
        "status",
        "state",
        "audience",
        "certainty",
        "access",
        "rule",
        "class",
        "reason",
    ];
    match value {
        Value::String(text) => *text = format!("{text}{plant}"),
        Value::Array(list) => list.iter_mut().for_each(|value| poison(value, plant)),
        Value::Object(map) => {
            for (name, value) in map.iter_mut().filter(|(name, _)| !WORDS.contains(&name.as_str())) {
                let counts = name == "findings_by_status" || name == "gaps_by_reason";
                if !counts {
                    poison(value, plant);
                }
            }
        }
        _ => {}
    }
}

#[test]
fn a_view_filters_and_sorts() {
    let report = settled();
    let page = Page::of_report(&report);
    let uids = |fits: &dyn Fn(&Value) -> bool| {
        let fitting = findings(&report).filter(|finding| fits(finding));
        fitting.map(|finding| finding["uid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    assert_eq!(sorted(page.shown("")), uids(&|_| true));
    assert_eq!(sorted(page.shown("severity=critical")), uids(&|finding| finding["severity"] == "critical"));
    let drop = uids(&|finding| finding["bucket"] == "acme-sandbox-drop");
    assert_eq!(sorted(page.shown("q=acme-sandbox-drop")), drop);
    assert!(page.shown("q=nothing-is-called-so").is_empty());

    let bucket = |uid: &String| {
        let named = findings(&report).find(|finding| finding["uid"] == uid.as_str()).unwrap();
        named["bucket"].as_str().unwrap().to_owned()
    };
    let up: Vec<String> = page.shown("sort=bucket").iter().map(bucket).collect();
    assert!(up.is_sorted() && up.first() != up.last(), "{up:?}");
    let down: Vec<String> = page.shown("sort=-bucket").iter().map(bucket).collect();
    assert_eq!(down.into_iter().rev().collect::<Vec<_>>(), up);
}

#[test]
fn the_page_says_what_an_incident_room_asks() {
    let page = Page::of_report(&settled());
    let html = &page.html;
    for needed in [
        "<h1>5 critical and 3 high findings are open</h1>",
        "Not everything could be seen:",
        "anyone can reach employee data",
        "curl -sI &#39;https://acme-sandbox-drop.s3.eu-west-1.amazonaws.com/x&#39;",
        "spillwatch lock undo JOURNAL",
        "spillwatch findings affected --all",
        "t***@a***",
        "s3:GetBucketPolicy",
        "<strong>written</strong>",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    let place = |id: &str| html.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("{id}"));
    let order = ["exposed", "timeline", "next", "changes", "findings", "unseen"].map(place);
    assert!(order.is_sorted(), "{order:?}");
}

#[test]
fn the_page_says_what_changed_since_the_last_run() {
    let life = super::life();
    let locked = Page::of_report(&life[1]).html;
    for needed in
        ["7 resolved", "1 suppressed", "gone at <time", " by ada: a drill", "<strong>resolved</strong>"]
    {
        assert!(locked.contains(needed), "{needed}");
    }
    let reopened = Page::of_report(&life[2]).html;
    assert!(reopened.contains("7 reopened") && !reopened.contains("No ledger was kept"));
}

#[test]
fn headings_go_down_one_step_at_a_time_and_every_column_has_a_head() {
    let html = Page::of_report(&settled()).html;
    let levels: Vec<u32> = html
        .split("<h")
        .skip(1)
        .filter_map(|rest| rest.chars().next().and_then(|c| c.to_digit(10)))
        .collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|two| two[1] <= two[0] + 1), "{levels:?}");
    assert_eq!(html.matches("<table").count(), html.matches("<caption").count());
    assert_eq!(
        html.matches("<th").count(),
        html.matches("<th scope=").count() + html.matches("<thead").count()
    );
}

/// A report of so many findings, as a file.
fn large_report(folder: &Path, count: usize) -> PathBuf {
    let report = settled();
    let remediation = "\"'<&".repeat(200);
    let patterns = findings(&report).map(|finding| {
        let mut finding = finding.clone();
        for (field, text) in [("uid", "@uid"), ("bucket", "@bucket"), ("remediation", &remediation)] {
            finding[field] = text.into();
        }
        finding.to_string()
    });
    let patterns: Vec<String> = patterns.collect();
    let path = folder.join("large.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for (number, pattern) in patterns.iter().cycle().take(count).enumerate() {
        let line = pattern.replace("@uid", &format!("{number:064x}"));
        writeln!(file, "{}", line.replace("@bucket", &format!("bucket-{number}"))).unwrap();
    }
    writeln!(file, "{}", report.last().unwrap()).unwrap();
    path
}

/// What `spillwatch report` makes of a file, and the most memory that it had, in KiB.
fn weighed(path: &Path, args: &[&str]) -> (Vec<u8>, u64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillwatch"));
    let (output, peak) = peak_kib(command.arg("report").args(args).arg(path));
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    (output.stdout, peak)
}

#[test]
fn formats_for_machines_are_streamed() {
    let folder = tempfile::tempdir().unwrap();
    let path = large_report(folder.path(), 10_000);
    for format in ["csv", "ocsf", "sarif", "asff"] {
        let hub = ["--format", format, "--security-hub", "111122223333/eu-west-1"];
        let (written, peak) = weighed(&path, &hub);
        assert!(written.len() > 15_000_000, "{format}: {} bytes", written.len());
        assert!(peak > 0 && peak < 48 << 10, "{format}: {peak} KiB");
    }
}

#[test]
fn fifty_thousand_findings_are_a_small_page_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (page, peak) = weighed(&large_report(folder.path(), 50_000), &["--format", "html"]);
    let page = String::from_utf8(page).unwrap();
    assert!(page.len() < PAGE_BYTES_MAX && page.len() > PAGE_BYTES_MAX / 2, "{} bytes", page.len());
    assert!(peak > 0 && peak < 96 << 10, "{peak} KiB");
    let shown = page.matches("<tbody id=\"f-").count();
    let left_out = (50_000 - shown).to_string();
    let left_out = format!("{},{}", &left_out[..2], &left_out[2..]);
    assert!(shown > 100 && page.contains(&format!("<strong>{left_out} findings</strong>")), "{shown} shown");
    let severities = page.split("<tbody id=\"f-").skip(1).map(|row| row.contains("<td class=\"critical\""));
    assert!(severities.is_sorted_by(|a, b| a >= b), "the most severe stay");
}
