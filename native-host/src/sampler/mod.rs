//! One long-lived thread that measures the machine once a second.
//!
//! On Linux it reads `/proc` and `/sys` by hand (`linux`), on other systems it asks through `sysinfo` (`portable`). What
//! may hang is read by a probe on a thread of its own.

#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "Linux, read by hand, needs more of it"))]
mod fault;
mod gpu;
#[cfg(target_os = "linux")]
mod linux;
mod names;
#[cfg(any(not(target_os = "linux"), test))]
mod portable;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "Linux, read by hand, needs more of it"))]
mod probe;
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "Linux, read by hand, needs more of it"))]
mod rate;
mod root;
mod ticker;
mod top;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use quillwork_protocol::host::HostSnapshot;
use tokio::sync::watch;

#[cfg(target_os = "linux")]
use self::linux::Readings;
pub(crate) use self::names::plain;
#[cfg(not(target_os = "linux"))]
use self::portable::Readings;
use self::rate::Moment;
pub use self::root::SystemRoot;
use self::ticker::Ticker;
pub(crate) use self::top::{by_cpu, by_io, by_memory};

/// Distance of two ticks.
pub const PERIOD: Duration = Duration::from_secs(1);

/// Distance of two readings of file systems, sensors and graphics processors.
const SLOW_PERIOD: Duration = Duration::from_secs(2);

/// What to measure, and where.
#[derive(Clone, Debug)]
pub struct Options {
    /// What stands for `/`. Only Linux tells by files; other systems ignore it.
    pub root: SystemRoot,
    /// How many processes to show of each kind: those that use most processor time, most memory, most input and output.
    pub top: usize,
    /// Distance of two readings of processes and containers, which cost most.
    pub process_period: Duration,
    /// Whether file systems of other machines are asked how full they are. Only on Linux.
    pub network_mounts: bool,
}

impl Default for Options {
    /// This machine; ten processes of each kind, each five seconds.
    fn default() -> Self {
        Self {
            root: SystemRoot::default(),
            top: 10,
            process_period: Duration::from_secs(5),
            network_mounts: false,
        }
    }
}

/// Measures until every collector has answered once, or `patience` is over: what has not answered is left out, and its
/// [`Collector`](quillwork_protocol::host::Collector) says so. Rates need two readings: there are none.
///
/// # Errors
///
/// As [`Sampler::spawn`].
pub fn measure_once(options: &Options, patience: Duration) -> io::Result<HostSnapshot> {
    const PAUSE: Duration = Duration::from_millis(10);
    let mut readings = Readings::new(options)?;
    let begun = Instant::now();
    while !readings.have_answered() && begun.elapsed() < patience {
        thread::sleep(PAUSE);
    }
    Ok(readings.tick(Moment::now(), 0))
}

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
    pub fn spawn(options: &Options) -> io::Result<(Self, watch::Receiver<Option<Arc<HostSnapshot>>>)> {
        let mut readings = Readings::new(options)?;
        let (publish, published) = watch::channel(None);
        let (stop, stopped) = sync_channel::<()>(0);
        let thread = thread::Builder::new().name("sampler".to_owned()).spawn(move || {
            let start = Instant::now();
            // The first tick is now: its counters are what the second one compares with.
            let mut ticker = Ticker::new(start.elapsed(), PERIOD);
            let mut missed = 0;
            loop {
                let snapshot = readings.tick(Moment::now(), missed);
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
