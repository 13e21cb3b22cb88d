//! The last ticks, for dashboards that lost their connection for a moment.

use std::collections::VecDeque;
use std::sync::Arc;

use quillwork_protocol::socket::Resume;

use super::tick::Tick;

/// Ticks kept, and bytes of them: a minute of a host with few pages. Who was away for longer reads history.
const MOST_TICKS: usize = 60;
const MOST_BYTES: usize = 2 << 20;

/// A ring of the last ticks.
#[derive(Debug)]
pub(super) struct Recent {
    ticks: VecDeque<Arc<Tick>>,
    bytes: usize,
}

/// What a dashboard that connects is sent first.
#[derive(Clone, Debug)]
pub struct Resumed {
    /// Whether these are all ticks that it missed.
    pub complete: bool,
    /// It has heard everything up to this tick, and needs only newer ones.
    pub from_sequence: u64,
    /// What it missed, the oldest first.
    pub ticks: Vec<Arc<Tick>>,
    /// The tick that it heard last, where the host still has it.
    pub base: Option<Arc<Tick>>,
}

impl Recent {
    pub(super) fn new() -> Self {
        Self { ticks: VecDeque::new(), bytes: 0 }
    }

    pub(super) fn push(&mut self, tick: Arc<Tick>) {
        self.bytes += tick.message.len();
        self.ticks.push_back(tick);
        while self.ticks.len() > MOST_TICKS || self.bytes > MOST_BYTES && self.ticks.len() > 1 {
            if let Some(oldest) = self.ticks.pop_front() {
                self.bytes -= oldest.message.len();
            }
        }
    }

    /// What a dashboard missed that heard a tick of `instance` last. `newest` is the number of the last tick.
    pub(super) fn since(&self, instance: &str, newest: u64, resume: Option<&Resume>) -> Resumed {
        let nothing = Resumed { complete: false, from_sequence: 0, ticks: Vec::new(), base: None };
        // The sequence counts within one run of the host: after a restart nothing can be resumed.
        let Some(resume) = resume.filter(|resume| resume.instance == instance && resume.sequence <= newest)
        else {
            return nothing;
        };
        let base = self.ticks.iter().find(|tick| tick.sequence == resume.sequence).cloned();
        let missed = newest - resume.sequence;
        match usize::try_from(missed).ok().and_then(|missed| self.ticks.len().checked_sub(missed)) {
            Some(known) => Resumed {
                complete: true,
                from_sequence: resume.sequence,
                ticks: self.ticks.iter().skip(known).cloned().collect(),
                base,
            },
            None => nothing,
        }
    }
}
