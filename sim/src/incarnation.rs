//! One simulated worker, from its spawn to its last word.

use alloc::vec::Vec;

use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{Input, Offer, TaskOutcome};
use quillwork_core::time::Instant;

/// A worker that filled a place in the pool for a time.
#[derive(Clone, Debug)]
pub(crate) struct Incarnation {
    pub(crate) worker: WorkerId,
    pub(crate) generation: Generation,
    /// The tasks that it has not reported on.
    pub(crate) doing: Vec<TaskId>,
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
    /// Its dying scream: an error event.
    Lost,
}

impl Incarnation {
    pub(crate) const fn new(worker: WorkerId, generation: Generation) -> Self {
        Self { worker, generation, doing: Vec::new(), dead: false, silenced_at: None }
    }

    pub(crate) const fn is_alive(&self) -> bool {
        !self.dead
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
            Message::Ready(offer) => Input::WorkerReady { worker, generation, offer },
            Message::Alive => Input::WorkerAlive { worker, generation },
            Message::Progress { task } => Input::Progress { worker, generation, task },
            Message::Done { task, outcome } => {
                let position = self.doing.iter().position(|&doing| doing == task)?;
                self.doing.remove(position);
                Input::TaskDone { worker, generation, task, outcome }
            }
            Message::DoneAgain { task, outcome } => Input::TaskDone { worker, generation, task, outcome },
            Message::Lost => {
                self.dead = true;
                Input::WorkerLost { worker, generation }
            }
        })
    }
}
