//! Strategies mixed by what their advice turned out to cost.
//!
//! No strategy is the best for all traffic: [`Adaptive`] asks several at once, sends each task where their weighted scores
//! say, and shifts the weights to those whose advice turned out well. See the guide `docs/balance/adaptive.md` for
//! the formulas and for what the mix costs beside the best single strategy.

mod config;
mod experts;
mod hindsight;

mod mixture;
mod mixtures;
mod state;

pub use config::{AdaptiveConfig, AdaptiveConfigError};
pub use state::{AdaptiveState, AdaptiveStateError, TypeState};

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::ids::{TaskType, WorkerId};
use crate::rng::Rng;
use crate::time::Instant;

use super::{Eligible, Finished, Fleet, Slot, Strategy, Task};
use hindsight::{Advice, Completions, Decision, Outlook, Pending};
use mixtures::Mixtures;

/// A strategy to be mixed, and how much it is believed before anything was seen.
#[derive(Debug)]
pub struct Expert {
    /// The strategy. Its name stands beside its weight.
    pub strategy: Box<dyn Strategy>,
    /// Its weight before any outcome, in any unit, above 0.
    pub prior: f64,
}

/// A strategy that mixes others and learns the mix from outcomes, for each task type.
///
/// **How it chooses.** Each expert scores the workers; its scores are stretched so that its favourite has 1 and the worker
/// that it likes least 0. The task goes to the worker with the highest sum of scores times weights; of those within
/// [`AdaptiveConfig::tie_ratio`] of it to the one picked longest ago. There is no other way to be chosen and no random exploration: the weights that [`Adaptive::weights`] shows are
/// the ones used.
///
/// **How it learns.** A plain bandit would learn from the outcome of the chosen worker alone, and would have to try bad
/// experts to know that they are bad. Here each decision notes which worker every expert advised and how many tasks lay
/// before it there. When the task has ended, every expert is charged for its own advice: for the time until those
/// tasks were really done, which by then was seen, and for what tasks of this type take on that worker, failures with
/// their penalty. That is a loss for every expert in every decision, and the weights follow by Hedge (Freund and Schapire,
/// 1997) with forgetting.
#[derive(Debug)]
pub struct Adaptive {
    name: &'static str,
    config: AdaptiveConfig,
    experts: Vec<Box<dyn Strategy>>,
    mixtures: Mixtures,
    pending: Pending,
    completions: IdMap<WorkerId, Completions>,
    /// Scores of one expert, and the sums over all; kept for their memory.
    scores: Vec<f64>,
    mix: Vec<f64>,
    advice: Vec<Advice>,
    costs: Vec<f64>,
    outlooks: Vec<Outlook>,
    /// Whether it has ever chosen: until then nothing waits for an outcome.
    is_asked: bool,
}

impl Adaptive {
    /// Mixes these experts. Their priors need not sum to 1.
    ///
    /// # Errors
    ///
    /// Where a setting is out of its range, or there is no expert, or two have one name, or a prior isn't above 0.
    pub fn new(config: AdaptiveConfig, experts: Vec<Expert>) -> Result<Self, AdaptiveConfigError> {
        config.check()?;
        if experts.is_empty() {
            return Err(AdaptiveConfigError::NoExperts);
        }
        for (place, expert) in experts.iter().enumerate() {
            let name = expert.strategy.name();
            if !(expert.prior.is_finite() && expert.prior > 0.0) {
                return Err(AdaptiveConfigError::Prior { name, weight: expert.prior });
            }
            if experts[..place].iter().any(|earlier| earlier.strategy.name() == name) {
                return Err(AdaptiveConfigError::DuplicateName(name));
            }
        }
        let prior: Vec<f64> = experts.iter().map(|expert| expert.prior).collect();
        let count = experts.len();
        Ok(Self {
            name: "adaptive",
            config,
            experts: experts.into_iter().map(|expert| expert.strategy).collect(),
            mixtures: Mixtures::new(&prior, config),
            pending: Pending::new(count, config.max_pending),
            completions: IdMap::new(),
            scores: Vec::new(),
            mix: Vec::new(),
            advice: Vec::new(),
            costs: alloc::vec![0.0; count],
            outlooks: Vec::with_capacity(count),
            is_asked: false,
        })
    }

    /// The same under a name of its own: a balancer has one called `adaptive` from the start.
    #[must_use]
    pub fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The name and the weight of each expert for tasks of this type, in the order in which they were given. The weights
    /// sum to 1 and are those that the next choice uses.
    pub fn weights(&self, task_type: TaskType) -> impl ExactSizeIterator<Item = (&'static str, f64)> {
        let names = self.experts.iter().map(|expert| expert.name());
        names.zip(self.mixtures.weights(task_type).iter().copied())
    }

    /// The task types that have shown something, in ascending order. All others are mixed as all types together suggest.
    #[must_use]
    pub fn task_types(&self) -> Vec<TaskType> {
        self.mixtures.types()
    }

    /// What was learned, to be restored later. Decisions that wait for their outcome aren't part of it.
    #[must_use]
    pub fn save(&self) -> AdaptiveState {
        let experts = self.experts.iter().map(|expert| String::from(expert.name())).collect();
        let mut state = AdaptiveState { experts, ..AdaptiveState::default() };
        self.mixtures.save(&mut state);
        state
    }

    /// Goes on from what was saved, and forgets what it has learned itself. Experts are matched by name: one that the state
    /// doesn't know starts with the mean loss of those that it does.
    ///
    /// # Errors
    ///
    /// Where the state was never saved like this; nothing is changed then.
    pub fn restore(&mut self, state: &AdaptiveState) -> Result<(), AdaptiveStateError> {
        state.check()?;
        let place_of = |expert: &dyn Strategy| state.experts.iter().position(|name| name == expert.name());
        let places: Vec<Option<usize>> = self.experts.iter().map(|expert| place_of(&**expert)).collect();
        self.mixtures.restore(state, &places);
        Ok(())
    }
}

impl Adaptive {
    /// Sums the experts' scores by weight into `mix` and notes in `advice` whom each would choose.
    fn consult(&mut self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>) {
        let Self { experts, mixtures, completions, scores, mix, advice, .. } = self;
        mix.clear();
        mix.resize(eligible.len(), 0.0);
        advice.clear();
        for (expert, weight) in experts.iter().zip(mixtures.weights(task.task_type)) {
            scores.clear();
            expert.scores(now, task, eligible, scores);
            let slot = favourite(eligible, scores);
            let fleet = eligible.fleet();
            let worker = fleet.worker(slot);
            let (in_flight, concurrency) = (fleet.held(slot), fleet.spec(slot).concurrency);
            let start_after = completions.get(&worker).map_or(0, |of| of.start_after(in_flight, concurrency));
            advice.push(Advice { worker, start_after });
            add_normalised(mix, scores, *weight);
        }
    }
}

impl Strategy for Adaptive {
    fn name(&self) -> &'static str {
        self.name
    }

    fn choose(&mut self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, _: &mut Rng) -> Slot {
        self.is_asked = true;
        self.consult(now, task, eligible);
        let decision = Decision { task: task.id, task_type: task.task_type, at: now };
        self.pending.insert(decision, &self.advice);
        let mut mix = self.mix.iter();
        let weighted_score = |_| -mix.next().copied().unwrap_or(0.0);
        eligible.lowest_within(self.config.tie_ratio, &mut self.scores, weighted_score)
    }

    fn scores(&self, now: Instant, task: &Task<'_>, eligible: &Eligible<'_>, out: &mut Vec<f64>) {
        let start = out.len();
        out.resize(start + eligible.len(), 0.0);
        let mut scores = Vec::with_capacity(eligible.len());
        for (expert, weight) in self.experts.iter().zip(self.mixtures.weights(task.task_type)) {
            scores.clear();
            expert.scores(now, task, eligible, &mut scores);
            add_normalised(&mut out[start..], &scores, *weight);
        }
        // The weights sum to 1 up to rounding.
        out[start..].iter_mut().for_each(|score| *score = score.min(1.0));
    }

    fn handle_joined(&mut self, fleet: &Fleet, slot: Slot) {
        self.completions.insert(fleet.worker(slot), Completions::new());
        self.experts.iter_mut().for_each(|expert| expert.handle_joined(fleet, slot));
    }

    fn handle_left(&mut self, fleet: &Fleet, slot: Slot, worker: WorkerId) {
        self.completions.remove(&worker);
        self.experts.iter_mut().for_each(|expert| expert.handle_left(fleet, slot, worker));
    }

    fn handle_assigned(&mut self, now: Instant, task: &Task<'_>, fleet: &Fleet, slot: Slot) {
        self.experts.iter_mut().for_each(|expert| expert.handle_assigned(now, task, fleet, slot));
    }

    fn handle_finished(&mut self, now: Instant, finished: &Finished, fleet: &Fleet) {
        self.experts.iter_mut().for_each(|expert| expert.handle_finished(now, finished, fleet));
        let Some(task) = finished.task.filter(|_| self.is_asked) else { return };
        if let Some(completions) = self.completions.get_mut(&finished.worker) {
            completions.observe(now, finished.success, finished.duration);
        }
        let Some((decision, advice)) = self.pending.remove(task) else { return };
        let typical = fleet.typical_nanos(decision.task_type).max(1.0);
        self.outlooks.clear();
        self.outlooks.extend(advice.iter().map(|advice| {
            let (Some(completions), Some(slot)) =
                (self.completions.get(&advice.worker), fleet.slot_of(advice.worker))
            else {
                return Outlook::default();
            };
            let waited = completions.began(advice.start_after, decision.at, now) - decision.at;
            let (failure_ratio, failure_nanos) = completions.failures();
            let service = fleet.success_nanos(slot, decision.task_type, now);
            // Silent beyond all of its work, as slow as it is: expected to stay so for as long again.
            let work = fleet.backlog_nanos(slot) as f64 * (service / typical).max(1.0);
            let stalled = (fleet.silence(slot, now).as_nanos() as f64 - work).max(0.0);
            let wait = waited.as_nanos() as f64 + stalled + fleet.spec(slot).latency.as_nanos() as f64;
            let attempt = wait + (1.0 - failure_ratio) * service + failure_ratio * failure_nanos;
            Outlook { worker: Some(advice.worker), attempt, failure_ratio }
        }));
        for (cost, outlook) in self.costs.iter_mut().zip(&self.outlooks) {
            *cost = outlook.cost(&self.outlooks, typical);
        }
        let least = self.costs.iter().copied().fold(f64::INFINITY, f64::min);
        let unit = self.config.unit_of_loss * typical;
        self.costs.iter_mut().for_each(|cost| *cost = ((*cost - least) / unit).min(1.0));
        // Where all advice came to the same it shows nothing, and displaces nothing that was shown before.
        if self.costs.iter().any(|cost| *cost > 0.0) {
            self.mixtures.learn(decision.task_type, &self.costs);
        }
    }
}

/// The worker of the highest score; of equals the one picked longest ago.
fn favourite(eligible: &Eligible<'_>, scores: &[f64]) -> Slot {
    let mut scores = scores.iter().copied();
    eligible.highest(|_| scores.next().unwrap_or(f64::NEG_INFINITY))
}

/// Adds the scores times the weight, stretched so that the favourite has 1 and the least liked 0. One who likes all
/// alike adds nothing: it leaves the choice to the others.
fn add_normalised(mix: &mut [f64], scores: &[f64], weight: f64) {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let range = highest - lowest;
    if range.is_finite() && range > 0.0 {
        let scale = weight / range;
        mix.iter_mut().zip(scores).for_each(|(sum, score)| *sum += (score - lowest) * scale);
    }
}

#[cfg(test)]
mod tests;
