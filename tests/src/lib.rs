//! What crosses rooms.
//!
//! The library holds the comparison of decisions between this machine and a browser: [`digests`] runs the same seeded
//! scenarios wherever it is compiled to and folds all that was decided into a number each. The native binary `digests`
//! prints them; the module for the browser exports them; `tests/browser` compares. [`soak`] runs simulations from more seeds
//! than a test has the time for; `cargo xtask soak` starts it. The other tests of this crate are in its `tests` folder, and
//! need no library.

pub mod digests;
mod random_fleet;
pub mod soak;

#[cfg(target_arch = "wasm32")]
mod exports;
