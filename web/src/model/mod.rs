//! What the dashboard shows, decided without a browser: no DOM, no clock, no random numbers.
//!
//! Everything here takes time and randomness as arguments and is tested natively. The parts that touch the browser
//! only carry these decisions out.

pub mod alerts;
pub mod axis;
pub mod backfill;
pub mod budget;
pub mod decimate;
pub mod failure;
pub mod format;
pub mod history;
pub mod insights;
pub mod json;
pub mod link;
pub mod objectives;
pub mod pages;
pub mod past;
pub mod past_view;
pub mod query_text;
pub mod series;
pub mod settings;
pub mod silences;
pub mod summary;
pub mod token;
