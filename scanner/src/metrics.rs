//! How does an operator learn that a run went well, or that none did? Figures in a file or sent, and a sign of life.

use std::path::PathBuf;

use crate::tickets::SecretSource;

mod heartbeat;
mod otlp;
mod textfile;

pub use heartbeat::Heartbeat;
pub use otlp::send;
pub use textfile::write;

/// Where figures go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// A file that a Prometheus exporter reads.
    pub textfile: Option<PathBuf>,
    /// An OpenTelemetry collector, without the path `/v1/metrics`.
    pub otlp: Option<String>,
    /// What the collector asks for.
    pub otlp_token: Option<SecretSource>,
    /// An address that is asked when a run ended well.
    pub heartbeat: Option<String>,
    /// One that is asked when a run begins.
    pub heartbeat_start: Option<String>,
    /// One that is asked when a run failed.
    pub heartbeat_fail: Option<String>,
}

/// One figure of the last run, perhaps of several kinds.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name without `spillwatch_`; units last, as `duration_seconds`.
    pub name: &'static str,
    /// What it counts, in words.
    pub help: &'static str,
    /// What each value is of, and the value; one without a label where there is one only.
    pub values: Vec<(Vec<(&'static str, String)>, f64)>,
}

impl Figure {
    /// A figure with one value.
    pub fn one(name: &'static str, help: &'static str, value: f64) -> Self {
        Self { name, help, values: vec![(Vec::new(), value)] }
    }

    /// A figure with a value for each kind of something.
    pub fn by<K: Into<String>>(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (K, u64)>,
    ) -> Self {
        let value = |(kind, count): (K, u64)| (vec![(label, kind.into())], count as f64);
        Self { name, help, values: values.into_iter().map(value).collect() }
    }
}

/// Why figures could not be told. A run is no failure for that.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The file could not be written.
    #[error("could not write the metrics to `{path}`: {cause}")]
    Textfile {
        /// The file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// The other side did not take it.
    #[error("could not send {what}: {cause}")]
    Unsent {
        /// What was to be sent.
        what: &'static str,
        /// Why.
        cause: String,
    },
}
