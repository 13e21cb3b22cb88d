//! The engine's state as bytes, so that it outlives the process.
//!
//! What fires goes on firing, with the time since when; what was pending goes on where the process was away for no longer
//! than a tolerance, and starts anew otherwise, since nobody saw what happened. Budgets of objectives are kept. Windows of
//! other conditions fill anew.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::bytes::{Reader, Writer};
use super::engine::{Engine, RuleId};
use super::instance::Instance;
use super::labels::Labels;
use super::ladder::{Counts, Ladder};
use super::level::Phase;
use super::meter::Meter;
use super::slo::Burns;
use crate::time::{Duration, Instant};

const VERSION: u8 = 1;

/// Saved state that can't be read: it is not of this version, or broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the saved state of alerts is of another version or broken: alerts begin anew")
    }
}

impl core::error::Error for Unreadable {}

impl Engine {
    /// The state of all instances. Instants are kept as they are: a shell that restores hands in a clock that counts on
    /// from the one before, wall time for instance.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.0.push(VERSION);
        to.instant(self.latest);
        to.number(self.instances.len() as u64);
        for entry in self.instances.values().filter_map(|&slot| self.slots[slot as usize].as_ref()) {
            to.text(&self.rules[entry.rule.0].name);
            to.labels(&entry.labels);
            write_instance(&mut to, self.latest, &entry.instance);
        }
        to.0
    }

    /// Takes up what was saved. Where the process was away for no longer than `tolerance`, durations that were running go
    /// on. Instances of rules that there are no more are left out.
    ///
    /// # Errors
    ///
    /// Where the bytes can't be read; then nothing is restored.
    pub fn restore(&mut self, now: Instant, saved: &[u8], tolerance: Duration) -> Result<(), Unreadable> {
        let mut from = Reader(saved);
        let read = read_all(&mut from).ok_or(Unreadable)?;
        // A wall clock that was set back while nobody ran it must not hold everything up: what was saved was now at most.
        let back = read.latest.duration_since(now);
        let shifted = |at: Instant| at - back;
        let away = now.duration_since(read.latest);
        self.latest = self.latest.max(now);
        for (name, labels, mut instance) in read.instances {
            let Some(rule) = self.rules.iter().position(|rule| *rule.name == *name) else { continue };
            let Ok(slot) = self.instance(now, RuleId(rule), labels) else { break };
            let Some(entry) = &mut self.slots[slot as usize] else { continue };
            let is_same_kind =
                core::mem::discriminant(&entry.instance.meter) == core::mem::discriminant(&instance.meter);
            if !is_same_kind {
                instance.meter = entry.instance.meter.clone();
            }
            instance.last_sample =
                instance.last_sample.map(|at| if away <= tolerance { now } else { shifted(at) });
            instance.since = shifted(instance.since);
            instance.firing_since = instance.firing_since.map(shifted);
            instance.first_value_at = instance.first_value_at.map(shifted);
            // While nobody looked nothing was missing.
            if let Meter::Absent { seen: Some(seen) } = &mut instance.meter {
                *seen = shifted(*seen) + away;
            }
            if away > tolerance {
                instance.warning = instance.warning.after_gap();
                instance.critical = instance.critical.after_gap();
            }
            entry.instance = instance;
        }
        self.check_at = Some(now);
        Ok(())
    }
}

struct Saved<'a> {
    latest: Instant,
    instances: Vec<(&'a str, Labels, Instance)>,
}

fn read_all<'a>(from: &mut Reader<'a>) -> Option<Saved<'a>> {
    if from.byte()? != VERSION {
        return None;
    }
    let latest = from.instant()?;
    let instances = from.list(|from| Some((from.text()?, from.labels()?, read_instance(from)?)))?;
    from.0.is_empty().then_some(Saved { latest, instances })
}

fn write_instance(to: &mut Writer, now: Instant, instance: &Instance) {
    write_phase(to, instance.warning);
    write_phase(to, instance.critical);
    to.option(instance.last_sample, Writer::instant);
    to.option(instance.value, Writer::float);
    to.flag(instance.has_data);
    to.instant(instance.since);
    to.option(instance.firing_since, Writer::instant);
    to.option(instance.first_value_at, Writer::instant);
    match &instance.meter {
        Meter::BurnRate { ladder, .. } => {
            to.0.push(KIND_BURN_RATE);
            to.number(ladder.entries(now).count() as u64);
            for (ring, begin, counts) in ladder.entries(now) {
                to.number(ring as u64);
                to.instant(begin);
                to.number(counts.bad);
                to.number(counts.total);
                to.number(counts.minutes);
            }
        }
        Meter::Absent { seen } => {
            to.0.push(KIND_ABSENT);
            to.option(*seen, Writer::instant);
        }
        Meter::Plain | Meter::Window(_) | Meter::Quantile { .. } | Meter::Ratio { .. } => {
            to.0.push(KIND_PLAIN)
        }
    }
}

const KIND_PLAIN: u8 = 0;
const KIND_ABSENT: u8 = 1;
const KIND_BURN_RATE: u8 = 2;

fn read_instance(from: &mut Reader<'_>) -> Option<Instance> {
    let (warning, critical) = (read_phase(from)?, read_phase(from)?);
    let mut instance = Instance::new(Instant::ZERO, Meter::Plain);
    (instance.warning, instance.critical) = (warning, critical);
    instance.last_sample = from.option(Reader::instant)?;
    instance.value = from.option(Reader::float)?;
    instance.has_data = from.flag()?;
    instance.since = from.instant()?;
    instance.firing_since = from.option(Reader::instant)?;
    instance.first_value_at = from.option(Reader::instant)?;
    instance.meter = match from.byte()? {
        KIND_PLAIN => Meter::Plain,
        KIND_ABSENT => Meter::Absent { seen: from.option(Reader::instant)? },
        KIND_BURN_RATE => {
            let mut ladder = Ladder::new();
            for _ in 0..from.count()? {
                let ring = usize::try_from(from.number()?).ok()?;
                let begin = from.instant()?;
                let counts = Counts { bad: from.number()?, total: from.number()?, minutes: from.number()? };
                ladder.restore(ring, begin, counts);
            }
            Meter::BurnRate { ladder: Box::new(ladder), burns: Burns::default(), is_new: false }
        }
        _ => return None,
    };
    Some(instance)
}

fn write_phase(to: &mut Writer, phase: Phase) {
    match phase {
        Phase::Quiet => to.0.push(0),
        Phase::Pending { since } => {
            to.0.push(1);
            to.instant(since);
        }
        Phase::Firing => to.0.push(2),
        Phase::Clearing { since } => {
            to.0.push(3);
            to.instant(since);
        }
    }
}

fn read_phase(from: &mut Reader<'_>) -> Option<Phase> {
    match from.byte()? {
        0 => Some(Phase::Quiet),
        1 => Some(Phase::Pending { since: from.instant()? }),
        2 => Some(Phase::Firing),
        3 => Some(Phase::Clearing { since: from.instant()? }),
        _ => None,
    }
}
