//! Whether a series rises or falls, and when it will reach a limit.

use alloc::vec::Vec;

use super::chance::Chance;
use super::distribution::{float, median, normal_beyond, student_beyond};
use crate::time::{Duration, Instant};

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When it was measured.
    pub at: Instant,
    /// What was measured; what is not finite counts as not measured.
    pub value: f64,
}

/// A rise or a fall that is no chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Change in a second, in the series' unit: the Theil–Sen slope.
    pub slope_per_second: f64,
    /// The least change that the points leave room for. Of the same sign as the slope.
    pub lowest_per_second: f64,
    /// The greatest.
    pub highest_per_second: f64,
    /// Where the series stands at the last point, without its noise.
    pub level: f64,
    /// How far off that may be, up and down.
    pub level_margin: f64,
    /// From the first point to the last.
    pub span: Duration,
    /// Points that were looked at.
    pub points: usize,
}

/// Why there is no trend to tell of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTrend {
    /// Points in too few of the 24 parts of the time.
    TooFew {
        /// Parts with points.
        parts: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Noise, or a walk without aim, looks like this often enough.
    Chance,
    /// There was one, and it has ended: the last third doesn't go on like it.
    Ended,
}

/// When a limit will be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forecast {
    /// It is reached.
    Reached,
    /// It will be, if things go on like this; counted from the last point.
    In {
        /// Not before.
        earliest: Duration,
        /// Most likely.
        likely: Duration,
        /// Not after; `None` where that is further away than can be told.
        latest: Option<Duration>,
    },
    /// Not within the time that can be told ([`FURTHEST`] times what was observed), or never.
    NotInSight,
}

/// A forecast reaches this many times as far as what it was made from.
pub const FURTHEST: u32 = 4;

/// Tells whether the points have a trend. Their order and spacing don't matter; hours or days of them are what it is for.
///
/// The time is cut into 24 equal parts and each part becomes the median of its points. Two tests must both
/// pass, each at the given [`Chance`]:
///
/// 1. *Order:* Kendall's S of the parts (Mann, 1945), with ties. Its slope is the median of all pairs' (Theil, 1950; Sen, 1968), which a
///    few wild points don't move, and the bounds are Sen's.
/// 2. *Steps:* the way from the first part to the last is more than what the spread of steps (of three parts) explains. Memory and disks often
///    *walk*: each value is the one before and a bit. A walk without aim passes the first test most of the time, and fails this
///    one. The bounds are at least as wide as this test's.
///
/// # Errors
///
/// [`NoTrend`] where there is none, with the reason. It is the usual answer.
///
/// ```
/// use quillwork_core::insights::{Chance, Forecast, NoTrend, Point, trend};
/// use quillwork_core::time::Instant;
///
/// let disk = |used: fn(f64) -> f64| -> Vec<Point> {
///     let minutes = (0..600_u32).map(|minute| (u64::from(minute) * 60, used(f64::from(minute))));
///     minutes.map(|(second, value)| Point { at: Instant::from_secs(second), value }).collect()
/// };
/// let filling = trend(&disk(|minute| 0.60 + minute * 1e-4), Chance::default())?;
/// let Forecast::In { likely, .. } = filling.reaches(0.70) else { panic!("it fills") };
/// assert_eq!((likely.as_secs_f64() / 60.0).round(), 401.0); // minutes
///
/// assert_eq!(trend(&disk(|_| 0.60), Chance::default()), Err(NoTrend::Chance));
/// # Ok::<(), NoTrend>(())
/// ```
pub fn trend(points: &[Point], chance: Chance) -> Result<Trend, NoTrend> {
    let usable = || points.iter().filter(|point| point.value.is_finite());
    let first = usable().map(|point| point.at).min().unwrap_or(Instant::ZERO);
    let last = usable().map(|point| point.at).max().unwrap_or(Instant::ZERO);
    let parts = parts(&usable().copied().collect::<Vec<_>>(), first, last - first);
    let count = parts.len();
    if count < FEWEST_PARTS {
        return Err(NoTrend::TooFew { parts: count, needed: FEWEST_PARTS });
    }
    let tail = 0.5 * chance.as_ratio();

    let mut slopes = Vec::with_capacity(count * (count - 1) / 2);
    let mut s = 0.0;
    for (index, &(early, before)) in parts.iter().enumerate() {
        for &(late, after) in &parts[index + 1..] {
            slopes.push((after - before) / (late - early));
            s += sign(after - before);
        }
    }
    let reach = normal_beyond(tail) * libm::sqrt(variance_of_s(&parts));
    let slope = median(&mut slopes).unwrap_or(0.0);
    if libm::fabs(s) - 1.0 <= reach || slope == 0.0 {
        return Err(NoTrend::Chance);
    }

    let walk = walk(&parts, slope);
    let beyond = student_beyond(tail, freedom(count));
    let (from, to) = (parts[0].0, parts[count - 1].0);
    let margin = beyond * walk * libm::sqrt(WALKS_SLOPE / (to - from));
    let lowest = bound(&slopes, 0.5 * (float(slopes.len()) - reach)).min(slope - margin);
    let highest = bound(&slopes, 0.5 * (float(slopes.len()) + reach) + 1.0).max(slope + margin);
    if lowest <= 0.0 && highest >= 0.0 {
        return Err(NoTrend::Chance);
    }

    let recent = &parts[count - count / 3..];
    if pairwise_slope(recent) * sign(slope) < 0.25 * libm::fabs(slope) {
        return Err(NoTrend::Ended);
    }
    let (centre, value) = parts[count - 1];
    let step = (to - from) / float(count - 1);
    Ok(Trend {
        slope_per_second: slope,
        lowest_per_second: lowest,
        highest_per_second: highest,
        level: value + slope * ((last - first).as_secs_f64() - centre),
        level_margin: beyond * walk * libm::sqrt(step),
        span: last - first,
        points: usable().count(),
    })
}

impl Trend {
    /// When the series will reach `limit`: a disk its size, memory what there is. A series that rises reaches it from below,
    /// one that falls from above.
    #[must_use]
    pub fn reaches(&self, limit: f64) -> Forecast {
        let way = sign(self.slope_per_second);
        let left = (limit - self.level) * way;
        if left.is_nan() {
            return Forecast::NotInSight;
        }
        if left <= 0.0 {
            return Forecast::Reached;
        }
        let (slowest, fastest) = if way > 0.0 {
            (self.lowest_per_second, self.highest_per_second)
        } else {
            (self.highest_per_second, self.lowest_per_second)
        };
        let furthest = self.span.as_secs_f64() * f64::from(FURTHEST);
        let time = |left: f64, slope: f64| {
            let seconds = left.max(0.0) / libm::fabs(slope);
            (seconds <= furthest).then(|| Duration::from_millis_f64(seconds * 1e3))
        };
        match (time(left - self.level_margin, fastest), time(left, self.slope_per_second)) {
            (Some(earliest), Some(likely)) => {
                Forecast::In { earliest, likely, latest: time(left + self.level_margin, slowest) }
            }
            _ => Forecast::NotInSight,
        }
    }
}

/// The mean time, in seconds after the first point, and the median value of each part that has points.
fn parts(points: &[Point], first: Instant, span: Duration) -> Vec<(f64, f64)> {
    let seconds = span.as_secs_f64();
    if seconds <= 0.0 {
        return Vec::new();
    }
    let place = |point: &Point| ((point.at - first).as_secs_f64() / seconds, point.value);
    (0..MOST_PARTS)
        .filter_map(|part| {
            let from = float(part) / float(MOST_PARTS);
            let to = if part + 1 == MOST_PARTS { f64::INFINITY } else { float(part + 1) / float(MOST_PARTS) };
            let inside = points.iter().map(place).filter(|&(at, _)| at >= from && at < to);
            let (times, mut values): (Vec<f64>, Vec<f64>) = inside.unzip();
            let value = median(&mut values)?;
            Some((times.iter().sum::<f64>() / float(times.len()) * seconds, value))
        })
        .collect()
}

/// The variance of Kendall's S where the order is chance, corrected for ties.
fn variance_of_s(parts: &[(f64, f64)]) -> f64 {
    let term = |count: f64| count * (count - 1.0) * (2.0 * count + 5.0);
    let mut values: Vec<f64> = parts.iter().map(|&(_, value)| value).collect();
    values.sort_unstable_by(f64::total_cmp);
    let ties = values.chunk_by(|a, b| a.partial_cmp(b).is_some_and(core::cmp::Ordering::is_eq));
    (term(float(parts.len())) - ties.map(|tie| term(float(tie.len()))).sum::<f64>()) / 18.0
}

/// By how much a walk of such steps strays in a second, as a standard deviation. Steps of several parts, which overlap, tell noise,
/// which comes back, from a walk, which doesn't (Lo and MacKinlay's variance ratio, 1988).
fn walk(parts: &[(f64, f64)], slope: f64) -> f64 {
    let steps = parts.windows(STEP + 1).map(|run| (run[STEP].0 - run[0].0, run[STEP].1 - run[0].1));
    let squares = steps.map(|(time, change)| (change - slope * time) * (change - slope * time) / time);
    // The slope that was taken off was fitted to the same steps, and the middles of parts stray a third of a part less than their ends.
    let fitted = 1.0 - float(STEP) / float(parts.len() - 1);
    let smoothed = 1.0 - 1.0 / (3.0 * float(STEP));
    libm::sqrt(squares.sum::<f64>() / (float(parts.len() - STEP) * fitted * smoothed))
}

/// How many independent steps the overlapping ones are worth.
fn freedom(parts: usize) -> f64 {
    let step = float(STEP);
    3.0 * step * float(parts - 1) / (2.0 * step * step + 1.0)
}

fn pairwise_slope(parts: &[(f64, f64)]) -> f64 {
    let later = |index: usize| parts[index + 1..].iter();
    let pairs =
        parts.iter().enumerate().flat_map(|(index, early)| later(index).map(move |late| (early, late)));
    let mut slopes: Vec<f64> = pairs.map(|(early, late)| (late.1 - early.1) / (late.0 - early.0)).collect();
    median(&mut slopes).unwrap_or(0.0)
}

/// The slope of this rank, counted from 1; the outermost where there is none.
fn bound(sorted: &[f64], rank: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to the ranks there are"
    )]
    let rank = libm::floor(rank).clamp(1.0, float(sorted.len())) as usize;
    sorted[rank - 1]
}

fn sign(value: f64) -> f64 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }
}

const MOST_PARTS: usize = 24;
/// Parts from the start of a step to its end.
const STEP: usize = 3;
/// Half of the time must have points. Below that many Kendall's S isn't close to normal either.
const FEWEST_PARTS: usize = 12;
/// The variance of a slope fitted to a walk, in those of its mean step: six fifths (Durlauf and Phillips, 1988).
const WALKS_SLOPE: f64 = 1.2;
