//! Ctrl-C and SIGTERM: pass them on to what runs, once, and let it end in its own way.
//!
//! Every child has a process group of its own, so that a stage that runs out of time can be ended with all it started.
//! The terminal therefore reaches only this process; the signal is passed on from here. A second signal kills.

use std::collections::BTreeSet;
use std::process::exit;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static GROUPS: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// Starts listening for signals.
pub(crate) fn install() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).context("could not listen for Ctrl-C")?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            for _ in &mut signals {
                let again = REQUESTED.swap(true, Ordering::SeqCst);
                let groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if groups.is_empty() {
                    exit(130);
                }
                for id in groups {
                    signal_group(id, if again { Signal::KILL } else { Signal::INT });
                }
            }
        })
        .context("could not start the thread that listens for Ctrl-C")?;
    Ok(())
}

/// Whether the user asked to stop.
pub(crate) fn requested() -> bool {
    REQUESTED.load(Ordering::SeqCst)
}

/// A child's process group, for as long as it runs.
pub(crate) struct Group(u32);

impl Group {
    /// Takes charge of the group that the child with this id leads.
    pub(crate) fn lead_by(id: u32) -> Self {
        GROUPS.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        let group = Self(id);
        if requested() {
            // The signal came between the spawn and this line.
            signal_group(id, Signal::INT);
        }
        group
    }

    /// Ends everything in the group at once.
    pub(crate) fn kill(&self) {
        signal_group(self.0, Signal::KILL);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        GROUPS.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

fn signal_group(id: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(id).ok().and_then(Pid::from_raw) {
        // It may have ended by itself in the meantime; then there is nothing to do.
        let _ = kill_process_group(pid, signal);
    }
}
