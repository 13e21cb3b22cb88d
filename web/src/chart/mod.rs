//! Charts: uPlot behind `chart.js`, drawn from the time line.

mod binding;
mod figure;
mod frame;

pub(crate) use figure::{Chart, Line, Spec};
