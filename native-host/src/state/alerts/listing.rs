//! Rules, silences and objectives as the API lists them.

use quillwork_core::alert::notify::{Silence, SilenceRequest};
use quillwork_core::alert::{Comparison, Condition, Direction, Indicator, Level, Matcher, Rule};
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
        self.silences().iter().map(|silence| self.silence_info(now, at, silence)).collect()
    }

    fn silence_info(&self, now: Now, at: quillwork_core::time::Instant, silence: &Silence) -> SilenceInfo {
        let request = &silence.request;
        SilenceInfo {
            id: silence.id.get(),
            matchers: request.matchers.iter().map(matcher_info).collect(),
            starts_unix_millis: self.wall(now, request.starts_at),
            ends_unix_millis: self.wall(now, request.ends_at),
            author: request.author.clone(),
            comment: request.comment.clone(),
            active: silence.is_active(at),
        }
    }

    /// What somebody asks for, on the engine's clock.
    pub(crate) fn silence_request(&self, now: Now, new: NewSilence) -> SilenceRequest {
        let begins = new.starts_unix_millis.unwrap_or(now.unix_millis);
        SilenceRequest {
            matchers: new.matchers.into_iter().map(matcher).collect(),
            starts_at: self.instant(now, begins),
            ends_at: self.instant(now, new.ends_unix_millis),
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
