//! Reading a range, at no more points than asked for.

use crate::backend::Backend;
use crate::record::DamagedRecord;

use super::errors::HistoryError;
use super::log::History;
use crate::series::SeriesId;

/// Values of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// Distance of two of these values: the history's step or a multiple of it.
    pub step_millis: u64,
    /// Instant of the first value, a multiple of `step_millis`.
    pub start_unix_millis: u64,
    /// One per step; `None` is a gap. Where several stored values fall into one step this is their mean, and a gap only
    /// where there is none of them.
    pub values: Vec<Option<f64>>,
    /// Chunks that could not be trusted: their values are shown as gaps.
    pub damaged: Vec<DamagedRecord>,
}

impl<B: Backend> History<B> {
    /// The values in `[from, to)`, clipped to what is kept, merged so that there are at most `max_points`.
    ///
    /// Merged steps are aligned to multiples of their length since 1970, so that a chart that moves on does not change what
    /// it has shown.
    ///
    /// # Errors
    ///
    /// Where there is no such series, the range is turned round, no point is asked for, or the medium fails.
    pub fn query(
        &mut self,
        id: SeriesId,
        from_unix_millis: u64,
        to_unix_millis: u64,
        max_points: usize,
    ) -> Result<Slice, HistoryError> {
        if to_unix_millis < from_unix_millis || max_points == 0 {
            return Err(HistoryError::Range);
        }
        let spec = self.series(id).ok_or(HistoryError::UnknownSeries)?.clone();
        let step_millis = u64::from(self.options().step_millis);
        let (oldest, kept_end) = self.kept_steps();
        // What begins after the end is an empty range there, so that no later arithmetic leaves what time can hold.
        let first = from_unix_millis.div_ceil(step_millis).clamp(oldest, kept_end.max(oldest));
        let end = to_unix_millis.div_ceil(step_millis).min(kept_end).max(first);

        let merged = merged_steps(first, end, max_points);
        let mut slice = Slice {
            step_millis: step_millis * merged,
            start_unix_millis: first / merged * merged * step_millis,
            values: Vec::new(),
            damaged: Vec::new(),
        };
        let mut sum = Sum::default();
        for chunk_steps in self.chunks_of(first..end) {
            let chunk = self.load(id, chunk_steps.start, &mut slice.damaged)?;
            for step in chunk_steps {
                if let Some(value) = chunk.as_ref().and_then(|chunk| chunk.get(self.options().place_of(step)))
                {
                    sum.add(value);
                }
                if (step + 1) % merged == 0 || step + 1 == end {
                    slice.values.push(sum.take_mean().map(|mean| spec.value_of(mean)));
                }
            }
        }
        Ok(slice)
    }
}

/// How many steps go into one so that the aligned range has at most `max_points`.
fn merged_steps(first: u64, end: u64, max_points: usize) -> u64 {
    if end <= first {
        return 1;
    }
    let max_points = max_points as u64;
    let mut merged = (end - first).div_ceil(max_points);
    // Alignment may cost a point; a single step more makes up for it unless only one point is allowed.
    while (end - 1) / merged - first / merged >= max_points {
        merged += 1;
    }
    merged
}

#[derive(Default)]
struct Sum {
    units: i128,
    count: u32,
}

impl Sum {
    fn add(&mut self, units: i64) {
        self.units += i128::from(units);
        self.count += 1;
    }

    fn take_mean(&mut self) -> Option<f64> {
        let Self { units, count } = core::mem::take(self);
        (count > 0).then(|| units as f64 / f64::from(count))
    }
}
