//! How long things took, in four numbers.

use super::sketch::Sketch;
use crate::time::Duration;

/// How long things took, each within the sketch's accuracy (one per cent as a rule); the longest exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quantiles {
    /// How many there were.
    pub count: u64,
    /// Half of them took no longer.
    pub p50: Duration,
    /// 95 in a hundred took no longer.
    pub p95: Duration,
    /// 99 in a hundred took no longer.
    pub p99: Duration,
    /// None took longer.
    pub max: Duration,
}

impl Quantiles {
    /// Of a sketch of milliseconds; `None` where it is empty.
    #[must_use]
    pub fn of(sketch: &Sketch) -> Option<Self> {
        let at = |q| sketch.quantile(q).map(Duration::from_millis_f64);
        Some(Self { count: sketch.count(), p50: at(0.5)?, p95: at(0.95)?, p99: at(0.99)?, max: at(1.0)? })
    }
}
