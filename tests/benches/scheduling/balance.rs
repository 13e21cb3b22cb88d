//! The load balancer beside crates `poise-core` and `tower`: choosing a worker, and a task's whole way through it.
//!
//! *Choose*: which worker, with half of them busy. Ours looks at status, capabilities, room, bans and ejections; the peer
//! compares the loads that it is given. *Place*: half as many tasks are under way as there are workers; in turn the oldest
//! ends and a new one is chosen a worker and booked. Ours also measures latency and success by worker and type; `tower`
//! balances services that answer at once by their pending requests.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll, Waker};

use quillwork_core::balance::{BalanceConfig, LoadBalancer, Task, WorkerSpec};
use quillwork_core::ids::{TaskId, WorkerId};
use quillwork_core::time::{Duration, Instant};
use tower::Service;
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PendingRequests};

use crate::pick::Theirs;
use crate::rounds::compare;

const LOOKS: u32 = 400_000;

pub(crate) fn run() {
    for workers in [8, 64, 512] {
        let mut ours = Ours::new(workers, "least-loaded");
        let mut theirs = Theirs::new(workers);
        compare(
            &format!("choose the least loaded of {workers}"),
            "poise-core 0.1.1",
            LOOKS / workers,
            || ours.choose(),
            || theirs.choose(),
        );
    }
    for workers in [8, 64, 512] {
        let mut ours = Ours::new(workers, "power-of-two");
        let mut theirs = Tower::new(workers);
        compare(
            &format!("place a task, two choices of {workers}"),
            "tower 0.5 p2c",
            20_000,
            || ours.turn(),
            || theirs.turn(),
        );
    }
}

struct Ours {
    balancer: LoadBalancer,
    under_way: VecDeque<TaskId>,
    next: u64,
    now: Instant,
}

impl Ours {
    fn new(workers: u32, strategy: &str) -> Self {
        let mut balancer = LoadBalancer::new(BalanceConfig::default(), 1).expect("sound settings");
        balancer.set_strategy(strategy).expect("a strategy of its own");
        for worker in 0..workers {
            balancer.handle_joined(Instant::ZERO, WorkerSpec::new(WorkerId::new(worker)));
        }
        let mut this = Self { balancer, under_way: VecDeque::new(), next: 0, now: Instant::ZERO };
        (0..workers / 2).for_each(|_| {
            this.place();
        });
        this
    }

    fn choose(&mut self) -> u32 {
        let task = black_box(Task::new(TaskId::new(u64::MAX)));
        self.balancer.select_worker(self.now, &task).expect("half are free").get()
    }

    fn turn(&mut self) -> u32 {
        self.now += Duration::from_micros(10);
        let oldest = self.under_way.pop_front().expect("half of the workers are busy");
        self.balancer.handle_finished(self.now, oldest, true);
        self.place()
    }

    fn place(&mut self) -> u32 {
        let task = TaskId::new(self.next);
        self.next += 1;
        let worker = self.balancer.assign(self.now, black_box(&Task::new(task))).expect("half are free");
        self.under_way.push_back(task);
        worker.get()
    }
}

type Pending = PendingRequests<Answer>;
type Balanced = Balance<ServiceList<Vec<Pending>>, ()>;

struct Tower {
    balance: Balanced,
    under_way: VecDeque<<Balanced as Service<()>>::Future>,
}

impl Tower {
    fn new(workers: u32) -> Self {
        let services = (0..workers).map(|_| PendingRequests::new(Answer, CompleteOnResponse::default()));
        let mut this =
            Self { balance: Balance::new(ServiceList::new(services.collect())), under_way: VecDeque::new() };
        (0..workers / 2).for_each(|_| this.place());
        this
    }

    /// A future that is dropped gives its place back.
    fn turn(&mut self) {
        drop(self.under_way.pop_front());
        self.place();
    }

    fn place(&mut self) {
        match self.balance.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => self.under_way.push_back(self.balance.call(())),
            Poll::Ready(Err(_)) | Poll::Pending => unreachable!("its services are always ready"),
        }
    }
}

struct Answer;

impl Service<()> for Answer {
    type Response = ();
    type Error = Infallible;
    type Future = Ready<Result<(), Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, (): ()) -> Self::Future {
        ready(Ok(()))
    }
}
