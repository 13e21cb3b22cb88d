//! Programs that send OpenTelemetry metrics, and what their points come to as values of series.

use std::collections::BTreeMap;

use quillwork_core::telemetry::Sketch;
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::source::{Source, SourceKind};
use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};

use super::series::{Measure, SeriesValue};
use crate::clock::Now;
use crate::otlp::points::{FromProgram, Reading, Unit, Value};
use crate::otlp::spread::Spread;

/// Programs that are known; of more the one silent for longest makes room once it has been silent for a minute.
const MOST_PROGRAMS: usize = 64;
/// Silence after which a program makes room for another.
const RESTING: Duration = Duration::from_secs(60);
/// Silence after which a program is forgotten.
const REMEMBERED: Duration = Duration::from_secs(3_600);
/// Series of one program, a histogram's counted as one.
const MOST_SERIES: usize = 1_000;
/// Points of one program that may come at once, and the time that each takes in the long run.
const BURST: u32 = 20_000;
const PERIOD: Duration = Duration::from_micros(500);
/// Quantiles of what a histogram counted since its last point that rules can watch.
const QUANTILES: [(f64, &str); 3] = [(0.5, "0.5"), (0.95, "0.95"), (0.99, "0.99")];
/// Counts are whole.
const COUNT: Unit = Unit { name: "count", resolution: 1.0 };

/// All programs, by source id.
#[derive(Debug, Default)]
pub(super) struct Programs {
    programs: BTreeMap<String, Program>,
}

#[derive(Debug)]
struct Program {
    name: String,
    last_heard: Now,
    /// When the allowance will be full again: the generic cell rate algorithm.
    full_at: Instant,
    series: BTreeMap<SeriesKey, Running>,
}

/// What later points of a series are measured against.
#[derive(Debug, Default)]
struct Running {
    start_unix_nanos: u64,
    at_unix_nanos: u64,
    total: f64,
    sum: f64,
    spread: Option<Spread>,
}

/// What is to be kept of what a program sent.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// By instant on the host's clock.
    pub(super) moments: BTreeMap<u64, Moment>,
    /// Points that were refused, and why.
    pub(super) rejected: u64,
    /// Why, of the first.
    pub(super) reason: Option<String>,
}

/// What points of one instant come to.
#[derive(Debug, Default)]
pub(super) struct Moment {
    /// Gauges and counters.
    pub(super) values: Vec<SeriesValue>,
    /// Histograms: what was counted since their last point.
    pub(super) sketches: Vec<(SeriesSpec, Sketch)>,
    /// Quantiles of those, for rules: history has the sketches, which tell any.
    pub(super) quantiles: Vec<SeriesValue>,
}

/// A program of which nothing is taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramRefusal {
    /// It sends too much.
    #[error("this program sends more than 2000 points a second; wait, then send fewer")]
    TooFast {
        /// How long.
        wait_seconds: u64,
    },
    /// There are too many.
    #[error(
        "{MOST_PROGRAMS} programs send metrics already; stop one, or give instances a common service.instance.id"
    )]
    TooMany,
    /// The host is stopping.
    #[error("the host is stopping; send it again later")]
    Stopped,
}

impl Programs {
    /// Takes what a program sent.
    pub(super) fn take(&mut self, now: Now, sent: FromProgram) -> Result<Kept, ProgramRefusal> {
        let program = self.program(now, &sent)?;
        program.admit(now, sent.readings.len())?;
        program.last_heard = now;
        let mut kept = Kept::default();
        for reading in sent.readings {
            if !program.series.contains_key(&reading.series) && program.series.len() >= MOST_SERIES {
                kept.rejected += 1;
                kept.reason.get_or_insert_with(|| {
                    format!("a program may have {MOST_SERIES} series; {} is one more", reading.series)
                });
                continue;
            }
            let running = program.series.entry(reading.series.clone()).or_default();
            let at = at_host(now, reading.at_unix_nanos);
            running.take(&reading, kept.moments.entry(at).or_default());
        }
        Ok(kept)
    }

    fn program(&mut self, now: Now, sent: &FromProgram) -> Result<&mut Program, ProgramRefusal> {
        self.programs.retain(|_, program| program.silence(now) < REMEMBERED);
        if !self.programs.contains_key(&sent.id) && self.programs.len() >= MOST_PROGRAMS {
            let rests = self.programs.iter().filter(|(_, program)| program.silence(now) >= RESTING);
            let longest = rests.max_by_key(|(_, program)| program.silence(now)).map(|(id, _)| id.clone());
            self.programs.remove(&longest.ok_or(ProgramRefusal::TooMany)?);
        }
        Ok(self.programs.entry(sent.id.clone()).or_insert_with(|| Program {
            name: sent.name.clone(),
            last_heard: now,
            full_at: now.monotonic,
            series: BTreeMap::new(),
        }))
    }

    /// For who asks who reports.
    pub(super) fn sources(&self) -> impl Iterator<Item = Source> + '_ {
        self.programs.iter().map(|(id, program)| Source {
            id: id.clone(),
            name: program.name.clone(),
            kind: SourceKind::Program,
            link: None,
            last_heard_unix_millis: Some(program.last_heard.unix_millis),
            clock_offset_millis: None,
        })
    }
}

impl Program {
    fn silence(&self, now: Now) -> Duration {
        now.monotonic.duration_since(self.last_heard.monotonic)
    }

    fn admit(&mut self, now: Now, points: usize) -> Result<(), ProgramRefusal> {
        let points = u32::try_from(points).unwrap_or(u32::MAX);
        let full_at = self.full_at.max(now.monotonic) + PERIOD * u64::from(points);
        let excess = full_at.duration_since(now.monotonic + PERIOD * u64::from(BURST));
        // One request that is larger than any allowance would be refused for ever.
        if excess > Duration::ZERO && self.full_at > now.monotonic {
            return Err(ProgramRefusal::TooFast { wait_seconds: excess.as_millis() / 1_000 + 1 });
        }
        self.full_at = full_at;
        Ok(())
    }
}

impl Running {
    /// Adds what a point comes to.
    fn take(&mut self, reading: &Reading, to: &mut Moment) {
        let (series, unit) = (&reading.series, reading.unit);
        let is_same_run = self.start_unix_nanos == reading.start_unix_nanos;
        // A delta that was sent again, since its acknowledgement was lost, ends no later than the one before.
        let is_known = reading.at_unix_nanos != 0 && reading.at_unix_nanos <= self.at_unix_nanos;
        match &reading.value {
            Value::Level(value) => to.gauge(series.clone(), unit, *value),
            Value::Total(value) => to.counter(series.clone(), unit, *value),
            Value::Increase(_) | Value::Change(_) | Value::SpreadIncrease(_) if is_known => return,
            Value::Increase(added) => {
                self.total += added;
                to.counter(series.clone(), unit, self.total);
            }
            Value::Change(change) => {
                self.total += change;
                to.gauge(series.clone(), unit, self.total);
            }
            Value::SpreadIncrease(spread) => {
                self.total += float(spread.count);
                self.sum += spread.sum.unwrap_or(0.0);
                let sum = spread.sum.map(|_| self.sum);
                to.histogram(series, unit, (self.total, sum), Some(spread));
            }
            Value::TotalSpread(spread) => {
                let before = self.spread.replace(spread.clone());
                // Of the first point nobody knows when its values came; a new run's came since it began.
                let added = match &before {
                    None => None,
                    Some(before) if is_same_run => spread.since(before),
                    Some(_) => Some(spread.clone()),
                };
                to.histogram(series, unit, (float(spread.count), spread.sum), added.as_ref());
            }
            Value::Summary { count, sum, quantiles } => {
                to.histogram(series, unit, (float(*count), *sum), None);
                for (quantile, value) in quantiles {
                    if let Some(key) = with_quantile(series, &quantile.to_string()) {
                        to.gauge(key, unit, *value);
                    }
                }
            }
        }
        self.start_unix_nanos = reading.start_unix_nanos;
        self.at_unix_nanos = reading.at_unix_nanos;
    }
}

impl Moment {
    fn gauge(&mut self, key: SeriesKey, unit: Unit, value: f64) {
        self.values.push(value_of(key, SeriesKind::Gauge, unit, value));
    }

    fn counter(&mut self, key: SeriesKey, unit: Unit, value: f64) {
        self.values.push(value_of(key, SeriesKind::Counter, unit, value));
    }

    /// The series of a histogram: how many values and their sum, as counters, and the sketch of those that were added.
    fn histogram(
        &mut self,
        series: &SeriesKey,
        unit: Unit,
        (count, sum): (f64, Option<f64>),
        added: Option<&Spread>,
    ) {
        let part = |suffix: &str| {
            SeriesKey::new(format!("{}.{suffix}", series.name()), series.labels().to_vec()).ok()
        };
        if let Some(key) = part("count") {
            self.counter(key, COUNT, count);
        }
        if let Some((key, sum)) = part("sum").zip(sum) {
            self.counter(key, unit, sum);
        }
        let Some(sketch) = added.and_then(Spread::sketch) else { return };
        for (quantile, name) in QUANTILES {
            if let Some((key, value)) = with_quantile(series, name).zip(sketch.quantile(quantile)) {
                self.quantiles.push(value_of(key, SeriesKind::Gauge, unit, value));
            }
        }
        let spec = SeriesSpec {
            key: series.clone(),
            kind: SeriesKind::Sketch,
            unit: unit.name.to_owned(),
            resolution: unit.resolution,
        };
        self.sketches.push((spec, sketch));
    }
}

fn value_of(key: SeriesKey, kind: SeriesKind, unit: Unit, value: f64) -> SeriesValue {
    let measure = Measure { unit: unit.name, resolution: unit.resolution };
    SeriesValue { key, kind, measure, value: Some(value) }
}

fn with_quantile(series: &SeriesKey, quantile: &str) -> Option<SeriesKey> {
    let labels = series.labels().iter().filter(|(label, _)| label != "quantile").cloned();
    let labels = labels.chain([("quantile".to_owned(), quantile.to_owned())]);
    SeriesKey::new(series.name(), labels.collect::<Vec<_>>()).ok()
}

/// An instant on the host's clock: programs run beside the host or keep time as it does, so that their clock is believed, but
/// not where it is ahead or says nothing.
fn at_host(now: Now, at_unix_nanos: u64) -> u64 {
    match at_unix_nanos / 1_000_000 {
        0 => now.unix_millis,
        millis => millis.min(now.unix_millis),
    }
}

#[expect(clippy::cast_precision_loss, reason = "history keeps doubles")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Unit = Unit { name: "millis", resolution: 0.001 };

    fn now(seconds: u64) -> Now {
        Now { monotonic: Instant::from_secs(7_200 + seconds), unix_millis: 1_000_000 + seconds * 1_000 }
    }

    fn reading(name: &str, start: u64, at: u64, value: Value) -> Reading {
        let series = SeriesKey::new(name, [("source", "otlp/shop")]).unwrap();
        Reading { series, unit: UNIT, at_unix_nanos: at, start_unix_nanos: start, value }
    }

    fn from(readings: Vec<Reading>) -> FromProgram {
        FromProgram { id: "otlp/shop".to_owned(), name: "shop".to_owned(), readings }
    }

    fn spread(values: &[(f64, u64)]) -> Spread {
        let count = values.iter().map(|(_, count)| count).sum();
        let sum = values.iter().map(|(value, count)| value * float(*count)).sum();
        Spread { count, sum: Some(sum), values: values.to_vec() }
    }

    fn plain(key: &SeriesKey) -> String {
        key.to_string().replace("source=\"otlp/shop\"", "")
    }

    /// Values by series without the source.
    fn values(kept: &Kept) -> BTreeMap<String, f64> {
        let all = kept.moments.values().flat_map(|moment| &moment.values);
        all.map(|value| (plain(&value.key), value.value.unwrap())).collect()
    }

    /// Sketches, and what rules see of them.
    fn spreads(kept: &Kept) -> (Vec<(String, Sketch)>, BTreeMap<String, f64>) {
        let sketches = kept.moments.values().flat_map(|moment| &moment.sketches);
        let quantiles = kept.moments.values().flat_map(|moment| &moment.quantiles);
        (
            sketches.map(|(spec, sketch)| (plain(&spec.key), sketch.clone())).collect(),
            quantiles.map(|value| (plain(&value.key), value.value.unwrap())).collect(),
        )
    }

    #[test]
    fn deltas_add_up_and_count_once() {
        let mut programs = Programs::default();
        for (at, added, total) in [(10, 3.0, 3.0), (20, 4.0, 7.0)] {
            let sent = from(vec![reading("orders", at - 10, at, Value::Increase(added))]);
            let kept = programs.take(now(at), sent.clone()).unwrap();
            assert_eq!(values(&kept), BTreeMap::from([("orders{}".to_owned(), total)]));
            let again = programs.take(now(at), sent).unwrap();
            assert!(values(&again).is_empty() && again.rejected == 0, "its acknowledgement was lost");
        }
    }

    #[test]
    fn a_histogram_says_how_slow_the_newest_values_were() {
        let mut programs = Programs::default();
        let mut take = |start, at, values: &[(f64, u64)]| {
            let sent = from(vec![reading("wait", start, at, Value::TotalSpread(spread(values)))]);
            programs.take(now(at), sent).unwrap()
        };
        let first = take(1, 10, &[(10.0, 100)]);
        let counters = values(&first);
        assert_eq!((counters["wait.count{}"], counters["wait.sum{}"]), (100.0, 1_000.0));
        assert!(spreads(&first).0.is_empty(), "of the first point nobody knows when its values came");
        let second = take(1, 20, &[(10.0, 100), (400.0, 10)]);
        let counters = values(&second);
        assert_eq!((counters["wait.count{}"], counters["wait.sum{}"]), (110.0, 5_000.0));
        let (sketches, quantiles) = spreads(&second);
        assert_eq!((sketches.len(), sketches[0].0.as_str(), sketches[0].1.count()), (1, "wait{}", 10));
        assert!((quantiles["wait{quantile=\"0.5\",}"] - 400.0).abs() <= 4.0, "{quantiles:?}");
        let restarted = spreads(&take(25, 30, &[(10.0, 5)])).0;
        assert!((restarted[0].1.quantile(0.99).unwrap() - 10.0).abs() <= 0.1, "{restarted:?}");
    }

    #[test]
    fn one_program_can_not_take_all_room_nor_all_time() {
        let mut programs = Programs::default();
        let many = (0..1_500).map(|n| reading(&format!("m{n}"), 0, 0, Value::Level(1.0))).collect();
        let kept = programs.take(now(0), from(many)).unwrap();
        assert_eq!((kept.rejected, values(&kept).len()), (500, 1_000));
        assert!(kept.reason.unwrap().contains("1000 series"));

        let flood = from(vec![reading("m1", 0, 0, Value::Level(1.0)); 15_000]);
        programs.take(now(1), flood.clone()).unwrap();
        let refused = programs.take(now(1), flood.clone()).unwrap_err();
        assert!(matches!(refused, ProgramRefusal::TooFast { wait_seconds: 1..=10 }), "{refused:?}");
        programs.take(now(12), flood).unwrap();
    }

    #[test]
    fn a_program_that_is_silent_makes_room() {
        let mut programs = Programs::default();
        let named = |n: usize| FromProgram { id: format!("otlp/{n}"), ..from(Vec::new()) };
        for n in 0..MOST_PROGRAMS {
            programs.take(now(0), named(n)).unwrap();
        }
        assert_eq!(programs.take(now(59), named(99)).unwrap_err(), ProgramRefusal::TooMany);
        programs.take(now(61), named(99)).unwrap();
        assert_eq!(programs.sources().count(), MOST_PROGRAMS);
    }

    #[test]
    fn nothing_lies_in_the_future() {
        assert_eq!(at_host(now(5), 0), now(5).unix_millis);
        assert_eq!(at_host(now(5), u64::MAX), now(5).unix_millis);
        assert_eq!(at_host(now(5), 1_001_000_000_000), 1_001_000);
    }
}
