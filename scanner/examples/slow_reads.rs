//! How much faster are many small objects read together than one at a time, from a server that waits before it answers?
//!
//! `cargo run --release -p spillwatch --example slow_reads` prints both times of the same 300 objects at 50 ms each.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use spillwatch::cloud::aws::{AwsCloud, AwsSettings, OneBucket};
use spillwatch::scan::{Progress, Settings, Target, scan};
use spillwatch_fixtures::s3_server::S3Server;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = S3Server::start()?;
    server.generate("events", 300);
    server.delay("GetObject", Duration::from_millis(50));
    let together = timed(&server, Settings { all: true, ..Settings::default() }).await;
    let alone = timed(&server, Settings { all: true, reads_in_flight_max: 1, ..Settings::default() }).await;
    let ratio = alone.as_secs_f64() / together.as_secs_f64();
    writeln!(
        std::io::stdout(),
        "together {together:.2?}, one at a time {alone:.2?}: {ratio:.0} times faster"
    )?;
    Ok(())
}

async fn timed(server: &S3Server, settings: Settings) -> Duration {
    let cloud = AwsCloud::connect(AwsSettings {
        credentials: Some(Credentials::new("tests", "tests", None, None, "example")),
        region: Some("us-east-1".to_owned()),
        endpoint_url: Some(server.endpoint()),
        path_style: true,
        only: Some(OneBucket { name: "events".to_owned(), prefix: String::new() }),
        ..AwsSettings::default()
    });
    let targets = [Target { word: "s3://bucket".to_owned(), cloud: Arc::new(cloud), prefix: String::new() }];
    let (_keep, stop) = tokio::sync::watch::channel(false);
    let started = Instant::now();
    scan(&targets, &settings, &Progress::default(), stop, None, &mut |_| {}).await;
    started.elapsed()
}
