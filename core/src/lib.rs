//! Scheduling, flow control, cache, telemetry and alerts that decide and do no I/O.
//!
//! Everything in this crate is a plain state machine. It reads no clock, draws no random number of its own, starts no thread
//! and knows no operating system: time and randomness are arguments, what it wants done comes out as data. A *shell*
//! around it (a page's runtime, a host process, a simulator) does that. So the same inputs lead to the same decisions,
//! bit for bit, in a browser, on a host and in a test; a run can be recorded and replayed, and a day of traffic takes
//! a second on a virtual clock.
//!
//! # The contract between a shell and a policy
//!
//! A policy has three kinds of methods:
//!
//! * `handle_*(now, input)` takes what happened: a task was submitted, a worker answered, a worker died;
//! * `poll_output()` gives what to do next: dispatch this task, spawn that worker, wake the caller. The smallest policies
//!   ([`flow::Debouncer`]) return it from `handle_*` directly;
//! * `next_deadline()` tells when to call `handle_deadline(now)` if nothing happens before.
//!
//! Every shell drives a policy in the same six steps:
//!
//! 1. take one input;
//! 2. hand it in, with the time at which it is handed in;
//! 3. drain: call `poll_output` until it gives nothing;
//! 4. act on what came out, in that order;
//! 5. ask for `next_deadline`;
//! 6. wait for the next input or the deadline, whichever is first.
//!
//! **Invariant: all outputs are drained before the next input.** What acting on an output leads to, even when it fails at
//! once, is a further input and waits for its turn. Nothing re-enters a policy, and a log of the inputs with their times
//! is the whole run.
//!
//! Core never waits for a deadline to be met in time: a late `handle_deadline` does late what was due, an early one does
//! nothing. A `now` that goes backwards is harmless everywhere.
//!
//! # Example
//!
//! The drive loop on a virtual clock, with two workers that take 30 ms for every task:
//!
//! ```
//! use std::collections::BTreeMap;
//!
//! use quillwork_core::ids::TaskId;
//! use quillwork_core::pool::{CloseMode, Input, Offer, Output, PoolConfig, Scheduler, TaskOutcome, TaskSpec};
//! use quillwork_core::time::{Duration, Instant};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut now = Instant::ZERO;
//! let mut pool = Scheduler::new(PoolConfig { workers: 2, ..PoolConfig::default() }, now)?;
//!
//! // What will happen, by time; the second number keeps the order of what happens at the same time.
//! let mut world = BTreeMap::new();
//! for number in 0..4 {
//!     world.insert((now, number), Input::Submit { task: TaskId::new(number), spec: TaskSpec::default() });
//! }
//! world.insert((now + Duration::from_millis(1), 4), Input::Close { mode: CloseMode::Drain });
//! let mut count = 5;
//! let mut settled = Vec::new();
//!
//! 'drive: loop {
//!     // 3. and 4. Drain and act. Whatever follows from acting is an input for later.
//!     while let Some(output) = pool.poll_output() {
//!         count += 1;
//!         match output {
//!             Output::Spawn { worker, generation } => {
//!                 let ready = Input::WorkerReady { worker, generation, offer: Offer::PLAIN };
//!                 world.insert((now + Duration::from_millis(10), count), ready);
//!             }
//!             Output::Dispatch { task, worker, generation, .. } => {
//!                 let done = Input::TaskDone { worker, generation, task, outcome: TaskOutcome::Completed };
//!                 world.insert((now + Duration::from_millis(30), count), done);
//!             }
//!             Output::Settle { task, .. } => settled.push((task.get(), now)),
//!             Output::Probe { .. } | Output::AbortRunning { .. } | Output::Terminate { .. } => {}
//!             // Told before the spawns and terminations that follow, and for caches to shrink.
//!             Output::Resize { .. } | Output::Pressure { .. } | Output::TakeBack { .. } => {}
//!             Output::Retry { .. } | Output::Parked { .. } | Output::Admitted { .. } => {}
//!             Output::Saturated { .. } | Output::Drained { .. } | Output::AskStrategy { .. } => {}
//!             Output::Closed => break 'drive,
//!         }
//!     }
//!     // 5. and 6. The next input or the deadline, whichever is first.
//!     let next_input = world.keys().next().copied();
//!     let input = match (next_input, pool.next_deadline()) {
//!         (Some(at), deadline) if deadline.is_none_or(|deadline| at.0 <= deadline) => {
//!             now = at.0;
//!             world.remove(&at).expect("it was just seen")
//!         }
//!         (_, Some(deadline)) => {
//!             now = deadline;
//!             Input::Deadline
//!         }
//!         (None, None) | (Some(_), None) => unreachable!("a pool that isn't closed waits for something"),
//!     };
//!     // 1. and 2. Take it and hand it in.
//!     pool.handle_input(now, input)?;
//! }
//! let at = Instant::from_millis;
//! assert_eq!(settled, [(0, at(40)), (1, at(40)), (2, at(70)), (3, at(70))]);
//! # Ok(())
//! # }
//! ```
//!
//! # No standard library
//!
//! The crate is `no_std` with `alloc`, always and without any feature; its errors implement [`core::error::Error`], which is
//! the standard library's own. Floating-point functions come from `libm` in every build, so that they give the same bits
//! everywhere; no hash map is ever iterated.

#![no_std]

extern crate alloc;

pub mod alert;
pub mod balance;
pub mod cache;
pub mod deadline;
pub mod digest;
pub mod flow;
pub mod hardware;
pub mod ids;
pub mod insights;
pub mod pool;
pub mod rng;
pub mod say;
pub mod telemetry;
pub mod time;

#[cfg(doctest)]
mod guides;
mod id_map;
mod indexed_heap;
mod order;
