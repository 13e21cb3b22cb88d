//! All rules on all label sets.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::condition::{Condition, Role};
use super::instance::{Instance, Severity, State};
use super::labels::{Fingerprint, Labels};
use super::meter::{Meter, Reading, Sample};
use super::outcome::{ObserveError, Status, Transition};
use super::rule::{Rule, RuleError, RuleProblem};
use super::series::{Feed, SeriesTable};
use super::slo::Budget;
use crate::telemetry::Sketch;
use crate::time::{Duration, Instant};

/// A rule of an [`Engine`]: its place among the rules it was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(pub(super) usize);

/// Evaluates rules. See the [module](super) for their meaning.
///
/// A clock that goes back is taken to stand still.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) rules: Arc<[Rule]>,
    pub(super) series: SeriesTable,
    pub(super) instances: BTreeMap<(RuleId, Labels), u32>,
    pub(super) slots: Vec<Option<Entry>>,
    free: Vec<u32>,
    max_instances: usize,
    pub(super) latest: Instant,
    /// No instance becomes stale, and none is to be looked at for another reason, before this. Samples only move staleness
    /// back, so it is looked at again when it comes.
    pub(super) check_at: Option<Instant>,
    pub(super) outputs: VecDeque<Transition>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) rule: RuleId,
    pub(super) labels: Arc<Labels>,
    pub(super) fingerprint: Fingerprint,
    pub(super) instance: Instance,
}

/// Rules that change with time alone are looked at as often.
const TICK: Duration = Duration::from_secs(1);

/// What has had no data for as long is over: a disk that was taken out, an objective nobody measures any more.
const FORGET_AFTER: Duration = Duration::from_secs(86_400);
/// The same where nothing was firing.
const FORGET_QUIET_AFTER: Duration = Duration::from_secs(3_600);

impl Engine {
    /// An engine for up to `max_instances` pairs of rule and label set, which watches four times as many series.
    ///
    /// # Errors
    ///
    /// Where a rule is unsound, two have one name, or a composite one names a rule that doesn't stand before it.
    pub fn new(rules: Vec<Rule>, max_instances: usize) -> Result<Self, RuleError> {
        check(&rules)?;
        Ok(Self {
            series: SeriesTable::new(&rules, max_instances.saturating_mul(4)),
            rules: rules.into(),
            instances: BTreeMap::new(),
            slots: Vec::new(),
            free: Vec::new(),
            max_instances,
            latest: Instant::ZERO,
            check_at: None,
            outputs: VecDeque::new(),
        })
    }

    /// The rules, in order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// A rule by its id.
    ///
    /// # Panics
    ///
    /// Where the id is another engine's and there is no such rule here.
    #[must_use]
    pub fn rule(&self, id: RuleId) -> &Rule {
        &self.rules[id.0]
    }

    /// A rule by its name.
    #[must_use]
    pub fn rule_named(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| *rule.name == *name)
    }

    /// Whether a rule watches series of this name; samples of others need not be handed in.
    #[must_use]
    pub fn watches(&self, name: &str) -> bool {
        self.series.watches(name)
    }

    /// Takes a sample of a series; `None` where the value could not be observed (a hidden page's frames). `labels` are sorted
    /// by key. A value that was made from events, such as a ratio, says from how many in `count`; a rule with a higher
    /// `min_count` takes it for absent. Others say `u64::MAX`.
    ///
    /// # Errors
    ///
    /// Where the series is new and there are as many instances or series as there may be; those that exist are
    /// evaluated.
    pub fn observe<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        now: Instant,
        name: &str,
        labels: &[(K, V)],
        value: Option<f64>,
        count: u64,
    ) -> Result<(), ObserveError> {
        let sample = value.filter(|value| value.is_finite()).map(Sample::Value);
        self.take(now, name, labels, sample, count)
    }

    /// Takes many samples of a series at once. Only conditions on quantiles see them.
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe).
    pub fn observe_sketch<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        now: Instant,
        name: &str,
        labels: &[(K, V)],
        sketch: &Sketch,
    ) -> Result<(), ObserveError> {
        let sample = (!sketch.is_empty()).then_some(Sample::Sketch(sketch));
        self.take(now, name, labels, sample, sketch.count())
    }

    fn take<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        now: Instant,
        name: &str,
        labels: &[(K, V)],
        sample: Option<Sample<'_>>,
        count: u64,
    ) -> Result<(), ObserveError> {
        let now = self.not_before_latest(now);
        if !self.series.watches(name) {
            return Ok(());
        }
        let (id, outcome) = match self.series.find(name, labels) {
            Some(id) => (id, Ok(())),
            None => self.enrol(now, name, labels)?,
        };
        for at in 0..self.series.feeds(id).len() {
            let Feed { slot, role } = self.series.feeds(id)[at];
            self.feed(now, slot, role, sample, count);
        }
        outcome
    }

    /// A new series: finds the instances that it enters, and makes those that aren't there.
    fn enrol<K: AsRef<str>, V: AsRef<str>>(
        &mut self,
        now: Instant,
        name: &str,
        labels: &[(K, V)],
    ) -> Result<(u32, Result<(), ObserveError>), ObserveError> {
        let labels = Labels::new(labels.iter().map(|(key, value)| (key.as_ref(), value.as_ref())));
        let rules = Arc::clone(&self.rules);
        let mut feeds = Vec::new();
        let mut outcome = Ok(());
        for (at, rule) in rules.iter().enumerate() {
            for role in rule.condition.roles(name, &labels) {
                match self.instance(now, RuleId(at), rule.condition.instance_labels(&labels)) {
                    Ok(slot) => feeds.push(Feed { slot, role }),
                    Err(error) => outcome = Err(error),
                }
            }
        }
        // Where nothing could be made there is nothing to remember: it is tried again when there is room.
        if feeds.is_empty() {
            outcome?;
        }
        let id = self.series.insert(name, labels, feeds)?;
        Ok((id, outcome))
    }

    pub(super) fn instance(
        &mut self,
        now: Instant,
        rule: RuleId,
        labels: Labels,
    ) -> Result<u32, ObserveError> {
        if let Some(&slot) = self.instances.get(&(rule, labels.clone())) {
            return Ok(slot);
        }
        if self.instances.len() >= self.max_instances {
            return Err(ObserveError::TooManyInstances { limit: self.max_instances });
        }
        let definition = &self.rules[rule.0];
        let entry = Entry {
            rule,
            fingerprint: Fingerprint::new(&definition.name, &labels),
            labels: Arc::new(labels.clone()),
            instance: Instance::new(now, Meter::new(&definition.condition)),
        };
        if definition.condition.is_timed() {
            self.check_at = earlier(self.check_at, Some(now + TICK));
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                u32::try_from(self.slots.len() - 1).expect("instances are bounded far below")
            }
        };
        self.slots[slot as usize] = Some(entry);
        self.instances.insert((rule, labels.clone()), slot);
        for at in rule.0 + 1..self.rules.len() {
            let composite = &self.rules[at].condition;
            if composite.members().iter().any(|member| **member == *self.rules[rule.0].name) {
                let labels = composite.instance_labels(&labels);
                self.instance(now, RuleId(at), labels)?;
            }
        }
        Ok(slot)
    }

    fn feed(&mut self, now: Instant, slot: u32, role: Role, sample: Option<Sample<'_>>, count: u64) {
        let Some(entry) = &mut self.slots[slot as usize] else { return };
        let rule = &self.rules[entry.rule.0];
        end_stale(now, rule, entry, &mut self.outputs);
        let counts = matches!(rule.condition, Condition::Quantile { .. }) || count >= rule.min_count;
        let Some(sample) = sample.filter(|_| counts) else { return };
        let first = *entry.instance.first_value_at.get_or_insert(now);
        let Some(reading) = entry.instance.meter.sample(now, rule, role, sample) else { return };
        if now - first >= rule.warm_up {
            evaluate(now, rule, entry, reading, &mut self.outputs);
            if !matches!(rule.condition, Condition::Absent(_)) {
                self.check_at = earlier(self.check_at, entry.instance.stale_at(rule));
            }
        }
    }

    /// Goes on with other rules. An instance whose rule still has its name and its condition goes on where it stands, with new
    /// thresholds where they are new; of all others the instances end.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new); the rules stay as they were.
    pub fn reload(&mut self, now: Instant, rules: Vec<Rule>) -> Result<(), RuleError> {
        let mut next = Self::new(rules, self.max_instances)?;
        let now = self.not_before_latest(now);
        let successor = |old: &Rule| {
            let is_same = |new: &Rule| new.name == old.name && new.condition == old.condition;
            next.rules.iter().position(is_same).map(RuleId)
        };
        let successors: Vec<Option<RuleId>> = self.rules.iter().map(successor).collect();
        self.end_instances(now, |entry| successors[entry.rule.0].is_none());
        next.latest = now;
        next.outputs = core::mem::take(&mut self.outputs);
        for entry in self.slots.drain(..).flatten() {
            let Some(rule) = successors[entry.rule.0] else { continue };
            let labels = (*entry.labels).clone();
            // New composite rules may have taken the room.
            let Ok(slot) = next.instance(now, rule, labels) else { continue };
            if let Some(made) = &mut next.slots[slot as usize] {
                made.instance = entry.instance;
            }
        }
        next.check_at = Some(now);
        *self = next;
        Ok(())
    }

    /// Everything with this label is gone on purpose, such as a page that was closed: its instances end, and nobody says that they
    /// were resolved.
    pub fn remove(&mut self, now: Instant, label: &str, value: &str) {
        let now = self.not_before_latest(now);
        let gone = |labels: &Labels| labels.value_of(label) == Some(value);
        self.series.retain(|labels| !gone(labels));
        self.end_instances(now, |entry| gone(&entry.labels));
    }

    /// Ends instances; their series forget them and are found anew when samples come.
    pub(super) fn end_instances(&mut self, now: Instant, ends: impl Fn(&Entry) -> bool) {
        for slot in 0..self.slots.len() {
            let Some(mut entry) = self.slots[slot].take_if(|entry| ends(entry)) else { continue };
            let slot = u32::try_from(slot).expect("instances are bounded far below");
            self.free.push(slot);
            self.instances.remove(&(entry.rule, (*entry.labels).clone()));
            self.series.forget_slot(slot);
            end_stale(now, &self.rules[entry.rule.0], &mut entry, &mut self.outputs);
            self.outputs.push_back(Transition {
                rule: Arc::clone(&self.rules[entry.rule.0].name),
                from: entry.instance.state(),
                to: None,
                at: now,
                value: entry.instance.value,
                firing_since: entry.instance.firing_since,
                labels: entry.labels,
                fingerprint: entry.fingerprint,
            });
        }
    }

    /// When time alone may change something, if no sample comes before. It may be too early, never too late.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Instant> {
        self.check_at
    }

    /// Notices what has become stale, and evaluates rules that change with time: absence, composites, objectives.
    pub fn handle_deadline(&mut self, now: Instant) {
        let now = self.not_before_latest(now);
        if self.check_at.is_none_or(|check_at| now < check_at) {
            return;
        }
        self.check_at = None;
        let mut forgets = false;
        // Rules in order, so that a composite one sees what its members have become.
        let ids: &BTreeMap<_, _> = &self.instances;
        for &slot in ids.values() {
            let members = {
                let Some(entry) = &self.slots[slot as usize] else { continue };
                let rule = &self.rules[entry.rule.0];
                (!rule.condition.members().is_empty())
                    .then(|| composite(rule, entry, &self.rules, ids, &self.slots))
            };
            let Some(entry) = &mut self.slots[slot as usize] else { continue };
            let rule = &self.rules[entry.rule.0];
            let reading = match members {
                Some(reading) => reading,
                None => entry.instance.meter.tick(now, rule),
            };
            match reading {
                Some(reading) => evaluate(now, rule, entry, reading, &mut self.outputs),
                None => end_stale(now, rule, entry, &mut self.outputs),
            }
            self.check_at = earlier(self.check_at, entry.instance.stale_at(rule).filter(|at| *at > now));
            if rule.condition.is_timed() {
                self.check_at = earlier(self.check_at, Some(now + TICK));
            }
            if let (Condition::BurnRate(_), Some(at)) = (&rule.condition, given_up_at(entry)) {
                // The budget is kept for its period, whoever looks.
                if at <= now {
                    change(rule, entry, &mut self.outputs, |instance| {
                        instance.give_up(at);
                        at
                    });
                }
            } else if let Some(at) = given_up_at(entry) {
                forgets |= at <= now;
                self.check_at = earlier(self.check_at, Some(at));
            }
        }
        if forgets {
            let rules = Arc::clone(&self.rules);
            self.end_instances(now, |entry| {
                let keeps_budget = matches!(rules[entry.rule.0].condition, Condition::BurnRate(_));
                !keeps_budget && given_up_at(entry).is_some_and(|at| at <= now)
            });
        }
    }

    /// The next change.
    pub fn poll_output(&mut self) -> Option<Transition> {
        self.outputs.pop_front()
    }

    /// Where all instances stand, by rule and labels.
    pub fn statuses(&self) -> impl Iterator<Item = Status<'_>> {
        let entries = self.instances.values().filter_map(|&slot| self.slots[slot as usize].as_ref());
        entries.map(|entry| Status {
            rule: entry.rule,
            labels: &entry.labels,
            fingerprint: entry.fingerprint,
            state: entry.instance.state(),
            since: entry.instance.since,
            firing_since: entry.instance.firing_since,
            value: entry.instance.value,
        })
    }

    /// Where the budgets of all objectives stand now, by rule and labels.
    pub fn budgets(&self, now: Instant) -> impl Iterator<Item = (RuleId, &Labels, Budget)> {
        let entries = self.instances.values().filter_map(|&slot| self.slots[slot as usize].as_ref());
        entries.filter_map(move |entry| match (&self.rules[entry.rule.0].condition, &entry.instance.meter) {
            (Condition::BurnRate(slo), Meter::BurnRate { ladder, .. }) => {
                Some((entry.rule, &*entry.labels, slo.budget(now.max(self.latest), ladder)))
            }
            _ => None,
        })
    }

    pub(super) fn not_before_latest(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }
}

/// When an instance without data is given up.
fn given_up_at(entry: &Entry) -> Option<Instant> {
    let instance = &entry.instance;
    match instance.state() {
        State::NoData { firing: Some(_) } => Some(instance.since + FORGET_AFTER),
        State::NoData { firing: None } => Some(instance.since + FORGET_QUIET_AFTER),
        State::Ok | State::Pending | State::Warning | State::Critical => None,
    }
}

/// How bad the members of a composite rule are; `None` where none of them has data.
fn composite(
    rule: &Rule,
    entry: &Entry,
    rules: &[Rule],
    ids: &BTreeMap<(RuleId, Labels), u32>,
    slots: &[Option<Entry>],
) -> Option<Reading> {
    let by = rule.condition.members_by();
    let is_all = matches!(rule.condition, Condition::All { .. });
    let mut has_data = false;
    let mut worst_of_each = [None::<f64>; 2];
    for member in rule.condition.members() {
        let at = rules.iter().position(|other| *other.name == **member).unwrap_or(usize::MAX);
        let range = ids.range((RuleId(at), Labels::none())..);
        let mut worst = 0.0_f64;
        for (_, &slot) in range.take_while(|((id, _), _)| id.0 == at) {
            let Some(other) =
                slots[slot as usize].as_ref().filter(|other| other.labels.agree_on(by, &entry.labels))
            else {
                continue;
            };
            let state = other.instance.state();
            has_data |= state.has_data();
            worst = worst.max(match state.severity() {
                None => 0.0,
                Some(Severity::Warning) => 1.0,
                Some(Severity::Critical) => 2.0,
            });
        }
        let [least, most] = &mut worst_of_each;
        *least = Some(least.map_or(worst, |before| before.min(worst)));
        *most = Some(most.map_or(worst, |before| before.max(worst)));
    }
    let [least, most] = worst_of_each;
    if is_all { least } else { most }.filter(|_| has_data).map(Reading::of)
}

fn check(rules: &[Rule]) -> Result<(), RuleError> {
    for (at, rule) in rules.iter().enumerate() {
        let problem = |problem| RuleError { rule: (*rule.name).into(), problem };
        rule.check().map_err(problem)?;
        let before = &rules[..at];
        if before.iter().any(|earlier| earlier.name == rule.name) {
            return Err(problem(RuleProblem::DuplicateName));
        }
        for member in rule.condition.members() {
            if !before.iter().any(|earlier| *earlier.name == **member) {
                return Err(problem(RuleProblem::UnknownMember { member: member.clone() }));
            }
        }
    }
    Ok(())
}

fn evaluate(
    now: Instant,
    rule: &Rule,
    entry: &mut Entry,
    reading: Reading,
    outputs: &mut VecDeque<Transition>,
) {
    // An instance whose first sample is there begins within bounds: that is no change.
    if entry.instance.last_sample.is_none() {
        (entry.instance.has_data, entry.instance.since) = (true, now);
    }
    change(rule, entry, outputs, |instance| {
        instance.on_reading(now, reading, rule);
        now
    });
}

/// Notices that an instance has become stale before `now`, so that it makes no difference whether the sample or the
/// deadline is handed in first.
fn end_stale(now: Instant, rule: &Rule, entry: &mut Entry, outputs: &mut VecDeque<Transition>) {
    if matches!(rule.condition, Condition::Absent(_)) {
        return;
    }
    let Some(stale_at) = entry.instance.stale_at(rule).filter(|&stale_at| stale_at <= now) else { return };
    change(rule, entry, outputs, |instance| {
        instance.on_stale(stale_at);
        stale_at
    });
}

/// Does something to an instance that says at what time it happened, and tells of the change of state.
fn change(
    rule: &Rule,
    entry: &mut Entry,
    outputs: &mut VecDeque<Transition>,
    act: impl FnOnce(&mut Instance) -> Instant,
) {
    let (from, firing_before) = (entry.instance.state(), entry.instance.firing_since);
    let at = act(&mut entry.instance);
    let to = entry.instance.state();
    if from != to {
        outputs.push_back(Transition {
            rule: Arc::clone(&rule.name),
            labels: Arc::clone(&entry.labels),
            fingerprint: entry.fingerprint,
            from,
            to: Some(to),
            at,
            value: entry.instance.value,
            firing_since: entry.instance.firing_since.or(firing_before),
        });
    }
}

pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}

/// Enough for a machine with many devices and a hundred pages.
pub const DEFAULT_MAX_INSTANCES: usize = 2_000;
