//! How does a file inside a container reach the sink, in pieces where it can, whole where it must?

use super::{Budget, HELD_BYTES_MAX, Place, Sink, limit_reached};

/// A file on its way out of a container.
#[derive(Debug)]
pub(super) struct Member {
    place: Place,
    /// What was gathered for a sink that takes files only whole.
    held: Option<Vec<u8>>,
    cut: bool,
}

impl Member {
    pub(super) fn begin(place: Place, sink: &mut dyn Sink, budget: &mut Budget) -> Self {
        let streams = sink.begin_file(&place, budget);
        Self { place, held: (!streams).then(Vec::new), cut: false }
    }

    pub(super) fn push(&mut self, bytes: &[u8], sink: &mut dyn Sink, budget: &mut Budget) {
        let Some(held) = &mut self.held else { return sink.push_file(bytes, budget) };
        let room = HELD_BYTES_MAX - held.len().min(HELD_BYTES_MAX);
        self.cut |= bytes.len() > room;
        held.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    pub(super) fn end(self, sink: &mut dyn Sink, budget: &mut Budget) {
        match self.held {
            None => sink.end_file(budget),
            Some(bytes) => {
                if self.cut {
                    sink.gap(limit_reached("a file in the archive is larger than what is held in memory"));
                }
                sink.file(&self.place, &bytes, budget);
            }
        }
    }
}
