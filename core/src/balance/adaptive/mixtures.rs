//! A mix for each task type, and one for them all.

use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::ids::TaskType;
use crate::order::sort_by_key;

use super::mixture::Mixture;
use super::{AdaptiveConfig, AdaptiveState, TypeState};

/// The mixes of all task types. A type that was never seen has the mix of all types together; from its first outcome on
/// it has its own, which starts there.
#[derive(Clone, Debug)]
pub(super) struct Mixtures {
    config: AdaptiveConfig,
    prior: Vec<f64>,
    shared: Mixture,
    rows: Vec<Row>,
    row_of: IdMap<TaskType, u32>,
    /// Counts outcomes, for who was seen last.
    clock: u64,
}

#[derive(Clone, Debug)]
struct Row {
    task_type: TaskType,
    seen: u64,
    mixture: Mixture,
}

impl Mixtures {
    /// The prior's weights are scaled to a sum of 1.
    pub(super) fn new(prior: &[f64], config: AdaptiveConfig) -> Self {
        let sum: f64 = prior.iter().sum();
        let prior: Vec<f64> = prior.iter().map(|weight| weight / sum).collect();
        let shared = Mixture::new(&prior);
        Self { config, prior, shared, rows: Vec::new(), row_of: IdMap::new(), clock: 0 }
    }

    pub(super) fn weights(&self, task_type: TaskType) -> &[f64] {
        self.row_of.get(&task_type).map_or(&self.shared, |&row| &self.rows[row as usize].mixture).weights()
    }

    pub(super) fn learn(&mut self, task_type: TaskType, costs: &[f64]) {
        self.clock += 1;
        let row = self.row_for(task_type);
        self.rows[row].seen = self.clock;
        self.rows[row].mixture.learn(costs, &self.prior, &self.config);
        self.shared.learn(costs, &self.prior, &self.config);
    }

    /// The types that have a mix of their own, in ascending order.
    pub(super) fn types(&self) -> Vec<TaskType> {
        let mut types: Vec<TaskType> = self.rows.iter().map(|row| row.task_type).collect();
        sort_by_key(&mut types, |&task_type| task_type);
        types
    }

    pub(super) fn save(&self, state: &mut AdaptiveState) {
        state.shared = self.shared.losses().to_vec();
        let rows = self.rows.iter();
        state.types = rows
            .map(|row| TypeState { task_type: row.task_type, losses: row.mixture.losses().to_vec() })
            .collect();
        sort_by_key(&mut state.types, |row| row.task_type);
    }

    /// Forgets everything and takes over the losses, of which `place_of` tells where each expert's are; an expert that isn't
    /// in them starts with the mean of the others. Types past the limit are left out, the highest first.
    pub(super) fn restore(&mut self, state: &AdaptiveState, place_of: &[Option<usize>]) {
        let (prior, config) = (&self.prior, &self.config);
        let read = |losses: &[f64]| {
            let known: Vec<f64> = place_of.iter().flatten().map(|&place| losses[place]).collect();
            let unknown = known.iter().sum::<f64>() / known.len().max(1) as f64;
            let losses = place_of.iter().map(|place| place.map_or(unknown, |place| losses[place])).collect();
            Mixture::with_losses(losses, prior, config)
        };
        self.shared = read(&state.shared);
        self.row_of.clear();
        self.clock = 0;
        self.rows = state
            .types
            .iter()
            .take(config.max_task_types as usize)
            .map(|row| Row { task_type: row.task_type, seen: 0, mixture: read(&row.losses) })
            .collect();
        for (row, index) in self.rows.iter().zip(0..) {
            self.row_of.insert(row.task_type, index);
        }
    }

    fn row_for(&mut self, task_type: TaskType) -> usize {
        if let Some(&row) = self.row_of.get(&task_type) {
            return row as usize;
        }
        let len = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let row = if len < self.config.max_task_types {
            self.rows.push(Row { task_type, seen: 0, mixture: self.shared.clone() });
            len
        } else {
            let oldest =
                (0..len).min_by_key(|&row| self.rows[row as usize].seen).expect("the limit is at least 1");
            let row = &mut self.rows[oldest as usize];
            self.row_of.remove(&row.task_type);
            row.task_type = task_type;
            row.mixture.copy_from(&self.shared);
            oldest
        };
        self.row_of.insert(task_type, row);
        row as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: TaskType = TaskType::new(1);
    const B: TaskType = TaskType::new(2);
    const C: TaskType = TaskType::new(3);

    fn mixtures(max_task_types: u32) -> Mixtures {
        Mixtures::new(&[6.0, 4.0], AdaptiveConfig { max_task_types, ..AdaptiveConfig::default() })
    }

    fn teach(mixtures: &mut Mixtures, task_type: TaskType, costs: [f64; 2]) {
        (0..100).for_each(|_| mixtures.learn(task_type, &costs));
    }

    #[test]
    fn types_learn_apart_and_new_ones_start_with_what_all_have_shown() {
        let mut mixtures = mixtures(8);
        assert_eq!(mixtures.weights(A), [0.6, 0.4]);
        teach(&mut mixtures, A, [1.0, 0.0]);
        assert!(mixtures.weights(A)[1] > 0.99);
        assert_eq!(mixtures.weights(B), mixtures.shared.weights());
        assert!(mixtures.weights(B)[1] > 0.99, "a new type believes what was seen of others");
        teach(&mut mixtures, B, [0.0, 1.0]);
        teach(&mut mixtures, B, [0.0, 1.0]);
        assert!(mixtures.weights(B)[0] > 0.99);
        assert!(mixtures.weights(A)[1] > 0.99, "what one type shows doesn't change another's mix");
    }

    #[test]
    fn the_type_not_seen_for_longest_gives_way() {
        let mut mixtures = mixtures(2);
        teach(&mut mixtures, A, [1.0, 0.0]);
        teach(&mut mixtures, B, [1.0, 0.0]);
        teach(&mut mixtures, A, [1.0, 0.0]);
        teach(&mut mixtures, C, [0.0, 1.0]);
        assert_eq!(mixtures.types(), [A, C]);
        assert_eq!(mixtures.weights(B), mixtures.shared.weights());
    }

    #[test]
    fn a_restored_mix_is_the_saved_one() {
        let mut saved = mixtures(8);
        teach(&mut saved, A, [0.3, 0.1]);
        teach(&mut saved, B, [0.0, 0.2]);
        let mut state =
            AdaptiveState { experts: ["one".into(), "two".into()].into(), ..AdaptiveState::default() };
        saved.save(&mut state);
        let mut restored = mixtures(8);
        teach(&mut restored, C, [1.0, 0.0]);
        restored.restore(&state, &[Some(0), Some(1)]);
        for task_type in [A, B, C] {
            assert_eq!(restored.weights(task_type), saved.weights(task_type));
        }
        teach(&mut saved, A, [0.1, 0.0]);
        teach(&mut restored, A, [0.1, 0.0]);
        assert_eq!(restored.weights(A), saved.weights(A));
    }
}
