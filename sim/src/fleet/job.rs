//! The tasks of a run, drawn before it starts: every binding and every strategy is given the same.

use alloc::vec::Vec;

use quillwork_core::ids::{RegionId, TaskType};
use quillwork_core::pool::{Capabilities, Priority};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use super::FleetScenario;
use super::arrivals::Clockwork;

/// One task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// When it comes.
    pub at: Instant,
    /// Its service time on a worker of speed 1.
    pub work: Duration,
    /// Its type.
    pub task_type: TaskType,
    /// What a worker must have.
    pub required: Capabilities,
    /// How urgent.
    pub priority: Priority,
    /// Where it would like to run.
    pub region: Option<RegionId>,
    /// What strategies that keep a key with its worker go by.
    pub key: u64,
}

impl FleetScenario {
    /// The tasks that come, by time.
    #[must_use]
    pub(super) fn draw_jobs(&self, rng: &mut Rng) -> Vec<Job> {
        let mut times = rng.fork();
        let mut kinds = rng.fork();
        let weights: f64 = self.tasks.iter().map(|task| task.weight).sum();
        let mut clockwork = Clockwork::new(self.arrivals, self.mean_gap(), START);
        (0..u64::from(self.count))
            .map(|number| {
                let at = clockwork.next(&mut times);
                let mut draw = kinds.unit_f64() * weights;
                let kind = self.tasks.iter().find(|kind| {
                    draw -= kind.weight;
                    draw < 0.0
                });
                let kind = kind.or(self.tasks.last()).expect("a scenario has at least one kind of task");
                let work =
                    Duration::from_millis_f64(kind.mean.as_millis_f64() * kind.service.draw(&mut kinds));
                Job {
                    at,
                    work,
                    task_type: kind.task_type,
                    required: kind.required,
                    priority: kind.priority,
                    region: kind.region,
                    key: if kind.keys == 0 { number } else { kinds.below(kind.keys) },
                }
            })
            .collect()
    }
}

/// Time in a run starts here, so that something can be before it.
pub(super) const START: Instant = Instant::from_secs(1);
