//! The Quillwork dashboard: what the host and its pages do, live.
//!
//! [`model`] decides what is shown; it is plain Rust and tested natively. Around it lie thin shells: `net` talks to the
//! host, `chart` draws, `panel` is the page, `browser` is the clock, the storage and the address.
//!
//! The flow is one way. A tick of the host goes into the time line and into signals; panels read
//! signals and re-render what changed; charts draw at most once a frame and not while the page is hidden.

pub mod model;

mod app;
mod browser;
#[expect(unreachable_pub, reason = "the component macro writes `pub` into private modules")]
mod chart;
mod desk;
mod net;
#[expect(unreachable_pub, reason = "as above")]
mod panel;
mod past;
mod state;

pub use app::mount;
