//! The size settles under any constant load and changes a bounded number of times under any other, shown on a small model of
//! a pool: one queue, workers that take a while to boot, and tasks that all take the same time.

use alloc::collections::BinaryHeap;
use alloc::vec::Vec;
use core::cmp::Reverse;

use proptest::prelude::*;

use super::*;
use crate::time::{Duration, Instant};

const IDLE_AFTER: Duration = Duration::from_millis(200);
const MOST: u32 = 8;

fn config() -> ElasticConfig {
    ElasticConfig {
        min_workers: Some(1),
        drain_within: Duration::from_millis(50),
        standing_limit: Duration::from_millis(100),
        idle_after: IDLE_AFTER,
        max_idle_after: Duration::from_millis(3_200),
    }
}

#[derive(Clone, Copy, Debug)]
struct Load {
    service: Duration,
    boot: Duration,
    /// Whether the pool has an estimate of the service time.
    known: bool,
}

struct Model {
    sizer: Sizer,
    load: Load,
    now: Instant,
    /// When each worker is free again or has booted, of those that are not idle.
    busy: BinaryHeap<Reverse<Instant>>,
    booting: BinaryHeap<Reverse<Instant>>,
    idle: u32,
    queued: u32,
    changes: Vec<(Instant, Resize)>,
}

impl Model {
    fn new(load: Load) -> Self {
        let now = Instant::from_secs(1);
        Self {
            sizer: Sizer::new(config(), MOST, now),
            load,
            now,
            busy: BinaryHeap::new(),
            booting: BinaryHeap::new(),
            idle: 1,
            queued: 0,
            changes: Vec::new(),
        }
    }

    fn alive(&self) -> u32 {
        self.idle + u32::try_from(self.busy.len() + self.booting.len()).unwrap()
    }

    /// Goes to the next event until this time, as a shell does: it asks for the deadline.
    fn run_until(&mut self, end: Instant) {
        loop {
            self.step();
            let next = [
                self.busy.peek().map(|at| at.0),
                self.booting.peek().map(|at| at.0),
                self.sizer.next_deadline(self.alive(), SizeLimits::NONE),
            ];
            match next.into_iter().flatten().min() {
                Some(at) if at < end => {
                    assert!(at > self.now, "a deadline that is met is gone");
                    self.now = at;
                }
                Some(_) | None => break,
            }
        }
        self.now = end;
    }

    fn step(&mut self) {
        while self.booting.peek().is_some_and(|at| at.0 <= self.now) {
            self.booting.pop();
            self.idle += 1;
        }
        while self.busy.peek().is_some_and(|at| at.0 <= self.now) {
            self.busy.pop();
            self.idle += 1;
        }
        while self.idle > 0 && self.queued > 0 {
            self.idle -= 1;
            self.queued -= 1;
            self.busy.push(Reverse(self.now + self.load.service));
        }
        let demand = Demand {
            alive: self.alive(),
            booting: u32::try_from(self.booting.len()).unwrap(),
            occupied: u32::try_from(self.busy.len()).unwrap(),
            queued: self.queued,
            queued_work: self.load.known.then(|| self.load.service * u64::from(self.queued)),
            helpful: MOST - self.alive(),
            ..Demand::default()
        };
        let Some(resize) = self.sizer.handle_demand(self.now, &demand, SizeLimits::NONE) else { return };
        assert!(resize.from == demand.alive && resize.to != resize.from && (1..=MOST).contains(&resize.to));
        for _ in resize.from..resize.to {
            self.booting.push(Reverse(self.now + self.load.boot));
        }
        self.idle -= resize.from.saturating_sub(resize.to).min(self.idle);
        self.sizer.on_resized(self.now, resize, self.alive());
        self.changes.push((self.now, resize));
    }

    fn submit(&mut self, tasks: u32) {
        self.step();
        self.queued += tasks;
        self.step();
    }
}

/// For each number of workers, going above it and back below it takes at least the time to retire.
fn assert_no_level_flaps(changes: &[(Instant, Resize)]) {
    for level in 1..MOST {
        let mut above_since = None;
        for (now, resize) in changes {
            if resize.from <= level && resize.to > level {
                above_since = Some(*now);
            } else if resize.from > level && resize.to <= level {
                let since = above_since.take().expect("it was above");
                assert!(*now - since >= IDLE_AFTER, "level {level}: {since:?} to {now:?} in {changes:?}");
            }
        }
    }
}

fn loads() -> impl Strategy<Value = Load> {
    (1_u64..400, 1_u64..100, any::<bool>()).prop_map(|(service, boot, known)| Load {
        service: Duration::from_millis(service),
        boot: Duration::from_millis(boot),
        known,
    })
}

#[test]
fn a_burst_gets_its_workers_at_once_and_keeps_them_for_a_while() {
    let load = Load { service: Duration::from_millis(300), boot: Duration::from_millis(10), known: false };
    let mut model = Model::new(load);
    model.submit(6);
    assert_eq!(model.alive(), 6, "five more for the five that wait");
    model.run_until(Instant::from_secs(60));
    let sizes: Vec<(u32, u32)> = model.changes.iter().map(|(_, resize)| (resize.from, resize.to)).collect();
    assert_eq!(sizes, [(1, 6), (6, 1)]);
}

#[test]
fn tiny_tasks_are_not_worth_a_worker_but_a_queue_that_stands_is() {
    let load = Load { service: Duration::from_millis(1), boot: Duration::from_millis(40), known: true };
    let mut model = Model::new(load);
    model.submit(40);
    assert_eq!(model.alive(), 1, "40 ms of work are done before a worker has booted");
    model.run_until(Instant::from_secs(2));
    assert!(model.changes.is_empty());
    // The estimate says 1 ms, but the worker hangs in a task of 10 s.
    model.load.service = Duration::from_secs(10);
    model.submit(1);
    model.load.service = Duration::from_millis(1);
    model.submit(3);
    model.run_until(Instant::from_millis(2_101));
    assert_eq!(model.alive(), 2);
    assert!(matches!(model.changes[0].1.reason, ResizeReason::Saturated { .. }), "{:?}", model.changes);
    model.run_until(Instant::from_millis(2_200));
    assert_eq!(model.queued, 0, "the tiny tasks got past the one that hangs");
}

#[test]
fn an_alternating_load_is_learnt() {
    let load = Load { service: Duration::from_millis(60), boot: Duration::from_millis(5), known: true };
    let mut model = Model::new(load);
    for round in 0..100 {
        // 60 ms of work for each of eight workers, then nothing for 300 ms: longer than the first time to retire.
        model.submit(8);
        model.run_until(Instant::from_millis(1_000 + 360 * (round + 1)));
    }
    // Retired once, regretted once, and kept since.
    let sizes: Vec<(u32, u32)> = model.changes.iter().map(|(_, resize)| (resize.from, resize.to)).collect();
    assert_eq!(sizes, [(1, 8), (8, 1), (1, 8)], "{:?}", model.changes);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 2) })]

    /// The same work in the same steps for ever: after a while nothing changes any more.
    #[test]
    fn under_a_constant_load_the_size_settles(load in loads(), gap in 1_u64..900, batch in 1_u32..6) {
        let mut model = Model::new(load);
        let until = |millis: u64| Instant::from_millis(1_000 + millis);
        let mut at = 0;
        while at < 40_000 {
            // What would only pile up tells nothing more.
            if model.queued < 500 {
                model.submit(batch);
            }
            at += gap;
            model.run_until(until(at));
        }
        assert_no_level_flaps(&model.changes);
        let late = model.changes.iter().filter(|(now, _)| *now >= until(20_000)).count();
        prop_assert_eq!(late, 0, "{:?}", model.changes);
        prop_assert!(model.changes.len() <= 40, "{:?}", model.changes);
    }

    /// Any load at all: the number of changes is bounded by time.
    #[test]
    fn no_load_makes_a_level_flap(
        load in loads(),
        arrivals in prop::collection::vec((0_u64..1_200, 0_u32..20), 1..120),
    ) {
        let mut model = Model::new(load);
        for (pause, tasks) in arrivals {
            let at = model.now + Duration::from_millis(pause);
            model.run_until(at);
            model.submit(tasks);
        }
        let end = model.now + Duration::from_secs(600);
        model.run_until(end);
        assert_no_level_flaps(&model.changes);
        prop_assert_eq!((model.alive(), model.queued), (1, 0), "what is done leaves the fewest");
    }
}
