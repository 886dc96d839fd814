//! What does a browser make of a page? A headless Chromium that reaches nothing but this machine.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A page takes a second; a machine that is busy, longer.
const PATIENCE: Duration = Duration::from_secs(90);

/// The document of a page after its scripts ran; `view` is what stands after the `#`.
pub fn dom(page: &Path, view: &str) -> String {
    let profile = tempfile::tempdir().unwrap();
    let mut browser = Command::new("chromium");
    browser
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-extensions"])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--virtual-time-budget=3000", "--dump-dom"])
        .arg(format!("file://{}#{view}", page.display()))
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let child = browser.spawn().expect("Chromium, which tests/servers/install installs");
    let (pid, started) = (child.id(), Instant::now());
    let (send, ended) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        if ended.recv_timeout(PATIENCE).is_err() {
            let _ = Command::new("kill").arg(pid.to_string()).status();
        }
    });
    let output = child.wait_with_output().unwrap();
    let _ = send.send(());
    watch.join().unwrap();
    assert!(output.status.success(), "Chromium ended with {} after {:?}", output.status, started.elapsed());
    String::from_utf8(output.stdout).unwrap()
}
