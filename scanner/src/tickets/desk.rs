//! Who takes findings as they are decided, files them everywhere, and keeps what could not be delivered?

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::dead_letter::{DeadLetters, Letter};
use super::http::Printer;
use super::settings::Settings;
use super::sink::Sink;
use super::ticket::Ticket;
use super::tracker::Done;
use super::{HttpError, TicketError};
use crate::findings::{Finding, Transition};

/// Findings that wait to be filed; a scan that is faster waits.
const WAITING_MAX: usize = 1_024;
/// A sink that fails so often in a row is left alone for the rest of the run.
const FAILURES_MAX: u32 = 3;
/// The schema of a dead letter.
const LETTER_SCHEMA: &str = "spillwatch.dead_letter/1";

/// What one sink came to in a run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its name.
    pub sink: String,
    /// Tickets made.
    pub created: u64,
    /// Comments made.
    pub commented: u64,
    /// Tickets closed.
    pub closed: u64,
    /// Tickets opened again.
    pub reopened: u64,
    /// Messages sent, where no ticket is kept.
    pub sent: u64,
    /// Of all these findings, those that an earlier run could not deliver.
    pub sent_again: u64,
    /// Findings that could not be delivered and wait for a later run.
    pub undelivered: u64,
    /// Findings that could neither be delivered nor kept.
    pub lost: u64,
}

/// Everything that is filed at, ready.
pub struct Desk {
    settings: Settings,
    sinks: Vec<Seat>,
    letters: Option<DeadLetters>,
    is_dry: bool,
    stop: watch::Receiver<bool>,
}

/// A sink and how it fares.
struct Seat {
    sink: Sink,
    failures: u32,
    /// How long it was waited for.
    spent: Duration,
    /// Findings of which an earlier telling still waits: what comes later waits behind it.
    behind: BTreeSet<String>,
    delivery: Delivery,
}

/// A desk at work beside a scan.
pub struct Filing {
    findings: mpsc::Sender<Finding>,
    desk: JoinHandle<Vec<Delivery>>,
}

impl Desk {
    /// Reads every secret, so that a missing one is known before the scan; none where no sink is configured.
    ///
    /// With a printer, requests are printed and nothing is sent or kept. Once `stop` turns true, what is not filed yet
    /// becomes a dead letter.
    pub fn open(
        settings: &Settings,
        printer: Option<Printer>,
        stop: watch::Receiver<bool>,
    ) -> Result<Option<Self>, TicketError> {
        let seat = |sink: &_| {
            let sink = Sink::open(sink, printer.clone())?;
            let delivery = Delivery { sink: sink.settings.name.clone(), ..Delivery::default() };
            Ok(Seat { sink, failures: 0, spent: Duration::ZERO, behind: BTreeSet::new(), delivery })
        };
        let sinks = settings.sinks.iter().map(seat).collect::<Result<Vec<_>, TicketError>>()?;
        let is_dry = printer.is_some();
        let letters = settings.dead_letter.as_deref().filter(|_| !is_dry).map(DeadLetters::at);
        let desk = Self { settings: settings.clone(), sinks, letters, is_dry, stop };
        Ok((!desk.sinks.is_empty()).then_some(desk))
    }

    /// Starts to file what is handed in, after what earlier runs could not deliver.
    pub fn start(mut self) -> Filing {
        let (findings, mut waiting) = mpsc::channel::<Finding>(WAITING_MAX);
        let desk = tokio::spawn(async move {
            self.send_again().await;
            while let Some(finding) = waiting.recv().await {
                self.file(&finding).await;
            }
            self.end()
        });
        Filing { findings, desk }
    }

    /// Files one finding everywhere.
    async fn file(&mut self, finding: &Finding) {
        let (settings, stop) = (&self.settings, &self.stop);
        let filed = self.sinks.iter_mut().map(|seat| seat.file(finding, settings, stop.clone()));
        let filed: Vec<Result<(), String>> = join_all(filed).await;
        for (seat, filed) in self.sinks.iter_mut().zip(filed) {
            let Err(why) = filed else { continue };
            keep(seat, finding, why, self.letters.as_mut(), self.is_dry);
        }
    }

    /// Sends what earlier runs could not deliver, and leaves in the file what fails again.
    async fn send_again(&mut self) {
        let Some(letters) = &mut self.letters else { return };
        let waiting = match letters.read() {
            Ok(waiting) => waiting,
            Err(error) => return tracing::warn!("could not read the dead letters: {error}"),
        };
        if waiting.is_empty() {
            return;
        }
        let mut left = Vec::new();
        for letter in waiting {
            let Some(seat) = self.sinks.iter_mut().find(|seat| seat.sink.settings.name == letter.sink) else {
                // Its sink may be configured again.
                left.push(letter);
                continue;
            };
            match seat.file(&letter.finding, &self.settings, self.stop.clone()).await {
                Ok(()) => seat.delivery.sent_again += 1,
                Err(why) => {
                    seat.behind.insert(letter.finding.uid.clone());
                    seat.delivery.undelivered += 1;
                    left.push(Letter { why, ..letter });
                }
            }
        }
        if let Err(error) = letters.replace(&left) {
            tracing::warn!("could not write the dead letters: {error}");
        }
    }

    fn end(self) -> Vec<Delivery> {
        self.sinks.into_iter().map(|seat| seat.delivery).collect()
    }
}

/// Keeps what could not be delivered, or says that it is lost.
fn keep(seat: &mut Seat, finding: &Finding, why: String, letters: Option<&mut DeadLetters>, is_dry: bool) {
    // The next run says it again where nothing changed.
    if is_dry || finding.status == Transition::Unchanged {
        return;
    }
    let name = &seat.sink.settings.name;
    let mut finding = finding.clone();
    if !seat.sink.settings.evidence {
        finding.detections.iter_mut().for_each(|found| found.evidence.clear());
    }
    let at = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
    let letter = Letter { schema: LETTER_SCHEMA.to_owned(), sink: name.clone(), at, why, finding };
    let kept = match letters {
        Some(letters) => letters.add(&letter).map_err(|error| error.to_string()),
        None => Err("no `dead_letter` file is configured to keep it for a later run".to_owned()),
    };
    match kept {
        Ok(()) => seat.delivery.undelivered += 1,
        Err(error) => {
            seat.delivery.lost += 1;
            tracing::error!("a finding is not told to `{name}`: {error}");
        }
    }
    seat.behind.insert(letter.finding.uid);
}

impl Seat {
    /// Files one finding here, or says why not.
    async fn file(
        &mut self,
        finding: &Finding,
        settings: &Settings,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), String> {
        let ticket = Ticket::of(finding, settings, self.sink.settings.evidence);
        if !self.sink.concerns(&ticket) {
            return Ok(());
        }
        let name = &self.sink.settings.name;
        if self.failures >= FAILURES_MAX {
            return Err("the sink failed too often in a row and was left alone".to_owned());
        }
        if self.behind.contains(&finding.uid) {
            return Err("an earlier change of it waits".to_owned());
        }
        if self.spent >= settings.time_max {
            return Err("the sink was so slow that its time was over".to_owned());
        }
        let began = Instant::now();
        let filed = tokio::select! {
            filed = self.sink.file(&ticket) => filed,
            _ = stop.wait_for(|stopped| *stopped) => return Err("the run was ended before its time".to_owned()),
        };
        self.spent += began.elapsed();
        match filed {
            Ok(done) => {
                self.failures = 0;
                self.delivery.add(done);
                Ok(())
            }
            Err(error) => {
                tracing::warn!("sink `{name}`: {error}");
                // One finding that is refused must not keep back all others, in this run and in every later one.
                if !is_about_the_finding(&error) {
                    self.failures += 1;
                    if self.failures == FAILURES_MAX {
                        tracing::warn!(
                            "sink `{name}` failed {FAILURES_MAX} times in a row and is left alone"
                        );
                    }
                }
                Err(error.to_string())
            }
        }
    }
}

/// Whether the server is well and only this text or field does not suit it.
fn is_about_the_finding(error: &HttpError) -> bool {
    matches!(error, HttpError::Refused { status: 400 | 409 | 413 | 422, .. })
}

impl Filing {
    /// Hands in a finding that the ledger has recorded; waits while too many are waiting. Needs a runtime of many threads.
    pub fn take(&self, finding: &Finding) {
        let Err(mpsc::error::TrySendError::Full(finding)) = self.findings.try_send(finding.clone()) else {
            return;
        };
        let sent = tokio::task::block_in_place(|| self.findings.blocking_send(finding).is_ok());
        if !sent {
            tracing::error!("a finding is not filed: the desk has gone");
        }
    }

    /// Waits until everything is filed, and says what came of it.
    pub async fn end(self) -> Vec<Delivery> {
        drop(self.findings);
        self.desk.await.unwrap_or_else(|error| {
            tracing::error!("the desk ended before its time: {error}");
            vec![Delivery { sink: "all".to_owned(), lost: 1, ..Delivery::default() }]
        })
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sink `{}`:", self.sink)?;
        let counts = [
            ("created", self.created),
            ("commented", self.commented),
            ("closed", self.closed),
            ("reopened", self.reopened),
            ("sent", self.sent),
            ("sent again", self.sent_again),
            ("undelivered", self.undelivered),
            ("lost", self.lost),
        ];
        let told: Vec<String> = counts
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!(" {count} {what}"))
            .collect();
        if told.is_empty() { f.write_str(" nothing to do") } else { f.write_str(&told.join(",")) }
    }
}

impl Delivery {
    fn add(&mut self, done: Done) {
        self.created += u64::from(done.created);
        self.commented += u64::from(done.commented);
        self.closed += u64::from(done.closed);
        self.reopened += u64::from(done.reopened);
        self.sent += u64::from(done.sent);
    }
}
