//! How many workers a load takes.

use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::distribution::{float, normal_beyond};
use crate::say::{Say, displayed, say};
use crate::telemetry::Sketch;

/// How tasks come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arrivals {
    /// Tasks in a second, above 0.
    pub per_second: f64,
    /// Squared coefficient of variation of the gaps between them: 1 where they come independently of each other (Poisson), 0 on a
    /// beat, more in bursts.
    pub scv: f64,
}

/// How long tasks run.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceTimes {
    mean_millis: f64,
    scv: f64,
    /// Run times of equal weight that stand for all.
    parts: Vec<f64>,
}

/// What so many workers would do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// How many.
    pub workers: u32,
    /// Share of the time in which a worker is busy.
    pub utilisation: f64,
    /// Share of the tasks that wait (Erlang C).
    pub waiting_ratio: f64,
    /// Mean wait of all tasks, in milliseconds.
    pub mean_wait_millis: f64,
    /// 95 of 100 tasks are answered, wait included, within this, in milliseconds.
    pub p95_millis: f64,
    /// The least that it may be in truth: the estimate is up to [`ESTIMATE_TOO_HIGH`] too high.
    pub p95_at_least_millis: f64,
    /// The most, on which a promise can be made: the estimate is up to [`ESTIMATE_TOO_LOW`] too low.
    pub p95_at_most_millis: f64,
}

/// What to do to keep a promise on the 95th percentile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Advice {
    /// The fewest workers with which it would hold, the estimate's error added.
    Holds(Estimate),
    /// It would not hold with any number of workers: tasks alone take longer.
    TasksTooSlow {
        /// The 95th percentile of the run time, in milliseconds.
        p95_run_millis: f64,
    },
    /// It takes more workers than there may be.
    TooFewWorkers {
        /// How many there may be.
        most: u32,
    },
}

/// A number that makes no sense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CapacityError {
    /// The rate of arrivals isn't a number above 0.
    Rate(f64),
    /// The mean run time or the target isn't a number above 0.
    Millis(f64),
    /// A squared coefficient of variation isn't a number from 0 to [`MAX_SCV`].
    Variation(f64),
    /// Nothing was recorded in the sketch.
    Nothing,
}

/// By how much of the truth [`Estimate::p95_millis`] is too low at most, beside a simulated queue: utilisation up to
/// [`MAX_UTILISATION`], 1 to 16 workers, run times that are constant, exponential, of two kinds or log-normal with a squared coefficient
/// of variation up to [`MAX_SCV`], independent arrivals. Bursts were not simulated.
pub const ESTIMATE_TOO_LOW: f64 = 0.1;

/// By how much of the truth it is too high at most, in the same queues; that much where run times vary most and workers have
/// the least rest.
pub const ESTIMATE_TOO_HIGH: f64 = 0.5;

/// Above this utilisation small changes of the load multiply waits, and nothing is estimated.
pub const MAX_UTILISATION: f64 = 0.9;

/// Above this variation the approximation is worth little.
pub const MAX_SCV: f64 = 4.0;

impl Arrivals {
    /// Independent arrivals at this rate.
    ///
    /// # Errors
    ///
    /// Where the rate isn't a number above 0.
    pub fn independent(per_second: f64) -> Result<Self, CapacityError> {
        let arrivals = Self { per_second, scv: 1.0 };
        arrivals.check().map(|()| arrivals)
    }

    fn check(self) -> Result<(), CapacityError> {
        if !(self.per_second > 0.0 && self.per_second.is_finite()) {
            return Err(CapacityError::Rate(self.per_second));
        }
        check_scv(self.scv)
    }
}

impl ServiceTimes {
    /// From the mean, in milliseconds, and the squared coefficient of variation (variance by squared mean: 0 where all take the same
    /// time, 1 for exponential times). The distribution is taken to be log-normal.
    ///
    /// # Errors
    ///
    /// Where the mean isn't above 0 or the variation not from 0 to [`MAX_SCV`].
    pub fn from_moments(mean_millis: f64, scv: f64) -> Result<Self, CapacityError> {
        check_millis(mean_millis)?;
        check_scv(scv)?;
        let variance = libm::log1p(scv);
        let parts = middles()
            .map(|q| mean_millis * libm::exp(libm::sqrt(variance) * normal_beyond(1.0 - q) - 0.5 * variance));
        Ok(Self { mean_millis, scv, parts: parts.collect() })
    }

    /// From run times, in milliseconds, as they were measured.
    ///
    /// # Errors
    ///
    /// Where the sketch is empty, or its times vary by more than [`MAX_SCV`].
    pub fn from_sketch(sketch: &Sketch) -> Result<Self, CapacityError> {
        let mean_millis = sketch.mean().ok_or(CapacityError::Nothing)?;
        check_millis(mean_millis)?;
        let parts: Vec<f64> = middles().filter_map(|q| sketch.quantile(q)).collect();
        let middle = parts.iter().sum::<f64>() / float(parts.len());
        let variance =
            parts.iter().map(|part| (part - middle) * (part - middle)).sum::<f64>() / float(parts.len());
        let scv = variance / (mean_millis * mean_millis);
        check_scv(scv)?;
        Ok(Self { mean_millis, scv, parts })
    }

    /// The mean, in milliseconds.
    #[must_use]
    pub const fn mean_millis(&self) -> f64 {
        self.mean_millis
    }

    /// Squared coefficient of variation.
    #[must_use]
    pub const fn scv(&self) -> f64 {
        self.scv
    }

    /// The time within which this share is answered where `waiting` of all wait, and for an exponential time of mean `wait`.
    fn response(&self, share: f64, waiting: f64, wait: f64) -> f64 {
        let late = |time: f64| {
            let of = |&part: &f64| {
                if part > time {
                    1.0
                } else if wait > 0.0 {
                    waiting * libm::exp((part - time) / wait)
                } else {
                    0.0
                }
            };
            self.parts.iter().map(of).sum::<f64>() / float(self.parts.len())
        };
        let longest = self.parts.iter().copied().fold(0.0, f64::max);
        // Beyond the longest run time and 40 mean waits hardly e^-40 are late.
        let (mut low, mut high) = (0.0, longest + 40.0 * wait);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if late(middle) > 1.0 - share { low = middle } else { high = middle }
        }
        high
    }
}

/// What so many workers would do with this load, first come first served: M/G/k by Allen and Cunneen. `None` where their utilisation
/// would be above [`MAX_UTILISATION`].
///
/// The mean wait is that of exponential times (Erlang C), multiplied by the mean of both squared coefficients of variation.
/// Those who wait are taken to do so exponentially, independently of how long they run.
///
/// # Errors
///
/// Where the arrivals make no sense.
pub fn estimate(
    arrivals: Arrivals,
    service: &ServiceTimes,
    workers: u32,
) -> Result<Option<Estimate>, CapacityError> {
    arrivals.check()?;
    let offered = arrivals.per_second * service.mean_millis / 1e3;
    let utilisation = offered / f64::from(workers);
    // No workers at all make it infinite.
    if utilisation > MAX_UTILISATION {
        return Ok(None);
    }
    let waiting_ratio = erlang_c(offered, workers);
    // The mean wait of those who wait.
    let wait = service.mean_millis / (f64::from(workers) * (1.0 - utilisation));
    let wait = wait * 0.5 * (arrivals.scv + service.scv);
    let p95_millis = service.response(0.95, waiting_ratio, wait);
    Ok(Some(Estimate {
        workers,
        utilisation,
        waiting_ratio,
        mean_wait_millis: waiting_ratio * wait,
        p95_millis,
        p95_at_least_millis: p95_millis / (1.0 + ESTIMATE_TOO_HIGH),
        p95_at_most_millis: p95_millis / (1.0 - ESTIMATE_TOO_LOW),
    }))
}

/// How many workers it takes to answer 95 of 100 tasks within `target_millis`, at most `most` of them.
///
/// It says nothing about processors: more workers than there are cores to run them are none.
///
/// # Errors
///
/// Where the target or the arrivals make no sense.
///
/// ```
/// use quillwork_core::insights::{Advice, Arrivals, ServiceTimes, advise};
///
/// let service = ServiceTimes::from_moments(40.0, 1.0)?;
/// let Advice::Holds(with) = advise(Arrivals::independent(40.0)?, &service, 200.0, 8)? else {
///     panic!("eight suffice");
/// };
/// assert_eq!(with.workers, 3);
/// assert!(with.p95_millis < with.p95_at_most_millis && with.p95_at_most_millis <= 200.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn advise(
    arrivals: Arrivals,
    service: &ServiceTimes,
    target_millis: f64,
    most: u32,
) -> Result<Advice, CapacityError> {
    arrivals.check()?;
    check_millis(target_millis)?;
    let p95_run_millis = service.response(0.95, 0.0, 0.0);
    if p95_run_millis > target_millis {
        return Ok(Advice::TasksTooSlow { p95_run_millis });
    }
    for workers in 1..=most {
        let found = estimate(arrivals, service, workers)?;
        // With few waits the estimate is the measured run time, whose error isn't the approximation's.
        let holds =
            |with: &Estimate| with.p95_at_most_millis <= target_millis || with.waiting_ratio < NOBODY_WAITS;
        if let Some(with) = found.filter(holds) {
            return Ok(Advice::Holds(with));
        }
    }
    Ok(Advice::TooFewWorkers { most })
}

/// The probability that a task waits for one of so many workers at this offered load (Erlang, 1917), which is below their number.
fn erlang_c(offered: f64, workers: u32) -> f64 {
    let blocked =
        (1..=workers).fold(1.0, |blocked, of| offered * blocked / (f64::from(of) + offered * blocked));
    let utilisation = offered / f64::from(workers);
    blocked / (1.0 - utilisation * (1.0 - blocked))
}

/// The middles of as many equal parts of a distribution as stand for it.
fn middles() -> impl Iterator<Item = f64> {
    (0..PARTS).map(|part| (float(part) + 0.5) / float(PARTS))
}

fn check_scv(scv: f64) -> Result<(), CapacityError> {
    if (0.0..=MAX_SCV).contains(&scv) { Ok(()) } else { Err(CapacityError::Variation(scv)) }
}

fn check_millis(millis: f64) -> Result<(), CapacityError> {
    if millis > 0.0 && millis.is_finite() { Ok(()) } else { Err(CapacityError::Millis(millis)) }
}

impl Say for CapacityError {
    fn say(&self, to: &mut dyn Write) -> fmt::Result {
        match *self {
            Self::Rate(rate) => say!(to, *"tasks arrive at ", rate, *" a second: give a rate above 0"),
            Self::Millis(millis) => say!(to, *"a time is ", millis, *" ms: give one above 0"),
            Self::Variation(scv) => say!(
                to,
                *"a squared coefficient of variation is ",
                scv,
                *", and only 0 to ",
                MAX_SCV,
                *" can be estimated: split the tasks by type, or simulate them"
            ),
            Self::Nothing => say!(to, *"no run times were recorded: measure some tasks first"),
        }
    }
}

displayed!(CapacityError);

impl core::error::Error for CapacityError {}

const PARTS: usize = 400;
/// Where fewer tasks wait, the 95th percentile is that of the run times.
const NOBODY_WAITS: f64 = 0.001;
