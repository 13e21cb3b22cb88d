//! How what is sent on gets on, as series of the machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::series::{SeriesValue, of_export};
use crate::clock::Now;
use crate::export::Figures;

/// The newest figures of each destination.
#[derive(Debug, Default)]
pub(super) struct Exports {
    by_destination: BTreeMap<&'static str, Told>,
}

#[derive(Debug, Default)]
struct Told {
    figures: Figures,
    /// Samples lost that a value has told of.
    lost_before: u64,
}

impl Exports {
    pub(super) fn set(&mut self, destination: &'static str, figures: Figures) {
        self.by_destination.entry(destination).or_default().figures = figures;
    }

    /// Values of this second. What was lost is told once.
    pub(super) fn values(&mut self, now: Now) -> Vec<SeriesValue> {
        let destinations = self.by_destination.iter_mut();
        destinations
            .flat_map(|(destination, Told { figures, lost_before })| {
                let lost = figures.dropped + figures.refused;
                let new = lost - std::mem::replace(lost_before, lost);
                let oldest = figures.oldest_unix_millis.unwrap_or(now.unix_millis);
                of_export(destination, figures.queued, now.unix_millis.saturating_sub(oldest), new)
            })
            .collect()
    }

    pub(super) fn figures(&self) -> Arc<[(&'static str, Figures)]> {
        self.by_destination.iter().map(|(destination, told)| (*destination, told.figures.clone())).collect()
    }
}
