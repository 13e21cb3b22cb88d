//! Runs the cases of a target, each of which follows from a seed and its number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use quillwork_core::rng::Rng;

use crate::measure::most_held;
use crate::{mutate, protobuf, tree};

/// What is to be fuzzed.
pub(crate) struct Target {
    /// As the test is called.
    pub(crate) name: &'static str,
    /// What is taken as it is.
    pub(crate) seeds: Vec<Vec<u8>>,
    /// Words that mean something there.
    pub(crate) words: &'static [&'static str],
    /// What mutations may know of the input.
    pub(crate) shape: Shape,
    /// Longer inputs are cut.
    pub(crate) longest: usize,
    /// Bytes of memory that a case may take, and so many more for each byte of the input.
    pub(crate) memory: (usize, usize),
}

/// What inputs are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Bytes,
    Json,
    Protobuf,
}

/// What became of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Taken,
    Refused,
}

/// So many cases share what `make` made: a case may find what those before it in its group left.
const GROUP: u64 = 64;
/// Cases where no time is given.
const CASES: u64 = 2 * GROUP;
/// A case that takes longer hangs.
const HANGS: Duration = Duration::from_secs(60);

/// Which cases are to be run.
enum Plan {
    Count(u64),
    Time(Duration),
    One(u64),
}

/// Runs cases of a target on what `make` makes, and checks each by `check`, which panics where something is wrong.
///
/// # Panics
///
/// Where a check does, a seed is refused, or a case takes too much memory. A case that hangs ends the process.
pub(crate) fn fuzz<S>(
    target: &Target,
    mut make: impl FnMut() -> S,
    mut check: impl FnMut(&mut S, &[u8]) -> Outcome,
) {
    let seed = variable("QUILLWORK_FUZZ_SEED").unwrap_or(1);
    let plan = match (variable("QUILLWORK_FUZZ_CASE"), variable("QUILLWORK_FUZZ_SECONDS")) {
        (Some(case), _) => Plan::One(case),
        (None, Some(seconds)) => Plan::Time(Duration::from_secs(seconds)),
        (None, None) => Plan::Count(CASES),
    };
    let watch = Watch::begin(target.name, seed);
    for (number, sample) in target.seeds.iter().enumerate() {
        let outcome = watch.during(&format!("seed {number}"), sample, || check(&mut make(), sample));
        assert_eq!(
            outcome,
            Outcome::Taken,
            "{}: the sample {number} is real: {}",
            target.name,
            shown(sample)
        );
    }
    let mut state = make();
    let begun = Instant::now();
    let (mut taken, mut most) = (0_u64, 0);
    let mut case = match plan {
        Plan::One(case) => case - case % GROUP,
        Plan::Count(_) | Plan::Time(_) => 0,
    };
    loop {
        let is_over = match plan {
            Plan::Count(count) => case >= count,
            // However slow the machine is, a group is run.
            Plan::Time(time) => begun.elapsed() >= time && case >= GROUP,
            Plan::One(last) => case > last,
        };
        if is_over {
            break;
        }
        if case.is_multiple_of(GROUP) {
            state = make();
        }
        let input = input(target, seed, case);
        let what = format!("case {case}");
        let (outcome, held) = watch.during(&what, &input, || {
            let (outcome, held) = most_held(|| check(&mut state, &input));
            let (base, each) = target.memory;
            let allowed = base + each * input.len();
            assert!(
                held <= allowed,
                "it took {held} bytes of memory for {} bytes of input, and {allowed} are allowed",
                input.len()
            );
            (outcome, held)
        });
        taken += u64::from(outcome == Outcome::Taken);
        most = most.max(held);
        case += 1;
    }
    println!(
        "{}: {case} cases from seed {seed}, {taken} taken, at most {} KiB of memory",
        target.name,
        most >> 10
    );
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number, not {text:?}")))
}

/// The input of a case, which is the same whenever it is asked for.
fn input(target: &Target, seed: u64, case: u64) -> Vec<u8> {
    let mut rng = Rng::from_seed(seed ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut input = target.seeds[rng.index(target.seeds.len())].clone();
    let structured = target.shape != Shape::Bytes && rng.chance(0.7);
    loop {
        match target.shape {
            Shape::Json if structured => tree::json(&mut rng, &mut input),
            Shape::Protobuf if structured => protobuf::message(&mut rng, &mut input),
            Shape::Bytes | Shape::Json | Shape::Protobuf => {
                mutate::bytes(&mut rng, &mut input, &target.seeds, target.words);
            }
        }
        input.truncate(target.longest);
        // Mostly one change or two, so that what lies behind it is reached.
        if rng.chance(0.5) {
            return input;
        }
    }
}

/// Tells how to repeat the case that failed, and ends the process at one that hangs.
struct Watch {
    target: &'static str,
    seed: u64,
    /// Counts the cases that have begun.
    begun: Arc<AtomicU64>,
    running: Arc<Mutex<String>>,
}

impl Watch {
    fn begin(target: &'static str, seed: u64) -> Self {
        let (begun, running) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(String::new())));
        let (weak, said) = (Arc::downgrade(&begun), Arc::clone(&running));
        thread::spawn(move || {
            let (mut seen, mut since) = (0, Instant::now());
            while let Some(begun) = weak.upgrade() {
                let now = begun.load(Ordering::Relaxed);
                drop(begun);
                if now != seen {
                    (seen, since) = (now, Instant::now());
                } else if since.elapsed() > HANGS {
                    eprintln!("{} hangs", said.lock().unwrap_or_else(PoisonError::into_inner));
                    std::process::abort();
                }
                thread::sleep(Duration::from_millis(200));
            }
        });
        Self { target, seed, begun, running }
    }

    fn during<T>(&self, what: &str, input: &[u8], work: impl FnOnce() -> T) -> T {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let Self { target, seed, .. } = self;
        let repeat = what.strip_prefix("case ").map_or_else(String::new, |case| {
            format!("; repeat it with QUILLWORK_FUZZ_SEED={seed} QUILLWORK_FUZZ_CASE={case} cargo test -p quillwork --test fuzz {target}")
        });
        let said = format!("{target}: {what}{repeat}");
        self.running.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&said);
        let telling = Telling { said, input };
        let done = work();
        drop(telling);
        done
    }
}

/// Says which case it was when the thread panics.
struct Telling<'a> {
    said: String,
    input: &'a [u8],
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("{}\n{}", self.said, shown(self.input));
        }
    }
}

fn shown(input: &[u8]) -> String {
    const LONGEST: usize = 2_000;
    let cut = &input[..input.len().min(LONGEST)];
    let more =
        if cut.len() < input.len() { format!(" … {} bytes in all", input.len()) } else { String::new() };
    format!("\"{}\"{more}", cut.escape_ascii())
}

#[test]
fn a_case_is_the_same_whenever_it_is_asked_for() {
    let target = Target {
        name: "itself",
        seeds: vec![b"{\"a\":[1,2,{\"b\":null}]}".to_vec()],
        words: &["a"],
        shape: Shape::Json,
        longest: 1_000,
        memory: (0, 0),
    };
    let inputs: Vec<_> = (0..200).map(|case| input(&target, 7, case)).collect();
    assert!(inputs.iter().zip(0..).all(|(known, case)| *known == input(&target, 7, case)));
    let distinct: std::collections::BTreeSet<_> = inputs.iter().collect();
    assert!(distinct.len() > 150 && inputs.iter().all(|input| input.len() <= 1_000));
}
