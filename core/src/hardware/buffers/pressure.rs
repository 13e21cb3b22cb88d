//! Levels of memory pressure and what a buffer pool does at each.

/// How much of the memory budget of the whole app is taken. The levels are the ones of the app's other parts: at 60 % memory
/// warns, at 70 % caches and pools shrink, at 80 % growth stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MemoryPressure {
    /// Below 60 %. Empty slabs are kept until they were idle for a while.
    #[default]
    Normal,
    /// 60 % and more. One empty slab is kept for each size class.
    Warning,
    /// 70 % and more. No empty slab is kept, and buffers are moved together.
    High,
    /// 80 % and more. As [`MemoryPressure::High`], and the pool doesn't grow past what it held when this level began.
    Critical,
}

impl MemoryPressure {
    /// The level of a budget of which this part is taken, 0 to 1; unknown where it is not a number, which takes no action.
    #[must_use]
    pub fn of_ratio(taken_ratio: f64) -> Self {
        if taken_ratio >= 0.8 {
            Self::Critical
        } else if taken_ratio >= 0.7 {
            Self::High
        } else if taken_ratio >= 0.6 {
            Self::Warning
        } else {
            Self::Normal
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_begin_at_their_bounds() {
        let levels = [0.0, 0.599, 0.6, 0.7, 0.799, 0.8, 3.0, f64::NAN].map(MemoryPressure::of_ratio);
        let [n, w, h, c] =
            [MemoryPressure::Normal, MemoryPressure::Warning, MemoryPressure::High, MemoryPressure::Critical];
        assert_eq!(levels, [n, n, w, h, h, c, c, n]);
    }
}
