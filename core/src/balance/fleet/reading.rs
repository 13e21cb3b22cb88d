//! What can be read of a fleet. Nothing here changes anything.

use super::*;

impl Fleet {
    /// How many workers there are, whatever their status.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is no worker.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// All slots, in the order of the ids.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = Slot> + use<> {
        (0..u32::try_from(self.ids.len()).unwrap_or(u32::MAX)).map(Slot)
    }

    /// Where the worker is now.
    #[must_use]
    pub fn slot_of(&self, worker: WorkerId) -> Option<Slot> {
        self.slots.get(&worker).copied().map(Slot)
    }

    /// Which worker it is.
    #[must_use]
    pub fn worker(&self, slot: Slot) -> WorkerId {
        self.ids[slot.index()]
    }

    /// What the worker is.
    #[must_use]
    pub fn spec(&self, slot: Slot) -> &WorkerSpec {
        &self.members[slot.index()].spec
    }

    /// Whether it takes tasks, by its own account.
    #[must_use]
    pub fn status(&self, slot: Slot) -> WorkerStatus {
        self.members[slot.index()].status
    }

    /// What it holds, load from elsewhere included.
    #[must_use]
    pub fn load(&self, slot: Slot) -> Load {
        self.members[slot.index()].load()
    }

    /// What it may still take.
    #[must_use]
    pub fn free(&self, slot: Slot) -> Load {
        self.spec(slot).capacity - self.load(slot)
    }

    /// Whether a task of this complexity fits: load and complexity together are within the capacity.
    #[must_use]
    pub fn fits(&self, slot: Slot, complexity: Load) -> bool {
        self.headroom[slot.index()] >= i64::from(complexity.get())
    }

    /// What it holds as a share of its capacity; more than 1 where its capacity shrank since.
    #[must_use]
    pub fn load_share(&self, slot: Slot) -> f64 {
        let capacity = self.capacities[slot.index()];
        (i64::from(capacity) - self.headroom[slot.index()]) as f64 / f64::from(capacity.max(1))
    }

    /// What all open workers hold, as a share of what they can.
    #[must_use]
    pub fn mean_load_share(&self) -> f64 {
        self.open_load as f64 / self.open_capacity.max(1) as f64
    }

    /// What all open workers hold.
    #[must_use]
    pub fn open_load(&self) -> u64 {
        self.open_load
    }

    /// What all open workers can hold.
    #[must_use]
    pub fn open_capacity(&self) -> u64 {
        self.open_capacity
    }

    /// How many tasks of this balancer it holds.
    #[must_use]
    pub fn in_flight(&self, slot: Slot) -> u32 {
        self.in_flight[slot.index()]
    }

    /// Its weight in weighted choices: capacity times weight factor, in thousandths of a load unit; at least 1.
    #[must_use]
    pub fn weight(&self, slot: Slot) -> u64 {
        self.weights[slot.index()]
    }

    /// Which part of its capacity it counts with in weighted choices, below 1 during a slow start.
    #[must_use]
    pub fn weight_factor(&self, slot: Slot) -> f64 {
        self.members[slot.index()].weight_factor
    }

    /// Until when it is kept out of the choice.
    #[must_use]
    pub fn ejected_until(&self, slot: Slot) -> Option<Instant> {
        self.members[slot.index()].ejected_until
    }

    /// Whether ejected workers are chosen all the same.
    #[must_use]
    pub fn ignores_ejections(&self) -> bool {
        self.ignores_ejections
    }

    /// When the next ejected worker returns.
    #[must_use]
    pub fn next_return(&self) -> Option<Instant> {
        (self.next_return != Instant::NEVER).then_some(self.next_return)
    }

    /// Whether it takes tasks: by its status, and not ejected.
    #[must_use]
    pub fn is_open(&self, slot: Slot) -> bool {
        contains(&self.open, slot.index())
    }

    /// How hard its capabilities are to replace, in 0..=1: each counts `1 / workers that have it`, and the sum is relative to
    /// the largest in the fleet. 0 for a worker without any.
    #[must_use]
    pub fn scarcity(&self, slot: Slot) -> f64 {
        self.scarcity[slot.index()]
    }

    /// When it was picked, as a number that grows with each pick of any worker.
    #[must_use]
    pub fn last_picked(&self, slot: Slot) -> u32 {
        (self.load_keys[slot.index()] & STAMP_MASK) as u32
    }

    /// How many workers have the capability of this bit.
    #[must_use]
    pub fn holders(&self, bit: usize) -> usize {
        let words = words_for(self.ids.len());
        count(&self.holders[bit * words..][..words])
    }

    /// The share of its runs that succeeded, recent ones counting most, in 0..=1. Two successes are thrown in, so that a
    /// new worker has 1 and one failure doesn't condemn it; where the worker has told a ratio, two runs of that.
    #[must_use]
    pub fn success_ratio(&self, slot: Slot, now: Instant) -> f64 {
        let told = self.members[slot.index()].record.success_ratio.unwrap_or(1.0);
        self.runs.success_ratio(now, slot.index(), told, self.is_due_for_trial(slot, now))
    }

    /// Whether it is time to try it again: its last run failed, and it has rested since, for as long as the penalty of a
    /// failure; after each trial, answered or not, for an eighth of the time that has passed since it began to fail, at least
    /// for the penalty and at most for the half-life of evidence
    /// ([`BalanceConfig::evidence_half_life`](crate::balance::BalanceConfig::evidence_half_life)). What is read of such a
    /// worker leaves out the failures since its last success. As soon as it is given a task they count again, so it is tried
    /// with one; what it held before that may be lost, and doesn't keep it from being tried.
    #[must_use]
    pub fn is_due_for_trial(&self, slot: Slot, now: Instant) -> bool {
        self.measures[slot.index()].rest.is_over(now)
    }

    /// How many of its runs are remembered, old ones counted in part.
    #[must_use]
    pub fn evidence(&self, slot: Slot, now: Instant) -> f64 {
        self.runs.runs(now, slot.index())
    }

    /// How long its runs take as a multiple of what is typical for their types: 1 for a usual worker and for an unknown
    /// one, unless it has told what its runs take. A failed run counts with its penalty, so a worker that fails fast is slow.
    #[must_use]
    pub fn slowness(&self, slot: Slot, now: Instant) -> f64 {
        let told = self.members[slot.index()].told_slowness;
        self.runs.mean(now, slot.index(), told, self.is_due_for_trial(slot, now))
    }

    /// What a failed run counts as having taken, in multiples of a typical success.
    #[must_use]
    pub fn failure_penalty(&self) -> f64 {
        self.settings.failure_penalty
    }

    /// Speed in 0..=1 for scores: `1 / (1 + slowness)`, so 0.5 for a usual worker. A worker that has been silent for longer
    /// than its tasks should take counts as that slow.
    #[must_use]
    pub fn speed(&self, slot: Slot, now: Instant) -> f64 {
        1.0 / (1.0 + self.slowness(slot, now).max(self.overdue(slot, now)))
    }

    /// For how long its oldest work has gone on as a multiple of what all of it typically takes; 0 without work.
    #[must_use]
    pub fn overdue(&self, slot: Slot, now: Instant) -> f64 {
        if self.in_flight(slot) == 0 {
            return 0.0;
        }
        let backlog = self.measures[slot.index()].backlog;
        if backlog == 0 { 0.0 } else { self.silence(slot, now).as_nanos() as f64 / backlog as f64 }
    }

    /// For how long nothing has ended on it though it has work.
    #[must_use]
    pub fn silence(&self, slot: Slot, now: Instant) -> Duration {
        if self.in_flight(slot) == 0 { Duration::ZERO } else { now - self.measures[slot.index()].progress }
    }

    /// The share of the recent past in which it could be reached, in 0..=1, times what it has told of the time before.
    #[must_use]
    pub fn uptime(&self, slot: Slot, now: Instant) -> f64 {
        let told = self.members[slot.index()].record.uptime_ratio.unwrap_or(1.0);
        self.measures[slot.index()].uptime.read(now, self.settings.uptime_half_life) * told
    }

    /// Its Peak-EWMA latency in nanoseconds: from assignment to end, failures with their penalty. Before its first what it
    /// has told of its runs, or `None`.
    #[must_use]
    pub fn peak_latency_nanos(&self, slot: Slot, now: Instant) -> Option<f64> {
        let told = || self.members[slot.index()].record.mean_duration.map(|mean| mean.as_nanos() as f64);
        self.measures[slot.index()].peak.read(now, self.settings.latency_half_life).or_else(told)
    }

    /// What its tasks in flight typically take one after the other, in nanoseconds.
    #[must_use]
    pub fn backlog_nanos(&self, slot: Slot) -> u64 {
        self.measures[slot.index()].backlog
    }

    /// What successful runs of this type take on any worker, in nanoseconds. Before the first the mean of what the workers
    /// have told of their runs, or the configured assumption.
    #[must_use]
    pub fn typical_nanos(&self, task_type: TaskType) -> f64 {
        let measured = self.history.typical(task_type);
        measured.or(self.told_nanos).unwrap_or(self.settings.assumed_nanos)
    }

    /// What a task of this type is expected to take on this worker, in nanoseconds. Its own runs of the type, with one run
    /// thrown in of what is typical for the type times the worker's slowness.
    #[must_use]
    pub fn service_nanos(&self, slot: Slot, task_type: TaskType, now: Instant) -> f64 {
        self.service(task_type).nanos(slot, now, self.slowness(slot, now))
    }

    /// What a task of this type takes on this worker where it succeeds, in nanoseconds; what is typical before the first.
    #[must_use]
    pub fn success_nanos(&self, slot: Slot, task_type: TaskType, now: Instant) -> f64 {
        let typical = self.typical_nanos(task_type);
        let table = self.history.of_type(task_type);
        table.map_or(typical, |table| table.success_mean(now, slot.index(), typical))
    }

    /// [`Fleet::service_nanos`] for many workers: what is looked up once is.
    pub(crate) fn service(&self, task_type: TaskType) -> Service<'_> {
        Service {
            typical: self.typical_nanos(task_type),
            table: self.history.of_type(task_type),
            fleet: self,
        }
    }

    /// How many of its runs of this type are remembered, old ones counted in part.
    #[must_use]
    pub fn type_evidence(&self, slot: Slot, task_type: TaskType, now: Instant) -> f64 {
        self.history.of_type(task_type).map_or(0.0, |table| table.runs(now, slot.index()))
    }

    /// How well it did with this type of task, in 0..=1: the share of successes, with two runs of its overall
    /// [`Fleet::success_ratio`] thrown in, so that a worker isn't preferred merely for having been chosen before.
    #[must_use]
    pub fn history(&self, slot: Slot, task_type: TaskType, now: Instant) -> f64 {
        let overall = self.success_ratio(slot, now);
        match self.history.of_type(task_type) {
            Some(table) => table.success_ratio(now, slot.index(), overall, self.is_due_for_trial(slot, now)),
            None => overall,
        }
    }

    /// When a task last ended on it, or when the first came after it had none.
    pub(crate) fn progress(&self, slot: Slot) -> Instant {
        self.measures[slot.index()].progress
    }

    /// Changes whenever a weight may have changed.
    pub(crate) fn weights_version(&self) -> u64 {
        self.weights_version
    }

    /// Whether all workers have the same weight.
    pub(crate) fn has_equal_weights(&self) -> bool {
        self.equal_weights
    }

    /// The largest weight of a worker.
    pub(crate) fn largest_weight(&self) -> u64 {
        self.largest_weight
    }

    /// Whether all workers have the same capacity.
    pub(crate) fn has_equal_capacities(&self) -> bool {
        self.equal_capacities
    }

    pub(crate) fn capacities(&self) -> &[u32] {
        &self.capacities
    }

    pub(crate) fn weights(&self) -> &[u64] {
        &self.weights
    }

    pub(crate) fn load_keys(&self) -> &[u64] {
        &self.load_keys
    }

    pub(in crate::balance) fn headrooms(&self) -> &[i64] {
        &self.headroom
    }

    pub(in crate::balance) fn open_words(&self) -> &[u64] {
        &self.open
    }

    pub(in crate::balance) fn ready_words(&self) -> (&[u64], usize) {
        (&self.ready, self.ready_count)
    }

    /// The words of who has this capability.
    pub(in crate::balance) fn holder_words(&self, bit: usize) -> &[u64] {
        let words = words_for(self.ids.len());
        &self.holders[bit * words..][..words]
    }
}

/// How long tasks of a type take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service<'a> {
    /// On any worker, in nanoseconds.
    pub(crate) typical: f64,
    table: Option<&'a EvidenceTable>,
    fleet: &'a Fleet,
}

impl Service<'_> {
    /// On this worker, whose slowness is given, in nanoseconds.
    pub(crate) fn nanos(&self, slot: Slot, now: Instant, slowness: f64) -> f64 {
        let prior = self.typical * slowness;
        let forgiving = || self.fleet.is_due_for_trial(slot, now);
        self.table.map_or(prior, |table| table.mean(now, slot.index(), prior, forgiving()))
    }
}
