//! The drive loop: core's six steps on a virtual clock.

use quillwork_core::digest::Digest;
use quillwork_core::pool::recording::Recorder;
use quillwork_core::pool::{Input, Scheduler};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::ledger::Ledger;
use crate::recording::Decisions;
use crate::world::World;
use crate::{Broken, Recording, Report, Scenario};

/// Plays a scenario to its end in the world that follows from the seed.
///
/// # Panics
///
/// Where the scenario's pool settings can't be used.
#[must_use]
pub fn run(seed: u64, scenario: &Scenario) -> Report {
    let mut rng = Rng::from_seed(seed);
    let mut scheduler = Scheduler::new(scenario.pool, START).expect("a scenario's pool settings are sound");
    let mut world = World::new(scenario, &mut rng, START);
    let mut ledger = Ledger::new(scenario.pool, START);
    let mut decisions = Decisions::default();
    let mut recorder = Recorder::new(&scenario.pool, START, seed);
    let mut clock = Clock { scenario, rng: rng.fork(), now: START, handed_in: START, alarm: None };

    loop {
        decisions.drain(&mut scheduler, |output| {
            ledger.on_output(output);
            world.act(clock.now, output);
        });
        ledger.after_step(&scheduler);
        if scheduler.is_closed() {
            break;
        }
        if ledger.steps() >= scenario.max_steps {
            ledger.broken(Broken::TooManySteps);
            break;
        }
        let Some(input) = clock.wait(&scheduler, &mut world) else {
            ledger.broken(Broken::TooManySteps);
            break;
        };
        let now = clock.read();
        recorder.record(now, &input);
        ledger.on_input(clock.handed_in, &input);
        scheduler.handle_input(now, input).expect("the world counts its tasks up");
    }

    Report {
        digest: decisions.digest(),
        steps: ledger.steps(),
        ended_after: clock.now - START,
        counters: scheduler.stats(clock.now).counters,
        longest_wait: ledger.longest_wait(),
        violations: ledger.into_violations(),
        recording: Recording { log: recorder.finish() },
    }
}

/// One number for the decisions of two hundred random runs, for their recordings, and for what these are replayed to. Builds
/// that give the same one decide the same, bit for bit, write the same logs and read them the same.
///
/// # Panics
///
/// Where a recording that was just written can't be replayed.
#[must_use]
pub fn fingerprint() -> u64 {
    let mut digest = Digest::new();
    for seed in 0..200 {
        let report = run(seed, &Scenario::from_seed(seed));
        digest.write_u64(report.digest);
        report.recording.log.iter().for_each(|&byte| digest.write_u8(byte));
        digest.write_u64(report.recording.replay().expect("a recording that was just finished is whole"));
    }
    digest.value()
}

struct Clock<'a> {
    scenario: &'a Scenario,
    rng: Rng,
    now: Instant,
    /// The latest time that was handed in, which is the scheduler's notion of now.
    handed_in: Instant,
    /// The deadline that the timer is set for, and when it will fire.
    alarm: Option<(Instant, Instant)>,
}

impl Clock<'_> {
    /// Waits for the next input or the timer, whichever is first. `None` where nothing will ever happen again.
    fn wait(&mut self, scheduler: &Scheduler, world: &mut World) -> Option<Input> {
        loop {
            self.set_alarm(scheduler.next_deadline());
            let fires = self.alarm.map(|(_, fires)| fires);
            match (world.next_event(), fires) {
                (Some(event), fires) if fires.is_none_or(|fires| event <= fires) => {
                    self.now = event;
                    if let Some(input) = world.step() {
                        return Some(input);
                    }
                }
                (_, Some(fires)) => {
                    self.now = fires;
                    self.alarm = None;
                    return Some(Input::Deadline);
                }
                (_, None) => return None,
            }
        }
    }

    fn set_alarm(&mut self, deadline: Option<Instant>) {
        if self.alarm.map(|(set_for, _)| set_for) == deadline {
            return;
        }
        self.alarm = deadline.map(|deadline| {
            let lag = self.rng.exponential(self.scenario.mean_timer_lag.as_millis_f64());
            (deadline, deadline.max(self.now) + Duration::from_millis_f64(lag))
        });
    }

    /// What a shell would read, a little behind at times.
    fn read(&mut self) -> Instant {
        let set_back = self.rng.chance(self.scenario.faults.clock_set_back);
        let behind = if set_back { self.rng.below(50) } else { 0 };
        let read = self.now - Duration::from_millis(behind);
        self.handed_in = self.handed_in.max(read);
        read
    }
}

/// Late enough that a clock can be set back.
const START: Instant = Instant::from_secs(1_000);
