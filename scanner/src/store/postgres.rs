//! How does a ledger live in PostgreSQL, where several scanners share it? The same tables; one lock per bucket.

use std::sync::Arc;

use async_trait::async_trait;
use rustls::{ClientConfig, RootCertStore};
use tokio::sync::{Mutex, MutexGuard};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, Row, Transaction};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::rows::{self, RecordRow, SightingRow};
use super::{Decide, PAGE, RUNS_KEPT, Run, Sighting, Store, StoreError};
use crate::estate::{Bucket, Provider};
use crate::findings::{Record, Suppression};

/// Serialises the migrations of scanners that start at the same time.
const MIGRATION_LOCK: i64 = 0x7370_776c;

/// A ledger in a database.
pub struct Postgres {
    /// The database, without its password.
    place: String,
    config: Config,
    tls: MakeRustlsConnect,
    client: Mutex<Client>,
}

impl Postgres {
    /// Connects to `postgres://USER:PASSWORD@HOST/DATABASE?sslmode=…` and brings its tables up to date.
    ///
    /// Where TLS is spoken, the server's certificate is verified against the system's, or those in `SSL_CERT_FILE`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        let unreadable =
            |message: String| StoreError::Unreachable { place: "postgres://…".to_owned(), message };
        let mut config: Config =
            url.parse().map_err(|error: tokio_postgres::Error| unreadable(told(&error)))?;
        config.application_name("spillwatch");
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(std::time::Duration::from_secs(10));
        }
        let place = place(&config);
        let tls = MakeRustlsConnect::new(verified().map_err(unreadable)?);
        let client = connect(&config, &tls, &place).await?;
        let store = Self { place, config, tls, client: Mutex::new(client) };
        store.migrate().await?;
        Ok(store)
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        let mut client = self.client().await?;
        let failed = |error| self.failed(error);
        let transaction = client.transaction().await.map_err(failed)?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK]).await.map_err(failed)?;
        let made = "CREATE TABLE IF NOT EXISTS spillwatch_schema (version BIGINT NOT NULL)";
        transaction.batch_execute(made).await.map_err(failed)?;
        let found =
            transaction.query_opt("SELECT version FROM spillwatch_schema", &[]).await.map_err(failed)?;
        let found: i64 = found.map_or(Ok(0), |row| row.try_get(0)).map_err(failed)?;
        if found > rows::VERSION {
            return Err(StoreError::Newer { place: self.place.clone(), found, known: rows::VERSION });
        }
        for step in rows::MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or(0)) {
            transaction.batch_execute(step).await.map_err(failed)?;
        }
        transaction.batch_execute("DELETE FROM spillwatch_schema").await.map_err(failed)?;
        let note = "INSERT INTO spillwatch_schema (version) VALUES ($1)";
        transaction.execute(note, &[&rows::VERSION]).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// The connection; a new one where it broke off.
    async fn client(&self) -> Result<MutexGuard<'_, Client>, StoreError> {
        let mut client = self.client.lock().await;
        if client.is_closed() {
            *client = connect(&self.config, &self.tls, &self.place).await?;
        }
        Ok(client)
    }

    async fn query(
        &self,
        statement: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        self.client().await?.query(statement, parameters).await.map_err(|error| self.failed(error))
    }

    async fn execute(&self, statement: &str, parameters: &[&(dyn ToSql + Sync)]) -> Result<u64, StoreError> {
        self.client().await?.execute(statement, parameters).await.map_err(|error| self.failed(error))
    }

    fn failed(&self, error: tokio_postgres::Error) -> StoreError {
        StoreError::Failed { place: self.place.clone(), message: told(&error) }
    }

    fn damaged(&self, message: String) -> StoreError {
        StoreError::Damaged { place: self.place.clone(), message }
    }

    fn record(&self, row: &Row) -> Result<Record, StoreError> {
        let read = || {
            Ok(RecordRow {
                finding: row.try_get(0)?,
                run: row.try_get(1)?,
                target: row.try_get(2)?,
                examined_at: row.try_get(3)?,
                confidence_min: row.try_get(4)?,
                holders: row.try_get(5)?,
            })
        };
        read().map_err(|error| self.failed(error))?.record().map_err(|message| self.damaged(message))
    }

    fn suppression(&self, row: &Row) -> Result<Suppression, StoreError> {
        let read = || {
            Ok(Suppression {
                uid: row.try_get(0)?,
                reason: row.try_get(1)?,
                author: row.try_get(2)?,
                created: row.try_get(3)?,
                until: row.try_get(4)?,
            })
        };
        read().map_err(|error| self.failed(error))
    }

    async fn write(
        &self,
        transaction: &Transaction<'_>,
        run: &str,
        record: &Record,
    ) -> Result<(), StoreError> {
        let finding = &record.finding;
        let row = RecordRow::of(record).map_err(|message| self.damaged(message))?;
        let (provider, status) = (finding.provider.as_str(), finding.status.as_str());
        let parameters: [&(dyn ToSql + Sync); 13] = [
            &finding.uid,
            &provider,
            &finding.account,
            &finding.bucket,
            &finding.rule,
            &finding.class,
            &status,
            &row.run,
            &row.target,
            &row.examined_at,
            &row.confidence_min,
            &row.finding,
            &row.holders,
        ];
        transaction.execute(rows::WRITE_RECORD, &parameters).await.map_err(|error| self.failed(error))?;
        let (status, severity, objects, distinct) = rows::sighted(finding);
        let sighting: [&(dyn ToSql + Sync); 6] =
            [&run, &finding.uid, &status, &severity, &objects, &distinct];
        transaction.execute(rows::WRITE_SIGHTING, &sighting).await.map_err(|error| self.failed(error))?;
        Ok(())
    }
}

async fn connect(config: &Config, tls: &MakeRustlsConnect, place: &str) -> Result<Client, StoreError> {
    let connected = config.connect(tls.clone()).await;
    let (client, connection) = connected
        .map_err(|error| StoreError::Unreachable { place: place.to_owned(), message: told(&error) })?;
    // It ends with the client; how it broke off, the next statement says.
    tokio::spawn(connection);
    Ok(client)
}

fn verified() -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The database's name for people: no password.
fn place(config: &Config) -> String {
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .map(|host| match host {
            tokio_postgres::config::Host::Tcp(name) => name.clone(),
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
        })
        .collect();
    format!("postgres://{}/{}", hosts.join(","), config.get_dbname().unwrap_or_default())
}

/// The error with its causes: the outermost alone says "db error".
fn told(error: &tokio_postgres::Error) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        words = format!("{words}: {next}");
        cause = next.source();
    }
    words
}

#[async_trait]
impl Store for Postgres {
    async fn begin(&self, run: &Run) -> Result<(), StoreError> {
        let targets = serde_json::to_string(&run.targets).unwrap_or_default();
        self.execute(rows::BEGIN_RUN, &[&run.id, &run.started, &targets]).await?;
        self.execute(rows::FORGET_RUNS, &[&i64::from(RUNS_KEPT)]).await?;
        Ok(())
    }

    async fn end(&self, run: &Run) -> Result<(), StoreError> {
        let coverage = run.coverage.as_ref().map(|coverage| coverage.to_string());
        self.execute(rows::END_RUN, &[&run.ended, &coverage, &run.id]).await?;
        Ok(())
    }

    async fn decide(&self, bucket: &Bucket, run: &str, decide: Decide) -> Result<Vec<Record>, StoreError> {
        let provider = bucket.account.provider.as_str();
        let place: [&(dyn ToSql + Sync); 3] = [&provider, &bucket.account.id, &bucket.name];
        let mut client = self.client().await?;
        let failed = |error| self.failed(error);
        let transaction = client.transaction().await.map_err(failed)?;
        // The rows that are to come cannot be locked, so the bucket's name is, until the transaction ends.
        let lock = "SELECT pg_advisory_xact_lock(hashtextextended($1 || '|' || $2 || '|' || $3, 0))";
        transaction.execute(lock, &place).await.map_err(failed)?;
        let found = transaction.query(rows::RECORDS_OF_BUCKET, &place).await.map_err(failed)?;
        let known = found.iter().map(|row| self.record(row)).collect::<Result<Vec<_>, _>>()?;
        let found = transaction.query(rows::SUPPRESSIONS_OF_BUCKET, &place).await.map_err(failed)?;
        let suppressed = found.iter().map(|row| self.suppression(row)).collect::<Result<Vec<_>, _>>()?;
        let decided = decide(known, &suppressed);
        for record in &decided {
            self.write(&transaction, run, record).await?;
        }
        transaction.commit().await.map_err(failed)?;
        Ok(decided)
    }

    async fn open_buckets(&self, provider: Provider, account: &str) -> Result<Vec<String>, StoreError> {
        let found = self.query(rows::OPEN_BUCKETS, &[&provider.as_str(), &account]).await?;
        found.iter().map(|row| row.try_get(0).map_err(|error| self.failed(error))).collect()
    }

    async fn unexamined(&self, run: &str) -> Result<u64, StoreError> {
        let found = self.query(rows::UNEXAMINED, &[&run]).await?;
        let count: i64 =
            found.first().map_or(Ok(0), |row| row.try_get(0)).map_err(|error| self.failed(error))?;
        Ok(u64::try_from(count).unwrap_or(0))
    }

    async fn records(&self, after: &str) -> Result<Vec<Record>, StoreError> {
        let found = self.query(rows::RECORDS_AFTER, &[&after, &(PAGE as i64)]).await?;
        found.iter().map(|row| self.record(row)).collect()
    }

    async fn find(&self, prefix: &str) -> Result<Vec<Record>, StoreError> {
        let found = self.query(rows::RECORDS_FROM_TO, &[&prefix, &rows::end_of_prefix(prefix)]).await?;
        found.iter().map(|row| self.record(row)).collect()
    }

    async fn suppress(&self, suppression: &Suppression) -> Result<(), StoreError> {
        let Suppression { uid, reason, author, created, until } = suppression;
        self.execute(rows::SUPPRESS, &[uid, reason, author, created, until]).await?;
        Ok(())
    }

    async fn unsuppress(&self, uid: &str) -> Result<bool, StoreError> {
        Ok(self.execute(rows::UNSUPPRESS, &[&uid]).await? > 0)
    }

    async fn suppressions(&self) -> Result<Vec<Suppression>, StoreError> {
        let found = self.query(rows::SUPPRESSIONS, &[]).await?;
        found.iter().map(|row| self.suppression(row)).collect()
    }

    async fn runs(&self) -> Result<Vec<Run>, StoreError> {
        let found = self.query(rows::RUNS, &[]).await?;
        let run = |row: &Row| {
            let failed = |error| self.failed(error);
            let targets: String = row.try_get(3).map_err(failed)?;
            let coverage: Option<String> = row.try_get(4).map_err(failed)?;
            let (id, started) = (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
            let ended = row.try_get(2).map_err(failed)?;
            rows::run(id, started, ended, &targets, coverage.as_deref())
                .map_err(|message| self.damaged(message))
        };
        found.iter().map(run).collect()
    }

    async fn sightings(&self, run: &str, after: &str) -> Result<Vec<Sighting>, StoreError> {
        let found = self.query(rows::SIGHTINGS_AFTER, &[&run, &after, &(PAGE as i64)]).await?;
        let sighting = |row: &Row| {
            let read = || {
                let name = |at: usize| row.try_get::<_, String>(at);
                Ok(SightingRow {
                    uid: name(0)?,
                    names: [name(1)?, name(2)?, name(3)?, name(4)?, name(5)?],
                    status: name(6)?,
                    severity: name(7)?,
                    counts: [row.try_get(8)?, row.try_get(9)?],
                })
            };
            let row = read().map_err(|error| self.failed(error))?;
            row.sighting().map_err(|message| self.damaged(message))
        };
        found.iter().map(sighting).collect()
    }
}
