//! Against a model that keeps a list of every result and works everything out anew from it.

use alloc::vec::Vec;
use proptest::prelude::*;

use super::*;
use crate::flow::Fallback;

/// What a permit is in the model: the number of the period in which it was taken.
type ModelPermit = u32;

#[derive(Clone)]
struct Model {
    config: BreakerConfig,
    now: Instant,
    period: u32,
    phase: Phase,
    /// Every result of this period: when, failed, slow.
    results: Vec<(Instant, bool, bool)>,
    failed_rounds: u32,
}

#[derive(Clone, Debug)]
enum Phase {
    Passing(BreakerMode),
    Open(Instant),
    /// When the oldest of an unbroken time with trials out was taken, and how many are out.
    HalfOpen {
        since: Option<Instant>,
        out: u32,
    },
    ForcedOpen,
}

impl Model {
    fn new(config: BreakerConfig) -> Self {
        let phase = Phase::Passing(BreakerMode::Automatic);
        Self { config, now: Instant::ZERO, period: 0, phase, results: Vec::new(), failed_rounds: 0 }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        self.period += 1;
        self.results.clear();
    }

    fn time(&mut self, now: Instant) {
        self.now = self.now.max(now);
        if let Phase::HalfOpen { since: Some(since), .. } = self.phase {
            let overdue = since + self.config.trial_deadline.unwrap_or(Duration::MAX);
            if overdue <= self.now && overdue != Instant::NEVER {
                self.fail_round(overdue);
            }
        }
        if let Phase::Open(until) = self.phase
            && until <= self.now
        {
            self.enter(Phase::HalfOpen { since: None, out: 0 });
        }
    }

    fn fail_round(&mut self, at: Instant) {
        self.failed_rounds += 1;
        self.enter(Phase::Open(at + self.config.open_time.after(self.failed_rounds)));
    }

    fn acquire(&mut self, now: Instant) -> Result<ModelPermit, Refusal> {
        self.time(now);
        match &mut self.phase {
            Phase::Passing(_) => Ok(self.period),
            Phase::Open(until) => Err(Refusal::Open { until: *until }),
            Phase::ForcedOpen => Err(Refusal::ForcedOpen),
            Phase::HalfOpen { since, out } => {
                if *out as usize + self.results.len() >= self.config.trials as usize {
                    return Err(Refusal::TrialsOut);
                }
                since.get_or_insert(self.now);
                *out += 1;
                Ok(self.period)
            }
        }
    }

    /// `None`: ignored or cancelled.
    fn give_back(&mut self, now: Instant, permit: ModelPermit, result: Option<(bool, bool)>) {
        self.time(now);
        if permit != self.period {
            return;
        }
        if let Phase::HalfOpen { since, out } = &mut self.phase {
            *out -= 1;
            if *out == 0 {
                *since = None;
            }
        }
        let Some((failed, slow)) = result else { return };
        if !matches!(self.phase, Phase::Passing(BreakerMode::Disabled)) {
            self.results.push((self.now, failed, slow));
        }
        match self.phase {
            Phase::Passing(BreakerMode::Automatic) if self.trips() => {
                self.enter(Phase::Open(self.now + self.config.open_time.after(0)));
            }
            Phase::HalfOpen { .. } if self.results.len() == self.config.trials as usize => {
                let (calls, failed, slow) = count(&self.results);
                if self.is_bad(calls, failed, slow) {
                    self.fail_round(self.now);
                } else {
                    self.failed_rounds = 0;
                    self.enter(Phase::Passing(BreakerMode::Automatic));
                }
            }
            _ => {}
        }
    }

    fn trips(&self) -> bool {
        let in_a_row = self.results.iter().rev().take_while(|&&(_, failed, _)| failed).count();
        if self.config.consecutive_failures.is_some_and(|limit| in_a_row >= limit as usize) {
            return true;
        }
        let (calls, failed, slow) = count(self.window());
        calls >= self.config.min_calls as usize && self.is_bad(calls, failed, slow)
    }

    fn window(&self) -> &[(Instant, bool, bool)] {
        let first = match self.config.window {
            None => self.results.len(),
            Some(Window::Calls(calls)) => self.results.len().saturating_sub(calls as usize),
            Some(Window::Time { bucket, buckets }) => {
                let step = |at: Instant| at.as_nanos() / bucket.as_nanos();
                let oldest = (step(self.now) + 1).saturating_sub(u64::from(buckets));
                self.results.partition_point(|&(at, ..)| step(at) < oldest)
            }
        };
        &self.results[first..]
    }

    /// In whole numbers: the ratios of these tests are tenths.
    fn is_bad(&self, calls: usize, failed: usize, slow: usize) -> bool {
        let reached = |part: usize, ratio: f64| {
            (0..=10_u32)
                .filter(|&tenths| f64::from(tenths) / 10.0 >= ratio)
                .min()
                .is_some_and(|tenths| part > 0 && part * 10 >= calls * tenths as usize)
        };
        reached(failed, self.config.failure_ratio) || reached(slow, self.config.slow_ratio)
    }

    fn state(&self) -> BreakerState {
        match self.phase {
            Phase::Passing(mode) => mode.state(),
            Phase::Open(until) => BreakerState::Open { until },
            Phase::HalfOpen { .. } => BreakerState::HalfOpen,
            Phase::ForcedOpen => BreakerState::ForcedOpen,
        }
    }
}

fn count(results: &[(Instant, bool, bool)]) -> (usize, usize, usize) {
    let failed = results.iter().filter(|&&(_, failed, _)| failed).count();
    (results.len(), failed, results.iter().filter(|&&(.., slow)| slow).count())
}

#[derive(Clone, Debug)]
enum Step {
    Acquire,
    /// The permit of this many that are out.
    Record(usize, Outcome, bool),
    Release(usize),
    Wait(u64),
    ClockBack(u64),
    Timer,
    SetMode(BreakerMode),
    HoldOpen(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Failure),
        4 => Just(Outcome::Success),
        1 => Just(Outcome::Ignored),
    ];
    let mode = prop_oneof![
        4 => Just(BreakerMode::Automatic),
        1 => Just(BreakerMode::ForcedOpen),
        1 => Just(BreakerMode::ForcedClosed),
        1 => Just(BreakerMode::Disabled),
        1 => Just(BreakerMode::MetricsOnly),
    ];
    let step = prop_oneof![
        20 => Just(Step::Acquire),
        20 => (0_usize..8, outcome, any::<bool>()).prop_map(|(which, outcome, slow)| Step::Record(which, outcome, slow)),
        4 => (0_usize..8).prop_map(Step::Release),
        10 => prop_oneof![0_u64..60, 500_u64..9_000].prop_map(Step::Wait),
        2 => (0_u64..5_000).prop_map(Step::ClockBack),
        3 => Just(Step::Timer),
        1 => mode.prop_map(Step::SetMode),
        1 => (0_u64..8_000).prop_map(Step::HoldOpen),
    ];
    prop::collection::vec(step, 1..200)
}

fn configs() -> impl Strategy<Value = BreakerConfig> {
    let window = prop_oneof![
        Just(None),
        (3_u32..8).prop_map(|calls| Some(Window::Calls(calls))),
        (1_u32..5).prop_map(|buckets| Some(Window::Time { bucket: Duration::from_millis(40), buckets })),
    ];
    let tenths = || (1_u32..=10).prop_map(|tenths| f64::from(tenths) / 10.0);
    let deadline = prop::option::of((1_u64..5_000).prop_map(Duration::from_millis));
    (window, prop::option::of(1_u32..5), 0_u32..4, tenths(), tenths(), 1_u32..5, deadline).prop_map(
        |(window, consecutive, min_calls, failure_ratio, slow_ratio, trials, trial_deadline)| BreakerConfig {
            consecutive_failures: if window.is_none() { consecutive.or(Some(2)) } else { consecutive },
            window,
            min_calls: min_calls.min(3),
            failure_ratio,
            slow_ratio,
            slow_call: Some(Duration::from_millis(100)),
            trials,
            trial_deadline,
            open_time: OpenTime { base: Duration::from_secs(1), factor: 2, cap: Duration::from_secs(5) },
            fallback: Fallback::Fail,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 3 / 2) })]

    #[test]
    fn it_decides_as_the_list_of_all_results_does(config in configs(), steps in steps()) {
        let mut breaker = Breaker::new(config).expect("the settings are sound");
        let mut model = Model::new(config);
        let mut out: Vec<(Permit, ModelPermit)> = Vec::new();
        let mut now = Instant::from_secs(100);
        model.time(now);
        breaker.handle_deadline(now);

        for step in steps {
            match step {
                Step::Acquire => match (breaker.try_acquire(now), model.acquire(now)) {
                    (Ok(permit), Ok(expected)) => out.push((permit, expected)),
                    (got, expected) => {
                        prop_assert_eq!(got.map(|_| 0).map_err(|rejected| rejected.refusal), expected);
                    }
                },
                Step::Record(which, outcome, slow) if !out.is_empty() => {
                    let (permit, expected) = out.swap_remove(which % out.len());
                    breaker.record(now, permit, outcome, Duration::from_millis(if slow { 101 } else { 100 }));
                    let result = (outcome != Outcome::Ignored).then_some((outcome == Outcome::Failure, slow));
                    model.give_back(now, expected, result);
                }
                Step::Release(which) if !out.is_empty() => {
                    let (permit, expected) = out.swap_remove(which % out.len());
                    breaker.release(now, permit);
                    model.give_back(now, expected, None);
                }
                Step::Record(..) | Step::Release(_) => {}
                Step::Wait(millis) => now += Duration::from_millis(millis),
                Step::ClockBack(millis) => now = now - Duration::from_millis(millis),
                // The model has no timers: all that they may change is the time that was seen.
                Step::Timer => {
                    breaker.handle_deadline(now);
                    model.now = model.now.max(now);
                }
                Step::SetMode(mode) => {
                    breaker.set_mode(now, mode);
                    model.time(now);
                    let current = match model.phase {
                        Phase::Passing(mode) => mode,
                        Phase::Open(_) | Phase::HalfOpen { .. } => BreakerMode::Automatic,
                        Phase::ForcedOpen => BreakerMode::ForcedOpen,
                    };
                    if mode != current {
                        model.failed_rounds = 0;
                        model.enter(match mode {
                            BreakerMode::ForcedOpen => Phase::ForcedOpen,
                            mode => Phase::Passing(mode),
                        });
                    }
                }
                Step::HoldOpen(millis) => {
                    let until = now + Duration::from_millis(millis);
                    breaker.hold_open(now, until);
                    model.time(now);
                    let opens = match model.phase {
                        Phase::Passing(BreakerMode::Automatic) | Phase::HalfOpen { .. } => until > model.now,
                        Phase::Open(before) => until > before,
                        Phase::Passing(_) | Phase::ForcedOpen => false,
                    };
                    if opens {
                        model.enter(Phase::Open(until));
                    }
                }
            }
            // A query is no input: it must not move time on.
            let mut model = model.clone();
            model.time(now);
            prop_assert_eq!(breaker.state(now), model.state());
            let metrics = breaker.metrics(now);
            prop_assert_eq!(metrics.failed_rounds, model.failed_rounds);
            if let Phase::Passing(_) = model.phase {
                let (calls, failed, slow) = count(model.window());
                let expected = Counts { calls: calls as u64, failed: failed as u64, slow: slow as u64 };
                prop_assert_eq!(metrics.window, expected);
            }
            while breaker.poll_output().is_some() {}
        }
    }

    /// A process that is restarted at any moment decides on as if it had not been, where nothing was out.
    #[test]
    fn a_restored_breaker_goes_on_as_the_first(config in configs(), steps in steps(), seconds in 0_u64..1_000) {
        let mut first = Breaker::new(config).expect("the settings are sound");
        let mut now = Instant::from_secs(100);
        let mut restored: Option<(Breaker, Instant)> = None;
        let half = steps.len() / 2;
        for (number, step) in steps.into_iter().enumerate() {
            if number >= half && restored.is_none() {
                // Buckets are aligned to the clock: the other process's is ahead by whole ones.
                let ahead = now + Duration::from_millis(40 * seconds);
                let snapshot = first.snapshot(now);
                // Trials that ended in an unfinished round are the one thing that is not taken along.
                if !matches!(first.state(now), BreakerState::HalfOpen) {
                    restored = Some((Breaker::restore(config, &snapshot, ahead).expect("same settings"), ahead));
                }
            }
            match step {
                Step::Wait(millis) => {
                    now += Duration::from_millis(millis);
                    if let Some((_, other)) = &mut restored { *other += Duration::from_millis(millis) }
                }
                Step::Record(_, outcome, slow) => {
                    let took = Duration::from_millis(if slow { 101 } else { 100 });
                    let one = |breaker: &mut Breaker, now| {
                        breaker.try_acquire(now).map(|permit| breaker.record(now, permit, outcome, took)).is_ok()
                    };
                    let let_through = one(&mut first, now);
                    if let Some((breaker, other)) = &mut restored {
                        prop_assert_eq!(one(breaker, *other), let_through);
                    }
                }
                _ => {}
            }
        }
    }
}
