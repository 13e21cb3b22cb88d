//! What the dashboard shows, decided without a browser: no DOM, no clock, no random numbers.
//!
//! Everything here takes time and randomness as arguments and is tested natively. The parts that touch the browser
//! only carry these decisions out.

pub mod alerts;
pub mod axis;
pub mod backfill;
pub mod budget;
pub mod decimate;
pub mod format;
pub mod history;
pub mod link;
pub mod pages;
pub mod series;
pub mod settings;
pub mod summary;
pub mod token;
