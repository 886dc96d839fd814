//! Which runs of words stand in common licences? Hashes of all of them, from a folder of licence texts.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use spillwatch_classifiers::copies::licences::runs_of;

/// Writes `src/copies/licences.bin` from every file of a folder.
pub(crate) fn write(folder: &Path, root: &Path) -> Result<String> {
    let mut runs = BTreeSet::new();
    let mut texts = 0;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let text = std::fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        runs.extend(runs_of(&String::from_utf8_lossy(&text)));
        texts += 1;
    }
    let table: Vec<u8> = runs.iter().flat_map(|run| run.to_le_bytes()).collect();
    std::fs::write(root.join("src/copies/licences.bin"), &table)?;
    Ok(format!("{texts} texts, {} runs, {} bytes", runs.len(), table.len()))
}
