//! Do the walls of the house stand? Imports point down only, and every file says which question it answers.

use std::path::{Path, PathBuf};

/// The floors of the scanner, from the bottom; what stands on one line stands side by side.
const FLOORS: [&[&str]; 7] = [
    &["estate"],
    &["exposure"],
    &["findings"],
    &["cloud", "store", "tickets", "metrics"],
    &["scan", "lockdown", "report"],
    &["config"],
    &["cli"],
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// The modules of this crate that a line names, as `crate::one::…` or in `crate::{one::…, two}`.
fn named(line: &str) -> Vec<&str> {
    let first_word =
        |path: &'_ str| path.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(path.len());
    let mut modules = Vec::new();
    for (at, found) in line.match_indices("crate::") {
        let rest = &line[at + found.len()..];
        let paths = rest.strip_prefix('{').unwrap_or(rest).split(", ");
        let paths = if rest.starts_with('{') { paths.take(usize::MAX) } else { paths.take(1) };
        modules.extend(paths.map(|path| &path[..first_word(path)]));
    }
    modules
}

#[test]
fn imports_point_down_only() {
    let source = root().join("scanner/src");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in rust_files(&source) {
        let inside = file.strip_prefix(&source).unwrap();
        let module = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let Some(own) = floor(module) else { continue };
        for line in std::fs::read_to_string(&file).unwrap().lines() {
            for other in named(line) {
                seen += 1;
                if floor(other).is_some_and(|other| other > own) {
                    wrong.push(format!("{}: {}", inside.display(), line.trim()));
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} imports were seen");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_lockdown_is_handed_a_door_that_writes() {
    let source = root().join("scanner/src");
    let may = ["cloud", "cloud.rs", "lockdown", "lockdown.rs", "cli/lock", "cli/lock.rs"];
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for file in rust_files(&source) {
        let text = std::fs::read_to_string(&file).unwrap();
        if !["Lockable", "dyn Archive", "S3Archive"].iter().any(|door| text.contains(door)) {
            continue;
        }
        seen += 1;
        let inside = file.strip_prefix(&source).unwrap();
        if !may.iter().any(|place| inside.starts_with(place)) {
            wrong.push(inside.display().to_string());
        }
    }
    assert!(seen >= 4, "only {seen} files name it");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn pure_floors_do_no_io_and_read_no_clock() {
    let worldly = [
        "std::fs",
        "TcpStream",
        "ToSocketAddrs",
        "std::env",
        "std::process",
        "SystemTime",
        "Instant::now",
        "now_utc",
        "tokio::",
        "async fn",
    ];
    let mut wrong = Vec::new();
    for pure in ["scanner/src/estate", "scanner/src/exposure", "scanner/src/findings", "classifiers/src"] {
        let folder = root().join(pure);
        let own_file = folder.with_extension("rs");
        for file in rust_files(&folder).into_iter().chain(own_file.is_file().then_some(own_file)) {
            let text = std::fs::read_to_string(&file).unwrap();
            let tested = file.iter().any(|part| part == "tests" || part == "tests.rs");
            // Tests of pure code may read their cases.
            let code = if tested { "" } else { text.split("#[cfg(test)]\nmod tests {").next().unwrap() };
            for word in worldly.iter().filter(|word| code.contains(**word)) {
                wrong.push(format!("{}: {word}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_opens_with_what_it_answers() {
    let wrong: Vec<_> = ["scanner", "classifiers", "fixtures", "tests"]
        .into_iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        // The unit tests of a module answer its question.
        .filter(|file| !file.ends_with("tests.rs"))
        .filter(|file| !std::fs::read_to_string(file).unwrap().starts_with("//! "))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    let nameless = ["mod.rs", "util.rs", "utils.rs", "common.rs", "helpers.rs", "manager.rs"];
    let wrong: Vec<_> = ["scanner", "classifiers", "fixtures", "tests"]
        .into_iter()
        .flat_map(|folder| rust_files(&root().join(folder)))
        .filter(|file| nameless.iter().any(|name| file.ends_with(name)))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
