//! Two ways of doing the same, measured in turns in one process.

use std::hint::black_box;
use std::time::Instant;

/// Odd, so that there is a median round.
const ROUNDS: usize = 31;

/// Measures so many turns of ours, then of the peer's, and so on for all rounds, and prints the median ratio with its
/// range for `cargo xtask bench`. The first round warms up and doesn't count.
pub(crate) fn compare<A, B>(
    name: &str,
    peer: &str,
    turns: u32,
    mut ours: impl FnMut() -> A,
    mut theirs: impl FnMut() -> B,
) {
    let mut rounds: Vec<(f64, f64)> =
        (0..=ROUNDS).map(|_| (nanos_a_turn(turns, &mut ours), nanos_a_turn(turns, &mut theirs))).collect();
    rounds.remove(0);
    let ratios = sorted(rounds.iter().map(|(ours, theirs)| ours / theirs));
    let ours = sorted(rounds.iter().map(|(ours, _)| *ours));
    let theirs = sorted(rounds.iter().map(|(_, theirs)| *theirs));
    println!(
        "BENCH {{\"name\":\"{name}\",\"peer\":\"{peer}\",\"ratio\":{},\"low\":{},\"high\":{},\
         \"ours\":{},\"theirs\":{},\"unit\":\"ns\"}}",
        ratios[ROUNDS / 2],
        ratios[0],
        ratios[ROUNDS - 1],
        ours[ROUNDS / 2],
        theirs[ROUNDS / 2],
    );
}

fn nanos_a_turn<T>(turns: u32, turn: &mut impl FnMut() -> T) -> f64 {
    let started = Instant::now();
    for _ in 0..turns {
        black_box(turn());
    }
    started.elapsed().as_secs_f64() * 1e9 / f64::from(turns)
}

fn sorted(numbers: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_by(f64::total_cmp);
    numbers
}
