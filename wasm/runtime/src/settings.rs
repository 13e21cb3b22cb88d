//! A pool's settings and a task's as the page writes them: numbers in the floats, each in its place.

use quillwork_core::balance::BuiltIn;
use quillwork_core::flow::retry::{Backoff, Jitter};
use quillwork_core::ids::{RegionId, TaskType, WorkerId};
use quillwork_core::pool::{
    Binding, Capabilities, ElasticConfig, Load, Overflow, PerMille, PoolConfig, Priority, ResourceBudgets,
    TaskSpec, WorkerList,
};
use quillwork_core::time::Duration;

use crate::clock::limit;

/// Floats of a pool's settings: see [`pool_config`].
pub const POOL_SETTINGS: usize = 25;
/// Floats of a task without its lists of workers: see [`task_spec`].
pub const TASK_FIELDS: usize = 14;

/// A pool's settings. Times are milliseconds, shares are ratios.
///
/// | float | setting |
/// |---|---|
/// | 0, 1 | workers: the most, the fewest |
/// | 2 | how long a worker is not needed before it goes |
/// | 3 | how many tasks may wait |
/// | 4 | one too many: 0 reject, 1 drop the oldest, 2 drop the lowest priority, 3 wait outside |
/// | 5 | how many may wait outside |
/// | 6 | redeliveries |
/// | 7, 8, 9 | retries: first wait, longest wait, by how much each is longer than the one before |
/// | 10 | their jitter: 0 none, 1 full, 2 decorrelated |
/// | 11 | what the jitter is drawn from |
/// | 12 | the wait that is worth one level of priority |
/// | 13 | how much measured run time a worker may be given ahead |
/// | 14 | lease, or infinity |
/// | 15, 16 | boot time-out, grace after an abort |
/// | 17, 18, 19 | shares of memory from which to warn, to shrink, to shed |
/// | 20 | share of CPU from which to shrink |
/// | 21 | how many bytes of log to record ([`record_bytes`]), or 0 |
/// | 22 | binding: 0 late, else the number of a built-in strategy, counted from 1 |
/// | 23 | early bound, how long a task is left to its worker, or infinity |
/// | 24 | how long to wait for the page's own strategy, before the built-in one chooses; 0 where the page has none |
#[must_use]
pub fn pool_config(floats: &[f64]) -> PoolConfig {
    let millis = |at: usize| Duration::from_millis_f64(floats[at]);
    let ratio = |at: usize| PerMille::from_ratio(floats[at]).unwrap_or(PerMille::ZERO);
    let (idle_after, elastic) = (millis(2), ElasticConfig::default());
    PoolConfig {
        workers: count(floats[0]),
        elastic: ElasticConfig {
            min_workers: Some(count(floats[1])),
            idle_after,
            max_idle_after: elastic.max_idle_after.max(idle_after),
            ..elastic
        },
        max_queued: count(floats[3]),
        overflow: match count(floats[4]) {
            0 => Overflow::Reject,
            1 => Overflow::DropOldest,
            2 => Overflow::DropLowestPriority,
            _ => Overflow::Wait { max_waiting: count(floats[5]) },
        },
        max_redeliveries: count(floats[6]),
        retry_backoff: Backoff {
            base: millis(7),
            cap: millis(8),
            factor: floats[9],
            jitter: match count(floats[10]) {
                0 => Jitter::None,
                1 => Jitter::Full,
                _ => Jitter::Decorrelated,
            },
        },
        seed: u64::from(count(floats[11])),
        ageing: millis(12),
        prefetch: millis(13),
        binding: binding(count(floats[22]), millis(23), millis(24)),
        lease: limit(floats[14]),
        boot_timeout: millis(15),
        abort_grace: millis(16),
        budgets: ResourceBudgets {
            warn_memory: ratio(17),
            shrink_memory: ratio(18),
            shed_memory: ratio(19),
            max_cpu: ratio(20),
            ..ResourceBudgets::default()
        },
        ..PoolConfig::default()
    }
}

/// How many bytes of log to record; `None` to record nothing.
#[must_use]
pub fn record_bytes(floats: &[f64]) -> Option<usize> {
    Some(count(floats[21]) as usize).filter(|&bytes| bytes > 0)
}

/// What the page says about a task.
///
/// | float | what |
/// |---|---|
/// | 0 | its type |
/// | 1 | priority, 0 to 10 |
/// | 2 | what a worker must have, as a bit set |
/// | 3 | the longest execution in milliseconds, or infinity |
/// | 4 | the longest wait in milliseconds, or infinity |
/// | 5 | 1 where it may be given to another worker after the first was lost |
/// | 6 | how much of a worker's capacity it takes up |
/// | 7 | how many attempts it has |
/// | 8 | the region that should run it, counted from 1, or 0 |
/// | 9 | how long it waits for a worker that it prefers, in milliseconds |
/// | 10 | what a consistent hash goes by, a whole number below 2^53, or not a number |
/// | 11 | how many tasks of its type may be at workers, or 0 |
/// | 12, 13 | how many workers should run it, and how many must not; from 14 on, which |
///
/// # Panics
///
/// Where the priority is above 10, or a list too long.
#[must_use]
pub fn task_spec(floats: &[f64]) -> TaskSpec {
    let (wanted, banned) = (count(floats[12]) as usize, count(floats[13]) as usize);
    let workers = &floats[TASK_FIELDS..];
    TaskSpec {
        task_type: TaskType::new(count(floats[0])),
        priority: priority(count(floats[1])),
        required: Capabilities::from_bits(u64::from(count(floats[2]))),
        timeout: limit(floats[3]),
        queue_ttl: limit(floats[4]),
        redeliverable: floats[5] != 0.0,
        complexity: Load::new(count(floats[6])),
        max_attempts: count(floats[7]),
        region: region(count(floats[8])),
        patience: Duration::from_millis_f64(floats[9]),
        key: key(floats[10]),
        type_limit: count(floats[11]),
        affinity: worker_list(&workers[..wanted]),
        anti_affinity: worker_list(&workers[wanted..wanted + banned]),
        ..TaskSpec::default()
    }
}

/// A region as the page numbers them: counted from 1, 0 for none.
#[must_use]
pub fn region(number: u32) -> Option<RegionId> {
    number.checked_sub(1).map(RegionId::new)
}

fn worker_list(numbers: &[f64]) -> WorkerList {
    let mut workers = [WorkerId::new(0); WorkerList::MOST];
    workers.iter_mut().zip(numbers).for_each(|(worker, &number)| *worker = WorkerId::new(count(number)));
    WorkerList::new(&workers[..numbers.len()]).expect("the page checks lists of workers")
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the page passes whole numbers below 2^53"
)]
fn key(float: f64) -> Option<u64> {
    if float.is_nan() { None } else { Some(float as u64) }
}

fn binding(number: u32, steal_after: Duration, answer_within: Duration) -> Binding {
    let Some(index) = number.checked_sub(1) else { return Binding::Late };
    let strategy = BuiltIn::ALL[index as usize];
    if answer_within.is_zero() {
        Binding::Early { strategy, steal_after }
    } else {
        Binding::Asked { answer_within, fallback: strategy, steal_after }
    }
}

/// A level of 0 to 10.
///
/// # Panics
///
/// Above.
#[must_use]
pub fn priority(level: u32) -> Priority {
    u8::try_from(level).ok().and_then(Priority::new).expect("the page checks priorities")
}

/// A whole number that the page has checked.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the page passes whole numbers of 32 bits, and the cast saturates"
)]
const fn count(float: f64) -> u32 {
    float as u32
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn every_setting_is_read_from_its_place() {
        let floats = [
            8.0, 2.0, 700.0, 30.0, 3.0, 40.0, 5.0, 10.0, 90.0, 3.0, 2.0, 77.0, 250.0, 1.5, 900.0, 800.0,
            60.0, 0.3, 0.4, 0.5, 0.6, 5_000.0, 2.0, 30.0, 40.0,
        ];
        assert_eq!(floats.len(), POOL_SETTINGS);
        let config = pool_config(&floats);
        assert_eq!((config.workers, config.elastic.min_workers), (8, Some(2)));
        assert_eq!(config.elastic.idle_after, Duration::from_millis(700));
        assert_eq!((config.max_queued, config.overflow), (30, Overflow::Wait { max_waiting: 40 }));
        assert_eq!(config.max_redeliveries, 5);
        let backoff = Backoff {
            base: Duration::from_millis(10),
            cap: Duration::from_millis(90),
            factor: 3.0,
            jitter: Jitter::Decorrelated,
        };
        assert_eq!((config.retry_backoff, config.seed), (backoff, 77));
        assert_eq!(config.ageing, Duration::from_millis(250));
        assert_eq!(config.prefetch, Duration::from_micros(1_500));
        assert_eq!(config.lease, Some(Duration::from_millis(900)));
        assert_eq!(config.boot_timeout, Duration::from_millis(800));
        assert_eq!(config.abort_grace, Duration::from_millis(60));
        assert_eq!(record_bytes(&floats), Some(5_000));
        let binding = Binding::Asked {
            answer_within: Duration::from_millis(40),
            fallback: BuiltIn::LeastLoaded,
            steal_after: Duration::from_millis(30),
        };
        assert_eq!(config.binding, binding);
        let budgets = config.budgets;
        assert_eq!(
            [budgets.warn_memory, budgets.shrink_memory, budgets.shed_memory, budgets.max_cpu],
            [30, 40, 50, 60].map(PerMille::per_cent)
        );
    }

    #[test]
    fn a_long_idle_time_is_never_longer_than_the_longest() {
        let mut floats = [1.0; POOL_SETTINGS];
        floats[2] = 3_600_000.0;
        let elastic = pool_config(&floats).elastic;
        assert_eq!(elastic.max_idle_after, Duration::from_secs(3_600));
        assert_eq!(elastic.validate(1), Ok(()));
    }

    #[test]
    fn every_field_of_a_task_is_read_from_its_place() {
        let spec = task_spec(&[
            9.0,
            7.0,
            5.0,
            100.0,
            f64::INFINITY,
            0.0,
            3.0,
            4.0,
            6.0,
            20.0,
            77.0,
            6.0,
            2.0,
            1.0,
            4.0,
            2.0,
            8.0,
        ]);
        let workers = |ids: &[u32]| {
            let ids: Vec<WorkerId> = ids.iter().copied().map(WorkerId::new).collect();
            WorkerList::new(&ids).expect("a short list")
        };
        assert_eq!(
            spec,
            TaskSpec {
                task_type: TaskType::new(9),
                priority: priority(7),
                required: Capabilities::from_bits(5),
                timeout: Some(Duration::from_millis(100)),
                queue_ttl: None,
                redeliverable: false,
                complexity: Load::new(3),
                max_attempts: 4,
                region: Some(RegionId::new(5)),
                patience: Duration::from_millis(20),
                key: Some(77),
                type_limit: 6,
                affinity: workers(&[4, 2]),
                anti_affinity: workers(&[8]),
                ..TaskSpec::default()
            }
        );
    }
}
