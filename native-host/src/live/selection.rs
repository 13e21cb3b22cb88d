//! What a subscriber wants, checked.

use quillwork_core::time::Duration;
use quillwork_protocol::topic::{
    Encoding, LONGEST_INTERVAL_MILLIS, SHORTEST_INTERVAL_MILLIS, Subscription, Topic,
};

/// A subscription that can be served. Equal ones are told the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    topics: Vec<Topic>,
    interval_millis: u32,
    encoding: Encoding,
}

/// A subscription that can't be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSubscription {
    #[error("a subscription needs a topic: host, pages, alerts or processes")]
    Empty,
    #[error(
        "the interval must be from {SHORTEST_INTERVAL_MILLIS} to {LONGEST_INTERVAL_MILLIS} milliseconds, not {0}"
    )]
    Interval(u32),
}

impl Selection {
    /// Checks a subscription. The order of topics doesn't matter, nor that one is named twice.
    pub(crate) fn new(subscription: Subscription) -> Result<Self, InvalidSubscription> {
        let Subscription { mut topics, interval_millis, encoding } = subscription;
        if topics.is_empty() {
            return Err(InvalidSubscription::Empty);
        }
        topics.sort_unstable();
        topics.dedup();
        let interval_millis = interval_millis.unwrap_or(SHORTEST_INTERVAL_MILLIS);
        if !(SHORTEST_INTERVAL_MILLIS..=LONGEST_INTERVAL_MILLIS).contains(&interval_millis) {
            return Err(InvalidSubscription::Interval(interval_millis));
        }
        Ok(Self { topics, interval_millis, encoding })
    }

    pub(super) fn has(&self, topic: Topic) -> bool {
        self.topics.contains(&topic)
    }

    /// Least time between two updates; none where each tick is wanted.
    pub(super) fn interval(&self) -> Option<Duration> {
        (self.interval_millis > SHORTEST_INTERVAL_MILLIS)
            .then(|| Duration::from_millis(u64::from(self.interval_millis)))
    }

    pub(super) fn encoding(&self) -> Encoding {
        self.encoding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(topics: &[Topic], interval_millis: Option<u32>) -> Subscription {
        Subscription { topics: topics.to_vec(), interval_millis, ..Subscription::default() }
    }

    #[test]
    fn the_same_wishes_are_the_same_selection() {
        let one = Selection::new(subscription(&[Topic::Pages, Topic::Host], None)).unwrap();
        let other =
            Selection::new(subscription(&[Topic::Host, Topic::Pages, Topic::Host], Some(1_000))).unwrap();
        assert_eq!(one, other);
        assert!(one.has(Topic::Host) && !one.has(Topic::Alerts));
    }

    #[test]
    fn what_can_not_be_served_is_said() {
        assert_eq!(Selection::new(subscription(&[], None)), Err(InvalidSubscription::Empty));
        for interval in [0, 999, 60_001] {
            let refused = Selection::new(subscription(&[Topic::Host], Some(interval)));
            assert_eq!(refused, Err(InvalidSubscription::Interval(interval)));
        }
    }
}
