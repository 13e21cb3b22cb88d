//! A disk whose power can be cut: what was not synced may have happened or not, in part or in full.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::VolumeError;
use super::atomic::Disk;

/// A disk that remembers what was asked of it, so that every state in which a cut of power may leave it can be made.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fragile {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// The directory and the files as the process sees them.
    names: BTreeMap<String, usize>,
    contents: Vec<Content>,
    /// The directory as it is after a cut if nothing more of it gets through.
    durable: BTreeMap<String, usize>,
    /// What happened to the directory since it was synced.
    pending: Vec<Step>,
    /// Steps so far, and the one before which the power goes.
    steps: usize,
    cut_at: usize,
}

#[derive(Clone, Debug)]
struct Content {
    bytes: Vec<u8>,
    is_synced: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Name(String, usize),
    Remove(String),
    Rename(String, String, usize),
}

impl Fragile {
    /// A disk whose power goes before the step of this number; from then on every step fails.
    pub(crate) fn cut_at(step: usize) -> Self {
        let disk = Self::default();
        disk.state.lock().unwrap().cut_at = step;
        disk
    }

    /// Steps that were done.
    pub(crate) fn steps(&self) -> usize {
        self.state.lock().unwrap().steps
    }

    /// Every disk that there may be after the cut: each subset of the directory's steps that were not synced, and files that were not synced whole,
    /// empty, torn or full of zeros.
    pub(crate) fn after_the_cut(&self) -> Vec<Self> {
        let state = self.state.lock().unwrap();
        let pending = state.pending.len();
        assert!(pending <= 10, "{pending} steps wait to be synced: their subsets are too many");
        let mut outcomes = Vec::new();
        for subset in 0..1_u32 << pending {
            let mut names = state.durable.clone();
            for (number, step) in state.pending.iter().enumerate() {
                if subset & (1 << number) == 0 {
                    continue;
                }
                match step {
                    Step::Name(name, content) => drop(names.insert(name.clone(), *content)),
                    Step::Remove(name) => drop(names.remove(name)),
                    Step::Rename(from, to, content) => {
                        names.remove(from);
                        names.insert(to.clone(), *content);
                    }
                }
            }
            for torn in [Torn::Whole, Torn::Empty, Torn::Half, Torn::Zeros] {
                let contents = state.contents.iter().map(|content| content.after(torn)).collect();
                let outcome =
                    State { durable: names.clone(), names: names.clone(), contents, ..State::default() };
                outcomes.push(Self { state: Arc::new(Mutex::new(State { cut_at: usize::MAX, ..outcome })) });
            }
        }
        outcomes
    }

    fn step<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, VolumeError> {
        let mut state = self.state.lock().unwrap();
        if state.steps >= state.cut_at {
            return Err(VolumeError::Io { path: "a test".into(), reason: "the power is gone".into() });
        }
        state.steps += 1;
        Ok(act(&mut state))
    }
}

#[derive(Clone, Copy, Debug)]
enum Torn {
    Whole,
    Empty,
    Half,
    Zeros,
}

impl Content {
    fn after(&self, torn: Torn) -> Self {
        let bytes = match torn {
            _ if self.is_synced => self.bytes.clone(),
            Torn::Whole => self.bytes.clone(),
            Torn::Empty => Vec::new(),
            Torn::Half => self.bytes[..self.bytes.len() / 2].to_vec(),
            Torn::Zeros => vec![0; self.bytes.len()],
        };
        Self { bytes, is_synced: true }
    }
}

impl Disk for Fragile {
    fn list(&self) -> Result<BTreeMap<String, u64>, VolumeError> {
        let state = self.state.lock().unwrap();
        let length = |&content: &usize| state.contents[content].bytes.len() as u64;
        Ok(state.names.iter().map(|(name, content)| (name.clone(), length(content))).collect())
    }

    fn read(&self, name: &str, from: u64, length: usize) -> Result<Option<Vec<u8>>, VolumeError> {
        let state = self.state.lock().unwrap();
        let Some(&content) = state.names.get(name) else { return Ok(None) };
        let bytes = &state.contents[content].bytes;
        let from = usize::try_from(from).unwrap().min(bytes.len());
        Ok(Some(bytes[from..from.saturating_add(length).min(bytes.len())].to_vec()))
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), VolumeError> {
        self.step(|state| {
            state.contents.push(Content { bytes: content.to_vec(), is_synced: false });
            let content = state.contents.len() - 1;
            state.names.insert(name.to_owned(), content);
            state.pending.push(Step::Name(name.to_owned(), content));
        })
    }

    fn sync(&self, name: &str) -> Result<(), VolumeError> {
        self.step(|state| {
            let content = state.names[name];
            state.contents[content].is_synced = true;
        })
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), VolumeError> {
        self.step(|state| {
            let content = state.names.remove(from).expect("what is renamed is there");
            state.names.insert(to.to_owned(), content);
            state.pending.push(Step::Rename(from.to_owned(), to.to_owned(), content));
        })
    }

    fn remove(&self, name: &str) -> Result<(), VolumeError> {
        self.step(|state| {
            if state.names.remove(name).is_some() {
                state.pending.push(Step::Remove(name.to_owned()));
            }
        })
    }

    fn sync_directory(&self) -> Result<(), VolumeError> {
        self.step(|state| {
            state.durable = state.names.clone();
            state.pending.clear();
        })
    }
}

/// A volume on such a disk.
pub(crate) fn fragile_volume(disk: &Fragile) -> impl super::Volume + use<> {
    super::atomic::Atomic::new(disk.clone())
}
