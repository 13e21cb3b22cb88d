//! Rules, silences and objectives as the API lists them.

use quillwork_core::alert::notify::{Silence, SilenceRequest};
use quillwork_core::alert::{Comparison, Condition, Direction, Indicator, Level, Matcher, Rule};
use quillwork_core::time::Instant;
use quillwork_protocol::alert::{
    LevelInfo, MatcherInfo, MatcherKind, NewSilence, ObjectiveInfo, RuleInfo, SilenceInfo,
};

use super::Alerts;
use crate::clock::Now;

impl Alerts {
    pub(crate) fn rules(&self) -> Vec<RuleInfo> {
        self.engine.rules().iter().map(rule_info).collect()
    }

    pub(crate) fn objectives(&self, now: Now) -> Vec<ObjectiveInfo> {
        let at = self.at(now.monotonic);
        let budgets = self.engine.budgets(at).map(|(id, labels, budget)| {
            let rule = self.engine.rule(id);
            let Condition::BurnRate(slo) = &rule.condition else {
                unreachable!("only objectives have budgets")
            };
            ObjectiveInfo {
                rule: rule.name.to_string(),
                labels: labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
                objective: slo.objective,
                period_millis: slo.period.as_millis(),
                attained: budget.attained,
                budget_left: budget.left,
                events: budget.events,
                bad_events: budget.bad_events,
                observed_millis: budget.observed.as_millis(),
                burn_rate_1h: budget.burn_rate_1h,
            }
        });
        budgets.collect()
    }

    pub(crate) fn silence_infos(&self, now: Now) -> Vec<SilenceInfo> {
        let at = self.at(now.monotonic);
        self.silences().iter().map(|silence| self.silence_info(at, silence)).collect()
    }

    fn silence_info(&self, at: Instant, silence: &Silence) -> SilenceInfo {
        let request = &silence.request;
        SilenceInfo {
            id: silence.id.get(),
            matchers: request.matchers.iter().map(matcher_info).collect(),
            starts_unix_millis: self.wall(request.starts_at),
            ends_unix_millis: self.wall(request.ends_at),
            author: request.author.clone(),
            comment: request.comment.clone(),
            active: silence.is_active(at),
        }
    }

    /// What somebody asks for, on the engine's clock.
    pub(crate) fn silence_request(&mut self, now: Now, new: NewSilence) -> SilenceRequest {
        self.follow_wall_clock(now);
        let here = Instant::from_millis(self.at(now.monotonic).as_millis());
        SilenceRequest {
            matchers: new.matchers.into_iter().map(matcher).collect(),
            starts_at: new.starts_unix_millis.map_or(here, |starts| self.instant(starts)),
            ends_at: self.instant(new.ends_unix_millis),
            author: new.author,
            comment: new.comment,
        }
    }
}

fn rule_info(rule: &Rule) -> RuleInfo {
    let level = |level: Option<Level>| {
        level.map(|level| LevelInfo {
            threshold: level.threshold,
            clear: level.clear,
            for_millis: level.for_duration.as_millis(),
        })
    };
    RuleInfo {
        name: rule.name.to_string(),
        condition: condition_name(&rule.condition).to_owned(),
        series: series_of(&rule.condition),
        unit: rule.unit.as_str().to_owned(),
        direction: match rule.direction {
            Direction::Above => "above",
            Direction::Below => "below",
        }
        .to_owned(),
        warning: level(rule.warning),
        critical: level(rule.critical),
        keep_firing_millis: rule.keep_firing.as_millis(),
        stale_after_millis: rule.stale_after.as_millis(),
        notify: rule.notify,
        look_first: rule.look_first.clone(),
    }
}

fn condition_name(condition: &Condition) -> &'static str {
    match condition {
        Condition::Value(_) => "value",
        Condition::Mean { .. } => "mean",
        Condition::Sum { .. } => "sum",
        Condition::Change { .. } => "change",
        Condition::TimeToReach { .. } => "time-to-reach",
        Condition::Quantile { .. } => "quantile",
        Condition::Ratio { .. } => "ratio",
        Condition::Absent(_) => "absent",
        Condition::All { .. } => "all",
        Condition::Any { .. } => "any",
        Condition::BurnRate(_) => "objective",
    }
}

fn series_of(condition: &Condition) -> Vec<String> {
    match condition {
        Condition::Value(of) | Condition::Absent(of) => vec![of.name.clone()],
        Condition::Mean { of, .. }
        | Condition::Sum { of, .. }
        | Condition::Change { of, .. }
        | Condition::TimeToReach { of, .. }
        | Condition::Quantile { of, .. } => vec![of.name.clone()],
        Condition::Ratio { part, total, .. } => vec![part.name.clone(), total.name.clone()],
        Condition::All { of, .. } | Condition::Any { of, .. } => of.clone(),
        Condition::BurnRate(slo) => match &slo.indicator {
            Indicator::Events { bad, total } => vec![bad.name.clone(), total.name.clone()],
            Indicator::Samples { of, .. } => vec![of.name.clone()],
        },
    }
}

fn matcher_info(matcher: &Matcher) -> MatcherInfo {
    MatcherInfo {
        label: matcher.label.clone(),
        kind: match matcher.comparison {
            Comparison::Is => MatcherKind::Is,
            Comparison::IsNot => MatcherKind::IsNot,
            Comparison::Like => MatcherKind::Like,
            Comparison::NotLike => MatcherKind::NotLike,
        },
        value: matcher.value.clone(),
    }
}

fn matcher(info: MatcherInfo) -> Matcher {
    Matcher {
        label: info.label,
        comparison: match info.kind {
            MatcherKind::Is => Comparison::Is,
            MatcherKind::IsNot => Comparison::IsNot,
            MatcherKind::Like => Comparison::Like,
            MatcherKind::NotLike => Comparison::NotLike,
        },
        value: info.value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIX_MILLIS: u64 = 1_800_000_000_000;

    /// So many microseconds after the start. The two clocks turn to the next millisecond at different times.
    fn after(micros: u64, set_by_millis: u64) -> Now {
        Now {
            monotonic: Instant::from_nanos(7_200_000_000_000 + 250_000 + micros * 1_000),
            unix_millis: UNIX_MILLIS + (700 + micros) / 1_000 + set_by_millis,
        }
    }

    fn silence(starts: Option<u64>, ends: u64) -> NewSilence {
        let host = MatcherInfo { label: "alertname".into(), kind: MatcherKind::Like, value: "host-*".into() };
        NewSilence {
            matchers: vec![host],
            starts_unix_millis: starts,
            ends_unix_millis: ends,
            author: "kim".into(),
            comment: "load test".into(),
        }
    }

    fn times(alerts: &Alerts, now: Now) -> Vec<(u64, u64)> {
        let infos = alerts.silence_infos(now);
        infos.iter().map(|info| (info.starts_unix_millis, info.ends_unix_millis)).collect()
    }

    #[test]
    fn a_silence_has_the_times_that_were_asked_for_however_often_it_is_listed() {
        let mut alerts = Alerts::new(after(0, 0));
        let at = after(5_400, 0);
        let asked = (UNIX_MILLIS + 7_123, UNIX_MILLIS + 60_456);
        for new in [silence(Some(asked.0), asked.1), silence(None, asked.1)] {
            let request = alerts.silence_request(at, new);
            alerts.silence(at, request).unwrap();
        }
        let infos = alerts.silence_infos(at);
        assert!(infos[1].active && infos[1].starts_unix_millis.abs_diff(at.unix_millis) <= 1);
        let first = times(&alerts, at);
        assert_eq!((first[0], first[1].1), (asked, asked.1));
        for micros in (5_400..2_000_000).step_by(1_900) {
            alerts.handle_deadline(after(micros, 0));
            assert_eq!(times(&alerts, after(micros, 0)), first, "after {micros} µs");
        }
    }

    #[test]
    fn a_wall_clock_that_is_set_is_followed() {
        let mut alerts = Alerts::new(after(0, 0));
        let request = alerts.silence_request(after(0, 0), silence(None, UNIX_MILLIS + 60_000));
        alerts.silence(after(0, 0), request).unwrap();
        let later = after(1_000_000, 3_600_000);
        alerts.handle_deadline(later);
        assert_eq!(
            times(&alerts, later)[0].1.abs_diff(UNIX_MILLIS + 60_000 + 3_600_000),
            0,
            "it lasts as long"
        );
        let ends = later.unix_millis + 60_000;
        let request = alerts.silence_request(later, silence(None, ends));
        alerts.silence(later, request).unwrap();
        assert_eq!(times(&alerts, later)[1].1, ends);
    }
}
