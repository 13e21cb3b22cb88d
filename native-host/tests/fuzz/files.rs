//! Files of history as a failing disk, or somebody else, leaves them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use quillwork_core::telemetry::{RelativeAccuracy, Sketch};
use quillwork_store::history::{History, HistoryOptions, check, repair};
use quillwork_store::query::{Function, Query, Shape as Values};
use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::{Memory, Volume};

use crate::runner::{Outcome, Shape, Target, fuzz};

const START: u64 = 1_700_000_000_000 / 3_600_000 * 3_600_000;
const SECONDS: u64 = 3_780;

type Contents = BTreeMap<String, Vec<u8>>;
type Answers = BTreeMap<String, Vec<Option<u64>>>;

/// A bit more than an hour of a gauge, a counter and a sketch: heads, a sealed hour, and what is made of it.
fn recorded() -> &'static Contents {
    static RECORDED: OnceLock<Contents> = OnceLock::new();
    RECORDED.get_or_init(record)
}

fn record() -> Contents {
    let volume = Memory::new();
    let mut history = History::open(volume.clone(), HistoryOptions::default(), START).unwrap();
    let mut add = |name: &str, kind| {
        let key = SeriesKey::new(name, [("source", "p1")]).unwrap();
        history.add_series(SeriesSpec { key, kind, unit: "count".into(), resolution: 0.5 }).unwrap()
    };
    let gauge = add("a.level", SeriesKind::Gauge);
    let counter = add("b.total", SeriesKind::Counter);
    let sketch = add("c.response", SeriesKind::Sketch);
    for second in 0..SECONDS {
        let now = START + second * 1_000;
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let (level, total) = ((second % 17) as f64, second as f64);
        history.append(now, now, &[(gauge, level), (counter, total)]);
        if second % 60 == 7 {
            let mut one = Sketch::new(RelativeAccuracy::new(0.01).unwrap());
            one.record(level + 1.0).unwrap();
            history.append_sketch(now, now, sketch, &one);
        }
        history.commit().unwrap();
    }
    history.flush().unwrap();
    let read = |name: &String| (name.clone(), volume.read(name, 0, usize::MAX).unwrap().unwrap());
    volume.list().unwrap().keys().map(read).collect()
}

/// All that a volume answers, by series and function; `None` where it can't be opened.
fn answers(volume: &Memory) -> Option<Answers> {
    let history = History::open(volume.clone(), HistoryOptions::default(), START + SECONDS * 1_000).ok()?;
    let mut answers = Answers::new();
    for (name, function, step_millis) in [
        ("a.level", Function::Last, 1_000),
        ("a.level", Function::Max, 60_000),
        ("b.total", Function::Rate, 60_000),
        ("c.response", Function::Quantile(0.5), 1_000),
    ] {
        let query = Query {
            function,
            step_millis: Some(step_millis),
            max_points: 11_000,
            ..Query::new(name.parse().unwrap(), START, START + SECONDS * 1_000)
        };
        let Ok(ids) = query.ids(&history) else { continue };
        let Ok(answer) = query.run(&history.reader(ids)) else { continue };
        for line in answer.lines {
            let Values::Steps(values) = line.shape else { panic!("steps were asked for") };
            let bits = values.into_iter().map(|value| value.map(f64::to_bits)).collect();
            answers.insert(format!("{name} {function:?} {} {:?}", answer.step_millis, line.labels), bits);
        }
    }
    Some(answers)
}

struct Disk {
    sound: &'static Contents,
    expected: Answers,
}

impl Disk {
    fn new() -> Self {
        let sound = recorded();
        let expected = answers(&volume(sound)).unwrap();
        Self { sound, expected }
    }

    /// Damage is found: what is answered is what was recorded, or nothing. Mending it leaves a history that is sound.
    fn check(&mut self, input: &[u8]) -> Outcome {
        let Some((name, content)) = named(input).filter(|(name, _)| self.sound.contains_key(name)) else {
            return Outcome::Refused;
        };
        let mut volume = self.with(&name, content);
        if let Some(answers) = answers(&volume) {
            for (line, values) in answers {
                let expected = &self.expected[&line];
                assert_eq!(values.len(), expected.len(), "{line}");
                let is_told =
                    |(value, expected): (&Option<u64>, &Option<u64>)| value.is_none() || value == expected;
                // Of what is summed up over a minute a part may be missing; a second is all or nothing.
                let is_whole = line.contains(" 1000 ");
                assert!(
                    !is_whole || values.iter().zip(expected).all(is_told),
                    "{line} tells what was never recorded"
                );
            }
        }
        let options = HistoryOptions::default();
        let is_sound = content == self.sound[&name].as_slice();
        if repair(&mut volume, &options, |_, _| Ok(())).is_ok() {
            let after = check(&volume, &options, |_, _| {}).unwrap();
            assert!(after.damaged.is_empty() && after.catalogues_lost == 0, "{after:?}");
        }
        if is_sound { Outcome::Taken } else { Outcome::Refused }
    }

    /// Content whose checksums fit is no accident: it says anything, and still costs nothing but itself.
    fn check_forged(&mut self, input: &[u8]) -> Outcome {
        let Some((name, content)) = named(input).filter(|(name, _)| self.sound.contains_key(name)) else {
            return Outcome::Refused;
        };
        let forged =
            if name.starts_with("catalogue") { sealed(content) } else { resealed(&name, content.to_vec()) };
        let mut volume = self.with(&name, &forged);
        if name.starts_with("catalogue") {
            // Neither copy is what it was.
            volume.put("catalogue", &forged).unwrap();
            volume.put("catalogue-copy", &forged).unwrap();
        }
        let told = answers(&volume);
        let options = HistoryOptions::default();
        check(&volume, &options, |_, _| {}).ok();
        repair(&mut volume, &options, |_, _| Ok(())).ok();
        if told.is_some_and(|told| !told.is_empty()) { Outcome::Taken } else { Outcome::Refused }
    }

    fn with(&self, name: &str, content: &[u8]) -> Memory {
        let mut volume = volume(self.sound);
        volume.put(name, content).unwrap();
        volume
    }
}

fn volume(contents: &Contents) -> Memory {
    let mut volume = Memory::new();
    contents.iter().for_each(|(name, content)| volume.put(name, content).unwrap());
    volume
}

/// A name, a line feed, and the content.
fn named(input: &[u8]) -> Option<(String, &[u8])> {
    let at = input.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&input[..at]).ok()?.to_owned(), &input[at + 1..]))
}

/// A catalogue with the checksum that fits it.
fn sealed(content: &[u8]) -> Vec<u8> {
    let body = &content[..content.len().saturating_sub(4)];
    [body, &crc32c::crc32c(body).to_le_bytes()].concat()
}

/// A file of values with the checksums that fit it, as its format has them (`store/src/history/block.rs`).
fn resealed(name: &str, mut content: Vec<u8>) -> Vec<u8> {
    const HEADER: usize = 24;
    const ENTRY: usize = 16;
    let Some((table, window)) = name.split_once('-') else { return content };
    let code = match table.strip_prefix("tier") {
        Some(tier) => tier.parse().unwrap_or(0),
        None => 0xff,
    };
    let seed = crc32c::crc32c_append(crc32c::crc32c(&[code]), &window.parse().unwrap_or(0_u64).to_le_bytes());
    let number = |content: &[u8], at: usize| {
        content.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
    };
    if content.len() < HEADER {
        return content;
    }
    let count = usize::try_from(number(&content, 16)).unwrap().min((content.len() - HEADER) / ENTRY);
    for entry in (0..count).map(|part| HEADER + part * ENTRY) {
        let [first, offset, length] = [0, 4, 8].map(|at| number(&content, entry + at));
        let begin = usize::try_from(offset).unwrap().min(content.len());
        let end = begin.saturating_add(usize::try_from(length).unwrap()).min(content.len());
        let checksum =
            crc32c::crc32c_append(crc32c::crc32c_append(seed, &first.to_le_bytes()), &content[begin..end]);
        content[entry + 12..entry + 16].copy_from_slice(&checksum.to_le_bytes());
    }
    let directory = &content[HEADER..HEADER + count * ENTRY];
    let checksum = crc32c::crc32c_append(crc32c::crc32c(&content[..20]), directory);
    content[20..24].copy_from_slice(&checksum.to_le_bytes());
    content
}

fn target(name: &'static str) -> Target {
    let seeds = recorded().iter().filter(|(_, content)| !content.is_empty());
    Target {
        name,
        seeds: seeds.map(|(name, content)| [name.as_bytes(), b"\n", content].concat()).collect(),
        words: &["QWH1", "QWC", "\x00\x00\x00\x00"],
        shape: Shape::Bytes,
        longest: 256 << 10,
        memory: (32 << 20, 256),
    }
}

#[test]
fn history_files() {
    fuzz(&target("history_files"), Disk::new, Disk::check);
}

#[test]
fn history_forged() {
    fuzz(&target("history_forged"), Disk::new, Disk::check_forged);
}
