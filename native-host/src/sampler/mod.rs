//! One long-lived thread that measures the machine once a second.

mod cpu;
mod disks;
mod gpus;
mod machine;
mod memory;
mod network;
mod probe;
mod processes;
mod rate;
mod sensors;
mod ticker;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use quillwork_protocol::host::{
    Disk, Gpu, HostSnapshot, Machine, Process, Sampler as SamplerFacts, Temperature,
};
use sysinfo::System;
use tokio::sync::watch;

use self::probe::Probe;
use self::ticker::Ticker;
use crate::clock::unix_millis;

/// Distance of two ticks.
pub const PERIOD: Duration = Duration::from_secs(1);

/// Distance of two readings of the processes, which cost most.
const PROCESS_PERIOD: Duration = Duration::from_secs(5);

/// Distance of two readings of sensors and graphics processors.
const SLOW_PERIOD: Duration = Duration::from_secs(2);

/// After this long without an answer a reading counts as hung.
const PATIENCE: Duration = Duration::from_secs(5);

/// The sampler's thread; it ends when this is dropped.
#[derive(Debug)]
pub struct Sampler {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sampler {
    /// Starts to measure. Each tick is published through the receiver, which holds the newest only: a reader that is
    /// late skips ticks, as the sampler does.
    ///
    /// # Errors
    ///
    /// If the system refuses a thread, or processor and memory can't be read on it at all.
    pub fn spawn() -> io::Result<(Self, watch::Receiver<Option<Arc<HostSnapshot>>>)> {
        let mut readings = Readings::new()?;
        let (publish, published) = watch::channel(None);
        let (stop, stopped) = sync_channel::<()>(0);
        let thread = thread::Builder::new().name("sampler".to_owned()).spawn(move || {
            let start = Instant::now();
            // The first tick is now: its counters are what the second one compares with.
            let mut ticker = Ticker::new(start.elapsed(), PERIOD);
            let mut missed = 0;
            loop {
                let snapshot = readings.tick(Instant::now(), missed);
                if publish.send(Some(Arc::new(snapshot))).is_err() {
                    return;
                }
                if stopped.recv_timeout(ticker.wait(start.elapsed())) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                missed += ticker.take(start.elapsed());
            }
        })?;
        Ok((Self { stop: Some(stop), thread: Some(thread) }, published))
    }
}

impl Drop for Sampler {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A tick reads /proc and hangs nowhere; what may hang is in probes.
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

/// Everything a tick reads.
struct Readings {
    system: System,
    machine: Machine,
    cpu: cpu::CpuReader,
    network: network::NetworkReader,
    disks: Probe<Vec<Disk>>,
    temperatures: Probe<Vec<Temperature>>,
    gpus: Probe<Vec<Gpu>>,
    processes: Probe<Vec<Process>>,
    last: Option<(Instant, u64)>,
    ticks: u64,
}

impl Readings {
    fn new() -> io::Result<Self> {
        let mut system = System::new().map_err(io::Error::other)?;
        let machine = machine::read(&mut system);
        let mut disks = disks::DiskReader::new();
        let mut sensors = sensors::SensorReader::new();
        let mut gpus = gpus::GpuReader::new();
        let mut processes = processes::ProcessReader::new();
        let patience = |period: Duration| period + PATIENCE;
        Ok(Self {
            system,
            machine,
            cpu: cpu::CpuReader::new(),
            network: network::NetworkReader::new(),
            disks: Probe::spawn("disks", PERIOD, patience(PERIOD), move || disks.read())?,
            temperatures: Probe::spawn("sensors", SLOW_PERIOD, patience(SLOW_PERIOD), move || {
                sensors.read()
            })?,
            gpus: Probe::spawn("gpus", SLOW_PERIOD, patience(SLOW_PERIOD), move || gpus.read())?,
            processes: Probe::spawn("processes", PROCESS_PERIOD, patience(PROCESS_PERIOD), move || {
                processes.read()
            })?,
            last: None,
            ticks: 0,
        })
    }

    fn tick(&mut self, now: Instant, missed_ticks: u64) -> HostSnapshot {
        let at_unix_millis = unix_millis();
        let gap = self.is_gap(now, at_unix_millis);
        self.last = Some((now, at_unix_millis));
        self.ticks += 1;
        HostSnapshot {
            at_unix_millis,
            cpu: self.cpu.read(&mut self.system, gap),
            memory: memory::read(&mut self.system),
            networks: self.network.read(now),
            disks: self.disks.latest(now).unwrap_or_default(),
            temperatures: self.temperatures.latest(now).unwrap_or_default(),
            gpus: self.gpus.latest(now).unwrap_or_default(),
            processes: self.processes.latest(now).unwrap_or_default(),
            machine: self.machine.clone(),
            sampler: SamplerFacts {
                ticks: self.ticks,
                missed_ticks,
                tick_millis: now.elapsed().as_secs_f64() * 1_000.0,
            },
        }
    }

    /// Whether the machine slept since the last tick, or the sampler was held up for long. The monotonic clock stands
    /// still while a Linux machine sleeps, the wall clock does not.
    fn is_gap(&self, now: Instant, unix_millis: u64) -> bool {
        self.last.is_some_and(|(then, then_unix_millis)| {
            let by_wall = Duration::from_millis(unix_millis.saturating_sub(then_unix_millis));
            now.duration_since(then).max(by_wall) > rate::GAP
        })
    }
}
