//! What a subscriber wants, checked.

use quillwork_core::time::Duration;
use quillwork_protocol::topic::{
    Encoding, LONGEST_INTERVAL_MILLIS, MOST_SELECTORS, SHORTEST_INTERVAL_MILLIS, Subscription, Topic,
};
use quillwork_store::series::SeriesKey;

/// A subscription that can be served. Equal ones are told the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    topics: Vec<Topic>,
    series: Vec<SeriesKey>,
    interval_millis: u32,
    encoding: Encoding,
}

/// A subscription that can't be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidSubscription {
    #[error("a subscription needs a topic (host, pages, alerts, processes or annotations) or a series")]
    Empty,
    #[error(
        "the interval must be from {SHORTEST_INTERVAL_MILLIS} to {LONGEST_INTERVAL_MILLIS} milliseconds, not {0}"
    )]
    Interval(u32),
    #[error("{text:?} is no series: {reason}")]
    Series { text: String, reason: String },
    #[error(
        "a subscription may have {MOST_SELECTORS} series, not {0}; leave labels out to select several by one"
    )]
    TooManySeries(usize),
}

impl Selection {
    /// Checks a subscription. The order of topics doesn't matter, nor that one is named twice.
    pub(crate) fn new(subscription: Subscription) -> Result<Self, InvalidSubscription> {
        let Subscription { mut topics, series: texts, interval_millis, encoding } = subscription;
        if topics.is_empty() && texts.is_empty() {
            return Err(InvalidSubscription::Empty);
        }
        if texts.len() > MOST_SELECTORS {
            return Err(InvalidSubscription::TooManySeries(texts.len()));
        }
        let mut series = Vec::with_capacity(texts.len());
        for text in texts {
            match text.parse::<SeriesKey>() {
                Ok(key) => series.push(key),
                Err(malformed) => {
                    return Err(InvalidSubscription::Series { text, reason: malformed.to_string() });
                }
            }
        }
        series.sort_unstable();
        series.dedup();
        topics.sort_unstable();
        topics.dedup();
        let interval_millis = interval_millis.unwrap_or(SHORTEST_INTERVAL_MILLIS);
        if !(SHORTEST_INTERVAL_MILLIS..=LONGEST_INTERVAL_MILLIS).contains(&interval_millis) {
            return Err(InvalidSubscription::Interval(interval_millis));
        }
        Ok(Self { topics, series, interval_millis, encoding })
    }

    pub(super) fn has(&self, topic: Topic) -> bool {
        self.topics.contains(&topic)
    }

    pub(super) fn has_series(&self) -> bool {
        !self.series.is_empty()
    }

    /// Whether a series is one of the selected: its name, and all labels that the selector has.
    pub(super) fn picks(&self, series: &SeriesKey) -> bool {
        self.series.iter().any(|wanted| {
            let has = |(label, value): &(String, String)| series.label(label) == Some(value);
            wanted.name() == series.name() && wanted.labels().iter().all(has)
        })
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
    fn a_selector_picks_what_has_its_name_and_labels() {
        let series = vec!["a{x=\"1\"}".to_owned(), "b".to_owned()];
        let selection = Selection::new(Subscription { series, ..Subscription::default() }).unwrap();
        let picks = |text: &str| selection.picks(&text.parse().unwrap());
        assert!(picks("a{x=\"1\"}") && picks("a{x=\"1\",y=\"2\"}") && picks("b") && picks("b{x=\"3\"}"));
        assert!(!picks("a") && !picks("a{x=\"2\"}") && !picks("c{x=\"1\"}"));
    }

    #[test]
    fn what_can_not_be_served_is_said() {
        for (series, word) in [(vec!["a{".to_owned()], "no series"), (vec!["a".to_owned(); 65], "64")] {
            let refused = Selection::new(Subscription { series, ..Subscription::default() }).unwrap_err();
            assert!(refused.to_string().contains(word), "{refused}");
        }
        assert_eq!(Selection::new(subscription(&[], None)), Err(InvalidSubscription::Empty));
        for interval in [0, 999, 60_001] {
            let refused = Selection::new(subscription(&[Topic::Host], Some(interval)));
            assert_eq!(refused, Err(InvalidSubscription::Interval(interval)));
        }
    }
}
