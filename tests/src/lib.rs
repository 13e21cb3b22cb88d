//! What crosses rooms.
//!
//! The library holds the comparison of decisions between this machine and a browser: [`digests`] runs the same seeded
//! scenarios wherever it is compiled to and folds all that was decided into a number each. The native binary `digests`
//! prints them; the module for the browser exports them; `tests/browser` compares. The other tests of this crate are in
//! its `tests` folder, and need no library.

pub mod digests;

#[cfg(target_arch = "wasm32")]
mod exports;
