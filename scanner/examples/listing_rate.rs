//! How fast, and in how much memory, is a bucket of a million keys listed?
//!
//! `cargo run --release -p spillwatch --example listing_rate [KEYS]` prints the keys listed, the seconds, the CPU
//! seconds of the lister alone and its peak memory. The server that makes the keys up is a process of its own.

use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::Context;
use aws_credential_types::Credentials;
use futures::TryStreamExt;
use spillwatch::cloud::Cloud;
use spillwatch::cloud::aws::{AwsCloud, AwsSettings, OneBucket};
use spillwatch::estate::Bucket;
use spillwatch_fixtures::s3_server::S3Server;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let keys: u64 = arguments.next().map_or(Ok(1_000_000), |keys| keys.parse())?;
    if arguments.next().is_some() {
        return serve(keys);
    }
    let mut server = Command::new(std::env::current_exe()?)
        .args([&keys.to_string(), "serve"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut endpoint = String::new();
    std::io::BufReader::new(server.stdout.take().context("piped")?).read_line(&mut endpoint)?;
    list(endpoint.trim())?;
    drop(server.stdin.take());
    server.wait()?;
    Ok(())
}

/// Serves until standard input ends.
fn serve(keys: u64) -> anyhow::Result<()> {
    let server = S3Server::start()?;
    server.generate("events", keys);
    writeln!(std::io::stdout(), "{}", server.endpoint())?;
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

#[tokio::main]
async fn list(endpoint: &str) -> anyhow::Result<()> {
    let cloud = AwsCloud::connect(AwsSettings {
        credentials: Some(Credentials::new("id", "secret", None, None, "example")),
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint.to_owned()),
        path_style: true,
        only: Some(OneBucket { name: "events".to_owned(), prefix: String::new() }),
        ..AwsSettings::default()
    });
    let account = cloud.accounts().await?.into_iter().next().context("an account")?;
    let bucket: Bucket = cloud.buckets(&account).try_next().await?.context("a bucket")?;
    let started = Instant::now();
    let mut pages = cloud.objects(&bucket, "");
    let mut keys = 0;
    while let Some(page) = pages.try_next().await? {
        keys += page.len();
    }
    let seconds = started.elapsed().as_secs_f64();
    let memory = std::fs::read_to_string("/proc/self/status")?;
    let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    let times = std::fs::read_to_string("/proc/self/stat")?;
    let ticks: f64 = times.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    writeln!(
        std::io::stdout(),
        "{keys} keys in {seconds:.1} s, {:.0} keys/s, {:.1} CPU s, {peak}",
        keys as f64 / seconds,
        ticks / 100.0
    )?;
    Ok(())
}
