//! Who asks: clients by their address, and what one of them may take of the host.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use quillwork_core::flow::rate_limit::{Gcra, Keyed, Quota, Refusal};
use quillwork_core::time::{Duration, Instant};

use crate::api::problem::{Kind, Problem};
use crate::clock::Clock;
use crate::limits::Limits;

/// Whom the host counts as one: an address, in IPv6 the network that one subscriber has (/64, RFC 6177).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Client(IpAddr);

impl From<IpAddr> for Client {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                let [a, b, c, d, ..] = address.segments();
                Self(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)))
            }
            address => Self(address),
        }
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How many connections each client has.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    open: Mutex<HashMap<Client, usize>>,
}

/// A connection of a client; it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    client: Client,
    connections: Arc<Connections>,
}

impl Connections {
    /// Each client may have so many.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    /// Counts one more, unless the client has as many as it may.
    pub(crate) fn take(self: &Arc<Self>, client: Client) -> Option<Counted> {
        let mut open = lock(&self.open);
        let count = open.entry(client).or_insert(0);
        // There is an entry only while there is a connection, and a client that is refused has some.
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Counted { client, connections: Arc::clone(self) })
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut open = lock(&self.connections.open);
        if let Some(count) = open.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.client);
            }
        }
    }
}

/// How often each client may ask.
#[derive(Debug)]
pub(crate) struct Rates {
    clock: Clock,
    /// Addresses are chosen by strangers: the hash is by a secret seed.
    hash: RandomState,
    by_client: Mutex<Keyed<u64, Gcra>>,
    policy: HeaderValue,
}

/// Clients whose rate is remembered. At the bound the one that asked least gives way.
const CLIENTS: NonZeroU32 = NonZeroU32::new(16_384).expect("not zero");

impl Rates {
    pub(crate) fn new(limits: &Limits) -> Self {
        let (rate, burst) = (limits.requests_per_second, limits.request_burst);
        let quota = Quota::per_second(rate)
            .and_then(|quota| quota.with_burst(burst))
            .expect("the configuration lets no zero and nothing beyond a nanosecond's share through");
        // So much at once, and again after the time in which all of it comes back.
        let policy = format!("\"client\";q={burst};w={}", burst.div_ceil(rate));
        Self {
            clock: Clock::start(),
            hash: RandomState::new(),
            by_client: Mutex::new(Keyed::new(Gcra::new(quota), CLIENTS)),
            policy: HeaderValue::try_from(policy).expect("digits and punctuation"),
        }
    }

    /// Counts a request: how many more may come at once, or when the next may come.
    fn count(&self, now: Instant, client: Client) -> Result<u32, Duration> {
        let key = self.hash.hash_one(client);
        let mut rates = lock(&self.by_client);
        match rates.check(now, key, 1) {
            Ok(()) => Ok(rates.limiter(key).available(now)),
            Err(Refusal::NotUntil { earliest }) => Err(earliest.duration_since(now)),
            Err(_) => Err(Duration::from_secs(1)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Refuses what comes faster than a client may ask, and tells all others how much there is left (RateLimit header fields
/// for HTTP, draft 10).
pub(crate) async fn paced(State(rates): State<Arc<Rates>>, request: Request, next: Next) -> Response {
    // What asks without a connection is a test or the host itself.
    let Some(client) = request.extensions().get::<Client>().copied() else { return next.run(request).await };
    let (mut response, state) = match rates.count(rates.clock.now().monotonic, client) {
        Ok(left) => (next.run(request).await, format!("\"client\";r={left}")),
        Err(wait) => {
            let seconds = wait.as_nanos().div_ceil(1_000_000_000).max(1);
            let detail = format!(
                "more requests than a client may send; go on in {seconds} s. Where all of this is wanted, raise \
                 limits.requests_per_second"
            );
            let retry = HeaderValue::from(seconds);
            let problem = Problem::new(Kind::TooManyRequests, detail).with_header(header::RETRY_AFTER, retry);
            (problem.into_response(), format!("\"client\";r=0;t={seconds}"))
        }
    };
    let headers = response.headers_mut();
    headers.insert(POLICY, rates.policy.clone());
    headers.insert(STATE, HeaderValue::try_from(state).expect("digits and punctuation"));
    response
}

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        Client::from(text.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn one_subscriber_is_one_client_however_many_addresses_it_has() {
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff::9"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_eq!(client("::ffff:192.0.2.1"), client("192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }

    #[test]
    fn a_client_has_its_burst_and_then_its_rate() {
        let rates = Rates::new(&Limits { requests_per_second: 10, request_burst: 3, ..Limits::default() });
        let (one, other) = (client("192.0.2.1"), client("192.0.2.2"));
        let start = Instant::from_secs(10);
        assert_eq!([0; 3].map(|_| rates.count(start, one)), [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(rates.count(start, one), Err(Duration::from_millis(100)));
        assert_eq!(rates.count(start, other), Ok(2), "others don't pay for it");
        assert_eq!(rates.count(start + Duration::from_millis(100), one), Ok(0));
    }

    #[test]
    fn a_connection_that_ends_makes_room_and_leaves_nothing_behind() {
        let connections = Connections::new(2);
        let one = client("192.0.2.1");
        let (first, second) = (connections.take(one).unwrap(), connections.take(one).unwrap());
        assert!(connections.take(one).is_none());
        assert!(connections.take(client("192.0.2.2")).is_some());
        drop(first);
        let third = connections.take(one).unwrap();
        drop((second, third));
        assert!(lock(&connections.open).is_empty());
    }
}
