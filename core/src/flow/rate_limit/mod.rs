//! So much in a time: rate limits that say when it will be possible.
//!
//! | | window | state | use it |
//! |---|---|---|---|
//! | [`Gcra`] | a steady rate with a burst on top | two numbers | by default, and for many keys |
//! | [`SlidingLog`] | no rolling window ever holds more than the quota | one entry per admission in it | where somebody counts: an API's quota |
//! | `(A, B)` | both of two limits | both | "10 a second, and 100 a minute" |
//! | [`Keyed`] | one limit per key | what the keys in use need | per user, per address, per document |
//!
//! All are [`RateLimiter`]s. What is asked for has a *weight* (1 for a call, bytes for a transfer). Weight 0 is always
//! admitted and counts nothing; weight above the capacity can never be admitted, and says so.
//!
//! * [`check`](RateLimiter::check) admits now, or refuses and tells the earliest time at which it would admit. A refusal
//!   changes nothing.
//! * [`reserve`](RateLimiter::reserve) promises a start, now or later. It counts from then on, as a start at that time:
//!   nothing that comes after it starts before it. [`cancel`](RateLimiter::cancel) gives it back.
//!
//! ```
//! use quillwork_core::flow::rate_limit::{Gcra, Quota, RateLimiter, Refusal};
//! use quillwork_core::time::{Duration, Instant};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // Ten a second, two of them at once.
//! let mut calls = Gcra::new(Quota::new(10, Duration::from_secs(1))?.with_burst(2)?);
//! let now = Instant::from_secs(5);
//! assert_eq!(calls.check(now, 1), Ok(()));
//! assert_eq!(calls.check(now, 1), Ok(()));
//! let earliest = now + Duration::from_millis(100);
//! assert_eq!(calls.check(now, 1), Err(Refusal::NotUntil { earliest }));
//!
//! // Or wait for a turn.
//! let turn = calls.reserve(now, 1, Duration::MAX)?;
//! assert_eq!(turn.starts_at(), earliest);
//! calls.cancel(now, turn);
//! assert_eq!(calls.check(earliest, 1), Ok(()));
//! # Ok(())
//! # }
//! ```

mod both;
mod gcra;
mod keyed;
mod quota;
mod rate;
mod sliding_log;

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::{Duration, Instant};

pub use gcra::{Gcra, GcraMark};
pub use keyed::{Keyed, KeyedMetrics, KeyedReservation};
pub use quota::{Quota, QuotaError};
pub use rate::{Rate, RateLimit, RateMark};
pub use sliding_log::{SlidingLog, SlidingLogMark};

/// What all rate limits can do.
///
/// An implementation gives the four primitives; `check` and `reserve` follow from them. Two rules bind them:
///
/// * `earliest` is exact: `admit` at that start, or at any later one, keeps the limit, and no start between `now` and it
///   would;
/// * starts are admitted in order: `earliest` is never before the start of a reservation that stands.
pub trait RateLimiter {
    /// What an implementation must remember of a reservation in order to give it back.
    type Mark;

    /// The earliest start, `now` or later, for so much weight.
    ///
    /// # Errors
    ///
    /// Where so much can never be admitted at once.
    fn earliest(&self, now: Instant, weight: u32) -> Result<Instant, WeightExceedsCapacity>;

    /// Counts a start, which is not before what [`earliest`](Self::earliest) says `now`.
    fn admit(&mut self, now: Instant, start: Instant, weight: u32) -> Self::Mark;

    /// Gives a reservation back that has not started `now`; one that has started stays counted.
    ///
    /// What others reserved after it keeps its promised start, so as much is given back as can be admitted after those
    /// without breaking the limit. Of the last reservation that is all.
    fn cancel(&mut self, now: Instant, reservation: Reservation<Self::Mark>);

    /// From this time on the limiter decides as a new one would.
    fn idle_from(&self) -> Instant;

    /// Makes it as new. Memory is kept.
    fn reset(&mut self);

    /// The largest weight that is ever admitted at once.
    fn capacity(&self) -> u32;

    /// Admits so much now, or says when.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotUntil`] where the limit is reached; asking again at that time succeeds unless somebody else came
    /// first. [`Refusal::WeightExceedsCapacity`] where it would never be admitted. Neither changes anything.
    fn check(&mut self, now: Instant, weight: u32) -> Result<(), Refusal> {
        self.reserve(now, weight, Duration::ZERO).map(|_| ())
    }

    /// Promises a start at the earliest time, not later than `max_wait` from now.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check): [`Refusal::NotUntil`] where the start would be later than that.
    fn reserve(
        &mut self,
        now: Instant,
        weight: u32,
        max_wait: Duration,
    ) -> Result<Reservation<Self::Mark>, Refusal> {
        let starts_at = self.earliest(now, weight)?;
        if starts_at > now + max_wait || starts_at == Instant::NEVER {
            return Err(Refusal::NotUntil { earliest: starts_at });
        }
        let mark = self.admit(now, starts_at, weight);
        Ok(Reservation { starts_at, weight, mark })
    }
}

/// A promised start. It is counted whether or not it is used: give it back with [`RateLimiter::cancel`].
#[derive(Debug, PartialEq, Eq)]
#[must_use = "it counts against the limit; a start that isn't wanted is to be cancelled"]
pub struct Reservation<M> {
    starts_at: Instant,
    weight: u32,
    mark: M,
}

impl<M> Reservation<M> {
    /// When it may start.
    #[must_use]
    pub const fn starts_at(&self) -> Instant {
        self.starts_at
    }

    /// How much was reserved.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }
}

/// Why something isn't admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Not now.
    NotUntil {
        /// The earliest time at which it would be admitted, if nothing else is until then.
        earliest: Instant,
    },
    /// Never.
    WeightExceedsCapacity(WeightExceedsCapacity),
}

impl Refusal {
    /// When it makes sense to ask again; `None` for never.
    #[must_use]
    pub const fn earliest(self) -> Option<Instant> {
        match self {
            Self::NotUntil { earliest } => Some(earliest),
            Self::WeightExceedsCapacity(_) => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUntil { earliest } => write!(f, "the rate limit is reached until {earliest:?}"),
            Self::WeightExceedsCapacity(error) => error.fmt(f),
        }
    }
}

impl Error for Refusal {}

impl From<WeightExceedsCapacity> for Refusal {
    fn from(error: WeightExceedsCapacity) -> Self {
        Self::WeightExceedsCapacity(error)
    }
}

/// More than the limit admits at once, however long one waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WeightExceedsCapacity {
    /// What was asked for.
    pub weight: u32,
    /// The most that is admitted at once.
    pub capacity: u32,
}

impl Say for WeightExceedsCapacity {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        let Self { weight, capacity } = self;
        say!(
            to,
            "a weight of ",
            weight,
            " is never admitted: the limit's capacity is ",
            capacity,
            "; split it or raise the burst"
        )
    }
}

displayed!(WeightExceedsCapacity);

impl Error for WeightExceedsCapacity {}
