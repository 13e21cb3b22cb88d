//! One picture of a chart: from the time line to numbers for `chart.js`.

use leptos::prelude::*;

use super::binding::Plot;
use super::figure::Spec;
use crate::model::axis::{self, Top};
use crate::model::decimate::Buckets;
use crate::model::summary::Summary;
use crate::state::{Dashboard, Engine};

/// The next tick may not have come yet when a chart is drawn.
const LAG_SLOTS: usize = 1;

/// What a chart keeps between two frames.
pub(super) struct Canvas {
    pub(super) plot: Plot,
    pub(super) top: Top,
    pub(super) width: f64,
}

/// First and last slot that are shown.
pub(super) fn window(dashboard: Dashboard) -> (u64, u64) {
    let step = dashboard.engine.with_value(|engine| engine.history.step_millis());
    let last = dashboard.edge.get_untracked();
    let slots = dashboard.view.with_untracked(|view| view.range.millis()) / step;
    (last.saturating_sub(slots), last)
}

impl Canvas {
    /// Draws the window that is shown and gives what each line comes to.
    pub(super) fn draw(&mut self, dashboard: Dashboard, spec: &Spec) -> Vec<Summary> {
        let (from, to) = window(dashboard);
        dashboard.engine.with_value(|engine| self.draw_window(engine, spec, from, to))
    }

    fn draw_window(&mut self, engine: &Engine, spec: &Spec, from: u64, to: u64) -> Vec<Summary> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a width in pixels")]
        let buckets = Buckets::over(from, to, self.width.max(1.0) as u32);
        let step = engine.history.step_millis();
        let seconds = buckets.seconds(step);
        let mut points = Vec::with_capacity(seconds.len() * spec.tracks.len());
        let mut summaries = Vec::with_capacity(spec.tracks.len());
        for track in &spec.tracks {
            let values = engine.history.window(&track.series, buckets.first_slot, buckets.last_slot);
            points.extend(buckets.decimate(&values));
            summaries.push(Summary::of(&values, LAG_SLOTS));
        }
        let greatest = summaries.iter().filter_map(|summary| summary.greatest).reduce(f64::max);
        let top = self.top.update(greatest);
        let ticks = axis::ticks(spec.unit, top);
        let labels = ticks.iter().map(|tick| spec.unit.show_tick(*tick)).collect();
        let ends = [seconds_of(from, step), seconds_of(to, step)];
        self.plot.draw(&seconds, &points, &ends, &[0.0, top], &ticks, labels, spec.limit.unwrap_or(f64::NAN));
        summaries
    }

    /// Puts the cursor on the slot that all charts point at.
    pub(super) fn point(&self, dashboard: Dashboard) {
        let step = dashboard.engine.with_value(|engine| engine.history.step_millis());
        let second = dashboard.cursor.get_untracked().map_or(f64::NAN, |slot| seconds_of(slot, step));
        self.plot.point(second);
    }
}

pub(super) fn seconds_of(slot: u64, step_millis: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit into 53 bits")]
    let millis = (slot * step_millis) as f64;
    millis / 1e3
}
