//! When a burst of calls has ended.

use alloc::vec::Vec;

use crate::time::{Duration, Instant};

/// How to debounce. The defaults are lodash's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DebounceConfig {
    /// How long no call must come for the burst to have ended. Default zero, which still defers to the next deadline.
    pub wait: Duration,
    /// Whether the first call of a burst invokes at once. Default no.
    pub leading: bool,
    /// Whether the end of a burst invokes; with `leading`, only if the burst had more than one call. Default yes.
    pub trailing: bool,
    /// The longest time between invocations while calls keep coming, at least `wait`. Default none.
    pub max_wait: Option<Duration>,
}

impl Default for DebounceConfig {
    fn default() -> Self {
        Self { wait: Duration::ZERO, leading: false, trailing: true, max_wait: None }
    }
}

/// Why the function is to be invoked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// The first call of a burst.
    Leading,
    /// The burst has ended, or was flushed.
    Trailing,
    /// The burst goes on, but the longest wait is over.
    MaxWait,
}

/// A debouncer with the rules of lodash's `debounce`.
///
/// Each method answers whether to invoke the function now, with the arguments of the *last* call, which the shell keeps and
/// drops after the invocation. In detail:
///
/// * A call begins a burst if it is the first ever (or since a cancel), or comes `wait` or more after the last, or the
///   clock went back since the last.
/// * There is one timer. It is not moved by each call: it looks, when it fires, whether it is time, and is set again for
///   the rest if not.
/// * Flushing invokes what is pending at once; with nothing pending it does nothing. Cancelling forgets the burst.
/// * `max_wait` bounds the time between invocations of one burst. A call that comes right after an invocation, but within
///   `wait` of the call before, begins no burst and waits for `wait` from its own time, even past `max_wait`.
///
/// * A flush does not stop the timer, it only forgets it. When a forgotten timer fires it ends the burst that goes on then,
///   or takes the place of its timer. So after a flush [`Debouncer::is_pending`] can become true again without a call.
///
/// `now` may go backwards from call to call, as a page's wall clock does; it is not clamped here because lodash's rules
/// say what happens then. One case is beyond them: a timer that a flush forgot *before* the clock was set back. It is
/// known here by the clock's time alone, so a shell may fire it later than lodash's would.
///
/// The function may call the debounced function again: hand that call in after the edge was answered.
#[derive(Clone, Debug)]
pub struct Debouncer {
    wait: Duration,
    leading: bool,
    trailing: bool,
    max_wait: Option<Duration>,
    last_call: Option<Instant>,
    last_invoke: Instant,
    /// Whether there was a call since the last invocation: lodash's `lastArgs`.
    owes: bool,
    /// lodash's `timerId`.
    timer: Option<Instant>,
    /// Timers that run on although a flush forgot them, by time.
    forgotten: Vec<Timers>,
}

/// Timers that fire at the same time.
#[derive(Clone, Copy, Debug)]
struct Timers {
    at: Instant,
    count: u32,
}

impl Debouncer {
    /// A debouncer that has seen no call.
    #[must_use]
    pub fn new(config: DebounceConfig) -> Self {
        Self {
            wait: config.wait,
            leading: config.leading,
            trailing: config.trailing,
            max_wait: config.max_wait.map(|max_wait| max_wait.max(config.wait)),
            last_call: None,
            last_invoke: Instant::ZERO,
            owes: false,
            timer: None,
            forgotten: Vec::new(),
        }
    }

    /// The debounced function was called.
    pub fn handle_call(&mut self, now: Instant) -> Option<Edge> {
        let is_time = self.is_time(now);
        self.last_call = Some(now);
        self.owes = true;
        match self.timer {
            None if is_time => {
                self.last_invoke = now;
                self.timer = Some(now + self.wait);
                if self.leading { self.invoke(now, Edge::Leading) } else { None }
            }
            Some(_) if is_time && self.max_wait.is_some() => {
                self.timer = Some(now + self.wait);
                self.invoke(now, Edge::MaxWait)
            }
            Some(_) => None,
            None => {
                self.timer = Some(now + self.wait);
                None
            }
        }
    }

    /// The timer fired. Nothing is assumed of how late it is, or that it isn't early.
    pub fn handle_deadline(&mut self, now: Instant) -> Option<Edge> {
        // Early is a clock that was set back: the timer has fired all the same.
        let until = self.next_deadline()?.max(now);
        let mut fired = self.take_forgotten(until);
        let running = self.timer.take();
        match running {
            Some(at) if at > until => self.forget(at, 1),
            Some(_) => fired = fired.saturating_add(1),
            None => {}
        }
        if self.is_time(now) {
            let edge = self.trailing_edge(now);
            if edge.is_some() {
                // The function may call again before the other timers fire, so they do at the next deadline: at once.
                self.forget(now, fired - 1);
            }
            return edge;
        }
        let due = self.due(now);
        self.timer = Some(due);
        self.forget(due, fired - 1);
        None
    }

    /// Ends the burst now.
    pub fn handle_flush(&mut self, now: Instant) -> Option<Edge> {
        let running = self.timer?;
        self.forget(running, 1);
        self.trailing_edge(now)
    }

    /// Forgets the burst: the next call is as the first.
    pub fn handle_cancel(&mut self) {
        self.last_call = None;
        self.owes = false;
        self.timer = None;
    }

    /// Whether a burst goes on. Its end need not invoke.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.timer.is_some()
    }

    /// When to call [`Debouncer::handle_deadline`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let forgotten = self.forgotten.first().map(|timers| timers.at);
        self.timer.into_iter().chain(forgotten).min().filter(|&deadline| deadline != Instant::NEVER)
    }

    fn is_time(&self, now: Instant) -> bool {
        let Some(last_call) = self.last_call else { return true };
        let Some(since_call) = now.checked_duration_since(last_call) else { return true };
        let waited_longest = self.max_wait.is_some_and(|max_wait| {
            now.checked_duration_since(self.last_invoke).is_some_and(|since_invoke| since_invoke >= max_wait)
        });
        since_call >= self.wait || waited_longest
    }

    fn due(&self, now: Instant) -> Instant {
        let call_ends = self.last_call.unwrap_or(now) + self.wait;
        self.max_wait.map_or(call_ends, |max_wait| call_ends.min(self.last_invoke + max_wait))
    }

    fn trailing_edge(&mut self, now: Instant) -> Option<Edge> {
        self.timer = None;
        if self.trailing && self.owes {
            return self.invoke(now, Edge::Trailing);
        }
        self.owes = false;
        None
    }

    /// Lets timers run on that are no longer this one's.
    fn forget(&mut self, at: Instant, count: u32) {
        if count == 0 {
            return;
        }
        match self.forgotten.binary_search_by_key(&at, |timers| timers.at) {
            Ok(index) => self.forgotten[index].count = self.forgotten[index].count.saturating_add(count),
            Err(index) => self.forgotten.insert(index, Timers { at, count }),
        }
    }

    /// Takes the forgotten timers up to then, and counts them.
    fn take_forgotten(&mut self, until: Instant) -> u32 {
        let due = self.forgotten.partition_point(|timers| timers.at <= until);
        self.forgotten.drain(..due).fold(0, |sum, timers| timers.count.saturating_add(sum))
    }

    fn invoke(&mut self, now: Instant, edge: Edge) -> Option<Edge> {
        self.owes = false;
        self.last_invoke = now;
        Some(edge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn debouncer(change: impl FnOnce(&mut DebounceConfig)) -> Debouncer {
        let mut config = DebounceConfig { wait: Duration::from_millis(100), ..DebounceConfig::default() };
        change(&mut config);
        Debouncer::new(config)
    }

    #[test]
    fn a_single_call_with_both_edges_invokes_once() {
        let mut debouncer = debouncer(|config| config.leading = true);
        assert_eq!(debouncer.handle_call(at(0)), Some(Edge::Leading));
        assert_eq!(debouncer.handle_deadline(at(100)), None);
        assert!(!debouncer.is_pending());
    }

    #[test]
    fn a_second_call_earns_the_trailing_edge() {
        let mut debouncer = debouncer(|config| config.leading = true);
        assert_eq!(debouncer.handle_call(at(0)), Some(Edge::Leading));
        assert_eq!(debouncer.handle_call(at(10)), None);
        assert_eq!(debouncer.handle_deadline(at(100)), None);
        assert_eq!(debouncer.handle_deadline(at(110)), Some(Edge::Trailing));
    }

    #[test]
    fn calls_without_end_invoke_at_the_longest_wait() {
        let mut debouncer = debouncer(|config| config.max_wait = Some(Duration::from_millis(250)));
        let invoked: alloc::vec::Vec<u64> = (0..=100)
            .map(|step| step * 10)
            .filter(|&millis| debouncer.handle_call(at(millis)).is_some())
            .collect();
        assert_eq!(invoked, [250, 500, 750, 1_000]);
    }

    #[test]
    fn a_longest_wait_below_the_wait_is_raised_to_it() {
        let mut debouncer = debouncer(|config| config.max_wait = Some(Duration::from_millis(1)));
        assert_eq!(debouncer.handle_call(at(0)), None);
        assert_eq!(debouncer.handle_call(at(50)), None);
        assert_eq!(debouncer.handle_call(at(100)), Some(Edge::MaxWait));
    }

    #[test]
    fn a_clock_set_back_counts_as_the_end_of_the_wait() {
        let mut debouncer = debouncer(|config| config.leading = true);
        assert_eq!(debouncer.handle_call(at(5_000)), Some(Edge::Leading));
        assert_eq!(debouncer.handle_deadline(at(5_100)), None);
        assert_eq!(debouncer.handle_call(at(20)), Some(Edge::Leading));
    }

    #[test]
    fn flushing_nothing_does_nothing_and_flushing_a_burst_ends_it() {
        let mut debouncer = debouncer(|_| {});
        assert_eq!(debouncer.handle_flush(at(0)), None);
        assert_eq!(debouncer.handle_call(at(1)), None);
        assert_eq!(debouncer.handle_flush(at(2)), Some(Edge::Trailing));
        assert_eq!(debouncer.handle_flush(at(3)), None);
        assert!(!debouncer.is_pending());
    }

    #[test]
    fn a_flush_lets_the_timer_run_on() {
        let mut debouncer = debouncer(|_| {});
        assert_eq!(debouncer.handle_call(at(0)), None);
        assert_eq!(debouncer.handle_call(at(40)), None);
        assert_eq!(debouncer.handle_flush(at(50)), Some(Edge::Trailing));
        assert_eq!(debouncer.handle_deadline(at(100)), None);
        assert!(debouncer.is_pending(), "as lodash's");
        assert_eq!(debouncer.next_deadline(), Some(at(140)));
        assert_eq!(debouncer.handle_deadline(at(140)), None);
        assert_eq!(debouncer.next_deadline(), None);
    }

    #[test]
    fn what_the_function_calls_itself_comes_before_the_other_timers() {
        let mut debouncer = debouncer(|config| config.max_wait = Some(Duration::from_millis(100)));
        assert_eq!(debouncer.handle_call(at(0)), None);
        assert_eq!(debouncer.handle_flush(at(0)), Some(Edge::Trailing));
        assert_eq!(debouncer.handle_call(at(0)), None);
        // Two timers fire at 100: the forgotten one, and this burst's. The function calls again.
        assert_eq!(debouncer.handle_deadline(at(100)), Some(Edge::Trailing));
        assert_eq!(debouncer.handle_call(at(100)), None);
        // The other timer fires after that call, as its own would, and finds it too early.
        assert_eq!(debouncer.next_deadline(), Some(at(100)));
        assert_eq!(debouncer.handle_deadline(at(100)), None);
        assert_eq!(debouncer.next_deadline(), Some(at(200)));
        assert_eq!(debouncer.handle_deadline(at(200)), Some(Edge::Trailing));
        assert_eq!(debouncer.handle_deadline(at(200)), None);
        assert_eq!(debouncer.next_deadline(), None);
    }

    #[test]
    fn flushes_without_end_leave_no_timers_without_end() {
        let mut debouncer = debouncer(|_| {});
        for millis in 0..10_000 {
            debouncer.handle_call(at(millis));
            debouncer.handle_flush(at(millis));
            debouncer.handle_deadline(at(millis));
        }
        assert!(debouncer.forgotten.len() <= 101, "{}", debouncer.forgotten.len());
    }

    #[test]
    fn cancelling_makes_the_next_call_the_first() {
        let mut debouncer = debouncer(|config| config.leading = true);
        assert_eq!(debouncer.handle_call(at(0)), Some(Edge::Leading));
        assert_eq!(debouncer.handle_call(at(1)), None);
        debouncer.handle_cancel();
        assert_eq!(debouncer.handle_deadline(at(100)), None);
        assert_eq!(debouncer.handle_call(at(101)), Some(Edge::Leading));
    }
}
