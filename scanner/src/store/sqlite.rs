//! How does a ledger live in one file? SQLite with a write-ahead log; the file is its owner's alone from its first moment.

use std::fs::{self, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use super::rows::{self, RecordRow, SightingRow};
use super::{Decide, PAGE, RUNS_KEPT, Run, Sighting, Store, StoreError};
use crate::estate::{Bucket, Provider};
use crate::findings::{Record, Suppression};

/// `spwl`: tells a ledger from other databases ("file format", sqlite.org, at offset 68).
const APPLICATION_ID: i64 = 0x7370_776c;
/// How long another process may hold the file before a write is given up.
const BUSY: Duration = Duration::from_secs(60);

/// A ledger in a file.
pub struct Sqlite {
    place: String,
    connection: Arc<Mutex<Connection>>,
}

impl Sqlite {
    /// Opens the file, or makes it, readable and writable by its owner alone.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        let unreachable = |message: String| StoreError::Unreachable { place: place.clone(), message };
        // Made before SQLite opens it, so that it is never readable by others; its log and index take over its mode.
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        let file = made.map_err(|error| unreachable(error.to_string()))?;
        let metadata = file.metadata().map_err(|error| unreachable(error.to_string()))?;
        if !metadata.is_file() {
            return Err(StoreError::Foreign { place });
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(path, Permissions::from_mode(0o600))
                .map_err(|error| unreachable(error.to_string()))?;
        }
        drop(file);
        let failed = |error: rusqlite::Error| match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => StoreError::Foreign { place: place.clone() },
            _ => unreachable(error.to_string()),
        };
        let mut connection = Connection::open(path).map_err(failed)?;
        connection.busy_timeout(BUSY).map_err(failed)?;
        migrate(&mut connection, &place).map_err(|error| error.unwrap_or_else(failed))?;
        Ok(Self { place, connection: Arc::new(Mutex::new(connection)) })
    }

    /// Runs `work` as one transaction, off the threads that wait for the network.
    async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = Arc::clone(&self.connection);
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            // The write lock from the start: a transaction that only then wants to write could have to be given up.
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        let place = || self.place.clone();
        match done.await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(Failure::Sql(error))) => {
                Err(StoreError::Failed { place: place(), message: error.to_string() })
            }
            Ok(Err(Failure::Damaged(message))) => Err(StoreError::Damaged { place: place(), message }),
            Err(error) => Err(StoreError::Failed { place: place(), message: error.to_string() }),
        }
    }
}

enum Failure {
    Sql(rusqlite::Error),
    Damaged(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// A refusal of our own, or SQLite's.
enum Refusal {
    Ours(StoreError),
    Sql(rusqlite::Error),
}

impl Refusal {
    fn unwrap_or_else(self, failed: impl FnOnce(rusqlite::Error) -> StoreError) -> StoreError {
        match self {
            Self::Ours(error) => error,
            Self::Sql(error) => failed(error),
        }
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

fn migrate(connection: &mut Connection, place: &str) -> Result<(), Refusal> {
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let pragma = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (found, id) = (pragma("user_version")?, pragma("application_id")?);
    let tables: i64 = transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if id != APPLICATION_ID && (id != 0 || found != 0 || tables != 0) {
        return Err(Refusal::Ours(StoreError::Foreign { place: place.to_owned() }));
    }
    if found > rows::VERSION {
        let place = place.to_owned();
        return Err(Refusal::Ours(StoreError::Newer { place, found, known: rows::VERSION }));
    }
    for step in rows::MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", rows::VERSION)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    Ok(())
}

fn record_row(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    Ok(RecordRow {
        finding: row.get(0)?,
        run: row.get(1)?,
        target: row.get(2)?,
        examined_at: row.get(3)?,
        confidence_min: row.get(4)?,
        holders: row.get(5)?,
    })
}

fn records(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Record>, Failure> {
    let mut statement = transaction.prepare(statement)?;
    let rows: Vec<RecordRow> = statement.query_map(parameters, record_row)?.collect::<Result<_, _>>()?;
    rows.into_iter().map(|row| row.record().map_err(Failure::Damaged)).collect()
}

fn suppressions(
    transaction: &Transaction<'_>,
    statement: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<Suppression>, Failure> {
    let mut statement = transaction.prepare(statement)?;
    let suppression = |row: &Row<'_>| {
        Ok(Suppression {
            uid: row.get(0)?,
            reason: row.get(1)?,
            author: row.get(2)?,
            created: row.get(3)?,
            until: row.get(4)?,
        })
    };
    Ok(statement.query_map(parameters, suppression)?.collect::<Result<_, _>>()?)
}

fn write(transaction: &Transaction<'_>, run: &str, record: &Record) -> Result<(), Failure> {
    let finding = &record.finding;
    let row = RecordRow::of(record).map_err(Failure::Damaged)?;
    transaction.prepare(rows::WRITE_RECORD)?.execute(params![
        finding.uid,
        finding.provider.as_str(),
        finding.account,
        finding.bucket,
        finding.rule,
        finding.class,
        finding.status.as_str(),
        row.run,
        row.target,
        row.examined_at,
        row.confidence_min,
        row.finding,
        row.holders
    ])?;
    let (status, severity, objects, distinct) = rows::sighted(finding);
    let mut sighting = transaction.prepare(rows::WRITE_SIGHTING)?;
    sighting.execute(params![run, finding.uid, status, severity, objects, distinct])?;
    Ok(())
}

#[async_trait]
impl Store for Sqlite {
    async fn begin(&self, run: &Run) -> Result<(), StoreError> {
        let (id, started) = (run.id.clone(), run.started.clone());
        let targets = serde_json::to_string(&run.targets).unwrap_or_default();
        self.transaction(move |transaction| {
            transaction.execute(rows::BEGIN_RUN, params![id, started, targets])?;
            transaction.execute(rows::FORGET_RUNS, params![RUNS_KEPT])?;
            Ok(())
        })
        .await
    }

    async fn end(&self, run: &Run) -> Result<(), StoreError> {
        let Run { id, ended, coverage, .. } = run.clone();
        let coverage = coverage.map(|coverage| coverage.to_string());
        self.transaction(move |transaction| {
            transaction.execute(rows::END_RUN, params![ended, coverage, id])?;
            Ok(())
        })
        .await
    }

    async fn decide(&self, bucket: &Bucket, run: &str, decide: Decide) -> Result<Vec<Record>, StoreError> {
        let (provider, account) = (bucket.account.provider.as_str(), bucket.account.id.clone());
        let (bucket, run) = (bucket.name.clone(), run.to_owned());
        self.transaction(move |transaction| {
            let place = params![provider, account, bucket];
            let known = records(transaction, rows::RECORDS_OF_BUCKET, place)?;
            let suppressed = suppressions(transaction, rows::SUPPRESSIONS_OF_BUCKET, place)?;
            let decided = decide(known, &suppressed);
            for record in &decided {
                write(transaction, &run, record)?;
            }
            Ok(decided)
        })
        .await
    }

    async fn open_buckets(&self, provider: Provider, account: &str) -> Result<Vec<String>, StoreError> {
        let account = account.to_owned();
        self.transaction(move |transaction| {
            let mut statement = transaction.prepare(rows::OPEN_BUCKETS)?;
            let names = statement.query_map(params![provider.as_str(), account], |row| row.get(0))?;
            Ok(names.collect::<Result<_, _>>()?)
        })
        .await
    }

    async fn unexamined(&self, run: &str) -> Result<u64, StoreError> {
        let run = run.to_owned();
        self.transaction(move |transaction| {
            let count: i64 = transaction.query_row(rows::UNEXAMINED, [run], |row| row.get(0))?;
            Ok(u64::try_from(count).unwrap_or(0))
        })
        .await
    }

    async fn records(&self, after: &str) -> Result<Vec<Record>, StoreError> {
        let after = after.to_owned();
        self.transaction(move |transaction| {
            records(transaction, rows::RECORDS_AFTER, params![after, PAGE as i64])
        })
        .await
    }

    async fn find(&self, prefix: &str) -> Result<Vec<Record>, StoreError> {
        let (from, to) = (prefix.to_owned(), rows::end_of_prefix(prefix));
        self.transaction(move |transaction| records(transaction, rows::RECORDS_FROM_TO, params![from, to]))
            .await
    }

    async fn suppress(&self, suppression: &Suppression) -> Result<(), StoreError> {
        let Suppression { uid, reason, author, created, until } = suppression.clone();
        self.transaction(move |transaction| {
            transaction.execute(rows::SUPPRESS, params![uid, reason, author, created, until])?;
            Ok(())
        })
        .await
    }

    async fn unsuppress(&self, uid: &str) -> Result<bool, StoreError> {
        let uid = uid.to_owned();
        self.transaction(move |transaction| Ok(transaction.execute(rows::UNSUPPRESS, [uid])? > 0)).await
    }

    async fn suppressions(&self) -> Result<Vec<Suppression>, StoreError> {
        self.transaction(|transaction| suppressions(transaction, rows::SUPPRESSIONS, [])).await
    }

    async fn runs(&self) -> Result<Vec<Run>, StoreError> {
        self.transaction(|transaction| {
            let mut statement = transaction.prepare(rows::RUNS)?;
            let mut found = statement.query([])?;
            let mut runs = Vec::new();
            while let Some(row) = found.next()? {
                let (targets, coverage): (String, Option<String>) = (row.get(3)?, row.get(4)?);
                let run = rows::run(row.get(0)?, row.get(1)?, row.get(2)?, &targets, coverage.as_deref());
                runs.push(run.map_err(Failure::Damaged)?);
            }
            Ok(runs)
        })
        .await
    }

    async fn sightings(&self, run: &str, after: &str) -> Result<Vec<Sighting>, StoreError> {
        let (run, after) = (run.to_owned(), after.to_owned());
        self.transaction(move |transaction| {
            let mut statement = transaction.prepare(rows::SIGHTINGS_AFTER)?;
            let row = |row: &Row<'_>| {
                Ok(SightingRow {
                    uid: row.get(0)?,
                    names: [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
                    status: row.get(6)?,
                    severity: row.get(7)?,
                    counts: [row.get(8)?, row.get(9)?],
                })
            };
            let found: Vec<SightingRow> =
                statement.query_map(params![run, after, PAGE as i64], row)?.collect::<Result<_, _>>()?;
            found.into_iter().map(|row| row.sighting().map_err(Failure::Damaged)).collect()
        })
        .await
    }
}
