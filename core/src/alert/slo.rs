//! Objectives and how fast their budgets burn.
//!
//! An objective such as 99.9 % leaves a budget: 0.1 % of all events in a period may be bad. The **burn rate** is how many times
//! faster than evenly the budget is spent. An alert fires where it is too high over a long window, so that it matters,
//! and over a short one, so that it is still going on (multi-window, multi-burn-rate alerts: Beyer et al., *The Site
//! Reliability Workbook*, chapter 5). Four pairs are watched, scaled to the period:
//!
//! | level | budget spent | within | and still in the last | burn rate over 30 days |
//! |---|---|---|---|---|
//! | critical | 2 % | 1 h | 5 min | 14.4 |
//! | critical | 5 % | 6 h | 30 min | 6 |
//! | warning | 10 % | 1 d | 2 h | 3 |
//! | warning | 10 % | 3 d | 6 h | 1 |
//!
//! A weak objective can't burn that fast: all events of one of 90 % being bad is a rate of 10. There the rate is lowered to
//! four fifths of the highest possible.

use alloc::string::String;
use alloc::vec::Vec;

use super::instance::Severity;
use super::labels::Selector;
use super::ladder::Ladder;
use super::meter::Reading;
use super::rule::{Direction, RuleProblem};
use crate::time::{Duration, Instant};

/// A service level objective.
#[derive(Clone, Debug, PartialEq)]
pub struct Slo {
    /// The share of events that must be good, below 1: 0.999.
    pub objective: f64,
    /// Over which time; 30 days as a rule, at least one hour.
    pub period: Duration,
    /// What is an event, and which are bad.
    pub indicator: Indicator,
    /// Windows with fewer events say nothing.
    pub min_events: u64,
    /// Labels by which series are put together; with none there is one budget for all.
    pub by: Vec<String>,
}

/// What is an event, and which are bad.
#[derive(Clone, Debug, PartialEq)]
pub enum Indicator {
    /// Series that count events per sample.
    Events {
        /// Counts of bad events.
        bad: Selector,
        /// Counts of all events.
        total: Selector,
    },
    /// Each sample is an event, and bad beyond a bound. Where nobody samples (a closed page, a machine asleep) there is no
    /// event: not observed is not down.
    Samples {
        /// The series.
        of: Selector,
        /// The bound.
        bound: f64,
        /// Which side of it is bad.
        direction: Direction,
    },
}

/// Where a budget stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Good events of all in the period; `None` where there were none.
    pub attained: Option<f64>,
    /// Share of the budget that is left: 1 at first, below 0 where the objective is missed; `None` without events.
    pub left: Option<f64>,
    /// Events of the period.
    pub events: u64,
    /// Bad ones.
    pub bad_events: u64,
    /// In how many minutes of the period somebody looked. The rest is not observed, neither up nor down.
    pub observed: Duration,
    /// Burn rate over the last hour; `None` where there were too few events.
    pub burn_rate_1h: Option<f64>,
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

/// Level, long window, short window, share of the budget that may be spent in the long one.
const PAIRS: [(Severity, Duration, Duration, f64); 4] = [
    (Severity::Critical, HOUR, Duration::from_secs(300), 0.02),
    (Severity::Critical, Duration::from_secs(6 * 3_600), Duration::from_secs(1_800), 0.05),
    (Severity::Warning, DAY, Duration::from_secs(2 * 3_600), 0.10),
    (Severity::Warning, Duration::from_secs(3 * 86_400), Duration::from_secs(6 * 3_600), 0.10),
];

/// Of the highest burn rate that an objective can have at all.
const OF_HIGHEST: f64 = 0.8;

/// What the pairs of windows said when they were summed last. Each is summed thirty times in its short window: what it says
/// can't change faster, and summing costs.
#[derive(Clone, Debug, Default)]
pub(super) struct Burns {
    pairs: [Burn; PAIRS.len()],
}

#[derive(Clone, Copy, Debug, Default)]
struct Burn {
    read_at: Option<Instant>,
    times: Option<f64>,
}

impl Burns {
    /// Whether the fastest of them is to be summed again.
    pub(super) fn are_due(&self, now: Instant) -> bool {
        self.pairs[0].is_due(now, PAIRS[0].2)
    }
}

impl Burn {
    fn is_due(self, now: Instant, short: Duration) -> bool {
        let period = Duration::from_nanos(short.as_nanos() / 30);
        self.read_at.is_none_or(|read_at| now - read_at >= period)
    }
}

impl Indicator {
    pub(super) const fn selectors(&self) -> (Option<&Selector>, Option<&Selector>) {
        match self {
            Self::Events { bad, total } => (Some(total), Some(bad)),
            Self::Samples { of, .. } => (Some(of), None),
        }
    }
}

impl Slo {
    /// 30 days, at least 10 events in a window, one budget.
    #[must_use]
    pub const fn new(objective: f64, indicator: Indicator) -> Self {
        Self {
            objective,
            period: Duration::from_secs(30 * 86_400),
            indicator,
            min_events: 10,
            by: Vec::new(),
        }
    }

    pub(super) fn check(&self) -> Result<(), RuleProblem> {
        if !(self.objective > 0.0 && self.objective < 1.0) {
            return Err(RuleProblem::ShareOutOfRange);
        }
        if self.period < HOUR || self.period > Duration::from_secs(30 * 86_400) {
            return Err(RuleProblem::WindowOutOfRange);
        }
        match self.indicator {
            Indicator::Samples { bound, .. } if !bound.is_finite() => Err(RuleProblem::NotFinite),
            Indicator::Samples { .. } | Indicator::Events { .. } => Ok(()),
        }
    }

    /// How many times too fast the budget burns, by level; `None` where no window says anything.
    pub(super) fn reading(&self, now: Instant, ladder: &Ladder, burns: &mut Burns) -> Option<Reading> {
        let (mut warning, mut critical) = (None::<f64>, None::<f64>);
        for ((severity, long, short, share), burn) in PAIRS.into_iter().zip(&mut burns.pairs) {
            if long >= self.period {
                continue;
            }
            if burn.is_due(now, short) {
                let tolerated = share * (self.period.as_secs_f64() / long.as_secs_f64());
                let tolerated = tolerated.min(OF_HIGHEST / (1.0 - self.objective));
                let over = |window| self.burn_rate(now, ladder, window);
                let both = over(short).and_then(|over_short| Some(over_short.min(over(long)?)));
                *burn = Burn { read_at: Some(now), times: both.map(|rate| rate / tolerated) };
            }
            let Some(times) = burn.times else { continue };
            let worst = match severity {
                Severity::Warning => &mut warning,
                Severity::Critical => &mut critical,
            };
            *worst = Some(worst.map_or(times, |before| before.max(times)));
        }
        if warning.is_none() && critical.is_none() {
            return None;
        }
        let (warning, critical) = (warning.unwrap_or(0.0), critical.unwrap_or(0.0));
        Some(Reading { warning, critical, shown: warning.max(critical) })
    }

    fn burn_rate(&self, now: Instant, ladder: &Ladder, window: Duration) -> Option<f64> {
        let counts = ladder.over(now, window);
        (counts.total > 0 && counts.total >= self.min_events)
            .then(|| share(counts.bad, counts.total) / (1.0 - self.objective))
    }

    /// Where the budget stands.
    pub(super) fn budget(&self, now: Instant, ladder: &Ladder) -> Budget {
        let counts = ladder.over(now, self.period);
        let bad = (counts.total > 0).then(|| share(counts.bad, counts.total));
        Budget {
            attained: bad.map(|bad| 1.0 - bad),
            left: bad.map(|bad| 1.0 - bad / (1.0 - self.objective)),
            events: counts.total,
            bad_events: counts.bad,
            observed: ladder.observed(now, self.period),
            burn_rate_1h: self.burn_rate(now, ladder, HOUR),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more than 53 bits")]
fn share(part: u64, total: u64) -> f64 {
    part as f64 / total as f64
}
