//! What a page tells beside its numbers must be bounded too: dashboards and scrapes repeat it.

use std::collections::{BTreeMap, BTreeSet};

use quillwork_core::telemetry::{InvalidParts, RelativeAccuracy, Sketch, SketchParts};
use quillwork_protocol::page::PageSample;
use quillwork_protocol::signals::{
    CustomMetric, ErrorRecord, LongAnimationFrames, MetricSketch, MetricValue, PageErrors, Span,
};

use super::validate::{InvalidField, LONGEST_INTERVAL_MILLIS, check};

const MOST_SCRIPTS: usize = 5;
const MOST_VITALS: usize = 5;
const MOST_RECORDS: usize = 10;
const MOST_METRICS: usize = 100;
const MOST_SPANS: usize = 50;
const MOST_TAGS: usize = 8;
const MOST_BUCKETS: usize = 256;
const LONGEST_NAME: usize = 80;
const LONGEST_TAG: usize = 40;
const LONGEST_VALUE: usize = 80;
const LONGEST_UNIT: usize = 16;
const LONGEST_TEXT: usize = 2_000;
/// A vital, or a span, of more than a day is none.
const LONGEST_MILLIS: f64 = 86_400_000.0;

type Checked = Result<(), InvalidField>;

/// Checks what a sample tells beside its numbers; `path` is of the sample.
pub(super) fn signals(sample: &PageSample, path: &impl Fn(&str) -> String) -> Checked {
    if let Some(frames) = &sample.long_animation_frames {
        long_frames(frames, &|field| path(&format!("longAnimationFrames.{field}")))?;
    }
    count(&path("webVitals"), sample.web_vitals.len(), MOST_VITALS)?;
    let mut names = BTreeSet::new();
    for (index, vital) in sample.web_vitals.iter().enumerate() {
        let at = path(&format!("webVitals[{index}]"));
        check(names.insert(vital.name), &format!("{at}.name"), || "there once".to_owned())?;
        number(&format!("{at}.value"), vital.value, LONGEST_MILLIS)?;
    }
    if let Some(millis) = sample.gpu_millis {
        number(&path("gpuMillis"), millis, LONGEST_INTERVAL_MILLIS)?;
    }
    if let Some(ratio) = sample.telemetry_cost_ratio {
        number(&path("telemetryCostRatio"), ratio, 1.0)?;
    }
    if let Some(errors) = &sample.errors {
        records(errors, &path("errors.records"))?;
    }
    metrics(&sample.metrics, &path("metrics"))?;
    spans(&sample.spans, &path("spans"))
}

fn long_frames(frames: &LongAnimationFrames, path: &impl Fn(&str) -> String) -> Checked {
    for (field, value) in [
        ("totalMillis", frames.total_millis),
        ("blockingMillis", frames.blocking_millis),
        ("maxMillis", frames.max_millis),
    ] {
        number(&path(field), value, LONGEST_INTERVAL_MILLIS)?;
    }
    count(&path("scripts"), frames.scripts.len(), MOST_SCRIPTS)?;
    for (index, script) in frames.scripts.iter().enumerate() {
        let at = path(&format!("scripts[{index}]"));
        text(&format!("{at}.source"), &script.source, LONGEST_TEXT)?;
        text(&format!("{at}.function"), &script.function, LONGEST_NAME)?;
        text(&format!("{at}.invoker"), &script.invoker, LONGEST_NAME)?;
        number(&format!("{at}.durationMillis"), script.duration_millis, LONGEST_INTERVAL_MILLIS)?;
        number(&format!("{at}.layoutMillis"), script.layout_millis, LONGEST_INTERVAL_MILLIS)?;
    }
    Ok(())
}

fn records(errors: &PageErrors, path: &str) -> Checked {
    count(path, errors.records.len(), MOST_RECORDS)?;
    for (index, record) in errors.records.iter().enumerate() {
        let ErrorRecord { name, script, message, stack, .. } = record;
        text(&format!("{path}[{index}].name"), name, LONGEST_NAME)?;
        for (field, value) in [("script", script), ("message", message), ("stack", stack)] {
            text(&format!("{path}[{index}].{field}"), value.as_deref().unwrap_or(""), LONGEST_TEXT)?;
        }
    }
    Ok(())
}

fn metrics(metrics: &[CustomMetric], path: &str) -> Checked {
    count(path, metrics.len(), MOST_METRICS)?;
    let mut known = BTreeSet::new();
    for (index, metric) in metrics.iter().enumerate() {
        let at = format!("{path}[{index}]");
        name(&format!("{at}.name"), &metric.name)?;
        text(&format!("{at}.unit"), &metric.unit, LONGEST_UNIT)?;
        tags(&format!("{at}.tags"), &metric.tags)?;
        check(known.insert((&metric.name, &metric.tags)), &at, || {
            "there once: one value of each name and tags".to_owned()
        })?;
        match &metric.value {
            MetricValue::Counter { value } => number(&format!("{at}.value"), *value, f64::MAX)?,
            MetricValue::Gauge { value } => {
                check(value.is_finite(), &format!("{at}.value"), || "a number".to_owned())?;
            }
            MetricValue::Histogram { sketch } => distribution(&format!("{at}.sketch"), sketch)?,
        }
    }
    Ok(())
}

fn distribution(path: &str, sketch: &MetricSketch) -> Checked {
    let expected = RelativeAccuracy::ONE_PER_CENT.as_ratio();
    let same = (sketch.relative_accuracy - expected).abs() < f64::EPSILON;
    check(same, &format!("{path}.relativeAccuracy"), || format!("{expected}"))?;
    self::sketch(sketch)
        .map(drop)
        .map_err(|error| InvalidField { field: path.to_owned(), rule: format!("a sketch: {error}") })
}

/// The same for reckoning with.
pub(super) fn sketch(sketch: &MetricSketch) -> Result<Sketch, InvalidParts> {
    let parts = SketchParts {
        count: sketch.count,
        sum: sketch.sum,
        min: sketch.min,
        max: sketch.max,
        relative_accuracy: sketch.relative_accuracy,
        zeros: sketch.zeros,
        buckets: sketch.buckets.clone(),
    };
    Sketch::from_parts(&parts, MOST_BUCKETS)
}

fn spans(spans: &[Span], path: &str) -> Checked {
    count(path, spans.len(), MOST_SPANS)?;
    for (index, span) in spans.iter().enumerate() {
        let at = format!("{path}[{index}]");
        for (field, id) in [("id", Some(&span.id)), ("parent", span.parent.as_ref())] {
            let right = id.is_none_or(|id| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
            check(right, &format!("{at}.{field}"), || "16 hexadecimal digits".to_owned())?;
        }
        name(&format!("{at}.name"), &span.name)?;
        number(&format!("{at}.startUnixMillis"), span.start_unix_millis, 9e15)?;
        number(&format!("{at}.durationMillis"), span.duration_millis, LONGEST_MILLIS)?;
        tags(&format!("{at}.tags"), &span.tags)?;
    }
    Ok(())
}

fn tags(path: &str, tags: &BTreeMap<String, String>) -> Checked {
    count(path, tags.len(), MOST_TAGS)?;
    for (key, value) in tags {
        text(path, key, LONGEST_TAG)?;
        text(path, value, LONGEST_VALUE)?;
    }
    Ok(())
}

fn name(path: &str, name: &str) -> Checked {
    let right = name.len() <= LONGEST_NAME
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:/-".contains(&byte));
    check(right, path, || format!("a letter and then letters, digits and _ . : / -, {LONGEST_NAME} at most"))
}

fn number(path: &str, value: f64, most: f64) -> Checked {
    check((0.0..=most).contains(&value), path, || format!("from 0 to {most}"))
}

fn count(path: &str, count: usize, most: usize) -> Checked {
    check(count <= most, path, || format!("at most {most}, not {count}"))
}

fn text(path: &str, text: &str, longest: usize) -> Checked {
    let control = |character: char| character.is_control() && character != '\n';
    let right = text.chars().count() <= longest && !text.chars().any(control);
    check(right, path, || format!("at most {longest} characters without control characters"))
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::signals::{VitalName, VitalRating, WebVital};

    use super::*;

    fn metric(name: &str, value: MetricValue) -> CustomMetric {
        CustomMetric { name: name.into(), unit: String::new(), tags: BTreeMap::new(), value }
    }

    fn refused(change: impl FnOnce(&mut PageSample)) -> String {
        let mut sample = PageSample::default();
        change(&mut sample);
        signals(&sample, &str::to_owned).unwrap_err().field
    }

    #[test]
    fn the_message_names_the_field() {
        let gauge = |value| MetricValue::Gauge { value };
        let vital = |value| WebVital { name: VitalName::Lcp, value, rating: VitalRating::Good };
        let span = |id: &str, name: &str| Span {
            id: id.into(),
            parent: None,
            name: name.into(),
            start_unix_millis: 1.0,
            duration_millis: 1.0,
            ok: true,
            tags: BTreeMap::new(),
        };
        let id = "0123456789abcdef";
        assert_eq!(refused(|s| s.web_vitals = vec![vital(f64::NAN)]), "webVitals[0].value");
        assert_eq!(refused(|s| s.web_vitals = vec![vital(1.0), vital(2.0)]), "webVitals[1].name");
        assert_eq!(refused(|s| s.gpu_millis = Some(-1.0)), "gpuMillis");
        assert_eq!(refused(|s| s.telemetry_cost_ratio = Some(1.5)), "telemetryCostRatio");
        assert_eq!(refused(|s| s.metrics = vec![metric("1st", gauge(1.0))]), "metrics[0].name");
        assert_eq!(refused(|s| s.metrics = vec![metric("a", gauge(f64::INFINITY))]), "metrics[0].value");
        assert_eq!(
            refused(|s| s.metrics = vec![metric("a", MetricValue::Counter { value: -1.0 })]),
            "metrics[0].value"
        );
        assert_eq!(
            refused(|s| s.metrics = vec![metric("a", gauge(1.0)), metric("a", gauge(2.0))]),
            "metrics[1]"
        );
        let sketch = MetricSketch { count: 3, relative_accuracy: 0.01, ..MetricSketch::default() };
        assert_eq!(
            refused(|s| s.metrics = vec![metric("a", MetricValue::Histogram { sketch })]),
            "metrics[0].sketch"
        );
        assert_eq!(
            refused(|s| {
                s.metrics = (0..101).map(|n| metric(&format!("m{n}"), gauge(0.0))).collect();
            }),
            "metrics"
        );
        assert_eq!(refused(|s| s.spans = vec![span("7", "load")]), "spans[0].id");
        assert_eq!(refused(|s| s.spans = vec![span(id, "a b")]), "spans[0].name");
        assert_eq!(
            refused(|s| {
                let tags = BTreeMap::from([("user\u{7}".to_owned(), String::new())]);
                s.spans = vec![Span { tags, ..span(id, "load") }];
            }),
            "spans[0].tags"
        );
        assert_eq!(
            refused(|s| s.long_animation_frames =
                Some(LongAnimationFrames { max_millis: f64::INFINITY, ..LongAnimationFrames::default() })),
            "longAnimationFrames.maxMillis"
        );
    }
}
