//! The workers as the balancer knows them.

use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::ids::{TaskType, WorkerId};
use crate::order::sort_by_key;
use crate::pool::Capabilities;
use crate::time::{Duration, Instant};

use super::bits::{WORD, bit_of, contains, count, word_of, words_for};
use super::{BalanceConfig, Load, WorkerRecord, WorkerReport, WorkerSpec, WorkerStatus};
use evidence::{EvidenceTable, Failed};
use history::History;
use measures::Measures;
use rest::RestBounds;

pub(crate) mod decay;
mod evidence;
mod history;
mod measures;
mod reading;
mod record;
mod rest;

pub(crate) use reading::Service;

/// The place of a worker in its [`Fleet`]: a dense number, in the order of the ids.
///
/// Places move when workers join or leave. What is kept for longer goes by [`WorkerId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot(u32);

impl Slot {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("there are at most as many workers as ids, which are u32"))
    }

    /// As an index into a table with one entry for each worker.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The workers: what they are, what they hold, and what they have shown.
///
/// What every pick scans lies in arrays of its own, one entry for each worker. Sets of workers are bits: which of them
/// take tasks and have room is kept up to date by each change, so that a pick for a plain task filters nothing.
#[derive(Clone, Debug)]
pub struct Fleet {
    slots: IdMap<WorkerId, u32>,
    ids: Vec<WorkerId>,
    members: Vec<Member>,
    measures: Vec<Measures>,
    /// Of all runs: how often they succeed, and how long they take as multiples of what is typical for their types.
    runs: EvidenceTable,
    history: History,
    capacities: Vec<u32>,
    /// Capacity less load.
    headroom: Vec<i64>,
    in_flight: Vec<u32>,
    weights: Vec<u64>,
    /// Load with one more unit as a share of the weight in the upper half, when it was picked in the lower: the least is
    /// the least loaded, of equals the one picked longest ago.
    load_keys: Vec<u64>,
    /// Takes tasks: by its status, and not ejected.
    open: Vec<u64>,
    /// Open, with room for one unit at least.
    ready: Vec<u64>,
    ready_count: usize,
    /// For each of the 64 capabilities the words of who has it.
    holders: Vec<u64>,
    /// By slot, see [`Fleet::scarcity`].
    scarcity: Vec<f64>,
    next_return: Instant,
    /// Until then nothing more fades of what choices for this type look at.
    next_step: Instant,
    advanced_type: TaskType,
    ignores_ejections: bool,
    next_stamp: u32,
    weights_version: u64,
    equal_weights: bool,
    largest_weight: u64,
    equal_capacities: bool,
    /// The mean of what the workers say that their runs take, in nanoseconds.
    told_nanos: Option<f64>,
    open_load: u64,
    open_capacity: u64,
    settings: Settings,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    spec: WorkerSpec,
    status: WorkerStatus,
    /// Of this balancer's tasks. Exact, also past what a [`Load`] can say.
    own_load: u64,
    foreign_load: Load,
    weight_factor: f64,
    ejected_until: Option<Instant>,
    record: WorkerRecord,
    /// What the record says of its speed: 1 is usual.
    told_slowness: f64,
}

impl Member {
    /// What it brings to the fleet.
    fn capabilities(&self) -> Capabilities {
        if self.status == WorkerStatus::Absent { Capabilities::NONE } else { self.spec.capabilities }
    }

    fn load(&self) -> Load {
        Load::new(u32::try_from(self.own_load).unwrap_or(u32::MAX)) + self.foreign_load
    }
}

/// The part of the configuration that measuring needs.
#[derive(Clone, Copy, Debug)]
struct Settings {
    evidence_half_life: Duration,
    latency_half_life: Duration,
    uptime_half_life: Duration,
    failure_penalty: f64,
    assumed_nanos: f64,
}

impl Settings {
    /// How long a worker rests that failed with a task that typically takes so many nanoseconds. At most for as long as
    /// half of what is known of it takes to fade.
    fn rests(&self, typical_nanos: f64) -> RestBounds {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of u64s times a penalty; `as` saturates"
        )]
        let least = Duration::from_nanos((typical_nanos * self.failure_penalty) as u64);
        RestBounds { least, most: self.evidence_half_life }
    }
}

impl Fleet {
    pub(crate) fn new(config: &BalanceConfig) -> Self {
        Self {
            slots: IdMap::new(),
            ids: Vec::new(),
            members: Vec::new(),
            measures: Vec::new(),
            runs: EvidenceTable::new(config.evidence_half_life, 0),
            history: History::new(config.max_task_types, config.evidence_half_life),
            capacities: Vec::new(),
            headroom: Vec::new(),
            in_flight: Vec::new(),
            weights: Vec::new(),
            load_keys: Vec::new(),
            open: Vec::new(),
            ready: Vec::new(),
            ready_count: 0,
            holders: Vec::new(),
            scarcity: Vec::new(),
            next_return: Instant::NEVER,
            next_step: Instant::ZERO,
            advanced_type: TaskType::new(0),
            ignores_ejections: false,
            next_stamp: 0,
            weights_version: 0,
            equal_weights: true,
            largest_weight: 1,
            equal_capacities: true,
            told_nanos: None,
            open_load: 0,
            open_capacity: 0,
            settings: Settings {
                evidence_half_life: config.evidence_half_life,
                latency_half_life: config.latency_half_life,
                uptime_half_life: config.uptime_half_life,
                failure_penalty: config.failure_penalty,
                assumed_nanos: config.assumed_duration.as_nanos() as f64,
            },
        }
    }

    /// A new worker, or what a known one is from now on: its load and its record stay. The slot, and whether it is new.
    pub(crate) fn join(&mut self, now: Instant, spec: WorkerSpec) -> (Slot, bool) {
        if let Some(slot) = self.slot_of(spec.id) {
            self.members[slot.index()].spec = spec;
            self.rebuild(now);
            return (slot, false);
        }
        let index = self.ids.partition_point(|&id| id < spec.id);
        let member = Member {
            spec,
            status: WorkerStatus::Ready,
            own_load: 0,
            foreign_load: Load::ZERO,
            weight_factor: 1.0,
            ejected_until: None,
            record: WorkerRecord::default(),
            told_slowness: 1.0,
        };
        self.ids.insert(index, spec.id);
        self.members.insert(index, member);
        self.measures.insert(index, Measures::new(now, true));
        self.runs.insert(index);
        self.history.insert_worker(index);
        self.capacities.insert(index, 0);
        self.headroom.insert(index, 0);
        self.in_flight.insert(index, 0);
        self.weights.insert(index, 1);
        let stamp = self.take_stamp();
        self.load_keys.insert(index, u64::from(stamp));
        self.renumber_from(index);
        self.rebuild(now);
        (Slot::new(index), true)
    }

    pub(crate) fn leave(&mut self, now: Instant, worker: WorkerId) -> Option<Slot> {
        let slot = self.slot_of(worker)?;
        let index = slot.index();
        self.slots.remove(&worker);
        self.ids.remove(index);
        self.members.remove(index);
        self.measures.remove(index);
        self.runs.remove(index);
        self.history.remove_worker(index);
        self.capacities.remove(index);
        self.headroom.remove(index);
        self.in_flight.remove(index);
        self.weights.remove(index);
        self.load_keys.remove(index);
        self.renumber_from(index);
        self.rebuild(now);
        self.compare_records();
        Some(slot)
    }

    pub(crate) fn set_status(&mut self, now: Instant, slot: Slot, status: WorkerStatus) {
        let half_life = self.settings.uptime_half_life;
        let before = core::mem::replace(&mut self.members[slot.index()].status, status);
        let is_up = |status| !matches!(status, WorkerStatus::Offline);
        if is_up(before) != is_up(status) {
            self.measures[slot.index()].uptime.turn(now, half_life, is_up(status));
        }
        // From ready to busy and back, which may come with every task, changes nothing.
        if (before == WorkerStatus::Absent) != (status == WorkerStatus::Absent) {
            self.rebuild(now);
        } else if before.takes_tasks() != status.takes_tasks() {
            self.rebuild_open(now);
        }
    }

    pub(crate) fn report(&mut self, now: Instant, slot: Slot, report: &WorkerReport) {
        let before = self.load(slot);
        let member = &mut self.members[slot.index()];
        member.spec.capabilities = report.capabilities.unwrap_or(member.spec.capabilities);
        member.spec.capacity = report.capacity.unwrap_or(member.spec.capacity);
        member.spec.latency = report.latency.unwrap_or(member.spec.latency);
        member.foreign_load = report.foreign_load.unwrap_or(member.foreign_load);
        if report.capabilities.is_some() || report.capacity.is_some() {
            self.rebuild(now);
        } else if report.foreign_load.is_some() {
            self.follow_load(slot, before);
        }
    }

    /// The worker was given a task of this load, which typically takes so many nanoseconds.
    pub(crate) fn add(&mut self, now: Instant, slot: Slot, load: Load, backlog: u64) {
        let index = slot.index();
        if self.in_flight[index] == 0 {
            self.measures[index].progress = now;
        }
        let rests = self.settings.rests(backlog as f64);
        self.measures[index].rest.handle_tried(now, rests);
        self.measures[index].backlog = self.measures[index].backlog.saturating_add(backlog);
        self.in_flight[index] = self.in_flight[index].saturating_add(1);
        let held = self.members[index].own_load;
        self.set_own_load(slot, held + u64::from(load.get()));
    }

    /// The task is no longer on the worker. Exactly what was added for it is taken away.
    pub(crate) fn subtract(&mut self, slot: Slot, load: Load, backlog: u64) {
        let index = slot.index();
        self.measures[index].backlog = self.measures[index].backlog.saturating_sub(backlog);
        self.in_flight[index] = self.in_flight[index].saturating_sub(1);
        let held = self.members[index].own_load;
        self.set_own_load(slot, held.saturating_sub(u64::from(load.get())));
    }

    /// Marks the worker as picked most recently.
    pub(crate) fn touch(&mut self, slot: Slot) {
        let stamp = self.take_stamp();
        let key = &mut self.load_keys[slot.index()];
        *key = *key & SHARE_MASK | u64::from(stamp);
    }

    /// A task ended on the worker, however it did: it isn't stuck.
    pub(crate) fn note_progress(&mut self, now: Instant, slot: Slot) {
        let measures = &mut self.measures[slot.index()];
        measures.progress = measures.progress.max(now);
    }

    /// Takes in how a run went: what it took, and what its submitter waited for it since it was assigned.
    pub(crate) fn observe(&mut self, now: Instant, slot: Slot, task_type: TaskType, run: Run) {
        let settings = self.settings;
        let index = slot.index();
        let duration = run.duration.as_nanos() as f64;
        let row = self.history.row_for(task_type, self.ids.len());
        if run.success {
            // Before anything is compared with it, or the first run of a type would look fast or slow beside a guess.
            row.typical.observe(now, settings.evidence_half_life, duration);
        }
        let typical = row.typical.mean().or(self.told_nanos).unwrap_or(settings.assumed_nanos);
        let least = if run.success { 0.0 } else { typical * settings.failure_penalty };
        let penalised = duration.max(least);
        let slowness = |nanos: f64| (nanos / typical.max(1.0)).min(MOST_SLOWNESS);
        let outcome = |of: &dyn Fn(f64) -> f64| {
            if run.success {
                Ok(of(duration))
            } else {
                Err(Failed { value: of(penalised), lasting_value: of(least) })
            }
        };
        row.used = row.used.max(now);
        row.workers.observe(now, index, outcome(&|nanos| nanos));
        self.runs.observe(now, index, outcome(&slowness));
        let measures = &mut self.measures[index];
        let latency = (run.latency.as_nanos() as f64).max(least);
        measures.peak.observe(now, settings.latency_half_life, run.success, latency);
        if run.success {
            measures.rest.end();
        } else {
            measures.rest.handle_failed(now, now - run.duration, settings.rests(typical));
        }
    }

    /// Keeps the worker out of the choice until then, or lets it back in.
    pub(crate) fn set_ejected_until(&mut self, now: Instant, slot: Slot, until: Option<Instant>) {
        self.members[slot.index()].ejected_until = until;
        self.rebuild_open(now);
    }

    /// Whether ejected workers are chosen all the same: with too few others left that is the lesser evil.
    pub(crate) fn set_ignores_ejections(&mut self, now: Instant, ignores: bool) {
        if self.ignores_ejections != ignores {
            self.ignores_ejections = ignores;
            self.rebuild_open(now);
        }
    }

    /// Which part of its capacity the worker counts with in weighted choices, in 0..=1: for a slow start.
    pub(crate) fn set_weight_factor(&mut self, slot: Slot, factor: f64) {
        self.set_weight_factors([(self.worker(slot), factor)]);
    }

    /// The same for many at once, known or not.
    pub(crate) fn set_weight_factors(&mut self, factors: impl IntoIterator<Item = (WorkerId, f64)>) {
        for (worker, factor) in factors {
            if let Some(slot) = self.slot_of(worker) {
                self.members[slot.index()].weight_factor = factor.clamp(0.0, 1.0);
            }
        }
        self.reweigh();
    }

    /// Lets workers back in whose ejection is over.
    pub(crate) fn refresh(&mut self, now: Instant) {
        if now >= self.next_return {
            self.rebuild_open(now);
        }
    }

    /// Lets the evidence fade that a choice for this type of task looks at. What is read is the same without it, but slower.
    pub(crate) fn advance(&mut self, now: Instant, task_type: TaskType) {
        if now >= self.next_step || task_type != self.advanced_type {
            self.runs.advance(now);
            self.history.advance(now, task_type);
            self.next_step = self.runs.next_step();
            self.advanced_type = task_type;
        }
    }

    fn set_own_load(&mut self, slot: Slot, load: u64) {
        let before = self.load(slot);
        self.members[slot.index()].own_load = load;
        self.follow_load(slot, before);
    }

    /// The worker's load was `before` and has changed.
    fn follow_load(&mut self, slot: Slot, before: Load) {
        let index = slot.index();
        self.reload(slot);
        if contains(&self.open, index) {
            self.open_load = self.open_load + u64::from(self.load(slot).get()) - u64::from(before.get());
            let bit = bit_of(index);
            let word = &mut self.ready[word_of(index)];
            let was = *word & bit != 0;
            let is = self.headroom[index] > 0;
            *word = *word & !bit | if is { bit } else { 0 };
            self.ready_count = self.ready_count + usize::from(is) - usize::from(was);
        }
    }

    /// Follows the worker's load.
    fn reload(&mut self, slot: Slot) {
        let index = slot.index();
        let load = self.load(slot).get();
        self.capacities[index] = self.members[index].spec.capacity.get();
        self.headroom[index] = i64::from(self.capacities[index]) - i64::from(load);
        let key = load_share_key(load, self.weights[index]);
        self.load_keys[index] = key << 32 | self.load_keys[index] & STAMP_MASK;
    }

    /// The workers from this place on have moved.
    fn renumber_from(&mut self, index: usize) {
        for (index, &id) in self.ids.iter().enumerate().skip(index) {
            self.slots.insert(id, Slot::new(index).0);
        }
    }

    fn rebuild(&mut self, now: Instant) {
        let words = words_for(self.ids.len());
        self.holders.clear();
        self.holders.resize(words * WORD, 0);
        for (index, member) in self.members.iter().enumerate() {
            for bit in member.capabilities().bit_indices() {
                self.holders[bit * words + word_of(index)] |= bit_of(index);
            }
        }
        self.weigh_scarcity();
        self.reweigh();
        self.rebuild_open(now);
    }

    fn weigh_scarcity(&mut self) {
        let rarity: [f64; 64] = core::array::from_fn(|bit| 1.0 / self.holders(bit).max(1) as f64);
        self.scarcity.clear();
        self.scarcity.extend(
            self.members
                .iter()
                .map(|member| -> f64 { member.capabilities().bit_indices().map(|bit| rarity[bit]).sum() }),
        );
        let most = self.scarcity.iter().fold(0.0, |most: f64, &scarcity| most.max(scarcity));
        if most > 0.0 {
            self.scarcity.iter_mut().for_each(|scarcity| *scarcity /= most);
        }
    }

    fn reweigh(&mut self) {
        for (weight, member) in self.weights.iter_mut().zip(&self.members) {
            let thousandths = member.weight_factor * WHOLE_WEIGHT as f64;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the factor is in 0..=1"
            )]
            let factor = (thousandths as u64).max(1);
            *weight = u64::from(member.spec.capacity.get()).max(1) * factor;
        }
        self.largest_weight = self.weights.iter().copied().max().unwrap_or(1);
        self.equal_weights = self.weights.windows(2).all(|pair| pair[0] == pair[1]);
        self.weights_version += 1;
        (0..self.ids.len()).for_each(|index| self.reload(Slot::new(index)));
        self.equal_capacities = self.capacities.windows(2).all(|pair| pair[0] == pair[1]);
    }

    fn rebuild_open(&mut self, now: Instant) {
        let words = words_for(self.ids.len());
        self.open.clear();
        self.open.resize(words, 0);
        self.ready.clear();
        self.ready.resize(words, 0);
        self.next_return = Instant::NEVER;
        (self.open_load, self.open_capacity) = (0, 0);
        for (index, member) in self.members.iter().enumerate() {
            let ejected = member.ejected_until.filter(|&until| until > now);
            self.next_return = self.next_return.min(ejected.unwrap_or(Instant::NEVER));
            if !member.status.takes_tasks() || ejected.is_some() && !self.ignores_ejections {
                continue;
            }
            self.open[word_of(index)] |= bit_of(index);
            self.open_load += u64::from(member.load().get());
            self.open_capacity += u64::from(member.spec.capacity.get());
            if self.headroom[index] > 0 {
                self.ready[word_of(index)] |= bit_of(index);
            }
        }
        self.ready_count = count(&self.ready);
    }

    fn take_stamp(&mut self) -> u32 {
        if self.next_stamp == u32::MAX {
            self.renumber_stamps();
        }
        self.next_stamp += 1;
        self.next_stamp - 1
    }

    /// Every four thousand million picks: the same order in the smallest numbers.
    fn renumber_stamps(&mut self) {
        let mut by_age: Vec<usize> = (0..self.ids.len()).collect();
        sort_by_key(&mut by_age, |&index| self.load_keys[index] & STAMP_MASK);
        self.next_stamp = 0;
        for index in by_age {
            self.load_keys[index] = self.load_keys[index] & SHARE_MASK | u64::from(self.next_stamp);
            self.next_stamp += 1;
        }
    }
}

/// How a run went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) success: bool,
    /// From its start to its end.
    pub(crate) duration: Duration,
    /// From its assignment to its end.
    pub(crate) latency: Duration,
}

/// The load with one more unit as a share of the weight, in 32 bits.
fn load_share_key(load: u32, weight: u64) -> u64 {
    let share = ((u128::from(load) + 1) << 24) * u128::from(WHOLE_WEIGHT) / u128::from(weight);
    u64::from(u32::try_from(share).unwrap_or(u32::MAX))
}

/// What a unit of capacity weighs.
const WHOLE_WEIGHT: u64 = 1_000;
const STAMP_MASK: u64 = u32::MAX as u64;
const SHARE_MASK: u64 = !STAMP_MASK;
/// So that one stuck clock can't make a mean infinite.
const MOST_SLOWNESS: f64 = 1e6;
