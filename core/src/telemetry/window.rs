//! Quantiles and ratios of the last minute.

use super::rolling::{Reset, Rolling, RollingError};
use super::sketch::{AccuracyMismatch, InvalidSample, RelativeAccuracy, Sketch};
use crate::time::{Duration, Instant};

/// Sketches of the last slots, merged on reading: "p95 over the last minute".
///
/// Sixty slots of one second follow closely; twelve of five seconds cost a fifth of the memory.
///
/// ```
/// use quillwork_core::telemetry::RollingSketch;
/// use quillwork_core::time::{Duration, Instant};
///
/// let mut response = RollingSketch::new(Duration::from_secs(5), 12)?;
/// response.record(Instant::from_secs(1), 900.0)?;
/// response.record(Instant::from_secs(50), 20.0)?;
/// let worst = |now| response.merged(Instant::from_secs(now)).max();
/// assert_eq!(worst(50), Some(900.0));
/// assert_eq!(worst(70), Some(20.0));
/// assert_eq!(worst(500), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RollingSketch {
    accuracy: RelativeAccuracy,
    window: Rolling<Sketch>,
}

impl RollingSketch {
    /// A window of `slots` slots of `step` each, of accuracy [`RelativeAccuracy::ONE_PER_CENT`].
    ///
    /// # Errors
    ///
    /// Where the step is no time or there is no slot.
    pub fn new(step: Duration, slots: usize) -> Result<Self, RollingError> {
        Self::with_accuracy(RelativeAccuracy::ONE_PER_CENT, step, slots)
    }

    /// A window of another accuracy.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_accuracy(
        accuracy: RelativeAccuracy,
        step: Duration,
        slots: usize,
    ) -> Result<Self, RollingError> {
        Ok(Self { accuracy, window: Rolling::new(step, slots, || Sketch::new(accuracy))? })
    }

    /// As [`new`](Self::new), with room for so many buckets in each slot from the start: see [`Sketch::with_capacity`].
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn with_capacity(step: Duration, slots: usize, buckets: usize) -> Result<Self, RollingError> {
        let accuracy = RelativeAccuracy::ONE_PER_CENT;
        Ok(Self { accuracy, window: Rolling::new(step, slots, || Sketch::with_capacity(accuracy, buckets))? })
    }

    /// The last minute to one per cent, in twelve slots of five seconds.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "a constant window is always made")]
    pub fn last_minute() -> Self {
        Self::new(Duration::from_secs(5), 12).expect("twelve slots of five seconds are a window")
    }

    /// Counts one duration, in milliseconds.
    #[expect(clippy::missing_panics_doc, reason = "no duration is refused")]
    pub fn record_duration(&mut self, now: Instant, took: Duration) {
        self.record(now, took.as_millis_f64()).expect("a duration is finite and not negative");
    }

    /// Counts one value.
    ///
    /// # Errors
    ///
    /// Where it is negative, infinite or not a number.
    pub fn record(&mut self, now: Instant, value: f64) -> Result<(), InvalidSample> {
        self.window.slot_mut(now).record(value)
    }

    /// As [`record`](Self::record), for values that mostly are as the one before: see [`Sketch::record_alike`].
    pub(crate) fn record_alike(&mut self, now: Instant, value: f64) -> Result<(), InvalidSample> {
        self.window.slot_mut(now).record_alike(value)
    }

    /// Adds what a sketch has counted, as if it had all come now.
    ///
    /// # Errors
    ///
    /// Where the accuracies differ.
    pub fn merge(&mut self, now: Instant, sketch: &Sketch) -> Result<(), AccuracyMismatch> {
        self.window.slot_mut(now).merge(sketch)
    }

    /// One sketch of everything in the window that ends `now`.
    #[must_use]
    pub fn merged(&self, now: Instant) -> Sketch {
        let mut merged = Sketch::new(self.accuracy);
        self.absorb_into(now, &mut merged);
        merged
    }

    /// As [`merged`](Self::merged), in a sketch that the caller keeps: what it held is cleared, its memory is used again.
    ///
    /// # Errors
    ///
    /// Where the accuracies differ.
    pub fn merge_into(&self, now: Instant, sketch: &mut Sketch) -> Result<(), AccuracyMismatch> {
        if self.accuracy != sketch.accuracy() {
            return Err(AccuracyMismatch { ours: self.accuracy, theirs: sketch.accuracy() });
        }
        sketch.clear();
        self.absorb_into(now, sketch);
        Ok(())
    }

    /// A quantile of the window that ends `now`; `None` where nothing came. Who wants several asks
    /// [`merged`](Self::merged) once.
    #[must_use]
    pub fn quantile(&self, now: Instant, q: f64) -> Option<f64> {
        self.merged(now).quantile(q)
    }

    fn absorb_into(&self, now: Instant, sketch: &mut Sketch) {
        for slot in self.window.slots(now) {
            sketch.absorb(slot);
        }
    }
}

/// A part of a whole: errors of all tasks, hits of all look-ups.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ratio {
    /// How many of them.
    pub part: u64,
    /// How many in all.
    pub total: u64,
}

impl Ratio {
    /// The ratio, 0 to 1; `None` with fewer than `min_total`, or with none: one error of two tasks is not an outage.
    #[must_use]
    pub fn value(self, min_total: u64) -> Option<f64> {
        (self.total >= min_total.max(1)).then(|| self.part.min(self.total) as f64 / self.total as f64)
    }
}

impl Reset for Ratio {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Reset for Sketch {
    fn reset(&mut self) {
        self.clear();
    }
}

/// A ratio over the last slots.
#[derive(Clone, Debug)]
pub struct RollingRatio {
    window: Rolling<Ratio>,
}

impl RollingRatio {
    /// A window of `slots` slots of `step` each.
    ///
    /// # Errors
    ///
    /// Where the step is no time or there is no slot.
    pub fn new(step: Duration, slots: usize) -> Result<Self, RollingError> {
        Ok(Self { window: Rolling::new(step, slots, Ratio::default)? })
    }

    /// Counts `part` of `total` more.
    pub fn add(&mut self, now: Instant, part: u64, total: u64) {
        let slot = self.window.slot_mut(now);
        slot.part = slot.part.saturating_add(part);
        slot.total = slot.total.saturating_add(total);
    }

    /// What the window that ends `now` has counted.
    #[must_use]
    pub fn counts(&self, now: Instant) -> Ratio {
        self.window.slots(now).fold(Ratio::default(), |sum, slot| Ratio {
            part: sum.part.saturating_add(slot.part),
            total: sum.total.saturating_add(slot.total),
        })
    }

    /// The ratio of the window that ends `now`; `None` with fewer than `min_total`, or with none.
    #[must_use]
    pub fn value(&self, now: Instant, min_total: u64) -> Option<f64> {
        self.counts(now).value(min_total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_of_too_few_is_absent() {
        let mut errors = RollingRatio::new(Duration::from_secs(1), 60).unwrap();
        errors.add(Instant::from_secs(1), 1, 2);
        assert_eq!(errors.value(Instant::from_secs(1), 50), None);
        errors.add(Instant::from_secs(30), 0, 98);
        assert_eq!(errors.value(Instant::from_secs(30), 50), Some(0.01));
        assert_eq!(errors.value(Instant::from_secs(62), 50), Some(0.0));
        assert_eq!(errors.value(Instant::from_secs(200), 0), None);
    }

    #[test]
    fn a_merged_window_is_the_sketch_of_what_came_in_it() {
        let mut window = RollingSketch::new(Duration::from_secs(1), 10).unwrap();
        let mut expected = Sketch::default();
        for second in 0_u32..100 {
            let value = f64::from(second) * 1.7 + 0.1;
            window.record(Instant::from_secs(u64::from(second)), value).unwrap();
            if second >= 90 {
                expected.record(value).unwrap();
            }
        }
        let merged = window.merged(Instant::from_secs(99));
        assert_eq!(merged.buckets, expected.buckets);
        assert_eq!((merged.min(), merged.max()), (expected.min(), expected.max()));
    }

    #[test]
    fn other_accuracies_are_refused() {
        let mut window = RollingSketch::new(Duration::from_secs(1), 2).unwrap();
        let coarse = Sketch::new(RelativeAccuracy::new(0.1).unwrap());
        assert!(window.merge(Instant::ZERO, &coarse).is_err());
    }
}
