//! What a process takes, from `/proc`.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::{Child, Command};

/// A program that is measured. It is ended when this is dropped.
pub(crate) struct Process {
    child: Child,
    id: u32,
}

/// Bytes of a process that are in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// Its own and what it shares.
    pub(crate) resident: f64,
    /// The most that was resident so far.
    pub(crate) peak: f64,
    /// With its part of what it shares.
    pub(crate) proportional: f64,
}

impl Process {
    /// Starts a program, whose output is thrown away.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        Self::of(command.stdout(Stdio::null()).stderr(Stdio::null()))
    }

    /// Starts a program with the output that was set.
    pub(crate) fn of(command: &mut Command) -> Result<Self> {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{name} does not start"))?;
        let id = child.id().with_context(|| format!("{name} ended at once"))?;
        Ok(Self { child, id })
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Seconds of processor time until now, its own and of children that have ended.
    pub(crate) fn seconds(&self) -> Result<f64> {
        let stat = self.file("stat")?;
        let fields = stat.rsplit_once(')').context("a process has a name")?.1;
        // From the state, the third field: user, system, and both of children.
        let times = fields.split_whitespace().skip(11).take(4);
        let ticks = times.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    pub(crate) fn memory(&self) -> Result<Memory> {
        let (status, smaps) = (self.file("status")?, self.file("smaps_rollup")?);
        Ok(Memory {
            resident: bytes(&status, "VmRSS:")?,
            peak: bytes(&status, "VmHWM:")?,
            proportional: bytes(&smaps, "Pss:")?,
        })
    }

    /// Tells it to end, and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<()> {
        let id = i32::try_from(self.id).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(id.context("a process has an id")?, rustix::process::Signal::TERM)?;
        match tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await {
            Ok(status) => drop(status?),
            Err(_) => bail!("the process {} does not end when it is told to", self.id),
        }
        Ok(())
    }

    fn file(&self, name: &str) -> Result<String> {
        let path = format!("/proc/{}/{name}", self.id);
        fs::read_to_string(&path).with_context(|| format!("{path}: the program has ended"))
    }
}

fn bytes(text: &str, field: &str) -> Result<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    Ok(kibibytes.with_context(|| format!("there is no {field}"))?.parse::<f64>()? * 1_024.0)
}
