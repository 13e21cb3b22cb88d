//! What a standby fetches and removes: decisions only.

use std::collections::BTreeMap;

use quillwork_store::history::FileVersion;

/// Files by name.
pub(crate) type Files = BTreeMap<String, FileVersion>;

/// What is left to do until a copy has the same files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// In this order.
    pub(crate) fetch: Vec<FileVersion>,
    /// When all is fetched: what was sealed or dropped.
    pub(crate) remove: Vec<String>,
}

impl Plan {
    /// From what there is here to what there is there. The newest minutes first and marks before them: what is read most is there first, and no coarse window
    /// stands for what it doesn't hold.
    pub(crate) fn new(here: &Files, there: &Files) -> Self {
        let mut fetch: Vec<FileVersion> =
            there.values().filter(|file| here.get(&file.name) != Some(*file)).cloned().collect();
        fetch.sort_by(|a, b| urgency(&a.name).cmp(&urgency(&b.name)).then_with(|| b.name.cmp(&a.name)));
        let remove = here.keys().filter(|name| !there.contains_key(*name)).cloned().collect();
        Self { fetch, remove }
    }

    /// But for these.
    pub(crate) fn without(mut self, left_out: &Files) -> Self {
        self.fetch.retain(|file| left_out.get(&file.name) != Some(file));
        self
    }

    /// Bytes that are left to fetch.
    pub(crate) fn bytes(&self) -> u64 {
        self.fetch.iter().map(|file| file.bytes).sum()
    }
}

fn urgency(name: &str) -> u8 {
    match name.as_bytes().first() {
        Some(b's') => 0,
        Some(b'h') => 1,
        // Of tiers the finest: `tier0` before `tier1`.
        _ => name.as_bytes().get(4).map_or(u8::MAX, |digit| 2 + digit.wrapping_sub(b'0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[(&str, u32)]) -> Files {
        let file = |&(name, checksum): &(&str, u32)| {
            (name.to_owned(), FileVersion { name: name.to_owned(), bytes: 10, checksum })
        };
        names.iter().map(file).collect()
    }

    #[test]
    fn what_is_new_or_differs_is_fetched_the_newest_minutes_first() {
        let here = files(&[("head-000000000001", 1), ("tier0-000000000001", 1), ("tier1-000000000001", 1)]);
        let there = files(&[
            ("head-000000000002", 1),
            ("head-000000000003", 1),
            ("stale1-000000000001", 0),
            ("tier0-000000000001", 2),
            ("tier0-000000000002", 1),
            ("tier1-000000000001", 1),
        ]);
        let plan = Plan::new(&here, &there);
        let names: Vec<&str> = plan.fetch.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "stale1-000000000001",
                "head-000000000003",
                "head-000000000002",
                "tier0-000000000002",
                "tier0-000000000001"
            ]
        );
        assert_eq!((plan.remove.as_slice(), plan.bytes()), (&["head-000000000001".to_owned()][..], 50));
        assert_eq!(Plan::new(&there, &there), Plan::default());
        let left_out = files(&[("head-000000000003", 1), ("head-000000000002", 7)]);
        let left = Plan::new(&here, &there).without(&left_out);
        assert_eq!((left.fetch.len(), left.bytes()), (4, 40), "another version of it is fetched");
    }
}
