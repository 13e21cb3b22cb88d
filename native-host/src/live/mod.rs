//! Who subscribes hears the state once and then what changed, over a WebSocket or an event stream.
//!
//! Nothing here runs on the driver's task. [`Hub`] makes the document of a tick and the messages of it when the first
//! subscriber needs them and shares both with all others: most want the same and are equally far, so that a tick costs one
//! comparison, not one for each client. [`Feed`] is one client's place in it. Values are conflated: whoever is slow gets what
//! changed since the last update that it was sent, however many ticks that is, and nothing is queued for it.

mod document;
mod feed;
mod hub;
mod patch;
mod selection;

pub(crate) use self::feed::Feed;
pub(crate) use self::hub::{Frame, Hub};
pub(crate) use self::selection::Selection;
