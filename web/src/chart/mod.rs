//! Charts: uPlot behind `chart.js`, drawn from the time line.

mod binding;
mod figure;
mod frame;
mod past;

pub(crate) use figure::{Chart, Line, Spec};
pub(crate) use past::PastChart;
