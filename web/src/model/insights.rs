//! What follows from the history, as an operator reads it: what was concluded, and what could not be.

use quillwork_protocol::insights::{BottleneckInfo, Insights, LimitSign, TrendState};

use super::format::{Unit, span};

/// Conclusions of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// What is said where there are none.
    pub nothing: &'static str,
    /// The conclusions.
    pub items: Vec<Item>,
}

/// A conclusion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The sentence.
    pub text: String,
    /// What to look at first; empty where that goes without saying.
    pub look_first: String,
    /// On what it rests.
    pub evidence: String,
}

/// The conclusions of each kind that was looked at.
pub fn groups(insights: &Insights) -> Vec<Group> {
    let is_missing = |about: &str| insights.missing.iter().any(|missing| missing.about == about);
    let item =
        |text: &str, evidence: String| Item { text: text.to_owned(), look_first: String::new(), evidence };
    let limits = insights.bottlenecks.iter().map(|found| Item {
        text: match &found.source_name {
            Some(name) => format!("{name}: {}", found.summary),
            None => found.summary.clone(),
        },
        look_first: found.look_first.clone(),
        evidence: evidence(found),
    });
    let goes = |state| matches!(state, TrendState::Rising | TrendState::Falling | TrendState::Ended);
    let trends = insights.trends.iter().filter(|trend| goes(trend.state));
    let trends = trends.map(|trend| {
        let seen =
            trend.span_millis.map_or_else(String::new, |millis| format!("from {} of values", span(millis)));
        item(&trend.summary, seen)
    });
    let together = insights.correlations.iter().map(|found| {
        let seen = format!(
            "{} slow seconds of {}; chance alone finds as much with {} at most",
            found.slow_seconds,
            found.seconds,
            Unit::FineRatio.show(found.chance)
        );
        item(&found.summary, seen)
    });
    let workers = insights.capacity.iter().map(|found| {
        let seen = format!(
            "{:.1} tasks a second in the busiest minute, {} each",
            found.arrivals_per_second,
            Unit::Millis.show(found.mean_run_millis)
        );
        item(&format!("{}: {}", found.source_name, found.summary), seen)
    });
    let all = [
        ("bottlenecks", "What limits", "Nothing limits.", limits.collect::<Vec<_>>()),
        ("trends", "Where it goes", "Nothing fills up.", trends.collect()),
        (
            "correlations",
            "What goes with slow seconds",
            "Nothing that chance would not do.",
            together.collect(),
        ),
        ("capacity", "Workers", "No advice.", workers.collect()),
    ];
    all.into_iter()
        .filter(|(about, _, _, items)| !items.is_empty() || !is_missing(about))
        .map(|(_, title, nothing, items)| Group { title, nothing, items })
        .collect()
}

/// What could not be looked at, and why: whole kinds, and disks that were not measured for long enough.
pub fn missing(insights: &Insights) -> Vec<String> {
    let kinds = insights.missing.iter().map(|missing| missing.reason.clone());
    let short = insights.trends.iter().filter(|trend| trend.state == TrendState::TooFew);
    kinds.chain(short.map(|trend| trend.summary.clone())).collect()
}

fn evidence(found: &BottleneckInfo) -> String {
    let sign = match found.sign {
        LimitSign::Saturation => "work waited",
        LimitSign::Utilisation => "always in use",
        LimitSign::Errors => "errors",
    };
    format!(
        "{sign} for {} of {}, {} sure",
        span(found.over_millis),
        span(found.measured_millis),
        Unit::Ratio.show(found.confidence)
    )
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::insights::{LimitKind, MissingInfo, TrendInfo};

    use super::*;

    fn trend(state: TrendState) -> TrendInfo {
        TrendInfo {
            series: "host.disk.used{mount=\"/\"}".into(),
            subject: "/".into(),
            state,
            summary: "Disk / is full in 3 days.".into(),
            level_ratio: Some(0.9),
            per_hour_ratio: None,
            lowest_per_hour_ratio: None,
            highest_per_hour_ratio: None,
            span_millis: Some(7_200_000),
            full: None,
        }
    }

    fn missing_info(about: &str) -> MissingInfo {
        MissingInfo { about: about.into(), reason: format!("no {about}") }
    }

    #[test]
    fn what_was_looked_at_and_found_nothing_says_so_and_the_rest_is_not_shown() {
        let insights = Insights {
            missing: vec![missing_info("capacity"), missing_info("correlations")],
            ..Insights::default()
        };
        let titles: Vec<_> = groups(&insights).iter().map(|group| group.title).collect();
        assert_eq!(titles, ["What limits", "Where it goes"]);
        assert_eq!(missing(&insights), ["no capacity", "no correlations"]);
    }

    #[test]
    fn a_limit_says_where_to_look_and_how_sure_it_is() {
        let found = BottleneckInfo {
            resource: LimitKind::Queue,
            subject: String::new(),
            source: Some("a1".into()),
            source_name: Some("Studio".into()),
            sign: LimitSign::Saturation,
            summary: "The workers limited.".into(),
            look_first: "the slowest task type".into(),
            over_millis: 60_000,
            measured_millis: 900_000,
            windows: 1,
            window_millis: 900_000,
            first_unix_millis: 0,
            last_unix_millis: 1,
            threshold: 0.2,
            median: 1.0,
            unit: "ratio".into(),
            confidence: 0.95,
        };
        let groups = groups(&Insights { bottlenecks: vec![found], ..Insights::default() });
        let item = &groups[0].items[0];
        assert_eq!(item.text, "Studio: The workers limited.");
        assert_eq!(item.look_first, "the slowest task type");
        assert_eq!(item.evidence.replace('\u{a0}', " "), "work waited for 1 min of 15 min, 95 % sure");
    }

    #[test]
    fn a_trend_is_told_and_one_that_was_not_measured_for_long_is_named() {
        let insights = Insights {
            trends: vec![trend(TrendState::Rising), trend(TrendState::None)],
            ..Insights::default()
        };
        assert_eq!(groups(&insights)[1].items.len(), 1);
        let short = Insights { trends: vec![trend(TrendState::TooFew)], ..Insights::default() };
        assert_eq!((groups(&short)[1].items.len(), missing(&short).len()), (0, 1));
    }
}
