//! What outlives the process: one sealed file beside history, put in place as a whole.

use std::collections::{BTreeMap, VecDeque};

use quillwork_core::alert::Fingerprint;
use quillwork_core::time::Duration;
use quillwork_protocol::alert::AlertEvent;
use quillwork_store::volume::Volume;
use quillwork_store::{frame, unframe};

use super::Alerts;
use crate::clock::Now;

/// The file's name. Its content is sealed under the same.
pub(in crate::state) const NAME: &str = "alerts";

/// The largest file that is read: far more than all alerts take.
const LARGEST: usize = 64 << 20;

/// A host that was away for no longer goes on as if nothing had happened: what was pending goes on.
const TOLERANCE: Duration = Duration::from_secs(60);
/// What changed is written after this at the latest.
const CHANGED_PERIOD: Duration = Duration::from_secs(1);
/// Counts of objectives, which change all the time, are written as often.
const PERIOD: Duration = Duration::from_secs(60);

impl Alerts {
    /// Takes up what was kept. To be called after the rules are set and before anything is observed. What can't be read begins
    /// anew: a host that doesn't watch would be worse than one that forgot.
    pub(crate) fn restore(&mut self, now: Now, volume: &impl Volume) {
        match read(volume) {
            Ok(None) => {}
            Ok(Some(saved)) => {
                let at = self.at(now.monotonic);
                let engine = self.engine.restore(at, &saved.engine, TOLERANCE);
                let router = self.router.restore(at, &saved.router);
                for error in [engine, router].into_iter().filter_map(Result::err) {
                    tracing::warn!("{error}");
                }
                self.events = saved.events;
                self.culprits = saved.culprits;
            }
            Err(reason) => tracing::warn!("the state of alerts can't be read and begins anew: {reason}"),
        }
    }

    /// Writes what changed, if it is time.
    pub(crate) fn maintain(&mut self, now: Now, volume: &mut impl Volume) {
        let period = if self.is_changed { CHANGED_PERIOD } else { PERIOD };
        if now.monotonic.duration_since(self.kept_at) >= period {
            self.kept_at = now.monotonic;
            self.keep(volume);
        }
    }

    /// Writes everything.
    pub(crate) fn keep(&mut self, volume: &mut impl Volume) {
        let events = serde_json::to_vec(&self.events).expect("events have string keys only");
        let mut content = Vec::new();
        let culprits: BTreeMap<String, &str> = self
            .culprits
            .iter()
            .map(|(fingerprint, culprit)| (fingerprint.to_string(), culprit.as_str()))
            .collect();
        let culprits = serde_json::to_vec(&culprits).expect("its keys are strings");
        for part in [self.engine.save(), self.router.save(), events, culprits] {
            content.extend_from_slice(&(part.len() as u64).to_le_bytes());
            content.extend_from_slice(&part);
        }
        match volume.put(NAME, &frame(NAME.as_bytes(), &content)) {
            Ok(()) => (self.is_changed, self.is_unwritable) = (false, false),
            // It is tried again and again: once is enough for the log.
            Err(error) => {
                if !std::mem::replace(&mut self.is_unwritable, true) {
                    tracing::warn!("the state of alerts can't be written and is tried again: {error}");
                }
            }
        }
    }
}

struct Saved {
    engine: Vec<u8>,
    router: Vec<u8>,
    events: VecDeque<AlertEvent>,
    culprits: BTreeMap<Fingerprint, String>,
}

fn read(volume: &impl Volume) -> Result<Option<Saved>, String> {
    let sealed = volume.read(NAME, 0, LARGEST).map_err(|error| error.to_string())?;
    let Some(sealed) = sealed else { return Ok(None) };
    let mut content = unframe(NAME.as_bytes(), &sealed).map_err(|error| error.to_string())?;
    let mut part = || {
        let (length, rest) = content.split_first_chunk::<8>()?;
        let (part, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        content = rest;
        Some(part.to_vec())
    };
    let parts = part().zip(part()).zip(part());
    let ((engine, router), events) = parts.ok_or("it is shorter than it says")?;
    let events = serde_json::from_slice(&events).map_err(|error| error.to_string())?;
    // Earlier hosts kept none.
    let culprits = part().map_or(Ok(BTreeMap::new()), |culprits| {
        serde_json::from_slice::<BTreeMap<String, String>>(&culprits).map_err(|error| error.to_string())
    })?;
    let culprits = culprits.into_iter().filter_map(|(fingerprint, culprit)| {
        Some((Fingerprint::from_u64(u64::from_str_radix(&fingerprint, 16).ok()?), culprit))
    });
    Ok(Some(Saved { engine, router, events, culprits: culprits.collect() }))
}

#[cfg(test)]
mod tests {
    use quillwork_core::time::Instant;
    use quillwork_store::volume::Memory;

    use super::*;

    const NOW: Now = Now { monotonic: Instant::from_secs(7_200), unix_millis: 1_800_000_000_000 };

    #[test]
    fn what_an_earlier_host_kept_without_culprits_is_read() {
        let mut volume = Memory::new();
        let mut alerts = Alerts::new(NOW);
        alerts.culprits.insert(Fingerprint::from_u64(7), "process cc (3), 4 cores".to_owned());
        alerts.keep(&mut volume);
        let saved = read(&volume).unwrap().unwrap();
        assert_eq!(saved.culprits, alerts.culprits);

        let sealed = volume.read(NAME, 0, LARGEST).unwrap().unwrap();
        let content = unframe(NAME.as_bytes(), &sealed).unwrap();
        let mut end = 0;
        for _ in 0..3 {
            let length = u64::from_le_bytes(content[end..end + 8].try_into().unwrap());
            end += 8 + usize::try_from(length).unwrap();
        }
        volume.put(NAME, &frame(NAME.as_bytes(), &content[..end])).unwrap();
        let earlier = read(&volume).unwrap().unwrap();
        assert_eq!((earlier.engine, earlier.router), (saved.engine, saved.router));
        assert!(earlier.culprits.is_empty());
    }
}
