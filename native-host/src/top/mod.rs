//! `quillwork top`: live in the terminal what this machine does.
//!
//! `view` decides what is shown and what a key does, `screen` makes lines of it, `terminal` puts them on the screen.
//! Without a terminal the lines are printed once.

mod screen;
mod table;
mod terminal;
mod view;

use std::io::{self, IsTerminal, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use crossterm::event::{self, Event};
use quillwork_protocol::host::HostSnapshot;
use tokio::sync::watch;

use self::screen::Line;
use self::terminal::Terminal;
use self::view::{Next, View};
use crate::sampler::{Options, Sampler, SystemRoot};

/// What to show.
#[derive(Args, Clone, Debug)]
pub struct TopArgs {
    /// What to sort processes by
    #[arg(long, value_enum, default_value_t)]
    pub sort: Sort,

    /// Show all processes of one name together
    #[arg(long)]
    pub groups: bool,

    /// Print once and end, as without a terminal
    #[arg(long)]
    pub once: bool,

    /// Directory that stands for /, for instance where a container has the machine's /proc and /sys mounted
    #[arg(long, value_name = "DIR", default_value = "/", hide_default_value = true)]
    pub root: PathBuf,
}

/// What processes are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    /// Processor time
    #[default]
    Cpu,
    /// Resident memory
    Memory,
    /// Bytes read from and written to disks
    Io,
}

pub(crate) const KEYS: &str = "\
Keys:
  c m i     sort by processor time, memory, input and output
  g         all processes of one name together, or each
  up down   scroll; page up, page down, home, end
  space     hold and go on
  q         quit (or Esc, Ctrl-C)

NO_COLOR in the environment takes colours away.";

/// Shows what this machine does until a key ends it; without a terminal prints it once.
///
/// # Errors
///
/// If the machine can't be measured, or the terminal fails. The message says what to do.
pub fn top(args: &TopArgs) -> Result<(), String> {
    if !args.root.is_dir() {
        return Err(format!("--root {} is no directory", args.root.display()));
    }
    let options = Options {
        root: SystemRoot::new(&args.root),
        top: PROCESSES,
        process_period: PROCESS_PERIOD,
        ..Options::default()
    };
    let (_sampler, ticks) =
        Sampler::spawn(&options).map_err(|error| format!("this machine can't be measured: {error}"))?;
    let mut view = View::new(args.sort, args.groups);
    let shown = if args.once || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        once(&mut view, &ticks)
    } else {
        live(&mut view, ticks)
    };
    shown.map_err(|error| format!("the terminal fails: {error}"))
}

/// More processes than fit a screen, so that there is something to scroll to.
const PROCESSES: usize = 200;

const PROCESS_PERIOD: Duration = Duration::from_secs(2);

/// How often keys are looked for while nothing is new.
const POLL: Duration = Duration::from_millis(100);

fn live(view: &mut View, mut ticks: watch::Receiver<Option<Arc<HostSnapshot>>>) -> io::Result<()> {
    let mut terminal = Terminal::enter(is_colourful())?;
    loop {
        let mut is_new = ticks.has_changed().unwrap_or(false);
        if is_new && let Some(host) = ticks.borrow_and_update().clone() {
            view.handle_tick(host);
        }
        if event::poll(if is_new { Duration::ZERO } else { POLL })? {
            match event::read()? {
                Event::Key(key) => match view.handle_key(key) {
                    Next::Quit => return Ok(()),
                    Next::Draw => is_new = true,
                    Next::Nothing => {}
                },
                Event::Resize(..) => is_new = true,
                _ => {}
            }
        }
        if is_new {
            let (width, height) = crossterm::terminal::size()?;
            terminal.draw(&screen::lines(view, width.into(), height.into()))?;
        }
    }
}

/// Rates need two readings of everything.
fn once(view: &mut View, ticks: &watch::Receiver<Option<Arc<HostSnapshot>>>) -> io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(6);
    let begun = Instant::now();
    while !view.is_complete() && begun.elapsed() < PATIENCE {
        thread::sleep(POLL);
        if let Some(host) = ticks.borrow().clone() {
            view.handle_tick(host);
        }
    }
    const WIDTH: usize = 100;
    let mut stdout = io::stdout().lock();
    for line in screen::lines(view, WIDTH, screen::ALL) {
        match writeln!(stdout, "{}", Line::text(&line).trim_end()) {
            // Who reads only the first lines has them.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            result => result?,
        }
    }
    Ok(())
}

/// <https://no-color.org>: any value but an empty one.
fn is_colourful() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
