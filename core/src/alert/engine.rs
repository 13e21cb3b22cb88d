//! All rules on all subjects.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use super::instance::{Instance, State};
use super::rule::{Rule, RuleError, RuleProblem};
use crate::time::Instant;

/// A rule of an [`Engine`]: its place among the rules it was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(usize);

/// A metric that rules of an [`Engine`] watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricId(usize);

/// What samples are about: the host, one page. The shell chooses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SubjectId(u64);

impl SubjectId {
    /// From its number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Evaluates rules. See the [module](super) for their meaning.
///
/// A clock that goes back is taken to stand still.
#[derive(Clone, Debug)]
pub struct Engine {
    rules: Vec<Rule>,
    metrics: Vec<Metric>,
    instances: BTreeMap<(RuleId, SubjectId), Instance>,
    max_instances: usize,
    latest: Instant,
    /// No instance becomes stale before this. Samples only move staleness back, so it is looked at again when it comes.
    check_at: Option<Instant>,
    outputs: VecDeque<Transition>,
}

#[derive(Clone, Debug)]
struct Metric {
    name: String,
    rules: Vec<RuleId>,
}

/// A change of one rule's state on one subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transition {
    /// The rule.
    pub rule: RuleId,
    /// What it is about.
    pub subject: SubjectId,
    /// Where it stood.
    pub from: State,
    /// Where it stands; `None` where the subject was removed, and with it the instance.
    pub to: Option<State>,
    /// When: the sample's time, or when the data became stale.
    pub at: Instant,
    /// The last value seen.
    pub value: Option<f64>,
    /// Since when it has been firing, raised, lowered and without data included: it names the alert over its life.
    pub firing_since: Option<Instant>,
}

/// Where one rule stands on one subject.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status {
    /// The rule.
    pub rule: RuleId,
    /// What it is about.
    pub subject: SubjectId,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: Instant,
    /// Since when it has been firing.
    pub firing_since: Option<Instant>,
    /// The last value seen.
    pub value: Option<f64>,
}

impl Engine {
    /// An engine for up to `max_instances` pairs of rule and subject.
    ///
    /// # Errors
    ///
    /// Where a rule is unsound, or two have one name.
    pub fn new(rules: Vec<Rule>, max_instances: usize) -> Result<Self, RuleError> {
        let mut metrics = Vec::<Metric>::new();
        for (at, rule) in rules.iter().enumerate() {
            let problem = |problem| RuleError { rule: rule.name.clone(), problem };
            rule.check().map_err(problem)?;
            if rules[..at].iter().any(|earlier| earlier.name == rule.name) {
                return Err(problem(RuleProblem::DuplicateName));
            }
            let id = RuleId(at);
            match metrics.iter_mut().find(|metric| metric.name == rule.metric) {
                Some(metric) => metric.rules.push(id),
                None => metrics.push(Metric { name: rule.metric.clone(), rules: vec![id] }),
            }
        }
        Ok(Self {
            rules,
            metrics,
            instances: BTreeMap::new(),
            max_instances,
            latest: Instant::ZERO,
            check_at: None,
            outputs: VecDeque::new(),
        })
    }

    /// A metric by name; `None` where no rule watches it, and no sample of it is needed.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<MetricId> {
        self.metrics.iter().position(|metric| metric.name == name).map(MetricId)
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

    /// Takes a sample; `None` where the value could not be observed (a hidden page's frames).
    ///
    /// # Errors
    ///
    /// Where the subject is new and there are as many instances as there may be; those that exist are evaluated. Where the
    /// metric is another engine's.
    pub fn observe(
        &mut self,
        now: Instant,
        subject: SubjectId,
        metric: MetricId,
        value: Option<f64>,
    ) -> Result<(), ObserveError> {
        self.observe_counted(now, subject, metric, value, u64::MAX)
    }

    /// Takes a sample that was made from `count` events, such as a ratio. A rule with a higher `min_count` takes it for
    /// absent.
    ///
    /// # Errors
    ///
    /// As [`observe`](Self::observe).
    pub fn observe_counted(
        &mut self,
        now: Instant,
        subject: SubjectId,
        metric: MetricId,
        value: Option<f64>,
        count: u64,
    ) -> Result<(), ObserveError> {
        let now = self.not_before_latest(now);
        let rules = self.metrics.get(metric.0).ok_or(ObserveError::UnknownMetric)?.rules.len();
        let mut outcome = Ok(());
        for at in 0..rules {
            let id = self.metrics[metric.0].rules[at];
            let value = value.filter(|value| value.is_finite() && count >= self.rule(id).min_count);
            outcome = outcome.and(self.evaluate(now, id, subject, value));
        }
        outcome
    }

    /// The subject is gone on purpose, such as a page that was closed: its instances end.
    pub fn remove_subject(&mut self, now: Instant, subject: SubjectId) {
        let now = self.not_before_latest(now);
        for at in 0..self.rules.len() {
            let id = RuleId(at);
            self.end_stale(now, id, subject);
            if let Some(instance) = self.instances.remove(&(id, subject)) {
                self.outputs.push_back(Transition {
                    rule: id,
                    subject,
                    from: instance.state(),
                    to: None,
                    at: now,
                    value: instance.value,
                    firing_since: instance.firing_since,
                });
            }
        }
    }

    /// When data may become stale, if no sample comes before. It may be too early, never too late.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Instant> {
        self.check_at
    }

    /// Notices what has become stale.
    pub fn handle_deadline(&mut self, now: Instant) {
        let now = self.not_before_latest(now);
        if self.check_at.is_none_or(|check_at| now < check_at) {
            return;
        }
        self.check_at = None;
        for (&(id, subject), instance) in &mut self.instances {
            let rule = &self.rules[id.0];
            let transition = change(id, subject, instance, |instance| match instance.stale_at(rule) {
                Some(stale_at) if stale_at <= now => {
                    instance.on_stale(stale_at);
                    stale_at
                }
                Some(_) | None => now,
            });
            self.outputs.extend(transition);
            self.check_at = earlier(self.check_at, instance.stale_at(rule));
        }
    }

    /// The next change.
    pub fn poll_output(&mut self) -> Option<Transition> {
        self.outputs.pop_front()
    }

    /// Where all instances stand, by rule and subject.
    pub fn statuses(&self) -> impl Iterator<Item = Status> {
        self.instances.iter().map(|(&(rule, subject), instance)| Status {
            rule,
            subject,
            state: instance.state(),
            since: instance.since,
            firing_since: instance.firing_since,
            value: instance.value,
        })
    }

    fn evaluate(
        &mut self,
        now: Instant,
        id: RuleId,
        subject: SubjectId,
        value: Option<f64>,
    ) -> Result<(), ObserveError> {
        self.end_stale(now, id, subject);
        if !self.instances.contains_key(&(id, subject)) {
            if self.instances.len() >= self.max_instances {
                return Err(ObserveError::TooManyInstances { limit: self.max_instances });
            }
            let born = if value.is_some() { Instance::with_data(now) } else { Instance::new(now) };
            self.instances.insert((id, subject), born);
        }
        let Some(value) = value else { return Ok(()) };
        let instance = self.instances.get_mut(&(id, subject)).expect("it is there or was just inserted");
        let rule = &self.rules[id.0];
        self.outputs.extend(change(id, subject, instance, |instance| {
            instance.on_sample(now, value, rule);
            now
        }));
        self.check_at = earlier(self.check_at, instance.stale_at(rule));
        Ok(())
    }

    /// Notices that an instance has become stale before `now`, so that it makes no difference whether the sample or the deadline
    /// is handed in first.
    fn end_stale(&mut self, now: Instant, id: RuleId, subject: SubjectId) {
        let rule = &self.rules[id.0];
        let Some(instance) = self.instances.get_mut(&(id, subject)) else { return };
        let Some(stale_at) = instance.stale_at(rule).filter(|&stale_at| stale_at <= now) else { return };
        self.outputs.extend(change(id, subject, instance, |instance| {
            instance.on_stale(stale_at);
            stale_at
        }));
    }

    fn not_before_latest(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }
}

/// Does something to an instance that says at what time it happened, and tells of the change of state.
fn change(
    rule: RuleId,
    subject: SubjectId,
    instance: &mut Instance,
    act: impl FnOnce(&mut Instance) -> Instant,
) -> Option<Transition> {
    let (from, firing_before) = (instance.state(), instance.firing_since);
    let at = act(instance);
    let to = instance.state();
    (from != to).then(|| Transition {
        rule,
        subject,
        from,
        to: Some(to),
        at,
        value: instance.value,
        firing_since: instance.firing_since.or(firing_before),
    })
}

fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}

/// A sample that could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// There are as many pairs of rule and subject as there may be. Remove subjects that are gone.
    TooManyInstances {
        /// How many that is.
        limit: usize,
    },
    /// The metric is another engine's.
    UnknownMetric,
}

impl fmt::Display for ObserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyInstances { limit } => {
                write!(f, "the limit of {limit} alert instances is reached: remove subjects that are gone")
            }
            Self::UnknownMetric => f.write_str("the metric belongs to another engine"),
        }
    }
}

impl core::error::Error for ObserveError {}

/// Five rules on two hundred subjects.
pub const DEFAULT_MAX_INSTANCES: usize = 1_000;
