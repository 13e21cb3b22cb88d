//! Throttled execution: beside a naive model, and what a user would miss.

mod model;
mod scenarios;
