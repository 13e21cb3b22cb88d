//! What rules watch besides the series that history keeps: counts of a page's interval, and how it stands to its bounds.

use quillwork_protocol::page::{Latency, PageSample};

/// What the host knows about a page besides its sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PageFigures {
    /// How far its clock is off.
    pub(crate) clock_offset_millis: Option<f64>,
    /// The memory that it should stay within.
    pub(crate) memory_budget_bytes: f64,
}

/// The default budget of a page: 1 GB, or a quarter of the device's memory where that is known and less.
pub(crate) fn memory_budget(device_bytes: Option<u64>) -> f64 {
    const MOST: f64 = 1_000_000_000.0;
    device_bytes.filter(|bytes| *bytes > 0).map_or(MOST, |bytes| MOST.min(float(bytes) / 4.0))
}

/// Response times of the objectives, in milliseconds, as rules select them.
const BOUNDS: [(&str, f64); 3] = [("20", 20.0), ("50", 50.0), ("100", 100.0)];

/// Shows each value with its name, and a label besides the source where it has one.
pub(super) fn of_page(
    sample: &PageSample,
    figures: PageFigures,
    mut show: impl FnMut(&str, Option<(&str, &str)>, f64),
) {
    let pool = &sample.pool;
    let failed = u64::from(pool.failed) + u64::from(pool.timed_out) + u64::from(pool.crashed);
    let ended = failed + u64::from(pool.completed) + u64::from(pool.aborted) + u64::from(pool.refused);
    if pool.workers > 0 {
        show("page.pool_queued_per_worker", None, f64::from(pool.queued) / f64::from(pool.workers));
    }
    // Parts before wholes: a ratio is formed when its whole comes.
    show("page.tasks.failed", None, float(failed));
    show("page.tasks.ended", None, float(ended));
    show("page.cache.hits", None, f64::from(sample.cache.hits));
    show("page.cache.evictions", None, f64::from(sample.cache.evictions));
    show("page.cache.lookups", None, f64::from(sample.cache.hits) + f64::from(sample.cache.misses));
    if let Some(collections) = sample.garbage_collections_estimate {
        show("page.garbage_collections", None, f64::from(collections));
    }
    if let Some(heap) = sample.heap_used_bytes {
        let used = float(heap) + float(sample.wasm_bytes);
        show("page.memory.used", None, used / figures.memory_budget_bytes);
    }
    if let Some(offset) = figures.clock_offset_millis {
        show("page.clock.offset", None, offset.abs());
    }
    if let Some(response) = &sample.response {
        for (label, bound) in BOUNDS {
            show("page.response.slow", Some(("bound_millis", label)), slower_than(response, bound));
        }
        show("page.response.counted", None, float(response.count));
    }
}

/// How many took longer than the bound, to the sketch's accuracy.
fn slower_than(response: &Latency, bound_millis: f64) -> f64 {
    let growth = (1.0 + response.relative_accuracy) / (1.0 - response.relative_accuracy);
    let middle = |bucket: i32| growth.powi(bucket) * 2.0 / (1.0 + growth);
    let slow = response.buckets.iter().filter(|(bucket, _)| middle(*bucket) > bound_millis);
    float(slow.map(|(_, count)| count).sum())
}

#[expect(clippy::cast_precision_loss, reason = "counts and bytes of one page are far below 2^53")]
fn float(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slow_ones_are_counted_to_the_sketchs_accuracy() {
        // Buckets of 10, 20.4, 49 and 102 milliseconds, within one per cent.
        let bucket = |millis: f64| {
            let growth: f64 = 1.01 / 0.99;
            #[expect(clippy::cast_possible_truncation, reason = "few buckets")]
            let index = (millis.ln() / growth.ln()).ceil() as i32;
            index
        };
        let response = Latency {
            count: 100,
            relative_accuracy: 0.01,
            buckets: vec![(bucket(10.0), 50), (bucket(20.6), 30), (bucket(49.0), 15), (bucket(103.0), 5)],
            ..Latency::default()
        };
        let slow = |bound| slower_than(&response, bound);
        assert_eq!((slow(20.0), slow(50.0), slow(100.0)), (50.0, 5.0, 5.0));
    }

    #[test]
    fn a_small_device_has_a_small_budget() {
        let [unknown, large, small, none] =
            [None, Some(16 << 30), Some(2_000_000_000), Some(0)].map(memory_budget);
        assert_eq!((unknown, large, small, none), (1e9, 1e9, 5e8, 1e9));
    }
}
