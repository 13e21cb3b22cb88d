//! What workers say that they have shown elsewhere.

use super::{Fleet, Slot, WorkerRecord};

impl Fleet {
    /// Takes in what a worker says of itself. What is out of its range counts as unsaid.
    pub(crate) fn set_record(&mut self, slot: Slot, record: WorkerRecord) {
        let ratio = |ratio: Option<f64>| ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
        self.members[slot.index()].record = WorkerRecord {
            success_ratio: ratio(record.success_ratio),
            uptime_ratio: ratio(record.uptime_ratio),
            mean_duration: record.mean_duration,
        };
        self.compare_records();
    }

    /// A duration says something about speed only beside those of others.
    pub(super) fn compare_records(&mut self) {
        let told = |record: &WorkerRecord| record.mean_duration.map(|mean| mean.as_nanos() as f64);
        let all = || self.members.iter().filter_map(|member| told(&member.record));
        let count = all().count();
        let mean = all().sum::<f64>() / count.max(1) as f64;
        self.told_nanos = (mean > 0.0).then_some(mean);
        for member in &mut self.members {
            member.told_slowness = match (told(&member.record), self.told_nanos) {
                (Some(own), Some(mean)) => own / mean,
                _ => 1.0,
            };
        }
    }

    /// How many tasks it holds, as far as that is known: its tasks of this balancer, and one for each unit of load from
    /// elsewhere.
    #[must_use]
    pub fn held(&self, slot: Slot) -> u32 {
        self.in_flight(slot).saturating_add(self.foreign_load(slot))
    }

    /// The load units that others than this balancer have put on it.
    pub(crate) fn foreign_load(&self, slot: Slot) -> u32 {
        self.members[slot.index()].foreign_load.get()
    }
}
