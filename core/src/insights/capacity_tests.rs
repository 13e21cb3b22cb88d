use alloc::vec;
use alloc::vec::Vec;

use super::capacity::{
    Advice, Arrivals, CapacityError, ESTIMATE_TOO_HIGH, ESTIMATE_TOO_LOW, MAX_SCV, MAX_UTILISATION,
    ServiceTimes, advise, estimate,
};
use crate::rng::Rng;
use crate::telemetry::{RelativeAccuracy, Sketch};

const MEAN: f64 = 20.0;

/// How long tasks run, of mean [`MEAN`].
#[derive(Clone, Copy, Debug)]
enum Runs {
    Constant,
    Exponential,
    /// One in ten takes eleven times as long as the others.
    TwoKinds,
    LogNormal(f64),
}

impl Runs {
    fn service(self) -> ServiceTimes {
        match self {
            Self::Constant => ServiceTimes::from_moments(MEAN, 0.0).unwrap(),
            Self::Exponential => ServiceTimes::from_moments(MEAN, 1.0).unwrap(),
            Self::LogNormal(scv) => ServiceTimes::from_moments(MEAN, scv).unwrap(),
            Self::TwoKinds => {
                let mut sketch = Sketch::new(RelativeAccuracy::new(0.01).unwrap());
                sketch.record_many(0.5 * MEAN, 9_000).unwrap();
                sketch.record_many(5.5 * MEAN, 1_000).unwrap();
                ServiceTimes::from_sketch(&sketch).unwrap()
            }
        }
    }

    fn draw(self, rng: &mut Rng) -> f64 {
        match self {
            Self::Constant => MEAN,
            Self::Exponential => rng.exponential(MEAN),
            Self::TwoKinds => MEAN * if rng.chance(0.1) { 5.5 } else { 0.5 },
            Self::LogNormal(scv) => {
                let normal = (0..12).map(|_| rng.unit_f64()).sum::<f64>() - 6.0;
                let variance = libm::log1p(scv);
                MEAN * libm::exp(libm::sqrt(variance) * normal - 0.5 * variance)
            }
        }
    }
}

/// Plays a queue, first come first served, and gives the mean wait and the 95th percentile of the response.
fn simulated(runs: Runs, workers: u32, utilisation: f64, tasks: usize) -> (f64, f64) {
    let mut rng = Rng::from_seed(42);
    let gap = MEAN / (utilisation * f64::from(workers));
    let mut free_at = vec![0.0_f64; workers as usize];
    let (mut now, mut waits) = (0.0, 0.0);
    let mut responses: Vec<f64> = Vec::with_capacity(tasks);
    for _ in 0..tasks {
        now += rng.exponential(gap);
        let first = (0..free_at.len()).min_by(|&a, &b| free_at[a].total_cmp(&free_at[b])).unwrap();
        let wait = (free_at[first] - now).max(0.0);
        let run = runs.draw(&mut rng);
        free_at[first] = now + wait + run;
        waits += wait;
        responses.push(wait + run);
    }
    responses.sort_unstable_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a test's count of tasks")]
    let mean_wait = waits / tasks as f64;
    (mean_wait, responses[tasks * 95 / 100])
}

fn arrivals(workers: u32, utilisation: f64) -> Arrivals {
    Arrivals::independent(1e3 * utilisation * f64::from(workers) / MEAN).unwrap()
}

#[test]
fn estimates_are_as_close_to_a_simulated_queue_as_they_say() {
    let kinds = [
        Runs::Constant,
        Runs::Exponential,
        Runs::TwoKinds,
        Runs::LogNormal(0.25),
        Runs::LogNormal(2.0),
        Runs::LogNormal(MAX_SCV),
    ];
    let (mut lowest, mut highest) = (0.0_f64, 0.0_f64);
    for runs in kinds {
        let service = runs.service();
        for workers in [1, 2, 4, 16] {
            for utilisation in [0.3, 0.5, 0.8, MAX_UTILISATION - 1e-9] {
                let (_, p95) = simulated(runs, workers, utilisation, 100_000);
                let found = estimate(arrivals(workers, utilisation), &service, workers).unwrap().unwrap();
                let error = found.p95_millis / p95 - 1.0;
                (lowest, highest) = (lowest.min(error), highest.max(error));
                let within = found.p95_at_least_millis..=found.p95_at_most_millis;
                assert!(within.contains(&p95), "{runs:?}, {workers} workers at {utilisation}: {error}");
            }
        }
    }
    // What is stated isn't far from what is so, either.
    assert!(lowest < -0.5 * ESTIMATE_TOO_LOW && highest > 0.5 * ESTIMATE_TOO_HIGH, "{lowest} {highest}");
}

#[test]
fn exponential_times_on_one_worker_match_the_textbook() {
    // M/M/1 at one half: half of the tasks wait, the mean wait is that of one task.
    let service = ServiceTimes::from_moments(MEAN, 1.0).unwrap();
    let found = estimate(arrivals(1, 0.5), &service, 1).unwrap().unwrap();
    assert!((found.utilisation - 0.5).abs() < 1e-12);
    assert!((found.waiting_ratio - 0.5).abs() < 1e-12);
    assert!((found.mean_wait_millis - MEAN).abs() < 1e-9);
    // Erlang C of 4 erlangs on 5 workers, from published tables: 0.5541.
    let found = estimate(arrivals(5, 0.8), &service, 5).unwrap().unwrap();
    assert!((found.waiting_ratio - 0.5541).abs() < 5e-5, "{}", found.waiting_ratio);
}

#[test]
fn advice_holds_in_the_simulated_queue_and_is_not_lavish() {
    for runs in [Runs::Constant, Runs::Exponential, Runs::TwoKinds, Runs::LogNormal(2.0)] {
        let service = runs.service();
        for offered in [0.5, 2.4, 6.5] {
            for target in [120.0, 180.0, 400.0] {
                let arrivals = Arrivals::independent(1e3 * offered / MEAN).unwrap();
                let Ok(Advice::Holds(with)) = advise(arrivals, &service, target, 64) else {
                    panic!("{runs:?} {offered} {target}")
                };
                let p95 = |workers: u32| simulated(runs, workers, offered / f64::from(workers), 50_000).1;
                assert!(p95(with.workers) <= target, "{runs:?} {offered} {target}: {with:?}");
                if with.workers > 2 && offered / f64::from(with.workers - 2) < MAX_UTILISATION {
                    assert!(p95(with.workers - 2) > 0.6 * target, "{runs:?} {offered} {target}: {with:?}");
                }
            }
        }
    }
}

#[test]
fn a_sketch_gives_what_its_moments_give() {
    let mut sketch = Sketch::new(RelativeAccuracy::new(0.01).unwrap());
    let mut rng = Rng::from_seed(3);
    (0..50_000).for_each(|_| sketch.record(Runs::LogNormal(0.5).draw(&mut rng)).unwrap());
    let measured = ServiceTimes::from_sketch(&sketch).unwrap();
    let stated = ServiceTimes::from_moments(MEAN, 0.5).unwrap();
    assert!((measured.mean_millis() / MEAN - 1.0).abs() < 0.02);
    assert!((measured.scv() / stated.scv() - 1.0).abs() < 0.1, "{}", measured.scv());
    let p95 = |service| estimate(arrivals(3, 0.7), service, 3).unwrap().unwrap().p95_millis;
    assert!((p95(&measured) / p95(&stated) - 1.0).abs() < 0.05);
}

#[test]
fn tasks_that_are_too_slow_and_pools_that_are_too_small_are_said() {
    let service = ServiceTimes::from_moments(MEAN, 0.0).unwrap();
    let load = Arrivals::independent(200.0).unwrap();
    assert!(
        matches!(advise(load, &service, 15.0, 64), Ok(Advice::TasksTooSlow { p95_run_millis }) if (p95_run_millis - MEAN).abs() < 1e-6)
    );
    assert_eq!(advise(load, &service, 100.0, 3), Ok(Advice::TooFewWorkers { most: 3 }));
    assert_eq!(estimate(load, &service, 4), Ok(None), "four workers would have no rest");
    assert_eq!(estimate(load, &service, 0), Ok(None));
    // Tasks take all of the target: it holds where nobody waits.
    assert!(matches!(advise(load, &service, MEAN + 0.1, 64), Ok(Advice::Holds(with)) if with.workers > 8));
}

#[test]
fn numbers_without_sense_are_refused() {
    assert_eq!(Arrivals::independent(0.0), Err(CapacityError::Rate(0.0)));
    assert!(Arrivals::independent(f64::NAN).is_err() && ServiceTimes::from_moments(-1.0, 1.0).is_err());
    assert_eq!(ServiceTimes::from_moments(1.0, 9.0), Err(CapacityError::Variation(9.0)));
    let empty = Sketch::new(RelativeAccuracy::new(0.01).unwrap());
    assert_eq!(ServiceTimes::from_sketch(&empty), Err(CapacityError::Nothing));
    let service = ServiceTimes::from_moments(1.0, 1.0).unwrap();
    let odd = Arrivals { per_second: 1.0, scv: f64::NAN };
    assert!(estimate(odd, &service, 1).is_err());
    assert!(advise(Arrivals::independent(1.0).unwrap(), &service, f64::INFINITY, 1).is_err());
}
