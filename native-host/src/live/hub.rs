//! Documents and messages of the newest tick, made once for all who are told the same.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use quillwork_protocol::topic::{Encoding, Update};
use serde_json::{Map, Value};

use super::document::Document;
use super::patch::difference;
use super::selection::Selection;
use crate::state::Tick;

/// A tick, and its document once somebody needs it.
#[derive(Debug)]
pub(crate) struct Told {
    tick: Arc<Tick>,
    document: OnceLock<Document>,
}

/// A message as it goes out. Copies share the content.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// JSON.
    Text {
        /// Tick that the receiver holds by this message.
        sequence: u64,
        /// Whether it is the whole state.
        is_whole: bool,
        /// The message.
        text: Utf8Bytes,
    },
    /// CBOR.
    Binary(Bytes),
}

/// What subscribers share.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    newest: Mutex<Option<Newest>>,
}

#[derive(Debug)]
struct Newest {
    told: Arc<Told>,
    frames: Vec<(Arc<Selection>, Option<u64>, Frame)>,
}

/// Messages of one tick that are kept: subscriptions that differ, times how far behind their subscribers are. Beyond it
/// each gets a message of its own.
const SHARED: usize = 32;

impl Told {
    pub(super) fn new(tick: Arc<Tick>) -> Self {
        Self { tick, document: OnceLock::new() }
    }

    pub(super) fn sequence(&self) -> u64 {
        self.tick.sequence
    }

    fn state(&self, selection: &Selection) -> Map<String, Value> {
        let document = self.document.get_or_init(|| Document::new(&self.tick));
        document.select(selection, &self.tick.snapshot)
    }
}

impl Hub {
    /// The message that brings a subscriber from `base`, or from nothing, to `tick`; and what it holds then.
    pub(super) fn frame(
        &self,
        tick: &Arc<Tick>,
        selection: &Arc<Selection>,
        base: Option<&Told>,
    ) -> (Arc<Told>, Frame) {
        let base_sequence = base.map(Told::sequence);
        // A panic while it was held left nothing half done: what is in it is replaced as a whole.
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        if newest.as_ref().is_none_or(|newest| newest.told.sequence() < tick.sequence) {
            *newest = Some(Newest { told: Arc::new(Told::new(Arc::clone(tick))), frames: Vec::new() });
        }
        match newest.as_mut() {
            Some(Newest { told, frames }) if told.sequence() == tick.sequence => {
                let shared = frames.iter().find(|(of, from, _)| *from == base_sequence && of == selection);
                if let Some((_, _, frame)) = shared {
                    return (Arc::clone(told), frame.clone());
                }
                let frame = frame(told, selection, base);
                if frames.len() < SHARED {
                    frames.push((Arc::clone(selection), base_sequence, frame.clone()));
                }
                (Arc::clone(told), frame)
            }
            // Somebody is ahead of this subscriber already.
            _ => {
                drop(newest);
                let told = Arc::new(Told::new(Arc::clone(tick)));
                let frame = frame(&told, selection, base);
                (told, frame)
            }
        }
    }
}

fn frame(told: &Told, selection: &Selection, base: Option<&Told>) -> Frame {
    let (sequence, at_unix_millis) = (told.sequence(), told.tick.at_unix_millis);
    let state = told.state(selection);
    let update = match base {
        None => Update::State { sequence, at_unix_millis, state },
        Some(base) => {
            let patch = difference(&base.state(selection), &state).unwrap_or_default();
            Update::Delta { sequence, base: base.sequence(), at_unix_millis, patch }
        }
    };
    match selection.encoding() {
        Encoding::Json => {
            let text =
                serde_json::to_string(&update).expect("messages have string keys and no failing fields");
            Frame::Text { sequence, is_whole: base.is_none(), text: text.into() }
        }
        Encoding::Cbor => {
            let mut bytes = Vec::new();
            ciborium::into_writer(&update, &mut bytes).expect("writing to memory can't fail");
            Frame::Binary(bytes.into())
        }
    }
}
