//! What nobody should do, and somebody will.

use quillwork_core::balance::{
    BalanceConfig, Eligible, HealthConfig, Ineligible, Load, LoadBalancer, Refusal, Slot, Strategy, Task,
    WorkerReport, WorkerScore, WorkerSpec, WorkerStatus,
};
use quillwork_core::ids::{TaskType, WorkerId};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::rig::{at, balancer, load, spec, task, worker};

/// Gives the helpers of [`Eligible`] these values for workers 0, 1, 2...
#[derive(Debug)]
struct Values {
    helper: fn(&Values, &Eligible<'_>, &mut Rng) -> Slot,
    values: Vec<f64>,
    tolerance: f64,
}

impl Values {
    fn of(&self, eligible: &Eligible<'_>, slot: Slot) -> f64 {
        self.values[eligible.fleet().worker(slot).index()]
    }
}

impl Strategy for Values {
    fn name(&self) -> &'static str {
        "values"
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, rng: &mut Rng) -> Slot {
        (self.helper)(self, eligible, rng)
    }

    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        out.extend(eligible.iter().map(|slot| self.of(eligible, slot)));
    }
}

const LOWEST: fn(&Values, &Eligible<'_>, &mut Rng) -> Slot =
    |this, eligible, _| eligible.lowest(|slot| this.of(eligible, slot));
const WITHIN: fn(&Values, &Eligible<'_>, &mut Rng) -> Slot = |this, eligible, _| {
    eligible.lowest_within(this.tolerance, &mut Vec::new(), |slot| this.of(eligible, slot))
};
const DRAWN: fn(&Values, &Eligible<'_>, &mut Rng) -> Slot =
    |this, eligible, rng| eligible.lowest_of_drawn(64, rng, |slot| this.of(eligible, slot));

#[test]
fn values_that_are_no_numbers_lose_and_break_nothing() {
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for helper in [LOWEST, WITHIN, DRAWN] {
        for (values, expected) in [
            (vec![nan, 1.0, 2.0], Some(1)),
            (vec![2.0, nan, 1.0], Some(2)),
            (vec![inf, nan, 1.0], Some(2)),
            (vec![-inf, nan, 1.0], Some(0)),
            (vec![nan, nan, nan], None),
            (vec![inf, inf, inf], None),
            (vec![-inf, -inf, -inf], None),
        ] {
            for tolerance in [0.0, 0.05, -1.0, nan, inf] {
                if tolerance.is_infinite() && expected.is_some() {
                    continue;
                }
                let mut balancer = balancer("random", &[100, 100, 100]);
                let strategy = Values { helper, values: values.clone(), tolerance };
                balancer.register_strategy(Box::new(strategy)).unwrap();
                balancer.set_strategy("values").unwrap();
                let chosen: Vec<u32> =
                    (0..6).map(|id| balancer.assign(at(0), &task(id)).unwrap().get()).collect();
                match expected {
                    Some(best) => assert_eq!(chosen, [best; 6], "{values:?} within {tolerance}"),
                    // Of equals everybody has a turn.
                    None => assert!((0..3).all(|id| chosen.contains(&id)), "{values:?}: {chosen:?}"),
                }
                assert_eq!(balancer.invalid_choices(), 0);
            }
        }
    }
}

#[test]
fn workers_without_capacity_get_nothing_but_what_weighs_nothing() {
    for name in strategies() {
        let mut balancer = balancer(name, &[0, 0]);
        assert_eq!(
            balancer.assign(at(0), &task(1)),
            Err(Refusal::LargerThanAnyWorker { largest: Load::ZERO }),
            "{name}"
        );
        let weightless = Task { complexity: Load::ZERO, ..task(2) };
        assert!(balancer.assign(at(0), &weightless).is_ok(), "{name}");
        assert!(scores(&mut balancer, at(0)).iter().all(is_sound), "{name}");
        balancer.handle_report(
            at(0),
            worker(1),
            WorkerReport { capacity: Some(Load::ONE), ..WorkerReport::default() },
        );
        assert_eq!(balancer.assign(at(0), &task(1)), Ok(worker(1)), "{name}");
    }
}

#[test]
fn loads_and_complexities_at_the_end_of_numbers_are_kept_apart() {
    for name in strategies() {
        let mut balancer = balancer(name, &[u32::MAX, u32::MAX - 1]);
        let whole = Task { complexity: Load::new(u32::MAX), ..task(1) };
        assert_eq!(balancer.assign(at(0), &whole), Ok(worker(0)), "{name}: only one is large enough");
        assert_eq!(
            balancer.assign(at(0), &Task { id: task(2).id, ..whole }),
            Err(Refusal::NoRoom { needed: Load::new(u32::MAX), most_free: Load::ZERO }),
            "{name}"
        );
        assert_eq!(balancer.assign(at(0), &task(3)), Ok(worker(1)), "{name}");
        // Put there by somebody else, past everything.
        balancer.handle_assigned(at(0), &Task { id: task(4).id, ..whole }, worker(0));
        let foreign = WorkerReport { foreign_load: Some(Load::new(u32::MAX)), ..WorkerReport::default() };
        balancer.handle_report(at(0), worker(0), foreign);
        assert_eq!(load(&balancer, 0), u32::MAX);
        assert!(scores(&mut balancer, at(0)).iter().all(is_sound), "{name}");
        for id in [1, 3, 4] {
            balancer.handle_finished(at(5), task(id).id, true);
        }
        balancer.handle_report(
            at(5),
            worker(0),
            WorkerReport { foreign_load: Some(Load::ZERO), ..WorkerReport::default() },
        );
        assert_eq!((load(&balancer, 0), load(&balancer, 1)), (0, 0), "{name}");
    }
}

#[test]
fn a_worker_that_registers_again_keeps_its_load_its_status_and_its_tasks() {
    let mut balancer = balancer("least-loaded", &[4]);
    balancer.assign(at(0), &task(1)).unwrap();
    balancer.handle_status(at(1), worker(0), WorkerStatus::Draining);
    balancer.handle_joined(at(2), spec(0, 9));
    assert_eq!(balancer.fleet().len(), 1);
    assert_eq!(load(&balancer, 0), 1);
    assert_eq!(
        balancer.check(at(2), &task(2), worker(0)),
        Err(Ineligible::NotUp { status: WorkerStatus::Draining })
    );
    balancer.handle_status(at(3), worker(0), WorkerStatus::Ready);
    assert_eq!(balancer.fleet().spec(balancer.fleet().slot_of(worker(0)).unwrap()).capacity, Load::new(9));
    assert!(balancer.handle_finished(at(4), task(1).id, true).is_some());
    assert_eq!(load(&balancer, 0), 0);
}

/// The clock jumps to its ends and back between all that can happen.
#[test]
fn clocks_that_jump_and_durations_without_end_leave_sound_numbers() {
    for name in strategies() {
        let config = BalanceConfig { strategy: name, health: HealthConfig::on(), ..BalanceConfig::default() };
        let mut balancer = LoadBalancer::new(config, 3).unwrap();
        let mut rng = Rng::from_seed(9);
        let clock = [Instant::ZERO, at(1), at(10_000), Instant::from_nanos(u64::MAX - 1), Instant::NEVER];
        let mut migrations = Vec::new();
        let mut help = Vec::new();
        for id in 0..600 {
            let now = clock[rng.index(clock.len())];
            let who = worker(u32::try_from(rng.index(5)).unwrap());
            match rng.index(8) {
                0 => balancer.handle_joined(now, spec(who.get(), 6)),
                1 => balancer.handle_status(now, who, STATUSES[rng.index(STATUSES.len())]),
                2 => balancer.update_context(now, who, TaskType::new(0), rng.chance(0.5), Duration::MAX),
                3 => balancer.handle_started(now, task(rng.below(id + 1)).id),
                4 => drop(balancer.handle_finished(now, task(rng.below(id + 1)).id, rng.chance(0.3))),
                5 => balancer.handle_deadline(now),
                _ => drop(balancer.assign(now, &task(id))),
            }
            assert!(scores(&mut balancer, now).iter().all(is_sound), "{name}");
            let overload = balancer.detect_overload(now, &mut help);
            assert!(overload.fleet_pressure.is_finite() && overload.fleet_pressure >= 0.0, "{name}");
            assert!(help.iter().all(|help| (1..=10).contains(&help.urgency.get())), "{name}");
            balancer.suggest_migration(now, &mut migrations);
        }
        for id in 0..600 {
            balancer.handle_cancelled(at(0), task(id).id);
        }
        assert_eq!(balancer.in_flight(), 0);
        assert!(balancer.fleet().slots().all(|slot| balancer.fleet().load(slot) == Load::ZERO), "{name}");
    }
}

/// A thousand workers that join, flip and leave in the middle of each other's tasks.
#[test]
fn a_thousand_workers_lose_nothing() {
    const WORKERS: u32 = 1_000;
    let config = BalanceConfig { health: HealthConfig::on(), ..BalanceConfig::default() };
    let mut balancer = LoadBalancer::new(config, 3).unwrap();
    for id in 0..WORKERS {
        balancer.handle_joined(at(0), WorkerSpec { capacity: Load::new(2), ..WorkerSpec::new(worker(id)) });
    }
    balancer.handle_deadline(at(5_000));
    for id in 0..u64::from(2 * WORKERS) {
        balancer.assign(at(5_000), &task(id)).unwrap();
    }
    let full = balancer.assign(at(5_000), &task(99_999));
    assert_eq!(full, Err(Refusal::NoRoom { needed: Load::ONE, most_free: Load::ZERO }));
    let mut orphans = 0;
    for id in (0..WORKERS).step_by(50) {
        balancer.handle_status(at(5_001), worker(id), WorkerStatus::Offline);
        balancer.handle_status(at(5_001), worker(id), WorkerStatus::Ready);
        orphans += balancer.handle_left(at(5_002), worker(id)).len();
    }
    assert_eq!(orphans, 40);
    assert_eq!(balancer.in_flight(), 2 * WORKERS as usize - orphans);
    for id in 0..u64::from(2 * WORKERS) {
        balancer.handle_finished(at(5_003), task(id).id, true);
    }
    assert_eq!((balancer.in_flight(), balancer.fleet().open_load()), (0, 0));
}

fn strategies() -> Vec<&'static str> {
    LoadBalancer::new(BalanceConfig::default(), 1).expect("the defaults are sound").strategy_names().collect()
}

fn scores(balancer: &mut LoadBalancer, now: Instant) -> Vec<WorkerScore> {
    let mut scores = Vec::new();
    let affinity = [WorkerId::new(1)];
    balancer.score_workers(now, &Task { affinity: &affinity, ..task(0) }, &mut scores);
    scores
}

fn is_sound(score: &WorkerScore) -> bool {
    let terms = [score.capacity, score.performance, score.affinity, score.reliability, score.total];
    terms.iter().all(|term| (0.0..=1.0).contains(term))
}

const STATUSES: [WorkerStatus; 5] = [
    WorkerStatus::Booting,
    WorkerStatus::Ready,
    WorkerStatus::Busy,
    WorkerStatus::Draining,
    WorkerStatus::Offline,
];
