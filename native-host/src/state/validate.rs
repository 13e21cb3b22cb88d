//! What a batch of a page must be before anything of it counts.

use std::fmt;

use quillwork_core::telemetry::{RelativeAccuracy, Sketch, SketchParts};
use quillwork_protocol::VERSION;
use quillwork_protocol::page::{Latency, PageBatch, PageSample, PageSource, TaskTypeRuns};

use super::alerts::HOST;
use super::validate_signals::signals;

/// Samples of a batch.
pub const MOST_SAMPLES: usize = 600;

/// Characters of a source's name.
const LONGEST_NAME: usize = 120;

/// Characters of an id.
const LONGEST_ID: usize = 64;

/// An interval longer than this is no sampling interval.
pub(super) const LONGEST_INTERVAL_MILLIS: f64 = 3_600_000.0;

/// More frames a second than any display shows.
const MOST_FRAMES: f64 = 10_000.0;

/// Task types of a sample: those that a page tells apart, and the rest.
pub(super) const MOST_TASK_TYPES: usize = 33;

/// Buckets of a sketch.
const MOST_BUCKETS: usize = 2_048;

/// A field that can't be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// Its path in the message, as in JavaScript.
    pub field: String,
    /// What it must be.
    pub rule: String,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` must be {}", self.field, self.rule)
    }
}

/// A batch whose every field can be right, with its sketches.
#[derive(Debug)]
pub(crate) struct ValidBatch {
    pub(crate) batch: PageBatch,
    /// The sketches of each sample.
    pub(crate) sketches: Vec<SampleSketches>,
}

/// What of a sample is a spread.
#[derive(Debug, Default)]
pub(crate) struct SampleSketches {
    pub(crate) response: Option<Sketch>,
    /// Run times by task type.
    pub(crate) runs: Vec<(String, Sketch)>,
}

/// Checks a source.
///
/// # Errors
///
/// If its id isn't of the protocol's alphabet, or its name too long.
pub(crate) fn source(source: &PageSource) -> Result<(), InvalidField> {
    id("source.id", &source.id)?;
    check(source.id != HOST, "source.id", || format!("something else than `{HOST}`, which is the machine"))?;
    let plain = !source.name.chars().any(char::is_control) && source.name.chars().count() <= LONGEST_NAME;
    check(plain, "source.name", || format!("at most {LONGEST_NAME} characters without control characters"))
}

/// Checks a batch. The version has been checked before.
///
/// # Errors
///
/// Names the first field that can't be right.
pub(crate) fn batch(batch: PageBatch) -> Result<ValidBatch, InvalidField> {
    debug_assert_eq!(batch.version, VERSION, "the version is checked before the content");
    source(&batch.source)?;
    id("batchId", &batch.batch_id)?;
    check(batch.sequence >= 1, "sequence", || "1 or more: it counts the batches".to_owned())?;
    let count = batch.samples.len();
    check(count <= MOST_SAMPLES, "samples", || {
        format!("at most {MOST_SAMPLES} samples, not {count}; send the rest in another batch")
    })?;
    let mut sketches = Vec::with_capacity(count);
    let mut last = 0;
    for (index, sample) in batch.samples.iter().enumerate() {
        let path = |field: &str| format!("samples[{index}].{field}");
        check(sample.at_unix_millis >= last, &path("atUnixMillis"), || {
            "in order: the oldest sample comes first".to_owned()
        })?;
        last = sample.at_unix_millis;
        numbers(sample, &path)?;
        signals(sample, &path)?;
        let response =
            sample.response.as_ref().map(|latency| sketch(latency, &path("response"))).transpose()?;
        sketches.push(SampleSketches { response, runs: runs(&sample.task_types, &path("taskTypes"))? });
    }
    Ok(ValidBatch { batch, sketches })
}

fn runs(task_types: &[TaskTypeRuns], path: &str) -> Result<Vec<(String, Sketch)>, InvalidField> {
    check(task_types.len() <= MOST_TASK_TYPES, path, || format!("at most {MOST_TASK_TYPES}"))?;
    let each = task_types.iter().enumerate();
    each.map(|(index, TaskTypeRuns { task_type, runs })| {
        let at = format!("{path}[{index}]");
        let plain = (1..=LONGEST_NAME).contains(&task_type.chars().count())
            && !task_type.chars().any(char::is_control);
        check(plain, &format!("{at}.taskType"), || {
            format!("1 to {LONGEST_NAME} characters without control characters")
        })?;
        Ok((task_type.clone(), sketch(runs, &format!("{at}.runs"))?))
    })
    .collect()
}

fn numbers(sample: &PageSample, path: &impl Fn(&str) -> String) -> Result<(), InvalidField> {
    let interval = sample.interval_millis;
    check(interval > 0.0 && interval <= LONGEST_INTERVAL_MILLIS, &path("intervalMillis"), || {
        format!("more than 0 and at most {LONGEST_INTERVAL_MILLIS}")
    })?;
    let ratios = [
        ("droppedFrameRatio", sample.dropped_frame_ratio),
        ("pool.utilisationRatio", sample.pool.utilisation_ratio),
    ];
    for (field, value) in ratios {
        let right = value.is_none_or(|value| (0.0..=1.0).contains(&value));
        check(right, &path(field), || "a ratio from 0 to 1, or null".to_owned())?;
    }
    for (field, value) in [
        ("framesPerSecond", sample.frames_per_second),
        ("displayHertz", sample.display_hertz),
        ("lowFramesPerSecond", sample.low_frames_per_second),
    ] {
        let right = value.is_none_or(|value| (0.0..=MOST_FRAMES).contains(&value));
        check(right, &path(field), || format!("from 0 to {MOST_FRAMES}, or null where it was not observed"))?;
    }
    if let Some(tasks) = &sample.long_tasks {
        for (field, value) in [("totalMillis", tasks.total_millis), ("maxMillis", tasks.max_millis)] {
            let right = (0.0..=LONGEST_INTERVAL_MILLIS).contains(&value);
            check(right, &path(&format!("longTasks.{field}")), || {
                format!("from 0 to {LONGEST_INTERVAL_MILLIS}")
            })?;
        }
    }
    Ok(())
}

fn sketch(latency: &Latency, path: &str) -> Result<Sketch, InvalidField> {
    let expected = RelativeAccuracy::ONE_PER_CENT.as_ratio();
    // Sketches of different accuracy have different buckets and can't be merged.
    let same = (latency.relative_accuracy - expected).abs() < f64::EPSILON;
    check(same, &format!("{path}.relativeAccuracy"), || format!("{expected}"))?;
    let parts = SketchParts {
        count: latency.count,
        sum: latency.sum_millis,
        min: latency.min_millis,
        max: latency.max_millis,
        relative_accuracy: latency.relative_accuracy,
        zeros: latency.zeros,
        buckets: latency.buckets.clone(),
    };
    Sketch::from_parts(&parts, MOST_BUCKETS)
        .map_err(|error| InvalidField { field: path.to_owned(), rule: format!("a sketch: {error}") })
}

fn id(field: &str, id: &str) -> Result<(), InvalidField> {
    let right = (1..=LONGEST_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    check(right, field, || format!("1 to {LONGEST_ID} characters of A-Z a-z 0-9 -"))
}

pub(super) fn check(right: bool, field: &str, rule: impl FnOnce() -> String) -> Result<(), InvalidField> {
    if right { Ok(()) } else { Err(InvalidField { field: field.to_owned(), rule: rule() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_unix_millis: u64) -> PageSample {
        PageSample { at_unix_millis, interval_millis: 1_000.0, ..PageSample::default() }
    }

    fn batch_of(samples: Vec<PageSample>) -> PageBatch {
        PageBatch {
            version: VERSION,
            source: PageSource { id: "page-1".into(), name: "Story".into() },
            batch_id: "b-1".into(),
            sequence: 1,
            samples,
            ..PageBatch::default()
        }
    }

    fn refused(change: impl FnOnce(&mut PageBatch)) -> String {
        let mut changed = batch_of(vec![sample(1), sample(2)]);
        change(&mut changed);
        batch(changed).map(|_| ()).unwrap_err().field
    }

    #[test]
    fn a_right_batch_passes() {
        let mut right = sample(3);
        right.response = Some(Latency {
            count: 2,
            sum_millis: 20.0,
            min_millis: 10.0,
            max_millis: 10.0,
            relative_accuracy: 0.01,
            zeros: 0,
            // ceil(ln 10 / ln(1.01 / 0.99))
            buckets: vec![(116, 2)],
        });
        let valid = batch(batch_of(vec![sample(1), sample(1), right])).unwrap();
        assert_eq!(valid.sketches[2].response.as_ref().map(Sketch::count), Some(2));
    }

    #[test]
    fn run_times_of_task_types_are_sketches_with_plain_names() {
        let runs = Latency { count: 1, relative_accuracy: 0.01, zeros: 1, ..Latency::default() };
        let of = |task_type: &str| TaskTypeRuns { task_type: task_type.into(), runs: runs.clone() };
        let mut right = sample(1);
        right.task_types = vec![of("layout"), of("\u{1f600}"), of("(others)")];
        let valid = batch(batch_of(vec![right])).unwrap();
        let names: Vec<_> =
            valid.sketches[0].runs.iter().map(|(name, runs)| (&**name, runs.count())).collect();
        assert_eq!(names, [("layout", 1), ("\u{1f600}", 1), ("(others)", 1)]);
        let with = |task_types: Vec<TaskTypeRuns>| refused(|b| b.samples[1].task_types = task_types);
        assert_eq!(with(vec![of("a"); 34]), "samples[1].taskTypes");
        assert_eq!(with(vec![of("a"), of("")]), "samples[1].taskTypes[1].taskType");
        assert_eq!(with(vec![of(&"x".repeat(121))]), "samples[1].taskTypes[0].taskType");
        assert_eq!(with(vec![of("a\u{1b}[31m")]), "samples[1].taskTypes[0].taskType");
        let wrong = TaskTypeRuns { runs: Latency { count: 2, ..runs.clone() }, ..of("a") };
        assert_eq!(with(vec![wrong]), "samples[1].taskTypes[0].runs");
        let other = TaskTypeRuns { runs: Latency { relative_accuracy: 0.05, ..runs.clone() }, ..of("a") };
        assert_eq!(with(vec![other]), "samples[1].taskTypes[0].runs.relativeAccuracy");
    }

    #[test]
    fn the_message_names_the_field() {
        assert_eq!(refused(|b| b.source.id = "a b".into()), "source.id");
        assert_eq!(refused(|b| b.source.id = "a".repeat(65)), "source.id");
        assert_eq!(refused(|b| b.source.id.clear()), "source.id");
        assert_eq!(refused(|b| b.source.id = "host".into()), "source.id");
        assert_eq!(refused(|b| b.source.name = "n\u{7}".into()), "source.name");
        assert_eq!(refused(|b| b.batch_id = "<script>".into()), "batchId");
        assert_eq!(refused(|b| b.sequence = 0), "sequence");
        assert_eq!(refused(|b| b.samples = vec![sample(1); 601]), "samples");
        assert_eq!(refused(|b| b.samples[0].at_unix_millis = 9), "samples[1].atUnixMillis");
        assert_eq!(refused(|b| b.samples[1].interval_millis = 0.0), "samples[1].intervalMillis");
        assert_eq!(refused(|b| b.samples[1].interval_millis = f64::NAN), "samples[1].intervalMillis");
        assert_eq!(refused(|b| b.samples[0].dropped_frame_ratio = Some(1.5)), "samples[0].droppedFrameRatio");
        assert_eq!(
            refused(|b| b.samples[0].frames_per_second = Some(f64::INFINITY)),
            "samples[0].framesPerSecond"
        );
        assert_eq!(
            refused(|b| b.samples[0].pool.utilisation_ratio = Some(-0.1)),
            "samples[0].pool.utilisationRatio"
        );
        let latency = Latency { count: 3, relative_accuracy: 0.01, ..Latency::default() };
        assert_eq!(refused(|b| b.samples[0].response = Some(latency)), "samples[0].response");
        let other_accuracy = Latency { relative_accuracy: 0.05, ..Latency::default() };
        assert_eq!(
            refused(|b| b.samples[0].response = Some(other_accuracy)),
            "samples[0].response.relativeAccuracy"
        );
    }
}
