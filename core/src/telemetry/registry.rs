//! Metrics by name, interned once and recorded by id.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::metric::{Counter, Gauge};
use super::sketch::{InvalidSample, Sketch};

/// All metrics of one runtime.
///
/// Interning a name allocates; recording by id does not, but for a sketch's first values in a new range. Iteration is by
/// name, whatever the order of interning was, so two shells that register differently report alike.
#[derive(Clone, Debug)]
pub struct Registry {
    names: BTreeMap<String, Slot>,
    counters: Vec<Counter>,
    gauges: Vec<Gauge>,
    sketches: Vec<Sketch>,
    max_metrics: usize,
}

/// A counter of a [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterId(usize);

/// A gauge of a [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GaugeId(usize);

/// A sketch of a [`Registry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SketchId(usize);

/// The kinds of metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// [`Counter`].
    Counter,
    /// [`Gauge`].
    Gauge,
    /// [`Sketch`].
    Sketch,
}

/// A metric as a reader sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue<'a> {
    /// A counter: its total, and what came in the interval.
    Counter(Counter),
    /// What a gauge is now.
    Gauge(Option<f64>),
    /// The values of the interval.
    Sketch(&'a Sketch),
}

impl Registry {
    /// An empty registry for up to [`DEFAULT_MAX_METRICS`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_max_metrics(DEFAULT_MAX_METRICS)
    }

    /// An empty registry for up to so many metrics: names made from outside input must not grow without a bound.
    #[must_use]
    pub fn with_max_metrics(max_metrics: usize) -> Self {
        Self {
            names: BTreeMap::new(),
            counters: Vec::new(),
            gauges: Vec::new(),
            sketches: Vec::new(),
            max_metrics,
        }
    }

    /// The counter of this name; a new one where there is none.
    ///
    /// # Errors
    ///
    /// Where the name is another kind of metric's, or the registry is full.
    pub fn counter(&mut self, name: &str) -> Result<CounterId, RegistryError> {
        let index = self.intern(name, MetricKind::Counter, self.counters.len())?;
        if index == self.counters.len() {
            self.counters.push(Counter::default());
        }
        Ok(CounterId(index))
    }

    /// The gauge of this name; a new, absent one where there is none.
    ///
    /// # Errors
    ///
    /// As [`counter`](Self::counter).
    pub fn gauge(&mut self, name: &str) -> Result<GaugeId, RegistryError> {
        let index = self.intern(name, MetricKind::Gauge, self.gauges.len())?;
        if index == self.gauges.len() {
            self.gauges.push(Gauge::default());
        }
        Ok(GaugeId(index))
    }

    /// The sketch of this name; a new, empty one of one per cent accuracy where there is none.
    ///
    /// # Errors
    ///
    /// As [`counter`](Self::counter).
    pub fn sketch(&mut self, name: &str) -> Result<SketchId, RegistryError> {
        let index = self.intern(name, MetricKind::Sketch, self.sketches.len())?;
        if index == self.sketches.len() {
            self.sketches.push(Sketch::default());
        }
        Ok(SketchId(index))
    }

    /// Counts `amount` more.
    ///
    /// # Panics
    ///
    /// Ids are valid for the registry that gave them; another's may panic. So it is with all that take one.
    pub fn increment(&mut self, id: CounterId, amount: u64) {
        self.counters[id.0].add(amount);
    }

    /// Sets a gauge; to `None`, or a value that is not finite, where nobody knows.
    ///
    /// # Panics
    ///
    /// As [`increment`](Self::increment).
    pub fn set(&mut self, id: GaugeId, value: Option<f64>) {
        self.gauges[id.0].set(value.unwrap_or(f64::NAN));
    }

    /// Counts one value into a sketch.
    ///
    /// # Errors
    ///
    /// Where it is negative, infinite or not a number.
    ///
    /// # Panics
    ///
    /// As [`increment`](Self::increment).
    pub fn record(&mut self, id: SketchId, value: f64) -> Result<(), InvalidSample> {
        self.sketches[id.0].record(value)
    }

    /// A counter as it stands.
    ///
    /// # Panics
    ///
    /// As [`increment`](Self::increment).
    #[must_use]
    pub fn counter_value(&self, id: CounterId) -> Counter {
        self.counters[id.0]
    }

    /// A gauge as it stands.
    ///
    /// # Panics
    ///
    /// As [`increment`](Self::increment).
    #[must_use]
    pub fn gauge_value(&self, id: GaugeId) -> Option<f64> {
        self.gauges[id.0].value()
    }

    /// A sketch of the current interval.
    ///
    /// # Panics
    ///
    /// As [`increment`](Self::increment).
    #[must_use]
    pub fn sketch_value(&self, id: SketchId) -> &Sketch {
        &self.sketches[id.0]
    }

    /// All metrics, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, MetricValue<'_>)> {
        self.names.iter().map(|(name, slot)| (name.as_str(), self.value(*slot)))
    }

    /// Shows all metrics, by name, to `visit`, then starts the next interval: counters keep their totals, gauges their values,
    /// sketches are emptied.
    pub fn take_interval(&mut self, mut visit: impl FnMut(&str, MetricValue<'_>)) {
        for (name, value) in self.iter() {
            visit(name, value);
        }
        for counter in &mut self.counters {
            counter.take_interval();
        }
        for sketch in &mut self.sketches {
            sketch.clear();
        }
    }

    /// How many metrics there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    fn intern(&mut self, name: &str, kind: MetricKind, next: usize) -> Result<usize, RegistryError> {
        match self.names.get(name) {
            Some(slot) if slot.kind == kind => Ok(slot.index),
            Some(slot) => Err(RegistryError::OtherKind { existing: slot.kind }),
            None if self.names.len() >= self.max_metrics => {
                Err(RegistryError::Full { limit: self.max_metrics })
            }
            None => {
                self.names.insert(name.into(), Slot { kind, index: next });
                Ok(next)
            }
        }
    }

    fn value(&self, slot: Slot) -> MetricValue<'_> {
        match slot.kind {
            MetricKind::Counter => MetricValue::Counter(self.counters[slot.index]),
            MetricKind::Gauge => MetricValue::Gauge(self.gauges[slot.index].value()),
            MetricKind::Sketch => MetricValue::Sketch(&self.sketches[slot.index]),
        }
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    kind: MetricKind,
    index: usize,
}

/// A name that can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryError {
    /// The name is a metric of another kind.
    OtherKind {
        /// What it is.
        existing: MetricKind,
    },
    /// There are as many metrics as there may be.
    Full {
        /// How many that is.
        limit: usize,
    },
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherKind { existing } => write!(f, "the name belongs to a metric of kind {existing:?}"),
            Self::Full { limit } => write!(f, "the registry holds its limit of {limit} metrics"),
        }
    }
}

impl core::error::Error for RegistryError {}

/// Room for what a runtime measures of itself many times over.
pub const DEFAULT_MAX_METRICS: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_interned_once_and_keeps_its_kind() {
        let mut registry = Registry::new();
        let first = registry.counter("hits").unwrap();
        assert_eq!(registry.counter("hits"), Ok(first));
        assert_eq!(registry.gauge("hits"), Err(RegistryError::OtherKind { existing: MetricKind::Counter }));
        assert_eq!(registry.len(), 1);
    }

    #[test]
    fn a_full_registry_refuses_new_names_only() {
        let mut registry = Registry::with_max_metrics(1);
        let hits = registry.counter("hits").unwrap();
        assert_eq!(registry.sketch("wait"), Err(RegistryError::Full { limit: 1 }));
        assert_eq!(registry.counter("hits"), Ok(hits));
    }

    #[test]
    fn iteration_is_by_name_whatever_came_first() {
        let mut registry = Registry::new();
        registry.sketch("m").unwrap();
        registry.gauge("z").unwrap();
        registry.counter("a").unwrap();
        assert!(registry.iter().map(|(name, _)| name).eq(["a", "m", "z"]));
    }

    #[test]
    fn taking_an_interval_shows_it_and_starts_the_next() {
        let mut registry = Registry::new();
        let done = registry.counter("done").unwrap();
        let depth = registry.gauge("depth").unwrap();
        let wait = registry.sketch("wait").unwrap();
        registry.increment(done, 2);
        registry.set(depth, Some(7.0));
        registry.record(wait, 3.0).unwrap();

        let mut seen = Vec::new();
        registry.take_interval(|name, value| {
            seen.push((
                String::from(name),
                match value {
                    MetricValue::Counter(counter) => counter.interval() as f64,
                    MetricValue::Gauge(value) => value.unwrap(),
                    MetricValue::Sketch(sketch) => sketch.sum(),
                },
            ));
        });
        assert_eq!(seen, [("depth".into(), 7.0), ("done".into(), 2.0), ("wait".into(), 3.0)]);

        registry.increment(done, 5);
        assert_eq!((registry.counter_value(done).interval(), registry.counter_value(done).total()), (5, 7));
        assert_eq!(registry.gauge_value(depth), Some(7.0));
        assert!(registry.sketch_value(wait).is_empty());
    }

    #[test]
    fn a_gauge_nobody_set_is_absent() {
        let mut registry = Registry::new();
        let fps = registry.gauge("fps").unwrap();
        assert_eq!(registry.gauge_value(fps), None);
        registry.set(fps, Some(0.0));
        assert_eq!(registry.gauge_value(fps), Some(0.0));
        registry.set(fps, None);
        assert_eq!(registry.gauge_value(fps), None);
    }
}
