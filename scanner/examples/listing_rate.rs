//! How fast, and in how much memory, is a bucket of a million keys listed, and swept for exact copies?
//!
//! `cargo run --release -p spillwatch --example listing_rate [KEYS]` prints the keys listed, the seconds, the CPU
//! seconds of the lister alone and its peak memory, then the same of a sweep for a thousand known documents, and of a listing from
//! a server that waits 50 ms before each answer. The server that makes the keys up is a process of its own.

use std::io::{BufRead, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use aws_credential_types::Credentials;
use futures::TryStreamExt;
use spillwatch::cloud::Cloud;
use spillwatch::cloud::aws::{AwsCloud, AwsSettings, OneBucket};
use spillwatch::estate::Bucket;
use spillwatch::scan::sweep::{Depth, sweep};
use spillwatch::scan::{Progress, Settings, Target};
use spillwatch_classifiers::copies::{Collected, Digester, Index, IndexBuilder, IndexKey};
use spillwatch_fixtures::s3_server::S3Server;

/// What a server far away takes to answer.
const WAIT: Duration = Duration::from_millis(50);
/// Keys of a page.
const PAGE: u64 = 1_000;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let keys: u64 = arguments.next().map_or(Ok(1_000_000), |keys| keys.parse())?;
    if let Some(wait_ms) = arguments.next() {
        return serve(keys, Duration::from_millis(wait_ms.parse()?));
    }
    beside_a_server(keys, Duration::ZERO, measure)?;
    beside_a_server(keys, WAIT, |endpoint| measure_waiting(endpoint, keys))
}

/// Runs `measure` with the endpoint of a server that is a process of its own.
fn beside_a_server(
    keys: u64,
    wait: Duration,
    measure: impl FnOnce(&str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut server = Command::new(std::env::current_exe()?)
        .args([&keys.to_string(), &wait.as_millis().to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut endpoint = String::new();
    std::io::BufReader::new(server.stdout.take().context("piped")?).read_line(&mut endpoint)?;
    measure(endpoint.trim())?;
    drop(server.stdin.take());
    server.wait()?;
    Ok(())
}

/// Serves until standard input ends.
fn serve(keys: u64, wait: Duration) -> anyhow::Result<()> {
    let server = S3Server::start()?;
    server.generate("events", keys);
    server.delay("ListObjects", wait);
    writeln!(std::io::stdout(), "{}", server.endpoint())?;
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

async fn connected(endpoint: &str) -> anyhow::Result<(AwsCloud, Bucket)> {
    let cloud = AwsCloud::connect(AwsSettings {
        credentials: Some(Credentials::new("id", "secret", None, None, "example")),
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(endpoint.to_owned()),
        path_style: true,
        only: Some(OneBucket { name: "events".to_owned(), prefix: String::new() }),
        ..AwsSettings::default()
    });
    let account = cloud.accounts().await?.into_iter().next().context("an account")?;
    let bucket = cloud.buckets(&account).try_next().await?.context("a bucket")?;
    Ok((cloud, bucket))
}

async fn list(cloud: &AwsCloud, bucket: &Bucket) -> anyhow::Result<u64> {
    let mut pages = cloud.objects(bucket, "");
    let mut keys = 0;
    while let Some(page) = pages.try_next().await? {
        keys += page.len() as u64;
    }
    Ok(keys)
}

#[tokio::main]
async fn measure_waiting(endpoint: &str, keys: u64) -> anyhow::Result<()> {
    let (cloud, bucket) = connected(endpoint).await?;
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    tell("listed, waiting for each answer,", list(&cloud, &bucket).await?, started, cpu)?;
    let in_turn = WAIT.as_secs_f64() * keys.div_ceil(PAGE) as f64;
    let faster = in_turn / started.elapsed().as_secs_f64();
    writeln!(std::io::stdout(), "{faster:.0} times faster than to wait for one page after another")?;
    Ok(())
}

#[tokio::main]
async fn measure(endpoint: &str) -> anyhow::Result<()> {
    let (cloud, bucket) = connected(endpoint).await?;
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    let keys = list(&cloud, &bucket).await?;
    tell("listed", keys, started, cpu)?;

    let target = Target { word: "s3://events".to_owned(), cloud: Arc::new(cloud), prefix: String::new() };
    let settings = Settings { index: Some(Arc::new(thousand_documents()?)), ..Settings::default() };
    let (started, cpu) = (Instant::now(), cpu_seconds()?);
    let (_never, stop) = tokio::sync::watch::channel(false);
    let depth = Depth { contents: false, versions: true };
    let swept = sweep(&[target], &settings, depth, &Progress::default(), stop, &mut |_| {}).await;
    anyhow::ensure!(swept.ruled_out_by_size == keys, "{swept:?}");
    tell("swept", swept.ruled_out_by_size, started, cpu)
}

/// None of them has the size of an object.
fn thousand_documents() -> anyhow::Result<Index> {
    let key = IndexKey::new(&[7; 32]);
    let mut builder = IndexBuilder::new(key.clone());
    for number in 0..1000_usize {
        let content = vec![b'x'; 1000 + number];
        let mut digester = Digester::new(content.len() as u64);
        digester.push(&content);
        let (size_bytes, digests) = digester.finish();
        builder.add(&number.to_string(), size_bytes, digests, &Collected::default())?;
    }
    let mut file = Vec::new();
    builder.write([0; 16], &mut file)?;
    Ok(Index::open(Box::new(file), key)?)
}

fn cpu_seconds() -> anyhow::Result<f64> {
    let times = std::fs::read_to_string("/proc/self/stat")?;
    let ticks: f64 = times.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Ok(ticks / 100.0)
}

fn tell(what: &str, keys: u64, started: Instant, cpu: f64) -> anyhow::Result<()> {
    let seconds = started.elapsed().as_secs_f64();
    let memory = std::fs::read_to_string("/proc/self/status")?;
    let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: unknown");
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{what} {keys} keys in {seconds:.1} s, {:.0} keys/s, {:.1} CPU s, {peak}",
        keys as f64 / seconds,
        cpu_seconds()? - cpu
    )?;
    Ok(())
}
