//! What does a Prometheus exporter find? The figures of the last run, in a file that is whole at every moment.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::{Figure, MetricsError};

/// When a run last ended well: a later one that fails leaves it as it is.
const LAST_SUCCESS: &str = "last_success_timestamp_seconds";
/// An old file is not larger.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Writes the figures; `ended_well` is when the run ended, in seconds since 1970, where it went well.
pub fn write(path: &Path, figures: &[Figure], ended_well: Option<i64>) -> Result<(), MetricsError> {
    let failed = |cause| MetricsError::Textfile { path: path.display().to_string(), cause };
    let success = ended_well.map(|at| at as f64).or_else(|| last_success(path));
    let help = "when a run last ended well, in seconds since 1970";
    let success = success.map(|at| Figure::one(LAST_SUCCESS, help, at));
    let text: String = figures.iter().chain(&success).map(exposed).collect();
    replace(path, &text).map_err(failed)
}

/// One figure in the text format.
fn exposed(figure: &Figure) -> String {
    let Figure { name, help, values } = figure;
    let mut text = format!("# HELP spillwatch_{name} {}\n# TYPE spillwatch_{name} gauge\n", escaped(help));
    for (labels, value) in values {
        let labels: Vec<String> = labels
            .iter()
            .map(|(label, of)| format!("{label}=\"{}\"", escaped(of).replace('"', "\\\"")))
            .collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(text, "spillwatch_{name}{labels} {value}");
    }
    if values.is_empty() { String::new() } else { text }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n")
}

/// What the file of an earlier run says.
fn last_success(path: &Path) -> Option<f64> {
    let mut text = String::new();
    fs::File::open(path).ok()?.take(FILE_BYTES_MAX).read_to_string(&mut text).ok()?;
    let start = format!("spillwatch_{LAST_SUCCESS} ");
    text.lines().find_map(|line| line.strip_prefix(&start)?.parse().ok())
}

/// The exporter reads files that end in `.prom`: the half-written one does not.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.tmp", std::process::id()));
    // The exporter is another user.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(&beside)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let replaced = written.and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        let _ = fs::remove_file(&beside);
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_end_its_line() {
        let figure = Figure::by("tickets", "h", "sink", [("a\"b\\c\nd", 1)]);
        let text = exposed(&figure);
        assert!(text.ends_with("spillwatch_tickets{sink=\"a\\\"b\\\\c\\nd\"} 1\n"), "{text}");
    }

    #[test]
    fn a_run_that_fails_leaves_when_one_last_went_well() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spillwatch.prom");
        let figures = [Figure::one("buckets", "h", 3.0)];
        write(&path, &figures, None).unwrap();
        assert!(!fs::read_to_string(&path).unwrap().contains("last_success"));
        write(&path, &figures, Some(1_700_000_000)).unwrap();
        write(&path, &figures, None).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("\nspillwatch_last_success_timestamp_seconds 1700000000\n"), "{text}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half-written stays");
    }
}
