//! Picks the least loaded of 8, 64 and 512 workers, beside crate `poise-core`, which does nothing else.
//!
//! Both see the same traffic: half of the workers are busy; in turn the longest busy one gets free and a task is placed.
//! Core's choice also matches capabilities and weighs how scarce they are; the peer compares loads only, over the
//! smallest candidate type that it accepts.

use std::collections::VecDeque;
use std::hint::black_box;

use poise_core::policy::LeastLoaded;
use poise_core::{Candidate, Policy};
use quillwork_core::ids::WorkerId;
use quillwork_core::pool::{Candidates, Capabilities, Load, Offer};

use crate::rounds::compare;

const SIZES: [u32; 3] = [8, 64, 512];
/// Workers looked at in a round: enough for milliseconds.
const LOOKS: u32 = 2_000_000;

pub(crate) fn run() {
    for workers in SIZES {
        let mut ours = Ours::new(workers);
        let mut theirs = Theirs::new(workers);
        compare(
            &format!("pick the least loaded of {workers}"),
            "poise-core 0.1.1",
            LOOKS / workers,
            || ours.turn(),
            || theirs.turn(),
        );
    }
}

/// Core's choice.
struct Ours {
    candidates: Candidates,
    busy: VecDeque<WorkerId>,
}

impl Ours {
    fn new(workers: u32) -> Self {
        let mut candidates = Candidates::new(workers);
        (0..workers).for_each(|worker| candidates.open(WorkerId::new(worker), Offer::PLAIN));
        let mut this = Self { candidates, busy: VecDeque::new() };
        (0..workers / 2).for_each(|_| {
            this.place();
        });
        this
    }

    fn turn(&mut self) -> usize {
        let free = self.busy.pop_front().expect("half of the workers are busy");
        self.candidates.end(free, Load::ONE);
        self.place()
    }

    fn place(&mut self) -> usize {
        let worker = self.candidates.pick(black_box(Capabilities::NONE), black_box(Load::ONE));
        let worker = worker.expect("half of the workers are free");
        self.candidates.begin(worker, Load::ONE);
        self.busy.push_back(worker);
        worker.index()
    }
}

/// The peer's choice.
pub(crate) struct Theirs {
    workers: Vec<Worker>,
    policy: LeastLoaded,
    busy: VecDeque<usize>,
}

struct Worker(u32);

impl Candidate for Worker {
    type Id = ();
    type Load = u32;

    fn id(&self) -> &() {
        &()
    }

    fn load(&self) -> &u32 {
        &self.0
    }
}

impl Theirs {
    pub(crate) fn new(workers: u32) -> Self {
        let mut this = Self {
            workers: (0..workers).map(|_| Worker(0)).collect(),
            policy: LeastLoaded::new(),
            busy: VecDeque::new(),
        };
        (0..workers / 2).for_each(|_| {
            this.place();
        });
        this
    }

    fn turn(&mut self) -> usize {
        let free = self.busy.pop_front().expect("half of the workers are busy");
        self.workers[free].0 -= 1;
        self.place()
    }

    pub(crate) fn choose(&mut self) -> usize {
        self.policy.pick(black_box(&self.workers), &()).expect("half of the workers are free").index()
    }

    fn place(&mut self) -> usize {
        let worker = self.choose();
        self.workers[worker].0 += 1;
        self.busy.push_back(worker);
        worker
    }
}
