//! The choices that the package must make too: a sequence of calls, drawn by the same generator on both sides, and what core chooses in
//! them. The package's side is `wasm/npm/tests/cases/balance-vectors.mjs`.
//!
//! Here core is told everything each time, in the package only what has changed.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::PathBuf;

use quillwork_core::balance::{
    BalanceConfig, Load, LoadBalancer, OverloadConfig, Task, WorkerRecord, WorkerReport, WorkerSpec,
    WorkerStatus,
};
use quillwork_core::ids::{RegionId, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{Capabilities, Priority};
use quillwork_core::time::{Duration, Instant};

#[test]
fn the_vectors_are_what_core_chooses() {
    let kept = std::fs::read_to_string(path()).expect("the vectors are committed");
    assert!(
        kept == vectors(),
        "core chooses otherwise: cargo test -p quillwork-balance --test vectors -- --ignored"
    );
}

#[test]
#[ignore = "writes the vectors, for where core is meant to choose otherwise"]
fn write_the_vectors() {
    std::fs::write(path(), vectors()).expect("the folder is there");
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../npm/tests/vectors/balance.mjs")
}

fn vectors() -> String {
    let names: Vec<&str> = {
        let balancer = LoadBalancer::new(BalanceConfig::default(), 0).expect("the defaults are sound");
        balancer.strategy_names().collect()
    };
    let mut text = String::from("// Written by wasm/balance/tests/vectors.rs.\nexport default {\n");
    for (name, seed) in names.into_iter().zip(1..) {
        writeln!(text, "  '{name}': '{}',", Shell::new(name, seed).play()).expect("a string takes it");
    }
    text.push_str("};\n");
    text
}

/// Mulberry32 (Ettinger): the same few lines in both languages.
struct Draws(u32);

impl Draws {
    fn next(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x6D2B_79F5);
        let mut mixed = (self.0 ^ (self.0 >> 15)).wrapping_mul(1 | self.0);
        mixed = mixed.wrapping_add((mixed ^ (mixed >> 7)).wrapping_mul(61 | mixed)) ^ mixed;
        (mixed ^ (mixed >> 14)) % below
    }
}

/// What the package does around core.
struct Shell {
    balancer: LoadBalancer,
    draws: Draws,
    now: u64,
    /// The number that each worker got when it was first seen.
    numbers: [Option<u32>; WORKERS],
    met: u32,
    open: VecDeque<(usize, TaskType, TaskId)>,
}

const WORKERS: usize = 6;
const CAPACITIES: [u32; WORKERS] = [4, 8, 8, 12, 16, 3];
const STEPS: u64 = 200;
const GPU: u64 = 1;
const FAST: u64 = 2;

impl Shell {
    fn new(strategy: &'static str, seed: u32) -> Self {
        let overload = OverloadConfig { dwell: Duration::ZERO, ..OverloadConfig::default() };
        let config = BalanceConfig { strategy, overload, ..BalanceConfig::default() };
        Self {
            balancer: LoadBalancer::new(config, u64::from(seed)).expect("a sound config"),
            draws: Draws(seed),
            now: 0,
            numbers: [None; WORKERS],
            met: 0,
            open: VecDeque::new(),
        }
    }

    fn play(&mut self) -> String {
        (0..STEPS).map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: u64) -> char {
        self.now += u64::from(self.draws.next(40));
        let workers: Vec<_> = (0..WORKERS).map(|worker| self.draw_worker(worker)).collect();
        for (worker, told) in workers.iter().enumerate() {
            if let Some((status, load)) = told {
                self.tell(worker, *status, *load);
            }
        }
        for worker in (0..WORKERS).filter(|&worker| workers[worker].is_none()) {
            if self.numbers[worker].is_some() {
                self.balancer.handle_status(self.at(), self.id(worker), WorkerStatus::Absent);
                self.report(worker, 0);
            }
        }
        let task_type = TaskType::new(hash32(&format!("t{}", self.draws.next(3))));
        let complexity = Load::new(1 + self.draws.next(3));
        let required = Capabilities::from_bits(if self.draws.next(5) == 0 { GPU } else { 0 });
        let affinity = self.draw_list(4);
        let anti_affinity = self.draw_list(6);
        let region = [None, Some("eu"), Some("us")][self.draws.next(3) as usize].map(region);
        let key = self.draws.next(50);
        let task = Task {
            id: TaskId::new(step),
            task_type,
            required,
            complexity,
            priority: Priority::NORMAL,
            affinity: &affinity,
            anti_affinity: &anti_affinity,
            region,
            size_hint_bytes: None,
            key: u64::from(hash32(&key.to_string())),
        };
        let chosen = self.balancer.select_worker(self.at(), &task).ok();
        let chosen = (0..WORKERS)
            .find(|&worker| chosen.is_some() && chosen == self.numbers[worker].map(WorkerId::new));
        let Some(worker) = chosen else { return '-' };
        self.open.push_back((worker, task_type, task.id));
        if self.draws.next(3) > 0 {
            let success = self.draws.next(5) > 0;
            let took = Duration::from_millis(u64::from(5 + self.draws.next(200)));
            let place = self.open.iter().position(|&(of, kind, _)| (of, kind) == (worker, task_type));
            let place = place.expect("it has just been pushed");
            let (.., id) = self.open.remove(place).expect("it was found");
            self.balancer.handle_outcome(self.at(), (id, task_type), self.id(worker), success, took);
        }
        char::from_digit(u32::try_from(worker).expect("six workers"), 10).expect("a digit")
    }

    /// Its status and load, or `None` where it isn't among the workers this time.
    fn draw_worker(&mut self, worker: usize) -> Option<(WorkerStatus, u32)> {
        let load = self.draws.next(CAPACITIES[worker] + 1);
        let status = match self.draws.next(12) {
            0 => WorkerStatus::Draining,
            1 => WorkerStatus::Offline,
            2 => WorkerStatus::Booting,
            3..6 => WorkerStatus::Busy,
            _ => WorkerStatus::Ready,
        };
        (self.draws.next(10) > 0).then_some((status, load))
    }

    fn draw_list(&mut self, one_in: u32) -> Vec<WorkerId> {
        if self.draws.next(one_in) > 0 {
            return Vec::new();
        }
        let worker = self.draws.next(6) as usize;
        self.numbers[worker].map(WorkerId::new).into_iter().collect()
    }

    fn tell(&mut self, worker: usize, status: WorkerStatus, load: u32) {
        let number = *self.numbers[worker].get_or_insert_with(|| {
            self.met += 1;
            self.met - 1
        });
        let index = u32::try_from(worker).expect("six workers");
        let spec = WorkerSpec {
            capabilities: Capabilities::from_bits(
                if worker.is_multiple_of(2) { GPU } else { 0 }
                    | if worker.is_multiple_of(3) { FAST } else { 0 },
            ),
            capacity: Load::new(CAPACITIES[worker]),
            concurrency: 1 + index % 2,
            region: Some(region(if worker < 3 { "eu" } else { "us" })),
            latency: Duration::from_millis(u64::from(index * 2)),
            ..WorkerSpec::new(WorkerId::new(number))
        };
        self.balancer.handle_joined(self.at(), spec);
        let record = match worker {
            1 => WorkerRecord {
                success_ratio: Some(0.8),
                mean_duration: Some(Duration::from_millis(40)),
                uptime_ratio: None,
            },
            4 => WorkerRecord {
                success_ratio: None,
                mean_duration: Some(Duration::from_millis(120)),
                uptime_ratio: Some(0.9),
            },
            _ => WorkerRecord::default(),
        };
        self.balancer.handle_record(spec.id, record);
        self.balancer.handle_status(self.at(), spec.id, status);
        self.report(worker, load);
    }

    fn report(&mut self, worker: usize, load: u32) {
        let report = WorkerReport { foreign_load: Some(Load::new(load)), ..WorkerReport::default() };
        self.balancer.handle_report(self.at(), self.id(worker), report);
    }

    fn at(&self) -> Instant {
        Instant::from_millis(self.now)
    }

    fn id(&self, worker: usize) -> WorkerId {
        WorkerId::new(self.numbers[worker].expect("it was seen"))
    }
}

fn region(name: &str) -> RegionId {
    RegionId::new(hash32(name))
}

/// As `wasm/npm/src/balance/names.ts`, for texts of one byte a letter.
fn hash32(text: &str) -> u32 {
    let mut hash = 0x811C_9DC5_u32;
    for unit in text.bytes() {
        hash = (hash ^ u32::from(unit)).wrapping_mul(0x0100_0193);
    }
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85EB_CA6B);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xC2B2_AE35);
    hash ^ (hash >> 16)
}
