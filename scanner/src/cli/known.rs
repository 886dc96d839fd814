//! Which documents are known: where is their index, and its key?

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use spillwatch_classifiers::copies::{Index, IndexKey};
use zeroize::Zeroizing;

use crate::config::Config;
use crate::store::index;

/// Holds the key itself, where no file does.
const KEY_VARIABLE: &str = "SPILLWATCH_INDEX_KEY";

/// The index of known documents.
#[derive(clap::Args)]
pub(super) struct KnownArgs {
    /// The index of known documents, as `fingerprint add` makes it.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_INDEX", help_heading = "Known documents")]
    index: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

/// The key of an index.
#[derive(clap::Args)]
pub(super) struct KeyArgs {
    /// The file of the index's key; or the key itself in `SPILLWATCH_INDEX_KEY`.
    #[arg(long, value_name = "FILE", env = "SPILLWATCH_INDEX_KEY_FILE", help_heading = "Known documents")]
    index_key: Option<PathBuf>,
}

impl KnownArgs {
    /// Opens the index that the flags or the configuration name; none where neither does.
    pub(super) fn index(&self, config: &Config) -> anyhow::Result<Option<Arc<Index>>> {
        let Some(path) = self.index.as_ref().or(config.index.as_ref()) else { return Ok(None) };
        Ok(Some(Arc::new(index::open(path, &self.key.key(config)?)?)))
    }
}

impl KeyArgs {
    /// The key that the flags, the environment or the configuration name.
    pub(super) fn key(&self, config: &Config) -> anyhow::Result<IndexKey> {
        if let Some(path) = self.index_key.as_ref() {
            return Ok(index::read_key(path)?);
        }
        if let Ok(text) = std::env::var(KEY_VARIABLE) {
            let text = Zeroizing::new(text);
            return IndexKey::from_hex(&text)
                .with_context(|| format!("`{KEY_VARIABLE}` holds no key: 64 hexadecimal digits"));
        }
        let path = config.index_key.as_ref().ok_or_else(|| {
            anyhow!("the index needs its key: name its file with `--index-key`; `fingerprint key` makes one")
        })?;
        Ok(index::read_key(path)?)
    }
}
