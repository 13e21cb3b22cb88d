//! The rules file.

use std::sync::Arc;

use quillwork_core::time::{Duration, Instant};
use quillwork_host::clock::Now;
use quillwork_host::rules::RuleSet;
use quillwork_host::state::{Medium, State};
use quillwork_store::history::HistoryOptions;

use crate::harness::machine_at;
use crate::runner::{Outcome, Shape, Target, fuzz};

const UNIX_MILLIS: u64 = 1_800_000_000_000;

fn at(second: u64) -> Now {
    Now {
        monotonic: Instant::from_secs(7_200) + Duration::from_secs(second),
        unix_millis: UNIX_MILLIS + second * 1_000,
    }
}

/// What is taken can be watched by; what is not is refused in a line of the file, in few words.
fn check(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Outcome::Refused };
    let receivers = ["operators", "on-call", "watchdog"].map(str::to_owned);
    let set = match RuleSet::parse(text, &receivers) {
        Ok(set) => set,
        Err(fault) => {
            let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
            assert!(fault.line.is_none_or(|line| (1..=lines).contains(&line)), "{fault}");
            let length = fault.message.len();
            assert!((1..=1_500).contains(&length), "{length} bytes: {fault}");
            return Outcome::Refused;
        }
    };
    let mut state = State::new(at(0), "run".to_owned(), Medium::memory(), HistoryOptions::default()).unwrap();
    state.begin_alerts(at(0), set);
    for second in [1, 2, 3, 600, 601] {
        state.handle_host(at(second), Arc::new(machine_at(at(second).unix_millis, Some(0.99))));
        state.handle_deadline(at(second));
        let mut letters = 0;
        while state.poll_letter(at(second)).is_some() {
            letters += 1;
            assert!(letters < 10_000, "letters without end");
        }
        while let Some(tick) = state.poll_output() {
            let json = serde_json::to_string(&tick.snapshot).unwrap();
            assert!(json.len() < 4 << 20, "{} bytes", json.len());
        }
    }
    Outcome::Taken
}

#[test]
fn rules() {
    let example = include_str!("../../../docs/guides/examples/alerts.toml");
    let short = "[[rule]]\nname = \"a\"\nseries = 'host.cpu.total'\nunit = \"ratio\"\ncritical = { threshold = 0.9, for = \"1s\" }\n";
    let target = Target {
        name: "rules",
        seeds: vec![example.as_bytes().to_vec(), short.as_bytes().to_vec(), Vec::new()],
        words: &[
            "[[rule]]\n",
            "[[route]]\n",
            "[[inhibit]]\n",
            "[[maintenance]]\n",
            "[[heartbeat]]\n",
            "[flood]\n",
            "name = ",
            "series = ",
            "condition = \"ratio\"\n",
            "condition = \"quantile\"\n",
            "condition = \"objective\"\n",
            "condition = \"all\"\n",
            "condition = \"time-to-reach\"\n",
            "window = \"5m\"\n",
            "window = \"0s\"\n",
            "of = [\"host-cpu\"]\n",
            "by = []\n",
            "quantile = 2\n",
            "objective = 1.0\n",
            "18446744073709551615d",
            "nan",
            "inf",
            "defaults = false\n",
            "good_above = 1\n",
            "disable = []\n",
        ],
        shape: Shape::Bytes,
        longest: 64 << 10,
        memory: (32 << 20, 512),
    };
    fuzz(&target, || (), |(), input| check(input));
}
