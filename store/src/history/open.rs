//! Opening a history: what is stored already.

use std::collections::BTreeMap;

use crate::backend::{Backend, BackendError, Changes};
use crate::record::{Damage, DamagedRecord};
use crate::records::{Records, StoreError};
use crate::series::SeriesSpec;

use super::errors::OpenError;
use super::keys;
use super::log::{History, Kept, Series};
use super::options::HistoryOptions;

/// A history that was opened.
#[derive(Debug)]
pub struct OpenedHistory<B> {
    /// What can be used now.
    pub history: History<B>,
    /// Records of series that could not be trusted. Those series are gone.
    pub damaged: Vec<DamagedRecord>,
}

impl<B: Backend> History<B> {
    /// Opens what is stored in a back end, or begins.
    ///
    /// # Errors
    ///
    /// Where the options make no sense or are not those it was made with, or the medium fails.
    pub fn open(backend: B, options: HistoryOptions) -> Result<OpenedHistory<B>, OpenError> {
        options.check()?;
        let mut history = Self {
            records: Records::new(backend),
            options,
            series: BTreeMap::new(),
            by_key: BTreeMap::new(),
            next_id: 0,
            now_step: None,
            waiting: Changes::new(),
        };
        history.check_format()?;
        let damaged = history.read_catalogue()?;
        Ok(OpenedHistory { history, damaged })
    }

    /// Where the medium was broken and a new one is in its place, lets everything that is still in memory wait for it.
    pub(super) fn after_failure(&mut self, error: BackendError) -> BackendError {
        if matches!(error, BackendError::SetAside(_)) {
            self.waiting.put(keys::FORMAT, &self.format());
            for (&id, series) in &mut self.series {
                self.waiting.put(&keys::series(id), &series.spec.encode());
                series.stored = false;
                let waiting = &self.waiting;
                series.chunks.retain(|&index, kept| {
                    *kept = Kept::Waiting;
                    matches!(waiting.change_of(&keys::chunk(id, index)), Some(Some(_)))
                });
                series.open.iter_mut().for_each(|open| open.changed = true);
            }
        }
        error
    }

    fn format(&self) -> Vec<u8> {
        let HistoryOptions { step_millis, chunk_steps, .. } = self.options;
        [step_millis.to_le_bytes().as_slice(), &chunk_steps.to_le_bytes()].concat()
    }

    fn check_format(&mut self) -> Result<(), OpenError> {
        let format = self.format();
        match self.records.get(keys::FORMAT) {
            Ok(None) => self.waiting.put(keys::FORMAT, &format),
            Ok(Some(stored)) if stored == format => {}
            Ok(Some(stored)) => {
                let (step, chunk) = stored.split_first_chunk::<4>().ok_or_else(format_damaged)?;
                return Err(OpenError::OtherFormat {
                    step_millis: u32::from_le_bytes(*step),
                    chunk_steps: u16::from_le_bytes(chunk.try_into().map_err(|_| format_damaged())?),
                });
            }
            Err(StoreError::Damaged(record)) => return Err(record.into()),
            Err(StoreError::Backend(error)) => return Err(error.into()),
        }
        Ok(())
    }

    /// Reads what series there are, and which chunks; not what is in them.
    fn read_catalogue(&mut self) -> Result<Vec<DamagedRecord>, OpenError> {
        let mut damaged = Vec::new();
        let (series, by_key, next_id) = (&mut self.series, &mut self.by_key, &mut self.next_id);
        self.records.scan(keys::SERIES, |key, content| {
            let Some(id) = keys::parse_series(key) else { return };
            *next_id = (*next_id).max(id.0.saturating_add(1));
            match content.map(SeriesSpec::decode) {
                Ok(Some(spec)) => {
                    by_key.insert(spec.key.clone(), id);
                    series.insert(id, Series { spec, stored: true, open: None, chunks: BTreeMap::new() });
                }
                Ok(None) => damaged.push(DamagedRecord { key: key.to_vec(), damage: Damage::Content }),
                Err(record) => damaged.push(record),
            }
        })?;
        for record in &damaged {
            self.waiting.delete(&record.key);
        }
        let waiting = &mut self.waiting;
        self.records.scan(keys::CHUNKS, |key, _| {
            let Some((id, index)) = keys::parse_chunk(key) else { return };
            *next_id = (*next_id).max(id.0.saturating_add(1));
            match series.get_mut(&id) {
                Some(series) => {
                    series.chunks.insert(index, Kept::Stored);
                }
                None => waiting.delete(key),
            }
        })?;
        Ok(damaged)
    }

    pub(super) fn first_stored_step(&self) -> u64 {
        let first = self.series.values().filter_map(|series| series.chunks.keys().next()).min();
        first.map_or(0, |index| index * u64::from(self.options.chunk_steps))
    }

    pub(super) fn end_of_stored_steps(&self) -> u64 {
        let last = self.series.values().filter_map(|series| series.chunks.keys().next_back()).max();
        last.map_or(0, |index| (index + 1) * u64::from(self.options.chunk_steps))
    }
}

fn format_damaged() -> OpenError {
    OpenError::Damaged(DamagedRecord { key: keys::FORMAT.to_vec(), damage: Damage::Content })
}
