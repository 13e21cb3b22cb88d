//! The configuration over all kinds of hardware.

use alloc::string::ToString;
use core::num::NonZeroU64;

use proptest::prelude::*;

use super::buffers::BufferPool;
use super::generate::{QUEUED_TASK_BYTES, WORKER_BYTES};
use super::*;
use crate::cache::{Cache, CacheOptions};
use crate::flow::batch::BatchConfig;
use crate::pool::{PoolConfig, Scheduler};
use crate::time::{Duration, Instant};

const GIB: u64 = 1 << 30;

fn machine(logical_cores: u32, memory_bytes: u64) -> HardwareProfile {
    HardwareProfile {
        logical_cores: Some(logical_cores),
        memory_bytes: Some(memory_bytes),
        ..HardwareProfile::default()
    }
}

fn profiles() -> impl Strategy<Value = HardwareProfile> {
    let gpu = prop_oneof![
        Just(Gpu::Absent),
        Just(Gpu::Software),
        Just(Gpu::Hardware { max_buffer_bytes: Some(1 << 27) })
    ];
    let power = prop_oneof![
        Just(Power::Mains),
        prop::option::of(-0.5_f64..1.5).prop_map(|level_ratio| Power::Battery { level_ratio })
    ];
    (
        prop::option::of(prop_oneof![0_u32..100, any::<u32>()]),
        prop::option::of(0_u32..200),
        prop::option::of(prop_oneof![0_u64..64, any::<u64>()]),
        prop::option::of(0..64 * GIB),
        prop::option::of(gpu),
        any::<Option<bool>>(),
        prop::option::of(power),
    )
        .prop_map(|(logical, physical, memory, hint, gpu, isolated, power)| HardwareProfile {
            logical_cores: logical,
            physical_cores: physical,
            memory_bytes: memory,
            memory_hint_bytes: hint,
            gpu,
            cross_origin_isolated: isolated,
            power,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// And every part that it sizes takes it.
    #[test]
    fn what_is_generated_can_be_applied(profile in profiles()) {
        let config = *generate(&profile).config();
        let base = PoolConfig { max_redeliveries: 7, ..PoolConfig::default() };
        let pool = config.pool_config(base);
        prop_assert!(Scheduler::new(pool, Instant::ZERO).is_ok());
        prop_assert_eq!((pool.workers, pool.max_queued), (config.max_workers, config.max_queued));
        prop_assert_eq!(pool.max_redeliveries, 7);
        prop_assert_eq!(pool.elastic.min_workers, Some(config.min_workers));
        let cache = config.cache_options(CacheOptions { ttl: Some(Duration::from_secs(9)), ..CacheOptions::default() });
        prop_assert_eq!((cache.capacity, cache.ttl), (config.cache_budget_bytes, Some(Duration::from_secs(9))));
        prop_assert!(Cache::new(cache).is_ok());
        prop_assert_eq!(config.buffer_pool_config().budget_bytes, config.buffer_budget_bytes);
        prop_assert!(BufferPool::new(config.buffer_pool_config()).is_ok());
        let batch = config.batch_config(BatchConfig { max_pending: 9, ..BatchConfig::default() });
        prop_assert_eq!((batch.max_items.get(), batch.max_pending), (config.batch_items, 9));
        prop_assert_eq!(batch.max_bytes.map(NonZeroU64::get), Some(config.batch_bytes));
        prop_assert_eq!(batch.validate(), Ok(()));
    }

    /// What is generated passes the check that overrides must pass, and its parts stay under the level at which memory
    /// warns wherever the budget has room for one worker and the shortest queue.
    #[test]
    fn any_hardware_gets_a_sound_configuration(profile in profiles()) {
        let generated = generate(&profile);
        let config = *generated.config();
        let everything = Overrides {
            min_workers: Some(config.min_workers),
            max_workers: Some(config.max_workers),
            max_queued: Some(config.max_queued),
            memory_budget_bytes: Some(config.memory_budget_bytes),
            cache_budget_bytes: Some(config.cache_budget_bytes),
            buffer_budget_bytes: Some(config.buffer_budget_bytes),
            compute: Some(config.compute),
            wake: Some(config.wake),
            batch_items: Some(config.batch_items),
            batch_bytes: Some(config.batch_bytes),
            gpu_batch_bytes: Some(config.gpu_batch_bytes),
            prefetch: Some(config.prefetch),
        };
        let own = generated.with_overrides(&everything);
        prop_assert_eq!(own.as_ref().map(|own| *own.config()), Ok(config));
        let pool = PoolConfig { workers: config.max_workers, max_queued: config.max_queued, ..PoolConfig::default() };
        prop_assert_eq!(pool.validate(), Ok(()));

        let workers = u64::from(config.max_workers) * WORKER_BYTES;
        let queue = u64::from(config.max_queued) * QUEUED_TASK_BYTES;
        let together = config.cache_budget_bytes + config.buffer_budget_bytes + workers + queue;
        if config.memory_budget_bytes >= 128 << 20 {
            prop_assert!(together * 100 <= config.memory_budget_bytes * 60, "{config:?}");
        }
        // A core is left wherever there are two.
        if let Some(logical) = profile.logical_cores.filter(|&logical| logical > 1) {
            prop_assert!(config.max_workers < logical);
        }
        for explanation in generated.explanations() {
            prop_assert_eq!(explanation.value, config.value(explanation.setting));
            prop_assert!(!explanation.to_string().is_empty());
        }
    }

    #[test]
    fn overrides_are_taken_or_refused_but_never_ignored(
        profile in profiles(),
        max_workers in any::<Option<u8>>(),
        min_workers in any::<Option<u8>>(),
        memory in prop::option::of(0_u64..1 << 34),
        cache in prop::option::of(0_u64..1 << 34),
    ) {
        let generated = generate(&profile);
        let overrides = Overrides {
            max_workers: max_workers.map(u32::from),
            min_workers: min_workers.map(u32::from),
            memory_budget_bytes: memory,
            cache_budget_bytes: cache,
            ..Overrides::default()
        };
        match generated.with_overrides(&overrides) {
            Ok(own) => {
                let config = own.config();
                prop_assert!(config.min_workers <= config.max_workers && config.min_workers > 0);
                prop_assert!(config.cache_budget_bytes + config.buffer_budget_bytes <= config.memory_budget_bytes);
                prop_assert!(overrides.max_workers.is_none_or(|asked| config.max_workers == asked));
                prop_assert!(overrides.min_workers.is_none_or(|asked| config.min_workers == asked));
                prop_assert!(memory.is_none_or(|asked| config.memory_budget_bytes == asked));
                prop_assert!(cache.is_none_or(|asked| config.cache_budget_bytes == asked));
            }
            Err(invalid) => prop_assert!(!invalid.errors().is_empty()),
        }
    }
}

#[test]
fn a_core_is_left_for_the_user_interface() {
    let workers = |cores| generate(&machine(cores, 16 * GIB)).config().max_workers;
    assert_eq!([1, 2, 4, 16, 64, 256].map(workers), [1, 1, 3, 15, 32, 32]);
    // Unknown is not one: four cores are assumed.
    assert_eq!(generate(&HardwareProfile::default()).config().max_workers, 3);
}

#[test]
fn the_budget_is_a_quarter_of_the_memory_up_to_a_gigabyte() {
    let budget = |bytes| generate(&machine(4, bytes)).config().memory_budget_bytes;
    assert_eq!([GIB, 2 * GIB, 4 * GIB, 64 * GIB].map(budget), [GIB / 4, GIB / 2, GIB, GIB]);
    let hinted = HardwareProfile { memory_hint_bytes: Some(GIB / 2), ..HardwareProfile::default() };
    assert_eq!(generate(&hinted).config().memory_budget_bytes, GIB / 8);
    let both = HardwareProfile { memory_bytes: Some(3 * GIB), memory_hint_bytes: Some(2 * GIB), ..hinted };
    assert_eq!(generate(&both).config().memory_budget_bytes, 3 * GIB / 4);
}

#[test]
fn a_battery_halves_the_pool_and_a_nearly_empty_one_leaves_one_worker() {
    let on = |power| {
        let generated = generate(&HardwareProfile { power: Some(power), ..machine(8, 16 * GIB) });
        (generated.config().min_workers, generated.config().max_workers)
    };
    assert_eq!(on(Power::Mains), (2, 7));
    assert_eq!(on(Power::Battery { level_ratio: None }), (1, 4));
    assert_eq!(on(Power::Battery { level_ratio: Some(0.5) }), (1, 4));
    assert_eq!(on(Power::Battery { level_ratio: Some(0.19) }), (1, 1));
}

#[test]
fn kernels_run_on_the_gpu_only_where_it_is_real() {
    let target = |gpu| generate(&HardwareProfile { gpu, ..HardwareProfile::default() }).config().compute;
    assert_eq!(target(Some(Gpu::Hardware { max_buffer_bytes: None })), ComputeTarget::Gpu);
    for gpu in [None, Some(Gpu::Absent), Some(Gpu::Software)] {
        assert_eq!(target(gpu), ComputeTarget::Cpu);
    }
}

#[test]
fn a_kernel_gets_what_the_gpu_binds_and_a_quarter_of_the_buffers_at_most() {
    let profile = |max_buffer_bytes| HardwareProfile {
        gpu: Some(Gpu::Hardware { max_buffer_bytes }),
        ..machine(4, 4 * GIB)
    };
    let part = generate(&profile(None));
    assert_eq!(part.config().gpu_batch_bytes, part.config().buffer_budget_bytes / 4);
    let limited = generate(&profile(Some(16 << 20)));
    assert_eq!(limited.config().gpu_batch_bytes, 16 << 20);
    assert_eq!(
        limited.explain(Setting::GpuBatchBytes).reason.to_string(),
        "the graphics processor binds at most 16 MiB"
    );
    // On the CPU there is none, and more than what is bound can't be asked for.
    let on_cpu = Overrides { compute: Some(ComputeTarget::Cpu), ..Overrides::default() };
    assert_eq!(limited.with_overrides(&on_cpu).unwrap().config().gpu_batch_bytes, 0);
    let too_much = Overrides { gpu_batch_bytes: Some(17 << 20), ..Overrides::default() };
    assert_eq!(
        limited.with_overrides(&too_much).unwrap_err().to_string(),
        "gpu_batch_bytes is 17 MiB: set at most 16 MiB, the largest buffer there can be"
    );
}

#[test]
fn cheaper_wake_ups_need_less_work_in_advance() {
    let prefetch = |isolated| {
        let profile = HardwareProfile { cross_origin_isolated: isolated, ..HardwareProfile::default() };
        generate(&profile).config().prefetch
    };
    assert_eq!(prefetch(Some(false)), Duration::from_millis(1));
    assert_eq!(prefetch(None), Duration::from_millis(1));
    assert_eq!(prefetch(Some(true)), Duration::from_micros(240));
}

#[test]
fn all_errors_come_at_once_and_say_what_to_do() {
    let profile =
        HardwareProfile { gpu: Some(Gpu::Absent), cross_origin_isolated: Some(false), ..machine(4, 4 * GIB) };
    let overrides = Overrides {
        min_workers: Some(8),
        max_workers: Some(2),
        max_queued: Some(1 << 25),
        memory_budget_bytes: Some(100 << 20),
        cache_budget_bytes: Some(200 << 20),
        compute: Some(ComputeTarget::Gpu),
        wake: Some(Wake::SharedMemory),
        batch_items: Some(0),
        batch_bytes: Some(0),
        prefetch: Some(Duration::from_secs(1)),
        ..Overrides::default()
    };
    let invalid = generate(&profile).with_overrides(&overrides).unwrap_err();
    let text = invalid.to_string();
    let lines: alloc::vec::Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 8, "{text}");
    assert_eq!(lines[0], "min_workers (8) is over max_workers (2): lower the one or raise the other");
    assert_eq!(lines[1], "max_queued is 33554432: set at most 16777216");
    assert_eq!(
        lines[2],
        "cache_budget_bytes (200 MiB) and buffer_budget_bytes (12.0 MiB) together are over memory_budget_bytes \
         (100 MiB): lower them or raise it"
    );
}

#[test]
fn generated_values_give_way_to_the_users() {
    let generated = generate(&machine(32, 16 * GIB));
    let small =
        Overrides { max_workers: Some(2), memory_budget_bytes: Some(GIB / 4), ..Overrides::default() };
    let own = generated.with_overrides(&small).unwrap();
    assert_eq!((own.config().min_workers, own.config().max_workers), (2, 2));
    assert_eq!(own.config().cache_budget_bytes, generated.config().cache_budget_bytes / 4);
    assert_eq!(own.explain(Setting::MaxWorkers).reason, Reason::Override { generated: Value::Count(31) });
    assert_eq!(own.explain(Setting::MinWorkers).reason, Reason::GaveWay { generated: Value::Count(8) });

    // A larger minimum takes the generated maximum along.
    let many = Overrides { min_workers: Some(40), ..Overrides::default() };
    let own = generated.with_overrides(&many).unwrap();
    assert_eq!((own.config().min_workers, own.config().max_workers), (40, 40));
}

#[test]
fn layers_of_overrides_become_one() {
    let environment = Overrides { max_workers: Some(3), ..Overrides::default() };
    let file = Overrides { max_workers: Some(8), max_queued: Some(50), ..Overrides::default() };
    let both = environment.or(file);
    assert_eq!((both.max_workers, both.max_queued, both.prefetch), (Some(3), Some(50), None));
}
