//! From samples to the value that is compared.

use alloc::boxed::Box;

use super::condition::{Condition, NEVER_REACHED_MILLIS, Role};
use super::ladder::Ladder;
use super::rule::Rule;
use super::slo::{Burns, Indicator};
use crate::telemetry::{RelativeAccuracy, Reset, Rolling, RollingSketch, Sketch};
use crate::time::{Duration, Instant};

/// What is compared with the thresholds; a rule on an objective's budget has a value for each level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) warning: f64,
    pub(super) critical: f64,
    /// For people.
    pub(super) shown: f64,
}

impl Reading {
    pub(super) const fn of(value: f64) -> Self {
        Self { warning: value, critical: value, shown: value }
    }
}

/// One sample: a value, or many in a sketch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sample<'a> {
    Value(f64),
    Sketch(&'a Sketch),
}

/// What an instance remembers of the samples before.
#[derive(Clone, Debug)]
pub(super) enum Meter {
    /// Nothing.
    Plain,
    Window(Rolling<Span>),
    Quantile {
        window: RollingSketch,
        merged: Box<Sketch>,
    },
    Ratio {
        part: Rolling<Span>,
        total: Rolling<Span>,
    },
    /// When the series was last seen.
    Absent {
        seen: Option<Instant>,
    },
    BurnRate {
        ladder: Box<Ladder>,
        burns: Burns,
        /// Whether something was counted since.
        is_new: bool,
    },
}

/// Slots of a window; one more, since the newest is only partly filled.
const SLOTS: u64 = 30;
/// Sketches are larger: fewer of them.
const SKETCHES: u64 = 12;
/// Over so much of a window there must be samples before a mean or a trend says something.
const COVERED: f64 = 0.8;
/// The samples of one slot.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    count: u32,
    sum: f64,
    first: (Instant, f64),
    last: (Instant, f64),
}

impl Reset for Span {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Span {
    fn add(&mut self, at: Instant, value: f64) {
        if self.count == 0 {
            self.first = (at, value);
        }
        self.count = self.count.saturating_add(1);
        self.sum += value;
        self.last = (at, value);
    }
}

impl Meter {
    pub(super) fn new(condition: &Condition) -> Self {
        match condition {
            Condition::Value(_) | Condition::All { .. } | Condition::Any { .. } => Self::Plain,
            Condition::Mean { window, .. }
            | Condition::Sum { window, .. }
            | Condition::Change { window, .. }
            | Condition::TimeToReach { window, .. } => Self::Window(spans(*window)),
            Condition::Quantile { window, .. } => {
                let slots = usize::try_from(SKETCHES).expect("there are few") + 1;
                Self::Quantile {
                    window: RollingSketch::new(step(*window, SKETCHES), slots).expect(A_WINDOW),
                    merged: Box::new(Sketch::new(RelativeAccuracy::ONE_PER_CENT)),
                }
            }
            Condition::Ratio { window, .. } => Self::Ratio { part: spans(*window), total: spans(*window) },
            Condition::Absent(_) => Self::Absent { seen: None },
            Condition::BurnRate(_) => {
                Self::BurnRate { ladder: Box::new(Ladder::new()), burns: Burns::default(), is_new: false }
            }
        }
    }

    /// Takes a sample and gives what is to be compared, if something is known by now.
    pub(super) fn sample(
        &mut self,
        now: Instant,
        rule: &Rule,
        role: Role,
        sample: Sample<'_>,
    ) -> Option<Reading> {
        let value = match sample {
            Sample::Value(value) => value,
            Sample::Sketch(sketch) => {
                let Self::Quantile { window, .. } = self else { return None };
                window.merge(now, sketch).ok()?;
                return self.read(now, rule);
            }
        };
        match self {
            Self::Plain => return Some(Reading::of(value)),
            Self::Window(window) => window.slot_mut(now).add(now, value),
            // A value below zero has no place in a sketch, and is no sample.
            Self::Quantile { window, .. } => window.record(now, value).ok()?,
            Self::Ratio { part, total } => {
                let window = if role == Role::Part { part } else { total };
                window.slot_mut(now).add(now, value);
                if role == Role::Part {
                    return None;
                }
            }
            Self::Absent { seen } => *seen = Some(now),
            Self::BurnRate { ladder, is_new, .. } => {
                count(ladder, now, &rule.condition, role, value);
                *is_new = true;
                return None;
            }
        }
        self.read(now, rule)
    }

    /// What there is to compare because time went on.
    pub(super) fn tick(&mut self, now: Instant, rule: &Rule) -> Option<Reading> {
        match self {
            Self::Absent { .. } => self.read(now, rule),
            Self::BurnRate { ladder, burns, is_new } => {
                let Condition::BurnRate(slo) = &rule.condition else { return None };
                if !*is_new || !burns.are_due(now) {
                    return None;
                }
                *is_new = false;
                slo.reading(now, ladder, burns)
            }
            Self::Plain | Self::Window(_) | Self::Quantile { .. } | Self::Ratio { .. } => None,
        }
    }

    fn read(&mut self, now: Instant, rule: &Rule) -> Option<Reading> {
        match (self, &rule.condition) {
            (Self::Window(window), Condition::Sum { .. }) => {
                Some(Reading::of(window.slots(now).map(|span| span.sum).sum()))
            }
            (Self::Window(window), Condition::Mean { .. }) => {
                covered(window, now)?;
                let (sum, count) = window
                    .slots(now)
                    .fold((0.0, 0.0), |(sum, count), span| (sum + span.sum, count + f64::from(span.count)));
                Some(Reading::of(sum / count))
            }
            (Self::Window(window), Condition::Change { .. }) => {
                let (first, last) = covered(window, now)?;
                let secs = (last.0 - first.0).as_secs_f64();
                (secs > 0.0).then(|| Reading::of((last.1 - first.1) / secs))
            }
            (Self::Window(window), Condition::TimeToReach { limit, .. }) => {
                let (first, last) = covered(window, now)?;
                Some(Reading::of(time_to_reach(window, now, first.0, last.1, *limit)))
            }
            (Self::Quantile { window, merged }, Condition::Quantile { q, .. }) => {
                window.merge_into(now, merged).ok()?;
                (merged.count() >= rule.min_count).then(|| merged.quantile(*q).map(Reading::of))?
            }
            (Self::Ratio { part, total }, Condition::Ratio { min_total, .. }) => {
                let sum = |window: &Rolling<Span>| window.slots(now).map(|span| span.sum).sum::<f64>();
                let whole = sum(total);
                (whole > 0.0 && whole >= *min_total).then(|| Reading::of(sum(part) / whole))
            }
            (Self::Absent { seen }, _) => Some(Reading::of((now - (*seen)?).as_millis_f64())),
            _ => None,
        }
    }
}

fn count(ladder: &mut Ladder, now: Instant, condition: &Condition, role: Role, value: f64) {
    let Condition::BurnRate(slo) = condition else { return };
    match &slo.indicator {
        Indicator::Samples { bound, direction, .. } => {
            ladder.add(now, u64::from(direction.is_beyond(value, *bound)), 1);
        }
        Indicator::Events { .. } => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "counts are whole and not negative; the cast saturates where one isn't"
            )]
            let events = value as u64;
            match role {
                Role::Part => ladder.add(now, events, 0),
                Role::Whole => ladder.add(now, 0, events),
            }
        }
    }
}

/// The oldest and the newest sample, where they are far enough apart.
fn covered(window: &Rolling<Span>, now: Instant) -> Option<((Instant, f64), (Instant, f64))> {
    let mut filled = window.slots(now).filter(|span| span.count > 0);
    let oldest = filled.next()?;
    let newest = filled.last().unwrap_or(oldest);
    let wanted = COVERED * (window.span() - window.step()).as_secs_f64();
    ((newest.last.0 - oldest.first.0).as_secs_f64() >= wanted).then_some((oldest.first, newest.last))
}

/// Milliseconds until the line through the samples, moved onto the newest value, reaches the limit.
fn time_to_reach(window: &Rolling<Span>, now: Instant, origin: Instant, newest: f64, limit: f64) -> f64 {
    let points = || {
        window.slots(now).filter(|span| span.count > 0).map(|span| {
            let middle = ((span.first.0 - origin).as_secs_f64() + (span.last.0 - origin).as_secs_f64()) / 2.0;
            (middle, span.sum / f64::from(span.count))
        })
    };
    let (count, times, values) =
        points().fold((0.0, 0.0, 0.0), |(n, t, v), (time, value)| (n + 1.0, t + time, v + value));
    let (mean_time, mean_value) = (times / count, values / count);
    let (above, below) = points().fold((0.0, 0.0), |(above, below), (time, value)| {
        let off = time - mean_time;
        (above + off * (value - mean_value), below + off * off)
    });
    let slope_per_sec = above / below;
    let left = limit - newest;
    let millis = left / slope_per_sec * 1_000.0;
    // Already there, not moving, or moving away.
    match (left == 0.0, millis.is_finite() && millis > 0.0) {
        (true, _) => 0.0,
        (false, true) => millis.min(NEVER_REACHED_MILLIS),
        (false, false) => NEVER_REACHED_MILLIS,
    }
}

fn step(window: Duration, slots: u64) -> Duration {
    Duration::from_nanos((window.as_nanos() / slots).max(1))
}

fn spans(window: Duration) -> Rolling<Span> {
    let slots = usize::try_from(SLOTS).expect("there are few") + 1;
    Rolling::new(step(window, SLOTS), slots, Span::default).expect(A_WINDOW)
}

const A_WINDOW: &str = "steps and numbers of slots are not zero";
