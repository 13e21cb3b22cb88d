//! The layers that all calls of a stack share.

use super::config::{ConcurrencyLayer, PolicyConfig, PolicyConfigError, RateLayer};
use super::table::Place;
use super::types::CallError;
use crate::flow::adaptive_limit::{AdaptiveLimit, CallEnd};
use crate::flow::breaker::Breaker;
use crate::flow::bulkhead::{Admission, Bulkhead};
use crate::flow::hedge::Hedger;
use crate::flow::rate_limit::{RateLimit, RateLimiter, RateMark, Refusal, Reservation};
use crate::flow::retry::RetryBudget;
use crate::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Layers {
    pub(super) budget: Option<RetryBudget>,
    pub(super) breaker: Option<Breaker>,
    pub(super) hedger: Option<Hedger>,
    pub(super) rate: Option<Turns>,
    pub(super) concurrency: Concurrency,
}

#[derive(Debug)]
pub(super) struct Turns {
    limit: RateLimit,
    max_wait: Duration,
}

#[derive(Debug)]
pub(super) enum Concurrency {
    Unlimited,
    Bulkhead(Bulkhead),
    Adaptive(AdaptiveLimit),
}

/// Where an attempt stands at the concurrency layer.
pub(super) enum Entered {
    Runs(Place),
    Queued(Place),
}

impl Layers {
    pub(super) fn new(config: &PolicyConfig, now: Instant) -> Result<Self, PolicyConfigError> {
        use PolicyConfigError as Wrong;
        Ok(Self {
            budget: config
                .retry_budget
                .map(|budget| RetryBudget::new(budget, now))
                .transpose()
                .map_err(Wrong::RetryBudget)?,
            breaker: config.breaker.map(Breaker::new).transpose().map_err(Wrong::Breaker)?,
            hedger: config.hedge.map(|hedge| Hedger::new(hedge, now)).transpose().map_err(Wrong::Hedge)?,
            rate: config.rate.map(Turns::new),
            concurrency: match config.concurrency {
                ConcurrencyLayer::Unlimited => Concurrency::Unlimited,
                ConcurrencyLayer::Bulkhead(bulkhead) => {
                    Concurrency::Bulkhead(Bulkhead::new(bulkhead).map_err(Wrong::Bulkhead)?)
                }
                ConcurrencyLayer::Adaptive(adaptive) => {
                    Concurrency::Adaptive(AdaptiveLimit::new(adaptive).map_err(Wrong::Adaptive)?)
                }
            },
        })
    }
}

impl Turns {
    fn new(layer: RateLayer) -> Self {
        Self { limit: RateLimit::new(layer.rate), max_wait: layer.max_wait }
    }

    pub(super) fn reserve(&mut self, now: Instant, may_wait: bool) -> Result<Reservation<RateMark>, Refusal> {
        self.limit.reserve(now, 1, if may_wait { self.max_wait } else { Duration::ZERO })
    }

    pub(super) fn cancel(&mut self, now: Instant, turn: Reservation<RateMark>) {
        self.limit.cancel(now, turn);
    }
}

impl Concurrency {
    pub(super) fn enter(&mut self, now: Instant, may_wait: bool) -> Result<Entered, CallError> {
        match self {
            Self::Unlimited => Ok(Entered::Runs(Place::None)),
            Self::Adaptive(limit) => limit
                .try_acquire()
                .map(|slot| Entered::Runs(Place::Adaptive(slot)))
                .map_err(CallError::LimitReached),
            Self::Bulkhead(bulkhead) => match bulkhead.handle_enter(now).map_err(CallError::BulkheadFull)? {
                Admission::Started(ticket) => Ok(Entered::Runs(Place::Bulkhead(ticket))),
                Admission::Queued(ticket) if may_wait => Ok(Entered::Queued(Place::Bulkhead(ticket))),
                Admission::Queued(ticket) => {
                    let _dequeued = bulkhead.handle_abort(now, ticket);
                    Err(CallError::WaitedTooLong)
                }
            },
        }
    }

    /// The attempt is of no more use to its call: it was cancelled or timed out. The adaptive limit has then learned what
    /// it can; a bulkhead's place stays taken until the work has really ended.
    pub(super) fn give_up(&mut self, now: Instant, place: Place, end: CallEnd, ran: Duration) -> Place {
        match (self, place) {
            (Self::Adaptive(limit), Place::Adaptive(slot)) => {
                limit.record(now, slot, end, ran);
                Place::None
            }
            (_, place) => place,
        }
    }

    /// The attempt has really ended.
    pub(super) fn leave(&mut self, now: Instant, place: Place, end: CallEnd, ran: Duration) {
        match (self, place) {
            (Self::Adaptive(limit), Place::Adaptive(slot)) => limit.record(now, slot, end, ran),
            (Self::Bulkhead(bulkhead), Place::Bulkhead(ticket)) => bulkhead.handle_leave(now, ticket),
            (_, Place::None) => {}
            (_, Place::Adaptive(_) | Place::Bulkhead(_)) => {
                unreachable!("a place is given back to the layer that gave it")
            }
        }
    }
}
