//! What pages did: frames, responses, errors, types of task, caches.

use std::collections::BTreeMap;

use quillwork_core::telemetry::Sketch;
use quillwork_protocol::report::{CacheSummary, PageSummary, TaskTypeSummary};
use quillwork_store::history::ReadError;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use super::spread::{Spread, merged};
use crate::insights::view::{Line, SketchLine, Span, View, find};
use crate::insights::{Context, SOURCE, TASK_TYPE};

/// Pages and types of task that are told.
const MOST_PAGES: usize = 20;
const MOST_TYPES: usize = 20;
/// Pages that are read, those that came last; values of pages in memory at a time; steps in which sketches are read.
const MOST_READ: usize = 200;
const MOST_AT_ONCE: usize = 500_000;
const SKETCH_STEPS: u64 = 48;

const NUMBERS: [&str; 5] =
    ["page.fps", "page.pool_utilisation", "page.cache_hit_ratio", "page.tasks_ended", "page.tasks_failed"];
const SKETCHES: [&str; 2] = ["page.response", "page.task.duration"];

pub(super) struct Pages {
    pages: Vec<Page>,
    /// Run times by type of task, of all pages.
    types: BTreeMap<String, Sketch>,
}

/// A page load.
struct Page {
    source: String,
    name: String,
    seen_millis: u64,
    frames: Vec<f64>,
    utilisation: Option<f64>,
    hit_ratio: Option<f64>,
    response: Option<Sketch>,
    ended: f64,
    failed: f64,
}

impl Pages {
    pub(super) fn is_of_interest(key: &SeriesKey) -> bool {
        NUMBERS.contains(&key.name()) || SKETCHES.contains(&key.name())
    }

    pub(super) fn read<V: Volume>(
        view: &mut View<V>,
        span: Span,
        context: &Context,
    ) -> Result<Self, ReadError> {
        let sources = view.newest_sources(MOST_READ, Self::is_of_interest);
        // What is made of sketches is made of all of them: steps as long as may be.
        let whole = view.span(span.from, span.to, (span.to - span.from).div_ceil(SKETCH_STEPS));
        let (mut pages, mut types) = (Vec::new(), BTreeMap::new());
        // Some pages at a time: all values of all pages together may be many.
        let at_once = (MOST_AT_ONCE / (span.len() * NUMBERS.len()).max(1)).max(1);
        for some in sources.chunks(at_once) {
            let is_meant = |key: &SeriesKey| {
                Self::is_of_interest(key) && some.iter().any(|source| key.label(SOURCE) == Some(source))
            };
            let lines = view.lines(span, is_meant)?;
            let sketches = view.sketches(whole, is_meant)?;
            add_types(&mut types, &sketches);
            for source in some {
                let page = Page::new(source.clone(), context, span, &lines, &sketches);
                pages.extend(Some(page).filter(|page| page.seen_millis > 0));
            }
        }
        pages.sort_by(|a, b| b.seen_millis.cmp(&a.seen_millis).then_with(|| a.source.cmp(&b.source)));
        Ok(Self { pages, types })
    }

    /// Frames a second of all pages.
    pub(super) fn frames(&self) -> Option<Spread> {
        Spread::new(self.pages.iter().flat_map(|page| &page.frames).copied())
    }

    /// Response times of all pages.
    pub(super) fn response(&self) -> Option<Sketch> {
        merged(self.pages.iter().filter_map(|page| page.response.as_ref()))
    }

    /// Share of all tasks that ended with an error, a time-out or a crash; nothing without tasks.
    pub(super) fn error_ratio(&self) -> Option<f64> {
        let sum = |of: fn(&Page) -> f64| self.pages.iter().map(of).sum::<f64>();
        let ended = sum(|page| page.ended);
        (ended > 0.0).then(|| sum(|page| page.failed) / ended)
    }

    /// The worst page's.
    pub(super) fn worst_error_ratio(&self) -> Option<f64> {
        self.pages.iter().filter_map(Page::error_ratio).reduce(f64::max)
    }

    pub(super) fn summaries(&self) -> Vec<PageSummary> {
        self.pages.iter().take(MOST_PAGES).map(Page::summary).collect()
    }

    pub(super) fn task_types(&self, earlier: Option<&Self>) -> Vec<TaskTypeSummary> {
        let all: f64 = self.types.values().map(Sketch::sum).sum();
        let mut found: Vec<TaskTypeSummary> = self
            .types
            .iter()
            .filter_map(|(task_type, times)| {
                Some(TaskTypeSummary {
                    task_type: task_type.clone(),
                    count: times.count(),
                    mean_millis: times.mean()?,
                    p95_millis: times.quantile(0.95)?,
                    total_millis: times.sum(),
                    share_ratio: if all > 0.0 { times.sum() / all } else { 0.0 },
                    earlier_mean_millis: earlier
                        .and_then(|earlier| earlier.types.get(task_type))
                        .and_then(Sketch::mean),
                })
            })
            .collect();
        found.sort_by(|a, b| {
            b.total_millis.total_cmp(&a.total_millis).then_with(|| a.task_type.cmp(&b.task_type))
        });
        found.truncate(MOST_TYPES);
        found
    }

    pub(super) fn cache(&self, earlier: Option<&Self>) -> Option<CacheSummary> {
        let with = || self.pages.iter().filter_map(|page| Some((page, page.hit_ratio?)));
        let (lowest, lowest_hit_ratio) = with().min_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(CacheSummary {
            hit_ratio: self.hit_ratio()?,
            pages: u32::try_from(with().count()).unwrap_or(u32::MAX),
            lowest_source: lowest.source.clone(),
            lowest_name: lowest.name.clone(),
            lowest_hit_ratio,
            earlier_hit_ratio: earlier.and_then(Self::hit_ratio),
        })
    }

    fn hit_ratio(&self) -> Option<f64> {
        Spread::new(self.pages.iter().filter_map(|page| page.hit_ratio)).map(|spread| spread.mean())
    }
}

fn add_types(types: &mut BTreeMap<String, Sketch>, lines: &[SketchLine]) {
    for line in lines.iter().filter(|line| line.key.name() == "page.task.duration") {
        let Some(task_type) = line.key.label(TASK_TYPE) else { continue };
        let before = types.remove(task_type);
        let all = merged(before.iter().chain(line.sketches.iter().flatten()));
        types.extend(all.map(|all| (task_type.to_owned(), all)));
    }
}

impl Page {
    fn new(source: String, context: &Context, span: Span, lines: &[Line], sketches: &[SketchLine]) -> Self {
        let of_page = Some((SOURCE, source.as_str()));
        let known = |name| find(lines, name, of_page).iter().copied().flatten();
        let is_response = |line: &&SketchLine| {
            line.key.name() == "page.response" && line.key.label(SOURCE) == Some(&source)
        };
        let response = sketches.iter().find(is_response);
        let mean = |name| Spread::new(known(name)).map(|spread| spread.mean());
        // A page that has a pool tells its use in each second, hidden or not.
        let of_source = lines.iter().filter(|line| line.key.label(SOURCE) == Some(&source));
        let seconds = of_source.map(|line| line.values.iter().flatten().count()).max().unwrap_or(0);
        Self {
            name: context.name(&source),
            seen_millis: seconds as u64 * span.step_millis,
            frames: known("page.fps").collect(),
            utilisation: mean("page.pool_utilisation"),
            hit_ratio: mean("page.cache_hit_ratio"),
            response: response.and_then(|line| merged(line.sketches.iter().flatten())),
            ended: known("page.tasks_ended").sum(),
            failed: known("page.tasks_failed").sum(),
            source,
        }
    }

    fn error_ratio(&self) -> Option<f64> {
        (self.ended > 0.0).then(|| self.failed / self.ended)
    }

    fn summary(&self) -> PageSummary {
        let frames = Spread::new(self.frames.iter().copied());
        let response = |share| self.response.as_ref().and_then(|response| response.quantile(share));
        PageSummary {
            source: self.source.clone(),
            name: self.name.clone(),
            seen_millis: self.seen_millis,
            frames_per_second: frames.as_ref().map(Spread::mean),
            frames_per_second_p5: frames.as_ref().map(|frames| frames.quantile(0.05)),
            response_p50_millis: response(0.5),
            response_p95_millis: response(0.95),
            response_p99_millis: response(0.99),
            responses: self.response.as_ref().map_or(0, Sketch::count),
            error_ratio: self.error_ratio(),
            pool_utilisation: self.utilisation,
            cache_hit_ratio: self.hit_ratio,
        }
    }
}
