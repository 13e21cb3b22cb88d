//! Series by their text, and selectors of series.

use quillwork_store::query::Selector;
use quillwork_store::series::SeriesKey;

use crate::runner::{Outcome, Shape, Target, fuzz};

const WORDS: &[&str] = &[
    "{",
    "}",
    "=\"",
    "\",",
    "=~\"",
    "!~\"",
    "!=\"",
    "\\n",
    "\\\"",
    "\\\\",
    "host.cpu.core",
    "core",
    "(?i)",
    "{1,9}",
    "[a-z]+",
    "|",
];

/// What is read can be written, and reads the same again.
fn series(input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Outcome::Refused };
    match text.parse::<SeriesKey>() {
        Ok(key) => {
            let written = key.to_string();
            assert_eq!(written.parse().as_ref(), Ok(&key), "{written}");
            assert!(key.labels().is_sorted() && !key.name().is_empty());
            assert!(!written.contains('\n'), "{written:?}");
            let again = SeriesKey::new(
                key.name(),
                key.labels().iter().map(|(label, value)| (label.clone(), value.clone())),
            );
            assert_eq!(again.as_ref(), Ok(&key));
            Outcome::Taken
        }
        Err(error) => {
            assert!(error.to_string().len() < 2_000, "{error}");
            Outcome::Refused
        }
    }
}

#[test]
fn series_names() {
    let seeds = [
        "host.cpu.total",
        "host.cpu.core{core=\"3\"}",
        "host.disk.used{mount=\"/srv/a \\\"b\\\" \\\\ \\n\",device=\"sda\"}",
        "page.metric{metric=\"cart.items\", source=\"page-1\", tag.shop_id=\"é\",}",
    ];
    let target = Target {
        name: "series_names",
        seeds: seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        words: WORDS,
        shape: Shape::Bytes,
        longest: 64 << 10,
        memory: (64 << 10, 16),
    };
    fuzz(&target, || (), |(), input| series(input));
}

/// A selector of one plain label means exactly the series that has it; any says of every series whether it is meant.
fn selector(keys: &[SeriesKey], input: &[u8]) -> Outcome {
    let Ok(text) = std::str::from_utf8(input) else { return Outcome::Refused };
    match text.parse::<Selector>() {
        Ok(selector) => {
            let meant: Vec<bool> = keys.iter().map(|key| selector.matches(key)).collect();
            let again: Vec<bool> = keys.iter().map(|key| selector.clone().matches(key)).collect();
            assert_eq!(meant, again);
            // The text of a series is a selector that means it, and what is named by it.
            if let Ok(key) = text.parse::<SeriesKey>() {
                assert!(selector.matches(&key), "{key}");
            }
            Outcome::Taken
        }
        Err(error) => {
            assert!(error.to_string().len() < 2_000, "{error}");
            Outcome::Refused
        }
    }
}

#[test]
fn selectors() {
    let seeds = [
        "host.cpu.total",
        "host.disk.used{mount=~\"/srv/.*\",device!=\"sda\"}",
        "{source=\"p1\",metric!~\"a|b[0-9]{1,3}\"}",
        "host.network.received{interface=~\"(?i)ETH\\\\d+\"}",
    ];
    let keys = || -> Vec<SeriesKey> {
        let long = "ab".repeat(200);
        let texts = [
            "host.cpu.total".to_owned(),
            "host.disk.used{mount=\"/srv/a\",device=\"sdb\"}".to_owned(),
            format!("host.network.received{{interface=\"{long}\"}}"),
        ];
        texts.iter().map(|text| text.parse().unwrap()).collect()
    };
    let target = Target {
        name: "selectors",
        seeds: seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        words: WORDS,
        shape: Shape::Bytes,
        longest: 16 << 10,
        memory: (16 << 20, 16),
    };
    fuzz(&target, keys, |keys, input| selector(keys, input));
}
