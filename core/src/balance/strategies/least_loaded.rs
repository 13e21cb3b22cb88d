//! Least loaded.

use alloc::vec::Vec;

use crate::balance::{Eligible, Slot, Strategy, Task};
use crate::rng::Rng;
use crate::time::Instant;

/// The worker with the smallest share of its capacity in use, `(load + 1) / weight`; of equals the one picked longest ago.
///
/// This is join-the-shortest-queue with a full scan and exact loads, which is optimal for equal servers with exponential
/// service times (Winston, *Optimality of the Shortest Line Discipline*, 1977). HAProxy's `leastconn` and Envoy's least
/// request with full scan do the same. It sees load and not speed: where workers differ in speed beyond what their
/// capacities say, shortest expected delay is better; where one fails fast, its queue is always short.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastLoaded;

impl Strategy for LeastLoaded {
    fn name(&self) -> &'static str {
        "least-loaded"
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        eligible.least_loaded()
    }

    /// The free share of the capacity.
    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let fleet = eligible.fleet();
        out.extend(eligible.iter().map(|slot| (1.0 - fleet.load_share(slot)).clamp(0.0, 1.0)));
    }
}
