//! The size of a pool under a demand that wanders, and the budgets of memory and CPU that hold it back.

use quillwork_core::pool::{
    Demand, ElasticConfig, PerMille, Pressure, ResourceBudgets, Resources, SizeLimits, Sizer,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::{Clock, Decisions};

const MOST: u32 = 24;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let mut clock = Clock::new();
    let config = ElasticConfig {
        min_workers: Some(1),
        idle_after: Duration::from_millis(700),
        max_idle_after: Duration::from_secs(8),
        ..ElasticConfig::default()
    };
    let mut sizer = Sizer::new(config, MOST, Instant::from_secs(1_000));
    let mut pressure = Pressure::new(ResourceBudgets::default(), MOST);
    let (mut alive, mut queued, mut memory, mut cpu) = (1, 0_u32, 0.5, 0.5);
    for _ in 0..4_000 {
        let now = clock.tick(&mut rng, Duration::from_millis(60));
        if rng.chance(0.1) {
            let wander = |ratio: f64, rng: &mut Rng| (ratio + 0.2 * (rng.unit_f64() - 0.5)).clamp(0.3, 1.0);
            (memory, cpu) = (wander(memory, &mut rng), wander(cpu, &mut rng));
            let resources = Resources {
                memory: rng.chance(0.95).then(|| PerMille::from_ratio(memory)).flatten(),
                cpu: rng.chance(0.95).then(|| PerMille::from_ratio(cpu)).flatten(),
            };
            pressure.handle_resources(now, resources, alive);
        }
        if pressure.next_deadline().is_some_and(|deadline| deadline <= now) {
            pressure.handle_deadline(now);
        }
        while let Some(action) = pressure.poll_output() {
            decisions.record(&action);
        }
        queued = if rng.chance(0.05) { rng.next_u32() % 60 } else { queued.saturating_sub(alive / 4) };
        let limits = SizeLimits { workers: pressure.worker_limit(), may_grow: pressure.may_grow() };
        let demand = demand(alive, queued, &mut rng);
        let lowered = limits.workers.and_then(|limit| sizer.handle_lowered_limit(&demand, limit));
        let resize = sizer.handle_demand(now, &demand, limits).or(lowered);
        if let Some(resize) = resize {
            // Now and then less is done than was asked for.
            alive = if rng.chance(0.9) { resize.to } else { resize.from };
            sizer.on_resized(now, resize, alive);
        }
        decisions.record(&(resize, sizer.next_deadline(alive, limits), pressure.next_deadline()));
    }
    decisions.digest()
}

fn demand(alive: u32, queued: u32, rng: &mut Rng) -> Demand {
    Demand {
        alive,
        booting: alive / 8,
        occupied: if queued > 0 { alive - alive / 8 } else { alive / 3 },
        queued,
        urgent: queued / 5,
        stranded: if rng.chance(0.02) { queued / 2 } else { 0 },
        queued_work: rng.chance(0.7).then(|| Duration::from_millis(u64::from(queued) * 9)),
        helpful: MOST,
    }
}
