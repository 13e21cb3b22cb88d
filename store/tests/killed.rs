//! A process that writes history is killed again and again, at any point: what it said is written is there.

#![cfg(feature = "file")]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use quillwork_core::rng::Rng;
use quillwork_store::history::{History, HistoryOptions, Steps, TierOptions, check};
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::Directory;

const STEP: u64 = 100;
const START: u64 = 12_800 * 100_000;
/// Where the writer finds its directory.
const WRITES_TO: &str = "QUILLWORK_TEST_WRITES_TO";
/// How often it is killed; 20 times if not set.
const KILLS: &str = "QUILLWORK_TEST_KILLS";

/// Steps of 0.1, 0.4 and 0.8 seconds in small windows, so that much is sealed and rolled up.
fn options() -> HistoryOptions {
    let tier = |step_millis, window_steps, retention_millis| TierOptions {
        step_millis,
        window_steps,
        retention_millis,
    };
    HistoryOptions {
        head_steps: 4,
        settle_millis: 200,
        tiers: vec![tier(STEP, 8, 6_400), tier(400, 2, 25_600), tier(800, 8, 102_400)],
        max_bytes: 4 << 20,
        max_series: 100,
    }
}

fn value(step: u64) -> i64 {
    (step * 37 % 1_000).cast_signed()
}

fn series(history: &mut History<Directory>) -> SeriesId {
    let key = SeriesKey::plain("written").expect("it is a name");
    let spec = SeriesSpec { key, kind: SeriesKind::Gauge, unit: "count".into(), resolution: 1.0 };
    history.add_series(spec).expect("it is the only one")
}

/// Writes until it is killed, and says after each step up to where all is written.
#[test]
fn writer() {
    let Ok(directory) = env::var(WRITES_TO) else { return };
    let first: u64 =
        env::var("QUILLWORK_TEST_FIRST_STEP").expect("given with the directory").parse().expect("a number");
    let volume = Directory::open(directory).expect("the one before was killed");
    let mut history =
        History::open(volume, options(), START + first * STEP).expect("it opens whatever happened");
    let id = series(&mut history);
    let mut stdout = std::io::stdout();
    for step in first.. {
        let now = START + step * STEP;
        #[expect(clippy::cast_precision_loss, reason = "less than a thousand")]
        history.append(now, now, &[(id, value(step) as f64)]);
        let is_flushed = step % 16 == 0;
        if is_flushed { history.flush() } else { history.commit() }.expect("the disk is there");
        // Heads of four steps settle two steps after their end.
        let written = if is_flushed { step + 1 } else { step.saturating_sub(2) / 4 * 4 };
        if writeln!(stdout, "written {written}").is_err() {
            return;
        }
    }
}

/// What is there of the last steps before an instant, and that nothing is wrong.
fn verify(directory: &Path, first_of_run: u64, written: u64) {
    let volume = Directory::open(directory).expect("the writer is dead");
    let checked = check(&volume, &options(), |_, _| {}).expect("the catalogue is there");
    assert_eq!(checked.damaged, [], "a kill damages nothing");
    let now = START + written.max(first_of_run) * STEP;
    let mut history = History::open(volume, options(), now).expect("it opens");
    let id = series(&mut history);
    let from = START + written.saturating_sub(40).max(first_of_run) * STEP;
    let read = history.reader([id]).read(from, START + written * STEP, STEP).expect("it can be read");
    let Steps::Numbers(steps) = &read.series[0].1.steps else { panic!("a gauge has numbers") };
    let expected: Vec<(u64, i64)> = (from / STEP..START / STEP + written)
        .filter(|step| *step >= START / STEP + first_of_run)
        .map(|step| (step, value(step - START / STEP)))
        .collect();
    let found: Vec<(u64, i64)> = steps.iter().map(|(step, all)| (*step, all.last)).collect();
    assert_eq!(found, expected, "steps that were said to be written");
}

#[test]
fn whenever_it_is_killed_what_it_said_is_written_is_there() {
    let kills: u64 = env::var(KILLS).ok().and_then(|kills| kills.parse().ok()).unwrap_or(20);
    let directory = tempfile::tempdir().expect("a directory for the test");
    let mut rng = Rng::from_seed(kills);
    let mut first = 0;
    for _ in 0..kills {
        let mut writer = Command::new(env::current_exe().expect("the test is a program"))
            .args(["--exact", "writer", "--nocapture"])
            .env(WRITES_TO, directory.path())
            .env("QUILLWORK_TEST_FIRST_STEP", first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the test can be started again");
        let lines = BufReader::new(writer.stdout.take().expect("it is piped")).lines();
        let mut heard = lines
            .map_while(Result::ok)
            .filter_map(|line| line.rsplit_once("written ")?.1.parse::<u64>().ok());
        // It doesn't wait for us: it is anywhere when it is killed, and what it said until then still comes.
        let some = 1 + rng.below(60);
        let mut written = heard.by_ref().take(usize::try_from(some).unwrap_or(1)).last().expect("it writes");
        writer.kill().expect("it runs");
        written = heard.last().map_or(written, |last| last.max(written));
        writer.wait().expect("it was killed");
        verify(directory.path(), first, written);
        first = written + 8;
    }
}
