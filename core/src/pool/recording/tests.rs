//! Any inputs come back as they were, and any damage is found.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::super::{
    Binding, Capabilities, CloseMode, Input, Load, Offer, PoolConfig, Priority, TaskOutcome, TaskSpec,
    WorkerList,
};
use super::*;
use crate::balance::BuiltIn;
use crate::ids::{Generation, RegionId, TaskId, TaskType, WorkerId};
use crate::time::{Duration, Instant};

type Inputs = Vec<(Instant, Input)>;

fn durations() -> impl Strategy<Value = Duration> {
    prop_oneof![
        any::<u64>().prop_map(Duration::from_nanos),
        (0_u64..10_000).prop_map(Duration::from_millis),
        Just(Duration::MAX),
    ]
}

fn lists() -> impl Strategy<Value = WorkerList> {
    let places = (0..PoolConfig::MAX_WORKERS).prop_map(WorkerId::new);
    let lists = prop::collection::vec(places, 0..=WorkerList::MOST);
    lists.prop_map(|workers| WorkerList::new(&workers).expect("it is short"))
}

fn regions() -> impl Strategy<Value = Option<RegionId>> {
    prop::option::of(any::<u32>().prop_map(RegionId::new))
}

fn specs() -> impl Strategy<Value = TaskSpec> {
    let numbers = (any::<u32>(), 0_u8..=10, any::<u64>(), any::<u32>(), 0_u32..5);
    let times = (prop::option::of(durations()), prop::option::of(durations()), any::<bool>(), any::<u32>());
    let places = (lists(), lists(), lists(), regions(), durations(), prop::option::of(any::<u64>()));
    (numbers, times, places).prop_map(
        |(
            (task_type, level, required, complexity, type_limit),
            (timeout, queue_ttl, redeliverable, max_attempts),
            (affinity, anti_affinity, avoid, region, patience, key),
        )| {
            TaskSpec {
                task_type: TaskType::new(task_type),
                priority: Priority::new(level).unwrap(),
                required: Capabilities::from_bits(required),
                complexity: Load::new(complexity),
                timeout,
                queue_ttl,
                redeliverable,
                max_attempts,
                affinity,
                region,
                patience,
                anti_affinity,
                avoid,
                key,
                type_limit,
            }
        },
    )
}

fn inputs() -> impl Strategy<Value = Input> {
    let task = || prop_oneof![0_u64..100, any::<u64>()].prop_map(TaskId::new);
    let place = || {
        (prop_oneof![0_u32..8, any::<u32>()], prop_oneof![1_u32..4, any::<u32>()])
            .prop_map(|(worker, generation)| (WorkerId::new(worker), Generation::new(generation)))
    };
    prop_oneof![
        4 => (task(), prop_oneof![Just(TaskSpec::default()), specs()])
            .prop_map(|(task, spec)| Input::Submit { task, spec }),
        1 => task().prop_map(|task| Input::Abort { task }),
        2 => (place(), any::<u64>(), any::<u32>(), regions()).prop_map(|((worker, generation), bits, capacity, region)| {
            let capabilities = Capabilities::from_bits(bits);
            Input::WorkerReady { worker, generation, offer: Offer { capabilities, capacity: Load::new(capacity), region } }
        }),
        1 => place().prop_map(|(worker, generation)| Input::WorkerAlive { worker, generation }),
        1 => place().prop_map(|(worker, generation)| Input::WorkerLost { worker, generation }),
        1 => place().prop_map(|(worker, generation)| Input::Recycle { worker, generation }),
        4 => (place(), task(), 0_usize..3).prop_map(|((worker, generation), task, ended)| {
            let outcome = [TaskOutcome::Completed, TaskOutcome::Failed, TaskOutcome::FailedForGood][ended];
            Input::TaskDone { worker, generation, task, outcome }
        }),
        1 => (place(), task())
            .prop_map(|((worker, generation), task)| Input::Progress { worker, generation, task }),
        1 => (place(), task()).prop_map(|((worker, generation), task)| {
            Input::TaskReturned { worker, generation, task }
        }),
        1 => (task(), prop::option::of(any::<u32>().prop_map(WorkerId::new)))
            .prop_map(|(task, worker)| Input::StrategyAnswer { task, worker }),
        1 => Just(Input::Pause),
        1 => Just(Input::Resume),
        1 => any::<bool>().prop_map(|drain| {
            Input::Close { mode: if drain { CloseMode::Drain } else { CloseMode::Now } }
        }),
        2 => Just(Input::Deadline),
    ]
}

fn runs(most: usize) -> impl Strategy<Value = Inputs> {
    let times = prop_oneof![(0_u64..50).prop_map(|millis| millis * 1_000_000), any::<u64>()];
    prop::collection::vec((times.prop_map(Instant::from_nanos), inputs()), 0..most)
}

fn config() -> PoolConfig {
    let binding = Binding::Early { strategy: BuiltIn::PeakEwma, steal_after: Duration::from_millis(3) };
    PoolConfig { workers: 3, lease: None, binding, ..PoolConfig::default() }
}

fn log_of(inputs: &Inputs) -> Vec<u8> {
    let mut recorder = Recorder::new(&config(), Instant::from_secs(77), 42);
    inputs.iter().for_each(|(now, input)| recorder.record(*now, input));
    recorder.finish()
}

fn read(log: &[u8]) -> Result<Inputs, RecordingError> {
    Reader::open(log)?.collect()
}

/// An ordinary run of some blocks.
fn ordinary() -> Inputs {
    (0..4_000)
        .map(|number| {
            let task = TaskId::new(number / 2);
            let (worker, generation) = (WorkerId::new((number % 3) as u32), Generation::FIRST);
            let input = match number % 2 {
                0 => Input::Submit { task, spec: TaskSpec::default() },
                _ => Input::TaskDone { worker, generation, task, outcome: TaskOutcome::Completed },
            };
            (Instant::from_millis(80_000 + number * 3), input)
        })
        .collect()
}

#[test]
fn the_header_says_what_the_pool_was_made_with() {
    let log = log_of(&Vec::new());
    let header = Header { seed: 42, start: Instant::from_secs(77), config: config() };
    assert_eq!(Reader::open(&log).map(|reader| *reader.header()), Ok(header));
    assert_eq!(read(&log), Ok(Vec::new()));
}

#[test]
fn an_ordinary_record_takes_four_to_seven_bytes() {
    let inputs = ordinary();
    let log = log_of(&inputs);
    assert_eq!(read(&log).as_ref(), Ok(&inputs));
    assert!((4 * inputs.len()..7 * inputs.len()).contains(&log.len()), "{}", log.len());
}

#[test]
fn blocks_that_are_taken_as_they_are_finished_are_the_same_log() {
    let inputs = ordinary();
    let mut recorder = Recorder::new(&config(), Instant::from_secs(77), 42);
    let mut log = Vec::new();
    for (now, input) in &inputs {
        recorder.record(*now, input);
        recorder.take_blocks(|blocks| log.extend_from_slice(blocks));
        assert!(recorder.buffered_bytes() < 8_192);
    }
    log.extend(recorder.finish());
    assert_eq!(log, log_of(&inputs));
}

#[test]
fn a_flushed_log_loses_nothing() {
    let inputs = ordinary();
    let mut recorder = Recorder::new(&config(), Instant::from_secs(77), 42);
    let mut log = Vec::new();
    for (now, input) in &inputs[..10] {
        recorder.record(*now, input);
    }
    recorder.flush();
    recorder.flush();
    recorder.take_blocks(|blocks| log.extend_from_slice(blocks));
    let read: Vec<_> = Reader::open(&log).unwrap().collect();
    assert_eq!(read.len(), 11);
    assert_eq!(read[10], Err(RecordingError::Truncated { records: 10, at_byte: log.len() }));
}

#[test]
fn every_cut_is_told_and_gives_a_beginning_of_the_records() {
    let inputs: Inputs = ordinary().into_iter().take(1_500).collect();
    let log = log_of(&inputs);
    let mut most = 0;
    for cut in (0..log.len()).rev().step_by(37).chain(0..200) {
        let Ok(reader) = Reader::open(&log[..cut]) else {
            assert!(cut < 200, "the header is small");
            continue;
        };
        let mut records: Vec<_> = reader.collect();
        let last = records.pop();
        assert!(matches!(last, Some(Err(RecordingError::Truncated { .. }))), "{cut}: {last:?}");
        assert!(records.iter().zip(&inputs).all(|(record, input)| record.as_ref() == Ok(input)));
        most = most.max(records.len());
    }
    assert_eq!(most, inputs.len(), "where only the end is missing nothing is lost");
}

#[test]
fn other_files_and_other_versions_are_told_apart() {
    assert_eq!(read(b""), Err(RecordingError::NotARecording));
    assert_eq!(read(b"\x89PNG\r\n\x1a\n........"), Err(RecordingError::NotARecording));
    let mut log = log_of(&Vec::new());
    log[8] = 9;
    assert_eq!(read(&log), Err(RecordingError::UnsupportedVersion { found: 9, supported: 4 }));
}

#[test]
fn an_unknown_kind_of_input_is_told() {
    let mut recorder = Recorder::new(&config(), Instant::from_secs(77), 42);
    recorder.push_raw(&[0, 63]);
    let log = recorder.finish();
    assert!(matches!(read(&log), Err(RecordingError::UnknownKind { kind: 63, .. })), "{:?}", read(&log));
}

#[test]
fn what_follows_on_the_end_and_a_wrong_count_are_told() {
    let mut log = log_of(&ordinary());
    let end = log.len();
    log.push(0);
    assert_eq!(read(&log), Err(RecordingError::Trailing { at_byte: end }));

    let mut recorder = Recorder::new(&config(), Instant::from_secs(77), 42);
    recorder.record(Instant::from_secs(78), &Input::Deadline);
    recorder.push_raw(&[0, 8]);
    assert_eq!(read(&recorder.finish()), Err(RecordingError::Count { written: 1, found: 2 }));
}

#[test]
fn settings_that_no_pool_can_have_are_told_on_replay() {
    let log = Recorder::new(&PoolConfig { workers: 0, ..config() }, Instant::ZERO, 0).finish();
    assert!(matches!(replay(&log), Err(RecordingError::Settings(_))));
}

#[test]
fn a_replay_is_the_run() {
    let inputs = ordinary();
    let mut scheduler = super::super::Scheduler::new(config(), Instant::from_secs(77)).unwrap();
    let mut bytes = OutputBytes::new();
    let mut drain = |scheduler: &mut super::super::Scheduler| {
        while let Some(output) = scheduler.poll_output() {
            bytes.push(&output);
        }
        bytes.end_step();
    };
    drain(&mut scheduler);
    for &(now, input) in &inputs {
        let _duplicate = scheduler.handle_input(now, input);
        drain(&mut scheduler);
    }
    let replayed = replay(&log_of(&inputs)).unwrap();
    assert_eq!((replayed.inputs, replayed.ending), (4_000, Ending::Complete));
    assert!(replayed.outputs == bytes.into_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(ProptestConfig::default().cases / 4) })]

    #[test]
    fn any_inputs_come_back(inputs in runs(300)) {
        prop_assert_eq!(read(&log_of(&inputs)), Ok(inputs));
    }

    #[test]
    fn any_flipped_bits_are_found(
        inputs in runs(200),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 0_u8..8), 1..4),
    ) {
        let log = log_of(&inputs);
        let mut damaged = log.clone();
        for (at, bit) in flips {
            damaged[at.index(log.len())] ^= 1 << bit;
        }
        prop_assume!(damaged != log);
        prop_assert!(read(&damaged).is_err());
        // Nobody minds what a replay of it says, as long as it says something.
        let _told = replay(&damaged);
    }

    #[test]
    fn blocks_can_neither_be_lost_nor_moved(blocks in 2_usize..6, lost in any::<prop::sample::Index>()) {
        let mut recorder = Recorder::new(&config(), Instant::ZERO, 0);
        let mut parts = Vec::new();
        for block in 0..blocks {
            recorder.record(Instant::from_secs(block as u64), &Input::Deadline);
            recorder.flush();
            recorder.take_blocks(|bytes| parts.push(bytes.to_vec()));
        }
        parts.push(recorder.finish());
        let lost = 1 + lost.index(blocks - 1);
        let mut swapped = parts.clone();
        swapped.swap(lost, lost + 1);
        prop_assert!(read(&parts.concat()).is_ok());
        prop_assert!(read(&swapped.concat()).is_err());
        parts.remove(lost);
        prop_assert!(read(&parts.concat()).is_err());
    }

    #[test]
    fn bytes_from_anywhere_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), from_header: bool) {
        let mut log = if from_header { log_of(&Vec::new()) } else { MAGIC.to_vec() };
        log.truncate(log.len() - if from_header { 14 } else { 0 });
        log.extend(bytes);
        prop_assert!(read(&log).is_err());
    }
}
