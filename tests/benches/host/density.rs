//! Bytes that a sample takes: what the host has measured of this machine, kept again as whole hours.
//!
//! A minute lies in a file of its own until its hour is over and sealed, so that what was just recorded is put into the hours that
//! it would have come to. Recorded minutes that fill no hour weigh each series' head in the file more than whole hours do.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use quillwork_store::history::{History, HistoryOptions, Steps};
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::{Directory, Memory, Volume};

use crate::cost::unix_millis;
use crate::result::show;

const HOUR: u64 = 3_600_000;

pub(crate) fn measure(data: &Path) -> Result<()> {
    println!("keeping what was recorded as whole hours");
    let recorded = read(data)?;
    let mut seconds: BTreeMap<u64, Vec<(SeriesId, f64)>> = BTreeMap::new();
    let volume = Memory::new();
    let start = 1_700_000_000_000 / HOUR * HOUR;
    let mut history = History::open(volume.clone(), HistoryOptions::default(), start)?;
    let first = recorded.iter().filter_map(|(_, values)| values.first()).map(|(second, _)| *second).min();
    let first = first.unwrap_or(0);
    let mut samples = 0;
    let series = recorded.len();
    for (spec, values) in recorded {
        samples += values.len();
        let id = history.add_series(spec)?;
        for (second, value) in values {
            seconds.entry(second - first).or_default().push((id, value));
        }
    }
    ensure!(samples > 0, "the host has kept nothing");
    for (second, values) in &seconds {
        let now = start + second * 1_000;
        history.append(now, now, values);
        history.commit()?;
    }
    let after = seconds.keys().max().copied().unwrap_or(0).div_ceil(3_600).max(1);
    let end = start + after * HOUR + 60_000;
    history.append(end, end, &[]);
    while !history.is_idle() {
        history.commit()?;
    }
    let files = volume.list()?;
    let bytes = |tier: &str| {
        let of_tier = files.iter().filter(|(name, _)| name.starts_with(tier)).map(|(_, bytes)| *bytes);
        of_tier.sum::<u64>() as f64 / samples as f64
    };
    let name = format!("a sample of the machine's {series} series, {} s recorded, sealed", seconds.len());
    show(&name, &format!("{:.3} bytes", bytes("tier0")), Some("0.6 bytes"));
    show("the same with its roll-ups to 10 s, 1 min and 1 h", &format!("{:.3} bytes", bytes("tier")), None);
    Ok(())
}

/// A series and its values by second.
type Recorded = (SeriesSpec, Vec<(u64, f64)>);

/// Each of the machine's series with its values by second.
fn read(data: &Path) -> Result<Vec<Recorded>> {
    let volume = Directory::read_only(data.join("history"))?;
    let now = unix_millis();
    let history = History::open(volume, HistoryOptions::default(), now)?;
    let is_own = |key: &SeriesKey| key.name().starts_with("host.");
    let own = history.catalogue().filter(|(_, spec)| is_own(&spec.key) && spec.kind != SeriesKind::Sketch);
    let reader = history.reader(own.map(|(id, _)| id));
    let from = reader.first_unix_millis().unwrap_or(now);
    let read = reader.read(from, now + 1_000, 1_000)?;
    ensure!(read.damaged.is_empty(), "what the host has kept is damaged: {:?}", read.damaged);
    let values = |steps: Steps, spec: &SeriesSpec| match steps {
        Steps::Numbers(steps) => {
            steps.into_iter().map(|(second, all)| (second, spec.value_of(all.last as f64))).collect()
        }
        Steps::Sketches(_) => Vec::new(),
    };
    Ok(read.series.into_iter().map(|(_, one)| (one.spec.clone(), values(one.steps, &one.spec))).collect())
}
