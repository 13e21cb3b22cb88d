//! [`Debouncer`] and [`Throttle`] beside a literal transcription of lodash's `debounce`, on generated sequences of calls,
//! pauses, flushes, cancels and backward steps of the clock.

use proptest::prelude::*;
use quillwork_core::flow::{DebounceConfig, Debouncer, Edge, Throttle, ThrottleConfig};
use quillwork_core::time::{Duration, Instant};

/// Real time never goes back and is what timers run on; the wall clock is what the algorithms read. Milliseconds.
#[derive(Clone, Copy)]
struct Clocks {
    real: i64,
    wall: i64,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Call,
    Pass(i64),
    SetBack(i64),
    Flush,
    Cancel,
}

/// What a caller sees: which call's arguments were used, when.
type Invocations = Vec<(i64, u32)>;

/// lodash's own variables and functions.
struct Lodash {
    wait: i64,
    max_wait: Option<i64>,
    leading: bool,
    trailing: bool,
    last_args: Option<u32>,
    last_call_time: Option<i64>,
    last_invoke_time: i64,
    timer_id: Option<u32>,
    timers: Vec<(i64, u32)>,
    next_timer_id: u32,
    invocations: Invocations,
    /// Whether the function calls the debounced function: on every second invocation.
    calls_again: bool,
}

impl Lodash {
    fn new(config: Options) -> Self {
        Self {
            wait: config.wait,
            max_wait: config.max_wait.map(|max_wait| max_wait.max(config.wait)),
            leading: config.leading,
            trailing: config.trailing,
            last_args: None,
            last_call_time: None,
            last_invoke_time: 0,
            timer_id: None,
            timers: Vec::new(),
            next_timer_id: 0,
            invocations: Vec::new(),
            calls_again: config.calls_again,
        }
    }

    fn set_timeout(&mut self, clocks: Clocks, delay: i64) -> u32 {
        self.next_timer_id += 1;
        self.timers.push((clocks.real + delay.max(0), self.next_timer_id));
        self.next_timer_id
    }

    fn invoke_func(&mut self, clocks: Clocks) {
        let arguments = self.last_args.take().expect("invoked with arguments");
        self.last_invoke_time = clocks.wall;
        self.invocations.push((clocks.real, arguments));
        if self.calls_again && self.invocations.len() % 2 == 1 && arguments < AGAIN {
            self.call(clocks, arguments + AGAIN);
        }
    }

    fn remaining_wait(&self, time: i64) -> i64 {
        let time_waiting = self.wait - (time - self.last_call_time.expect("a timer runs after a call"));
        self.max_wait
            .map_or(time_waiting, |max_wait| time_waiting.min(max_wait - (time - self.last_invoke_time)))
    }

    fn should_invoke(&self, time: i64) -> bool {
        let Some(last_call_time) = self.last_call_time else { return true };
        let since_call = time - last_call_time;
        since_call >= self.wait
            || since_call < 0
            || self.max_wait.is_some_and(|max_wait| time - self.last_invoke_time >= max_wait)
    }

    fn timer_expired(&mut self, clocks: Clocks) {
        if self.should_invoke(clocks.wall) {
            self.trailing_edge(clocks);
        } else {
            self.timer_id = Some(self.set_timeout(clocks, self.remaining_wait(clocks.wall)));
        }
    }

    fn trailing_edge(&mut self, clocks: Clocks) {
        self.timer_id = None;
        if self.trailing && self.last_args.is_some() {
            return self.invoke_func(clocks);
        }
        self.last_args = None;
    }

    fn call(&mut self, clocks: Clocks, arguments: u32) {
        let is_invoking = self.should_invoke(clocks.wall);
        self.last_args = Some(arguments);
        self.last_call_time = Some(clocks.wall);
        if is_invoking {
            if self.timer_id.is_none() {
                self.last_invoke_time = clocks.wall;
                self.timer_id = Some(self.set_timeout(clocks, self.wait));
                if self.leading {
                    self.invoke_func(clocks);
                }
                return;
            }
            if self.max_wait.is_some() {
                self.clear_timeout();
                self.timer_id = Some(self.set_timeout(clocks, self.wait));
                self.invoke_func(clocks);
                return;
            }
        }
        if self.timer_id.is_none() {
            self.timer_id = Some(self.set_timeout(clocks, self.wait));
        }
    }

    fn clear_timeout(&mut self) {
        self.timers.retain(|&(_, id)| Some(id) != self.timer_id);
    }

    fn cancel(&mut self) {
        self.clear_timeout();
        self.last_invoke_time = 0;
        self.last_args = None;
        self.last_call_time = None;
        self.timer_id = None;
    }

    fn flush(&mut self, clocks: Clocks) {
        if self.timer_id.is_some() {
            self.trailing_edge(clocks);
        }
    }

    fn pass(&mut self, clocks: Clocks, millis: i64) {
        while let Some(&timer) = self.timers.iter().min().filter(|timer| timer.0 <= clocks.real + millis) {
            self.timers.retain(|other| *other != timer);
            let passed = timer.0 - clocks.real;
            self.timer_expired(Clocks { real: timer.0, wall: clocks.wall + passed });
        }
    }
}

/// What both of core's have in common.
trait Policy {
    fn call(&mut self, now: Instant) -> Option<Edge>;
    fn deadline(&mut self, now: Instant) -> Option<Edge>;
    fn flush(&mut self, now: Instant) -> Option<Edge>;
    fn cancel(&mut self);
    fn pending(&self) -> bool;
    fn next(&self) -> Option<Instant>;
}

macro_rules! policy {
    ($name:ty) => {
        impl Policy for $name {
            fn call(&mut self, now: Instant) -> Option<Edge> {
                self.handle_call(now)
            }
            fn deadline(&mut self, now: Instant) -> Option<Edge> {
                self.handle_deadline(now)
            }
            fn flush(&mut self, now: Instant) -> Option<Edge> {
                self.handle_flush(now)
            }
            fn cancel(&mut self) {
                self.handle_cancel();
            }
            fn pending(&self) -> bool {
                self.is_pending()
            }
            fn next(&self) -> Option<Instant> {
                self.next_deadline()
            }
        }
    };
}
policy!(Debouncer);
policy!(Throttle);

/// A shell around core's: keeps the arguments and one timer.
struct Shell<P> {
    policy: P,
    arguments: u32,
    timer: Option<(Instant, i64)>,
    invocations: Invocations,
    calls_again: bool,
}

impl<P: Policy> Shell<P> {
    fn new(policy: P, calls_again: bool) -> Self {
        Self { policy, arguments: 0, timer: None, invocations: Vec::new(), calls_again }
    }

    fn act(&mut self, clocks: Clocks, edge: Option<Edge>) {
        let mut edge = edge;
        while edge.take().is_some() {
            self.invocations.push((clocks.real, self.arguments));
            if self.calls_again && self.invocations.len() % 2 == 1 && self.arguments < AGAIN {
                self.arguments += AGAIN;
                edge = self.policy.call(instant(clocks.wall));
            }
        }
        let next = self.policy.next();
        if next != self.timer.map(|(deadline, _)| deadline) {
            self.timer = next.map(|deadline| (deadline, clocks.real + delay_millis(clocks, deadline)));
        }
    }

    fn pass(&mut self, clocks: Clocks, millis: i64) {
        while let Some((_, fires)) = self.timer.filter(|&(_, fires)| fires <= clocks.real + millis) {
            let then = Clocks { real: fires, wall: clocks.wall + fires - clocks.real };
            self.timer = None;
            let edge = self.policy.deadline(instant(then.wall));
            self.act(then, edge);
        }
    }
}

fn instant(wall: i64) -> Instant {
    Instant::from_millis(u64::try_from(wall).expect("sequences start late enough to be set back"))
}

fn delay_millis(clocks: Clocks, deadline: Instant) -> i64 {
    i64::try_from((deadline - instant(clocks.wall)).as_millis()).expect("waits are short")
}

#[derive(Clone, Copy, Debug)]
struct Options {
    wait: i64,
    max_wait: Option<i64>,
    leading: bool,
    trailing: bool,
    calls_again: bool,
}

/// Added to the arguments of a call that the function makes.
const AGAIN: u32 = 1_000_000;

fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).expect("options are not negative"))
}

fn compare(options: Options, policy: impl Policy, steps: &[Step]) -> Result<(), TestCaseError> {
    let mut clocks = Clocks { real: 0, wall: 10_000_000 };
    let mut lodash = Lodash::new(options);
    let mut shell = Shell::new(policy, options.calls_again);
    for (number, &step) in (0..).zip(steps) {
        match step {
            Step::Call => {
                lodash.call(clocks, number);
                shell.arguments = number;
                let edge = shell.policy.call(instant(clocks.wall));
                shell.act(clocks, edge);
            }
            Step::Flush => {
                lodash.flush(clocks);
                let edge = shell.policy.flush(instant(clocks.wall));
                shell.act(clocks, edge);
            }
            Step::Cancel => {
                lodash.cancel();
                shell.policy.cancel();
                shell.act(clocks, None);
            }
            Step::SetBack(millis) => clocks.wall -= millis,
            Step::Pass(millis) => {
                lodash.pass(clocks, millis);
                shell.pass(clocks, millis);
                clocks.real += millis;
                clocks.wall += millis;
            }
        }
        prop_assert_eq!(&shell.invocations, &lodash.invocations, "after step {} ({:?})", number, step);
        prop_assert_eq!(shell.policy.pending(), lodash.timer_id.is_some(), "pending after step {}", number);
    }
    Ok(())
}

fn options() -> impl Strategy<Value = Options> {
    (0_i64..60, proptest::option::of(0_i64..150), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(wait, max_wait, leading, trailing, calls_again)| Options {
            wait,
            max_wait,
            leading,
            trailing,
            calls_again,
        },
    )
}

fn debouncer(options: Options) -> Debouncer {
    Debouncer::new(DebounceConfig {
        wait: duration(options.wait),
        leading: options.leading,
        trailing: options.trailing,
        max_wait: options.max_wait.map(duration),
    })
}

fn calls_and_pauses() -> impl Strategy<Value = Step> {
    prop_oneof![6 => Just(Step::Call), 6 => (0_i64..40).prop_map(Step::Pass), 1 => (40_i64..300).prop_map(Step::Pass)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases * 2) })]

    #[test]
    fn debouncing_is_lodashs_with_flushes_and_cancels(
        options in options(),
        steps in prop::collection::vec(
            prop_oneof![12 => calls_and_pauses(), 2 => Just(Step::Flush), 1 => Just(Step::Cancel)],
            1..120,
        ),
    ) {
        compare(options, debouncer(options), &steps)?;
    }

    #[test]
    fn debouncing_is_lodashs_when_the_clock_is_set_back(
        options in options(),
        steps in prop::collection::vec(
            prop_oneof![12 => calls_and_pauses(), 1 => (1_i64..500).prop_map(Step::SetBack), 1 => Just(Step::Cancel)],
            1..120,
        ),
    ) {
        compare(options, debouncer(options), &steps)?;
    }

    #[test]
    fn throttling_is_debouncing_with_the_wait_as_longest_wait(
        options in options(),
        steps in prop::collection::vec(
            prop_oneof![12 => calls_and_pauses(), 2 => Just(Step::Flush), 1 => Just(Step::Cancel)],
            1..120,
        ),
    ) {
        let Options { wait, leading, trailing, .. } = options;
        let throttle = Throttle::new(ThrottleConfig { wait: duration(wait), leading, trailing });
        compare(Options { max_wait: Some(wait), ..options }, throttle, &steps)?;
    }
}
