//! What limited, window by window.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use quillwork_core::insights::{Bottleneck, Observed, Resource, Sign, bottlenecks};
use quillwork_core::telemetry::Sketch;
use quillwork_protocol::insights::{BottleneckInfo, LimitKind, LimitSign};
use quillwork_store::history::ReadError;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use super::view::{Line, SketchLine, Span, View, find};
use super::{Context, SOURCE, TASK_TYPE, words};

/// The least length of a window.
const WINDOW_MILLIS: u64 = 15 * 60_000;
/// Windows of a range at most, and values of a series in each.
const MOST_WINDOWS: u64 = 96;
const MOST_VALUES: u64 = 900;
/// Pages that are looked at, those that came last.
const MOST_PAGES: usize = 100;

/// What limits is looked for in these.
const NAMES: [&str; 15] = [
    "host.cpu.total",
    "host.memory.used",
    "host.pressure",
    "host.disk.busy",
    "host.disk.queue",
    "host.network.received",
    "host.network.sent",
    "host.network.drops",
    "host.network.errors",
    "host.gpu.used",
    "host.gpu.memory",
    "page.pool_utilisation",
    "page.pool_queued",
    "page.pool_workers",
    "page.task.duration",
];

/// Whether insights are drawn from a series at all.
pub(super) fn is_of_interest(key: &SeriesKey) -> bool {
    NAMES.contains(&key.name())
}

/// What limited in a range, and how many steps of it were measured.
pub(super) struct Limits {
    pub(super) found: Vec<BottleneckInfo>,
    pub(super) measured_millis: u64,
}

pub(super) fn limits<V: Volume>(
    view: &mut View<V>,
    context: &Context,
    (from, to): (u64, u64),
) -> Result<Limits, ReadError> {
    let from = view.first_within(from, to);
    let window_millis = WINDOW_MILLIS.max((to - from).div_ceil(MOST_WINDOWS));
    let mut all: BTreeMap<Key, Found> = BTreeMap::new();
    let mut measured_millis = 0;
    let pages = view.newest_sources(MOST_PAGES, |key| key.name() == "page.pool_utilisation");
    let is_shown =
        |key: &SeriesKey| key.label(SOURCE).is_none_or(|source| pages.iter().any(|page| page == source));
    let mut start = from;
    while start < to {
        let end = (start + window_millis).min(to);
        let span = view.span(start, end, window_millis.div_ceil(MOST_VALUES));
        let lines = view.lines(span, |key| is_of_interest(key) && is_shown(key))?;
        let seconds = find(&lines, "host.cpu.total", None).iter().flatten().count() as u64;
        measured_millis += seconds * span.step_millis;
        for (source, found) in in_window(view, &lines, context, span)? {
            let key = Key {
                source,
                resource: kind(found.resource),
                subject: found.subject.clone(),
                sign: found.sign,
            };
            all.entry(key).and_modify(|known| known.merge(&found)).or_insert(found);
        }
        start = end;
    }
    let mut found: Vec<BottleneckInfo> = all
        .into_iter()
        .map(|(key, found)| info(&key, &found, context, window_millis.min(to - from)))
        .collect();
    // The machine before pages: a queue behind a busy processor grows shorter by no further worker.
    found.sort_by(|a, b| {
        let key = |info: &BottleneckInfo| (info.source.is_some(), info.sign == LimitSign::Errors);
        key(a)
            .cmp(&key(b))
            .then(b.over_millis.cmp(&a.over_millis))
            .then(b.confidence.total_cmp(&a.confidence))
            .then((a.resource, &a.subject, &a.source).cmp(&(b.resource, &b.subject, &b.source)))
    });
    Ok(Limits { found, measured_millis })
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    source: Option<String>,
    resource: LimitKind,
    subject: String,
    sign: LimitSign,
}

struct Found {
    resource: Resource,
    subject: String,
    sign: LimitSign,
    over_millis: u64,
    measured_millis: u64,
    windows: u32,
    first: u64,
    last: u64,
    threshold: f64,
    median: f64,
    confidence: f64,
}

impl Found {
    fn new(of: &Bottleneck<'_>, span: Span) -> Self {
        Self {
            resource: of.resource,
            subject: of.subject.to_owned(),
            sign: sign(of.sign),
            over_millis: of.seconds_over as u64 * span.step_millis,
            measured_millis: of.seconds as u64 * span.step_millis,
            windows: 1,
            first: span.from,
            last: span.to,
            threshold: of.threshold,
            median: of.median,
            confidence: of.confidence,
        }
    }

    fn merge(&mut self, later: &Self) {
        self.over_millis += later.over_millis;
        self.measured_millis += later.measured_millis;
        self.windows += 1;
        self.last = later.last;
        if later.confidence > self.confidence {
            (self.median, self.confidence) = (later.median, later.confidence);
        }
    }
}

/// What limits in one window: of the machine, and of each page by itself.
fn in_window<V: Volume>(
    view: &mut View<V>,
    lines: &[Line],
    context: &Context,
    span: Span,
) -> Result<Vec<(Option<String>, Found)>, ReadError> {
    let machine = machine(lines, context);
    let there = presence(find(lines, "host.cpu.total", None), span);
    let machine: Vec<Observed<'_>> = machine.iter().map(|of| of.observed(&there)).collect();
    let mut found: Vec<(Option<String>, Found)> =
        bottlenecks(&machine).iter().map(|of| (None, Found::new(of, span))).collect();
    for page in labels(lines, &["page.pool_utilisation"], SOURCE) {
        let of_page = |name| find(lines, name, Some((SOURCE, page)));
        let waiting = ratio(of_page("page.pool_queued"), of_page("page.pool_workers"));
        let there = presence(of_page("page.pool_utilisation"), span);
        let queue = Observed {
            resource: Resource::Queue,
            subject: "",
            utilisation: cut(of_page("page.pool_utilisation"), &there),
            saturation: cut(&waiting, &there),
            errors: &[],
        };
        if bottlenecks(&[queue]).is_empty() {
            continue;
        }
        // Which type takes most is asked where the queue limits only: sketches are large.
        let is_meant =
            |key: &SeriesKey| key.name() == "page.task.duration" && key.label(SOURCE) == Some(page);
        let shares = shares_of_types(&view.sketches(span, is_meant)?);
        let types = shares.iter().map(|(task_type, share)| Observed {
            resource: Resource::TaskType,
            subject: task_type,
            utilisation: cut(share, &there),
            saturation: &[],
            errors: &[],
        });
        let observed: Vec<Observed<'_>> = std::iter::once(queue).chain(types).collect();
        found.extend(bottlenecks(&observed).iter().map(|of| (Some(page.to_owned()), Found::new(of, span))));
    }
    Ok(found)
}

/// From the first value to the last: that a host or a page wasn't there yet, or no longer, is no gap in what was measured.
fn presence(values: &[Option<f64>], span: Span) -> Range<usize> {
    let first = values.iter().position(Option::is_some);
    let last = values.iter().rposition(Option::is_some);
    first.zip(last).map_or(0..span.len(), |(first, last)| first..last + 1)
}

fn cut<'a>(values: &'a [Option<f64>], there: &Range<usize>) -> &'a [Option<f64>] {
    values.get(there.clone()).unwrap_or(&[])
}

/// A resource of the machine, and what it was measured by.
struct Measured {
    resource: Resource,
    subject: String,
    utilisation: Vec<Option<f64>>,
    saturation: Vec<Option<f64>>,
    errors: Vec<Option<f64>>,
}

impl Measured {
    fn new(
        resource: Resource,
        subject: &str,
        [utilisation, saturation, errors]: [Vec<Option<f64>>; 3],
    ) -> Self {
        Self { resource, subject: subject.to_owned(), utilisation, saturation, errors }
    }

    fn observed(&self, there: &Range<usize>) -> Observed<'_> {
        Observed {
            resource: self.resource,
            subject: &self.subject,
            utilisation: cut(&self.utilisation, there),
            saturation: cut(&self.saturation, there),
            errors: cut(&self.errors, there),
        }
    }
}

fn machine(lines: &[Line], context: &Context) -> Vec<Measured> {
    let plain = |name| find(lines, name, None).to_vec();
    let pressure = |resource: &str| {
        let is_it = |line: &&Line| {
            line.key.name() == "host.pressure"
                && line.key.label("resource") == Some(resource)
                && line.key.label("kind") == Some("some")
        };
        lines.iter().find(is_it).map_or_else(Vec::new, |line| line.values.clone())
    };
    let memory = [plain("host.memory.used"), pressure("memory"), Vec::new()];
    let processor = [plain("host.cpu.total"), pressure("cpu"), Vec::new()];
    let mut all =
        vec![Measured::new(Resource::Memory, "", memory), Measured::new(Resource::Cpu, "", processor)];
    for device in labels(lines, &["host.disk.busy", "host.disk.queue"], "device") {
        let values = |name| find(lines, name, Some(("device", device)));
        // The one that is served doesn't wait.
        let waiting = map(values("host.disk.queue"), |queue| (queue - 1.0).max(0.0));
        let series = [values("host.disk.busy").to_vec(), waiting, Vec::new()];
        all.push(Measured::new(Resource::Disk, device, series));
    }
    for interface in labels(lines, &["host.network.received", "host.network.drops"], "interface") {
        let values = |name| find(lines, name, Some(("interface", interface)));
        let used = context.link_bits_per_second.get(interface).map_or_else(Vec::new, |speed| {
            let (received, sent) = (values("host.network.received"), values("host.network.sent"));
            received.iter().zip(sent).map(|(a, b)| Some((*a)?.max((*b)?) * 8.0 / speed)).collect()
        });
        let [drops, errors] = ["host.network.drops", "host.network.errors"].map(|name| values(name).to_vec());
        all.push(Measured::new(Resource::Network, interface, [used, drops, errors]));
    }
    for gpu in labels(lines, &["host.gpu.used"], "gpu") {
        let values = |name| find(lines, name, Some(("gpu", gpu))).to_vec();
        let series = [values("host.gpu.used"), values("host.gpu.memory"), Vec::new()];
        all.push(Measured::new(Resource::Gpu, gpu, series));
    }
    all
}

/// The share of a page's run time that each of its types of task takes, a value a step.
fn shares_of_types(tasks: &[SketchLine]) -> Vec<(String, Vec<Option<f64>>)> {
    let length = tasks.first().map_or(0, |line| line.sketches.len());
    let run = |line: &SketchLine, place: usize| line.sketches[place].as_ref().map_or(0.0, Sketch::sum);
    let totals: Vec<f64> = (0..length).map(|place| tasks.iter().map(|line| run(line, place)).sum()).collect();
    let named = tasks.iter().filter_map(|line| Some((line, line.key.label(TASK_TYPE)?)));
    named
        .map(|(line, task_type)| {
            let share = |(place, total): (usize, &f64)| (*total > 0.0).then(|| run(line, place) / total);
            (task_type.to_owned(), totals.iter().enumerate().map(share).collect())
        })
        .collect()
}

fn labels<'a>(lines: &'a [Line], names: &[&str], label: &str) -> BTreeSet<&'a str> {
    lines
        .iter()
        .filter(|line| names.contains(&line.key.name()))
        .filter_map(|line| line.key.label(label))
        .collect()
}

fn map(values: &[Option<f64>], of: impl Fn(f64) -> f64) -> Vec<Option<f64>> {
    values.iter().map(|value| value.map(&of)).collect()
}

fn ratio(part: &[Option<f64>], whole: &[Option<f64>]) -> Vec<Option<f64>> {
    let divided =
        |(part, whole): (&Option<f64>, &Option<f64>)| Some((*part)? / whole.filter(|whole| *whole > 0.0)?);
    part.iter().zip(whole).map(divided).collect()
}

fn info(key: &Key, found: &Found, context: &Context, window_millis: u64) -> BottleneckInfo {
    let mut info = BottleneckInfo {
        resource: key.resource,
        subject: key.subject.clone(),
        source_name: key.source.as_deref().map(|id| context.name(id)),
        source: key.source.clone(),
        sign: found.sign,
        summary: String::new(),
        look_first: words::look_first(key.resource).to_owned(),
        over_millis: found.over_millis,
        measured_millis: found.measured_millis,
        windows: found.windows,
        window_millis,
        first_unix_millis: found.first,
        last_unix_millis: found.last,
        threshold: found.threshold,
        median: found.median,
        unit: words::unit(key.resource, found.sign).to_owned(),
        confidence: found.confidence,
    };
    info.summary = words::limit(&info);
    info
}

const fn kind(resource: Resource) -> LimitKind {
    match resource {
        Resource::Memory => LimitKind::Memory,
        Resource::Cpu => LimitKind::Cpu,
        Resource::Disk => LimitKind::Disk,
        Resource::Network => LimitKind::Network,
        Resource::Gpu => LimitKind::Gpu,
        Resource::Queue => LimitKind::Queue,
        Resource::Worker => LimitKind::Worker,
        Resource::TaskType => LimitKind::TaskType,
    }
}

const fn sign(sign: Sign) -> LimitSign {
    match sign {
        Sign::Saturation => LimitSign::Saturation,
        Sign::Utilisation => LimitSign::Utilisation,
        Sign::Errors => LimitSign::Errors,
    }
}
