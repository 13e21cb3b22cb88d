//! From what is written to what core watches.

use quillwork_core::alert::notify::{Heartbeat, Inhibition, Maintenance, Route, Settings};
use quillwork_core::alert::{
    Condition, Culprit, Direction, Indicator, Level, Rule, Slo, Unit, default_rules,
};
use quillwork_core::time::Duration;

use super::RuleSet;
use super::file::{
    Amount, ConditionName, CulpritName, DayName, DirectionName, LevelTable, MaintenanceTable, RouteTable,
    RuleTable, RulesFile,
};
use super::local_time::LocalTime;
use super::text::{duration, matchers, minute, offset, selector};

/// What is wrong: with what of which name, and what to do.
type Wrong = (Option<String>, String);

pub(super) fn rule_set(file: RulesFile, receivers: &[String]) -> Result<RuleSet, Wrong> {
    let mut rules = if file.defaults { default_rules() } else { Vec::new() };
    for name in &file.disable {
        if !default_rules().iter().any(|rule| *rule.name == **name) {
            return Err((
                None,
                format!("disable: no rule {name:?} ships; `quillwork rules list` names those that do"),
            ));
        }
        rules.retain(|rule| *rule.name != **name);
    }
    for table in file.rule {
        let name = table.name.clone();
        let rule =
            rule(table).map_err(|message| (Some(name.clone()), format!("rule {name:?}: {message}")))?;
        match rules.iter_mut().find(|known| known.name == rule.name) {
            Some(known) if default_rules().iter().any(|default| default.name == rule.name) => *known = rule,
            _ => rules.push(rule),
        }
    }
    let known = |receiver: &String| {
        if receivers.contains(receiver) {
            return Ok(());
        }
        let there_are = if receivers.is_empty() { "none".to_owned() } else { receivers.join(", ") };
        let message = format!(
            "receiver {receiver:?} is no channel of the configuration; add [notify.{receiver}] to quillwork.toml \
             (there are: {there_are})"
        );
        Err((Some(receiver.clone()), message))
    };
    let mut settings = Settings::default();
    for table in file.route {
        known(&table.receiver)?;
        let name = table.receiver.clone();
        let route =
            route(table).map_err(|message| (Some(name.clone()), format!("route to {name:?}: {message}")))?;
        settings.routes.push(route);
    }
    if settings.routes.is_empty() {
        settings.routes = receivers.iter().map(|receiver| Route::new(receiver)).collect();
    }
    settings.inhibitions.extend(file.inhibit.into_iter().map(|table| Inhibition {
        source: matchers(&table.source),
        target: matchers(&table.target),
        equal: table.equal,
    }));
    for table in file.maintenance {
        let name = table.name.clone();
        let window = maintenance(table)
            .map_err(|message| (Some(name.clone()), format!("maintenance {name:?}: {message}")))?;
        settings.maintenance.push(window);
    }
    for table in file.heartbeat {
        known(&table.receiver)?;
        let interval =
            duration(&table.interval).map_err(|message| (Some(table.receiver.clone()), message))?;
        settings.heartbeats.push(Heartbeat { receiver: table.receiver.as_str().into(), interval });
    }
    let flood = file.flood;
    let time = |text: Option<String>, usual| text.map_or(Ok(usual), |text| duration(&text));
    let at_flood = |message: String| (None, format!("flood: {message}"));
    settings.rate.burst = flood.burst.unwrap_or(settings.rate.burst);
    settings.rate.every = time(flood.every, settings.rate.every).map_err(at_flood)?;
    settings.alerts_per_rule = flood.alerts_per_rule.unwrap_or(settings.alerts_per_rule);
    settings.flapping.begins = flood.flapping_begins.unwrap_or(settings.flapping.begins).min(100);
    settings.flapping.within = time(flood.flapping_within, settings.flapping.within).map_err(at_flood)?;
    settings.flapping.hold = time(flood.flapping_hold, settings.flapping.hold).map_err(at_flood)?;
    Ok(RuleSet { rules, settings })
}

fn rule(table: RuleTable) -> Result<Rule, String> {
    // A rule that ships is the beginning of its replacement: who changes a threshold need not know the rest.
    if table.condition == ConditionName::Value && table.series.is_none() {
        let shipped = default_rules().into_iter().find(|rule| *rule.name == *table.name);
        let shipped = shipped.ok_or_else(|| missing("series"))?;
        return refined(shipped, &table);
    }
    let unit = unit(&table)?;
    let direction = direction(table.direction).unwrap_or(Direction::Above);
    let rule = match table.condition {
        ConditionName::Objective => Rule::objective(&table.name, objective(&table)?),
        _ => Rule::new(&table.name, condition(&table)?, unit, direction),
    };
    refined(rule, &table)
}

fn refined(mut rule: Rule, table: &RuleTable) -> Result<Rule, String> {
    let set = |to: &mut Duration, text: &Option<String>| {
        text.as_ref().map_or(Ok(()), |text| duration(text).map(|value| *to = value))
    };
    if let Some(level) = &table.warning {
        rule.warning = Some(self::level(level, rule.unit)?);
    }
    if let Some(level) = &table.critical {
        rule.critical = Some(self::level(level, rule.unit)?);
    }
    if let Some(given) = direction(table.direction) {
        rule.direction = given;
    }
    set(&mut rule.keep_firing, &table.keep_firing)?;
    set(&mut rule.stale_after, &table.stale_after)?;
    set(&mut rule.warm_up, &table.warm_up)?;
    rule.min_count = table.min_count.unwrap_or(rule.min_count);
    rule.notify = table.notify.unwrap_or(rule.notify);
    if let Some(text) = &table.look_first {
        rule.look_first.clone_from(text);
    }
    rule.culprit = match table.culprit {
        None => rule.culprit,
        Some(CulpritName::Labels) => Culprit::Labels,
        Some(CulpritName::ProcessByCpu) => Culprit::ProcessByCpu,
        Some(CulpritName::ProcessByMemory) => Culprit::ProcessByMemory,
        Some(CulpritName::TaskType) => Culprit::TaskType,
        Some(CulpritName::Worker) => Culprit::Worker,
    };
    Ok(rule)
}

fn unit(table: &RuleTable) -> Result<Unit, String> {
    let is_time = matches!(table.condition, ConditionName::TimeToReach | ConditionName::Absent);
    let Some(name) = &table.unit else {
        return Ok(if is_time { Unit::Millis } else { Unit::Count });
    };
    let all = || Unit::ALL.map(Unit::as_str).join(", ");
    Unit::ALL
        .into_iter()
        .find(|unit| unit.as_str() == name)
        .ok_or_else(|| format!("unit {name:?} isn't known; write one of {}", all()))
}

fn direction(name: Option<DirectionName>) -> Option<Direction> {
    name.map(|name| match name {
        DirectionName::Above => Direction::Above,
        DirectionName::Below => Direction::Below,
    })
}

fn level(table: &LevelTable, unit: Unit) -> Result<Level, String> {
    let amount = |amount: &Amount| match amount {
        Amount::Number(number) => Ok(*number),
        Amount::Text(text) if unit == Unit::Millis => duration(text).map(Duration::as_millis_f64),
        Amount::Text(text) => Err(format!("{text:?}: write a number; durations are for the unit millis")),
    };
    let threshold = amount(&table.threshold)?;
    let clear = table.clear.as_ref().map_or(Ok(threshold), amount)?;
    let for_duration = table.r#for.as_deref().map_or(Ok(Duration::ZERO), duration)?;
    Ok(Level { threshold, clear, for_duration })
}

fn missing(field: &str) -> String {
    format!("it needs `{field}`")
}

fn condition(table: &RuleTable) -> Result<Condition, String> {
    let series = || selector(table.series.as_deref().ok_or_else(|| missing("series"))?);
    let window = || duration(table.window.as_deref().ok_or_else(|| missing("window"))?);
    let members = || table.of.clone().ok_or_else(|| missing("of"));
    let by = || table.by.clone().unwrap_or_default();
    Ok(match table.condition {
        ConditionName::Value => Condition::Value(series()?),
        ConditionName::Absent => Condition::Absent(series()?),
        ConditionName::Mean => Condition::Mean { of: series()?, window: window()? },
        ConditionName::Sum => Condition::Sum { of: series()?, window: window()? },
        ConditionName::Change => Condition::Change { of: series()?, window: window()? },
        ConditionName::TimeToReach => Condition::TimeToReach {
            of: series()?,
            limit: table.limit.ok_or_else(|| missing("limit"))?,
            window: window()?,
        },
        ConditionName::Quantile => Condition::Quantile {
            of: series()?,
            q: table.quantile.ok_or_else(|| missing("quantile"))?,
            window: window()?,
            by: table.by.clone(),
        },
        ConditionName::Ratio => Condition::Ratio {
            part: selector(table.part.as_deref().ok_or_else(|| missing("part"))?)?,
            total: selector(table.total.as_deref().ok_or_else(|| missing("total"))?)?,
            window: window()?,
            min_total: table.min_total.unwrap_or(1.0),
            by: table.by.clone(),
        },
        ConditionName::All => Condition::All { of: members()?, by: by() },
        ConditionName::Any => Condition::Any { of: members()?, by: by() },
        ConditionName::Objective => Condition::BurnRate(Box::new(objective(table)?)),
    })
}

fn objective(table: &RuleTable) -> Result<Slo, String> {
    let objective = table.objective.ok_or_else(|| missing("objective"))?;
    let indicator = match (&table.series, &table.part, &table.total) {
        (None, Some(bad), Some(total)) => Indicator::Events { bad: selector(bad)?, total: selector(total)? },
        (Some(of), None, None) => {
            let (bound, direction) = match (table.good_above, table.good_below) {
                (Some(bound), None) => (bound, Direction::Below),
                (None, Some(bound)) => (bound, Direction::Above),
                _ => return Err("say by `good_above` or `good_below` which samples are good".to_owned()),
            };
            Indicator::Samples { of: selector(of)?, bound, direction }
        }
        _ => return Err("give it `part` (bad events) and `total`, or `series` with a bound".to_owned()),
    };
    let mut slo = Slo::new(objective, indicator);
    if let Some(period) = &table.period {
        slo.period = duration(period)?;
    }
    slo.min_events = table.min_events.unwrap_or(slo.min_events);
    slo.by = table.by.clone().unwrap_or_default();
    Ok(slo)
}

fn route(table: RouteTable) -> Result<Route, String> {
    let mut route = Route { matchers: matchers(&table.r#match), ..Route::new(&table.receiver) };
    let set = |to: &mut Duration, text: Option<String>| {
        text.map_or(Ok(()), |text| duration(&text).map(|value| *to = value))
    };
    set(&mut route.group_wait, table.group_wait)?;
    set(&mut route.group_interval, table.group_interval)?;
    set(&mut route.repeat_interval, table.repeat_interval)?;
    set(&mut route.after, table.after)?;
    if let Some(labels) = table.group_by {
        route.group_by = labels;
    }
    route.tells_ends = table.tells_ends.unwrap_or(route.tells_ends);
    Ok(route)
}

fn maintenance(table: MaintenanceTable) -> Result<Maintenance, String> {
    let mut weekdays = [false; 7];
    for day in table.days {
        weekdays[match day {
            DayName::Mon => 0,
            DayName::Tue => 1,
            DayName::Wed => 2,
            DayName::Thu => 3,
            DayName::Fri => 4,
            DayName::Sat => 5,
            DayName::Sun => 6,
        }] = true;
    }
    let local = match (&table.utc_offset, &table.timezone) {
        (Some(_), Some(_)) => return Err("give `utc_offset` or `timezone`, not both".to_owned()),
        (Some(written), None) => LocalTime { offset_minutes: offset(written)?, changes: Vec::new() },
        (None, Some(name)) => LocalTime::of_zone(name)?,
        (None, None) => LocalTime::default(),
    };
    Ok(Maintenance {
        name: table.name,
        matchers: matchers(&table.r#match),
        weekdays,
        from_minute: minute(&table.from)?,
        to_minute: minute(&table.to)?,
        utc_offset_minutes: local.offset_minutes,
        offset_changes: local.changes,
    })
}
