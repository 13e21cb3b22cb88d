use alloc::collections::VecDeque;

use proptest::prelude::{ProptestConfig, prop, prop_assert, proptest};

use super::*;
use crate::balance::conformance::conforms;
use crate::balance::{BalanceConfig, LoadBalancer, WorkerSpec};
use crate::ids::TaskId;
use crate::time::Duration;

/// Likes what a table says, whatever happens.
#[derive(Debug)]
struct Opinion(&'static str, Vec<f64>);

impl Strategy for Opinion {
    fn name(&self) -> &'static str {
        self.0
    }

    fn choose(&mut self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        eligible.highest(|slot| self.1[slot.index()])
    }

    fn scores(&self, _: Instant, _: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        out.extend(eligible.iter().map(|slot| self.1[slot.index()]));
    }
}

fn opinion(name: &'static str, scores: &[f64], prior: f64) -> Expert {
    Expert { strategy: Box::new(Opinion(name, scores.to_vec())), prior }
}

fn balancer(config: AdaptiveConfig, experts: Vec<Expert>, workers: u32) -> LoadBalancer {
    let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1).unwrap();
    let adaptive = Adaptive::new(config, experts).unwrap().named("mix");
    balancer.register_strategy(Box::new(adaptive)).unwrap();
    balancer.set_strategy("mix").unwrap();
    (0..workers)
        .for_each(|worker| balancer.handle_joined(Instant::ZERO, WorkerSpec::new(WorkerId::new(worker))));
    balancer
}

fn weights(balancer: &LoadBalancer, task_type: TaskType) -> Vec<f64> {
    let adaptive = balancer.strategy::<Adaptive>("mix").expect("it was registered");
    adaptive.weights(task_type).map(|(_, weight)| weight).collect()
}

/// Two workers; the experts each swear by one of them. Tasks come every 10 ms and take what `millis` says.
struct TwoCamps {
    balancer: LoadBalancer,
    now: Instant,
    next: u64,
    running: VecDeque<(Instant, TaskId, bool)>,
    free_at: [Instant; 2],
}

impl TwoCamps {
    fn new() -> Self {
        let experts = alloc::vec![opinion("first", &[1.0, 0.0], 0.5), opinion("second", &[0.0, 1.0], 0.5)];
        let config = AdaptiveConfig { memory: 100.0, ..AdaptiveConfig::default() };
        let balancer = balancer(config, experts, 2);
        Self { balancer, now: Instant::ZERO, next: 0, running: VecDeque::new(), free_at: [Instant::ZERO; 2] }
    }

    fn play(&mut self, tasks: u32, task_type: u32, outcome: impl Fn(WorkerId) -> (u64, bool)) {
        for _ in 0..tasks {
            self.now += Duration::from_millis(10);
            while let Some(&(at, task, success)) =
                self.running.iter().min().filter(|(at, ..)| *at <= self.now)
            {
                self.running.retain(|&(_, other, _)| other != task);
                self.balancer.handle_finished(at, task, success);
            }
            let task = Task { task_type: TaskType::new(task_type), ..Task::new(TaskId::new(self.next)) };
            self.next += 1;
            let Ok(worker) = self.balancer.assign(self.now, &task) else { continue };
            let (millis, success) = outcome(worker);
            let begins = self.free_at[worker.index()].max(self.now);
            self.free_at[worker.index()] = begins + Duration::from_millis(millis);
            self.running.push_back((self.free_at[worker.index()], task.id, success));
        }
    }

    fn weights(&self, task_type: u32) -> Vec<f64> {
        weights(&self.balancer, TaskType::new(task_type))
    }
}

fn only_fast(fast: u32) -> impl Fn(WorkerId) -> (u64, bool) {
    move |worker| (if worker.get() == fast { 5 } else { 50 }, true)
}

#[test]
fn it_is_a_strategy_like_the_others() {
    conforms(|| Box::<Adaptive>::default());
}

#[test]
fn weight_moves_to_who_advises_the_faster_worker_and_back_when_it_slows_down() {
    let mut camps = TwoCamps::new();
    camps.play(300, 0, only_fast(1));
    assert!(camps.weights(0)[1] > 0.9, "{:?}", camps.weights(0));
    camps.play(600, 0, only_fast(0));
    assert!(camps.weights(0)[0] > 0.9, "{:?}", camps.weights(0));
}

#[test]
fn a_worker_that_fails_at_once_does_not_look_fast() {
    let mut camps = TwoCamps::new();
    camps.play(300, 0, |worker| if worker.get() == 0 { (1, false) } else { (8, true) });
    assert!(camps.weights(0)[1] > 0.7, "{:?}", camps.weights(0));
}

#[test]
fn advice_to_use_a_worker_that_has_fallen_silent_is_charged_before_anything_fails() {
    let mut camps = TwoCamps::new();
    camps.play(100, 0, |_| (5, true));
    camps.play(10, 0, |worker| (if worker.get() == 0 { 60_000 } else { 5 }, true));
    assert!(camps.weights(0)[0] < 0.05, "{:?}", camps.weights(0));
}

#[test]
fn each_task_type_has_its_own_mix() {
    let mut camps = TwoCamps::new();
    for _ in 0..60 {
        camps.play(5, 1, only_fast(0));
        camps.play(5, 2, only_fast(1));
    }
    assert!(camps.weights(1)[0] > 0.9, "{:?}", camps.weights(1));
    assert!(camps.weights(2)[1] > 0.9, "{:?}", camps.weights(2));
    let adaptive = camps.balancer.strategy::<Adaptive>("mix").unwrap();
    assert_eq!(adaptive.task_types(), [TaskType::new(1), TaskType::new(2)]);
}

#[test]
fn what_was_learned_survives_as_bytes() {
    let mut camps = TwoCamps::new();
    camps.play(300, 7, only_fast(1));
    let saved = camps.balancer.strategy::<Adaptive>("mix").unwrap().save();
    let read = AdaptiveState::from_bytes(&saved.to_bytes()).unwrap();
    let mut restored = TwoCamps::new();
    restored.balancer.strategy_mut::<Adaptive>("mix").unwrap().restore(&read).unwrap();
    assert_eq!(restored.weights(7), camps.weights(7));
    assert_eq!(restored.weights(8), camps.weights(8), "types never seen start with what all have shown");
}

#[test]
fn experts_are_matched_by_name_when_restored() {
    let mut camps = TwoCamps::new();
    camps.play(300, 7, only_fast(1));
    let saved = camps.balancer.strategy::<Adaptive>("mix").unwrap().save();
    let experts = alloc::vec![
        opinion("second", &[0.0, 1.0], 1.0),
        opinion("new", &[1.0, 1.0], 1.0),
        opinion("first", &[1.0, 0.0], 1.0),
    ];
    let mut other = Adaptive::new(AdaptiveConfig::default(), experts).unwrap();
    other.restore(&saved).unwrap();
    let weights: Vec<f64> = other.weights(TaskType::new(7)).map(|(_, weight)| weight).collect();
    assert!(weights[0] > weights[1] && weights[1] > weights[2], "{weights:?}");
    let broken = AdaptiveState { shared: Vec::new(), ..saved };
    assert_eq!(other.restore(&broken), Err(AdaptiveStateError::Corrupt));
}

#[test]
fn experts_that_cannot_be_told_apart_or_weighed_are_refused() {
    let make = |experts| Adaptive::new(AdaptiveConfig::default(), experts).map(|_| ());
    assert_eq!(make(Vec::new()), Err(AdaptiveConfigError::NoExperts));
    let twice = alloc::vec![opinion("one", &[], 1.0), opinion("one", &[], 1.0)];
    assert_eq!(make(twice), Err(AdaptiveConfigError::DuplicateName("one")));
    let weightless = AdaptiveConfigError::Prior { name: "one", weight: 0.0 };
    assert_eq!(make(alloc::vec![opinion("one", &[], 0.0)]), Err(weightless));
}

#[test]
fn a_worker_that_comes_back_is_a_new_one() {
    let mut camps = TwoCamps::new();
    camps.play(50, 0, only_fast(1));
    let now = camps.now;
    camps.balancer.handle_left(now, WorkerId::new(1));
    camps.balancer.handle_joined(now, WorkerSpec::new(WorkerId::new(1)));
    camps.free_at = [now; 2];
    camps.running.clear();
    camps.play(400, 0, only_fast(1));
    assert!(camps.weights(0)[1] > 0.9, "{:?}", camps.weights(0));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The choice follows from the weights that are shown and the experts' scores, and from nothing else.
    #[test]
    fn the_weights_shown_are_the_ones_used(
        tables in prop::collection::vec(prop::collection::vec(0.0_f64..1.0, 4), 1..5),
        priors in prop::collection::vec(0.01_f64..1.0, 4),
        fast in 0_u64..4,
    ) {
        const NAMES: [&str; 4] = ["a", "b", "c", "d"];
        let experts = tables.iter().zip(NAMES).zip(&priors);
        let experts = experts.map(|((table, name), prior)| opinion(name, table, *prior)).collect();
        let mut balancer = balancer(AdaptiveConfig { tie_ratio: 0.0, ..AdaptiveConfig::default() }, experts, 4);
        for number in 0..60_u64 {
            let now = Instant::from_millis(number * 10);
            let shown = weights(&balancer, TaskType::new(0));
            prop_assert!((shown.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let mix = |worker: usize| -> f64 {
                tables.iter().zip(&shown).map(|(table, weight)| {
                    let (low, high) = table.iter().fold((1.0_f64, 0.0_f64), |(l, h), s| (l.min(*s), h.max(*s)));
                    if high > low { weight * (table[worker] - low) / (high - low) } else { 0.0 }
                }).sum()
            };
            let best = (0..4).map(mix).fold(0.0, f64::max);
            let chosen = balancer.assign(now, &Task::new(TaskId::new(number))).unwrap();
            prop_assert!(mix(chosen.index()) > best - 1e-9);
            let takes = if u64::from(chosen.get()) == fast { 2 } else { 9 };
            balancer.handle_finished(now + Duration::from_millis(takes), TaskId::new(number), true);
        }
    }
}
