//! Filling in what was not heard live, from `/api/v1/series`.

use quillwork_protocol::series::{SeriesCatalogue, SeriesData, SeriesInfo};

use super::history::History;
use super::query_text::encoded;
use super::series;

/// Whether the time line lacks something that the host may know, and since when.
///
/// It stays behind until a back-fill went through, however often the host comes and goes meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    UpToDate,
    Since(u64),
    FromTheStart,
}

impl Behind {
    /// Nothing was heard yet.
    pub fn from_the_start() -> Self {
        Self { state: State::FromTheStart }
    }

    /// Something may be missing since the instant that was heard last; `None` where nothing was heard yet.
    pub fn note(&mut self, heard_unix_millis: Option<u64>) {
        self.state = match (self.state, heard_unix_millis) {
            (State::FromTheStart, _) | (_, None) => State::FromTheStart,
            (State::Since(before), Some(heard)) => State::Since(before.min(heard)),
            (State::UpToDate, Some(heard)) => State::Since(heard),
        };
    }

    /// Takes the work over: what is missing since when (`None`: from the start), or nothing to do. Whoever takes it
    /// and fails notes it again.
    pub fn take(&mut self) -> Option<Option<u64>> {
        match std::mem::replace(&mut self.state, State::UpToDate) {
            State::UpToDate => None,
            State::Since(heard) => Some(Some(heard)),
            State::FromTheStart => Some(None),
        }
    }
}

/// Series in one request; keeps the address short.
const SERIES_PER_REQUEST: usize = 16;

/// One request for values of `[from, to)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Series that the host has and the dashboard charts.
    pub names: Vec<String>,
    /// First instant, on the host's clock.
    pub from_unix_millis: u64,
    /// End, not included.
    pub to_unix_millis: u64,
}

impl Request {
    /// Path and query, relative to the host's root.
    pub fn path(&self) -> String {
        let names: Vec<String> = self.names.iter().map(|name| format!("name={}", encoded(name))).collect();
        let Self { from_unix_millis: from, to_unix_millis: to, .. } = self;
        format!("api/v1/series?{}&from={from}&to={to}", names.join("&"))
    }
}

/// Requests that fill in the time line up to `now` on the host's clock: all of it at the start, the newest
/// `first_millis` before the rest so that there is something to see at once; after an outage only what was missed.
pub fn requests(
    catalogue: &SeriesCatalogue,
    heard_unix_millis: Option<u64>,
    now_unix_millis: u64,
    first_millis: u64,
    whole_millis: u64,
) -> Vec<Request> {
    let charted = catalogue.series.iter().filter(|info| is_charted(info));
    let names: Vec<String> = charted.map(|info| info.series.clone()).collect();
    // A tick more on either side: what is there already stays.
    let to = now_unix_millis + 1_000;
    let oldest = now_unix_millis.saturating_sub(whole_millis);
    let spans = match heard_unix_millis {
        Some(heard) if heard > oldest => vec![(heard.saturating_sub(1_000), to)],
        _ => {
            let middle = now_unix_millis.saturating_sub(first_millis);
            vec![(middle, to), (oldest, middle)]
        }
    };
    let request = |from: u64, to: u64, names: &[String]| Request {
        names: names.to_vec(),
        from_unix_millis: from,
        to_unix_millis: to,
    };
    spans
        .into_iter()
        .filter(|(from, to)| from < to)
        .flat_map(|(from, to)| names.chunks(SERIES_PER_REQUEST).map(move |names| request(from, to, names)))
        .collect()
}

fn is_charted(info: &SeriesInfo) -> bool {
    series::HOST.contains(&info.series.as_str()) || series::PAGE.contains(&info.name.as_str())
}

/// Puts an answer into the time line. Memory and swap are charted as a share; a host that keeps them in bytes is
/// brought to one with the totals, and left out while those are unknown.
pub fn apply(history: &mut History, data: &SeriesData, memory_total_bytes: u64, swap_total_bytes: u64) {
    let total = match (data.info.series.as_str(), data.info.unit.as_str()) {
        (series::MEMORY, "bytes") => memory_total_bytes,
        (series::SWAP, "bytes") => swap_total_bytes,
        _ => {
            return history.fill(
                &data.info.series,
                data.start_unix_millis,
                u64::from(data.info.step_millis),
                &data.values,
            );
        }
    };
    if total == 0 {
        return;
    }
    #[expect(clippy::cast_precision_loss, reason = "a share of two byte counts")]
    let ratios: Vec<Option<f64>> =
        data.values.iter().map(|value| value.map(|bytes| bytes / total as f64)).collect();
    history.fill(&data.info.series, data.start_unix_millis, u64::from(data.info.step_millis), &ratios);
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::series::SeriesKind;

    use super::*;
    use crate::model::series::page;

    fn info(series: &str, unit: &str) -> SeriesInfo {
        SeriesInfo {
            series: series.into(),
            name: series.split('{').next().unwrap_or_default().into(),
            labels: std::collections::BTreeMap::new(),
            kind: SeriesKind::Gauge,
            unit: unit.into(),
            step_millis: 1_000,
            resolution: 0.001,
        }
    }

    fn catalogue(names: &[&str]) -> SeriesCatalogue {
        SeriesCatalogue { series: names.iter().map(|name| info(name, "ratio")).collect() }
    }

    #[test]
    fn the_start_asks_for_the_newest_first_and_then_the_rest() {
        let asked = requests(&catalogue(&["host.cpu.total"]), None, 10_000_000, 600_000, 3_600_000);
        let spans: Vec<_> = asked.iter().map(|r| (r.from_unix_millis, r.to_unix_millis)).collect();
        assert_eq!(spans, [(9_400_000, 10_001_000), (6_400_000, 9_400_000)]);
    }

    #[test]
    fn an_outage_asks_for_what_was_missed() {
        let asked =
            requests(&catalogue(&["host.cpu.total"]), Some(9_990_000), 10_000_000, 600_000, 3_600_000);
        let spans: Vec<_> = asked.iter().map(|r| (r.from_unix_millis, r.to_unix_millis)).collect();
        assert_eq!(spans, [(9_989_000, 10_001_000)]);
    }

    #[test]
    fn asks_only_for_what_is_charted_and_known_to_the_host() {
        let fps = page("a-b", series::FRAMES);
        let known =
            catalogue(&["host.cpu.total", "host.cpu.core{core=\"3\"}", &fps, &page("a-b", "page.heap_used")]);
        let asked = requests(&known, Some(9_000), 10_000, 1, 3_600_000);
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].names, ["host.cpu.total", &fps]);
        assert!(requests(&catalogue(&[]), None, 10_000, 1, 2).is_empty());
    }

    #[test]
    fn many_series_are_asked_for_in_several_requests() {
        let names: Vec<String> = (0..40).map(|n| page(&format!("p{n}"), series::FRAMES)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let asked = requests(&catalogue(&names), Some(9_000), 10_000, 1, 3_600_000);
        assert_eq!(asked.iter().map(|request| request.names.len()).collect::<Vec<_>>(), [16, 16, 8]);
    }

    #[test]
    fn stays_behind_until_a_back_fill_went_through() {
        let mut behind = Behind::from_the_start();
        behind.note(Some(5_000));
        assert_eq!(behind.take(), Some(None), "the start covers every later outage");
        assert_eq!(behind.take(), None);
        behind.note(Some(9_000));
        behind.note(Some(7_000));
        assert_eq!(behind.take(), Some(Some(7_000)), "the oldest of two outages counts");
        behind.note(None);
        assert_eq!(behind.take(), Some(None));
    }

    #[test]
    fn names_are_encoded() {
        let request = Request { names: vec!["a b&c".into()], from_unix_millis: 1, to_unix_millis: 2 };
        assert_eq!(request.path(), "api/v1/series?name=a%20b%26c&from=1&to=2");
    }

    #[test]
    fn bytes_of_memory_become_a_share() {
        let mut history = History::new(1_000, 60);
        let data = SeriesData {
            info: info(series::MEMORY, "bytes"),
            start_unix_millis: 5_000,
            values: vec![Some(25.0)],
        };
        apply(&mut history, &data, 0, 0);
        assert_eq!(history.value(series::MEMORY, 5), None);
        apply(&mut history, &data, 100, 0);
        assert_eq!(history.value(series::MEMORY, 5), Some(0.25));
    }
}
