//! Settings generated from all kinds of machines, and users' own values laid over them.

use quillwork_core::hardware::{ComputeTarget, Gpu, HardwareProfile, Overrides, Power, Wake, generate};
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use crate::digests::Decisions;

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    for _ in 0..150 {
        let profile = profile(&mut rng);
        let generated = generate(&profile);
        decisions.record(&(profile.implausible(), &generated));
        decisions.record(&format_args!("{generated}"));
        match generated.with_overrides(&overrides(&mut rng)) {
            Ok(own) => decisions.record(&own),
            Err(wrong) => decisions.record(&format_args!("{wrong}")),
        }
    }
    decisions.digest()
}

fn profile(rng: &mut Rng) -> HardwareProfile {
    let cores = rng.next_u32() % 40;
    // From 1 MiB to 1 TiB, evenly over the orders of magnitude.
    let memory = |rng: &mut Rng| rng.next_u64() >> (24 + rng.below(20));
    HardwareProfile {
        logical_cores: rng.chance(0.8).then_some(cores),
        physical_cores: rng.chance(0.5).then(|| cores / 2 + rng.next_u32() % 3),
        memory_bytes: rng.chance(0.6).then(|| memory(rng)),
        memory_hint_bytes: rng.chance(0.6).then(|| memory(rng)),
        gpu: match rng.below(4) {
            0 => None,
            1 => Some(Gpu::Absent),
            2 => Some(Gpu::Software),
            _ => Some(Gpu::Hardware { max_buffer_bytes: rng.chance(0.5).then(|| memory(rng)) }),
        },
        cross_origin_isolated: rng.chance(0.7).then(|| rng.chance(0.5)),
        power: match rng.below(3) {
            0 => None,
            1 => Some(Power::Mains),
            _ => Some(Power::Battery { level_ratio: rng.chance(0.8).then(|| 1.05 * rng.unit_f64()) }),
        },
    }
}

fn overrides(rng: &mut Rng) -> Overrides {
    let bytes = |rng: &mut Rng| rng.chance(0.2).then(|| rng.below(1 << 33));
    let count = |rng: &mut Rng| rng.chance(0.2).then(|| rng.next_u32() % 20);
    Overrides {
        min_workers: count(rng),
        max_workers: count(rng),
        max_queued: count(rng).map(|tasks| tasks * 1_000),
        memory_budget_bytes: bytes(rng),
        cache_budget_bytes: bytes(rng),
        buffer_budget_bytes: bytes(rng),
        compute: rng.chance(0.1).then_some(ComputeTarget::Gpu),
        wake: rng.chance(0.1).then_some(Wake::SharedMemory),
        batch_items: count(rng),
        batch_bytes: bytes(rng),
        gpu_batch_bytes: bytes(rng),
        prefetch: rng.chance(0.1).then(|| Duration::from_millis(rng.below(3_000))),
    }
}
