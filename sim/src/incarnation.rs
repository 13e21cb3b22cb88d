//! One simulated worker, from its spawn to its last word.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{Input, Load, Offer, TaskOutcome};
use quillwork_core::time::Instant;

/// A worker that filled a place in the pool for a time.
#[derive(Clone, Debug)]
pub(crate) struct Incarnation {
    pub(crate) worker: WorkerId,
    pub(crate) generation: Generation,
    /// How much it runs at a time.
    capacity: Load,
    /// What it runs, with its load.
    running: Vec<(TaskId, Load)>,
    /// What it was given beyond that, in the order in which it will start.
    waiting: VecDeque<(TaskId, Load)>,
    /// It does and says nothing any more.
    dead: bool,
    /// When it was terminated, the time until which it is still heard.
    silenced_at: Option<Instant>,
}

/// Something that a worker says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Message {
    Ready(Offer),
    Alive,
    /// It goes on with the task, or did so a while ago.
    Progress {
        task: TaskId,
    },
    Done {
        task: TaskId,
        outcome: TaskOutcome,
    },
    /// The same result once more.
    DoneAgain {
        task: TaskId,
        outcome: TaskOutcome,
    },
    /// A task that it was asked to give back and has not started.
    Returned(TaskId),
    /// Its dying scream: an error event.
    Lost,
}

impl Incarnation {
    pub(crate) const fn new(worker: WorkerId, generation: Generation) -> Self {
        Self {
            worker,
            generation,
            capacity: Load::ZERO,
            running: Vec::new(),
            waiting: VecDeque::new(),
            dead: false,
            silenced_at: None,
        }
    }

    /// It was given a task.
    pub(crate) fn take(&mut self, task: TaskId, load: Load) {
        self.waiting.push_back((task, load));
    }

    /// Starts the next of what it was given, if it has room for it or nothing else to do.
    pub(crate) fn start_next(&mut self) -> Option<TaskId> {
        let (task, load) = *self.waiting.front()?;
        let in_use = self.running.iter().fold(Load::ZERO, |sum, &(_, load)| sum + load);
        if self.dead || (!self.running.is_empty() && in_use + load > self.capacity) {
            return None;
        }
        self.running.push((task, load));
        self.waiting.pop_front();
        Some(task)
    }

    /// Whether it can give the task back. If so, it does not have it any more.
    pub(crate) fn give_back(&mut self, task: TaskId) -> bool {
        let waiting = self.waiting.iter().position(|&(waiting, _)| waiting == task);
        !self.dead && waiting.and_then(|position| self.waiting.remove(position)).is_some()
    }

    pub(crate) const fn die(&mut self) {
        self.dead = true;
    }

    pub(crate) const fn silence(&mut self, at: Instant) {
        self.silenced_at = Some(at);
    }

    /// What the shell hears of a message that is due now; nothing from the dead, and nothing twice unless it is meant.
    pub(crate) fn say(&mut self, now: Instant, message: Message) -> Option<Input> {
        if self.dead || self.silenced_at.is_some_and(|at| at < now) {
            return None;
        }
        let Self { worker, generation, .. } = *self;
        Some(match message {
            Message::Ready(offer) => {
                self.capacity = offer.capacity;
                Input::WorkerReady { worker, generation, offer }
            }
            Message::Alive => Input::WorkerAlive { worker, generation },
            Message::Progress { task } => Input::Progress { worker, generation, task },
            Message::Done { task, outcome } => {
                if let Some(position) = self.running.iter().position(|&(running, _)| running == task) {
                    self.running.remove(position);
                } else if !self.give_back(task) {
                    return None;
                }
                Input::TaskDone { worker, generation, task, outcome }
            }
            Message::DoneAgain { task, outcome } => Input::TaskDone { worker, generation, task, outcome },
            Message::Returned(task) => Input::TaskReturned { worker, generation, task },
            Message::Lost => {
                self.dead = true;
                Input::WorkerLost { worker, generation }
            }
        })
    }
}
