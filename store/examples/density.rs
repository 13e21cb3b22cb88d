//! Bytes that a recorded sample takes, and how fast samples are taken.
//!
//! Reads lines of `second,name,resolution,value` from the file that is named, for instance what a script wrote of `/proc` once a second, keeps
//! them as the host does, and says what they take once their hours are sealed; a recording of whole hours tells most:
//!
//! ```text
//! cargo run --release -p quillwork-store --example density -- recorded.csv
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Instant;

use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::series::{SeriesId, SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::{Memory, Volume};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("name a file of lines `second,name,resolution,value`")?;
    let text = std::fs::read_to_string(path)?;
    let start = 1_700_000_000_000 / 3_600_000 * 3_600_000;
    let volume = Memory::new();
    let mut history = History::open(volume.clone(), HistoryOptions::default(), start)?;
    let mut ids: BTreeMap<&str, SeriesId> = BTreeMap::new();
    let mut seconds: BTreeMap<u64, Vec<(SeriesId, f64)>> = BTreeMap::new();
    for line in text.lines().skip(1) {
        let mut fields = line.split(',');
        let mut field = || fields.next().ok_or("a line has four fields");
        let (second, name, resolution, value) = (field()?, field()?, field()?, field()?);
        let id = match ids.get(name) {
            Some(id) => *id,
            None => {
                let spec = SeriesSpec {
                    key: SeriesKey::new("recorded", [("series", name)])?,
                    kind: SeriesKind::Gauge,
                    unit: "count".into(),
                    resolution: resolution.parse()?,
                };
                let id = history.add_series(spec)?;
                ids.insert(name, id);
                id
            }
        };
        seconds.entry(second.parse()?).or_default().push((id, value.parse()?));
    }
    let count = seconds.len();
    let (mut samples, mut taken) = (0_u64, std::time::Duration::ZERO);
    for (second, values) in (0..).zip(seconds.values()) {
        let now = start + second * 1_000;
        let begun = Instant::now();
        history.append(now, now, values);
        taken += begun.elapsed();
        samples += values.len() as u64;
        history.commit()?;
    }
    let end = start + (count as u64).div_ceil(3_600) * 3_600_000 + 60_000;
    history.append(end, end, &[]);
    history.commit()?;
    while !history.is_idle() {
        history.commit()?;
    }
    for tier in ["tier0", "tier1", "tier2"] {
        let files = volume.list()?;
        let bytes: u64 =
            files.iter().filter(|(name, _)| name.starts_with(tier)).map(|(_, bytes)| bytes).sum();
        println!("{tier}: {bytes} bytes, {:.3} a sample", bytes as f64 / samples as f64);
    }
    println!(
        "{samples} samples of {} series, {count} seconds recorded; taken at {:.1} million a second",
        ids.len(),
        samples as f64 / taken.as_secs_f64() / 1e6
    );
    Ok(())
}
