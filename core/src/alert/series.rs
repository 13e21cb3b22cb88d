//! The series that rules watch, found without allocating.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::condition::Role;
use super::labels::Labels;
use super::outcome::ObserveError;
use super::rule::Rule;

/// Series by name and labels.
#[derive(Clone, Debug)]
pub(super) struct SeriesTable {
    /// Names that rules select, sorted.
    names: Vec<String>,
    series: Vec<Series>,
    /// Places in `series`, sorted by name and labels.
    order: Vec<u32>,
    most: usize,
}

#[derive(Clone, Debug)]
struct Series {
    name: String,
    labels: Labels,
    feeds: Vec<Feed>,
}

/// An instance that a series enters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Feed {
    pub(super) slot: u32,
    pub(super) role: Role,
}

impl SeriesTable {
    pub(super) fn new(rules: &[Rule], most: usize) -> Self {
        let all = rules.iter().flat_map(|rule| rule.condition.series_names());
        let mut names: Vec<String> = all.map(String::from).collect();
        names.sort();
        names.dedup();
        Self { names, series: Vec::new(), order: Vec::new(), most }
    }

    pub(super) fn watches(&self, name: &str) -> bool {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }

    pub(super) fn find<K: AsRef<str>, V: AsRef<str>>(&self, name: &str, labels: &[(K, V)]) -> Option<u32> {
        self.place(name, labels).ok().map(|at| self.order[at])
    }

    pub(super) fn feeds(&self, id: u32) -> &[Feed] {
        &self.series[id as usize].feeds
    }

    pub(super) fn insert(
        &mut self,
        name: &str,
        labels: Labels,
        feeds: Vec<Feed>,
    ) -> Result<u32, ObserveError> {
        if self.series.len() >= self.most {
            return Err(ObserveError::TooManySeries { limit: self.most });
        }
        let pairs: Vec<(&str, &str)> = labels.iter().collect();
        let at = match self.place(name, &pairs) {
            Ok(at) | Err(at) => at,
        };
        let id = u32::try_from(self.series.len()).expect("series are bounded far below");
        self.order.insert(at, id);
        self.series.push(Series { name: name.into(), labels, feeds });
        Ok(id)
    }

    /// Keeps series by their labels.
    pub(super) fn retain(&mut self, keeps: impl Fn(&Labels) -> bool) {
        self.series.retain(|series| keeps(&series.labels));
        self.reorder();
    }

    /// An instance is gone: series that entered it are forgotten, so that they are enrolled anew if they come again.
    pub(super) fn forget_slot(&mut self, slot: u32) {
        let before = self.series.len();
        self.series.retain(|series| series.feeds.iter().all(|feed| feed.slot != slot));
        if self.series.len() < before {
            self.reorder();
        }
    }

    fn reorder(&mut self) {
        let series = &self.series;
        self.order.clear();
        self.order.extend(0..u32::try_from(series.len()).expect("series are bounded far below"));
        let key = |id: &u32| (&series[*id as usize].name, &series[*id as usize].labels);
        self.order.sort_by(|a, b| key(a).cmp(&key(b)));
    }

    fn place<K: AsRef<str>, V: AsRef<str>>(&self, name: &str, labels: &[(K, V)]) -> Result<usize, usize> {
        self.order.binary_search_by(|&id| {
            let series = &self.series[id as usize];
            match series.name.as_str().cmp(name) {
                Ordering::Equal => series.labels.compare(labels),
                other => other,
            }
        })
    }
}
