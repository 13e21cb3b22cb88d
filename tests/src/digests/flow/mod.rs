//! Flow control: each part under its own kind of traffic.

pub(super) mod adaptive_limit;
pub(super) mod batch;
pub(super) mod breaker;
pub(super) mod bulkhead;
pub(super) mod debounce;
pub(super) mod executor;
pub(super) mod hedge;
pub(super) mod policy;
pub(super) mod rate_limit;
pub(super) mod retry;
pub(super) mod timeout;
