//! What is shown, and what a key does.

use std::collections::VecDeque;
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use quillwork_protocol::host::HostSnapshot;

use super::Sort;

/// What is shown.
#[derive(Debug)]
pub(super) struct View {
    pub(super) host: Option<Arc<HostSnapshot>>,
    pub(super) sort: Sort,
    pub(super) groups: bool,
    pub(super) is_held: bool,
    /// Rows of the table that are scrolled away.
    pub(super) scrolled: usize,
    /// Processor use of the last ticks, the oldest first.
    pub(super) history: VecDeque<Option<f64>>,
}

/// What follows from a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Quit,
    Draw,
    Nothing,
}

/// Ticks kept: a wide terminal shows as many.
const HISTORY: usize = 120;

impl View {
    pub(super) fn new(sort: Sort, groups: bool) -> Self {
        Self { host: None, sort, groups, is_held: false, scrolled: 0, history: VecDeque::new() }
    }

    /// The machine was measured. What is held doesn't change.
    pub(super) fn handle_tick(&mut self, host: Arc<HostSnapshot>) {
        let is_same = self.host.as_ref().is_some_and(|shown| shown.sampler.ticks == host.sampler.ticks);
        if is_same || self.is_held {
            return;
        }
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(host.cpu.total_ratio);
        self.host = Some(host);
    }

    /// A key was pressed.
    pub(super) fn handle_key(&mut self, key: KeyEvent) -> Next {
        const PAGE: usize = 10;
        if key.kind == KeyEventKind::Release {
            return Next::Nothing;
        }
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Next::Quit,
            KeyCode::Char('q') | KeyCode::Esc => return Next::Quit,
            KeyCode::Char('c') => self.sort_by(Sort::Cpu),
            KeyCode::Char('m') => self.sort_by(Sort::Memory),
            KeyCode::Char('i') => self.sort_by(Sort::Io),
            KeyCode::Char('g') => {
                self.groups = !self.groups;
                self.scrolled = 0;
            }
            KeyCode::Char(' ') => self.is_held = !self.is_held,
            KeyCode::Up => self.scrolled = self.scrolled.saturating_sub(1),
            KeyCode::Down => self.scrolled = self.scrolled.saturating_add(1),
            KeyCode::PageUp => self.scrolled = self.scrolled.saturating_sub(PAGE),
            KeyCode::PageDown => self.scrolled = self.scrolled.saturating_add(PAGE),
            KeyCode::Home => self.scrolled = 0,
            KeyCode::End => self.scrolled = usize::MAX,
            _ => return Next::Nothing,
        }
        self.scrolled = self.scrolled.min(self.rows().saturating_sub(1));
        Next::Draw
    }

    /// Rows of the table.
    pub(super) fn rows(&self) -> usize {
        self.host
            .as_ref()
            .map_or(0, |host| if self.groups { host.process_groups.len() } else { host.processes.len() })
    }

    /// Whether there are rates of everything.
    pub(super) fn is_complete(&self) -> bool {
        self.host.as_ref().is_some_and(|host| {
            let has_rate = |process: &quillwork_protocol::host::Process| process.cpu_of_core_ratio.is_some();
            host.cpu.total_ratio.is_some() && host.processes.iter().any(has_rate)
        })
    }

    fn sort_by(&mut self, sort: Sort) {
        self.sort = sort;
        self.scrolled = 0;
    }
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::host::Process;

    use super::*;

    fn press(view: &mut View, code: KeyCode) -> Next {
        view.handle_key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn tick(number: u64, processes: usize) -> Arc<HostSnapshot> {
        let mut host =
            HostSnapshot { processes: vec![Process::default(); processes], ..HostSnapshot::default() };
        host.sampler.ticks = number;
        Arc::new(host)
    }

    #[test]
    fn keys_sort_group_scroll_and_quit() {
        let mut view = View::new(Sort::Cpu, false);
        view.handle_tick(tick(1, 5));
        assert_eq!(press(&mut view, KeyCode::PageDown), Next::Draw);
        assert_eq!(view.scrolled, 4, "the last row stays");
        assert_eq!(
            (press(&mut view, KeyCode::Char('m')), view.sort, view.scrolled),
            (Next::Draw, Sort::Memory, 0)
        );
        press(&mut view, KeyCode::Char('g'));
        assert!(view.groups && press(&mut view, KeyCode::Char('x')) == Next::Nothing);
        for quit in [KeyCode::Char('q'), KeyCode::Esc] {
            assert_eq!(press(&mut view, quit), Next::Quit);
        }
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(view.handle_key(interrupt), Next::Quit);
    }

    #[test]
    fn what_is_held_does_not_change() {
        let mut view = View::new(Sort::Cpu, false);
        view.handle_tick(tick(1, 1));
        press(&mut view, KeyCode::Char(' '));
        view.handle_tick(tick(2, 2));
        assert_eq!((view.rows(), view.history.len()), (1, 1));
        press(&mut view, KeyCode::Char(' '));
        view.handle_tick(tick(3, 3));
        view.handle_tick(tick(3, 3));
        assert_eq!((view.rows(), view.history.len()), (3, 2));
    }
}
