use alloc::vec;
use alloc::vec::Vec;

use super::correlation::{CorrelationConfig, LengthMismatch, correlations};
use crate::rng::Rng;

const SECONDS: usize = 600;
const SEEDS: u64 = 200;
/// One in a hundred, as is stated.
const MOST_FALSE: usize = 2;

/// Each value keeps this share of the one before.
fn remembering(rng: &mut Rng, share: f64) -> Vec<f64> {
    let mut state = 0.0;
    let next = |_| {
        state = share * state + rng.unit_f64() - 0.5;
        state
    };
    (0..SECONDS).map(next).collect()
}

fn present(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

/// Slow in the highest tenth of a series of its own.
fn slow_by(values: &[f64]) -> Vec<Option<bool>> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let bound = sorted[SECONDS * 9 / 10];
    values.iter().map(|&value| Some(value > bound)).collect()
}

/// Noise with this memory on both sides. What is so weak that nobody would be told of it counts, too.
fn false_ones(page_memory: f64, host_memory: f64) -> usize {
    let config = CorrelationConfig { min_strength: 0.5, ..CorrelationConfig::default() };
    let finds = |&seed: &u64| {
        let mut rng = Rng::from_seed(seed);
        let slow = slow_by(&remembering(&mut rng, page_memory));
        let host: Vec<_> = (0..3).map(|_| present(&remembering(&mut rng, host_memory))).collect();
        let host: Vec<&[Option<f64>]> = host.iter().map(Vec::as_slice).collect();
        !correlations(&slow, &host, &config).unwrap().is_empty()
    };
    (0..SEEDS).filter(finds).count()
}

#[test]
fn noise_goes_with_nothing() {
    for (page, host) in [(0.0, 0.0), (0.9, 0.9), (0.9, 0.99)] {
        let found = false_ones(page, host);
        assert!(found <= MOST_FALSE, "{found} of {SEEDS} with memory {page} and {host}");
    }
}

#[test]
fn walks_on_both_sides_go_with_nothing() {
    let found = false_ones(0.99, 1.0);
    assert!(found <= MOST_FALSE, "{found} of {SEEDS}");
}

#[test]
fn a_planted_cause_is_found_with_its_lag_among_others() {
    let mut found = 0;
    for seed in 0..SEEDS {
        let mut rng = Rng::from_seed(seed);
        let cause = remembering(&mut rng, 0.8);
        let others = [remembering(&mut rng, 0.8), remembering(&mut rng, 0.99)];
        // Slow three seconds after the disk is busy, and now and then for reasons of its own.
        let busy = slow_by(&cause);
        let slow: Vec<Option<bool>> = (0..SECONDS)
            .map(|second| {
                Some(rng.chance(0.02) || (second >= 3 && busy[second - 3] == Some(true) && rng.chance(0.9)))
            })
            .collect();
        let host = [present(&others[0]), present(&cause), present(&others[1])];
        let host: Vec<&[Option<f64>]> = host.iter().map(Vec::as_slice).collect();
        let all = correlations(&slow, &host, &CorrelationConfig::default()).unwrap();
        found += u32::from(all.len() == 1 && all[0].series == 1 && all[0].lag_seconds == 3);
    }
    assert!(found >= 190, "{found} of {SEEDS}");
}

#[test]
fn what_the_page_did_first_is_not_the_hosts() {
    let mut rng = Rng::from_seed(5);
    let cause = remembering(&mut rng, 0.0);
    let busy = slow_by(&cause);
    // Slow two seconds before the host is busy.
    let slow: Vec<Option<bool>> =
        (0..SECONDS).map(|second| *busy.get(second + 2).unwrap_or(&Some(false))).collect();
    assert_eq!(correlations(&slow, &[&present(&cause)], &CorrelationConfig::default()), Ok(vec![]));
}

#[test]
fn few_seconds_and_a_single_episode_say_nothing() {
    let config = CorrelationConfig::default();
    let alike =
        |slow: &[Option<bool>]| -> Vec<Option<f64>> { slow.iter().map(|slow| slow.map(f64::from)).collect() };
    let every = |period: usize, length: usize, seconds: usize| -> Vec<Option<bool>> {
        (0..seconds).map(|second| Some(second % period < length)).collect()
    };
    let found = |slow: &[Option<bool>]| correlations(slow, &[&alike(slow)], &config).unwrap().len();
    assert_eq!(found(&every(60, 5, 1_200)), 1);
    assert_eq!(found(&every(60, 5, 299)), 0, "too short");
    assert_eq!(found(&every(60, 1, 1_140)), 0, "too few slow seconds");
    assert_eq!(found(&every(1_200, 200, 1_200)), 0, "one episode");
    assert_eq!(found(&every(1, 1, 1_200)), 0, "always slow");
    let mut unseen = every(60, 5, 1_200);
    unseen.iter_mut().skip(250).for_each(|slow| *slow = None);
    assert_eq!(found(&unseen), 0, "nobody looked");
    assert_eq!(found(&[]), 0);
}

#[test]
fn series_of_other_lengths_are_refused() {
    let refused = correlations(&[Some(true); 3], &[&[None; 3], &[None; 2]], &CorrelationConfig::default());
    assert_eq!(refused, Err(LengthMismatch { series: 1, seconds: 2, page_seconds: 3 }));
}
