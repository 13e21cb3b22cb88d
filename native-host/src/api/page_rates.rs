//! How many samples a page may send.

use std::hash::{BuildHasher, RandomState};
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};

use quillwork_core::flow::rate_limit::{Gcra, Keyed, Quota, Refusal};
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::page::PageBatch;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::limits::Limits;
use crate::state::validate::MOST_SAMPLES;

/// What each page has sent lately, by its source id.
#[derive(Debug)]
pub(crate) struct PageRates {
    clock: Clock,
    /// Ids are chosen by strangers: the hash is by a secret seed.
    hash: RandomState,
    by_page: Mutex<Keyed<u64, Gcra>>,
}

/// Pages whose rate is remembered. At the bound the one that sent least gives way.
const PAGES: NonZeroU32 = NonZeroU32::new(4_096).expect("not zero");

impl PageRates {
    pub(super) fn new(limits: &Limits) -> Self {
        let quota = Quota::per_second(limits.samples_per_second)
            .and_then(|quota| quota.with_burst(limits.sample_burst))
            .expect("the configuration lets no zero and nothing beyond a nanosecond's share through");
        Self {
            clock: Clock::start(),
            hash: RandomState::new(),
            by_page: Mutex::new(Keyed::new(Gcra::new(quota), PAGES)),
        }
    }

    /// Counts a batch, or says how long its page has to wait.
    pub(super) fn count(&self, batch: &PageBatch) -> Result<(), Duration> {
        self.count_at(self.clock.now().monotonic, batch)
    }

    /// Counts a batch as soon as its page may send it.
    pub(crate) async fn wait(&self, batch: &PageBatch) {
        while let Err(wait) = self.count(batch) {
            sleep(std::time::Duration::from_nanos(wait.as_nanos())).await;
        }
    }

    fn count_at(&self, now: Instant, batch: &PageBatch) -> Result<(), Duration> {
        // Of a batch with more nothing counts: that is said by who reads it.
        let samples = u32::try_from(batch.samples.len().min(MOST_SAMPLES)).unwrap_or(u32::MAX);
        if samples == 0 {
            return Ok(());
        }
        let key = self.hash.hash_one(&batch.source.id);
        let mut rates = self.by_page.lock().unwrap_or_else(PoisonError::into_inner);
        match rates.check(now, key, samples) {
            Ok(()) => Ok(()),
            Err(Refusal::NotUntil { earliest }) => Err(earliest.duration_since(now)),
            Err(_) => Err(Duration::from_secs(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::page::{PageSample, PageSource};

    use super::*;

    fn batch(id: &str, samples: usize) -> PageBatch {
        PageBatch {
            source: PageSource { id: id.to_owned(), ..PageSource::default() },
            samples: vec![PageSample::default(); samples],
            ..PageBatch::default()
        }
    }

    #[test]
    fn a_page_has_its_burst_and_then_its_rate_and_others_do_not_pay_for_it() {
        let limits = Limits { samples_per_second: 10, sample_burst: 600, ..Limits::default() };
        let rates = PageRates::new(&limits);
        let start = Instant::from_secs(10);
        assert_eq!(rates.count_at(start, &batch("a", 600)), Ok(()));
        assert_eq!(rates.count_at(start, &batch("a", 5)), Err(Duration::from_millis(500)));
        assert_eq!(rates.count_at(start, &batch("b", 600)), Ok(()));
        assert_eq!(rates.count_at(start, &batch("a", 0)), Ok(()), "a goodbye has no samples");
        assert_eq!(rates.count_at(start + Duration::from_millis(500), &batch("a", 5)), Ok(()));
    }
}
