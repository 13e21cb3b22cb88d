//! Whether a page's slow seconds go with what the host did.

use alloc::vec;
use alloc::vec::Vec;
use core::fmt::{self, Write};

use super::chance::Chance;
use super::distribution::{float, normal_tail};
use crate::say::{Say, displayed, say};

/// When seconds are compared, and what is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CorrelationConfig {
    /// The host's value may come so many seconds before the page's: a full disk takes a moment to slow something down.
    pub max_lag_seconds: usize,
    /// Fewer seconds with both values say nothing.
    pub min_seconds: usize,
    /// Nor do fewer slow ones.
    pub min_slow_seconds: usize,
    /// Nor fewer times that the page became slow: one long slow time goes with whatever changed on that day.
    pub min_episodes: usize,
    /// Below this strength ([`Correlation::strength`]) it explains too little to be told, chance or not.
    pub min_strength: f64,
    /// How often noise may pass, over all series and lags together.
    pub chance: Chance,
}

impl Default for CorrelationConfig {
    /// Ten seconds, five minutes, 20 slow seconds in 5 episodes, three quarters, one in a hundred.
    fn default() -> Self {
        Self {
            max_lag_seconds: 10,
            min_seconds: 300,
            min_slow_seconds: 20,
            min_episodes: 5,
            min_strength: 0.75,
            chance: Chance::ONE_PER_CENT,
        }
    }
}

/// A series of the host that was higher while the page was slow. That one causes the other is *not* said: a third thing may cause
/// both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// Which series, by its place in what was asked.
    pub series: usize,
    /// So many seconds before the page's; that of the greatest coefficient.
    pub lag_seconds: usize,
    /// Spearman's rank correlation of slowness and value, above 0.
    pub coefficient: f64,
    /// The probability that the value of a slow second is higher than that of another: one half where it makes no difference, 1 where
    /// all are (Mann and Whitney's U as a share).
    pub strength: f64,
    /// Seconds that were compared.
    pub seconds: usize,
    /// Slow ones of them.
    pub slow_seconds: usize,
    /// Independent seconds that these are worth: neighbours resemble each other.
    pub effective_seconds: f64,
    /// An upper bound of the probability that chance alone finds as much in any of the series at any lag.
    pub chance: f64,
}

/// Series don't cover the same seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthMismatch {
    /// Which series of the host.
    pub series: usize,
    /// Its seconds.
    pub seconds: usize,
    /// The page's seconds.
    pub page_seconds: usize,
}

/// Finds the series that were higher while the page was slow, the strongest first. Usually there are none.
///
/// All series have one value a second, in the same seconds; `None` where nobody looked. Turn a series around (`1 - x`, `-x`) where
/// low is bad.
///
/// The test needs no permutations: Spearman's coefficient by Fisher's transformation, with as many independent seconds as the
/// autocorrelations of both series leave (Bartlett, 1946; Pyper and Peterman, 1998), times the number of series and lags
/// (Bonferroni). So it costs the same for any [`Chance`], and gives the same answer each time. It takes about a fifth of the square of the
/// seconds for each series: give it an hour, not a month.
///
/// # Errors
///
/// Where a series of the host has another length than the page's.
///
/// ```
/// use quillwork_core::insights::{CorrelationConfig, correlations};
///
/// // Every minute the disk is busy for five seconds, and the page is slow two seconds later.
/// let slow: Vec<_> = (0..1_200).map(|second| Some((2..7).contains(&(second % 60)))).collect();
/// let disk: Vec<_> = (0..1_200).map(|second| Some(if second % 60 < 5 { 0.9 } else { 0.1 })).collect();
/// let idle = vec![Some(0.1); 1_200];
///
/// let found = correlations(&slow, &[&idle, &disk], &CorrelationConfig::default())?;
/// assert_eq!(found.len(), 1);
/// assert_eq!((found[0].series, found[0].lag_seconds), (1, 2));
/// # Ok::<(), quillwork_core::insights::LengthMismatch>(())
/// ```
pub fn correlations(
    slow: &[Option<bool>],
    host: &[&[Option<f64>]],
    config: &CorrelationConfig,
) -> Result<Vec<Correlation>, LengthMismatch> {
    for (series, values) in host.iter().enumerate() {
        if values.len() != slow.len() {
            return Err(LengthMismatch { series, seconds: values.len(), page_seconds: slow.len() });
        }
    }
    let page: Vec<Option<f64>> = slow.iter().map(|slow| slow.map(f64::from)).collect();
    let page_memory = autocorrelations(&page);
    let tests = float(host.len()) * float(config.max_lag_seconds + 1);
    let mut found = Vec::new();
    for (series, values) in host.iter().enumerate() {
        let memory = autocorrelations(&ranks(values));
        let at = |lag| at_lag(&page, values, lag, config);
        let best = (0..=config.max_lag_seconds)
            .filter_map(|lag| at(lag).map(|pair| (lag, pair)))
            .reduce(|best, next| if next.1.coefficient > best.1.coefficient { next } else { best });
        let Some((lag_seconds, pair)) = best else { continue };
        let effective_seconds = effective(pair.seconds, &memory, &page_memory);
        // Fisher's transformation isn't close to normal for fewer.
        if effective_seconds < 10.0 {
            continue;
        }
        let z = libm::atanh(pair.coefficient) * libm::sqrt(effective_seconds - 3.0);
        let chance = (normal_tail(z) * tests).min(1.0);
        if chance <= config.chance.as_ratio() && pair.strength >= config.min_strength {
            found.push(Correlation {
                series,
                lag_seconds,
                coefficient: pair.coefficient,
                strength: pair.strength,
                seconds: pair.seconds,
                slow_seconds: pair.slow_seconds,
                effective_seconds,
                chance,
            });
        }
    }
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength).then(a.series.cmp(&b.series)));
    Ok(found)
}

struct Pair {
    coefficient: f64,
    strength: f64,
    seconds: usize,
    slow_seconds: usize,
}

/// The page's seconds beside the host's so many seconds earlier; `None` where there are too few.
fn at_lag(
    page: &[Option<f64>],
    host: &[Option<f64>],
    lag: usize,
    config: &CorrelationConfig,
) -> Option<Pair> {
    let earlier = &host[..host.len().saturating_sub(lag)];
    let page = page.get(lag..)?;
    let both = |index: usize| earlier[index].filter(|value| value.is_finite()).and(page[index]);
    let slow: Vec<Option<f64>> = (0..page.len()).map(both).collect();
    let is_slow = |slow: &Option<f64>| slow.is_some_and(|slow| slow > 0.0);
    let seconds = slow.iter().flatten().count();
    let slow_seconds = slow.iter().filter(|second| is_slow(second)).count();
    let episodes = slow.chunk_by(|a, b| is_slow(a) == is_slow(b)).filter(|run| is_slow(&run[0])).count();
    if seconds < config.min_seconds
        || slow_seconds < config.min_slow_seconds.max(1)
        || slow_seconds == seconds
        || episodes < config.min_episodes
    {
        return None;
    }
    let seen: Vec<Option<f64>> =
        earlier.iter().zip(&slow).map(|(value, slow)| value.filter(|_| slow.is_some())).collect();
    let ranks = ranks(&seen);
    let (n, slow_n) = (float(seconds), float(slow_seconds));
    let middle = 0.5 * (n + 1.0);
    let spread: f64 = ranks.iter().flatten().map(|rank| (rank - middle) * (rank - middle)).sum();
    let of_slow: f64 =
        ranks.iter().zip(&slow).filter(|(_, slow)| is_slow(slow)).filter_map(|(rank, _)| *rank).sum();
    if spread <= 0.0 {
        return None;
    }
    let together = of_slow - slow_n * middle;
    let coefficient = together / libm::sqrt(spread * slow_n * (n - slow_n) / n);
    Some(Pair {
        coefficient: coefficient.min(MOST_CERTAIN),
        strength: (of_slow - 0.5 * slow_n * (slow_n + 1.0)) / (slow_n * (n - slow_n)),
        seconds,
        slow_seconds,
    })
}

/// The place of each value in their order, from 1; equal ones share the middle of theirs.
fn ranks(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let finite = |index: &usize| values[*index].is_some_and(f64::is_finite);
    let mut order: Vec<usize> = (0..values.len()).filter(finite).collect();
    let value = |index: usize| values[index].unwrap_or(0.0);
    order.sort_unstable_by(|&a, &b| value(a).total_cmp(&value(b)).then(a.cmp(&b)));
    let mut ranks = vec![None; values.len()];
    let mut before = 0;
    for equal in
        order.chunk_by(|&a, &b| value(a).partial_cmp(&value(b)).is_some_and(core::cmp::Ordering::is_eq))
    {
        let rank = float(before) + 0.5 * float(equal.len() + 1);
        equal.iter().for_each(|&index| ranks[index] = Some(rank));
        before += equal.len();
    }
    ranks
}

/// Correlations of a series with itself 1, 2, … seconds earlier, up to a fifth of its length.
fn autocorrelations(values: &[Option<f64>]) -> Vec<f64> {
    let count = values.iter().flatten().count();
    let mean = values.iter().flatten().sum::<f64>() / float(count);
    let off: Vec<Option<f64>> = values.iter().map(|value| value.map(|value| value - mean)).collect();
    let variance = off.iter().flatten().map(|off| off * off).sum::<f64>() / float(count);
    let furthest = (values.len() / 5).min(FURTHEST_LAG);
    let at = |lag: usize| {
        let pairs = off.iter().zip(&off[lag..]).filter_map(|(early, late)| Some((*early)? * (*late)?));
        let (count, sum) = pairs.fold((0, 0.0), |(count, sum), product| (count + 1, sum + product));
        if count > 0 && variance > 0.0 { sum / float(count) / variance } else { 0.0 }
    };
    (1..=furthest).map(at).collect()
}

/// How many independent seconds these are worth. Memory of opposite signs would make more of them; that is left out.
fn effective(seconds: usize, one: &[f64], other: &[f64]) -> f64 {
    let n = float(seconds);
    let terms = one.iter().zip(other).enumerate();
    let shared =
        terms.map(|(index, (one, other))| (1.0 - float(index + 1) / n).max(0.0) * (one * other).max(0.0));
    n / (1.0 + 2.0 * shared.sum::<f64>())
}

impl Say for LengthMismatch {
    fn say(&self, to: &mut dyn Write) -> fmt::Result {
        say!(
            to,
            *"series ",
            self.series,
            *" has ",
            self.seconds,
            *" seconds and the page ",
            self.page_seconds,
            *": give both the same seconds, with None where nobody looked"
        )
    }
}

displayed!(LengthMismatch);

impl core::error::Error for LengthMismatch {}

/// Ten minutes: memory that is longer can't be told from a single change.
const FURTHEST_LAG: usize = 600;
/// Fisher's transformation of 1 is infinite.
const MOST_CERTAIN: f64 = 0.999_999;
