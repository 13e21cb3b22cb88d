//! How many retries all calls together may make.

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::{Duration, Instant};

/// Settings of a [`RetryBudget`]. The defaults are those of Finagle's `RetryBudget`: a retry for every five successes, and
/// ten a second besides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryBudgetConfig {
    /// How much of a retry each success earns: 0 to 1. In a long outage at most this share of the successes is retries.
    /// Default 0.2.
    pub deposit_ratio: f64,
    /// How many retries a second are there in any case, for callers of few calls. Default 10.
    pub reserve_per_second: u32,
    /// How many retries can be saved up, and are there at the start: at least 1. This bounds the burst at the beginning of
    /// an outage. Default 100: ten seconds of the reserve.
    pub max_saved: u32,
}

impl RetryBudgetConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), RetryBudgetConfigError> {
        if !(0.0..=1.0).contains(&self.deposit_ratio) {
            return Err(RetryBudgetConfigError::DepositRatio { asked: self.deposit_ratio });
        }
        if self.max_saved == 0 {
            return Err(RetryBudgetConfigError::NothingSaved);
        }
        Ok(())
    }
}

impl Default for RetryBudgetConfig {
    fn default() -> Self {
        Self { deposit_ratio: 0.2, reserve_per_second: 10, max_saved: 100 }
    }
}

/// A token bucket that keeps retries from multiplying an outage.
///
/// A success deposits a part of a token, a retry withdraws a whole one. While few calls fail the bucket is full and every
/// failure is retried as the policy says; when many fail it is empty and retries are a fixed share of the successes, instead
/// of `attempts - 1` times the load (Brooker, "Fixing retries with token buckets and circuit breakers", 2022; Finagle's
/// `RetryBudget`).
///
/// **First attempts are never blocked**: nothing here is asked for them. Share one budget between all calls to the same
/// backend; the same budget, or one of its own, limits hedges ([`Hedger`](crate::flow::hedge::Hedger)).
///
/// Tokens are counted in whole billionths: the balance doesn't drift, whatever the ratio.
///
/// ```
/// use quillwork_core::flow::retry::{RetryBudget, RetryBudgetConfig};
/// use quillwork_core::time::Instant;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = RetryBudgetConfig { deposit_ratio: 0.5, reserve_per_second: 1, max_saved: 2 };
/// let mut budget = RetryBudget::new(config, Instant::ZERO)?;
/// assert!(budget.try_withdraw(Instant::ZERO).is_ok() && budget.try_withdraw(Instant::ZERO).is_ok());
///
/// let refusal = budget.try_withdraw(Instant::ZERO).unwrap_err();
/// assert_eq!(refusal.earliest, Some(Instant::from_secs(1)));
///
/// budget.handle_success(Instant::ZERO);
/// budget.handle_success(Instant::ZERO);
/// assert!(budget.try_withdraw(Instant::ZERO).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RetryBudget {
    deposit: u64,
    reserve_per_second: u64,
    capacity: u64,
    balance: u64,
    refilled_at: Instant,
    deposits: u64,
    withdrawals: u64,
    refusals: u64,
}

impl RetryBudget {
    /// A full budget.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn new(config: RetryBudgetConfig, now: Instant) -> Result<Self, RetryBudgetConfigError> {
        config.validate()?;
        let capacity = u64::from(config.max_saved) * TOKEN;
        Ok(Self {
            // Seconds to nanoseconds is the same rounding as tokens to billionths.
            deposit: Duration::from_secs_f64(config.deposit_ratio).as_nanos(),
            reserve_per_second: u64::from(config.reserve_per_second),
            capacity,
            balance: capacity,
            refilled_at: now,
            deposits: 0,
            withdrawals: 0,
            refusals: 0,
        })
    }

    /// A call succeeded, at whichever attempt.
    pub fn handle_success(&mut self, now: Instant) {
        self.refill(now);
        self.deposits += 1;
        self.put(self.deposit);
    }

    /// Asks for one retry (or hedge).
    ///
    /// # Errors
    ///
    /// Where less than a token is left. The call's own failure is then what its caller should see.
    pub fn try_withdraw(&mut self, now: Instant) -> Result<(), BudgetExhausted> {
        self.refill(now);
        if let Some(left) = self.balance.checked_sub(TOKEN) {
            self.balance = left;
            self.withdrawals += 1;
            return Ok(());
        }
        self.refusals += 1;
        // Counted from the last refill, which is later than `now` where the clock has gone back.
        let missing = TOKEN - self.balance;
        let earliest = (self.reserve_per_second > 0)
            .then(|| self.refilled_at + Duration::from_nanos(missing.div_ceil(self.reserve_per_second)));
        Err(BudgetExhausted { earliest })
    }

    /// Puts back a token that was withdrawn for a retry that didn't start.
    pub fn refund(&mut self, now: Instant) {
        self.refill(now);
        self.withdrawals = self.withdrawals.saturating_sub(1);
        self.put(TOKEN);
    }

    /// What it has done, and holds `now`.
    #[must_use]
    pub fn metrics(&self, now: Instant) -> RetryBudgetMetrics {
        let balance = self.balance.saturating_add(self.earned(now)).min(self.capacity);
        RetryBudgetMetrics {
            available: whole_tokens(balance),
            capacity: whole_tokens(self.capacity),
            deposits: self.deposits,
            withdrawals: self.withdrawals,
            refusals: self.refusals,
        }
    }

    fn refill(&mut self, now: Instant) {
        self.put(self.earned(now));
        self.refilled_at = self.refilled_at.max(now);
    }

    /// What the reserve has brought since the last refill: a billionth for each nanosecond and token a second.
    fn earned(&self, now: Instant) -> u64 {
        now.duration_since(self.refilled_at).as_nanos().saturating_mul(self.reserve_per_second)
    }

    fn put(&mut self, amount: u64) {
        self.balance = self.balance.saturating_add(amount).min(self.capacity);
    }
}

/// What a [`RetryBudget`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudgetMetrics {
    /// Retries that it would grant now.
    pub available: u32,
    /// The most that it can save up.
    pub capacity: u32,
    /// Successes that were deposited.
    pub deposits: u64,
    /// Retries that were granted, less those that were put back.
    pub withdrawals: u64,
    /// Retries that were refused.
    pub refusals: u64,
}

/// The retries that the successes have earned are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetExhausted {
    /// When the reserve alone will have brought the next token, if there is a reserve. Successes may bring it earlier.
    pub earliest: Option<Instant>,
}

impl fmt::Display for BudgetExhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the retry budget is used up: too large a share of the calls fails")
    }
}

impl Error for BudgetExhausted {}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum RetryBudgetConfigError {
    /// Not a share of 0 to 1.
    DepositRatio {
        /// What was asked for.
        asked: f64,
    },
    /// A bucket that never holds a whole token grants nothing, ever.
    NothingSaved,
}

impl Say for RetryBudgetConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::DepositRatio { asked } => {
                say!(to, "a success earns 0 to 1 of a retry; ", asked, " was asked for")
            }
            Self::NothingSaved => to.write_str(
                "a retry budget must be able to save at least 1 retry; to never retry take a policy of 1 attempt",
            ),
        }
    }
}

displayed!(RetryBudgetConfigError);

impl Error for RetryBudgetConfigError {}

/// Balances are at most a `u32` of tokens.
fn whole_tokens(balance: u64) -> u32 {
    u32::try_from(balance / TOKEN).unwrap_or(u32::MAX)
}

/// One retry, in billionths.
const TOKEN: u64 = 1_000_000_000;
